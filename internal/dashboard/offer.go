package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/tables"
)

func offerRoutes() []route {
	const change = affiliate.MayChangeCatalog
	const of = "/campaigns/:id/offers/:offer"
	return []route{
		{http.MethodGet, "/campaigns/:id/offers", signedIn, (*request).offersPage},
		{http.MethodGet, "/offers/new", may(change), (*request).newOfferPage},
		{http.MethodPost, "/offers/new", may(change), (*request).addOffer},
		{http.MethodGet, of, signedIn, (*request).offerPage},
		{http.MethodGet, of + "/creators.csv", signedIn, (*request).offerCreatorsCSV},
		{http.MethodGet, of + "/creators.xlsx", signedIn, (*request).offerCreatorsXLSX},
		{http.MethodGet, of + "/settings", may(change), (*request).offerSettingsPage},
		{http.MethodPost, of + "/settings", may(change), (*request).changeOffer},
		{http.MethodPost, of + "/discount", may(change), (*request).changeDiscount},
		{http.MethodPost, of + "/status", may(change), (*request).setOfferStatus},
		{http.MethodGet, of + "/commissions", signedIn, (*request).commissionsPage},
		{http.MethodPost, of + "/commissions/drop", may(change), (*request).dropCommission},
		{http.MethodGet, of + "/members/new", may(change), (*request).newOfferMembersPage},
		{http.MethodPost, of + "/members/new", may(change), (*request).previewNewcomers},
		{http.MethodPost, of + "/members/add", may(change), (*request).addOfferMembers},
		{http.MethodPost, of + "/members/ask", may(change), (*request).askAboutMembers},
		{http.MethodPost, of + "/members/do", may(change), (*request).doWithMembers},
	}
}

// offersPage lists the offers of a campaign with what they brought in a period.
type offersPage struct {
	campaignHead
	Period periodChoice
	Hidden []hiddenField
	Heads  []column
	Rows   []offerLine
	Total  *affiliate.Sums
	Count  int64
	Pager  pager
}

type offerLine struct {
	report.OfferRow
	Address string
	Rule    string
	Members int64
	Codes   int64  // that are somebody's now
	Since   string // the status
	People  string // address of its members
	Leads   leads
}

func (r *request) offersPage() error {
	ctx := r.Request.Context()
	head, err := r.campaignHead("offers", "Offers")
	if err != nil {
		return err
	}
	p := offersPage{campaignHead: head}
	if p.Period, err = r.period(); err != nil {
		return err
	}
	p.Heads = figureHeads([]column{{Name: "name", Title: "Offer", Sort: "name"}, {Name: "status", Title: "Status"},
		{Name: "rule", Title: "Commission"}, {Name: "members", Title: "Members", Number: true},
		{Name: "codes", Title: "Codes", Number: true}},
		report.KeyConversions, report.KeySales, report.KeyCommissions)
	list, err := r.reportList(p.Heads, "name")
	if err != nil {
		return err
	}
	list.Scope.Campaigns, list.Range = []affiliate.CampaignID{head.Campaign.ID}, p.Period.Range
	found, err := list.OfferRows(ctx, r.d.App.DB)
	if err != nil {
		return err
	}
	ids := make([]affiliate.OfferID, len(found.Rows))
	for i, row := range found.Rows {
		ids[i] = row.ID
	}
	counts, err := r.d.App.DB.OfferMemberCounts(ctx, ids)
	if err != nil {
		return err
	}
	codes, err := r.d.App.DB.OfferCodeCounts(ctx, ids, r.d.App.Now())
	if err != nil {
		return err
	}
	for _, row := range found.Rows {
		people := p.Period.address(p.Address+"/creators", "offer", row.ID.String())
		p.Rows = append(p.Rows, offerLine{row, offerAddress(row.Offer), commissionText(row.Rule, ""), counts[row.ID],
			codes[row.ID], r.date(row.StatusSince), people, conversionLeads(p.Address, "#conversions", p.Period,
				"offer",
				row.ID.String()).with(people, report.KeyClicks, report.KeyPayouts)})
	}
	p.Total, p.Count, p.Pager, p.Hidden = found.Total, found.Count, r.pager(found.Next), r.carried("sort")
	return r.show("campaign_offers.html", &p)
}

func offerAddress(o affiliate.Offer) string {
	return campaignAddress(o.CampaignID) + "/offers/" + o.ID.String()
}

// offerOfCampaign reads the offer of the address, which must be of that campaign.
func (r *request) offerOfCampaign() (o affiliate.Offer, err error) {
	campaign, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return o, err
	}
	id, err := idParam[affiliate.OfferID](r, "offer", "off_")
	if err != nil {
		return o, err
	}
	if o, err = r.d.App.DB.Offer(r.Request.Context(), id); err == nil && o.CampaignID != campaign {
		err = affiliate.Errorf(affiliate.NotFound, "%s is no offer of %s", id, campaign)
	}
	return o, err
}

