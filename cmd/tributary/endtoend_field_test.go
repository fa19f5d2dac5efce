package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/recordings"
)

// fieldCase is one input of testdata/field with what must come out.
type fieldCase struct {
	folder     string
	Platform   string
	ImportFile string `json:"import_file"`
	Deliveries []struct {
		File       string
		Topic      string
		Headers    map[string]string
		PathSuffix string `json:"path_suffix"`
	}
	Expected struct {
		Import     string
		Answer     int
		FailedNote string `json:"failed_note"`
		Orders     []map[string]any
		Sum        *struct {
			Orders            []string
			Value, Commission string
		}
	}
}

// field is a server with the stores and creators of the cases.
type field struct {
	*testing.T
	env    environment
	c      *recordings.Client
	stores map[string]recordings.Store
}

// TestField: inputs from public reports, and from how stores and spreadsheets work, come out right.
func TestField(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		f := newField(t, env)
		files, err := filepath.Glob("testdata/field/*/case.json")
		ok(t, err)
		if len(files) < 19 {
			t.Fatalf("only %d cases are there", len(files))
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			ok(t, err)
			one := fieldCase{folder: filepath.Dir(file)}
			ok(t, json.Unmarshal(text, &one))
			t.Run(filepath.Base(one.folder), func(t *testing.T) {
				g := f
				g.T = t
				g.play(one)
			})
		}
		checkLedger(t, env)
	})
}

func newField(t *testing.T, env environment) field {
	f := field{T: t, env: env, stores: map[string]recordings.Store{}}
	var setup struct {
		Account struct {
			Currency money.Currency
			Timezone string
		}
		Stores []recordings.Store
	}
	text, err := os.ReadFile("testdata/field/store.json")
	ok(t, err)
	ok(t, json.Unmarshal(text, &setup))
	creators, err := os.ReadFile("testdata/field/creators.csv")
	ok(t, err)
	var token string
	env.open(t, func(ctx context.Context, a *app.App) {
		_, err := a.SetSettings(ctx, []app.Setting{{Key: "currency", Value: string(setup.Account.Currency)},
			{Key: "timezone", Value: setup.Account.Timezone}})
		ok(t, err)
		for _, s := range setup.Stores {
			ok(t, addStore(ctx, a, s))
			f.stores[string(s.Platform)] = s
		}
		ok(t, importCreators(ctx, a, creators))
		added, err := a.AddToken(ctx, app.TokenDraft{Name: "tests", Role: affiliate.RoleOwner})
		ok(t, err)
		token = added.Value
	})
	f.c = env.start(t).client(t, token)
	return f
}

func (f field) play(c fieldCase) {
	if c.ImportFile != "" {
		f.importFile(c)
		if c.Expected.Import != "accept" && len(c.Expected.Orders) == 0 {
			return
		}
		c.Platform = "woocommerce"
	}
	store := f.stores[c.Platform]
	for i, d := range c.Deliveries {
		body, err := os.ReadFile(filepath.Join(c.folder, d.File))
		ok(f, err)
		h := http.Header{"Content-Type": {"application/json"}}
		if c.Platform == "shopify" {
			h.Set("X-Shopify-Topic", d.Topic)
			h.Set("X-Shopify-Hmac-Sha256", shopify.Sign([]byte(store.Secret), body))
			h.Set("X-Shopify-Webhook-Id", fmt.Sprint(c.folder, i))
			h.Set("X-Shopify-Shop-Domain", store.Domain)
		} else {
			h.Set("X-WC-Webhook-Topic", d.Topic)
			h.Set("X-WC-Webhook-Signature", woocommerce.Sign([]byte(store.Secret), body))
			h.Set("X-WC-Webhook-Delivery-ID", fmt.Sprint(c.folder, i))
		}
		for name, value := range d.Headers {
			h.Set(name, value)
		}
		f.post("/webhooks/"+c.Platform+"/"+store.Slug+d.PathSuffix, h, body)
	}
	waitProcessed(f, f.c)
	for _, want := range c.Expected.Orders {
		f.order(store.Slug, want)
	}
	if sum := c.Expected.Sum; sum != nil {
		f.sum(store, sum.Orders, sum.Value, sum.Commission)
	}
	if note := c.Expected.FailedNote; note != "" {
		f.failedNote(store.Slug, note)
	}
}

func (f field) post(path string, h http.Header, body []byte) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, f.c.Base+path, bytes.NewReader(body))
	ok(f, err)
	r.Header = h
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	ok(f, err)
	_ = answer.Body.Close()
	wantStatus(f, path, answer.StatusCode, http.StatusOK)
}

// fieldOrder is what the API says of an order.
type fieldOrder struct {
	Status, Value, Refunded, Total string
	OriginalValue                  string `json:"original_value"`
	NotCredited                    string `json:"not_credited"`
	Doubts                         []struct{ Code affiliate.Doubt }
	Conversion                     *struct {
		CreatorName        string `json:"creator_name"`
		Method, Commission string
	}
}

func (f field) find(store, id string) (o fieldOrder) {
	f.Helper()
	ok(f, f.c.Get(f.Context(), "/api/v1/orders/"+store+"/"+id, &o))
	return o
}

func (f field) order(store string, want map[string]any) {
	id := want["external_id"].(string)
	o := f.find(store, id)
	got := map[string]any{"external_id": id, "status": o.Status, "value": o.Value, "original_value": o.OriginalValue,
		"refunded": o.Refunded, "total": o.Total, "credit": nil, "commission": "0.00"}
	if c := o.Conversion; c != nil {
		got["credit"], got["method"], got["commission"] = c.CreatorName, c.Method, c.Commission
	}
	for name, value := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(value) {
			f.Errorf("%s of order %s is %v, want %v", name, id, got[name], value)
		}
	}
}

