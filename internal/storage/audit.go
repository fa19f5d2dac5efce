package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// AuditEntry is one change that somebody may ask about later. Before and After are marshaled to JSON; nil is empty.
// Neither may hold a secret.
type AuditEntry struct {
	At      time.Time
	Actor   string
	Action  string // "code.end", "settings.set"
	Subject fmt.Stringer
	Before  any
	After   any
}

// Audit appends an entry to the audit log, in the transaction of the change.
func (tx *Tx) Audit(ctx context.Context, e AuditEntry) error {
	before, err := auditJSON(e.Before)
	if err != nil {
		return err
	}
	after, err := auditJSON(e.After)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO audit_log (at, actor, action, subject, before, after) VALUES (?, ?, ?, ?, ?, ?)`,
		At(e.At), e.Actor, e.Action, e.Subject.String(), before, after)
	return err
}

func auditJSON(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// AuditRecord is an entry as it was kept.
type AuditRecord struct {
	ID      int64
	At      Time
	Actor   string
	Action  string
	Subject string
	Before  string // JSON, or empty
	After   string
}

// AuditLog lists the entries about one subject (all when it is empty), oldest first.
func (q queries) AuditLog(ctx context.Context, subject string, p Page) ([]AuditRecord, string, error) {
	var f Filter
	if subject != "" {
		f.And("subject = ?", subject)
	}
	return paged[AuditRecord](ctx, q, selectAudit, f, byID, p)
}

const selectAudit = `SELECT id, at, actor, action, subject, before, after FROM audit_log`

// NewestAuditID gives the id of the newest entry; 0 when there is none.
func (q queries) NewestAuditID(ctx context.Context) (id int64, err error) {
	err = q.Get(ctx, &id, `SELECT COALESCE(MAX(id), 0) FROM audit_log`)
	return id, err
}

// AuditFilter narrows the audit log; zero fields narrow nothing.
type AuditFilter struct {
	Subject string // the id of one thing: "cmp_1"
	Kind    string // what ids of a kind begin with: "cmp_"
	Actor   string // the whole name, as entries have it
}

// NewestAudit lists the entries that a filter keeps, newest first.
func (q queries) NewestAudit(ctx context.Context, a AuditFilter, p Page) ([]AuditRecord, string, error) {
	var f Filter
	Is(&f, "subject", a.Subject)
	Is(&f, "actor", a.Actor)
	if a.Kind != "" {
		f.And(`subject LIKE ? ESCAPE '\'`, Containing(a.Kind)[1:])
	}
	return paged[AuditRecord](ctx, q, selectAudit, f, Keyset{Keys: []Key{{SQL: "id", Descending: true}}}, p)
}

// Word is what people call a thing, and the id of the thing whose page shows it, which may be another one: an order
// shows its conversion. Page is empty where no page shows the thing.
type Word struct {
	Name string
	Page string
}

