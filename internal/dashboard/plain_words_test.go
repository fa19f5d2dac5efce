package dashboard

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestPages_plainWords: whatever happened, whatever is searched and whatever goes wrong, pages speak in words of
// people: no ids of the database, no words of the program.
func TestPages_plainWords(t *testing.T) {
	t.Run("busy", func(t *testing.T) {
		h := eventfulHouse(t)
		h.plainPages(h.owner())
		h.plainRefusals(h.owner())
		h.plain(h.owner().post(spring+"/costs", "amount", "12.00", "currency", "USD", "day", "2026-11-03", "creator",
			"cre_999").is(http.StatusUnprocessableEntity))
		h.plain(h.owner().post("/deliveries/dlv_999/replay").is(http.StatusNotFound))
		h.plain(h.owner().post(annaInSpring+"/offers", "offer", "off_1").is(http.StatusUnprocessableEntity))
		h.plain(h.owner().post(annaInSpring+"/offers", "offer", "off_2").is(http.StatusUnprocessableEntity))
	})
	t.Run("viewer", func(t *testing.T) {
		h := busyHouse(t)
		for _, page := range h.openPages() {
			h.plain(h.viewer().get(page.address))
		}
	})
	t.Run("new", func(t *testing.T) {
		h := emptyHouse(t)
		link, err := h.app.SetupLink(h.Context())
		h.must(err)
		h.plain(h.nobody().get(strings.TrimPrefix(link, h.url)))
		h.plain(h.nobody().get("/welcome"))
		h.plain(h.nobody().get("/sign-in"))
		h = newHouse(t)
		for _, address := range []string{"/", "/orders", "/conversions", "/campaigns", "/creators",
			"/payouts", "/stores", "/start", "/payouts/recorded", "/payouts/runs", spring, spring + "/creators"} {
			h.plain(h.owner().get(address))
		}
	})
}

// TestPlain: raw words are found where people see them, and nowhere else.
func TestPlain(t *testing.T) {
	for markup, want := range map[string][]string{
		`<p>Delivery dlv_8 failed</p>`:                 {"dlv_8"},
		`<p>It is set_aside now</p>`:                   {"set_aside"},
		`<p>An accrual</p>`:                            {"accrual"},
		`<a title="pay_1">Payout</a>`:                  {"pay_1"},
		`<input placeholder="no_owner" value="usr_1">`: {"no_owner"},
		`<a href="/orders/ord_1">Order</a>`:            nil,
		`<pre>{"id": "ord_1"}</pre><code>ord_1</code>`: nil,
		`<p>by utm_source</p><b class="mono">a_b</b>`:  nil,
		`<b class="mono">tok_1</b>`:                    {"tok_1"},
		`<span class="badge">held</span>`:              {"held"},
		`<span class="badge">Held</span> are held`:     nil,
	} {
		page, err := html.Parse(strings.NewReader(markup))
		if err != nil {
			t.Fatal(err)
		}
		if got := rawWords(page); !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", markup, got, want)
		}
	}
}

var (
	rawID = regexp.MustCompile(`\b(acc|bat|cmp|cnv|cod|cre|cst|dlv|led|lnk|mem|ntc|off|ofm|omb|ord|pay|rrl|rwd|sec|str|tok|usr)_[0-9]+\b`)
	// rawWord is a word of the program: names of ours, and words that only it says.
	rawWord = regexp.MustCompile(`\b[a-z]+(?:_[a-z]+)+\b|\b(?:accruals?|reversals?|unconverted|unowned|noop|enum)\b`)
)

