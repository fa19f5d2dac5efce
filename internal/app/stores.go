package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewStore is what is needed to connect a store.
type NewStore struct {
	Platform affiliate.Platform
	Slug     string
	Name     string
	Domain   string // as people paste it
	Currency string
	Timezone string
	Parts    affiliate.PartsRule // empty: PartsDecide
	Secret   string              // of its webhooks; empty: one is made, where the store takes one over
}

// AddedStore is a new store with what its admin must do.
type AddedStore struct {
	affiliate.Store
	Secret       string // only when it was made here: it is shown this once
	Instructions []string
}

// AddStore connects a store. Its deliveries are accepted within seconds.
func (a *App) AddStore(ctx context.Context, in NewStore) (AddedStore, error) {
	guide, err := a.guide(in.Platform)
	if err != nil {
		return AddedStore{}, err
	}
	store, err := a.readStore(guide, in)
	if err != nil {
		return AddedStore{}, err
	}
	secret, made, err := webhookSecret(guide, in.Secret)
	if err != nil {
		return AddedStore{}, err
	}
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		if err := onlyShop(ctx, tx, guide, store); err != nil {
			return err
		}
		if store, err = tx.CreateStore(ctx, store); err != nil {
			return err
		}
		if _, err := tx.AddStoreSecret(ctx, store.ID, a.Sealer.Seal(SealWebhookSecret, []byte(secret)),
			store.CreatedAt); err != nil {
			return err
		}
		return a.audit(ctx, tx, "store.add", store.ID, nil, storeFacts(store))
	})
	if err != nil {
		return AddedStore{}, err
	}
	added := AddedStore{Store: store, Instructions: a.StoreInstructions(store)}
	if made {
		added.Secret = secret
	}
	return added, nil
}

func (a *App) readStore(g *affiliate.Guide, in NewStore) (affiliate.Store, error) {
	now := a.now()
	s := affiliate.Store{Platform: in.Platform, Slug: affiliate.Clean(in.Slug), Name: affiliate.Clean(in.Name),
		Timezone: in.Timezone, Parts: cmp.Or(in.Parts, affiliate.PartsDecide), State: affiliate.StoreStateActive,
		CreatedAt: now, UpdatedAt: now}
	var err error
	if s.Domain, err = g.StoreDomain(in.Domain); err != nil {
		return s, err
	}
	if s.Currency, err = affiliate.ParseCurrency("currency", in.Currency); err != nil {
		return s, err
	}
	return s, a.validStore(s, g)
}

func (a *App) validStore(s affiliate.Store, g *affiliate.Guide) error {
	if err := s.Validate(g); err != nil {
		return err
	}
	if s.Parts != affiliate.PartsDecide && !g.Parents {
		return affiliate.FieldErrorf("parts", "is for %s stores only: orders of other platforms have no parent",
			a.Platforms.Words(HasParents))
	}
	return nil
}

// onlyShop refuses a shop that is connected already, as its permanent domain tells: its orders would be there twice.
func onlyShop(ctx context.Context, tx *storage.Tx, g *affiliate.Guide, s affiliate.Store) error {
	if g.DomainEnd == "" {
		return nil
	}
	others, err := tx.StoresByDomain(ctx, s.Platform, s.Domain)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.ID != s.ID {
			return affiliate.ConflictErrorf("domain", "%s is connected already, as store %s", s.Domain, o.Slug)
		}
	}
	return nil
}

// webhookSecret checks the secret that was given, or makes one where the store's admin can take one over.
func webhookSecret(g *affiliate.Guide, given string) (secret string, made bool, err error) {
	switch {
	case given != "":
		return given, false, affiliate.ValidateSecret(given)
	case g.SecretLabel != "":
		return "", false, affiliate.FieldErrorf("webhook_secret", "is needed for a %s store, which chooses it itself: "+
			"in the %s admin open %s, copy what stands behind %q, and give it here", g.Name, g.Admin, g.WebhooksMenu,
			g.SecretLabel)
	}
	return newSecret(), true, nil
}

