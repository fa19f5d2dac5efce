package simulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// client asks the server what became of the orders.
type client struct {
	address string
	token   string
}

// get waits for as long as the server says when it limits requests.
func (c client) get(ctx context.Context, path string) (*http.Response, error) {
	for {
		answer, wait, err := c.try(ctx, path)
		if err != nil || wait == 0 {
			return answer, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c client) try(ctx context.Context, path string) (_ *http.Response, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+path, nil)
	if err != nil {
		return nil, 0, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil &&
		answer.StatusCode == http.StatusTooManyRequests {
		answer.Body.Close()
		return nil, time.Duration(max(1, seconds)) * time.Second, nil
	}
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
		answer.Body.Close()
		return nil, 0, fmt.Errorf("GET %s: %s: %s", path, answer.Status, text)
	}
	return answer, 0, nil
}

func (c client) read(ctx context.Context, path string, into any) error {
	answer, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(into)
}

// waitUntilEmpty asks the status until nothing waits. It gives up when no progress is made for a minute.
func (c client) waitUntilEmpty(ctx context.Context) error {
	best, since := int64(-1), time.Now()
	for {
		var status struct {
			Deliveries struct{ Waiting, Failed int64 }
		}
		if err := c.read(ctx, "/status", &status); err != nil {
			return err
		}
		waiting := status.Deliveries.Waiting
		if waiting == 0 {
			return nil
		}
		if best < 0 || waiting < best {
			best, since = waiting, time.Now()
		}
		if time.Since(since) > time.Minute {
			return fmt.Errorf("%w: %d deliveries wait", errNotEmpty, waiting)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watcher listens to the live events and notes how old each change is when it arrives.
type watcher struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	fresh    []time.Duration
	dropouts int
}

func (c client) watch(ctx context.Context) (*watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	answer, err := c.get(ctx, "/api/v1/live")
	if err != nil {
		cancel()
		return nil, err
	}
	w := &watcher{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for ctx.Err() == nil {
			w.listen(answer.Body)
			if ctx.Err() != nil {
				return
			}
			w.mu.Lock()
			w.dropouts++
			w.mu.Unlock()
			if answer, err = c.get(ctx, "/api/v1/live"); err != nil {
				return
			}
		}
	}()
	return w, nil
}

func (w *watcher) close() {
	w.cancel()
	<-w.done
}

var receivedAt = []byte(`"received_at":"`)

func (w *watcher) listen(body io.ReadCloser) {
	defer body.Close()
	in := bufio.NewReaderSize(body, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if bytes.HasPrefix(line, []byte("data: ")) {
			w.note(line, time.Now())
		}
	}
}

func (w *watcher) note(line []byte, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		_, rest, ok := bytes.Cut(line, receivedAt)
		if !ok {
			return
		}
		text, rest, ok := bytes.Cut(rest, []byte{'"'})
		if at, err := time.Parse(time.RFC3339Nano, string(text)); ok && err == nil {
			w.fresh = append(w.fresh, now.Sub(at))
		}
		line = rest
	}
}

// orderAnswer is an order as the API tells it, as far as it is checked.
type orderAnswer struct {
	ExternalID    string  `json:"external_id"`
	Status        string  `json:"status"`
	Value         string  `json:"value"`
	OriginalValue string  `json:"original_value"`
	Total         string  `json:"total"`
	Refunded      string  `json:"refunded"`
	Test          bool    `json:"test"`
	NotCredited   *string `json:"not_credited"`
	Conversion    *struct {
		Creator    string `json:"creator_name"`
		Method     string `json:"method"`
		Code       string `json:"code"`
		Link       string `json:"link"`
		Commission string `json:"commission"`
	} `json:"conversion"`
}

// storeDomain gives the domain of a store, or "" when it cannot be read: what is wrong then shows in later answers.
func (c client) storeDomain(ctx context.Context, slug string) string {
	var store struct{ Domain string }
	_ = c.read(ctx, "/api/v1/stores/"+url.PathEscape(slug), &store)
	return store.Domain
}

// check compares every order with what it must be.
func (c client) check(ctx context.Context, p Plan, expected []Expected) (mismatches []string, checked int, err error) {
	want := make(map[string]Expected, len(expected))
	for _, e := range expected {
		want[e.ID] = e
	}
	from := p.Now.Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	for cursor := ""; len(want) > 0; {
		var page struct {
			Data       []orderAnswer `json:"data"`
			NextCursor *string       `json:"next_cursor"`
		}
		query := url.Values{"store": {p.Store}, "from": {from}, "limit": {"200"}, "cursor": {cursor}}
		if cursor == "" {
			query.Del("cursor")
		}
		if err := c.read(ctx, "/api/v1/orders?"+query.Encode(), &page); err != nil {
			return mismatches, checked, err
		}
		for _, got := range page.Data {
			e, ours := want[got.ExternalID]
			if !ours {
				continue
			}
			delete(want, got.ExternalID)
			checked++
			if difference := p.difference(e, got); difference != "" {
				mismatches = append(mismatches, "order "+got.ExternalID+": "+difference)
			}
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	for _, e := range expected {
		if _, missing := want[e.ID]; missing {
			mismatches = append(mismatches, "order "+e.ID+" is missing")
		}
	}
	return mismatches, checked, nil
}

// difference says what is wrong with an order, or "".
func (p Plan) difference(e Expected, got orderAnswer) string {
	amount := func(n int64) string { return money.Format(n, p.Currency) }
	var method, evidence, creator, commission, reason string
	if got.NotCredited != nil {
		reason = *got.NotCredited
	}
	if v := got.Conversion; v != nil {
		method, evidence, creator, commission = v.Method, v.Code+v.Link, v.Creator, v.Commission
	}
	wantCreator, wantEvidence, wantCommission := "", "", ""
	if e.Owner >= 0 {
		w := p.Owners[e.Owner]
		wantEvidence, wantCommission = w.Code, amount(e.Commission)
		if e.Method == "link" {
			wantEvidence = w.Slug
		}
		if wantCreator = w.Creator; wantCreator == "" {
			creator = ""
		}
	}
	for _, d := range []struct{ what, got, want string }{
		{"status", got.Status, e.Status}, {"value", got.Value, amount(e.Value)}, {"original_value", got.OriginalValue,
			amount(e.OriginalValue)},
		{"total", got.Total, amount(e.Total)}, {"refunded", got.Refunded, amount(e.Refunded)},
		{"method", method, e.Method},
		{"evidence", evidence, wantEvidence}, {"creator", creator, wantCreator}, {"commission", commission,
			wantCommission},
		{"not_credited", reason, e.NotCredited}, {"test", fmt.Sprint(got.Test), fmt.Sprint(e.Test)},
	} {
		if d.got != d.want {
			return fmt.Sprintf("%s is %q, must be %q", d.what, d.got, d.want)
		}
	}
	return ""
}
