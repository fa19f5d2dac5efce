package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewEntries asks to post an entry by hand to the ledger of one or many creators.
type NewEntries struct {
	Kind affiliate.EntryKind // Bonus, Adjustment or WriteOff
	// Creators are who it is for. With Offer, they are members of it and the entry is posted to their account there;
	// else it belongs to no campaign.
	Creators []affiliate.CreatorID
	Offer    affiliate.OfferID
	Currency money.Currency // empty: the account's
	// Amount is minor units of Currency for each of them: more than 0 of a bonus, and of an adjustment not 0. Of a
	// write-off it is 0: all that they owe, their balance below zero, is forgiven.
	Amount int64
	Reason string
	Key    string // whoever asks with the same key again posts nothing more, and gets the same results; may be empty
}

// EntryResult is what was posted for one creator.
type EntryResult struct {
	Creator affiliate.CreatorID
	Name    string
	Outcome MemberOutcome
	Amount  int64  // minor units of the currency
	Why     string // a sentence, of those that failed, and of those without anything to write off
}

// MaxEntries is for how many creators entries are posted in one call.
const MaxEntries = 5000

// maxEntryKey bounds the key of a request, in bytes.
const maxEntryKey = 400

// PostEntries posts entries by hand, all in one transaction, and gives a result for each creator in their order.
// Errors: Invalid for what cannot be asked of anybody, Conflict for a key under which something else was asked for.
func (a *App) PostEntries(ctx context.Context, in NewEntries) (results []EntryResult, err error) {
	if in.Reason, err = tidyReason(in.Reason); err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		names, err := tx.LockCreators(ctx, in.Creators)
		if err != nil {
			return fmt.Errorf("lock creators: %w", err)
		}
		b := storage.EntryBatch{Key: in.Key, Kind: in.Kind, Reason: in.Reason, Request: in.fingerprint(),
			Author: actor(ctx), CreatedAt: a.now()}
		if results, err = postedBefore(ctx, tx, b, names); err != nil || results != nil {
			return err
		}
		run := &entering{tx: tx, in: in, names: names, batch: b}
		if results, err = run.reckon(ctx); err != nil {
			return err
		}
		return run.post(ctx, a, results)
	})
	return results, err
}

// validate checks what can be said without the database.
func (in NewEntries) validate() error {
	switch {
	case len(in.Creators) == 0 || len(in.Creators) > MaxEntries:
		return affiliate.FieldErrorf("creators", "must name 1 to %d creators, not %d", MaxEntries, len(in.Creators))
	case len(in.Key) > maxEntryKey:
		return affiliate.FieldErrorf("key", "must have at most %d bytes", maxEntryKey)
	case in.Amount > money.Limit || in.Amount < -money.Limit:
		return affiliate.FieldErrorf("amount", "is too large")
	}
	seen := make(map[affiliate.CreatorID]bool, len(in.Creators))
	for _, id := range in.Creators {
		if seen[id] {
			const text = "%s is named twice"
			return affiliate.ForPeople(affiliate.FieldErrorf("creators", text, id), fmt.Sprintf(text, "a creator"))
		}
		seen[id] = true
	}
	switch in.Kind {
	case affiliate.Bonus:
		if in.Amount <= 0 {
			return affiliate.FieldErrorf("amount", "must be more than 0; take money back with an adjustment")
		}
	case affiliate.Adjustment:
		if in.Amount == 0 {
			return affiliate.FieldErrorf("amount", "must not be 0; below 0 it takes money back")
		}
	case affiliate.WriteOff:
		if in.Amount != 0 {
			return affiliate.FieldErrorf("amount", "must be left out: a write-off is of all that they owe")
		}
		if in.Offer != 0 {
			return affiliate.FieldErrorf("offer", "must be left out: a write-off is of all that they owe")
		}
	default:
		return affiliate.FieldErrorf("kind", "must be %s, %s or %s", affiliate.Bonus, affiliate.Adjustment,
			affiliate.WriteOff)
	}
	return nil
}

