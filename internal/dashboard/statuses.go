package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func statusRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/stores/:store/statuses", change, (*request).statusesPage},
		{http.MethodPost, "/stores/:store/statuses", change, (*request).setStatuses},
	}
}

// statusForm is what statuses mean that plugins set on a store's orders, as it is or as it was chosen.
type statusForm struct {
	Address    string // where the form leads to
	Lines      []statusLine
	Meanings   []choice
	NewStatus  string
	NewMeaning string
	MayChange  bool
	Previewed  bool // what it would change stands beside it, with the button that saves
	Busy       bool // figures are being computed anew, so nothing can be decided now
	Errors     fieldErrors
}

type statusLine struct {
	storage.StoreStatus
	Chosen    string
	Title     string // what it means now, in words
	FirstSeen string
	Behind    string // address of the orders that have it now
}

// statusMeanings are what a status can mean.
var statusMeanings = []choice{{"", "Not decided"}, {string(affiliate.StorePaid), "Paid"},
	{string(affiliate.StorePending), "Pending"}, {string(affiliate.StoreCanceled), "Canceled"},
	{string(affiliate.StoreRefunded), "Refunded"}}

// statusForm reads the statuses of a store.
func (r *request) statusForm(store affiliate.Store) (f statusForm, err error) {
	f = statusForm{Address: storeAddress(store) + "/statuses", Meanings: statusMeanings,
		MayChange: r.may(affiliate.MayChangeCatalog)}
	list, err := r.d.App.DB.StoreStatuses(r.Request.Context(), store.ID)
	for _, s := range list {
		line := statusLine{StoreStatus: s, Chosen: string(s.Meaning), FirstSeen: r.date(s.FirstSeenAt.Time),
			Behind: ordersAddress("store", store.Slug, "custom_status", s.Status)}
		i := slices.IndexFunc(statusMeanings, func(c choice) bool { return c.Value == line.Chosen })
		line.Title = statusMeanings[max(0, i)].Title
		f.Lines = append(f.Lines, line)
	}
	return f, err
}

