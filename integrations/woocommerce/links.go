package woocommerce

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// maxEvidence is the longest value that can be a click id, a slug or a UTM value of ours. WooCommerce passes on what
// the shopper's browser says, a kilobyte and more.
const maxEvidence = 128

// Where evidence stood, for the order's trace.
const (
	sourceEntry      = "session_entry" // the landing page that WooCommerce's order attribution has kept
	sourceMeta       = "meta_data"     // a field of the order's own
	sourceUTMContent = "utm_content"   // of the order attribution, last touch
)

// evidence lists the traces of our links, strongest first. All of it comes from the shopper's browser and can be
// forged. Evidence from the order attribution (src/Internal/Traits/OrderAttributionMeta.php) carries the start of the
// visit.
func (m *metadata) evidence(placed time.Time) []affiliate.LinkEvidence {
	entry := landing(m.sessionEntry)
	visit := m.visitStart(placed)
	var links []affiliate.LinkEvidence
	add := func(kind affiliate.LinkEvidenceKind, value, source string, at time.Time) {
		if !usable(value) {
			return
		}
		value = affiliate.FoldSlug(value)
		known := func(l affiliate.LinkEvidence) bool { return l.Kind == kind && l.Value == value }
		if value != "" && !slices.ContainsFunc(links, known) {
			links = append(links, affiliate.LinkEvidence{Kind: kind, Value: value, Source: source, At: at})
		}
	}
	add(affiliate.EvidenceClick, entry[affiliate.ClickParameter], sourceEntry, visit)
	add(affiliate.EvidenceClick, text(m.clickID), sourceMeta, time.Time{})
	add(affiliate.EvidenceSlug, entry[affiliate.SlugParameter], sourceEntry, visit)
	add(affiliate.EvidenceSlug, text(m.ref), sourceMeta, time.Time{})
	add(affiliate.EvidenceUTM, text(m.utmContent), sourceUTMContent, visit)
	add(affiliate.EvidenceUTM, entry["utm_content"], sourceEntry, visit)
	return links
}

// usable says whether a value can be evidence at all. Control characters and broken UTF-8 come from percent-encodings.
func usable(value string) bool {
	return utf8.RuneCountInString(value) <= maxEvidence && utf8.ValidString(value) &&
		strings.IndexFunc(value, isControl) < 0
}

// landing gives the parameters of the landing page, of several with one name the first.
func landing(entry jsonwalk.Value) map[string]string {
	if !entry.IsText() {
		return nil
	}
	first := map[string]string{}
	for name, value := range affiliate.LandingParameters(entry.Text()) {
		if _, ok := first[name]; !ok {
			first[name] = value
		}
	}
	return first
}

// visitStart is when the visit began, in UTC as the order attribution's script is set up. The browser's clock may be
// ahead, and nobody comes after having ordered, so it is never after the order. Zero when unknown.
func (m *metadata) visitStart(placed time.Time) time.Time {
	at, err := time.Parse("2006-01-02 15:04:05", strings.TrimSpace(text(m.sessionStart)))
	if err != nil || at.Year() < 1970 {
		return time.Time{}
	}
	if at.After(placed) {
		return placed
	}
	return at
}
