package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func TestCreators(t *testing.T) {
	h := busyHouse(t)
	a := h.viewer().get("/creators").is(http.StatusOK).hides("New creator")
	const anna, ben = "Anna Ahlers @anna | 0 | 4 | 324.90 | 81.23 | 32.24 | 32.24",
		"Ben Botha @ben | 0 | 1 | 181.22 | 181.22 | 18.12 | 0.00"
	a.rows("main table", anna, ben)
	if got := a.one("tfoot").text(); got != "Total of 2 0 5 506.12 USD 101.22 50.36 USD 32.24 USD" {
		t.Errorf("the total is %q", got)
	}
	h.viewer().get("/creators?sort=sales").rows("main table", ben, anna)
	for query, want := range map[string]int{"?q=@BEN": 1, "?q=anna10": 1, "?q=ahlers": 1, "?q=creators.example": 2,
		"?q=zebra": 0} {
		if got := len(h.viewer().get("/creators" + query).all("main tbody tr")); got != want {
			t.Errorf("%s lists %d, want %d", query, got, want)
		}
	}
	h.viewer().get("/creators?q=zebra").says("Nobody is found", "Those who left are not searched")
	h.viewer().get("/creators?period=last_month").rows("main table",
		"Anna Ahlers @anna | 0 | 1 | 100.00 | 100.00 | 10.00 | 0.00", "Ben Botha @ben | 0 | 0 | 0.00 | — | 0.00 | 0.00")
	_, err := h.app.RemoveCreator(h.as(affiliate.RoleManager), h.creator("Ben Botha").ID)
	h.must(err)
	h.viewer().get("/creators").rows("main table", anna)
	h.viewer().get("/creators?former=1").rows("main table", anna, strings.Replace(ben, "@ben",
		"@ben left the community", 1)).says("It always counts on the home page")
	bareHouse(t).manager().get("/creators").says("Nobody is in the community yet", "Add the first creator",
		"Import a file")
}

func TestCreator_form(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	for field, form := range map[string][]string{
		"name":              {"name", ""},
		"email":             {"name", "Dora", "email", "dora@"},
		"country":           {"name", "Dora", "country", "Germany"},
		"handles.instagram": {"name", "Dora", "handles.instagram", "@anna"},
		"handles.tiktok":    {"name", "Dora", "handles.tiktok", "do ra"},
	} {
		a := m.post("/creators/new", append(form, "note", "met in May")...).is(http.StatusUnprocessableEntity)
		if a.one(`input[name=`+field+`]`).attr("aria-invalid") != "true" ||
			a.one("input#name").attr("value") != form[1] || a.one("textarea").text() != "met in May" {
			t.Errorf("%v: the form comes back as\n%s", form, a.text())
		}
	}
	m.post("/creators/new", "name", "Dora", "email", "dora@creators.example", "country", "de", "handles.instagram", "https://instagram.com/dora.d/",
		"handles.youtube", "@doratube", "handles.tiktok", "", "note", "met in May").at("/creators/cre_3").
		says("The creator is in the community", "Instagram @dora.d", "YouTube @doratube", "dora@creators.example",
			"met in May", "In no campaign yet")
	_, err := h.app.ChangeCreator(h.as(affiliate.RoleManager), 3, app.AnyVersion, func(c *affiliate.Creator) error {
		c.Handles = map[string]string{"instagram": "dora.d", "twitch": "doratv"}
		return nil
	})
	h.must(err)
	a := m.get("/creators/cre_3/edit").is(http.StatusOK)
	if a.one("input[name=handles.twitch]").attr("value") != "doratv" ||
		a.one("input[name=country]").attr("value") != "DE" {
		t.Errorf("the form shows\n%s", a.text())
	}
	m.post("/creators/cre_3/edit", "version", "2", "name", "Dora D.", "handles.instagram", "dora", "handles.twitch",
		"doratv").at("/creators/cre_3").says("Dora D.", "twitch @doratv").hides("met in May")
	m.post("/creators/cre_3/edit", "version", "2", "name", "Late").is(http.StatusUnprocessableEntity).
		says("Somebody else changed this meanwhile")
	m.post("/creators/cre_3/edit", "name", "Dora", "handles.instagram", "anna").is(http.StatusUnprocessableEntity).
		says("@anna is another creator's handle")
	for _, path := range []string{"/creators/new", "/creators/cre_3/edit"} {
		h.viewer().get(path).is(http.StatusForbidden)
		h.viewer().post(path, "name", "Mine").is(http.StatusForbidden)
	}
	m.get("/creators/cre_99").is(http.StatusNotFound)
	m.get("/creators/dora").is(http.StatusNotFound)
}

