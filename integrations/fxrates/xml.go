package fxrates

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"github.com/tributaryhq/tributary/internal/money"
)

// maxDepth bounds how deep elements may lie in each other: Envelope, Cube, the day's Cube, the currency's.
const maxDepth = 10

// readXML reads a gesmes envelope.
func (t *table) readXML(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	day := ""
	depth, dayDepth := 0, 0
	seen := map[money.Currency]bool{}
	for {
		at := place(d) // where the element begins that is read next
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return xmlError(err, place(d))
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 1 && e.Name.Local != "Envelope" {
				return at.errorf("it begins with <%s>, not with the bank's <gesmes:Envelope>", clip(e.Name.Local))
			}
			if depth > maxDepth {
				return at.errorf("its elements lie too deep in each other")
			}
			if e.Name.Local != "Cube" {
				continue
			}
			if text, ok := attribute(e, "time"); ok {
				if day, err = t.startDay(text, at); err != nil {
					return err
				}
				dayDepth = depth
				clear(seen)
			}
			if err := t.readCube(e, day, seen, at); err != nil {
				return err
			}
		case xml.EndElement:
			if depth == dayDepth {
				day, dayDepth = "", 0
			}
			depth--
		}
	}
}

// readCube reads the rate of one currency. Cubes that only hold others have none.
func (t *table) readCube(e xml.StartElement, day string, seen map[money.Currency]bool, at position) error {
	code, isRate := attribute(e, "currency")
	if !isRate {
		return nil
	}
	c, known, err := currency(code, at)
	if err != nil || !known {
		return err
	}
	rate, ok := attribute(e, "rate")
	switch {
	case day == "":
		return at.errorf("%s has no day around it", c)
	case !ok:
		return at.errorf("%s has no rate", c)
	case seen[c]:
		return at.errorf("%s comes twice for %s", c, day)
	}
	seen[c] = true
	return t.add(day, c, rate, at)
}

// xmlError leaves out the line that a syntax error names too.
func xmlError(err error, at position) error {
	var e *xml.SyntaxError
	if errors.As(err, &e) {
		return at.errorf("%s", e.Msg)
	}
	return at.errorf("%w", err)
}

func attribute(e xml.StartElement, name string) (string, bool) {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value, true
		}
	}
	return "", false
}

// place is how far the file has been read.
func place(d *xml.Decoder) position {
	line, column := d.InputPos()
	return position{line, column}
}
