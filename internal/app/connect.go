package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewAccess is what connects a store with its API.
type NewAccess struct {
	Store    affiliate.StoreID  // that is there already; 0: it is made, with what its API says of it
	Platform affiliate.Platform // of a store that is made
	Slug     string             // of a store that is made; empty: from its domain or its name
	Name     string             // likewise; empty: as the store calls itself
	// Keys may leave their kind out, where their fields tell it.
	Keys affiliate.StoreKeys

	approved bool // the store itself sent the keys
}

// ConnectedStore is a store whose API answers.
type ConnectedStore struct {
	affiliate.Store
	Made     bool     // the store itself
	Webhooks []string // topics that a webhook was made for now
	Missing  []string // what the keys may not do
	Warnings []string
}

// ConnectStore proves keys by asking the store, keeps them sealed, and makes the webhooks that are needed. A store that
// was connected before has its keys exchanged: the former ones are used until the new ones are proven. Where keys do
// not serve, the error is about a field of address, id, secret or token.
func (a *App) ConnectStore(ctx context.Context, in NewAccess) (ConnectedStore, error) {
	p, err := a.prove(ctx, in)
	if err != nil {
		return ConnectedStore{}, err
	}
	former := a.formerClient(ctx, in.Store)
	done, err := a.keepAccess(ctx, in, p)
	if err != nil {
		return ConnectedStore{}, err
	}
	// From here on the store is connected, and what goes wrong is tried again by itself.
	healed, err := a.healWebhooks(ctx, done.Store, healing{facts: &p.facts, made: done.Made, former: former})
	done.Webhooks = healed.Made
	done.Warnings = append(done.Warnings, healed.Why...)
	if err != nil {
		_, trouble := storeTrouble(err)
		done.Warnings = append(done.Warnings, "Its webhooks are not all there yet, and are tried again by itself: "+
			cmp.Or(trouble, "the server has a fault, which its log tells."))
		a.Log.Warn("webhooks of a store are not made", "store", done.Slug, "error", err)
		if err := a.DB.InTx(context.WithoutCancel(ctx), func(tx *storage.Tx) error {
			return tx.WantWebhookLook(ctx, done.ID)
		}); err != nil {
			return done, err
		}
	}
	return done, nil
}

// proof is what a store has said about keys.
type proof struct {
	guide  *affiliate.Guide
	store  affiliate.Store // that is there already
	keys   affiliate.StoreKeys
	client StoreClient
	facts  affiliate.StoreFacts
}

// prove asks a store for its facts with keys that are new.
func (a *App) prove(ctx context.Context, in NewAccess) (p proof, err error) {
	platform := in.Platform
	if in.Store != 0 {
		if p.store, err = a.DB.Store(ctx, in.Store); err != nil {
			return p, err
		}
		if p.store.State == affiliate.StoreStateEnded {
			return p, errEnded(p.store)
		}
		platform = p.store.Platform
	}
	connector, err := a.connector(platform)
	if err != nil {
		return p, err
	}
	p.guide = a.Platforms.Guide(platform)
	if in.Keys.Kind, err = keyKind(p.guide, in.Keys); err != nil {
		return p, err
	}
	if p.keys, err = connector.Keys(in.Keys); err != nil {
		return p, err
	}
	p.client = connector.Open(p.keys)
	if p.facts, err = p.client.Facts(ctx); err != nil {
		return p, aboutKeys(p.keys, err)
	}
	if p.store.ID != 0 {
		if err = sameShop(p.guide, p.store, p.facts.Domain); err == nil {
			err = a.sameSite(ctx, p.store, p.keys.Address)
		}
	}
	return p, err
}

// sameSite refuses an address that is not where a store's API was asked before. Shops may share a host, each in a
// folder of its own. A store that is to be made has none.
func (a *App) sameSite(ctx context.Context, store affiliate.Store, address string) error {
	former, err := a.DB.StoreAccess(ctx, store.ID)
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		return nil
	case err != nil:
		return err
	case samePlace(former.Address, address):
		return nil
	}
	return affiliate.ConflictErrorf("address", "the store %s is connected with %s: give keys of that shop, connect "+
		"this one as a store of its own, or disconnect the store first if its shop has moved", store.Slug,
		former.Address)
}

func errEnded(s affiliate.Store) error {
	const text = "store %s was ended; connect the shop as a new store"
	return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, text, s.Slug), fmt.Sprintf("the "+text, s.Name))
}

// connector gives that of a platform; Invalid where stores' APIs are not asked.
func (a *App) connector(platform affiliate.Platform) (Connector, error) {
	asked := func(g *affiliate.Guide) bool { return g.Access != nil && a.Connectors[g.Platform] != nil }
	connector, guide := a.Connectors[platform], a.Platforms.Guide(platform)
	if connector == nil || guide.Access == nil {
		return nil, affiliate.FieldErrorf("platform", "must be %s: the API of other stores cannot be asked",
			a.Platforms.Words(asked))
	}
	return connector, nil
}

