package storage

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestKeyset_pages: page by page a list is the whole list in its order, whatever its keys are, without a row twice.
func TestKeyset_pages(t *testing.T) {
	type line struct {
		ID     int64
		Word   string
		Number *int64
	}
	eachPlanner(t, func(p planner) {
		lines := `SELECT * FROM (SELECT 1 AS id, 'b' AS word, 5 AS number UNION ALL SELECT 2, 'a', NULL UNION ALL
			SELECT 3, 'b', 5 UNION ALL SELECT 4, 'c', 7 UNION ALL SELECT 5, 'a', NULL UNION ALL SELECT 6, 'b', 1) l`
		for _, c := range []struct {
			keys []Key
			want []int64
		}{
			{byID.Keys, []int64{1, 2, 3, 4, 5, 6}},
			{[]Key{{SQL: "l.id", Descending: true}}, []int64{6, 5, 4, 3, 2, 1}},
			{byText("word", "id").Keys, []int64{2, 5, 1, 3, 6, 4}},
			{[]Key{{SQL: "word", Kind: TextKey, Descending: true}, {SQL: "id"}}, []int64{4, 1, 3, 6, 2, 5}},
			{[]Key{{SQL: "number", Nullable: true}, {SQL: "id"}}, []int64{6, 1, 3, 4, 2, 5}},
			{[]Key{{SQL: "number", Nullable: true, Descending: true}, {SQL: "id"}}, []int64{4, 1, 3, 6, 2, 5}},
			{[]Key{{SQL: "number", Nullable: true, Descending: true}, {SQL: "word", Kind: TextKey},
				{SQL: "id", Descending: true}}, []int64{4, 3, 1, 6, 5, 2}},
		} {
			for size := 1; size <= 3; size++ {
				var got []int64
				page := Page{Limit: size}
				for range 10 {
					rows, next, err := paged[line](p.Context(), p.db.queries, lines, Filter{},
						Keyset{Keys: c.keys}, page)
					if err != nil {
						p.Fatal(err)
					}
					for _, r := range rows {
						got = append(got, r.ID)
					}
					if page.Cursor = next; next == "" {
						break
					}
				}
				if !slices.Equal(got, c.want) {
					p.Errorf("by %v, %d at a time: got %v, want %v", c.keys, size, got, c.want)
				}
			}
		}
	})
}

// TestKeyset_refuses: a cursor is of one list in one order, and says so where it can.
func TestKeyset_refuses(t *testing.T) {
	byName, byDate := byText("name", "id"), newestOrders
	byName.Name, byDate.Name = "name", "-date"
	for _, c := range []struct {
		cursor string
		want   string
	}{
		{byDate.cursor("2026-03-01T00:00:00.000000Z", 7), "belongs to this list in another order (-date)"},
		{newestOrders.cursor("x", 7), "is not a cursor of this list"},
		{Keyset{Name: "name"}.cursor(7), "is not a cursor of this list"},
		{Keyset{Name: "name"}.cursor(7, "x"), "is not a cursor of this list"},
		{Keyset{Name: "name"}.cursor(nil, 7), "is not a cursor of this list"},
		{"bm8", "is not a cursor of this list"},
	} {
		err := byName.After(&Filter{}, c.cursor)
		if affiliate.KindOf(err) != affiliate.Invalid || !contains(err, c.want) {
			t.Errorf("%s: got %v, want %q", c.cursor, err, c.want)
		}
	}
	for _, cursor := range []string{byName.cursor("a", 7), carry(byName.cursor("a", 7), nil)} {
		if err := carried(cursor, &map[string]int64{}); !contains(err, "is not a cursor of this list") {
			t.Errorf("what no page carried was read from %s: %v", cursor, err)
		}
	}
}

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{"ID": "id", "Day": "day", "OfferMemberID": "offer_member_id",
		"LandingURL": "landing_url", "UTM": "utm", "URLKind": "url_kind"} {
		if got := snakeCase(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func contains(err error, part string) bool {
	return err != nil && strings.Contains(fmt.Sprint(err), part)
}
