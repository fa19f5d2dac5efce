package affiliate

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", " Anna Keller ", "Anna Keller"},
		{"zero-width space", "ZW10\u200b", "ZW10"},
		{"in the middle", "ZW\u200b10", "ZW10"},
		{"byte order mark", "\ufeffANNA10", "ANNA10"},
		{"direction marks", "\u202atom@creators.example\u202c", "tom@creators.example"},
		{"isolates", "\u2068anna\u2069", "anna"},
		{"soft hyphen", "Sommer\u00adfest", "Sommerfest"},
		{"word joiner", "A\u2060B", "AB"},
		{"space behind what is not seen", "A \u200b ", "A"},
		{"hard spaces", "Anna\u00a0Keller\u202f", "Anna Keller"},
		{"family", "Team 👩‍👩‍👧", "Team 👩‍👩‍👧"},
		{"skin tone and variation selector", "👩🏽‍❤️‍👨🏻 ok", "👩🏽‍❤️‍👨🏻 ok"},
		{"profession", "Dr. 👩🏾‍⚕️", "Dr. 👩🏾‍⚕️"},
		{"rainbow flag", "🏳️‍🌈", "🏳️‍🌈"},
		{"chain and arrow", "⛓️‍💥 🙂‍↔️", "⛓️‍💥 🙂‍↔️"},
		{"Scotland", "🏴󠁧󠁢󠁳󠁣󠁴󠁿!", "🏴󠁧󠁢󠁳󠁣󠁴󠁿!"},
		{"joiner without emoji", "A\u200dB", "AB"},
		{"joiner behind an emoji", "👩\u200d", "👩"},
		{"joiner before an emoji", "A\u200d👩", "A👩"},
		{"tags without a flag", "A\U000e0067\U000e007f", "A"},
		{"tags without an end", "🏴\U000e0067", "🏴"},
		{"bytes that are no text stay", "K\xe4rg", "K\xe4rg"},
		{"nothing but", "\u200b\ufeff", ""},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestClean_property: what is cleaned stays as it is, and holds no format character outside of emoji.
func TestClean_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "É", " ", "\u200b", "\u200d", "👩", "🏴", "\ufe0f",
			"\U000e0067", "\U000e007f", "\u00a0", "\u202e", "❤", "🏽"}), 0, 12).Draw(t, "text")
		once := Clean(strings.Join(parts, ""))
		if again := Clean(once); again != once {
			t.Fatalf("%q becomes %q", once, again)
		}
		for _, r := range once {
			if unicode.Is(unicode.Cf, r) && r != zeroWidthJoiner && (r < 0xe0020 || r > 0xe007f) {
				t.Fatalf("%q holds %U", once, r)
			}
		}
	})
}

// TestFold_invisible: however something was pasted, it meets what it is.
func TestFold_invisible(t *testing.T) {
	for _, fold := range map[string]func(string) string{"code": FoldCode, "slug": FoldSlug, "name": FoldName,
		"handle": FoldHandle} {
		want := fold("anna.k10")
		for r := range rangesOf(unicode.Cf) {
			for _, s := range []string{string(r) + "ANNA.K10", "Anna" + string(r) + ".K10", "anna.k10" + string(r)} {
				if got := fold(s); got != want {
					t.Fatalf("%+q is %+q, want %q", s, got, want)
				}
			}
		}
	}
	if got := FoldCode("ZW&#8203;10&shy;"); got != "zw10" {
		t.Errorf("characters that WooCommerce escapes: %q", got)
	}
}

// rangesOf gives the characters of a table.
func rangesOf(table *unicode.RangeTable) func(func(rune) bool) {
	return func(yield func(rune) bool) {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if unicode.Is(table, r) && !yield(r) {
				return
			}
		}
	}
}

func TestNormalizeEmail(t *testing.T) {
	for in, want := range map[string]string{
		"Anna@Shop.example":                "anna@shop.example",
		" anna+shop@x.example ":            "anna@x.example",
		"anna+a+b@x.example":               "anna@x.example",
		"+anna@x.example":                  "+anna@x.example",
		"lea.roth@gmail.com":               "learoth@gmail.com",
		"L.e.a.Roth+orders@GoogleMail.com": "learoth@gmail.com",
		"lea.roth@x.example":               "lea.roth@x.example",
		"lea.roth@gmail.com.x.example":     "lea.roth@gmail.com.x.example",
		"\u202atom.lane@x.example\u202c":   "tom.lane@x.example",
		"tom\u200b.lane@x.example":         "tom.lane@x.example",
		"...@gmail.com":                    "",
		"@x.example":                       "",
		"anna@":                            "",
		"anna":                             "",
		"":                                 "",
	} {
		if got := NormalizeEmail(in); got != want {
			t.Errorf("%+q is %q, want %q", in, got, want)
		}
	}
}
