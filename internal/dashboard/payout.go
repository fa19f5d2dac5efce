package dashboard

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

func payoutRoutes() []route {
	return []route{
		{http.MethodGet, "/payouts", signedIn, (*request).duePage},
		{http.MethodGet, "/payouts/due.csv", signedIn, (*request).dueCSV},
		{http.MethodGet, "/payouts/due.xlsx", signedIn, (*request).dueXLSX},
		{http.MethodGet, "/payouts/send", may(affiliate.MayPay), (*request).sendPaymentPage},
		{http.MethodPost, "/payouts/send", may(affiliate.MayPay), (*request).sendPaymentPage},
		{http.MethodPost, "/payouts", may(affiliate.MayPay), (*request).sendPayment},
		{http.MethodGet, "/payouts/recorded", signedIn, (*request).payoutsPage},
		{http.MethodGet, "/payouts/recorded.csv", signedIn, (*request).payoutsCSV},
		{http.MethodGet, "/payouts/recorded.xlsx", signedIn, (*request).payoutsXLSX},
		{http.MethodGet, "/payouts/runs", signedIn, (*request).payoutRunsPage},
		{http.MethodGet, "/payouts/runs/:run", signedIn, (*request).payoutRunPage},
		{http.MethodPost, "/payouts/runs/:run/cancel", may(affiliate.MayPay), (*request).cancelPayoutRun},
		{http.MethodPost, "/payouts/runs/:run/mark", may(affiliate.MayPay), (*request).markPayouts},
		{http.MethodPost, "/payouts/parts/:part/file", may(affiliate.MayPay), (*request).payoutFile},
		{http.MethodGet, resultsAddress, signedIn, (*request).resultsPage},
		{http.MethodPost, resultsAddress, may(affiliate.MayPay), (*request).readResults},
		{http.MethodGet, resultsAddress + "/:file", signedIn, (*request).resultPage},
		{http.MethodGet, "/payouts/:id", signedIn, (*request).payoutPage},
		{http.MethodPost, "/payouts/:id/cancel", may(affiliate.MayPay), (*request).cancelPayout},
		{http.MethodPost, "/payouts/:id/mark", may(affiliate.MayPay), (*request).markPayout},
	}
}

// payoutsHead is what the lists about payouts share.
type payoutsHead struct {
	layout
	Tab    string // due, recorded, runs, results
	MayPay bool
}

func (r *request) payoutsHead(tab, title string) payoutsHead {
	return payoutsHead{r.layout(title, "payouts"), tab, r.may(affiliate.MayPay)}
}

// payoutsPage is who was paid.
type payoutsPage struct {
	payoutsHead
	Search     string
	State      affiliate.PayoutState
	States     []choice
	Hidden     []hiddenField
	Columns    []column
	Rows       []payoutLine
	payoutSums // of all that the list is narrowed to
	Tools      tableTools
	Pager      pager
}

// payoutSums is what payouts add up to, for people.
type payoutSums struct {
	Stand    int64
	Sums     string // of those that stand, by currency; empty for none
	Canceled int64  // or failed, or came back
	Taken    string // what is owed again, by currency; empty for nothing
}

func payoutSumsOf(list []storage.PayoutSum) (p payoutSums) {
	var stand, taken []storage.PayoutSum
	for _, s := range list {
		p.Stand += s.Payouts
		p.Canceled += s.Canceled
		if s.Payouts > 0 {
			stand = append(stand, s)
		}
		if s.Canceled > 0 {
			taken = append(taken, s)
		}
	}
	p.Sums = sumOf(stand, func(s storage.PayoutSum) (int64, money.Currency) { return s.Amount, s.Currency })
	p.Taken = sumOf(taken, func(s storage.PayoutSum) (int64, money.Currency) { return s.CanceledAmount, s.Currency })
	return p
}

// payoutLine is a payout that was recorded.
type payoutLine struct {
	storage.NamedPayout
	Title    string // "Payout to Anna Keller, 29 Nov 2026"
	Address  string
	Profile  string
	Date     string            // when it was recorded
	Paid     string            // the day on which the money moved
	Run      string            // address of the run; empty without any
	Canceled bool              // or it failed, or came back: its amount is owed again
	Plain    map[string]string // the other cells, by column
}

func (r *request) payoutLines(list []storage.NamedPayout) []payoutLine {
	columns := tables.Payouts().Page()
	var lines []payoutLine
	for _, p := range list {
		line := payoutLine{NamedPayout: p, Address: "/payouts/" + p.ID.String(), Profile: creatorAddress(p.CreatorID),
			Title: "Payout to " + p.Creator + ", " + r.date(p.CreatedAt), Date: r.moment(p.CreatedAt),
			Paid: r.date(p.PaidAt), Canceled: p.State.Back(), Plain: plainCells(columns, &p)}
		if !p.PaidAt.IsZero() {
			line.Title = "Payout to " + p.Creator + ", " + line.Paid
		}
		if p.RunID != 0 {
			line.Run = payoutRunAddress(p.RunID)
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *request) payoutsPage() error {
	ctx := r.Request.Context()
	p := payoutsPage{payoutsHead: r.payoutsHead("recorded", "Payouts"),
		Hidden: r.carried("creator", "run", "rail", "currency", "from", "to")}
	wanted, err := r.wantedPayouts()
	if err != nil {
		return err
	}
	p.Search, p.State = wanted.Search, wanted.State
	p.States = wordChoices(affiliate.Words[affiliate.PayoutState]()...)
	if p.Columns, err = r.columns("payouts"); err != nil {
		return err
	}
	spare(p.Columns, "state")
	sums, err := r.d.App.DB.SumPayouts(ctx, wanted)
	if err != nil {
		return err
	}
	p.payoutSums = payoutSumsOf(sums)
	list, next, err := r.d.App.DB.Payouts(ctx, wanted, r.page())
	if err != nil {
		return err
	}
	p.Rows, p.Pager = r.payoutLines(list), r.pager(next)
	p.Tools = r.tools("payouts", p.Columns, "/payouts/recorded")
	return r.show("payouts_recorded.html", &p)
}

// spare leaves out on a phone what is not always shown, but for some columns.
func spare(columns []column, but ...string) {
	for i := range columns {
		columns[i].Spare = !columns[i].Fixed && !slices.Contains(but, columns[i].Name)
	}
}

// wantedPayouts reads which payouts the address asks for.
func (r *request) wantedPayouts() (storage.PayoutFilter, error) {
	q := r.filters()
	wanted := q.Payouts()
	wanted.From, wanted.To = q.Span()
	return wanted, q.Err()
}

func (r *request) payoutsCSV() error  { return r.sendPayouts(export.CSV) }
func (r *request) payoutsXLSX() error { return r.sendPayouts(export.XLSX) }

func (r *request) sendPayouts(format export.Format) error {
	wanted, err := r.wantedPayouts()
	if err != nil {
		return err
	}
	return r.download(format, affiliate.Range{}, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportPayouts(r.Request.Context(), nil, wanted, o)
		return err
	}, "payouts")
}

// sumOf writes amounts by currency: "120.00 USD, 7.00 GBP".
func sumOf[T any](list []T, of func(T) (int64, money.Currency)) string {
	sums := map[money.Currency]int64{}
	var order []money.Currency
	for _, v := range list {
		amount, c := of(v)
		if _, seen := sums[c]; !seen {
			order = append(order, c)
		}
		sums[c] += amount
	}
	words := make([]string, len(order))
	for i, c := range order {
		words[i] = moneyText(sums[c], c)
	}
	return strings.Join(words, ", ")
}
