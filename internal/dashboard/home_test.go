package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

func TestHome(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	page := v.get("/").is(http.StatusOK).says("Total sales", "Members with payments due",
		"of current creators of all campaigns", "Sales without a creator", "60.00 USD", "Ten percent", "Gift links",
		"1 conversion is held for review", "1 delivery failed in Northwind US",
		"1 code on orders of Northwind US belongs to nobody")
	h.forge(2)
	v.get("/").says("Northwind US: 2 deliveries were rejected in the last 24 hours, since the secret here differs " +
		"from the store's.")
	total := strings.TrimSuffix(page.one("[data-key=total-sales]").text(), " USD")
	file := v.get("/sales.csv").is(http.StatusOK)
	rows := h.table(file.body)
	sum := int64(0)
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, row := range rows[1:] {
		if row[at["Counted"]] != "true" && row[at["Counted Value"]] != "" {
			t.Errorf("a row that does not count has the counted value %s", row[at["Counted Value"]])
		}
		if value := row[at["Counted Value"]]; value != "" {
			n, err := money.Parse(value, "USD")
			h.must(err)
			sum += n
		}
	}
	if money.Format(sum, "USD") != total || sum == 0 {
		t.Errorf("the file adds up to %s, the page says %s", money.Format(sum, "USD"), total)
	}
	v.get("/?offer_type=sales_link").says("Gift links").hides("Ten percent", "Sales without a creator")
	v.get("/?campaign="+h.campaign("Holiday gifts").ID.String()).says("Gift links", "45.00 USD").hides("Ten percent")
	v.get("/?min_sales=100").says("Ten percent").hides("Gift links")
	v.get("/?min_sales=lots").is(http.StatusOK).says("Write a number")
	v.get("/?q=gift").says("Gift links").hides("Ten percent")
	v.get("/?period=nonsense").is(http.StatusUnprocessableEntity)
	v.get("/?period=custom&from=2020-01-01&to=2020-01-31").is(http.StatusOK).says("No sales in this period")
}

// TestHome_tasks: problems come first, five lines show, and the others when they are wanted. Each leads to what it
// counts.
func TestHome_tasks(t *testing.T) {
	h := busyHouse(t)
	a := h.owner().get("/")
	for i, badge := range a.texts(".tasks .badge") {
		if want := []string{"Problem", "Problem", "Review", "Review", "Review"}; badge != want[i] {
			t.Errorf("line %d is a %s", i, badge)
		}
	}
	a.says("2 problems, 3 to review", "Send payment…")
	h.manager().get("/").hides("Send payment…")
	h.viewer().get("/").hides("Send payment…")
	for _, link := range a.all(".tasks a") {
		target := h.owner().get(link.attr("href")).is(http.StatusOK)
		switch text := link.text(); {
		case strings.HasPrefix(text, "1 conversion is held"):
			target.says("Total of 0 conversions", "1 held")
		case strings.HasPrefix(text, "1 delivery failed"):
			target.says("Set aside").one("input[name=ids]")
		}
	}
	h.sell(sale{code: "ANNA10", value: 5_00, currency: "EUR"}, sale{code: "ANNA10", value: 5_00,
		email: "anna@creators.example"})
	h.dashboard.work.Forget()
	a = h.manager().get("/?part=tasks").says("and 1 more", "2 conversions are held for review")
	if n := len(a.all("#tasks-more li")); n != 1 || len(a.all(".tasks li")) != 6 {
		t.Errorf("%d lines are folded of %d", n, len(a.all(".tasks li")))
	}
	emptyHouse := newHouse(t)
	emptyHouse.viewer().get("/").says("Nothing waits for you.")
}