// offerHead is what the pages of one offer share: its name, state and commission, and the tabs.
type offerHead struct {
	campaignHead
	Offer   affiliate.Offer
	At      string // its address
	Place   string // the tab: creators, codes, rewards, settings; empty: none
	Rule    string
	Since   string        // the status
	Planned []plannedRule // changes of the offer's own commission that are to come
}

// plannedRule is a commission whose time is to come.
type plannedRule struct {
	Rule string
	From string
}

// offerHead reads what the pages of an offer share; title is that of the page beside the offer's name.
func (r *request) offerHead(o affiliate.Offer, place, title string) (h offerHead, err error) {
	if title != "" {
		title += " · "
	}
	if h.campaignHead, err = r.campaignHead("offers", title+o.Name); err != nil {
		return h, err
	}
	h.Offer, h.At, h.Place, h.Rule, h.Since = o, offerAddress(o), place, commissionText(o.Rule, ""),
		r.date(o.StatusSince)
	rules, err := r.d.App.DB.PlannedCommissions(r.Request.Context(), o.ID, r.d.App.Now())
	for _, rule := range rules {
		if rule.OfferMemberID == 0 {
			h.Planned = append(h.Planned, r.plannedRule(rule))
		}
	}
	return h, err
}

func (r *request) plannedRule(rule affiliate.CommissionRule) plannedRule {
	return plannedRule{ruleText(rule), r.moment(rule.FromAt)}
}

// ruleText writes what a rule gives.
func ruleText(rule affiliate.CommissionRule) string {
	if rule.Percent == nil && rule.Flat == nil {
		return "the offer’s"
	}
	var of affiliate.Rule
	if rule.Percent != nil {
		of.Percent = *rule.Percent
	}
	if rule.Flat != nil {
		of.Flat = *rule.Flat
	}
	return commissionText(of, "")
}

// offerPage is what an offer brought in a period, with its creators: everybody counts, also those who left.
type offerPage struct {
	offerHead
	Search  offerSearch
	Hidden  []hiddenField // of the form of the period
	Kept    []hiddenField // of the form that searches creators
	Figures []figure
	Sums    report.Sums
	Chart   chart
	List    offerCreatorList
	Here    string
	MayPay  bool
}

// offerSearch is what an offer's page shows, as its address says.
type offerSearch struct {
	Period periodChoice
	Text   string
	State  affiliate.MemberState // of the creators that are listed; empty: any
}

// Narrowed says whether some creators are left out.
func (s offerSearch) Narrowed() bool { return s.Text != "" || s.State != "" }

// States are what the list can be narrowed to.
func (offerSearch) States() []choice { return wordChoices(affiliate.Words[affiliate.MemberState]()...) }

// offerCreatorList is the table of an offer's creators.
type offerCreatorList struct {
	Columns []column
	Shows   map[string]bool
	Rows    []offerCreator
	Count   int64
	Total   *affiliate.Sums
	Pager   pager
	Tools   tableTools
}

// More says whether there are rows on other pages.
func (l offerCreatorList) More() bool { return l.Pager.Next+l.Pager.First != "" }

// offerCreator is a creator in the offer with their figures by it.
type offerCreator struct {
	memberFigures
	Place   membership
	State   badge
	Planned string            // the next change of their own commission
	Plain   map[string]string // cells that are no figures, by column
}

// memberBadges are how creators stand in an offer.
var memberBadges = map[affiliate.MemberState]badge{affiliate.MemberActive: {"good", "check", "Active"},
	affiliate.MemberInactive: {"warn", "pause", "Inactive"}, affiliate.MemberRemoved: {"", "minus", "Removed"}}

// Parts of the page that follow what happens.
const (
	partOfferFigures  = "offer-figures"
	partOfferCreators = "offer-creators"
)

// offerRows is how many creators a page of an offer lists.
const offerRows = 25

func (r *request) offerPage() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p := offerPage{Here: r.here(), Hidden: r.carried("q", "state", "sort"), MayPay: r.may(affiliate.MayPay),
		Kept: r.carried("period", "from", "to", "sort")}
	if p.offerHead, err = r.offerHead(o, "creators", ""); err != nil {
		return err
	}
	part := r.Query("part")
	if p.List.Columns, err = r.columns("offer-creators"); err != nil {
		return err
	}
	list, err := r.offerListing(&p.Search, o, p.List.Columns)
	if err != nil {
		return err
	}
	if part != partOfferCreators {
		if err := r.readOfferFigures(&p, list.Report); err != nil {
			return err
		}
	}
	if part != partOfferFigures {
		if err := r.readOfferCreators(&p, list); err != nil {
			return err
		}
	}
	return r.show("offer.html", &p)
}

// offerListing reads the address, and completes the heads of the table.
func (r *request) offerListing(s *offerSearch, o affiliate.Offer, columns []column) (list report.List, err error) {
	s.Text = strings.TrimSpace(r.one("q"))
	if s.Period, err = r.period(); err != nil {
		return list, err
	}
	if s.State, err = affiliate.ParseWord[affiliate.MemberState]("state", r.one("state")); err != nil {
		return list, err
	}
	list, err = r.reportList(columns, "-sales")
	list.Scope = report.Scope{Campaigns: []affiliate.CampaignID{o.CampaignID}, Offers: []affiliate.OfferID{o.ID},
		Former: true}
	list.Range, list.Text, list.Standing, list.Limit = s.Period.Range, s.Text, s.State, offerRows
	return list, err
}

