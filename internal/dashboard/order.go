package dashboard

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/storage"
)

func orderRoutes() []route {
	return []route{
		{http.MethodGet, "/orders", signedIn, (*request).ordersPage},
		{http.MethodGet, "/orders/:id", signedIn, (*request).orderPage},
		{http.MethodPost, "/orders/:id/decide", may(affiliate.MayApprove), (*request).decideOrder},
	}
}

// ordersPage lists the orders of all stores, credited or not.
type ordersPage struct {
	layout
	Period   periodChoice
	Filter   storage.OrderFilter
	Statuses []choice
	Shows    []choice
	Doubts   []choice // only while those in doubt are shown
	Customs  []string // all statuses of plugins that were seen
	Stores   []choice
	Rows     []orderLine
	Pager    pager
	Nothing  bool // no order has come at all
}

// orderLine is an order as the table shows it.
type orderLine struct {
	storage.OrderRow
	Address  string
	Date     string
	Partly   bool
	Reason   string // why nobody is credited, in words
	Profile  string // address of the creator
	Campaign string // address
	Rejected bool
	Doubts   []doubtLine
	Parent   *orderParent // nil for most
}

// orderParent is the order that another one belongs to.
type orderParent struct {
	Number  string
	Address string // empty while no delivery has described it
}

func orderShows() []choice {
	return []choice{{"", "All orders"}, {string(storage.ShowCredited), "With a creator"},
		{string(storage.ShowUncredited), "Without a creator"}, {string(storage.ShowHeld), "Held for review"},
		{string(storage.ShowAmbiguous), "With several creators' codes"}, {string(storage.ShowUnconverted),
			"Waiting for an exchange rate"}, {string(storage.ShowUnlisted), "In a currency that is never converted"},
		{string(storage.ShowDoubtful), "In doubt"}, {string(storage.ShowParts), "Parts of orders"},
		{string(storage.ShowTest), "Test orders"}}
}

func orderAddress(id affiliate.OrderID) string { return "/orders/" + id.String() }