// TestHome_numbers: each number that leads somewhere is what is found there, with the period and the filters of the
// page.
func TestHome_numbers(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "BEN5", value: 11_00, at: noon.AddDate(-2, 0, 0)},
		sale{value: 13_00, at: noon.AddDate(-2, 0, 0)})
	ben := h.creator("Ben Botha")
	_, err := h.app.RemoveCreator(h.as(affiliate.RoleManager), ben.ID)
	h.must(err)
	v := h.viewer()
	for _, address := range []string{"/", "/?period=all_time", "/?period=custom&from=2024-01-01&to=2025-01-01",
		"/?period=last_7_days&campaign=cmp_1", "/?offer_type=sales_link", "/?campaign=cmp_1&campaign=cmp_2"} {
		a := v.get(address).is(http.StatusOK)
		walked := 0
		total := func(link element) answer {
			walked++
			return v.get(link.attr("href")).is(http.StatusOK)
		}
		for key, column := range map[string]string{"conversions": "", "sales": "value", "commissions": "commission"} {
			link := a.one("[data-key=figure-" + key + "] a")
			target := total(link)
			if got := target.totalUnder(column); got != link.text() {
				t.Errorf("%s: %s is %s, and %s where it leads (%s)", address, key, link.text(), got, link.attr("href"))
			}
		}
		sum := int64(0)
		for _, link := range a.all("#totals p a") {
			target := total(link)
			if strings.HasPrefix(link.attr("href"), "/orders") {
				if got := money.Plain(counted(int64(len(target.all("tbody tr"))), "order",
					"orders")); got != link.text() {
					t.Errorf("%s: %s without a creator, %s where it leads (%s)", address, link.text(), got,
						link.attr("href"))
				}
				continue
			}
			part := target.totalUnder("value")
			if !strings.Contains(a.one("#totals").text(), part+" USD of "+link.text()) {
				t.Errorf("%s: %s are %s where it leads (%s)", address, link.text(), part, link.attr("href"))
			}
			n, err := money.Parse(part, "USD")
			h.must(err)
			sum += n
		}
		if got := money.Format(sum, "USD") + " USD"; got != a.one("[data-key=total-sales]").text() {
			t.Errorf("%s: the parts add up to %s", address, got)
		}
		if walked < 5 {
			t.Errorf("%s has %d numbers that lead somewhere", address, walked)
		}
	}
}

// TestHome_clicks: the clicks lead to all offers that they are of, also where the table lists some.
func TestHome_clicks(t *testing.T) {
	v := busyHouse(t).viewer()
	bounds := "&q=x"
	for _, f := range boundFields() {
		bounds += "&min_" + string(f.Figure.Key) + "=100&max_" + string(f.Figure.Key) + "=99"
	}
	for _, filters := range []string{"period=all_time", "campaign=cmp_1&period=last_7_days", "offer_type=sales_link",
		"offer_status=active"} {
		want := v.get("/?" + filters).texts("#offers tbody th a")
		slices.Sort(want)
		at := v.get("/?" + filters + bounds).is(http.StatusOK).one("[data-key=figure-clicks] a").attr("href")
		got := v.get(at).is(http.StatusOK).texts("#offers tbody th a")
		if slices.Sort(got); len(got) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: the clicks are those of %q, and lead to %s with %q", filters, want, at, got)
		}
	}
}

// totalUnder is what a table of conversions says under a column of amounts, or how many count where none is named.
func (a answer) totalUnder(column string) string {
	a.Helper()
	if !a.has("tfoot") {
		return map[bool]string{true: "0", false: "0.00"}[column == ""]
	}
	foot := a.all("tfoot tr")[0]
	if column == "" {
		return strings.Fields(strings.TrimPrefix(foot.one("th").text(), "Total of "))[0]
	}
	title := map[string]string{"value": "Value", "commission": "Commission"}[column]
	cells, heads := foot.texts("td"), a.texts("thead th")
	at := slices.Index(heads, title)
	if at < 0 {
		a.Fatalf("%s has no column %s: %q", a.address, title, heads)
	}
	return cells[len(cells)-(len(heads)-at)]
}

// one gives the only element inside that a selector finds, or an empty one.
func (e element) one(selector string) element {
	if found := e.all(selector); len(found) == 1 {
		return found[0]
	}
	return element{&html.Node{}}
}

// TestHome_offers: the table has the columns that somebody chose, and its file has all its rows and adds up to its
// foot.
func TestHome_offers(t *testing.T) {
	h := busyHouse(t)
	heads := func(v *visitor) string { return strings.Join(v.get("/").texts("#offers thead th"), ", ") }
	usual := "Offer, Clicks, Conversions, Sales, Average sale, Commissions, Payouts"
	if got := heads(h.viewer()); got != usual {
		t.Errorf("at first: %s", got)
	}
	h.viewer().post("/columns/offers", "columns", "sales", "columns", "refunds", "columns", "conversion_rate",
		"columns", "rule", "back", "/?period=last_30_days").at("/?period=last_30_days")
	if got := heads(h.viewer()); got != "Offer, Sales, Refunds, Conversion rate, Rule" {
		t.Errorf("chosen: %s", got)
	}
	page := h.viewer().get("/?sort=name")
	want := []string{"Gift links Active Holiday gifts · Sales link | 45.00 | 0.00 | — | 5.00 % + 2.00 per order",
		"Ten percent Active Spring · Promo code | 461.12 | 145.00 | — | 10.00 %"}
	if got := cells(page.element, "#offers table"); !slices.Equal(got, want) {
		t.Errorf("the rows are %q, want %q", got, want)
	}
	if got := page.one("#offers tfoot").text(); got != "Total of 2 506.12 USD 145.00 USD —" {
		t.Errorf("the total is %q", got)
	}
	if got := heads(h.manager()); got != usual {
		t.Errorf("somebody else sees %s", got)
	}
	if total := page.one("[data-key=total-sales]").text(); total != "506.12 USD" {
		t.Errorf("the offers add up to 506.12 USD, the page says %s", total)
	}

	file := h.viewer().get(page.one("a[href=/offers.csv?sort=name]").attr("href")).is(http.StatusOK)
	lines := []string{"\ufeffCampaign Name,Offer,Type,Status,Commission Percent,Commission Flat,Clicks,Conversions," +
		"Conversions By Link,Conversion Rate,Not Converted,Account Currency,Sales,Average Sale,Commissions," +
		"Refunds,Payouts,Offer ID,Campaign ID",
		"Holiday gifts,Gift links,sales_link,active,5.00,2.00,0,1,1,,0,USD,45.00,45.00,4.25,0.00,4.25,off_2,cmp_2",
		"Spring,Ten percent,promo_code,active,10.00,0.00,0,4,0,,0,USD,461.12,115.28,46.11,145.00,27.99,off_1,cmp_1"}
	if got := strings.Split(strings.TrimSpace(strings.ReplaceAll(file.body, "\r\n", "\n")), "\n"); !slices.Equal(got,
		lines) {
		t.Errorf("the file is\n%s\nwant\n%s", file.body, strings.Join(lines, "\n"))
	}
	narrowed := h.viewer().get("/offers.csv?min_sales=100").is(http.StatusOK).hides("Gift links")
	if got := narrowed.header.Get("Content-Disposition"); !strings.Contains(got, "offers-2026-05-21-2026-11-20.csv") {
		t.Errorf("it is called %s", got)
	}
	h.viewer().get("/offers.xlsx?q=gift").is(http.StatusOK)
	h.viewer().get("/offers.csv?sort=nonsense").is(http.StatusUnprocessableEntity)
}

