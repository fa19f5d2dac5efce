// Package attack says how hard the tests that attack the server attack it: make test runs them in a short form, make
// attack in the long one.
package attack

import "os"

// Long says whether the long form runs.
func Long() bool { return os.Getenv("ATTACK") == "long" }

// Size gives how many of something an attack takes: connections, rounds, bytes.
func Size(short, long int) int {
	if Long() {
		return long
	}
	return short
}
