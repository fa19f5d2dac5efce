package storage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// owner makes an offer member and reads them back, with the campaign and the creator.
func owner(t *testing.T, db *storage.DB) affiliate.OfferMember {
	t.Helper()
	m, err := db.OfferMember(t.Context(), addOwner(t, db).ID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// post appends entries to the ledger; each gets a cause of its own, and noon where it has no time.
func post(t *testing.T, db *storage.DB, list ...affiliate.LedgerEntry) {
	t.Helper()
	for i := range list {
		e := &list[i]
		if e.CreatedAt.IsZero() {
			e.CreatedAt = noon
		}
		e.PayableAt = e.CreatedAt
		e.Cause = fmt.Sprintf("%s %d", t.Name(), causes)
		causes++
	}
	inTx(t, db, func(tx *storage.Tx) error { return tx.AddLedger(t.Context(), list) })
}

var causes int

// creditOrder saves an order placed some hours after noon and credits it to an offer member; it gives the conversion.
func creditOrder(t *testing.T, db *storage.DB, s affiliate.StoreID, id string, hours int,
	m affiliate.OfferMember) (conversion affiliate.ConversionID) {
	t.Helper()
	inTx(t, db, func(tx *storage.Tx) error {
		o := order(s, id, 1)
		o.NotCredited, o.PlacedAt = nil, storage.At(noon.Add(time.Duration(hours)*time.Hour))
		ids, err := tx.SaveOrders(t.Context(), unseen([]storage.Order{o}), noon)
		if err != nil {
			return err
		}
		orderID := ids[storage.OrderKey{StoreID: s, ExternalID: id}]
		saved, err := tx.SaveConversions(t.Context(),
			[]storage.ConversionChange{{After: storage.Conversion{OrderID: orderID, StoreID: s,
				CampaignID: m.CampaignID, CreatorID: m.CreatorID, OfferID: m.OfferID, OfferMemberID: m.ID,
				Credited: true, Method: affiliate.ByCode, Evidence: "ANNA10", Approval: affiliate.Approved,
				Status: o.Status, Currency: o.Currency, Value: o.Value, OriginalValue: o.OriginalValue, Commission: 100,
				AccountCurrency: "USD", LedgerCurrency: "USD", PlacedAt: o.PlacedAt, Day: o.Day}}}, noon)
		conversion = saved[orderID]
		return err
	})
	return conversion
}

// eachLedger collects what EachLedgerEntry gives.
func eachLedger(t *testing.T, db *storage.DB, f storage.LedgerFilter) []storage.LedgerLine {
	t.Helper()
	list := []storage.LedgerLine{}
	if err := db.EachLedgerEntry(t.Context(), f, func(l *storage.LedgerLine) error {
		list = append(list, *l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func amounts(list []storage.LedgerLine) (n []int64) {
	for _, l := range list {
		n = append(n, l.Amount)
	}
	return n
}

func TestLedgerLines(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := owner(t, db)
		conversion := creditOrder(t, db, store(t, db), "77", 0, m)
		want := affiliate.LedgerEntry{CreatorID: m.CreatorID, CampaignID: m.CampaignID, OfferMemberID: m.ID,
			ConversionID: conversion, Kind: affiliate.Accrual, Currency: "USD", Amount: 100, Note: "", Author: "",
			CreatedAt: noon}
		post(t, db, want, affiliate.LedgerEntry{CreatorID: m.CreatorID, Kind: affiliate.Bonus, Currency: "USD",
			Amount: 7, Note: "thanks", Author: "Mia", CreatedAt: noon.Add(time.Hour)})
		list := eachLedger(t, db, storage.LedgerFilter{})
		if len(list) != 2 {
			t.Fatalf("%d lines, want 2", len(list))
		}
		first, bonus := list[0], list[1]
		want.ID, want.Cause, want.PayableAt = first.ID, first.Cause, noon
		if first.LedgerEntry != want || first.OfferID != m.OfferID || first.Number != "#77" ||
			first.ExternalID != "77" || first.OrderID == 0 || first.StoreID == 0 {
			t.Errorf("the commission is %+v", first)
		}
		if bonus.Note != "thanks" || bonus.Author != "Mia" || bonus.ConversionID != 0 || bonus.OfferID != 0 ||
			bonus.Number != "" || bonus.CampaignID != 0 {
			t.Errorf("the bonus is %+v", bonus)
		}
		page, next, err := db.LedgerPage(t.Context(), storage.LedgerFilter{}, storage.Page{})
		if err != nil || next != "" || len(page) != 2 {
			t.Fatalf("the page is %+v, %q, %v", page, next, err)
		}
		if l := page[1]; l.Creator != "Anna" || l.Campaign != "Spring" || l.Offer != "Ten" || l.Store != "shop" ||
			l.LedgerEntry != want {
			t.Errorf("the page has %+v", l)
		}
		if l := page[0]; l.Creator != "Anna" || l.Campaign != "" || l.Offer != "" || l.Store != "" || l.Amount != 7 {
			t.Errorf("the page has %+v", l)
		}
	})
}

func TestLedgerFilters(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := owner(t, db)
		other := addCreator(t, db, "Ben", nil)
		conversion := creditOrder(t, db, store(t, db), "1", 0, m)
		post(t, db,
			affiliate.LedgerEntry{CreatorID: m.CreatorID, CampaignID: m.CampaignID, ConversionID: conversion,
				Kind: affiliate.Accrual, Currency: "USD", Amount: 1},
			affiliate.LedgerEntry{CreatorID: m.CreatorID, Kind: affiliate.Bonus, Currency: "EUR", Amount: 2,
				CreatedAt: noon.Add(time.Hour)},
			affiliate.LedgerEntry{CreatorID: other.ID, Kind: affiliate.Bonus, Currency: "USD", Amount: 4,
				CreatedAt: noon.Add(2 * time.Hour)})
		for name, c := range map[string]struct {
			filter storage.LedgerFilter
			want   []int64
		}{
			"none":       {storage.LedgerFilter{}, []int64{1, 2, 4}},
			"creator":    {storage.LedgerFilter{Creator: m.CreatorID}, []int64{1, 2}},
			"campaign":   {storage.LedgerFilter{Campaign: m.CampaignID}, []int64{1}},
			"conversion": {storage.LedgerFilter{Conversion: conversion}, []int64{1}},
			"payout":     {storage.LedgerFilter{Payout: 3}, nil},
			"kind":       {storage.LedgerFilter{Kind: affiliate.Bonus}, []int64{2, 4}},
			"currency":   {storage.LedgerFilter{Currency: "USD"}, []int64{1, 4}},
			"from":       {storage.LedgerFilter{From: noon.Add(time.Hour)}, []int64{2, 4}},
			"to":         {storage.LedgerFilter{To: noon.Add(time.Hour)}, []int64{1}},
			"several":    {storage.LedgerFilter{Kind: affiliate.Bonus, Currency: "USD", From: noon}, []int64{4}},
		} {
			if got := amounts(eachLedger(t, db, c.filter)); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
			if n, err := db.CountLedger(t.Context(), c.filter); err != nil || n != int64(len(c.want)) {
				t.Errorf("%s: counted %d, %v; want %d", name, n, err, len(c.want))
			}
			page, _, err := db.LedgerPage(t.Context(), c.filter, storage.Page{})
			got := amounts(page)
			slices.Reverse(got)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: the page has %v, %v; want %v", name, got, err, c.want)
			}
		}
	})
}

// TestStatementsAgree posts random entries, many in the same moment, and wants every balance to be the sum of what came
// before, in pages of any size as in the stream, with and without a range.
func TestStatementsAgree(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			anna, ben := addCreator(t, db, "Anna", nil).ID, addCreator(t, db, "Ben", nil).ID
			n := rapid.IntRange(0, 12).Draw(rt, "entries")
			hours := func(name string) time.Time {
				return noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, name)) * time.Hour)
			}
			var entries []affiliate.LedgerEntry
			for range n {
				entries = append(entries, affiliate.LedgerEntry{CreatorID: rapid.SampledFrom([]affiliate.CreatorID{anna,
					anna, anna, ben}).Draw(rt, "creator"),
					Kind: affiliate.Adjustment, Currency: rapid.SampledFrom([]money.Currency{"EUR", "USD"}).Draw(rt,
						"currency"),
					Amount: rapid.Int64Range(-100, 100).Draw(rt, "amount"), CreatedAt: hours("at")})
			}
			post(t, db, entries...)
			var from, to time.Time
			if rapid.Bool().Draw(rt, "bounded") {
				from, to = hours("from"), hours("to")
			}
			want := []int64{}
			balances := map[money.Currency]int64{}
			for _, l := range eachLedger(t, db, storage.LedgerFilter{Creator: anna}) {
				balances[l.Currency] += l.Amount
				if !l.CreatedAt.Before(from) && (to.IsZero() || l.CreatedAt.Before(to)) {
					want = append(want, balances[l.Currency])
				}
			}
			streamed := []int64{}
			if err := db.EachStatementLine(t.Context(), anna, from, to, func(l *storage.LedgerLine) error {
				streamed = append(streamed, l.Balance)
				return nil
			}); err != nil || !slices.Equal(streamed, want) {
				rt.Fatalf("the stream's balances are %v, %v; want %v", streamed, err, want)
			}
			paged := []int64{}
			p := storage.Page{Limit: rapid.IntRange(1, 5).Draw(rt, "limit")}
			for {
				lines, next, err := db.StatementPage(t.Context(), anna, from, to, p)
				if err != nil {
					rt.Fatal(err)
				}
				for _, l := range lines {
					paged = append(paged, l.Balance)
				}
				if next == "" {
					break
				}
				if len(lines) != p.Limit {
					rt.Fatalf("a page of %d has %d lines and a next one", p.Limit, len(lines))
				}
				p.Cursor = next
			}
			slices.Reverse(paged)
			if !slices.Equal(paged, want) {
				rt.Fatalf("the pages' balances are %v, want %v", paged, want)
			}
		})
	})
}

