package dashboard

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

// TestNumbersFor: the signs of a language are those of Unicode's tables.
func TestNumbersFor(t *testing.T) {
	spaces := strings.NewReplacer("\u202f", "\u00a0", "'", "’")
	for tag := range numbersOfLanguages {
		known, err := language.Parse(tag + "-u-nu-latn")
		if err != nil {
			t.Fatal(err)
		}
		want := spaces.Replace(message.NewPrinter(known).Sprint(number.Decimal(12345678.25)))
		switch tag { // what the package's tables, of 2017, do not have
		case "nb", "no", "en-at":
			want = "12\u00a0345\u00a0678,25"
		case "en-ch":
			want = "12’345’678.25"
		}
		if got := numbersFor(tag).Write("12345678.25"); got != want {
			t.Errorf("%s: %q, Unicode has %q", tag, got, want)
		}
	}
	for header, want := range map[string]affiliate.NumberStyle{
		"": affiliate.NumbersPoint, "*": affiliate.NumbersPoint, "en-US,en;q=0.9": affiliate.NumbersPoint,
		"de": affiliate.NumbersComma, "de-DE,de;q=0.9,en;q=0.8": affiliate.NumbersComma,
		"en;q=0.5, de-CH;q=0.9": affiliate.NumbersApostrophe, "sr-Latn-RS": affiliate.NumbersComma,
		"pt-BR": affiliate.NumbersComma, "pt-PT": affiliate.NumbersSpace, "es-419": affiliate.NumbersPoint,
		"es-AR": affiliate.NumbersComma, "HI_in": affiliate.NumbersIndian, "fr;q=zero": affiliate.NumbersPoint,
		"xx": affiliate.NumbersPoint, "de-u-nu-latn": affiliate.NumbersComma, ";;,,q=1,-": affiliate.NumbersPoint,
	} {
		if got := numbersFor(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

// TestNumbersFor_anything: no header is too strange.
func TestNumbersFor_anything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if numbersFor(rapid.String().Draw(t, "header")) == "" {
			t.Fatal("no style")
		}
	})
}

func TestNumberStyle(t *testing.T) {
	for style, want := range map[affiliate.NumberStyle]string{"": "−1,234,567.50",
		affiliate.NumbersPoint: "−1,234,567.50", affiliate.NumbersComma: "−1.234.567,50",
		affiliate.NumbersSpace: "−1\u00a0234\u00a0567,50", affiliate.NumbersSpacePoint: "−1\u00a0234\u00a0567.50",
		affiliate.NumbersApostrophe: "−1’234’567.50", affiliate.NumbersIndian: "−12,34,567.50",
		affiliate.NumbersPlain: "−1234567.50"} {
		if got := style.Write("-1234567.50"); got != want {
			t.Errorf("%s: %s, want %s", style, got, want)
		}
		if got := style.Write("999"); got != "999" {
			t.Errorf("%s: %s, want 999", style, got)
		}
	}
}

// TestTypedNumber: what a person typed is never taken for another number than it says in their signs.
func TestTypedNumber(t *testing.T) {
	for _, test := range []struct{ text, decimal, want string }{
		{"1234.5", ".", "1234.5"}, {"1234.5", ",", "1234.5"}, {"1234,5", ",", "1234.5"}, {"1.234,50", ",", "1234.50"},
		{"1,234.50", ".", "1234.50"}, {"1,234.50", ",", "1234.50"}, {"12,34,567.89", ".", "1234567.89"},
		{"1\u00a0234,5", ",", "1234.5"}, {"1\u202f234", ",", "1234"}, {"1’234.50", ".", "1234.50"},
		{"1.234", ".", "1.234"}, {"1,234", ",", "1.234"}, {"1,234", ".", ""}, {"1.234", ",", ""},
		{"0.125", ",", "0.125"},
		{"1.234.567", ",", "1234567"}, {"12.50", ",", "12.50"}, {"1.2.3", ".", ""}, {"1,23,4", ",", ""},
		{"", ".", ""}, {"ten", ",", "ten"}, {"−5", ",", "-5"},
	} {
		got, reason := app.TypedNumber(test.text, test.decimal)
		if got != test.want || (reason != "") != (test.want == "" && test.text != "") {
			t.Errorf("%q with %q: %q, %q; want %q", test.text, test.decimal, got, reason, test.want)
		}
	}
}

// TestTypedNumber_written: what pages show can be typed back, in every style: it is the same number or is refused.
func TestTypedNumber_written(t *testing.T) {
	styles := affiliate.Words[affiliate.NumberStyle]()
	rapid.Check(t, func(t *rapid.T) {
		style := rapid.SampledFrom(styles).Draw(t, "style")
		digits := rapid.IntRange(0, 4).Draw(t, "digits")
		plain := money.FormatScaled(rapid.Int64Range(-money.Limit, money.Limit).Draw(t, "number"), digits)
		typed := style.Write(plain)
		got, reason := app.TypedNumber(typed, style.Decimal())
		if got != plain && reason == "" {
			t.Fatalf("%s is taken for %s, it is %s", typed, got, plain)
		}
		if reason != "" && digits > 0 && digits != 3 {
			t.Fatalf("%s is refused: %s", typed, reason)
		}
		if got, reason = app.TypedNumber(plain, style.Decimal()); got != plain && reason == "" {
			t.Fatalf("%s is taken for %s", plain, got)
		}
	})
}

