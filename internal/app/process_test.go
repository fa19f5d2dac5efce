package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// plainPlatform is a platform whose bodies are events as JSON, so that tests say exactly what a delivery tells.
type plainPlatform struct{}

// plainGuide is Shopify's, with statuses that plugins may add to, as WooCommerce has them.
var plainGuide = func() *affiliate.Guide {
	guide, woo := *shopify.Platform{}.Guide(), woocommerce.Platform{}.Guide()
	guide.Statuses, guide.StatusPrefix = woo.Statuses, woo.StatusPrefix
	return &guide
}()

type plainBody struct {
	ID       string
	Snapshot *affiliate.Snapshot
	Deleted  bool
	Panic    bool
}

func (plainPlatform) Guide() *affiliate.Guide                   { return plainGuide }
func (plainPlatform) Verify([][]byte, http.Header, []byte) bool { return true }
func (plainPlatform) Unsigned(http.Header, []byte) bool         { return false }
func (plainPlatform) Topic(http.Header) string                  { return "plain" }
func (plainPlatform) Shop(http.Header) string                   { return "" }
func (plainPlatform) KeptHeaders() []string                     { return nil }
func (plainPlatform) Triggered(http.Header) time.Time           { return time.Time{} }
func (plainPlatform) Key(_ http.Header, body []byte) (key [16]byte) {
	copy(key[:], body[len(body)-16:])
	return key
}
func (plainPlatform) Parse(_ string, body []byte) (affiliate.Parsed, error) {
	var b plainBody
	text, _, _ := strings.Cut(string(body), "|")
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return affiliate.Parsed{}, affiliate.FieldErrorf("body", "is not what it should be")
	}
	if b.Panic {
		panic("this body hurts")
	}
	return affiliate.Parsed{Events: []affiliate.Event{{OrderID: b.ID, Snapshot: b.Snapshot, Deleted: b.Deleted}}}, nil
}

// recorder is a queue and a publisher that remember.
type recorder struct {
	mu      sync.Mutex
	ids     []affiliate.DeliveryID
	changes []affiliate.Change
	down    bool
}

func (r *recorder) Wake(_ context.Context, ids []affiliate.DeliveryID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return errors.New("redis is down")
	}
	r.ids = append(r.ids, ids...)
	return nil
}

func (r *recorder) Publish(changes []affiliate.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, changes...)
}

type rig struct {
	*testing.T
	app       *app.App
	db        *storage.DB
	recorder  *recorder
	intake    *app.Intake
	receiver  *app.Receiver
	processor *app.Processor
	sent      int
}

const rigCSV = `campaign,creator,instagram,email,offer,store,code,link_slug,landing_url,commission_percent,commission_flat,product_value
Spring,Anna,@anna,anna@creators.example,Ten,shop,ANNA10,,,10,,0
Spring,Ben,@ben,ben@creators.example,Five,shop,BEN5,,,5,,0
`

