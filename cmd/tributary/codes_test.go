package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/storage"
)

// keepSeen keeps a paid order of a store that has a code and no owner of it.
func (s shell) keepSeen(slug, id, code string, value int64) {
	s.Helper()
	ctx := context.Background()
	cfg, err := config.Load(func(name string) string { return s.env[name] })
	if err != nil {
		s.Fatal(err)
	}
	a, end, err := openApp(ctx, cfg)
	if err != nil {
		s.Fatal(err)
	}
	defer end()
	store, err := a.DB.StoreBySlug(ctx, slug)
	if err != nil {
		s.Fatal(err)
	}
	at := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	state, err := json.Marshal(affiliate.OrderState{}.Merge(affiliate.Event{OrderID: id,
		Snapshot: &affiliate.Snapshot{Version: 1, Number: "#" + id, PlacedAt: at,
			Currency: store.Currency, Status: affiliate.StorePaid, PaymentDate: true, Captured: value, Total: value,
			Merchandise: value, Codes: []string{code}}}))
	if err != nil {
		s.Fatal(err)
	}
	reason := affiliate.ReasonNoOwner
	order := storage.Order{StoreID: store.ID, ExternalID: id, Revision: 1, Number: "#" + id, Status: affiliate.Paid,
		Currency: store.Currency, Value: value, OriginalValue: value, Total: value, PlacedAt: storage.At(at),
		UpdatedAt: storage.At(at), Day: "2026-05-01", Codes: fmt.Sprintf("[%q]", code), NotCredited: &reason,
		Trace: "{}", State: string(state)}
	if err := a.DB.InTx(ctx, func(tx *storage.Tx) error {
		ids, err := tx.SaveOrders(ctx, []storage.OrderChange{{After: order}}, at)
		if err != nil {
			return err
		}
		return tx.SetUnownedEvidence(ctx, nil,
			[]storage.UnownedEvidence{{OrderID: ids[storage.OrderKey{StoreID: store.ID, ExternalID: id}],
				StoreID: store.ID, Kind: storage.EvidenceCode, Value: affiliate.FoldCode(code)}})
	}); err != nil {
		s.Fatal(err)
	}
}

func TestCodesCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.run("migrate").exits(0)
		s.addStore("woo").exits(0)
		file := filepath.Join(s.TempDir(), "creators.csv")
		if err := os.WriteFile(file, []byte(
			"campaign,creator,offer,store,code,commission_percent\nSpring,Anna,Ten,woo,ANNA10,10\n"),
			0o600); err != nil {
			s.Fatal(err)
		}
		s.run("import", file).exits(0)
		if out := s.run("codes", "unowned").exits(0).stdout; !strings.Contains(out, "has an owner") {
			s.Errorf("nothing to list: %s", out)
		}
		s.keepSeen("woo", "1", "Summer", 10000)
		s.keepSeen("woo", "2", "summer", 2500)
		s.keepSeen("woo", "3", "winter", 100)

		out := s.run("codes", "unowned", "--limit", "1").exits(0).stdout
		if !strings.Contains(out, "woo    summer  2       125.00 EUR  2026-05-01  2026-05-01  #2") ||
			strings.Contains(out, "winter") || !strings.Contains(out, "There are more") {
			s.Errorf("list: %s", out)
		}
		got := s.run("codes", "unowned", "--store", "woo", "--search", "SUMM", "--min-orders", "2", "--sort", "sales",
			"--json").exits(0).json()
		code := got["codes"].([]any)[0].(map[string]any)
		if got["more"] != false || code["orders"] != 2.0 ||
			fmt.Sprint(code["sales"]) != "[map[currency:EUR orders:2 sales:125.00]]" ||
			fmt.Sprint(code["newest_order"]) != "map[external_id:2 id:ord_2 number:#2 store:woo]" {
			s.Errorf("list: %v", got)
		}
		s.run("codes", "unowned", "--store", "nowhere").exits(1, "nowhere")
		s.run("codes", "unowned", "--sort", "luck").exits(1, "--sort must be")

		s.run("codes", "assign", "summer").exits(2, "missing: --store, --offer-member")
		s.run("codes", "assign", "summer", "--store", "woo", "--offer-member", "anna").exits(2, "ofm_1")
		s.run("codes", "assign", "summer", "--store", "woo", "--offer-member", "ofm_1", "--valid-from", "May").exits(2,
			"--valid-from", "2026-11-01")
		s.run("codes", "assign", "summer", "--store", "woo", "--offer-member", "ofm_9").exits(1,
			"--offer-member", "ofm_9")
		assign := []string{"codes", "assign", "summer", "--store", "woo", "--offer-member", "ofm_1"}
		preview := s.run(assign...).exits(0).stdout
		for _, words := range []string{"#1  Credited to Anna (Spring, Ten): code summer belongs to them.",
			"2 orders would be credited; run again with --apply"} {
			if !strings.Contains(preview, words) {
				s.Errorf("preview does not say %q: %s", words, preview)
			}
		}
		applied := s.run(append(assign, "--apply", "--json")...).exits(0).json()
		if applied["applied"] != true || applied["credited"] != 2.0 || !strings.Contains(fmt.Sprint(applied["totals"]),
			"sales:125.00") {
			s.Errorf("applied: %v", applied)
		}
		if out := s.run(append(assign, "--apply")...).exits(0).stdout; !strings.Contains(out, "0 orders credited.") {
			s.Errorf("once more: %s", out)
		}
		if got := s.run("codes", "unowned", "--json").exits(0).json(); len(got["codes"].([]any)) != 1 {
			s.Errorf("still listed: %v", got)
		}

		const winter = "campaign,creator,offer,store,code,commission_percent\nSpring,Anna,Ten,woo,WINTER,10\n"
		if err := os.WriteFile(file, []byte(winter), 0o600); err != nil {
			s.Fatal(err)
		}
		s.run("import", file).exits(0)
		credited := s.run("reattribute", "--json").exits(0).json()["orders"].([]any)[0].(map[string]any)
		if fmt.Sprint(credited["order"]) != "map[external_id:3 id:ord_3 number:#3 store:woo]" ||
			credited["campaign"] != "cmp_1" || credited["campaign_name"] != "Spring" ||
			credited["creator"] != "cre_1" || credited["creator_name"] != "Anna" {
			s.Errorf("would credit: %v", credited)
		}
	})
}
