package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// ReadImport is readImport for tests: how many lines it read, and what is wrong.
func ReadImport(text string) (int, []LineError, error) {
	f, err := readImport(strings.NewReader(text), "EUR")
	return len(f.rows), f.bad, err
}

// PlainNumber is decimalSign.plain for tests.
func PlainNumber(delimiter rune, s string) (number, reason string) {
	return decimalSigns[delimiter].plain(s)
}

// ImportedRow is a line of a file, for tests: importRow without its place.
type ImportedRow struct {
	Campaign, Creator, Instagram, Email, Offer, Store, Code, Slug, Landing string
	Percent, Flat, Product                                                 int64
}

// ReadFile is what was read of a file, for tests.
type ReadFile struct {
	About      ImportFile
	Rows       []ImportedRow
	Bad, Notes []LineError
}

// ReadImportFile reads a file whose amounts are in EUR.
func ReadImportFile(file string) ReadFile {
	f, err := readImport(strings.NewReader(file), "EUR")
	if err != nil {
		panic(err)
	}
	out := ReadFile{About: f.about, Bad: f.bad, Notes: f.notes}
	for _, r := range f.rows {
		row := ImportedRow{Campaign: r.campaign, Creator: r.creator, Instagram: r.instagram, Email: r.email,
			Offer: r.offer, Store: r.store, Code: r.code, Slug: r.slug, Landing: r.landing}
		if r.rule != nil {
			row.Percent, row.Flat = r.rule.Percent, r.rule.Flat
		}
		if r.product != nil {
			row.Product = *r.product
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// RecalculateSome does the next batch of a recalculation, of at most as many rows, for tests; false when there is none.
func (a *App) RecalculateSome(ctx context.Context, most int) (bool, error) {
	return a.recalculateSome(ctx, func(string) int { return most })
}

// DecideListed is the part of DecideAll behind the list, for tests.
func (a *App) DecideListed(ctx context.Context, ids []affiliate.ConversionID, f storage.ConversionFilter, d Decision,
	reason string) (int64, error) {
	return a.decideListed(ctx, ids, f, d, reason)
}

// WithLeaseBeat is WithStoreLease with beats of the test's.
func (a *App) WithLeaseBeat(ctx context.Context, store affiliate.StoreID, beat <-chan time.Time,
	f func(context.Context) error) error {
	return a.withLease(ctx, store, beat, f)
}

// OtherWorkDue is otherWorkDue for tests.
func (a *App) OtherWorkDue(ctx context.Context, id affiliate.StoreID) bool {
	return a.otherWorkDue(ctx, id)
}

// ExportFrom has stores write their orders out from n on, and waits for that by sleep.
func (a *App) ExportFrom(n int64, sleep func(context.Context, time.Duration) error) {
	a.exportFrom, a.pause = n, sleep
}

// ReadCouponsNow reads the codes of a store that are due, and no orders.
func (a *App) ReadCouponsNow(ctx context.Context, id affiliate.StoreID) error {
	s, err := a.DB.AskedStore(ctx, id)
	if err != nil {
		return err
	}
	return a.readCoupons(ctx, s)
}

// PauseBy has waits within work done by f.
func (a *App) PauseBy(f func(context.Context, time.Duration) error) { a.pause = f }

// WorkStorePart is workStorePart for tests.
func (a *App) WorkStorePart(ctx context.Context, part affiliate.PayoutPart) error {
	return a.workStorePart(ctx, part)
}

// SealDetails seals payment details as they are kept.
func (a *App) SealDetails(d affiliate.PaymentDetails) []byte {
	text, _ := json.Marshal(d) // texts and numbers can be written
	return a.Sealer.Seal(SealPaymentDetails, text)
}
