package dashboard

import (
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

func linkRoutes() []route {
	const change = affiliate.MayChangeCatalog
	return []route{
		{http.MethodGet, "/links/:link", signedIn, (*request).linkPage},
		{http.MethodPost, "/links/:link", may(change), (*request).changeLink},
		{http.MethodPost, "/links/:link/ask", may(change), (*request).askLink},
	}
}

// keptFact is what a platform writes on orders, under its own name of the field.
type keptFact struct{ Platform, Field, Value string }

// linkPage shows a link: where a click on it leads, what a store keeps of that, and what should be mended.
type linkPage struct {
	layout
	Link      linkLine
	Address   string // of the page
	Owner     affiliate.Membership
	Campaign  string // address
	Member    string // address of the owner's page in the campaign
	Check     app.CheckedLink
	Kept      []keptFact // what stores keep of it
	StoreName string     // of the store that the landing page belongs to; empty when none is known
	Asked     bool
	Period    periodChoice
	Clicks    int64 // in the period, without those of robots
	Counted   bool  // in the figures of pages
	MayChange bool
	Form      linkForm
	Errors    fieldErrors
	Kinds     []choice
	UTMRules  []choice
	NeedUTM   string // the platforms whose stores need utm parameters
}

// linkForm is what can be changed of a link, as typed.
type linkForm struct{ Landing, Kind, UTM string }

var linkKinds = []choice{{string(affiliate.LinkSales), "Sales: what they publish"},
	{string(affiliate.LinkPurchase), "Purchase: for their own order"}, {string(affiliate.LinkReview), "Review"}}

func linkAddress(id affiliate.LinkID) string { return "/links/" + id.String() }

func (r *request) link() (affiliate.Link, error) {
	id, err := affiliate.ParseID[affiliate.LinkID]("lnk_", r.Param("link"))
	if err != nil {
		return affiliate.Link{}, affiliate.Errorf(affiliate.NotFound, "there is no such link")
	}
	return r.d.App.DB.Link(r.Request.Context(), id)
}

func (r *request) linkPage() error {
	l, err := r.link()
	if err != nil {
		return err
	}
	return r.showLink(http.StatusOK, l, nil, nil, false)
}

// askLink shows the page with what the landing page answers now.
func (r *request) askLink() error {
	l, err := r.link()
	if err != nil {
		return err
	}
	return r.showLink(http.StatusOK, l, nil, nil, true)
}

// showLink shows a link, with what was typed into its form where that is wrong.
func (r *request) showLink(status int, l affiliate.Link, typed *linkForm, errs fieldErrors, ask bool) error {
	ctx := r.Request.Context()
	checked, err := r.d.App.CheckLink(ctx, l, ask)
	if err != nil {
		return err
	}
	om, err := r.d.App.DB.OfferMember(ctx, l.OfferMemberID)
	if err != nil {
		return err
	}
	p := linkPage{layout: r.layout("Link "+l.Slug, "campaigns"), Address: linkAddress(l.ID), Owner: checked.Owner,
		Campaign: campaignAddress(checked.Owner.CampaignID), Link: r.linkLine(l), Check: checked, Asked: ask,
		Member:    memberAddress(checked.Owner.CampaignID, om.MemberID),
		MayChange: r.may(affiliate.MayChangeCatalog), Errors: errs, Kinds: linkKinds, UTMRules: r.linkUTMRules(),
		NeedUTM: r.d.App.Platforms.Names(app.NeedsUTM), Form: linkForm{l.LandingURL, string(l.Kind), string(l.UTM)}}
	if p.Period, err = r.period(); err != nil {
		return err
	}
	p.Counted = l.Kind.CountsClicks()
	clicks, err := r.d.App.DB.LinkClicks(ctx, []affiliate.LinkID{l.ID}, p.Period.Range.Start(), p.Period.Range.End())
	if err != nil {
		return err
	}
	p.Clicks = clicks[l.ID]
	for _, k := range checked.Kept {
		p.Kept = append(p.Kept, keptFact{r.d.App.Platforms.Guide(k.Platform).Name, k.Field, k.Value})
	}
	if typed != nil {
		p.Form = *typed
	}
	if checked.Store != 0 {
		store, err := r.d.App.DB.Store(ctx, checked.Store)
		if err != nil {
			return err
		}
		p.StoreName = store.Name
	}
	r.render(status, "link.html", &p)
	return nil
}

// linkUTMRules are what a link can say about utm parameters.
func (r *request) linkUTMRules() []choice {
	rules := choices(accountSettings["utm"])
	account := "As in the settings: " + strings.ToLower(titleOf(rules, string(r.settings.UTM)))
	return append([]choice{{string(affiliate.UTMAccount), account}}, rules...)
}

func (r *request) changeLink() error {
	l, err := r.link()
	if err != nil {
		return err
	}
	f := linkForm{r.field("landing_url"), r.field("kind"), r.field("utm")}
	_, err = r.d.App.ChangeLink(r.Request.Context(), l.ID, func(l *affiliate.Link) error {
		l.LandingURL, l.Kind, l.UTM = f.Landing, affiliate.LinkKind(f.Kind), affiliate.UTMRule(f.UTM)
		return nil
	})
	if err == nil {
		return r.done(linkAddress(l.ID), "The link is changed.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showLink(http.StatusUnprocessableEntity, l, &f, errs, false)
}
