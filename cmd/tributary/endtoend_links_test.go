package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/storage"
)

func TestLinks_race(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		shop := sets[0]
		token := env.setUp(t, sets)
		env.open(t, func(ctx context.Context, a *app.App) {
			ok(t, importCreators(ctx, a, []byte("campaign,creator,instagram,email,offer,store,code,link_slug,"+
				"landing_url,commission_percent,commission_flat,product_value\n"+
				"Clicks,Dora Dee,@dora,dora@creators.example,Clicks ten,"+shop.Store.Slug+",,dora,https://example-shop.myshopify.com/p?size=m&ref=old&b=1#top,10,,0\n"+
				"Clicks,Eve End,@eve,eve@creators.example,Clicks ten,"+shop.Store.Slug+",,eve,https://example-shop.myshopify.com/,10,,0\n")))
		})
		c := env.start(t).client(t, token)

		var click string
		t.Run("a redirect keeps the page's own query and adds slug and click", func(t *testing.T) {
			response := follow(t, c, "/l/dora")
			wantStatus(t, "GET /l/dora", response.StatusCode, http.StatusFound)
			to, err := url.Parse(response.Header.Get("Location"))
			ok(t, err)
			click = to.Query().Get("tclid")
			want := "https://example-shop.myshopify.com/p?size=m&b=1&ref=dora&tclid=" + click +
				"&utm_source=tributary&utm_medium=affiliate&utm_campaign=clicks&utm_content=dora#top"
			if to.String() != want || len(click) != 26 {
				t.Errorf("redirected to %s, want %s with a click id of 26 characters", to, want)
			}
			if got := response.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control: %q, want no-store: every visit is a click of its own", got)
			}
		})
		t.Run("every visit is a click of its own", func(t *testing.T) {
			clicks := append(visit(t, c, "/l/DORA"), click)
			eventually(t, "the clicks are recorded", func() bool {
				return recordedClicks(t, env, clicks) == len(clicks)
			})
		})
		t.Run("unknown links are a plain page", func(t *testing.T) {
			for _, path := range []string{"/l/nobody", "/l/No%20Such", "/l/" + strings.Repeat("x", 300)} {
				response := follow(t, c, path)
				wantStatus(t, path, response.StatusCode, http.StatusNotFound)
				if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
					t.Errorf("%s: %s, want a page", path, got)
				}
			}
		})
		t.Run("an ended link is a plain page", func(t *testing.T) {
			wantStatus(t, "before its end", follow(t, c, "/l/eve").StatusCode, http.StatusFound)
			var list struct {
				Data []struct{ ID, Slug string }
			}
			ok(t, c.Get(t.Context(), "/api/v1/links?limit=500", &list))
			for _, l := range list.Data {
				if l.Slug == "eve" {
					ok(t, c.Post(t.Context(), "/api/v1/links/"+l.ID+"/end", struct{}{}, &struct{}{}))
				}
			}
			eventually(t, "the link has ended", func() bool {
				return follow(t, c, "/l/eve").StatusCode == http.StatusNotFound
			})
		})
		t.Run("a click id in the cart credits the link's owner", func(t *testing.T) {
			ok(t, c.Deliver(t.Context(), orderWithClick(t, shop, "5550001", click)))
			waitProcessed(t, c)
			o, found, err := c.Order(t.Context(), shop.Store.Slug, "5550001")
			ok(t, err)
			v := o.Conversion
			if !found || v == nil || v.Creator != "Dora Dee" || v.By() != "link dora" || v.Commission != "6.00" {
				t.Fatalf("order %+v with %+v, want it credited to Dora Dee by link dora with 6.00", o, o.Conversion)
			}
			checkTrace(t, c, shop.Store.Slug, o)
			checkLedger(t, env)
		})
	})
}

// No click is lost when the server is told to end right after its last redirect.
func TestLinks_end_with_the_server(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		env.setUp(t, allSets(t))
		p := env.spawn(t)
		c := p.client(t, "")
		clicks := visit(t, c, "/l/anna")
		c.Close()
		p.terminate(t)
		if got := recordedClicks(t, env, clicks); got != len(clicks) {
			t.Errorf("%d clicks were recorded, want %d", got, len(clicks))
		}
	})
}

