package storage

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Rows is what [DB.Load] writes, table by table in this order, with ids that the caller has from [DB.ReserveIDs]. The
// sums for reports do not follow: [Tx.RebuildRollups] makes them from the facts at the end.
type Rows struct {
	Creators      []affiliate.Creator
	Campaigns     []affiliate.Campaign
	Members       []affiliate.CampaignMember
	Costs         []affiliate.Cost
	Offers        []affiliate.Offer
	OfferMembers  []affiliate.OfferMember
	Codes         []affiliate.Code
	Links         []affiliate.Link
	PayoutRuns    []affiliate.PayoutRun
	Payouts       []affiliate.Payout
	Orders        []Order // created when they were placed
	Unowned       []UnownedEvidence
	Clicks        []Click
	Conversions   []Conversion // created when their order was placed
	LedgerEntries []LedgerRow
	RunEntries    []RunEntry
}

// HasOrders says whether any order is kept.
func (q queries) HasOrders(ctx context.Context) (found bool, err error) {
	return found, q.Get(ctx, &found, `SELECT EXISTS (SELECT 1 FROM orders)`)
}

// ReserveIDs gives the first of n ids in a row that the table will give to nobody else. Nobody else may write to the
// table meanwhile.
func (db *DB) ReserveIDs(ctx context.Context, table string, n int) (first int64, err error) {
	err = db.InTx(ctx, func(tx *Tx) error {
		if tx.d.arrays {
			return tx.Get(ctx, &first, `SELECT setval(s, nextval(s) + CAST(? AS BIGINT) - 1) - CAST(? AS BIGINT) + 1
				FROM (SELECT pg_get_serial_sequence(?, 'id')::regclass AS s) t`, max(1, n), max(1, n), table)
		}
		if _, err := tx.exec(ctx, `INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)`,
			table, table); err != nil {
			return err
		}
		return tx.Get(ctx, &first, `UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ? RETURNING seq - ? + 1`, n, table, n)
	})
	return first, err
}

// Loaders is how many calls of Load at once make loading faster.
func (db *DB) Loaders() int {
	if db.Embedded() {
		return 1
	}
	return 2
}

// QuickLoad runs f with a database that is quicker to load and less careful: an embedded one syncs its file only now
// and then, so a power cut may take the last transactions, but never damages it; PostgreSQL, where its user may say so,
// does not check that the rows of Load refer to rows that exist.
func (db *DB) QuickLoad(ctx context.Context, f func() error) error {
	if !db.Embedded() {
		var superuser string
		if err := (queries{c: db.write, d: db.d}).Get(ctx, &superuser, `SELECT current_setting('is_superuser')`); err != nil {
			return err
		}
		db.trusting.Store(superuser == "on")
		defer db.trusting.Store(false)
		return f()
	}
	set := func(ctx context.Context, pragmas string) error {
		_, err := db.exec(ctx, pragmas)
		return err
	}
	if err := set(ctx, `PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -400000`); err != nil {
		return err
	}
	err := f()
	// Also when ctx has ended: the connection is used again.
	restored := set(context.WithoutCancel(ctx), `PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -32000;
		PRAGMA wal_checkpoint(TRUNCATE)`)
	if err == nil {
		err = restored
	}
	return err
}

// Load writes rows in one transaction, by COPY or by prepared statements of many rows. Any number may run at once on
// PostgreSQL. It is not called off once it has begun: while a COPY runs, lib/pq reads the connection in two places at
// once when its transaction is rolled back.
func (db *DB) Load(ctx context.Context, r Rows) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = Patiently(context.WithoutCancel(ctx)) // a COPY may wait for others' checkpoints
	return db.InTx(ctx, func(tx *Tx) error {
		if db.trusting.Load() {
			if _, err := tx.exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
				return err
			}
		}
		for _, t := range r.tables() {
			if t.rows == 0 {
				continue
			}
			if err := tx.load(ctx, t); err != nil {
				return fmt.Errorf("load %s: %w", t.name, err)
			}
		}
		return nil
	})
}

// Analyze lets the database count what it holds, after much has changed. It cannot run in a transaction.
func (db *DB) Analyze(ctx context.Context) error {
	statement := "ANALYZE"
	if !db.Embedded() {
		statement = "VACUUM ANALYZE"
	}
	_, err := db.exec(Patiently(ctx), statement)
	return err
}

