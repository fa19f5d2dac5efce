package dashboard

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

func homeRoutes() []route {
	return []route{
		{http.MethodGet, "/", signedIn, (*request).homePage},
		{http.MethodGet, "/sales.csv", signedIn, (*request).salesCSV},
		{http.MethodGet, "/sales.xlsx", signedIn, (*request).salesXLSX},
		{http.MethodGet, "/offers.csv", signedIn, (*request).offersCSV},
		{http.MethodGet, "/offers.xlsx", signedIn, (*request).offersXLSX},
		{http.MethodPost, "/views", signedIn, (*request).saveView},
		{http.MethodPost, "/views/forget", signedIn, (*request).forgetView},
	}
}

// homePage is the whole account over a period: everybody counts, also those who left.
type homePage struct {
	layout
	Period     periodChoice
	Filter     homeFilter
	Campaigns  []choice
	Chosen     map[string]bool // campaigns of the filter
	Bounds     []boundField
	Views      []savedView
	Figures    []figure
	Total      report.Sums
	Chart      chart
	Parts      []totalPart             // what the total is made of
	Uncredited []storage.CurrencySales // sales without a creator
	List       offerList
	Hidden     []hiddenField
	CSV, XLSX  string        // addresses of the sales behind the total
	Query      string        // of this view, to save it
	Kept       []hiddenField // of the search among offers: all other parameters
	Statuses   []choice      // of offers
	Tasks      []task
	Steps      []startStep
}

// homeFilter narrows everything on the page to some offers.
type homeFilter struct {
	Campaigns []affiliate.CampaignID
	Status    affiliate.OfferStatus
	Type      affiliate.OfferType
	Text      string
	Bounds    []report.Bound
}

// Narrowed says whether the totals leave out some offers.
func (f homeFilter) Narrowed() bool { return len(f.Campaigns) > 0 || f.Status != "" || f.Type != "" }

// Count is how many filters are set.
func (f homeFilter) Count() int {
	n := len(f.Bounds)
	if len(f.Campaigns) > 0 {
		n++
	}
	for _, set := range []bool{f.Status != "", f.Type != ""} {
		if set {
			n++
		}
	}
	return n
}

// boundField is a pair of fields of the filter: an offer is listed when its figure is between them.
type boundField struct {
	Figure   report.Figure
	Min, Max string
	Error    string
}

// boundFields are the figures that offers can be narrowed by.
func boundFields() (fields []boundField) {
	for _, f := range report.Bounded() {
		fields = append(fields, boundField{Figure: f})
	}
	return fields
}

// totalPart is one summand of the total sales.
type totalPart struct {
	Label   string
	Amount  string
	Address string
}

// offerList is the table of offers with their figures.
type offerList struct {
	Columns []column
	Shows   map[string]bool // columns by name
	Rows    []homeOffer
	Count   int64
	Total   *affiliate.Sums // of all rows; nil where only reading all of them could tell
	Pager   pager
	Tools   tableTools
}

type homeOffer struct {
	report.OfferRow
	Address string
	Rule    string
}

// task is something that waits for a person.
type task struct {
	Icon, Text, Address string
	Bad                 bool
}

type savedView struct{ Name, Address, Query string }

// homeFilter reads the address.
func (r *request) homeFilter() (f homeFilter, fields []boundField, err error) {
	if f.Campaigns, err = affiliate.ParseIDs[affiliate.CampaignID]("campaign", "cmp_",
		r.QueryArray("campaign")); err != nil {
		return f, nil, err
	}
	if f.Status, err = affiliate.ParseWord[affiliate.OfferStatus]("offer_status", r.Query("offer_status")); err != nil {
		return f, nil, err
	}
	if f.Type, err = affiliate.ParseWord[affiliate.OfferType]("offer_type", r.Query("offer_type")); err != nil {
		return f, nil, err
	}
	f.Text = strings.TrimSpace(r.Query("q"))
	fields = boundFields()
	for i := range fields {
		b := &fields[i]
		key := string(b.Figure.Key)
		b.Min, b.Max = strings.TrimSpace(r.Query("min_"+key)), strings.TrimSpace(r.Query("max_"+key))
		bound := report.Bound{Figure: b.Figure.Key}
		if bound.Min, err = r.boundOf(b.Figure, b.Min); err == nil {
			bound.Max, err = r.boundOf(b.Figure, b.Max)
		}
		if err != nil {
			b.Error, err = "Write a number, such as 100.", nil
			continue
		}
		if bound.Min != nil || bound.Max != nil {
			f.Bounds = append(f.Bounds, bound)
		}
	}
	return f, fields, nil
}

