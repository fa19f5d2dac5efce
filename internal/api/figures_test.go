package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/report"
)

// names gives a tag of all fields of a struct, also those of embedded ones.
func names(of any, tag string) (list []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
		if !field.Anonymous {
			name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func keys(list []report.Figure, but func(report.Figure) bool) (names []string) {
	for _, f := range list {
		if but == nil || !but(f) {
			names = append(names, string(f.Key))
		}
	}
	slices.Sort(names)
	return names
}

// TestFigures_inJSON: answers have a field for each figure there is, and for no other; so have changes, for those that
// change.
func TestFigures_inJSON(t *testing.T) {
	mix := names(MixJSON{}, "json")
	all := slices.DeleteFunc(names(kpisJSON{}, "json"), func(n string) bool { return slices.Contains(mix, n) })
	if want := keys(report.Figures(), nil); !slices.Equal(all, want) {
		t.Errorf("key figures are %v,\nwant %v", all, want)
	}
	changing := keys(report.Figures(), func(f report.Figure) bool { return f.NoChange })
	if got := names(changesJSON{}, "json"); !slices.Equal(got, changing) {
		t.Errorf("changes are of %v,\nwant %v", got, changing)
	}
	ofSums := keys(report.InFiles(), nil)
	if got := names(FiguresJSON{}, "json"); !slices.Equal(got, ofSums) {
		t.Errorf("lists have %v,\nwant %v", got, ofSums)
	}
}

// TestFigures_inParameters: lists can be narrowed by each figure that may be, and say by which they can be sorted.
func TestFigures_inParameters(t *testing.T) {
	var bounds []string
	for _, f := range report.Bounded() {
		bounds = append(bounds, "min_"+string(f.Key), "max_"+string(f.Key))
	}
	slices.Sort(bounds)
	if got := names(FigureBounds{}, "query"); !slices.Equal(got, bounds) {
		t.Errorf("bounds are %v,\nwant %v", got, bounds)
	}
	words := "name"
	listed := report.Listed()
	for i, f := range listed {
		if i == len(listed)-1 {
			words += " or " + string(f.Key)
		} else {
			words += ", " + string(f.Key)
		}
	}
	for _, of := range []any{FigureSort{}, CreatorSort{}} {
		field, _ := reflect.TypeOf(of).FieldByName("Sort")
		if doc := field.Tag.Get("doc"); !strings.HasPrefix(doc, words+";") {
			t.Errorf("%T says %q, want %q", of, doc, words)
		}
	}
}
