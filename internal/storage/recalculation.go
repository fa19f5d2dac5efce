package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Recalculation is work in the background that computes stored figures anew. It goes through its phases one after the
// other, each by id, so that it can be taken up where it stopped.
type Recalculation struct {
	ID         int64
	Reason     string // in words: "currency EUR → USD"
	State      string // running, done
	Phase      string // those that are left, by commas; the first is under way
	AfterID    string `db:"after_id"` // the last one that is done
	Done       int64
	Total      int64 // as it was at the start: what comes meanwhile is done too
	StartedAt  Time  `db:"started_at"`
	FinishedAt Time  `db:"finished_at"`
}

// Phases of a recalculation.
const (
	PhaseConversions = "conversions"
	PhaseOrders      = "orders"
	PhaseClicks      = "clicks"
	PhaseLedger      = "ledger"
	PhaseStatuses    = "statuses" // of the orders that a store's owner decides about
)

var phaseTables = map[string]string{PhaseConversions: "conversions", PhaseOrders: "orders", PhaseClicks: "clicks",
	PhaseLedger: "ledger_entries"}

// StartRecalculation plans the phases. Nothing is planned where there is nothing to compute anew.
func (tx *Tx) StartRecalculation(ctx context.Context, reason string, phases []string, now time.Time) error {
	var total int64
	for _, phase := range phases {
		var n int64
		from, args := phaseTables[phase], []any(nil)
		if phase == PhaseStatuses {
			from, args = concernedByRules(0, 0)
			from = `(` + from + `) o`
		}
		if err := tx.Get(ctx, &n, `SELECT COUNT(*) FROM `+from, args...); err != nil {
			return err
		}
		total += n
	}
	if total == 0 {
		return nil
	}
	_, err := tx.exec(ctx, `INSERT INTO recalculations (reason, state, phase, total, started_at) VALUES (?, 'running', ?, ?, ?)`,
		reason, strings.Join(phases, ","), total, At(now))
	return err
}

// NewestRecalculation gives the last one that was started; NotFound when there was none.
func (q queries) NewestRecalculation(ctx context.Context) (Recalculation, error) {
	var r Recalculation
	err := q.Get(ctx, &r, `SELECT id, reason, state, phase, after_id, done, total, started_at, finished_at FROM recalculations
		ORDER BY id DESC LIMIT 1`)
	return r, err
}

// ClaimRecalculation makes other processes wait until this transaction ends. False: another was faster, r is out of
// date.
func (tx *Tx) ClaimRecalculation(ctx context.Context, r Recalculation) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE recalculations SET done = done WHERE id = ? AND state = 'running' AND phase = ? AND after_id = ?`,
		r.ID, r.Phase, r.AfterID)
	return n == 1, err
}

// AdvanceRecalculation notes how far it has come; n more are done, and last is the last one, or empty when the phase
// has ended.
func (tx *Tx) AdvanceRecalculation(ctx context.Context, r Recalculation, last string, n int, now time.Time) error {
	r.AfterID = last
	if last == "" {
		_, r.Phase, _ = strings.Cut(r.Phase, ",")
	}
	if r.Phase == "" {
		r.State, r.FinishedAt = "done", At(now)
	}
	_, err := tx.exec(ctx, `UPDATE recalculations SET state = ?, phase = ?, after_id = ?, done = done + ?, finished_at = ? WHERE id = ?`,
		r.State, r.Phase, r.AfterID, n, r.FinishedAt, r.ID)
	return err
}

// RezoneOrders gives the orders behind after their days in a zone. It returns the last one and how many it looked at.
func (tx *Tx) RezoneOrders(ctx context.Context, after affiliate.OrderID, limit int, zone *time.Location,
	now time.Time) (affiliate.OrderID, int, error) {
	var list []struct {
		ID affiliate.OrderID
		OrderKey
	}
	err := tx.List(ctx, &list, `SELECT id, store_id, external_id FROM orders WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil || len(list) == 0 {
		return 0, 0, err
	}
	keys := make([]OrderKey, len(list))
	for i, o := range list {
		keys[i] = o.OrderKey
	}
	if err := tx.LockOrders(ctx, keys); err != nil {
		return 0, 0, err
	}
	orders, err := tx.Orders(ctx, keys)
	if err != nil {
		return 0, 0, err
	}
	var changes []OrderChange
	for _, before := range orders {
		moved := before
		if moved.PlacedAt.IsZero() {
			continue // no delivery has described it yet
		}
		if moved.Day = affiliate.Day(before.PlacedAt.Time, zone); moved.Day != before.Day {
			changes = append(changes, OrderChange{Before: &before, After: moved})
		}
	}
	_, err = tx.SaveOrders(ctx, changes, now)
	return list[len(list)-1].ID, len(list), err
}

// RezoneClicks gives the clicks behind after their days in a zone. It returns the last one and how many it looked at.
func (tx *Tx) RezoneClicks(ctx context.Context, after string, limit int, zone *time.Location) (string, int, error) {
	var list []struct {
		ID     string
		LinkID affiliate.LinkID `db:"link_id"`
		At     Time
		Day    string
		Bot    bool
	}
	err := tx.List(ctx, &list, `SELECT id, link_id, at, day, bot FROM clicks WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil || len(list) == 0 {
		return "", 0, err
	}
	moved := map[string][]string{}
	for _, c := range list {
		day := affiliate.Day(c.At.Time, zone)
		if day == c.Day {
			continue
		}
		moved[day] = append(moved[day], c.ID)
		if !c.Bot {
			tx.sums.click(c.LinkID, c.Day, -1)
			tx.sums.click(c.LinkID, day, 1)
		}
	}
	return list[len(list)-1].ID, len(list), setDays(ctx, tx, "clicks", moved)
}

// RezoneLedger gives the ledger entries behind after their days in a zone. It returns the last one and how many it
// looked at.
func (tx *Tx) RezoneLedger(ctx context.Context, after affiliate.LedgerEntryID, limit int,
	zone *time.Location) (affiliate.LedgerEntryID, int, error) {
	var list []struct {
		ID        affiliate.LedgerEntryID
		Member    *affiliate.OfferMemberID
		Kind      affiliate.EntryKind
		Currency  string
		Amount    int64
		CreatedAt Time `db:"created_at"`
		Day       string
	}
	err := tx.List(ctx, &list, `SELECT id, offer_member_id AS member, kind, currency, amount, created_at, day FROM ledger_entries WHERE id > ? ORDER BY id LIMIT ?`,
		after, limit)
	if err != nil || len(list) == 0 {
		return 0, 0, err
	}
	moved := map[string][]affiliate.LedgerEntryID{}
	for _, e := range list {
		day := affiliate.Day(e.CreatedAt.Time, zone)
		if day == e.Day {
			continue
		}
		moved[day] = append(moved[day], e.ID)
		if e.Kind == affiliate.PaidOut {
			tx.sums.payout(value(e.Member), e.Day, e.Currency, e.Amount)
			tx.sums.payout(value(e.Member), day, e.Currency, -e.Amount)
		}
	}
	return list[len(list)-1].ID, len(list), setDays(ctx, tx, "ledger_entries", moved)
}

// setDays writes the days of rows, given by day.
func setDays[ID any](ctx context.Context, tx *Tx, table string, moved map[string][]ID) error {
	for day, ids := range moved {
		for part := range slices.Chunk(ids, 500) {
			if err := tx.execIn(ctx, `UPDATE `+table+` SET day = ? WHERE id IN (?)`, day, part); err != nil {
				return fmt.Errorf("move %s to %s: %w", table, day, err)
			}
		}
	}
	return nil
}