func TestLedgerCursorOfAnotherList(t *testing.T) {
	db := storagetest.SQLite(t)
	for _, cursor := range []string{"?", "e30", "eyJpIjo1fQ"[:6], "bnVsbA"} {
		if _, _, err := db.LedgerPage(t.Context(), storage.LedgerFilter{},
			storage.Page{Cursor: cursor}); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("the cursor %q gives %v, want Invalid", cursor, err)
		}
		if _, _, err := db.StatementPage(t.Context(), 1, time.Time{}, time.Time{},
			storage.Page{Cursor: cursor}); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("the cursor %q of a statement gives %v, want Invalid", cursor, err)
		}
	}
}

// TestStreamEnds stops streams from outside and from within; the database stays usable, and what is left is not read.
func TestStreamEnds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := owner(t, db)
		var entries []affiliate.LedgerEntry
		for range 500 {
			entries = append(entries, affiliate.LedgerEntry{CreatorID: m.CreatorID, Kind: affiliate.Bonus,
				Currency: "USD", Amount: 1})
		}
		post(t, db, entries...)
		full := errors.New("the disk is full")
		seen := 0
		err := db.EachLedgerEntry(t.Context(), storage.LedgerFilter{}, func(*storage.LedgerLine) error {
			seen++
			return full
		})
		if err != full || seen != 1 {
			t.Errorf("%v after %d rows, want the caller's error after one", err, seen)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = db.InSnapshot(ctx, func(s *storage.Snapshot) error {
			return s.EachLedgerEntry(ctx, storage.LedgerFilter{}, func(*storage.LedgerLine) error {
				cancel()
				return nil
			})
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want canceled", err)
		}
		cancel()
		if list := eachLedger(t, db, storage.LedgerFilter{}); len(list) != 500 {
			t.Errorf("%d rows afterwards, want 500", len(list))
		}
	})
}

