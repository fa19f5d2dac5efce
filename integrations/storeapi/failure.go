package storeapi

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// failure is why there is no answer. What it wraps is an *affiliate.Error, or the context's error.
type failure struct {
	err    error
	again  bool          // it may pass
	unsent bool          // the store has not seen the request
	large  bool          // it may be that too much was asked for
	busy   bool          // the store asks to wait
	wait   time.Duration // for how long, where it says that
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// TooMuch says whether asking for less may help: the store took too long, broke down, or its answer was too long.
func TooMuch(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.large
}

// Refusal is the error that Ask would give for an answer whose status the request accepts, for clients that looked at
// it and can make nothing of it.
func (c *Caller) Refusal(a Answer) error { return c.judge(a) }

// JSON reads an answer. What is no JSON becomes an error with a remedy.
func (a Answer) JSON(v any) error {
	c := Caller{site: a.site}
	body := bytes.TrimSpace(a.Body)
	err := json.Unmarshal(body, v)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case bytes.HasPrefix(body, []byte("\ufeff")):
		return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s writes an invisible sign (a byte order mark) "+
			"before its answers, mostly because a file of a plugin or theme was saved with one. Find it by switching "+
			"the plugins off one by one.", c.site.called())
	case saysPHP(body):
		return c.warned(body)
	case len(body) == 0:
		return c.fail(affiliate.Invalid, affiliate.StoreAnswer,
			"%s answered nothing at all. Look at the site's error log.", c.site.called())
	case errors.As(err, &syntax):
		return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s answered what is not JSON. Look at the site's "+
			"error log, and whether a plugin writes into answers.", c.site.called())
	}
	return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s answered JSON that is not as %s writes it. A plugin "+
		"may change its answers; update %s and its plugins.", c.site.called(), c.site.Name, c.site.Name)
}

// fail makes a failure that people read. No secret of the site stands in it.
func (c *Caller) fail(kind affiliate.ErrorKind, code, format string, args ...any) *failure {
	return &failure{err: &affiliate.Error{Kind: kind, Code: code,
		Message: c.site.scrub(fmt.Sprintf(format, args...))}}
}

// scrub takes the secrets out of a text, also as they stand in addresses and in the header of Basic authentication.
func (s Site) scrub(text string) string {
	var forms []string
	for _, one := range s.Secrets {
		forms = append(append(forms, one), encoded(one)...)
		for _, other := range s.Secrets {
			forms = append(forms, encoded(one+":"+other)...)
		}
	}
	for _, one := range slices.Clone(forms) {
		forms = append(forms, url.QueryEscape(one), url.PathEscape(one))
	}
	forms = slices.DeleteFunc(forms, func(one string) bool { return one == "" })
	if len(forms) == 0 {
		return text
	}
	// a whole one before what is a part of it
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for i, one := range forms {
		forms[i] = regexp.QuoteMeta(one)
	}
	return regexp.MustCompile("(?i)"+strings.Join(slices.Compact(forms), "|")).ReplaceAllLiteralString(text, "…")
}

// short is what a store says, fit to stand in a sentence. A secret goes before its half could be cut off.
func (s Site) short(said string, most int) string {
	return affiliate.Clip(strings.Join(strings.Fields(affiliate.Clean(s.scrub(said))), " "), most)
}

// Quote is what a store says, fit to stand in a sentence: without tags and secrets, and not too long.
func (c *Caller) Quote(said string) string { return c.site.short(tags.ReplaceAllString(said, ""), 160) }

func encoded(s string) []string {
	if s == "" {
		return nil
	}
	return []string{base64.StdEncoding.EncodeToString([]byte(s)), base64.RawStdEncoding.EncodeToString([]byte(s)),
		base64.URLEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s))}
}

// notAnswered is the failure of a request to which no headers came back.
func (c *Caller) notAnswered(ctx context.Context, err error, timeout time.Duration, connected bool) *failure {
	host := c.site.called()
	var leads *redirected
	var name *net.DNSError
	switch {
	case errors.As(err, &leads):
		return c.fail(affiliate.Invalid, affiliate.StoreRedirect, "%s leads on %s. %s", host,
			c.site.short(leads.to, 80), leads.why)
	case errors.Is(err, errPrivate):
		return c.fail(affiliate.Invalid, affiliate.StorePrivate, "%s is at an address that is not a public one, and "+
			"those are not asked. If the store is in your own network, set ALLOW_PRIVATE_STORES to its host.", host)
	case errors.As(err, &name) && name.IsNotFound:
		return c.fail(affiliate.Unavailable, affiliate.StoreUnreachable, "There is no host %s. Look whether the "+
			"address is right and its domain still paid for.", host)
	}
	if why := c.site.certificate(err); why != "" {
		return c.fail(affiliate.Invalid, affiliate.StoreCertificate, "The certificate of %s %s", host, why)
	}
	var fail *failure
	switch plain, timedOut := (tls.RecordHeaderError{}), isTimeout(err); {
	case ctx.Err() != nil:
		return c.gone(ctx)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &plain):
		return c.fail(affiliate.Invalid, affiliate.StoreUnreachable, "%s does not speak https. Set up a certificate "+
			"for the site, or connect it with an address that begins with http://.", host)
	case timedOut && connected:
		return c.late(timeout)
	case timedOut:
		fail = c.fail(affiliate.Unavailable, affiliate.StoreUnreachable, "%s cannot be connected to: it does not "+
			"answer. Look whether the site is up, and whether a firewall keeps this server out.", host)
	case connected:
		return c.brokenOff(ctx, err, timeout)
	default:
		fail = c.fail(affiliate.Unavailable, affiliate.StoreUnreachable, "%s cannot be connected to. Look whether "+
			"the site is up.", host)
	}
	fail.again, fail.unsent = true, !connected
	return fail
}

