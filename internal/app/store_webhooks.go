package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Healed is what a look at a store's webhooks came to.
type Healed struct {
	Made    []string // topics of those that were missing or broken and are there again
	Removed int      // that were broken, replaced or too many
	Why     []string // sentences for people: what was found
}

const (
	// webhooksEvery is how often a store's webhooks are looked at.
	webhooksEvery = 10 * time.Minute
	// overlap is how long a webhook that was replaced, and its secret, are good for: deliveries that are under way
	// still count.
	overlap = time.Hour
	// retireAgain is when a webhook is tried again that could not be deleted.
	retireAgain = 10 * time.Minute
	// makingTime is how long a webhook may be in the making, longer than we wait for a store: what came of it is looked
	// into after that.
	makingTime = 5 * time.Minute
	// comparisonMargin is how far before the last delivery a comparison begins after a webhook was gone.
	comparisonMargin = time.Hour
)

// webhookPlan is what is to be done about a store's webhooks.
type webhookPlan struct {
	make    []string                 // topics
	adopt   []affiliate.StoreWebhook // that are ours, though we have not kept them
	remove  []string                 // ids of those to delete
	replace []string                 // ids of kept ones that are gone, or are to be deleted: their secrets last on
	hand    []string                 // topics of those with our address that people made, and that serve
	why     []string
	lost    bool // something may have been missed
}

// webhookView is what is known of a store's webhooks.
type webhookView struct {
	guide   *affiliate.Guide
	address string                   // where they are to send to
	there   []affiliate.StoreWebhook // in the store
	kept    []storage.StoreWebhook   // that we made
	active  map[affiliate.StoreSecretID]bool
	// seen has the topics that the store has sent, signed with a secret that we know, since the last of its secrets
	// ended: what is signed with that one is refused.
	seen map[string]bool
	// unsure has the topics of webhooks that may have been made without an answer to us.
	unsure map[string]bool
	settle []affiliate.StoreSecretID // of those webhooks
	// given says that the store signs all with one secret: any webhook with our address is as good as our own.
	given bool
	// made says that the store was made here a moment ago: webhooks with its address are of an earlier installation,
	// and sign with a secret that nobody knows.
	made bool
}

// plan says what is to be done so that there is one good webhook for each topic, all of them with our address. Those
// with another address, that we did not make, are none of our business.
func (v webhookView) plan() (p webhookPlan) {
	served := map[string]bool{}
	listed := map[string]affiliate.StoreWebhook{}
	for _, w := range v.there {
		listed[w.ID] = w
	}
	known := map[string]bool{}
	for _, k := range v.kept {
		known[k.ExternalID] = true
		if !k.RetireAt.IsZero() {
			continue // it has its time
		}
		w, there := listed[k.ExternalID]
		if fault := v.fault(k, w, there, served); fault != "" {
			p.replace = append(p.replace, k.ExternalID)
			if there {
				p.remove = append(p.remove, k.ExternalID)
			}
			p.why = append(p.why, fmt.Sprintf("The webhook “%s” %s.", v.guide.TopicLabel(k.Topic), fault))
			p.lost = p.lost || v.guide.Needs(k.Topic) && !served[k.Topic]
			continue
		}
		served[k.Topic] = true
	}
	for _, w := range v.there {
		if known[w.ID] || !v.ours(w.Address) || !v.guide.Subscribes(w.Topic) {
			continue
		}
		label := v.guide.TopicLabel(w.Topic)
		switch {
		case w.Broken != "":
			p.remove = append(p.remove, w.ID)
			p.why = append(p.why, fmt.Sprintf("The webhook “%s”, made by hand, did not send: %s.", label, w.Broken))
			p.lost = p.lost || v.guide.Needs(w.Topic) && !served[w.Topic]
		case v.given && served[w.Topic]:
			p.remove = append(p.remove, w.ID)
			p.why = append(p.why, fmt.Sprintf("The webhook “%s” was there twice.", label))
		case v.given:
			p.adopt = append(p.adopt, w)
			served[w.Topic] = true
		case v.made:
			p.remove = append(p.remove, w.ID)
			p.why = append(p.why, fmt.Sprintf("The webhook “%s” was of an earlier connection, whose secret is gone.",
				label))
		case v.unsure[w.Topic]:
			p.remove = append(p.remove, w.ID)
			p.why = append(p.why, fmt.Sprintf("The webhook “%s” was made while the store did not answer.", label))
		case v.seen[w.Topic]:
			p.hand = append(p.hand, w.Topic)
			served[w.Topic] = true
		}
	}
	for _, t := range v.guide.WebhookTopics() {
		if !served[t.Name] {
			p.make = append(p.make, t.Name)
		}
	}
	return p
}

