package affiliate

import (
	"errors"
	"strings"
	"testing"
)

func TestValidateTypedCode(t *testing.T) {
	for _, code := range []string{"ANNA10", "0815", "815", "summer sale", "Tom & Jerry", "Rock'n'Roll", "O’Brien 5",
		"24/7", "1/2 price", "A&B", "BUY1 GET1", "50% off", "#anna", "#ad", "#zero", "#sommer!", "NV", "N/A", "REF10",
		"1E5", "2e10", "E+10",
		"10-May", "İSTANBUL5", "ÄITI", "👩‍👩‍👧10", "x", "buy one and save", "A+", "C++10", "#1"} {
		if err := ValidateTypedCode(code); err != nil {
			t.Errorf("%q is refused: %v", code, err)
		}
	}
	for code, says := range map[string]string{
		"#N/A": "error of a formula", "#n/a": "error of a formula", "#REF!": "error of a formula",
		"#VALUE!": "error of a formula", "#NAME?": "error of a formula", "#DIV/0!": "error of a formula",
		"#NULL!": "error of a formula", "#NUM!": "error of a formula", "#SPILL!": "error of a formula",
		"#CALC!": "error of a formula", "#NV": "error of a formula", "#BEZUG!": "error of a formula",
		"#WERT!": "error of a formula", "#¿NOMBRE?": "error of a formula", "#¡REF!": "error of a formula",
		"#VALEUR!": "error of a formula", "#NOM?": "error of a formula", "#ÜBERLAUF!": "error of a formula",
		"Err:502": "error of a formula", "Fehler:508": "error of a formula", "#####": "error of a formula",
		" #N/A ":         "error of a formula",
		"ANNA10, ANNA15": "holds 2 codes (ANNA10; ANNA15)", "A;B": "holds 2 codes (A; B)", "A / B": "holds 2 codes",
		"ANNA10\nANNA15": "ANNA10⏎ANNA15", "A | B | C": "holds 3 codes", "ANNA10/ANNA15": "holds 2 codes",
		"ANNA10 or ANNA15": "holds 2 codes", "ANNA10 und ANNA15": "holds 2 codes", "ANNA10 & ANNA15": "holds 2 codes",
		"ANNA10+ANNA15": "holds 2 codes", "ANNA10\tANNA15": "ANNA10⇥ANNA15", "ANNA10\r\nANNA15": "ANNA10⏎ANNA15",
		"ANNA10,": "separator", ";": "separator", "1E+05": "shortened", "1,23457E+12": "shortened",
		"8.15E+10": "shortened",
		"":         "empty",
	} {
		err := ValidateTypedCode(code)
		var e *Error
		if !errors.As(err, &e) || e.Field != "code" || !strings.Contains(e.Message, says) {
			t.Errorf("%q: %v, want a refusal that says %q", code, err, says)
		}
	}
}

func TestLooksLikeDate(t *testing.T) {
	for _, s := range []string{"10. Mai", "10-May", "May-10", "Mai 10", "1-Jan", "10. März", "2026-05-10", "10/05/2026",
		"10.05.2026", "5-Sep-2026", "Okt 26", "01. Dez", "10-mars", "2026-05-10 00:00:00"} {
		if !LooksLikeDate(s) {
			t.Errorf("%q looks like a date", s)
		}
	}
	for _, s := range []string{"MAY10", "ANNA10", "10OFF", "10-anna", "Mara-10", "24/7", "2026", "MAI", "10.5"} {
		if LooksLikeDate(s) {
			t.Errorf("%q looks like no date", s)
		}
	}
}
