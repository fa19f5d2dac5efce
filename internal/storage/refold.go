package storage

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// textRules names, in the table of settings, the version of the rules that kept texts were cleaned and folded by.
const textRules = "text_rules"

// TextRules gives the version of the rules that kept texts were cleaned and folded by; 0 before they were versioned.
func (q queries) TextRules(ctx context.Context) (version int, err error) {
	var text string
	err = q.Get(ctx, &text, `SELECT value FROM settings WHERE name = ?`, textRules)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return 0, nil
	}
	if err == nil {
		version, err = strconv.Atoi(text)
	}
	return version, err
}

// Refolded is what bringing kept texts up to date changed.
type Refolded struct {
	Creators int64    // whose e-mail address has another hash, or whose name or address held what nobody can see
	Texts    int64    // names, handles, codes and addresses of landing pages
	Left     []string // "codes: zw10": texts that now equal another one, and were left as they are
}

// Refold cleans and folds anew all that was kept by older rules, and notes the version of the rules. emailHash gives
// the keyed hash of an e-mail address.
func (tx *Tx) Refold(ctx context.Context, version int, now time.Time, emailHash func(string) string) (Refolded, error) {
	var r Refolded
	if err := tx.refoldCreators(ctx, &r, emailHash); err != nil {
		return r, fmt.Errorf("fold creators: %w", err)
	}
	for _, t := range []foldedTexts{
		{"campaigns", "''", "name", affiliate.Clean, affiliate.FoldName},
		{"offers", "campaign_id", "name", affiliate.Clean, affiliate.FoldName},
		{"creator_handles", "network", "handle", affiliate.TidyHandle, affiliate.FoldHandle},
		{"codes", "store_id", "code", affiliate.Clean, affiliate.FoldCode},
	} {
		if err := tx.refoldTexts(ctx, &r, t); err != nil {
			return r, fmt.Errorf("fold %s: %w", t.table, err)
		}
	}
	for _, t := range [][2]string{{"links", "landing_url"}, {"stores", "name"}} {
		if err := tx.cleanTexts(ctx, &r, t[0], t[1]); err != nil {
			return r, fmt.Errorf("clean %s: %w", t[0], err)
		}
	}
	if err := tx.refoldEvidence(ctx); err != nil {
		return r, fmt.Errorf("fold codes and slugs of orders without credit: %w", err)
	}
	_, err := tx.exec(ctx, `INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
		textRules, strconv.Itoa(version), At(now))
	return r, err
}

func (tx *Tx) refoldCreators(ctx context.Context, r *Refolded, emailHash func(string) string) error {
	var rows []affiliate.Creator
	if err := tx.List(ctx, &rows, `SELECT `+creatorColumns.of("")+` FROM creators ORDER BY id`); err != nil {
		return err
	}
	for _, c := range rows {
		name, email := affiliate.Clean(c.Name), affiliate.Clean(c.Email)
		if hash := emailHash(email); name != c.Name || email != c.Email || hash != c.EmailHash {
			n, err := tx.exec(ctx,
				`UPDATE creators SET name = ?, email = ?, email_hash = ?, version = version + 1 WHERE id = ?`,
				name, email, hash, c.ID)
			if r.Creators += n; err != nil {
				return err
			}
		}
	}
	return nil
}

// foldedTexts are the texts of a table that are compared by a folded form, which is unique in a scope but for codes,
// whose intervals share it.
type foldedTexts struct {
	table, scope, column string
	clean, fold          func(string) string
}

func (tx *Tx) refoldTexts(ctx context.Context, r *Refolded, t foldedTexts) error {
	var rows []struct{ Scope, Text, Folded string }
	if err := tx.List(ctx, &rows,
		`SELECT DISTINCT CAST(`+t.scope+` AS TEXT) AS scope, `+t.column+` AS text, folded FROM `+t.table+
			` ORDER BY 1, 3, 2`); err != nil {
		return err
	}
	taken := map[[2]string]bool{}
	for _, row := range rows {
		taken[[2]string{row.Scope, row.Folded}] = true
	}
	for _, row := range rows {
		folded, text := t.fold(row.Text), t.clean(row.Text)
		if folded == row.Folded && text == row.Text {
			continue
		}
		if key := [2]string{row.Scope, folded}; folded != row.Folded && taken[key] {
			r.Left = append(r.Left, t.table+": "+folded)
			continue
		}
		n, err := tx.exec(ctx,
			`UPDATE `+t.table+` SET `+t.column+` = ?, folded = ? WHERE `+t.column+` = ? AND folded = ? AND CAST(`+t.scope+` AS TEXT) = ?`,
			text, folded, row.Text, row.Folded, row.Scope)
		if r.Texts += n; err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) cleanTexts(ctx context.Context, r *Refolded, table, column string) error {
	var texts []string
	if err := tx.List(ctx, &texts, `SELECT DISTINCT `+column+` FROM `+table); err != nil {
		return err
	}
	for _, text := range texts {
		if clean := affiliate.Clean(text); clean != text {
			n, err := tx.exec(ctx, `UPDATE `+table+` SET `+column+` = ? WHERE `+column+` = ?`, clean, text)
			if r.Texts += n; err != nil {
				return err
			}
		}
	}
	return nil
}

// refoldEvidence cleans the codes and slugs of orders without credit, so that owners who come now find them.
func (tx *Tx) refoldEvidence(ctx context.Context) error {
	var values []string
	if err := tx.List(ctx, &values, `SELECT DISTINCT value FROM unowned_evidence`); err != nil {
		return err
	}
	for _, v := range values {
		clean := affiliate.Clean(v)
		if clean == v {
			continue
		}
		if clean != "" {
			if _, err := tx.exec(ctx, `INSERT INTO unowned_evidence (order_id, store_id, kind, value)
				SELECT order_id, store_id, kind, ? FROM unowned_evidence WHERE value = ? ON CONFLICT DO NOTHING`, clean, v); err != nil {
				return err
			}
		}
		if _, err := tx.exec(ctx, `DELETE FROM unowned_evidence WHERE value = ?`, v); err != nil {
			return err
		}
	}
	return nil
}
