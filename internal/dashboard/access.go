package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func accessRoutes() []route {
	own := may(affiliate.MayAdminister)
	return []route{
		{http.MethodPost, "/stores/connect", own, (*request).askForAccess},
		{http.MethodPost, "/stores/connect/keys", own, (*request).connectStore},
		{http.MethodGet, "/stores/connect/return", own, (*request).accessReturn},
		{http.MethodPost, "/stores/:store/access", own, (*request).changeAccess},
		{http.MethodPost, "/stores/:store/access/ask", own, (*request).askForAccessAgain},
		{http.MethodPost, "/stores/:store/access/check", own, (*request).checkAccess},
		{http.MethodPost, "/stores/:store/access/end", own, (*request).endAccess},
		{http.MethodPost, "/stores/:store/secrets/rotate", own, (*request).rotateSecret},
	}
}

// accessForm is how people let us ask a store's API: by approving in the store, or with keys.
type accessForm struct {
	*affiliate.AccessGuide
	Platform *affiliate.Guide
	New      bool   // the store is made, under a slug that people may choose
	Slug     string // that was typed
	Again    bool   // its API is asked already, and the keys are exchanged
	To       string // where forms go
	Ask      string // where the form goes that leads to the store; empty where owners cannot approve there
	NoHTTPS  string // our own address, while it is not the https one that approving needs
	Shop     string // what was typed as its address
	Errors   fieldErrors
	Taken    *affiliate.Store // that the shop is already, which was to be connected
	Ways     []wayForm
	Demo     bool // a made-up shop answers, whose keys the forms begin with
}

// wayForm is the form for one kind of keys.
type wayForm struct {
	affiliate.AccessWay
	Open   bool
	Shop   string
	Errors fieldErrors
	Values map[string]string // that were typed, by the names of fields
}

// accessForm makes the forms for a platform's stores; nil where stores of it are not asked. At is where they go.
func (r *request) accessForm(guide *affiliate.Guide, at, ask string) *accessForm {
	connector := r.d.App.Connectors[guide.Platform]
	if guide.Access == nil || connector == nil {
		return nil
	}
	f := &accessForm{AccessGuide: guide.Access, Platform: guide, To: at}
	if _, can := connector.(app.Authorizer); can && guide.Access.Approve {
		f.Ask = ask
		if public := r.d.App.PublicURL; !strings.HasPrefix(public, "https://") && !r.d.App.LocalStores {
			f.NoHTTPS = public
		}
	}
	for i, way := range guide.Access.Ways {
		way.Fields = slices.Clone(way.Fields)
		for n := range way.Fields {
			way.Fields[n].Hint = sentenceOf("", way.Fields[n].Hint)
		}
		f.Ways = append(f.Ways, wayForm{AccessWay: way, Open: i == 0 && (f.Ask == "" || f.NoHTTPS != "")})
	}
	return f
}

// typed takes over what was typed and what is wrong with it, to be shown again.
func (f *accessForm) typed(in app.NewAccess, errs fieldErrors) {
	for i := range f.Ways {
		way := &f.Ways[i]
		if way.Open = way.Kind == in.Keys.Kind; !way.Open {
			continue
		}
		way.Shop, way.Errors = in.Keys.Address, errs
		way.Values = map[string]string{"id": in.Keys.ID, "secret": in.Keys.Secret, "token": in.Keys.Token,
			"slug": in.Slug}
	}
}

// demo begins with the keys of a made-up shop.
func (f *accessForm) demo(keys affiliate.StoreKeys) {
	f.Demo, f.Shop = true, keys.Address
	for i := range f.Ways {
		f.typed(app.NewAccess{Keys: affiliate.StoreKeys{Kind: f.Ways[i].Kind, Address: keys.Address, ID: keys.ID,
			Secret: keys.Secret, Token: keys.Token}}, nil)
	}
	for i := range f.Ways {
		f.Ways[i].Open = f.Ways[i].Kind == keys.Kind
	}
}

// at fills the address of a store that is here.
func (f *accessForm) at(store affiliate.Store, access *app.StoreAccess) {
	f.Shop = "https://" + store.Domain
	if access != nil {
		f.Again, f.Shop = true, access.Address
	}
	for i := range f.Ways {
		f.Ways[i].Shop = f.Shop
		if access != nil {
			f.Ways[i].Open = false
		}
	}
}

