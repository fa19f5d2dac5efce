package api_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestAPI_payoutRuns: payouts are recorded together as they were seen, listed and downloaded by their run, and
// canceled as one.
func TestAPI_payoutRuns(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.owner
		m.call("POST", v1+"/campaigns", object{"name": "Spring"}).ok(201)
		m.call("POST", v1+"/creators", object{"name": "Anna", "email": "anna@creators.example",
			"handles": object{"instagram": "anna"}}).ok(201)
		m.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": "cre_1"}).ok(201)
		m.call("POST", v1+"/offers", object{"campaign": "cmp_1", "name": "Ten", "type": "promo_code",
			"commission": object{"percent": "10"}}).ok(201)
		m.call("POST", v1+"/offer-members", object{"offer": "off_1", "member": "mem_1"}).ok(201)
		o.owe("a", 12000)
		for query, want := range map[string]int{"?campaign=cmp_1&q=@anna&sort=-since": 1, "?offer=off_1": 1,
			"?offer=off_9": 0, "?q=ben": 0, "?campaign=cmp_9": 0} {
			due := o.viewer.call("GET", v1+"/payouts/due"+query, nil).ok(200)["data"].([]any)
			if len(due) != want {
				o.Errorf("%s finds %v", query, due)
			}
			for _, d := range due {
				d := d.(object)
				campaign := d["campaigns"].([]any)[0].(object)
				if d["handle"] != "anna" || d["part"] != "120.00" || d["since"] == nil || d["last_paid_at"] != nil ||
					campaign["id"] != "cmp_1" || campaign["name"] != "Spring" {
					o.Errorf("due: %v", d)
				}
			}
		}
		m.call("GET", v1+"/payouts/due?sort=gold", nil).problem(422, "invalid", "sort")

		of := func(amount string) object {
			return object{"payouts": []object{{"creator": "cre_1", "amount": amount}}, "method": "bank transfer",
				"reference": "SEPA 7", "note": "November", "elsewhere": true}
		}
		o.owner.call("POST", v1+"/payout-runs", of("100.00")).problem(409, "conflict", "amount")
		o.owner.call("POST", v1+"/payout-runs", object{"payouts": []object{}}).problem(422, "invalid", "payouts")
		o.viewer.call("POST", v1+"/payout-runs", of("120.00")).problem(403, "forbidden", "")
		b := o.owner.call("POST", v1+"/payout-runs", of("120.00")).ok(201)
		sum := b["sums"].([]any)[0].(object)
		if b["id"] != "run_1" || !strings.HasSuffix(b["name"].(string), " · 1 payout") || sum["amount"] != "120.00" ||
			sum["payouts"] != 1.0 || b["note"] != "November" || sum["paid"] != "120.00" || sum["sent"] != "120.00" ||
			b["state"] != "settled" || b["about"] != "1 creator" || b["ended_at"] == nil {
			o.Errorf("run: %v", b)
		}
		list := o.viewer.call("GET", v1+"/payouts?run=run_1&q=sepa", nil).ok(200)["data"].([]any)
		if len(list) != 1 || list[0].(object)["run"] != "run_1" || list[0].(object)["reference"] != "SEPA 7" {
			o.Errorf("payouts of it: %v", list)
		}
		file := o.viewer.call("GET", v1+"/payouts.csv?run=run_1&state=paid", nil)
		if !strings.HasPrefix(string(file.raw), "Name,Handle,E-mail,Amount,Currency,Reference,") ||
			!strings.Contains(string(file.raw), "\r\nAnna,anna,anna@creators.example,120.00,USD,SEPA 7,") {
			o.Errorf("the file is\n%s", string(file.raw))
		}
		o.owner.call("POST", v1+"/payout-runs/run_1/cancel", object{"reason": ""}).problem(422, "invalid", "reason")
		o.viewer.call("POST", v1+"/payout-runs/run_1/cancel", object{"reason": "typo"}).problem(403, "forbidden", "")
		o.owner.call("POST", v1+"/payout-runs/run_9/cancel", object{"reason": "typo"}).problem(404, "not_found", "")
		canceled := o.owner.call("POST", v1+"/payout-runs/run_1/cancel", object{"reason": "refused"}).ok(200)
		if sum := canceled["sums"].([]any)[0].(object); sum["canceled"] != "120.00" || sum["sent"] != "0.00" ||
			canceled["state"] != "canceled" {
			o.Errorf("canceled: %v", canceled)
		}
		file = o.viewer.call("GET", v1+"/payouts/due.csv?campaign=cmp_1", nil)
		if !strings.Contains(string(file.raw), "\r\nAnna,anna,anna@creators.example,120.00,USD,Spring,") {
			o.Errorf("the file of what is due is\n%s", string(file.raw))
		}
		m.call("GET", v1+"/payout-runs/run_9", nil).problem(404, "not_found", "")
		if b := o.viewer.call("GET", v1+"/payout-runs/run_1", nil).ok(200); !reflect.DeepEqual(b, canceled) {
			o.Errorf("it is read as %v", b)
		}
	})
}

