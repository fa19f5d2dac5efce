package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/recordings"
)

// TestDatabaseFaults: what PostgreSQL says when it is stopping, starting, full, in a deadlock or on its way to another
// server is told the same by the API and by pages, as something that passes. A fault of a query is ours.
func TestDatabaseFaults(t *testing.T) {
	t.Parallel()
	env := production(t)
	token := env.setUpStores(t, nil)
	c := env.start(t).client(t, token)
	db, err := sql.Open("postgres", env["DATABASE_URL"])
	ok(t, err)
	t.Cleanup(func() { ok(t, db.Close()) })
	exec := func(statement string) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), statement)
		ok(t, err)
	}
	exec("ALTER TABLE settings RENAME TO settings_kept")
	passing := []string{"57P01", "57P03", "53300", "53200", "40001", "40P01", "55P03", "58030", "08006", "25006"}
	for _, state := range append(slices.Clone(passing), "42883", "XX000") {
		exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION broken() RETURNS SETOF settings_kept LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'not now' USING ERRCODE = '%s'; END $$`, state))
		exec("CREATE OR REPLACE VIEW settings AS SELECT * FROM broken()")
		want := http.StatusInternalServerError
		if slices.Contains(passing, state) {
			want = http.StatusServiceUnavailable
		}
		for _, path := range []string{"/api/v1/orders", "/sign-in", "/sign-in?part=x"} {
			wantFault(t, c, state, path, want)
		}
	}
}

func wantFault(t *testing.T, c *recordings.Client, state, path string, want int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Base+path, nil)
	ok(t, err)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	response, err := c.HTTP.Do(request)
	ok(t, err)
	a := readAnswer(t, response)
	wantStatus(t, state+" "+path, a.status, want)
	sentence := "Something went wrong on our side."
	if want == http.StatusServiceUnavailable {
		sentence = "The database cannot be reached now; try again in a moment."
	}
	if !strings.Contains(a.text, sentence) {
		t.Errorf("%s %s: does not say %q: %s", state, path, sentence, a.text)
	}
	if again := response.Header.Get("Retry-After"); (again != "") != (want == http.StatusServiceUnavailable) {
		t.Errorf("%s %s: Retry-After is %q with status %d", state, path, again, a.status)
	}
}
