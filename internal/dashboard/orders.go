package dashboard

import (
	"cmp"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/storage"
)

// ordersPage lists the orders of all stores, credited or not.
type ordersPage struct {
	layout
	Period     periodChoice
	Filter     storage.OrderFilter
	Statuses   []choice
	Shows      []choice
	Doubts     []choice // only while those in doubt are shown
	Customs    []choice // all statuses of plugins that were seen
	Stores     []choice
	Campaigns  []choice
	Campaign   string // the one that is chosen
	Currencies []choice
	Chosen     []filterChip
	Sort       []hiddenField // kept by the form
	More       int           // how many of the fields are set that are folded away
	Columns    []column
	Wide       bool // more columns than the usual ones
	Rows       []orderLine
	Feet       []orderFoot
	Listed     int64 // on all pages
	Aside      int64 // of these: those that are in no sum
	Pager      pager
	Tools      tableTools
	Nothing    bool // no order has come at all
}

// orderFoot is one line under the table of orders: the sums in one currency.
type orderFoot struct {
	Label string
	Span  int // how many columns the label is under: all before the first amount
	Cells []footCell
}

// orderLine is an order as the table shows it.
type orderLine struct {
	storage.OrderRow
	Address  string
	Date     string // with the time
	Day      string // of Date
	Time     string // of Date
	Partly   bool
	Reason   string // why nobody is credited, in words
	Profile  string // address of the creator
	Campaign string // address
	Rejected bool
	Doubts   []doubtLine
	Parent   *orderParent // nil for most
	// Words that have columns of their own, which the table does not show.
	StoreSub, CampaignSub, OriginalSub, RefundedSub string
	CodesSub                                        bool
}

// subs puts what has no column of its own under what has.
func (l *orderLine) subs(shows map[string]bool) {
	if !shows["store"] {
		l.StoreSub = l.Store
	}
	if l.Conversion != nil {
		l.CampaignSub = l.Conversion.Evidence
		if !shows["campaign"] {
			l.CampaignSub += " · " + l.Conversion.Campaign
		}
	}
	if !shows["original_value"] && l.OriginalValue != l.Value {
		l.OriginalSub = "of " + amount(l.OriginalValue, l.Currency)
	}
	if !shows["refunded"] && l.Refunded != 0 {
		l.RefundedSub = "−" + amount(l.Refunded, l.Currency)
	}
	l.CodesSub = !shows["codes"]
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
	p := &ordersPage{layout: r.layout("Orders", "orders"), Statuses: statusChoices(), Shows: orderShows()}
	var err error
	if p.Period, p.Filter, err = r.orderSearch(); err != nil {
		return err
	}
	if p.Columns, err = r.columns("orders"); err != nil {
		return err
	}
	p.Wide = slices.ContainsFunc(p.Columns, func(c column) bool { return c.Extra && c.Shown })
	part := r.Query("part")
	if part != partOrders {
		if err := r.sumOrders(p); err != nil {
			return err
		}
	}
	if part != partOrderSums {
		if err := r.listOrders(p); err != nil {
			return err
		}
	}
	if part == "" {
		if err := r.readOrderChoices(p); err != nil {
			return err
		}
	}
	return r.show("orders.html", p)
}

// Parts of the page that follow what happens: a page of orders, and what all that match add up to.
const (
	partOrders    = "orders"
	partOrderSums = "order-sums"
)

// listOrders reads a page of orders.
func (r *request) listOrders(p *ordersPage) error {
	ctx := r.Request.Context()
	sort := string(p.Filter.Sort)
	if sort == "" {
		sort = "-date"
	}
	r.sortable(p.Columns, sort)
	rows, next, err := r.d.App.DB.ListOrders(ctx, p.Filter, r.page())
	if err != nil {
		return err
	}
	if p.Rows, err = r.orderLines(rows); err != nil {
		return err
	}
	shows := shown(p.Columns)
	for i := range p.Rows {
		p.Rows[i].subs(shows)
	}
	p.Pager, p.Tools = r.pager(next), r.tools("orders", p.Columns, "/orders")
	if len(rows) == 0 {
		progress, err := r.d.App.DB.Progress(ctx)
		if err != nil {
			return err
		}
		p.Nothing = !progress.Deliveries
	}
	return nil
}

