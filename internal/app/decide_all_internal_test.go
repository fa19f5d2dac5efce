package app

import (
	"context"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// sumOfMany is a list of so many conversions.
type sumOfMany int64

func (n sumOfMany) SumConversions(context.Context, storage.ConversionFilter) ([]storage.ConversionSum, error) {
	return []storage.ConversionSum{{Currency: "EUR", Conversions: int64(n) - 1}, {Currency: "USD", Conversions: 1}}, nil
}

// TestDecidable_most: that a list is too long is told before anybody confirms a decision about it.
func TestDecidable_most(t *testing.T) {
	d, err := decidable(t.Context(), sumOfMany(MaxDecidedAll), storage.ConversionFilter{})
	if err != nil || d.Conversions != MaxDecidedAll {
		t.Errorf("%d conversions, %v", d.Conversions, err)
	}
	_, err = decidable(t.Context(), sumOfMany(MaxDecidedAll+1), storage.ConversionFilter{})
	if affiliate.KindOf(err) != affiliate.Invalid || !strings.Contains(err.Error(), "these are 20001") {
		t.Errorf("one too many: %v", err)
	}
}