// keyKind tells the kind of keys by the fields that are given, where it is not said.
func keyKind(g *affiliate.Guide, k affiliate.StoreKeys) (affiliate.KeyKind, error) {
	if k.Kind != "" {
		if _, ok := g.Access.Way(k.Kind); !ok {
			return "", affiliate.FieldErrorf("kind", "%s stores have no such keys", g.Name)
		}
		return k.Kind, nil
	}
	given := map[string]bool{"id": k.ID != "", "secret": k.Secret != "", "token": k.Token != ""}
	for _, way := range g.Access.Ways {
		fits := func(name string) bool {
			return given[name] == slices.ContainsFunc(way.Fields, func(f affiliate.AccessField) bool {
				return f.Name == name
			})
		}
		if fits("id") && fits("secret") && fits("token") {
			return way.Kind, nil
		}
	}
	ways := func(name func(affiliate.AccessField) string) string {
		var ways []string
		for _, way := range g.Access.Ways {
			var names []string
			for _, f := range way.Fields {
				names = append(names, name(f))
			}
			ways = append(ways, strings.Join(names, " and "))
		}
		return g.Name + " needs " + strings.Join(ways, ", or ")
	}
	err := affiliate.FieldErrorf("secret", "%s", ways(func(f affiliate.AccessField) string {
		return f.Label + " (" + f.Name + ")"
	}))
	return "", affiliate.ForPeople(err, ways(func(f affiliate.AccessField) string { return f.Label }))
}

// aboutKeys makes what a store said about new keys an error of the field to look at.
func aboutKeys(k affiliate.StoreKeys, err error) error {
	code, trouble := storeTrouble(err)
	if code == "" {
		return err
	}
	var e *affiliate.Error
	field := "address"
	if errors.As(err, &e) && e.Field != "" {
		field = e.Field
	} else if code == affiliate.StoreKeysRefused || code == affiliate.StoreForbidden {
		field = "id"
		if k.Kind == affiliate.KeyToken {
			field = "token"
		}
	}
	return &affiliate.Error{Kind: affiliate.Invalid, Code: code, Field: field, Message: trouble}
}

// sameShop refuses what leads to another shop than the store's.
func sameShop(g *affiliate.Guide, store affiliate.Store, domain string) error {
	bare := func(d string) string { return strings.TrimPrefix(strings.ToLower(d), "www.") }
	if bare(domain) == bare(store.Domain) && !g.OtherShop(store.Domain, domain) {
		return nil
	}
	const text = "this leads to the shop %s, but the store %s is %s: give the address and keys of that shop, or " +
		"connect this one as a store of its own"
	return affiliate.ForPeople(affiliate.ConflictErrorf("address", text, domain, store.Slug, store.Domain),
		fmt.Sprintf(text, domain, store.Name, store.Domain))
}

// formerClient gives the client of the keys that a store has; nil when there are none, or they cannot be opened.
func (a *App) formerClient(ctx context.Context, id affiliate.StoreID) StoreClient {
	if id == 0 {
		return nil
	}
	client, err := a.storeClient(ctx, id)
	if err != nil {
		return nil
	}
	return client
}

// keepAccess keeps keys that were proven, and makes their store where it is not there yet.
func (a *App) keepAccess(ctx context.Context, in NewAccess, p proof) (done ConnectedStore, err error) {
	text, err := json.Marshal(p.keys)
	if err != nil {
		return done, err
	}
	access := storage.StoreAccess{Kind: p.keys.Kind, Address: p.keys.Address, Hint: p.keys.Hint(),
		Approved: in.approved,
		Sealed:   a.Sealer.Seal(SealStoreKeys, text), Missing: strings.Join(p.facts.Missing, " "), Actor: actor(ctx),
		AnsweredAt: a.now(), CreatedAt: a.now()}
	done = ConnectedStore{Store: p.store, Made: p.store.ID == 0, Missing: p.facts.Missing,
		Warnings: slices.Clone(p.facts.Warnings)}
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		if done.Made {
			var warnings []string
			if done.Store, warnings, err = a.makeStore(ctx, tx, in, p); err != nil {
				return err
			}
			done.Warnings = append(done.Warnings, warnings...)
		} else if done.Store, err = a.reviveStore(ctx, tx, p.store.ID); err != nil {
			return err
		}
		access.StoreID = done.ID
		return a.setAccess(ctx, tx, access)
	})
	if err != nil {
		return ConnectedStore{}, err
	}
	a.clients.of(done.ID).take(p.client, access.Sealed)
	a.touched([]affiliate.StoreID{done.ID})
	return done, nil
}

