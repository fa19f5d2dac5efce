package woocommerce

import "github.com/tributaryhq/tributary/integrations/jsonwalk"

// blank says whether a value stands for nothing, as PHP writes it: not there, null, false or "".
func blank(v jsonwalk.Value) bool {
	switch string(v) {
	case "", "null", "false", `""`:
		return true
	}
	return false
}

// scalar gives the text of a string or a number; PHP mixes the two. ok is false for anything else.
func scalar(v jsonwalk.Value) (text string, ok bool) {
	if !v.IsText() && !v.IsNumber() {
		return "", false
	}
	return v.Content(), true
}

// text gives the text of a string or a number, "" of anything else.
func text(v jsonwalk.Value) string {
	s, _ := scalar(v)
	return s
}
