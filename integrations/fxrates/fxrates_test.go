package fxrates

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// The files as the bank writes them, cut to a few currencies. CYP is no currency any more.
const (
	historyCSV = "Date,USD,JPY,BGN,CYP,CZK,\n" +
		"2026-04-13,1.1684,186.75,N/A,N/A,24.378,\n" +
		"2026-04-10,1.1711,186.43,N/A,N/A,24.365,\n"
	dailyCSV = "Date, USD, JPY, BGN, CYP, CZK, \n" +
		"13 April 2026, 1.1684, 186.75, N/A, N/A, 24.378, \n"
	dailyXML = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender>
		<gesmes:name>European Central Bank</gesmes:name>
	</gesmes:Sender>
	<Cube>
		<Cube time='2026-04-13'>
			<Cube currency='USD' rate='1.1684'/>
			<Cube currency='JPY' rate='186.75'/>
			<Cube currency='CZK' rate='24.378'/>
		</Cube>
	</Cube>
</gesmes:Envelope>
`
	historyXML = `<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>` +
		`<Cube time="2026-04-13"><Cube currency="USD" rate="1.1684"/><Cube currency="JPY" rate="186.75"/><Cube currency="CYP" rate="0.5853"/><Cube currency="CZK" rate="24.378"/></Cube>` +
		`<Cube time="2026-04-10"><Cube currency="USD" rate="1.1711"/><Cube currency="JPY" rate="186.43"/><Cube currency="CZK" rate="24.365"/></Cube>` +
		`</Cube></gesmes:Envelope>`
)

func rates(lines ...string) []money.ReferenceRate {
	list := make([]money.ReferenceRate, len(lines))
	for i, line := range lines {
		f := strings.Fields(line)
		rate, err := money.ParseRate(f[2])
		if err != nil {
			panic(err)
		}
		list[i] = money.ReferenceRate{Day: f[0], Currency: money.Currency(f[1]), Rate: rate}
	}
	return list
}

// pack makes a ZIP of files with the same content.
func pack(t testing.TB, text string, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	last := rates("2026-04-13 USD 1.1684", "2026-04-13 JPY 186.75", "2026-04-13 CZK 24.378")
	all := append(slices.Clone(last), rates("2026-04-10 USD 1.1711", "2026-04-10 JPY 186.43",
		"2026-04-10 CZK 24.365")...)
	for _, c := range []struct {
		name, text string
		want       []money.ReferenceRate
	}{
		{"history CSV", historyCSV, all}, {"daily CSV", dailyCSV, last}, {"daily XML", dailyXML, last},
		{"history XML", historyXML, all},
		{"byte order mark, line ends of Windows", "\uFEFF" + strings.ReplaceAll(historyCSV, "\n", "\r\n"), all},
		{"byte order mark before XML", "\uFEFF" + dailyXML, last},
		{"no comma at the end", strings.ReplaceAll(historyCSV, ",\n", "\n"), all},
		{"no last line end, blank lines", "\n" + strings.TrimSuffix(historyCSV, "\n"), all},
		{"the euro itself", "Date,EUR,USD\n2026-04-13,1,1.1684\n", last[:1]},
		{"nothing where N/A would stand", "Date,JPY,USD\n2026-04-13,,1.1684\n", last[:1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			for form, text := range map[string]string{"plain": c.text, "ZIP": pack(t, c.text, "whatever.bin")} {
				if got, err := Parse(strings.NewReader(text)); err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%s: %v, %v\nwant %v", form, got, err, c.want)
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	csv := func(old, new string) string { return strings.Replace(historyCSV, old, new, 1) }
	xml := func(old, new string) string { return strings.Replace(dailyXML, old, new, 1) }
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "neither the CSV nor the XML"},
		{"another text", "day;usd\n", "neither the CSV nor the XML"},
		{"a web page", "<!DOCTYPE html><html><body>busy</body></html>", "begins with <html>"},
		{"another header", "Dates,USD\n", `line 1, column 1: the header begins with "Dates"`},
		{"no code", csv("JPY", "Yen"), `line 1, column 10: "Yen" is not a currency code`},
		{"no code in the middle", csv("JPY", ""), `line 1, column 10: "" is not a currency code`},
		{"currency twice", csv("CZK", "USD"), "line 1, column 22: USD comes twice"},
		{"unknown currency twice", csv("BGN", "CYP"), "line 1, column 18: CYP comes twice"},
		{"too many columns", "Date" + strings.Repeat(",USD", 600) + "\n", "more than 500 columns"},
		{"no rate", csv("1.1711", "0"), "line 3, column 12: USD: not an exchange rate: \"0\" must be greater than 0"},
		{"negative", csv("186.75", "-186.75"), "line 2, column 19: JPY: not an exchange rate"},
		{"word", csv("24.365", "a lot"), "line 3, column 34: CZK: not an exchange rate"},
		{"no date", csv("2026-04-10", "2026-02-30"), `line 3, column 1: "2026-02-30" is not a date`},
		{"date before the euro", csv("2026-04-10", "1998-12-31"), `line 3, column 1: "1998-12-31" is not a date`},
		{"American date", strings.Replace(dailyCSV, "13 April 2026", "April 13 2026", 1), `line 2, column 1: "April 13 2026" is not a date`},
		{"day twice", csv("2026-04-10", "2026-04-13"), "line 3, column 1: 2026-04-13 comes twice"},
		{"cut short", strings.TrimSuffix(historyCSV, ",\n"), "line 3, column 34: the line ends after 6 of 7 columns"},
		{"longer line", csv("24.378,", "24.378,1,2"), "the line has more columns than the header, which has 7"},
		{"only a header", "Date,USD,\n", "there are no rates in it"},
		{"only unknown currencies", "Date,CYP\n2026-04-13,0.5\n", "there are no rates in it"},
		{"XML cut short", dailyXML[:len(dailyXML)-40], "line 11, column 39: unexpected EOF"},
		{"XML of another kind", "<rates/>", "begins with <rates>"},
		{"XML without rates", "<Envelope><Cube/></Envelope>", "there are no rates in it"},
		{"XML without a day", xml("time='2026-04-13'", ""), "line 9, column 4: USD has no day around it"},
		{"XML without a rate", xml("rate='186.75'", ""), "line 10, column 4: JPY has no rate"},
		{"XML with a wrong rate", xml("186.75", "1,5"), "line 10, column 4: JPY: not an exchange rate"},
		{"XML with a wrong date", xml("2026-04-13", "today"), `line 8, column 3: "today" is not a date`},
		{"XML with a currency twice", xml("JPY", "USD"), "line 10, column 4: USD comes twice for 2026-04-13"},
		{"XML with a wrong code", xml("JPY", "¥"), `line 10, column 4: "¥" is not a currency code`},
		{"XML with a day twice", strings.Replace(historyXML, "2026-04-10", "2026-04-13", 1), "2026-04-13 comes twice"},
		{"XML rate after its day", xml("\t</Cube>\n</gesmes", "\t<Cube currency='USD' rate='1'/></Cube>\n</gesmes"),
			"USD has no day around it"},
		{"XML too deep", strings.Repeat("<Envelope>", 20), "too deep"},
		{"damaged ZIP", pack(t, historyCSV, "a.csv")[:100], "its ZIP is damaged"},
		{"ZIP with a damaged file", damage(pack(t, historyCSV, "a.csv")), "its ZIP is damaged"},
		{"ZIP of two", pack(t, historyCSV, "a.csv", "b.csv"), "holds 2 files"},
		{"ZIP of none", pack(t, ""), "neither the CSV"},
		{"ZIP in a ZIP", pack(t, pack(t, historyCSV, "a.csv"), "a.zip"), "neither the CSV"},
		{"large", "Date,USD\n" + strings.Repeat(" ", maxFile), "larger than 32 MB"},
		{"ZIP bomb", pack(t, "Date,USD\n"+strings.Repeat("\n", maxFile), "a.csv"), "larger than 32 MB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(strings.NewReader(c.text))
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) || got != nil {
				t.Errorf("%v, %v\nwant an error with %q", got, err, c.want)
			}
		})
	}
}

// damage changes a byte of the first packed file.
func damage(archive string) string {
	b := []byte(archive)
	b[45] ^= 0xff
	return string(b)
}

func TestParseGivesReadErrors(t *testing.T) {
	broken := errors.New("the line went dead")
	_, err := Parse(io.MultiReader(strings.NewReader(historyCSV), errorReader{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestBundled(t *testing.T) {
	list, err := Bundled()
	if err != nil {
		t.Fatal(err)
	}
	want := rates("2026-04-13 USD 1.1684", "2022-01-03 ZAR 17.9661")
	if list[0] != want[0] || list[len(list)-1] != want[1] {
		t.Errorf("from %v to %v, want %v", list[0], list[len(list)-1], want)
	}
	days := map[string]int{}
	for _, r := range list {
		days[r.Day]++
	}
	for day, n := range days {
		if n < 29 {
			t.Errorf("%s has %d rates", day, n)
		}
	}
	if len(days) != 1093 {
		t.Errorf("%d days, want 1093", len(days))
	}
}

// FuzzParse: whatever a file holds, it is refused or every rate of it can be kept.
func FuzzParse(f *testing.F) {
	for _, text := range []string{historyCSV, dailyCSV, dailyXML, historyXML, pack(f, historyCSV, "a.csv"),
		pack(f, dailyXML, "a.xml"), "Date,USD\n", "<Envelope>"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := Parse(bytes.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrFormat) || list != nil {
				t.Fatalf("%v, %v", list, err)
			}
			return
		}
		if len(list) == 0 {
			t.Fatal("neither rates nor an error")
		}
		seen := map[string]bool{}
		for _, r := range list {
			day, errDay := time.Parse(time.DateOnly, r.Day)
			_, errCurrency := money.ParseCurrency(string(r.Currency))
			rate, errRate := money.ParseRate(r.Rate.String())
			key := fmt.Sprint(r.Day, r.Currency)
			if err := errors.Join(errDay, errCurrency, errRate); err != nil || rate != r.Rate || day.Year() < 1999 ||
				r.Currency == "EUR" || seen[key] {
				t.Fatalf("%+v: %v", r, err)
			}
			seen[key] = true
		}
	})
}