// boundOf reads a count or an amount of the account's currency; nil for nothing.
func (r *request) boundOf(f report.Figure, text string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	digits := 0
	if f.Kind == report.Money {
		digits = r.settings.Currency.Digits()
	}
	plain, err := r.readNumber("number", text)
	if err != nil {
		return nil, err
	}
	n, err := money.ParseScaled(plain, digits)
	return &n, err
}

// Parts of the page that follow what happens.
const (
	partTotals = "totals"
	partTasks  = "tasks"
	partOffers = "offers"
)

func (r *request) homePage() error {
	p := &homePage{layout: r.layout("Home", "home"), Query: r.Request.URL.RawQuery,
		Statuses: []choice{{"active", "active"}, {"paused", "paused"}, {"expired", "expired"},
			{"archived", "archived"}}}
	var err error
	if p.Period, err = r.period(); err != nil {
		return err
	}
	if p.Filter, p.Bounds, err = r.homeFilter(); err != nil {
		return err
	}
	part := r.Query("part")
	for _, read := range []struct {
		part string
		read func(*homePage) error
	}{{partTotals, r.readTotals}, {partTasks, r.readTasks}, {partOffers, r.readOffers}, {"", r.readHomeChoices}} {
		if part == "" || part == read.part {
			if err := read.read(p); err != nil {
				return err
			}
		}
	}
	return r.show("home.html", p)
}

func (p *homePage) report(r *request) report.Report {
	return report.Report{Scope: report.Scope{Campaigns: p.Filter.Campaigns, OfferStatus: p.Filter.Status,
		OfferType: p.Filter.Type, Former: true},
		Range: p.Period.Range, Currency: r.settings.Currency, Drawn: true}
}

// readTotals reads the figures and the chart.
func (r *request) readTotals(p *homePage) error {
	of := p.report(r)
	o, err := of.Overview(r.Request.Context(), r.d.App.DB, "", r.settings, r.d.App.Now())
	if err != nil {
		return err
	}
	p.Total, p.Figures = o.Sums, figuresOf(report.Cards(), o.KeyFigures, of.Currency)
	p.Chart = newChart("home-chart", o.Chart, of.Currency, p.Period.Compared)
	current := p.Total.Sales - p.Total.Former.Sales
	p.Parts = []totalPart{{"current creators of all campaigns", moneyText(current, of.Currency), "/campaigns" +
		periodQuery(r)},
		{"creators who left", moneyText(p.Total.Former.Sales, of.Currency), "/campaigns" +
			withParameter(periodQuery(r), "former", "1")}}
	if !p.Filter.Narrowed() {
		p.Uncredited = o.Uncredited
	}
	query := r.Request.URL.Query()
	for _, drop := range []string{"cursor", "part", "sort", "q"} {
		query.Del(drop)
	}
	p.CSV, p.XLSX = "/sales.csv?"+query.Encode(), "/sales.xlsx?"+query.Encode()
	return nil
}

// readOffers reads the table of offers.
func (r *request) readOffers(p *homePage) error {
	l := &p.List
	var err error
	if l.Columns, err = r.columns("offers"); err != nil {
		return err
	}
	list, err := r.offerSearch(p, l.Columns)
	if err != nil {
		return err
	}
	l.Shows = shown(l.Columns)
	found, err := list.OfferRows(r.Request.Context(), r.d.App.DB)
	if err != nil {
		return err
	}
	for _, o := range found.Rows {
		l.Rows = append(l.Rows, homeOffer{o, campaignAddress(o.CampaignID) + withParameter(periodQuery(r), "offer",
			o.ID.String()), commissionText(o.Rule, "")})
	}
	l.Count, l.Total, l.Pager = found.Count, found.Total, r.pager(found.Next)
	l.Tools = r.tools("offers", l.Columns, "/offers")
	return nil
}