// readKeys reads the form of one kind of keys.
func (r *request) readKeys() affiliate.StoreKeys {
	return affiliate.StoreKeys{Kind: affiliate.KeyKind(r.field("kind")), Address: r.field("address"), ID: r.field("id"),
		Secret: r.field("secret"), Token: r.field("token")}
}

// keyErrors are what is wrong with keys, by the fields of their form.
func keyErrors(err error) (fieldErrors, error) {
	errs, err := formErrors(err)
	for field, text := range errs {
		text = arrows(text)
		errs[field] = text
		switch field {
		case "", "address", "id", "secret", "token", "slug":
		case "domain":
			errs["address"] = text
		default:
			errs[""] = sentenceOf(field, text)
		}
	}
	return errs, err
}

// takenBy gives the store that a shop is already; nil where the error is another.
func takenBy(err error) *affiliate.Store {
	var taken app.ShopTaken
	if !errors.As(err, &taken) {
		return nil
	}
	return &taken.Store
}

// connectStore makes a store with keys of its API.
func (r *request) connectStore() error {
	in := app.NewAccess{Platform: affiliate.Platform(r.field("platform")), Slug: r.field("slug"), Keys: r.readKeys()}
	connected, err := r.d.App.ConnectStore(r.Request.Context(), in)
	if err == nil {
		return r.done(storeAddress(connected.Store), connectedText(connected))
	}
	taken := takenBy(err)
	errs, err := keyErrors(err)
	if err != nil {
		return err
	}
	page := r.newStoreForm(in.Platform)
	if page.Access != nil {
		page.Access.typed(in, errs)
		page.Access.Taken = taken
	}
	r.render(http.StatusUnprocessableEntity, "store_form.html", &page)
	return nil
}

// changeAccess connects a store that is here with its API, or exchanges its keys.
func (r *request) changeAccess() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	in := app.NewAccess{Store: store.ID, Keys: r.readKeys()}
	connected, err := r.d.App.ConnectStore(r.Request.Context(), in)
	if err == nil {
		return r.done(storeAddress(store)+"#api", connectedText(connected))
	}
	errs, err := keyErrors(err)
	if err != nil {
		return err
	}
	return r.showStoreWith(http.StatusUnprocessableEntity, func(p *storePage) {
		if p.Connect != nil {
			p.Connect.typed(in, errs)
		}
	})
}

// connectedText says what came of connecting a store.
func connectedText(c app.ConnectedStore) string {
	text := c.Name + " answers"
	if c.Made {
		text = c.Name + " is connected, and its API answers"
	}
	switch {
	case len(c.Webhooks) > 0:
		text += "; " + counted(int64(len(c.Webhooks)), "webhook was", "webhooks were") + " made there."
	default:
		text += "."
	}
	return strings.Join(append([]string{text}, c.Warnings...), " ")
}

func (r *request) askForAccess() error {
	in := app.AskForAccess{Platform: affiliate.Platform(r.field("platform")), Slug: r.field("slug"),
		Address: r.field("address")}
	err := r.ask(in)
	if err == nil {
		return nil
	}
	taken := takenBy(err)
	errs, err := keyErrors(err)
	if err != nil {
		return err
	}
	page := r.newStoreForm(in.Platform)
	if page.Access != nil {
		page.Access.refused(in.Address, errs)
		page.Access.Slug = in.Slug
		page.Access.Taken = taken
	}
	r.render(http.StatusUnprocessableEntity, "store_form.html", &page)
	return nil
}

func (r *request) askForAccessAgain() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	in := app.AskForAccess{Store: store.ID, Platform: store.Platform, Address: r.field("address")}
	if err = r.ask(in); err == nil {
		return nil
	}
	errs, err := keyErrors(err)
	if err != nil {
		return err
	}
	return r.showStoreWith(http.StatusUnprocessableEntity, func(p *storePage) {
		if p.Connect != nil {
			p.Connect.refused(in.Address, errs)
		}
	})
}

// refused takes over why a store's owner cannot be asked. Keys by hand are the way then, so their form begins with the
// same address.
func (f *accessForm) refused(address string, errs fieldErrors) {
	f.Shop, f.Errors = address, errs
	for i := range f.Ways {
		f.Ways[i].Shop, f.Ways[i].Open = address, i == 0
	}
}

