package affiliate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestLinkFacts_Check(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	woo := affiliate.Store{ID: 1, Platform: woocommerce.Name, Domain: "shop.example", State: affiliate.StoreStateActive}
	us := affiliate.Store{ID: 2, Platform: shopify.Name, Domain: "us.myshopify.com", State: affiliate.StoreStateActive}
	const utm = "&utm_source=tributary&utm_medium=affiliate&utm_campaign=spring&utm_content=anna"
	facts := func(landing string, change func(*affiliate.LinkFacts)) affiliate.LinkFacts {
		f := affiliate.LinkFacts{Link: affiliate.Link{Slug: "anna", LandingURL: landing}, UTM: affiliate.UTMOn,
			Stores: []affiliate.Store{woo, us}, Now: now, Guides: []*affiliate.Guide{shopify.Platform{}.Guide(),
				woocommerce.Platform{}.Guide()},
			Owner: affiliate.Membership{CampaignID: 1, Campaign: "Spring", Creator: "Anna", Offer: "Ten",
				OfferStatus: affiliate.OfferActive}}
		if change != nil {
			change(&f)
		}
		return f
	}
	for _, test := range []struct {
		name     string
		facts    affiliate.LinkFacts
		kept     string
		findings string // codes; severe ones with a !
		says     string
	}{
		{"a page of a WooCommerce store", facts("https://www.Shop.example/p", nil),
			"_wc_order_attribution_session_entry=https://www.Shop.example/p?ref=anna&tclid={click}" + utm +
				" _wc_order_attribution_utm_content=anna", "", ""},
		{"a page of a Shopify store", facts("https://us.myshopify.com/p?a=1#x", nil),
			"landing_site=/p?a=1&ref=anna&tclid={click}" + utm + " landing_site_ref=anna", "fragment", "never sent"},
		{"Shopify, without utm parameters", facts("https://us.myshopify.com", func(f *affiliate.LinkFacts) { f.UTM = affiliate.UTMOff }),
			"landing_site=/?ref=anna&tclid={click} landing_site_ref=anna", "no_utm", ""},
		{"WooCommerce, without utm parameters", facts("https://shop.example/", func(f *affiliate.LinkFacts) { f.UTM = affiliate.UTMOff }),
			"_wc_order_attribution_session_entry=https://shop.example/?ref=anna&tclid={click}", "no_utm!", "Switch them on"},
		{"its own utm parameters", facts("https://shop.example/?utm_source=ig&utm_content=Ben", nil),
			"_wc_order_attribution_session_entry=https://shop.example/?utm_source=ig&utm_content=Ben&ref=anna&tclid={click} " +
				"_wc_order_attribution_utm_content=Ben", "own_utm!", "utm_content=anna"},
		{"its own utm parameters, which name the link", facts("https://shop.example/?utm_content=Anna", nil),
			"_wc_order_attribution_session_entry=https://shop.example/?utm_content=Anna&ref=anna&tclid={click} " +
				"_wc_order_attribution_utm_content=Anna", "", ""},
		{"a host that may be a Shopify store's", facts("https://brand.example/", nil), "*", "unknown_host",
			"own domain of a Shopify store"},
		{"a host of no store", facts("https://else.example:8443/", func(f *affiliate.LinkFacts) { f.Stores = []affiliate.Store{woo} }), "*",
			"unknown_host!", "else.example:8443 is no connected"},
		{"a store that was ended", facts("https://shop.example/", func(f *affiliate.LinkFacts) {
			f.Stores[0].State = affiliate.StoreStateEnded
		}), "*", "unknown_host", ""},
		{"a discount link", facts("https://us.myshopify.com/discount/ANNA10?redirect=%2Fproducts%2Fserum%3Fv%3D1", nil), "*",
			"discount_link!", "https://us.myshopify.com/discount/ANNA10?redirect=%2Fproducts%2Fserum%3Fv%3D1%26ref%3Danna"},
		{"a discount link to the start page", facts("https://us.myshopify.com/de/discount/ANNA10", nil), "*",
			"discount_link!", "/de/discount/ANNA10?redirect=%2F%3Fref%3Danna"},
		{"a discount link that passes the slug on",
			facts("https://us.myshopify.com/discount/ANNA10?redirect=%2Fp%3Fref%3Danna", nil), "*", "", ""},
		{"no discount link of WooCommerce", facts("https://shop.example/discount/x", nil), "*", "", ""},
		{"parameters behind the #", facts("https://shop.example/#/p?utm_id=1", nil), "*", "fragment!", ""},
		{"a ref of its own", facts("https://shop.example/?ref=old", nil), "*", "parameter_replaced", ""},
		{"an ended link", facts("https://shop.example/", func(f *affiliate.LinkFacts) { f.Link.EndedAt = now }), "*", "link_ended!", ""},
		{"an offer on hold, a member who left, after the end", facts("https://shop.example/", func(f *affiliate.LinkFacts) {
			f.Owner.OfferStatus, f.Owner.InactiveSince, f.Owner.EndsAt = affiliate.OfferPaused, now, now
		}), "*", "offer_not_active! member_inactive! campaign_over!", "paused"},
		{"before the start", facts("https://shop.example/", func(f *affiliate.LinkFacts) { f.Owner.StartsAt = now.Add(1) }), "*",
			"campaign_not_started!", ""},
	} {
		c := test.facts.Check()
		var kept, codes []string
		text := ""
		for _, k := range c.Kept {
			kept = append(kept, k.Field+"="+k.Value)
		}
		for _, f := range c.Findings {
			if text += f.Text; f.Severe {
				f.Code += "!"
			}
			codes = append(codes, f.Code)
		}
		if got := strings.Join(kept, " "); test.kept != "*" && got != test.kept {
			t.Errorf("%s: the store keeps\n%s, want\n%s", test.name, got, test.kept)
		}
		if got := strings.Join(codes, " "); got != test.findings || !strings.Contains(text, test.says) {
			t.Errorf("%s: found %q, want %q: %s", test.name, got, test.findings, text)
		}
	}
}
