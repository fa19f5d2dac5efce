package dashboard

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

const (
	tenPercent = spring + "/offers/off_1"
	tenCodes   = tenPercent + "/codes"
)

// TestCodeWords: each standing, action, state and trouble that there is has its words.
func TestCodeWords(t *testing.T) {
	for _, s := range affiliate.Words[app.CodeStanding]() {
		if standings[s].Text == "" {
			t.Errorf("the standing %s has no words", s)
		}
	}
	for _, a := range affiliate.Words[affiliate.CodeAction]() {
		if w := codeActions[a]; w.Title == "" || w.About == "" {
			t.Errorf("the action %s has no words", a)
		}
		if text := atOnceText(a, storage.CodeItemRow{CodeItem: affiliate.CodeItem{Code: "NEW1"},
			OldCode: "OLD1"}); !strings.HasPrefix(text, "NEW1") && !strings.HasPrefix(text, "OLD1") {
			t.Errorf("the action %s is told as %q", a, text)
		}
	}
	for _, s := range affiliate.Words[affiliate.CodeRunState]() {
		if codeRunBadges[s].Text == "" {
			t.Errorf("the state %s of runs has no words", s)
		}
	}
	for _, s := range affiliate.Words[affiliate.CodeItemState]() {
		if itemBadges[s].Text == "" {
			t.Errorf("the state %s of items has no words", s)
		}
	}
	for _, trouble := range affiliate.Words[affiliate.CouponTrouble]() {
		if troubleTitles[trouble] == "" || troubleAdvice[trouble] == "" {
			t.Errorf("the trouble %s has no words", trouble)
		}
		for _, owned := range []bool{true, false} {
			list := remedies(trouble, owned)
			if list[len(list)-1].Do != "accept" {
				t.Errorf("the trouble %s cannot be left as it is: %v", trouble, list)
			}
		}
	}
	for _, set := range affiliate.Words[storage.CouponSet]() {
		if !slices.ContainsFunc(couponSets, func(s couponSet) bool { return s.set == set }) {
			t.Errorf("the set %s has no tab", set)
		}
	}
}

// TestCodeRunLine: what was taken out of a draft is not counted, what was canceled later is, and is not done.
func TestCodeRunLine(t *testing.T) {
	counts := map[affiliate.CodeItemState]int64{affiliate.ItemDone: 5, affiliate.ItemFailed: 2,
		affiliate.ItemCanceled: 3, affiliate.ItemSkipped: 4, affiliate.ItemByHand: 1}
	for state, want := range map[affiliate.CodeRunState]int64{affiliate.RunDraft: 8, affiliate.RunRunning: 8,
		affiliate.RunDone: 8, affiliate.RunCanceled: 11} {
		l := codeRunLine{CodeRun: affiliate.CodeRun{State: state}, Counts: counts}
		if l.Total() != want || l.Over() != 7 {
			t.Errorf("a run that is %s has done %d of %d, want 7 of %d", state, l.Over(), l.Total(), want)
		}
	}
}

// TestGivesNow: a beginning that has come is not told.
func TestGivesNow(t *testing.T) {
	r := &request{d: &Dashboard{App: &app.App{Now: func() time.Time { return noon }}}, zone: time.UTC}
	d := affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 10_00, StartsAt: noon.Add(-time.Second)}
	if got := money.Plain(r.givesNow(d)); got != "10 % off" {
		t.Errorf("it gives %q", got)
	}
	if d.StartsAt = noon.Add(time.Hour); !strings.Contains(r.givesNow(d), "from 20 Nov 2026") {
		t.Errorf("it gives %q", r.givesNow(d))
	}
}

