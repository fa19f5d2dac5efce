package app_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

var update = flag.Bool("update", false, "write the files that exports are compared with anew")

// TestExportFiles compares every exported table, byte for byte, with what people and their spreadsheets are used to.
func TestExportFiles(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Now = func() time.Time { return time.Date(2023, 11, 15, 8, 0, 0, 0, time.UTC) }
		r.tradeOfAllKinds()
		one, ctx := r.conversion("1"), r.Context()
		made := regexp.MustCompile(`20(2[4-9]|[3-9]\d)-\d\d-\d\dT[\d:]+Z`) // when creators were made: now
		for name, run := range map[string]func(w io.Writer, o app.ExportOptions) (app.Exported, error){
			"conversions": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				by := storage.ConversionSort{Column: "number"}
				return r.app.ExportConversions(ctx, w, storage.ConversionFilter{}, by, o)
			},
			"orders": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				return r.app.ExportOrders(ctx, w, storage.OrderFilter{}, o)
			},
			"ledger": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				return r.app.ExportLedger(ctx, w, storage.LedgerFilter{}, o)
			},
			"statement": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				return r.app.ExportStatement(ctx, w, one.CreatorID, time.Time{}, time.Time{}, o)
			},
			"offers": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				all := report.Report{Scope: report.Scope{Former: true}, Currency: "USD"}
				return r.app.ExportOffers(ctx, w, report.List{Report: all}, o)
			},
			"campaigns": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				all := report.Report{Scope: report.Scope{Former: true}, Currency: "USD"}
				return r.app.ExportCampaigns(ctx, w, report.List{Report: all}, o)
			},
			"creators": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				all := report.Report{Currency: "USD"}
				return r.app.ExportCreators(ctx, w, report.List{Report: all}, o)
			},
			"campaign-creators": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				of := report.Report{Scope: report.Scope{Campaigns: []affiliate.CampaignID{one.CampaignID},
					Offers: []affiliate.OfferID{one.OfferID}}, Currency: "USD"}
				return r.app.ExportCreators(ctx, w, report.List{Report: of}, o)
			},
			"unowned-codes": func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
				return r.app.ExportUnownedCodes(ctx, w, storage.UnownedFilter{}, o)
			},
		} {
			var b bytes.Buffer
			_, err := run(&b, app.ExportOptions{Format: export.CSV})
			r.ok(err)
			text := b.Bytes()
			if strings.HasSuffix(name, "creators") {
				text = made.ReplaceAll(text, []byte("2023-11-01T00:00:00Z"))
			}
			file := filepath.Join("testdata", "exports", name+".csv")
			if *update {
				r.ok(os.WriteFile(file, text, 0o644))
			}
			if want, err := os.ReadFile(file); err != nil || !bytes.Equal(text, want) {
				t.Errorf("%s: %v\ngot\n%s\nwant\n%s", name, err, text, want)
			}
		}
	})
}