// gone is the failure of a request whose asker went away, or had no more time.
func (c *Caller) gone(ctx context.Context) *failure {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &failure{err: ctx.Err()}
	}
	return c.fail(affiliate.Unavailable, affiliate.StoreUnreachable, "%s did not answer in time. Try again; if it "+
		"stays so, look at the load of the site.", c.site.called())
}

func (c *Caller) late(timeout time.Duration) *failure {
	f := c.fail(affiliate.Unavailable, affiliate.StoreUnreachable, "%s did not answer within %g s. It is asked "+
		"again; if it stays so, look at the load of the site.", c.site.called(), timeout.Seconds())
	f.again, f.large = true, true
	return f
}

// brokenOff is the failure of an answer that ended before its end.
func (c *Caller) brokenOff(ctx context.Context, err error, timeout time.Duration) *failure {
	var corrupt flate.CorruptInputError
	switch {
	case ctx.Err() != nil:
		return c.gone(ctx)
	case isTimeout(err):
		return c.late(timeout)
	case errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt):
		return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s packs its answers wrongly. Switch the compression "+
			"of a plugin or a proxy off.", c.site.called())
	}
	f := c.fail(affiliate.Unavailable, affiliate.StoreUnreachable, "%s broke the connection off. It is asked again; "+
		"if it stays so, look at the site's error log.", c.site.called())
	f.again, f.large = true, true
	return f
}

func (c *Caller) tooLong(most int64) *failure {
	f := c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s answered more than %d MiB at once, which was not read "+
		"to its end.", c.site.called(), max(most>>20, 1))
	f.large = true
	return f
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// certificate says what is wrong with one, after its "The certificate of shop.example"; empty when nothing is.
func (s Site) certificate(err error) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var other *tls.CertificateVerificationError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert.NotBefore.After(time.Now()):
		return "is valid from " + invalid.Cert.NotBefore.UTC().Format(time.DateOnly) + " on only. Have it issued " +
			"anew, or set this server's clock."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "has been expired since " + invalid.Cert.NotAfter.UTC().Format(time.DateOnly) + ". Have it renewed."
	case errors.As(err, &name):
		names := strings.Join(name.Certificate.DNSNames, ", ")
		return "is of another name (" + s.short(cmp.Or(names, "none"), 80) +
			"). Check the address, or have a certificate issued for it."
	case errors.As(err, &unknown):
		return "is of an authority that is not known here: it was made by the site itself, or its chain is not " +
			"complete. Have the host install it with its intermediate certificates."
	case errors.As(err, &other), errors.As(err, &invalid):
		return "is not valid. Have it issued anew."
	}
	return ""
}

