package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// settingsForm is the form of the settings as a fresh house has them, with some fields changed.
func settingsForm(changes ...string) []string {
	return append(changes, "name", "Northwind", "currency", "USD", "timezone", "Europe/Berlin",
		"attribution_window_days", "30", "precedence", "code_first", "click_rule", "last_click", "renewals", "own_code",
		"utm", "on", "hold_days", "0",
		"minimum_payout", "0.00", "reserved_codes", "TEST", "mail_per_minute", "60",
		"details_hold_days", "3", "sepa_version", "pain.001.001.09", "paypal_decimals", "point")
}

// TestSettings: what an owner saves holds, what is wrong with it stands beside its field, and others only read.
func TestSettings(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	p := o.get("/settings").is(http.StatusOK).says("Settings", "When you change one of these")
	if got := p.one("#timezone").attr("value"); got != "Europe/Berlin" {
		t.Errorf("the time zone is %q", got)
	}
	o.post("/settings", settingsForm("name", "Northwind & Co", "hold_days", "14", "precedence", "link_first",
		"renewals", "first_only", "utm", "off", "minimum_payout", "25.50",
		"reserved_codes", "vip, free")...).is(http.StatusOK).at("/settings").
		says("The settings are saved.", "Northwind & Co").hides("computed anew, which")
	got, err := h.db.Settings(t.Context())
	h.must(err)
	if got.Name != "Northwind & Co" || got.HoldDays != 14 || got.Precedence != affiliate.LinkFirst ||
		got.MinimumPayout != 2550 || got.ReservedCodes != "VIP, FREE" || got.UTM != affiliate.UTMOff ||
		got.Renewals != affiliate.RenewalsFirstOnly || got.Timezone != "Europe/Berlin" {
		t.Errorf("the settings are %+v", got)
	}
	for field, wrong := range map[string]string{"name": "", "currency": "XXX", "timezone": "Mars/Olympus",
		"attribution_window_days": "0", "precedence": "luck", "click_rule": "best", "renewals": "all", "utm": "maybe",
		"hold_days": "many", "minimum_payout": "-1", "reserved_codes": "VIP, ?"} {
		a := o.post("/settings", settingsForm(field, wrong)...).is(http.StatusUnprocessableEntity)
		input := a.one("#" + field)
		if input.attr("aria-invalid") != "true" || !strings.Contains(a.one("#"+field+"-about .error").text(), ".") {
			t.Errorf("%s=%q does not show as wrong: %s", field, wrong, a.text())
		}
		if shown := input.attr("value"); input.node.Data == "input" && shown != wrong {
			t.Errorf("%s=%q is shown as %q", field, wrong, shown)
		}
	}
	for _, v := range []*visitor{h.manager(), h.viewer()} {
		a := v.get("/settings").is(http.StatusOK).says("Smallest payout 25.50 USD",
			"Hold before commissions are paid 14 days", "The link wins",
			"Renewals of subscriptions are credited to Nobody: only the first order counts",
			"Links add utm parameters No", "Words that are no creator's code VIP, FREE", "An owner can change these.")
		if a.has("form[action=/settings]") || a.has(".tabs") {
			t.Errorf("who may not change settings sees a form or tabs")
		}
		v.post("/settings", settingsForm("name", "Taken over")...).is(http.StatusForbidden)
	}
	if got, _ := h.db.Settings(t.Context()); got.Name != "Northwind & Co" {
		t.Errorf("a forged form changed the name to %q", got.Name)
	}
}

// TestSettings_recalculation: another currency or zone has figures computed anew, and the page says how far that is.
func TestSettings_recalculation(t *testing.T) {
	h := busyHouse(t)
	o := h.owner()
	o.post("/settings", settingsForm("timezone", "Asia/Tokyo")...).is(http.StatusOK).
		says("Figures are being computed anew, which may take some minutes.",
			"Figures are as before the change (time zone Europe/Berlin → Asia/Tokyo)", "0 % done", "0 of")
	a := o.post("/settings", settingsForm("timezone", "Asia/Tokyo", "currency", "EUR")...).
		is(http.StatusUnprocessableEntity)
	if a.one("form[action=/settings]"); len(a.all(".notice.bad")) == 0 {
		t.Errorf("a second change meanwhile is not refused: %s", a.text())
	}
	part := o.get("/settings?part=recalculation").is(http.StatusOK)
	if strings.Contains(part.body, "<html") || part.one("#recalculation").attr("data-every") == "" {
		t.Errorf("the part is %s", part.body)
	}
	h.must(h.app.Recalculate(t.Context()))
	if a := o.get("/settings?part=recalculation").says("Figures were last computed anew on 20 Nov 2026, 21:00"); a.one(
		"#recalculation").attr("data-every") != "" {
		t.Error("a page goes on asking after the end")
	}
	h.consistent()
}