// TestSnapshotStandsStill writes while a snapshot is read.
func TestSnapshotStandsStill(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := owner(t, db)
		bonus := affiliate.LedgerEntry{CreatorID: m.CreatorID, Kind: affiliate.Bonus, Currency: "USD", Amount: 1}
		post(t, db, bonus)
		err := db.InSnapshot(t.Context(), func(s *storage.Snapshot) error {
			for range 2 {
				if n, err := s.CountLedger(t.Context(), storage.LedgerFilter{}); err != nil || n != 1 {
					t.Errorf("the snapshot has %d entries, %v; want 1", n, err)
				}
				post(t, db, bonus)
			}
			return nil
		})
		if n, countErr := db.CountLedger(t.Context(), storage.LedgerFilter{}); err != nil || countErr != nil || n != 3 {
			t.Errorf("%d entries afterwards, %v, %v; want 3", n, err, countErr)
		}
	})
}

func TestNames(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		m := owner(t, db)
		s := store(t, db)
		both := addCreator(t, db, "Ben", map[string]string{"facebook": "ben.f", "instagram": "ben.i",
			"tiktok": "ben.t"})
		one := addCreator(t, db, "Cleo", map[string]string{"youtube": "cleo.y", "tiktok": "cleo.t"})
		n, err := db.Names(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n.Stores[s] != "Shop" || n.Campaigns[m.CampaignID] != "Spring" || n.Offers[m.OfferID] != "Ten" ||
			len(n.Creators) != 3 ||
			n.Creators[m.CreatorID] != (storage.CreatorName{Name: "Anna"}) ||
			n.Creators[both.ID] != (storage.CreatorName{Name: "Ben", Handle: both.BestHandle()}) ||
			n.Creators[one.ID] != (storage.CreatorName{Name: "Cleo", Handle: one.BestHandle()}) {
			t.Errorf("names are %+v", n)
		}
	})
}
