package api_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// sheet is a table that was downloaded.
type sheet struct {
	*testing.T
	head []string
	rows [][]string
}

// csv reads the answer of an export and compares the number of its rows with what was announced.
func (a answer) csv() sheet {
	a.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		a.Fatalf("got %d %s %q", a.status, a.header.Get("Content-Type"), a.raw)
	}
	rows, err := csv.NewReader(strings.NewReader(a.raw)).ReadAll()
	if err != nil {
		a.Fatal(err)
	}
	return a.sheet(rows)
}

// xlsx does the same with a workbook.
func (a answer) xlsx() sheet {
	a.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != export.MediaXLSX {
		a.Fatalf("got %d %s %q", a.status, a.header.Get("Content-Type"), a.raw)
	}
	f, err := excelize.OpenReader(strings.NewReader(a.raw), excelize.Options{RawCellValue: true})
	if err != nil {
		a.Fatal(err)
	}
	rows, err := f.GetRows(f.GetSheetName(0))
	if err = errors.Join(err, f.Close()); err != nil {
		a.Fatal(err)
	}
	return a.sheet(rows)
}

func (a answer) sheet(rows [][]string) sheet {
	a.Helper()
	if n := strconv.Itoa(len(rows) - 1); a.header.Get("X-Total-Rows") != n {
		a.Errorf("%s rows were announced, %s came", a.header.Get("X-Total-Rows"), n)
	}
	s := sheet{a.T, rows[0], rows[1:]}
	for i, row := range s.rows {
		s.rows[i] = append(row, make([]string, len(s.head)-len(row))...) // a workbook ends a row with its last cell
	}
	return s
}

// column gives the cells of a column.
func (s sheet) column(name string) (cells []string) {
	s.Helper()
	i := slices.Index(s.head, name)
	if i < 0 {
		s.Fatalf("there is no column %q among %q", name, s.head)
	}
	for _, row := range s.rows {
		cells = append(cells, row[i])
	}
	return cells
}

// sum adds up a column of amounts by a column of currencies.
func (s sheet) sum(amount, currency string) map[string]int64 {
	s.Helper()
	sums := map[string]int64{}
	currencies := s.column(currency)
	for i, text := range s.column(amount) {
		if text != "" {
			sums[currencies[i]] += minor(s.T, text, currencies[i])
		}
	}
	return sums
}

func minor(t *testing.T, amount, currency string) int64 {
	t.Helper()
	n, err := money.Parse(amount, money.Currency(currency))
	if err != nil || money.Format(n, money.Currency(currency)) != amount {
		t.Fatalf("%q is no amount of %s: %v", amount, currency, err)
	}
	return n
}

// everything reads all pages of a list.
func (c client) everything(path string) (list []object) {
	c.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for cursor := ""; ; {
		page := c.call("GET", path+join+"limit=3&cursor="+cursor, nil).ok(200)
		for _, row := range page["data"].([]any) {
			list = append(list, row.(object))
		}
		next, more := page["next_cursor"].(string)
		if !more {
			return list
		}
		cursor = next
	}
}

// added adds up amounts of rows of a list by their currency.
func added(t *testing.T, list []object, amount string) map[string]int64 {
	t.Helper()
	sums := map[string]int64{}
	for _, row := range list {
		currency := row["currency"].(string)
		sums[currency] += minor(t, row[amount].(string), currency)
	}
	return sums
}

