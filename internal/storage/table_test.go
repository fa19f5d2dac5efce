package storage

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// described is what a table says of itself.
type described struct {
	name   string
	fields []field
}

func describe[R any](t table[R]) described { return described{t.name, t.all} }

// described tables are those whose rows are written as a whole.
func describedTables() []described {
	return []described{describe(campaignTable), describe(clickTable), describe(commissionRuleTable),
		describe(codeItemTable), describe(codeRunTable), describe(codeTable), describe(conversionTable),
		describe(costTable), describe(couponTable), describe(creatorTable),
		describe(tableOf[Delivery]("deliveries")), describe(entryBatchTable), describe(handleTable),
		describe(ledgerTable),
		describe(linkTable), describe(mailSendTable), describe(mailTable), describe(mailTextTable),
		describe(suppressionTable), describe(memberTable), describe(offerMemberTable), describe(offerTable),
		describe(orderTable), describe(leftOutTable), describe(paymentDetailsTable), describe(payoutPartTable),
		describe(payoutRunTable), describe(payoutTable), describe(resultFileTable),
		describe(resultLineTable), describe(rewardRuleTable),
		describe(statementTable),
		describe(rewardTable), describe(storeAccessTable), describe(storeRequestTable), describe(storeTable),
		describe(storeWebhookTable), describe(storeWorkTable), describe(tokenTable), describe(unownedTable),
		describe(userTable)}
}

// TestTables_have_all_columns: a column that is in the database and in no field, or the other way round, is forgotten
// somewhere, and so is one that may be NULL on one side only.
func TestTables_have_all_columns(t *testing.T) {
	eachPlanner(t, func(p planner) {
		query := `SELECT name, "notnull" = 0 AND pk = 0 AS optional FROM pragma_table_info(?)`
		if p.db.d.dollar {
			query = `SELECT column_name AS name, is_nullable = 'YES' AS optional FROM information_schema.columns
				WHERE table_schema = current_schema() AND table_name = ?`
		}
		for _, d := range describedTables() {
			var there []struct {
				Name     string
				Optional bool
			}
			if err := p.db.List(p.Context(), &there, query, d.name); err != nil || len(there) == 0 {
				p.Fatal(d.name, there, err)
			}
			for _, c := range there {
				i := slices.IndexFunc(d.fields, func(f field) bool { return f.column == c.Name })
				if i < 0 {
					p.Errorf("%s has a column %s, but no field for it", d.name, c.Name)
					continue
				}
				f := d.fields[i]
				if f.typ.Kind() == reflect.Struct || f.typ.Kind() == reflect.Slice {
					continue // the zero value is NULL, where a column must have one or not
				}
				if optional := f.nullable || f.typ.Kind() == reflect.Pointer; optional != c.Optional {
					p.Errorf("%s.%s may be NULL: %v in the database, %v in its table", d.name, c.Name, c.Optional,
						optional)
				}
			}
			for _, f := range d.fields {
				if !slices.ContainsFunc(there, func(c struct {
					Name     string
					Optional bool
				}) bool {
					return c.Name == f.column
				}) {
					p.Errorf("%s has a field for %s, but no such column", d.name, f.column)
				}
			}
		}
	})
}

// TestTables_are_described: rows of these tables are written in few places, a part of their columns at a time; any
// other table is described.
func TestTables_are_described(t *testing.T) {
	besides := []string{"audit_log", "balances", "dismissed_codes", "drift_orders", "failed_sign_ins",
		"fx_rates", "half_sign_ins", "idempotency_keys", "mail_lease", "member_years", "migrations", "notices",
		"offer_periods", "payout_run_entries", "preferences", "recalculations", "receiver_runs",
		"recovery_codes", "reward_work", "second_factors", "sessions", "set_asides", "settings",
		"shown_conversions", "shown_member_years", "shown_offer_periods", "shown_uncredited_days",
		"sign_in_failures", "store_counts", "store_jobs", "store_secrets", "store_statuses", "store_topics",
		"uncredited_days"}
	eachPlanner(t, func(p planner) {
		query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
		if p.db.d.dollar {
			query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
		}
		var there []string
		if err := p.db.List(p.Context(), &there, query); err != nil {
			p.Fatal(err)
		}
		for _, name := range there {
			is := slices.ContainsFunc(describedTables(), func(d described) bool { return d.name == name })
			if is == slices.Contains(besides, name) {
				p.Errorf("the table %s is described: %v", name, is)
			}
		}
	})
}

