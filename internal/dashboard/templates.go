package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the pages by file name, each with the layout and the shared parts. A page is parsed when it is first
// asked for: with the shared parts copied into all of them, they were half of what an idle server held.
type templates struct {
	shared *template.Template
	mu     sync.Mutex
	byName map[string]*template.Template
}

// Files whose definitions all pages share.
var sharedTemplates = []string{"templates/layout.html", "templates/parts.html", "templates/campaign_parts.html",
	"templates/conversion_parts.html", "templates/access_parts.html", "templates/run_parts.html",
	"templates/settings_parts.html", "templates/status_parts.html", "templates/code_parts.html",
	"templates/reward_parts.html", "templates/mail_parts.html", "templates/payout_parts.html"}

func loadTemplates(a *assets) (*templates, error) {
	functions := template.FuncMap{
		"asset": func(name string) (string, error) {
			address, ok := a.address[name]
			if !ok {
				return "", fmt.Errorf("there is no asset %s", name)
			}
			return address, nil
		},
		"icon": icon, "actor": actorText, "amount": amount, "money": moneyText, "count": countText, "dict": dict,
		"percent": percentText,
		"counted": counted, "month": affiliate.MonthText, "amountField": money.Format, "figure": figureCell,
		"figureTotal":  figureTotal,
		"notConverted": notConverted, "arrows": arrows, "crumbs": crumbs,
	}
	shared, err := template.New("shared").Funcs(functions).ParseFS(templateFiles, sharedTemplates...)
	return &templates{shared: shared, byName: map[string]*template.Template{}}, err
}

// page gives a page by the name of its file.
func (t *templates) page(name string) (*template.Template, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if page := t.byName[name]; page != nil {
		return page, nil
	}
	page, err := t.shared.Clone()
	if err == nil {
		page, err = page.ParseFS(templateFiles, "templates/"+name)
	}
	if err != nil {
		return nil, fmt.Errorf("parse the page %s: %w", name, err)
	}
	t.byName[name] = page
	return page, nil
}

// dict makes a map for templates that need several values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs names and values")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// crumb is one step of the way to a page; the page itself has no address.
type crumb struct{ Name, Address string }

// crumbs makes the way to a page from names and addresses by turns; steps without a name are left out.
func crumbs(pairs ...string) (way []crumb) {
	for pair := range slices.Chunk(pairs, 2) {
		if pair[0] != "" {
			way = append(way, crumb{pair[0], strings.Join(pair[1:], "")})
		}
	}
	return way
}

// layout is what every page shows around its content.
type layout struct {
	Title         string
	Section       string // of the navigation
	Account       string // the brand
	User          *affiliate.User
	Prove         bool // forms that need a proof ask for the password again
	Nav           []navItem
	Notice        string
	Failure       string
	Demo          bool
	Zone          string
	Currency      money.Currency
	Signs         numberSigns            // of the person
	Program       string                 // its version; forms have versions of their own
	Since         int64                  // when this page began to be read, in milliseconds
	Recalculation *storage.Recalculation // under way
	Unwritable    string                 // why nothing new can be kept
	Theme         string                 // how pages look: dark, light, or empty
	Themes        []theme                // those there are
	Printed       string                 // when the page was made, for its head on paper
}

// HeldBack says whether figures are shown as they were before a change, until all are computed anew.
func (l layout) HeldBack() bool { return l.Recalculation != nil && l.Recalculation.Before != "" }

type navItem struct {
	Section, Name, Address, Icon string
	Count                        int // what needs attention; 0 shows nothing
}