// TestExport_conversions: the tables have what the lists have, in the same order, and add up to their totals.
func TestExport_conversions(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.trade()
		list := o.viewer.everything(v1 + "/conversions")
		if len(list) < 3 {
			o.Fatalf("only %d conversions", len(list))
		}
		ids := func(list []object) (ids []string) {
			for _, row := range list {
				ids = append(ids, row["id"].(string))
			}
			return ids
		}
		campaign := list[0]["campaign"].(string)
		o.manager.call("POST", v1+"/conversions/"+list[0]["id"].(string)+"/reject", object{}).ok(200)
		for _, path := range []string{"/conversions?status=paid", "/conversions?campaign=" + campaign + "&sort=value",
			"/campaigns/" + campaign + "/conversions?include=former"} {
			want := o.viewer.everything(v1 + path)
			totals := o.viewer.call("GET", v1+path+"&totals=true", nil).ok(200)["totals"].(object)
			csvPath, xlsxPath := strings.Replace(path, "?", ".csv?", 1), strings.Replace(path, "?", ".xlsx?", 1)
			asked := o.viewer.callWith(map[string]string{"Accept": "text/csv"}, "GET", v1+path, nil)
			for name, got := range map[string]sheet{csvPath: o.viewer.call("GET", v1+csvPath, nil).csv(),
				xlsxPath: o.viewer.call("GET", v1+xlsxPath, nil).xlsx(), path: asked.csv()} {
				if !slices.Equal(got.column("Conversion ID"), ids(want)) {
					o.Errorf("%s has %v, want %v", name, got.column("Conversion ID"), ids(want))
				}
				for _, amount := range []string{"value", "original_value", "refunded", "commission"} {
					column := map[string]string{"value": "Value", "original_value": "Original Value",
						"refunded": "Refunded", "commission": "Commission"}[amount]
					if sum := got.sum(column, "Currency"); !maps.Equal(sum, added(t, want, amount)) {
						o.Errorf("%s: %s adds up to %v, want %v", name, column, sum, added(t, want, amount))
					}
				}
				counted := got
				counted.rows = nil
				for i, yes := range got.column("Counted") {
					if yes == "true" || yes == "1" || yes == "TRUE" {
						counted.rows = append(counted.rows, got.rows[i])
					}
				}
				currency := totals["currency"].(string)
				if sum := counted.sum("Account Value", "Account Currency")[currency]; sum != minor(t,
					totals["sales"].(string), currency) {
					o.Errorf("%s: the sales are %d, the totals have %v", name, sum, totals["sales"])
				}
				for column, total := range map[string]string{"Counted Value": "sales",
					"Counted Commission": "commissions", "Counted Refunded": "refunds"} {
					sum := got.sum(column, "Account Currency")
					if want := minor(t, totals[total].(string), currency); sum[currency] != want || len(sum) > 1 {
						o.Errorf("%s: %s adds up to %v, the totals have %d", name, column, sum, want)
					}
				}
				if sum := counted.sum("Account Commission", "Account Currency")[currency]; sum != minor(t,
					totals["commissions"].(string), currency) {
					o.Errorf("%s: the commissions are %d, the totals have %v", name, sum, totals["commissions"])
				}
			}
		}
		some := []string{ids(list)[2], ids(list)[0]}
		a := o.viewer.call("GET", v1+"/conversions.csv?ids="+strings.Join(some, ","), nil)
		got := a.csv().column("Conversion ID")
		slices.Sort(got)
		slices.Sort(some)
		if !slices.Equal(got, some) || !strings.Contains(a.header.Get("Content-Disposition"), "conversions-selected-") {
			o.Errorf("selected are %v, want %v; %s", got, some, a.header.Get("Content-Disposition"))
		}
		for query, field := range map[string]string{"ids=1,x": "ids", "sort=luck": "sort", "status=lost": "status",
			"from=soon": "from", "ids=" + strings.Repeat("1,", 500) + "1": "ids"} {
			o.viewer.call("GET", v1+"/conversions.csv?"+query, nil).problem(422, "invalid", field)
			o.viewer.call("GET", v1+"/campaigns/"+campaign+"/conversions.xlsx?"+query, nil).problem(422,
				"invalid", field)
		}
		o.viewer.call("GET", v1+"/campaigns/cmp_99/conversions.csv", nil).problem(404, "not_found", "")
	})
}

