package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

func performanceRoutes() []route {
	return []route{
		{http.MethodGet, "/campaigns/:id", signedIn, (*request).performancePage},
		{http.MethodGet, "/campaigns/:id/conversions.csv", signedIn, (*request).conversionsCSV},
		{http.MethodGet, "/campaigns/:id/conversions.xlsx", signedIn, (*request).conversionsXLSX},
		{http.MethodPost, "/campaigns/:id/decide", may(affiliate.MayApprove), (*request).decide},
	}
}

// performancePage is what a campaign brought in a period. Each of its parts can be fetched by itself.
type performancePage struct {
	campaignHead
	Search   conversionSearch
	Live     string
	Part     string // the only part that is asked for; empty: all
	Figures  []figure
	Sums     report.Sums
	List     conversionList
	Chart    chart
	Return   returnView
	Creators creatorList
	Members  storage.MemberCounts
}

// conversionSearch is what the page shows of the campaign's conversions, as its address says.
type conversionSearch struct {
	Period periodChoice
	Filter storage.ConversionFilter // without the campaign and the time
	Sort   storage.ConversionSort

	Offers   []choice
	Creators []choice
	Above    []hiddenField // of the form that narrows the table: what the one above the figures has
	Below    []hiddenField // the other way round
}

// Narrowed says whether the table leaves out some of what the figures count.
func (s conversionSearch) Narrowed() bool {
	return s.Filter.Search != "" || len(s.Filter.Statuses)+len(s.Filter.Approvals) > 0 || s.Filter.Method != ""
}

// Statuses are what the table can be narrowed to.
func (s conversionSearch) Statuses() []choice { return statusChoices() }

// Approvals are what the table can be narrowed to.
func (s conversionSearch) Approvals() []choice {
	return wordChoices(affiliate.Approved, affiliate.Held, affiliate.Rejected)
}

// Chosen says whether the table is narrowed to a status or an approval.
func (s conversionSearch) Chosen(word string) bool {
	return slices.Contains(s.Filter.Statuses, affiliate.OrderStatus(word)) ||
		slices.Contains(s.Filter.Approvals, affiliate.Approval(word))
}

// scope is whose figures the page shows.
func (s conversionSearch) scope(campaign affiliate.CampaignID) report.Scope {
	scope := report.Scope{Campaigns: []affiliate.CampaignID{campaign}, Creator: s.Filter.Creator,
		Former: s.Filter.Former}
	if s.Filter.Offer != 0 {
		scope.Offers = []affiliate.OfferID{s.Filter.Offer}
	}
	return scope
}

// filter is which conversions the table lists.
func (s conversionSearch) filter(campaign affiliate.CampaignID) storage.ConversionFilter {
	f := s.Filter
	f.Campaign, f.From, f.To = campaign, s.Period.Range.Start(), s.Period.Range.End()
	return f
}

// conversionSearch reads the address.
func (r *request) conversionSearch() (s conversionSearch, err error) {
	if s.Period, err = r.period(); err != nil {
		return s, err
	}
	q := r.filters()
	s.Filter, s.Sort = q.Conversions(), q.ConversionSort()
	return s, q.Err()
}

// Parts of the page that follow what happens.
const (
	partFigures     = "figures"
	partConversions = "conversions"
	partProgress    = "progress"
)

func (r *request) performancePage() error {
	head, err := r.campaignHead("performance", "")
	if err != nil {
		return err
	}
	p := performancePage{campaignHead: head, Live: head.Campaign.ID.String()}
	switch part := r.Query("part"); part {
	case partFigures, partConversions, partProgress:
		p.Part = part
	}
	if p.Search, err = r.conversionSearch(); err != nil {
		return err
	}
	if err := r.readReport(&p); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		read func(*performancePage) error
	}{{partConversions, r.readConversions}, {partProgress, r.readProgress}, {"", r.readChoices}} {
		if p.Part == "" || p.Part == part.name {
			if err := part.read(&p); err != nil {
				return err
			}
		}
	}
	return r.show("campaign_performance.html", &p)
}

func (p *performancePage) report(r *request) report.Report {
	return report.Report{Scope: p.Search.scope(p.Campaign.ID), Range: p.Search.Period.Range,
		Currency: r.settings.Currency}
}

