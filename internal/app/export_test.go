package app

import "strings"

// ReadImport is readImport for tests: how many lines it read, and what is wrong.
func ReadImport(text string) (int, []LineError, error) {
	rows, bad, err := readImport(strings.NewReader(text), "EUR")
	return len(rows), bad, err
}