// judge is the failure of an answer that is none.
func (c *Caller) judge(a Answer) (fail *failure) {
	defer func() { fail.wait = max(0, retryAfter(a.Header, c.web.now())) }()
	said, host, html := a.says(), c.site.called(), a.isHTML()
	switch {
	case html && saysPHP(a.Body):
		return c.warned(a.Body)
	case a.firewall():
		return c.fail(affiliate.Forbidden, affiliate.StoreFirewall, "A firewall before %s turns us away. Let it allow "+
			"this server's address, and User-Agent Tributary, to reach the API.", host)
	case a.Status == http.StatusTooManyRequests:
		fail = c.fail(affiliate.Unavailable, affiliate.StoreBusy, "%s asks us to wait: it was asked too often for its "+
			"taste. It is asked again by itself.", host)
		fail.again, fail.busy = true, true
		return fail
	case a.Status == http.StatusUnauthorized && html:
		return c.fail(affiliate.Forbidden, affiliate.StoreFirewall, "%s asks for a password before it lets anybody "+
			"see the site. Take the API out of that protection.", host)
	case a.Status == http.StatusUnauthorized:
		return c.fail(affiliate.Forbidden, affiliate.StoreKeysRefused, "%s refuses the keys%s. Make new ones (%s) and "+
			"connect the store again.", host, said, c.site.Keys)
	case a.Status == http.StatusForbidden && (html || said == ""):
		return c.fail(affiliate.Forbidden, affiliate.StoreFirewall, "Something before %s, such as a firewall or a "+
			"security plugin, turns us away. Let it allow this server's address to reach the API.", host)
	case a.Status == http.StatusForbidden:
		return c.fail(affiliate.Forbidden, affiliate.StoreForbidden, "%s does not let the keys do this%s. Give them "+
			"more rights, or make new ones (%s).", host, said, c.site.Keys)
	case a.Status == http.StatusNotFound, a.Status == http.StatusGone:
		return c.fail(affiliate.Invalid, affiliate.StoreNoAPI, "There is no API of %s at %s%s. Check the address, and "+
			"that %s is there and active.", c.site.Name, host, said, c.site.Name)
	case a.Status >= http.StatusInternalServerError && a.Status != http.StatusNotImplemented,
		a.Status == http.StatusRequestTimeout:
		fail = c.fail(affiliate.Unavailable, affiliate.StoreDown, "%s is in trouble: it answers %s%s. Look at the "+
			"site's error log if it stays so.", host, statusText(a.Status), said)
		fail.again = a.Status != http.StatusInternalServerError
		fail.large = a.Status != http.StatusServiceUnavailable
		return fail
	case a.Status/100 == 3:
		return c.fail(affiliate.Invalid, affiliate.StoreRedirect, "%s leads on to nowhere. Look at the site's "+
			"redirects.", host)
	case html:
		return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s answers a page for people (%s) where its API "+
			"should be. Look whether a plugin, such as one for maintenance or security, hides the API.", host,
			statusText(a.Status))
	}
	return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "%s does not take this request: it answers %s%s. Update "+
		"%s if it is old.", host, statusText(a.Status), said, c.site.Name)
}

// warned is the failure of an answer before which PHP wrote.
func (c *Caller) warned(body []byte) *failure {
	text := string(bytes.TrimSpace(tags.ReplaceAll(body[:min(len(body), 2000)], nil)))
	if i := strings.IndexAny(text, "{["); i > 0 {
		text = text[:i]
	}
	return c.fail(affiliate.Invalid, affiliate.StoreAnswer, "PHP writes messages into the answers of %s (%s). Set "+
		"WP_DEBUG_DISPLAY to false there, or display_errors to off.", c.site.called(),
		c.site.short(text, 100))
}

var (
	tags       = regexp.MustCompile(`<[^>]*>`)
	phpMessage = regexp.MustCompile(`^(PHP )?(Warning|Notice|Deprecated|Fatal error|Parse error|Strict Standards): `)
	// walls are what the pages of firewalls say.
	walls = regexp.MustCompile(`(?i)attention required! \| cloudflare|<title>just a moment\.\.\.|` +
		`sucuri website firewall|generated by wordfence|your access to this site has been limited|imunify360|` +
		`mod_security|incapsula incident|/\.well-known/sgcaptcha/`)
)

func saysPHP(body []byte) bool {
	return phpMessage.Match(bytes.TrimSpace(tags.ReplaceAll(body[:min(len(body), 2000)], nil)))
}

// firewall says whether an answer is that of something before the store, by its own words.
func (a Answer) firewall() bool {
	return a.Header.Get("Cf-Mitigated") != "" || a.isHTML() &&
		(walls.Match(a.Body[:min(len(a.Body), 64<<10)]) || a.Status == http.StatusNotAcceptable ||
			a.Header.Get("Cf-Ray") != "" && a.Status == http.StatusForbidden)
}

// isHTML says whether an answer is a page. Some hosts call JSON one.
func (a Answer) isHTML() bool {
	body := bytes.TrimLeft(bytes.TrimPrefix(a.Body, []byte("\ufeff")), " \t\r\n")
	if len(body) == 0 || body[0] == '{' || body[0] == '[' || body[0] == '"' {
		return false
	}
	return body[0] == '<' || strings.HasPrefix(strings.ToLower(a.Header.Get("Content-Type")), "text/html")
}

// says is what an answer that is an error says, as " (…)"; empty when it says nothing that can be read. Both platforms
// answer an object, WooCommerce with message, Shopify with errors, which may be a string.
func (a Answer) says() string {
	var body struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
		Error   string          `json:"error_description"`
	}
	if json.Unmarshal(a.Body, &body) != nil {
		return ""
	}
	var text string
	_ = json.Unmarshal(body.Errors, &text) // another shape says nothing
	text = a.site.short(tags.ReplaceAllString(cmp.Or(body.Message, body.Error, text), ""), 160)
	return " (" + cmp.Or(strings.TrimRight(text, "."), "no reason given") + ")"
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// retryAfter reads how long to wait: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil && s >= 0 {
		return seconds(min(s, mostPutOff.Seconds()))
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(at.Sub(now), mostPutOff)
}
