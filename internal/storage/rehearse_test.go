package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRehearse: what a rehearsal changes it sees itself, with all rules of the tables, and nobody else ever does;
// whoever writes meanwhile does not wait for its end.
func TestRehearse(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // a wait for the rehearsal would take longer
		defer cancel()
		at := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
		add := func(tx *storage.Tx, name string) (affiliate.Campaign, error) {
			return tx.CreateCampaign(ctx, affiliate.Campaign{Name: name, Status: affiliate.CampaignActive,
				CreatedAt: at, UpdatedAt: at})
		}
		var before affiliate.Campaign
		must(t, db.InTx(ctx, func(tx *storage.Tx) (err error) { before, err = add(tx, "Spring"); return err }))
		for round := range 2 { // on the same pool of connections
			must(t, db.Rehearse(ctx, func(tx *storage.Tx) error {
				made, err := add(tx, "Summer")
				must(t, err)
				if made.ID == before.ID {
					t.Error("an id was given twice")
				}
				if _, err := tx.CampaignByName(ctx, "Summer"); err != nil {
					t.Errorf("the rehearsal does not see what it made: %v", err)
				}
				must(t, tx.Audit(ctx, storage.AuditEntry{At: at, Actor: "test", Action: "campaign.add",
					Subject: made.ID}))
				ended := before
				ended.Status = affiliate.CampaignEnded
				_, err = tx.SaveCampaign(ctx, ended)
				must(t, err)
				// somebody else writes, and does not see it
				must(t, db.InTx(ctx, func(other *storage.Tx) error {
					if _, err := other.CampaignByName(ctx, "Summer"); affiliate.KindOf(err) != affiliate.NotFound {
						t.Errorf("somebody else sees the rehearsal: %v", err)
					}
					if _, err := add(other, "Autumn "+string(rune('a'+round))); err != nil {
						return err
					}
					// also what the rehearsal has changed
					var err error
					before, err = other.SaveCampaign(ctx, before)
					return err
				}))
				if _, err := add(tx, "SPRING"); affiliate.KindOf(err) != affiliate.Conflict {
					t.Errorf("a second campaign of one name gives %v", err)
				}
				return nil
			}))
			if _, err := db.CampaignByName(ctx, "Summer"); affiliate.KindOf(err) != affiliate.NotFound {
				t.Errorf("the rehearsal left something: %v", err)
			}
			if c, err := db.Campaign(ctx, before.ID); err != nil || c.Status != affiliate.CampaignActive {
				t.Errorf("the rehearsal changed the campaign: %v %v", c, err)
			}
		}
	})
}