// realNames are words with _ that others gave to what they name.
var realNames = []string{"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "wp_options"}

// rawWords are what a page shows to people that is none of their words: in its text, and in attributes that are read
// out. Samples of code are for developers.
func rawWords(page *html.Node) (found []string) {
	look := func(text string, named bool) {
		found = append(found, rawID.FindAllString(text, -1)...)
		if named {
			return
		}
		for _, word := range rawWord.FindAllString(text, -1) {
			if !slices.Contains(realNames, word) && !rawID.MatchString(word) {
				found = append(found, word)
			}
		}
	}
	var walk func(n *html.Node, named bool)
	walk = func(n *html.Node, named bool) {
		if n.Type == html.TextNode {
			look(n.Data, named)
		}
		if n.Type == html.ElementNode {
			switch n.DataAtom {
			case atom.Script, atom.Style, atom.Code, atom.Pre:
				return
			}
			e := element{n}
			classes := strings.Fields(e.attr("class"))
			named = named || slices.Contains(classes, "mono") // as a store or a file names it
			for _, name := range []string{"title", "aria-label", "placeholder", "alt", "data-confirm"} {
				look(e.attr(name), named)
			}
			if text := e.text(); slices.Contains(classes, "badge") && text != "" &&
				strings.ToLower(text[:1]) == text[:1] &&
				text[0] >= 'a' {
				found = append(found, text)
			}
		}
		for c := range n.ChildNodes() {
			walk(c, named)
		}
	}
	walk(page, false)
	return found
}

// plain checks that an answer shows no raw words.
func (h *house) plain(a answer) {
	h.Helper()
	if strings.HasPrefix(a.address, "/docs") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/") ||
		strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		return // for developers and programs
	}
	if raw := rawWords(a.node); len(raw) > 0 {
		slices.Sort(raw)
		h.Errorf("%s (%d) shows %q", a.address, a.status, slices.Compact(raw))
	}
}

// plainPages reads every page, what links lead to, and lists by everything that they can be narrowed to.
func (h *house) plainPages(v *visitor) {
	h.Helper()
	const most = 500
	queue := []string{"/nowhere", "/orders/ord_999", "/orders/x", "/campaigns?state=nothing", "/?period=nothing",
		"/conversions?min_value=abc", "/orders?cursor=abc", "/settings/audit?subject=cmp_999",
		"/settings/audit?actor=nobody", "/?from=2026-13-01&to=x", "/search?q=anna", "/search?q=1003", "/search?q=ten",
		"/orders?creator=cre_999", "/conversions?campaign=cmp_999", "/orders?campaign=x"}
	for _, page := range h.openPages() {
		queue = append(queue, page.address)
	}
	seen := map[string]bool{}
	for len(queue) > 0 && len(seen) < most {
		address := queue[0]
		queue = queue[1:]
		if kind := kindOfPage(address); seen[kind] {
			continue
		} else {
			seen[kind] = true
		}
		a := v.get(address)
		h.plain(a)
		queue = append(queue, a.leadsTo()...)
	}
	h.Logf("%d pages read, %d left", len(seen), len(queue))
}

// digits stand for one thing or another of the same kind.
var digits = regexp.MustCompile(`[0-9]+`)

// kindOfPage is the same for addresses that show the same of other things.
func kindOfPage(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(u.Query())) {
		if value := u.Query().Get(key); value != "" && key != "cursor" {
			parts = append(parts, key+"="+digits.ReplaceAllString(value, "1"))
		}
	}
	return digits.ReplaceAllString(u.Path, "1") + "?" + strings.Join(parts, "&")
}

// leadsTo are the addresses of links on a page, and those of its lists narrowed to each of what can be chosen.
func (a answer) leadsTo() (list []string) {
	path, query, _ := strings.Cut(a.address, "?")
	if query != "" {
		return nil
	}
	for _, link := range a.all("a[href]") {
		to := link.attr("href")
		if strings.HasPrefix(to, "/") && !link.has("[download]") && link.attr("download") == "" &&
			!strings.Contains(to, ".csv") && !strings.Contains(to, ".xlsx") && !strings.HasPrefix(to, "/api/") &&
			!strings.HasPrefix(to, "/l/") && !strings.HasSuffix(to, "/body") && strings.Count(to, "&") < 2 {
			list = append(list, to)
		}
	}
	for _, form := range a.all("form") {
		if strings.EqualFold(form.attr("method"), "post") {
			continue
		}
		at := form.attr("action")
		if at == "" {
			at = path
		}
		for _, field := range form.all("select") {
			for _, option := range field.all("option") {
				list = append(list, at+"?"+url.Values{field.attr("name"): {option.attr("value")}}.Encode())
			}
		}
		for _, field := range form.all("input") {
			switch field.attr("type") {
			case "checkbox", "radio":
				list = append(list, at+"?"+url.Values{field.attr("name"): {field.attr("value")}}.Encode())
			case "hidden", "submit":
			default:
				list = append(list, at+"?"+url.Values{field.attr("name"): {"1.2.3"}}.Encode())
			}
		}
	}
	return list
}

