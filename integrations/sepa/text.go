package sepa

import (
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"
	"golang.org/x/text/unicode/norm"
)

// Lengths that banks take, in characters. The schemas allow 140 of a name, SEPA 70.
const (
	mostID   = 35
	mostName = 70
	mostNote = 140
)

// written are characters that banks do not take, with what stands for them instead. Letters that are not here are
// written as go-unidecode reads them.
var written = map[rune]string{
	'ä': "ae", 'ö': "oe", 'ü': "ue", 'Ä': "Ae", 'Ö': "Oe", 'Ü': "Ue", 'ß': "ss", 'ẞ': "SS", 'å': "aa", 'Å': "Aa",
	'€': "E", '@': "(at)", '_': "-", '&': "+", '~': "-", '=': "-", '[': "(", ']': ")", '{': "(", '}': ")", '<': "(",
	'>': ")", '«': "'", '»': "'", '"': "'", '`': "'", '^': "'", '|': "/", '\\': "/", ';': ",", '!': ".", '*': ".",
	'#': ".", '%': ".", '$': "."}

// Text writes a text in the characters that banks take: a-z A-Z 0-9 / - ? : ( ) . , ' + and space. Others become what
// is closest to them, such as ae for ä and Lodz for Łódź, and a question mark where nothing is; what cannot be seen
// goes. It has at most so many characters: the rest is cut off.
func Text(s string, most int) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		if b.Len() > 4*most { // spaces are yet to go
			break
		}
		b.WriteString(letters(r))
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	return strings.TrimRight(text[:min(len(text), most)], " ")
}

// letters are what stands for one character.
func letters(r rune) string {
	switch {
	case allowed(r):
		return string(r)
	case unicode.IsSpace(r) || unicode.Is(unicode.Cc, r):
		return " "
	case unicode.IsOneOf([]*unicode.RangeTable{unicode.Cf, unicode.Mn, unicode.Me, unicode.Variation_Selector}, r):
		return "" // it is not seen, or belongs to the letter before it
	}
	if s, known := written[r]; known {
		return s
	}
	text := strings.Map(func(r rune) rune {
		if s, known := written[r]; known && !allowed(r) {
			r = rune(s[0])
		}
		if !allowed(r) {
			return -1
		}
		return r
	}, unidecode.Unidecode(string(r)))
	if strings.TrimSpace(text) == "" {
		return "?"
	}
	return text
}

func allowed(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r < unicode.MaxASCII && strings.ContainsRune("/-?:().,'+ ", r)
}

// legible says whether anything of a text can be read once it is written for banks.
func legible(text string) bool { return strings.Trim(text, "/-?:().,'+ ") != "" }
