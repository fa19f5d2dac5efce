package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	Payouts       []affiliate.Payout
	Orders        []Order // created when they were placed
	Unowned       []UnownedEvidence
	Clicks        []Click
	Conversions   []Conversion // created when their order was placed
	LedgerEntries []LedgerRow
}

// LedgerRow is a ledger entry with its id and its day in the account's zone.
type LedgerRow struct {
	affiliate.LedgerEntry
	Day string
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
		if err := (queries{db.write, db.d}).Get(ctx, &superuser, `SELECT current_setting('is_superuser')`); err != nil {
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
// PostgreSQL.
func (db *DB) Load(ctx context.Context, r Rows) error {
	ctx = Patiently(ctx) // a COPY may wait for others' checkpoints
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

// loadTable is rows of one table; row gives the columns of the i-th one.
type loadTable struct {
	name    string
	columns string
	rows    int
	row     func(i int) []any
}

func loadOf[T any](name, columns string, list []T, row func(v *T) []any) loadTable {
	return loadTable{name, columns, len(list), func(i int) []any { return row(&list[i]) }}
}

// loadParams is about how many placeholders a statement for SQLite has: its driver searches all of them for each one.
const loadParams = 100

func (tx *Tx) load(ctx context.Context, t loadTable) error {
	raw := tx.c.(*sqlx.Tx)
	if tx.d.arrays {
		return loadByCopy(ctx, raw, t)
	}
	columns := strings.Count(t.columns, ",") + 1
	atOnce := max(1, loadParams/columns)
	into := t.name + " (" + t.columns + ")"
	stmt, err := raw.PrepareContext(ctx, "INSERT INTO "+into+" VALUES "+tx.d.values(atOnce, columns))
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, 0, atOnce*columns)
	for i := range t.rows {
		if args = append(args, t.row(i)...); len(args) < atOnce*columns {
			continue
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return storageError(err)
		}
		args = args[:0]
	}
	return tx.insertRows(ctx, into, columns, args, "", nil)
}

func loadByCopy(ctx context.Context, raw *sqlx.Tx, t loadTable) error {
	stmt, err := raw.PrepareContext(ctx, "COPY "+t.name+" ("+t.columns+") FROM STDIN")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range t.rows {
		if _, err := stmt.ExecContext(ctx, t.row(i)...); err != nil {
			return storageError(err)
		}
	}
	_, err = stmt.ExecContext(ctx) // sends the rest and waits
	return storageError(err)
}

// tables lists the rows with the columns that they fill; the others have defaults.
func (r Rows) tables() []loadTable { return append(r.catalogTables(), r.factTables()...) }

func (r Rows) catalogTables() []loadTable {
	return []loadTable{
		loadOf("creators", "id, name, email, email_hash, country, note, removed_at, created_at, updated_at", r.Creators,
			func(c *affiliate.Creator) []any {
				return []any{int64(c.ID), c.Name, c.Email, c.EmailHash, c.Country, c.Note, At(c.RemovedAt),
					At(c.CreatedAt), At(c.UpdatedAt)}
			}),
		loadOf("creator_handles", "creator_id, network, handle, folded", r.handles(), func(h *handleRow) []any {
			return []any{int64(h.creator), h.network, h.handle, affiliate.FoldHandle(h.handle)}
		}),
		loadOf("campaigns", "id, name, folded, status, starts_at, ends_at, created_at, updated_at", r.Campaigns,
			func(c *affiliate.Campaign) []any {
				return []any{int64(c.ID), c.Name, affiliate.FoldName(c.Name), string(c.Status), At(c.StartsAt),
					At(c.EndsAt), At(c.CreatedAt), At(c.UpdatedAt)}
			}),
		loadOf("campaign_members",
			"id, campaign_id, creator_id, product_value, product_currency, removed_at, created_at, updated_at",
			r.Members, func(m *affiliate.CampaignMember) []any {
				return []any{int64(m.ID), int64(m.CampaignID), int64(m.CreatorID), m.ProductValue,
					string(m.ProductCurrency), At(m.RemovedAt), At(m.CreatedAt), At(m.UpdatedAt)}
			}),
		loadOf("campaign_costs", "id, campaign_id, creator_id, amount, currency, day, note, author, created_at",
			r.Costs, func(c *affiliate.Cost) []any {
				return []any{int64(c.ID), int64(c.CampaignID), null(c.CreatorID), c.Amount,
					string(c.Currency), c.Day, c.Note, c.Author, At(c.CreatedAt)}
			}),
		loadOf("offers", `id, campaign_id, name, folded, type, status, status_since, commission_percent, commission_flat, rule_version, created_at,
			updated_at`, r.Offers, func(o *affiliate.Offer) []any {
			return []any{int64(o.ID), int64(o.CampaignID), o.Name, affiliate.FoldName(o.Name), string(o.Type),
				string(o.Status), At(o.StatusSince), o.Rule.Percent, o.Rule.Flat, o.Rule.Version, At(o.CreatedAt),
				At(o.UpdatedAt)}
		}),
		loadOf("offer_members", "id, offer_id, member_id, commission_percent, commission_flat, rule_version, "+
			"inactive_since, created_at, updated_at",
			r.OfferMembers, func(m *affiliate.OfferMember) []any {
				percent, flat := overrideColumns(m.Override)
				return []any{int64(m.ID), int64(m.OfferID), int64(m.MemberID), percent, flat, m.RuleVersion,
					At(m.InactiveSince), At(m.CreatedAt), At(m.UpdatedAt)}
			}),
		loadOf("codes", "id, offer_member_id, store_id, code, folded, valid_from, valid_to, created_at, updated_at",
			r.Codes, func(c *affiliate.Code) []any {
				return []any{int64(c.ID), int64(c.OfferMemberID), int64(c.StoreID), c.Code, affiliate.FoldCode(c.Code),
					At(c.ValidFrom), At(c.ValidTo), At(c.CreatedAt), At(c.UpdatedAt)}
			}),
		loadOf("links", "id, offer_member_id, slug, kind, landing_url, ended_at, created_at, updated_at", r.Links,
			func(l *affiliate.Link) []any {
				return []any{int64(l.ID), int64(l.OfferMemberID), l.Slug, string(l.Kind), l.LandingURL, At(l.EndedAt),
					At(l.CreatedAt), At(l.UpdatedAt)}
			}),
	}
}

func (r Rows) factTables() []loadTable {
	return []loadTable{
		loadOf("payouts", "id, creator_id, amount, currency, state, method, reference, author, created_at, paid_at",
			r.Payouts, func(p *affiliate.Payout) []any {
				return []any{int64(p.ID), int64(p.CreatorID), p.Amount, string(p.Currency), string(p.State), p.Method,
					p.Reference, p.Author, At(p.CreatedAt), At(p.PaidAt)}
			}),
		loadOf("orders", `id, store_id, external_id, revision, number, status, currency, value, original_value, total, refunded, refund_pending, test,
			placed_at, updated_at, day, codes, not_credited, evidence, trace, needs_reread, doubts, custom_status, parent, part,
			state, created_at, changed_at`, r.Orders, func(o *Order) []any {
			return []any{int64(o.ID), int64(o.StoreID), o.ExternalID, o.Revision, o.Number, string(o.Status),
				string(o.Currency), o.Value, o.OriginalValue, o.Total, o.Refunded, o.RefundPending, o.Test, o.PlacedAt,
				o.UpdatedAt, o.Day, o.Codes, o.NotCredited, o.Evidence, o.Trace, o.Doubts != "", o.Doubts,
				o.CustomStatus, o.Parent, o.Part, o.State, o.PlacedAt, o.ChangedAt}
		}),
		loadOf("unowned_evidence", "order_id, store_id, kind, value", r.Unowned, func(e *UnownedEvidence) []any {
			return []any{int64(e.OrderID), int64(e.StoreID), e.Kind, e.Value}
		}),
		loadOf("clicks", "id, link_id, at, day, referrer_host, bot, visitor", r.Clicks, func(c *Click) []any {
			return []any{c.ID, int64(c.LinkID), At(c.At), c.Day, c.ReferrerHost, c.Bot, c.Visitor}
		}),
		loadOf("conversions", `id, order_id, store_id, campaign_id, creator_id, offer_id, offer_member_id, credited, method, code_id, link_id, click_id,
			evidence, ambiguous, approval, approval_reason, approval_by, approval_at, held_reason, released, commission_percent, commission_flat,
			rule_version, status, currency, value, original_value, refunded, commission, account_currency, rate, rate_date, account_value,
			account_commission, account_refunded, ledger_currency, ledger_rate, ledger_commission, placed_at, day, created_at, updated_at`,
			r.Conversions, func(c *Conversion) []any {
				return []any{int64(c.ID), int64(c.OrderID), int64(c.StoreID), int64(c.CampaignID), int64(c.CreatorID),
					int64(c.OfferID), int64(c.OfferMemberID), c.Credited, string(c.Method), c.CodeID, c.LinkID,
					c.ClickID, c.Evidence, c.Ambiguous, string(c.Approval), c.ApprovalReason, c.ApprovalBy,
					c.ApprovalAt, c.HeldReason, c.Released, c.Percent, c.Flat, c.RuleVersion, string(c.Status),
					string(c.Currency), c.Value, c.OriginalValue, c.Refunded, c.Commission, string(c.AccountCurrency),
					c.Rate, c.RateDate, c.AccountValue, c.AccountCommission, c.AccountRefunded,
					string(c.LedgerCurrency), c.LedgerRate, c.LedgerCommission, c.PlacedAt, c.Day,
					c.PlacedAt, c.PlacedAt}
			}),
		loadOf("ledger_entries", `id, creator_id, campaign_id, offer_member_id, conversion_id, kind, currency, amount, cause, payout_id, note, author,
			created_at, day, payable_at`, r.LedgerEntries, func(e *LedgerRow) []any {
			return []any{int64(e.ID), int64(e.CreatorID), null(e.CampaignID), null(e.OfferMemberID),
				null(e.ConversionID), string(e.Kind), string(e.Currency), e.Amount, e.Cause, null(e.PayoutID),
				e.Note, e.Author, At(e.CreatedAt), e.Day, At(e.PayableAt)}
		}),
	}
}

type handleRow struct {
	creator         affiliate.CreatorID
	network, handle string
}

func (r Rows) handles() (list []handleRow) {
	for _, c := range r.Creators {
		for _, network := range slices.Sorted(maps.Keys(c.Handles)) {
			list = append(list, handleRow{c.ID, network, c.Handles[network]})
		}
	}
	return list
}
