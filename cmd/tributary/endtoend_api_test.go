package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/recordings"
)

// Every list gives the same rows page by page as at once, and every change finds what it is for.
func TestAPI(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUp(t, sets)
		c := env.start(t).client(t, token)
		deliver(t, c, 4, sets[0].Requests)
		waitProcessed(t, c)
		for _, list := range []string{"stores", "campaigns", "members", "creators", "offers", "offer-members", "codes",
			"links", "tokens", "orders", "deliveries"} {
			t.Run("list "+list, func(t *testing.T) { wantPages(t, c, list) })
		}
		for _, thing := range []string{"stores/str_1", "campaigns/cmp_1", "creators/cre_1", "offers/off_1",
			"members/mem_1", "offer-members/ofm_1"} {
			t.Run("change "+thing, func(t *testing.T) { wantChanges(t, c, thing) })
		}
		t.Run("create a campaign with all its fields", func(t *testing.T) {
			a := ask(t, c, "POST", "campaigns", `{"name":"Spring","attribution_window_days":7,"precedence":"link_first","click_rule":"first_click"}`)
			if a.status != http.StatusCreated || !strings.Contains(a.text, `"attribution_window_days":7`) || !strings.Contains(a.text, `"precedence":"link_first"`) {
				t.Errorf("answered %s", a)
			}
		})
		t.Run("the document of the API describes what embedded types hold", func(t *testing.T) {
			a := ask(t, c, "GET", "openapi.json", "")
			wantStatus(t, "openapi.json", a.status, http.StatusOK)
			for _, word := range []string{`"cursor"`, `"waiting_orders"`, `"version"`, `"/api/v1/orders/{store}/{external_id}"`, `"/api/v1/deliveries/{id}/replay"`} {
				if !strings.Contains(a.text, word) {
					t.Errorf("%s is not in it", word)
				}
			}
		})
	})
}

func ask(t *testing.T, c *recordings.Client, method, path, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.Base+"/api/v1/"+path, strings.NewReader(body))
	ok(t, err)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.HTTP.Do(request)
	ok(t, err)
	return readAnswer(t, response)
}

type listPage struct {
	Data       []json.RawMessage `json:"data"`
	NextCursor *string           `json:"next_cursor"`
}

func wantPages(t *testing.T, c *recordings.Client, list string) {
	var whole listPage
	ok(t, c.Get(t.Context(), "/api/v1/"+list+"?limit=200", &whole))
	if len(whole.Data) == 0 {
		t.Fatal("the list is empty")
	}
	var rows []json.RawMessage
	for cursor := ""; ; {
		var page listPage
		ok(t, c.Get(t.Context(), "/api/v1/"+list+"?limit=3&cursor="+cursor, &page))
		if len(page.Data) > 3 || len(rows) > len(whole.Data) {
			t.Fatalf("%d rows on a page of three, %d before", len(page.Data), len(rows))
		}
		rows = append(rows, page.Data...)
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	if got, want := bytes.Join(asBytes(rows), []byte("\n")), bytes.Join(asBytes(whole.Data),
		[]byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("page by page:\n%s\nat once:\n%s", got, want)
	}
}

func asBytes(rows []json.RawMessage) [][]byte {
	list := make([][]byte, len(rows))
	for i, r := range rows {
		list[i] = r
	}
	return list
}

var lastSeen = regexp.MustCompile(`"last_(delivery|processed)_at":("[^"]*"|null),`)

func wantChanges(t *testing.T, c *recordings.Client, thing string) {
	before := ask(t, c, "GET", thing, "")
	wantStatus(t, "GET", before.status, http.StatusOK)
	same := ask(t, c, "PATCH", thing, `{"version":1}`)
	// A store's last delivery is noted some time after it came.
	if same.status != http.StatusOK || lastSeen.ReplaceAllString(same.text,
		"") != lastSeen.ReplaceAllString(before.text, "") {
		t.Errorf("a change of nothing: answered %s, want %s", same, before)
	}
	if old := ask(t, c, "PATCH", thing, `{"version":99}`); old.status != http.StatusConflict || old.Code != "version_conflict" {
		t.Errorf("a change of a version that is not there: answered %s, want a version conflict", old)
	}
}
