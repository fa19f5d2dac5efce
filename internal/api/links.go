package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerLinks(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/links", "list-links", read, "List links, ended ones included"},
		a.listLinks)
	register(a, api, operation{http.MethodPost, "/links", "create-link", change, "Give an offer member a link"},
		a.createLink)
	register(a, api, operation{http.MethodGet, "/links/{id}", "get-link", read, "Read a link"}, a.getLink)
	register(a, api, operation{http.MethodPatch, "/links/{id}", "update-link", change,
		"Change where a link leads, or its kind"}, a.updateLink)
	register(a, api, operation{http.MethodPost, "/links/{id}/end", "end-link", change,
		"End a link; its slug is not used again"}, a.endLink)
	register(a, api, operation{http.MethodGet, "/links/{id}/check", "check-link", read,
		"What becomes of a click on a link, and what to mend"}, a.checkLink)
	register(a, api, operation{http.MethodPost, "/links/{id}/check", "ask-link", change,
		"The same, after asking the landing page, which counts as no click"}, a.askLink)
}

type LinkJSON struct {
	ID          string             `json:"id" example:"lnk_1"`
	OfferMember string             `json:"offer_member" example:"ofm_1"`
	Slug        string             `json:"slug" example:"anna"`
	Kind        affiliate.LinkKind `json:"kind"`
	URL         string             `json:"url" doc:"What the creator publishes"`
	LandingURL  string             `json:"landing_url" doc:"Where it leads"`
	UTM         *affiliate.UTMRule `json:"utm" nullable:"true" doc:"Whether it adds utm parameters to the landing page; null: as the account's settings say"`
	EndedAt     *time.Time         `json:"ended_at"`
	CreatedAt   time.Time          `json:"created_at"`
	UpdatedAt   time.Time          `json:"updated_at"`
}

func (a *API) linkView(l affiliate.Link) LinkJSON {
	return LinkJSON{ID: l.ID.String(), OfferMember: l.OfferMemberID.String(), Slug: l.Slug, Kind: l.Kind,
		URL: a.App.LinkURL(l), LandingURL: l.LandingURL, UTM: orNull(l.UTM),
		EndedAt: web.TimeOrNull(l.EndedAt), CreatedAt: l.CreatedAt.UTC(), UpdatedAt: l.UpdatedAt.UTC()}
}

type listLinksInput struct {
	PageInput
	OfferMember string `query:"offer_member" example:"ofm_1"`
	Slug        string `query:"slug"`
}

func (a *API) listLinks(ctx context.Context, in *listLinksInput) (*listOutput[LinkJSON], error) {
	f := storage.LinkFilter{Slug: in.Slug}
	var err error
	if f.OfferMember, err = affiliate.OptionalID[affiliate.OfferMemberID]("offer_member",
		"ofm_", in.OfferMember); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Links(ctx, f, in.page())
	return listPage(list, next, err, a.linkView)
}

type createLinkInput struct {
	Body struct {
		OfferMember string             `json:"offer_member" example:"ofm_1"`
		LandingURL  string             `json:"landing_url" example:"https://shop.example/product"`
		Slug        string             `json:"slug,omitempty" doc:"Made from the creator's handle when left out"`
		Kind        affiliate.LinkKind `json:"kind,omitempty" default:"sales"`
		UTM         affiliate.UTMRule  `json:"utm,omitempty" doc:"As the account's settings say when left out"`
	}
}

type createdLinkJSON struct {
	LinkJSON
	OrdersWaiting
}

func (a *API) createLink(ctx context.Context, in *createLinkInput) (*output[createdLinkJSON], error) {
	b := in.Body
	om, err := affiliate.OptionalID[affiliate.OfferMemberID]("offer_member", "ofm_", b.OfferMember)
	if err != nil {
		return nil, err
	}
	added, err := a.App.AddLink(ctx, affiliate.Link{OfferMemberID: om, Slug: b.Slug, Kind: b.Kind,
		LandingURL: b.LandingURL, UTM: b.UTM})
	return one(added, err, func(l app.AddedLink) createdLinkJSON {
		return createdLinkJSON{a.linkView(l.Link), OrdersWaiting{l.Waiting}}
	})
}

