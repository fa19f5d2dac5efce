package app

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Visit is what a redirect sees of one use of a link.
type Visit struct {
	Address   string // of the visitor; only a keyed hash of it is kept, which changes every day
	UserAgent string
	Referrer  string
	Prefetch  bool // made by a program that looks ahead, not by a person
}

// Links redirects and records clicks: the redirect goes first, clicks are written in batches.
type Links struct {
	app *App

	mu      sync.Mutex
	targets map[string]cachedTarget
	waiting []storage.Click
	writing int // clicks taken from waiting and not yet written
	full    *sync.Cond
	wake    chan struct{}
	closed  bool
	done    chan struct{}
}

type cachedTarget struct {
	id      affiliate.LinkID
	endedAt time.Time
	landing affiliate.Landing
	found   bool
	at      time.Time
}

const (
	linkAge     = 2 * time.Second        // how long a link's target may be out of date
	noLinkAge   = 100 * time.Millisecond // the same for a slug that no link had: it may be made any moment
	linkCache   = 20_000
	clickEvery  = 200 * time.Millisecond
	clickBatch  = 1000
	clicksAhead = 50_000 // clicks that may wait for the database; beyond it redirects wait too
)

// NewLinks starts the writer of clicks. Close it to write what waits.
func NewLinks(a *App) *Links {
	l := &Links{app: a, targets: map[string]cachedTarget{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.full = sync.NewCond(&l.mu)
	go l.write()
	return l
}

// Follow gives the address to redirect to and records the click. NotFound for unknown and ended links.
func (l *Links) Follow(ctx context.Context, slug string, v Visit) (string, error) {
	slug = affiliate.FoldSlug(slug)
	if !affiliate.ValidSlug(slug) {
		return "", affiliate.Errorf(affiliate.NotFound, "there is no such link")
	}
	now := l.app.Now()
	target, err := l.target(ctx, slug)
	if err != nil {
		return "", err
	}
	if !target.found || !target.endedAt.IsZero() && !now.Before(target.endedAt) {
		return "", affiliate.Errorf(affiliate.NotFound, "there is no such link")
	}
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil {
		return "", err
	}
	click := storage.Click{ID: strings.ToLower(id.String()), LinkID: target.id, At: now,
		ReferrerHost: referrerHost(v.Referrer), Bot: v.Prefetch || isBot(v.UserAgent),
		Visitor: l.app.Sealer.Hash(HashVisitor,
			now.UTC().Format(time.DateOnly)+"\n"+v.Address+"\n"+v.UserAgent)}
	l.record(click)
	return target.landing.With(click.ID), nil
}

func (l *Links) target(ctx context.Context, slug string) (cachedTarget, error) {
	l.mu.Lock()
	t, ok := l.targets[slug]
	l.mu.Unlock()
	if ok && (t.found && time.Since(t.at) < linkAge || time.Since(t.at) < noLinkAge) {
		return t, nil
	}
	row, err := l.app.DB.LinkTarget(ctx, slug)
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		t = cachedTarget{at: time.Now()}
	case err != nil && ok:
		return t, nil // while the database is away, the last known target serves
	case err != nil:
		return t, err
	default:
		t = cachedTarget{id: row.ID, endedAt: row.EndedAt, landing: row.Landing(slug), found: true, at: time.Now()}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.targets) >= linkCache {
		clear(l.targets)
	}
	l.targets[slug] = t
	return t, nil
}

func referrerHost(referrer string) string {
	if referrer == "" {
		return ""
	}
	u, err := url.Parse(referrer)
	if err != nil {
		return ""
	}
	host := cleanText(strings.ToLower(u.Hostname()))
	if len(host) > 253 {
		return ""
	}
	return host
}

// botWords occur in the user agents of programs that follow links without a person: crawlers and the previews of chat
// programs and social networks.
var botWords = []string{"bot", "crawl", "spider", "slurp", "preview", "facebookexternalhit", "whatsapp", "telegram",
	"embedly", "curl/", "wget/", "python-requests", "go-http-client", "headless", "lighthouse", "monitor", "scan"}

func isBot(userAgent string) bool {
	ua := strings.ToLower(userAgent)
	if ua == "" {
		return true
	}
	for _, w := range botWords {
		if strings.Contains(ua, w) {
			return true
		}
	}
	return false
}

func (l *Links) record(c storage.Click) {
	l.mu.Lock()
	for len(l.waiting)+l.writing >= clicksAhead && !l.closed {
		l.full.Wait()
	}
	l.waiting = append(l.waiting, c)
	enough := len(l.waiting) == clickBatch
	l.mu.Unlock()
	if enough {
		l.nudge()
	}
}

func (l *Links) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close writes the clicks that wait. Call it when no redirect is under way any more.
func (l *Links) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.full.Broadcast()
	l.nudge()
	<-l.done
}

// clickPatience is how long the last clicks are tried to be written.
const clickPatience = 15 * time.Second

// write takes all clicks that wait, writes them in batches, and starts again, until Close and nothing is left.
func (l *Links) write() {
	defer close(l.done)
	tick := time.NewTicker(clickEvery)
	defer tick.Stop()
	var list []storage.Click
	for {
		select {
		case <-tick.C:
		case <-l.wake:
		}
		l.mu.Lock()
		list, l.waiting = l.waiting, list[:0]
		l.writing = len(list)
		closed := l.closed
		l.mu.Unlock()
		if len(list) == 0 && closed {
			return
		}
		l.writeAll(list)
		if closed {
			l.nudge()
		}
	}
}

// writeAll does not give up while the server runs, nor for clickPatience after its end has begun.
func (l *Links) writeAll(list []storage.Click) {
	var deadline time.Time
	for len(list) > 0 {
		batch := list[:min(len(list), clickBatch)]
		err := l.insert(batch)
		l.mu.Lock()
		closed := l.closed
		if err == nil {
			list = list[len(batch):]
			l.writing = len(list)
		}
		l.mu.Unlock()
		if err == nil {
			l.full.Broadcast()
			continue
		}
		l.app.Log.Warn("clicks not written, trying again", "count", len(list), "error", err)
		if closed && deadline.IsZero() {
			deadline = time.Now().Add(clickPatience)
		}
		if closed && time.Now().After(deadline) {
			l.app.Log.Error("clicks lost: the database could not be reached before the end", "count", len(list))
			return
		}
		time.Sleep(clickEvery)
	}
}

func (l *Links) insert(batch []storage.Click) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return l.app.DB.InTx(storage.ForWork(ctx), func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		_, zone, err := zonedSettings(ctx, tx.Settings)
		if err != nil {
			return err
		}
		for i := range batch {
			batch[i].Day = affiliate.Day(batch[i].At, zone)
		}
		return tx.InsertClicks(ctx, batch)
	})
}
