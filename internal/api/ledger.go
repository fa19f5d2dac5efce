package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// registerLedger declares the lists of ledger entries.
func (a *API) registerLedger(api huma.API) {
	const read = affiliate.MayRead
	register(a, api, operation{http.MethodGet, "/ledger", "list-ledger", read, "List ledger entries, newest first"},
		a.listLedger)
	register(a, api, operation{http.MethodGet, "/creators/{id}/statement", "list-creator-statement", read,
		"List a creator's ledger entries, newest first, with the balance after each"}, a.listStatement)
	register(a, api, operation{http.MethodPost, "/ledger/entries", "create-entries", affiliate.MayPay,
		"Post an entry by hand to the ledger of one or many creators"}, a.createEntries)
}

// LedgerEntryJSON is one line of the ledger. It never changes.
type LedgerEntryJSON struct {
	ID           string              `json:"id" example:"led_1"`
	Kind         affiliate.EntryKind `json:"kind"`
	Amount       string              `json:"amount" example:"12.50" doc:"Owed to the creator; negative: taken back or paid"`
	Currency     string              `json:"currency" example:"EUR"`
	Creator      string              `json:"creator" example:"cre_1"`
	CreatorName  string              `json:"creator_name"`
	Campaign     *string             `json:"campaign" doc:"null for what belongs to no campaign"`
	CampaignName *string             `json:"campaign_name"`
	OfferMember  *string             `json:"offer_member" doc:"null for what belongs to no offer"`
	OfferName    *string             `json:"offer_name"`
	Conversion   *string             `json:"conversion" doc:"Whose commission it follows; null for bonuses and payouts"`
	Order        *OrderRefJSON       `json:"order" doc:"The conversion's order"`
	Payout       *string             `json:"payout" doc:"The payout it belongs to"`
	Reward       *string             `json:"reward" doc:"The reward that it is, or takes back"`
	Note         string              `json:"note" doc:"Why, in a person's words"`
	Author       string              `json:"author" doc:"Empty: posted by rule"`
	CreatedAt    time.Time           `json:"created_at"`
	PayableAt    time.Time           `json:"payable_at" doc:"From when on it is part of what is due"`
}

func ledgerEntryView(l storage.LedgerLine) LedgerEntryJSON {
	v := LedgerEntryJSON{ID: l.ID.String(), Kind: l.Kind, Amount: money.Format(l.Amount, l.Currency),
		Currency: l.Currency.Code(), Creator: l.CreatorID.String(), CreatorName: l.Creator,
		CampaignName: orNull(l.Campaign), OfferName: orNull(l.Offer), Note: l.Note, Author: l.Author,
		CreatedAt: l.CreatedAt.UTC(), PayableAt: l.PayableAt.UTC()}
	if l.CampaignID != 0 {
		v.Campaign = orNull(l.CampaignID.String())
	}
	if l.OfferMemberID != 0 {
		v.OfferMember = orNull(l.OfferMemberID.String())
	}
	if l.ConversionID != 0 {
		v.Conversion = orNull(l.ConversionID.String())
		v.Order = new(OrderRef(l.OrderID, l.Store, l.ExternalID, l.Number))
	}
	if l.PayoutID != 0 {
		v.Payout = orNull(l.PayoutID.String())
	}
	if l.RewardID != 0 {
		v.Reward = orNull(l.RewardID.String())
	}
	return v
}

// PostedFilter narrows ledger entries by when they were posted.
type PostedFilter struct {
	From string `query:"from" doc:"Posted at or after: a day in the account's time zone (2026-11-01), or an RFC 3339 time"`
	To   string `query:"to" doc:"Posted before: a time, or a day, which is the last one that counts"`
}

func (a *API) posted(ctx context.Context) (from, to time.Time, err error) {
	q, err := a.query(ctx)
	if err != nil {
		return from, to, err
	}
	from, to = q.Span()
	return from, to, q.Err()
}

// LedgerFilter are the query parameters that narrow the ledger, in the list and its exports.
type LedgerFilter struct {
	Creator  string              `query:"creator" doc:"cre_…: only theirs"`
	Campaign string              `query:"campaign" doc:"cmp_…: only what belongs to it"`
	Kind     affiliate.EntryKind `query:"kind"`
	Currency string              `query:"currency" example:"EUR"`
	PostedFilter
}

func (a *API) ledgerFilter(ctx context.Context) (f storage.LedgerFilter, err error) {
	q, err := a.query(ctx)
	if err != nil {
		return f, err
	}
	f = q.Ledger()
	f.From, f.To = q.Span()
	return f, q.Err()
}

type listLedgerInput struct {
	LedgerFilter
	PageInput
}

func (a *API) listLedger(ctx context.Context, in *listLedgerInput) (*listOutput[LedgerEntryJSON], error) {
	filter, err := a.ledgerFilter(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.LedgerPage(ctx, filter, in.page())
	return listPage(list, next, err, ledgerEntryView)
}

type listStatementInput struct {
	CreatorPath
	PostedFilter
	PageInput
}

type statementLineJSON struct {
	LedgerEntryJSON
	Balance string `json:"balance" example:"112.50" doc:"What the creator's entries in this currency add up to: this one and all before it"`
}

func (a *API) listStatement(ctx context.Context, in *listStatementInput) (*listOutput[statementLineJSON], error) {
	creator, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.Creator(ctx, creator); err != nil {
		return nil, err
	}
	from, to, err := a.posted(ctx)
	if err != nil {
		return nil, err
	}
	var list []storage.LedgerLine
	var next string
	err = a.App.DB.InSnapshot(ctx, func(s *storage.Snapshot) (err error) {
		list, next, err = s.StatementPage(ctx, creator, from, to, in.page())
		return err
	})
	return listPage(list, next, err, func(l storage.LedgerLine) statementLineJSON {
		return statementLineJSON{ledgerEntryView(l), money.Format(l.Balance, l.Currency)}
	})
}
