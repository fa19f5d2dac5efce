package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerStores(api huma.API) {
	const read, change, own = affiliate.MayRead, affiliate.MayChangeCatalog, affiliate.MayAdminister
	register(a, api, operation{http.MethodGet, "/stores", "list-stores", read, "List stores by slug"}, a.listStores)
	register(a, api, operation{http.MethodPost, "/stores", "create-store", own, "Connect a store"}, a.createStore)
	register(a, api, operation{http.MethodGet, "/stores/{store}", "get-store", read, "Read a store"}, a.getStore)
	register(a, api, operation{http.MethodPatch, "/stores/{store}", "update-store", change, "Change a store"},
		a.updateStore)
	register(a, api, operation{http.MethodPost, "/stores/{store}/end", "end-store", own,
		"Disconnect a store; its orders stay"}, a.endStore)
	register(a, api, operation{http.MethodGet, "/stores/{store}/secrets", "list-store-secrets", own,
		"List a store's webhook secrets, without their values"}, a.listSecrets)
	register(a, api, operation{http.MethodPost, "/stores/{store}/secrets", "create-store-secret", own,
		"Add a webhook secret beside the ones there are"}, a.createSecret)
	register(a, api, operation{http.MethodPost, "/stores/{store}/secrets/{secret}/end", "end-store-secret", own,
		"End a webhook secret"}, a.endSecret)
	a.registerStoreAccess(api)
	a.registerNotices(api)
	a.registerStatuses(api)
	a.registerStoreJobs(api)
}

