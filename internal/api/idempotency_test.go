package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// once sends a request with an Idempotency-Key.
func (c client) once(key, method, path string, body any) answer {
	c.Helper()
	return c.callWith(map[string]string{"Idempotency-Key": key}, method, path, body)
}

// tokens counts the tokens of a name: names of tokens may repeat, so a second effect would show.
func (o *office) tokens(name string) (n int) {
	o.Helper()
	for _, row := range o.owner.call("GET", v1+"/tokens?limit=500", nil).ok(200)["data"].([]any) {
		if row.(object)["name"] == name {
			n++
		}
	}
	return n
}

// wait moves the clock of the office on.
func (o *office) wait(d time.Duration) {
	now := o.app.Now
	o.app.Now = func() time.Time { return now().Add(d) }
}

func TestIdempotency_repeat(t *testing.T) {
	eachOffice(t, func(o *office) {
		body := object{"name": "screen", "role": "viewer"}
		first := o.owner.once("a-key", "POST", v1+"/tokens", body)
		first.ok(201)
		if first.header.Get("Idempotency-Replayed") != "" {
			o.Error("the first answer says that it is a repeat")
		}
		again := o.owner.once("a-key", "POST", v1+"/tokens", body)
		if again.ok(201); again.raw != first.raw || again.header.Get("Idempotency-Replayed") != "true" ||
			again.header.Get("Content-Type") != "application/json" {
			o.Errorf("repeat: %v %s, want %s", again.header, again.raw, first.raw)
		}
		if n := o.tokens("screen"); n != 1 {
			o.Errorf("%d tokens, want 1", n)
		}
		// What else a request is about makes another one.
		o.owner.once("a-key", "POST", v1+"/tokens", object{"name": "screen", "role": "owner"}).problem(422,
			"idempotency_key_reused", "Idempotency-Key")
		o.owner.once("a-key", "POST", v1+"/tokens?x=1", body).problem(422, "idempotency_key_reused", "Idempotency-Key")
		o.owner.once("a-key", "POST", v1+"/campaigns", body).problem(422, "idempotency_key_reused", "Idempotency-Key")
		o.owner.once("a-key", "PATCH", v1+"/settings", object{}).problem(422, "idempotency_key_reused",
			"Idempotency-Key")
		// Another key, and the same key of another token, are other requests.
		o.owner.once("b-key", "POST", v1+"/tokens", body).ok(201)
		other := client{o.T, o.owner.handler, o.owner.call("POST", v1+"/tokens",
			object{"name": "second", "role": "owner"}).ok(201)["token"].(string)}
		other.once("a-key", "POST", v1+"/tokens", body).ok(201)
		// Without the permission there is no answer to replay.
		o.manager.once("a-key", "POST", v1+"/tokens", body).problem(403, "forbidden", "")
		// After a day a key is new again.
		o.wait(24*time.Hour + time.Second)
		if late := o.owner.once("a-key", "POST", v1+"/tokens", body); late.header.Get("Idempotency-Replayed") != "" {
			late.ok(201)
			o.Error("replayed after more than a day")
		}
		if n := o.tokens("screen"); n != 4 {
			o.Errorf("%d tokens, want 4", n)
		}
	})
}

// TestIdempotency_headers: a replay has the headers that belong to the answer.
func TestIdempotency_headers(t *testing.T) {
	eachOffice(t, func(o *office) {
		first := o.manager.once("k", "POST", v1+"/campaigns", object{"name": "Spring"})
		again := o.manager.once("k", "POST", v1+"/campaigns", object{"name": "Spring"})
		if tag := first.header.Get("ETag"); tag == "" || again.header.Get("ETag") != tag {
			o.Errorf("ETag %q, then %q", tag, again.header.Get("ETag"))
		}
		o.manager.once("e", "POST", v1+"/campaigns/cmp_1/end", nil).ok(200)
		if again := o.manager.once("e", "POST", v1+"/campaigns/cmp_1/end",
			nil); again.header.Get("Idempotency-Replayed") != "true" {
			again.ok(200)
			o.Error("an action without a body is not replayed")
		}
	})
}

// TestIdempotency_refusal: what had no effect leaves the key free, for the same request and for another.
func TestIdempotency_refusal(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		m.once("k", "POST", v1+"/campaigns", object{}).problem(422, "invalid", "name")
		m.once("k", "POST", v1+"/campaigns", "{").problem(400, "unreadable", "")
		m.once("k", "PATCH", v1+"/campaigns/cmp_1", object{"name": "Autumn"}).problem(404, "not_found", "")
		m.once("k", "POST", v1+"/campaigns", object{"name": "Spring"}).ok(201)
		m.once("l", "POST", v1+"/campaigns", object{"name": "spring"}).problem(409, "conflict", "name")
		m.call("PATCH", v1+"/campaigns/cmp_1", object{"name": "Summer"}).ok(200)
		if a := m.once("l", "POST", v1+"/campaigns",
			object{"name": "spring"}); a.header.Get("Idempotency-Replayed") != "" {
			a.ok(201)
			o.Error("a refusal was kept")
		}
	})
}