// loading is rows for one table.
type loading struct {
	name    string // of the table
	into    string // and its columns
	columns int
	rows    int
	args    func(args []any, i int) []any // appends what the i-th row has
}

// load prepares rows of a table; row gives what is to be written for each thing.
func load[R, T any](t table[R], list []T, row func(*T) R) loading {
	return loading{t.name, t.into(t.all), len(t.all), len(list), func(args []any, i int) []any {
		r := row(&list[i])
		return t.args(args, t.all, &r)
	}}
}

// loadNew is load, where the database gives the ids.
func loadNew[R any](t table[R], list []R) loading {
	return loading{t.name, t.into(t.new), len(t.new), len(list), func(args []any, i int) []any {
		return t.args(args, t.new, &list[i])
	}}
}

// same is for rows that are the thing itself.
func same[R any](r *R) R { return *r }

// loadRunEntries is load for what payout runs settle, whose rows have no id of their own.
func loadRunEntries(list []RunEntry) loading {
	return loading{"payout_run_entries", "payout_run_entries (ledger_entry_id, run_id)", 2, len(list),
		func(args []any, i int) []any { return append(args, int64(list[i].Entry), int64(list[i].Run)) }}
}

// tables lists the rows, by table.
func (r Rows) tables() []loading {
	return []loading{
		load(creatorTable, r.Creators, same),
		load(handleTable, handlesOf(r.Creators...), same),
		load(campaignTable, r.Campaigns, func(c *affiliate.Campaign) campaignRow {
			return campaignRow{*c, affiliate.FoldName(c.Name)}
		}),
		load(memberTable, r.Members, same),
		load(costTable, r.Costs, same),
		load(offerTable, r.Offers, func(o *affiliate.Offer) offerRow { return newOfferRow(*o) }),
		load(offerMemberTable, r.OfferMembers, func(m *affiliate.OfferMember) offerMemberRow {
			return newOfferMemberRow(*m)
		}),
		loadNew(commissionRuleTable, firstRules(r.Offers, r.OfferMembers)),
		load(codeTable, r.Codes, func(c *affiliate.Code) codeRow { return codeRow{*c, affiliate.FoldCode(c.Code)} }),
		load(linkTable, r.Links, same),
		load(payoutRunTable, r.PayoutRuns, same),
		load(payoutTable, r.Payouts, same),
		load(orderTable, r.Orders, func(o *Order) orderRow { return orderRow{*o, o.PlacedAt} }),
		load(unownedTable, r.Unowned, same),
		load(clickTable, r.Clicks, same),
		load(conversionTable, r.Conversions, func(c *Conversion) conversionRow {
			return conversionRow{*c, c.PlacedAt, c.PlacedAt}
		}),
		load(ledgerTable, r.LedgerEntries, same),
		loadRunEntries(r.RunEntries),
	}
}

// loadParams is about how many placeholders a statement for SQLite has: its driver searches all of them for each one.
const loadParams = 100

func (tx *Tx) load(ctx context.Context, l loading) error {
	raw, ok := tx.c.(*sqlx.Tx)
	if !ok {
		return fmt.Errorf("rows cannot be loaded while statements are noted")
	}
	if tx.d.arrays {
		return loadByCopy(ctx, raw, l)
	}
	atOnce := max(1, loadParams/l.columns)
	stmt, err := raw.PrepareContext(ctx, "INSERT INTO "+l.into+" VALUES "+tx.d.values(atOnce, l.columns))
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, 0, atOnce*l.columns)
	for i := range l.rows {
		if args = l.args(args, i); len(args) < atOnce*l.columns {
			continue
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return storageError(err)
		}
		args = args[:0]
	}
	return tx.insertRows(ctx, l.into, l.columns, args, "", nil)
}

func loadByCopy(ctx context.Context, raw *sqlx.Tx, l loading) error {
	stmt, err := raw.PrepareContext(ctx, "COPY "+l.into+" FROM STDIN")
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, 0, l.columns)
	for i := range l.rows {
		if _, err := stmt.ExecContext(ctx, l.args(args, i)...); err != nil {
			return storageError(err)
		}
	}
	_, err = stmt.ExecContext(ctx) // sends the rest and waits
	return storageError(err)
}