// fingerprint tells a request from another one.
func (in NewEntries) fingerprint() string {
	in.Key = ""
	text, _ := json.Marshal(in) // of numbers and texts
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// postedBefore gives what became of the same request when it was asked for first; nil where this is the first time.
func postedBefore(ctx context.Context, tx *storage.Tx, b storage.EntryBatch,
	names map[affiliate.CreatorID]string) ([]EntryResult, error) {
	if b.Key == "" {
		return nil, nil
	}
	before, err := tx.EntryBatchOfKey(ctx, b.Key)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if before.Request != b.Request {
		return nil, affiliate.ConflictErrorf("key", "was used for other entries; ask for these with a new one")
	}
	var results []EntryResult
	err = json.Unmarshal([]byte(before.Results), &results)
	for i, r := range results {
		results[i].Name = names[r.Creator]
	}
	return results, err
}

// entering is one run of PostEntries.
type entering struct {
	tx      *storage.Tx
	in      NewEntries
	names   map[affiliate.CreatorID]string
	batch   storage.EntryBatch
	entries []affiliate.LedgerEntry // without their causes
}

// reckon says what is posted to whom.
func (run *entering) reckon(ctx context.Context) ([]EntryResult, error) {
	settings, err := run.tx.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if run.in.Currency == "" {
		run.in.Currency = settings.Currency
	}
	if run.in.Currency, err = affiliate.ParseCurrency("currency", run.in.Currency.Code()); err != nil {
		return nil, err
	}
	accounts, err := run.accounts(ctx)
	if err != nil {
		return nil, err
	}
	results := make([]EntryResult, len(run.in.Creators))
	for i, id := range run.in.Creators {
		r := EntryResult{Creator: id, Name: run.names[id], Outcome: MemberChanged}
		mine := accounts[id]
		switch {
		case r.Name == "":
			r.Outcome, r.Why = MemberFailed, sentenceOf(affiliate.NoSuch(id))
		case len(mine) == 0 && run.in.Kind == affiliate.WriteOff:
			r.Outcome = MemberSame
			r.Why = "There is nothing to write off: they owe nothing in " + run.in.Currency.Code() + "."
		case len(mine) == 0:
			r.Outcome, r.Why = MemberFailed, "They are no member of the offer."
		}
		if r.Outcome == MemberChanged {
			for _, p := range mine {
				r.Amount += p.Amount
				run.enter(p)
			}
		}
		results[i] = r
	}
	return results, nil
}

// accounts gives what is posted to which accounts of the creators; none for those to whom nothing can be.
func (run *entering) accounts(ctx context.Context) (map[affiliate.CreatorID][]affiliate.Posting, error) {
	in := run.in
	postings := make(map[affiliate.CreatorID][]affiliate.Posting, len(in.Creators))
	switch {
	case in.Kind == affiliate.WriteOff:
		balances, err := run.tx.Balances(ctx, in.Creators, run.batch.CreatedAt)
		if err != nil {
			return nil, fmt.Errorf("read balances: %w", err)
		}
		held := map[affiliate.CreatorID]map[affiliate.Account]int64{}
		for _, b := range balances {
			if b.Currency == in.Currency {
				if held[b.CreatorID] == nil {
					held[b.CreatorID] = map[affiliate.Account]int64{}
				}
				held[b.CreatorID][b.Account] = b.Balance
			}
		}
		for id, accounts := range held {
			postings[id] = affiliate.Forgive(accounts)
		}
	case in.Offer != 0:
		if _, err := run.tx.Offer(ctx, in.Offer); err != nil {
			return nil, asField("offer", err)
		}
		accounts, err := run.tx.OfferAccounts(ctx, in.Offer, in.Creators)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			postings[a.CreatorID] = []affiliate.Posting{{Account: a, Kind: in.Kind, Amount: in.Amount}}
		}
	default:
		for _, id := range in.Creators {
			postings[id] = []affiliate.Posting{{Account: affiliate.Account{CreatorID: id}, Kind: in.Kind,
				Amount: in.Amount}}
		}
	}
	return postings, nil
}

func (run *entering) enter(p affiliate.Posting) {
	b := run.batch
	run.entries = append(run.entries, affiliate.LedgerEntry{CreatorID: p.Account.CreatorID,
		CampaignID: p.Account.CampaignID, OfferMemberID: p.Account.OfferMemberID, Kind: p.Kind,
		Currency: run.in.Currency, Amount: p.Amount, Note: b.Reason, Author: b.Author, CreatedAt: b.CreatedAt,
		PayableAt: b.CreatedAt})
}

// post writes the batch with its entries.
func (run *entering) post(ctx context.Context, a *App, results []EntryResult) error {
	kept := slices.Clone(results)
	for i := range kept {
		kept[i].Name = "" // they are read anew
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	b := run.batch
	b.Entries, b.Results = int64(len(run.entries)), string(text)
	if b.Key == "" {
		b.Key = rand.Text()
	}
	if b.ID, err = run.tx.CreateEntryBatch(ctx, b); err != nil {
		return err
	}
	if len(run.entries) == 0 {
		return nil
	}
	sum := int64(0)
	for i := range run.entries {
		e := &run.entries[i]
		sum += e.Amount
		e.Cause = fmt.Sprintf("%s:%s", b.ID, e.CreatorID)
		if e.Kind == affiliate.WriteOff { // may be of several accounts
			e.Cause += ":" + affiliate.Account{CreatorID: e.CreatorID, CampaignID: e.CampaignID,
				OfferMemberID: e.OfferMemberID}.Name()
		}
	}
	if err := run.tx.AddLedger(ctx, run.entries); err != nil {
		return fmt.Errorf("post to the ledger: %w", err)
	}
	f := facts{"kind": b.Kind, "entries": b.Entries, "amount": money.Format(sum, run.in.Currency),
		"currency": run.in.Currency, "reason": b.Reason}
	if run.in.Offer != 0 {
		f["offer"] = run.in.Offer.String()
	}
	return a.audit(ctx, run.tx, "entry_batch.post", b.ID, nil, f)
}
