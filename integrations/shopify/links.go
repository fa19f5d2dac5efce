package shopify

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// FindingDiscountLink is the code of a finding about a link: it is a discount link that does not pass its slug on.
const FindingDiscountLink = "discount_link"

// keeps gives what Shopify writes on an order: the path of the landing page, and its own reading of ref in it.
func keeps(address string, l affiliate.Link) []affiliate.KeptEvidence {
	_, rest, _ := strings.Cut(address, "://")
	rest, _, _ = strings.Cut(rest, "#")
	page, query, _ := strings.Cut(rest, "?")
	_, path, _ := strings.Cut(page, "/")
	return []affiliate.KeptEvidence{{Platform: Name, Field: "landing_site", Value: "/" + path + "?" + query},
		{Platform: Name, Field: "landing_site_ref", Value: l.Slug}}
}

// checkLink looks at discount links, /discount/CODE?redirect=/page.
func checkLink(l affiliate.Link) []affiliate.LinkFinding {
	page, _, _ := strings.Cut(l.LandingURL, "#")
	page, _, _ = strings.Cut(page, "?")
	u, err := url.Parse(page)
	if err != nil {
		return nil
	}
	i := strings.Index(u.Path, "/discount/")
	if i < 0 || strings.Count(u.Path[:i], "/") > 1 { // a language may stand before it: /de/discount/CODE
		return nil
	}
	target := "/"
	for name, value := range affiliate.LandingParameters(l.LandingURL) {
		if name == "redirect" && value != "" {
			target = value
		}
	}
	if to, err := url.Parse(target); err == nil && affiliate.CarriesLink(to, l.Slug) {
		return nil
	}
	return []affiliate.LinkFinding{{Code: FindingDiscountLink, Severe: true, Text: fmt.Sprintf("This is a discount "+
		"link: Shopify leads on to the page in redirect, and only what stands in there is passed on. Let the link "+
		"lead to %s?redirect=%s", page, url.QueryEscape(affiliate.WithSlug(target, l.Slug)))}}
}