// TestUnmarked: marks are written for the reader, times are elements only where one may stand, and no mark is left.
func TestUnmarked(t *testing.T) {
	at := markedTime(noon, "20 Nov 2026, 13:00")
	element := `<time datetime="2026-11-20T12:00:00Z" title="20 Nov 2026, 12:00:00 UTC">20 Nov 2026, 13:00</time>`
	for _, test := range []struct{ text, want string }{
		{"nothing", "nothing"},
		{"<p>" + money.Marked("-1234.50") + " EUR</p>", "<p>−1.234,50 EUR</p>"},
		{"<p>" + at + "</p>", "<p>" + element + "</p>"},
		{`<a title="` + at + `">` + at + "</a>", `<a title="20 Nov 2026, 13:00">` + element + "</a>"},
		{"<option>" + at + "</option><b>" + at, "<option>20 Nov 2026, 13:00</option><b>" + element},
		{"<title>x " + at + "</title>", "<title>x 20 Nov 2026, 13:00</title>"},
		{"<b>" + money.Marked(`1"><script>`) + "</b>", `<b>1"><script></b>`},
		{string(timeBegins) + `"><script>` + string(timeDivides) + "x" + string(timeEnds), `"><script>x`},
		{"a\uE0B0b\uE0B1c\uE0B2d\uE0B3e\uE0B4f\uE0B5", "abcdef\uE0B5"},
		{string(timeBegins) + "2026-11-20T12:00:00Z" + string(timeDivides) + "x</td><td>y" + string(timeEnds) + "z",
			"2026-11-20T12:00:00Zx</td><td>yz"},
		{string(timeBegins) + "2026-11-20T12:00:00Z" + string(timeDivides) + money.Marked("1.5") + string(timeEnds),
			"2026-11-20T12:00:00Z1,5"},
		{string(timeBegins) + "2026-11-20T12:00:00Z" + string(timeDivides) + "<b>" + at, "2026-11-20T12:00:00Z<b>" +
			element},
		{"cut \xee\x82", "cut \xee\x82"},
	} {
		if got := string(unmarked([]byte(test.text), affiliate.NumbersComma, true)); got != test.want {
			t.Errorf("%q:\n%q, want\n%q", test.text, got, test.want)
		}
	}
}

// TestUnmarked_nothingLeft: whatever stands in names, no mark is left.
func TestUnmarked_nothingLeft(t *testing.T) {
	pieces := []string{string(money.NumberBegins), string(money.NumberEnds), string(timeBegins), string(timeDivides),
		string(timeEnds), "12.5", "2026-11-20T12:00:00Z", "<b>", "x"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "text"), "")
		for _, markup := range []bool{true, false} {
			if got := string(unmarked([]byte(text), affiliate.NumbersComma, markup)); strings.ContainsAny(got, marks) {
				t.Fatalf("%q gives %q", text, got)
			}
		}
	})
}

// marks are all that stand around numbers and times.
const marks = string(money.NumberBegins) + string(money.NumberEnds) + string(timeBegins) + string(timeDivides) +
	string(timeEnds)

// machineRead are the attributes that programs read: they are the same whoever looks.
var machineRead = []string{"href", "src", "action", "formaction", "value", "name", "id", "datetime", "min", "max", "d",
	"points", "width", "height", "x", "y", "data-live", "data-src", "data-key", "data-every", "data-rest", "data-copy"}