// orderSearch reads the address.
func (r *request) orderSearch() (period periodChoice, f storage.OrderFilter, err error) {
	if period, err = r.period(); err != nil {
		return period, f, err
	}
	values := r.Request.URL.Query()
	if values.Get("show") != string(storage.ShowDoubtful) {
		values.Del("doubt") // left over from another choice
	}
	q := filters.New(r.Request.Context(), r.d.App.DB, values, r.zone)
	f = q.Orders()
	f.From, f.To = period.Range.Start(), period.Range.End()
	return period, f, q.Err()
}

// readOrderChoices reads what the form of filters offers.
func (r *request) readOrderChoices(p *ordersPage) (err error) {
	f := p.Filter
	if f.Show == storage.ShowDoubtful {
		for _, d := range affiliate.Words[affiliate.Doubt]() {
			p.Doubts = append(p.Doubts, choice{string(d), doubtLineOf(d).Title})
		}
	}
	customs, err := r.d.App.DB.SeenStatuses(r.Request.Context(), f.Store)
	if err != nil {
		return err
	}
	if f.Custom != "" && !slices.Contains(customs, f.Custom) {
		customs = append(customs, f.Custom)
	}
	for _, word := range customs {
		p.Customs = append(p.Customs, choice{word, word})
	}
	if p.Campaigns, err = r.campaignChoicesWith(f.Campaign); err != nil {
		return err
	}
	if f.Campaign != 0 {
		p.Campaign = f.Campaign.String()
	}
	if p.Stores, p.Currencies, err = r.storeChoices(f.Currency); err != nil {
		return err
	}
	for _, on := range []bool{f.Currency != "", f.Custom != "", f.Campaign != 0} {
		if on {
			p.More++
		}
	}
	p.Sort = r.carried("sort")
	p.Chosen, err = r.chosen(storage.ConversionFilter{Creator: f.Creator})
	return err
}

// sumOrders writes what all orders of the list add up to.
func (r *request) sumOrders(p *ordersPage) error {
	sums, err := r.d.App.DB.SumOrders(r.Request.Context(), p.Filter)
	if err != nil {
		return err
	}
	for _, s := range sums {
		p.Listed += s.Orders + s.Aside
		p.Aside += s.Aside
		amounts := map[string]int64{"value": s.Value, "original_value": s.Original, "total": s.Total,
			"refunded": s.Refunded, "commission": s.Commission}
		foot := orderFoot{Label: "Total of " + counted(s.Orders, "order", "orders")}
		for _, c := range p.Columns {
			if !c.Shown {
				continue
			}
			minor, sum := amounts[c.Name]
			switch {
			case sum:
				foot.Cells = append(foot.Cells, footCell{c.Title, moneyText(minor, s.Currency), true})
			case len(foot.Cells) > 0:
				foot.Cells = append(foot.Cells, footCell{Title: c.Title})
			default:
				foot.Span++
			}
		}
		p.Feet = append(p.Feet, foot)
	}
	return nil
}

func (r *request) ordersCSV() error  { return r.sendOrders(export.CSV) }
func (r *request) ordersXLSX() error { return r.sendOrders(export.XLSX) }

// sendOrders sends the orders as the address narrows and sorts them.
func (r *request) sendOrders(format export.Format) error {
	period, f, err := r.orderSearch()
	if err != nil {
		return err
	}
	words := []string{"orders"}
	if f.Store != "" {
		words = append(words, f.Store)
	}
	return r.download(format, period.Range, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportOrders(r.Request.Context(), nil, f, o)
		return err
	}, words...)
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
		Day: r.date(o.PlacedAt.Time), Time: r.clockTime(o.PlacedAt.Time),
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
