package web

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// Limiter bounds how many requests a token, or an address without one, may make. All processes share the count through
// Redis, in one round trip per request. While Redis is away everything passes.
type Limiter struct {
	client    redis.UniversalClient
	perMinute int64
	log       *slog.Logger
	lines     app.Seldom
	awayUntil atomic.Int64 // Unix nanoseconds; Redis is not asked before
}

// NewLimiter makes a limiter of so many requests per minute and token.
func NewLimiter(client redis.UniversalClient, perMinute int, log *slog.Logger) *Limiter {
	return &Limiter{client: client, perMinute: int64(perMinute), log: log}
}

// strangerShare is how much less an address without a valid token may ask: tokens are not to be guessed, and the
// OpenAPI document is not read often.
const strangerShare = 20

// Redis is asked for so long, and after it was away left alone for so long. An API that waits for its limiter would be
// worse than one without.
const (
	limiterPatience = 500 * time.Millisecond
	limiterRest     = time.Second
)

// quota is what is left to somebody.
type quota struct {
	limit     int64
	remaining int64
	reset     time.Duration // until all of limit is there again
	wait      time.Duration // until one request is there again; 0 when this one passes
}

// takeScript is the generic cell rate algorithm: a bucket of ARGV[2] requests, one of which comes back every ARGV[1]
// microseconds. The key holds the moment at which the bucket is full again. The time is that of Redis, which all
// processes share. It answers whether one was taken, what remains, when the next one comes, and when the bucket is
// full.
var takeScript = redis.NewScript(`
local every, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local room = now + limit * every - full
if room < every then
  return {0, 0, every - room, full - now}
end
full = full + every
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {1, math.floor(room / every) - 1, 0, full - now}
`)

// take counts one request of somebody. It is false when Redis is away.
func (l *Limiter) take(ctx context.Context, who string, limit int64) (quota, bool) {
	if time.Now().UnixNano() < l.awayUntil.Load() {
		return quota{}, false
	}
	asking, cancel := context.WithTimeout(ctx, limiterPatience)
	defer cancel()
	every := time.Minute.Microseconds() / limit
	got, err := takeScript.Run(asking, l.client, []string{"tributary:limit:" + who}, every, limit).Int64Slice()
	if err != nil || len(got) != 4 {
		if ctx.Err() == nil { // it is not the caller who went away
			l.lines.Log(l.log, slog.LevelWarn, "", "requests are not limited: Redis does not answer", "error", err)
			l.awayUntil.Store(time.Now().Add(limiterRest).UnixNano())
		}
		return quota{}, false
	}
	micros := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	q := quota{limit: limit, remaining: got[1], reset: micros(got[3])}
	if got[0] == 0 {
		q.wait = micros(got[2])
	}
	return q, true
}

// caller is who sent a request, as identify found out; err when that failed.
type caller struct {
	principal affiliate.Principal
	known     bool
	err       error
}

type callerKey struct{}

// identify finds out once who sends a request to the API, and counts the request against their limit. Live events are
// one request without an end and are not counted, except for strangers, who might guess tokens by them.
func (s *Server) identify(c *gin.Context) {
	path := c.Request.URL.Path
	guarded := s.StatusNeedsToken && (path == statusPath || path == metricsPath)
	if !strings.HasPrefix(path, APIPrefix+"/") && !guarded {
		return
	}
	var who caller
	who.principal, who.known, who.err = s.principal(c)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), callerKey{}, who))
	if s.Limiter != nil && (path != LivePath || !who.known) {
		s.limit(c, who)
	}
}

// limit tells the caller what is left to them, and ends the request when that is nothing.
func (s *Server) limit(c *gin.Context, who caller) {
	name, limit := who.principal.ID, s.Limiter.perMinute
	if !who.known || name == "" {
		name, limit = app.Network(c.ClientIP()), max(1, limit/strangerShare)
	}
	q, ok := s.Limiter.take(c.Request.Context(), name, limit)
	if !ok {
		return
	}
	c.Header("RateLimit-Limit", strconv.FormatInt(q.limit, 10))
	c.Header("RateLimit-Remaining", strconv.FormatInt(q.remaining, 10))
	c.Header("RateLimit-Reset", strconv.Itoa(seconds(q.reset)))
	if q.wait > 0 {
		p := NewProblem(CodeRateLimited, "", "This is more than "+strconv.FormatInt(q.limit,
			10)+" requests a minute; go on after the seconds in Retry-After.")
		p.RetryAfter = seconds(q.wait)
		AnswerProblem(c, p)
	}
}

// seconds rounds up, so that whoever waits so long has waited long enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