// TestExport_midway: a fault behind the first byte cuts the connection off, so that nobody takes a part for the whole.
func TestExport_midway(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.trade()
		list := o.viewer.everything(v1 + "/conversions")
		ctx := o.Context()
		err := o.app.DB.InTx(ctx, func(tx *storage.Tx) error {
			order, err := tx.FindOrder(ctx, list[0]["order"].(object)["store"].(string),
				list[0]["order"].(object)["external_id"].(string))
			if err != nil {
				return err
			}
			before, after, none := order.Conversion.Conversion, order.Conversion.Conversion, "none"
			after.Rate = &none
			_, err = tx.SaveConversions(ctx, []storage.ConversionChange{{Before: &before, After: after}}, time.Now())
			return err
		})
		if err != nil {
			o.Fatal(err)
		}
		server := httptest.NewServer(o.viewer.handler)
		defer server.Close()
		for _, format := range []string{"csv", "xlsx"} {
			answer := o.begin(server, "/conversions."+format)
			part, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) {
				o.Errorf("%s: got %d, %d bytes, %v; want it cut off", format, answer.StatusCode, len(part), err)
			}
		}
		if !strings.Contains(o.log.String(), "is no decimal number") {
			o.Errorf("the log does not say why: %s", o.log)
		}
	})
}

// TestExport_orders: the table has what the list has, and adds up to the same.
func TestExport_orders(t *testing.T) {
	eachOffice(t, func(o *office) {
		set := o.trade()
		list := o.viewer.everything(v1 + "/orders?store=" + set.Store.Slug)
		var ids []string
		for _, row := range list {
			ids = append(ids, row["external_id"].(string))
		}
		for _, path := range []string{"/orders", "/stores/" + set.Store.Slug + "/orders"} {
			got := o.viewer.call("GET", v1+path+".csv", nil).csv()
			book := o.viewer.call("GET", v1+path+".xlsx", nil).xlsx()
			for _, s := range []sheet{got, book} {
				if !slices.Equal(s.column("Order ID"), ids) {
					o.Errorf("%s has the orders %v, want %v", path, s.column("Order ID"), ids)
				}
				for amount, column := range map[string]string{"value": "Value", "original_value": "Original Value",
					"total": "Total", "refunded": "Refunded"} {
					if sum, want := s.sum(column, "Currency"), added(t, list, amount); !maps.Equal(sum, want) {
						o.Errorf("%s: %s adds up to %v, want %v", path, column, sum, want)
					}
				}
			}
			if slices.Index(got.head, "Date (UTC)") < 0 {
				o.Errorf("%s: the columns are %q", path, got.head)
			}
			for i, row := range list {
				conversion, credited := row["conversion"].(object)
				if got.column("Credited")[i] != strconv.FormatBool(credited) {
					o.Errorf("order %s: credited is %s", ids[i], got.column("Credited")[i])
				}
				if credited && (got.column("Creator")[i] != conversion["creator_name"] ||
					got.column("Conversion ID")[i] != conversion["id"]) ||
					!credited && got.column("Reason")[i] != row["not_credited"] {
					o.Errorf("order %s: %q, the list has %v", ids[i], got.rows[i], row)
				}
			}
		}
		one := o.viewer.call("GET", v1+"/stores/"+set.Store.Slug+"/orders.csv?status=refunded", nil).csv()
		if n := len(o.viewer.everything(v1 + "/orders?status=refunded")); len(one.rows) != n {
			o.Errorf("%d refunded orders, want %d", len(one.rows), n)
		}
	})
}

