package affiliate

import (
	"html"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldCode gives the form in which coupon codes are compared: HTML-unescaped (WooCommerce escapes codes), cleaned, full
// Unicode case folding, NFC. Full folding, not lower case: WooCommerce turns "İSTANBUL5" into "i̇stanbul5" (i with a
// combining dot), which only full folding meets.
func FoldCode(code string) string {
	if ascii, ok := foldASCII(code); ok {
		return ascii
	}
	unescaped := Clean(html.UnescapeString(code))
	return strings.TrimSpace(norm.NFC.String(cases.Fold().String(norm.NFC.String(unescaped))))
}

// foldASCII is the short way for nearly all codes.
func foldASCII(code string) (string, bool) {
	for i := 0; i < len(code); i++ {
		if code[i] >= 0x80 || code[i] == '&' {
			return "", false
		}
	}
	return strings.ToLower(strings.TrimSpace(code)), true
}

// FoldSlug gives the form in which link slugs are compared. Slugs are ASCII, so lower case is enough.
func FoldSlug(slug string) string { return strings.ToLower(Clean(slug)) }

// MaxSlug is the longest slug a link may have.
const MaxSlug = 64

// ValidSlug says whether s may be a link's slug: [a-z0-9_-], since WooCommerce cuts percent-encoded characters out of
// the attribution values that it sends.
func ValidSlug(s string) bool {
	if s == "" || len(s) > MaxSlug {
		return false
	}
	for i := 0; i < len(s); i++ {
		if b := s[i]; (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' && b != '-' {
			return false
		}
	}
	return true
}

// SlugFrom makes a slug from a handle or a name: "@anna.keller" gives "anna-keller", "Äiti Virtanen" "aiti-virtanen".
// It is empty when nothing usable is left.
func SlugFrom(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range norm.NFKD.String(cases.Fold().String(s)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		case r >= 0x300 && r < 0x370: // a combining mark, split off by NFKD
		default:
			dash = true
		}
		if b.Len() >= MaxSlug-1 {
			break
		}
	}
	return b.String()
}

// NormalizeEmail gives the form of an e-mail address by which customers and creators are recognised as one person:
// cleaned, lower case, without a "+tag", and for Gmail, which passes over dots and has two domains, without dots and at
// gmail.com. It is empty for what is no address. Mail goes to the address as it was given, never to this form.
func NormalizeEmail(email string) string {
	local, domain, ok := strings.Cut(strings.ToLower(Clean(email)), "@")
	if !ok || domain == "" {
		return ""
	}
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "gmail.com" || domain == "googlemail.com" {
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	}
	if local == "" {
		return ""
	}
	return local + "@" + domain
}
