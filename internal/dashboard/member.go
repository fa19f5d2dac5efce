package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

func memberRoutes() []route {
	const change = affiliate.MayChangeCatalog
	return []route{
		{http.MethodGet, "/campaigns/:id/creators", signedIn, (*request).membersPage},
		{http.MethodGet, "/campaigns/:id/creators.csv", signedIn, (*request).membersCSV},
		{http.MethodGet, "/campaigns/:id/creators.xlsx", signedIn, (*request).membersXLSX},
		{http.MethodGet, "/campaigns/:id/creators/new", may(change), (*request).newMemberPage},
		{http.MethodPost, "/campaigns/:id/creators/new", may(change), (*request).addMember},
		{http.MethodGet, "/campaigns/:id/members/:member", signedIn, (*request).memberPage},
		{http.MethodPost, "/campaigns/:id/members/:member/product", may(change), (*request).changeProductValue},
		{http.MethodPost, "/campaigns/:id/members/:member/remove", may(change), (*request).removeMember},
		{http.MethodPost, "/campaigns/:id/members/:member/restore", may(change), (*request).restoreMember},
		{http.MethodPost, "/campaigns/:id/members/:member/offers", may(change), (*request).addToOffer},
		{http.MethodPost, "/campaigns/:id/members/:member/commission", may(change), (*request).changeOverride},
		{http.MethodPost, "/campaigns/:id/members/:member/active", may(change), (*request).setMemberActive},
		{http.MethodPost, "/campaigns/:id/members/:member/codes", may(change), (*request).addCode},
		{http.MethodPost, "/campaigns/:id/members/:member/codes/make", may(change), (*request).makeCode},
		{http.MethodPost, "/campaigns/:id/members/:member/codes/change", may(change), (*request).changeCode},
		{http.MethodPost, "/campaigns/:id/members/:member/codes/end", may(change), (*request).endCode},
		{http.MethodPost, "/campaigns/:id/members/:member/links", may(change), (*request).addLink},
		{http.MethodPost, "/campaigns/:id/members/:member/links/end", may(change), (*request).endLink},
	}
}

// memberLine is a member of a campaign with what they own there.
type memberLine struct {
	storage.MemberItem
	Address string
	Profile string // of the creator
	Since   string
	Until   string // when they left; empty for a current member
	Offers  []membership
}

// membership is a member's place in one offer, with the codes and links that they own by it.
type membership struct {
	affiliate.OfferMember
	Offer    affiliate.Offer
	Rule     string // the commission that counts
	Own      bool   // it is the member's own, not the offer's
	Since    string
	Inactive string // since when; empty while active
	Codes    []codeLine
	Links    []linkLine
}

// Current gives the codes that are owned now.
func (m membership) Current() []codeLine {
	var list []codeLine
	for _, c := range m.Codes {
		if !c.Ended {
			list = append(list, c)
		}
	}
	return list
}

// Working gives the links that lead somewhere.
func (m membership) Working() []linkLine {
	var list []linkLine
	for _, l := range m.Links {
		if !l.Ended {
			list = append(list, l)
		}
	}
	return list
}

// OwnPercent is the percentage of the member's own commission as its form shows it; empty without one.
func (m membership) OwnPercent() string {
	if m.Override == nil {
		return ""
	}
	return affiliate.FormatPercent(m.Override.Percent)
}

// OwnFlat is the amount per order of the member's own commission as its form shows it; empty without one.
func (m membership) OwnFlat() string {
	if m.Override == nil {
		return ""
	}
	return affiliate.FormatFlat(m.Override.Flat)
}

type codeLine struct {
	affiliate.Code
	Store string // name
	Days  string // from when to when
	Ended bool
}

type linkLine struct {
	affiliate.Link
	URL   string
	Page  string // address of the page about it
	Days  string
	Ended bool
}

