package affiliate

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestParseCodePattern(t *testing.T) {
	for _, c := range []struct{ text, want, says string }{
		{"{{handle}}10", "{{handle}}10", ""},
		{" {{ First_Name }}-{{ random : 4 }} ", "{{first_name}}-{{random:4}}", ""},
		{"grün_{{name}}", "GRUN_{{name}}", ""},
		{"{{random:16}}", "{{random:16}}", ""},
		{"{{last_name}}{{campaign}}{{offer}}{{percent}}", "{{last_name}}{{campaign}}{{offer}}{{percent}}", ""},
		{"", "", "must not be empty"},
		{"SUMMER10", "", "would give everybody the same code"},
		{"{{campaign}}{{percent}}", "", "would give everybody the same code"},
		{"{{nickname}}", "", `there is no "{{nickname}}"`},
		{"{{handle:3}}", "", "between double braces may stand {{handle}}"},
		{"{{random}}", "", "how many characters"},
		{"{{random:0}}", "", "how many characters"},
		{"{{random:17}}", "", "how many characters"},
		{"{{random:-1}}", "", "how many characters"},
		{"{{handle", "", "is not closed"},
		{"{handle}10", "", "cannot stand in codes"},
		{"{{handle}} 10", "", "cannot stand in codes"},
		{"{{handle}}10%", "", "cannot stand in codes"},
		{"{{handle}}}}", "", "cannot stand in codes"},
		{"{{handle}}☺", "", "cannot stand in codes"},
		{"{{handle}}{{name}}{{handle}}", "", "has {{handle}} twice"},
		{"{{handle}}" + strings.Repeat("A", 100), "", "more than 100 characters"},
		{"{{handle}}" + strings.Repeat("A", 1000), "", "more than 200 characters"},
	} {
		got, err := ParseCodePattern("pattern", c.text)
		if string(got) != c.want || (err == nil) != (c.says == "") {
			t.Errorf("%q gives %q, %v", c.text, got, err)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Field != "pattern" || !strings.Contains(e.Message, c.says)) {
			t.Errorf("%q: %v, want %q", c.text, err, c.says)
		}
		if again, err := ParseCodePattern("pattern", string(got)); c.says == "" && (again != got || err != nil) {
			t.Errorf("%q read again gives %q, %v", got, again, err)
		}
	}
	if !CodePattern("A{{random:4}}").Random() || CodePattern("{{handle}}10").Random() {
		t.Error("which patterns are random is not known")
	}
}

// dice gives characters that tests can tell.
func dice(n int) string { return strings.Repeat("7", n) }

