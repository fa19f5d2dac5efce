package storage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestPlannedCommissions: the rules of an offer and of its members whose time is to come, the next one first.
func TestPlannedCommissions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, g := t.Context(), addTeam(t, db)
		at := func(d time.Duration) string { return noon.Add(d).Format("2006-01-02T15:04:05.000000Z") }
		rule := func(version int, member, percent, from string) {
			t.Helper()
			if err := db.Exec(ctx, fmt.Sprintf(`INSERT INTO commission_rules (offer_id, offer_member_id, percent, flat,
				version, from_at, made_at, author) VALUES (%d, %s, %s, %[3]s, %d, %s, '%s', 'test')`, g.offer.ID, member,
				percent, version, from, at(0))); err != nil {
				t.Fatal(err)
			}
		}
		ben := fmt.Sprint(int64(g.owners["Ben"].ID))
		rule(11, "NULL", "2000", "'"+at(48*time.Hour)+"'")
		rule(12, "NULL", "1000", "'"+at(0)+"'") // it is there
		rule(11, ben, "NULL", "'"+at(24*time.Hour)+"'")
		list, err := db.PlannedCommissions(ctx, g.offer.ID, noon)
		if err != nil || len(list) != 2 || list[0].OfferMemberID != g.owners["Ben"].ID || list[0].Percent != nil ||
			list[1].OfferMemberID != 0 || *list[1].Percent != 2000 || !list[1].FromAt.Equal(noon.Add(48*time.Hour)) {
			t.Errorf("planned are %+v, %v", list, err)
		}
		if list, err = db.PlannedCommissions(ctx, g.offer.ID+1, noon); err != nil || len(list) != 0 {
			t.Errorf("of another offer: %+v, %v", list, err)
		}
	})
}