// withOwned completes members with their offers, codes and links.
func (r *request) withOwned(items []storage.MemberItem) ([]memberLine, error) {
	ctx, db := r.Request.Context(), r.d.App.DB
	lines := make([]memberLine, len(items))
	ids := make([]affiliate.MemberID, len(items))
	at := map[affiliate.MemberID]*memberLine{}
	for i, m := range items {
		ids[i] = m.ID
		lines[i] = memberLine{MemberItem: m, Address: memberAddress(m.CampaignID, m.ID),
			Profile: creatorAddress(m.CreatorID), Since: r.date(m.CreatedAt), Until: r.date(m.RemovedAt)}
		at[m.ID] = &lines[i]
	}
	places, err := db.OfferMembersOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	owners := make([]affiliate.OfferMemberID, len(places))
	offers := map[affiliate.OfferID]affiliate.Offer{}
	var offerIDs []affiliate.OfferID
	for i, om := range places {
		owners[i] = om.ID
		if _, seen := offers[om.OfferID]; !seen {
			offers[om.OfferID] = affiliate.Offer{}
			offerIDs = append(offerIDs, om.OfferID)
		}
	}
	list, err := db.OffersOf(ctx, offerIDs)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		offers[o.ID] = o
	}
	codes, links, err := r.owned(owners)
	if err != nil {
		return nil, err
	}
	for _, om := range places {
		m := r.membership(om, offers[om.OfferID])
		m.Codes, m.Links = codes[om.ID], links[om.ID]
		at[om.MemberID].Offers = append(at[om.MemberID].Offers, m)
	}
	return lines, nil
}

func (r *request) membership(om affiliate.OfferMember, o affiliate.Offer) membership {
	rule := o.Rule
	if om.Override != nil {
		rule = *om.Override
	}
	return membership{OfferMember: om, Offer: o, Rule: commissionText(rule, ""), Own: om.Override != nil,
		Since: r.date(om.CreatedAt), Inactive: r.date(om.InactiveSince)}
}

// owned reads the codes and links of offer members.
func (r *request) owned(owners []affiliate.OfferMemberID) (map[affiliate.OfferMemberID][]codeLine,
	map[affiliate.OfferMemberID][]linkLine, error) {
	ctx, db, now := r.Request.Context(), r.d.App.DB, r.d.App.Now()
	stores, _, err := db.Stores(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return nil, nil, err
	}
	names := map[affiliate.StoreID]string{}
	for _, s := range stores {
		names[s.ID] = s.Name
	}
	codes, err := db.CodesOf(ctx, owners)
	if err != nil {
		return nil, nil, err
	}
	links, err := db.LinksOf(ctx, owners)
	if err != nil {
		return nil, nil, err
	}
	codesOf, linksOf := map[affiliate.OfferMemberID][]codeLine{}, map[affiliate.OfferMemberID][]linkLine{}
	for _, c := range codes {
		line := codeLine{Code: c, Store: names[c.StoreID], Days: r.interval(c.ValidFrom, c.ValidTo),
			Ended: !c.ValidTo.IsZero() && !c.ValidTo.After(now)}
		codesOf[c.OfferMemberID] = append(codesOf[c.OfferMemberID], line)
	}
	for _, l := range links {
		linksOf[l.OfferMemberID] = append(linksOf[l.OfferMemberID], r.linkLine(l))
	}
	return codesOf, linksOf, nil
}

func (r *request) linkLine(l affiliate.Link) linkLine {
	return linkLine{Link: l, URL: r.d.App.LinkURL(l), Page: linkAddress(l.ID), Days: r.interval(l.CreatedAt, l.EndedAt),
		Ended: !l.EndedAt.IsZero()}
}

// interval writes from when to when something is somebody's.
func (r *request) interval(from, to time.Time) string {
	switch {
	case from.IsZero() && to.IsZero():
		return "always"
	case from.IsZero():
		return "until " + r.moment(to)
	case to.IsZero():
		return "since " + r.moment(from)
	case !from.Before(to):
		return "never"
	}
	return r.moment(from) + " – " + r.moment(to)
}

func memberAddress(campaign affiliate.CampaignID, member affiliate.MemberID) string {
	return campaignAddress(campaign) + "/members/" + member.String()
}

// membersPage lists the creators of a campaign with what they own in it and what they brought in a period.
type membersPage struct {
	campaignHead
	Search  memberSearch
	Hidden  []hiddenField
	Members storage.MemberCounts
	List    memberList
	Offers  []choice
	Back    string // this page, to come back to
}

