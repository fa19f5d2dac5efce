package dashboard

import (
	"net/http"
	"net/url"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
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

// scope is whose figures the page shows.
func (s conversionSearch) scope(campaign affiliate.CampaignID) report.Scope {
	scope := report.Scope{Campaigns: []affiliate.CampaignID{campaign}, Creator: s.Filter.Creator,
		Former: s.Filter.Former}
	if s.Filter.Offer != 0 {
		scope.Offers = []affiliate.OfferID{s.Filter.Offer}
	}
	return scope
}

// Parts of the page that follow what happens.
const (
	partFigures     = "figures"
	partConversions = "conversions"
	partProgress    = "progress"
	partMatching    = "matching" // what all conversions that match add up to; no page shows it at first
)

func (r *request) performancePage() error {
	head, err := r.campaignHead("performance", "")
	if err != nil {
		return err
	}
	p := performancePage{campaignHead: head, Live: head.Campaign.ID.String()}
	switch part := r.Query("part"); part {
	case partFigures, partConversions, partProgress, partMatching:
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
	}{{partMatching, r.readMatching}, {partConversions, r.readConversions}, {partProgress, r.readProgress},
		{"", r.readChoices}} {
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
		Currency: r.settings.Currency, Drawn: true}
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
	p.Chart = newChart("sales", o.Chart, of.Currency, p.Search.Period.Compared)
	p.Sums, p.Figures = o.Sums, figuresOf(report.Cards(), o.KeyFigures, of.Currency)
	lead(p.Figures, p.Address+"/creators", report.KeyMembers)
	for key, address := range p.countedConversions() {
		lead(p.Figures, address, key)
	}
	lead(p.Figures, r.with("by", "-conversions", "after", "")+"#creators", report.KeyMembersWithConversions)
	return nil
}

// countedConversions leads to the conversions that the figures count: these leave out none that the table does, but
// those of other periods, offers and creators.
func (p *performancePage) countedConversions() leads {
	var creator, offer string
	f := p.Search.Filter
	if f.Creator != 0 {
		creator = f.Creator.String()
	}
	if f.Offer != 0 {
		offer = f.Offer.String()
	}
	return conversionLeads(p.Address, "#conversions", p.Search.Period, "creator", creator, "offer", offer, "former",
		formerly(f.Former))
}

// readChoices reads what the forms of filters offer.
func (r *request) readChoices(p *performancePage) error {
	s := &p.Search
	chips := []string{"store", "code", "link", "offer_type", "offer_status", "currency", "waiting_for_rate",
		"with_refund", "ambiguous", "undecided"}
	s.Above = r.carried(append(chips, "period", "from", "to", "offer", "creator", "former", "include", "sort")...)
	s.Below = r.carried(append(chips, "q", "status", "approval", "method", "sort")...)
	offers, _, err := r.d.App.DB.Offers(r.Request.Context(), p.Campaign.ID, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	for _, o := range offers {
		s.Offers = append(s.Offers, choice{o.ID.String(), o.Name})
	}
	if s.Chosen, err = r.chosen(s.Filter, "offer"); err != nil {
		return err
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

// readConversions reads the table of the campaign's conversions.
func (r *request) readConversions(p *performancePage) (err error) {
	p.List, err = r.conversionList(p.Search.filter(p.Campaign.ID), p.Search, p.Address)
	p.List.Of = p.Campaign.Name
	if p.MayChange {
		p.List.Creators = p.Address + "/creators"
	}
	return err
}

// readMatching reads what all conversions that match add up to, where that is asked for.
func (r *request) readMatching(p *performancePage) (err error) {
	if p.Part == partMatching {
		p.List.Matching, err = r.matching(p.Search.filter(p.Campaign.ID))
	}
	return err
}

func (r *request) conversionsCSV() error  { return r.sendCampaignConversions(export.CSV) }
func (r *request) conversionsXLSX() error { return r.sendCampaignConversions(export.XLSX) }

// sendCampaignConversions sends the campaign's conversions as a file.
func (r *request) sendCampaignConversions(format export.Format) error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	if _, err := r.d.App.DB.Campaign(r.Request.Context(), id); err != nil {
		return err
	}
	return r.sendConversions(format, id)
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
	return creatorLine{CreatorRow: row, Address: address, Handle: row.BestHandle(), Former: !row.RemovedAt.IsZero(),
		Leads: l}
}

func (l *creatorList) fill(page report.PageOf[report.CreatorRow], line func(report.CreatorRow) creatorLine) {
	l.Shows = shown(l.Heads)
	columns := tables.Creators("", tables.CreatorsOf{}).Page()
	for _, row := range page.Rows {
		of := line(row)
		of.Plain = plainCells(columns, &row)
		l.Rows = append(l.Rows, of)
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
	to := conversionLeads(campaignAddress(of.Campaigns[0]), "#conversions", period, "creator", creator.String(),
		"offer", offer, "former", formerly(of.Former))
	if offer != "" {
		return to // a profile and a statement tell of whole campaigns
	}
	return to.with(period.address(creatorAddress(creator))+"#campaigns", report.KeyClicks).
		with(period.address(creatorAddress(creator)+"/statement", "kind", string(affiliate.PaidOut), "campaign",
			of.Campaigns[0].String()), report.KeyPayouts)
}

// creatorTools are those of a table of a campaign's creators; sort is its order, and its files take no parameters of
// the other tables on its page.
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