// TestSettings_browser: the progress follows by itself, and the form works with keys alone.
func TestSettings_browser(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleOwner)
	b.open("/settings")
	b.fill("#currency", "EUR")
	b.eval(`document.querySelector("#currency").focus()`)
	b.keys("\r")
	b.says("The settings are saved.", "0 of")
	h.must(h.app.Recalculate(t.Context()))
	b.says("Figures were last computed anew")
}

// TestRecalculation_pages: while figures are computed anew, pages show them in the currency of before and say so; the
// form has the new one.
func TestRecalculation_pages(t *testing.T) {
	h := busyHouse(t)
	o := h.owner()
	before := o.get("/?period=all_time")
	figures := func(a answer) (list []string) {
		for _, e := range a.all(".kpi dd") {
			list = append(list, e.text())
		}
		return list
	}
	o.post("/settings", settingsForm("currency", "EUR", "timezone", "Asia/Tokyo")...).is(http.StatusOK)
	during := o.get("/?period=all_time").is(http.StatusOK).says("Figures are as before the change (currency USD → EUR",
		"0 % done", "Amounts in USD", "Days are those of Europe/Berlin")
	if is, was := figures(during), figures(before); !slices.Equal(is, was) || len(was) == 0 {
		t.Errorf("before %v, now %v", was, is)
	}
	if during.header.Get(recalculationHeader) != "0" || during.one("body").attr("class") != "held-back" {
		t.Error("the page does not mark its figures")
	}
	if form := o.get("/settings"); form.one("#currency").attr("value") != "EUR" {
		t.Errorf("the form has %s", form.one("#currency").attr("value"))
	}
	if a := o.get("/recalculation").is(http.StatusNoContent); a.header.Get(recalculationHeader) != "0" {
		t.Error("nothing says how far it is")
	}
	h.must(h.app.Recalculate(t.Context()))
	after := o.get("/?period=all_time").says("Amounts in EUR", "Days are those of Asia/Tokyo")
	if slices.Equal(figures(after), figures(before)) || after.header.Get(recalculationHeader) != "" {
		t.Errorf("in the end %v", figures(after))
	}
	if a := o.get("/recalculation"); a.header.Get(recalculationHeader) != "" {
		t.Error("it does not end")
	}
	h.consistent()
}

// TestRecalculation_readOnce: a page asks once whether figures are computed anew, and where they are, once more how
// they are shown.
func TestRecalculation_readOnce(t *testing.T) {
	h := newHouse(t) // where no click is being written meanwhile
	h.sell(sale{code: "ANNA10", value: 100_00})
	o := h.owner()
	read := func() (n int) {
		for _, statement := range h.statements(func() { o.get("/account").is(http.StatusOK) }) {
			n += strings.Count(statement, "FROM recalculations")
		}
		return n
	}
	if n := read(); n != 1 {
		t.Errorf("recalculations are read %d times", n)
	}
	o.post("/settings", settingsForm("currency", "EUR")...).is(http.StatusOK)
	if n := read(); n != 2 {
		t.Errorf("recalculations are read %d times while one goes on", n)
	}
}

// TestRecalculation_browser: open pages mark their figures when a change begins, and show the new ones once all are
// computed, by themselves.
func TestRecalculation_browser(t *testing.T) {
	h := busyHouse(t)
	o := h.owner()
	b := h.browse(affiliate.RoleOwner)
	read := func(expression string) (text string) {
		b.eval(expression, &text)
		return text
	}
	const figure = `document.querySelector("[data-key=total-sales]").textContent`
	const marked = `String(document.body.classList.contains("held-back") && !document.querySelector("#held").hidden)`
	b.open("/?period=all_time")
	b.connected()
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		for _, currency := range []string{"EUR", "USD"} {
			before := read(figure)
			o.post("/settings", settingsForm("currency", currency)...).is(http.StatusOK)
			b.until("the figures are marked", func() bool { return read(marked) == "true" })
			if now := read(figure); now != before {
				t.Errorf("at %d it was %s, and is %s", width, before, now)
			}
			if n := b.overflow(); n > 0 {
				t.Errorf("at %d the page is %d too wide", width, n)
			}
			if list := b.inaccessible(); len(list) > 0 {
				t.Errorf("at %d: %v", width, list)
			}
			h.must(h.app.Recalculate(t.Context()))
			b.until("the new figures are there", func() bool {
				return read(marked) == "false" && read(figure) != before
			})
			h.consistent()
		}
	}
}
