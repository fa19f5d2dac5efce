package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// wokenQueue remembers the deliveries that a worker is woken for.
type wokenQueue struct {
	mu  sync.Mutex
	ids []affiliate.DeliveryID
}

func (q *wokenQueue) Wake(_ context.Context, ids []affiliate.DeliveryID) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ids = append(q.ids, ids...)
	return nil
}

// planted processes orders of 100.00 EUR each of a WooCommerce store, given by id, status and whether they have a
// payment date.
func (s shell) planted(slug, secret string, orders ...[3]string) {
	s.Helper()
	a, log, kept := s.app(), slog.New(slog.DiscardHandler), &wokenQueue{}
	a.Platforms, a.Live = platforms(), deaf{}
	counts := app.NewCounters(a.DB, a.Now, log)
	intake := app.NewIntake(a.DB, kept, log)
	receiver := app.NewReceiver(a, intake, counts)
	for _, o := range orders {
		paid := "null"
		if o[2] != "" {
			paid = `"2026-11-20T09:01:00"`
		}
		body := []byte(fmt.Sprintf(`{"id":%s,"number":"%[1]s","status":%q,"date_paid_gmt":%s,"parent_id":0,"currency":"EUR",
			"total":"100.00","total_tax":"0.00","date_created_gmt":"2026-11-20T09:00:00",
			"date_modified_gmt":"2026-11-20T09:05:00","billing":{"country":"DE"},"refunds":[],"coupon_lines":[],"line_items":
			[{"id":1,"quantity":1,"subtotal":"100.00","total":"100.00","total_tax":"0.00"}],"shipping_lines":[],"fee_lines":[]}`,
			o[0], o[1], paid))
		header := http.Header{"X-Wc-Webhook-Topic": {"order.updated"},
			"X-Wc-Webhook-Signature": {woocommerce.Sign([]byte(secret), body)}}
		receipt, err := receiver.Receive(s.Context(), woocommerce.Name, slug, header, body)
		if err != nil || receipt != app.ReceiptKept {
			s.Fatal(receipt, err)
		}
	}
	intake.Close()
	processor := app.NewProcessor(a, counts, 1)
	defer processor.Close()
	ok(s.T, processor.Submit(s.Context(), kept.ids))
	counts.Flush(s.Context())
}

func TestStoreStatusesCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		secret := s.addStore("woo").exits(0).json()["webhook_secret"].(string)
		s.run("store", "statuses", "woo").prints("No order of woo has had a status that a plugin set")
		s.planted("woo", secret, [3]string{"1", "shipped", "paid"}, [3]string{"2", "shipped", "paid"},
			[3]string{"3", "awaiting", ""})
		s.run("store", "statuses", "woo").prints("shipped", "not decided", "awaiting")
		s.run("store", "statuses", "woo", "wc-shipped=canceled", "awaiting=paid", "--preview").prints(
			"2 orders go from paid to canceled: -200.00 EUR.",
			"1 order goes from pending to paid: its value stays as it is.", "Nothing was changed")
		preview := s.run("store", "statuses", "woo", "shipped=canceled", "--preview", "--json").exits(0).json()
		if changes := preview["changes"].(map[string]any); preview["applied"] != false || changes["changed"] != 2.0 {
			s.Errorf("preview: %v", preview)
		}
		s.run("store", "statuses", "woo", "shipped=paid", "--preview").prints("No order would change")
		s.run("store", "statuses", "woo", "shipped=canceled", "awaiting=").prints("shipped", "canceled", "judges")
		s.run("store", "statuses", "woo", "shipped=paid").exits(1, "being computed anew")
		a := s.app()
		a.Platforms, a.Live = platforms(), deaf{}
		ok(s.T, a.Recalculate(s.Context()))
		list := s.run("store", "statuses", "woo", "--json").exits(0).json()["statuses"].([]any)
		if shipped := list[1].(map[string]any); shipped["meaning"] != "canceled" || shipped["orders"] != 2.0 {
			s.Errorf("listed: %v", list)
		}
		s.run("store", "statuses", "woo", "--preview").exits(2, "goes with STATUS=MEANING")
		s.run("store", "statuses", "woo", "completed=paid").exits(1, "WooCommerce's own status")
		s.run("store", "statuses", "woo", "shipped=gone").exits(1, "paid, pending, canceled or refunded")
		s.run("store", "statuses", "woo", "shipped").exits(2, "key=value")
		s.run("store", "statuses", "nowhere").exits(1, "no store nowhere")
	})
}

func TestDoubtCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		secret := s.addStore("woo").exits(0).json()["webhook_secret"].(string)
		s.planted("woo", secret, [3]string{"1", "processing", "paid"}, [3]string{"1", "completed", "paid"},
			[3]string{"2", "processing", "paid"}, [3]string{"3", "shipped", "paid"})
		out := s.run("store", "check", "woo").stdout
		for _, words := range []string{"1 order is in doubt.", app.DoubtsSettled, "1 order (same_second): Two versions",
			"1 status of a plugin is not decided"} {
			if !strings.Contains(out, words) {
				s.Errorf("store check does not say %q: %s", words, out)
			}
		}
		checked := s.run("store", "check", "--json").json()["stores"].([]any)[0].(map[string]any)
		if checked["doubts"].(map[string]any)["orders"] != 1.0 || checked["undecided_statuses"] != 1.0 {
			s.Errorf("checked: %v", checked)
		}
		for _, problem := range checked["problems"].([]any) {
			if text := problem.(string); strings.Contains(text, "status") || strings.Contains(text, "doubt") {
				s.Errorf("a problem: %s", text)
			}
		}
		for option, want := range map[string]float64{"--doubt=any": 1, "--doubt=same_second": 1, "--doubt=edited": 0,
			"--custom-status=shipped": 1, "--parts": 0} {
			file := filepath.Join(s.TempDir(), "orders.csv")
			if got := s.run("export", "orders", "-o", file, option, "--json").exits(0).json(); got["rows"] != want {
				s.Errorf("%s: %v, want %v rows", option, got, want)
			}
		}
		s.run("export", "orders", "-o", "-", "--doubt", "none").exits(2, "same_second")
	})
}
