package storage

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Snapshot is the database as it was at one moment: whatever is read from it belongs together.
type Snapshot struct{ queries }

// InSnapshot runs f on a snapshot that is taken at its first query. Figures are in it as they are to be shown; see
// AsShown. It holds a connection until f ends, and PostgreSQL
// cannot clean up what has changed since: whoever waits for slow readers in f must bound how long and how many.
func (db *DB) InSnapshot(ctx context.Context, f func(s *Snapshot) error) error {
	raw, err := db.read.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", err)
	}
	defer func() { _ = raw.Rollback() }() // nothing was written
	s := &Snapshot{queries{c: db.noted(raw), d: db.d, reads: true}}
	if !db.Embedded() {
		// Compiling a query that reads a million rows once takes half a second longer than it saves.
		if _, err := s.exec(ctx, `SET LOCAL jit = off`); err != nil {
			return err
		}
	}
	if shownIn(ctx) == nil {
		if s.snapshot, err = s.shownNow(ctx); err != nil {
			return err
		}
	}
	return f(s)
}

// stream reads rows one by one: it puts each into row, a pointer to a struct with a field for each column or to the
// one value that a row has, and calls each, which may not use the database. Row, and what it points to, is used again
// for the next one.
func (q queries) stream(ctx context.Context, query string, args []any, row any, each func() error) error {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	return q.rows(reading, q.d.rebind(query), args, func(rows *sqlx.Rows) error {
		err := scanEach(rows, row, each)
		if err != nil {
			cancel() // before the rows are closed, which would read the rest of them
			return err
		}
		return ctx.Err() // plainer than what the driver says then
	})
}

// Names are the words for ids, for rows that are read by the million: looked up here they travel once.
type Names struct {
	Account   money.Currency // the account's currency
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
	if err := q.eachWord(ctx, `SELECT id, name AS word FROM campaigns`, func(id int64, name string) {
		n.Campaigns[affiliate.CampaignID(id)] = name
	}); err != nil {
		return n, err
	}
	if err := q.eachWord(ctx, `SELECT id, name AS word FROM offers`, func(id int64, name string) { n.Offers[affiliate.OfferID(id)] = name }); err != nil {
		return n, err
	}
	var r struct {
		ID affiliate.CreatorID
		CreatorName
	}
	err = q.stream(ctx, `SELECT r.id, r.name, `+bestHandle+` AS handle FROM creators r`, nil, &r, func() error {
		n.Creators[r.ID] = r.CreatorName
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
	return names, q.eachWord(ctx, `SELECT id, name AS word FROM stores`, func(id int64, name string) { names[affiliate.StoreID(id)] = name })
}

// StoreSlugs reads the slugs of all stores.
func (q queries) StoreSlugs(ctx context.Context) (map[affiliate.StoreID]string, error) {
	slugs := map[affiliate.StoreID]string{}
	put := func(id int64, slug string) { slugs[affiliate.StoreID(id)] = slug }
	return slugs, q.eachWord(ctx, `SELECT id, slug AS word FROM stores`, put)
}

// eachWord reads ids with a word for each.
func (q queries) eachWord(ctx context.Context, query string, put func(id int64, word string)) error {
	var r struct {
		ID   int64
		Word string
	}
	err := q.stream(ctx, query, nil, &r, func() error {
		put(r.ID, r.Word)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	return nil
}
