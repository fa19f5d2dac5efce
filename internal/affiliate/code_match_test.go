package affiliate

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMatchCodes(t *testing.T) {
	anna := PossibleOwner{1, "Anna Keller", []string{"anna.keller", "annas_kitchen"}}
	ben := PossibleOwner{2, "Ben Ray", []string{"benray"}}
	owners := []PossibleOwner{anna, ben, {3, "Zoë", nil}, {4, "Jo Li", []string{"jo"}},
		{5, "Cara Lang", []string{"cara99"}}, {6, "Cara Blum", []string{"cara-blum"}}, {7, "Юлия", []string{"☺"}},
		{8, "Grace Emily Beaumont-Whitfield", []string{"grace.emily.beaumont"}}, {9, "Twin", []string{"twin"}},
		{10, "Twin", []string{"twin"}}, {11, "Benray", []string{"other"}}, {12, "Number", []string{"2024"}}}
	for _, c := range []struct {
		pattern CodePattern
		code    string
		owner   OfferMemberID
		certain bool
		why     string
	}{
		// without a pattern
		{"", "ANNAKELLER15", 1, true, "is the handle anna.keller with 15 behind it"},
		{"", "anna-keller", 1, true, "is the handle anna.keller"},
		{"", "AnnasKitchen10%", 1, true, ""},
		{"", "ANNA10", 1, false, "is the first name Anna with 10 behind it"},
		{"", "zoe5", 3, false, "is the name Zoë with 5 behind it"},
		{"", "ZOË5", 3, false, ""},
		{"", "&#90;oe5", 3, false, ""},
		{"", "CARA10", 0, false, ""},    // two are called Cara
		{"", "CARA99", 5, true, ""},     // a whole handle, with a number in it
		{"", "CARA9910", 5, true, ""},   // and one behind it
		{"", "TWIN10", 0, false, ""},    // two have the handle
		{"", "BENRAY20", 2, false, ""},  // somebody else is called so
		{"", "JO10", 0, false, ""},      // too short to say who
		{"", "HANNA10", 0, false, ""},   // not from its beginning
		{"", "ANNABEL10", 0, false, ""}, // nor to its end
		{"", "10ANNAKELLER", 0, false, ""},
		{"", "2024", 12, true, ""},
		{"", "202410", 0, false, ""}, // a number says nothing of another
		{"", "", 0, false, ""},
		{"", "☺", 0, false, ""},
		{"", strings.Repeat("A", 300), 0, false, ""},
		// with one
		{"{{handle}}10", "annakeller10", 1, true, "is what {{handle}}10 gives for Anna Keller"},
		{"{{handle}}10", "ANNAS_KITCHEN10", 1, true, ""},
		{"{{handle}}10", "ANNAKELLER10-2", 1, true, ""},
		{"{{handle}}10", "ANNAKELLER10-12", 1, true, ""},
		{"{{handle}}10", "ANNAKELLER10-1", 0, false, ""},
		{"{{handle}}10", "ANNAKELLER15", 0, false, ""},
		{"{{handle}}10", "JO10", 4, true, ""},
		{"{{handle}}10", "ZOE10", 3, true, ""},    // the name serves
		{"{{handle}}10", "IULIIA10", 7, true, ""}, // likewise
		{"{{handle}}10", "TWIN10", 0, false, ""},
		{"{{handle}}10", "GRACEEMILYBEAUMONT10", 8, true, ""},
		{"{{handle}}10", "GRACEEMILYBEAUM10", 8, false,
			"may be what {{handle}}10 gives for Grace Emily Beaumont-Whitfield, shortened"},
		{"{{handle}}SPRING10", "GRACEEMILYBESPRING10", 8, true, ""}, // as long as codes may be
		{"{{handle}}10", "AN10", 0, false, ""},
		{"{{handle}}10", "ANNA10", 1, false, ""}, // shortened from either of the handles of one owner
		{"{{first_name}}-{{random:4}}", "BEN-7K2M", 2, true, ""},
		{"{{first_name}}-{{random:4}}", "BEN-7K2M-3", 2, true, ""},
		{"{{first_name}}-{{random:4}}", "BEN-7K2", 0, false, ""},
		{"{{first_name}}-{{random:4}}", "CARA-7K2M", 0, false, ""},
		{"{{first_name}}{{percent}}", "BEN15", 2, true, ""},
		{"{{first_name}}{{percent}}", "BEN1500", 0, false, ""},
		{"{{first_name}}{{percent}}", "BEN05", 0, false, ""},
		{"{{campaign}}-{{last_name}}", "BLACK-FRIDAY-RAY", 2, true, ""},
		{"{{campaign}}-{{last_name}}", "BLACK-FRIDAY_ray", 2, true, ""},
		{"{{last_name}}-{{first_name}}", "KELLER-ANNA", 1, true, ""},
		{"{{last_name}}-{{first_name}}", "KELLER-BEN", 0, false, ""},
		{"{{last_name}}-{{first_name}}", "ZOE", 3, true, ""}, // who has one name only
		{"{{random:6}}", "ANNA10", 0, false, ""},
		{"{{oops}}", "ANNA10", 0, false, ""},
	} {
		got := MatchCodes([]string{"NOBODY99", c.code}, owners, c.pattern)
		if len(got) != 2 || got[0] != (CodeMatch{}) {
			t.Errorf("%q gives %+v", c.pattern, got)
		}
		if m := got[1]; m.Owner != c.owner || m.Certain != c.certain || (m.Why == "") != (c.owner == 0) ||
			c.why != "" && m.Why != c.why {
			t.Errorf("%q with %q is of %d (%t: %q), want %d (%t: %q)", c.code, c.pattern, m.Owner, m.Certain, m.Why,
				c.owner, c.certain, c.why)
		}
	}
}

