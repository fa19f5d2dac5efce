package dashboard

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// duePerPage is how many creators who are due one page names; all that match can be paid at once.
const duePerPage = 100

// mostFirst is the usual order of what is due.
const mostFirst storage.DueSort = "-amount"

// duePage is who is to be paid now.
type duePage struct {
	payoutsHead
	Filter    storage.DueFilter
	Narrowed  bool // it is not all that is due
	Hidden    []hiddenField
	Campaigns []choice
	Offers    []choice // of the campaign that is chosen
	Foreign   bool     // the offer of the address is one of another campaign: somebody has chosen another one
	About     string   // the campaign or offer that is chosen, by name
	Columns   []column
	Rows      []dueLine
	Count     int64
	Sums      string // of all that match, by currency
	Parts     string // what of it belongs to About
	Send      string // where all that match are paid
	Tools     tableTools
	Pager     pager
	Minimum   string // that a payout must reach; empty without one
	HoldDays  int
	MayMail   bool
}

// dueLine is what is to be paid to a creator in one currency.
type dueLine struct {
	storage.Due
	Value     string // of its checkbox: the creator, the currency and the amount that is shown
	Address   string // of the creator
	Part      string // what of it belongs to the campaign or offer that is chosen; empty where that is all
	Campaigns string
	Oldest    string
	Last      string
	Plain     map[string]string // the other cells, by column
}

// dueValue is what stands for a payment in a form: cre_1.EUR.1250.
func dueValue(creator affiliate.CreatorID, c money.Currency, amount int64) string {
	return fmt.Sprintf("%s.%s.%d", creator, c, amount)
}

// parseDue reads a dueValue.
func parseDue(text string) (p app.NewPayout, err error) {
	wrong := affiliate.FieldErrorf("ids", "%q names no payment; open the page again", text)
	creator, rest, ok := strings.Cut(text, ".")
	currency, minor, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return p, wrong
	}
	if p.Creator, err = affiliate.ParseID[affiliate.CreatorID]("cre_", creator); err != nil {
		return p, wrong
	}
	if p.Currency, err = money.ParseCurrency(currency); err != nil {
		return p, wrong
	}
	seen, err := strconv.ParseInt(minor, 10, 64)
	if err != nil {
		return p, wrong
	}
	p.Amount = &seen
	return p, nil
}

func (r *request) duePage() error {
	p, err := r.due()
	if err != nil {
		return err
	}
	if p.Foreign {
		r.Redirect(http.StatusSeeOther, r.with("offer", "", "cursor", ""))
		return nil
	}
	return r.show("payouts.html", &p)
}

// wantedDue reads whose payments due the address asks for, and in which order.
func (r *request) wantedDue() (storage.DueFilter, storage.DueSort, error) {
	q := r.filters()
	filter, sort := q.Due(), q.DueSort(mostFirst)
	return filter, sort, q.Err()
}

func (r *request) due() (p duePage, err error) {
	ctx, now := r.Request.Context(), r.d.App.Now()
	s, err := r.d.App.DB.SavedSettings(ctx)
	if err != nil {
		return p, err
	}
	p = duePage{payoutsHead: r.payoutsHead("due", "Payments due"), HoldDays: s.HoldDays,
		Hidden: r.carried("sort", "currency"), Send: "/payouts/send", MayMail: r.may(affiliate.MayChangeCatalog)}
	if s.MinimumPayout > 0 {
		p.Minimum = moneyText(s.MinimumPayout, s.Currency)
	}
	filter, sort, err := r.wantedDue()
	if err != nil {
		return p, err
	}
	p.Filter = filter
	p.Narrowed = filter.Campaign != 0 || filter.Offer != 0 || filter.Currency != "" || filter.Search != ""
	if _, query, ok := strings.Cut(r.with(), "?"); ok {
		p.Send += "?" + query
	}
	if err := r.dueChoices(&p); err != nil {
		return p, err
	}
	if p.Columns, err = r.columns("due"); err != nil {
		return p, err
	}
	spare(p.Columns)
	r.sortable(p.Columns, string(sort))
	sums, err := r.d.App.DB.SumDue(ctx, s, filter, now)
	if err != nil {
		return p, err
	}
	for _, sum := range sums {
		p.Count += sum.Creators
	}
	p.Sums = sumOf(sums, func(s storage.DueSum) (int64, money.Currency) { return s.Amount, s.Currency })
	if p.About != "" {
		p.Parts = sumOf(sums, func(s storage.DueSum) (int64, money.Currency) { return s.Part, s.Currency })
	}
	list, next, err := r.d.App.DB.PayoutsDue(ctx, s, filter, sort, now,
		storage.Page{Limit: duePerPage, Cursor: r.Query("cursor")})
	if err != nil {
		return p, err
	}
	columns := tables.Due().Page()
	for _, d := range list {
		p.Rows = append(p.Rows, r.dueLine(d, columns))
	}
	p.Pager, p.Tools = r.pager(next), r.tools("due", p.Columns, "/payouts/due")
	return p, nil
}

func (r *request) dueLine(d storage.Due, columns []tables.Column[storage.Due]) dueLine {
	line := dueLine{Due: d, Value: dueValue(d.CreatorID, d.Currency, d.Amount), Address: creatorAddress(d.CreatorID),
		Campaigns: tables.CampaignNames(d.Campaigns), Oldest: r.date(d.Since.Time), Last: r.date(d.LastPaid.Time),
		Plain: plainCells(columns, &d)}
	if d.Part != d.Amount {
		line.Part = moneyText(d.Part, d.Currency)
	}
	return line
}

// dueChoices reads what the list can be narrowed to.
func (r *request) dueChoices(p *duePage) error {
	ctx := r.Request.Context()
	var err error
	if p.Campaigns, err = r.campaignChoicesWith(p.Filter.Campaign); err != nil {
		return err
	}
	for _, c := range p.Campaigns {
		if c.Value == p.Filter.Campaign.String() {
			p.About = c.Title
		}
	}
	if p.Filter.Campaign == 0 {
		p.Hidden = append(p.Hidden, r.carried("offer")...)
	}
	if p.Filter.Campaign != 0 {
		offers, _, err := r.d.App.DB.Offers(ctx, p.Filter.Campaign, storage.Page{Limit: storage.MaxLimit})
		if err != nil {
			return err
		}
		p.Foreign = p.Filter.Offer != 0
		for _, o := range offers {
			p.Offers = append(p.Offers, choice{o.ID.String(), o.Name})
			if o.ID == p.Filter.Offer {
				p.About += " · " + o.Name
				p.Foreign = false
			}
		}
	}
	if p.About == "" && p.Filter.Offer != 0 {
		o, err := r.d.App.DB.Offer(ctx, p.Filter.Offer)
		if err != nil {
			return err
		}
		p.About = o.Name
	}
	return nil
}

func (r *request) dueCSV() error  { return r.sendDue(export.CSV) }
func (r *request) dueXLSX() error { return r.sendDue(export.XLSX) }

func (r *request) sendDue(format export.Format) error {
	filter, sort, err := r.wantedDue()
	if err != nil {
		return err
	}
	return r.download(format, affiliate.Range{}, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportDue(r.Request.Context(), nil, filter, sort, o)
		return err
	}, "payments-due")
}
