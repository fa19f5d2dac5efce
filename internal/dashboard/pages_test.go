package dashboard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

var screenshots = flag.String("screenshots", "", "a `folder` that TestPages_browser fills with pictures of all pages")

// openPage is one GET route of the table with its parameters filled in.
type openPage struct {
	name    string // of files: "settings-people"
	address string
	access  access
}

// openPages lists the pages of the table of routes, so that no page is forgotten: what is not HTML is left out.
func (h *house) openPages() []openPage {
	h.Helper()
	ids := h.ids()
	var list []openPage
	for _, route := range h.dashboard.routes() {
		if route.method != http.MethodGet || route.path == "/live" || route.path == "/recalculation" {
			continue
		}
		parts := strings.Split(route.path, "/")
		var names []string
		for i, part := range parts {
			name, isParameter := strings.CutPrefix(part, ":")
			if isParameter {
				if parts[i] = ids.of(route.path, part); parts[i] == "" {
					h.Fatalf("the route %s has a parameter that the test has no value for: add it to ids", route.path)
				}
			}
			if name != "" {
				names = append(names, name)
			}
		}
		page := openPage{strings.Join(names, "-"), strings.Join(parts, "/"), route.access}
		if page.name == "" {
			page.name = "home"
		}
		list = append(list, page)
	}
	return list
}

// pathIDs are ids of things in a busy house, by the end of the path up to their parameter: "stores/:store".
type pathIDs map[string]string

// of gives the value of a parameter of a route, or "".
func (ids pathIDs) of(route, parameter string) string {
	upTo, _, _ := strings.Cut(route+"/", "/"+parameter+"/")
	for end, id := range ids {
		if strings.HasSuffix(upTo+"/"+parameter, "/"+end) {
			return id
		}
	}
	return ""
}

func (h *house) ids() pathIDs {
	h.Helper()
	ctx, all := h.Context(), storage.Page{Limit: storage.MaxLimit}
	stores, _, err := h.db.Stores(ctx, all)
	h.must(err)
	offers, _, err := h.db.Offers(ctx, 0, all)
	h.must(err)
	members, _, err := h.db.Members(ctx, storage.MemberFilter{Campaign: h.campaign("Spring").ID}, all)
	h.must(err)
	runs, _, err := h.db.PayoutRuns(ctx, all)
	h.must(err)
	if len(runs) == 0 {
		h.sell(sale{code: "ANNA10", value: 80_00})
		_, err := h.app.SendPayouts(h.as(affiliate.RoleOwner), app.NewPayoutRun{Elsewhere: true,
			Reference: "SEPA 2026-12", Payouts: []app.NewPayout{{Creator: h.creator("Anna Ahlers").ID}}})
		h.must(err)
	}
	payouts, _, err := h.db.Payouts(ctx, storage.PayoutFilter{}, all)
	h.must(err)
	tokens, _, err := h.db.Tokens(ctx, all)
	h.must(err)
	deliveries, _, err := h.db.ListDeliveries(ctx, storage.DeliveryFilter{}, all)
	h.must(err)
	links, _, err := h.db.Links(ctx, storage.LinkFilter{}, all)
	h.must(err)
	run := h.draftedRun()
	letter := h.sentMail()
	shop := pick(h, stores, "shop", func(s affiliate.Store) string { return s.Slug })
	offer := pick(h, offers, "Ten percent", func(o affiliate.Offer) string { return o.Name })
	return pathIDs{"campaigns/:id": h.campaign("Spring").ID.String(),
		"creators/:id": h.creator("Anna Ahlers").ID.String(), "orders/:id": h.order("1003").ID.String(),
		"stores/:store": shop.ID.String(), "offers/:offer": offer.ID.String(),
		"members/:member": members[0].ID.String(), "payouts/:id": payouts[0].ID.String(),
		"payouts/runs/:run": payouts[0].RunID.String(), "results/:file": h.resultFile().ID.String(),
		"people/:person": h.user(affiliate.RoleViewer).ID.String(), "tokens/:token": tokens[0].ID.String(),
		"deliveries/:delivery": deliveries[0].ID.String(), "links/:link": links[0].ID.String(),
		"code-runs/:run": run.ID.String(), "mail/:send": letter.SendID.String(),
		"statements/:statement": h.issuedStatement().ID.String(),
		":send/:mail":           letter.ID.String(), "texts/:purpose": string(affiliate.MailCode)}
}

