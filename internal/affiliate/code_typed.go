package affiliate

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// ValidateTypedCode is ValidateCode for a code that somebody typed, pasted or has in a spreadsheet, and refuses what is
// surely none: the error of a formula, a number that a spreadsheet has shortened, or more codes than one. A code may
// hold spaces, "&" and apostrophes: WooCommerce takes them.
func ValidateTypedCode(s string) error {
	switch {
	case IsSpreadsheetError(s):
		return FieldErrorf("code", "%q is the error of a formula in a spreadsheet, not a code; mend the formula, or "+
			"type the code", Clip(s, 40))
	case shortenedNumber.MatchString(s):
		return FieldErrorf("code", "%q is a number that a spreadsheet has shortened, and the code cannot be told "+
			"from it; format the cells as text, and type the code again", Clip(s, 40))
	}
	if codes := splitCodes(s); codes != nil {
		if slices.Contains(codes, "") || len(codes) < 2 {
			return FieldErrorf("code", "%q holds a separator that belongs to no code; take it out", Shown(s))
		}
		return FieldErrorf("code", "%q holds %d codes (%s); give one code here, and each of the others by itself, in "+
			"a line of its own", Shown(s), len(codes), strings.Join(codes, "; "))
	}
	return ValidateCode(s)
}

// LooksLikeDate says whether a code looks like a date that a spreadsheet has made of a code such as MAY10: "10. Mai",
// "10-May", "May-10", "2026-05-10". A code may be written like that, so it is a reason to ask, not to refuse.
func LooksLikeDate(s string) bool {
	return slices.ContainsFunc(dates, func(r *regexp.Regexp) bool { return r.MatchString(strings.ToLower(s)) })
}

// Shown gives a text as a message may quote it: on one line, and not too long.
func Shown(s string) string {
	return Clip(strings.NewReplacer("\r\n", "⏎", "\r", "⏎", "\n", "⏎", "\t", "⇥").Replace(s), 60)
}

var (
	// shortenedNumber is how spreadsheets write 1E5 and long numbers: 1E+05, 1,23457E+12.
	shortenedNumber = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,3}$`)
	// betweenCodes parts codes wherever it stands; none of it is in a code that people can type at a checkout.
	betweenCodes = regexp.MustCompile(`\s*[,;|\t\r\n]\s*|\s+/\s+`)
	// betweenLikelyCodes parts codes where both sides look like codes: ANNA10/ANNA15, but not 24/7 or Tom & Jerry.
	betweenLikelyCodes = regexp.MustCompile(`(?i)\s*[/&+]\s*|\s+(?:or|and|oder|und|ou|et|o|y|e)\s+`)
	dates              = []*regexp.Regexp{
		regexp.MustCompile(`^[0-9]{1,2}[-. /]{1,2}` + months + `\.?([-. /]{1,2}[0-9]{2,4})?$`),
		regexp.MustCompile(`^` + months + `\.?[-. /]{1,2}[0-9]{2,4}$`),
		regexp.MustCompile(`^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}( 00:00(:00)?)?$`),
		regexp.MustCompile(`^[0-9]{1,2}[./][0-9]{1,2}[./](19|20)[0-9]{2}$`),
	}
)

// months are names as spreadsheets in English, German, French, Spanish and Italian shorten them, or write them out.
const months = `(jan(uary|uar|vier)?|jän(ner)?|ene(ro)?|gen(naio)?|janv|feb(ruary|ruar|brero|braio)?|févr?(ier)?|` +
	`mar(ch|s|zo)?|märz|mrz|apr(il|ile)?|avr(il)?|abr(il)?|may|mai|mayo|mag(gio)?|june?|juni?|juin|giu(gno)?|` +
	`july?|juli?|juillet|juil|julio|junio|lug(lio)?|aug(ust)?|août|ago(sto)?|sept?(ember|embre|tembre|iembre)?|set|` +
	`o[ck]t(ober|obre|ubre)?|ott(obre)?|nov(ember|embre|iembre)?|de[cz](ember)?|déc(embre)?|dic(iembre|embre)?)`

// splitCodes gives the codes that a text holds beside each other, or nil for a text that is one code.
func splitCodes(s string) []string {
	if betweenCodes.MatchString(s) {
		return betweenCodes.Split(s, -1)
	}
	if codes := betweenLikelyCodes.Split(s, -1); len(codes) > 1 && !slices.ContainsFunc(codes, notLikeCode) {
		return codes
	}
	return nil
}

// notLikeCode says whether s lacks what nearly all codes of creators have: one word with letters and digits.
func notLikeCode(s string) bool {
	return !strings.ContainsFunc(s, unicode.IsLetter) || !strings.ContainsFunc(s, unicode.IsDigit) ||
		strings.ContainsFunc(s, unicode.IsSpace)
}

// IsSpreadsheetError says whether a text is what a spreadsheet shows in place of the result of a formula that fails, in
// one of the languages in which Excel, LibreOffice and Google Sheets write it, or the signs of a column that is too
// narrow (####).
func IsSpreadsheetError(s string) bool {
	s = strings.ToUpper(Clean(s))
	rest, ok := strings.CutPrefix(s, "#")
	if !ok {
		return calcError.MatchString(s)
	}
	if unmarked := strings.TrimRight(rest, "!?"); unmarked != rest {
		return slices.Contains(strings.Fields(markedErrors), strings.TrimLeft(unmarked, "¡¿"))
	}
	return slices.Contains(strings.Fields(plainErrors), rest) || rest != "" && strings.Trim(rest, "#") == ""
}

// calcError is LibreOffice's: Err:502, in German Fehler:502.
var calcError = regexp.MustCompile(`^(ERR|FEHLER|ERREUR|ERRORE|ERROR):[0-9]{3}$`)

// plainErrors are the errors without "#"; markedErrors those that end in "!" or "?".
const (
	plainErrors  = `N/A NV N/D N/B I/T YOK Н/Д GETTING_DATA DATEN_ABRUFEN NENÍ_K_DISPOZICI`
	markedErrors = `
	REF VALUE NAME DIV/0 NULL NUM SPILL CALC FIELD BLOCKED UNKNOWN CONNECT BUSY PYTHON EXTERNAL TIMEOUT ERROR N/A
	BEZUG WERT ZAHL ÜBERLAUF KALK FELD BLOCKIERT UNBEKANNT VERBINDEN
	VALEUR NOM NUL NOMBRE EPARS PROPAGATION CHAMP BLOQUE BLOQUÉ INCONNU
	VALOR NULO DESBORDAMIENTO CÁLCULO CAMPO
	RIF VALORE NOME NULLO ESPANSIONE
	NÚM DESPEJAR DESPEJO
	VERW WAARDE NAAM DEEL/0 LEEG GETAL OVERLOOP
	ADR ARG NAZWA DZIEL/0 ZERO LICZBA ROZLANIE
	SAKNAS REFERENS VÄRDEFEL NAMN DIVISION/0 SKÄRNING OGILTIGT
	REFERENCE VÆRDI NAVN VERDI OVERLØB
	PUUTTUU VIITTAUS ARVO NIMI JAKO/0 TYHJÄ LUKU
	BAŞV DEĞER AD SAYI/0 BOŞ SAYI TAŞMA
	ODKAZ HODNOTA NÁZEV DĚLENÍ_NULOU ČÍSLO
	ССЫЛКА ЗНАЧ ИМЯ ДЕЛ/0 ПУСТО ЧИСЛО ПЕРЕНОС`
)
