package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerStoreAccess declares the operations on the stores' own APIs.
func (a *API) registerStoreAccess(api huma.API) {
	const own = affiliate.MayAdminister
	register(a, api, operation{http.MethodPost, "/stores/connect", "connect-store", own,
		"Connect a store by its API: it is made of what its API says of it, and its webhooks are made"}, a.connectStore)
	register(a, api, operation{http.MethodPost, "/stores/access-requests", "create-access-request", own,
		"Ask a store's owner for keys, which they approve in the store itself"}, a.askForAccess)
	register(a, api, operation{http.MethodGet, "/stores/access-requests/{state}", "get-access-request", own,
		"Read what a request for keys came to"}, a.accessOutcome)
	register(a, api, operation{http.MethodGet, "/stores/{store}/access", "get-store-access", own,
		"Read how a store's API answers, and which webhooks were made there"}, a.getAccess)
	register(a, api, operation{http.MethodPut, "/stores/{store}/access", "set-store-access", own,
		"Connect a store that is there with its API, or exchange its keys"}, a.setAccess)
	register(a, api, operation{http.MethodDelete, "/stores/{store}/access", "end-store-access", own,
		"Forget a store's keys, and delete our webhooks in it; the store stays"}, a.endAccess)
	register(a, api, operation{http.MethodPost, "/stores/{store}/access/check", "check-store-access", own,
		"Ask a store whether its keys serve, and make its webhooks whole"}, a.checkAccess)
	register(a, api, operation{http.MethodPost, "/stores/{store}/secrets/rotate", "rotate-store-secret", own,
		"Give the webhooks that were made here a new secret; the former one is good for another hour"}, a.rotateSecret)
}

// StoreKeysInput is what a store's API is asked with. It is kept sealed, and no answer shows it.
type StoreKeysInput struct {
	Kind    affiliate.KeyKind `json:"kind,omitempty" doc:"Of the keys; left out, the fields tell it"`
	Address string            `json:"address" doc:"Of the shop" example:"https://shop.example"`
	ID      string            `json:"id,omitempty" doc:"The consumer key, or the app's client id"`
	Secret  string            `json:"secret,omitempty" doc:"That goes with it; with a token the app's secret, which signs webhooks"`
	Token   string            `json:"token,omitempty" doc:"The app's access token"`
}

func (k StoreKeysInput) keys() affiliate.StoreKeys {
	return affiliate.StoreKeys{Kind: k.Kind, Address: k.Address, ID: k.ID, Secret: k.Secret, Token: k.Token}
}

type connectStoreInput struct {
	Body struct {
		StoreKeysInput
		Platform string `json:"platform"`
		Slug     string `json:"slug,omitempty" doc:"In its webhook address: a-z, 0-9 and -; left out, it is made of the domain"`
		Name     string `json:"name,omitempty" doc:"Left out, as the store calls itself"`
	}
}

// ConnectedStoreJSON is a store whose API has answered.
type ConnectedStoreJSON struct {
	StoreJSON
	Made         bool     `json:"made" doc:"Whether the store itself is new here"`
	WebhooksMade []string `json:"webhooks_made" nullable:"false" doc:"Topics that a webhook was made for"`
	Missing      []string `json:"missing" nullable:"false" doc:"What the keys may not do, as the store's admin calls it"`
	Warnings     []string `json:"warnings" nullable:"false" doc:"What somebody should read"`
}

func (a *API) connectStore(ctx context.Context, in *connectStoreInput) (*output[ConnectedStoreJSON], error) {
	b := in.Body
	return a.connected(ctx, app.NewAccess{Platform: affiliate.Platform(b.Platform), Slug: b.Slug, Name: b.Name,
		Keys: b.keys()})
}

type setAccessInput struct {
	StorePath
	Body StoreKeysInput
}