// offerSearch is which offers the page lists, and how they are sorted.
func (r *request) offerSearch(p *homePage, columns []column) (report.List, error) {
	list, err := r.reportList(columns, "-sales")
	list.Report, list.Text, list.Bounds = p.report(r), p.Filter.Text, p.Filter.Bounds
	return list, err
}

// withParameter adds a parameter to a query that begins with "?" or is empty.
func withParameter(query, name, value string) string {
	between := "&"
	if query == "" {
		between = "?"
	}
	return query + between + name + "=" + url.QueryEscape(value)
}

// readHomeChoices reads what the filters offer, and the views that this person saved.
func (r *request) readHomeChoices(p *homePage) error {
	ctx := r.Request.Context()
	campaigns, _, err := r.d.App.DB.Campaigns(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	p.Chosen = map[string]bool{}
	for _, c := range campaigns {
		p.Campaigns = append(p.Campaigns, choice{c.ID.String(), c.Name})
	}
	for _, id := range p.Filter.Campaigns {
		p.Chosen[id.String()] = true
	}
	p.Hidden = r.carried("sort")
	for name, values := range r.Request.URL.Query() {
		if name != "q" && name != "cursor" {
			for _, v := range values {
				p.Kept = append(p.Kept, hiddenField{name, v})
			}
		}
	}
	views, err := r.d.App.DB.Preferences(ctx, r.user.ID, viewPrefix)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		p.Views = append(p.Views, savedView{strings.TrimPrefix(name, viewPrefix), "/?" + views[name], views[name]})
	}
	steps, done, err := r.onboarding()
	if err == nil && !done {
		p.Steps = steps
	}
	return err
}

