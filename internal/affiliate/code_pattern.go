package affiliate

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

// CodePattern is how codes of many creators are made: "{{handle}}10", "{{first_name}}-{{random:4}}". Text around the
// braces is in capitals.
type CodePattern string

// CodeSubject is what a pattern can name.
type CodeSubject struct {
	Name, Handle, Campaign, Offer string
	Discount                      Discount
}

const (
	// DefaultCodeLength is how many characters a code has at most where nobody says otherwise: people type them on
	// phones.
	DefaultCodeLength = 20
	// LeastCodeLength is the fewest characters that codes may be limited to.
	LeastCodeLength = 3

	maxPattern = 200
	mostRandom = 16 // characters of one {{random:N}}
)

// Places of patterns: what may stand between braces.
const (
	placeHandle    = "handle"
	placeName      = "name"
	placeFirstName = "first_name"
	placeLastName  = "last_name"
	placeCampaign  = "campaign"
	placeOffer     = "offer"
	placePercent   = "percent"
	placeRandom    = "random"
)

// personPlaces are those that say who it is.
var personPlaces = []string{placeHandle, placeName, placeFirstName, placeLastName}

const placeList = "{{handle}}, {{name}}, {{first_name}}, {{last_name}}, {{campaign}}, {{offer}}, {{percent}} or " +
	"{{random:4}}"

// patternPart is a part of a pattern: text, or a place.
type patternPart struct {
	text  string // as it stands in codes; empty of places
	place string
	n     int // characters of placeRandom
}

func (p patternPart) person() bool { return slices.Contains(personPlaces, p.place) }

// bends says whether the part has as many characters as people have written, and may be shortened.
func (p patternPart) bends() bool {
	return p.person() || p.place == placeCampaign || p.place == placeOffer
}

// ParseCodePattern reads a pattern: text of letters, digits, "-" and "_", with places in double braces. It gives the
// pattern as it is kept. The error names the field, and says what may stand between braces.
func ParseCodePattern(field, text string) (CodePattern, error) {
	text = Clean(text)
	switch {
	case text == "":
		return "", FieldErrorf(field, "must not be empty; write text with %s in it, such as {{handle}}10", placeList)
	case len(text) > maxPattern:
		return "", FieldErrorf(field, "must not have more than %d characters", maxPattern)
	}
	parts, err := CodePattern(text).parts()
	if err != nil {
		return "", AboutField(field, err)
	}
	var b strings.Builder
	least, differs := 0, false
	for _, p := range parts {
		switch {
		case p.place == "":
			b.WriteString(p.text)
			least += len(p.text)
		case p.place == placeRandom:
			b.WriteString("{{" + placeRandom + ":" + strconv.Itoa(p.n) + "}}")
			least += p.n
		default:
			b.WriteString("{{" + p.place + "}}")
			least++
		}
		differs = differs || p.person() || p.place == placeRandom
	}
	switch {
	case !differs:
		return "", FieldErrorf(field, "would give everybody the same code; put {{handle}}, {{name}}, {{first_name}}, "+
			"{{last_name}} or {{random:4}} into it")
	case least > maxCode:
		return "", FieldErrorf(field, "gives codes of more than %d characters; shorten its text", maxCode)
	}
	return CodePattern(b.String()), nil
}

// parts takes a pattern apart.
func (p CodePattern) parts() (list []patternPart, err error) {
	rest := string(p)
	for rest != "" {
		text, behind, open := strings.Cut(rest, "{{")
		if text != "" {
			folded, ok := patternText(text)
			if !ok {
				return nil, Errorf(Invalid, "%q cannot stand in codes; use letters, digits, - and _, and in double "+
					"braces %s", Shown(text), placeList)
			}
			list = append(list, patternPart{text: folded})
		}
		if !open {
			break
		}
		inner, after, closed := strings.Cut(behind, "}}")
		if !closed {
			return nil, Errorf(Invalid, "%q is not closed; write it like {{handle}}10", Shown("{{"+behind))
		}
		part, err := parsePlace(inner)
		if err != nil {
			return nil, err
		}
		if part.place != placeRandom &&
			slices.ContainsFunc(list, func(p patternPart) bool { return p.place == part.place }) {
			return nil, Errorf(Invalid, "has {{%s}} twice; take one of them out", part.place)
		}
		list = append(list, part)
		rest = after
	}
	return list, nil
}