// TestOfferDiscount: what codes give is typed on the offer's page, and comes back as it was typed when it is wrong.
func TestOfferDiscount(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	m.get(tenPercent+"/settings").is(http.StatusOK).says("What a code gives", "How codes are made", "{{first_name}}",
		"Only for some products", "Northwind Boutique").hides("Bring existing codes", "For Anna")
	m.get("/campaigns/cmp_2/offers/off_2/settings").is(http.StatusOK).hides("What a code gives") // a sales link
	good := []string{"kind", "percent", "percent", "12.5", "minimum", "20", "currency", "usd", "usage_limit", "500",
		"once_per_customer", "1", "starts_at", "2026-12-01T00:00", "ends_at", "2026-12-31T23:59", "products-str_1",
		"812, 345",
		"code_pattern", "{{ handle }}10"}
	for field, wrong := range map[string][2]string{
		"percent": {"120", "Must be between 0 and 100"}, "minimum": {"twenty", "twenty"},
		"currency": {"", "currency"}, "usage_limit": {"1.5", "Must be a whole number"},
		"starts_at": {"soon", "Must be a day and a time"}, "ends_at": {"2026-11-01T10:00", "Must be after"},
		"products-str_1": {"shoes", "is not the id of a product"}, "code_pattern": {"TEN", "the same code"},
	} {
		form := with(good, field, wrong[0])
		a := m.post(tenPercent+"/discount", form...).is(http.StatusUnprocessableEntity).says(wrong[1])
		if a.one("#usage_limit").attr("value") == "" || !a.has("[name=once_per_customer][checked]") {
			t.Errorf("with a wrong %s, what was typed is gone", field)
		}
	}
	m.post(tenPercent+"/discount", append(slices.Clone(good), "version", "1")...).is(http.StatusOK).
		at(tenPercent+"/settings#gives").
		says("It is saved; new codes are made so. 2 codes that are there give what they gave before",
			"For Anna Ahlers as it is saved: ANNA10", "Bring existing codes to this", "Make codes for all…")
	o, err := h.db.Offer(h.Context(), 1)
	h.must(err)
	d := o.Discount
	if d.Percent != 12_50 || d.Minimum != 20_00 || d.Currency != "USD" || d.UsageLimit != 500 || !d.OncePerCustomer ||
		d.Combines || !d.StartsAt.Equal(time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)) || len(d.Limits) != 1 ||
		d.Limits[0].Store != 1 || o.CodePattern != "{{handle}}10" {
		t.Errorf("the offer gives %+v by %s", d, o.CodePattern)
	}
	a := m.get(tenPercent + "/settings")
	for id, want := range map[string]string{"percent": "12.50", "minimum": "20.00", "currency": "USD",
		"starts_at": "2026-12-01T00:00", "ends_at": "2026-12-31T23:59", "products-str_1": "345, 812"} {
		if got := a.one("#" + id).attr("value"); got != want {
			t.Errorf("the field %s shows %q, want %q", id, got, want)
		}
	}
	m.post(tenPercent+"/discount", append(slices.Clone(good), "version", "1")...).is(http.StatusUnprocessableEntity).
		says("Somebody else changed this meanwhile")
	m.post(tenPercent+"/discount", "kind", "fixed", "amount", "5", "currency", "EUR", "percent", "7").
		says("It is saved")
	m.post(tenPercent+"/discount").says("It is saved; new codes are made so.", "2 codes").hides("Bring existing codes")
	h.viewer().post(tenPercent + "/discount").is(http.StatusForbidden)
	m.post("/campaigns/cmp_2/offers/off_1/discount").is(http.StatusNotFound)
}

// with is a form, of names and values by turns, with another value in a field.
func with(form []string, name, value string) []string {
	form = slices.Clone(form)
	for i := 0; i < len(form); i += 2 {
		if form[i] == name {
			form[i+1] = value
			return form
		}
	}
	return append(form, name, value)
}

// codes are those that a page of a draft has in its fields.
func (a answer) codes() (list []string) {
	for _, e := range a.all("#items input[name=code]") {
		list = append(list, e.attr("value"))
	}
	return list
}