// issuedStatement is a statement of a month in which nothing happened.
func (h *house) issuedStatement() (s affiliate.Statement) {
	h.Helper()
	list, _, err := h.db.Statements(h.Context(), storage.StatementFilter{}, storage.Page{})
	h.must(err)
	if len(list) > 0 {
		return list[0]
	}
	month := affiliate.MonthBefore(noon, time.UTC)
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		list, err := tx.CreateStatements(h.Context(), 2026, []affiliate.Statement{{
			CreatorID: h.creator("Anna Ahlers").ID, Month: month.Month, Currency: "USD",
			FromAt: month.FromAt, ToAt: month.ToAt, Zone: month.Zone, Name: "Anna Ahlers", Brand: "Northwind",
			Author: "Olga Owner", CreatedAt: noon}})
		if err == nil {
			s = list[0]
		}
		return err
	}))
	return s
}

// draftedRun is a run that would make codes for all of the offer Ten percent, which is not started.
func (h *house) draftedRun() affiliate.CodeRun {
	h.Helper()
	ctx := h.as(affiliate.RoleManager)
	offers, _, err := h.db.Offers(ctx, h.campaign("Spring").ID, storage.Page{Limit: storage.MaxLimit})
	h.must(err)
	offer := pick(h, offers, "Ten percent", func(o affiliate.Offer) string { return o.Name })
	h.setDiscount(offer.ID)
	run, err := h.app.DraftCodeRun(ctx, app.NewCodeRun{Action: affiliate.CodeMake, Offer: offer.ID})
	h.must(err)
	return run
}

// setDiscount says what the codes of an offer give, and how they are made.
func (h *house) setDiscount(id affiliate.OfferID) {
	h.Helper()
	_, err := h.app.ChangeOffer(h.as(affiliate.RoleManager), id, app.AnyVersion, func(o *affiliate.Offer) error {
		o.Discount.Kind, o.Discount.Percent, o.CodePattern = affiliate.DiscountPercent, 10_00, "{{handle}}10"
		return nil
	})
	h.must(err)
}

// TestPages_markup: every page opens for whoever may, and is well made as far as its markup shows.
func TestPages_markup(t *testing.T) {
	h := busyHouse(t)
	for _, page := range h.openPages() {
		for role, v := range map[affiliate.Role]*visitor{affiliate.RoleOwner: h.owner(),
			affiliate.RoleManager: h.manager(), affiliate.RoleViewer: h.viewer()} {
			a := v.get(page.address)
			allowed := page.access == anybody || page.access == signedIn || role.May(affiliate.Permission(page.access))
			if want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[allowed]; a.status != want {
				t.Errorf("%s as %s: status %d, want %d: %s", page.address, role, a.status, want, a.text())
			}
			if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				wellMade(t, a)
				h.offersOnlyWhatIsAllowed(a, role)
			}
		}
		a := h.nobody().get(page.address)
		if page.access != anybody && (a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"),
			"/sign-in")) {
			t.Errorf("%s without signing in: status %d to %q, want the sign-in page", page.address, a.status,
				a.header.Get("Location"))
		}
	}
}

// offersOnlyWhatIsAllowed checks that a page has no form or link that would be refused to a role.
func (h *house) offersOnlyWhatIsAllowed(a answer, role affiliate.Role) {
	h.Helper()
	check := func(method, address string) {
		path, _, _ := strings.Cut(address, "?")
		path, _, _ = strings.Cut(path, "#")
		for _, route := range h.dashboard.routes() {
			if route.method == method && route.access != anybody && route.access != signedIn &&
				leadsTo(route.path, path) && !role.May(affiliate.Permission(route.access)) {
				h.Errorf("%s shows a %s: %s %s, which is refused", a.address, role, method, path)
			}
		}
	}
	for _, form := range a.all("form") {
		check(strings.ToUpper(cmp.Or(form.attr("method"), "get")), form.attr("action"))
	}
	for _, link := range a.all("a[href]") {
		check(http.MethodGet, link.attr("href"))
	}
}

// leadsTo says whether a path is one of a route, of which nothing is fixed where the route has a parameter.
func leadsTo(route, path string) bool {
	fixed, given := strings.Split(route, "/"), strings.Split(path, "/")
	return slices.EqualFunc(fixed, given, func(want, got string) bool {
		return want == got || strings.HasPrefix(want, ":") && strings.ContainsAny(got, "_0123456789")
	})
}