// without leaves the webhooks of topics alone that nothing was made in place of. Those that are gone are given up.
func (p webhookPlan) without(topics []string, v webhookView) webhookPlan {
	of := map[string]string{}
	for _, w := range v.there {
		of[w.ID] = w.Topic
	}
	for _, k := range v.kept {
		of[k.ExternalID] = k.Topic
	}
	left := map[string]bool{}
	for _, id := range p.remove {
		left[id] = slices.Contains(topics, of[id])
	}
	leave := func(id string) bool { return left[id] }
	p.remove, p.replace = slices.DeleteFunc(p.remove, leave), slices.DeleteFunc(p.replace, leave)
	return p
}

// fault says what is wrong with a webhook that we made, as the end of a sentence about it.
func (v webhookView) fault(k storage.StoreWebhook, w affiliate.StoreWebhook, there bool,
	served map[string]bool) string {
	switch {
	case !there:
		return "was gone from the store"
	case !v.guide.Subscribes(k.Topic):
		return "is not needed any more"
	case w.Topic != k.Topic:
		return "told of something else: its topic was changed in the store"
	case !v.ours(w.Address):
		return "sent to another address"
	case w.Broken != "":
		return "did not send: " + w.Broken
	case k.SecretID == 0 || !v.active[k.SecretID]:
		return "was signed with a secret that was ended here"
	case served[k.Topic]:
		return "was there twice"
	}
	return ""
}

func (v webhookView) ours(address string) bool { return strings.TrimSuffix(address, "/") == v.address }

// healing is how a look at a store's webhooks is taken.
type healing struct {
	facts *affiliate.StoreFacts // that were just read; nil: they are asked for
	made  bool                  // the store itself was made a moment ago
	// former is a client with the keys before; nil without. Of some platforms, only it sees the webhooks made with it.
	former StoreClient
}

// healWebhooks compares the webhooks of a store with those that are needed, and makes and deletes what it takes. An
// error means that the store did not answer; what was done until then is in Healed.
func (a *App) healWebhooks(ctx context.Context, store affiliate.Store, h healing) (done Healed, err error) {
	e := a.clients.of(store.ID)
	e.healing.Lock()
	defer e.healing.Unlock()
	ctx = storage.NotAlongside(ctx) // whatever it does may be done again
	client, err := a.storeClient(ctx, store.ID)
	if err != nil {
		return done, err
	}
	if _, err := a.DB.ClaimWebhookLook(ctx, store.ID, a.now(), a.now()); err != nil {
		return done, err
	}
	v, secret, err := a.viewWebhooks(ctx, store, client, h)
	if err != nil {
		return done, err
	}
	p := v.plan()
	done.Why = p.why
	if len(p.hand) > 0 && h.facts != nil {
		done.Why = append(done.Why, fmt.Sprintf("Webhooks made by hand serve and are left as they are: %s.",
			v.labels(p.hand)))
	}
	if trouble := a.unreachable(v.guide); trouble != "" && len(p.make) > 0 {
		trouble = "No webhooks were made in the store. " + trouble + " Set PUBLIC_URL to an address that it reaches."
		done.Why = append(done.Why, trouble)
		a.noteAnswer(ctx, store.ID, &affiliate.Error{Kind: affiliate.Unavailable, Code: affiliate.StoreNoWebhooks,
			Message: trouble}, nil)
		return done, nil
	}
	made, err := a.makeWebhooks(ctx, store, client, v, p.make, secret)
	done.Made = topicsOf(made.kept)
	done.Why = append(done.Why, made.why(v)...)
	if err == nil || len(made.kept) > 0 {
		var failed error
		done.Removed, failed = a.removeWebhooks(ctx, store, client, v, p.without(made.not(p.make), v), secret, h.former)
		err = errors.Join(err, failed)
	}
	if err == nil {
		err = a.settleMaking(ctx, v)
	}
	if err != nil {
		return done, err
	}
	a.noteAnswer(ctx, store.ID, made.trouble(v), nil)
	if len(done.Made)+done.Removed > 0 {
		if affiliate.IsBackground(ctx) { // others read it themselves
			a.Log.Info("webhooks of a store were healed", "store", store.Slug, "made", done.Made, "removed",
				done.Removed)
		}
		a.touched([]affiliate.StoreID{store.ID})
	}
	return done, nil
}

