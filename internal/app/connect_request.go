package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// AskForAccess is what is needed to ask a store's owner for keys.
type AskForAccess struct {
	Store    affiliate.StoreID // as in NewAccess
	Platform affiliate.Platform
	Slug     string // as in NewAccess
	Name     string
	Address  string // of the shop, as people paste it
	Return   string // page of ours that the browser comes back to, with state and success in its query
}

// AccessAsked is where the owner answers.
type AccessAsked struct {
	URL     string // to be opened in the owner's browser
	State   string // names the request, for AccessOutcome
	Expires time.Time
}

const (
	// requestTime is how long a store's owner has to answer.
	requestTime = 10 * time.Minute
	// requestsKept is how long people can see what their request came to.
	requestsKept = 24 * time.Hour
	// proofLimit bounds the proving of keys that a store sends: it waits for an answer, up to a minute in the case of
	// WooCommerce (timeout of post_consumer_data in class-wc-auth.php), and deletes the keys when none comes.
	proofLimit = 40 * time.Second
)

// AskForAccess begins the one-click connection. Invalid where either side has no https.
func (a *App) AskForAccess(ctx context.Context, in AskForAccess) (AccessAsked, error) {
	var store affiliate.Store
	if in.Store != 0 {
		var err error
		if store, err = a.DB.Store(ctx, in.Store); err != nil {
			return AccessAsked{}, err
		}
		if store.State == affiliate.StoreStateEnded {
			return AccessAsked{}, errEnded(store)
		}
		in.Platform = store.Platform
	}
	authorizer, err := a.authorizer(in.Platform)
	if err != nil {
		return AccessAsked{}, err
	}
	guide := a.Platforms.Guide(in.Platform)
	address, err := a.askedAddress(guide, in.Address)
	if err != nil {
		return AccessAsked{}, err
	}
	if err := a.answerable(guide); err != nil {
		return AccessAsked{}, err
	}
	if err := a.sameSite(ctx, store, address); err != nil {
		return AccessAsked{}, err
	}
	if err := a.probe(ctx, authorizer, guide, in.Store, address); err != nil {
		return AccessAsked{}, err
	}
	if in.Store == 0 {
		if err := a.freeSlug(ctx, guide, affiliate.Clean(in.Slug)); err != nil {
			return AccessAsked{}, err
		}
	}
	state, now := rand.Text(), a.now() // 130 bits
	asked := AccessAsked{State: state, Expires: now.Add(requestTime)}
	asked.URL, err = authorizer.Authorize(affiliate.AccessRequest{Address: address, State: state, Return: in.Return,
		Callback: strings.TrimSuffix(a.PublicURL, "/") + ConnectPath + string(in.Platform)})
	if err != nil {
		return AccessAsked{}, err
	}
	user, _ := affiliate.ParseID[affiliate.UserID]("usr_", userOf(Asker(ctx)))
	return asked, a.DB.InTx(ctx, func(tx *storage.Tx) error {
		return tx.AddStoreRequest(ctx, storage.StoreRequest{State: a.Sealer.Hash(HashStoreRequest, state),
			Platform: in.Platform, Address: address, StoreID: in.Store, Slug: affiliate.Clean(in.Slug),
			Name: affiliate.Clean(in.Name), UserID: user, Actor: actor(ctx), ExpiresAt: asked.Expires},
			now.Add(-requestsKept))
	})
}

// probe asks a site whether it is a shop that its owner's browser can be sent to: one that answers, and the right one.
func (a *App) probe(ctx context.Context, asked Authorizer, g *affiliate.Guide, id affiliate.StoreID,
	address string) error {
	probing, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	domain, err := asked.Probe(probing, address)
	if code, trouble := storeTrouble(err); code != "" {
		return &affiliate.Error{Kind: affiliate.Invalid, Code: code, Field: "address", Message: trouble}
	}
	if err != nil {
		return err
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if id == 0 {
			return a.onlySite(ctx, tx, g, domain, address)
		}
		store, err := tx.Store(ctx, id)
		if err != nil {
			return err
		}
		return sameShop(g, store, domain)
	})
}

