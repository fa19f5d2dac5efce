package affiliate

import (
	"errors"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/money"
)

func TestCost_Validate(t *testing.T) {
	good := Cost{Amount: 1, Currency: "EUR", Day: "2026-05-01", Note: "a photographer"}
	for _, c := range []struct {
		name   string
		change func(*Cost)
		field  string // empty: valid
	}{
		{"as it should be", func(*Cost) {}, ""},
		{"the largest", func(c *Cost) { c.Amount = money.Limit }, ""},
		{"too large", func(c *Cost) { c.Amount = money.Limit + 1 }, "amount"},
		{"nothing", func(c *Cost) { c.Amount = 0 }, "amount"},
		{"money back", func(c *Cost) { c.Amount = -5 }, "amount"},
		{"no currency", func(c *Cost) { c.Currency = "" }, "currency"},
		{"an unknown currency", func(c *Cost) { c.Currency = "QQQ" }, "currency"},
		{"no day", func(c *Cost) { c.Day = "" }, "day"},
		{"no such day", func(c *Cost) { c.Day = "2026-02-30" }, "day"},
		{"a moment", func(c *Cost) { c.Day = "2026-05-01T10:00:00Z" }, "day"},
		{"a day of another age", func(c *Cost) { c.Day = "0026-05-01" }, "day"},
		{"no note", func(c *Cost) { c.Note = " \n" }, "note"},
		{"a long note", func(c *Cost) { c.Note = strings.Repeat("x", maxNote+1) }, "note"},
	} {
		cost := good
		c.change(&cost)
		err := cost.Validate()
		var e *Error
		if field := ""; errors.As(err, &e) {
			if field = e.Field; field != c.field {
				t.Errorf("%s: %v, want an error about %q", c.name, err, c.field)
			}
		} else if c.field != "" || err != nil {
			t.Errorf("%s: %v, want an error about %q", c.name, err, c.field)
		}
	}
}
