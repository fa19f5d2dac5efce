package shopify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// maxCodes bounds the codes of one order; Shopify itself allows far fewer.
const maxCodes = 100

// provenCodes gives the coupon codes that the customer entered, in the store's order. discount_codes also holds the
// empty code of a manual discount and the title of a draft order's discount as if it were one (recording 019); only a
// discount application of type discount_code proves that a code was entered. Old API versions have no applications;
// there the list is all there is.
func (b *body) provenCodes(v *values) (codes []string) {
	proven := b.appliedCodes(v)
	seen := map[string]bool{}
	for i, r := range b.codes {
		v.enter("discount_codes", i)
		code := v.word("code", r, maxCode+1)
		v.leave()
		if code == "" || utf8.RuneCountInString(code) > maxCode {
			continue
		}
		folded := affiliate.FoldCode(code)
		if (proven[folded] || !b.hasDiscountApplications) && !seen[folded] {
			seen[folded] = true
			codes = append(codes, code)
			if len(codes) == maxCodes {
				break
			}
		}
	}
	return codes
}

// maxCode is the longest coupon code in Shopify.
const maxCode = 255

func (b *body) appliedCodes(v *values) map[string]bool {
	if len(b.codes) == 0 {
		return nil
	}
	proven := make(map[string]bool, len(b.applications))
	for i, a := range b.applications {
		v.enter("discount_applications", i)
		if v.word("type", a.kind, 40) == "discount_code" {
			proven[affiliate.FoldCode(v.word("code", a.code, maxCode))] = true
		}
		v.leave()
	}
	return proven
}

// links collects link evidence, strongest first: our click id, slugs where a link of ours puts them, a UTM value. When
// the visit was, Shopify does not tell.
func (b *body) links(v *values) []affiliate.LinkEvidence {
	var e evidence
	e.landingSite(v.word("landing_site", b.landingSite, 8192))
	// Shopify's own reading of ref, source or r in the landing page (referralCode in GraphQL's CustomerVisit).
	e.add(affiliate.EvidenceSlug, v.word("landing_site_ref", b.landingSiteRef, maxEvidence+1), "landing_site_ref")
	for _, a := range b.attributes {
		if !a.name.IsText() || !a.value.IsText() && !a.value.IsNumber() {
			continue // attributes may hold anything that a theme or an app put there
		}
		// The storefront cannot read attributes whose name starts with an underscore, so scripts use both forms.
		switch name := strings.TrimLeft(tidy(a.name.Text(), 40), "_"); strings.ToLower(name) {
		case "tclid":
			e.add(affiliate.EvidenceClick, a.value.Content(), "note_attributes")
		case "ref":
			e.add(affiliate.EvidenceSlug, a.value.Content(), "note_attributes")
		}
	}
	e.add(affiliate.EvidenceUTM, v.word("utm_content", b.utmContent, maxEvidence+1), "utm_content")
	slices.SortStableFunc(e, func(a, b affiliate.LinkEvidence) int { return strength[a.Kind] - strength[b.Kind] })
	return e
}

var strength = map[affiliate.LinkEvidenceKind]int{
	affiliate.EvidenceClick: 0, affiliate.EvidenceSlug: 1, affiliate.EvidenceUTM: 2,
}

// evidence is what was found so far, each value of a kind once.
type evidence []affiliate.LinkEvidence

// Values longer than maxEvidence are no click id or slug of ours, and an order with more than maxLinks values is a
// script gone wrong.
const maxEvidence, maxLinks = 128, 32

// landingSite reads the query of the page where the customer entered the shop: a path in real bodies, an absolute URL
// in samples, and whatever the customer's browser sent. What cannot be read is no evidence.
func (e *evidence) landingSite(landing string) {
	for name, value := range affiliate.LandingParameters(landing) {
		switch name {
		case affiliate.ClickParameter:
			e.add(affiliate.EvidenceClick, value, "landing_site")
		case affiliate.SlugParameter:
			e.add(affiliate.EvidenceSlug, value, "landing_site")
		case "utm_content":
			e.add(affiliate.EvidenceUTM, value, "utm_content")
		}
	}
}

func (e *evidence) add(kind affiliate.LinkEvidenceKind, value, source string) {
	if !utf8.ValidString(value) || strings.IndexFunc(value, unicode.IsControl) >= 0 {
		return // PostgreSQL would refuse it
	}
	value = affiliate.FoldSlug(value)
	if value == "" || len(value) > maxEvidence || len(*e) >= maxLinks {
		return
	}
	for _, have := range *e {
		if have.Kind == kind && have.Value == value {
			return
		}
	}
	*e = append(*e, affiliate.LinkEvidence{Kind: kind, Value: value, Source: source})
}