// TestOfferCodes: the members of an offer with their codes, which can be narrowed and chosen from.
func TestOfferCodes(t *testing.T) {
	h := newHouse(t)
	h.setDiscount(1)
	v, m := h.viewer(), h.manager()
	v.get(tenCodes).is(http.StatusOK).says("Anna Ahlers", "@anna", "ANNA10", "Northwind US",
		"Waiting for the first order",
		"2 creators", "New codes give 10 % off").hides("Make codes", "Change that")
	h.sell(sale{code: "ANNA10", value: 50_00})
	if first := v.get(tenCodes+"?q=anna").says("Orders came with it", "the first order").hides("Ben Botha").
		one("#offer-codes li a").attr("href"); first != "/orders/ord_1" {
		t.Errorf("the code's first order is at %s", first)
	}
	v.get(tenCodes+"?without=1").says("Nobody is found", "Show all")
	_, err := h.app.EndCode(h.as(affiliate.RoleManager), 2, time.Time{})
	h.must(err)
	v.get(tenCodes+"?without=1").says("Ben Botha", "No code").hides("Anna", "BEN5")
	v.get(tenCodes+"?ended=1").says("BEN5", "Ended")
	v.get("/campaigns/cmp_2/offers/off_1/codes").is(http.StatusNotFound)
	v.get(tenCodes + "/new").is(http.StatusForbidden)

	list := m.get(tenCodes).says("Make codes for all…", "Change discount…")
	if list.has("[data-matching]") {
		t.Error("all on other pages can be chosen where there is one page")
	}
	m.post(tenCodes+"/new", "action", "make").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	m.post(tenCodes+"/new", "action", "melt", "ids", "ofm_1").is(http.StatusUnprocessableEntity)
	m.post(tenCodes+"/new", "nothing", "1", "back", tenCodes+"?q=x").at(tenCodes + "?q=x")
	form := m.post(tenCodes+"/new", "action", "refresh", "ids", "ofm_1", "ids", "ofm_2").is(http.StatusOK).
		says("Refresh codes", "For: 2 creators", "They give: 10 % off", "Days that the old code goes on",
			"For Anna Ahlers as it is saved: ANNA10", "By hand: The store's API is not connected")
	if n := len(form.all("input[type=hidden][name=ids]")); n != 2 {
		t.Errorf("%d of the two who were ticked are carried", n)
	}
	if n := len(form.all("[name=stores][checked]")); n != 2 {
		t.Errorf("%d stores are ticked, want both", n)
	}
	m.get(tenCodes+"/new?action=discount&all=1").says("For: All 2 creators", "What a code gives").hides("How codes are")
	draft := []string{"action", "refresh", "ids", "ofm_1", "stores", "str_1", "pattern", "{{handle}}15",
		"overlap_days", "7"}
	for field, wrong := range map[string][2]string{"pattern": {"{{x}}", "{{handle}}"}, "overlap_days": {"a week",
		"whole number"},
		"at": {"2020-01-01T10:00", "Must not be in the past"}} {
		m.post(tenCodes+"/draft", with(draft, field, wrong[0])...).is(http.StatusUnprocessableEntity).says(wrong[1],
			"For: 1 creator")
	}
	m.post(tenCodes+"/draft", "action", "make", "all", "1").is(http.StatusUnprocessableEntity).
		says("Choose at least one store")
	m.post(tenCodes+"/draft", "action", "make", "ids", "ofm_99", "stores", "str_1").is(http.StatusUnprocessableEntity).
		says("no member of the offer any more")
	run := m.post(tenCodes+"/draft", draft...).is(http.StatusOK).says("Refresh codes: Ten percent", "ANNA10",
		"What would happen", "1 code", "The old codes go on for 7 days")
	if !strings.HasPrefix(run.address, "/code-runs/cru_") || !slices.Equal(run.codes(), []string{"ANNA15"}) {
		t.Errorf("the draft at %s makes %q", run.address, run.codes())
	}
	m.post(tenCodes+"/draft", "action", "make", "all", "1", "q", "botha", "stores", "str_1").is(http.StatusOK).
		says("Ben Botha").hides("Anna")
	m.post(tenCodes+"/draft", "action", "discount", "all", "1", "stores", "str_1").is(http.StatusUnprocessableEntity).
		says("Choose what the codes are to give")
	m.post(tenCodes+"/draft", "action", "discount", "all", "1", "stores", "str_1", "kind", "percent", "percent", "20").
		is(http.StatusOK).says("The codes give 20 % off", "New codes of the offer give it, too", "ANNA10")
	h.viewer().post(tenCodes+"/draft", draft...).is(http.StatusForbidden)
}

// TestOfferCodes_many: of more than a page, all that the list finds can be chosen at once.
func TestOfferCodes_many(t *testing.T) {
	h := newHouse(t)
	h.setDiscount(1)
	var csv strings.Builder
	csv.WriteString("campaign,creator,instagram,offer,store,code\n")
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		for _, d := range "xyz" {
			name := strings.Repeat(string(c), 3) + string(d)
			csv.WriteString("Spring,Creator " + name + ",@" + name + ",Ten percent,shop," + name + "7\n")
		}
	}
	report, err := h.app.Import(h.as(affiliate.RoleManager), strings.NewReader(csv.String()), false)
	h.must(err)
	if len(report.Errors) > 0 {
		t.Fatal(report.Errors)
	}
	m := h.manager()
	a := m.get(tenCodes).says("All 80 creators of the list", "Next page")
	if len(a.all("[name=ids]")) != limit {
		t.Errorf("the page has %d rows", len(a.all("[name=ids]")))
	}
	m.post(tenCodes+"/new", "action", "make", "all", "1", "q", "Creator b", "ids", "ofm_1").
		says("For: All 3 creators that the list found")
	m.post(tenCodes+"/draft", "action", "make", "all", "1", "q", "Creator b", "stores", "str_2").
		says("3 codes", "Creator bbbx").hides("Anna")
	m.post(tenCodes+"/draft", "action", "make", "all", "1", "stores", "str_2").says("80 codes", "Next page")
}