// unreachable says why stores of a platform could not send to us.
func (a *App) unreachable(g *affiliate.Guide) string {
	if u, err := url.Parse(a.PublicURL); err == nil && a.LocalStores && affiliate.LocalHost(u.Hostname()) {
		return ""
	}
	return g.Unreachable(a.PublicURL)
}

// viewWebhooks asks a store for its webhooks. Secret is what the store signs with, where it chooses that; it is kept
// before.
func (a *App) viewWebhooks(ctx context.Context, store affiliate.Store, client StoreClient,
	h healing) (v webhookView, secret affiliate.StoreSecretID, err error) {
	facts := h.facts
	if facts == nil {
		got, err := client.Facts(ctx)
		if err := a.asked(ctx, store.ID, err); err != nil {
			return v, 0, err
		}
		facts = &got
		if err := a.DB.SetStoreMissing(ctx, store.ID, strings.Join(got.Missing, " ")); err != nil {
			return v, 0, err
		}
	}
	v = webhookView{guide: a.Platforms.Guide(store.Platform), address: a.WebhookURL(store), given: facts.Secret != "",
		made: h.made, active: map[affiliate.StoreSecretID]bool{}, seen: map[string]bool{}, unsure: map[string]bool{}}
	if v.given {
		if secret, err = a.givenSecret(ctx, store.ID, facts.Secret); err != nil {
			return v, 0, err
		}
	}
	v.there, err = client.Webhooks(ctx)
	if err := a.asked(ctx, store.ID, err); err != nil {
		return v, 0, err
	}
	if v.kept, err = a.DB.StoreWebhooks(ctx, store.ID); err != nil {
		return v, 0, err
	}
	if v.given {
		if err := a.signAll(ctx, store.ID, v.kept, secret); err != nil {
			return v, 0, err
		}
	}
	secrets, err := a.DB.SealedSecrets(ctx, store.ID)
	if err != nil {
		return v, 0, err
	}
	for _, s := range secrets {
		v.active[s.ID] = true
		if s.Making != "" && a.now().Sub(s.CreatedAt.Time).Abs() >= makingTime {
			v.settle = append(v.settle, s.ID)
			for _, topic := range strings.Fields(s.Making) {
				v.unsure[topic] = true
			}
		}
	}
	v.seen, err = a.seenTopics(ctx, store.ID)
	return v, secret, err
}