// TestPages_full: a page with as many rows as it can have stays small on its way, and whoever cannot unpack gets it as
// it is.
func TestPages_full(t *testing.T) {
	h := newHouse(t)
	var sales []sale
	for i := range limit + 5 {
		sales = append(sales, sale{code: "ANNA10", value: int64(1234*i + 5)})
	}
	h.sell(sales...)
	b := h.browse(affiliate.RoleOwner)
	b.withoutCache()
	for _, address := range []string{"/", spring, "/orders", creatorAddress(h.creator("Anna Ahlers").ID) +
		"/statement"} {
		b.open(address)
		if n := b.received(); n > maxPage {
			t.Errorf("%s transfers %d bytes, want at most %d", address, n, maxPage)
		}
	}
	for _, address := range []string{"/", spring} {
		if n := h.firstVisit(address); n > maxPage {
			t.Errorf("%s takes %d bytes with all that it names, want at most %d", address, n, maxPage)
		}
	}
	for header, want := range map[string]string{"gzip, deflate, br": "gzip", "br;q=1.0, gzip;q=0.5": "gzip",
		"gzip;q=0": "", "gzip; q=0.0": "", "identity": "", "br": ""} {
		a := h.owner().send(http.MethodGet, "/orders", map[string]string{"Accept-Encoding": header},
			nil).is(http.StatusOK)
		if got := a.header.Get("Content-Encoding"); got != want || a.header.Get("Vary") != "Accept-Encoding" ||
			want == "" && !strings.Contains(a.body, "Anna Ahlers") {
			t.Errorf("%q gets %q, varying by %q", header, got, a.header.Get("Vary"))
		}
	}
}

// firstVisit is how many bytes a page takes with its style sheets, scripts and icon, as they are sent.
func (h *house) firstVisit(address string) (n int) {
	h.Helper()
	packed := map[string]string{"Accept-Encoding": "gzip"}
	page := h.owner().get(address).is(http.StatusOK)
	addresses := []string{address}
	for _, e := range append(page.all("head link[href]"), page.all("head script[src]")...) {
		addresses = append(addresses, e.attr("href")+e.attr("src"))
	}
	if len(addresses) < 5 {
		h.Fatalf("%s names %q alone", address, addresses[1:])
	}
	for _, a := range addresses {
		n += len(h.owner().send(http.MethodGet, a, packed, nil).is(http.StatusOK).body)
	}
	return n
}

// wellMade checks what every page has to keep.
func wellMade(t *testing.T, a answer) {
	t.Helper()
	if n := len(a.all("h1")); n != 1 {
		t.Errorf("%s has %d headings h1, want one", a.address, n)
	}
	if titles := a.all("head title"); len(titles) != 1 || titles[0].node.FirstChild == nil ||
		strings.HasPrefix(titles[0].node.FirstChild.Data, " ·") {
		t.Errorf("%s has no title", a.address)
	}
	if policy := a.header.Get("Content-Security-Policy"); policy == "" || strings.Contains(policy, "unsafe") {
		t.Errorf("%s has the policy %q", a.address, policy)
	}
	if foot := a.texts("footer.foot"); len(foot) > 0 && !strings.HasSuffix(foot[0], " Tributary test") {
		t.Errorf("%s ends with %q, which does not name the version test", a.address, foot[0])
	}
	seen := map[string]bool{}
	for n := range a.node.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		e := element{n}
		if id := e.attr("id"); id != "" && seen[id] {
			t.Errorf("%s has the id %q twice", a.address, id)
		} else if id != "" {
			seen[id] = true
		}
		for _, attribute := range n.Attr {
			if attribute.Key == "style" || strings.HasPrefix(attribute.Key, "on") {
				t.Errorf("%s: <%s %s=%q> is forbidden by the policy", a.address, n.Data, attribute.Key, attribute.Val)
			}
		}
		if n.Data == "style" || n.Data == "script" && e.attr("src") == "" {
			t.Errorf("%s has an inline <%s>, which the policy forbids", a.address, n.Data)
		}
		if n.Data == "form" && e.attr("method") == "post" && !strings.HasPrefix(e.attr("action"), "/") {
			t.Errorf("%s has a form that goes to %q", a.address, e.attr("action"))
		}
	}
	for _, broken := range []string{"<no value>", "%!", "ZgotmplZ", "Jan 0001"} {
		if strings.Contains(a.body, broken) {
			t.Errorf("%s shows %q", a.address, broken)
		}
	}
}

// TestPages_browser opens every page in Chromium, light and dark, wide and narrow: axe finds no moderate fault, nothing
// is reported on the console or asked of other servers, nothing scrolls sideways, and a first visit transfers little.
// With -screenshots it also takes pictures.
func TestPages_browser(t *testing.T) {
	h := busyHouse(t)
	h.dashboard.Demo = true // which says so on every page
	b := h.browse(affiliate.RoleOwner)
	b.withoutCache()
	for _, page := range h.openPages() {
		a := h.owner().get(page.address)
		if a.address == page.address && strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			b.inspect(page.name, page.address)
		}
	}
	b.excuse("404")
	b.inspect("not-found", "/nowhere")
	stranger := h.browseAsNobody()
	stranger.withoutCache()
	stranger.inspect("sign-in", "/sign-in")
	fresh := emptyHouse(t).browseAsNobody()
	fresh.withoutCache()
	fresh.inspect("welcome", fresh.setupLink())
	fresh.excuse("403")
	fresh.inspect("welcome-without-link", "/welcome")
}

