package main

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/integrations/shopify"
)

// TestStoreWithoutCodes: that keys may not make codes is no problem of a store; that they may not read orders is one.
func TestStoreWithoutCodes(t *testing.T) {
	guide := (shopify.Platform{}).Guide()
	var s checkedStore
	s.Access.Missing = []string{"write_discounts"}
	if s.judge(guide); len(s.Problems) > 0 {
		t.Errorf("%q", s.Problems)
	}
	s.Access.Missing = []string{"read_orders", "write_discounts"}
	if s.judge(guide); len(s.Problems) != 1 || !strings.HasSuffix(s.Problems[0], "may not: read_orders") {
		t.Errorf("%q", s.Problems)
	}
}