// seenTopics gives the topics that a store has sent, signed with a secret that we knew, since one of its secrets ended.
func (a *App) seenTopics(ctx context.Context, id affiliate.StoreID) (map[string]bool, error) {
	secrets, err := a.DB.StoreSecrets(ctx, id)
	if err != nil {
		return nil, err
	}
	var ended time.Time
	for _, s := range secrets {
		if s.EndedAt.After(ended) {
			ended = s.EndedAt
		}
	}
	topics, err := a.DB.StoreTopics(ctx, id)
	seen := map[string]bool{}
	for _, t := range topics[id] {
		seen[t.Topic] = t.Last.After(ended)
	}
	return seen, err
}

// settleMaking notes that the store was rid of what may have been made in it without an answer. The secrets of that
// end, unless webhooks that we know are signed with them.
func (a *App) settleMaking(ctx context.Context, v webhookView) error {
	if len(v.settle) == 0 {
		return nil
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for _, id := range v.settle {
			if err := tx.SetSecretMaking(ctx, id, "", a.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// signAll notes that all of our webhooks in a store are signed with one secret.
func (a *App) signAll(ctx context.Context, store affiliate.StoreID, kept []storage.StoreWebhook,
	secret affiliate.StoreSecretID) error {
	other := func(w storage.StoreWebhook) bool { return w.SecretID != secret }
	if !slices.ContainsFunc(kept, other) {
		return nil
	}
	for i := range kept {
		kept[i].SecretID = secret
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error { return tx.SetWebhookSecret(ctx, store, secret) })
}

func (v webhookView) labels(topics []string) string {
	labels := make([]string, len(topics))
	for i, t := range topics {
		labels[i] = "“" + v.guide.TopicLabel(t) + "”"
	}
	return strings.Join(labels, ", ")
}

// givenSecret keeps the secret that a store signs with, unless it is there, and gives its id. The one that the store
// gave before ends an hour later; one that a person added stays.
func (a *App) givenSecret(ctx context.Context, store affiliate.StoreID,
	secret string) (id affiliate.StoreSecretID, err error) {
	there, err := a.DB.SealedSecrets(ctx, store)
	if err != nil {
		return 0, err
	}
	for _, s := range there {
		if plain, err := a.Sealer.Open(SealWebhookSecret, s.Sealed); err == nil && string(plain) == secret {
			id = s.ID
		}
	}
	right := func(s storage.SealedSecret) bool { return !s.Given || s.RetireAt.IsZero() == (s.ID == id) }
	if id != 0 && !slices.ContainsFunc(there, func(s storage.SealedSecret) bool { return !right(s) }) {
		return id, nil
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if id == 0 {
			sealed := a.Sealer.Seal(SealWebhookSecret, []byte(secret))
			if id, err = tx.AddStoreSecret(ctx, store, sealed, a.now()); err != nil {
				return err
			}
			if err := tx.MarkSecretGiven(ctx, id); err != nil {
				return err
			}
			if err := a.audit(ctx, tx, "store.secret.add", store, nil, facts{"secret": id.String()}); err != nil {
				return err
			}
		}
		return tx.SetGivenSecret(ctx, store, id, a.now().Add(overlap))
	})
	return id, err
}

// made is what came of making webhooks.
type made struct {
	kept    []storage.StoreWebhook
	served  []string // topics that the store has a webhook for already, which its API does not show
	refused []refusal
}

// refusal is what a store said to one topic.
type refusal struct {
	topic string
	err   error
}

// not gives the topics that nothing was made for.
func (m made) not(topics []string) []string {
	there := slices.Concat(topicsOf(m.kept), m.served)
	return slices.DeleteFunc(slices.Clone(topics), func(t string) bool { return slices.Contains(there, t) })
}

// why tells people what was refused.
func (m made) why(v webhookView) (list []string) {
	for _, r := range m.refused {
		_, said := storeTrouble(r.err)
		list = append(list, fmt.Sprintf("The webhook “%s” was not made. %s", v.guide.TopicLabel(r.topic), said))
	}
	return list
}

// trouble gives the first refusal of a topic that all stores offer.
func (m made) trouble(v webhookView) error {
	for _, r := range m.refused {
		if !slices.ContainsFunc(v.guide.WebhookTopics(), func(t affiliate.Topic) bool {
			return t.Name == r.topic && t.Optional
		}) {
			return r.err
		}
	}
	return nil
}

// aboutTopic says whether what a store answered may be about one topic alone.
func aboutTopic(err error) bool {
	code, _ := storeTrouble(err)
	return code == affiliate.StoreForbidden || code == affiliate.StoreAnswer &&
		affiliate.KindOf(err) != affiliate.Unavailable
}

// mayBeMade says whether a webhook may be there although the store answered its making so.
func mayBeMade(err error) bool {
	code, _ := storeTrouble(err)
	return code != affiliate.StoreForbidden && code != affiliate.StoreKeysRefused && code != affiliate.StoreNoAPI
}

// makeWebhooks makes one for each of some topics; what a store refuses of one topic keeps no other. Without a secret
// that the store gives they have a new one, which is kept before the store knows it: what it signs is accepted from the
// first delivery on, also where the store makes a webhook and does not answer.
func (a *App) makeWebhooks(ctx context.Context, store affiliate.Store, client StoreClient, v webhookView,
	topics []string, secret affiliate.StoreSecretID) (m made, err error) {
	if len(topics) == 0 {
		return m, nil
	}
	text := ""
	if !v.given {
		text = newSecret()
		if err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
			sealed := a.Sealer.Seal(SealWebhookSecret, []byte(text))
			if secret, err = tx.AddStoreSecret(ctx, store.ID, sealed, a.now()); err != nil {
				return err
			}
			return tx.SetSecretMaking(ctx, secret, strings.Join(topics, " "), a.now().Add(overlap))
		}); err != nil {
			return m, err
		}
	}
	var unsure []string
	for _, topic := range topics {
		one := storage.StoreWebhook{StoreID: store.ID, Topic: topic, Address: v.address, SecretID: secret,
			CreatedAt: a.now()}
		if err = a.makeWebhook(ctx, client, one, text, &m); err == nil {
			continue
		}
		if mayBeMade(err) {
			unsure = append(unsure, topic)
		}
		if !aboutTopic(err) {
			break
		}
		m.refused, err = append(m.refused, refusal{topic, err}), nil
	}
	return m, errors.Join(err, a.DB.InTx(context.WithoutCancel(ctx), func(tx *storage.Tx) error {
		if !v.given {
			if err := a.keepMaking(ctx, tx, secret, unsure, len(m.kept) > 0); err != nil {
				return err
			}
		}
		if len(m.kept) == 0 {
			return nil
		}
		return a.audit(ctx, tx, "store.webhooks.make", store.ID, nil, facts{"webhooks": v.labels(topicsOf(m.kept))})
	}))
}

// makeWebhook makes and keeps one. That the store has one already that serves, and does not show it, is no error.
func (a *App) makeWebhook(ctx context.Context, client StoreClient, one storage.StoreWebhook, secret string,
	m *made) error {
	w, err := client.MakeWebhook(ctx, one.Topic, one.Address, secret)
	if code, _ := storeTrouble(err); code == affiliate.StoreWebhookTaken {
		m.served = append(m.served, one.Topic)
		return nil
	}
	if aboutTopic(err) {
		return err // noted once all were tried
	}
	if err := a.asked(ctx, one.StoreID, err); err != nil {
		return err
	}
	one.ExternalID = w.ID
	if err := a.DB.InTx(ctx, func(tx *storage.Tx) error { return tx.KeepStoreWebhook(ctx, one) }); err != nil {
		return err
	}
	m.kept = append(m.kept, one)
	return nil
}

// keepMaking notes what is known of a new secret: the topics of webhooks with it that may be there, and whether some
// surely are. A secret that nothing is signed with goes.
func (a *App) keepMaking(ctx context.Context, tx *storage.Tx, secret affiliate.StoreSecretID, unsure []string,
	used bool) error {
	switch {
	case len(unsure) > 0:
		return tx.SetSecretMaking(ctx, secret, strings.Join(unsure, " "), a.now().Add(overlap))
	case used:
		return tx.SetSecretMaking(ctx, secret, "", time.Time{})
	}
	return tx.DropSecret(ctx, secret)
}

func topicsOf(list []storage.StoreWebhook) (topics []string) {
	for _, w := range list {
		topics = append(topics, w.Topic)
	}
	return topics
}

// removeWebhooks deletes what a plan says, notes what is ours all the same, and has the gap filled.
func (a *App) removeWebhooks(ctx context.Context, store affiliate.Store, client StoreClient, v webhookView,
	p webhookPlan, secret affiliate.StoreSecretID, former StoreClient) (removed int, err error) {
	var failed error
	for _, id := range p.remove {
		if failed = a.asked(ctx, store.ID, client.DeleteWebhook(ctx, id)); failed != nil {
			break // the next look deletes it
		}
		removed++
	}
	if former != nil && former != client && v.given {
		for _, id := range p.replace {
			if !slices.Contains(p.remove, id) {
				_ = former.DeleteWebhook(ctx, id) // its keys may be void already
			}
		}
	}
	if len(p.replace)+len(p.adopt) == 0 && !p.lost {
		return removed, failed
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for _, id := range p.replace {
			// What was signed before it went may be under way.
			if err := tx.RetireStoreWebhook(ctx, store.ID, id, a.now().Add(overlap)); err != nil {
				return err
			}
		}
		for _, w := range p.adopt {
			if err := tx.KeepStoreWebhook(ctx, storage.StoreWebhook{StoreID: store.ID, ExternalID: w.ID, Topic: w.Topic,
				Address: v.address, SecretID: secret, CreatedAt: a.now()}); err != nil {
				return err
			}
		}
		if !p.lost {
			return nil
		}
		return a.wantGapFilled(ctx, tx, store.ID)
	})
	if err == nil {
		err = failed
	}
	return removed, err
}

