package storage_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestOfferCodes: the codes of an offer that are somebody's are counted, and its members as a search finds them.
func TestOfferCodes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, g, shop := t.Context(), addTeam(t, db), store(t, db)
		inTx(t, db, func(tx *storage.Tx) error {
			for code, ended := range map[string]time.Time{"ANNA10": {}, "ANNA9": noon, "ANNA8": noon.AddDate(0, 0, 1)} {
				_, err := tx.CreateCode(ctx, affiliate.Code{OfferMemberID: g.owners["Anna"].ID, StoreID: shop,
					Code: code, ValidTo: ended, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
			}
			return nil
		})
		counts, err := db.OfferCodeCounts(ctx, []affiliate.OfferID{g.offer.ID, 99}, noon)
		if want := map[affiliate.OfferID]int64{g.offer.ID: 2}; err != nil || !reflect.DeepEqual(counts, want) {
			t.Errorf("the offers have %v codes, want %v (%v)", counts, want, err)
		}
		for text, want := range map[string]int64{"": 2, "ben": 1, "@anna.gram": 1, "anna9": 1, "zoe": 0} {
			s := storage.OfferMemberSearch{Offer: g.offer.ID, Text: text}
			n, err := db.CountOfferMembers(ctx, s, noon)
			list, _, listErr := db.OfferMemberPage(ctx, s, noon, storage.Page{})
			if err != nil || listErr != nil || n != want || int64(len(list)) != n {
				t.Errorf("%q finds %d members, and lists %d, want %d (%v, %v)", text, n, len(list), want, err, listErr)
			}
		}
		n, err := db.CountOfferMembers(ctx, storage.OfferMemberSearch{Offer: g.offer.ID, Without: true}, noon)
		if err != nil || n != 1 {
			t.Errorf("%d members have no code, want Ben alone (%v)", n, err)
		}
	})
}

// TestCodeItemGroups: the items of a run are counted by store and state, those left out by why; what is to be typed is
// counted while its run goes on.
func TestCodeItemGroups(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, g, shop := t.Context(), addTeam(t, db), store(t, db)
		var run affiliate.CodeRun
		inTx(t, db, func(tx *storage.Tx) (err error) {
			item := func(code, trouble string, state affiliate.CodeItemState) affiliate.CodeItem {
				return affiliate.CodeItem{OfferMemberID: g.owners["Anna"].ID, StoreID: shop, Code: code, Folded: code,
					Step: affiliate.StepMake, State: state, Trouble: trouble, At: noon}
			}
			run, err = tx.CreateCodeRun(ctx, affiliate.CodeRun{Action: affiliate.CodeMake, State: affiliate.RunRunning,
				OfferID: g.offer.ID, Actor: "test", CreatedAt: noon}, []affiliate.CodeItem{
				item("a", "Type it.", affiliate.ItemByHand), item("b", "", affiliate.ItemByHand),
				item("c", "One.", affiliate.ItemSkipped), item("d", "One.", affiliate.ItemSkipped),
				item("e", "One.", affiliate.ItemSkipped), item("f", "Two.", affiliate.ItemSkipped)})
			return err
		})
		groups, err := db.CodeItemGroups(ctx, run.ID)
		want := []storage.CodeItemGroup{{StoreID: shop, State: affiliate.ItemSkipped, Trouble: "One.", N: 3},
			{StoreID: shop, State: affiliate.ItemByHand, N: 2},
			{StoreID: shop, State: affiliate.ItemSkipped, Trouble: "Two.", N: 1}}
		if err != nil || !reflect.DeepEqual(groups, want) {
			t.Errorf("got %+v, want %+v (%v)", groups, want, err)
		}
		waiting := func(want ...storage.TypedWaiting) {
			t.Helper()
			list, err := db.TypedWaiting(ctx)
			if err != nil || len(list) != len(want) || len(want) > 0 && !reflect.DeepEqual(list, want) {
				t.Errorf("%+v are to be typed, want %+v (%v)", list, want, err)
			}
		}
		waiting(storage.TypedWaiting{StoreID: shop, N: 2, RunID: run.ID})
		inTx(t, db, func(tx *storage.Tx) error {
			run.State = affiliate.RunCanceled
			return tx.SaveCodeRun(ctx, run)
		})
		waiting()
	})
}