// TestHome_every: the table lists active offers until all are asked for; the totals count all either way, and a status
// that is chosen narrows everything.
func TestHome_every(t *testing.T) {
	h := busyHouse(t)
	_, err := h.app.ChangeOffer(h.as(affiliate.RoleManager), 2, app.AnyVersion, func(o *affiliate.Offer) error {
		o.SetStatus(affiliate.OfferPaused, h.clock.now())
		return nil
	})
	h.must(err)
	v := h.viewer()
	for _, sort := range []string{"", "&sort=name"} { // by name the sum is not that of the rows read
		a := v.get("/?period=last_6_months" + sort).says("1 active offer. The figures above count all offers.").
			hides("Gift links")
		if got := a.one("[data-key=total-sales]").text(); got != "506.12 USD" {
			t.Errorf("the total is %s", got)
		}
		if got := a.one("#offers tfoot").text(); !strings.Contains(got, "461.12 USD") {
			t.Errorf("the table adds up to %s", got)
		}
		all := v.get(strings.TrimSuffix(a.all("#offers nav a")[1].attr("href"), "#offers")).
			says("Gift links", "2 in all")
		if got := all.one("#offers tfoot").text(); !strings.Contains(got, "506.12 USD") {
			t.Errorf("all add up to %s", got)
		}
		if got := all.one("#offers nav a[aria-current=page]").text(); got != "All" {
			t.Errorf("%s is marked", got)
		}
	}
	v.get("/offers.csv").is(http.StatusOK).hides("Gift links")
	v.get("/offers.csv?offers=all").is(http.StatusOK).says("Gift links")
	a := v.get("/?offer_status=paused").says("Gift links").hides("Ten percent")
	if a.has("#offers nav") || a.one("[data-key=total-sales]").text() != "45.00 USD" {
		t.Errorf("paused ones are shown as\n%s", a.text())
	}
}

func TestHome_saved_views(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	const links = "/?offer_type=sales_link&period=last_30_days"
	v.post("/views", "name", "Links only", "query", "offer_type=sales_link&period=last_30_days&cursor=x&q=&min_sales=").
		at(links).says("The view “Links only” is saved.")
	v.get("/").says("Links only")
	if a := v.get("/?period=last_30_days&offer_type=sales_link&to="); a.one("#views a[aria-current=page]").text() !=
		"Links only" || !strings.HasPrefix(a.one("#views summary.button").text(), "Links only") {
		t.Error("the view that is open is not marked")
	}
	if v.get("/?offer_type=sales_link").has("#views a[aria-current]") {
		t.Error("another view is marked as this one")
	}
	h.owner().get("/").hides("Links only")
	v.post("/views", "name", "", "query", "x=1").is(http.StatusUnprocessableEntity)
	v.post("/views/forget", "name", "Links only").at(plainHome).hides("Links only")
}

