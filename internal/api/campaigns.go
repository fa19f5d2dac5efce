package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerCampaigns(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/campaigns", "list-campaigns", read, "List campaigns by name"},
		a.listCampaigns)
	register(a, api, operation{http.MethodPost, "/campaigns", "create-campaign", change, "Make a campaign"},
		a.createCampaign)
	register(a, api, operation{http.MethodGet, "/campaigns/{id}", "get-campaign", read, "Read a campaign"},
		a.getCampaign)
	register(a, api, operation{http.MethodPatch, "/campaigns/{id}", "update-campaign", change, "Change a campaign"},
		a.updateCampaign)
	register(a, api, operation{http.MethodPost, "/campaigns/{id}/end", "end-campaign", change,
		"End a campaign; orders placed later are not credited by it"}, a.endCampaign)

	register(a, api, operation{http.MethodGet, "/members", "list-members", read, "List members of campaigns"},
		a.listMembers)
	register(a, api, operation{http.MethodPost, "/members", "create-member", change,
		"Make a creator a member of a campaign"}, a.createMember)
	register(a, api, operation{http.MethodGet, "/members/{id}", "get-member", read, "Read a member of a campaign"},
		a.getMember)
	register(a, api, operation{http.MethodPatch, "/members/{id}", "update-member", change,
		"Change a member's product value"}, a.updateMember)
	register(a, api, operation{http.MethodPost, "/members/{id}/end", "end-member", change,
		"Remove a creator from a campaign; what they earned stays"}, a.endMember)
	register(a, api, operation{http.MethodPost, "/members/{id}/restore", "restore-member", change,
		"Take a removed member back"}, a.restoreMember)
}

type campaignJSON struct {
	ID         string                   `json:"id" example:"cmp_1"`
	Name       string                   `json:"name"`
	Status     affiliate.CampaignStatus `json:"status"`
	StartsAt   *time.Time               `json:"starts_at" doc:"Orders before it are not credited"`
	EndsAt     *time.Time               `json:"ends_at" doc:"The first moment that no longer counts"`
	WindowDays *int                     `json:"attribution_window_days" doc:"null: the account's"`
	Precedence *string                  `json:"precedence" doc:"code_first or link_first; null: the account's"`
	ClickRule  *string                  `json:"click_rule" doc:"last_click or first_click; null: the account's"`
	Version    int                      `json:"version"`
	CreatedAt  time.Time                `json:"created_at"`
	UpdatedAt  time.Time                `json:"updated_at"`
}

func campaignView(c affiliate.Campaign) campaignJSON {
	return campaignJSON{ID: c.ID.String(), Name: c.Name, Status: c.Status, StartsAt: web.TimeOrNull(c.StartsAt),
		EndsAt: web.TimeOrNull(c.EndsAt), WindowDays: orNull(c.WindowDays), Precedence: orNull(string(c.Precedence)),
		ClickRule: orNull(string(c.ClickRule)), Version: c.Version, CreatedAt: c.CreatedAt.UTC(),
		UpdatedAt: c.UpdatedAt.UTC()}
}

// CampaignFields are what a person may set and take away again.
type CampaignFields struct {
	StartsAt   optional[time.Time] `json:"starts_at,omitempty"`
	EndsAt     optional[time.Time] `json:"ends_at,omitempty"`
	WindowDays optional[int]       `json:"attribution_window_days,omitempty"`
	Precedence optional[string]    `json:"precedence,omitempty"`
	ClickRule  optional[string]    `json:"click_rule,omitempty"`
}

func (f CampaignFields) apply(c *affiliate.Campaign) {
	f.StartsAt.apply(&c.StartsAt)
	f.EndsAt.apply(&c.EndsAt)
	c.StartsAt, c.EndsAt = c.StartsAt.UTC().Truncate(time.Microsecond), c.EndsAt.UTC().Truncate(time.Microsecond)
	f.WindowDays.apply(&c.WindowDays)
	precedence, rule := string(c.Precedence), string(c.ClickRule)
	f.Precedence.apply(&precedence)
	f.ClickRule.apply(&rule)
	c.Precedence, c.ClickRule = affiliate.Precedence(precedence), affiliate.ClickRule(rule)
}

func (a *API) listCampaigns(ctx context.Context, in *PageInput) (*listOutput[campaignJSON], error) {
	list, next, err := a.App.DB.Campaigns(ctx, in.page())
	return listPage(list, next, err, campaignView)
}

type createCampaignInput struct {
	Body struct {
		Name string `json:"name"`
		CampaignFields
	}
}

func (a *API) createCampaign(ctx context.Context, in *createCampaignInput) (*output[campaignJSON], error) {
	c := affiliate.Campaign{Name: in.Body.Name}
	in.Body.CampaignFields.apply(&c)
	c, err := a.App.AddCampaign(ctx, c)
	return one(c, err, campaignView)
}

type CampaignPath struct {
	ID string `path:"id" example:"cmp_1"`
}

func (p CampaignPath) id() (affiliate.CampaignID, error) {
	return idPath[affiliate.CampaignID]("cmp_", p.ID)
}