// payees has Anna, who is paid by PayPal, with two entries, Ben without payment details, Cleo, who owes, and Dan, whose
// details are on hold.
func (o *office) payees() {
	o.Helper()
	now := time.Now().Truncate(time.Second)
	for _, name := range []string{"Anna", "Ben", "Cleo", "Dan"} {
		o.manager.call("POST", v1+"/creators", object{"name": name}).ok(201)
	}
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		for _, d := range []storage.PaymentDetails{
			{CreatorID: 1, Masked: "anna@creators.example", UsableAt: now.Add(-time.Hour)},
			{CreatorID: 4, Masked: "dan@creators.example", UsableAt: now.Add(time.Hour)}} {
			d.Method, d.Details, d.CreatedAt = affiliate.MethodPayPal, []byte("sealed"), now
			if _, err := tx.AddPaymentDetails(o.Context(), d); err != nil {
				return err
			}
		}
		var entries []affiliate.LedgerEntry
		for i, e := range []struct {
			creator affiliate.CreatorID
			amount  int64
		}{{1, 10000}, {1, 2000}, {2, 500}, {3, -700}, {4, 900}} {
			entries = append(entries, affiliate.LedgerEntry{CreatorID: e.creator, Kind: affiliate.Bonus,
				Currency: "USD",
				Amount:   e.amount, Cause: fmt.Sprint("payee ", i), CreatedAt: now, PayableAt: now})
		}
		return tx.AddLedger(o.Context(), entries)
	})
	if err != nil {
		o.Fatal(err)
	}
}

