package affiliate

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLandingOf(t *testing.T) {
	const utm = "&utm_source=tributary&utm_medium=affiliate&utm_campaign=spring&utm_content=anna"
	for _, test := range []struct{ name, landing, want string }{
		{"a plain page", "https://shop.example/p", "https://shop.example/p?ref=anna&tclid=C" + utm},
		{"no path", "https://shop.example", "https://shop.example?ref=anna&tclid=C" + utm},
		{"an empty query", "https://shop.example/?", "https://shop.example/?ref=anna&tclid=C" + utm},
		{"a query of its own", "https://shop.example/?b=2&a=1&&c", "https://shop.example/?b=2&a=1&&c&ref=anna&tclid=C" + utm},
		{"a query that goes on", "https://shop.example/?a=1&", "https://shop.example/?a=1&ref=anna&tclid=C" + utm},
		{"a fragment", "https://shop.example/p#size?x=1", "https://shop.example/p?ref=anna&tclid=C" + utm + "#size?x=1"},
		{"odd encodings", "https://shop.example/%7eA%2fb;v=1?q=100%&r=%zz+%2B#%C3", "https://shop.example/%7eA%2fb;v=1?q=100%&r=%zz+%2B&ref=anna&tclid=C" + utm + "#%C3"},
		{"copied out of a page", "https://shop.example/?a=1&amp;b=2", "https://shop.example/?a=1&amp;b=2&ref=anna&tclid=C" + utm},
		{"letters beyond ASCII", "https://shop.example/ä b?q=ö#ü", "https://shop.example/%C3%A4%20b?q=%C3%B6&ref=anna&tclid=C" + utm + "#%C3%BC"},
		{"our parameters give way", "https://shop.example/?ref=old&a=1&amp;tclid=x&%72ef=y", "https://shop.example/?a=1&ref=anna&tclid=C" + utm},
		{"names that only look like ours", "https://shop.example/?Ref=1&xref=2&ref2=3", "https://shop.example/?Ref=1&xref=2&ref2=3&ref=anna&tclid=C" + utm},
		{"its own utm parameters", "https://shop.example/?utm_term=x", "https://shop.example/?utm_term=x&ref=anna&tclid=C"},
		{"its own, in capitals and copied", "https://shop.example/?a=1&amp;UTM_Source=x", "https://shop.example/?a=1&amp;UTM_Source=x&ref=anna&tclid=C"},
		{"its own, encoded", "https://shop.example/?utm%5Fid=1", "https://shop.example/?utm%5Fid=1&ref=anna&tclid=C"},
		{"utm as a value and in the fragment", "https://shop.example/?q=utm_source#utm_id=1", "https://shop.example/?q=utm_source&ref=anna&tclid=C" + utm + "#utm_id=1"},
	} {
		if got := LandingOf(test.landing, "anna", "spring").With("C"); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
	if got := LandingOf("https://shop.example/#x", "anna", "").With("C"); got != "https://shop.example/?ref=anna&tclid=C#x" {
		t.Errorf("without utm parameters: %s", got)
	}
}

// TestLandingOf_preserves: of any address that a link may have, page and fragment stay, every parameter of its own
// stays in its place, and the slug and the click can be read from the result.
func TestLandingOf_preserves(t *testing.T) {
	part := rapid.StringMatching(`([a-z=&?;/+.~!$'()*,:@-]|%[0-9a-f]{2}|amp;|ref=|utm_id=|&){0,12}`)
	rapid.Check(t, func(rt *rapid.T) {
		query := part.Draw(rt, "query")
		landing := "https://shop.example/" + strings.ReplaceAll(part.Draw(rt, "path"), "?", "") + "?" + query
		fragment := ""
		if rapid.Bool().Draw(rt, "has a fragment") {
			fragment = "#" + part.Draw(rt, "fragment")
		}
		if ValidateLandingURL(landing+fragment) != nil {
			return
		}
		got := LandingOf(landing+fragment, "anna", "spring").With("C")
		u, err := url.Parse(got)
		if err != nil {
			rt.Fatalf("%s became %s: %v", landing+fragment, got, err)
		}
		if !strings.HasPrefix(got, landing[:strings.IndexByte(landing, '?')+1]) || !strings.HasSuffix(got, fragment) {
			rt.Fatalf("%s became %s", landing+fragment, got)
		}
		parameters := u.Query()
		if len(parameters["ref"]) != 1 || parameters.Get("ref") != "anna" || parameters.Get("tclid") != "C" {
			rt.Fatalf("%s became %s, in which ref is %q", landing+fragment, got, parameters["ref"])
		}
		if named := parameters.Get("utm_content") == "anna"; named == hasUTM(query) {
			rt.Fatalf("%s became %s", landing+fragment, got)
		}
		if !strings.Contains(query, "ref") && !strings.Contains(got, "?"+query) {
			rt.Fatalf("the query of %s did not stay in %s", landing, got)
		}
	})
}

func TestCampaignTag(t *testing.T) {
	for name, want := range map[string]string{"Äiti & Co": "aiti-co", "Spring 2027": "spring-2027", "Straße": "strasse",
		"ΑΒΓ": "cmp_7", "日本": "cmp_7", "— ! —": "cmp_7", "_x_": "x", "Été – 50 %": "ete-50"} {
		if got := CampaignTag(7, name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		if tag := CampaignTag(7, rapid.String().Draw(rt, "name")); !ValidSlug(tag) {
			rt.Fatalf("the tag is %q", tag)
		}
	})
}

func BenchmarkLanding_With(b *testing.B) {
	l := LandingOf("https://shop.example/p?a=1#top", "anna", "spring")
	b.ReportAllocs()
	for b.Loop() {
		_ = l.With("01jd3v8w9x2y4z6a8b0c1d2e3f")
	}
}
