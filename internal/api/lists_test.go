package api_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestAPI_lists_end: a page says that there is another one only where there is. The lists are those of the OpenAPI
// document, so that a new one is walked as well; each must have two rows here.
func TestAPI_lists_end(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.fillLists()
		whole := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)
		lists := 0
		for path, item := range whole["paths"].(object) {
			get, _ := item.(object)["get"].(object)
			if get == nil || !hasPages(whole, get) {
				continue
			}
			lists++
			parameters, _ := get["parameters"].([]any)
			o.walk(path, slices.ContainsFunc(parameters, func(p any) bool { return p.(object)["name"] == "limit" }))
		}
		if lists < 25 {
			o.Errorf("only %d lists are found", lists)
		}
	})
}

// hasPages says whether an operation answers with a list.
func hasPages(whole, get object) bool {
	content, _ := get["responses"].(object)["200"].(object)["content"].(object)
	answer, _ := content["application/json"].(object)
	schema, _ := answer["schema"].(object)
	if ref, ok := schema["$ref"].(string); ok {
		schema = resolve(whole, ref)
	}
	properties, _ := schema["properties"].(object)
	return properties["next_cursor"] != nil
}

// mailed has two mailings of two mails each, none of which is sent, and two addresses that get none.
func (o *office) mailed() {
	o.Helper()
	creators := make([]affiliate.CreatorID, 2)
	for i := range creators {
		creators[i] = affiliate.CreatorID(i + 1)
	}
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		for _, key := range []string{"one", "two"} {
			mails := make([]affiliate.Mail, len(creators))
			for i, c := range creators {
				mails[i] = affiliate.Mail{CreatorID: c, Creator: "Anna", Address: "anna@creators.example",
					State: affiliate.MailRefused, MessageID: key, CreatedAt: may20(), UpdatedAt: may20()}
			}
			if _, err := tx.CreateMailSend(o.Context(), affiliate.MailSend{Purpose: affiliate.MailMessage,
				State: affiliate.MailSendDone, Mails: 2, Key: key, CreatedAt: may20()}, mails); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.Fatal(err)
	}
	for _, address := range []string{"a@creators.example", "b@creators.example"} {
		o.manager.call("POST", v1+"/mail/suppressions", object{"address": address}).ok(201)
	}
}

// fillLists makes at least two rows of everything that is listed.
func (o *office) fillLists() {
	o.Helper()
	o.sold()
	o.trade()
	m := o.manager
	o.owner.call("POST", v1+"/stores/shop/secrets", object{}).ok(201)
	m.call("PUT", v1+"/stores/shop/statuses", object{"statuses": object{"shipped": "paid", "lost": "canceled"}}).ok(200)
	for _, note := range []string{"photographer", "studio"} {
		m.call("POST", v1+"/campaigns/cmp_1/costs", object{"amount": "20", "note": note}).ok(201)
	}
	for _, code := range []string{"SUMMER", "WINTER"} {
		o.seen(1, code, code, 1000, "USD", seenAt)
	}
	var entries []affiliate.LedgerEntry
	for n := range 6 { // four of them are paid, two by themselves and two in runs; two are due
		entries = append(entries, affiliate.LedgerEntry{CreatorID: affiliate.CreatorID(n + 1), Kind: affiliate.Bonus,
			Currency: "USD", Amount: 1000, Cause: fmt.Sprint("bonus ", n), CreatedAt: may20(), PayableAt: may20()})
	}
	for n := range 3 { // of a month that is over: two statements, one of them with two lines
		e := entries[2+n/2]
		e.CreatedAt, e.Cause = e.CreatedAt.AddDate(0, -1, 0), fmt.Sprint("bonus of April ", n)
		entries = append(entries, e)
	}
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error { return tx.AddLedger(o.Context(), entries) })
	if err != nil {
		o.Fatal(err)
	}
	o.compared()
	o.coupons()
	o.mailed()
	m.call("PATCH", v1+"/offers/off_1", object{"discount": tenPercent(nil), "code_pattern": "{{name}}20"}).ok(200)
	for _, percent := range []string{"11", "12"} {
		m.call("PATCH", v1+"/offers/off_1", object{"commission": object{"percent": percent}}).ok(200)
	}
	for range 2 { // each with a code in both stores
		m.call("POST", v1+"/code-runs", object{"action": "make", "offer": "off_1", "another": true}).ok(201)
	}
	for _, name := range []string{"First", "Another"} {
		m.call("POST", v1+"/reward-rules", object{"offer": "off_1", "name": name, "kind": "product",
			"product": "A serum", "trigger": "first_conversion"}).ok(201)
	}
	o.reckon()
	for _, creator := range []string{"cre_1", "cre_2"} {
		o.owner.call("POST", v1+"/payouts", object{"creator": creator}).ok(201)
	}
	o.owner.call("POST", v1+"/statements", object{"month": "2026-04"}).ok(200)
	for _, creator := range []string{"cre_5", "cre_6"} { // those who are left out stay due
		o.owner.call("POST", v1+"/payout-runs", object{"all": true, "elsewhere": true,
			"creators": []string{"cre_3", "cre_4", creator}, "exclude": []string{"cre_3", "cre_4"}}).ok(201)
	}
	o.results()
}

