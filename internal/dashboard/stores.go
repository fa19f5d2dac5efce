package dashboard

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func storeRoutes() []route {
	change, own := may(affiliate.MayChangeCatalog), may(affiliate.MayAdminister)
	return []route{
		{http.MethodGet, "/stores", signedIn, (*request).storesPage},
		{http.MethodGet, "/stores/new", own, (*request).newStorePage},
		{http.MethodPost, "/stores/new", own, (*request).addStore},
		{http.MethodGet, "/stores/:store", signedIn, (*request).storePage},
		{http.MethodGet, "/stores/:store/edit", change, (*request).editStorePage},
		{http.MethodPost, "/stores/:store/edit", change, (*request).editStore},
		{http.MethodPost, "/stores/:store/warning", change, (*request).dismissWarning},
		{http.MethodPost, "/stores/:store/notices", change, (*request).dismissNotices},
		{http.MethodPost, "/notices", own, (*request).dismissClock},
		{http.MethodPost, "/stores/:store/end", own, (*request).endStore},
		{http.MethodPost, "/stores/:store/secrets", own, (*request).addSecret},
		{http.MethodPost, "/stores/:store/secrets/:secret/end", own, (*request).endSecret},
	}
}

// badge is a word with a shape and a colour, which say the same.
type badge struct{ Class, Icon, Text string }

// storeHealth is how a store's deliveries fare, as pages tell it.
type storeHealth struct {
	Store         affiliate.Store
	Address       string           // of the store's page
	Guide         *affiliate.Guide // of its platform
	Badge         badge
	LastDelivery  string // moments; empty when there was none
	LastProcessed string
	Waiting       int64
	OldestWaiting string
	Failed        int64
	SetAside      int64
	Rejected      int64       // in the last 24 hours
	Rejections    []rejection // the same, by their cause
	Pinged        bool        // the store has found the delivery URL, which it asks when a webhook is saved
	NeverSeen     []app.UnseenTopic
	Quiet         *affiliate.Quiet
	Gaps          []notice
	API           *apiTrouble // with the store's API; nil when there is none
}

// notice is something to look into, until it is dismissed.
type notice struct {
	ID   affiliate.NoticeID
	Text string
	Calm bool // planned downtime
}

// Missing are the topics whose webhooks are likely not there.
func (h storeHealth) Missing() (list []app.UnseenTopic) {
	for _, t := range h.NeverSeen {
		if t.Missing {
			list = append(list, t)
		}
	}
	return list
}

// Rare are the other topics that never came: they may have had no reason to.
func (h storeHealth) Rare() (list []app.UnseenTopic) {
	for _, t := range h.NeverSeen {
		if !t.Missing {
			list = append(list, t)
		}
	}
	return list
}

// Unusual says whether nothing has come for longer than chance explains.
func (h storeHealth) Unusual() bool { return h.Quiet != nil && h.Quiet.Unusual }

// Silences says what the store's silence tells that somebody should look after.
func (h storeHealth) Silences() (list []string) {
	if h.Ended() {
		return nil
	}
	if h.Unusual() {
		list = append(list, "Unusually "+h.Quiet.Text()+".")
	}
	for _, t := range h.Missing() {
		list = append(list, fmt.Sprintf("“%s” never came, though it comes with every order: make that webhook.",
			t.Label))
	}
	gaps := 0
	for _, n := range h.Gaps {
		if n.Calm {
			continue
		}
		if gaps++; gaps <= mostGaps {
			list = append(list, n.Text)
		}
	}
	if more := gaps - mostGaps; more > 0 {
		times := counted(int64(more), "more time", "more times")
		list = append(list, "The server was down "+times+" before that.")
	}
	return list
}

// mostGaps is how many of a store's gaps are told outside its own page.
const mostGaps = 3

// Ended says whether the store was ended by a person.
func (h storeHealth) Ended() bool { return h.Store.State == affiliate.StoreStateEnded }