// TestPages_numbers: every page and every part shows numbers in the signs of whoever asks, and leaves what programs
// read as it is. (That no mark is left is seen to in all tests: visitor.send looks.)
func TestPages_numbers(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "ANNA10", value: 1_234_567_00})
	v := h.owner()
	read := func(address string, style affiliate.NumberStyle) (machine []string, text string) {
		v.post("/account/numbers", "numbers", string(style)).at("/account")
		a := v.get(address)
		for n := range a.node.Descendants() {
			if slices.Contains(n.Attr, html.Attribute{Key: "name", Val: "form"}) {
				continue // another one each time
			}
			for _, attribute := range n.Attr {
				if slices.Contains(machineRead, attribute.Key) {
					machine = append(machine, attribute.Key+"="+attribute.Val)
				}
			}
		}
		if a.has("html") {
			text = a.text()
		}
		return machine, text
	}
	pages := h.openPages()
	for _, part := range []string{"/?part=totals", "/?part=offers", spring + "?part=figures", spring +
		"?part=conversions",
		"/orders?part=list"} {
		pages = append(pages, openPage{address: part})
	}
	grouped := 0
	for _, page := range pages {
		if strings.HasSuffix(page.address, ".csv") || strings.HasSuffix(page.address, ".xlsx") {
			continue
		}
		machine, text := read(page.address, affiliate.NumbersPoint)
		machineComma, textComma := read(page.address, affiliate.NumbersComma)
		if page.name != "account" && !slices.Equal(machine, machineComma) {
			t.Errorf("%s: what programs read differs with who reads numbers:\n%q\n%q", page.address, machine,
				machineComma)
		}
		if strings.Contains(text, "1,234,567.00") {
			grouped++
			if !strings.Contains(textComma, "1.234.567,00") || strings.Contains(textComma, "1,234,567.00") {
				t.Errorf("%s does not show 1.234.567,00 to whoever reads so:\n%s", page.address, textComma)
			}
		}
		for _, amount := range shownAmount.FindAllString(textComma, -1) {
			t.Errorf("%s shows %q to whoever has a comma before decimals", page.address, amount)
		}
	}
	if grouped < 4 {
		t.Errorf("only %d pages show the large order", grouped)
	}
}

// shownAmount is an amount or a percentage with a point before decimals.
var shownAmount = regexp.MustCompile(`[0-9]\.[0-9]{2} ?(%|[A-Z]{3}\b)`)

// TestNumbers_choice: the browser's languages decide until somebody chooses; notices, errors and forms follow.
func TestNumbers_choice(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "BEN5", value: 1_234_50})
	v := h.owner()
	german := map[string]string{"Accept-Language": "de-DE,de;q=0.9"}
	get := func(address string) answer { return v.send("GET", address, german, nil) }
	get("/").says("1.740,62 USD")
	v.get("/").says("1,740.62 USD")
	get("/account").says("As the browser says: 1.234.567,89")
	v.postWith(german, "/account/numbers", "numbers", "apostrophe").at("/account").says(
		"Numbers are shown as you chose.")
	get("/").says("1’740.62 USD")
	h.manager().get("/").says("1,740.62 USD")
	v.post("/account/numbers", "numbers", "roman").is(422).says("Must be point, comma")
	v.post("/account/numbers", "numbers", "comma").at("/account")

	settings := spring + "/costs"
	form := func(amount string) answer {
		return v.post(settings, "amount", amount, "currency", "USD", "day", "2026-11-03", "note", "flowers")
	}
	form("1.234").is(422).says("may be 1234 or a number with three decimals")
	form("1,234").is(422).says("has more than 2 decimals")
	form("nothing").is(422).says("it looks like 12,50")
	form("1.2.3").is(422).says("write it like 1.234,5")
	form("1.234,56").is(200)
	form("0.44").is(200)
	v.get(spring+"/settings").says("1.234,56 USD", "0,44 USD")
	v.get("/?min_sales=1.234").says("Write a number")
	v.get("/?min_sales=1.234,5").says("Ten percent")
}

// TestNumbers_browser: scripts write numbers as the server does, in every style, and the choice can be made.
func TestNumbers_browser(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleManager)
	for _, style := range affiliate.Words[affiliate.NumberStyle]() {
		b.open("/account")
		b.choose("#numbers", string(style))
		b.clickText("Keep it")
		b.says("Numbers are shown as you chose.")
		for _, number := range []string{"7", "1234", "-1234567.50", "123456789012", "0.05"} {
			var got string
			b.eval(`numberText("`+number+`")`, &got)
			if want := style.Write(number); got != want {
				t.Errorf("%s: the script writes %q, the server %q", style, got, want)
			}
		}
	}
}

// asRead is a text as somebody reads it whose numbers are 1,234.56.
func asRead(text string) string { return string(unmarked([]byte(text), affiliate.NumbersPoint, false)) }

func TestCurrencyFor(t *testing.T) {
	for header, want := range map[string]string{"": "", "*": "", "en-US,en;q=0.9": "USD", "en-GB": "GBP", "de": "EUR",
		"de-CH": "CHF", "sv-SE,sv": "SEK", "ja": "JPY", "xx-YY,pl": "PLN", "pt-BR": "BRL"} {
		if got := currencyFor(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

// TestSentenceOf: what is wrong begins with a capital letter, whatever it begins with.
func TestSentenceOf(t *testing.T) {
	amount := moneyText(1234_00, "USD") + " is payable"
	for _, test := range [][3]string{{"", "", ""}, {"paid_on", "must be a day", "Paid on: must be a day."},
		{"", "özil was removed.", "Özil was removed."}, {"", amount, amount + "."}} {
		if got := sentenceOf(test[0], test[1]); got != test[2] {
			t.Errorf("%q about %q is %q, want %q", test[1], test[0], got, test[2])
		}
	}
}