// goOnPage leads to a store, where its owner approves.
type goOnPage struct {
	layout
	Host string // of the store
	To   string
}

// ask leads to the store, by a page of its own: browsers follow no redirect to another site from a form of ours, which
// the policy of our pages forbids.
func (r *request) ask(in app.AskForAccess) error {
	in.Return = strings.TrimSuffix(r.d.App.PublicURL, "/") + "/stores/connect/return"
	asked, err := r.d.App.AskForAccess(r.Request.Context(), in)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(asked.URL, "://")
	host, _, _ := strings.Cut(rest, "/")
	r.Header("Refresh", "0; url="+asked.URL)
	return r.show("access_ask.html", &goOnPage{r.layout("Approve in the store", "stores"), host, asked.URL})
}

// returnPage is where the browser comes back to from the store.
type returnPage struct {
	layout
	Name    string // of the platform
	Address string // of the shop
	Waiting bool
	Denied  bool
	Trouble string
	Again   string // where to begin anew
}

// waitingRefresh is after how many seconds a page that waits for a store's keys is asked for again.
const waitingRefresh = "2"

// accessReturn is the page that a store's owner comes back to. The keys come on a way of their own, before or after.
func (r *request) accessReturn() error {
	ctx := r.Request.Context()
	state := r.Query("user_id")
	if state == "" {
		r.Redirect(http.StatusSeeOther, "/stores/new")
		return nil
	}
	page := returnPage{layout: r.layout("Connect a store", "stores"), Again: "/stores/new"}
	outcome, err := r.d.App.AccessOutcome(ctx, state)
	if affiliate.KindOf(err) == affiliate.NotFound {
		page.Trouble = "This request for keys is not known here, or somebody else began it. Begin anew."
		r.render(http.StatusNotFound, "access_return.html", &page)
		return nil
	}
	if err != nil {
		return err
	}
	if outcome.Store != 0 {
		store, err := r.d.App.DB.Store(ctx, outcome.Store)
		if err != nil {
			return err
		}
		return r.done(storeAddress(store), store.Name+" is connected, and its API answers.")
	}
	page.Name, page.Address = r.d.App.Platforms.Guide(outcome.Platform).Name, outcome.Address
	page.Again += "?platform=" + string(outcome.Platform)
	page.Trouble, page.Denied = sentenceOf("", outcome.Trouble), r.Query("success") == "0"
	page.Waiting = outcome.Waiting && page.Trouble == "" && !page.Denied
	if page.Waiting {
		r.Header("Refresh", waitingRefresh)
	}
	return r.show("access_return.html", &page)
}

// storeAPI is how a store's API answers, as its page tells it.
type storeAPI struct {
	app.StoreAccess
	Kind     string // of the keys
	Since    string // of the connection
	By       string
	Answered string
	Troubled string // since when; empty while it answers
	Looked   string // when the webhooks were last looked at
	Share    string // of what the store allows its apps that was used; empty up to 1 %
	Hooks    []hookLine
	NoCodes  []string // rights that the keys lack for codes alone; StoreAccess.Missing has the others
	NoCredit []string // rights that they lack for store credit and gift cards alone
}

// hookLine is a webhook that we made.
type hookLine struct {
	ID           string
	Topic, Label string
	Made         string
	Until        string // when it is deleted, since another took its place; empty for one in use
}

func (r *request) storeAPI(guide *affiliate.Guide, a *app.StoreAccess) *storeAPI {
	if a == nil {
		return nil
	}
	s := &storeAPI{StoreAccess: *a, Kind: string(a.Kind), Since: r.moment(a.ConnectedAt), By: actorText(a.ConnectedBy),
		Answered: r.moment(a.AnsweredAt), Looked: r.moment(a.WebhooksAt)}
	if guide.Access != nil {
		s.Missing, s.NoCodes, s.NoCredit = guide.Access.Lacks(a.Missing)
	}
	if a.Use.Share > 0.01 {
		s.Share = percentText(int64(a.Use.Share * 10_000))
	}
	if a.Trouble != "" {
		s.Trouble, s.Troubled = arrows(sentenceOf("", a.Trouble)), r.moment(a.TroubleAt)
	}
	if guide.Access != nil {
		if way, ok := guide.Access.Way(a.Kind); ok {
			s.Kind = way.Label
		}
	}
	if a.Approved {
		s.Kind = "Approved in the store"
	}
	for _, w := range a.Webhooks {
		line := hookLine{ID: w.ID, Topic: w.Topic, Label: w.Label, Made: r.moment(w.Made)}
		if !w.RetireAt.IsZero() {
			line.Until = r.clockTime(w.RetireAt)
		}
		s.Hooks = append(s.Hooks, line)
	}
	return s
}