// Disconnected says whether its API is not asked any more, and our webhooks there are gone.
func (h storeHealth) Disconnected() bool { return app.Disconnected(h.Store.Warning) }

// Uninstalled says whether the shop removed our app.
func (h storeHealth) Uninstalled() bool { return h.Store.State == affiliate.StoreStateUninstalled }

// Silent says whether no delivery was ever accepted.
func (h storeHealth) Silent() bool { return h.Store.LastDeliveryAt.IsZero() }

// rejection is one cause for which deliveries were turned away, and what helps.
type rejection struct {
	N      int64
	Why    string
	Remedy string
	Last   string // the hour of the last one
	Over   bool   // deliveries have been accepted since
}

// health reads how stores fare: one, or all when the id is 0.
func (r *request) health(list []affiliate.Store, only affiliate.StoreID) ([]storeHealth, error) {
	counts, err := r.d.App.DB.StoreCounts(r.Request.Context(), only, r.d.App.Now().Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	silence, err := r.d.App.StoreHealth(r.Request.Context(), list, only)
	if err != nil {
		return nil, err
	}
	asked, err := r.d.App.DB.StoreAccesses(r.Request.Context())
	if err != nil {
		return nil, err
	}
	access := map[affiliate.StoreID]storage.StoreAccess{}
	for _, a := range asked {
		access[a.StoreID] = a
	}
	all := make([]storeHealth, len(list))
	for i, s := range list {
		all[i] = r.healthOf(s, counts[s.ID], silence[s.ID], access[s.ID])
	}
	return all, nil
}

func (r *request) healthOf(s affiliate.Store, f storage.StoreCounts, silence app.StoreHealth,
	access storage.StoreAccess) storeHealth {
	guide := r.d.App.Platforms.Guide(s.Platform)
	h := storeHealth{Store: s, Address: storeAddress(s), Guide: guide, LastDelivery: r.moment(s.LastDeliveryAt),
		LastProcessed: r.moment(s.LastProcessedAt), Waiting: f.Waiting,
		OldestWaiting: r.moment(earlier(f.OldestWaiting, r.d.App.Now())), Failed: f.Failed, SetAside: f.SetAside,
		NeverSeen: silence.NeverSeen, Quiet: silence.Quiet}
	if !h.Ended() {
		h.API = r.apiTroubleOf(access)
	}
	for _, n := range silence.Notices {
		h.Gaps = append(h.Gaps, notice{n.ID, app.NoticeText(n, guide, r.zone), n.Kind == storage.NoticeStopped})
	}
	for _, why := range rejectedBecause {
		n, last := f.Count(string(why.receipt))
		if n == 0 {
			continue
		}
		h.Rejected += n
		named := strings.NewReplacer(otherShop, f.OtherShop)
		h.Rejections = append(h.Rejections, rejection{N: n, Why: named.Replace(why.text),
			Remedy: named.Replace(remedy(guide, why.receipt)),
			Last:   last.In(r.zone).Format("15:04"), Over: s.LastDeliveryAt.After(f.EndOf(string(why.receipt)))})
	}
	pings, _ := f.Count(string(app.ReceiptPing))
	h.Pinged = pings > 0
	late := !f.OldestWaiting.IsZero() && r.d.App.Now().Sub(f.OldestWaiting) > time.Minute
	h.Badge = h.badge(late)
	return h
}

// earlier gives the earlier of two times: what came while the clock was ahead waits since now at most.
func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

// troubles says what is wrong with a store that somebody should look after. Deliveries that failed and statuses that
// nobody has decided about have places of their own.
func (h storeHealth) troubles() (list []string) {
	if h.Ended() {
		return nil
	}
	switch w := h.Store.Warning; {
	case app.AsksForData(w):
		list = append(list, "a customer asked for their data; answer within 30 days.")
	case w != "" && !app.AboutStatus(w):
		list = append(list, withoutDelivery(w))
	}
	if h.Uninstalled() {
		list = append(list, "the app was removed from the shop, no deliveries come any more.")
	}
	if h.API != nil {
		list = append(list, h.API.Text)
	}
	for _, j := range h.Rejections {
		if !j.Over {
			list = append(list, fmt.Sprintf("%s rejected in the last 24 hours, since %s.", counted(j.N, "delivery was",
				"deliveries were"), j.Why))
		}
	}
	return append(list, h.Silences()...)
}

func storeAddress(s affiliate.Store) string { return "/stores/" + s.ID.String() }

// AsksForData says whether the warning is that a customer wants to know what is kept of them.
func (h storeHealth) AsksForData() bool { return app.AsksForData(h.Store.Warning) }

// badge says in one word how the store is, the worst first.
func (h storeHealth) badge(late bool) badge {
	rejecting := slices.ContainsFunc(h.Rejections, func(j rejection) bool { return !j.Over })
	switch {
	case h.Ended():
		return badge{"", "cross", "Ended"}
	case h.Uninstalled():
		return badge{"bad", "alert", "App removed"}
	case h.Disconnected():
		return badge{"warn", "alert", "Disconnected"}
	case h.Silent() && h.Rejected > 0:
		return badge{"bad", "alert", "Deliveries refused"}
	case h.Silent():
		return badge{"warn", "clock", "Waiting for the first delivery"}
	case h.Failed > 0:
		return badge{"bad", "alert", "Failed deliveries"}
	case h.API != nil:
		return h.API.Badge
	case rejecting:
		return badge{"warn", "alert", "Deliveries refused"}
	case late:
		return badge{"warn", "clock", "Behind"}
	case h.Unusual():
		return badge{"warn", "clock", "Unusually quiet"}
	case len(h.Missing()) > 0:
		return badge{"warn", "alert", "Topics missing"}
	}
	return badge{"good", "check", "Receiving"}
}

type storesPage struct {
	layout
	Platforms string // that a store can be of
	Stores    []storeHealth
	Clock     []notice
	Pager     pager
	MayOwn    bool
}

func (r *request) storesPage() error {
	list, next, err := r.d.App.DB.Stores(r.Request.Context(), r.page())
	if err != nil {
		return err
	}
	page := storesPage{layout: r.layout("Stores", "stores"), Pager: r.pager(next),
		Platforms: r.d.App.Platforms.Names(app.AnyPlatform),
		MayOwn:    r.may(affiliate.MayAdminister)}
	if page.Stores, err = r.health(list, 0); err != nil {
		return err
	}
	if page.Clock, err = r.clockNotices(); err != nil {
		return err
	}
	return r.show("stores.html", &page)
}

// store reads the store of the path.
func (r *request) store() (affiliate.Store, error) {
	id, err := idParam[affiliate.StoreID](r, "store", "str_")
	if err != nil {
		return affiliate.Store{}, err
	}
	return r.d.App.DB.Store(r.Request.Context(), id)
}

type storePage struct {
	layout
	storeHealth
	DeliveryURL string
	Unreachable string // why the store cannot send to it
	NewSecret   string // that was made a moment ago: it is shown this once
	Secrets     []secretLine
	Latest      []deliveryLine
	Warning     string // of the store, as people read it
	WarnedBy    string // the delivery that the warning is about
	Doubts      storeDoubts
	Statuses    statusForm
	MayChange   bool
	MayOwn      bool
	Errors      fieldErrors
	Asked       *storeAPI   // how its API answers; nil where it is not asked
	Connect     *accessForm // to connect its API or to exchange the keys; nil where that cannot be
	APIError    string      // why something with its API was not done
	Agreement   *agreementPart
	History     historyForm
}

// secretLine is one webhook secret of a store, of which only the time is known.
type secretLine struct {
	ID     affiliate.StoreSecretID
	Number int
	Added  string
	Ended  string // empty while it is active
	Ends   string // the time at which it ends by itself: all webhooks that are signed with it were replaced
	Only   bool   // the only active one, which cannot be ended
}

func (r *request) storePage() error { return r.showStore(http.StatusOK, nil) }

func (r *request) showStore(status int, errs fieldErrors) error {
	return r.showStoreWith(status, func(p *storePage) { p.Errors = errs })
}

// showStoreWith shows the store of the path with what came of a form on its page.
func (r *request) showStoreWith(status int, with func(*storePage)) error {
	ctx := r.Request.Context()
	store, err := r.store()
	if err != nil {
		return err
	}
	latest, _, err := r.d.App.DB.ListDeliveries(ctx, storage.DeliveryFilter{Store: store.Slug, Sent: true,
		Look: lookThrough},
		storage.Page{Limit: 5})
	if err != nil {
		return err
	}
	if len(latest) > 0 && store.LastDeliveryAt.IsZero() { // its time is written a moment later
		store.LastDeliveryAt = latest[0].ReceivedAt.Time
	}
	health, err := r.health([]affiliate.Store{store}, store.ID)
	if err != nil {
		return err
	}
	page := storePage{layout: r.layout(store.Name, "stores"), storeHealth: health[0],
		DeliveryURL: r.d.App.WebhookURL(store), Unreachable: health[0].Guide.Unreachable(r.d.App.PublicURL),
		MayChange: r.may(affiliate.MayChangeCatalog), MayOwn: r.may(affiliate.MayAdminister)}
	page.Latest = r.deliveryLines(store.Platform, latest)
	page.Warning = withoutDelivery(store.Warning)
	if named := deliveryNamed.FindStringSubmatch(store.Warning); named != nil {
		page.WarnedBy = named[1]
	}
	if page.Doubts, err = r.storeDoubts(store); err != nil {
		return err
	}
	if r.Query("part") == "" {
		if page.Statuses, err = r.statusForm(store); err != nil {
			return err
		}
		page.Statuses.Busy = page.Recalculation != nil
	}
	if page.MayOwn {
		secrets, err := r.d.App.DB.StoreSecrets(ctx, store.ID)
		if err != nil {
			return err
		}
		hooks, err := r.d.App.DB.StoreWebhooks(ctx, store.ID)
		if err != nil {
			return err
		}
		page.Secrets = r.secretLines(secrets, hooks)
		if r.Query("part") == "" {
			page.NewSecret = r.takeSecret(store.ID)
		}
	}
	access, err := r.d.App.StoreAccess(ctx, store.ID)
	if err != nil {
		return err
	}
	page.Asked = r.storeAPI(page.Guide, access)
	if page.Agreement, err = r.agreementPart(store); err != nil {
		return err
	}
	at := storeAddress(store) + "/access"
	if page.Connect = r.accessForm(page.Guide, at, at+"/ask"); page.Connect != nil {
		page.Connect.at(store, access)
	}
	with(&page)
	r.render(status, "store.html", &page)
	return nil
}

func (r *request) secretLines(list []affiliate.StoreSecret, hooks []storage.StoreWebhook) []secretLine {
	lines, active := make([]secretLine, len(list)), 0
	ends, used := map[affiliate.StoreSecretID]time.Time{}, map[affiliate.StoreSecretID]bool{}
	for _, w := range hooks {
		used[w.SecretID] = used[w.SecretID] || w.RetireAt.IsZero()
		if w.RetireAt.After(ends[w.SecretID]) {
			ends[w.SecretID] = w.RetireAt
		}
	}
	for i, s := range list {
		lines[i] = secretLine{ID: s.ID, Number: i + 1, Added: r.moment(s.CreatedAt), Ended: r.moment(s.EndedAt)}
		if s.EndedAt.IsZero() {
			active++
		}
	}
	for i := range lines {
		lines[i].Only = active == 1 && lines[i].Ended == ""
		if at := ends[list[i].ID]; !at.IsZero() && active > 1 && lines[i].Ended == "" && !used[list[i].ID] {
			lines[i].Ends = r.clockTime(at)
		}
	}
	return lines
}

// secretCookie carries a secret that was made on to the page that shows it, once. It is sealed: browsers keep cookies
// on disk.
const (
	secretCookie  = "tributary_secret"
	sealShownOnce = "secret shown once"
	secretAge     = 10 * time.Minute
)

func (r *request) keepSecret(of fmt.Stringer, secret string) {
	sealed := r.d.App.Sealer.Seal(sealShownOnce, []byte(of.String()+" "+secret))
	r.setCookie(secretCookie, base64.RawURLEncoding.EncodeToString(sealed), secretAge)
}

// takeSecret gives the secret that was made for a thing on the page before, or "".
func (r *request) takeSecret(thing fmt.Stringer) string {
	cookie, err := r.Request.Cookie(r.cookieName(secretCookie))
	if err != nil {
		return ""
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	plain, err := r.d.App.Sealer.Open(sealShownOnce, sealed)
	if err != nil {
		return ""
	}
	of, secret, _ := strings.Cut(string(plain), " ")
	if of != thing.String() {
		return ""
	}
	r.setCookie(secretCookie, "", 0)
	return secret
}

func (r *request) addSecret() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	added, err := r.d.App.AddStoreSecret(r.Request.Context(), store.ID, r.field("webhook_secret"))
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showStore(http.StatusUnprocessableEntity, errs)
	}
	notice := "The secret is added. Deliveries signed with it are accepted beside those of the old one."
	if added.Secret != "" {
		r.keepSecret(store.ID, added.Secret)
		notice = "A secret is made. Copy it now, it is not shown again; deliveries of the old one are still accepted."
	}
	return r.done(storeAddress(store)+"#secrets", notice)
}