// visit follows a link 400 times over eight connections at once and gives the click ids, which all differ.
func visit(t testing.TB, c *recordings.Client, path string) []string {
	t.Helper()
	const visitors, visits = 8, 50
	ids := make(chan string, visitors*visits)
	var all sync.WaitGroup
	for range visitors {
		all.Go(func() {
			for range visits {
				ids <- clickOf(t, follow(t, c, path))
			}
		})
	}
	all.Wait()
	close(ids)
	var clicks []string
	for id := range ids {
		clicks = append(clicks, id)
	}
	slices.Sort(clicks)
	if distinct := len(slices.Compact(slices.Clone(clicks))); distinct != visitors*visits {
		t.Fatalf("%d click ids, want %d", distinct, visitors*visits)
	}
	return clicks
}

func follow(t testing.TB, c *recordings.Client, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Base+path, nil)
	if err == nil {
		request.Header.Set("User-Agent", "Mozilla/5.0 (test)")
		var response *http.Response
		if response, err = c.HTTP.Do(request); err == nil {
			response.Body.Close()
			return response
		}
	}
	t.Error(err)
	return &http.Response{}
}

// TestAttack_clicksKilled: a server that is killed loses the clicks of its last moment and none before. The bound is
// generous for slow machines; the log tells the figure.
func TestAttack_clicksKilled(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		env.setUp(t, allSets(t))
		p := env.spawn(t)
		c := p.client(t, "")
		type click struct {
			id string
			at time.Time
		}
		var clicks []click
		end := time.Now().Add(time.Duration(attack.Size(1500, 20_000)) * time.Millisecond)
		for time.Now().Before(end) {
			clicks = append(clicks, click{clickOf(t, follow(t, c, "/l/anna")), time.Now()})
			time.Sleep(5 * time.Millisecond) // fewer than are recorded of one network
		}
		killed := time.Now()
		p.kill()
		c.Close()
		lost, oldest := 0, time.Duration(0)
		ids := make([]string, len(clicks))
		for i, click := range clicks {
			ids[i] = click.id
		}
		known := knownClicks(t, env, ids)
		for _, click := range clicks {
			if _, recorded := known[click.id]; !recorded {
				lost, oldest = lost+1, max(oldest, killed.Sub(click.at))
			}
		}
		t.Logf("%d of %d clicks were lost, the oldest %v before the end", lost, len(clicks), oldest)
		if oldest > 2*time.Second {
			t.Errorf("a click of %v before the end was lost", oldest)
		}
	})
}

// TestAttack_clickNotRecorded: an order is credited by the slug that its landing page had, though its click is not
// known since one network made too many.
func TestAttack_clickNotRecorded(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		shop := sets[0]
		token := env.setUp(t, sets)
		c := env.start(t).client(t, token)
		var clicks []string
		for len(clicks) < 640 { // more than 600 and what comes back meanwhile
			clicks = append(clicks, visit(t, c, "/l/anna")...)
		}
		if n := recordedClicks(t, env, clicks); n == len(clicks) {
			t.Errorf("all of %d clicks of one network are recorded", n)
		}
		order := orderWithClick(t, shop, "5550009", "")
		var fields map[string]json.RawMessage
		ok(t, json.Unmarshal(order.Body, &fields))
		fields["note_attributes"] = json.RawMessage("[]")
		fields["landing_site"] = json.RawMessage(`"/?ref=anna&tclid=01k9zzzzzzzzzzzzzzzzzzzzzz"`)
		body, err := json.Marshal(fields)
		ok(t, err)
		ok(t, c.Deliver(t.Context(), signedShopify(shop.Store, "unrecorded", "orders/paid", body)))
		waitProcessed(t, c)
		o, found, err := c.Order(t.Context(), shop.Store.Slug, "5550009")
		ok(t, err)
		if !found || o.Conversion == nil || o.Conversion.By() != "link anna" {
			t.Errorf("order %+v with %+v, want it credited by link anna", o, o.Conversion)
		}
	})
}

func clickOf(t testing.TB, response *http.Response) string {
	t.Helper()
	to, err := url.Parse(response.Header.Get("Location"))
	if err != nil || to.Query().Get("tclid") == "" {
		t.Errorf("redirected to %q (%v), want a click id in it", response.Header.Get("Location"), err)
		return ""
	}
	return to.Query().Get("tclid")
}

// recordedClicks counts those of the clicks that are in the database.
func recordedClicks(t testing.TB, env environment, clicks []string) int {
	t.Helper()
	return len(knownClicks(t, env, clicks))
}