func (a *API) getCampaign(ctx context.Context, in *CampaignPath) (*output[campaignJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.DB.Campaign(ctx, id)
	return one(c, err, campaignView)
}

type updateCampaignInput struct {
	CampaignPath
	Body struct {
		ChangeInput
		Name *string `json:"name,omitempty"`
		CampaignFields
	}
}

func (a *API) updateCampaign(ctx context.Context, in *updateCampaignInput) (*output[campaignJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.ChangeCampaign(ctx, id, in.Body.Version, func(c *affiliate.Campaign) error {
		setIf(&c.Name, in.Body.Name)
		in.Body.CampaignFields.apply(c)
		return nil
	})
	return one(c, err, campaignView)
}

func (a *API) endCampaign(ctx context.Context, in *CampaignPath) (*output[campaignJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.EndCampaign(ctx, id)
	return one(c, err, campaignView)
}

type memberJSON struct {
	ID              string     `json:"id" example:"mem_1"`
	Campaign        string     `json:"campaign" example:"cmp_1"`
	Creator         string     `json:"creator" example:"cre_1"`
	ProductValue    string     `json:"product_value" example:"39.90" doc:"Of the goods sent to the creator"`
	ProductCurrency string     `json:"product_currency" example:"EUR"`
	RemovedAt       *time.Time `json:"removed_at"`
	Version         int        `json:"version"`
	CreatedAt       time.Time  `json:"created_at"`
	UpdatedAt       time.Time  `json:"updated_at"`
}

func memberView(m affiliate.CampaignMember) memberJSON {
	return memberJSON{ID: m.ID.String(), Campaign: m.CampaignID.String(), Creator: m.CreatorID.String(),
		ProductValue: money.Format(m.ProductValue, m.ProductCurrency), ProductCurrency: m.ProductCurrency.Code(),
		RemovedAt: web.TimeOrNull(m.RemovedAt), Version: m.Version, CreatedAt: m.CreatedAt.UTC(),
		UpdatedAt: m.UpdatedAt.UTC()}
}

type listMembersInput struct {
	PageInput
	Campaign string `query:"campaign" example:"cmp_1"`
	Creator  string `query:"creator" example:"cre_1"`
}

func (a *API) listMembers(ctx context.Context, in *listMembersInput) (*listOutput[memberJSON], error) {
	var f storage.MemberFilter
	var err error
	if f.Campaign, err = affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_", in.Campaign); err != nil {
		return nil, err
	}
	if f.Creator, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_", in.Creator); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Members(ctx, f, in.page())
	return listPage(list, next, err, memberView)
}

type createMemberInput struct {
	Body struct {
		Campaign        string  `json:"campaign" example:"cmp_1"`
		Creator         string  `json:"creator" example:"cre_1"`
		ProductValue    *string `json:"product_value,omitempty" example:"39.90"`
		ProductCurrency *string `json:"product_currency,omitempty" example:"EUR" doc:"The account's when left out"`
	}
}

func (a *API) createMember(ctx context.Context, in *createMemberInput) (*output[memberJSON], error) {
	var m affiliate.CampaignMember
	var err error
	if m.CampaignID, err = affiliate.OptionalID[affiliate.CampaignID]("campaign",
		"cmp_", in.Body.Campaign); err != nil {
		return nil, err
	}
	if m.CreatorID, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_", in.Body.Creator); err != nil {
		return nil, err
	}
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	m.ProductCurrency = settings.Currency
	if err := setProduct(&m, in.Body.ProductValue, in.Body.ProductCurrency); err != nil {
		return nil, err
	}
	m, err = a.App.AddMember(ctx, m)
	return one(m, err, memberView)
}

// setProduct sets value and currency. Without a value, the one there is keeps its digits: 39.90 EUR becomes 39.90 USD.
func setProduct(m *affiliate.CampaignMember, amount, currency *string) error {
	if amount == nil {
		kept := money.Format(m.ProductValue, m.ProductCurrency)
		amount = &kept
	}
	if err := setCurrency(&m.ProductCurrency, "product_currency", currency); err != nil {
		return err
	}
	n, err := affiliate.ParseAmount("product_value", *amount, m.ProductCurrency)
	m.ProductValue = n
	return err
}

type MemberPath struct {
	ID string `path:"id" example:"mem_1"`
}

func (p MemberPath) id() (affiliate.MemberID, error) { return idPath[affiliate.MemberID]("mem_", p.ID) }

func (a *API) getMember(ctx context.Context, in *MemberPath) (*output[memberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.DB.Member(ctx, id)
	return one(m, err, memberView)
}

type updateMemberInput struct {
	MemberPath
	Body struct {
		ChangeInput
		ProductValue    *string `json:"product_value,omitempty" example:"39.90"`
		ProductCurrency *string `json:"product_currency,omitempty" example:"EUR"`
	}
}

func (a *API) updateMember(ctx context.Context, in *updateMemberInput) (*output[memberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.ChangeMember(ctx, id, in.Body.Version, func(m *affiliate.CampaignMember) error {
		return setProduct(m, in.Body.ProductValue, in.Body.ProductCurrency)
	})
	return one(m, err, memberView)
}

func (a *API) endMember(ctx context.Context, in *MemberPath) (*output[memberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.RemoveMember(ctx, id)
	return one(m, err, memberView)
}

func (a *API) restoreMember(ctx context.Context, in *MemberPath) (*output[memberJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	m, err := a.App.RestoreMember(ctx, id)
	return one(m, err, memberView)
}
