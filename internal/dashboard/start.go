package dashboard

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func startRoutes() []route {
	return []route{{http.MethodGet, "/start", signedIn, (*request).startPage}}
}

// startStep is one step from a fresh installation to the first credited order.
type startStep struct {
	Key     string // brand, store, delivery, campaign, creators, order
	Title   string
	Address string // of the page where it is taken; empty where the store takes it
	Action  string // what the link there says
	Done    bool
	Current bool // the first that is not done
}

// onboarding gives the steps and whether all of them are taken. It costs one small query, more only until the first
// order is credited.
func (r *request) onboarding() (steps []startStep, done bool, err error) {
	p, err := r.d.App.DB.Progress(r.Request.Context())
	if err != nil {
		return nil, false, err
	}
	seen := p.Credited
	if !seen && p.Owned && p.Deliveries {
		if seen, err = r.recognized(); err != nil {
			return nil, false, err
		}
	}
	named := r.settings.Name != affiliate.DefaultSettings().Name
	steps = []startStep{
		{Key: "brand", Title: "Name your brand, its currency and time zone", Address: "/start",
			Done: named || p.Stores},
		{Key: "store", Title: "Connect a store", Address: "/stores/new", Action: "Connect a store", Done: p.Stores},
		{Key: "delivery", Title: "See its first delivery", Done: p.Deliveries},
		{Key: "campaign", Title: "Make a campaign", Address: "/campaigns/new", Action: "Make a campaign",
			Done: p.Campaigns},
		{Key: "creators", Title: "Add creators and their codes", Address: "/creators/import?to=/start",
			Action: "Add creators", Done: p.Owned},
		{Key: "order", Title: "See a test order arrive", Done: seen},
	}
	done = true
	for i := range steps {
		steps[i].Current = done && !steps[i].Done
		done = done && steps[i].Done
	}
	return steps, done, nil
}

// lastOrders is how many of the newest orders are looked at for a test order.
const lastOrders = 10

// recognized says whether one of the newest orders carries somebody's code or link, though it is not credited: test
// orders of the stores' own test modes never are.
func (r *request) recognized() (bool, error) {
	orders, _, err := r.d.App.DB.ListOrders(r.Request.Context(), storage.OrderFilter{}, storage.Page{Limit: lastOrders})
	if err != nil {
		return false, err
	}
	for _, o := range orders {
		trace, err := r.trace(o)
		if err != nil {
			return false, err
		}
		if trace.Reason != affiliate.ReasonTest {
			continue
		}
		for _, c := range trace.Candidates {
			if c.Owner != nil {
				return true, nil
			}
		}
	}
	return false, nil
}

// trace reads the explanation of an order.
func (r *request) trace(o storage.OrderRow) (t affiliate.Trace, err error) {
	found, err := r.d.App.DB.FindOrder(r.Request.Context(), o.Store, o.ExternalID)
	if err != nil || found.Trace == "" {
		return t, err
	}
	return t, json.Unmarshal([]byte(found.Trace), &t)
}

type startPage struct {
	layout
	Platforms string // that a store can be of
	Steps     []startStep
	Done      bool
	Taken     int
	Stores    []storeHealth // that are connected
	Code      string        // that a test order may carry
	CodeOwner string
	CodeStore string
	Order     *startOrder // the newest
	MayChange bool
	MayOwn    bool

	Usual      usualAccount // what the brand's form begins with
	Currencies []string
	Zones      []string
}

// usualAccount is what most accounts have whose owner's browser has such languages.
type usualAccount struct{ Name, Currency, Zone string }

// startOrder is the newest order with its explanation.
type startOrder struct {
	storage.OrderRow
	Address   string
	Name      string
	Placed    string
	Credited  bool
	Sentences []string
}

func (r *request) startPage() error {
	ctx := r.Request.Context()
	page := startPage{layout: r.layout("Get started", "home"), Platforms: r.d.App.Platforms.Names(app.AnyPlatform),
		MayChange: r.may(affiliate.MayChangeCatalog), MayOwn: r.may(affiliate.MayAdminister),
		Currencies: usualCurrencies, Zones: usualZones,
		Usual: usualAccount{Currency: cmp.Or(currencyFor(r.GetHeader("Accept-Language")),
			r.settings.Currency.Code()), Zone: r.settings.Timezone}}
	var err error
	if page.Steps, page.Done, err = r.onboarding(); err != nil {
		return err
	}
	for _, s := range page.Steps {
		if s.Done {
			page.Taken++
		}
	}
	stores, _, err := r.d.App.DB.Stores(ctx, storage.Page{})
	if err != nil {
		return err
	}
	all, err := r.health(stores, 0)
	if err != nil {
		return err
	}
	for _, h := range all {
		if !h.Ended() {
			page.Stores = append(page.Stores, h)
		}
	}
	if err := r.suggestCode(&page); err != nil {
		return err
	}
	orders, _, err := r.d.App.DB.ListOrders(ctx, storage.OrderFilter{}, storage.Page{Limit: 1})
	if err != nil {
		return err
	}
	for _, o := range orders {
		trace, err := r.trace(o)
		if err != nil {
			return err
		}
		page.Order = &startOrder{OrderRow: o, Address: "/orders/" + o.ID.String(), Name: cmp.Or(o.Number, o.ExternalID),
			Placed: r.moment(o.PlacedAt.Time), Credited: o.Conversion != nil, Sentences: trace.Sentences()}
	}
	return r.show("start.html", &page)
}

// suggestCode finds a code for a test order.
func (r *request) suggestCode(p *startPage) error {
	ctx := r.Request.Context()
	codes, _, err := r.d.App.DB.Codes(ctx, storage.CodeFilter{}, storage.Page{Limit: lastOrders})
	if err != nil {
		return err
	}
	for _, c := range codes {
		if !c.OwnedAt(r.d.App.Now()) {
			continue
		}
		owner, err := r.d.App.DB.OwnerName(ctx, c.OfferMemberID)
		if err != nil {
			return err
		}
		store, err := r.d.App.DB.Store(ctx, c.StoreID)
		if err != nil {
			return err
		}
		p.Code, p.CodeOwner, p.CodeStore = c.Code, owner.Creator, store.Name
		return nil
	}
	return nil
}
