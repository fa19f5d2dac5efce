package dashboard

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

func TestHome(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	page := v.get("/").is(http.StatusOK).says("Total sales", "Members with payments due", "of current creators of all campaigns", "Sales without a creator", "60.00 USD", "Ten percent", "Gift links",
		"1 conversion is held for review", "1 delivery failed")
	total := strings.TrimSuffix(page.one("[data-key=total-sales]").text(), " USD")
	file := v.get("/sales.csv").is(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
	h.must(err)
	sum := int64(0)
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, row := range rows[1:] {
		if row[at["Counted"]] == "true" {
			n, err := money.Parse(row[at["Account Value"]], "USD")
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

func TestHome_saved_views(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	v.post("/views", "name", "Links only", "query", "offer_type=sales_link&period=last_30_days&cursor=x").at("/?offer_type=sales_link&period=last_30_days").says("The view “Links only” is saved.")
	v.get("/").says("Links only")
	h.owner().get("/").hides("Links only")
	v.post("/views", "name", "", "query", "x=1").is(http.StatusUnprocessableEntity)
	v.post("/views/forget", "name", "Links only").at("/").hides("Links only")
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
	v.get("/welcome").is(http.StatusOK).says("Create the owner")
	v.post("/welcome", "name", "Mia", "email", "mia@brand.example", "password", "too short").is(http.StatusUnprocessableEntity).says("10")
	v.post("/welcome", "name", "Mia", "email", "mia@brand.example", "password", "correct horse battery").is(http.StatusSeeOther)
	v.get("/").is(http.StatusOK).says("First steps", "Connect a store", "No offers")
	h.nobody().post("/welcome", "name", "Eve", "email", "eve@elsewhere.example", "password", "correct horse battery").is(http.StatusUnprocessableEntity).says("has an owner already")
}