// readTasks reads what waits for a person.
func (r *request) readTasks(p *homePage) error {
	ctx := r.Request.Context()
	inbox, err := r.d.App.DB.Inbox(ctx)
	if err != nil {
		return err
	}
	add := func(n int64, icon, address string, bad bool, one, many string) {
		if n > 0 {
			text := many
			if n == 1 {
				text = one
			}
			p.Tasks = append(p.Tasks, task{icon, strings.Replace(text, "#", countText(n), 1), address, bad})
		}
	}
	add(inbox.Failed, "alert", "/stores", true, "# delivery failed", "# deliveries failed")
	stores, _, err := r.d.App.DB.Stores(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	health, err := r.health(stores, 0)
	if err != nil {
		return err
	}
	clock, err := r.clockNotices()
	if err != nil {
		return err
	}
	for _, n := range clock {
		p.Tasks = append(p.Tasks, task{"clock", n.Text, "/stores", true})
	}
	work, err := r.d.work.Get(ctx, r.readWork)
	if err != nil {
		return err
	}
	for _, h := range health {
		for _, text := range h.troubles() {
			p.Tasks = append(p.Tasks, task{"store", h.Store.Name + ": " + text, h.Address, true})
		}
		n := work.unowned[h.Store.ID]
		of := " on orders of " + h.Store.Name
		add(n, "tag", h.Address+"/codes", false, "# code"+of+" belongs to nobody", "# codes"+of+" belong to nobody")
		add(work.undecided[h.Store.ID], "store", h.Address+"#statuses", false,
			"# status that plugins set"+of+" is not decided", "# statuses that plugins set"+of+" are not decided")
	}
	review, due := work.review, work.due
	add(review.Held, "pause", "/orders?period=all_time&show=held", false, "# conversion is held for review",
		"# conversions are held for review")
	add(review.Ambiguous, "tag", "/orders?period=all_time&show=ambiguous", false,
		"# order carries several creators' codes", "# orders carry several creators' codes")
	add(review.Unconverted, "clock", "/orders?period=all_time&show=unconverted", false,
		"# order waits for an exchange rate", "# orders wait for an exchange rate")
	if due.Amount > 0 {
		p.Tasks = append(p.Tasks, task{"payout", moneyText(due.Amount, due.Currency) + " is due to creators",
			"/payouts", false})
	}
	return nil
}

// openWork is what waits for a person anywhere in the account. It is the same for everybody, and each open home page
// asks for it after every order, so all of them share it.
type openWork struct {
	unowned   map[affiliate.StoreID]int64
	undecided map[affiliate.StoreID]int64 // statuses that plugins set
	review    storage.Review
	due       report.PaymentsDue
}

func (r *request) readWork(ctx context.Context) (w openWork, err error) {
	db := r.d.App.DB
	if w.unowned, err = db.UnownedCodeCounts(ctx); err != nil {
		return w, err
	}
	if w.undecided, err = db.UndecidedStatuses(ctx); err != nil {
		return w, err
	}
	if w.review, err = db.Review(ctx); err != nil {
		return w, err
	}
	w.due, err = report.Scope{Former: true}.PaymentsDue(ctx, db, r.settings.Currency, r.settings.MinimumPayout,
		r.d.App.Now())
	return w, err
}

func (r *request) salesCSV() error  { return r.sendSales(export.CSV) }
func (r *request) salesXLSX() error { return r.sendSales(export.XLSX) }

// sendSales writes the sales behind the total of the page.
func (r *request) sendSales(format export.Format) error {
	period, err := r.period()
	if err != nil {
		return err
	}
	f, _, err := r.homeFilter()
	if err != nil {
		return err
	}
	filter := storage.ConversionFilter{Campaigns: f.Campaigns, OfferStatus: f.Status, OfferType: f.Type, Former: true,
		From: period.Range.Start(), To: period.Range.End()}
	return r.download(format, period.Range, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportConversions(r.Request.Context(), nil, filter, storage.ConversionSort{Column: "date",
			Descending: true}, o)
		return err
	}, "sales")
}

func (r *request) offersCSV() error  { return r.sendOffers(export.CSV) }
func (r *request) offersXLSX() error { return r.sendOffers(export.XLSX) }

// sendOffers writes the table of offers as the address narrows and sorts it, all pages of it.
func (r *request) sendOffers(format export.Format) error {
	var p homePage
	var err error
	if p.Period, err = r.period(); err != nil {
		return err
	}
	if p.Filter, _, err = r.homeFilter(); err != nil {
		return err
	}
	list, err := r.offerSearch(&p, columnTables()["offers"])
	if err != nil {
		return err
	}
	return r.download(format, p.Period.Range, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportOffers(r.Request.Context(), nil, list, o)
		return err
	}, "offers")
}

// viewPrefix is where saved views of the home page stand among a person's preferences.
const viewPrefix = "view:home:"

// saveView keeps the filters of the home page under a name.
func (r *request) saveView() error {
	name, query := r.field("name"), r.PostForm("query")
	if name == "" || len(name) > 60 {
		return affiliate.FieldErrorf("name", "must have 1 to 60 characters")
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > 4000 {
		return affiliate.FieldErrorf("query", "is not the address of a view")
	}
	for _, drop := range []string{"cursor", "part"} {
		values.Del(drop)
	}
	text := values.Encode()
	if text == "" {
		text = "period=" + string(affiliate.DefaultPeriod)
	}
	if err := r.d.App.DB.SetPreference(r.Request.Context(), r.user.ID, viewPrefix+name, text,
		r.d.App.Now()); err != nil {
		return err
	}
	return r.done("/?"+text, fmt.Sprintf("The view “%s” is saved.", name))
}

func (r *request) forgetView() error {
	if err := r.d.App.DB.SetPreference(r.Request.Context(), r.user.ID, viewPrefix+r.field("name"), "",
		r.d.App.Now()); err != nil {
		return err
	}
	return r.done("/", "The view is forgotten.")
}