// knownClicks gives those of the clicks that are in the database.
func knownClicks(t testing.TB, env environment, clicks []string) (found map[string]affiliate.Click) {
	t.Helper()
	env.open(t, func(ctx context.Context, a *app.App) {
		known, err := a.DB.Candidates(ctx, storage.Lookup{Clicks: clicks}, affiliate.DefaultSettings())
		ok(t, err)
		found = known.Clicks
	})
	return found
}

// orderWithClick is a new paid order of 60.00 with no evidence but a click id among the cart's attributes.
func orderWithClick(t testing.TB, shop recordings.Set, id, click string) recordings.Request {
	t.Helper()
	i := slices.IndexFunc(shop.Requests, func(r recordings.Request) bool { return strings.HasPrefix(r.File, "042-") })
	var order map[string]json.RawMessage
	ok(t, json.Unmarshal(shop.Requests[i].Body, &order))
	now, err := json.Marshal(time.Now().UTC().Format(time.RFC3339))
	ok(t, err)
	for name, value := range map[string]string{"id": id, "admin_graphql_api_id": `"gid://shopify/Order/` + id + `"`, "name": `"#5001"`,
		"created_at": string(now), "processed_at": string(now), "updated_at": string(now), "landing_site": "null",
		"landing_site_ref": "null", "note_attributes": fmt.Sprintf(`[{"name":"tclid","value":%q}]`, click)} {
		order[name] = json.RawMessage(value)
	}
	body, err := json.Marshal(order)
	ok(t, err)
	return signedShopify(shop.Store, "click-"+id, "orders/paid", body)
}

// Orders came before anybody told us whose codes and links they carry.
func TestLateKnowledge(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		sets := allSets(t)
		token := env.setUpStores(t, sets)
		c := env.start(t).client(t, token)
		deliver(t, c, 4, allRequests(sets))
		waitProcessed(t, c)
		for _, o := range allOrders(t, env) {
			if o.conversion != nil {
				t.Errorf("order %s is credited although nobody owns anything", o.ExternalID)
			}
		}
		if n := reattribute(t, c, false).Count; n != 0 {
			t.Errorf("%d orders would be credited before the import, want none", n)
		}

		env.importCreators(t, sets)
		want := 0
		for _, set := range sets {
			for _, o := range set.Orders {
				if o.Credit != nil {
					want++
				}
			}
		}
		before := endState(t, env)
		preview := reattribute(t, c, false)
		if preview.Applied || preview.Count != want || len(preview.Orders) != want {
			t.Errorf("preview: %d orders would be credited (%d listed, applied %v), want %d, not applied",
				preview.Count, len(preview.Orders), preview.Applied, want)
		}
		if after := endState(t, env); !slices.Equal(before, after) {
			t.Error("the preview changed orders")
		}
		viewerMayOnlyPreview(t, env, c)
		if applied := reattribute(t, c, true); !applied.Applied || applied.Count != want {
			t.Errorf("applied to %d orders (%v), want %d", applied.Count, applied.Applied, want)
		}
		checkOrders(t, c, sets)
		checkLedger(t, env)
		if n := reattribute(t, c, true).Count; n != 0 {
			t.Errorf("%d orders were credited a second time, want none", n)
		}
		checkLedger(t, env)
	})
}

type reattributed struct {
	Applied bool
	Count   int
	Orders  []struct {
		Order           struct{ ID, Store string }
		Creator, Reason string
	}
}

func reattribute(t testing.TB, c *recordings.Client, apply bool) (r reattributed) {
	t.Helper()
	ok(t, c.Post(t.Context(), "/api/v1/reattributions", map[string]bool{"apply": apply}, &r))
	for _, o := range r.Orders {
		if o.Order.ID == "" || o.Order.Store == "" || o.Creator == "" || o.Reason == "" {
			t.Errorf("listed as %+v, want it to say what is credited to whom and why", o)
		}
	}
	return r
}

func viewerMayOnlyPreview(t testing.TB, env environment, c *recordings.Client) {
	t.Helper()
	viewer := *c
	env.open(t, func(ctx context.Context, a *app.App) {
		added, err := a.AddToken(ctx, app.TokenDraft{Name: "viewer", Role: affiliate.RoleViewer})
		ok(t, err)
		viewer.Token = added.Value
	})
	reattribute(t, &viewer, false)
	err := viewer.Post(t.Context(), "/api/v1/reattributions", map[string]bool{"apply": true}, &struct{}{})
	if err == nil || !strings.Contains(err.Error(), "answered 403") {
		t.Errorf("a viewer applies: %v, want 403", err)
	}
}