// words say how the things of an id's prefix are called; each query gives id, name and page.
var words = map[string]string{
	"cmp": `SELECT id, name, 'cmp_' || id AS page FROM campaigns WHERE id IN (?)`,
	"cre": `SELECT id, name, 'cre_' || id AS page FROM creators WHERE id IN (?)`,
	"str": `SELECT id, name, 'str_' || id AS page FROM stores WHERE id IN (?)`,
	"usr": `SELECT id, name, 'usr_' || id AS page FROM users WHERE id IN (?)`,
	"tok": `SELECT id, name, '' AS page FROM api_tokens WHERE id IN (?)`,
	"ord": `SELECT o.id, o.number AS name, 'ord_' || o.id AS page FROM orders o WHERE o.id IN (?)`,
	"off": `SELECT id, name, 'cmp_' || campaign_id AS page FROM offers WHERE id IN (?)`,
	"cst": `SELECT id, note AS name, 'cmp_' || campaign_id AS page FROM campaign_costs WHERE id IN (?)`,
	"cnv": `SELECT c.id, o.number AS name, 'ord_' || o.id AS page FROM conversions c JOIN orders o ON o.id = c.order_id WHERE c.id IN (?)`,
	"rrl": `SELECT r.id, r.name, 'cmp_' || o.campaign_id AS page FROM reward_rules r JOIN offers o ON o.id = r.offer_id WHERE r.id IN (?)`,
	"rwd": `SELECT w.id, r.name || ' of ' || c.name AS name, 'cre_' || c.id AS page FROM rewards w JOIN reward_rules r ON r.id = w.rule_id
		JOIN creators c ON c.id = w.creator_id WHERE w.id IN (?)`,
	"ebt": `SELECT id, entries || CASE WHEN entries = 1 THEN ' entry' ELSE ' entries' END || ': ' || reason AS name, '' AS page FROM entry_batches WHERE id IN (?)`,
	"pay": `SELECT p.id, c.name, 'pay_' || p.id AS page FROM payouts p JOIN creators c ON c.id = p.creator_id WHERE p.id IN (?)`,
	"bat": `SELECT id, day || ' · ' || payouts || CASE WHEN payouts = 1 THEN ' payout' ELSE ' payouts' END AS name, 'run_' || id AS page FROM payout_runs WHERE id IN (?)`,
	"run": `SELECT id, day || ' · ' || payouts || CASE WHEN payouts = 1 THEN ' payout' ELSE ' payouts' END AS name, 'run_' || id AS page FROM payout_runs WHERE id IN (?)`,
	"mem": `SELECT m.id, c.name, 'cmp_' || m.campaign_id AS page FROM campaign_members m JOIN creators c ON c.id = m.creator_id WHERE m.id IN (?)`,
	"ofm": `SELECT x.id, c.name || ' in ' || o.name AS name, 'cmp_' || o.campaign_id AS page FROM offer_members x
		JOIN offers o ON o.id = x.offer_id JOIN campaign_members m ON m.id = x.member_id JOIN creators c ON c.id = m.creator_id WHERE x.id IN (?)`,
	"cod": `SELECT k.id, k.code AS name, 'cmp_' || o.campaign_id AS page FROM codes k JOIN offer_members x ON x.id = k.offer_member_id
		JOIN offers o ON o.id = x.offer_id WHERE k.id IN (?)`,
	"cru": `SELECT c.id, COALESCE(o.name, 'codes that were taken over') AS name, 'cru_' || c.id AS page FROM code_runs c
		LEFT JOIN offers o ON o.id = c.offer_id WHERE c.id IN (?)`,
	"job": `SELECT j.id, s.name, 'str_' || s.id AS page FROM store_jobs j JOIN stores s ON s.id = j.store_id WHERE j.id IN (?)`,
	"snd": `SELECT id, subject AS name, 'snd_' || id AS page FROM mail_sends WHERE id IN (?)`,
	"mai": `SELECT id, creator AS name, 'snd_' || send_id || '/mai_' || id AS page FROM mails WHERE id IN (?)`,
	"lnk": `SELECT id, slug AS name, 'lnk_' || id AS page FROM links WHERE id IN (?)`,
}

// WordsFor gives the words for ids such as cmp_1. What is no id, or names nothing, is left out.
func (q queries) WordsFor(ctx context.Context, ids []string) (map[string]Word, error) {
	byPrefix := map[string][]int64{}
	for _, id := range ids {
		prefix, number, _ := strings.Cut(id, "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && words[prefix] != "" &&
			!slices.Contains(byPrefix[prefix], n) {
			byPrefix[prefix] = append(byPrefix[prefix], n)
		}
	}
	found := map[string]Word{}
	for prefix, numbers := range byPrefix {
		for part := range slices.Chunk(numbers, 500) {
			var rows []struct {
				ID int64
				Word
			}
			if err := q.ListIn(ctx, &rows, words[prefix], part); err != nil {
				return nil, fmt.Errorf("look up what %s_… are called: %w", prefix, err)
			}
			for _, r := range rows {
				found[prefix+"_"+strconv.FormatInt(r.ID, 10)] = r.Word
			}
		}
	}
	return found, nil
}

// LastSignIns gives when users signed in last; those who never did are left out.
func (q queries) LastSignIns(ctx context.Context, users []affiliate.UserID) (map[affiliate.UserID]time.Time, error) {
	if len(users) == 0 {
		return nil, nil
	}
	byName, names := map[string]affiliate.UserID{}, make([]string, len(users))
	for i, id := range users {
		names[i] = id.String()
		byName[names[i]] = id
	}
	var rows []struct {
		Subject string
		At      Time
	}
	err := q.ListIn(ctx, &rows, `SELECT subject, MAX(at) AS at FROM audit_log WHERE subject IN (?) AND action = 'user.sign_in' GROUP BY subject`, names)
	last := make(map[affiliate.UserID]time.Time, len(rows))
	for _, r := range rows {
		last[byName[r.Subject]] = r.At.Time
	}
	return last, err
}