// TestExport_ledger: list, statement, tables and balances agree.
func TestExport_ledger(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.trade()
		list := o.viewer.everything(v1 + "/ledger")
		if len(list) == 0 {
			o.Fatal("the ledger is empty")
		}
		if got := o.viewer.call("GET", v1+"/ledger.csv", nil).csv(); !maps.Equal(got.sum("Amount", "Currency"),
			added(t, list, "amount")) || len(got.rows) != len(list) {
			o.Errorf("the table adds up to %v, the list to %v", got.sum("Amount", "Currency"), added(t, list, "amount"))
		}
		first := list[0]
		if order, _ := first["order"].(object); order == nil || first["conversion"] == nil ||
			first["campaign_name"] == nil || first["offer_name"] == nil {
			o.Errorf("an entry is %v", first)
		}
		creator := first["creator"].(string)
		path := v1 + "/creators/" + creator + "/statement"
		statement := o.viewer.everything(path)
		if want := added(t, o.viewer.everything(v1+"/ledger?creator="+creator), "amount"); !maps.Equal(added(t,
			statement, "amount"), want) ||
			minor(t, statement[0]["balance"].(string),
				statement[0]["currency"].(string)) != want[statement[0]["currency"].(string)] {
			o.Errorf("the statement ends with %v, want %v", statement[0], want)
		}
		got := o.viewer.call("GET", path+".xlsx", nil).xlsx()
		var balances []string
		for _, l := range slices.Backward(statement) {
			balances = append(balances, l["balance"].(string))
		}
		if !slices.Equal(got.column("Balance"), balances) {
			o.Errorf("the table's balances are %v, want %v", got.column("Balance"), balances)
		}
		for query, field := range map[string]string{"creator=x": "creator", "campaign=cmp_x": "campaign",
			"currency=EURO": "currency", "from=soon": "from", "kind=gift": "kind"} {
			o.viewer.call("GET", v1+"/ledger?"+query, nil).problem(422, "invalid", field)
			o.viewer.call("GET", v1+"/ledger.csv?"+query, nil).problem(422, "invalid", field)
		}
		o.viewer.call("GET", v1+"/ledger?cursor=x", nil).problem(422, "invalid", "cursor")
		o.viewer.call("GET", v1+"/creators/cre_99/statement", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/creators/cre_99/statement.csv", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/creators/x/statement.xlsx", nil).problem(404, "not_found", "")
		o.viewer.call("GET", path+".csv?to=soon", nil).problem(422, "invalid", "to")
		o.viewer.call("GET", v1+"/stores/none/orders.csv", nil).problem(404, "not_found", "")
		o.nobody.call("GET", v1+"/ledger.csv", nil).problem(401, "unauthenticated", "")
	})
}

// TestExport_files looks at what surrounds a table: its name, the byte order mark, how a list is asked for as one.
func TestExport_files(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Now = func() time.Time { return time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC) }
		o.owner.call("PATCH", v1+"/settings", object{"timezone": "Europe/Berlin"}).ok(200)
		anna := o.manager.call("POST", v1+"/creators", object{"name": "Anna"}).ok(201)["id"].(string)
		o.owner.call("POST", v1+"/stores", object{"platform": "shopify", "slug": "shop", "name": "Shop",
			"domain": "shop.myshopify.com", "currency": "EUR", "timezone": "UTC",
			"webhook_secret": "0123456789abcdef"}).ok(201)
		for path, want := range map[string]string{
			"/ledger.csv":                               "ledger-2026-11-22.csv",
			"/ledger.xlsx?from=2026-11-01":              "ledger-2026-11-01-2026-11-22.xlsx",
			"/ledger.csv?to=2026-10-31":                 "ledger-2026-10-31.csv",
			"/orders.csv":                               "orders-2026-11-22.csv",
			"/stores/shop/orders.csv":                   "orders-shop-2026-11-22.csv",
			"/creators/" + anna + "/statement.csv":      "statement-" + anna + "-2026-11-22.csv",
			"/orders.csv?from=2026-01-01&to=2026-01-31": "orders-2026-01-01-2026-01-31.csv",
		} {
			a := o.viewer.call("GET", v1+path, nil)
			a.ok(200)
			if got := a.header.Get("Content-Disposition"); got != "attachment; filename="+want {
				o.Errorf("%s is called %q, want %q", path, got, want)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				o.Errorf("%s may be stored", path)
			}
		}
		if a := o.viewer.call("GET", v1+"/ledger.csv?bom=true", nil); !strings.HasPrefix(a.raw, "\ufeffEntry ID,") {
			o.Errorf("no byte order mark: %q", a.raw)
		}
		if a := o.viewer.call("GET", v1+"/ledger.csv", nil); !strings.HasPrefix(a.raw,
			"Entry ID,Date (Europe/Berlin),") {
			o.Errorf("the header is %q", a.raw)
		}
		for accept, want := range map[string]string{
			"": "application/json", "*/*": "application/json",
			"text/html,application/xhtml+xml,*/*;q=0.8": "application/json",
			"text/csv": "text/csv", export.MediaXLSX: export.MediaXLSX, "text/csv, application/json": "text/csv",
			"application/json, text/csv":             "application/json",
			"application/json;q=0.5, text/csv;q=0.9": "text/csv", "text/csv;q=0.1, */*;q=0.2": "application/json",
			"text/csv;q=0": "application/json",
			"text/csv;q=much, " + export.MediaXLSX + ";q=0.5": export.MediaXLSX,
		} {
			for _, path := range []string{"/orders", "/ledger", "/creators/" + anna + "/statement"} {
				a := o.viewer.callWith(map[string]string{"Accept": accept}, "GET", v1+path+"?from=2026-01-01", nil)
				if got, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); a.status != 200 || got != want {
					o.Errorf("%s with Accept %q gives %d %s, want %s", path, accept, a.status, got, want)
				}
			}
		}
		// a list that is no table
		o.viewer.callWith(map[string]string{"Accept": "text/csv"}, "GET", v1+"/campaigns", nil).ok(200)
		o.viewer.callWith(map[string]string{"Accept": "text/csv"}, "GET", v1+"/ledger?from=soon", nil).problem(422,
			"invalid", "from")
	})
}