// freeSlug refuses a slug that a store could not be made with; an empty one is chosen later.
func (a *App) freeSlug(ctx context.Context, g *affiliate.Guide, slug string) error {
	if slug == "" {
		return nil
	}
	var e *affiliate.Error
	if err := (affiliate.Store{Slug: slug}).Validate(g); errors.As(err, &e) && e.Field == "slug" {
		return err
	}
	_, err := a.DB.StoreBySlug(ctx, slug)
	switch {
	case err == nil:
		return affiliate.ConflictErrorf("slug", "the slug %q is taken by another store", slug)
	case affiliate.KindOf(err) == affiliate.NotFound:
		return nil
	}
	return err
}

// ConnectPath is below which stores send the keys that their owners approved: /connect/woocommerce.
const ConnectPath = "/connect/"

// ReturnPath is the page of ours that an owner's browser comes back to from their store.
const ReturnPath = "/stores/connect/return"

// ReturnURL is its address.
func (a *App) ReturnURL() string { return strings.TrimSuffix(a.PublicURL, "/") + ReturnPath }

// userOf is the id of somebody who is signed in; empty for tokens and commands.
func userOf(p affiliate.Principal) string {
	if !strings.HasPrefix(p.ID, "usr_") {
		return ""
	}
	return p.ID
}

// authorizer gives the connector of a platform whose owners can approve in the store itself; Invalid for others.
func (a *App) authorizer(platform affiliate.Platform) (Authorizer, error) {
	connector, err := a.connector(platform)
	if err != nil {
		return nil, err
	}
	guide := a.Platforms.Guide(platform)
	authorizer, ok := connector.(Authorizer)
	if !ok || !guide.Access.Approve {
		return nil, affiliate.FieldErrorf("platform", "%s has no page to approve this on: give keys that were made by "+
			"hand", guide.Name)
	}
	return authorizer, nil
}

// askedAddress tidies the address of a site that is to approve.
func (a *App) askedAddress(g *affiliate.Guide, given string) (string, error) {
	address := strings.TrimRight(affiliate.Clean(given), "/")
	if _, err := g.StoreDomain(address); err != nil {
		return "", affiliate.AboutField("address", err)
	}
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", affiliate.FieldErrorf("address", "is not the address of a shop; it looks like %s", g.Access.Example)
	}
	u.RawQuery, u.Fragment = "", ""
	if u.Scheme != "https" && !(a.LocalStores && affiliate.LocalHost(u.Hostname())) {
		return "", affiliate.FieldErrorf("address", "begins with http, and keys may travel by https only: give the "+
			"shop's https address, or keys that were made by hand")
	}
	return u.String(), nil
}

// answerable refuses to ask where a store could not send its answer to.
func (a *App) answerable(g *affiliate.Guide) error {
	trouble := a.unreachable(g)
	u, err := url.Parse(a.PublicURL)
	if trouble == "" && err == nil && u.Scheme != "https" && !(a.LocalStores && affiliate.LocalHost(u.Hostname())) {
		trouble = g.Admin + " sends keys to https addresses only."
	}
	if trouble == "" {
		return nil
	}
	return affiliate.FieldErrorf("address", "cannot be asked, for the shop could not answer: %s Set PUBLIC_URL to an "+
		"https address that it reaches, or give keys that were made by hand", trouble)
}

