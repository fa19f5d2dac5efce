package dashboard

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/report"
)

func offerRoutes() []route {
	const change = affiliate.MayChangeCatalog
	return []route{
		{http.MethodGet, "/campaigns/:id/offers", signedIn, (*request).offersPage},
		{http.MethodGet, "/campaigns/:id/offers/new", may(change), (*request).newOfferPage},
		{http.MethodPost, "/campaigns/:id/offers/new", may(change), (*request).addOffer},
		{http.MethodGet, "/campaigns/:id/offers/:offer", may(change), (*request).offerPage},
		{http.MethodPost, "/campaigns/:id/offers/:offer", may(change), (*request).changeOffer},
		{http.MethodPost, "/campaigns/:id/offers/:offer/discount", may(change), (*request).changeDiscount},
		{http.MethodPost, "/campaigns/:id/offers/:offer/status", may(change), (*request).setOfferStatus},
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

// offerForm are the fields of an offer as people type them.
type offerForm struct {
	Name, Type, Percent, Flat string
	Version                   int
	Errors                    fieldErrors
}

func (r *request) offerForm() offerForm {
	version, _ := strconv.Atoi(r.field("version")) // 0, which is any, where there is none
	return offerForm{Name: r.field("name"), Type: r.field("type"), Percent: r.field("commission_percent"),
		Flat: r.field("commission_flat"), Version: version}
}

func offerFormOf(o affiliate.Offer) offerForm {
	f := offerForm{Name: o.Name, Type: string(o.Type), Version: o.Version}
	if o.Rule.Percent != 0 {
		f.Percent = affiliate.FormatPercent(o.Rule.Percent)
	}
	if o.Rule.Flat != 0 {
		f.Flat = affiliate.FormatFlat(o.Rule.Flat)
	}
	return f
}

// offerFormPage makes an offer or changes one.
type offerFormPage struct {
	campaignHead
	Offer   affiliate.Offer // without an id while it is new
	Action  string
	Form    offerForm
	Members int64
	Codes   int64         // that are somebody's now
	Gives   *discountForm // what a code gives; nil of a new offer, and of one without codes
	Pattern string        // of new codes, as it was typed
	Example *patternExample
	Places  []string // that may stand in a pattern
}

func (r *request) newOfferPage() error {
	p, err := r.offerFormPage(affiliate.Offer{})
	if err != nil {
		return err
	}
	p.Form.Type = string(affiliate.OfferPromoCode)
	return r.show("campaign_offer.html", &p)
}

func (r *request) offerFormPage(o affiliate.Offer) (p offerFormPage, err error) {
	title := o.Name
	if o.ID == 0 {
		title = "New offer"
	}
	if p.campaignHead, err = r.campaignHead("offers", title); err != nil {
		return p, err
	}
	p.Offer, p.Form, p.Action = o, offerFormOf(o), p.Address+"/offers/new"
	if o.ID != 0 {
		p.Action = offerAddress(o)
		counts, err := r.d.App.DB.OfferMemberCounts(r.Request.Context(), []affiliate.OfferID{o.ID})
		if err != nil {
			return p, err
		}
		p.Members = counts[o.ID]
		if o.Type == affiliate.OfferPromoCode {
			return p, r.readGives(&p)
		}
	}
	return p, nil
}

// patternPlaces are what may stand in a pattern, with what it stands for.
var patternPlaces = []string{"{{handle}}", "{{name}}", "{{first_name}}", "{{last_name}}", "{{campaign}}", "{{offer}}",
	"{{percent}}", "{{random:4}}"}

// readGives reads what the codes of the offer give, and how they are made.
func (r *request) readGives(p *offerFormPage) error {
	stores, err := r.openStores()
	if err != nil {
		return err
	}
	form := r.discountFormOf(p.Offer.Discount, stores)
	p.Gives, p.Pattern, p.Places = &form, string(p.Offer.CodePattern), patternPlaces
	if p.Example, err = r.patternExample(p.Offer, p.Campaign.Name); err != nil {
		return err
	}
	codes, err := r.d.App.DB.OfferCodeCounts(r.Request.Context(), []affiliate.OfferID{p.Offer.ID}, r.d.App.Now())
	p.Codes = codes[p.Offer.ID]
	return err
}

func (r *request) addOffer() error {
	campaign, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	form := r.offerForm()
	rule, err := r.ruleFields()
	if err == nil {
		_, err = r.d.App.AddOffer(r.Request.Context(), affiliate.Offer{CampaignID: campaign, Name: form.Name,
			Type: affiliate.OfferType(form.Type), Rule: rule})
	}
	if err == nil {
		return r.done(campaignAddress(campaign)+"/offers",
			"The offer is made. Next, add creators and put them into it.")
	}
	return r.offerRefused(err, affiliate.Offer{CampaignID: campaign}, form)
}

// offerRefused shows the form again with what was typed and why it was refused.
func (r *request) offerRefused(err error, o affiliate.Offer, form offerForm) error {
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.offerFormPage(o)
	if err != nil {
		return err
	}
	p.Form = form
	p.Form.Errors = errs
	r.render(http.StatusUnprocessableEntity, "campaign_offer.html", &p)
	return nil
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

func (r *request) offerPage() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p, err := r.offerFormPage(o)
	if err != nil {
		return err
	}
	return r.show("campaign_offer.html", &p)
}

func (r *request) changeOffer() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	form := r.offerForm()
	rule, err := r.ruleFields()
	if err == nil {
		_, err = r.d.App.ChangeOffer(r.Request.Context(), o.ID, form.Version, func(o *affiliate.Offer) error {
			o.Name, o.Type = form.Name, affiliate.OfferType(form.Type)
			o.SetRule(rule.Percent, rule.Flat)
			return nil
		})
	}
	if err == nil {
		return r.done(campaignAddress(o.CampaignID)+"/offers",
			"The offer is changed. Its commission counts for orders credited from now on.")
	}
	return r.offerRefused(err, o, form)
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
	return r.done(campaignAddress(o.CampaignID)+"/offers", "“"+o.Name+"” "+notice)
}
