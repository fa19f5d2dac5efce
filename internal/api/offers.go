package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerOffers(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/offers", "list-offers", read, "List offers"}, a.listOffers)
	register(a, api, operation{http.MethodPost, "/offers", "create-offer", change, "Make an offer in a campaign"},
		a.createOffer)
	register(a, api, operation{http.MethodGet, "/offers/{id}", "get-offer", read, "Read an offer"}, a.getOffer)
	register(a, api, operation{http.MethodPatch, "/offers/{id}", "update-offer", change,
		"Change an offer; a new commission counts for orders placed from now, or from a later time, on"}, a.updateOffer)
	register(a, api, operation{http.MethodPost, "/offers/{id}/end", "end-offer", change,
		"Archive an offer; orders placed later are not credited by it"}, a.endOffer)

	register(a, api, operation{http.MethodGet, "/offer-members", "list-offer-members", read, "List creators in offers"},
		a.listOfferMembers)
	register(a, api, operation{http.MethodPost, "/offer-members", "create-offer-member", change,
		"Put a member of the campaign into an offer"}, a.createOfferMember)
	register(a, api, operation{http.MethodGet, "/offer-members/{id}", "get-offer-member", read, "Read an offer member"},
		a.getOfferMember)
	register(a, api, operation{http.MethodPatch, "/offer-members/{id}", "update-offer-member", change,
		"Change an offer member's own commission, or whether they are active"}, a.updateOfferMember)
	register(a, api, operation{http.MethodPost, "/offer-members/{id}/end", "end-offer-member", change,
		"Make an offer member inactive"}, a.endOfferMember)
	register(a, api, operation{http.MethodDelete, "/offer-members/{id}", "remove-offer-member", change,
		"Take a member out of an offer; what they have sold stays in its figures"}, a.removeOfferMember)
	register(a, api, operation{http.MethodPost, "/offers/{id}/members/changes", "change-offer-members", change,
		"Add, remove, activate or deactivate many members of an offer, or change their commission"}, a.changeMembers)
	register(a, api, operation{http.MethodPost, "/offers/{id}/members/changes/preview", "preview-offer-members", read,
		"Say what a change of many members would do"}, a.previewMembers)
	register(a, api, operation{http.MethodGet, "/offers/{id}/commission-rules", "list-commission-rules", read,
		"List what members of an offer earn, by when orders are placed, the newest rules first"}, a.listCommissionRules)
	register(a, api, operation{http.MethodDelete, "/commission-rules/{id}", "drop-commission-rule", change,
		"Take back a change of commissions whose time has not come"}, a.dropCommissionRule)
}

type offerJSON struct {
	ID          string                `json:"id" example:"off_1"`
	Campaign    string                `json:"campaign" example:"cmp_1"`
	Name        string                `json:"name"`
	Type        affiliate.OfferType   `json:"type"`
	Status      affiliate.OfferStatus `json:"status"`
	StatusSince time.Time             `json:"status_since"`
	Commission  commissionJSON        `json:"commission"`
	Discount    *OfferDiscountJSON    `json:"discount" doc:"What new codes give to customers; null while that is not set"`
	CodePattern string                `json:"code_pattern" example:"{{handle}}10" doc:"How new codes are made; empty while that is not set"`
	RuleVersion int                   `json:"rule_version" doc:"Grows when the commission changes"`
	Version     int                   `json:"version"`
	CreatedAt   time.Time             `json:"created_at"`
	UpdatedAt   time.Time             `json:"updated_at"`
}

func offerView(o affiliate.Offer) offerJSON {
	return offerJSON{ID: o.ID.String(), Campaign: o.CampaignID.String(), Name: o.Name, Type: o.Type,
		Status: o.Status, StatusSince: o.StatusSince.UTC(), Commission: commissionView(o.Rule),
		Discount: OfferDiscountView(o.Discount), CodePattern: string(o.CodePattern),
		RuleVersion: o.Rule.Version, Version: o.Version, CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC()}
}

type listOffersInput struct {
	PageInput
	Campaign string `query:"campaign" example:"cmp_1"`
}

func (a *API) listOffers(ctx context.Context, in *listOffersInput) (*listOutput[offerJSON], error) {
	campaign, err := affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_", in.Campaign)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Offers(ctx, campaign, in.page())
	return listPage(list, next, err, offerView)
}

