package affiliate

import (
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"
)

// LinkKind says what a link is for.
type LinkKind string

const (
	LinkSales    LinkKind = "sales"    // the link that a creator publishes
	LinkPurchase LinkKind = "purchase" // for the creator's own purchase
	LinkReview   LinkKind = "review"
)

// CountsClicks says whether clicks on such links count in figures. Those of a creator's own purchase or of a review say
// nothing about how well somebody sells.
func (k LinkKind) CountsClicks() bool { return k == LinkSales }

// Words lists the kinds there are.
func (LinkKind) Words() []LinkKind { return []LinkKind{LinkSales, LinkPurchase, LinkReview} }

// Link is a short redirect (/l/slug) that carries a creator to the store. Its slug is its own for ever.
type Link struct {
	ID            LinkID
	OfferMemberID OfferMemberID
	Slug          string
	Kind          LinkKind
	LandingURL    string
	UTM           UTMRule
	EndedAt       time.Time // zero while it works
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

const maxURL = 2000

// Validate gives an error that names the field that is wrong.
func (l Link) Validate() error {
	if !ValidSlug(l.Slug) {
		return FieldErrorf("slug", "must have 1 to %d characters of a-z, 0-9, - and _", MaxSlug)
	}
	if err := CheckWord("kind", l.Kind); err != nil {
		return err
	}
	if l.UTM != UTMAccount && l.UTM != UTMOn && l.UTM != UTMOff {
		return FieldErrorf("utm", "must be %s or %s, or empty for the account's", UTMOn, UTMOff)
	}
	return ValidateLandingURL(l.LandingURL)
}

// ValidateLandingURL refuses what a browser should not be sent to: only absolute http and https addresses without a
// password are allowed.
func ValidateLandingURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return FieldErrorf("landing_url", "must not be empty; it is where the link leads, such as https://shop.example/product")
	case len(s) > maxURL:
		return FieldErrorf("landing_url", "must not have more than %d characters", maxURL)
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || !validHost(strings.ToLower(u.Hostname())):
		return FieldErrorf("landing_url", "%q is not an address; it looks like https://shop.example/product", Clip(s, 80))
	case u.User != nil:
		return FieldErrorf("landing_url", "must not hold a user name or password")
	}
	return nil
}

// NumberedSlug gives the n-th choice for a slug that is made from a name: anna, anna-2, anna-3.
func NumberedSlug(base string, n int) string {
	if n <= 1 {
		return base
	}
	suffix := fmt.Sprintf("-%d", n)
	return base[:min(len(base), MaxSlug-len(suffix))] + suffix
}

// ampersands are the ways in which editors of mails and pages write an ampersand; some do it twice ("&amp;amp;").
var ampersands = strings.NewReplacer("&amp;", "&", "&AMP;", "&", "&#38;", "&", "&#038;", "&", "&#x26;", "&",
	"&#X26;", "&")

// UnescapeAmpersands gives an address as it was meant before an editor escaped its ampersands: "?a=1&amp;ref=anna"
// names the parameter ref, and not "amp;ref".
func UnescapeAmpersands(address string) string {
	for {
		plain := ampersands.Replace(address)
		if plain == address {
			return plain
		}
		address = plain
	}
}

// LandingParameters gives the parameters of the page where a visit began, decoded, as a store has kept its address: a
// path or a whole address, from a browser, and perhaps through an editor that escaped its ampersands. A parameter that
// cannot be decoded ("q=100%") takes only itself out, and a path like "/50%-off" nothing; of no host there is no page.
func LandingParameters(address string) iter.Seq2[string, string] {
	page, query, _ := splitAddress(UnescapeAmpersands(strings.TrimSpace(address)))
	if scheme, rest, ok := strings.Cut(page, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		if _, err := url.Parse(scheme + "://" + host); err != nil {
			query = ""
		}
	}
	return func(yield func(name, value string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			name, badName := url.QueryUnescape(name)
			value, badValue := url.QueryUnescape(value)
			if badName == nil && badValue == nil && !yield(name, value) {
				return
			}
		}
	}
}