// maxPage is how many bytes a first visit of a page may transfer, with all that it needs.
const maxPage = 100_000

// looks are how pages are looked at. Faults of colour and of layout depend on one of both, so that two see them all;
// pictures are taken of all.
var looks = []struct {
	name     string
	width    int64
	dark     bool
	examined bool
}{{"1440-light", 1440, false, true}, {"1440-dark", 1440, true, false}, {"390-dark", 390, true, true},
	{"390-light", 390, false, false}}

// inspect looks at one page in every size and look.
func (b *tab) inspect(name, address string) {
	b.Helper()
	b.within(name, func() {
		b.viewport(1440, 900)
		b.dark(false)
		b.open(address)
		if n := b.received(); n > maxPage {
			b.Errorf("%s transfers %d bytes, want at most %d", address, n, maxPage)
		}
		faults := map[string][]string{} // in which looks
		for _, look := range looks {
			if !look.examined && *screenshots == "" {
				continue
			}
			b.viewport(look.width, 900)
			b.dark(look.dark)
			for _, fault := range b.inaccessible() {
				faults[fault] = append(faults[fault], look.name)
			}
			if *screenshots != "" {
				b.screenshot(filepath.Join(*screenshots, name+"-"+look.name+".png"))
			}
		}
		for fault, seen := range faults {
			b.Errorf("%s (%s): %s", address, strings.Join(seen, ", "), fault)
		}
		for _, width := range []int64{360, 390, 768, 1024, 1600} {
			b.viewport(width, 900)
			if n := b.overflow(); n > 0 {
				b.Errorf("%s is %d pixels wider than a window of %d: %s", address, n, width, b.widest())
			}
		}
	})
}

// widest names the elements that stick out of the window.
func (b *tab) widest() string {
	b.Helper()
	var names []string
	b.eval(`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5 && !e.closest(".table-wrap, pre, .tabs"))
		.slice(0, 5).map((e) => e.tagName.toLowerCase() + "." + e.className + " " + Math.round(e.getBoundingClientRect().right))`, &names)
	return strings.Join(names, ", ")
}

// inaccessible runs axe on the page that is open. Faults against WCAG count whatever axe thinks of their weight; those
// against its own good practice unless they are minor. Each fault is told once, with the first element.
func (b *tab) inaccessible() []string {
	b.Helper()
	script, err := axeScript()
	b.must(err)
	b.eval(`typeof axe === "object" || (() => {` + script + `})()`)
	var found []struct {
		ID     string
		Impact string
		Help   string
		Tags   []string
		Nodes  []struct{ HTML, FailureSummary string }
	}
	b.eval(`axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }).then((r) => r.violations)`, &found)
	var faults []string
	for _, v := range found {
		if !slices.Contains(v.Tags, "best-practice") || v.Impact != "minor" {
			faults = append(faults, fmt.Sprintf("axe %s (%s): %s, %d times\n%s\n%s", v.ID, v.Impact, v.Help,
				len(v.Nodes), v.Nodes[0].HTML, v.Nodes[0].FailureSummary))
		}
	}
	return faults
}

// axeScript gives axe-core, which npm installs once into the cache of the machine: its license lets us use it, but no
// script of others is kept in this repository.
var axeScript = sync.OnceValues(func() (string, error) {
	lock, err := os.ReadFile("testdata/package-lock.json")
	if err != nil {
		return "", err
	}
	caches, err := os.UserCacheDir()
	if err != nil {
		caches = os.TempDir()
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(caches, "tributary-tests", "npm-"+hex.EncodeToString(sum[:8]))
	script := filepath.Join(folder, "node_modules", "axe-core", "axe.min.js")
	text, err := os.ReadFile(script)
	if errors.Is(err, os.ErrNotExist) {
		if err = installNPM(folder); err == nil {
			text, err = os.ReadFile(script)
		}
	}
	return string(text), err
})

// installNPM installs what package-lock.json names into a folder, which is there as a whole or not at all.
func installNPM(folder string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("the tests of pages need npm, to fetch axe-core: apt-get install -y npm")
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), "installing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = work
	if said, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci, which the tests of pages fetch axe-core with: %w\n%s", err, said)
	}
	if err := os.Rename(work, folder); err != nil {
		if _, there := os.Stat(folder); there != nil { // otherwise another test run was faster
			return err
		}
	}
	return nil
}