// results has two files of results with two lines each.
func (o *office) results() {
	o.Helper()
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		for _, name := range []string{"may.csv", "june.csv"} {
			f, err := tx.CreateResultFile(o.Context(), affiliate.ResultFile{Name: name, Kind: affiliate.ResultCSV,
				Hash:  name,
				Lines: 2, CreatedAt: may20()})
			if err != nil {
				return err
			}
			if err := tx.AddResultLines(o.Context(), []affiliate.ResultLine{{FileID: f.ID, Line: 1, PayoutID: 1,
				State: affiliate.PayoutPaid, Outcome: affiliate.ResultSame}, {FileID: f.ID, Line: 2, Amount: 1000,
				Currency: "USD", State: affiliate.PayoutPaid, Outcome: affiliate.ResultUnmatched}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.Fatal(err)
	}
}

// compared makes two comparisons of the first store, of which each found two orders.
func (o *office) compared() {
	o.Helper()
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		for range 2 {
			job, err := tx.CreateStoreJob(o.Context(), affiliate.StoreJob{StoreID: 1, Kind: affiliate.JobReconcile,
				State: affiliate.JobDone, Cause: affiliate.CauseSchedule, From: may20().Add(-time.Hour), Until: may20(),
				Orders: 12, Missing: 1, Different: 1, CreatedAt: may20(), UpdatedAt: may20(), EndedAt: may20()})
			if err != nil {
				return err
			}
			err = tx.AddDrift(o.Context(), []affiliate.Drift{{JobID: job.ID, Order: "41", Kind: affiliate.DriftMissing},
				{JobID: job.ID, Order: "42", Field: "value", Kind: affiliate.DriftDifferent, Ours: "90.00",
					Theirs: "100.00"}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.Fatal(err)
	}
}

var pathParameter = regexp.MustCompile(`\{[a-z_]+\}`)

// walk looks at a list of the document as a whole, at exactly as many rows as it has, and at one row less. Of a list
// that many things have, it takes the first that has two rows.
func (o *office) walk(path string, limited bool) {
	o.Helper()
	if collection, _, of := strings.Cut(path, "/{"); of {
		for _, thing := range o.owner.everything(collection) {
			at := pathParameter.ReplaceAllString(path, thing["id"].(string))
			if rows, _ := o.page(at, limited, storage.MaxLimit, ""); len(rows) > 1 {
				path = at
				break
			}
		}
	}
	all, next := o.page(path, limited, storage.MaxLimit, "")
	n := len(all)
	if n < 2 || next != nil {
		o.Errorf("%s has %d rows, and then %v; want two or more, and no other page", path, n, next)
		return
	}
	if !limited {
		return
	}
	if rows, next := o.page(path, true, n, ""); len(rows) != n || next != nil {
		o.Errorf("%s: %d of %d rows, and then %v; want all of them, and no other page", path, len(rows), n, next)
	}
	rows, next := o.page(path, true, n-1, "")
	cursor, more := next.(string)
	if len(rows) != n-1 || !more {
		o.Errorf("%s: %d of %d rows, and then %v; want one less, and where the last one is", path, len(rows), n, next)
		return
	}
	last, next := o.page(path, true, n-1, cursor)
	if len(last) != 1 || fmt.Sprint(last[0]) != fmt.Sprint(all[n-1]) || next != nil {
		o.Errorf("%s: behind all rows but one are %v, and then %v; want %v", path, last, next, all[n-1])
	}
}

// page reads the rows of a page, and what it says about the next one.
func (o *office) page(path string, limited bool, limit int, cursor string) (rows []any, next any) {
	o.Helper()
	query := "?"
	if strings.HasSuffix(path, "/evidence") {
		query += "campaign=cmp_1,cmp_2&" // it is not listed without any
	}
	if limited {
		query += fmt.Sprintf("limit=%d&cursor=%s", limit, cursor)
	}
	answer := o.owner.call("GET", path+query, nil).ok(200)
	return answer["data"].([]any), answer["next_cursor"]
}
