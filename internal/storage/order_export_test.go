package storage_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// eachOrder collects what EachOrder gives.
func eachOrder(t *testing.T, db *storage.DB, f storage.OrderFilter) []storage.OrderLine {
	t.Helper()
	list := []storage.OrderLine{}
	if err := db.EachOrder(t.Context(), f, func(l *storage.OrderLine) error {
		list = append(list, *l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEachOrder(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s, m := store(t, db), owner(t, db)
		conversion := creditOrder(t, db, s, "credited", 2, m)
		saveSeen(t, db, seen{store: s, id: "lost", currency: "EUR", value: 500, codes: []string{"NOBODY"}})
		inTx(t, db, func(tx *storage.Tx) error { // a refund that waits for its order is none yet
			o := order(s, "refund first", 1)
			o.PlacedAt = storage.Time{}
			_, err := tx.SaveOrders(t.Context(), unseen([]storage.Order{o}), noon)
			return err
		})
		list := eachOrder(t, db, storage.OrderFilter{})
		if len(list) != 2 {
			t.Fatalf("%d orders, want 2: %+v", len(list), list)
		}
		credited, lost := list[0], list[1]
		want := storage.OrderLine{ID: credited.ID, StoreID: s, ExternalID: "credited", Number: "#credited",
			Status: affiliate.Paid, Currency: "USD", Value: 1000, OriginalValue: 1000, Total: 1200,
			PlacedAt: noon.Add(2 * time.Hour), UpdatedAt: noon, Codes: `["A"]`, ConversionID: conversion,
			CampaignID: m.CampaignID, CreatorID: m.CreatorID, OfferID: m.OfferID, Method: affiliate.ByCode,
			Evidence: "ANNA10", Approval: affiliate.Approved, Commission: 100}
		if credited != want {
			t.Errorf("got  %+v\nwant %+v", credited, want)
		}
		if lost.NotCredited != affiliate.ReasonNoEvidence || lost.ConversionID != 0 || lost.Evidence != "" ||
			lost.Currency != "EUR" || lost.Codes != `["NOBODY"]` {
			t.Errorf("the order without a creator is %+v", lost)
		}
		for name, c := range map[string]struct {
			filter storage.OrderFilter
			want   []string
		}{
			"store":         {storage.OrderFilter{Store: "shop"}, []string{"credited", "lost"}},
			"another store": {storage.OrderFilter{Store: "other"}, nil},
			"campaign":      {storage.OrderFilter{Campaign: m.CampaignID}, []string{"credited"}},
			"creator":       {storage.OrderFilter{Creator: m.CreatorID + 1}, nil},
			"status":        {storage.OrderFilter{Status: affiliate.Pending}, nil},
			"from":          {storage.OrderFilter{From: noon.Add(time.Hour)}, []string{"credited"}},
			"to":            {storage.OrderFilter{To: noon.Add(2 * time.Hour)}, []string{"lost"}},
		} {
			var got []string
			for _, l := range eachOrder(t, db, c.filter) {
				got = append(got, l.ExternalID)
			}
			n, err := db.CountOrders(t.Context(), c.filter)
			if !slices.Equal(got, c.want) || err != nil || n != int64(len(c.want)) {
				t.Errorf("%s: %v and counted %d, %v; want %v", name, got, n, err, c.want)
			}
		}
	})
}
