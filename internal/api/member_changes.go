package api

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

type commissionRuleJSON struct {
	ID          string          `json:"id" example:"crl_1"`
	Offer       string          `json:"offer" example:"off_1"`
	OfferMember *string         `json:"offer_member" example:"ofm_1" doc:"null: of all members without a rule of their own"`
	Commission  *commissionJSON `json:"commission" doc:"null: the member has no rule of their own from then on"`
	From        *time.Time      `json:"from" doc:"Of orders placed from then on; null: of all"`
	Version     int             `json:"version" doc:"Grows from rule to rule of the same offer or member"`
	MadeAt      time.Time       `json:"made_at"`
	Author      string          `json:"author" doc:"Empty: it came with the offer or member"`
}

func commissionRuleView(r affiliate.CommissionRule) commissionRuleJSON {
	v := commissionRuleJSON{ID: r.ID.String(), Offer: r.OfferID.String(), From: web.TimeOrNull(r.FromAt),
		Version: r.Version, MadeAt: r.MadeAt.UTC(), Author: r.Author}
	if r.OfferMemberID != 0 {
		v.OfferMember = orNull(r.OfferMemberID.String())
	}
	if own := r.Own(); own != nil {
		c := commissionView(*own)
		v.Commission = &c
	}
	return v
}

type commissionRulesInput struct {
	OfferPath
	PageInput
	Member string `query:"offer_member" example:"ofm_1" doc:"Only those of one member"`
}

func (a *API) listCommissionRules(ctx context.Context,
	in *commissionRulesInput) (*listOutput[commissionRuleJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	member, err := affiliate.OptionalID[affiliate.OfferMemberID]("offer_member", "ofm_", in.Member)
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.Offer(ctx, id); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.CommissionRules(ctx, id, member, in.page())
	return listPage(list, next, err, commissionRuleView)
}

type CommissionRulePath struct {
	ID string `path:"id" example:"crl_1"`
}

// dropCommissionRule answers with the rule that was taken back.
func (a *API) dropCommissionRule(ctx context.Context,
	in *CommissionRulePath) (*output[commissionRuleJSON], error) {
	id, err := idPath[affiliate.CommissionRuleID]("crl_", in.ID)
	if err != nil {
		return nil, err
	}
	r, err := a.App.DB.CommissionRule(ctx, id)
	if err == nil {
		err = a.App.DropCommissionRule(ctx, id)
	}
	return one(r, err, commissionRuleView)
}

// membersChangeInput is an action on members, of whom there may be many.
type membersChangeInput struct {
	OfferPath
	Body struct {
		Action     app.MemberAction `json:"action"`
		Members    []string         `json:"members,omitempty" maxItems:"20000" example:"[\"ofm_1\"]" doc:"The offer's members that it is for"`
		Creators   []string         `json:"creators,omitempty" maxItems:"20000" example:"[\"cre_1\"]" doc:"In place of members, and to add"`
		All        bool             `json:"all,omitempty" doc:"true: all current members that search finds"`
		Search     string           `json:"search,omitempty" maxLength:"200" doc:"With all: only whose name, handle or code has this in it"`
		Commission *commissionJSON  `json:"commission,omitempty" doc:"Of the action commission: their own rule; left out: the offer's counts again"`
		From       time.Time        `json:"from,omitzero" doc:"Of the action commission: it counts for orders placed from then on, which is not in the past; left out: from now on"`
	}
}

// mostMembersChange is the largest body of an action on members, in bytes.
const mostMembersChange = 1 << 20

func (membersChangeInput) mostBytes() int64 { return mostMembersChange }

// change reads what is asked for.
func (in *membersChangeInput) change() (c app.MembersChange, err error) {
	b := in.Body
	c.Action, c.From = b.Action, b.From
	if c.Offer, err = in.id(); err != nil {
		return c, err
	}
	chosen := 0
	for _, given := range []bool{len(b.Members) > 0, len(b.Creators) > 0, b.All} {
		if given {
			chosen++
		}
	}
	switch {
	case chosen != 1:
		return c, affiliate.FieldErrorf("members", "say whom it is for: one of members, creators and all")
	case b.Search != "" && !b.All:
		return c, affiliate.FieldErrorf("search", "goes with all alone")
	}
	c.Search = storage.OfferMemberSearch{Text: b.Search}
	if len(b.Members) > 0 {
		c.Members, err = affiliate.ParseIDs[affiliate.OfferMemberID]("members", "ofm_", b.Members)
	}
	if len(b.Creators) > 0 {
		c.Creators, err = affiliate.ParseIDs[affiliate.CreatorID]("creators", "cre_", b.Creators)
	}
	if err == nil && b.Commission != nil {
		var rule affiliate.Rule
		rule, err = b.Commission.rule()
		c.Rule = &rule
	}
	return c, err
}

// MemberResultJSON is what became of one of those whom an action is for, as the API and the command line show it.
type MemberResultJSON struct {
	Creator     *string           `json:"creator" example:"cre_1" doc:"null where nobody is meant"`
	Name        string            `json:"name"`
	OfferMember *string           `json:"offer_member" example:"ofm_1" doc:"null where they are in the offer not yet"`
	Outcome     app.MemberOutcome `json:"outcome"`
	Why         string            `json:"why" doc:"A sentence, of those that failed"`
}

// MembersChangeJSON is what became of all of them.
type MembersChangeJSON struct {
	Changed int                `json:"changed"`
	Same    int                `json:"same" doc:"They were as the action asks for"`
	Failed  int                `json:"failed"`
	Orders  *int64             `json:"orders,omitempty" doc:"Of a preview of the action commission: credited orders of whom it changes, which keep what was earned by them"`
	Results []MemberResultJSON `json:"results"`
}

// MembersChangeView is how they show it.
func MembersChangeView(results []app.MemberResult) MembersChangeJSON {
	v := MembersChangeJSON{Results: make([]MemberResultJSON, len(results))}
	for i, r := range results {
		one := MemberResultJSON{Name: r.Name, Outcome: r.Outcome, Why: r.Why}
		if r.Creator != 0 {
			one.Creator = orNull(r.Creator.String())
		}
		if r.Member != 0 {
			one.OfferMember = orNull(r.Member.String())
		}
		v.Results[i] = one
		switch r.Outcome {
		case app.MemberChanged:
			v.Changed++
		case app.MemberSame:
			v.Same++
		default:
			v.Failed++
		}
	}
	return v
}

func (a *API) changeMembers(ctx context.Context, in *membersChangeInput) (*output[MembersChangeJSON], error) {
	change, err := in.change()
	if err != nil {
		return nil, err
	}
	web.AllowTime(requestOf(ctx).Writer)
	results, err := a.App.ChangeMembers(ctx, change)
	return one(results, err, MembersChangeView)
}

func (a *API) previewMembers(ctx context.Context, in *membersChangeInput) (*output[MembersChangeJSON], error) {
	change, err := in.change()
	if err != nil {
		return nil, err
	}
	p, err := a.App.PreviewMembers(ctx, change)
	return one(p, err, func(p app.MembersPreview) MembersChangeJSON {
		v := MembersChangeView(p.Results)
		if change.Action == app.MembersCommission {
			v.Orders = &p.Orders
		}
		return v
	})
}