func (r *request) ordersPage() error {
	ctx := r.Request.Context()
	p := &ordersPage{layout: r.layout("Orders", "orders"), Statuses: statusChoices(), Shows: orderShows()}
	var err error
	if p.Period, err = r.period(); err != nil {
		return err
	}
	values := r.Request.URL.Query()
	doubtful := values.Get("show") == string(storage.ShowDoubtful)
	if !doubtful {
		values.Del("doubt") // left over from another choice
	}
	q := filters.New(ctx, r.d.App.DB, values, r.zone)
	f := q.Orders()
	f.From, f.To = p.Period.Range.Start(), p.Period.Range.End()
	if err := q.Err(); err != nil {
		return err
	}
	if doubtful {
		for _, d := range affiliate.Words[affiliate.Doubt]() {
			p.Doubts = append(p.Doubts, choice{string(d), doubtLineOf(d).Title})
		}
	}
	p.Filter = f
	if p.Customs, err = r.d.App.DB.SeenStatuses(ctx, f.Store); err != nil {
		return err
	}
	if f.Custom != "" && !slices.Contains(p.Customs, f.Custom) {
		p.Customs = append(p.Customs, f.Custom)
	}
	rows, next, err := r.d.App.DB.ListOrders(ctx, f, r.page())
	if err != nil {
		return err
	}
	if p.Rows, err = r.orderLines(rows); err != nil {
		return err
	}
	p.Pager = r.pager(next)
	stores, _, err := r.d.App.DB.Stores(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	for _, s := range stores {
		p.Stores = append(p.Stores, choice{s.Slug, s.Name})
	}
	if len(rows) == 0 {
		progress, err := r.d.App.DB.Progress(ctx)
		if err != nil {
			return err
		}
		p.Nothing = !progress.Deliveries
	}
	return r.show("orders.html", p)
}

// orderLines writes orders for people, with the orders that they belong to.
func (r *request) orderLines(rows []storage.OrderRow) ([]orderLine, error) {
	var keys []storage.OrderKey
	for _, o := range rows {
		if o.Parent != "" {
			keys = append(keys, storage.OrderKey{StoreID: o.StoreID, ExternalID: o.Parent})
		}
	}
	parents, err := r.d.App.DB.Orders(r.Request.Context(), keys)
	lines := make([]orderLine, len(rows))
	for i, o := range rows {
		lines[i] = r.orderLine(o)
		if o.Parent == "" {
			continue
		}
		lines[i].Parent = &orderParent{Number: o.Parent}
		p := parents[storage.OrderKey{StoreID: o.StoreID, ExternalID: o.Parent}]
		if !p.PlacedAt.IsZero() { // a delivery has described it
			lines[i].Parent = &orderParent{Number: cmp.Or(p.Number, p.ExternalID), Address: orderAddress(p.ID)}
		}
	}
	return lines, err
}

func (r *request) orderLine(o storage.OrderRow) orderLine {
	l := orderLine{OrderRow: o, Address: orderAddress(o.ID), Date: r.moment(o.PlacedAt.Time),
		Partly: o.Status == affiliate.Paid && o.Refunded > 0}
	if l.Number == "" {
		l.Number = o.ExternalID
	}
	if o.NotCredited != nil {
		l.Reason = affiliate.ReasonTitle(*o.NotCredited)
	}
	for _, d := range o.DoubtList() {
		l.Doubts = append(l.Doubts, doubtLineOf(d))
	}
	if c := o.Conversion; c != nil {
		l.Profile, l.Campaign, l.Rejected = "/creators/"+c.CreatorID.String(), campaignAddress(c.CampaignID),
			c.Approval == affiliate.Rejected
	}
	return l
}

// orderPage is everything about one order.
type orderPage struct {
	layout
	Order      orderLine
	Live       string
	StoreName  string
	StorePage  string
	Updated    string
	Amounts    []fact
	Sentences  []string
	Conversion *orderConversion
	Custom     *customStatus // nil where the store's word is its own
	Parts      []orderLine   // orders that belong to this one
	Settled    string        // what settles doubts
	Entries    []ledgerEntryLine
	Deliveries []orderDelivery
	MayDecide  bool
	MaySee     bool // raw deliveries
}

// customStatus is a status that a plugin set, and what it is taken for.
type customStatus struct {
	Word, Meaning, Why string
	Statuses           string // address of the store's statuses
}

type fact struct{ Name, Value, About string }

// orderConversion is the credit of an order for people.
type orderConversion struct {
	storage.ConversionItem
	Rule    string
	Account string // the commission in the account's currency, where that is another
	Rate    string
	Decided string
	Undo    bool
	Release bool
}

type ledgerEntryLine struct {
	Date, Kind, Amount, Payable string
	Negative                    bool
}

type orderDelivery struct {
	ID, Topic, Received, State, Note, Address string
}

// order reads the order of the path.
func (r *request) order() (storage.OrderRow, error) {
	id, err := idParam[affiliate.OrderID](r, "id", "ord_")
	if err != nil {
		return storage.OrderRow{}, err
	}
	return r.d.App.DB.OrderByID(r.Request.Context(), id)
}

func (r *request) orderPage() error {
	ctx := r.Request.Context()
	o, err := r.order()
	if err != nil {
		return err
	}
	lines, err := r.orderLines([]storage.OrderRow{o})
	if err != nil {
		return err
	}
	line := lines[0]
	p := &orderPage{layout: r.layout("Order "+line.Number, "orders"), Order: line, Live: o.ID.String(),
		Updated: r.moment(o.UpdatedAt.Time), MayDecide: r.may(affiliate.MayApprove),
		MaySee: r.may(affiliate.MayAdminister), Settled: app.DoubtsSettled}
	store, err := r.d.App.DB.StoreBySlug(ctx, o.Store)
	if err != nil {
		return err
	}
	p.StoreName, p.StorePage = store.Name, "/stores/"+store.ID.String()
	p.Amounts = orderAmounts(o)
	if p.Custom, err = r.customStatus(o.Order, p.StorePage); err != nil {
		return err
	}
	parts, err := r.d.App.DB.OrderParts(ctx, o.StoreID, o.ExternalID)
	if err != nil {
		return err
	}
	for _, part := range parts {
		p.Parts = append(p.Parts, r.orderLine(part))
	}
	var trace affiliate.Trace
	if o.Trace != "" {
		if err := json.Unmarshal([]byte(o.Trace), &trace); err != nil {
			return err
		}
	}
	p.Sentences = trace.Sentences()
	if err := r.readConversion(p, o); err != nil {
		return err
	}
	rows, _, err := r.d.App.DB.ListDeliveries(ctx, storage.DeliveryFilter{Store: o.Store,
		Orders: []string{o.ExternalID}}, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(rows) {
		p.Deliveries = append(p.Deliveries, orderDelivery{d.ID.String(), d.Topic, r.moment(d.ReceivedAt.Time),
			string(d.State), d.Note, "/deliveries/" + d.ID.String()})
	}
	return r.show("order.html", p)
}

// customStatus says what the status of an order is taken for that a plugin set; nil where none did.
func (r *request) customStatus(o storage.Order, store string) (*customStatus, error) {
	if o.CustomStatus == "" {
		return nil, nil
	}
	rules, err := r.d.App.DB.StoreRules(r.Request.Context(), []affiliate.StoreID{o.StoreID})
	if err != nil {
		return nil, err
	}
	var state affiliate.OrderState
	if err := json.Unmarshal([]byte(o.State), &state); err != nil {
		return nil, err
	}
	status, why, known := state.Says(rules[o.StoreID].OrderRules)
	if !known {
		return nil, nil
	}
	if status == affiliate.StoreFailed {
		status = affiliate.StoreCanceled
	}
	return &customStatus{Word: o.CustomStatus, Meaning: string(status), Why: why, Statuses: store + "#statuses"}, nil
}

// orderAmounts says how an order's value came about.
func orderAmounts(o storage.OrderRow) []fact {
	amount := func(n int64) string { return moneyText(n, o.Currency) }
	facts := []fact{{"Merchandise as sold", amount(o.OriginalValue), "Without tax, shipping and discounts."}}
	if o.Value != o.OriginalValue {
		why := "Went back, or the order was changed."
		if o.Status == affiliate.Canceled || o.Status == affiliate.Refunded {
			why = "A " + string(o.Status) + " order is worth nothing."
		}
		facts = append(facts, fact{"Less", amount(o.Value - o.OriginalValue), why})
	}
	facts = append(facts, fact{"Value", amount(o.Value), "What commissions are reckoned from."},
		fact{"Charged to the customer", amount(o.Total), "With tax and shipping."})
	if o.Refunded != 0 {
		facts = append(facts, fact{"Refunded", amount(o.Refunded), "Money that has gone back."})
	}
	if o.RefundPending != 0 {
		facts = append(facts, fact{"Refund on its way", amount(o.RefundPending), "It counts once the money has moved."})
	}
	return facts
}

func (r *request) readConversion(p *orderPage, o storage.OrderRow) error {
	if o.Conversion == nil {
		return nil
	}
	c := &orderConversion{ConversionItem: *o.Conversion, Rule: commissionText(o.Conversion.Rule(), o.Currency)}
	if c.AccountCurrency != c.Currency && c.AccountCommission != nil {
		c.Account = moneyText(*c.AccountCommission, c.AccountCurrency)
		c.Rate = *c.Conversion.Rate + " " + c.AccountCurrency.Code() + " per " + c.Currency.Code() +
			", rate of " + *c.RateDate
	}
	a := c.Approvals()
	c.Decided, c.Undo, c.Release = r.decided(a), a.Approval == affiliate.Rejected, a.Approval == affiliate.Held
	p.Conversion = c
	entries, err := r.d.App.DB.LedgerOf(r.Request.Context(), c.ID)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, ledgerEntryLine{r.moment(e.CreatedAt), e.Title(),
			moneyText(e.Amount, e.Currency), r.date(e.PayableAt), e.Amount < 0})
	}
	return nil
}

func (r *request) decideOrder() error {
	o, err := r.order()
	if err != nil {
		return err
	}
	if o.Conversion == nil {
		return affiliate.Errorf(affiliate.Conflict, "this order is credited to nobody")
	}
	d := app.Decision(r.field("decision"))
	if _, err := r.d.App.Decide(r.Request.Context(), []affiliate.ConversionID{o.Conversion.ID}, d,
		r.field("reason")); err != nil {
		return err
	}
	notice := map[app.Decision]string{app.Reject: "The conversion is rejected.",
		app.Undo: "The rejection is taken back.", app.Release: "The conversion is released."}[d]
	return r.done(orderAddress(o.ID), notice)
}