// eachRig runs a test on both databases with a receiver, a worker and a store with Anna's and Ben's codes.
func eachRig(t *testing.T, test func(r *rig)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		r := &rig{T: t, db: db, recorder: &recorder{}}
		r.app = &app.App{DB: db, Sealer: sealer, Queue: r.recorder, Live: r.recorder, Log: log, Now: time.Now, PublicURL: "http://localhost",
			Platforms: app.Platforms{plainPlatform{}, woocommerce.Platform{}}}
		ctx := app.As(t.Context(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
		if _, err := r.app.AddStore(ctx, app.NewStore{Platform: shopify.Name, Slug: "shop", Name: "Shop",
			Domain: "shop.myshopify.com", Currency: "USD", Timezone: "UTC",
			Secret: "secret-of-the-test-store"}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.app.Import(ctx, strings.NewReader(rigCSV), false); err != nil {
			t.Fatal(err)
		}
		counts := app.NewCounters(db, time.Now, log)
		r.intake = app.NewIntake(db, r.recorder, log)
		t.Cleanup(r.intake.Close)
		r.receiver = app.NewReceiver(r.app, r.intake, counts)
		r.processor = app.NewProcessor(r.app, counts, 2)
		t.Cleanup(r.processor.Close)
		test(r)
		if !t.Failed() {
			storagetest.Consistent(t, db)
		}
	})
}

// send hands a body to the receiver and fails the test unless it is kept.
func (r *rig) send(body string) {
	r.Helper()
	r.sent++
	receipt, err := r.receiver.Receive(r.Context(), shopify.Name, "shop", http.Header{},
		fmt.Appendf(nil, "%s|%016d", body, r.sent))
	if receipt != app.ReceiptKept || err != nil {
		r.Fatalf("got receipt %s, %v; want it kept", receipt, err)
	}
}

// order is the body of a paid order of 100.00 with a code.
func paidOrder(id, code string, version int64) string {
	text, err := json.Marshal(plainBody{ID: id, Snapshot: &affiliate.Snapshot{Version: version, Number: "#" + id,
		PlacedAt: time.UnixMilli(1_700_000_000_000).UTC(), Currency: "USD", Status: affiliate.StorePaid,
		PaymentDate: true, Captured: 12000, Total: 12000, Merchandise: 10000, Codes: []string{code},
		Hash: fmt.Sprint(version)}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// apply sends one body and applies it.
func (r *rig) apply(body string) {
	r.Helper()
	r.recorder.ids = nil
	r.intake = app.NewIntake(r.db, r.recorder, r.app.Log)
	r.receiver = app.NewReceiver(r.app, r.intake, app.NewCounters(r.db, time.Now, r.app.Log))
	r.send(body)
	r.processAll()
}

// processAll applies everything that was woken.
func (r *rig) processAll() {
	r.Helper()
	r.intake.Close() // hands over what was kept
	if err := r.processor.Submit(r.Context(), r.recorder.ids); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) commission(order string) string {
	r.Helper()
	row, err := r.db.FindOrder(r.Context(), "shop", order)
	if err != nil {
		return err.Error()
	}
	if row.Conversion == nil {
		return "not credited: " + *row.NotCredited
	}
	return fmt.Sprintf("%s %d", row.Conversion.Creator, row.Conversion.Commission)
}

func TestOnePoisonousDeliveryStopsNobody_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		// The ledger refuses a cause that was posted before, so whatever is credited to Ben cannot be applied.
		var entries []affiliate.LedgerEntry
		for n := range 100 {
			entries = append(entries, affiliate.LedgerEntry{CreatorID: 2, Kind: affiliate.Bonus, Currency: "USD",
				Amount: 1, CreatedAt: time.Now(), PayableAt: time.Now(), Cause: fmt.Sprintf("cnv_%d:1:ofm_2", n+1)})
		}
		if err := r.db.InTx(r.Context(), func(tx *storage.Tx) error {
			return tx.AddLedger(r.Context(), entries)
		}); err != nil {
			r.Fatal(err)
		}
		for n := range 5 {
			r.send(paidOrder(fmt.Sprint(100+n), "anna10", 1))
		}
		r.send(paidOrder("200", "ben5", 1))
		r.send(`{"Panic":true}`)
		r.send(`not json`)
		r.processAll()
		for n := range 5 {
			if got := r.commission(fmt.Sprint(100 + n)); got != "Anna 1000" {
				r.Errorf("order %d: got %s, want Anna 1000", 100+n, got)
			}
		}
		inbox, err := r.db.Inbox(r.Context())
		if err != nil || inbox.Waiting != 1 || inbox.Failed != 2 {
			r.Errorf("inbox is %+v, %v; want one that waits for its next try and two failed", inbox, err)
		}
	})
}

func TestRepeatedDeliveryPostsOnce(t *testing.T) {
	eachRig(t, func(r *rig) {
		for range 3 {
			r.send(paidOrder("1", "anna10", 1)) // three deliveries of one body
		}
		r.processAll()
		row, err := r.db.FindOrder(r.Context(), "shop", "1")
		if err != nil {
			r.Fatal(err)
		}
		posted, err := r.db.Posted(r.Context(), []affiliate.ConversionID{row.Conversion.ID})
		if err != nil || posted[row.Conversion.ID][row.Conversion.Account()] != 1000 {
			r.Errorf("posted %v, %v; want 1000 once", posted, err)
		}
		if row.Revision != 1 {
			r.Errorf("the order changed %d times, want once", row.Revision)
		}
	})
}

func TestChangedEvidenceMovesTheMoney(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.send(paidOrder("1", "ben5", 1))
		r.send(paidOrder("2", "ben5", 1))
		r.processAll()
		if got := r.commission("1"); got != "Ben 500" {
			r.Fatalf("got %s, want Ben 500", got)
		}
		r.apply(paidOrder("1", "anna10", 2)) // the code was swapped in the store
		r.apply(paidOrder("2", "none", 2))   // the code was taken off
		if got := r.commission("1"); got != "Anna 1000" {
			r.Errorf("got %s, want Anna 1000", got)
		}
		if got := r.commission("2"); got != "not credited: no_owner" {
			r.Errorf("got %s, want it not credited", got)
		}
		r.apply(paidOrder("2", "ben5", 3)) // and put back on
		if got := r.commission("2"); got != "Ben 500" {
			r.Errorf("got %s, want Ben 500", got)
		}
		row, err := r.db.FindOrder(r.Context(), "shop", "1")
		if err != nil {
			r.Fatal(err)
		}
		posted, err := r.db.Posted(r.Context(), []affiliate.ConversionID{row.Conversion.ID})
		if err != nil {
			r.Fatal(err)
		}
		total := int64(0)
		for account, n := range posted[row.Conversion.ID] {
			total += n
			if account != row.Conversion.Account() && n != 0 {
				r.Errorf("Ben still holds %d", n)
			}
		}
		if total != 1000 {
			r.Errorf("the ledger sums to %d, want 1000", total)
		}
	})
}