func TestIdempotency_keys(t *testing.T) {
	eachOffice(t, func(o *office) {
		for key, good := range map[string]bool{strings.Repeat("x", 255): true, strings.Repeat("x", 256): false,
			"a b": false, "clé": false, "a\tb": false, `"0b6c7a9e-8c4e-4d6e-9f5c-1f2a3b4c5d6e"`: true} {
			a := o.manager.once(key, "PATCH", v1+"/campaigns/cmp_1", object{})
			if good {
				a.problem(404, "not_found", "")
				continue
			}
			a.problem(422, "invalid", "Idempotency-Key")
		}
		o.manager.once("k", "POST", v1+"/campaigns", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`).problem(413, "too_large", "")
		o.manager.once("k", "POST", v1+"/campaigns/cmp_1/end", strings.Repeat("x", 2<<20)).problem(413, "too_large", "")
	})
}

// TestIdempotency_race: twenty repeats at once have one effect, and all of them end with its answer.
func TestIdempotency_race(t *testing.T) {
	eachOffice(t, func(o *office) {
		for round := range 3 {
			name := fmt.Sprint("race ", round)
			answers := make([]answer, 20)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					for {
						answers[i] = o.owner.once(name[5:], "POST", v1+"/tokens",
							object{"name": name, "role": "viewer"})
						if answers[i].status != http.StatusConflict {
							return
						}
						answers[i].problem(409, "idempotency_in_progress", "Idempotency-Key")
						if answers[i].header.Get("Retry-After") == "" {
							o.Error("no Retry-After")
						}
						time.Sleep(time.Millisecond) // the first is still running
					}
				})
			}
			all.Wait()
			originals := 0
			for _, a := range answers {
				if a.ok(201); a.raw != answers[0].raw {
					o.Errorf("got %s and %s", a.raw, answers[0].raw)
				}
				if a.header.Get("Idempotency-Replayed") == "" {
					originals++
				}
			}
			if n := o.tokens(name); n != 1 || originals != 1 {
				o.Errorf("%d tokens, %d answers that are no repeats, want 1 of each", n, originals)
			}
		}
	})
}

// TestIdempotency_crash_after_effect: a process that dies between the commit and the answer leaves an effect without an
// answer. A repeat has no second effect and says so.
func TestIdempotency_crash_after_effect(t *testing.T) {
	eachOffice(t, func(o *office) {
		body := object{"name": "once", "role": "viewer"}
		sealer := o.app.Sealer
		o.app.Sealer = nil // the answer is sealed after the commit: this is where the process dies
		o.owner.once("k", "POST", v1+"/tokens", body).problem(500, "internal", "")
		if a := o.owner.once("e", "POST", v1+"/campaigns", object{"name": "Spring"}); a.header.Get("ETag") != "" {
			o.Errorf("a problem has the ETag of the answer that was to be: %v", a.header)
		}
		o.app.Sealer = sealer
		if n := o.tokens("once"); n != 1 {
			o.Fatalf("%d tokens, want 1", n)
		}
		if a := o.owner.once("k", "POST", v1+"/tokens", body); a.header.Get("Retry-After") != "1" {
			o.Errorf("%v", a.header)
		} else {
			a.problem(409, "idempotency_in_progress", "Idempotency-Key") // nobody knows yet that it died
		}
		o.wait(storage.IdempotencyPatience)
		if a := o.owner.once("k", "POST", v1+"/tokens", body); a.header.Get("Retry-After") != "" {
			o.Errorf("a repeat that is of no use is asked for: %v", a.header)
		} else {
			a.problem(409, "idempotency_answer_lost", "Idempotency-Key")
		}
		o.owner.once("k", "POST", v1+"/tokens", object{"name": "other", "role": "viewer"}).problem(422,
			"idempotency_key_reused", "Idempotency-Key")
		if n := o.tokens("once"); n != 1 {
			o.Errorf("%d tokens, want 1", n)
		}
	})
}

// TestIdempotency_crash_before_effect: a process that dies before the commit leaves a key that a repeat takes over.
// Should the dead one turn out to be alive, its effect is refused.
func TestIdempotency_crash_before_effect(t *testing.T) {
	eachOffice(t, func(o *office) {
		const body = `{"name":"once","role":"viewer"}`
		request := sha256.Sum256([]byte("POST\n" + v1 + "/tokens\n\n" + body))
		dead := storage.IdempotentRequest{Key: "k", Request: request[:],
			StartedAt: o.app.Now().UTC().Truncate(time.Microsecond)}
		for _, row := range o.owner.call("GET", v1+"/tokens", nil).ok(200)["data"].([]any) {
			if row.(object)["role"] == "owner" {
				dead.Principal = row.(object)["id"].(string)
			}
		}
		if known, err := o.app.DB.BeginIdempotent(o.Context(), dead); known != nil || err != nil {
			o.Fatal(known, err)
		}
		o.owner.once("k", "POST", v1+"/tokens", body).problem(409, "idempotency_in_progress", "Idempotency-Key")
		o.wait(storage.IdempotencyPatience + time.Second)
		o.owner.once("k", "POST", v1+"/tokens", body).ok(201)
		if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
			return tx.ApplyIdempotent(o.Context(), dead)
		}); err == nil {
			o.Error("the effect of the first is taken although its place was")
		}
		if a := o.owner.once("k", "POST", v1+"/tokens", body); a.header.Get("Idempotency-Replayed") != "true" {
			o.Errorf("no replay: %d %s", a.status, a.raw)
		}
		if n := o.tokens("once"); n != 1 {
			o.Errorf("%d tokens, want 1", n)
		}
	})
}

// TestIdempotency_panic: a request that panics before its effect can be repeated at once.
func TestIdempotency_panic(t *testing.T) {
	eachOffice(t, func(o *office) {
		body := object{"platform": "woocommerce", "slug": "shop", "name": "Shop", "domain": "shop.example",
			"currency": "EUR", "timezone": "UTC"}
		sealer := o.app.Sealer
		o.app.Sealer = nil // the secret of a store is sealed within the transaction
		o.owner.once("k", "POST", v1+"/stores", body).problem(500, "internal", "")
		o.app.Sealer = sealer
		first := o.owner.once("k", "POST", v1+"/stores", body)
		first.ok(201)
		if again := o.owner.once("k", "POST", v1+"/stores", body); again.raw != first.raw ||
			!strings.Contains(again.raw, `"webhook_secret":"`) {
			o.Errorf("repeat: %s, want %s", again.raw, first.raw)
		}
	})
}