// TestCodeRun_byHand: a draft is looked at and mended, then started; where a store is not asked, people do what stands
// there and say so.
func TestCodeRun_byHand(t *testing.T) {
	h := newHouse(t)
	run := h.draftedRun()
	at := codeRunAddress(run.ID)
	v, m := h.viewer(), h.manager()
	v.get(at).is(http.StatusOK).says("Make codes: Ten percent", "by Max Manager", "2 codes. Nothing is done",
		"Northwind Boutique: 2 codes, by hand in the store’s admin: The store's API is not connected",
		"Left out are 2", "2 × They have a code in this store already.", "Left out 2", "To do 2").
		hides("Make 2 codes", "Discard", "Take out")
	v.post(at + "/start").is(http.StatusForbidden)
	a := m.get(at).says("Make 2 codes", "Discard")
	a.rows("#items table", "Anna Ahlers @anna | Northwind Boutique | Set | To do | Take out",
		"Anna Ahlers @anna | Northwind US | ANNA10 | Left out They have a code in this store already. | ",
		"Ben Botha @ben | Northwind Boutique | Set | To do | Take out",
		"Ben Botha @ben | Northwind US | BEN5 | Left out They have a code in this store already. | ")
	m.get(at + "?state=waiting&q=ben").says("Ben Botha").hides("Anna")
	m.get(at + "?state=waiting&q=zebra").says("No code is found")
	m.get(at + "?state=lost").is(http.StatusUnprocessableEntity)
	item := func(name string) string {
		rows, _, err := h.db.CodeItemPage(h.Context(), storage.CodeItemFilter{Run: run.ID, Search: name,
			States: []affiliate.CodeItemState{affiliate.ItemWaiting, affiliate.ItemCanceled, affiliate.ItemByHand}},
			storage.Page{})
		h.must(err)
		return rows[0].ID.String()
	}
	m.post(at+"/items", "item", item("anna"), "code", "").is(http.StatusUnprocessableEntity).says("Type a code")
	m.post(at+"/items", "item", item("anna"), "code", strings.Repeat("X", 200)).is(http.StatusUnprocessableEntity)
	m.post(at+"/items", "item", item("anna"), "code", "BEN10").is(http.StatusUnprocessableEntity).
		says("somebody else already")
	m.post(at+"/items", "item", item("anna"), "code", "ANNASPRING", "back", at+"?q=anna").at(at + "?q=anna").
		says("ANNASPRING is in the run")
	m.post(at+"/items", "out", item("ben")).says("is taken out", "Make 1 code", "Put back", "Taken out 1")
	m.post(at+"/items", "item", item("ben"), "code", "BEN10").says("BEN10 is in the run.", "Make 2 codes")
	other := codeRunAddress(h.draftedRun().ID)
	m.post(other+"/items", "out", item("ben")).is(http.StatusNotFound)
	m.post(other+"/cancel", "back", tenCodes).at(tenCodes).says("It is discarded")
	m.post(at + "/retry").is(http.StatusUnprocessableEntity)

	m.post(at+"/start").is(http.StatusOK).says("It has begun", "How far it is", "0 of 2 codes done")
	h.must(h.app.WorkCodeRuns(h.as(affiliate.RoleManager)))
	a = m.get(at).says("To do by hand: 2 codes", "Anna Ahlers, ANNASPRING in Northwind Boutique", "Coupon code",
		"2 to be done by hand",
		"Done in the store",
		"Cancel what has not begun")
	if !slices.ContainsFunc(a.all("[data-copy]"), func(e element) bool { return e.attr("data-copy") == "ANNASPRING" }) {
		t.Error("the code cannot be copied")
	}
	if part := a.one("#run"); part.attr("data-every") == "" || part.attr("data-live") == "" {
		t.Error("the page of a run under way follows nothing")
	}
	v.get(at).says("ANNASPRING").hides("Done in the store", "All are done")
	v.post(at+"/typed", "all", "1").is(http.StatusForbidden)
	m.post(at + "/typed").is(http.StatusUnprocessableEntity).says("Say which code was done")
	h.owner().get("/").says("2 codes wait to be typed into Northwind Boutique")
	if tabs := a.one("#items .tabs").text(); !strings.Contains(tabs, "To do by hand 2") {
		t.Errorf("the states that follow the run are %q", tabs)
	}
	m.post(at+"/typed", "ids", item("anna")).says("1 code is done by hand", "1 of 2 codes done", "It is done",
		"Waiting for the first order")
	m.post(at+"/typed", "all", "1").says("1 code is done by hand", "2 of 2 codes done", "Ended on").
		hides("To do by hand:", "Cancel what")
	const asked = "20 Nov 2026, 13:00by Max Manager (max@northwind.example)"
	v.get("/code-runs").is(http.StatusOK).rows("main table",
		"Make codes | Ten percent | Done | 2 | 2 | 0 | 0 | "+asked)
	v.get("/code-runs?offer=off_2").is(http.StatusOK).says("No run yet")
	v.get("/code-runs/cru_99").is(http.StatusNotFound)
	v.get(tenCodes).says("ANNASPRING", "BEN10", "Waiting for the first order")
	h.owner().get("/settings/audit?kind=cru_").says("started the code run", "Ten percent").hides("cru_")
	h.owner().get("/settings/audit?kind=cod_").
		says("said that it was done by hand in the store for the code ANNASPRING")
}