type StoreJSON struct {
	ID              string               `json:"id" example:"str_1"`
	Slug            string               `json:"slug"`
	Platform        string               `json:"platform"`
	Name            string               `json:"name"`
	Domain          string               `json:"domain"`
	Currency        string               `json:"currency"`
	Timezone        string               `json:"timezone"`
	Parts           affiliate.PartsRule  `json:"parts" doc:"What orders with a parent are, which {parents} has: decide by the plugin that made them; always parts of their parent; always orders of their own"`
	State           affiliate.StoreState `json:"state"`
	Warning         *string              `json:"warning" doc:"The last thing the owner should know"`
	WebhookURL      string               `json:"webhook_url"`
	Connected       bool                 `json:"connected" doc:"Whether its API is asked: /stores/{store}/access"`
	LastDeliveryAt  *time.Time           `json:"last_delivery_at"`
	LastProcessedAt *time.Time           `json:"last_processed_at"`
	Version         int                  `json:"version"`

	Health StoreHealthJSON `json:"health"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (a *API) storeView(v affiliate.Store, h StoreHealthJSON, connected bool) StoreJSON {
	return StoreJSON{ID: v.ID.String(), Slug: v.Slug, Platform: string(v.Platform), Name: v.Name, Domain: v.Domain,
		Currency: v.Currency.Code(), Timezone: v.Timezone, Parts: v.Parts, State: v.State,
		Warning: orNull(v.Warning), WebhookURL: a.App.WebhookURL(v), Connected: connected,
		LastDeliveryAt: web.TimeOrNull(v.LastDeliveryAt), LastProcessedAt: web.TimeOrNull(v.LastProcessedAt),
		Version: v.Version, Health: h, CreatedAt: v.CreatedAt.UTC(), UpdatedAt: v.UpdatedAt.UTC()}
}

type StorePath struct {
	Store string `path:"store" doc:"Its id or slug" example:"str_1"`
}

// storeOf finds a store by id or slug. Slugs hold no underscore, so the two cannot be confused.
func (a *API) storeOf(ctx context.Context, ref string) (affiliate.Store, error) {
	return a.App.DB.StoreNamed(ctx, ref)
}

// storeNamed finds a store that a body or query refers to; the error names the field.
func (a *API) storeNamed(ctx context.Context, ref string) (affiliate.Store, error) {
	store, err := a.storeOf(ctx, ref)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.FieldErrorf("store", "%s", err)
	}
	return store, err
}

// storeIn gives the id of such a store. An empty text is 0.
func (a *API) storeIn(ctx context.Context, ref string) (affiliate.StoreID, error) {
	if ref == "" {
		return 0, nil
	}
	store, err := a.storeNamed(ctx, ref)
	return store.ID, err
}

func (a *API) listStores(ctx context.Context, in *PageInput) (*listOutput[StoreJSON], error) {
	list, next, err := a.App.DB.Stores(ctx, in.page())
	if err != nil {
		return nil, err
	}
	view, err := a.storeViews(ctx, list, 0)
	return listPage(list, next, err, view)
}

type createStoreInput struct {
	Body struct {
		Platform      string              `json:"platform"`
		Slug          string              `json:"slug" doc:"In its webhook address: a-z, 0-9 and -"`
		Name          string              `json:"name"`
		Domain        string              `json:"domain" doc:"{domain}"`
		Currency      string              `json:"currency" example:"EUR"`
		Timezone      string              `json:"timezone" example:"Europe/Berlin"`
		Parts         affiliate.PartsRule `json:"parts,omitempty"`
		WebhookSecret string              `json:"webhook_secret,omitempty" doc:"{secret}"`
	}
}

type createdStoreJSON struct {
	StoreJSON
	WebhookSecret *string  `json:"webhook_secret" doc:"Only when it was made here; it is shown this once"`
	Instructions  []string `json:"instructions" doc:"What to do in the store's own admin"`
}

func (a *API) createStore(ctx context.Context, in *createStoreInput) (*output[createdStoreJSON], error) {
	b := in.Body
	added, err := a.App.AddStore(ctx, app.NewStore{Platform: affiliate.Platform(b.Platform), Slug: b.Slug, Name: b.Name,
		Domain: b.Domain, Currency: b.Currency, Timezone: b.Timezone, Parts: b.Parts,
		Secret: b.WebhookSecret})
	return one(added, err, func(s app.AddedStore) createdStoreJSON {
		fresh := StoreHealthView(a.App.Platforms.Guide(s.Platform), app.StoreHealth{}, storage.StoreCounts{})
		return createdStoreJSON{StoreJSON: a.storeView(s.Store, fresh, false), WebhookSecret: orNull(s.Secret),
			Instructions: s.Instructions}
	})
}

func (a *API) getStore(ctx context.Context, in *StorePath) (*output[StoreJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	return a.storeAnswer(ctx, store, err)
}

type updateStoreInput struct {
	StorePath
	Body struct {
		ChangeInput
		Name     *string              `json:"name,omitempty"`
		Domain   *string              `json:"domain,omitempty"`
		Currency *string              `json:"currency,omitempty"`
		Timezone *string              `json:"timezone,omitempty"`
		Parts    *affiliate.PartsRule `json:"parts,omitempty"`
	}
}

func (a *API) updateStore(ctx context.Context, in *updateStoreInput) (*output[StoreJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	b := in.Body
	store, err = a.App.ChangeStore(ctx, store.ID, b.Version, func(v *affiliate.Store) error {
		setIf(&v.Name, b.Name)
		setIf(&v.Timezone, b.Timezone)
		setIf(&v.Parts, b.Parts)
		if b.Domain != nil {
			if v.Domain, err = a.App.Platforms.Guide(v.Platform).StoreDomain(*b.Domain); err != nil {
				return err
			}
		}
		return setCurrency(&v.Currency, "currency", b.Currency)
	})
	return a.storeAnswer(ctx, store, err)
}

// setCurrency sets to when a code was given, in any case.
func setCurrency(to *money.Currency, field string, given *string) error {
	if given == nil {
		return nil
	}
	c, err := money.ParseCurrency(*given)
	if err != nil {
		return affiliate.FieldErrorf(field, "%v", err)
	}
	*to = c
	return nil
}

func (a *API) endStore(ctx context.Context, in *StorePath) (*output[StoreJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err == nil {
		store, err = a.App.EndStore(ctx, store.ID)
	}
	return a.storeAnswer(ctx, store, err)
}

type SecretJSON struct {
	ID        string     `json:"id" example:"sec_1"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

func secretView(v affiliate.StoreSecret) SecretJSON {
	return SecretJSON{ID: v.ID.String(), CreatedAt: v.CreatedAt.UTC(), EndedAt: web.TimeOrNull(v.EndedAt)}
}

func (a *API) listSecrets(ctx context.Context, in *StorePath) (*listOutput[SecretJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	secrets, err := a.App.DB.StoreSecrets(ctx, store.ID)
	return listPage(secrets, "", err, secretView)
}

type createSecretInput struct {
	StorePath
	Body struct {
		WebhookSecret string `json:"webhook_secret,omitempty" doc:"{secret}"`
	}
}

type createdSecretJSON struct {
	SecretJSON
	WebhookSecret *string `json:"webhook_secret" doc:"Only when it was made here; it is shown this once"`
}

func (a *API) createSecret(ctx context.Context, in *createSecretInput) (*output[createdSecretJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	added, err := a.App.AddStoreSecret(ctx, store.ID, in.Body.WebhookSecret)
	return one(added, err, func(s app.AddedSecret) createdSecretJSON {
		return createdSecretJSON{SecretJSON: secretView(s.StoreSecret), WebhookSecret: orNull(s.Secret)}
	})
}

type endSecretInput struct {
	StorePath
	Secret string `path:"secret" example:"sec_1"`
}

func (a *API) endSecret(ctx context.Context, in *endSecretInput) (*listOutput[SecretJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	id, err := idPath[affiliate.StoreSecretID]("sec_", in.Secret)
	if err != nil {
		return nil, err
	}
	if err := a.App.EndStoreSecret(ctx, store.ID, id); err != nil {
		return nil, err
	}
	return a.listSecrets(ctx, &in.StorePath)
}