// patternText gives a pattern's own text as it stands in codes, and whether it can.
func patternText(text string) (string, bool) {
	var b strings.Builder
	for _, r := range norm.NFKC.String(text) {
		s := codeLetters(r)
		if s == "" {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// parsePlace reads what stands between braces.
func parsePlace(inner string) (patternPart, error) {
	name, number, has := strings.Cut(strings.ToLower(Clean(inner)), ":")
	name, number = strings.TrimSpace(name), strings.TrimSpace(number)
	switch {
	case name == placeRandom:
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > mostRandom {
			return patternPart{}, Errorf(Invalid, "%q must say how many characters, from 1 to %d: {{random:4}}",
				Shown("{{"+inner+"}}"), mostRandom)
		}
		return patternPart{place: placeRandom, n: n}, nil
	case !has && (slices.Contains(personPlaces, name) || name == placeCampaign || name == placeOffer ||
		name == placePercent):
		return patternPart{place: name}, nil
	}
	return patternPart{}, Errorf(Invalid, "there is no %q; between double braces may stand %s",
		Shown("{{"+inner+"}}"), placeList)
}

// Random says whether two renderings differ by chance.
func (p CodePattern) Random() bool {
	parts, err := p.parts()
	return err == nil && slices.ContainsFunc(parts, func(p patternPart) bool { return p.place == placeRandom })
}

// RandomCodeText gives n random characters, none of which is taken for another: no 0 and O, no 1, I and L.
func RandomCodeText(n int) string {
	const alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	text := make([]byte, 0, n)
	for one := make([]byte, 1); len(text) < n; {
		_, _ = rand.Read(one)                            // never fails
		if b := int(one[0]); b < 256-256%len(alphabet) { // all equally likely
			text = append(text, alphabet[b%len(alphabet)])
		}
	}
	return string(text)
}

// Render gives the code of a subject: A–Z, 0–9, "-" and "_", at most so many characters, which must be 3 or more.
// Letters of other scripts are written in Latin ones. What does not fit is cut from the parts that people have written,
// the longest first, never from the pattern's own text. Where nothing of a handle can stand in a code the name serves,
// and the other way round. random gives n characters, such as RandomCodeText. Errors are sentences about the subject,
// or about the pattern, with the remedy.
func (p CodePattern) Render(s CodeSubject, most int, random func(n int) string) (string, error) {
	parts, err := p.parts()
	if err != nil {
		return "", AboutField("pattern", err)
	}
	if most < LeastCodeLength {
		return "", Errorf(Invalid, "a code of at most %d characters is too short; allow %d or more", most,
			LeastCodeLength)
	}
	person := personTexts(parts, s.Name, s.Handle)
	if person == nil {
		return "", Errorf(Invalid, "nothing of the handle %q and the name %q can stand in a code; type a code by "+
			"hand, or use {{random:6}}", Shown(s.Handle), Shown(s.Name))
	}
	pieces := make([]string, len(parts))
	for i, part := range parts {
		if pieces[i], err = s.piece(part, person, random); err != nil {
			return "", err
		}
	}
	most = min(most, maxCode)
	if !shorten(parts, pieces, most) {
		return "", Errorf(Invalid, "the pattern %s leaves no room for what it names in a code of at most %d "+
			"characters; shorten the pattern's own text, or allow longer codes", p, most)
	}
	code := undated(tidyCode(strings.Join(pieces, "")))
	if len(code) > most { // of text and random characters alone
		return "", Errorf(Invalid, "the pattern %s gives codes of %d characters, and %d are allowed; shorten it, or "+
			"allow longer codes", p, len(code), most)
	}
	if err := ValidateTypedCode(code); err != nil {
		return "", err
	}
	return code, nil
}

// piece gives what stands in a code for one part of the pattern.
func (s CodeSubject) piece(part patternPart, person map[string]string, random func(n int) string) (string, error) {
	switch part.place {
	case "":
		return part.text, nil
	case placeRandom:
		return random(part.n), nil
	case placePercent:
		return s.percent()
	case placeCampaign:
		return namedText(part.place, s.Campaign)
	case placeOffer:
		return namedText(part.place, s.Offer)
	}
	return person[part.place], nil
}

// percent gives the percentage as codes name it.
func (s CodeSubject) percent() (string, error) {
	const whole = 100 // units of a percentage in one percent
	switch d := s.Discount; {
	case d.Kind != DiscountPercent:
		return "", Errorf(Invalid, "{{percent}} needs a discount in percent; take it out of the pattern, or write a "+
			"number in its place")
	case d.Percent%whole != 0:
		return "", Errorf(Invalid, "{{percent}} cannot write %s %% in a code; write a number in its place, such as %d",
			trimDecimals(FormatPercent(d.Percent)), d.Percent/whole)
	default:
		return strconv.FormatInt(d.Percent/whole, 10), nil
	}
}

func namedText(place, name string) (string, error) {
	text := codeText(name)
	if text == "" {
		return "", Errorf(Invalid, "nothing of the %s's name %q can stand in a code; write text in place of {{%s}}",
			place, Shown(name), place)
	}
	return text, nil
}

// personTexts gives what stands for the places that say who it is. A place of which nothing is left is empty where
// another one has something; where none has, the first of them has the name for a handle, or the handle for a name. It
// is nil where nothing is left at all, and a pattern names the person.
func personTexts(parts []patternPart, name, handle string) map[string]string {
	var words []string
	for _, word := range strings.Fields(Clean(name)) {
		if text := codeText(word); text != "" {
			words = append(words, text)
		}
	}
	all := map[string]string{placeHandle: codeText(handle), placeName: codeText(name)}
	if len(words) > 0 {
		all[placeFirstName] = words[0]
	}
	if len(words) > 1 {
		all[placeLastName] = words[len(words)-1]
	}
	first, some := "", false
	for _, p := range parts {
		if p.person() {
			if first == "" {
				first = p.place
			}
			some = some || all[p.place] != ""
		}
	}
	if first == "" || some {
		return all
	}
	instead := []string{placeHandle, placeName}
	if first == placeHandle || first == placeLastName {
		instead = []string{placeName, placeHandle}
	}
	for _, other := range instead {
		if all[other] != "" {
			return map[string]string{first: all[other]}
		}
	}
	return nil
}

// shorten cuts pieces that bend, one character of the longest after the other, until all of them together have at most
// so many characters. It says whether something is left of each.
func shorten(parts []patternPart, pieces []string, most int) bool {
	for over := len(tidyCode(strings.Join(pieces, ""))) - most; over > 0; over-- {
		longest := -1
		for i, p := range parts {
			if p.bends() && pieces[i] != "" && (longest < 0 || len(pieces[i]) >= len(pieces[longest])) {
				longest = i
			}
		}
		if longest < 0 {
			return true
		}
		if len(pieces[longest]) == 1 {
			return false
		}
		pieces[longest] = pieces[longest][:len(pieces[longest])-1]
	}
	return true
}

// NextCode gives the try-th code (try ≥ 1) after one that is taken: ANNA10-2, ANNA10-3, … Where that has more than most
// characters, the code is cut before the number at its end, which people read as the discount. Each try gives another
// code, which may be the first one again where that is short and ends so.
func NextCode(code string, try, most int) string {
	suffix := "-" + strconv.Itoa(try+1)
	if len(suffix) >= most {
		suffix = suffix[1:]
	}
	head := strings.TrimRight(code, "0123456789")
	number := code[len(head):]
	if len(number) > 4 || len(number)+len(suffix) >= most {
		head, number = code, ""
	}
	head = head[:min(len(head), max(1, most-len(number)-len(suffix)))]
	return undated(tidyCode(head + number + suffix))
}

// undated gives a code that no spreadsheet takes for a date: MAY_10 for MAY-10.
func undated(code string) string {
	if LooksLikeDate(code) {
		return strings.ReplaceAll(code, "-", "_")
	}
	return code
}

// codeText gives what of a text can stand in a code: "anna.keller" is ANNAKELLER, "Jürgen Groß" JURGENGROSS, "Анна"
// ANNA.
func codeText(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) {
		b.WriteString(codeLetters(r))
	}
	return tidyCode(b.String())
}

// codeLetters gives a character as codes have it; empty where they have none such. Letters, digits and marks of all
// scripts are transliterated, but no signs: € is not EUR.
func codeLetters(r rune) string {
	switch {
	case r >= 'a' && r <= 'z':
		return string(r - 'a' + 'A')
	case r < 0x80:
		if isCodeLetter(byte(r)) || r == '-' || r == '_' {
			return string(r)
		}
		return ""
	case !unicode.In(r, unicode.L, unicode.M, unicode.N):
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isCodeLetter(byte(r)) {
			return r
		}
		return -1
	}, strings.ToUpper(unidecode.Unidecode(string(r))))
}

// isCodeLetter says whether b is of A–Z or 0–9.
func isCodeLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' }

// tidyCode leaves one separator where there are more, and none at the ends.
func tidyCode(s string) string {
	var b strings.Builder
	separated := true
	for i := range len(s) {
		separator := s[i] == '-' || s[i] == '_'
		if !separator || !separated {
			b.WriteByte(s[i])
		}
		separated = separator
	}
	return strings.TrimRight(b.String(), "-_")
}

// ReservedCode says whether a code is one of some words, or one of them with a number behind it, however it is written:
// with the word FREE, it is true of FREE, free-10 and Free10, and not of FREEDA10.
func ReservedCode(code string, words []string) bool {
	bare := bareCode(FoldCode(code))
	for _, word := range words {
		w := bareCode(word)
		rest, ok := strings.CutPrefix(bare, w)
		if w != "" && ok && (rest == "" || allDigits(rest) && !allDigits(w)) {
			return true
		}
	}
	return false
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// bareCode is codeText without separators.
func bareCode(s string) string { return separators.Replace(codeText(s)) }

var separators = strings.NewReplacer("-", "", "_", "")

// trimDecimals writes "12.50" as "12.5", and "10.00" as "10".
func trimDecimals(number string) string {
	if !strings.Contains(number, ".") {
		return number
	}
	return strings.TrimRight(strings.TrimRight(number, "0"), ".")
}