func (r *request) endSecret() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	id, err := idParam[affiliate.StoreSecretID](r, "secret", "sec_")
	if err != nil {
		return err
	}
	if err := r.d.App.EndStoreSecret(r.Request.Context(), store.ID, id); err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showStore(http.StatusUnprocessableEntity, errs)
	}
	return r.done(storeAddress(store)+"#secrets",
		"The secret is ended: deliveries that are signed with it are refused from now on.")
}

// deliveryNamed finds the delivery in a warning: "… (delivery dlv_12)".
var deliveryNamed = regexp.MustCompile(` \(delivery (dlv_[0-9]+)\)`)

// withoutDelivery is a warning as people read it: what it is about is a link beside it.
func withoutDelivery(warning string) string { return deliveryNamed.ReplaceAllString(warning, "") }

func (r *request) dismissWarning() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	if err := r.d.App.DismissWarning(r.Request.Context(), store.ID, r.PostForm("seen")); err != nil {
		return err
	}
	return r.done(storeAddress(store), "")
}

func (r *request) endStore() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	if _, err := r.d.App.EndStore(r.Request.Context(), store.ID); err != nil {
		return err
	}
	return r.done(storeAddress(store), store.Name+" is ended: its deliveries are refused from now on, its orders "+
		"stay. Delete its webhooks in the store's admin too.")
}

// clockNotices gives the jumps of the server's clock, for owners only: nobody else can set it right.
func (r *request) clockNotices() ([]notice, error) {
	if !r.may(affiliate.MayAdminister) {
		return nil, nil
	}
	list, err := r.d.App.DB.ClockNotices(r.Request.Context())
	var notices []notice
	for _, n := range list {
		notices = append(notices, notice{ID: n.ID, Text: app.NoticeText(n, nil, r.zone)})
	}
	return notices, err
}

func (r *request) dismissNotices() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	return r.dismiss(store.ID, storeAddress(store))
}

func (r *request) dismissClock() error { return r.dismiss(0, "/stores") }

// dismiss takes the notices of the form away.
func (r *request) dismiss(store affiliate.StoreID, address string) error {
	ids, err := affiliate.ParseIDs[affiliate.NoticeID]("notice", "ntc_", r.PostFormArray("notice"))
	if err != nil {
		return err
	}
	if _, err := r.d.App.DismissNotices(r.Request.Context(), store, ids); err != nil {
		return err
	}
	return r.done(address, "")
}