// TestCodeRun_later: a run that begins at a time waits for it, and can be canceled until then.
func TestCodeRun_later(t *testing.T) {
	h := newHouse(t)
	h.setDiscount(1)
	m := h.manager()
	draft := m.post(tenCodes+"/draft", "action", "make", "all", "1", "stores", "str_2", "at", "2026-11-21T09:30").
		is(http.StatusOK).says("2 codes, from 21 Nov 2026, 09:30 on", "Make 2 codes at that time")
	at := draft.address
	m.post(at+"/start").says("It begins on 21 Nov 2026, 09:30", "Waiting for its time", "Cancel what has not begun")
	h.clock.advance(24 * time.Hour)
	h.must(h.app.WorkCodeRuns(h.as(affiliate.RoleManager)))
	m.get(at).says("Running", "To do by hand").hides("It begins on")
	m.post(at+"/cancel").says("It is canceled. What was done stays", "Canceled", "Taken out 2",
		"0 of 2 codes done, 2 canceled").hides("To do by hand:")
	h.owner().get("/").hides("wait to be typed")
}

// TestMember_codesInStores: a member's codes are made, stopped, started, refreshed and ended on their page.
func TestMember_codesInStores(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	m.get(annaInSpring).says("ANNA10", "Waiting for the first order", "Refresh", "Deactivate", "Add a code by hand").
		hides("Make a code")
	m.post(annaInSpring+"/codes/change", "offer_member", "ofm_1", "code", "cod_1", "do", "refresh").
		is(http.StatusUnprocessableEntity).says("The offer does not say how its codes are made")
	h.setDiscount(1)
	m.get(annaInSpring).says("Make a code")
	for _, forged := range [][]string{{"code", "cod_2", "do", "refresh"}, {"code", "cod_99", "do", "refresh"}} {
		m.post(annaInSpring+"/codes/change", append(forged, "offer_member", "ofm_1")...).is(http.StatusNotFound)
	}
	m.post(annaInSpring+"/codes/change", "offer_member", "ofm_1", "code", "cod_1", "do", "end").
		is(http.StatusUnprocessableEntity).says("Choose what is to be done")
	a := m.post(annaInSpring+"/codes/change", "offer_member", "ofm_1", "code", "cod_1", "do", "deactivate").
		says("This store is not asked from here", "Deactivate codes: Ten percent")
	h.must(h.app.WorkCodeRuns(h.as(affiliate.RoleManager)))
	m.get(annaInSpring).says("a run is at it")
	m.post(strings.TrimSuffix(a.address, "#")+"/typed", "all", "1").says("done by hand")
	m.get(annaInSpring).says("Deactivated", "Activate").hides("being changed")
	made := m.post(annaInSpring+"/codes/make", "offer_member", "ofm_1").says("Make codes: Ten percent")
	if !strings.HasPrefix(made.address, "/code-runs/") {
		t.Errorf("making a code led to %s", made.address)
	}
	m.post(annaInSpring+"/codes/end", "offer_member", "ofm_1", "code", "cod_1").at(annaInSpring).
		says("ANNA10 is free again", "end it in its admin, too", "Ended")
	for _, path := range []string{"/codes/make", "/codes/change", "/codes/end"} {
		h.viewer().post(annaInSpring + path).is(http.StatusForbidden)
	}
}