func (a *API) setAccess(ctx context.Context, in *setAccessInput) (*output[ConnectedStoreJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	return a.connected(ctx, app.NewAccess{Store: store.ID, Keys: in.Body.keys()})
}

func (a *API) connected(ctx context.Context, in app.NewAccess) (*output[ConnectedStoreJSON], error) {
	done, err := a.App.ConnectStore(ctx, in)
	if err != nil {
		return nil, err
	}
	view, err := a.storeViews(ctx, []affiliate.Store{done.Store}, done.ID)
	return one(done, err, func(c app.ConnectedStore) ConnectedStoreJSON {
		return ConnectedStoreJSON{StoreJSON: view(c.Store), Made: c.Made, WebhooksMade: orEmpty(c.Webhooks),
			Missing: orEmpty(c.Missing), Warnings: orEmpty(c.Warnings)}
	})
}

type askForAccessInput struct {
	Body struct {
		Platform string `json:"platform,omitempty" doc:"Of a store that is to be made"`
		Store    string `json:"store,omitempty" doc:"That is there already, by id or slug"`
		Address  string `json:"address" doc:"Of the shop" example:"https://shop.example"`
		Slug     string `json:"slug,omitempty" doc:"As when a store is connected"`
		Name     string `json:"name,omitempty" doc:"As when a store is connected"`
	}
}

// AccessAskedJSON is where a store's owner answers.
type AccessAskedJSON struct {
	State     string    `json:"state" doc:"Names the request: /stores/access-requests/{state}"`
	URL       string    `json:"url" doc:"To be opened in the owner's browser, who approves there"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) askForAccess(ctx context.Context, in *askForAccessInput) (*output[AccessAskedJSON], error) {
	b := in.Body
	store, err := a.storeIn(ctx, b.Store)
	if err != nil {
		return nil, err
	}
	asked, err := a.App.AskForAccess(ctx, app.AskForAccess{Store: store, Platform: affiliate.Platform(b.Platform),
		Slug: b.Slug, Name: b.Name, Address: b.Address, Return: a.App.ReturnURL()})
	return one(asked, err, func(v app.AccessAsked) AccessAskedJSON {
		return AccessAskedJSON{State: v.State, URL: v.URL, ExpiresAt: v.Expires.UTC()}
	})
}

// AccessOutcomeJSON is how a request for keys stands.
type AccessOutcomeJSON struct {
	Platform string  `json:"platform"`
	Address  string  `json:"address"`
	Waiting  bool    `json:"waiting" doc:"For the store's answer"`
	Store    *string `json:"store" doc:"That is connected now" example:"str_1"`
	Trouble  *string `json:"trouble" doc:"Why it came to nothing"`
}

type accessOutcomeInput struct {
	State string `path:"state"`
}

func (a *API) accessOutcome(ctx context.Context, in *accessOutcomeInput) (*output[AccessOutcomeJSON], error) {
	found, err := a.App.AccessOutcome(ctx, in.State)
	return one(found, err, func(o app.AccessOutcome) AccessOutcomeJSON {
		v := AccessOutcomeJSON{Platform: string(o.Platform), Address: o.Address, Waiting: o.Waiting,
			Trouble: orNull(o.Trouble)}
		if o.Store != 0 {
			v.Store = orNull(o.Store.String())
		}
		return v
	})
}

// StoreAccessJSON is how a store's API answers.
type StoreAccessJSON struct {
	Connected   bool               `json:"connected" doc:"False: the store only sends, and all else is null or empty"`
	Kind        *affiliate.KeyKind `json:"kind" nullable:"true" doc:"Of its keys"`
	Address     *string            `json:"address" doc:"That is asked"`
	Key         *string            `json:"key" doc:"The end of the key, to tell which it is" example:"…a1b2"`
	Missing     []string           `json:"missing" nullable:"false" doc:"What the keys may not do, as the store's admin calls it"`
	Trouble     *string            `json:"trouble" doc:"Why the store does not answer, with the remedy; null while it does"`
	TroubleCode *string            `json:"trouble_code" doc:"The same for machines" example:"store_keys_refused"`
	TroubleAt   *time.Time         `json:"trouble_at" doc:"Since when"`
	AnsweredAt  *time.Time         `json:"answered_at" doc:"The last good answer"`
	ConnectedAt *time.Time         `json:"connected_at"`
	ConnectedBy *string            `json:"connected_by"`
	WebhooksAt  *time.Time         `json:"webhooks_at" doc:"The last look at its webhooks, of which there is one every ten minutes"`
	Webhooks    []StoreWebhookJSON `json:"webhooks" nullable:"false" doc:"That were made here"`
}

// StoreWebhookJSON is a webhook that was made by the store's API.
type StoreWebhookJSON struct {
	ID       string     `json:"id" doc:"The store's own"`
	Topic    string     `json:"topic" example:"order.created"`
	MadeAt   time.Time  `json:"made_at"`
	RetireAt *time.Time `json:"retire_at" doc:"It was replaced, and is deleted then"`
}

// StoreAccessView is how the API and the command line show it.
func StoreAccessView(s *app.StoreAccess) StoreAccessJSON {
	v := StoreAccessJSON{Missing: []string{}, Webhooks: []StoreWebhookJSON{}}
	if s == nil {
		return v
	}
	v = StoreAccessJSON{Connected: true, Kind: orNull(s.Kind), Address: orNull(s.Address), Key: orNull(s.Hint),
		Missing: orEmpty(s.Missing), Trouble: orNull(s.Trouble), TroubleCode: orNull(s.TroubleCode),
		TroubleAt: web.TimeOrNull(s.TroubleAt), AnsweredAt: web.TimeOrNull(s.AnsweredAt),
		ConnectedAt: web.TimeOrNull(s.ConnectedAt), ConnectedBy: orNull(s.ConnectedBy),
		WebhooksAt: web.TimeOrNull(s.WebhooksAt), Webhooks: v.Webhooks}
	for _, w := range s.Webhooks {
		v.Webhooks = append(v.Webhooks, StoreWebhookJSON{ID: w.ID, Topic: w.Topic, MadeAt: w.Made.UTC(),
			RetireAt: web.TimeOrNull(w.RetireAt)})
	}
	return v
}

func (a *API) getAccess(ctx context.Context, in *StorePath) (*output[StoreAccessJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	access, err := a.App.StoreAccess(ctx, store.ID)
	return one(access, err, StoreAccessView)
}

type endedAccessBody struct {
	Left []string `json:"left" nullable:"false" doc:"Webhooks that could not be deleted, as the store's admin calls them: delete them there"`
}

func (a *API) endAccess(ctx context.Context, in *StorePath) (*output[endedAccessBody], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	left, err := a.App.EndAccess(ctx, store.ID)
	return one(left, err, func(left []string) endedAccessBody { return endedAccessBody{orEmpty(left)} })
}

// CheckedAccessJSON is what a look at a store came to.
type CheckedAccessJSON struct {
	WebhooksMade    []string        `json:"webhooks_made" nullable:"false" doc:"Topics of those that were missing or broken and are there again"`
	WebhooksRemoved int             `json:"webhooks_removed" doc:"That were broken or too many"`
	Found           []string        `json:"found" nullable:"false" doc:"What was found, in words"`
	Access          StoreAccessJSON `json:"access" doc:"How it stands now; trouble says why the store did not answer"`
}

// checkAccess answers also for a store that does not: that is what was asked.
func (a *API) checkAccess(ctx context.Context, in *StorePath) (*output[CheckedAccessJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	healed, err := a.App.CheckAccess(ctx, store.ID)
	if err != nil && !app.IsStoreTrouble(err) {
		return nil, err
	}
	access, err := a.App.StoreAccess(ctx, store.ID)
	return one(healed, err, func(h app.Healed) CheckedAccessJSON {
		return CheckedAccessJSON{WebhooksMade: orEmpty(h.Made), WebhooksRemoved: h.Removed, Found: orEmpty(h.Why),
			Access: StoreAccessView(access)}
	})
}

func (a *API) rotateSecret(ctx context.Context, in *StorePath) (*listOutput[SecretJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	if err := a.App.RotateWebhookSecret(ctx, store.ID); err != nil {
		return nil, err
	}
	return a.listSecrets(ctx, in)
}

// orEmpty is a list that is never null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