// readReport reads the figures and the chart. Where the page shows both they are of one moment; a part that is fetched
// anew waits for its own alone.
func (r *request) readReport(p *performancePage) (err error) {
	var o report.Overview
	ctx, db, of, now := r.Request.Context(), r.d.App.DB, p.report(r), r.d.App.Now()
	switch p.Part {
	case "":
		o, err = of.Overview(ctx, db, "", r.settings, now)
	case partFigures:
		o.KeyFigures, err = of.KeyFigures(ctx, db, r.settings, now)
	case partProgress:
		o.Chart, err = of.Chart(ctx, db, "", now)
	default:
		return nil // the table of conversions shows neither
	}
	if err != nil {
		return err
	}
	p.Chart = newChart("sales", o.Chart.Buckets, o.Chart.Series, o.Chart.Unit, of.Currency)
	p.Sums, p.Figures = o.Sums, figuresOf(report.Cards(), o.KeyFigures, of.Currency)
	lead(p.Figures, p.Address+"/creators", report.KeyMembers)
	lead(p.Figures, r.with("status", "paid", "approval", "approved", "q", "", "method", "")+"#conversions",
		report.KeyConversions, report.KeySales, report.KeyCommissions)
	lead(p.Figures, r.with("by", "-conversions", "after", "")+"#creators", report.KeyMembersWithConversions)
	lead(p.Figures, "/payouts", report.KeyPaymentsDue)
	return nil
}

