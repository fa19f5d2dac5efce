// Package filters reads what a list or an export is narrowed to, as addresses have it: the same parameters mean the
// same to pages, to the API and on the command line.
package filters

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Query reads parameters. The first that is wrong is kept as the error, which names it; what is read after that means
// nothing.
type Query struct {
	ctx    context.Context
	db     *storage.DB
	values url.Values
	zone   *time.Location
	err    error
}

// New reads values. Days are those of the account's zone.
func New(ctx context.Context, db *storage.DB, values url.Values, zone *time.Location) *Query {
	return &Query{ctx: ctx, db: db, values: values, zone: zone}
}

// Err gives the first error.
func (q *Query) Err() error { return q.err }

func (q *Query) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// Text reads a parameter without the spaces around it.
func (q *Query) Text(name string) string {
	text := strings.TrimSpace(q.values.Get(name))
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		q.fail(affiliate.FieldErrorf(name, "must be text without control characters"))
	}
	return text
}

// flag reads whether a parameter says true.
func (q *Query) flag(name string) bool {
	on, err := strconv.ParseBool(q.values.Get(name))
	if err != nil && q.values.Get(name) != "" {
		q.fail(affiliate.FieldErrorf(name, "must be true or false"))
	}
	return on
}

// former says whether those are wanted, too, who left the campaign or the community.
func (q *Query) former() bool { return q.values.Get("include") == "former" || q.flag("former") }

// moment reads a time, or a day moved on by some days.
func (q *Query) moment(name string, days int) time.Time {
	at, err := affiliate.ParseMoment(name, q.values.Get(name), q.zone, days)
	if err != nil {
		q.fail(err)
	}
	return at
}

// Span reads from and to; to as a day is the last one that counts.
func (q *Query) Span() (from, to time.Time) { return q.moment("from", 0), q.moment("to", 1) }

// Range reads period, from and to, in days; the usual preset where none of them is there.
func (q *Query) Range(usual affiliate.Preset, now time.Time) affiliate.Range {
	period, from, to := q.values.Get("period"), q.values.Get("from"), q.values.Get("to")
	if period+from+to == "" {
		period = string(usual)
	}
	r, err := affiliate.ParsePeriod(period, from, to, now, q.zone)
	if err != nil {
		q.fail(err)
		return affiliate.Range{}
	}
	return r
}

// currency reads a currency.
func (q *Query) currency() money.Currency {
	text := q.values.Get("currency")
	if text == "" {
		return ""
	}
	c, err := money.ParseCurrency(text)
	if err != nil {
		q.fail(affiliate.FieldErrorf("currency", "%v", err))
	}
	return c
}

// store finds the store that is named by its id or its slug; the zero Store where none is.
func (q *Query) store() (store affiliate.Store) {
	ref := q.values.Get("store")
	if ref == "" || q.err != nil {
		return store
	}
	store, err := q.db.StoreNamed(q.ctx, ref)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.AboutField("store", err)
	}
	if err != nil {
		q.fail(err)
	}
	return store
}

func word[W affiliate.Word[W]](q *Query, name string) W {
	w, err := affiliate.ParseWord[W](name, q.values.Get(name))
	if err != nil {
		q.fail(err)
	}
	return w
}

func words[W affiliate.Word[W]](q *Query, name string) []W {
	list, err := affiliate.ParseWords[W](name, q.values.Get(name))
	if err != nil {
		q.fail(err)
	}
	return list
}

func id[ID ~int64](q *Query, name, prefix string) ID {
	id, err := affiliate.OptionalID[ID](name, prefix, q.values.Get(name))
	if err != nil {
		q.fail(err)
	}
	return id
}

// ids reads a parameter that may be there several times, each with commas between its ids.
func ids[ID ~int64](q *Query, name, prefix string) (list []ID) {
	for _, text := range q.values[name] {
		some, err := affiliate.ParseIDs[ID](name, prefix, affiliate.CommaList(text))
		if err != nil {
			q.fail(err)
		}
		list = append(list, some...)
	}
	return list
}