// apiTrouble is a store's API that does not answer as it should.
type apiTrouble struct {
	Badge badge
	Text  string // a sentence with its remedy
	Since string
}

// troublePasses is how long a trouble that may pass by itself is told on the store's own page only.
const troublePasses = 15 * time.Minute

// mayPass are the troubles that pass by themselves.
var mayPass = map[string]bool{affiliate.StoreUnreachable: true, affiliate.StoreBusy: true, affiliate.StoreDown: true}

// apiTroubleOf says what to look after; nil when nothing is.
func (r *request) apiTroubleOf(a storage.StoreAccess) *apiTrouble {
	if a.Trouble == "" || mayPass[a.TroubleCode] && r.d.App.Now().Sub(a.TroubleAt) < troublePasses {
		return nil
	}
	t := &apiTrouble{Badge: badge{"bad", "alert", "API does not answer"}, Text: arrows(sentenceOf("", a.Trouble)),
		Since: r.moment(a.TroubleAt)}
	switch a.TroubleCode {
	case affiliate.StoreKeysRefused, affiliate.StoreForbidden:
		t.Badge.Text = "API refuses the keys"
	case affiliate.StoreNoWebhooks:
		t.Badge = badge{"warn", "alert", "No webhooks made"}
	}
	return t
}

// actOnAPI does something with a store's API and says what came of it, or why nothing did.
func (r *request) actOnAPI(act func(affiliate.Store) (string, error)) error {
	store, err := r.store()
	if err != nil {
		return err
	}
	said, err := act(store)
	if err == nil {
		return r.done(storeAddress(store)+"#api", said)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showStoreWith(http.StatusUnprocessableEntity, func(p *storePage) {
		for field, text := range errs {
			p.APIError = arrows(sentenceOf(field, text))
		}
	})
}

func (r *request) checkAccess() error {
	return r.actOnAPI(func(store affiliate.Store) (string, error) {
		healed, err := r.d.App.CheckAccess(r.Request.Context(), store.ID)
		return r.healedText(store, healed), err
	})
}

// healedText says what a look at a store's webhooks came to.
func (r *request) healedText(store affiliate.Store, h app.Healed) string {
	text := []string{"The API answers, and the webhooks are as they should be."}
	if len(h.Made) > 0 || h.Removed > 0 {
		text[0] = "The API answers."
	}
	for _, why := range h.Why {
		text = append(text, sentenceOf("", why))
	}
	if len(h.Made) > 0 {
		guide := r.d.App.Platforms.Guide(store.Platform)
		labels := make([]string, len(h.Made))
		for i, topic := range h.Made {
			labels[i] = "“" + guide.TopicLabel(topic) + "”"
		}
		text = append(text, "Made anew: "+strings.Join(labels, ", ")+".")
	}
	if h.Removed > 0 {
		text = append(text, counted(int64(h.Removed), "webhook was", "webhooks were")+" removed.")
	}
	return strings.Join(text, " ")
}

func (r *request) rotateSecret() error {
	return r.actOnAPI(func(store affiliate.Store) (string, error) {
		return "The webhooks have a new secret. The former ones count for another hour, so that nothing on its way " +
			"is lost.", r.d.App.RotateWebhookSecret(r.Request.Context(), store.ID)
	})
}

func (r *request) endAccess() error {
	return r.actOnAPI(func(store affiliate.Store) (string, error) {
		left, err := r.d.App.EndAccess(r.Request.Context(), store.ID)
		text := "The keys are forgotten, and our webhooks are removed from the store."
		if len(left) > 0 {
			text = fmt.Sprintf("The keys are forgotten. %s could not be removed; delete in the store's admin: %s.",
				counted(int64(len(left)), "webhook", "webhooks"), strings.Join(left, ", "))
		}
		if guide := r.d.App.Platforms.Guide(store.Platform); guide.Access != nil && guide.Access.Keys != "" {
			text += " Revoke the keys in the store, too: " + arrows(guide.Access.Keys) + "."
		}
		return text, err
	})
}
