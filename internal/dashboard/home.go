package dashboard

import (
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
		{http.MethodPost, "/views/start", signedIn, (*request).startView},
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
	Chips      []filterChip // what is set, each with a way to take it back
	MayPay     bool
	Figures    []figure
	Total      report.Sums
	Chart      chart
	Parts      []totalPart // what the total is made of
	Uncredited []uncreditedSales
	List       offerList
	Hidden     []hiddenField
	CSV, XLSX  string        // addresses of the sales behind the total
	Query      string        // of this view, to save it
	Kept       []hiddenField // of the search among offers: all other parameters
	Statuses   []choice      // of offers
	MayChange  bool
	Every      []choice // addresses of the table with active offers and with all; empty where a filter says which
	Tasks      taskList
	Steps      []startStep
}

// Plain is the address of the page without filters.
func (p *homePage) Plain() string { return plainHome }

// homeFilter narrows everything on the page to some offers.
type homeFilter struct {
	Campaigns []affiliate.CampaignID
	Status    affiliate.OfferStatus
	Type      affiliate.OfferType
	Text      string
	Bounds    []report.Bound
	All       bool // the table lists all offers, not active ones alone; the totals count all either way
}

// Only is the status of the offers that the table lists; empty: any. A status that is chosen narrows all.
func (f homeFilter) Only() affiliate.OfferStatus {
	if f.All || f.Status != "" {
		return ""
	}
	return affiliate.OfferActive
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

// uncreditedSales are those of a currency without a creator, with the address of their orders.
type uncreditedSales struct {
	storage.CurrencySales
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
	f.Text, f.All = strings.TrimSpace(r.Query("q")), r.Query("offers") == allOffers
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

// allOffers is what the address says where the table lists also those that are not active.
const allOffers = "all"

// Parts of the page that follow what happens.
const (
	partTotals = "totals"
	partTasks  = "tasks"
	partOffers = "offers"
)

// plainHome is the address of the home page without filters, whatever view somebody starts with.
const plainHome = "/?period=" + string(affiliate.DefaultPeriod)

func (r *request) homePage() error {
	if r.Request.URL.RawQuery == "" {
		address, err := r.startAddress()
		if err != nil {
			return err
		}
		if address != "" {
			r.Redirect(http.StatusSeeOther, address)
			return nil
		}
	}
	p := &homePage{layout: r.layout("Sales tracking", "home"), Query: r.Request.URL.RawQuery,
		MayPay: r.may(affiliate.MayPay), MayChange: r.may(affiliate.MayChangeCatalog),
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
	p.Parts = []totalPart{
		{"current creators of all campaigns", moneyText(current, of.Currency), r.countedConversions(p, "")},
		{"creators who left", moneyText(p.Total.Former.Sales, of.Currency), r.countedConversions(p, "only_former")}}
	if len(p.Filter.Campaigns) > 0 {
		p.Parts[0].Label = "current creators of these campaigns"
	}
	if !p.Filter.Narrowed() {
		for _, u := range o.Uncredited {
			p.Uncredited = append(p.Uncredited, uncreditedSales{u, p.Period.address("/orders", "show",
				string(storage.ShowUncredited), "status", string(affiliate.Paid), "currency", string(u.Currency))})
		}
		lead(p.Figures, "/payouts", report.KeyPaymentsDue, report.KeyMembersWithPaymentsDue)
	}
	lead(p.Figures, r.countedConversions(p, "former"), report.KeyConversions, report.KeySales, report.KeyCommissions)
	// The figures leave out no offer by its name, status or figures.
	all := []string{"sort", "-clicks", "q", "", "offers", allOffers}
	for _, b := range p.Bounds {
		all = append(all, "min_"+string(b.Figure.Key), "", "max_"+string(b.Figure.Key), "")
	}
	lead(p.Figures, r.with(all...)+"#offers", report.KeyClicks)
	query := r.Request.URL.Query()
	for _, drop := range []string{"cursor", "part", "sort", "q", "offers"} {
		query.Del(drop)
	}
	p.CSV, p.XLSX = "/sales.csv?"+query.Encode(), "/sales.xlsx?"+query.Encode()
	return nil
}

// countedConversions is the address of the conversions that the page counts, of its period and filters; include says
// whether those of creators who left are wanted, as the list's parameter does.
func (r *request) countedConversions(p *homePage, include string) string {
	address := p.Period.address(conversionsAddress, "offer_status", string(p.Filter.Status), "offer_type",
		string(p.Filter.Type), "status", string(affiliate.Paid), "approval", string(affiliate.Approved), "include",
		include)
	for _, id := range p.Filter.Campaigns {
		address = withParameter(address, "campaign", id.String())
	}
	return address
}

// homeChips are what the filters are set to, each with the address of the page without it.
func (r *request) homeChips(p *homePage) (chips []filterChip) {
	for _, c := range p.Campaigns {
		if p.Chosen[c.Value] {
			chips = append(chips, filterChip{Title: "Campaign", Text: c.Title, Without: r.without("campaign", c.Value)})
		}
	}
	if s := p.Filter.Status; s != "" {
		chips = append(chips, filterChip{Title: "Offers that are", Text: string(s),
			Without: r.with("offer_status", "")})
	}
	if t := p.Filter.Type; t != "" {
		chips = append(chips, filterChip{Title: "Type", Text: wordChoices(t)[0].Title,
			Without: r.with("offer_type", "")})
	}
	for _, b := range p.Bounds {
		text := ""
		switch {
		case b.Error != "":
		case b.Min != "" && b.Max != "":
			text = b.Min + " to " + b.Max
		case b.Min != "":
			text = "at least " + b.Min
		case b.Max != "":
			text = "at most " + b.Max
		}
		if text != "" {
			key := string(b.Figure.Key)
			chips = append(chips, filterChip{Title: b.Figure.Title, Text: text, Without: r.with("min_"+key,
				"", "max_"+key, "")})
		}
	}
	return chips
}

// without is the address of the page without one of the values of a parameter.
func (r *request) without(name, value string) string {
	q := r.Request.URL.Query()
	q.Del("cursor")
	q.Del("part")
	q[name] = slices.DeleteFunc(q[name], func(v string) bool { return v == value })
	return r.Request.URL.Path + "?" + q.Encode()
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
		l.Rows = append(l.Rows, homeOffer{o, p.Period.address(offerAddress(o.Offer)), commissionText(o.Rule, "")})
	}
	l.Count, l.Total, l.Pager = found.Count, found.Total, r.pager(found.Next)
	l.Tools = r.tools("offers", l.Columns, "/offers")
	if p.Filter.Status == "" {
		p.Every = []choice{{r.with("offers", ""), "Active"}, {r.with("offers", allOffers), "All"}}
	}
	return nil
}

// offerSearch is which offers the page lists, and how they are sorted.
func (r *request) offerSearch(p *homePage, columns []column) (report.List, error) {
	list, err := r.reportList(columns, "-sales")
	list.Report, list.Text, list.Bounds, list.Only = p.report(r), p.Filter.Text, p.Filter.Bounds, p.Filter.Only()
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
	p.Hidden = r.carried("sort", "offers")
	for name, values := range r.Request.URL.Query() {
		if name != "q" && name != "cursor" {
			for _, v := range values {
				p.Kept = append(p.Kept, hiddenField{name, v})
			}
		}
	}
	if p.Views, err = r.savedViews(); err != nil {
		return err
	}
	p.Chips = r.homeChips(p)
	steps, done, err := r.onboarding()
	if err == nil && !done {
		p.Steps = steps
	}
	return err
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