// TestMatchCodes_rendered: whatever a pattern gives for somebody leads back to them, unless it would be another's, too.
func TestMatchCodes_rendered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPattern(t, "{{handle}}", "{{name}}", "{{first_name}}", "{{last_name}}", "{{campaign}}", "{{percent}}",
			"{{random:4}}", "-", "_", "10", "-A")
		var owners []PossibleOwner
		for i := range rapid.IntRange(1, 5).Draw(t, "owners") {
			owners = append(owners, PossibleOwner{OfferMemberID(i + 1), anyText(t, "name", 30),
				[]string{anyText(t, "handle", 30)}})
		}
		most := rapid.IntRange(DefaultCodeLength, 40).Draw(t, "most")
		var codes []string
		for _, o := range owners {
			code, err := p.Render(CodeSubject{Name: o.Name, Handle: o.Handles[0], Campaign: "Spring sale",
				Discount: Discount{Kind: DiscountPercent, Percent: 15_00}}, most, RandomCodeText)
			if err != nil {
				code = "-"
			}
			codes = append(codes, code)
		}
		all := MatchCodes(codes, owners, p)
		for i, o := range owners {
			alone := MatchCodes(codes[i:i+1], owners[i:i+1], p)[0]
			says := strings.Contains(string(p), "name}}") || strings.Contains(string(p), "handle}}")
			if codes[i] != "-" && says && (alone.Owner != o.Member || !alone.Certain) {
				t.Fatalf("%s, which %s gives for %q, is %+v", codes[i], p, o, alone)
			}
			// Among others it is theirs or nobody's, and nobody's only where another alone would have it, too.
			if all[i].Owner == o.Member || codes[i] == "-" || !says {
				continue
			}
			fits := 0
			for k := range owners {
				if MatchCodes(codes[i:i+1], owners[k:k+1], p)[0].Certain {
					fits++
				}
			}
			if all[i].Owner != 0 || fits < 2 {
				t.Fatalf("%s, which %s gives for %q, is %+v, and fits %d", codes[i], p, o, all[i], fits)
			}
		}
	})
}

// TestAttack_matchCodes: patterns that read codes in very many ways, and people who are called so that all of them lead
// on, are given up and not followed for ever.
func TestAttack_matchCodes(t *testing.T) {
	var owners []PossibleOwner
	for i := range 400 {
		a := strings.Repeat("a", i%100+1)
		owners = append(owners, PossibleOwner{OfferMemberID(i + 1), a + " " + a + " " + a, []string{a + "b"}})
	}
	codes := make([]string, 2000)
	for i := range codes {
		codes[i] = strings.Repeat("A", 250)
	}
	for _, p := range []CodePattern{"", "{{handle}}",
		"{{first_name}}{{last_name}}{{name}}{{handle}}{{campaign}}{{offer}}",
		"{{campaign}}{{offer}}{{first_name}}{{last_name}}X"} {
		for i, m := range MatchCodes(codes, owners, p) {
			if m.Owner != 0 {
				t.Fatalf("%s: code %d is of %d", p, i, m.Owner)
			}
		}
	}
}

func BenchmarkMatchCodes(b *testing.B) {
	owners := make([]PossibleOwner, 5000)
	for i := range owners {
		owners[i] = PossibleOwner{OfferMemberID(i + 1), fmt.Sprintf("First%d Last%d", i%1700, i),
			[]string{fmt.Sprintf("creator.%d", i*7919), fmt.Sprintf("tiktok_%d", i)}}
	}
	codes := make([]string, 100_000)
	for i := range codes {
		codes[i] = []string{fmt.Sprintf("creator%d-10", i*7919/20), fmt.Sprintf("FIRST%d15", i),
			"NEWS-" + RandomCodeText(6)}[i%3]
	}
	for _, p := range []CodePattern{"", "{{handle}}-10", "{{campaign}}-{{first_name}}{{last_name}}{{percent}}"} {
		b.Run(string(p), func(b *testing.B) {
			for b.Loop() {
				MatchCodes(codes, owners, p)
			}
		})
	}
}