// layout fills the frame of a page.
func (r *request) layout(title, section string) layout {
	l := layout{Title: title, Section: section, Account: r.settings.Name, Demo: r.d.Demo, Zone: r.settings.Timezone,
		Currency: r.settings.Currency, Signs: signsOf(r.numbers()), Program: r.d.Version, Notice: r.notice(),
		Since: r.began.UnixMilli(), Theme: r.theme(), Themes: themes}
	if r.zone != nil { // it is not known when the account could not be read
		l.Printed = r.moment(r.d.App.Now())
	}
	if r.user.ID == 0 {
		return l
	}
	l.User, l.Prove = &r.user, r.mustProve()
	if u := r.d.App.DB.Unwritable(); u != nil {
		l.Unwritable = sentenceOf("", u.Detail)
	}
	failed, _ := r.d.App.DB.FailedDeliveries(r.Request.Context()) // a page without the count is better than none
	l.Nav = []navItem{{"home", "Sales tracking", "/", "home", 0},
		{"campaigns", "Campaigns", "/campaigns", "campaign", 0},
		{"creators", "Creators", "/creators", "people", 0}, {"orders", "Orders", "/orders", "order", 0},
		{"rewards", "Rewards", "/rewards", "gift", 0},
		{"payouts", "Payouts", "/payouts", "payout", 0}, {"stores", "Stores", "/stores", "store", failed},
		{"settings", "Settings", "/settings", "settings", 0}}
	if r.may(affiliate.MayChangeCatalog) {
		at := slices.IndexFunc(l.Nav, func(n navItem) bool { return n.Section == "stores" })
		l.Nav = slices.Insert(l.Nav, at, navItem{"mail", "Mail", "/mail", "mail", 0})
	}
	l.Recalculation = r.underway()
	return l
}

// largePage is the size in bytes from which packing a page well saves more time than it takes, and hugePage that from
// which packing it as well as can be does.
const (
	largePage = 300 << 10
	hugePage  = 400 << 10
)

// render makes the whole page before the first byte is sent, so that a failure is still an error page. Where a script
// asks for one part of the page (?part=id), only the template of that name is sent.
func (r *request) render(status int, name string, page any) {
	t, err := r.d.pages.page(name)
	var b bytes.Buffer
	if err == nil {
		part := "layout"
		if id := r.Query("part"); id != "" && t.Lookup("part-"+id) != nil {
			part = "part-" + id
		}
		err = t.ExecuteTemplate(&b, part, page)
	}
	if err != nil {
		r.d.Log.Error("page not rendered", "template", name, "error", err)
		r.String(http.StatusInternalServerError,
			"Something went wrong on our side. It has been logged; trying again may help.")
		return
	}
	r.Header("Vary", "Accept-Encoding")
	body := unmarked(b.Bytes(), r.numbers(), true)
	if acceptsGzip(r.GetHeader("Accept-Encoding")) {
		level := gzip.BestSpeed
		switch {
		case len(body) > hugePage:
			level = gzip.BestCompression
		case len(body) > largePage:
			level = gzip.DefaultCompression
		}
		if packed, err := pack(body, level); err == nil { // unpacked is as good
			r.Header("Content-Encoding", "gzip")
			body = packed
		}
	}
	r.Data(status, "text/html; charset=utf-8", body)
}

// show renders a page that is as it should be.
func (r *request) show(name string, page any) error {
	r.render(http.StatusOK, name, page)
	return nil
}

// amount writes minor units for people: "−1,234.50", in the signs of whoever reads it.
func amount(minor int64, c money.Currency) string { return money.Marked(money.Format(minor, c)) }

// moneyText writes an amount with its currency: "1,234.50 EUR".
func moneyText(minor int64, c money.Currency) string { return amount(minor, c) + " " + c.Code() }

// countText writes a whole number for people: "12,345".
func countText(n any) string { return money.Marked(fmt.Sprint(n)) }

// percentText writes 1/10000 as a percentage: 1234 is "12.34 %".
func percentText(n int64) string { return percentOf(n, 2) }

// percentOf writes a percentage with some decimals, given in units of the last one.
func percentOf(n int64, decimals int) string {
	return money.Marked(money.FormatScaled(n, decimals)) + " %"
}

// date writes a day of the account's zone: "21 Nov 2026".
func (r *request) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.zone).Format("2 Jan 2006")
}

// clockTime writes the time of a day, in the account's zone: "14:05".
func (r *request) clockTime(t time.Time) string { return markedTime(t, t.In(r.zone).Format("15:04")) }

// moment writes a time of the account's zone: "21 Nov 2026, 14:05". On a page it is an element that tells the time in
// UTC as well.
func (r *request) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return markedTime(t, t.In(r.zone).Format("2 Jan 2006, 15:04"))
}