// memberSearch is which creators of the campaign the page lists, as its address says.
type memberSearch struct {
	Period periodChoice
	Text   string
	Former bool
	Offer  affiliate.OfferID // whose members alone are listed, with their figures in it; 0: of all offers
}

// Narrowed says whether some creators are left out.
func (s memberSearch) Narrowed() bool { return s.Text != "" || s.Offer != 0 }

// memberList is the table of a campaign's creators.
type memberList struct {
	Columns []column
	Shows   map[string]bool
	Rows    []memberFigures
	Count   int64
	Total   *affiliate.Sums
	Pager   pager
	Tools   tableTools
}

// memberFigures is a member of a campaign with their figures in it.
type memberFigures struct {
	memberLine
	report.RowSums
	Performance string // address of what they brought here
	Leads       leads
}

func (r *request) membersPage() error {
	ctx := r.Request.Context()
	head, err := r.campaignHead("creators", "Creators")
	if err != nil {
		return err
	}
	p := membersPage{campaignHead: head, Hidden: r.carried("sort"), Back: r.here()}
	l := &p.List
	if l.Columns, err = r.columns("members"); err != nil {
		return err
	}
	var list report.List
	if p.Search, list, err = r.memberSearch(head.Campaign.ID, l.Columns); err != nil {
		return err
	}
	if p.Members, err = r.memberCounts(head.Campaign.ID); err != nil {
		return err
	}
	offers, _, err := r.d.App.DB.Offers(ctx, head.Campaign.ID, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	for _, o := range offers {
		p.Offers = append(p.Offers, choice{o.ID.String(), o.Name})
	}
	found, err := list.CreatorRows(ctx, r.d.App.DB)
	if err != nil {
		return err
	}
	if l.Rows, err = r.memberFigures(found.Rows, list.Scope, p.Search.Period); err != nil {
		return err
	}
	l.Count, l.Total, l.Pager, l.Shows = found.Count, found.Total, r.pager(found.Next), shown(l.Columns)
	l.Tools = r.tools("members", l.Columns, p.Address+"/creators")
	return r.show("campaign_creators.html", &p)
}

// memberSearch reads the address.
func (r *request) memberSearch(campaign affiliate.CampaignID, columns []column) (s memberSearch, list report.List,
	err error) {
	s = memberSearch{Text: strings.TrimSpace(r.Query("q")), Former: r.Query("former") != ""}
	if s.Period, err = r.period(); err != nil {
		return s, list, err
	}
	if s.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", r.Query("offer")); err != nil {
		return s, list, err
	}
	list, err = r.reportList(columns, "name")
	list.Scope = report.Scope{Campaigns: []affiliate.CampaignID{campaign}, Former: s.Former}
	if s.Offer != 0 {
		list.Offers = []affiliate.OfferID{s.Offer}
	}
	list.Range, list.Text = s.Period.Range, s.Text
	return s, list, err
}

// memberFigures completes creators of a campaign with what they own there.
func (r *request) memberFigures(found []report.CreatorRow, of report.Scope, period periodChoice) ([]memberFigures,
	error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := make([]affiliate.CreatorID, len(found))
	for i, row := range found {
		ids[i] = row.ID
	}
	campaign := of.Campaigns[0]
	items, _, err := r.d.App.DB.MemberPage(r.Request.Context(), storage.MemberSearch{Campaign: campaign, Creators: ids,
		Former: true}, storage.Page{Limit: len(ids)})
	if err != nil {
		return nil, err
	}
	members, err := r.withOwned(items)
	if err != nil {
		return nil, err
	}
	byCreator := map[affiliate.CreatorID]memberLine{}
	for _, m := range members {
		byCreator[m.CreatorID] = m
	}
	var rows []memberFigures
	for _, row := range found {
		m, ok := byCreator[row.ID]
		if !ok {
			continue // removed since the first statement
		}
		leads := leadsInCampaign(row.ID, of, period).with(period.address(m.Address), report.KeyClicks)
		rows = append(rows, memberFigures{m, row.RowSums, period.address(campaignAddress(campaign), "creator",
			row.ID.String(), "former", formerly(of.Former)) + "#conversions", leads})
	}
	return rows, nil
}

func (r *request) membersCSV() error  { return r.sendMembers(export.CSV) }
func (r *request) membersXLSX() error { return r.sendMembers(export.XLSX) }