// TestAPI_payoutRunPreview: a preview says who would be paid, by which rail, and who would not, and changes nothing;
// what was seen is what is sent, or nothing is; and the run says what became of it.
func TestAPI_payoutRunPreview(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.payees()
		preview := func(asked object) object {
			o.Helper()
			return o.viewer.call("POST", v1+"/payout-runs/preview", asked).ok(200)
		}
		p := preview(object{"all": true})
		if want := []any{object{"currency": "USD", "payouts": 1.0, "amount": "120.00"}}; !reflect.DeepEqual(p["totals"],
			want) {
			o.Errorf("totals: %v", p["totals"])
		}
		if want := []any{object{"rail": "paypal_file", "currency": "USD", "payouts": 1.0,
			"amount": "120.00"}}; !reflect.DeepEqual(p["rails"], want) {
			o.Errorf("rails: %v", p["rails"])
		}
		if want := []any{object{"creator": "cre_1", "creator_name": "Anna", "amount": "120.00", "currency": "USD",
			"rail": "paypal_file", "method": "paypal", "destination": "anna@creators.example"}}; !reflect.DeepEqual(
			p["pay"], want) {
			o.Errorf("pay: %v", p["pay"])
		}
		if method := p["methods"].([]any)[0].(object); method["method"] != "paypal" || method["payouts"] != 2.0 ||
			!reflect.DeepEqual(method["rails"], []any{"paypal", "paypal_file", "csv_file"}) {
			o.Errorf("methods: %v", method)
		}
		left := map[any]any{}
		for _, l := range p["left_out"].([]any) {
			left[l.(object)["creator_name"]] = l.(object)["reason"]
		}
		if want := map[any]any{"Ben": "no_method", "Cleo": "negative_balance", "Dan": "held"}; !reflect.DeepEqual(left,
			want) {
			o.Errorf("left out: %v", left)
		}
		if few := o.viewer.call("POST", v1+"/payout-runs/preview?lines=1", object{"all": true}).
			ok(200); len(few["left_out"].([]any)) != 1 ||
			len(few["left_out_sums"].([]any)) != 3 {
			o.Errorf("with a line of each kind: %v", few)
		}
		for _, c := range []struct {
			asked object
			want  string
		}{{object{"all": true, "elsewhere": true}, "Anna Ben Dan"}, {object{"all": true,
			"exclude": []string{"cre_1"}}, ""},
			{object{"all": true, "elsewhere": true, "creators": []string{"cre_2"}}, "Ben"},
			{object{"all": true, "currency": "EUR"}, ""}, {object{"all": true, "until": "2001-01-01"}, ""},
			{object{"all": true, "campaign": "cmp_9"}, ""}, {object{"payouts": []object{{"creator": "cre_1"}}},
				"Anna"}} {
			var names []string
			for _, l := range preview(c.asked)["pay"].([]any) {
				names = append(names, l.(object)["creator_name"].(string))
			}
			if got := strings.Join(names, " "); got != c.want {
				o.Errorf("%v pays %q, want %q", c.asked, got, c.want)
			}
		}
		for field, asked := range map[string]object{"payouts": {}, "all": {"offer": "off_1"},
			"rails": {"all": true, "rails": object{"paypal": "sepa_file"}}, "until": {"all": true, "until": "soon"},
			"exclude": {"all": true, "exclude": []string{"ben"}}, "creators": {"all": true,
				"creators": []string{"ben"}},
			"currency": {"all": true, "currency": "QQQ"}, "offer": {"all": true, "offer": "ten"}} {
			o.owner.call("POST", v1+"/payout-runs/preview", asked).problem(422, "invalid", field)
			o.owner.call("POST", v1+"/payout-runs", asked).problem(422, "invalid", field)
		}
		nobody := object{"all": true, "elsewhere": true, "creators": []string{}} // not everybody
		for _, path := range []string{"/payout-runs/preview", "/payout-runs"} {
			if d := o.owner.call("POST", v1+path, nobody).problem(422, "invalid", "creators"); !strings.Contains(d,
				"names nobody") {
				o.Errorf("detail %q", d)
			}
		}
		if d := o.owner.call("POST", v1+"/payout-runs", object{"all": true, "creators": []string{"cre_2"}}).problem(409,
			"conflict", "payouts"); !strings.Contains(d,
			"1 creator (5.00 USD): nobody has entered where to pay them") {
			o.Errorf("detail %q", d)
		}
		for _, field := range []string{"method", "reference", "paid_on"} {
			o.owner.call("POST", v1+"/payout-runs", object{"all": true, field: "2026-05-01"}).problem(422, "invalid",
				field)
		}
		o.owner.call("POST", v1+"/payout-runs", object{"all": true, "payouts": []object{{"creator": "cre_1"}}}).
			problem(422, "invalid", "payouts")
		if runs := o.viewer.call("GET", v1+"/payout-runs", nil).ok(200)["data"].([]any); len(runs) > 0 {
			o.Fatalf("runs after a look: %v", runs)
		}

		send := object{"all": true, "rails": object{"paypal": "csv_file"}, "expect": p["fingerprint"], "note": "May",
			"tell": true}
		o.manager.call("POST", v1+"/payout-runs", send).problem(403, "forbidden", "")
		o.owner.call("POST", v1+"/payout-runs", send).problem(409, "conflict", "expect") // by another rail
		send["expect"] = preview(object{"all": true, "rails": object{"paypal": "csv_file"}})["fingerprint"]
		key := map[string]string{"Idempotency-Key": "may"}
		run := o.owner.callWith(key, "POST", v1+"/payout-runs", send).ok(201)
		if again := o.owner.callWith(key, "POST", v1+"/payout-runs", send).ok(201); !reflect.DeepEqual(again, run) {
			o.Errorf("sent again: %v, then %v", run, again)
		}
		sum, part := run["sums"].([]any)[0].(object), run["parts"].([]any)[0].(object)
		if run["state"] != "confirmed" || run["about"] != "all that is due" || run["note"] != "May" ||
			run["tell"] != true || sum["amount"] != "120.00" || sum["ready"] != "120.00" || sum["sent"] != "0.00" ||
			run["sent_at"] != nil || len(run["fees"].([]any)) > 0 || len(run["left_out"].([]any)) != 3 {
			o.Errorf("run: %v", run)
		}
		if part["id"] != "prt_1" || part["rail"] != "csv_file" || part["amount"] != "120.00" ||
			part["by_file"] != true ||
			part["state"] != "ready" || !strings.HasPrefix(part["reference"].(string), "TRB-R1-1-") {
			o.Errorf("part: %v", part)
		}
		paid := o.viewer.call("GET", v1+"/payouts/pay_1", nil).ok(200)
		if paid["state"] != "ready" || paid["rail"] != "csv_file" || paid["destination"] != "anna@creators.example" ||
			paid["part"] != "prt_1" || !strings.HasPrefix(paid["ref"].(string), "TRB-1-") || paid["paid_at"] != nil ||
			paid["fee"] != nil {
			o.Errorf("payout: %v", paid)
		}
		var made []string
		for _, e := range o.viewer.call("GET", v1+"/payouts/pay_1/paid", nil).ok(200)["data"].([]any) {
			made = append(made, e.(object)["amount"].(string))
		}
		if got := strings.Join(made, " "); got != "20.00 100.00" {
			o.Errorf("it is made of %s", got)
		}
		o.viewer.call("GET", v1+"/payouts/pay_9/paid", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/payout-runs/run_9/left-out", nil).problem(404, "not_found", "")
		names := []any{}
		for _, l := range o.viewer.call("GET", v1+"/payout-runs/run_1/left-out", nil).ok(200)["data"].([]any) {
			names = append(names, l.(object)["creator_name"], l.(object)["reason"])
		}
		if want := []any{"Ben", "no_method", "Cleo", "negative_balance", "Dan", "held"}; !reflect.DeepEqual(names,
			want) {
			o.Errorf("left out: %v", names)
		}

		_, err := o.app.TurnPayouts(o.Context(), "a test", []app.PayoutNews{{Payout: 1, State: affiliate.PayoutFailed,
			Words: "AC04, the account is closed", ProviderRef: "X1", Fee: 35, FeeCurrency: "USD"}})
		if err != nil {
			o.Fatal(err)
		}
		run = o.viewer.call("GET", v1+"/payout-runs/run_1", nil).ok(200)
		if sum := run["sums"].([]any)[0].(object); run["state"] != "settled" || sum["failed"] != "120.00" ||
			sum["sent"] != "120.00" || sum["ready"] != "0.00" || !reflect.DeepEqual(run["fees"],
			[]any{object{"currency": "USD", "amount": "0.35"}}) {
			o.Errorf("run afterwards: %v", run)
		}
		file := o.viewer.call("GET", v1+"/payouts.csv?run=run_1", nil)
		if !strings.Contains(file.raw, ",Run ID,Creator ID,State Since (UTC),State Words,Rail,Paid To,Our Reference,"+
			"Provider Reference,Fee,Fee Currency\r\n") || !strings.Contains(file.raw,
			",\"AC04, the account is closed\",csv_file,anna@creators.example,TRB-1-") ||
			!strings.Contains(file.raw, ",X1,0.35,USD\r\n") {
			o.Errorf("the file is\n%s", file.raw)
		}
		if due := o.viewer.call("GET", v1+"/payouts/due", nil).ok(200)["data"].([]any); len(due) != 3 {
			o.Errorf("due again: %v", due)
		}
	})
}