// queueFunc is a queue that does what a test wants, after the effect of a replay is committed.
type queueFunc func()

func (f queueFunc) Wake(context.Context, []affiliate.DeliveryID) error {
	f()
	return nil
}

// delivery keeps a delivery and gives the address at which it is replayed.
func (o *office) delivery() string {
	o.Helper()
	o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "shop", "name": "Shop",
		"domain": "shop.example", "currency": "EUR", "timezone": "UTC"}).ok(201)
	ids, err := o.app.DB.InsertDeliveries(o.Context(), []storage.NewDelivery{{StoreID: 1, Key: [16]byte{1}, Topic: "x",
		ReceivedAt: o.app.Now(), Payload: []byte("x")}}, nil)
	if err != nil {
		o.Fatal(err)
	}
	return v1 + "/deliveries/" + ids[0].String() + "/replay"
}

// TestIdempotency_caller_gone: an answer that nobody took is kept for the repeat. That is what keys are for.
func TestIdempotency_caller_gone(t *testing.T) {
	eachOffice(t, func(o *office) {
		path := o.delivery()
		ctx, leave := context.WithCancel(o.Context())
		o.app.Queue = queueFunc(leave)
		r := httptest.NewRequestWithContext(ctx, "POST", path, nil)
		r.Header.Set("Authorization", "Bearer "+o.owner.token)
		r.Header.Set("Idempotency-Key", "k")
		o.owner.handler.ServeHTTP(httptest.NewRecorder(), r)
		if a := o.owner.once("k", "POST", path, nil); a.ok(200)["replayed"] != 1.0 ||
			a.header.Get("Idempotency-Replayed") != "true" {
			o.Errorf("%v %s", a.header, a.raw)
		}
	})
}

// TestIdempotency_fault_after_effect: a fault of ours is no answer to repeat for a day, but what was done is not done
// again.
func TestIdempotency_fault_after_effect(t *testing.T) {
	eachOffice(t, func(o *office) {
		path, woken := o.delivery(), 0
		o.app.Queue = queueFunc(func() { woken++; panic("broken") })
		o.owner.once("k", "POST", path, nil).problem(500, "internal", "")
		o.owner.once("k", "POST", path, nil).problem(409, "idempotency_in_progress", "Idempotency-Key")
		o.wait(storage.IdempotencyPatience)
		o.owner.once("k", "POST", path, nil).problem(409, "idempotency_answer_lost", "Idempotency-Key")
		if woken != 1 {
			o.Errorf("ran %d times, want once", woken)
		}
	})
}