func TestIntakeKeepsWhileTheQueueIsDown_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.recorder.down = true
		var work sync.WaitGroup
		for n := range 50 {
			work.Go(func() {
				receipt, err := r.receiver.Receive(context.Background(), shopify.Name, "shop", http.Header{},
					fmt.Appendf(nil, "{}|%016d", n))
				if receipt != app.ReceiptKept || err != nil {
					t.Errorf("got receipt %s, %v; want it kept", receipt, err)
				}
			})
		}
		work.Wait()
		r.intake.Close()
		due, err := r.db.DueDeliveries(r.Context(), time.Now().Add(time.Minute), time.Now(), 100)
		if err != nil || len(due) != 50 {
			r.Errorf("the sweep finds %d, %v; want 50", len(due), err)
		}
		if receipt, _ := r.receiver.Receive(r.Context(), shopify.Name, "shop", http.Header{},
			[]byte("{}|0000000000000099")); receipt != app.ReceiptUnavailable {
			r.Errorf("after the end got receipt %s, want it turned away", receipt)
		}
	})
}

func TestSelfReferralIsHeld(t *testing.T) {
	eachRig(t, func(r *rig) {
		body, err := json.Marshal(plainBody{ID: "1", Snapshot: &affiliate.Snapshot{Version: 1,
			PlacedAt: time.UnixMilli(1_700_000_000_000).UTC(), Currency: "USD", Status: affiliate.StorePaid,
			PaymentDate: true, Captured: 12000, Total: 12000, Merchandise: 10000, Codes: []string{"anna10"},
			Hash: "h"}})
		if err != nil {
			r.Fatal(err)
		}
		r.app.Platforms = app.Platforms{withEmail{email: "Anna+shop@Creators.example"}}
		r.send(string(body))
		r.processAll()
		row, err := r.db.FindOrder(r.Context(), "shop", "1")
		if err != nil || row.Conversion == nil {
			r.Fatalf("got %+v, %v", row, err)
		}
		if c := row.Conversion; c.Approval != affiliate.Held || c.ApprovalReason != affiliate.HeldSelfReferral ||
			c.Commission != 0 {
			r.Errorf("conversion is %s (%s) with commission %d, want it held", c.Approval, c.ApprovalReason,
				c.Commission)
		}
		if strings.Contains(row.State, "reators.example") {
			r.Errorf("the state holds the customer's address: %s", row.State)
		}
	})
}

// withEmail is the plain platform with a customer on every order.
type withEmail struct {
	plainPlatform
	email string
}

func (p withEmail) Parse(topic string, body []byte) (affiliate.Parsed, error) {
	parsed, err := p.plainPlatform.Parse(topic, body)
	for _, e := range parsed.Events {
		e.Snapshot.CustomerEmail = p.email
	}
	return parsed, err
}
