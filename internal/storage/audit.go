package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
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

func (r AuditRecord) domain() AuditRecord { return r }
func (r AuditRecord) position() position  { return position{ID: r.ID} }

// AuditLog lists the entries about one subject (all when it is empty), oldest first.
func (q queries) AuditLog(ctx context.Context, subject string, p Page) ([]AuditRecord, string, error) {
	var f filter
	if subject != "" {
		f.and("subject = ?", subject)
	}
	return listPage[AuditRecord](ctx, q, `SELECT id, at, actor, action, subject, before, after FROM audit_log`, f, sorting{id: "id"}, p)
}