// bigLedger fills the ledger with more than sockets hold: a reader who does not read stops the export.
func (o *office) bigLedger() {
	o.Helper()
	anna := o.manager.call("POST", v1+"/creators", object{"name": "Anna"}).ok(201)["id"].(string)
	id, err := affiliate.ParseID[affiliate.CreatorID]("cre_", anna)
	if err != nil {
		o.Fatal(err)
	}
	var entries []affiliate.LedgerEntry
	for i := range 1000 {
		entries = append(entries, affiliate.LedgerEntry{CreatorID: id, Kind: affiliate.Bonus, Currency: "USD",
			Amount: 1, Note: strings.Repeat("note ", 4000), Cause: fmt.Sprint("big ", i), CreatedAt: time.Now(),
			PayableAt: time.Now()})
	}
	if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		return tx.AddLedger(o.Context(), entries)
	}); err != nil {
		o.Fatal(err)
	}
}

// begin asks a server for an export and reads no further than its header.
func (o *office) begin(server *httptest.Server, path string) *http.Response {
	o.Helper()
	r, err := http.NewRequestWithContext(o.Context(), "GET", server.URL+v1+path, nil)
	if err != nil {
		o.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.viewer.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		o.Fatal(err)
	}
	return answer
}

// TestAttack_exports: one person may download a few at once and is sent away then, until one of them ends, while others
// get theirs; who goes away ends theirs.
func TestAttack_exports(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.bigLedger()
		server := httptest.NewServer(o.viewer.handler)
		defer server.Close()
		var running []*http.Response
		for len(running) < 2 {
			answer := o.begin(server, "/ledger.csv")
			if answer.StatusCode != 200 {
				o.Fatalf("export %d gives %d", len(running)+1, answer.StatusCode)
			}
			running = append(running, answer)
		}
		a := o.viewer.call("GET", v1+"/ledger.csv", nil)
		a.problem(429, "too_many_at_once", "")
		o.manager.call("GET", v1+"/ledger.csv?to=2000-01-01", nil).ok(200)
		if a.header.Get("Retry-After") == "" {
			o.Error("nothing is said about when to try again")
		}
		whole, err := io.ReadAll(running[0].Body)
		if err != nil || bytes.Count(whole, []byte("\r\n")) != 1001 {
			o.Errorf("the first export has %d lines, %v; want 1001", bytes.Count(whole, []byte("\r\n")), err)
		}
		for _, answer := range running {
			answer.Body.Close() // the other one goes away without its table
		}
		for strings.Count(o.log.String(), "export not taken to its end") < 1 {
			time.Sleep(time.Millisecond)
		}
		for o.viewer.call("GET", v1+"/ledger.csv?to=2000-01-01", nil).status != 200 {
			time.Sleep(time.Millisecond)
		}
	})
}