type createOfferInput struct {
	Body struct {
		Campaign    string                `json:"campaign" example:"cmp_1"`
		Name        string                `json:"name"`
		Type        affiliate.OfferType   `json:"type"`
		Status      affiliate.OfferStatus `json:"status,omitempty" default:"active"`
		Commission  commissionJSON        `json:"commission"`
		Discount    *OfferDiscountJSON    `json:"discount,omitempty" doc:"What codes of the offer give to customers"`
		CodePattern string                `json:"code_pattern,omitempty" example:"{{handle}}10" doc:"How codes of its members are made"`
	}
}

func (a *API) createOffer(ctx context.Context, in *createOfferInput) (*output[offerJSON], error) {
	b := in.Body
	campaign, err := affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_", b.Campaign)
	if err != nil {
		return nil, err
	}
	rule, err := b.Commission.rule()
	if err != nil {
		return nil, err
	}
	discount, err := a.offerDiscount(ctx, b.Discount)
	if err != nil {
		return nil, err
	}
	o, err := a.App.AddOffer(ctx, affiliate.Offer{CampaignID: campaign, Name: b.Name, Type: b.Type,
		Status: b.Status, Rule: rule, Discount: discount, CodePattern: affiliate.CodePattern(b.CodePattern)})
	return one(o, err, offerView)
}

type OfferPath struct {
	ID string `path:"id" example:"off_1"`
}

func (p OfferPath) id() (affiliate.OfferID, error) { return idPath[affiliate.OfferID]("off_", p.ID) }