func TestCodePattern_Render(t *testing.T) {
	anna := CodeSubject{Name: "Anna Keller", Handle: "anna.keller", Campaign: "Spring '27", Offer: "Ten off!",
		Discount: Discount{Kind: DiscountPercent, Percent: 10_00}}
	called := func(name, handle string) CodeSubject {
		s := anna
		s.Name, s.Handle = name, handle
		return s
	}
	for _, c := range []struct {
		pattern string
		subject CodeSubject
		most    int
		want    string
	}{
		{"{{handle}}10", anna, 20, "ANNAKELLER10"},
		{"{{name}}{{percent}}", anna, 20, "ANNAKELLER10"},
		{"{{first_name}}-{{random:4}}", anna, 20, "ANNA-7777"},
		{"{{first_name}}_{{last_name}}", anna, 20, "ANNA_KELLER"},
		{"{{campaign}}-{{offer}}-{{last_name}}", anna, 30, "SPRING27-TENOFF-KELLER"},
		// shortened: the longest first, and never text or random characters
		{"{{handle}}10", anna, 8, "ANNAKE10"},
		{"{{handle}}-{{campaign}}10", anna, 12, "ANNAK-SPRI10"},
		{"SUPER{{handle}}{{random:4}}", anna, 10, "SUPERA7777"},
		{"{{handle}}-10", called("", "anna-keller"), 8, "ANNA-10"},
		// what is empty is left out, or another serves
		{"{{first_name}}-{{last_name}}", called("Madonna", "m"), 20, "MADONNA"},
		{"{{last_name}}-{{first_name}}", called("Madonna", "m"), 20, "MADONNA"},
		{"{{last_name}}10", called("Madonna", "m"), 20, "MADONNA10"},
		{"{{handle}}10", called("Anna Keller", "😀😀"), 20, "ANNAKELLER10"},
		{"{{name}}10", called("😀", "anna"), 20, "ANNA10"},
		{"{{first_name}}10", called("🌸 Anna 🌸", ""), 20, "ANNA10"},
		{"{{handle}}-{{last_name}}", called("Anna Keller", "..."), 20, "KELLER"},
		// characters
		{"{{handle}}", called("", "__anna--_keller._"), 20, "ANNA-KELLER"},
		{"{{name}}", called("İpek Işık", ""), 20, "IPEKISIK"},
		{"{{name}}", called("Jürgen Groß", ""), 20, "JURGENGROSS"},
		{"{{name}}", called("Ælfrøð Łódź", ""), 20, "AELFRODLODZ"},
		{"{{name}}", called("Ελένη", ""), 20, "ELENE"},
		{"{{name}}", called("Щукина Юлия", ""), 20, "SHCHUKINAIULIIA"},
		{"{{name}}", called("山田", ""), 20, "SHANTIAN"},
		{"{{name}}", called("محمد", ""), 20, "MHMD"},
		{"{{name}}", called("김", ""), 20, "GIM"},
		{"{{name}}", called("ａｎｎａ 𝓚", ""), 20, "ANNAK"},
		{"{{handle}}", called("", "\u202eanna\u200b\u2066"), 20, "ANNA"},
		{"{{handle}}", called("", "zoe\u0308"), 20, "ZOE"},
		{"{{handle}}", called("", "€anna™"), 20, "ANNATM"},
		// no spreadsheet takes it for a date
		{"{{first_name}}-{{percent}}", called("May Li", ""), 20, "MAY_10"},
		{"{{handle}}", called("", "2027-05-10"), 20, "2027_05_10"},
	} {
		got, err := CodePattern(c.pattern).Render(c.subject, c.most, dice)
		if got != c.want || err != nil {
			t.Errorf("%s for %q and %q gives %q, %v; want %q", c.pattern, c.subject.Name, c.subject.Handle, got, err,
				c.want)
		}
	}
	for _, c := range []struct {
		pattern string
		subject CodeSubject
		most    int
		says    string
	}{
		{"{{handle}}10", called("☺", "🌸🌸"), 20, "type a code by hand, or use {{random:6}}"},
		{"{{handle}}10", called("", "\u200b\u202e"), 20, "nothing of the handle"},
		{"{{name}}10", called("?!", "."), 20, "nothing of the handle"},
		{"{{handle}}{{campaign}}", CodeSubject{Handle: "anna", Campaign: "☀️"}, 20, "nothing of the campaign's name"},
		{"{{handle}}{{offer}}", CodeSubject{Handle: "anna"}, 20, "write text in place of {{offer}}"},
		{"{{handle}}{{percent}}", CodeSubject{Handle: "anna"}, 20, "needs a discount in percent"},
		{"{{handle}}{{percent}}", CodeSubject{Handle: "anna",
			Discount: Discount{Kind: DiscountPercent, Percent: 12_50}}, 20, "cannot write 12.5 % in a code"},
		{"SUPERSALE{{handle}}", anna, 9, "leaves no room"},
		{"{{handle}}{{campaign}}10", anna, 3, "leaves no room"},
		{"{{random:12}}", anna, 11, "gives codes of 12 characters, and 11 are allowed"},
		{"{{handle}}", anna, 2, "is too short; allow 3 or more"},
		{"{{nobody}}", anna, 20, "pattern: there is no"},
	} {
		got, err := CodePattern(c.pattern).Render(c.subject, c.most, dice)
		if got != "" || err == nil || KindOf(err) != Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s gives %q, %v; want an error that says %q", c.pattern, got, err, c.says)
		}
	}
}

// anyText draws what people have as handles and names: all of Unicode, and what is hard about it.
func anyText(t *rapid.T, label string, most int) string {
	hard := rapid.SampledFrom([]rune("aZ09-_. éİıßæłΩжщ山김م😀👩\u200d\u200b\u202e\u0301\u00a0'&;%ǅﬁ½"))
	return rapid.StringOfN(rapid.OneOf(hard, rapid.Rune()), 0, most, -1).Draw(t, label)
}

// anyPattern draws a pattern that can be.
func anyPattern(t *rapid.T, pieces ...string) CodePattern {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(pieces), 1, 5, rapid.ID[string])
	return rapid.Map(some, func(order []string) CodePattern {
		return CodePattern(strings.Join(order, ""))
	}).Filter(func(p CodePattern) bool {
		_, err := ParseCodePattern("pattern", string(p))
		return err == nil
	}).Draw(t, "pattern")
}

