package dashboard

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func orderRoutes() []route {
	return []route{
		{http.MethodGet, "/orders", signedIn, (*request).ordersPage},
		{http.MethodGet, "/orders.csv", signedIn, (*request).ordersCSV},
		{http.MethodGet, "/orders.xlsx", signedIn, (*request).ordersXLSX},
		{http.MethodGet, "/orders/:id", signedIn, (*request).orderPage},
		{http.MethodPost, "/orders/:id/decide", may(affiliate.MayApprove), (*request).decideOrder},
	}
}

// orderPage is everything about one order.
type orderPage struct {
	layout
	Order      orderLine
	Live       string
	StoreName  string
	StorePage  string
	InStore    string // address of the order in the store's admin; empty where there is none
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
	Keep    bool // it is in doubt, and may stay as it is
}

type ledgerEntryLine struct {
	Date, Kind, Amount, Payable string
	Negative                    bool
}

type orderDelivery struct {
	ID   string
	What string // it changed, for people

	Topic, Received, State, Note, Address string
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
	story, err := r.d.App.OrderStory(ctx, o.Order, rows)
	if err != nil {
		return err
	}
	guide := r.d.App.Platforms.Guide(store.Platform)
	for _, d := range slices.Backward(rows) {
		what := "Told us of the order"
		if d.State != storage.DeliveryDone {
			what = "Told us something"
		} else if told := story[d.ID]; told.After != nil {
			what = toldText(told)
		}
		p.Deliveries = append(p.Deliveries, orderDelivery{d.ID.String(), what, guide.TopicLabel(d.Topic),
			r.moment(d.ReceivedAt.Time), string(d.State), d.Note, "/deliveries/" + d.ID.String()})
	}
	if platform := r.d.App.Platforms.Of(store.Platform); platform != nil {
		p.InStore = platform.Guide().OrderPage(store, o.ExternalID)
	}
	return r.show("order.html", p)
}

// toldText says what a delivery changed, in words: "Paid", "20.00 USD refunded", "Nothing new".
func toldText(t app.Told) string {
	after := *t.After
	money := func(n int64) string { return moneyText(n, after.Currency) }
	status := string(after.Status)
	if t.Before == nil {
		text := sentenceCase(status) + ", " + money(after.Total) + " charged"
		if after.Refunded > 0 && after.Status != affiliate.Refunded {
			text += ", " + money(after.Refunded) + " refunded"
		}
		return text
	}
	before := *t.Before
	var parts []string
	if after.Status != before.Status {
		parts = append(parts, status)
	}
	switch back := after.Refunded - before.Refunded; {
	case back > 0:
		parts = append(parts, money(back)+" refunded")
	case back < 0:
		parts = append(parts, "a refund of "+money(-back)+" is gone")
	}
	if more := after.RefundPending - before.RefundPending; more > 0 {
		parts = append(parts, "a refund of "+money(more)+" is on its way")
	}
	if after.Total != before.Total {
		parts = append(parts, money(after.Total)+" charged in place of "+money(before.Total))
	}
	if len(parts) == 0 && after.Value != before.Value {
		parts = append(parts, "worth "+money(after.Value)+" in place of "+money(before.Value))
	}
	if !slices.Equal(after.Codes, before.Codes) {
		parts = append(parts, codesText(after.Codes))
	}
	if len(parts) == 0 {
		return "Nothing new"
	}
	return sentenceCase(strings.Join(parts, ", "))
}

func codesText(codes []string) string {
	if len(codes) == 0 {
		return "no code any more"
	}
	return "with " + strings.Join(codes, ", ")
}

// sentenceCase begins a text with a capital.
func sentenceCase(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
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
	c.Keep = mayKeep(c.ConversionItem)
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
		app.Undo: "The rejection is taken back.", app.Release: "The conversion is released.",
		app.Keep: "The credit stays as it is."}[d]
	return r.done(orderAddress(o.ID), notice)
}
