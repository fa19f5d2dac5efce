package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestReadmeSteps: the README has the steps of every platform, word for word as its guide says them.
func TestReadmeSteps(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	ok(t, err)
	for _, g := range platforms().Guides() {
		begin, end := fmt.Sprintf("<!-- steps: %s -->\n", g.Platform), "<!-- end of steps -->"
		_, rest, _ := strings.Cut(string(text), begin)
		got, _, _ := strings.Cut(rest, end)
		var want strings.Builder
		for i, step := range g.Steps {
			fmt.Fprintf(&want, "%d. %s\n", i+1, markdown(g, step))
		}
		if got != want.String() {
			t.Errorf("README.md must say between %q and %q:\n%s", begin, end, want.String())
		}
	}
}

// markdown writes a step as the README does.
func markdown(g *affiliate.Guide, step affiliate.Marked) string {
	var labels []string
	for _, t := range g.Topics {
		labels = append(labels, "*"+t.Label+"*")
	}
	fill := map[string]string{"admin": "the " + g.Admin + " admin", "topics": strings.Join(labels, ", "),
		"url": "as it was printed", "secret": "the one that was printed",
		"other": "If it was another: `tributary store secret SLUG --add --webhook-secret SECRET`.",
		"seen":  "It shows up within seconds in `GET /status`"}
	var b strings.Builder
	for _, p := range step.Pieces() {
		switch {
		case p.Place != "":
			b.WriteString(fill[p.Place])
		case p.Word != "":
			b.WriteString("**" + strings.ReplaceAll(p.Word, " > ", " → ") + "**")
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}