// stockCodes puts codes into the Shopify store as a reading would find them: two of creators, one of the shop's own,
// and
// Anna's in a trouble.
func (h *house) stockCodes(trouble affiliate.CouponTrouble) string {
	h.Helper()
	s := h.storeBySlug("shop")
	given := affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: 10_00}
	var rows []storage.Coupon
	for i, code := range []string{"ANNA20", "BEN15", "FREESHIP", "ANNA10"} {
		c := affiliate.Coupon{ID: "gid-" + code, Code: code, Discount: given, Uses: int64(10 * (i + 1)),
			MadeAt: noon.AddDate(0, -1, i)}
		if code == "FREESHIP" {
			c.Other = "free shipping"
		}
		rows = append(rows, storage.NewCouponRow(s.ID, c, noon))
	}
	last := &rows[3]
	last.Give(given)
	last.Trouble, last.TroubleAt, last.Told = trouble, noon, "It is told so"
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error { return tx.SaveCoupons(h.Context(), rows) }))
	return couponsAddress(s)
}

// TestCoupons: the codes of a store by whose they are, with suggestions whose they may be, and their taking over.
func TestCoupons(t *testing.T) {
	h := newHouse(t)
	at := h.stockCodes(affiliate.TroubleChanged)
	h.sell(sale{code: "ANNA20", value: 80_00}, sale{code: "ANNA20", value: 40_00})
	v, m := h.viewer(), h.manager()
	v.get(storeAddress(h.storeBySlug("shop"))).says("Codes in the store")
	v.get(at).is(http.StatusOK).hides("Suggest creators", "Take over", "Not a creator’s code").
		says("The store’s codes are not read. The store's API is not connected").
		rows("main table", "FREESHIP | 30 | 22 Oct 2026 | free shipping | 0 | Nobody’s | Works",
			"BEN15 | 20 | 21 Oct 2026 | 10 % off | 0 | Nobody’s | Works",
			"ANNA20 | 10 | 20 Oct 2026 | 10 % off | 2 without credit | Nobody’s | Works")
	v.get(at+"?sort=code").rows("main table",
		"ANNA20 | 10 | 20 Oct 2026 | 10 % off | 2 without credit | Nobody’s | Works",
		"BEN15 | 20 | 21 Oct 2026 | 10 % off | 0 | Nobody’s | Works",
		"FREESHIP | 30 | 22 Oct 2026 | free shipping | 0 | Nobody’s | Works")
	v.get(at+"?set=owned").says("ANNA10", "Anna Ahlers", "Spring, Ten percent").hides("FREESHIP")
	v.get(at + "?set=gone").says("Not read yet")
	v.get(at+"?set=all&q=ann").says("ANNA10", "ANNA20").hides("BEN15")
	for _, wrong := range []string{"?set=lost", "?sort=size"} {
		v.get(at + wrong).is(http.StatusUnprocessableEntity)
	}
	m.get(at).says("choose above the offer that they promote")
	a := m.get(at+"?offer=off_1").hides("choose above the offer").
		says("Take over all that certainly are somebody’s…", "Certain")
	if !m.get(at).has("#coupons[data-live]") || a.has("#coupons[data-live]") {
		t.Error("the list follows the store unless somebody types into it")
	}
	if got := a.one("#to-" + affiliate.FoldCode("BEN15")).attr("value"); got != "Ben Botha (@ben)" {
		t.Errorf("BEN15 is suggested to be of %q", got)
	}
	m.get(at+"?offer=off_1&pattern={{x}}").says("Pattern", "{{handle}}")

	take := func(form ...string) answer {
		return m.post(at+"/take", append(form, "back", at+"?offer=off_1", "do", "take", "offer", "off_1")...)
	}
	take().is(http.StatusUnprocessableEntity).says("No code is selected")
	m.post(at+"/take", "do", "take", "ids", "ANNA20").is(http.StatusUnprocessableEntity).says("Choose the offer")
	take("ids", "ANNA20").is(http.StatusUnprocessableEntity).says("Say whose ANNA20 is", "Suggest creators of")
	a = take("ids", "ANNA20", "to-"+affiliate.FoldCode("ANNA20"), "Zoe").is(http.StatusUnprocessableEntity).
		says("Whose ANNA20 is: nobody in the offer is called \"Zoe\"")
	if got := a.one("#to-" + affiliate.FoldCode("ANNA20")).attr("value"); got != "Zoe" ||
		len(a.all("[name=ids][checked]")) != 1 {
		t.Errorf("what was ticked and typed is gone: whose ANNA20 is says %q", got)
	}
	run := take("ids", "ANNA20", "to-"+affiliate.FoldCode("ANNA20"), "@Anna").is(http.StatusOK).
		says("Take over codes: Ten percent", "ANNA20",
			"here alone; nothing changes in the store", "2 would be credited", "120.00 USD of sales",
			"12.00 USD of commission", "Take over 1 code")
	v.get(run.address).says("ANNA20").hides("would be credited")
	m.post(run.address + "/start").says("It has begun")
	h.must(h.app.WorkCodeRuns(h.as(affiliate.RoleManager)))
	m.get(run.address).says("1 of 1 code done", "Codes in Northwind US")
	if c := h.order("1001").Conversion; c == nil || c.Commission != 8_00 {
		t.Errorf("the order is credited by %+v", c)
	}
	v.get(at+"?set=owned").says("ANNA20", "Anna Ahlers")
	take("ids", "BEN15", "ids", "FREESHIP", "all-to", "ben botha").says("Ben Botha", "Take over 2 codes")
	certain := m.post(at+"/take", "do", "certain", "offer", "off_1").says("BEN15", "Take over 1 code").hides("FREESHIP")
	m.post(certain.address + "/cancel").says("discarded")
	m.post(at+"/take", "do", "dismiss", "ids", "FREESHIP", "back", at).at(at).says("1 code is no creator's").
		hides("FREESHIP")
	v.get(at+"?set=dismissed").says("FREESHIP", "No creator’s")
	m.post(at+"/take", "do", "restore", "ids", "FREESHIP", "back", at).says("among those again", "FREESHIP")
	m.post(at+"/take", "nothing", "1", "back", at+"?set=owned").at(at + "?set=owned")
	m.post(at + "/read").is(http.StatusUnprocessableEntity).says("API is not connected")
	for _, path := range []string{"/take", "/read", "/file", "/right"} {
		v.post(at + path).is(http.StatusForbidden)
	}
}