// TestHome_start: a person's home page can begin with a view of theirs, and all of it is still a click away.
func TestHome_start(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	const links = "/?offer_type=sales_link&period=last_30_days"
	v.post("/views", "name", "Links only", "query", "offer_type=sales_link&period=last_30_days")
	v.post("/views/start", "name", "Nothing").is(http.StatusNotFound)
	v.post("/views/start", "name", "Links only").at(links).
		says("Sales tracking begins with the view “Links only”", "start page")
	v.get("/").at(links)
	v.get("/").at(links).one("a[href=" + plainHome + "]")
	v.get(plainHome).at(plainHome).says("Ten percent")
	v.get("/?part=totals").is(http.StatusOK).hides("start page")
	h.owner().get("/").at("/")
	v.post("/views/start", "name", "").at(plainHome)
	v.get("/").at("/")
	v.post("/views/start", "name", "Links only")
	v.post("/views/forget", "name", "Links only").at(plainHome)
	v.get("/").at("/")
	v.post("/views", "name", "Links only", "query", "q=ten")
	v.get("/").at("/") // it is another view of that name
	v.post("/views/start", "name", "Links only").at(plainHome + "&q=ten")
	v.get("/").at(plainHome + "&q=ten")
}

func TestHome_live(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleViewer)
	b.open("/")
	b.connected()
	before := b.text()
	h.sell(sale{code: "BEN5", value: 1000_00})
	b.until("the sale in the totals of the open page", func() bool {
		now := b.text()
		return now != before && strings.Contains(now, "Total sales")
	})
	b.at("/")
}

func TestHome_of_a_fresh_installation(t *testing.T) {
	h := emptyHouse(t)
	v := h.nobody()
	link := h.setupLink()
	page := v.get(link).is(http.StatusOK).says("Create the owner")
	key := page.one("input[name=key]").attr("value")
	v.post("/welcome", "key", key, "name", "Mia", "email", "mia@brand.example", "password",
		"too short").is(http.StatusUnprocessableEntity).says("12").one("input[name=key]")
	v.post("/welcome", "key", key, "name", "Mia", "email", "mia@brand.example", "password", "correct horse battery").
		is(http.StatusSeeOther)
	v.get("/").is(http.StatusOK).says("First steps", "Connect a store", "No offers")
	h.nobody().post("/welcome", "key", key, "name", "Eve", "email", "eve@elsewhere.example", "password",
		"correct horse battery").is(http.StatusUnprocessableEntity).says("has an owner already")
	h.nobody().get(link).is(http.StatusSeeOther)
}

// setupLink is the path of the link that the log of a fresh installation shows.
func (h *house) setupLink() string {
	h.Helper()
	link, err := h.app.SetupLink(h.Context())
	h.must(err)
	path, ours := strings.CutPrefix(link, h.url)
	if !ours {
		h.Fatalf("the link is %q", link)
	}
	return path
}

// TestAttack_firstOwner: nobody becomes the owner of a fresh installation without the link that its log shows, also
// when tokens and stores are there already. The key of the link goes to no other page.
func TestAttack_firstOwner(t *testing.T) {
	h := emptyHouse(t)
	_, err := h.app.AddToken(h.as(affiliate.RoleOwner), app.TokenDraft{Name: "early", Role: affiliate.RoleOwner})
	h.must(err)
	_, key, _ := strings.Cut(h.setupLink(), "?key=")
	eve := h.nobody()
	for _, address := range []string{"/", "/sign-in", "/welcome", "/welcome?key=", "/welcome?key=" + key[1:],
		"/welcome?key=" + strings.ToUpper(key), "/welcome?key=" + key + "0"} {
		a := eve.get(address)
		for a.status == http.StatusSeeOther {
			a = eve.get(a.header.Get("Location"))
		}
		a.is(http.StatusForbidden).says("This installation has no owner yet", "tributary serve", "tributary user add")
		if a.has("form") || strings.Contains(a.body, key) {
			t.Errorf("%s shows a form, or the key", address)
		}
	}
	for _, wrong := range []string{"", "x", key[:31], key + " x", strings.Repeat("0", 32)} {
		a := eve.post("/welcome", "key", wrong, "name", "Eve", "email", "eve@elsewhere.example", "password",
			"correct horse battery").is(http.StatusForbidden)
		if a.has("form") || cookieSet(a, sessionCookie) != nil {
			t.Errorf("with the key %q: %s", wrong, a.text())
		}
	}
	if has, err := h.db.HasUsers(t.Context()); err != nil || has {
		t.Fatalf("there are users: %v %v", has, err)
	}
	if !strings.Contains(h.log.String(), "refused: set_up") {
		t.Error("the log does not tell of the attempts")
	}
	a := eve.get(h.setupLink()).is(http.StatusOK)
	if got := a.header.Get("Referrer-Policy"); got != "strict-origin" {
		t.Errorf("the page with the key has the referrer policy %q", got)
	}
	if other, err := app.NewSealer([]byte(strings.Repeat("x", 32))); err != nil ||
		(&app.App{Sealer: other}).IsSetupKey(key) {
		t.Errorf("the key fits another installation: %v", err)
	}
}
