package storage

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Snapshot is the database as it was at one moment: whatever is read from it belongs together.
type Snapshot struct{ queries }

// InSnapshot runs f on a snapshot that is taken at its first query. It holds a connection until f ends, and PostgreSQL
// cannot clean up what has changed since: whoever waits for slow readers in f must bound how long and how many.
func (db *DB) InSnapshot(ctx context.Context, f func(s *Snapshot) error) error {
	raw, err := db.read.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", err)
	}
	defer func() { _ = raw.Rollback() }() // nothing was written
	s := &Snapshot{queries{raw, db.d}}
	if !db.Embedded() {
		// Compiling a query that reads a million rows once takes half a second longer than it saves.
		if _, err := s.exec(ctx, `SET LOCAL jit = off`); err != nil {
			return err
		}
	}
	return f(s)
}

// stream reads rows one by one: it scans each into dest and calls each, which may not use the database.
func (q queries) stream(ctx context.Context, query string, args, dest []any, each func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	rows, err := q.c.QueryxContext(ctx, q.d.rebind(query), args...)
	if err != nil {
		cancel()
		return storageError(err)
	}
	defer rows.Close()
	defer cancel() // before Close, which would read the rest of the rows
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err // plainer than what the driver says then
	}
	return storageError(rows.Err())
}

// integerInto and its kin scan columns into ids, currencies and the like; NULL is the zero value. database/sql reaches
// typed values by reflection, which a stream of a million rows feels.
type (
	integerInto[T ~int64] struct{ to *T }
	textInto[T ~string]   struct{ to *T }
	momentInto            struct{ to *time.Time }
)

func intoInteger[T ~int64](to *T) any { return integerInto[T]{to} }
func intoText[T ~string](to *T) any   { return textInto[T]{to} }
func intoMoment(to *time.Time) any    { return momentInto{to} }

func (s integerInto[T]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.to = 0
	case int64:
		*s.to = T(v)
	default:
		return fmt.Errorf("a whole number cannot be read from %T", src)
	}
	return nil
}

func (s textInto[T]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s.to = ""
	case string:
		*s.to = T(v)
	case []byte:
		*s.to = T(v)
	default:
		return fmt.Errorf("a text cannot be read from %T", src)
	}
	return nil
}

func (s momentInto) Scan(src any) error {
	var t Time
	err := t.Scan(src)
	*s.to = t.Time
	return err
}

// Names are the words for ids, for rows that are read by the million: looked up here they travel once.
type Names struct {
	Stores    map[affiliate.StoreID]string
	Campaigns map[affiliate.CampaignID]string
	Offers    map[affiliate.OfferID]string
	Creators  map[affiliate.CreatorID]CreatorName
}

// CreatorName is how people know a creator.
type CreatorName struct {
	Name   string
	Handle string // the one on Instagram, or the first other; without @, empty without any
}

// Names reads the words for all ids there are.
func (q queries) Names(ctx context.Context) (Names, error) {
	n := Names{Campaigns: map[affiliate.CampaignID]string{}, Offers: map[affiliate.OfferID]string{},
		Creators: map[affiliate.CreatorID]CreatorName{}}
	var err error
	if n.Stores, err = q.StoreNames(ctx); err != nil {
		return n, err
	}
	if err := q.eachWord(ctx, `SELECT id, name FROM campaigns`, func(id int64, name string) {
		n.Campaigns[affiliate.CampaignID(id)] = name
	}); err != nil {
		return n, err
	}
	if err := q.eachWord(ctx, `SELECT id, name FROM offers`, func(id int64, name string) { n.Offers[affiliate.OfferID(id)] = name }); err != nil {
		return n, err
	}
	var id int64
	var word, handle string
	err = q.stream(ctx, `SELECT r.id, r.name, `+bestHandle+` FROM creators r`, nil, []any{&id, &word, &handle}, func() error {
		n.Creators[affiliate.CreatorID(id)] = CreatorName{word, handle}
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("read names: %w", err)
	}
	return n, nil
}

// StoreNames reads the names of all stores.
func (q queries) StoreNames(ctx context.Context) (map[affiliate.StoreID]string, error) {
	names := map[affiliate.StoreID]string{}
	return names, q.eachWord(ctx, `SELECT id, name FROM stores`, func(id int64, name string) { names[affiliate.StoreID(id)] = name })
}

// StoreSlugs reads the slugs of all stores.
func (q queries) StoreSlugs(ctx context.Context) (map[affiliate.StoreID]string, error) {
	slugs := map[affiliate.StoreID]string{}
	put := func(id int64, slug string) { slugs[affiliate.StoreID(id)] = slug }
	return slugs, q.eachWord(ctx, `SELECT id, slug FROM stores`, put)
}

// eachWord reads ids with a word for each.
func (q queries) eachWord(ctx context.Context, query string, put func(id int64, word string)) error {
	var id int64
	var word string
	err := q.stream(ctx, query, nil, []any{&id, &word}, func() error {
		put(id, word)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	return nil
}
