package storage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
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
	// Before is the account's settings before the change, as JSON, while figures are shown by them and until what was
	// shown is deleted; empty where what is shown is computed anew row by row.
	Before string
}

// Settings gives the account's settings before the change; false where figures are not shown by them.
func (r Recalculation) Settings() (affiliate.Settings, bool) {
	s, err := parseSettings(r.Before)
	return s, err == nil && r.Before != ""
}

// Running says whether it goes on.
func (r Recalculation) Running() bool { return r.State == "running" }

// Percent is how much is done, below 100 as long as it goes on.
func (r Recalculation) Percent() int64 {
	if !r.Running() {
		return 100
	}
	return min(99, r.Done*100/max(1, r.Total)) // what came in meanwhile is done too, so it may pass the total
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

// StartRecalculation plans the phases. Until they are done, figures are shown by the settings before, if they are
// given; take LockCatalog first then. Nothing is planned where there is nothing to compute anew.
func (tx *Tx) StartRecalculation(ctx context.Context, reason string, phases []string, before *affiliate.Settings,
	now time.Time) error {
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
	text, err := keepBefore(before)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO recalculations (reason, state, phase, total, started_at, before) VALUES (?, 'running', ?, ?, ?, ?)`,
		reason, strings.Join(phases, ","), total, At(now), text)
	return err
}

// NewestRecalculation gives the last one that was started; NotFound when there was none.
func (q queries) NewestRecalculation(ctx context.Context) (Recalculation, error) {
	var r Recalculation
	err := q.Get(ctx, &r, `SELECT id, reason, state, phase, after_id, done, total, started_at, finished_at, before FROM recalculations
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
// has ended. It says whether all is done: from the commit on figures are shown as they were computed.
func (tx *Tx) AdvanceRecalculation(ctx context.Context, r Recalculation, last string, n int,
	now time.Time) (done bool, err error) {
	r.AfterID = last
	if last == "" {
		_, r.Phase, _ = strings.Cut(r.Phase, ",")
	}
	if r.Phase == "" {
		r.State, r.FinishedAt = "done", At(now)
	}
	_, err = tx.exec(ctx, `UPDATE recalculations SET state = ?, phase = ?, after_id = ?, done = done + ?, finished_at = ? WHERE id = ?`,
		r.State, r.Phase, r.AfterID, n, r.FinishedAt, r.ID)
	return !r.Running(), err
}

// RezoneOrders gives the orders behind after their days in a zone. It returns the last one and how many it looked at.
func (tx *Tx) RezoneOrders(ctx context.Context, after affiliate.OrderID, limit int,
	zone *time.Location) (affiliate.OrderID, int, error) {
	var ids []struct {
		ID affiliate.OrderID
		OrderKey
	}
	err := tx.List(ctx, &ids, `SELECT id, store_id, external_id FROM orders WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil || len(ids) == 0 {
		return 0, 0, err
	}
	last := ids[len(ids)-1].ID
	keys := make([]OrderKey, len(ids))
	for i, o := range ids {
		keys[i] = o.OrderKey
	}
	if err := tx.LockOrders(ctx, keys); err != nil {
		return 0, 0, err
	}
	var list []struct {
		ID          affiliate.OrderID
		StoreID     affiliate.StoreID
		Status      affiliate.OrderStatus
		Currency    money.Currency
		Value       int64
		NotCredited *string
		Test, Part  bool
		PlacedAt    Time
		Day         string
	}
	if err := tx.List(ctx, &list, `SELECT id, store_id, status, currency, value, not_credited, test, part, placed_at, day FROM orders
		WHERE id > ? AND id <= ? ORDER BY id`, after, last); err != nil {
		return 0, 0, err
	}
	moved := map[string][]affiliate.OrderID{}
	for _, o := range list {
		if o.PlacedAt.IsZero() {
			continue // no delivery has described it yet
		}
		day := affiliate.Day(o.PlacedAt.Time, zone)
		if day == o.Day {
			continue
		}
		moved[day] = append(moved[day], o.ID)
		counted := Order{StoreID: o.StoreID, Status: o.Status, Currency: o.Currency, Value: o.Value,
			NotCredited: o.NotCredited, Test: o.Test, Part: o.Part, Day: o.Day}
		tx.sums.order(&counted, -1)
		counted.Day = day
		tx.sums.order(&counted, 1)
	}
	return last, len(ids), setDays(ctx, tx, "orders", moved)
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
func setDays[ID cmp.Ordered](ctx context.Context, tx *Tx, table string, moved map[string][]ID) error {
	for _, day := range slices.Sorted(maps.Keys(moved)) {
		for part := range slices.Chunk(moved[day], 500) {
			if err := tx.execIn(ctx, `UPDATE `+table+` SET day = ? WHERE id IN (?)`, day, part); err != nil {
				return fmt.Errorf("move %s to %s: %w", table, day, err)
			}
		}
	}
	return nil
}

// shownKept is how long what was shown during a recalculation is kept after its end, for whoever still reads it.
const shownKept = 10 * time.Minute

// ForgetShown deletes some of what was shown during a recalculation that ended a while ago. It says whether there may
// be more: call it until there is not. Of a recalculation of which nothing is left Before is emptied.
func (db *DB) ForgetShown(ctx context.Context, now time.Time) (more bool, err error) {
	var id int64
	err = db.Get(ctx, &id, `SELECT id FROM recalculations WHERE state = 'done' AND before <> '' AND finished_at < ?
		ORDER BY id LIMIT 1`, At(now.Add(-shownKept)))
	if affiliate.KindOf(err) == affiliate.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, part := range []struct {
		table, by string
		most      int
	}{{"shown_conversions", "conversion_id", 5000}, {"shown_member_years", "offer_member_id", 1000},
		{"shown_offer_periods", "period", 20}, {"shown_uncredited_days", "day", 200}} {
		n, err := db.exec(ctx, `DELETE FROM `+part.table+` WHERE recalculation_id = ? AND `+part.by+` IN (
			SELECT DISTINCT `+part.by+` FROM `+part.table+` WHERE recalculation_id = ? ORDER BY 1 LIMIT ?)`, id, id, part.most)
		if err != nil || n > 0 {
			return true, err
		}
	}
	_, err = db.exec(ctx, `UPDATE recalculations SET before = '' WHERE id = ?`, id)
	return true, err
}