// readOfferFigures reads the key figures and the chart.
func (r *request) readOfferFigures(p *offerPage, of report.Report) error {
	of.Drawn = true
	o, err := of.Overview(r.Request.Context(), r.d.App.DB, "", r.settings, r.d.App.Now())
	if err != nil {
		return err
	}
	p.Sums, p.Figures = o.Sums, figuresOf(report.Cards(), o.KeyFigures, of.Currency)
	p.Chart = newChart("offer-sales", o.Chart, of.Currency, p.Search.Period.Compared)
	for key, address := range conversionLeads(p.Address, "#conversions", p.Search.Period, "offer", p.Offer.ID.String(),
		"former", "1") {
		lead(p.Figures, address, key)
	}
	all := r.with("q", "", "state", "", "sort", "-conversions") + "#creators"
	lead(p.Figures, all, report.KeyMembersWithConversions)
	return nil
}

// readOfferCreators reads the table of the offer's creators.
func (r *request) readOfferCreators(p *offerPage, list report.List) error {
	ctx, l := r.Request.Context(), &p.List
	found, err := list.CreatorRows(ctx, r.d.App.DB)
	if err != nil {
		return err
	}
	rows, err := r.memberFigures(found.Rows, list.Scope, p.Search.Period)
	if err != nil {
		return err
	}
	planned, err := r.plannedOfMembers(p.Offer.ID)
	if err != nil {
		return err
	}
	columns := tables.Creators("", tables.CreatorsOf{}).Page()
	creators := map[affiliate.CreatorID]report.CreatorRow{}
	for _, row := range found.Rows {
		creators[row.ID] = row
	}
	for _, row := range rows {
		i := slices.IndexFunc(row.Offers, func(m membership) bool { return m.OfferID == p.Offer.ID })
		if i < 0 {
			continue // taken out since the first statement
		}
		place := row.Offers[i]
		state := place.OfferMember.State()
		if row.MemberItem.Former() {
			state = affiliate.MemberRemoved
		}
		creator := creators[row.CreatorID]
		l.Rows = append(l.Rows, offerCreator{memberFigures: row, Place: place, State: memberBadges[state],
			Planned: planned[place.OfferMember.ID], Plain: plainCells(columns, &creator)})
	}
	l.Count, l.Total, l.Pager, l.Shows = found.Count, found.Total, r.pager(found.Next), shown(l.Columns)
	l.Tools = r.tools("offer-creators", l.Columns, p.At+"/creators")
	return nil
}

// plannedOfMembers says what members' own commissions become next, by member.
func (r *request) plannedOfMembers(o affiliate.OfferID) (map[affiliate.OfferMemberID]string, error) {
	rules, err := r.d.App.DB.PlannedCommissions(r.Request.Context(), o, r.d.App.Now())
	planned := map[affiliate.OfferMemberID]string{}
	for _, rule := range rules {
		if planned[rule.OfferMemberID] == "" {
			next := r.plannedRule(rule)
			planned[rule.OfferMemberID] = next.Rule + " from " + next.From
		}
	}
	return planned, err
}

func (r *request) offerCreatorsCSV() error  { return r.sendOfferCreators(export.CSV) }
func (r *request) offerCreatorsXLSX() error { return r.sendOfferCreators(export.XLSX) }

// sendOfferCreators writes the table as the address narrows and sorts it, all pages of it.
func (r *request) sendOfferCreators(format export.Format) error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	var s offerSearch
	list, err := r.offerListing(&s, o, columnTables()["offer-creators"])
	if err != nil {
		return err
	}
	return r.download(format, s.Period.Range, func(opts app.ExportOptions) error {
		_, err := r.d.App.ExportCreators(r.Request.Context(), nil, list, opts)
		return err
	}, "creators", o.ID.String())
}

// setOfferStatus pauses an offer, makes it active again, or archives it.
func (r *request) setOfferStatus() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	status := affiliate.OfferStatus(r.field("status"))
	now := r.d.App.Now().UTC().Truncate(time.Microsecond)
	_, err = r.d.App.ChangeOffer(r.Request.Context(), o.ID, app.AnyVersion, func(o *affiliate.Offer) error {
		o.SetStatus(status, now)
		return nil
	})
	if err != nil {
		return err
	}
	notice := map[affiliate.OfferStatus]string{
		affiliate.OfferActive:   "is active: orders placed from now on are credited by it.",
		affiliate.OfferPaused:   "is paused: orders placed from now on are not credited by it.",
		affiliate.OfferArchived: "is archived: orders placed from now on are not credited by it. Its figures stay.",
	}[status]
	return r.done(back(r.field("back"), campaignAddress(o.CampaignID)+"/offers"), "“"+o.Name+"” "+notice)
}