// ordersAddress is that of the orders of all time that fit some parameters, names and values by turns.
func ordersAddress(pairs ...string) string {
	q := url.Values{"period": {string(affiliate.PeriodAllTime)}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return "/orders?" + q.Encode()
}

// choose takes over what was chosen, and gives what that changes.
func (f *statusForm) choose(values url.Values) (app.StatusMeanings, error) {
	statuses, meanings, changes := values["status"], values["meaning"], app.StatusMeanings{}
	for i, status := range statuses[:min(len(statuses), len(meanings))] {
		j := slices.IndexFunc(f.Lines, func(l statusLine) bool { return l.Status == status })
		if j < 0 {
			continue
		}
		f.Lines[j].Chosen = meanings[i]
		if meanings[i] != string(f.Lines[j].Meaning) {
			changes[status] = affiliate.StoreStatus(meanings[i])
		}
	}
	f.NewStatus, f.NewMeaning = strings.TrimSpace(values.Get("new_status")), values.Get("new_meaning")
	switch {
	case f.NewStatus != "" && f.NewMeaning == "":
		return nil, affiliate.FieldErrorf("new_meaning", "say what %s means", f.NewStatus)
	case f.NewStatus == "" && f.NewMeaning != "":
		return nil, affiliate.FieldErrorf("new_status", "write the status, as the store calls it")
	case f.NewStatus != "":
		changes[f.NewStatus] = affiliate.StoreStatus(f.NewMeaning)
	}
	return changes, nil
}

// statusesPage shows what a decision would change, before it is made.
type statusesPage struct {
	layout
	Store   affiliate.Store
	Address string // of the store's page
	Form    statusForm
	Preview *statusPreview
}

// statusPreview is what a decision would change, in words and figures.
type statusPreview struct {
	app.RulesPreview
	Sentences []string
	Lines     []orderMoveLine
	More      int // orders that are not listed
}

type orderMoveLine struct {
	Address, Number, Custom string
	From, To                affiliate.OrderStatus
	Before, After           int64 // values, minor units of Currency
	Currency                money.Currency
}

func (r *request) statusesPage() error {
	return r.showStatuses(http.StatusOK, r.Request.URL.Query(), nil)
}

// showStatuses shows the form as it was chosen, with what the choice would change.
func (r *request) showStatuses(status int, chosen url.Values, errs fieldErrors) error {
	store, err := r.store()
	if err != nil {
		return err
	}
	page := statusesPage{layout: r.layout("Statuses set by plugins in "+store.Name, "stores"), Store: store,
		Address: storeAddress(store)}
	if page.Form, err = r.statusForm(store); err != nil {
		return err
	}
	page.Form.Busy, page.Form.Errors = page.Recalculation != nil, errs
	changes, err := page.Form.choose(chosen)
	if err == nil && errs == nil && (len(changes) > 0 || chosen.Has("status")) {
		page.Preview, err = r.previewStatuses(store, changes)
	}
	if err != nil {
		if page.Form.Errors, err = formErrors(err); err != nil {
			return err
		}
		status = http.StatusUnprocessableEntity
	}
	page.Form.Previewed = page.Preview != nil
	r.render(status, "statuses.html", &page)
	return nil
}

func (r *request) previewStatuses(store affiliate.Store, changes app.StatusMeanings) (*statusPreview, error) {
	p := &statusPreview{}
	if len(changes) == 0 {
		return p, nil
	}
	var err error
	if p.RulesPreview, err = r.d.App.PreviewStatuses(r.Request.Context(), store.ID, changes); err != nil {
		return nil, err
	}
	for _, m := range p.Moves {
		p.Sentences = append(p.Sentences, m.Sentence(moneyText))
	}
	for _, m := range p.Orders {
		o := m.Before
		p.Lines = append(p.Lines, orderMoveLine{Address: orderAddress(o.ID), Number: cmp.Or(o.Number, o.ExternalID),
			Custom: o.CustomStatus, From: o.Status, To: m.Status, Before: o.Value, After: m.Value,
			Currency: o.Currency})
	}
	p.More = p.Changed - len(p.Lines)
	return p, nil
}

// setStatuses decides what the form says.
func (r *request) setStatuses() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	form, err := r.statusForm(store)
	if err != nil {
		return err
	}
	if err := r.Request.ParseForm(); err != nil {
		return affiliate.Errorf(affiliate.Invalid, "the form cannot be read")
	}
	changes, err := form.choose(r.Request.PostForm)
	if err == nil && len(changes) > 0 {
		_, err = r.d.App.SetStatuses(r.Request.Context(), store.ID, changes)
	}
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showStatuses(http.StatusUnprocessableEntity, r.Request.PostForm, errs)
	}
	notice := "It is decided. The orders concerned are judged again."
	if len(changes) == 0 {
		notice = "Nothing was to be decided differently."
	}
	return r.done(storeAddress(store)+"#statuses", notice)
}

// doubtTitles are what pages call the doubts.
var doubtTitles = map[affiliate.Doubt]string{affiliate.DoubtSameSecond: "Two versions of one second",
	affiliate.DoubtRefund: "Refund without rows", affiliate.DoubtRounded: "Rounded amounts",
	affiliate.DoubtDeletion: "Deleted again or not", affiliate.DoubtEdited: "Edited since"}

// doubtLine is a doubt as pages show it.
type doubtLine struct {
	Title    string
	Sentence string
	Orders   int64
	Behind   string // address of the orders in this doubt
}

func doubtLineOf(d affiliate.Doubt) doubtLine {
	return doubtLine{Title: cmp.Or(doubtTitles[d], string(d)), Sentence: d.Sentence()}
}

// storeDoubts are what the deliveries of a store leave open.
type storeDoubts struct {
	Orders  int64
	Behind  string // address of all orders in doubt
	Kinds   []doubtLine
	Settled string
}

func (r *request) storeDoubts(store affiliate.Store) (storeDoubts, error) {
	all, err := r.d.doubts.Get(r.Request.Context(),
		func(ctx context.Context) (map[affiliate.StoreID]storage.DoubtCount, error) {
			return r.d.App.DB.DoubtCounts(ctx, 0)
		})
	c := all[store.ID]
	show := []string{"store", store.Slug, "show", string(storage.ShowDoubtful)}
	s := storeDoubts{Orders: c.Orders, Behind: ordersAddress(show...), Settled: app.DoubtsSettled}
	for _, d := range affiliate.Words[affiliate.Doubt]() {
		if c.By[d] > 0 {
			line := doubtLineOf(d)
			line.Orders, line.Behind = c.By[d], ordersAddress(append(show, "doubt", string(d))...)
			s.Kinds = append(s.Kinds, line)
		}
	}
	return s, err
}