// wantGapFilled has a store compared from its last delivery on, or from when it was connected.
func (a *App) wantGapFilled(ctx context.Context, tx *storage.Tx, id affiliate.StoreID) error {
	store, err := tx.Store(ctx, id)
	if err != nil {
		return err
	}
	from := store.LastDeliveryAt
	if from.IsZero() {
		from = store.CreatedAt
	}
	return tx.WantComparison(ctx, id, affiliate.CauseWebhook, from.Add(-comparisonMargin))
}

// CheckAccess asks a store whether its keys still serve, and heals its webhooks.
func (a *App) CheckAccess(ctx context.Context, id affiliate.StoreID) (Healed, error) {
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return Healed{}, err
	}
	healed, err := a.healWebhooks(ctx, store, healing{})
	if err != nil {
		return healed, err
	}
	_, err = a.DB.ClaimWebhookLook(ctx, id, a.now(), a.now()) // the one write that says that the request is carried out
	return healed, err
}

// RotateWebhookSecret gives a store's webhooks a new secret: new ones are made first, and the former ones, with their
// secret, last for another hour, so that what is under way still counts.
func (a *App) RotateWebhookSecret(ctx context.Context, id affiliate.StoreID) error {
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return err
	}
	guide := a.Platforms.Guide(store.Platform)
	if guide.SecretLabel != "" {
		return affiliate.Errorf(affiliate.Conflict, "%s signs with the secret of its app: exchange it there, then "+
			"give the store's keys anew", guide.Name)
	}
	e := a.clients.of(id)
	e.healing.Lock()
	defer e.healing.Unlock()
	client, err := a.storeClient(ctx, id)
	if err != nil {
		return err
	}
	if trouble := a.unreachable(guide); trouble != "" {
		return affiliate.Errorf(affiliate.Conflict, "%s Set PUBLIC_URL to an address that the store reaches", trouble)
	}
	later := storage.NotAlongside(ctx)
	before, err := a.DB.StoreWebhooks(ctx, id)
	if err != nil {
		return err
	}
	v := webhookView{guide: guide, address: a.WebhookURL(store)}
	var topics []string
	for _, t := range guide.WebhookTopics() {
		topics = append(topics, t.Name)
	}
	made, err := a.makeWebhooks(later, store, client, v, topics, 0)
	if err == nil && len(made.refused) > 0 {
		err = a.asked(later, id, made.refused[0].err)
	}
	if err == nil && len(made.kept) == 0 {
		err = affiliate.Errorf(affiliate.Conflict, "%s has webhooks already that its API does not show", guide.Name)
	}
	if err != nil {
		return errors.Join(err, a.undoWebhooks(context.WithoutCancel(later), made.kept))
	}
	a.touched([]affiliate.StoreID{id})
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for _, w := range before {
			if !w.RetireAt.IsZero() {
				continue
			}
			if err := tx.RetireStoreWebhook(ctx, id, w.ExternalID, a.now().Add(overlap)); err != nil {
				return err
			}
		}
		return a.audit(ctx, tx, "store.secret.rotate", id, nil, facts{"secret": made.kept[0].SecretID.String()})
	})
}