func (a *API) getOffer(ctx context.Context, in *OfferPath) (*output[offerJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	o, err := a.App.DB.Offer(ctx, id)
	return one(o, err, offerView)
}

type updateOfferInput struct {
	OfferPath
	Body struct {
		ChangeInput
		Name        *string                     `json:"name,omitempty"`
		Type        *affiliate.OfferType        `json:"type,omitempty"`
		Status      *affiliate.OfferStatus      `json:"status,omitempty"`
		Commission  *commissionJSON             `json:"commission,omitempty" doc:"Replaces the whole rule, for orders placed from then on"`
		From        time.Time                   `json:"commission_from,omitzero" doc:"From when on the commission counts, which is not in the past; left out: from now on"`
		Discount    optional[OfferDiscountJSON] `json:"discount,omitempty" doc:"Replaces the whole discount of new codes; null: none. Codes that are there get it by a code run"`
		CodePattern *string                     `json:"code_pattern,omitempty" example:"{{handle}}10" doc:"Of new codes; empty: none"`
	}
}

func (a *API) updateOffer(ctx context.Context, in *updateOfferInput) (*output[offerJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	b := in.Body
	discount, err := a.offerDiscount(ctx, b.Discount.value)
	if err != nil {
		return nil, err
	}
	if b.Commission == nil && !b.From.IsZero() {
		return nil, affiliate.FieldErrorf("commission_from", "goes with a commission")
	}
	o, err := a.App.ChangeOfferFrom(ctx, id, b.Version, b.From, func(o *affiliate.Offer) error {
		setIf(&o.Name, b.Name)
		setIf(&o.Type, b.Type)
		if b.Discount.set {
			o.Discount = discount
		}
		if b.CodePattern != nil {
			o.CodePattern = affiliate.CodePattern(*b.CodePattern)
		}
		if b.Status != nil {
			o.SetStatus(*b.Status, a.App.Now().UTC().Truncate(time.Microsecond))
		}
		if b.Commission == nil {
			return nil
		}
		rule, err := b.Commission.rule()
		if err == nil {
			o.SetRule(rule.Percent, rule.Flat)
		}
		return err
	})
	return one(o, err, offerView)
}

func (a *API) endOffer(ctx context.Context, in *OfferPath) (*output[offerJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	o, err := a.App.EndOffer(ctx, id)
	return one(o, err, offerView)
}

type offerMemberJSON struct {
	ID            string          `json:"id" example:"ofm_1"`
	Offer         string          `json:"offer" example:"off_1"`
	Member        string          `json:"member" example:"mem_1"`
	Campaign      string          `json:"campaign" example:"cmp_1"`
	Creator       string          `json:"creator" example:"cre_1"`
	Commission    *commissionJSON `json:"commission,omitempty" doc:"The member's own, instead of the offer's; left out when the offer's counts"`
	RuleVersion   int             `json:"rule_version" doc:"Grows when the member's own commission changes"`
	InactiveSince *time.Time      `json:"inactive_since" doc:"null while active"`
	RemovedAt     *time.Time      `json:"removed_at" doc:"null while in the offer"`
	Version       int             `json:"version"`
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`
}

func offerMemberView(m affiliate.OfferMember) offerMemberJSON {
	v := offerMemberJSON{ID: m.ID.String(), Offer: m.OfferID.String(), Member: m.MemberID.String(),
		Campaign: m.CampaignID.String(), Creator: m.CreatorID.String(), RuleVersion: m.RuleVersion,
		InactiveSince: web.TimeOrNull(m.InactiveSince), RemovedAt: web.TimeOrNull(m.RemovedAt), Version: m.Version,
		CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC()}
	if m.Override != nil {
		c := commissionView(*m.Override)
		v.Commission = &c
	}
	return v
}

type listOfferMembersInput struct {
	PageInput
	Offer    string `query:"offer" example:"off_1"`
	Campaign string `query:"campaign" example:"cmp_1"`
	Creator  string `query:"creator" example:"cre_1"`
}

func (a *API) listOfferMembers(ctx context.Context,
	in *listOfferMembersInput) (*listOutput[offerMemberJSON], error) {
	var f storage.OfferMemberFilter
	var err error
	if f.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", in.Offer); err != nil {
		return nil, err
	}
	if f.Campaign, err = affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_", in.Campaign); err != nil {
		return nil, err
	}
	if f.Creator, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_", in.Creator); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.OfferMembers(ctx, f, in.page())
	return listPage(list, next, err, offerMemberView)
}

type createOfferMemberInput struct {
	Body struct {
		Offer      string          `json:"offer" example:"off_1"`
		Member     string          `json:"member" example:"mem_1"`
		Commission *commissionJSON `json:"commission,omitempty" doc:"The member's own, instead of the offer's"`
	}
}

func (a *API) createOfferMember(ctx context.Context, in *createOfferMemberInput) (*output[offerMemberJSON], error) {
	var m affiliate.OfferMember
	var err error
	if m.OfferID, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", in.Body.Offer); err != nil {
		return nil, err
	}
	if m.MemberID, err = affiliate.OptionalID[affiliate.MemberID]("member", "mem_", in.Body.Member); err != nil {
		return nil, err
	}
	if in.Body.Commission != nil {
		rule, err := in.Body.Commission.rule()
		if err != nil {
			return nil, err
		}
		m.Override = &rule
	}
	m, err = a.App.AddOfferMember(ctx, m)
	return one(m, err, offerMemberView)
}

type OfferMemberPath struct {
	ID string `path:"id" example:"ofm_1"`
}

func (p OfferMemberPath) id() (affiliate.OfferMemberID, error) {
	return idPath[affiliate.OfferMemberID]("ofm_", p.ID)
}

func (a *API) getOfferMember(ctx context.Context, in *OfferMemberPath) (*output[offerMemberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.DB.OfferMember(ctx, id)
	return one(m, err, offerMemberView)
}

type updateOfferMemberInput struct {
	OfferMemberPath
	Body struct {
		ChangeInput
		Commission optional[commissionJSON] `json:"commission,omitempty" doc:"Replaces the member's whole own rule, for orders placed from then on; null: the offer's counts again"`
		From       time.Time                `json:"commission_from,omitzero" doc:"From when on the commission counts, which is not in the past; left out: from now on"`
		Active     *bool                    `json:"active,omitempty" doc:"true also takes back who was removed"`
	}
}

func (a *API) updateOfferMember(ctx context.Context, in *updateOfferMemberInput) (*output[offerMemberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	b := in.Body
	if !b.Commission.set && !b.From.IsZero() {
		return nil, affiliate.FieldErrorf("commission_from", "goes with a commission")
	}
	m, err := a.App.ChangeOfferMemberFrom(ctx, id, b.Version, b.From, func(m *affiliate.OfferMember) error {
		if b.Active != nil {
			m.SetActive(*b.Active, a.App.Now().UTC().Truncate(time.Microsecond))
		}
		switch {
		case !b.Commission.set:
			return nil
		case b.Commission.value == nil:
			m.SetOverride(nil)
			return nil
		}
		rule, err := b.Commission.value.rule()
		if err == nil {
			m.SetOverride(&rule)
		}
		return err
	})
	return one(m, err, offerMemberView)
}

func (a *API) endOfferMember(ctx context.Context, in *OfferMemberPath) (*output[offerMemberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.EndOfferMember(ctx, id)
	return one(m, err, offerMemberView)
}

func (a *API) removeOfferMember(ctx context.Context, in *OfferMemberPath) (*output[offerMemberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.RemoveOfferMember(ctx, id)
	return one(m, err, offerMemberView)
}
