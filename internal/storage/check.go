package storage

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/storage/tally"
)

// rollup is a table of sums and the query that computes it from the facts.
type rollup struct {
	table   string
	keys    string // columns
	sums    string // columns; a row whose sums are all 0 means the same as no row
	compute string
}

// rollups are all tables of sums.
func rollups() []rollup {
	days := `facts AS (` + tally.Facts("", "", "") + `), days AS (SELECT member, day, currency, converted, ` + tally.SumUp(tally.Columns) + `
		FROM facts GROUP BY member, day, currency, converted), places AS (` + placesQuery + `)`
	byOffer := func(period, offer, where string) string {
		return `SELECT ` + period + ` AS period, ` + offer + ` AS offer_id, currency, converted, former, ` + tally.SumUp(tally.Columns) +
			` FROM offers_days ` + where + ` GROUP BY 1, 2, currency, converted, former`
	}
	const month = "substr(day, 1, 7)"
	masks := make([]string, 12)
	for i, c := range maskColumns {
		masks[i] = fmt.Sprintf(`CAST(SUM(CASE WHEN d.conversions > 0 AND substr(d.day, 6, 2) = '%02d'
			THEN 1 << (CAST(substr(d.day, 9, 2) AS INTEGER) - 1) ELSE 0 END) AS BIGINT) AS %s`, i+1, c)
	}
	return []rollup{
		{"balances", "offer_member_id, creator_id, campaign_id, currency", "balance, paid",
			`SELECT COALESCE(offer_member_id, 0) AS offer_member_id, creator_id, COALESCE(campaign_id, 0) AS campaign_id, currency,
			CAST(SUM(amount) AS BIGINT) AS balance, CAST(SUM(CASE WHEN kind = 'payout' THEN -amount ELSE 0 END) AS BIGINT) AS paid
			FROM ledger_entries GROUP BY 1, creator_id, 3, currency`},
		{"uncredited_days", "day, store_id, currency", "orders, sales",
			`SELECT day, store_id, currency, COUNT(*) AS orders, CAST(SUM(value) AS BIGINT) AS sales FROM orders
			WHERE not_credited IS NOT NULL AND NOT test AND NOT part AND status = 'paid' GROUP BY day, store_id, currency`},
		{"member_years", "offer_member_id, offer_id, year, currency, converted", tally.YearColumns + ", " +
			maskColumns.of(""),
			`WITH ` + days + ` SELECT d.member AS offer_member_id, p.offer AS offer_id, substr(d.day, 1, 4) AS year, d.currency, d.converted, ` +
				tally.SumUp(tally.YearColumns) + `, ` + strings.Join(masks, ", ") + `
			FROM days d JOIN places p ON p.id = d.member GROUP BY d.member, p.offer, 3, d.currency, d.converted`},
		{"offer_periods", "period, offer_id, currency, converted, former", tally.Columns,
			`WITH ` + days + `, offers_days AS (SELECT d.day, COALESCE(p.offer, 0) AS offer, d.currency, d.converted, COALESCE(p.former, FALSE) AS former, ` +
				tally.SumUp(tally.Columns) + ` FROM days d LEFT JOIN places p ON p.id = d.member GROUP BY d.day, 2, d.currency, d.converted, 5) ` +
				byOffer("day", "offer", "WHERE offer <> 0") + ` UNION ALL ` + byOffer(month, "offer", "WHERE offer <> 0") + ` UNION ALL ` +
				byOffer("day", "0", "") + ` UNION ALL ` + byOffer(month, "0", "")},
	}
}

// RebuildRollups computes the sums of reports from the facts. Nothing may change the facts meanwhile: take LockCatalog
// first, which workers, clicks and payouts wait for.
func (tx *Tx) RebuildRollups(ctx context.Context) error {
	for _, r := range rollups() {
		if _, err := tx.exec(ctx, "DELETE FROM "+r.table); err != nil {
			return fmt.Errorf("rebuild %s: %w", r.table, err)
		}
		columns := r.keys + ", " + r.sums
		if _, err := tx.exec(ctx, "INSERT INTO "+r.table+" ("+columns+") SELECT "+columns+" FROM ("+r.compute+") computed"); err != nil {
			return fmt.Errorf("rebuild %s: %w", r.table, err)
		}
	}
	return nil
}

// Finding is a rule that the database's content breaks.
type Finding struct {
	Rule     string   `json:"rule"` // what should hold, in words
	Count    int      `json:"count"`
	Examples []string `json:"examples"` // a few of the rows, as "column=value …"
}

// findingExamples bounds the examples of a finding.
const findingExamples = 5

