package affiliate

import (
	"net/url"
	"slices"
	"strings"
)

// Parameters that a link adds to its landing page's address, and that evidence is looked for in.
const (
	SlugParameter  = "ref"
	ClickParameter = "tclid"
)

// UTMRule says whether links add utm parameters to their landing page's address. WooCommerce keeps the first landing
// page of a browser's session until an address with utm parameters begins another one: without them, whoever has
// visited the shop before, or came by another creator's link, buys without a trace of the link.
type UTMRule string

const (
	UTMAccount UTMRule = "" // of a link: as the account says
	UTMOn      UTMRule = "on"
	UTMOff     UTMRule = "off"
)

// Words lists the rules there are; an account has one, a link may leave it to the account.
func (UTMRule) Words() []UTMRule { return []UTMRule{UTMOn, UTMOff} }

// Values of the utm parameters that are the same on all links.
const (
	utmSource = "tributary"
	utmMedium = "affiliate"
)

// CampaignTag is the campaign in utm_campaign, of a-z, 0-9, - and _, since WooCommerce cuts encoded characters out:
// "Äiti & Co" gives "aiti-co". A name without a letter or digit of ASCII gives the campaign's id, "cmp_12".
func CampaignTag(id CampaignID, name string) string {
	if tag := strings.Trim(SlugFrom(name), "-_"); tag != "" {
		return tag
	}
	return id.String()
}

// Landing is the address that a click on a link leads to, but for the click's id, which goes between its two parts.
type Landing struct{ Before, After string }

// LandingOf adds to a landing page's address the slug, the place of the click's id, and, unless tag is empty or the
// page has utm parameters of its own, utm parameters. Everything else stays byte for byte, but for parameters of our
// names, which give way, and for what a header cannot hold, which is percent-encoded.
func LandingOf(landing, slug, tag string) Landing {
	page, query, fragment := splitAddress(landing)
	var b strings.Builder
	b.WriteString(encodeForHeader(page))
	b.WriteByte('?')
	if kept := encodeForHeader(withoutOurs(query)); kept != "" {
		b.WriteString(kept)
		if !strings.HasSuffix(kept, "&") {
			b.WriteByte('&')
		}
	}
	b.WriteString(SlugParameter + "=" + slug + "&" + ClickParameter + "=")
	l := Landing{Before: b.String()}
	if tag != "" && !hasUTM(query) {
		l.After = "&utm_source=" + utmSource + "&utm_medium=" + utmMedium + "&utm_campaign=" + tag +
			"&utm_content=" + slug
	}
	l.After += encodeForHeader(fragment)
	return l
}

// With is the address for one click.
func (l Landing) With(click string) string { return l.Before + click + l.After }

// splitAddress cuts an address into what is before "?", the query, and the fragment with its "#".
func splitAddress(address string) (page, query, fragment string) {
	if i := strings.IndexByte(address, '#'); i >= 0 {
		address, fragment = address[:i], address[i:]
	}
	page, query, _ = strings.Cut(address, "?")
	return page, query, fragment
}

// withoutOurs takes parameters that a link sets itself out of a query.
func withoutOurs(query string) string {
	ours := func(pair string) bool {
		name := parameterName(pair)
		return name == SlugParameter || name == ClickParameter
	}
	pairs := strings.Split(query, "&")
	if !slices.ContainsFunc(pairs, ours) {
		return query
	}
	return strings.Join(slices.DeleteFunc(pairs, ours), "&")
}

// WithSlug adds a link's slug to an address in place of what parameters of our names it has.
func WithSlug(address, slug string) string {
	page, query, fragment := splitAddress(address)
	if query = withoutOurs(query); query != "" {
		query += "&"
	}
	return page + "?" + query + SlugParameter + "=" + slug + fragment
}

// hasUTM says whether a query has a utm parameter of any kind.
func hasUTM(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		if strings.HasPrefix(strings.ToLower(parameterName(pair)), "utm_") {
			return true
		}
	}
	return false
}

// parameterName is the name of "name=value". Addresses that were copied out of a page have "&amp;" between parameters.
func parameterName(pair string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pair, "amp;"), "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// encodeForHeader percent-encodes the bytes that a Location header cannot hold in every browser: white space, control
// characters and all beyond ASCII.
func encodeForHeader(s string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f }
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