// plainRefusals sends every form of every page with nothing in it and with what no field takes.
func (h *house) plainRefusals(v *visitor) {
	h.Helper()
	sent := map[string]bool{"/sign-out": true, "/account/sign-out-elsewhere": true}
	for _, page := range h.openPages() {
		for _, form := range v.get(page.address).all("form") {
			at := form.attr("action")
			if form.attr("method") != "post" || sent[digits.ReplaceAllString(at, "1")] {
				continue
			}
			sent[digits.ReplaceAllString(at, "1")] = true
			for _, wrong := range []string{"", "??", "1.2.3"} {
				h.plain(v.post(at, form.filledWith(wrong)...))
			}
		}
	}
	if len(sent) < 30 {
		h.Errorf("only %d forms were sent", len(sent))
	}
}

// filledWith are the fields of a form, all that can be typed or chosen of one text.
func (e element) filledWith(text string) (form []string) {
	for _, tag := range []string{"input", "select", "textarea"} {
		for _, field := range e.all(tag) {
			value := text
			if kind := field.attr("type"); kind == "hidden" && text != "??" {
				value = field.attr("value")
			}
			form = append(form, field.attr("name"), value)
		}
	}
	return form
}

// eventfulHouse is busyHouse after much more has happened: payouts and a payout run were canceled, deliveries failed
// and were given up, orders are held and released, codes are nobody's, a server was down, and all things were changed.
func eventfulHouse(t *testing.T) *house {
	t.Helper()
	h := busyHouse(t)
	ctx, owner := h.as(affiliate.RoleManager), h.as(affiliate.RoleOwner)
	all := storage.Page{Limit: storage.MaxLimit}
	do := func(_ any, err error) { h.Helper(); h.must(err) }
	spring, anna, ben := h.campaign("Spring"), h.creator("Anna Ahlers"), h.creator("Ben Botha")
	stores, _, err := h.db.Stores(ctx, all)
	h.must(err)
	shop := pick(h, stores, "shop", func(s affiliate.Store) string { return s.Slug })

	do(h.app.SetSettings(owner, []app.Setting{{Key: "minimum_payout", Value: "1.00"},
		{Key: "precedence", Value: "link_first"}}))
	h.sell(sale{code: "ANNA10", value: 80_00}, sale{code: "BEN5", value: 90_00}, sale{code: "LOST", value: 10_00},
		sale{code: "NEWS", value: 12_00}, sale{code: "LATER", value: 12_00},
		sale{code: "BEN5", value: 44_00, email: "ben@creators.example"})
	do(h.app.Decide(ctx, []affiliate.ConversionID{h.order("1009").Conversion.ID}, app.Release, "it is a gift"))
	do(h.app.Decide(ctx, []affiliate.ConversionID{h.order("1014").Conversion.ID}, app.Reject, "a mistake"))
	do(h.app.Decide(ctx, []affiliate.ConversionID{h.order("1014").Conversion.ID}, app.Undo, ""))
	do(h.app.DismissCodes(ctx, shop.ID, []string{"NEWS", "LATER"}))
	do(h.app.RestoreCodes(ctx, shop.ID, []string{"LATER"}))
	for _, cancel := range []bool{true, false} {
		run, err := h.app.SendPayouts(ctx, app.NewPayoutRun{Elsewhere: true, Reference: fmt.Sprint("SEPA ", cancel),
			Payouts: []app.NewPayout{{Creator: anna.ID}}})
		h.must(err)
		if cancel {
			do(h.app.CancelRun(ctx, run.ID, "the bank sent it back"))
		}
	}
	payouts, _, err := h.db.Payouts(ctx, storage.PayoutFilter{}, all)
	h.must(err)
	do(h.app.CancelPayout(ctx, payouts[0].ID, "wrong account"))

	for i := range 3 {
		h.deliver("shop", fmt.Sprintf(`{"not":"an order %d"`, i))
	}
	h.process()
	failed, _, err := h.db.ListDeliveries(ctx, storage.DeliveryFilter{State: storage.DeliveryFailed}, all)
	h.must(err)
	set := func(ids ...affiliate.DeliveryID) storage.DeliveryChoice {
		return storage.DeliveryChoice{IDs: ids}
	}
	do(h.app.SetAside(owner, set(failed[0].ID, failed[1].ID), "cannot be read"))
	do(h.app.PutBack(owner, set(failed[1].ID)))
	h.deliver("shop", h.body(sale{number: "2001", value: 5_00})) // waits

	do(h.app.AddCampaign(ctx, affiliate.Campaign{Name: "Autumn"}))
	do(h.app.EndCampaign(ctx, h.campaign("Autumn").ID))
	do(h.app.ChangeCampaign(ctx, spring.ID, spring.Version, func(c *affiliate.Campaign) error {
		c.ClickRule, c.Precedence = affiliate.FirstClick, affiliate.LinkFirst
		return nil
	}))
	offers, _, err := h.db.Offers(ctx, 0, all)
	h.must(err)
	ten := pick(h, offers, "Ten percent", func(o affiliate.Offer) string { return o.Name })
	gift := pick(h, offers, "Gift links", func(o affiliate.Offer) string { return o.Name })
	do(h.app.ChangeOffer(ctx, ten.ID, ten.Version, func(o *affiliate.Offer) error {
		o.Name = "Ten percent"
		return nil
	}))
	do(h.app.EndOffer(ctx, gift.ID))
	do(h.app.ChangeCreator(ctx, ben.ID, ben.Version, func(c *affiliate.Creator) error {
		c.Email = "ben@else.example"
		return nil
	}))
	members, _, err := h.db.Members(ctx, storage.MemberFilter{Campaign: spring.ID}, all)
	h.must(err)
	do(h.app.RemoveMember(ctx, members[0].ID))
	do(h.app.RestoreMember(ctx, members[0].ID))
	do(h.app.AddCreator(ctx, affiliate.Creator{Name: "Cleo Costa"}))
	do(h.app.RemoveCreator(ctx, h.creator("Cleo Costa").ID))
	costs, _, err := h.db.Costs(ctx, spring.ID, all)
	h.must(err)
	do(h.app.RemoveCost(ctx, costs[0].ID))
	do(h.app.AddToken(owner, app.TokenDraft{Name: "old", Role: affiliate.RoleManager}))
	tokens, _, err := h.db.Tokens(ctx, all)
	h.must(err)
	do(h.app.EndToken(owner, tokens[len(tokens)-1].ID))
	do(h.app.AddStoreSecret(owner, shop.ID, "another-secret-of-the-store"))
	do(h.app.ChangeUser(owner, h.user(affiliate.RoleViewer).ID, func(u *affiliate.User) error {
		u.Name = "Vera Viewing"
		return nil
	}))
	robot := app.As(ctx, affiliate.Principal{Name: "token " + tokens[0].ID.String() + " (warehouse)",
		Role: affiliate.RoleManager}) // as the API signs what it does
	do(h.app.Decide(robot, []affiliate.ConversionID{h.order("1015").Conversion.ID}, app.Reject, "sent back"))
	h.clock.advance(time.Hour)
	h.owner().get("/settings/audit").is(http.StatusOK).says("API token warehouse", "set deliveries aside",
		"2 deliveries")
	return h
}
