package fxrates

import (
	"bytes"
	_ "embed"

	"github.com/tributaryhq/tributary/internal/money"
)

//go:embed data/eurofxref-hist.csv
var bundled []byte

// Bundled gives the rates that come with the program, so that a fresh installation converts without a network. See
// data/README.md for their source and range.
func Bundled() ([]money.ReferenceRate, error) {
	return Parse(bytes.NewReader(bundled))
}