func (f field) sum(store recordings.Store, ids []string, value, commission string) {
	var values, commissions int64
	currency := money.Currency(store.Currency)
	for _, id := range ids {
		o := f.find(store.Slug, id)
		if o.Conversion == nil {
			continue
		}
		for _, part := range []struct {
			text string
			into *int64
		}{{o.Value, &values}, {o.Conversion.Commission, &commissions}} {
			n, err := money.Parse(part.text, currency)
			ok(f, err)
			*part.into += n
		}
	}
	if got := money.Format(values, currency) + " " + money.Format(commissions, currency); got != value+" "+commission {
		f.Errorf("credited value and commission of %v: %s, want %s %s", ids, got, value, commission)
	}
}

func (f field) failedNote(store, pattern string) {
	var page struct {
		Data []struct{ Store, Note string }
	}
	ok(f, f.c.Get(f.Context(), "/api/v1/deliveries?limit=100&state=failed", &page))
	var notes []string
	for _, d := range page.Data {
		if d.Store == store {
			notes = append(notes, d.Note)
		}
	}
	if !regexp.MustCompile(pattern).MatchString(strings.Join(notes, "\n")) {
		f.Errorf("no failed delivery says %s: %q", pattern, notes)
	}
}

// importFile imports the case's file as the command does.
func (f field) importFile(c fieldCase) {
	file, err := os.Open(filepath.Join(c.folder, c.ImportFile))
	ok(f, err)
	defer file.Close()
	f.env.open(f, func(ctx context.Context, a *app.App) {
		report, err := a.Import(ctx, file, false)
		ok(f, err)
		var columns []string
		for _, e := range report.Errors {
			columns = append(columns, e.Column)
		}
		said := strings.Join(columns, " ")
		switch want := c.Expected.Import; {
		case report.Applied && strings.HasPrefix(want, "refuse"):
			f.Error("the file is accepted")
		case !report.Applied && (want == "accept" || !strings.Contains(said, want[strings.LastIndex(want, "-")+1:])):
			f.Errorf("the file is refused: %+v; want %s", report.Errors, want)
		}
	})
}

// TestField_live: deliveries of a live WooCommerce store come out as its own database says, where they can tell.
func TestField_live(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		creators, err := os.ReadFile("testdata/field/live-woocommerce/creators.csv")
		ok(t, err)
		store := recordings.Store{Slug: "shop", Platform: woocommerce.Name, Domain: "shop.example",
			Currency: "USD", Timezone: "Europe/Helsinki", Secret: "wnbM9vZoSodMKGeo919uZx4ntxSfLH99zVonCfja"}
		var token string
		env.open(t, func(ctx context.Context, a *app.App) {
			ok(t, addStore(ctx, a, store))
			ok(t, importCreators(ctx, a, creators))
			added, err := a.AddToken(ctx, app.TokenDraft{Name: "tests", Role: affiliate.RoleOwner})
			ok(t, err)
			token = added.Value
		})
		f := field{T: t, env: env, c: env.start(t).client(t, token)}
		files, err := filepath.Glob("testdata/field/live-woocommerce/*.json")
		ok(t, err)
		if len(files) < 12 {
			t.Fatalf("only %d cases are there", len(files))
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				g := f
				g.T = t
				g.live(file)
			})
		}
		checkLedger(t, env)
	})
}

func (f field) live(file string) {
	var c struct {
		Class      string
		Order      int64
		Expected   map[string]any
		Deliveries []struct {
			Headers map[string]any
			Body    string
		}
	}
	text, err := os.ReadFile(file)
	ok(f, err)
	ok(f, json.Unmarshal(text, &c))
	for i, d := range c.Deliveries {
		h := http.Header{}
		for name, value := range d.Headers {
			h.Set(name, fmt.Sprint(value))
		}
		h.Set("X-WC-Webhook-Delivery-ID", fmt.Sprint(file, i))
		f.post("/webhooks/woocommerce/shop", h, []byte(d.Body))
		time.Sleep(time.Millisecond) // the store took longer; the order of receipt is what counts
	}
	waitProcessed(f, f.c)
	if c.Class == "sync" {
		f.failedNote("shop", "woocommerce_webhook_deliver_async")
		return
	}
	o := f.find("shop", fmt.Sprint(c.Order))
	switch c.Class { // what nothing in the bodies tells
	case "silent":
		if o.Refunded != "10.00" || o.Value != "42.82" {
			f.Errorf("refunded %s, value %s: the refund was deleted, but no delivery said so", o.Refunded, o.Value)
		}
	case "link":
		if o.Conversion != nil || o.NotCredited != affiliate.ReasonNoEvidence {
			f.Errorf("credited %+v, %s: the body has no trace of a link", o.Conversion, o.NotCredited)
		}
	}
	got := map[string]any{"status": o.Status, "total": o.Total, "refunded": o.Refunded,
		"original_value": o.OriginalValue, "value": o.Value, "commission": "0.00"}
	if o.Conversion != nil {
		got["method"], got["creator"], got["commission"] = o.Conversion.Method, o.Conversion.CreatorName,
			o.Conversion.Commission
	}
	for name, value := range got {
		want := c.Expected[name]
		if want == "0" {
			want = "0.00"
		}
		if fmt.Sprint(value) == fmt.Sprint(want) {
			continue
		}
		switch c.Class {
		case "tie", "restore", "lines":
			f.Errorf("%s is %v, want %v", name, value, want)
		case "decimals":
			if len(o.Doubts) == 0 || o.Doubts[len(o.Doubts)-1].Code != affiliate.DoubtRounded {
				f.Errorf("%s is %v, want %v, and that is not in doubt: %+v", name, value, want, o.Doubts)
			}
		}
	}
}