// undoWebhooks has webhooks deleted that were made for nothing.
func (a *App) undoWebhooks(ctx context.Context, made []storage.StoreWebhook) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for _, w := range made {
			if err := tx.RetireStoreWebhook(ctx, w.StoreID, w.ExternalID, a.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// retireWebhooks deletes the webhooks of a store whose time is over, and ends the secrets that only they had.
func (a *App) retireWebhooks(ctx context.Context, id affiliate.StoreID) error {
	e := a.clients.of(id)
	e.healing.Lock()
	defer e.healing.Unlock()
	list, err := a.DB.StoreWebhooks(ctx, id)
	if err != nil {
		return err
	}
	client, err := a.storeClient(ctx, id)
	connected := err == nil
	if err != nil && affiliate.KindOf(err) != affiliate.Conflict {
		return err // in a store that is not asked any more, they are gone or out of reach
	}
	for _, w := range list {
		if w.RetireAt.IsZero() || w.RetireAt.After(a.now()) {
			continue
		}
		if connected {
			if err := a.asked(ctx, id, client.DeleteWebhook(ctx, w.ExternalID)); err != nil {
				return errors.Join(err, a.DB.InTx(ctx, func(tx *storage.Tx) error {
					return tx.RetireStoreWebhook(ctx, id, w.ExternalID, a.now().Add(retireAgain))
				}))
			}
		}
		if err := a.forgetWebhook(ctx, w); err != nil {
			return err
		}
	}
	return a.retireSecrets(ctx, id, connected)
}

// retireSecrets ends the secrets of a store whose time is over, unless webhooks that we made are signed with them.
// While a look at the store is still to find out whether webhooks with one are there, it goes on.
func (a *App) retireSecrets(ctx context.Context, id affiliate.StoreID, connected bool) error {
	list, err := a.DB.SealedSecrets(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.RetireAt.IsZero() || s.RetireAt.After(a.now()) {
			continue
		}
		if err := a.changeCatalog(ctx, func(tx *storage.Tx) error {
			if connected && s.Making != "" {
				return tx.SetSecretMaking(ctx, s.ID, s.Making, a.now().Add(retireAgain))
			}
			if err := tx.SetSecretMaking(ctx, s.ID, "", time.Time{}); err != nil {
				return err
			}
			return a.endUnusedSecret(ctx, tx, id, s.ID)
		}); err != nil {
			return err
		}
	}
	return nil
}

// endUnusedSecret ends a secret unless webhooks are signed with it.
func (a *App) endUnusedSecret(ctx context.Context, tx *storage.Tx, store affiliate.StoreID,
	id affiliate.StoreSecretID) error {
	ended, err := tx.EndUnusedSecret(ctx, store, id, a.now())
	if err != nil || !ended {
		return err
	}
	return a.audit(ctx, tx, "store.secret.end", store, facts{"secret": id.String()}, nil)
}

// forgetWebhook forgets a webhook that is gone, and ends its secret unless others are signed with it.
func (a *App) forgetWebhook(ctx context.Context, w storage.StoreWebhook) error {
	return a.changeCatalog(ctx, func(tx *storage.Tx) error {
		if err := tx.ForgetStoreWebhook(ctx, w.StoreID, w.ExternalID); err != nil {
			return err
		}
		return a.endUnusedSecret(ctx, tx, w.StoreID, w.SecretID)
	})
}

// endLimit bounds the deleting of webhooks in a store that is disconnected: it may not answer any more.
const endLimit = 30 * time.Second

// EndAccess forgets a store's keys and removes our webhooks from it, as far as it answers; left are those that could
// not be removed, as the store's admin calls them. The store stays and takes in what it is sent.
func (a *App) EndAccess(ctx context.Context, id affiliate.StoreID) (left []string, err error) {
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return nil, err
	}
	access, err := a.DB.StoreAccess(ctx, id)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil, notConnected(id)
	}
	if err != nil {
		return nil, err
	}
	e := a.clients.of(id)
	e.healing.Lock()
	defer e.healing.Unlock()
	list, err := a.DB.StoreWebhooks(ctx, id)
	if err != nil {
		return nil, err
	}
	there := a.deleteWebhooks(ctx, store, access, list)
	for _, w := range there {
		left = append(left, a.Platforms.Guide(store.Platform).TopicLabel(w.Topic))
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		for _, w := range list {
			if err := a.letGo(ctx, tx, w, slices.Contains(there, w)); err != nil {
				return err
			}
		}
		// That a customer waits for an answer is not to be forgotten for it.
		if len(there) < len(list) && !AsksForData(store.Warning) {
			if err := tx.WarnStore(ctx, id, disconnected); err != nil {
				return err
			}
		}
		return a.forgetAccess(ctx, tx, access)
	})
	if err == nil {
		e.take(nil, nil)
		a.touched([]affiliate.StoreID{id})
	}
	return left, err
}