// setAccess keeps keys in place of the former ones, and makes a look at the webhooks due.
func (a *App) setAccess(ctx context.Context, tx *storage.Tx, access storage.StoreAccess) error {
	before, err := tx.StoreAccess(ctx, access.StoreID)
	action, old := "store.access.change", any(accessFacts(before))
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		action, old = "store.access.add", nil
	case err != nil:
		return err
	}
	if err := tx.SetStoreAccess(ctx, access); err != nil {
		return err
	}
	if _, err := tx.DismissWarning(ctx, access.StoreID, disconnected); err != nil {
		return err
	}
	if err := tx.WantWebhookLook(ctx, access.StoreID); err != nil {
		return err
	}
	return a.audit(ctx, tx, action, access.StoreID, old, accessFacts(access))
}

func accessFacts(s storage.StoreAccess) facts {
	return facts{"keys": s.Kind, "site": s.Address, "key": s.Hint, "missing": s.Missing}
}

// reviveStore gives a store that is connected anew, which takes part again if its shop had removed us.
func (a *App) reviveStore(ctx context.Context, tx *storage.Tx, id affiliate.StoreID) (affiliate.Store, error) {
	store, err := tx.Store(ctx, id)
	if err != nil || store.State != affiliate.StoreStateUninstalled {
		return store, err
	}
	if err := tx.SetStoreState(ctx, id, string(affiliate.StoreStateActive), "", a.now()); err != nil {
		return store, err
	}
	return tx.Store(ctx, id)
}

// mostSlugs is how many slugs are tried for a store that is made.
const mostSlugs = 100

// makeStore makes a store of what its API says of it.
func (a *App) makeStore(ctx context.Context, tx *storage.Tx, in NewAccess, p proof) (affiliate.Store, []string, error) {
	s := affiliate.Store{Platform: p.guide.Platform, Parts: affiliate.PartsDecide, State: affiliate.StoreStateActive,
		Currency: p.facts.Currency, Timezone: p.facts.Timezone, CreatedAt: a.now(), UpdatedAt: a.now()}
	var err error
	if s.Domain, err = p.guide.StoreDomain(p.facts.Domain); err != nil {
		return s, nil, affiliate.AboutField("address", err)
	}
	s.Name = cmp.Or(affiliate.Clean(in.Name), affiliate.Clean(p.facts.Name), s.Domain)
	if len(s.Name) > affiliate.MaxName && in.Name == "" {
		s.Name = affiliate.Clip(s.Name, affiliate.MaxName/4-1) // a character has up to four bytes
	}
	var warnings []string
	if _, err := affiliate.LoadZone(s.Timezone); err != nil || s.Timezone == "" {
		settings, err := tx.Settings(ctx)
		if err != nil {
			return s, nil, err
		}
		s.Timezone = settings.Timezone
		warnings = append(warnings, fmt.Sprintf("The store names no time zone that is known here, so it has that of "+
			"the account, %s. Change it where that is wrong.", s.Timezone))
	}
	if err := a.onlySite(ctx, tx, p.guide, s.Domain, p.keys.Address); err != nil {
		return s, nil, err
	}
	if in.Slug != "" {
		s.Slug = affiliate.Clean(in.Slug)
		s, err = a.createStore(ctx, tx, s, p.guide)
		return s, warnings, err
	}
	base := slugOf(p.guide, s.Domain, s.Name)
	for n := 1; n <= mostSlugs; n++ {
		s.Slug = affiliate.NumberedSlug(base, n)
		made, err := a.createStore(ctx, tx, s, p.guide)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Kind != affiliate.Conflict || e.Field != "slug" {
			return made, warnings, err
		}
	}
	return s, nil, affiliate.ConflictErrorf("slug", "choose one: %s and its like are taken", base)
}

func (a *App) createStore(ctx context.Context, tx *storage.Tx, s affiliate.Store,
	g *affiliate.Guide) (affiliate.Store, error) {
	if err := a.validStore(s, g); err != nil {
		return s, err
	}
	s, err := tx.CreateStore(ctx, s)
	if err != nil {
		return s, err
	}
	return s, a.audit(ctx, tx, "store.add", s.ID, nil, storeFacts(s))
}

// slugOf makes a slug of a domain: "anna" of anna.myshopify.com, "shop-example" of www.shop.example; of its name
// where the domain says nothing to people.
func slugOf(g *affiliate.Guide, domain, called string) string {
	if called == domain {
		called = ""
	}
	if mute(domain) {
		return cmp.Or(plainSlug(called), "store")
	}
	name := strings.TrimPrefix(domain, "www.")
	if g.DomainEnd != "" {
		name = strings.TrimSuffix(name, g.DomainEnd)
	}
	return cmp.Or(plainSlug(strings.ReplaceAll(name, ".", "-")), plainSlug(called), "store")
}

