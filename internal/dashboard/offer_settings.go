package dashboard

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// offerForm are the fields of an offer as people type them.
type offerForm struct {
	Name, Type, Percent, Flat string
	From                      string // when a change of the commission begins, of the account's zone; empty: now
	Campaign                  string // id of the campaign of a new offer; newCampaign: one that is made with it
	CampaignName              string // of that one
	Version                   int
	Errors                    fieldErrors
}

// newCampaign is chosen in the form of a new offer where none of the campaigns is meant.
const newCampaign = "new"

func (r *request) offerForm() offerForm {
	version, _ := strconv.Atoi(r.field("version")) // 0, which is any, where there is none
	return offerForm{Name: r.field("name"), Type: r.field("type"), Percent: r.field("commission_percent"),
		Flat: r.field("commission_flat"), From: r.field("from"), Campaign: r.field("campaign"),
		CampaignName: r.field("campaign_name"), Version: version}
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

// newOfferPage makes an offer: first its type is chosen, then the rest said.
type newOfferPage struct {
	layout
	Form      offerForm
	Campaigns []choice
	Back      string
}

func (r *request) newOfferPage() error {
	p, err := r.newOffer(offerForm{Type: r.Query("type"), Campaign: r.Query("campaign")})
	if err != nil {
		return err
	}
	return r.show("offer_new.html", p)
}

func (r *request) newOffer(form offerForm) (*newOfferPage, error) {
	p := &newOfferPage{layout: r.layout("Add an offer", "home"), Form: form, Back: "/"}
	id, err := affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_",
		strings.TrimPrefix(form.Campaign, newCampaign))
	if err != nil {
		return nil, err
	}
	if id != 0 {
		p.Back, p.Section = campaignAddress(id)+"/offers", "campaigns"
	}
	if form.Type != "" {
		if err := affiliate.CheckWord("type", affiliate.OfferType(form.Type)); err != nil {
			return nil, err
		}
	}
	if p.Campaigns, err = r.campaignChoicesWith(id); err != nil {
		return nil, err
	}
	if len(p.Campaigns) == 0 {
		p.Form.Campaign = newCampaign
	}
	return p, nil
}

// addOffer makes an offer, in a campaign that there is or in one that is made with it.
func (r *request) addOffer() error {
	form := r.offerForm()
	o := affiliate.Offer{Name: form.Name, Type: affiliate.OfferType(form.Type), Status: affiliate.OfferActive}
	rule, err := r.ruleFields()
	if o.Rule = rule; err == nil {
		err = o.Validate() // before a campaign is made for it
	}
	if err == nil {
		o.CampaignID, err = r.campaignOf(form)
	}
	if err == nil {
		if o, err = r.d.App.AddOffer(r.Request.Context(), o); err == nil {
			return r.done(offerAddress(o), "The offer is made. Next, add the creators who promote it.")
		}
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	switch {
	case o.CampaignID != 0: // made already
		form.Campaign = o.CampaignID.String()
	case errs["campaign"] != "":
		form.Campaign = ""
	}
	if affiliate.CheckWord("type", o.Type) != nil {
		form.Type = ""
	}
	p, err := r.newOffer(form)
	if err != nil {
		return err
	}
	p.Form.Errors = errs
	p.Failure = unseenError(errs, "", "name", "campaign", "campaign_name", "commission_percent", "commission_flat")
	r.render(http.StatusUnprocessableEntity, "offer_new.html", p)
	return nil
}

// campaignOf gives the campaign that a new offer is of, and makes it where it is to be new.
func (r *request) campaignOf(form offerForm) (affiliate.CampaignID, error) {
	if form.Campaign != newCampaign {
		id, err := affiliate.ParseID[affiliate.CampaignID]("cmp_", form.Campaign)
		if err != nil {
			err = affiliate.FieldErrorf("campaign", "choose a campaign, or name a new one")
		}
		return id, err
	}
	c, err := r.d.App.AddCampaign(r.Request.Context(), affiliate.Campaign{Name: form.CampaignName})
	if err != nil {
		err = affiliate.AboutField("campaign_name", err)
	}
	return c.ID, err
}

// offerSettingsPage changes an offer: its name, type and commission, and what its codes give.
type offerSettingsPage struct {
	offerHead
	Form    offerForm
	Members int64
	Codes   int64         // that are somebody's now
	Gives   *discountForm // what a code gives; nil of an offer without codes
	Pattern string        // of new codes, as it was typed
	Example *patternExample
	Places  []string // that may stand in a pattern
}

func (r *request) offerSettingsPage() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p, err := r.offerSettings(o)
	if err != nil {
		return err
	}
	return r.show("offer_settings.html", &p)
}

