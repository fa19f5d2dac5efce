package storeapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// http gives the client of all callers. It uses no proxy, which would dial in our place, unguarded.
func (w *Web) http() *http.Client {
	w.once.Do(func() {
		w.client = &http.Client{CheckRedirect: redirect, Transport: &http.Transport{DialContext: w.dial,
			TLSClientConfig: &tls.Config{RootCAs: w.Roots}, TLSHandshakeTimeout: dialTimeout,
			ResponseHeaderTimeout: usualTimeout, MaxResponseHeaderBytes: mostHeader, MaxIdleConnsPerHost: atOnce,
			IdleConnTimeout: time.Minute}}
	})
	return w.client
}

var errPrivate = errors.New("not a public address")

// dial connects, and looks at the address when it is connected to: what a name led to before proves nothing.
func (w *Web) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, Resolver: w.resolver}
	if host, _, err := net.SplitHostPort(address); err != nil || !w.allows(host) {
		dialer.Control = w.guard
	}
	return dialer.DialContext(ctx, network, address)
}

// guard refuses an address that is about to be connected to, unless it may be asked.
func (w *Web) guard(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err == nil && !affiliate.IsPublic(at.Addr()) && !w.allowsAddress(at.Addr()) {
		err = errPrivate
	}
	return err
}

// allows says whether a host may be anywhere.
func (w *Web) allows(host string) bool {
	return slices.ContainsFunc(w.Private, func(p string) bool { return p == "*" || strings.EqualFold(p, host) })
}

// allowsAddress says whether an address is among the private ones that may be asked.
func (w *Web) allowsAddress(a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(w.Private, func(p string) bool {
		if one, err := netip.ParseAddr(p); err == nil {
			return one.Unmap() == a.WithZone("")
		}
		network, err := netip.ParsePrefix(p)
		return err == nil && network.Contains(a.WithZone(""))
	})
}

// send sends a request and judges the answer.
func (c *Caller) send(ctx context.Context, r Request) (answer Answer, fail *failure) {
	timeout, most := r.Timeout, r.Most
	if timeout <= 0 {
		timeout = usualTimeout
	}
	if most <= 0 {
		most = usualMost
	}
	tryCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var connected atomic.Bool
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(tryCtx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}), r.Method, r.Address, bytes.NewReader(r.Body))
	if err != nil || !c.isOurs(req.URL) {
		return Answer{}, c.fail(affiliate.Invalid, affiliate.StoreRedirect,
			"A request was to go to an address that is not of %s, and was not sent.", c.site.called())
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	for name, value := range map[string]string{"User-Agent": "Tributary", "Accept": "application/json",
		"Cache-Control": "no-cache"} {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	began := c.web.now()
	res, err := c.web.http().Do(req)
	if err != nil {
		return Answer{}, c.notAnswered(ctx, err, timeout, connected.Load())
	}
	defer func() { _ = res.Body.Close() }()
	answer = Answer{Status: res.StatusCode, Header: res.Header, site: c.site,
		ReadAt: readAt(res.Header, c.web.now().Sub(began))}
	answer.Body, err = io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case int64(len(answer.Body)) > most:
		answer.Body = nil
		return answer, c.tooLong(most)
	case err != nil:
		answer.Body = nil
		return answer, c.brokenOff(ctx, err, timeout)
	case r.accepts(res.StatusCode) && !answer.isHTML():
		return answer, nil
	}
	return answer, c.judge(answer)
}

// isOurs says whether an address is the store's. Host names are compared with their ports, the usual ones being none.
func (c *Caller) isOurs(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && sameHost(u, u.Scheme, c.site.Host)
}

func sameHost(u *url.URL, scheme, host string) bool {
	other := url.URL{Host: host}
	return strings.EqualFold(u.Hostname(), other.Hostname()) && portOf(u, u.Scheme) == portOf(&other, scheme)
}

// portOf is the port of an address; empty where it is the scheme's own.
func portOf(u *url.URL, scheme string) string {
	if p := u.Port(); !(scheme == "https" && p == "443") && !(scheme == "http" && p == "80") {
		return p
	}
	return ""
}

// redirected is the error of a redirect that is not followed: where to, as the store says it, and why it is not.
type redirected struct{ to, why string }

func (e *redirected) Error() string { return e.why }

const mostRedirects = 3

// redirect follows the store to itself only: the keys go wherever the request goes. A redirect that would make another
// request of it, as that of a POST to a GET does, is not followed either.
func redirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	req.Header.Del("Referer") // would repeat the query
	switch {
	case !sameHost(req.URL, last.Scheme, last.Host) || req.URL.User != nil:
		return &redirected{"to " + req.URL.Host, "Connect the store with that address, if it is its own."}
	case last.Scheme == "https" && req.URL.Scheme != "https":
		return &redirected{"from https to plain http", "Let the site keep to https."}
	case req.Method != via[0].Method:
		return &redirected{"and loses what was sent with it", "Connect the store with the address that it has now."}
	case len(via) > mostRedirects:
		return &redirected{"again and again", "Look at the site's redirects."}
	}
	return nil
}

// readAt is the time of an answer's Date less the time that its headers took, rounded down. It is zero where a cache
// answered, whose Date is that of an answer to somebody else.
func readAt(h http.Header, took time.Duration) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	if age := h.Get("Age"); err != nil || date.Year() < 2001 || age != "" && age != "0" {
		return time.Time{}
	}
	return date.UTC().Add(-max(took, 0)).Truncate(time.Microsecond)
}
