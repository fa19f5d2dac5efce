package affiliate

import (
	"slices"
	"testing"
)

func TestParseWords(t *testing.T) {
	for text, want := range map[string][]OrderStatus{"": nil, "paid": {Paid}, "paid, pending": {Paid, Pending}} {
		got, err := ParseWords[OrderStatus]("status", text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	const complaint = "status: must be pending, paid, canceled or refunded"
	for _, text := range []string{"lost", "paid,", "paid,lost", "Paid", " "} {
		if _, err := ParseWords[OrderStatus]("status", text); err == nil || err.Error() != complaint {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := ParseWord[OrderStatus]("status", text); err == nil || err.Error() != complaint {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got, err := ParseWord[OrderStatus]("status", ""); got != "" || err != nil {
		t.Errorf("nothing: %q, %v", got, err)
	}
	if got := WordList[Method](); got != "code or link" {
		t.Error(got)
	}
}

func TestParseIDs(t *testing.T) {
	got, err := ParseIDs[CampaignID]("campaign", "cmp_", CommaList("cmp_1, 2,cmp_3"))
	if want := []CampaignID{1, 2, 3}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%d, %v", got, err)
	}
	const complaint = `campaign: "x" is not an id; it looks like cmp_1`
	_, err = ParseIDs[CampaignID]("campaign", "cmp_", []string{"cmp_1", "x"})
	if err == nil || err.Error() != complaint {
		t.Error(err)
	}
	if _, err := OptionalID[CampaignID]("campaign", "cmp_", "x"); err == nil || err.Error() != complaint {
		t.Error(err)
	}
	if id, err := OptionalID[CampaignID]("campaign", "cmp_", ""); id != 0 || err != nil {
		t.Errorf("nothing: %d, %v", id, err)
	}
}

// TestLedgerEntry_title: every kind is called something of its own.
func TestLedgerEntry_title(t *testing.T) {
	seen := map[string]EntryKind{}
	for _, k := range Words[EntryKind]() {
		title := LedgerEntry{Kind: k}.Title()
		if before, double := seen[title]; double || title == "" {
			t.Errorf("%s is called %q, as %s is", k, title, before)
		}
		seen[title] = k
	}
}