func (r *request) offerSettings(o affiliate.Offer) (p offerSettingsPage, err error) {
	if p.offerHead, err = r.offerHead(o, "settings", "Settings"); err != nil {
		return p, err
	}
	p.Form = offerFormOf(o)
	counts, err := r.d.App.DB.OfferMemberCounts(r.Request.Context(), []affiliate.OfferID{o.ID})
	if p.Members = counts[o.ID]; err == nil && o.Type == affiliate.OfferPromoCode {
		err = r.readGives(&p)
	}
	return p, err
}

func offerSettingsAddress(o affiliate.Offer) string { return offerAddress(o) + "/settings" }

// patternPlaces are what may stand in a pattern, with what it stands for.
var patternPlaces = []string{"{{handle}}", "{{name}}", "{{first_name}}", "{{last_name}}", "{{campaign}}", "{{offer}}",
	"{{percent}}", "{{random:4}}"}

// readGives reads what the codes of the offer give, and how they are made.
func (r *request) readGives(p *offerSettingsPage) error {
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

// changeOffer changes name and type, and the commission from the time that the form names: all of it or nothing.
func (r *request) changeOffer() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	form := r.offerForm()
	rule, from, err := r.ruleFrom()
	if err == nil {
		_, err = r.d.App.ChangeOfferFrom(r.Request.Context(), o.ID, form.Version, from, func(o *affiliate.Offer) error {
			o.Name, o.Type = form.Name, affiliate.OfferType(form.Type)
			o.SetRule(rule.Percent, rule.Flat)
			return nil
		})
	}
	if err == nil {
		notice, begins := "The offer is changed.", "now"
		if !from.IsZero() {
			begins = r.moment(from)
		}
		if rule.Percent != o.Rule.Percent || rule.Flat != o.Rule.Flat || !from.IsZero() {
			notice += " Orders placed from " + begins + " on earn " + commissionText(rule, "") + "."
		}
		return r.done(offerSettingsAddress(o), notice)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.offerSettings(o)
	if err != nil {
		return err
	}
	p.Form = form
	p.Form.Errors = errs
	p.Failure = unseenError(errs, "", "name", "type", "commission_percent", "commission_flat", "from")
	r.render(http.StatusUnprocessableEntity, "offer_settings.html", &p)
	return nil
}

// ruleFrom reads a commission and from when on it counts; zero: now.
func (r *request) ruleFrom() (rule affiliate.Rule, from time.Time, err error) {
	if rule, err = r.ruleFields(); err == nil {
		from, err = r.readTime("from", r.field("from"))
	}
	return rule, from, err
}

// commissionsPage is the history of an offer's commissions: its own and its members', those to come among them.
type commissionsPage struct {
	offerHead
	Rows  []commissionLine
	Pager pager
}

// commissionLine is a rule as the history shows it.
type commissionLine struct {
	affiliate.CommissionRule
	Rule    string
	Creator string // whose it is; empty: the offer's
	From    string // empty: of all orders
	Made    string
	By      string
	Planned bool
}

func commissionsAddress(o affiliate.Offer) string { return offerAddress(o) + "/commissions" }

func (r *request) commissionsPage() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	var p commissionsPage
	if p.offerHead, err = r.offerHead(o, "", "Commissions"); err != nil {
		return err
	}
	ctx := r.Request.Context()
	rules, next, err := r.d.App.DB.CommissionRules(ctx, o.ID, 0, r.page())
	if err != nil {
		return err
	}
	var owners []affiliate.OfferMemberID
	for _, rule := range rules {
		if rule.OfferMemberID != 0 {
			owners = append(owners, rule.OfferMemberID)
		}
	}
	names := map[affiliate.OfferMemberID]storage.OwnerName{}
	if len(owners) > 0 {
		if names, err = r.d.App.DB.OwnerNames(ctx, owners); err != nil {
			return err
		}
	}
	for _, rule := range rules {
		p.Rows = append(p.Rows, commissionLine{CommissionRule: rule, Rule: ruleText(rule),
			Creator: names[rule.OfferMemberID].Creator, From: r.moment(rule.FromAt), Made: r.moment(rule.MadeAt),
			By: actorText(rule.Author), Planned: rule.FromAt.After(r.d.App.Now())})
	}
	p.Pager = r.pager(next)
	return r.show("offer_commissions.html", &p)
}

// dropCommission takes back a change whose time has not come.
func (r *request) dropCommission() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	id, err := affiliate.ParseID[affiliate.CommissionRuleID]("crl_", r.field("rule"))
	if err == nil {
		err = r.d.App.DropCommissionRule(r.Request.Context(), id)
	}
	if err != nil {
		return err
	}
	return r.done(commissionsAddress(o), "The change is taken back; what counted before goes on.")
}