// newSecret makes 40 random letters and digits: stores may decode entities in secrets, and these have none.
func newSecret() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	secret := make([]byte, 0, 40)
	random := make([]byte, 64)
	for len(secret) < cap(secret) {
		_, _ = rand.Read(random) // never fails
		for _, b := range random {
			// no letter is likelier than another
			if int(b) < 256/len(letters)*len(letters) && len(secret) < cap(secret) {
				secret = append(secret, letters[int(b)%len(letters)])
			}
		}
	}
	return string(secret)
}

func (a *App) storeAmendment(ctx context.Context, tx *storage.Tx) amendment[affiliate.Store, affiliate.StoreID] {
	return amendment[affiliate.Store, affiliate.StoreID]{
		name:    "store",
		read:    tx.Store,
		version: func(s affiliate.Store) int { return s.Version },
		prepare: func(tx *storage.Tx, s *affiliate.Store) (err error) {
			s.Name, s.UpdatedAt = affiliate.Clean(s.Name), a.now()
			guide := a.Platforms.Guide(s.Platform)
			if s.Domain, err = guide.StoreDomain(s.Domain); err != nil {
				return err
			}
			if err := a.validStore(*s, guide); err != nil {
				return err
			}
			return onlyShop(ctx, tx, guide, *s)
		},
		save:  tx.SaveStore,
		facts: storeFacts,
	}
}

func storeFacts(s affiliate.Store) facts {
	return facts{"slug": s.Slug, "platform": s.Platform, "name": s.Name, "domain": s.Domain, "currency": s.Currency,
		"timezone": s.Timezone, "parts": s.Parts, "state": s.State}
}

// ChangeStore alters name, domain, currency, time zone or parts of a store. Slug and platform never change: they stand
// in its webhook address.
func (a *App) ChangeStore(ctx context.Context, id affiliate.StoreID, version int,
	change func(*affiliate.Store) error) (after affiliate.Store, err error) {
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		parts := affiliate.PartsRule("")
		after, err = amend(ctx, a, tx, a.storeAmendment(ctx, tx), id, version, "change",
			func(s *affiliate.Store) error {
				parts = s.Parts
				return change(s)
			})
		if err != nil || after.Parts == parts {
			return err
		}
		return a.startRecalculation(ctx, tx, "parts", "orders with a parent of "+after.Slug,
			[]string{storage.PhaseStatuses}, nil)
	})
	return after, err
}

// EndStore disconnects a store: its deliveries are refused from now on, its secrets end, its orders stay; its keys are
// forgotten and our webhooks removed, as far as it answers. Ending it again changes nothing.
func (a *App) EndStore(ctx context.Context, id affiliate.StoreID) (after affiliate.Store, err error) {
	access, err := a.DB.StoreAccess(ctx, id)
	connected := err == nil
	if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
		return after, err
	}
	webhooks, err := a.DB.StoreWebhooks(ctx, id)
	if err != nil {
		return after, err
	}
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		after, err = amend(ctx, a, tx, a.storeAmendment(ctx, tx), id, AnyVersion, "end",
			func(s *affiliate.Store) error {
				s.State = affiliate.StoreStateEnded
				return nil
			})
		if err != nil {
			return err
		}
		if err := tx.EndStoreSecrets(ctx, id, a.now()); err != nil || !connected {
			return err
		}
		for _, w := range webhooks {
			if err := tx.ForgetStoreWebhook(ctx, id, w.ExternalID); err != nil {
				return err
			}
		}
		return a.forgetAccess(ctx, tx, access)
	})
	if err == nil && connected {
		a.deleteWebhooks(ctx, after, access, webhooks) // those that stay send to an address that refuses them
		a.clients.of(id).take(nil, nil)
	}
	return after, err
}

// DismissWarning takes a store's warning away once somebody has read it. One that came meanwhile stays.
func (a *App) DismissWarning(ctx context.Context, id affiliate.StoreID, seen string) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		gone, err := tx.DismissWarning(ctx, id, seen)
		if err != nil || !gone {
			return err
		}
		return a.audit(ctx, tx, "store.warning.dismiss", id, facts{"warning": seen}, nil)
	})
}

// AddedSecret is a webhook secret that was added, with its value when it was made here.
type AddedSecret struct {
	affiliate.StoreSecret
	Secret string
}