// sendFile sends a file with a form.
func (v *visitor) sendFile(path, name, text string, form ...string) answer {
	v.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(form); i += 2 {
		v.must(w.WriteField(form[i], form[i+1]))
	}
	part, err := w.CreateFormFile("file", name)
	v.must(err)
	_, err = part.Write([]byte(text))
	v.must(err)
	v.must(w.Close())
	return v.send(http.MethodPost, path, map[string]string{"Content-Type": w.FormDataContentType()}, &b)
}

// TestCoupons_file: a file of codes and handles becomes a draft; lines that are left out are told first.
func TestCoupons_file(t *testing.T) {
	h := newHouse(t)
	at := h.stockCodes("")
	m := h.manager()
	m.sendFile(at+"/file", "codes.csv", "code,handle\nANNA20,anna\n").is(http.StatusUnprocessableEntity).
		says("Choose the offer")
	m.post(at+"/file", "offer", "off_1", "back", at+"?offer=off_1").is(http.StatusUnprocessableEntity).
		says("Choose a file")
	m.sendFile(at+"/file", "codes.csv", "code,handle\n", "offer", "off_1").is(http.StatusUnprocessableEntity)
	m.sendFile(at+"/file", "codes.csv", "code,handle\nANNA20,@anna\n", "offer", "off_1").is(http.StatusOK).
		says("Take over 1 code", "ANNA20", "Anna Ahlers")
	a := m.sendFile(at+"/file", "codes.csv", "code,handle\nANNA20,@anna\nZOE5,@zoe\n", "offer", "off_1").
		is(http.StatusOK).
		says("Some lines are left out", "ZOE5", "Go on with 1 code")
	m.get(a.one("main a.primary").attr("href")).says("Take over 1 code")
	m.sendFile(at+"/file", "codes.csv", "code,handle\nZOE5,@zoe\n", "offer", "off_1").is(http.StatusOK).
		says("Nothing can be made of the file").hides("Go on with")
}