type LinkPath struct {
	ID string `path:"id" example:"lnk_1"`
}

func (p LinkPath) id() (affiliate.LinkID, error) { return idPath[affiliate.LinkID]("lnk_", p.ID) }

func (a *API) getLink(ctx context.Context, in *LinkPath) (*output[LinkJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	l, err := a.App.DB.Link(ctx, id)
	return one(l, err, a.linkView)
}

type updateLinkInput struct {
	LinkPath
	Body struct {
		LandingURL *string             `json:"landing_url,omitempty"`
		Kind       *affiliate.LinkKind `json:"kind,omitempty"`

		UTM optional[string] `json:"utm,omitempty" doc:"on or off; null: as the account's settings say"`
	}
}

func (a *API) updateLink(ctx context.Context, in *updateLinkInput) (*output[LinkJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	l, err := a.App.ChangeLink(ctx, id, func(l *affiliate.Link) error {
		setIf(&l.LandingURL, in.Body.LandingURL)
		setIf(&l.Kind, in.Body.Kind)
		utm := string(l.UTM)
		in.Body.UTM.apply(&utm)
		l.UTM = affiliate.UTMRule(utm)
		return nil
	})
	return one(l, err, a.linkView)
}

// LinkCheckJSON is where a link leads, and what is found about it.
type LinkCheckJSON struct {
	FinalURL string            `json:"final_url" doc:"Where a click leads; {click} stands for its id"`
	Store    *string           `json:"store" doc:"Id of the store that the landing page belongs to; null: of none that is known"`
	Keeps    []KeptJSON        `json:"keeps" doc:"What the store writes on the order of a visitor who came by the link"`
	OK       bool              `json:"ok" doc:"No finding is severe"`
	Findings []LinkFindingJSON `json:"findings"`
	Hops     []HopJSON         `json:"hops" doc:"The landing page's answers, in order; empty unless it was asked"`
}

// KeptJSON is a part of an order in which the store writes how its customer came.
type KeptJSON struct {
	Platform string `json:"platform"`
	Field    string `json:"field" doc:"Of the order, as the platform names it" example:"landing_site"`
	Value    string `json:"value"`
}

// LinkFindingJSON is something about a link that somebody should know.
type LinkFindingJSON struct {
	Code   string `json:"code" example:"own_utm"`
	Severe bool   `json:"severe" doc:"Orders may be credited to nobody; otherwise it is worth knowing"`
	Text   string `json:"text"`
}

// HopJSON is one answer of a landing page.
type HopJSON struct {
	URL    string `json:"url"`
	Status int    `json:"status"`
}

// LinkCheckView is how the API and the command line show a checked link.
func LinkCheckView(c app.CheckedLink) LinkCheckJSON {
	v := LinkCheckJSON{FinalURL: c.Address, OK: !c.Severe(), Keeps: []KeptJSON{}, Findings: []LinkFindingJSON{},
		Hops: []HopJSON{}}
	if c.Store != 0 {
		v.Store = new(c.Store.String())
	}
	for _, k := range c.Kept {
		v.Keeps = append(v.Keeps, KeptJSON{string(k.Platform), k.Field, k.Value})
	}
	for _, f := range c.Findings {
		v.Findings = append(v.Findings, LinkFindingJSON(f))
	}
	for _, h := range c.Hops {
		v.Hops = append(v.Hops, HopJSON{h.Address, h.Status})
	}
	return v
}

func (a *API) checkLink(ctx context.Context, in *LinkPath) (*output[LinkCheckJSON], error) {
	return a.linkCheck(ctx, in, false)
}

func (a *API) askLink(ctx context.Context, in *LinkPath) (*output[LinkCheckJSON], error) {
	return a.linkCheck(ctx, in, true)
}

func (a *API) linkCheck(ctx context.Context, in *LinkPath, ask bool) (*output[LinkCheckJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	l, err := a.App.DB.Link(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := a.App.CheckLink(ctx, l, ask)
	return one(c, err, LinkCheckView)
}

func (a *API) endLink(ctx context.Context, in *LinkPath) (*output[LinkJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	l, err := a.App.EndLink(ctx, id)
	return one(l, err, a.linkView)
}