// railFile writes a line for each payment, and reads lines of a reference, or an e-mail address, and a state.
type railFile struct{}

func (railFile) Write(f affiliate.PaymentFile) (string, []byte, error) {
	text := ""
	for _, p := range f.Payments {
		text += p.Details.Email + "," + p.Ref + "\n"
	}
	return f.Reference + ".csv", []byte(text), nil
}

func (railFile) Kind() affiliate.ResultKind { return affiliate.ResultCSV }

func (railFile) Read(_ string, body []byte) (list []affiliate.PaymentResult, err error) {
	for line := range strings.Lines(string(body)) {
		ref, state, _ := strings.Cut(strings.TrimSpace(line), ",")
		result := affiliate.PaymentResult{Line: len(list) + 1, Ref: ref, State: affiliate.PayoutState(state)}
		if strings.Contains(ref, "@") {
			result.Ref, result.Destination = "", ref
		}
		if state == "" {
			result.Words = "it says no state"
		}
		list = append(list, result)
	}
	return list, nil
}

// TestAPI_payoutFiles: the file of a part is the same at each download, its payouts are sent from then on, and what
// became of them is read from a file once, or said by hand.
func TestAPI_payoutFiles(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.PaymentFiles = map[affiliate.Rail]app.PaymentFiles{affiliate.RailPayPalFile: railFile{}}
		o.app.ResultReaders = []app.ResultReader{railFile{}}
		o.payees()
		for _, id := range []affiliate.CreatorID{1, 2, 4} {
			_, err := o.app.SetPaymentDetails(o.Context(), id, affiliate.PaymentDetails{Method: affiliate.MethodPayPal,
				Email: fmt.Sprintf("payee%d@creators.example", id)})
			if err != nil {
				o.Fatal(err)
			}
		}
		now := o.app.Now
		o.app.Now = func() time.Time { return now().AddDate(0, 0, 10) } // no details are on hold any more
		run := o.owner.call("POST", v1+"/payout-runs", object{"all": true}).ok(201)
		if len(run["parts"].([]any)) != 1 {
			o.Fatalf("run: %v", run)
		}
		const file = v1 + "/payout-parts/prt_1/file"
		o.manager.call("GET", file, nil).problem(403, "forbidden", "")
		o.owner.call("GET", v1+"/payout-parts/prt_9/file", nil).problem(404, "not_found", "")
		first := o.owner.call("GET", file, nil)
		if first.ok(200); first.raw != o.owner.call("GET", file, nil).raw ||
			!strings.HasPrefix(first.raw, "payee1@creators.example,TRB-1-") ||
			!strings.HasPrefix(first.header.Get("Content-Disposition"), "attachment; filename=TRB-R1-1-") ||
			!strings.HasPrefix(first.header.Get("Content-Type"), "text/csv") {
			o.Errorf("the file: %v %q", first.header, first.raw)
		}
		if sum := o.viewer.call("GET", v1+"/payout-runs/run_1", nil).ok(200)["sums"].([]any)[0].(object); sum["sent"] !=
			sum["amount"] || sum["pending"] != sum["amount"] {
			o.Errorf("sums: %v", sum)
		}
		o.owner.call("POST", v1+"/payout-runs/run_1/cancel", object{"reason": "typo"}).problem(409, "conflict", "state")

		marks := func(state, reason string) {
			o.owner.call("POST", v1+"/payouts/marks", object{"payouts": []string{"pay_1"}, "state": state,
				"reason": reason}).ok(200)
		}
		marks("failed", "never handed in")
		o.owner.call("GET", file, nil).problem(409, "conflict", "owed_again")
		if again := o.owner.call("GET", file+"?owed_again=true", nil); again.raw != first.raw {
			o.Errorf("the file to keep it: %q", again.raw)
		}

		ref := o.viewer.call("GET", v1+"/payouts/pay_1", nil).ok(200)["ref"].(string)
		results := ref + ",paid\nTRB-7-NONE,paid\n"
		octets := map[string]string{"Content-Type": "application/octet-stream"}
		read := o.owner.callWith(octets, "POST", v1+"/payout-results?name=may.csv", results).ok(200)
		if outcomes := read["outcomes"].(object); read["id"] != "rsf_1" || read["name"] != "may.csv" ||
			read["lines"] != 2.0 ||
			outcomes["changed"] != 1.0 || outcomes["unmatched"] != 1.0 {
			o.Errorf("read: %v", read)
		}
		if again := o.owner.callWith(octets, "POST", v1+"/payout-results?name=may.csv", results).
			ok(200); !reflect.DeepEqual(again, read) {
			o.Errorf("read again: %v", again)
		}
		o.owner.callWith(octets, "POST", v1+"/payout-results", results).problem(422, "invalid", "name")
		o.manager.callWith(octets, "POST", v1+"/payout-results?name=a", results).problem(403, "forbidden", "")
		lines := o.viewer.call("GET", v1+"/payout-results/rsf_1/lines?outcome=unmatched", nil).ok(200)["data"].([]any)
		if l := lines[0].(object); len(lines) != 1 || l["line"] != 2.0 || l["payout"] != nil || l["why"] == "" {
			o.Errorf("lines: %v", lines)
		}
		o.viewer.call("GET", v1+"/payout-results/rsf_9/lines", nil).problem(404, "not_found", "")
		odd := o.owner.callWith(octets, "POST", v1+"/payout-results?name=odd.csv",
			ref+",\nzoe@creators.example,paid\n").ok(200)
		for _, l := range o.viewer.call("GET", v1+"/payout-results/"+odd["id"].(string)+"/lines", nil).
			ok(200)["data"].([]any) {
			switch l := l.(object); l["line"] {
			case 1.0: // it could not be read
				if l["state"] != nil || l["outcome"] != "refused" || l["payout"] != "pay_1" {
					o.Errorf("line: %v", l)
				}
			default:
				if l["state"] != "paid" || l["destination"] != "z•••@creators.example" {
					o.Errorf("line: %v", l)
				}
			}
		}
		large := ref + ",paid" + strings.Repeat(" ", 9<<20)
		o.owner.callWith(octets, "POST", v1+"/payout-results?name=large.csv", large).ok(200)
		if d := o.owner.callWith(octets, "POST", v1+"/payout-results?name=large.csv", strings.Repeat(large, 4)).
			problem(413, "too_large", ""); !strings.Contains(d, "32 MB") || !strings.Contains(d, "narrow the file") {
			o.Errorf("detail %q", d)
		}
		for rail, want := range map[string]int{"paypal_file": 3, "sepa_file": 0} {
			if list := o.viewer.call("GET", v1+"/payouts?rail="+rail, nil).ok(200)["data"].([]any); len(list) != want {
				o.Errorf("by the rail %s: %v", rail, list)
			}
		}
		o.viewer.call("GET", v1+"/payouts?rail=gold", nil).problem(422, "invalid", "rail")
		if list := o.viewer.call("GET", v1+"/payouts?q="+strings.ToLower(ref), nil).ok(200)["data"].([]any); len(
			list) != 1 || list[0].(object)["id"] != "pay_1" {
			o.Errorf("by our reference: %v", list)
		}

		o.manager.call("POST", v1+"/payouts/marks", object{"payouts": []string{"pay_2"}, "state": "paid"}).
			problem(403, "forbidden", "")
		o.owner.call("POST", v1+"/payouts/marks", object{"payouts": []string{"pay_2"}, "state": "returned"}).
			problem(422, "invalid", "reason")
		o.owner.call("POST", v1+"/payouts/marks", object{"payouts": []string{"pay_2", "pay_9"}, "state": "paid"}).
			problem(422, "invalid", "payouts")
		marked := o.owner.call("POST", v1+"/payouts/marks", object{"payouts": []string{"pay_2", "pay_1", "pay_2"},
			"state": "returned", "reason": "account closed"}).ok(200)
		var got []string
		for _, p := range marked["payouts"].([]any) {
			p := p.(object)
			got = append(got, fmt.Sprint(p["payout"], " ", p["outcome"], " ", p["state"]))
		}
		if want := []string{"pay_1 changed returned", "pay_2 changed returned"}; !slices.Equal(got, want) {
			o.Errorf("marked: %v", got)
		}
	})
}
