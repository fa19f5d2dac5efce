package tables_test

import (
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// TestConversions: what conversions can be sorted by is a column, and each column of the page is described.
func TestConversions(t *testing.T) {
	described := tables.Conversions()
	var sorted []string
	for _, c := range described.Columns {
		if c.Sorted {
			sorted = append(sorted, c.Key)
		}
		if (c.File == "") != (c.Write == nil) {
			t.Errorf("the column %q %q has a head in files or cells, but not both", c.Key, c.File)
		}
	}
	want := slices.Sorted(slices.Values(storage.ConversionColumns()))
	if slices.Sort(sorted); !slices.Equal(sorted, want) {
		t.Errorf("sorted by %q, storage sorts by %q", sorted, want)
	}
	for _, c := range described.Page() {
		if c.Title == "" {
			t.Errorf("the column %q of the page has no title", c.Key)
		}
	}
}