// AddStoreSecret gives a store one more webhook secret. The old ones stay valid until they are ended, so that a secret
// can be exchanged without losing a delivery.
func (a *App) AddStoreSecret(ctx context.Context, id affiliate.StoreID, given string) (AddedSecret, error) {
	var added AddedSecret
	err := a.changeCatalog(ctx, func(tx *storage.Tx) error {
		store, err := tx.Store(ctx, id)
		if err != nil {
			return err
		}
		if store.State == affiliate.StoreStateEnded {
			return affiliate.Errorf(affiliate.Conflict, "store %s was ended", store.Slug)
		}
		secret, made, err := webhookSecret(a.Platforms.Guide(store.Platform), given)
		if err != nil {
			return err
		}
		if made {
			added.Secret = secret
		}
		added.StoreID, added.CreatedAt = id, a.now()
		if added.ID, err = tx.AddStoreSecret(ctx, id, a.Sealer.Seal(SealWebhookSecret, []byte(secret)),
			added.CreatedAt); err != nil {
			return err
		}
		return a.audit(ctx, tx, "store.secret.add", id, nil, facts{"secret": added.ID.String()})
	})
	return added, err
}

// EndStoreSecret ends one of several active secrets of a store.
func (a *App) EndStoreSecret(ctx context.Context, id affiliate.StoreID, secret affiliate.StoreSecretID) error {
	return a.changeCatalog(ctx, func(tx *storage.Tx) error {
		if _, err := tx.Store(ctx, id); err != nil {
			return err
		}
		secrets, err := tx.StoreSecrets(ctx, id)
		if err != nil {
			return err
		}
		active := slices.DeleteFunc(secrets, func(s affiliate.StoreSecret) bool { return !s.EndedAt.IsZero() })
		if len(active) == 1 && active[0].ID == secret {
			const text = "%s is the store's only active secret; add the new one first, or end the store"
			return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, text, secret), fmt.Sprintf(text, "it"))
		}
		if err := tx.EndStoreSecret(ctx, id, secret, a.now()); err != nil {
			return err
		}
		return a.audit(ctx, tx, "store.secret.end", id, facts{"secret": secret.String()}, nil)
	})
}

// WebhookURL is where a store sends its deliveries.
func (a *App) WebhookURL(s affiliate.Store) string {
	return fmt.Sprintf("%s/webhooks/%s/%s", strings.TrimSuffix(a.PublicURL, "/"), s.Platform, s.Slug)
}

// CheckKey gives an error when no webhook secret in the database can be opened: SECRET_KEY is not the one they were
// sealed with, and every delivery would be refused as if its signature were wrong. Where only some cannot be opened,
// the receiver says so and goes on with the others.
func (a *App) CheckKey(ctx context.Context) error {
	stores, err := a.DB.ReceiverStores(ctx)
	if err != nil {
		return err
	}
	sealed := 0
	for _, s := range stores {
		for _, secret := range s.Sealed {
			if _, err := a.Sealer.Open(SealWebhookSecret, secret); err == nil {
				return nil
			}
			sealed++
		}
	}
	if sealed == 0 {
		return nil
	}
	return errors.New("SECRET_KEY, or the file secret.key in DATA_DIR, is not the one that the stores' webhook " +
		"secrets were sealed with; " +
		"restore it from your backup. If it is lost for good, give each store a new secret first: tributary store " +
		"secret SLUG --add")
}

// StoreInstructions are the steps to take in the store's own admin.
func (a *App) StoreInstructions(s affiliate.Store) []string {
	g := a.Platforms.Guide(s.Platform)
	var labels []string
	for _, t := range g.Topics {
		labels = append(labels, t.Label)
	}
	fill := map[string]string{"admin": "the " + g.Admin + " admin", "topics": strings.Join(labels, ", "),
		"url": a.WebhookURL(s), "secret": "the secret of this store",
		"other": "If it was another: tributary store secret " + s.Slug + " --add --webhook-secret SECRET",
		"seen":  "It shows up within seconds in GET /status"}
	steps := make([]string, len(g.Steps))
	for i, step := range g.Steps {
		steps[i] = step.Plain(fill)
	}
	return steps
}
