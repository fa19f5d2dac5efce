package dashboard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// numbersOfLanguages are the signs of numbers in the languages that do not write 1,234.56, and in those of their
// regions that differ. They are those of Unicode's CLDR, with two exceptions: digits are always 0 to 9, as everywhere
// on the pages, and four digits are divided like more of them, since columns of figures are read downwards.
var numbersOfLanguages = func() map[string]affiliate.NumberStyle {
	all := map[string]affiliate.NumberStyle{}
	for style, tags := range map[affiliate.NumberStyle]string{
		affiliate.NumbersComma: "ast az bs ca da de dsb el es eu fo fur fy gl hr hsb id is it kl km lb ln lo lu mk " +
			"nl pt ro rw sl sr tr vi wo ar-DZ ar-LB ar-LY ar-MA ar-MR ar-TN en-BE en-DE en-DK en-NL en-SI fr-LU " +
			"fr-MA ms-BN sw-CD",
		affiliate.NumbersSpace: "af be bg br cs eo et ff fi fr hu hy ka kab kk ky lt lv nb nn no os pl ru se sk smn " +
			"sq sv tg tk tt uk uz de-AT en-AT en-FI en-SE en-ZA es-CR pt-AO pt-CH pt-CV pt-GQ pt-GW pt-LU pt-MO " +
			"pt-MZ pt-PT pt-ST pt-TL",
		affiliate.NumbersApostrophe: "gsw rm de-CH de-LI it-CH en-CH",
		affiliate.NumbersIndian:     "as bn brx gu hi kok ks ml mr or pa ta en-IN",
		affiliate.NumbersPoint: "es-419 es-BZ es-CU es-DO es-GT es-HN es-MX es-NI es-PA es-PE es-PR es-SV es-US " +
			"pa-PK ta-MY ta-SG",
	} {
		for tag := range strings.FieldsSeq(tags) {
			all[strings.ToLower(tag)] = style
		}
	}
	return all
}()

// languages reads a header Accept-Language: what the browser asks for, most wanted first, in small letters. What comes
// after the first ten is not looked at.
func languages(header string) []string {
	const most = 10
	type wanted struct {
		tag    string
		weight float64
	}
	var list []wanted
	for part := range strings.SplitSeq(header, ",") {
		tag, parameter, _ := strings.Cut(part, ";")
		tag = strings.ToLower(strings.TrimSpace(tag))
		weight := 1.0
		if q, has := strings.CutPrefix(strings.ReplaceAll(parameter, " ", ""), "q="); has {
			weight, _ = strconv.ParseFloat(q, 64) // what is no number is wanted least
		}
		if tag != "" && tag != "*" && weight > 0 && len(list) < most {
			list = append(list, wanted{tag, weight})
		}
	}
	slices.SortStableFunc(list, func(a, b wanted) int { return cmp.Compare(b.weight, a.weight) })
	tags := make([]string, len(list))
	for i, w := range list {
		tags[i] = w.tag
	}
	return tags
}

// languageParts are the language and the region of a tag such as de-AT or sr-Latn-RS; the region may be empty.
func languageParts(tag string) (base, region string) {
	parts := strings.FieldsFunc(tag, func(r rune) bool { return r == '-' || r == '_' })
	for i, p := range parts {
		switch {
		case i == 0:
			base = p
		case len(p) == 1:
			return base, region // extensions follow
		case len(p) == 2, len(p) == 3 && p[0] >= '0' && p[0] <= '9':
			return base, p
		}
	}
	return base, ""
}

// numbersFor are the signs of numbers that the languages of a browser have; the first one decides.
func numbersFor(header string) affiliate.NumberStyle {
	for _, tag := range languages(header) {
		base, region := languageParts(tag)
		if style, has := numbersOfLanguages[base+"-"+region]; has {
			return style
		}
		if style, has := numbersOfLanguages[base]; has {
			return style
		}
		return affiliate.NumbersPoint
	}
	return affiliate.NumbersPoint
}

// currencyFor is the currency of the region that the languages of a browser tell; empty where they tell none.
func currencyFor(header string) string {
	for _, tag := range languages(header) {
		known, err := language.Parse(tag)
		if err != nil {
			continue
		}
		region, confidence := known.Region()
		unit, has := currency.FromRegion(region)
		if confidence > language.No && has {
			return unit.String()
		}
	}
	return ""
}