func TestCreatorPage(t *testing.T) {
	h := busyHouse(t)
	ben, anna := creatorAddress(h.creator("Ben Botha").ID), creatorAddress(h.creator("Anna Ahlers").ID)
	a := h.manager().get(anna).is(http.StatusOK)
	a.rows("section[aria-labelledby=campaigns-title] table",
		"Spring since 20 Nov 2026 · manage | 0 | 3 | 279.90 | 27.99 | 27.99 | Ten percent 10.00 % | ANNA10 Northwind "+
			"US /l/anna-spring Copy",
		"Holiday gifts since 20 Nov 2026 · manage | 0 | 1 | 45.00 | 4.25 | 4.25 | Gift links 5.00 % + 2.00 per order "+
			"| /l/anna-gifts Copy")
	a.rows("section[aria-labelledby=payouts-title] table",
		"Payout of 20 Nov 2026 | 20 Nov 2026, 13:00 | bank transfer SEPA 2026-11 | 32.24 USD")
	a.says("Conversions 4", "Total sales 324.90", "Commissions earned 32.24", "Balance 0.00 USD",
		"anna@creators.example").hides("Members with")
	h.manager().get(ben).says("Balance 18.12 USD", "Payable now 18.12 Due", "No payouts yet")
	h.viewer().get(ben).hides("Edit", "Remove", "Go to the payouts")

	// Who leaves keeps what they earned; the page says what becomes of the totals.
	h.manager().get(ben).says("stays in the totals of the home page", "What is owed to them stays owed")
	h.manager().post(ben+"/remove").at(ben).says("Left the community 20 Nov 2026", "Take back into the community",
		"Balance 18.12 USD", "Conversions 1")
	h.manager().get(spring).says("Total of 3 conversions 279.90")
	h.clock.advance(time.Hour)
	h.sell(sale{code: "BEN5", value: 10_00})
	if o := h.order("1014"); o.Conversion != nil {
		t.Errorf("somebody who left is credited: %+v", o.Conversion)
	}
	h.manager().post(ben + "/restore").at(ben).says("Back in the community").hides("Left the community")
	h.manager().get(spring).says("Total of 4 conversions 461.12")
	h.viewer().post(ben + "/remove").is(http.StatusForbidden)
	h.viewer().post(ben + "/restore").is(http.StatusForbidden)

	_, err := h.app.SetSettings(h.as(affiliate.RoleOwner), []app.Setting{{Key: "minimum_payout", Value: "25"}})
	h.must(err)
	h.manager().get(ben).says("a payout needs 25.00 USD").hides("Due")
	h.consistent()
}

// TestStatement: the balance after each entry adds up, also over pages and periods, and the files have the same.
func TestStatement(t *testing.T) {
	h := busyHouse(t)
	anna := creatorAddress(h.creator("Anna Ahlers").ID)
	h.clock.advance(48 * time.Hour)
	h.sell(sale{number: "1002", code: "ANNA10", value: 59_90, at: noon.AddDate(0, 0, -9), refund: 64_90})
	a := h.viewer().get(anna + "/statement").is(http.StatusOK)
	lines := cells(a.element, "main table")
	const want = "22 Nov 2026, 13:00 | Commission taken back | Order #1002 Spring · Ten percent | −5.99 USD | −5.99 USD"
	if len(lines) != 7 || lines[0] != want {
		t.Errorf("%d lines, the first %q, want %q", len(lines), lines[0], want)
	}
	paid := 0
	for _, l := range lines {
		if strings.Contains(l, "| Payout |") {
			paid++
		}
	}
	if paid != 2 { // one for each offer
		t.Errorf("%d payouts in\n%s", paid, strings.Join(lines, "\n"))
	}
	h.viewer().get(anna + "/statement?period=yesterday").says("Nothing in this period")
	h.viewer().get(anna+"/statement?period=today").says("−5.99 USD −5.99 USD", "Statement of Anna Ahlers",
		"By Northwind", "22 Nov 2026, days of Europe/Berlin", "Opening balance 0.00 USD", "Closing balance −5.99 USD",
		"As of 22 Nov 2026, 13:00")
	whole := h.viewer().get(anna + "/statement?whole=1").is(http.StatusOK).says("oldest first")
	printed := cells(whole.element, "main table")
	slices.Reverse(printed)
	if !slices.Equal(printed, lines) {
		t.Errorf("to be printed are\n%s\nwant, the other way round,\n%s", strings.Join(printed, "\n"),
			strings.Join(lines, "\n"))
	}

	sum := func(list [][]string) (sum int64, last string) {
		amount, balance := 0, 0
		for i, name := range list[0] {
			switch name {
			case "Amount":
				amount = i
			case "Balance":
				balance = i
			}
		}
		for _, line := range list[1:] {
			n, err := money.Parse(line[amount], "USD")
			h.must(err)
			sum += n
			last = line[balance]
		}
		return sum, last
	}
	for _, link := range a.all("main .actions a[href]") {
		href := link.attr("href")
		file := h.viewer().get(href)
		var list [][]string
		switch {
		case strings.Contains(href, ".csv"):
			list = h.table(file.body)
		case strings.Contains(href, ".xlsx"):
			book, err := excelize.OpenReader(strings.NewReader(file.body))
			h.must(err)
			list, err = book.GetRows(book.GetSheetList()[0], excelize.Options{RawCellValue: true})
			h.must(err)
		default:
			continue
		}
		if got, last := sum(list); len(list) != 8 || got != -599 || last != "-5.99" {
			t.Errorf("%s has %d lines of %d in all, and ends with a balance of %s", href, len(list)-1, got, last)
		}
	}
	h.viewer().get("/creators/cre_99/statement.csv").is(http.StatusNotFound)
	h.nobody().get(anna + "/statement.csv").is(http.StatusSeeOther)
}

