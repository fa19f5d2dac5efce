package storage

import (
	"cmp"
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// PayoutFilter narrows a list of payouts; zero fields do not.
type PayoutFilter struct {
	Creator  affiliate.CreatorID
	Run      affiliate.PayoutRunID
	State    affiliate.PayoutState
	Rail     affiliate.Rail
	Open     bool // only those that were handed over, and of which nobody has said yet what became of them
	Currency money.Currency
	Search   string    // in the creator's name, e-mail address or handles, and in the references
	From, To time.Time // paid in [From, To)
}

// States of payouts in SQL.
const (
	openStates = "'sent', 'pending', 'unclaimed'"   // handed over, and nobody has said their end
	backStates = "'failed', 'returned', 'canceled'" // affiliate.PayoutState.Back: their money is owed again
	waitStates = "'ready', " + openStates           // all that are not final
)

func (w PayoutFilter) conditions() (f Filter) {
	if w.Creator != 0 {
		f.And("p.creator_id = ?", w.Creator)
	}
	if w.Run != 0 {
		f.And("p.run_id = ?", w.Run)
	}
	if w.State != "" {
		f.And("p.state = ?", string(w.State))
	}
	if w.Rail != "" {
		f.And("p.rail = ?", string(w.Rail))
	}
	if w.Open {
		f.And("p.state IN (" + openStates + ")")
	}
	if w.Currency != "" {
		f.And("p.currency = ?", string(w.Currency))
	}
	if w.Search != "" {
		condition, args := CreatorHas("r", w.Search)
		like := Containing(w.Search)
		f.And(`(`+condition+` OR LOWER(p.reference) LIKE LOWER(?) ESCAPE '\' OR LOWER(p.ref) LIKE LOWER(?) ESCAPE '\'
			OR LOWER(p.provider_ref) LIKE LOWER(?) ESCAPE '\')`, append(args, like, like, like)...)
	}
	if !w.From.IsZero() {
		f.And("p.paid_at >= ?", At(w.From))
	}
	if !w.To.IsZero() {
		f.And("p.paid_at < ?", At(w.To))
	}
	return f
}

// CreatorHas is the condition that a text is in the name, the e-mail address or a handle of a creator, a row alias.
func CreatorHas(alias, text string) (condition string, args []any) {
	like := Containing(text)
	return `(LOWER(` + alias + `.name) LIKE LOWER(?) ESCAPE '\' OR LOWER(` + alias + `.email) LIKE LOWER(?) ESCAPE '\'
		OR EXISTS (SELECT 1 FROM creator_handles h WHERE h.creator_id = ` + alias + `.id AND h.folded LIKE ? ESCAPE '\'))`, []any{like, like,
			Containing(cmp.Or(affiliate.FoldHandle(text), text))}
}

// NamedPayout is a payout with how people know its creator.
type NamedPayout struct {
	affiliate.Payout
	Creator string // name
	Handle  string // the one on Instagram, or the first other; without @, empty without any
	Email   string // may be empty
}

var newestPayouts = Keyset{Keys: []Key{{SQL: "p.id", Descending: true}}}

var selectPayouts = `SELECT ` + payoutColumns.of("p") + `, r.name AS creator, r.email, ` + bestHandle + ` AS handle
	FROM payouts p JOIN creators r ON r.id = p.creator_id`

// Payouts lists payouts, newest first.
func (q queries) Payouts(ctx context.Context, w PayoutFilter, p Page) ([]NamedPayout, string, error) {
	return paged[NamedPayout](ctx, q, selectPayouts, w.conditions(), newestPayouts, p)
}

// EachPayout hands payouts to each one by one, newest first. The payout is used again for the next one.
func (q queries) EachPayout(ctx context.Context, w PayoutFilter, each func(*NamedPayout) error) error {
	var p NamedPayout
	f := w.conditions()
	return q.stream(ctx, selectPayouts+f.Where()+newestPayouts.By(), f.Args, &p, func() error { return each(&p) })
}

// PayoutSum is what payouts add up to in one currency. Amounts are its minor units.
type PayoutSum struct {
	Currency       money.Currency
	Payouts        int64 // whose money is paid or in payment
	Amount         int64 // of these
	Canceled       int64 // how many were canceled, failed or came back
	CanceledAmount int64 // of these
}

// payoutSums are the columns of a PayoutSum, of payouts p by currency.
const payoutSums = `p.currency, COUNT(*) FILTER (WHERE p.state NOT IN (` + backStates + `)) AS payouts,
	CAST(COALESCE(SUM(p.amount) FILTER (WHERE p.state NOT IN (` + backStates + `)), 0) AS BIGINT) AS amount,
	COUNT(*) FILTER (WHERE p.state IN (` + backStates + `)) AS canceled,
	CAST(COALESCE(SUM(p.amount) FILTER (WHERE p.state IN (` + backStates + `)), 0) AS BIGINT) AS canceled_amount`

// SumPayouts adds payouts up by currency, those that were canceled apart.
func (q queries) SumPayouts(ctx context.Context, w PayoutFilter) ([]PayoutSum, error) {
	sums := []PayoutSum{}
	f := w.conditions()
	err := q.List(ctx, &sums, `SELECT `+payoutSums+` FROM payouts p JOIN creators r ON r.id = p.creator_id`+f.Where()+`
		GROUP BY p.currency ORDER BY p.currency`, f.Args...)
	return sums, err
}
