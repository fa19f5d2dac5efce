package storage

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// begins says whether a plan enters an index at a place of it: whole walks along an index name it, too.
func begins(plan, index string) bool {
	lines := strings.Split(plan, "\n")
	for i, line := range lines {
		if !strings.Contains(line, index) {
			continue
		}
		if strings.Contains(line, "SEARCH") && strings.Contains(line, ">? AND") ||
			i+1 < len(lines) && strings.Contains(lines[i+1], "Index Cond") {
			return true
		}
	}
	return false
}

// TestSearch_walks: what begins with a text is read from an index, however much there is.
func TestSearch_walks(t *testing.T) {
	eachPlanner(t, func(p planner) {
		for index, read := range map[string]func(queries) error{
			"orders_number": func(q queries) error {
				_, err := q.OrdersNamed(p.Context(), "10", 6)
				return err
			},
			"codes_prefix": func(q queries) error {
				_, err := q.CodesNamed(p.Context(), "anna", 6)
				return err
			},
			"links_prefix": func(q queries) error {
				_, err := q.LinksNamed(p.Context(), "anna", 6)
				return err
			},
		} {
			if index == "links_prefix" && !p.db.d.dollar {
				index = "sqlite_autoindex_links_" // slugs are unique
			}
			if plan := p.plan(read); !begins(plan, index) {
				p.Errorf("the plan does not begin in %s:\n%s", index, plan)
			}
		}
		full := p.plan(func(q queries) error {
			_, err := q.creatorsBeginning(p.Context(), "anna", 6)
			return err
		})
		for _, index := range []string{"creators_name", "creators_email", "creator_handles_prefix"} {
			if !begins(full, index) {
				p.Errorf("the plan does not begin in %s:\n%s", index, full)
			}
		}
		called := p.plan(func(q queries) error {
			_, err := q.ordersCalled(p.Context(), "10", 6)
			return err
		})
		if !strings.Contains(called, "orders_external") {
			p.Errorf("the plan does without orders_external:\n%s", called)
		}
	})
}

// TestSearch_creators: names are found by the beginning of any word, as they are written or not, and nobody twice.
func TestSearch_creators(t *testing.T) {
	eachPlanner(t, func(p planner) {
		for _, c := range []affiliate.Creator{
			{Name: "Anna Ahlers", Email: "Anna@Creators.example", Handles: map[string]string{"tiktok": "annatok"}},
			{Name: "Ben van Anders", Handles: map[string]string{"instagram": "ann_ben"}},
			{Name: "Cleo 100%", Email: "cleo_x@creators.example"},
			{Name: "Zoë"},
		} {
			c.CreatedAt = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			c.UpdatedAt = c.CreatedAt
			err := p.db.InTx(p.Context(), func(tx *Tx) error {
				_, err := tx.CreateCreator(p.Context(), c)
				return err
			})
			if err != nil {
				p.Fatal(err)
			}
		}
		for text, want := range map[string]string{"ann": "Anna Ahlers, Ben van Anders", "ANNA": "Anna Ahlers",
			"anna@": "Anna Ahlers", "@annatok": "Anna Ahlers", "ahl": "Anna Ahlers", "and": "Ben van Anders",
			"ders": "", "100%": "Cleo 100%", "cleo_x": "Cleo 100%", "cleo%x": "", "Zoë": "Zoë", "_": ""} {
			list, err := p.db.CreatorsNamed(p.Context(), text, 6)
			if err != nil {
				p.Fatal(err)
			}
			var names []string
			for _, c := range list {
				names = append(names, c.Name)
			}
			if got := strings.Join(names, ", "); got != want {
				p.Errorf("%q finds %q, want %q", text, got, want)
			}
		}
		if list, err := p.db.CreatorsNamed(p.Context(), "ann", 1); err != nil || len(list) != 1 {
			p.Errorf("one of two gives %d, %v", len(list), err)
		}
	})
}
