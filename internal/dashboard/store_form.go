package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

// storeForm is what people say of a store.
type storeForm struct {
	layout
	Store      affiliate.Store // that is changed; zero for a new one
	Platform   string
	Name       string
	Domain     string
	Currency   string
	Timezone   string
	Parts      string
	PartsRules []choice // to choose from; none for a platform whose orders have no parent
	Secret     string
	Version    int
	Hints      platformHints      // of the store's platform
	Platforms  []*affiliate.Guide // to choose from
	Access     *accessForm        // of a new store; nil where no API is asked
	Any        string             // where webhooks of the platform are sent that have no store yet
	Errors     fieldErrors
	MayOwn     bool
	Currencies []string
	Zones      []string
}

func (r *request) newStorePage() error {
	page := r.newStoreForm(affiliate.Platform(r.Query("platform")))
	return r.show("store_form.html", &page)
}

// newStoreForm is the form for a store of a platform; of the first one, unless people choose.
func (r *request) newStoreForm(platform affiliate.Platform) storeForm {
	guides := r.d.App.Platforms.Guides()
	guide := guides[0]
	if i := slices.IndexFunc(guides, func(g *affiliate.Guide) bool { return g.Platform == platform }); i >= 0 {
		guide = guides[i]
	}
	f := r.storeForm("Connect a store", guide)
	f.Platforms, f.Access = guides, r.accessForm(guide, "/stores/connect/keys", "/stores/connect")
	if f.Access != nil {
		f.Access.New = true
	}
	if keys, ok := r.d.DemoKeys[guide.Platform]; ok && f.Access != nil {
		f.Access.demo(keys)
	}
	f.Currency, f.Timezone = r.settings.Currency.Code(), r.settings.Timezone
	return f
}

func (r *request) storeForm(title string, guide *affiliate.Guide) storeForm {
	return storeForm{layout: r.layout(title, "stores"), Platform: string(guide.Platform), Hints: hintsOf(guide),
		Any:    strings.TrimSuffix(r.d.App.PublicURL, "/") + "/webhooks/" + string(guide.Platform),
		MayOwn: r.may(affiliate.MayAdminister), Currencies: usualCurrencies, Zones: usualZones}
}

// changeForm is the form for a store there is, whose platform stays.
func (r *request) changeForm(store affiliate.Store) storeForm {
	guide := r.d.App.Platforms.Guide(store.Platform)
	form := r.storeForm("Change "+store.Name, guide)
	form.Store = store
	if guide.Parents {
		form.PartsRules = partsRules
	}
	return form
}

// partsRules are what orders with a parent can be.
var partsRules = []choice{{string(affiliate.PartsDecide), "Decide by the plugin that made them"},
	{string(affiliate.PartsAlways), "Always parts of their parent"},
	{string(affiliate.PartsNever), "Always orders of their own"}}

// Suggestions for fields that take any currency and any zone.
var (
	usualCurrencies = []string{"USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK",
		"JPY", "KRW", "SGD", "HKD", "INR", "BRL", "MXN", "TRY", "ZAR", "AED", "ILS"}
	usualZones = []string{"UTC", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Berlin", "Europe/Paris",
		"Europe/Madrid", "Europe/Rome", "Europe/Amsterdam", "Europe/Zurich", "Europe/Vienna", "Europe/Stockholm",
		"Europe/Warsaw", "Europe/Helsinki", "Europe/Athens", "Europe/Istanbul", "America/New_York", "America/Chicago",
		"America/Denver", "America/Los_Angeles", "America/Toronto", "America/Mexico_City", "America/Sao_Paulo",
		"Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Tokyo",
		"Asia/Seoul", "Australia/Sydney", "Pacific/Auckland"}
)

// readStoreForm takes over what was typed, to be shown again when something is wrong with it.
func (r *request) readStoreForm(f *storeForm) {
	f.Name, f.Domain, f.Currency, f.Timezone, f.Parts, f.Secret = r.field("name"), r.field("domain"),
		r.field("currency"), r.field("timezone"), r.field("parts"), r.field("webhook_secret")
	f.Version, _ = strconv.Atoi(r.field("version")) // 0 means any version
}

func (r *request) addStore() error {
	platform := affiliate.Platform(r.field("platform"))
	page := r.newStoreForm(platform)
	r.readStoreForm(&page)
	added, err := r.connect(app.NewStore{Platform: platform, Name: page.Name,
		Domain: page.Domain, Currency: page.Currency, Timezone: page.Timezone, Secret: page.Secret})
	if err != nil {
		if page.Errors, err = formErrors(err); err != nil {
			return err
		}
		r.render(http.StatusUnprocessableEntity, "store_form.html", &page)
		return nil
	}
	if added.Secret != "" {
		r.keepSecret(added.ID, added.Secret)
	}
	return r.done(storeAddress(added.Store), added.Name+" is connected. Now tell the store where to send its orders.")
}

// connect adds a store under a slug made from its name, with a number behind it where that is taken. People never
// choose one: it only stands in the delivery URL, which they copy.
func (r *request) connect(in app.NewStore) (added app.AddedStore, err error) {
	const most = 100
	base := strings.Trim(strings.ReplaceAll(affiliate.SlugFrom(in.Name), "_", "-"), "-")
	if base == "" {
		base = "store"
	}
	for n := 1; n <= most; n++ {
		in.Slug = affiliate.NumberedSlug(base, n)
		added, err = r.d.App.AddStore(r.Request.Context(), in)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Kind != affiliate.Conflict || e.Field != "slug" {
			return added, err
		}
	}
	return added, affiliate.FieldErrorf("name", "%d stores are called so; choose another name", most)
}

func (r *request) editStorePage() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	page := r.changeForm(store)
	page.Name, page.Domain, page.Currency = store.Name, store.Domain, store.Currency.Code()
	page.Timezone, page.Parts, page.Version = store.Timezone, string(store.Parts), store.Version
	return r.show("store_form.html", &page)
}

func (r *request) editStore() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	page := r.changeForm(store)
	r.readStoreForm(&page)
	changed, err := r.d.App.ChangeStore(r.Request.Context(), store.ID, page.Version,
		func(s *affiliate.Store) (err error) {
			s.Name, s.Timezone = page.Name, page.Timezone
			if page.PartsRules != nil {
				s.Parts = affiliate.PartsRule(page.Parts)
			}
			if s.Domain, err = r.d.App.Platforms.Guide(s.Platform).StoreDomain(page.Domain); err != nil {
				return err
			}
			if s.Currency, err = money.ParseCurrency(page.Currency); err != nil {
				return affiliate.FieldErrorf("currency", "%v", err)
			}
			return nil
		})
	if err == nil {
		return r.done(storeAddress(changed), fmt.Sprintf("%s is changed.", changed.Name))
	}
	if page.Errors, err = formErrors(err); err != nil {
		return err
	}
	r.render(http.StatusUnprocessableEntity, "store_form.html", &page)
	return nil
}
