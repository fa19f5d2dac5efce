package storage_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func TestSetAside(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		shop := addStore(t, db, "shop")
		var list []storage.NewDelivery
		for n := range 6 {
			d := delivery(n)
			d.StoreID = shop.ID
			list = append(list, d)
		}
		list[5].StoreID = shop.ID + 1
		ids := keep(t, db, list...)
		byKey := map[int]affiliate.DeliveryID{}
		for _, id := range ids {
			d, err := db.Delivery(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			byKey[int(d.Payload[2])] = id
		}
		finish(t, db, storage.Outcome{ID: byKey[0], State: storage.DeliveryFailed, Note: "xml"},
			storage.Outcome{ID: byKey[1], State: storage.DeliveryFailed, Note: "xml"},
			storage.Outcome{ID: byKey[2], State: storage.DeliveryFailed, Note: "cut"},
			storage.Outcome{ID: byKey[3], State: storage.DeliveryDone},
			storage.Outcome{ID: byKey[5], State: storage.DeliveryFailed, Note: "xml"})
		move := func(c storage.DeliveryChoice, from, to storage.DeliveryState) (int, error) {
			n := 0
			if c.Store != 0 {
				ids, err := db.DeliveriesLike(t.Context(), c.Store, c.Note, from)
				if err != nil {
					return 0, err
				}
				c.IDs = ids
			}
			err := db.InTx(t.Context(), func(tx *storage.Tx) error {
				found, err := tx.DeliveriesToMove(t.Context(), c, from, to)
				if n = len(found); err != nil {
					return err
				}
				if to == storage.DeliveryFailed {
					return tx.PutDeliveriesBack(t.Context(), found)
				}
				return tx.SetDeliveriesAside(t.Context(), found, storage.SetAside{Reason: "why", By: "me",
					At: storage.At(noon)})
			})
			return n, err
		}
		failed, aside := storage.DeliveryFailed, storage.DeliverySetAside
		if n, err := db.FailedLike(t.Context(), shop.ID, "xml"); n != 2 || err != nil {
			t.Errorf("%d failed alike, %v; want 2", n, err)
		}
		if n, err := move(storage.DeliveryChoice{Store: shop.ID, Note: "xml"}, failed, aside); n != 2 || err != nil {
			t.Fatalf("set aside %d, %v; want those of the store with the note", n, err)
		}
		choice := storage.DeliveryChoice{IDs: []affiliate.DeliveryID{byKey[2], byKey[0], byKey[2]}}
		if n, err := move(choice, failed, aside); n != 1 || err != nil {
			t.Errorf("set aside %d, %v; want the one that was not yet", n, err)
		}
		for kind, id := range map[affiliate.ErrorKind]affiliate.DeliveryID{affiliate.Conflict: byKey[3],
			affiliate.NotFound: 999} {
			_, err := move(storage.DeliveryChoice{IDs: []affiliate.DeliveryID{id}}, failed, aside)
			if affiliate.KindOf(err) != kind {
				t.Errorf("%s: %v, want %s", id, err, kind)
			}
		}
		inbox, err := db.Inbox(t.Context())
		counts, err2 := db.StoreCounts(t.Context(), shop.ID, noon)
		f := counts[shop.ID]
		if err != nil || err2 != nil || inbox.Failed != 1 || inbox.Waiting != 1 || f.Failed != 0 || f.SetAside != 3 {
			t.Errorf("the inbox is %+v, the store's counts %+v, %v, %v; want none failed of the store, 3 set aside",
				inbox, f, err, err2)
		}
		rows, _, err := db.ListDeliveries(t.Context(), storage.DeliveryFilter{State: aside, Look: 1}, storage.Page{})
		if err != nil || len(rows) != 3 || rows[0].Aside.Reason != "why" || rows[0].Aside.By != "me" ||
			!rows[0].Aside.At.Equal(noon) {
			t.Errorf("listed %+v, %v", rows, err)
		}
		all := storage.ReplayFilter{Since: noon.Add(-time.Hour)}
		if n, err := db.ReplayDeliveries(t.Context(), all, nil); n != 3 || err != nil {
			t.Errorf("replayed %d, %v; want all but those that were set aside", n, err)
		}
		one := storage.ReplayFilter{Delivery: byKey[0]}
		if n, err := db.ReplayDeliveries(t.Context(), one, nil); n != 1 || err != nil {
			t.Errorf("replayed %d, %v; want the one that was set aside", n, err)
		}
		if _, err := db.SetAside(t.Context(), byKey[0]); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("the replayed one is still set aside: %v", err)
		}
		choice = storage.DeliveryChoice{IDs: []affiliate.DeliveryID{byKey[1], byKey[2]}}
		if n, err := move(choice, aside, failed); n != 2 || err != nil {
			t.Errorf("put back %d, %v; want 2", n, err)
		}
		if n, err := db.FailedDeliveries(t.Context()); n != 2 || err != nil {
			t.Errorf("%d failed, %v; want those that were put back", n, err)
		}
	})
}
