package api

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/storage"
)

// PageInput are the query parameters of every list. Like all types that inputs and answers embed, it is exported: huma
// silently passes over embedded fields of other types.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many rows at most"`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; empty for the first page"`
}

func (p PageInput) page() storage.Page { return storage.Page{Limit: p.Limit, Cursor: p.Cursor} }

// listOf is a page of a list.
type listOf[T any] struct {
	Data       []T     `json:"data" nullable:"false"`
	NextCursor *string `json:"next_cursor" doc:"Ask for the next page with it; null on the last page"`
}

type listOutput[T any] struct{ Body listOf[T] }

// listPage maps a page of domain values to what the API shows of them.
func listPage[T, V any](rows []T, next string, err error, view func(T) V) (*listOutput[V], error) {
	if err != nil {
		return nil, err
	}
	out := &listOutput[V]{Body: listOf[V]{Data: make([]V, len(rows))}}
	for i, r := range rows {
		out.Body.Data[i] = view(r)
	}
	if next != "" {
		out.Body.NextCursor = &next
	}
	return out, nil
}

// output is an answer with one thing in it.
type output[T any] struct{ Body T }

// one maps a domain value to what the API shows of it.
func one[T, V any](v T, err error, view func(T) V) (*output[V], error) {
	if err != nil {
		return nil, err
	}
	return &output[V]{Body: view(v)}, nil
}

// optional is a field of a change that may be left out (nothing changes) or be null (the value is taken away).
type optional[T any] struct {
	set   bool
	value *T // nil for null
}

// UnmarshalJSON is called only for fields that are there.
func (o *optional[T]) UnmarshalJSON(text []byte) error {
	o.set = true
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	return json.Unmarshal(text, &o.value)
}

// Schema describes the field as its value, or null.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := r.Schema(reflect.TypeFor[T](), false, "")
	nullable := *s
	nullable.Nullable = true
	return &nullable
}

// apply sets to: the zero value for null.
func (o optional[T]) apply(to *T) {
	if !o.set {
		return
	}
	var zero T
	*to = zero
	if o.value != nil {
		*to = *o.value
	}
}

// setIf sets to when a value was given.
func setIf[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

// orNull is null for a zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// ChangeInput is the version that a change was made on, in the body of every PATCH of something that has versions.
type ChangeInput struct {
	Version int `json:"version,omitempty" minimum:"1" doc:"The version that was read; when it has changed since, the answer is 409"`
}

// query reads what the parameters of the request narrow, as pages do.
func (a *API) query(ctx context.Context) (*filters.Query, error) {
	_, zone, err := a.App.DB.Account(ctx)
	return filters.New(ctx, a.App.DB, requestOf(ctx).Request.URL.Query(), zone), err
}

// idPath reads an id in a path: what is no id cannot be found.
func idPath[T ~int64](prefix, s string) (T, error) {
	id, err := affiliate.ParseID[T](prefix, s)
	if err != nil {
		return 0, affiliate.Errorf(affiliate.NotFound, "%s", err)
	}
	return id, nil
}

// commissionJSON is a rule: a share of the value, an amount per order, or both.
type commissionJSON struct {
	Percent string `json:"percent,omitempty" default:"0.00" example:"12.50" doc:"Of the order's value"`
	Flat    string `json:"flat,omitempty" default:"0.00" example:"3.00" doc:"Per order, in the order's currency"`
}

func commissionView(r affiliate.Rule) commissionJSON {
	return commissionJSON{Percent: affiliate.FormatPercent(r.Percent), Flat: affiliate.FormatFlat(r.Flat)}
}

func (c commissionJSON) rule() (r affiliate.Rule, err error) {
	if c.Percent != "" {
		if r.Percent, err = affiliate.ParsePercent("commission.percent", c.Percent); err != nil {
			return r, err
		}
	}
	if c.Flat != "" {
		r.Flat, err = affiliate.ParseFlat("commission.flat", c.Flat)
	}
	return r, err
}

// fieldsOf gives where the fields of a JSON object are, by their names in JSON. Answers with many rows ask for each, so
// each type is looked at once.
func fieldsOf(t reflect.Type) map[string][]int {
	if known, ok := knownFields.Load(t); ok {
		return known.(map[string][]int)
	}
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			fields[name] = f.Index
		}
	}
	knownFields.Store(t, fields)
	return fields
}

var knownFields sync.Map // reflect.Type → map[string][]int