// forgetAccess forgets a store's keys, and ends its jobs.
func (a *App) forgetAccess(ctx context.Context, tx *storage.Tx, access storage.StoreAccess) error {
	if err := tx.DeleteStoreAccess(ctx, access.StoreID); err != nil {
		return err
	}
	if err := a.dropStoreJobs(ctx, tx, access.StoreID); err != nil {
		return err
	}
	return a.audit(ctx, tx, "store.access.end", access.StoreID, accessFacts(access), nil)
}

// letGo gives a webhook of a store up that is not asked any more. One that was deleted keeps its secret alive for what
// is under way; one that is still there has it for good.
func (a *App) letGo(ctx context.Context, tx *storage.Tx, w storage.StoreWebhook, there bool) error {
	if there {
		return tx.ForgetStoreWebhook(ctx, w.StoreID, w.ExternalID)
	}
	return tx.RetireStoreWebhook(ctx, w.StoreID, w.ExternalID, a.now().Add(overlap))
}

// deleteWebhooks deletes webhooks in a store as far as it answers, and gives those that are still there.
func (a *App) deleteWebhooks(ctx context.Context, store affiliate.Store, access storage.StoreAccess,
	list []storage.StoreWebhook) (left []storage.StoreWebhook) {
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	client, err := a.clientOf(store, access)
	if err != nil {
		return list
	}
	for i, w := range list {
		if err := client.DeleteWebhook(ctx, w.ExternalID); err != nil {
			a.Log.Warn("a webhook stays in a store that is disconnected", "store", store.Slug, "topic", w.Topic,
				"error", err)
			return append(left, list[i:]...) // the others fare no better
		}
	}
	return nil
}
