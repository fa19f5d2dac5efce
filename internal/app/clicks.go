package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"net/url"
	"slices"
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
	app   *App
	lines Seldom

	mu      sync.Mutex
	targets map[string]cachedTarget // of links
	missing map[string]cachedTarget // slugs that no link has
	looks   []*look                 // the first is under way while looking
	looking bool
	waiting []storage.Click
	writing int // clicks taken from waiting and not yet written
	full    *sync.Cond
	wake    chan struct{}
	closed  bool
	done    chan struct{}

	gate *clickGate
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
	clicksAhead = 50_000 // clicks that may wait for the database; beyond it redirects wait too, for clickWait
	clickWait   = 3 * time.Second
	// linkLimit bounds a look at the database, and clickLimit a batch of clicks.
	linkLimit  = 2 * time.Second
	clickLimit = 5 * time.Second
	linkRest   = time.Second // a target that could not be looked up serves so long before the next try
)

// NewLinks starts the writer of clicks. Close it to write what waits.
func NewLinks(a *App) *Links {
	l := &Links{app: a, targets: map[string]cachedTarget{}, missing: map[string]cachedTarget{},
		gate: newClickGate(), wake: make(chan struct{}, 1), done: make(chan struct{})}
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
	if !l.gate.admit(Network(v.Address), now) {
		l.lines.Log(l.app.Log, slog.LevelWarn, "", "clicks not recorded: more came from one network than people make; "+
			"if it is a proxy of yours, name it in TRUSTED_PROXIES", "network", Network(v.Address))
		return target.landing.With(click.ID), nil
	}
	l.record(click)
	return target.landing.With(click.ID), nil
}

func (l *Links) target(ctx context.Context, slug string) (cachedTarget, error) {
	l.mu.Lock()
	t, ok := l.targets[slug]
	if !ok {
		t, ok = l.missing[slug]
	}
	if ok && (t.found && time.Since(t.at) < linkAge || time.Since(t.at) < noLinkAge) {
		l.mu.Unlock()
		return t, nil
	}
	look := l.joinLook(slug)
	l.mu.Unlock()
	var enough <-chan time.Time
	if ok && t.found {
		enough = time.After(staleAfter) // a visitor does not wait for a database that hangs
	}
	select {
	case <-look.done:
	case <-enough:
		return t, nil
	case <-ctx.Done():
		return t, ctx.Err()
	}
	if look.err != nil {
		if ok {
			return t, nil // while the database is away, the last known target serves
		}
		return t, look.err
	}
	return look.found[slug], nil
}

// look is one look at the database for the targets of several slugs.
type look struct {
	slugs map[string]struct{}
	done  chan struct{}
	found map[string]cachedTarget
	err   error
}

// Bounds of looks: how many slugs one is for, and how long a visitor waits for it.
const (
	lookSlugs  = 500
	staleAfter = time.Second // from when on the last known target serves
)

// joinLook adds a slug to the next look. One runs at a time; what is asked for meanwhile shares the next one, so that
// strangers who try slugs cost one query after the other, whatever they try. It is called with the mutex held.
func (l *Links) joinLook(slug string) *look {
	n := len(l.looks)
	if n == 0 || l.looking && n == 1 || len(l.looks[n-1].slugs) >= lookSlugs {
		l.looks = append(l.looks, &look{slugs: map[string]struct{}{}, done: make(chan struct{})})
		n++
	}
	next := l.looks[n-1]
	next.slugs[slug] = struct{}{}
	if !l.looking {
		l.looking = true
		go l.lookAll()
	}
	return next
}

// lookAll runs the looks that wait, one after the other. The first of them is under way.
func (l *Links) lookAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.looks) > 0 {
		next := l.looks[0]
		slugs := slices.Collect(maps.Keys(next.slugs))
		l.mu.Unlock()
		next.found, next.err = l.look(slugs)
		l.mu.Lock()
		l.looks = l.looks[1:]
		if next.err == nil {
			l.keep(next.found)
		} else {
			l.rest(slugs)
		}
		close(next.done)
	}
	l.looking = false
}

func (l *Links) look(slugs []string) (map[string]cachedTarget, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linkLimit)
	defer cancel()
	l.app.strangers.counted("links")
	rows, err := l.app.DB.LinkTargets(ctx, slugs)
	if err != nil {
		return nil, err
	}
	found := make(map[string]cachedTarget, len(slugs))
	for _, slug := range slugs {
		t := cachedTarget{at: time.Now()}
		if row, ok := rows[slug]; ok {
			t.id, t.endedAt, t.landing, t.found = row.ID, row.EndedAt, row.Landing(slug), true
		}
		found[slug] = t
	}
	return found, nil
}

// rest lets the last known targets serve for a while before they are asked for again: the database is away.
func (l *Links) rest(slugs []string) {
	for _, slug := range slugs {
		if t, ok := l.targets[slug]; ok {
			t.at = time.Now().Add(linkRest - linkAge)
			l.targets[slug] = t
		}
	}
}

// keep remembers targets, and apart from them slugs that no link has, so that those never drive out links.
func (l *Links) keep(found map[string]cachedTarget) {
	for slug, t := range found {
		into := l.targets
		if !t.found {
			into = l.missing
			delete(l.targets, slug)
		}
		if len(into) >= linkCache {
			clear(into)
		}
		into[slug] = t
		if t.found {
			delete(l.missing, slug)
		}
	}
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

// record keeps a click until it is written. A visitor does not wait for ever for a database that is away.
func (l *Links) record(c storage.Click) {
	l.mu.Lock()
	if len(l.waiting)+l.writing >= clicksAhead {
		late := time.Now().Add(clickWait)
		defer time.AfterFunc(clickWait, l.full.Broadcast).Stop()
		for len(l.waiting)+l.writing >= clicksAhead && !l.closed {
			if !time.Now().Before(late) {
				l.mu.Unlock()
				l.lines.Log(l.app.Log, slog.LevelError, "", "click lost: too many wait for the database", "waiting",
					clicksAhead)
				return
			}
			l.full.Wait()
		}
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
const clickPatience = 10 * time.Second

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
		l.lines.Log(l.app.Log, slog.LevelWarn, "", "clicks not written, trying again", "count", len(list), "error", err)
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
	ctx, cancel := l.app.DB.Within(context.Background(), clickLimit)
	defer cancel()
	return l.app.DB.InTx(storage.ForWork(ctx), func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		_, zone, err := tx.Account(ctx)
		if err != nil {
			return err
		}
		for i := range batch {
			batch[i].Day = affiliate.Day(batch[i].At, zone)
		}
		return tx.InsertClicks(ctx, batch)
	})
}