// Check looks for what can only be wrong by a fault: sums that differ from the facts, a ledger that differs from the
// commissions, conversions that differ from their orders. Each rule is checked in one statement, so that work that goes
// on meanwhile does not look like a fault.
func (q queries) Check(ctx context.Context) ([]Finding, error) {
	checks := map[string]string{}
	var rules []string
	check := func(rule, query string) { rules = append(rules, rule); checks[rule] = query }
	for _, r := range rollups() {
		columns := r.keys + ", " + r.sums
		kept := "SELECT " + columns + " FROM " + r.table + " WHERE NOT (" + zeroes(r.sums) + ")"
		computed := "SELECT " + columns + " FROM (" + r.compute + ") computed WHERE NOT (" + zeroes(r.sums) + ")"
		check(r.table+" holds what the facts add up to", `SELECT 'kept' AS which, a.* FROM (`+kept+` EXCEPT `+computed+`) a
			UNION ALL SELECT 'computed' AS which, b.* FROM (`+computed+` EXCEPT `+kept+`) b`)
	}
	check("the ledger entries of a conversion add up to its commission", `SELECT c.id AS conversion, c.ledger_commission, e.amount FROM conversions c
		LEFT JOIN (SELECT conversion_id, SUM(amount) AS amount FROM ledger_entries WHERE conversion_id IS NOT NULL GROUP BY conversion_id) e
		ON e.conversion_id = c.id WHERE c.ledger_commission <> COALESCE(e.amount, 0)`)
	check("the ledger entries of a conversion are in one currency", `SELECT e.conversion_id AS conversion, e.currency, c.ledger_currency
		FROM ledger_entries e JOIN conversions c ON c.id = e.conversion_id WHERE e.currency <> c.ledger_currency`)
	check("the ledger entries of a reward add up to what it comes to", `SELECT w.id AS reward, w.earned, w.decision, w.amount, e.amount AS posted, e.currency
		FROM rewards w LEFT JOIN (SELECT reward_id, MIN(currency) AS currency, MAX(currency) AS other, SUM(amount) AS amount FROM ledger_entries
			WHERE reward_id IS NOT NULL GROUP BY reward_id) e ON e.reward_id = w.id
		WHERE CASE WHEN w.kind = 'cash' AND w.earned AND w.decision = 'approved' THEN w.amount ELSE 0 END <> COALESCE(e.amount, 0)
		OR e.currency <> w.currency OR e.other <> w.currency`)
	// Another time zone moves conversions first, and their orders after.
	check("a conversion is as its order", `SELECT c.id AS conversion, c.order_id, c.status, o.status AS order_status, c.value, o.value AS order_value
		FROM conversions c JOIN orders o ON o.id = c.order_id WHERE c.status <> o.status OR c.value <> o.value OR c.currency <> o.currency
		OR c.refunded <> o.refunded OR c.placed_at <> o.placed_at
		OR c.day <> o.day AND NOT EXISTS (SELECT 1 FROM recalculations WHERE state = 'running')`)
	check("only paid and approved conversions have a commission", `SELECT id AS conversion, status, approval, commission FROM conversions
		WHERE commission <> 0 AND (NOT credited OR status <> 'paid' OR approval <> 'approved')`)
	check("an order is credited or says why not", `SELECT o.id AS order_id, o.not_credited FROM orders o LEFT JOIN conversions c ON c.order_id = o.id AND c.credited
		WHERE o.placed_at IS NOT NULL AND (o.not_credited IS NULL) <> (c.id IS NOT NULL)`)
	check("a statement says what the ledger says", `SELECT s.id AS statement, s.year, s.number, s.opening, s.earned, s.paid, s.closing, s.entries
		FROM statements s LEFT JOIN ledger_entries l ON l.creator_id = s.creator_id AND l.currency = s.currency AND l.created_at < s.to_at
		GROUP BY s.id, s.year, s.number, s.opening, s.earned, s.paid, s.closing, s.entries, s.from_at
		HAVING s.opening <> COALESCE(SUM(l.amount) FILTER (WHERE l.created_at < s.from_at), 0)
		OR s.earned <> COALESCE(SUM(l.amount) FILTER (WHERE l.created_at >= s.from_at AND l.kind <> 'payout'), 0)
		OR s.paid <> -COALESCE(SUM(l.amount) FILTER (WHERE l.created_at >= s.from_at AND l.kind = 'payout'), 0)
		OR s.closing <> s.opening + s.earned - s.paid OR s.entries <> COUNT(l.id) FILTER (WHERE l.created_at >= s.from_at)`)
	check("the numbers of statements have no gaps", `SELECT year, MAX(number) AS last, COUNT(*) AS statements FROM statements GROUP BY year
		HAVING MAX(number) <> COUNT(*) OR MIN(number) <> 1`)
	check("an offer has a commission for all orders", `SELECT id AS offer FROM offers o WHERE NOT EXISTS (SELECT 1 FROM commission_rules r
		WHERE r.offer_id = o.id AND r.offer_member_id IS NULL AND r.from_at IS NULL)`)
	check("of an account and a payout run the ledger entries that it settles add up to 0", `SELECT s.run_id AS run, e.creator_id AS creator,
		COALESCE(e.campaign_id, 0) AS campaign, COALESCE(e.offer_member_id, 0) AS offer_member, e.currency, CAST(SUM(e.amount) AS BIGINT) AS amount
		FROM payout_run_entries s JOIN ledger_entries e ON e.id = s.ledger_entry_id GROUP BY 1, 2, 3, 4, 5 HAVING SUM(e.amount) <> 0`)
	check("the ledger entries of a payout add up to what its state says", `SELECT p.id AS payout, p.state, p.amount, p.currency, e.amount AS posted
		FROM payouts p LEFT JOIN (SELECT payout_id, MIN(currency) AS currency, MAX(currency) AS other, MIN(creator_id) AS creator_id,
			MAX(creator_id) AS another, SUM(amount) AS amount FROM ledger_entries WHERE payout_id IS NOT NULL GROUP BY payout_id) e ON e.payout_id = p.id
		WHERE COALESCE(e.amount, 0) <> CASE WHEN p.state IN (`+backStates+`) THEN 0 ELSE -p.amount END
		OR e.currency IS NULL OR e.currency <> p.currency OR e.other <> p.currency OR e.creator_id <> p.creator_id OR e.another <> p.creator_id`)
	check("a payout run has its payouts, and is settled once all of them are final", `SELECT r.id AS run, r.state, r.payouts, p.payouts AS found, p.open
		FROM payout_runs r LEFT JOIN (SELECT run_id, COUNT(*) AS payouts, COUNT(*) FILTER (WHERE state IN (`+waitStates+`)) AS open
			FROM payouts GROUP BY run_id) p ON p.run_id = r.id
		WHERE r.payouts <> COALESCE(p.payouts, 0) OR (r.state IN ('confirmed', 'sent')) <> (COALESCE(p.open, 0) > 0)`)
	check("a part of a payout run has its payouts", `SELECT t.id AS part, t.payouts, t.amount, p.payouts AS found, p.amount AS adds_up_to FROM payout_parts t
		LEFT JOIN (SELECT part_id, COUNT(*) AS payouts, SUM(amount) AS amount, MIN(run_id) AS run_id, MAX(run_id) AS other, MIN(rail) AS rail,
			MAX(rail) AS other_rail, MIN(currency) AS currency, MAX(currency) AS other_currency
			FROM payouts WHERE part_id IS NOT NULL AND state <> 'canceled' GROUP BY part_id) p ON p.part_id = t.id
		WHERE t.state <> 'canceled' AND (t.payouts <> COALESCE(p.payouts, 0) OR t.amount <> COALESCE(p.amount, 0) OR p.run_id <> t.run_id OR p.other <> t.run_id
			OR p.rail <> t.rail OR p.other_rail <> t.rail OR p.currency <> t.currency OR p.other_currency <> t.currency)
		OR t.state = 'canceled' AND p.payouts > 0`)
	check("a payout belongs to a run", `SELECT id AS payout FROM payouts WHERE run_id IS NULL`)
	var findings []Finding
	for _, rule := range rules {
		f, err := q.finding(ctx, rule, checks[rule])
		if err != nil {
			return nil, fmt.Errorf("check that %s: %w", rule, err)
		}
		if f.Count > 0 {
			findings = append(findings, f)
		}
	}
	return findings, nil
}

func (q queries) finding(ctx context.Context, rule, query string) (Finding, error) {
	f := Finding{Rule: rule}
	err := q.scanRows(ctx, func(rows *sqlx.Rows) error {
		if f.Count++; f.Count > findingExamples {
			return nil
		}
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, err := rows.SliceScan()
		if err != nil {
			return err
		}
		words := make([]string, len(values))
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			words[i] = fmt.Sprintf("%s=%v", columns[i], v)
		}
		f.Examples = append(f.Examples, strings.Join(words, " "))
		return nil
	}, query)
	return f, err
}

// zeroes is the condition that all columns of a list are 0.
func zeroes(columns string) string {
	return strings.ReplaceAll(columns, ", ", " = 0 AND ") + " = 0"
}