// sendMembers writes the creators of the campaign with their figures, as the address narrows and sorts them, all pages
// of them; a creator in the address narrows it to theirs.
func (r *request) sendMembers(format export.Format) error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	if _, err := r.d.App.DB.Campaign(r.Request.Context(), id); err != nil {
		return err
	}
	s, list, err := r.memberSearch(id, columnTables()["members"])
	if err != nil {
		return err
	}
	if list.Creator, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_",
		r.Query("creator")); err != nil {
		return err
	}
	return r.download(format, s.Period.Range, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportCreators(r.Request.Context(), nil, list, o)
		return err
	}, "creators", id.String())
}

// newMemberPage finds a creator of the community to add, or makes a new one.
type newMemberPage struct {
	campaignHead
	Text  string
	Found []foundCreator
	More  bool // than are shown
	Form  creatorForm
}

type foundCreator struct {
	affiliate.Creator
	Handle string
	In     string // address of their membership, where they are or were a member
	Former bool   // left the campaign
}

// mostFound is how many creators a search shows.
const mostFound = 20

func (r *request) newMemberPage() error {
	p, err := r.newMember()
	if err != nil {
		return err
	}
	return r.show("campaign_creator_new.html", &p)
}

func (r *request) newMember() (p newMemberPage, err error) {
	ctx := r.Request.Context()
	if p.campaignHead, err = r.campaignHead("creators", "Add a creator"); err != nil {
		return p, err
	}
	p.Text = strings.TrimSpace(r.Query("q"))
	p.Form = newCreatorForm()
	found, next, err := r.d.App.DB.Creators(ctx, storage.CreatorFilter{Text: affiliate.TidyHandle(p.Text),
		Community: true}, storage.Page{Limit: mostFound})
	if err != nil {
		return p, err
	}
	p.More = next != ""
	for _, c := range found {
		f := foundCreator{Creator: c, Handle: c.BestHandle()}
		m, err := r.d.App.DB.MemberOf(ctx, p.Campaign.ID, c.ID)
		switch {
		case err == nil:
			f.In, f.Former = memberAddress(p.Campaign.ID, m.ID), !m.RemovedAt.IsZero()
		case affiliate.KindOf(err) != affiliate.NotFound:
			return p, err
		}
		p.Found = append(p.Found, f)
	}
	return p, nil
}