func plainSlug(s string) string {
	return strings.Trim(strings.ReplaceAll(affiliate.SlugFrom(s), "_", "-"), "-")
}

// mute says whether a host is no word: an IP address, this machine, or a name in the letters of DNS ("xn--…").
func mute(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || net.ParseIP(host) != nil || strings.HasPrefix(host, "xn--") ||
		strings.Contains(host, ".xn--")
}

// ShopTaken is the error of connecting a shop that is here already. It wraps an *affiliate.Error about its address.
type ShopTaken struct {
	error
	Store affiliate.Store // that it is
}

func (e ShopTaken) Unwrap() error { return e.error }

// onlySite refuses to make a store of a shop that is here already: its orders would be there twice. Shops may share a
// host, each in a folder; they are told apart by the addresses of their APIs.
func (a *App) onlySite(ctx context.Context, tx *storage.Tx, g *affiliate.Guide, domain, address string) error {
	others, err := tx.StoresByDomain(ctx, g.Platform, domain)
	if err != nil {
		return err
	}
	for _, o := range others {
		access, err := tx.StoreAccess(ctx, o.ID)
		switch {
		case affiliate.KindOf(err) == affiliate.NotFound:
			err = affiliate.ConflictErrorf("address", "%s is here already, as store %s, which only sends: connect "+
				"that store with its API, on its page or with --store %s", domain, o.Slug, o.Slug)
			return ShopTaken{affiliate.ForPeople(err, fmt.Sprintf("the shop %s is here already, as the store %s, "+
				"which only sends: connect that store with its API on its page", domain, o.Name)), o}
		case err != nil:
			return err
		case g.DomainEnd != "" || samePlace(access.Address, address):
			err = affiliate.ConflictErrorf("address", "%s is connected already, as store %s; to exchange its keys, "+
				"give them on that store's page or with --store %s", domain, o.Slug, o.Slug)
			return ShopTaken{affiliate.ForPeople(err, fmt.Sprintf("the shop %s is connected already, as the store %s; "+
				"its keys are exchanged on that store's page", domain, o.Name)), o}
		}
	}
	return nil
}

// samePlace says whether two addresses of sites lead to the same one, with http or https.
func samePlace(a, b string) bool {
	place := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			return address
		}
		return strings.TrimPrefix(strings.ToLower(u.Host), "www.") + strings.TrimSuffix(u.Path, "/")
	}
	return place(a) == place(b)
}

// StoreAccess is how a store's API answers.
type StoreAccess struct {
	Kind        affiliate.KeyKind
	Address     string
	Hint        string // which keys they are, for people
	Approved    bool   // the store's owner approved in the store, which made the keys
	Missing     []string
	Trouble     string // a sentence with its remedy; empty while it answers
	TroubleCode string
	TroubleAt   time.Time
	AnsweredAt  time.Time
	ConnectedAt time.Time
	ConnectedBy string // who connected it, as in the audit log
	Webhooks    []KeptWebhook
	WebhooksAt  time.Time        // when they were last looked at
	Use         affiliate.APIUse // by this process
}

// KeptWebhook is one that we made.
type KeptWebhook struct {
	ID       string // the store's
	Topic    string
	Label    string
	Made     time.Time
	RetireAt time.Time // it was replaced, and is deleted then; zero for those in use
}

// StoreAccess gives it; nil for a store that only sends.
func (a *App) StoreAccess(ctx context.Context, store affiliate.StoreID) (*StoreAccess, error) {
	row, err := a.DB.StoreAccess(ctx, store)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := a.DB.Store(ctx, store)
	if err != nil {
		return nil, err
	}
	webhooks, err := a.DB.StoreWebhooks(ctx, store)
	if err != nil {
		return nil, err
	}
	work, err := a.DB.StoreWork(ctx, store)
	if err != nil {
		return nil, err
	}
	access := StoreAccess{Kind: row.Kind, Address: row.Address, Hint: row.Hint, Missing: strings.Fields(row.Missing),
		Approved: row.Approved,
		Trouble:  row.Trouble, TroubleCode: row.TroubleCode, TroubleAt: row.TroubleAt, AnsweredAt: row.AnsweredAt,
		ConnectedAt: row.CreatedAt, ConnectedBy: row.Actor, WebhooksAt: work.WebhooksAt,
		Use: a.clients.of(store).use()}
	guide := a.Platforms.Guide(s.Platform)
	for _, w := range webhooks {
		access.Webhooks = append(access.Webhooks, KeptWebhook{ID: w.ExternalID, Topic: w.Topic,
			Label: guide.TopicLabel(w.Topic), Made: w.CreatedAt, RetireAt: w.RetireAt})
	}
	return &access, nil
}