// ReceiveAccess takes in what a store sends to the callback: once for each request, within its ten minutes. Any error
// means that nothing was kept. The store's webhooks are made by the next look of a worker, within seconds: the store
// waits for the answer. address is the network address that it came from.
func (a *App) ReceiveAccess(ctx context.Context, platform affiliate.Platform, address string, body []byte) error {
	authorizer, err := a.authorizer(platform)
	if err != nil {
		return err
	}
	state, keys, err := authorizer.Authorized(body)
	if err != nil {
		return err
	}
	hash := a.Sealer.Hash(HashStoreRequest, state)
	var r storage.StoreRequest
	err = a.strangers.ask(ctx, "requests", address, func() (err error) {
		r, err = a.DB.StoreRequest(ctx, hash)
		return err
	})
	if err == nil {
		err = a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
			r, err = tx.AnswerStoreRequest(ctx, hash, platform, a.now())
			return err
		})
	}
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.Errorf(affiliate.NotFound, "nobody asked for these keys, or the request has expired; connect "+
			"the store anew")
	}
	if err != nil {
		return err
	}
	keys.Address = r.Address
	store, err := a.receiveKeys(ctx, r, keys)
	trouble := ""
	if err != nil {
		trouble = troubleOf(err)
	}
	noted := a.DB.InTx(context.WithoutCancel(ctx), func(tx *storage.Tx) error {
		return tx.EndStoreRequest(ctx, hash, store, trouble)
	})
	if err == nil && noted != nil {
		a.Log.Warn("what a request for keys came to is not noted", "store", store, "error", noted)
	}
	return err
}

// receiveKeys proves and keeps keys on behalf of who asked for them.
func (a *App) receiveKeys(ctx context.Context, r storage.StoreRequest,
	keys affiliate.StoreKeys) (affiliate.StoreID, error) {
	ctx = As(ctx, affiliate.Principal{Name: r.Actor})
	in := NewAccess{Store: r.StoreID, Platform: r.Platform, Slug: r.Slug, Name: r.Name, Keys: keys, approved: true}
	proving, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	p, err := a.prove(proving, in)
	if err != nil {
		return 0, err
	}
	done, err := a.keepAccess(ctx, in, p)
	return done.ID, err
}

// troubleOf says an error to people.
func troubleOf(err error) string {
	var e *affiliate.Error
	if !errors.As(err, &e) {
		return "The server has a fault, which its log tells. Begin again."
	}
	return sentence(strings.TrimSuffix(money.Plain(e.Shown()), ".")) + "."
}

// AccessOutcome is how a request for keys stands.
type AccessOutcome struct {
	Platform affiliate.Platform
	Address  string
	Store    affiliate.StoreID // that is connected now; 0: not yet
	Waiting  bool              // for the store's answer
	Trouble  string            // why it came to nothing
}

// AccessOutcome tells whoever asked; NotFound for others. What a command or a token has asked, people who sign in can
// see too, who may administer: their browser comes back from the store.
func (a *App) AccessOutcome(ctx context.Context, state string) (AccessOutcome, error) {
	r, err := a.DB.StoreRequest(ctx, a.Sealer.Hash(HashStoreRequest, state))
	if err == nil && !a.mayKnow(ctx, r) {
		err = affiliate.Errorf(affiliate.NotFound, "there is no such request")
	}
	if err != nil {
		return AccessOutcome{}, err
	}
	o := AccessOutcome{Platform: r.Platform, Address: r.Address, Store: r.ResultID, Trouble: r.Trouble}
	if o.Store != 0 || o.Trouble != "" {
		return o, nil
	}
	left := r.ExpiresAt
	if !r.AnsweredAt.IsZero() {
		left = r.AnsweredAt.Add(2 * proofLimit) // it is being proven, unless the process died
	}
	if o.Waiting = a.now().Before(left); !o.Waiting {
		o.Trouble = "The store did not answer within ten minutes. Begin again, and approve in the store."
	}
	return o, nil
}

func (a *App) mayKnow(ctx context.Context, r storage.StoreRequest) bool {
	asker := Asker(ctx)
	if r.UserID != 0 {
		return r.UserID.String() == asker.ID
	}
	return r.Actor == actor(ctx) || userOf(asker) != "" && asker.May(affiliate.MayAdminister)
}