// TestAttack_codePatternRender: whatever people call themselves, a code is one that stores take, or there is a
// sentence.
func TestAttack_codePatternRender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPattern(t, "{{handle}}", "{{name}}", "{{first_name}}", "{{last_name}}", "{{campaign}}", "{{offer}}",
			"{{percent}}", "{{random:4}}", "-", "_", "10", "A-", "-_-")
		s := CodeSubject{Name: anyText(t, "name", 60), Handle: anyText(t, "handle", 300),
			Campaign: anyText(t, "campaign", 20), Offer: anyText(t, "offer", 20),
			Discount: Discount{Kind: DiscountPercent, Percent: rapid.Int64Range(1, 100).Draw(t, "percent") * 100}}
		most := rapid.IntRange(LeastCodeLength, 40).Draw(t, "most")
		code, err := p.Render(s, most, RandomCodeText)
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || !utf8.ValidString(err.Error()) || code != "" {
				t.Fatalf("%q, %v", code, err)
			}
			return
		}
		checkCode(t, code, most)
		seen := map[string]bool{}
		for try := 1; try <= 12; try++ {
			next := NextCode(code, try, most)
			if checkCode(t, next, most); seen[next] {
				t.Fatalf("%s comes twice after %s", next, code)
			}
			seen[next] = true
		}
	})
}

func checkCode(t *rapid.T, code string, most int) {
	switch {
	case code == "" || len(code) > most:
		t.Fatalf("%q has %d characters, and %d are allowed", code, len(code), most)
	case strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" || strings.Trim(code, "-_") != code:
		t.Fatalf("%q has other characters", code)
	case strings.Contains(strings.ReplaceAll(code, "_", "-"), "--"):
		t.Fatalf("%q has two separators in a row", code)
	case strings.ToUpper(FoldCode(code)) != code || FoldCode(FoldCode(code)) != FoldCode(code):
		t.Fatalf("%q is folded to %q", code, FoldCode(code))
	case ValidateTypedCode(code) != nil || LooksLikeDate(code):
		t.Fatalf("%q is no code that may be typed: %v", code, ValidateTypedCode(code))
	}
}

func TestNextCode(t *testing.T) {
	for _, c := range []struct {
		code string
		try  int
		most int
		want string
	}{
		{"ANNA10", 1, 20, "ANNA10-2"},
		{"ANNA10", 2, 20, "ANNA10-3"},
		{"ANNA10", 9, 20, "ANNA10-10"},
		{"ANNA", 1, 20, "ANNA-2"},
		{"ANNAKELLERBEAUTYDE10", 1, 20, "ANNAKELLERBEAUTY10-2"},
		{"ANNAKELLERBEAUTYDE", 1, 19, "ANNAKELLERBEAUTYD-2"},
		{"ANNA-KELLER", 1, 7, "ANNA-2"},
		{"ANNA10", 1, 3, "A-2"},
		{"ANNA10", 9, 3, "A10"},
		{"1234567890", 1, 10, "12345678-2"},
		{"MAY", 9, 20, "MAY_10"},
	} {
		if got := NextCode(c.code, c.try, c.most); got != c.want {
			t.Errorf("after %s comes at try %d of %d characters %s, want %s", c.code, c.try, c.most, got, c.want)
		}
	}
}

func TestReservedCode(t *testing.T) {
	words := append(DefaultSettings().ReservedWords(), "größe", "50", "WELCOME10")
	for code, want := range map[string]bool{"TEST": true, "test10": true, "ADMIN": true, "Free": true, "FREE10": true,
		"free-10": true, "FREE_2": true, "F.R.E.E": true, "GROSSE": true, "Größe5": true, "50": true, "welcome10": true,
		"FREEDA10": false, "TESTA": false, "10TEST": false, "AFREE": false, "500": false, "ANNA10": false, "": false,
		"FREE10A": false} {
		if got := ReservedCode(code, words); got != want {
			t.Errorf("%q: %t", code, got)
		}
	}
	if ReservedCode("ANNA", []string{"", "-"}) || ReservedCode("10", nil) {
		t.Error("what is no word reserves codes")
	}
}

func TestRandomCodeText(t *testing.T) {
	all := RandomCodeText(4000)
	if len(all) != 4000 || strings.ContainsAny(all, "01OIL") || codeText(all) != all || RandomCodeText(0) != "" {
		t.Errorf("%d characters: %q", len(all), Clip(all, 200))
	}
	for _, r := range "23456789ABCDEFGHJKMNPQRSTUVWXYZ" {
		// 129 are likely; fewer than 50 come once in 10^14 times.
		if n := strings.Count(all, string(r)); n < 50 {
			t.Errorf("%c came %d times of 4000", r, n)
		}
	}
}