// TestStatement_narrowed: a number of payouts, or of one campaign, leads to the entries behind it, which add up to it
// and have no balances.
func TestStatement_narrowed(t *testing.T) {
	h := busyHouse(t)
	address := "/creators/" + h.creator("Anna Ahlers").ID.String() + "/statement?period=all_time"
	sums, err := h.app.DB.LedgerSums(t.Context(), storage.LedgerFilter{Creator: h.creator("Anna Ahlers").ID,
		Kind: affiliate.PaidOut})
	if err != nil || len(sums) != 1 {
		t.Fatalf("payouts add up to %v, %v", sums, err)
	}
	paid := h.viewer().get(address + "&kind=payout").is(http.StatusOK)
	for c, sum := range sums {
		paid.says("Only Payout", "Sum "+asRead(moneyText(sum, c)), "Show all entries").hides("Balance", "Commission")
	}
	file := h.viewer().get(strings.Replace(address, "?", ".csv?", 1) + "&kind=payout").is(http.StatusOK).body
	if strings.Contains(file, "accrual") || !strings.Contains(file, "payout") || strings.Contains(file, "Balance") {
		t.Errorf("the file of payouts is\n%s", file)
	}
	spring := h.campaign("Spring").ID
	sums, err = h.app.DB.LedgerSums(t.Context(), storage.LedgerFilter{Creator: h.creator("Anna Ahlers").ID,
		Campaign: spring})
	h.must(err)
	of := h.viewer().get(address+"&campaign="+spring.String()).is(http.StatusOK).says("Only Spring").
		hides("Balance", "Gift links")
	for c, sum := range sums {
		of.says("Sum " + asRead(moneyText(sum, c)))
	}
	if kind := paid.one("form.filters input[name=kind]").attr("value"); kind != "payout" {
		t.Errorf("another period is of %q", kind)
	}
	h.viewer().get(address + "&kind=wages").is(http.StatusUnprocessableEntity)
}

// TestCreatorPage_parts: each part is what the page shows there, and nothing is read that it does not show.
func TestCreatorPage_parts(t *testing.T) {
	h := busyHouse(t)
	v, anna := h.viewer(), creatorAddress(h.creator("Anna Ahlers").ID)
	page := v.get(anna).is(http.StatusOK)
	for part, read := range map[string][3]bool{"figures": {true, false, false}, "campaigns": {true, true, false},
		"owed": {false, false, true}, "": {true, true, true}} {
		var a answer
		list := strings.Join(h.statements(func() { a = v.get(anna + "?part=" + part).is(http.StatusOK) }), ";")
		if part != "" && (a.one("#"+part).text() != page.one("#"+part).text() || a.has("h1")) {
			t.Errorf("%s: %q", part, a.text())
		}
		for i, table := range []string{"FROM conversions c", "WITH every AS", "balance, paid, payable FROM"} {
			if got := strings.Contains(list, table); got != read[i] {
				t.Errorf("%q reads of %s: %v, want %v", part, table, got, read[i])
			}
		}
	}
}