// addMember makes a creator of the community a member, or a new creator. A new creator who cannot be added to the
// campaign stays in the community.
func (r *request) addMember() error {
	campaign, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	form := newCreatorForm()
	id, err := r.creatorToAdd(&form)
	var m affiliate.CampaignMember
	if err == nil {
		m, err = r.d.App.AddMember(r.Request.Context(), affiliate.CampaignMember{CampaignID: campaign, CreatorID: id})
	}
	if err == nil {
		return r.done(memberAddress(campaign, m.ID),
			"The creator is in the campaign. Next, put them into an offer with a code or a link.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.newMember()
	if err != nil {
		return err
	}
	p.Form = form
	if p.Form.Errors = errs; errs["creator"] != "" { // no field of the form
		p.Failure = errs["creator"]
	}
	r.render(http.StatusUnprocessableEntity, "campaign_creator_new.html", &p)
	return nil
}

// creatorToAdd gives the creator whom the form names, or makes the one whom it describes.
func (r *request) creatorToAdd(form *creatorForm) (affiliate.CreatorID, error) {
	if text := r.field("creator"); text != "" {
		id, err := affiliate.ParseID[affiliate.CreatorID]("cre_", text)
		if err != nil {
			err = affiliate.AboutField("creator", err)
		}
		return id, err
	}
	*form = r.creatorForm()
	var c affiliate.Creator
	form.apply(&c)
	c, err := r.d.App.AddCreator(r.Request.Context(), c)
	return c.ID, err
}

// memberPage is one creator in a campaign: offers, commission, codes, links, and the goods they got.
type memberPage struct {
	campaignHead
	Member  memberLine
	Product productForm
	Period  periodChoice
	Clicks  map[affiliate.LinkID]linkClicks // on their links in the period
	Others  []affiliate.Offer               // of the campaign, that they are not in
	Stores  []choice
	Codes   map[affiliate.OfferMemberID][]standingCode
	Live    string // the stores that the codes follow
	Form    memberForm
}

// linkClicks is how many clicks a link had.
type linkClicks struct {
	N       int64
	Address string // of the link's page about the same period
}

type productForm struct{ Amount, Currency string }

// memberForm is one of the small forms of the page, shown again with what was typed.
type memberForm struct {
	Name   string // which: product, offer, commission, code, link
	Of     affiliate.OfferMemberID
	Values map[string]string
	Errors fieldErrors
}

// For says whether this is the form of a name, for an offer member.
func (f memberForm) For(name string, of affiliate.OfferMemberID) bool {
	return f.Name == name && f.Of == of
}

// Value is what was typed into a field of the form, when it is this one; otherwise what is given.
func (f memberForm) Value(name string, of affiliate.OfferMemberID, field, otherwise string) string {
	if !f.For(name, of) {
		return otherwise
	}
	return f.Values[field]
}

// Error is what is wrong with a field of the form, when it is this one.
func (f memberForm) Error(name string, of affiliate.OfferMemberID, field string) string {
	if !f.For(name, of) {
		return ""
	}
	return f.Errors[field]
}

func (r *request) memberPage() error {
	p, err := r.memberOfCampaign()
	if err != nil {
		return err
	}
	return r.show("campaign_creator.html", &p)
}

// memberOfCampaign reads the member of the address.
func (r *request) memberOfCampaign() (p memberPage, err error) {
	ctx, db := r.Request.Context(), r.d.App.DB
	campaign, member, err := r.memberIDs()
	if err != nil {
		return p, err
	}
	items, _, err := db.MemberPage(ctx, storage.MemberSearch{Campaign: campaign, Creator: member.CreatorID,
		Former: true}, storage.Page{})
	if err != nil {
		return p, err
	}
	lines, err := r.withOwned(items)
	if err != nil {
		return p, err
	}
	p.Member = lines[0]
	if p.campaignHead, err = r.campaignHead("creators", p.Member.Creator); err != nil {
		return p, err
	}
	if err := r.readClicks(&p); err != nil {
		return p, err
	}
	p.Product = productForm{money.Format(member.ProductValue, member.ProductCurrency), member.ProductCurrency.Code()}
	offers, _, err := db.Offers(ctx, campaign, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return p, err
	}
	in := map[affiliate.OfferID]bool{}
	for _, m := range p.Member.Offers {
		in[m.OfferID] = true
	}
	for _, o := range offers {
		if !in[o.ID] && o.Status != affiliate.OfferArchived {
			p.Others = append(p.Others, o)
		}
	}
	stores, _, err := db.Stores(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return p, err
	}
	for _, s := range stores {
		if s.State != affiliate.StoreStateEnded {
			p.Stores = append(p.Stores, choice{s.ID.String(), s.Name})
			p.Live = strings.TrimSpace(p.Live + " " + s.ID.String())
		}
	}
	places := make([]affiliate.OfferMemberID, len(p.Member.Offers))
	for i, m := range p.Member.Offers {
		places[i] = m.OfferMember.ID
	}
	p.Codes, err = r.standingCodes(places)
	return p, err
}

// readClicks reads how many clicks each link of the member had in the period of the address.
func (r *request) readClicks(p *memberPage) (err error) {
	if p.Period, err = r.period(); err != nil {
		return err
	}
	var ids []affiliate.LinkID
	for _, m := range p.Member.Offers {
		for _, l := range m.Links {
			ids = append(ids, l.ID)
		}
	}
	counts, err := r.d.App.DB.LinkClicks(r.Request.Context(), ids, p.Period.Range.Start(), p.Period.Range.End())
	p.Clicks = map[affiliate.LinkID]linkClicks{}
	for _, id := range ids {
		p.Clicks[id] = linkClicks{counts[id], p.Period.address(linkAddress(id)) + "#clicks"}
	}
	return err
}

// memberIDs reads the campaign and the member of the address, who must be of that campaign.
func (r *request) memberIDs() (campaign affiliate.CampaignID, m affiliate.CampaignMember, err error) {
	if campaign, err = idParam[affiliate.CampaignID](r, "id", "cmp_"); err != nil {
		return campaign, m, err
	}
	id, err := idParam[affiliate.MemberID](r, "member", "mem_")
	if err != nil {
		return campaign, m, err
	}
	if m, err = r.d.App.DB.Member(r.Request.Context(), id); err == nil && m.CampaignID != campaign {
		err = affiliate.Errorf(affiliate.NotFound, "%s is no member of %s", id, campaign)
	}
	return campaign, m, err
}

// placeOf reads the place in an offer that a form is about; it must be the member's.
func (r *request) placeOf(m affiliate.CampaignMember) (affiliate.OfferMember, error) {
	id, err := affiliate.ParseID[affiliate.OfferMemberID]("ofm_", r.field("offer_member"))
	if err != nil {
		return affiliate.OfferMember{}, err
	}
	om, err := r.d.App.DB.OfferMember(r.Request.Context(), id)
	if err == nil && om.MemberID != m.ID {
		err = affiliate.Errorf(affiliate.NotFound, "that offer is not one of theirs; open the page again")
	}
	return om, err
}

// outcome is what to tell about a change, and where to go on; the page of the member when it is empty.
type outcome struct{ notice, to string }

// onMember runs one of the page's small forms: it goes back to the page with a notice, or shows it again with what was
// wrong.
func (r *request) onMember(form string, fields []string, change func(m affiliate.CampaignMember) (outcome,
	error)) error {
	campaign, m, err := r.memberIDs()
	if err != nil {
		return err
	}
	done, err := change(m)
	if err == nil {
		return r.done(back(cmp.Or(done.to, r.field("back")), memberAddress(campaign, m.ID)), done.notice)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.memberOfCampaign()
	if err != nil {
		return err
	}
	p.Form = memberForm{Name: form, Values: map[string]string{}, Errors: errs}
	// 0 in forms that are about none
	p.Form.Of, _ = affiliate.ParseID[affiliate.OfferMemberID]("ofm_", r.field("offer_member"))
	for _, f := range fields {
		p.Form.Values[f] = r.field(f)
	}
	p.Failure = p.Form.unseen(fields)
	r.render(http.StatusUnprocessableEntity, "campaign_creator.html", &p)
	return nil
}

// unseen is what is wrong with no field that the form shows.
func (f memberForm) unseen(fields []string) string {
	for name, sentence := range f.Errors {
		shown := false
		for _, field := range fields {
			shown = shown || field == name
		}
		if !shown {
			return sentence
		}
	}
	return ""
}

func (r *request) changeProductValue() error {
	return r.onMember("product", []string{"product_value", "product_currency"},
		func(m affiliate.CampaignMember) (outcome, error) {
			currency, err := money.ParseCurrency(r.field("product_currency"))
			if err != nil {
				return outcome{}, affiliate.FieldErrorf("product_currency", "%v", err)
			}
			text, err := r.numberBeside("product_value", money.Format(m.ProductValue, m.ProductCurrency))
			if err != nil {
				return outcome{}, err
			}
			value, err := affiliate.ParseAmount("product_value", text, currency)
			if err != nil {
				return outcome{}, err
			}
			_, err = r.d.App.ChangeMember(r.Request.Context(), m.ID, app.AnyVersion,
				func(m *affiliate.CampaignMember) error {
					m.ProductValue, m.ProductCurrency = value, currency
					return nil
				})
			return outcome{notice: "The product value is changed; it counts among the campaign's costs."}, err
		})
}

func (r *request) removeMember() error {
	return r.onMember("remove", nil, func(m affiliate.CampaignMember) (outcome, error) {
		_, err := r.d.App.RemoveMember(r.Request.Context(), m.ID)
		return outcome{notice: "Removed from the campaign. What they sold until now stays on the home page and, with " +
			"“creators who left”, in the campaign."}, err
	})
}

func (r *request) restoreMember() error {
	return r.onMember("restore", nil, func(m affiliate.CampaignMember) (outcome, error) {
		_, err := r.d.App.RestoreMember(r.Request.Context(), m.ID)
		return outcome{notice: "Back in the campaign: their figures count in it again, the earlier ones too."}, err
	})
}

func (r *request) addToOffer() error {
	return r.onMember("offer", []string{"offer"}, func(m affiliate.CampaignMember) (outcome, error) {
		id, err := affiliate.ParseID[affiliate.OfferID]("off_", r.field("offer"))
		if err != nil {
			return outcome{}, affiliate.AboutField("offer", err)
		}
		_, err = r.d.App.AddOfferMember(r.Request.Context(), affiliate.OfferMember{OfferID: id, MemberID: m.ID})
		return outcome{notice: "Added to the offer. Now give them a code or a link."}, err
	})
}

// ruleFields reads the two fields of a commission; empty ones are 0.
func (r *request) ruleFields() (rule affiliate.Rule, err error) {
	percent, err := r.number("commission_percent")
	if err != nil {
		return rule, err
	}
	flat, err := r.number("commission_flat")
	if err != nil {
		return rule, err
	}
	if percent != "" {
		if rule.Percent, err = affiliate.ParsePercent("commission_percent", percent); err != nil {
			return rule, err
		}
	}
	if flat != "" {
		rule.Flat, err = affiliate.ParseFlat("commission_flat", flat)
	}
	return rule, err
}

// changeOverride gives a member a commission of their own, or the offer's again when both fields are empty.
func (r *request) changeOverride() error {
	return r.onMember("commission", []string{"commission_percent", "commission_flat"},
		func(m affiliate.CampaignMember) (outcome, error) {
			om, err := r.placeOf(m)
			if err != nil {
				return outcome{}, err
			}
			rule, err := r.ruleFields()
			if err != nil {
				return outcome{}, err
			}
			override, notice := &rule, "Their commission is changed for orders placed from now on."
			if r.field("commission_percent")+r.field("commission_flat") == "" {
				override, notice = nil, "The offer's commission counts for them again, from the next order on."
			}
			_, err = r.d.App.ChangeOfferMember(r.Request.Context(), om.ID, app.AnyVersion,
				func(m *affiliate.OfferMember) error {
					m.SetOverride(override)
					return nil
				})
			return outcome{notice: notice}, err
		})
}

func (r *request) setMemberActive() error {
	return r.onMember("active", nil, func(m affiliate.CampaignMember) (outcome, error) {
		om, err := r.placeOf(m)
		if err != nil {
			return outcome{}, err
		}
		active, notice := r.field("active") == "yes",
			"Inactive in this offer: orders placed from now on are not credited to them by it."
		if active {
			notice = "Active in this offer again."
		}
		now := r.d.App.Now().UTC().Truncate(time.Microsecond)
		_, err = r.d.App.ChangeOfferMember(r.Request.Context(), om.ID, app.AnyVersion,
			func(m *affiliate.OfferMember) error {
				m.SetActive(active, now)
				return nil
			})
		return outcome{notice: notice}, err
	})
}

func (r *request) addCode() error {
	return r.onMember("code", []string{"code", "store"}, func(m affiliate.CampaignMember) (outcome, error) {
		om, err := r.placeOf(m)
		if err != nil {
			return outcome{}, err
		}
		store, err := affiliate.ParseID[affiliate.StoreID]("str_", r.field("store"))
		if err != nil {
			return outcome{}, affiliate.FieldErrorf("store", "choose a store; codes belong to one")
		}
		added, err := r.d.App.AddCode(r.Request.Context(), app.NewCode{OfferMember: om.ID, Store: store,
			Code: r.field("code")})
		if err != nil {
			return outcome{}, err
		}
		return waitingOutcome("The code "+added.Code.Code+" is theirs.", added.Waiting), nil
	})
}

// waitingOutcome leads to the orders without a creator that carry a new code or link, where there are any.
func waitingOutcome(notice string, waiting int) outcome {
	if waiting == 0 {
		return outcome{notice: notice}
	}
	return outcome{notice + " " + counted(int64(waiting), "order", "orders") +
		" without a creator came with it before. See here what crediting them would do.", "/creators/import/credit"}
}

// codeOf reads the code that a form is about; it must be the member's.
func (r *request) codeOf(m affiliate.CampaignMember) (c affiliate.Code, err error) {
	om, err := r.placeOf(m)
	if err != nil {
		return c, err
	}
	id, err := affiliate.ParseID[affiliate.CodeID]("cod_", r.field("code"))
	if err != nil {
		return c, err
	}
	c, err = r.d.App.DB.Code(r.Request.Context(), id)
	if err == nil && c.OfferMemberID != om.ID {
		err = affiliate.Errorf(affiliate.NotFound, "that code is not one of theirs; open the page again")
	}
	return c, err
}

// makeCode has a code made by the offer's pattern, in the stores in which they have none.
func (r *request) makeCode() error {
	return r.onMember("make", nil, func(m affiliate.CampaignMember) (outcome, error) {
		om, err := r.placeOf(m)
		if err != nil {
			return outcome{}, err
		}
		return r.runAtOnce(app.NewCodeRun{Action: affiliate.CodeMake, Offer: om.OfferID,
			Members: []affiliate.OfferMemberID{om.ID}})
	})
}

// memberCodeActions are what can be done with one code on its member's page, besides its end.
var memberCodeActions = []affiliate.CodeAction{affiliate.CodeRefresh, affiliate.CodeActivate, affiliate.CodeDeactivate}

// changeCode refreshes a code, or stops or starts it in its store.
func (r *request) changeCode() error {
	return r.onMember("code", nil, func(m affiliate.CampaignMember) (outcome, error) {
		c, err := r.codeOf(m)
		if err != nil {
			return outcome{}, err
		}
		action := affiliate.CodeAction(r.field("do"))
		if !slices.Contains(memberCodeActions, action) {
			return outcome{}, affiliate.Errorf(affiliate.Invalid, "choose what is to be done with the code")
		}
		return r.runAtOnce(app.NewCodeRun{Action: action, Codes: []affiliate.CodeID{c.ID}})
	})
}

// endCode ends a code: in its store, too, where that is asked from here.
func (r *request) endCode() error {
	return r.onMember("code", nil, func(m affiliate.CampaignMember) (outcome, error) {
		ctx := r.Request.Context()
		c, err := r.codeOf(m)
		if err != nil {
			return outcome{}, err
		}
		store, err := r.d.App.DB.Store(ctx, c.StoreID)
		if err != nil {
			return outcome{}, err
		}
		reading, err := r.d.App.CouponReading(ctx, store)
		if err != nil {
			return outcome{}, err
		}
		if reading.Can {
			return r.runAtOnce(app.NewCodeRun{Action: affiliate.CodeEnd, Codes: []affiliate.CodeID{c.ID}})
		}
		c, err = r.d.App.EndCode(ctx, c.ID, time.Time{})
		return outcome{notice: "The code " + c.Code +
			" is free again. Orders until now stay theirs. The store is not " +
			"asked from here: end it in its admin, too."}, err
	})
}

func (r *request) addLink() error {
	return r.onMember("link", []string{"landing_url", "slug", "kind"},
		func(m affiliate.CampaignMember) (outcome, error) {
			om, err := r.placeOf(m)
			if err != nil {
				return outcome{}, err
			}
			added, err := r.d.App.AddLink(r.Request.Context(), affiliate.Link{OfferMemberID: om.ID,
				LandingURL: r.field("landing_url"), Slug: r.field("slug"), Kind: affiliate.LinkKind(r.field("kind"))})
			if err != nil {
				return outcome{}, err
			}
			return waitingOutcome("The link "+r.d.App.LinkURL(added.Link)+" is theirs.", added.Waiting), nil
		})
}

func (r *request) endLink() error {
	return r.onMember("link", nil, func(m affiliate.CampaignMember) (outcome, error) {
		om, err := r.placeOf(m)
		if err != nil {
			return outcome{}, err
		}
		id, err := affiliate.ParseID[affiliate.LinkID]("lnk_", r.field("link"))
		if err != nil {
			return outcome{}, err
		}
		l, err := r.d.App.DB.Link(r.Request.Context(), id)
		if err == nil && l.OfferMemberID != om.ID {
			err = affiliate.Errorf(affiliate.NotFound, "that link is not one of theirs; open the page again")
		}
		if err == nil {
			_, err = r.d.App.EndLink(r.Request.Context(), id)
		}
		return outcome{notice: "The link leads nowhere now. Its orders stay theirs."}, err
	})
}
