package app_test

import (
	"bytes"
	"embed"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

//go:embed testdata/import
var importFiles embed.FS

// TestImport_spreadsheets imports files as spreadsheets wrote them.
func TestImport_spreadsheets(t *testing.T) {
	eachDesk(t, func(d *desk) {
		store := d.store("field-woo")
		file := func(name string) string {
			text, err := importFiles.ReadFile("testdata/import/" + name + ".csv")
			return string(must(d, text, err))
		}
		for name, code := range map[string]string{"zero-width-space": "ZW10", "direction-mark-email": "DIR10",
			"semicolon-decimal-comma": "SEMI10", "trailing-empty-columns": "TRAIL10", "short-row": "SHORT10"} {
			d.imported(file(name))
			history, err := d.DB.CodeHistory(d.ctx, store.ID, strings.ToLower(code))
			if c := first(must(d, history, err), nil); c.Code != code {
				d.Errorf("%s: the code is %+q, want %q", name, c.Code, code)
			}
		}
		d.wantErrors(file("formula-error-as-code"), "line 2, code: \"#N/A\" is the error of a formula")
		tom, err := d.DB.CreatorByHandle(d.ctx, affiliate.Instagram, "tomlane")
		if must(d, tom, err); tom.Email != "tom.lane@creators.example" {
			d.Errorf("the address is %+q", tom.Email)
		}
		mira, err := d.DB.CreatorByHandle(d.ctx, affiliate.Instagram, "mira.holm")
		must(d, mira, err)
		members, _, err := d.DB.Members(d.ctx, storage.MemberFilter{Creator: mira.ID}, storage.Page{})
		if m := first(must(d, members, err), nil); m.ProductValue != 3990 {
			d.Errorf("product value %d, want 3990", m.ProductValue)
		}
	})
}

// TestImport_forms: the same table in the many forms that spreadsheets give it is the same import.
func TestImport_forms(t *testing.T) {
	const table = "Campaign Name,creator,Instagram,E-Mail,OFFER,Store,Code,Link-Slug,landing url," +
		"Commission %,commissionFlat,product_value\n" +
		"Spring,Änna,'@anna,a@x.example,\"Ten, or so\",shop,=\"0815\",anna,https://shop.example/,10 %,1.5,1234.50\n"
	plain := strings.Replace(table, "Campaign Name", "Campaign", 1)
	german := strings.NewReplacer("\"Ten, or so\"", "Ten, or so", ",", ";", "1.5", "1,5", "1234.50", "1.234,50 €")
	semicolons := strings.Replace(german.Replace(plain), "Ten; or so", "Ten, or so", 1)
	encoded := func(order binary.AppendByteOrder, text string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	for name, text := range map[string]string{
		"commas":                plain,
		"semicolons":            semicolons,
		"tabs":                  strings.ReplaceAll(semicolons, ";", "\t"),
		"byte order mark, CRLF": "\ufeff" + strings.ReplaceAll(semicolons, "\n", "\r\n"),
		"CR":                    strings.ReplaceAll(plain, "\n", "\r"),
		"sep=":                  "sep=;\r\n" + semicolons,
		"UTF-16 LE":             encoded(binary.LittleEndian, "\ufeff"+strings.ReplaceAll(semicolons, ";", "\t")),
		"UTF-16 BE":             encoded(binary.BigEndian, semicolons),
		"hard spaces": strings.NewReplacer("10 %", "10\u00a0%", "1.234,50 €",
			"1\u202f234,50\u00a0€").Replace(semicolons),
		"empty rows and columns": strings.ReplaceAll(semicolons, "\n", ";;\n;;;;;;;;;;;;;\n \n"),
	} {
		t.Run(name, func(t *testing.T) {
			f := app.ReadImportFile(text)
			want := app.ImportedRow{Campaign: "Spring", Creator: "Änna", Instagram: "anna", Email: "a@x.example",
				Offer: "Ten, or so", Store: "shop", Code: "0815", Slug: "anna", Landing: "https://shop.example/",
				Percent: 1000, Flat: 15000, Product: 123450}
			if len(f.Bad) > 0 || len(f.Rows) != 1 || f.Rows[0] != want {
				t.Errorf("%+v %v, want %+v", f.Rows, f.Bad, want)
			}
		})
	}
}

// TestImport_refusals: what cannot be understood is refused with line, column, what stands there and what to do.
func TestImport_refusals(t *testing.T) {
	const header = "campaign;creator;offer;store;code;commission_percent;product_value\n"
	row := func(cells ...string) string { return header + strings.Join(cells, ";") + "\n" }
	for name, c := range map[string]struct{ text, place, says string }{
		"error of a formula": {row("Spring", "Anna", "Ten", "shop", "#NV"), "line 2, code", "#NV"},
		"the same in a name": {row("Spring", "#BEZUG!", "Ten", "shop", "A"), "line 2, creator", "mend the formula"},
		"two codes": {row("Spring", "Anna", "Ten", "shop", "ANNA10, ANNA15"), "line 2, code",
			"line of its own"},
		"two codes, two lines": {row("Spring", "Anna", "Ten", "shop", "\"ANNA10\rANNA15\""), "line 2, code",
			"ANNA10⏎ANNA15"},
		"shortened": {row("Spring", "Anna", "Ten", "shop", "1,2E+11"), "line 2, code",
			"format the cells as text"},
		"Windows-1252": {row("Spring", "K\xe4rg", "Ten", "shop", "A"), "line 2, creator", "byte E4 behind \"K\""},
		"its remedy": {row("Spring", "K\xe4rg", "Ten", "shop", "A"), "line 2, creator",
			"save the file as \"CSV UTF-8\""},
		"read wrongly": {row("Spring", "KÃ¤rg", "Ten", "shop", "A"), "line 2, creator", "seems to mean \"Kärg\""},
		"lost letters": {row("Spring", "K\ufffdrg", "Ten", "shop", "A"), "line 2, creator", "has lost a letter"},
		"which number": {row("Spring", "Anna", "Ten", "shop", "A", "", "1.234"), "line 2, product_value",
			"write 1234"},
		"no number": {row("Spring", "Anna", "Ten", "shop", "A", "ten"), "line 2, commission_percent", "\"ten\""},
		"another currency": {row("Spring", "Anna", "Ten", "shop", "A", "", "39,90 USD"), "line 2, product_value",
			"39,90 USD"},
		"column without a name": {"campaign;creator;offer;;code;store\nSpring;Anna;Ten;x;A;shop\n", "line 2, D",
			"column without a name"},
		"a cell too many": {"campaign;creator;offer\nSpring;Anna;Ten;x\n", "line 2",
			"has 4 fields, the header has 3"},
		"unknown column": {"campaign;creator;offer;Creator Name\n", "line 1, creator name", "creator perhaps"},
		"column twice":   {"sep=;\ncampaign;creator;offer;Code;CODE\n", "line 2, code", "columns D and E"},
		"one column": {"campaign|creator|offer\n", "line 1, campaign",
			"divided by commas, semicolons or tabs"},
		"another delimiter below": {"campaign;creator;offer\nSpring,Anna,Ten\n", "line 2",
			"which is a semicolon in the header"},
		"a comma without quotes": {"campaign,creator,offer,store,code,commission_percent,product_value,link_slug\n" +
			"Spring,Anna,Ten,shop,A,12,5,,\n", "line 2, commission_percent", "in quotes"},
		"lines inside of cells": {"campaign;creator;offer;store;code\n" +
			"Spring;Anna;\"Ten\r\n\r\nor so\";shop;A\r\nSpring;;Ten;shop;B\n",
			"line 5, creator", "must not be empty"},
	} {
		t.Run(name, func(t *testing.T) {
			f := app.ReadImportFile(c.text)
			if !slices.ContainsFunc(f.Bad, func(e app.LineError) bool {
				return strings.HasPrefix(e.String(), c.place+": ") && strings.Contains(e.String(), c.says)
			}) {
				t.Errorf("got %v, want %s that says %q", f.Bad, c.place, c.says)
			}
			for _, e := range f.Bad {
				if strings.ContainsAny(e.String(), "\r\n") || strings.Contains(e.String(), "parse error") {
					t.Errorf("%q", e.String())
				}
			}
		})
	}
}

func TestImport_about(t *testing.T) {
	f := app.ReadImportFile("sep=;\nCampaign;Creator;Offer;;Commission Percent\nSpring;Anna;Ten;;1\n")
	want := []app.ImportColumn{{Column: "A", Header: "Campaign", Field: "campaign"}, {Column: "B", Header: "Creator",
		Field: "creator"}, {Column: "C", Header: "Offer", Field: "offer"}, {Column: "D", Note: "ignored: it is empty"},
		{Column: "E", Header: "Commission Percent", Field: "commission_percent"}}
	if f.About.Format != "csv" || f.About.Encoding != "UTF-8" || f.About.Delimiter != "semicolon" ||
		f.About.DecimalSign != "comma" || !slices.Equal(f.About.Columns, want) {
		t.Errorf("%+v", f.About)
	}
	f = app.ReadImportFile("campaign,creator,offer,store,code\nSpring,Anna,Ten,shop,10. Mai\n")
	if len(f.Notes) != 1 || f.Notes[0].Line != 2 || f.Notes[0].Column != "code" || len(f.Rows) != 1 {
		t.Errorf("a code like a date: %v %v", f.Notes, f.Bad)
	}
}

func TestImport_workbook(t *testing.T) {
	b := excelize.NewFile()
	defer b.Close()
	fill := func(axis string, row ...any) {
		if err := b.SetSheetRow("Creators", axis, &row); err != nil {
			t.Fatal(err)
		}
	}
	_ = b.SetCellStr("Sheet1", "A1", "How to fill it in")
	_, _ = b.NewSheet("Creators")
	percent, err := b.NewStyle(&excelize.Style{NumFmt: 10})
	if err != nil {
		t.Fatal(err)
	}
	fill("A1", "Campaign", "Creator", "Offer", "Store", "Code", "Commission Percent", "Product Value")
	fill("A2", "Spring", "Anna", "Ten", "shop", "0815", 0.125, 39.9)
	fill("A3", nil, "Ben", "Ten", "shop", 4711, 12.5, "1.234,5")
	_ = b.SetCellStyle("Creators", "F2", "F2", percent)
	_ = b.MergeCell("Creators", "A2", "A3")
	_ = b.SetRowVisible("Creators", 3, false)
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	f := app.ReadImportFile(out.String())
	want := []app.ImportedRow{{Campaign: "Spring", Creator: "Anna", Offer: "Ten", Store: "shop", Code: "0815",
		Percent: 1250,
		Product: 3990}, {Campaign: "Spring", Creator: "Ben", Offer: "Ten", Store: "shop", Code: "4711", Percent: 1250,
		Product: 123450}}
	if !slices.Equal(f.Rows, want) || len(f.Bad) > 0 || len(f.Notes) != 2 || f.About.Format != "xlsx" ||
		f.About.Sheet != "Creators" || !slices.Equal(f.About.OtherSheets, []string{"Sheet1"}) {
		t.Errorf("%+v, want %+v", f, want)
	}
	fill("A4", "Spring", "Cleo", "Ten", "shop")
	day, _ := b.NewStyle(&excelize.Style{NumFmt: 16})
	_ = b.SetCellInt("Creators", "E4", 46152)
	_ = b.SetCellStyle("Creators", "E4", "E4", day)
	_ = b.SetCellFormula("Creators", "E5", "E2")
	out.Reset()
	_ = b.Write(&out)
	f = app.ReadImportFile(out.String())
	if len(f.Bad) != 2 || !strings.HasPrefix(f.Bad[0].String(), "line 4, code: holds a date (2026-05-10)") ||
		!strings.HasPrefix(f.Bad[1].String(), "line 5, code: holds a formula whose result is not in the file") {
		t.Errorf("%v", f.Bad)
	}
}

func TestPlainNumber(t *testing.T) {
	const ambiguous = "?"
	for _, c := range []struct{ in, commas, semicolons, tabs string }{
		{"12", "12", "12", "12"}, {"12.5", "12.5", "12.5", "12.5"}, {"12,5", "12.5", "12.5", "12.5"},
		{"1.234,50", "1234.50", "1234.50", "1234.50"}, {"1,234.50", "1234.50", "1234.50", "1234.50"},
		{"1.234", "1.234", ambiguous, ambiguous}, {"1,234", ambiguous, "1.234", ambiguous},
		{"0.125", "0.125", "0.125", "0.125"}, {"0,125", "0.125", "0.125", "0.125"}, {"1234.500", "1234.500", "1234.500",
			"1234.500"},
		{"1.234.567", "1234567", "1234567", "1234567"}, {"1,234,567.8", "1234567.8", "1234567.8", "1234567.8"},
		{"1 234,50", "1234.50", "1234.50", "1234.50"}, {"1'234.50", "1234.50", "1234.50", "1234.50"}, {"1’234", "1234",
			"1234", "1234"},
		{"-1", "-1", "-1", "-1"}, {"+5", "5", "5", "5"}, {",5", "0.5", "0.5", "0.5"}, {".5", "0.5", "0.5", "0.5"},
		{"12,5,3", ambiguous, ambiguous, ambiguous}, {"1.23.456", ambiguous, ambiguous, ambiguous},
		{"12 5", ambiguous, ambiguous, ambiguous}, {"1,5 0", ambiguous, ambiguous, ambiguous},
		{"ten", "ten", "ten", "ten"}, {"1e5", "1e5", "1e5", "1e5"}, {"", "", "", ""},
	} {
		for delimiter, want := range map[rune]string{',': c.commas, ';': c.semicolons, '\t': c.tabs} {
			got, reason := app.PlainNumber(delimiter, c.in)
			if reason != "" {
				got = ambiguous
			}
			if got != want {
				t.Errorf("%q between %q is %q (%s), want %q", c.in, delimiter, got, reason, want)
			}
		}
	}
}

// TestPlainNumber_property: a number with two decimals is read as itself in whatever language it is written.
func TestPlainNumber_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.IntRange(0, 9_999_999).Draw(t, "whole")
		decimals := rapid.StringMatching(`[0-9]{2}`).Draw(t, "decimals")
		digits := []byte{}
		for i, text := 0, strconv.Itoa(whole); i < len(text); i++ {
			if i > 0 && (len(text)-i)%3 == 0 {
				digits = append(digits, 'G')
			}
			digits = append(digits, text[i])
		}
		signs := rapid.SampledFrom([][2]string{{".", ","}, {",", "."}, {" ", ","}, {"'", "."}, {"", "."},
			{"", ","}}).Draw(t, "signs")
		written := strings.ReplaceAll(string(digits), "G", signs[0]) + signs[1] + decimals
		delimiter := rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(t, "delimiter")
		if got, reason := app.PlainNumber(delimiter, written); got != strconv.Itoa(whole)+"."+decimals {
			t.Fatalf("%q is %q (%s)", written, got, reason)
		}
	})
}