// thing has a field of every kind.
type thing struct {
	ID      int64
	Word    *string
	Amount  *int64
	Note    string
	Count   int
	At      time.Time
	Moment  Time
	Yes     bool
	Bytes   []byte
	Other   int64
	Names   map[string]string // no column
	Nothing string            `db:"-"`
}

// TestGet_first: of several rows the first is read, whatever comes behind it.
func TestGet_first(t *testing.T) {
	eachPlanner(t, func(p planner) {
		var got struct {
			N    int64
			Word *string
		}
		err := p.db.Get(p.Context(), &got, `SELECT 1 AS n, 'a' AS word UNION ALL SELECT 2, 'b' ORDER BY 1`)
		if err != nil || got.N != 1 || got.Word == nil || *got.Word != "a" {
			p.Errorf("read %d %v, %v", got.N, got.Word, err)
		}
		err = p.db.Get(p.Context(), &got, `SELECT 3 AS n WHERE 1 = 0`)
		if affiliate.KindOf(err) != affiliate.NotFound || got.N != 1 {
			p.Errorf("of no rows: %d, %v", got.N, err)
		}
	})
}

// TestTable_round_trip: what is written is read again, zero values too, in lists and streams alike.
func TestTable_round_trip(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC)
	want := []thing{
		{Word: new("a"), Amount: new(int64(-5)), Note: "n", Count: 7, At: at, Moment: At(at), Yes: true,
			Bytes: []byte{0, 1}, Other: 9},
		{Bytes: []byte("y")},
		{Word: new("b"), Bytes: []byte("x")},
	}
	eachPlanner(t, func(p planner) {
		things := tableOf[thing]("things", "other")
		id, moment, data := "INTEGER PRIMARY KEY", "TEXT", "BLOB"
		if p.db.d.dollar {
			id, moment, data = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "TIMESTAMPTZ", "BYTEA"
		}
		err := p.db.InTx(p.Context(), func(tx *Tx) error {
			if _, err := tx.exec(p.Context(), `CREATE TABLE things (id `+id+`, word TEXT, amount BIGINT, note TEXT NOT NULL,
				count INTEGER NOT NULL, at `+moment+`, moment `+moment+`, yes BOOLEAN NOT NULL, bytes `+data+`, other BIGINT)`); err != nil {
				return err
			}
			var got int64
			return things.insert(p.Context(), tx, want, "RETURNING id", &got, func() {
				i := slices.IndexFunc(want, func(one thing) bool { return one.ID == 0 })
				want[i].ID = got
			})
		})
		if err != nil {
			p.Fatal(err)
		}
		query := `SELECT ` + columnsOf[thing]().of("") + ` FROM things ORDER BY id`
		var list, streamed []thing
		if err := p.db.List(p.Context(), &list, query); err != nil {
			p.Fatal(err)
		}
		var one thing
		if err := p.db.stream(p.Context(), query, nil, &one, func() error {
			kept := one
			if one.Word != nil {
				kept.Word = new(*one.Word)
			}
			if one.Amount != nil {
				kept.Amount = new(*one.Amount)
			}
			streamed = append(streamed, kept)
			return nil
		}); err != nil {
			p.Fatal(err)
		}
		if !reflect.DeepEqual(list, want) || !reflect.DeepEqual(streamed, want) {
			p.Errorf("wrote %+v\nlisted %+v\nstreamed %+v", want, list, streamed)
		}
		var nulls int
		if err := p.db.Get(p.Context(), &nulls, `SELECT COUNT(*) FROM things WHERE other IS NULL AND at IS NULL`); err != nil || nulls != 2 {
			p.Errorf("%d rows have NULL for what is left out (%v), want 2", nulls, err)
		}
		var less struct{ Word string }
		if err := p.db.Get(p.Context(), &less, query); !contains(err, "no field for the column id") {
			p.Errorf("a column without a field: got %v", err)
		}
		for i := range want {
			want[i].ID = 0
		}
	})
}