// TestCoupons_troubles: what is not as it should be is told with what to do, on the store's page of codes, on those of
// their owners, and at home.
func TestCoupons_troubles(t *testing.T) {
	buttons := map[affiliate.CouponTrouble][]string{
		affiliate.TroubleGone:    {"Make a new one", "End it here"},
		affiliate.TroubleStopped: {"Activate it", "Deactivate it here", "End it"},
		affiliate.TroubleChanged: {"Give it that again"}, affiliate.TroubleRunning: {"Stop it in the store"},
		affiliate.TroubleUses: nil,
	}
	for trouble, want := range buttons {
		t.Run(string(trouble), func(t *testing.T) {
			h := newHouse(t)
			at := h.stockCodes(trouble)
			v, m := h.viewer(), h.manager()
			h.owner().get("/").says("1 code is not as it should be in Northwind US")
			v.get(at+"?set=troubled").says("ANNA10", troubleTitles[trouble], "It is told so.", troubleAdvice[trouble]).
				hides("Leave it as it is", "ANNA20")
			v.get(annaInSpring).says(troubleTitles[trouble], "It is told so.", "Set it right")
			m.get(at + "?set=troubled").says(append(slices.Clone(want), "Leave it as it is")...)
			m.post(at+"/right", "code", "ANNA10", "do", "melt").is(http.StatusUnprocessableEntity)
			m.post(at+"/right", "code", "NEVER", "do", "end").is(http.StatusNotFound)
			for _, button := range remedies(trouble, true)[:len(want)] {
				if button.Do == string(affiliate.CodeRefresh) {
					h.setDiscount(1)
				}
				a := m.post(at+"/right", "code", "ANNA10", "do", button.Do, "back", at+"?set=troubled")
				if a.status != http.StatusOK || !strings.HasPrefix(a.address, "/code-runs/") {
					t.Errorf("%s led to %s (%d): %s", button.Text, a.address, a.status, a.text())
				}
			}
			m.post(at+"/right", "code", "ANNA10", "do", "accept", "back", at+"?set=troubled").at(at+"?set=troubled").
				says("ANNA10 counts as right as it is", "All is as it should be")
			h.owner().get("/").hides("is not as it should be")
			audit := h.owner().get("/settings/audit").says("took a code as it is for right in the store Northwind US")
			h.plain(audit)
		})
	}
}

// TestCoupons_troubles_ended: of a store that was disconnected nothing is left to be set right, also where what waits
// was read so slowly that it is shown for long.
func TestCoupons_troubles_ended(t *testing.T) {
	h := newHouse(t)
	h.stockCodes(affiliate.TroubleGone)
	o := h.owner()
	h.dashboard.work.Forget()
	_, err := h.dashboard.work.Get(t.Context(), func(context.Context) (openWork, error) {
		time.Sleep(200 * time.Millisecond) // shared for ten times that
		return openWork{troubled: map[affiliate.StoreID]int64{h.storeBySlug("shop").ID: 1}}, nil
	})
	h.must(err)
	o.get("/").says("1 code is not as it should be in Northwind US")
	o.post(storeAddress(h.storeBySlug("shop")) + "/end").is(http.StatusOK)
	o.get("/").hides("is not as it should be")
}

// TestCoupon_orders: the orders that carry a code stand beside the store's count of it.
func TestCoupon_orders(t *testing.T) {
	h := newHouse(t)
	at := h.stockCodes(affiliate.TroubleUses)
	h.sell(sale{code: "ANNA10", value: 80_00}, sale{code: "ANNA10", value: 30_00, canceled: true})
	h.viewer().get(at+"/orders?code=anna10").is(http.StatusOK).says("Orders with ANNA10", "40 uses", "1 order",
		"2 in all", "38 uses are of orders that never reached us", "#1001", "#1002", "Canceled")
	h.viewer().get(at+"/orders?code=NEVER").is(http.StatusOK).says("it was not read from the store", "No order here")
	h.viewer().get(at + "/orders").is(http.StatusOK).says("Show its orders")
}