// readChoices reads what the forms of filters offer.
func (r *request) readChoices(p *performancePage) error {
	s := &p.Search
	s.Above, s.Below = r.carried("period", "from", "to", "offer", "creator", "former", "sort"),
		r.carried("q", "status", "approval", "method", "sort")
	offers, _, err := r.d.App.DB.Offers(r.Request.Context(), p.Campaign.ID, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	for _, o := range offers {
		s.Offers = append(s.Offers, choice{o.ID.String(), o.Name})
	}
	s.Creators, err = r.memberChoices(p.Campaign.ID, s.Filter.Former, s.Filter.Creator)
	return err
}

// memberChoices lists the creators of a campaign to choose from; of a very great one the first by name, and the one who
// is chosen.
func (r *request) memberChoices(campaign affiliate.CampaignID, former bool,
	chosen affiliate.CreatorID) ([]choice, error) {
	members, _, err := r.d.App.DB.MemberPage(r.Request.Context(), storage.MemberSearch{Campaign: campaign,
		Former: former}, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return nil, err
	}
	var list []choice
	there := chosen == 0
	for _, m := range members {
		list = append(list, choice{m.CreatorID.String(), m.Creator})
		there = there || m.CreatorID == chosen
	}
	if !there {
		c, err := r.d.App.DB.Creator(r.Request.Context(), chosen)
		if err != nil {
			return nil, err
		}
		list = append(list, choice{c.ID.String(), c.Name})
	}
	return list, nil
}

// conversionList is the table of conversions with its totals.
type conversionList struct {
	Columns   []column
	Rows      []conversionLine
	Totals    report.ConversionTotals
	Feet      []conversionFoot
	Classes   []classCount
	Pager     pager
	Tools     tableTools
	MayDecide bool // about conversions
}

// conversionLine is a conversion as the table shows it.
type conversionLine struct {
	storage.ConversionItem
	Order         string // address
	Profile       string // address of the creator
	Date, Time    string
	Partly        bool // refunded in part
	IsRejected    bool
	Decided       string // who decided and why, for people
	Original      cell
	Net           cell
	Back          cell
	Earned        cell
	Rule          string
	Rate          string
	Plain         map[string]string // the other cells, by column
	Undo, Release bool              // what can be done about its approval, beside rejecting it
}

// cell is an amount in the order's currency, with what it is in the account's where that is another.
type cell struct{ Text, Sub string }

// conversionFoot is one line under the table: the sums in one currency.
type conversionFoot struct {
	Label string
	Span  int        // how many columns the label is under: all before the first amount
	Cells []footCell // for each shown column behind them
}

type footCell struct {
	Text   string
	Number bool
}

// classCount is how many of the listed conversions are in a class that counts in no sum.
type classCount struct {
	Word    string
	N       int64
	Address string // of these alone
}

func (r *request) readConversions(p *performancePage) error {
	ctx := r.Request.Context()
	f, l := p.Search.filter(p.Campaign.ID), &p.List
	var err error
	if l.Columns, err = r.columns("campaign"); err != nil {
		return err
	}
	r.sortable(l.Columns, p.Search.Sort.String())
	rows, next, err := r.d.App.DB.ConversionPage(ctx, f, p.Search.Sort, r.page())
	if err != nil {
		return err
	}
	if l.Totals, err = report.TotalConversions(ctx, r.d.App.DB, f); err != nil {
		return err
	}
	columns := tables.Conversions().Page()
	for _, c := range rows {
		line := r.conversionLine(c)
		line.Plain = plainCells(columns, &c)
		l.Rows = append(l.Rows, line)
	}
	l.foot(r)
	l.Pager, l.Tools = r.pager(next), r.tools("campaign", l.Columns, p.Address+"/conversions")
	l.MayDecide = r.may(affiliate.MayApprove)
	return nil
}

// here is the address of this page, without the part of it that was asked for.
func (r *request) here() string { return r.with("cursor", r.Query("cursor")) }

// fileAddress is that of a table as a file, narrowed and sorted as this page is.
func (r *request) fileAddress(path string, format export.Format) string {
	address := path + "." + string(format)
	if _, query, ok := strings.Cut(r.with(), "?"); ok {
		address += "?" + query
	}
	return address
}

func (r *request) conversionLine(c storage.ConversionItem) conversionLine {
	l := conversionLine{ConversionItem: c, Order: orderAddress(c.OrderID), Profile: creatorAddress(c.CreatorID),
		Date: r.date(c.PlacedAt.Time), Time: c.PlacedAt.In(r.zone).Format("15:04"),
		Partly: c.Status == affiliate.Paid && c.Refunded > 0, IsRejected: c.Approval == affiliate.Rejected,
		Decided: r.decided(c.Approvals()), Undo: c.Approval == affiliate.Rejected,
		Release: c.Approval == affiliate.Held, Rule: commissionText(c.Rule(), c.Currency)}
	other := c.Rate == nil || c.AccountCurrency != c.Currency
	converted := func(minor int64, account *int64) cell {
		t := cell{Text: amount(minor, c.Currency)}
		if other {
			t.Text = moneyText(minor, c.Currency)
		}
		switch {
		case other && account != nil:
			t.Sub = moneyText(*account, c.AccountCurrency)
		case other && minor != 0 && !c.Currency.Listed():
			t.Sub = "never converted"
		case other && minor != 0:
			t.Sub = "waits for a rate"
		}
		return t
	}
	l.Original = cell{Text: amount(c.OriginalValue, c.Currency)}
	if other {
		l.Original.Text = moneyText(c.OriginalValue, c.Currency)
	}
	l.Net, l.Back, l.Earned = converted(c.Value, c.AccountValue), converted(c.Refunded, c.AccountRefunded),
		converted(c.Commission, c.AccountCommission)
	switch {
	case c.Rate == nil && !c.Currency.Listed():
		l.Rate = "none ever"
	case c.Rate == nil:
		l.Rate = "none yet"
	case other && c.RateDate != nil:
		l.Rate = fmt.Sprintf("%s of %s", *c.Rate, dayText(*c.RateDate))
	case other:
		l.Rate = *c.Rate
	}
	return l
}

// decided tells who decided about a conversion, when and why.
func (r *request) decided(a affiliate.Approvals) string {
	text := a.Reason
	if a.Approval == affiliate.Held && text == affiliate.HeldSelfReferral {
		text = "Bought with the creator's own e-mail address"
	}
	if a.By == "" {
		return text
	}
	if text != "" {
		text += " · "
	}
	return text + a.By + ", " + r.moment(a.At)
}

// commissionText writes a commission rule for people: "10.00 % + 2.00 USD per order". Without a currency it is the
// order's.
func commissionText(rule affiliate.Rule, c money.Currency) string {
	var parts []string
	if rule.Percent != 0 {
		parts = append(parts, percentText(rule.Percent))
	}
	if rule.Flat != 0 {
		flat := affiliate.FormatFlat(rule.Flat)
		if c != "" {
			flat += " " + string(c)
		}
		parts = append(parts, flat+" per order")
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, " + ")
}

// foot writes the sums under the columns of amounts. Only what counts is in them; the other classes are listed beside.
func (l *conversionList) foot(r *request) {
	line := func(s affiliate.Sums, c money.Currency, label string) {
		foot := conversionFoot{Label: label}
		for _, column := range l.Columns {
			cell := footCell{Number: column.Number}
			if column.Sum != nil {
				cell.Text = l.sumText(column.Sum(s), c)
			}
			switch {
			case !column.Shown:
			case len(foot.Cells) > 0 || column.Sum != nil:
				foot.Cells = append(foot.Cells, cell)
			default:
				foot.Span++
			}
		}
		l.Feet = append(l.Feet, foot)
	}
	t := l.Totals
	line(t.Sums, t.Currency, "Total of "+counted(t.Conversions, "conversion", "conversions"))
	all := t.Sums
	for _, c := range t.NotConverted {
		line(c.Sums, c.Currency, notConverted(c.Currency)+": "+counted(c.Conversions, "conversion", "conversions"))
		all = all.Plus(c.Sums)
	}
	for _, c := range []classCount{
		{"pending", all.Pending, r.with("status", "pending", "approval", "approved")},
		{"canceled", all.Canceled, r.with("status", "canceled", "approval", "approved")},
		{"refunded", all.Refunded, r.with("status", "refunded", "approval", "approved")},
		{"held", all.Held, r.with("approval", "held", "status", "")},
		{"rejected", all.Rejected, r.with("approval", "rejected", "status", "")},
	} {
		if c.N > 0 {
			l.Classes = append(l.Classes, c)
		}
	}
}

// notConverted says of sums in a currency that they are not the account's.
func notConverted(c money.Currency) string {
	if !c.Listed() {
		return "Never converted"
	}
	return "Not converted yet"
}

// sumText writes a sum, with its currency where it is not the account's.
func (l *conversionList) sumText(minor int64, c money.Currency) string {
	if c == l.Totals.Currency {
		return amount(minor, c)
	}
	return moneyText(minor, c)
}

// returnView is a campaign's return on its costs.
type returnView struct {
	report.Return
	ROI string // "—" while there is no cost
}

// creatorList is a table of creators with what each brought.
type creatorList struct {
	Heads []column
	Shows map[string]bool
	Rows  []creatorLine
	Count int64
	Total *affiliate.Sums
	Pager pager
	Tools tableTools
}

// creatorLine is a creator with their figures.
type creatorLine struct {
	report.CreatorRow
	Address string
	Handle  string
	Former  bool
	Plain   map[string]string // cells that are no figures, by column
	Leads   leads
}

func newCreatorLine(row report.CreatorRow, address string, l leads) creatorLine {
	return creatorLine{row, address, row.BestHandle(), !row.RemovedAt.IsZero(),
		plainCells(tables.Creators("", tables.CreatorsOf{}).Page(), &row), l}
}

func (l *creatorList) fill(page report.PageOf[report.CreatorRow], line func(report.CreatorRow) creatorLine) {
	l.Shows = shown(l.Heads)
	for _, row := range page.Rows {
		l.Rows = append(l.Rows, line(row))
	}
	l.Count, l.Total = page.Count, page.Total
}

// readProgress reads the return on costs and the creators; readReport has read the chart.
func (r *request) readProgress(p *performancePage) error {
	ctx := r.Request.Context()
	var err error
	if p.Members, err = r.memberCounts(p.Campaign.ID); err != nil {
		return err
	}
	if p.Return.Return, err = report.CampaignReturn(ctx, r.d.App.DB, p.Campaign.ID, p.Search.Filter.Former, r.settings,
		r.d.App.Now()); err != nil {
		return err
	}
	if p.Return.ROI = "—"; p.Return.Return.ROI() != nil {
		p.Return.ROI = percentText(*p.Return.Return.ROI())
	}
	p.Creators, err = r.creatorsOf(p.report(r), p.Search.Period)
	return err
}

func (r *request) memberCounts(id affiliate.CampaignID) (storage.MemberCounts, error) {
	counts, err := r.d.App.DB.MemberCounts(r.Request.Context(), []affiliate.CampaignID{id})
	return counts[id], err
}

// creatorsOf lists the creators of a campaign, those who sold most first. Its order and its place have parameters of
// their own: the table of conversions is on the same page.
func (r *request) creatorsOf(of report.Report, period periodChoice) (l creatorList, err error) {
	if l.Heads, err = r.columns("campaign-creators"); err != nil {
		return l, err
	}
	sort := r.Query("by")
	if sort == "" {
		sort = "-sales"
	}
	list := report.List{Report: of, Page: storage.Page{Limit: 25, Cursor: r.Query("after")}}
	list.Sort, list.Desc = figureSort(sort)
	r.sortable(l.Heads, sort)
	for i := range l.Heads {
		h := &l.Heads[i]
		u, err := url.Parse(h.Address)
		if err != nil {
			return l, err
		}
		if h.Sort != "" {
			h.Address = r.with("by", u.Query().Get("sort"), "after", "", "cursor", r.Query("cursor")) + "#creators"
		}
	}
	page, err := list.CreatorRows(r.Request.Context(), r.d.App.DB)
	if err != nil {
		return l, err
	}
	at := r.Request.URL.Path
	l.fill(page, func(row report.CreatorRow) creatorLine {
		return newCreatorLine(row, r.with("creator", row.ID.String(), "by", "", "after", "")+"#conversions",
			leadsInCampaign(row.ID, of.Scope, period))
	})
	l.Tools = r.creatorTools("campaign-creators", l.Heads, at, sort)
	if page.Next != "" {
		l.Pager.Next = r.with("after", page.Next, "cursor", r.Query("cursor")) + "#creators"
	}
	if r.Query("after") != "" {
		l.Pager.First = r.with("after", "", "cursor", r.Query("cursor")) + "#creators"
	}
	return l, nil
}

// leadsInCampaign leads from the figures of a creator in a campaign, or in an offer of it, to what is behind them.
func leadsInCampaign(creator affiliate.CreatorID, of report.Scope, period periodChoice) leads {
	offer := ""
	if len(of.Offers) == 1 {
		offer = of.Offers[0].String()
	}
	return conversionLeads(campaignAddress(of.Campaigns[0]), "#conversions", period, "creator", creator.String(), "offer", offer, "former",
		formerly(of.Former)).
		with(period.address(creatorAddress(creator))+"#campaigns", report.KeyClicks).
		with(period.address(creatorAddress(creator)+"/statement", "kind", string(affiliate.PaidOut), "campaign",
			of.Campaigns[0].String()), report.KeyPayouts)
}

// creatorTools are those of a table of a campaign's creators; sort is its order, and its files take no parameters of the
// other tables on its page.
func (r *request) creatorTools(table string, heads []column, campaign, sort string) tableTools {
	tools := r.tools(table, heads, campaign+"/creators")
	q := url.Values{"sort": {sort}}
	for _, name := range []string{"period", "from", "to", "former", "offer", "creator"} {
		if v := r.Query(name); v != "" {
			q.Set(name, v)
		}
	}
	files := campaign + "/creators."
	tools.CSV, tools.XLSX = files+string(export.CSV)+"?"+q.Encode(), files+string(export.XLSX)+"?"+q.Encode()
	return tools
}

// decide rejects conversions, takes rejections back or releases held ones: those that are chosen in the table, or the
// one whose own button was pressed.
func (r *request) decide() error {
	campaign, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(back(r.field("back"), campaignAddress(campaign)), "")
	}
	decision, chosen, reason := app.Decision(r.field("decision")), r.PostFormArray("ids"), r.field("reason")
	for _, d := range []app.Decision{app.Reject, app.Undo, app.Release} {
		if one := r.field("one-" + string(d)); one != "" {
			decision, chosen, reason = d, []string{one}, ""
		}
	}
	ids, err := affiliate.ParseIDs[affiliate.ConversionID]("ids", "cnv_", chosen)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return affiliate.Errorf(affiliate.Invalid, "no conversion is selected; tick some rows first")
	}
	changed, err := r.d.App.Decide(r.Request.Context(), ids, decision, reason)
	if err != nil {
		return err
	}
	words := map[app.Decision]string{app.Reject: "rejected", app.Undo: "no longer rejected", app.Release: "released"}
	return r.done(back(r.field("back"), campaignAddress(campaign)), counted(int64(len(changed)), "conversion is ",
		"conversions are ")+words[decision]+"; commissions and totals follow.")
}

func (r *request) conversionsCSV() error  { return r.sendConversions(export.CSV) }
func (r *request) conversionsXLSX() error { return r.sendConversions(export.XLSX) }

// sendConversions sends the campaign's conversions as the address narrows and sorts them, or those of some ids.
func (r *request) sendConversions(format export.Format) error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	if _, err := r.d.App.DB.Campaign(r.Request.Context(), id); err != nil {
		return err
	}
	s, err := r.conversionSearch()
	if err != nil {
		return err
	}
	f, days := s.filter(id), s.Period.Range
	if len(f.IDs) > 0 { // whenever they were placed
		f.From, f.To, days = time.Time{}, time.Time{}, affiliate.Range{}
	}
	return r.download(format, days, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportConversions(r.Request.Context(), nil, f, s.Sort, o)
		return err
	}, "conversions", id.String())
}
