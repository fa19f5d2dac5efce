package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Posted gives what the ledger holds for conversions, per account. Only entries that follow the commission count:
// payouts, bonuses and the like never carry a conversion.
func (q queries) Posted(ctx context.Context,
	ids []affiliate.ConversionID) (map[affiliate.ConversionID]map[affiliate.Account]int64, error) {
	posted := make(map[affiliate.ConversionID]map[affiliate.Account]int64, len(ids))
	if len(ids) == 0 {
		return posted, nil
	}
	var rows []struct {
		Conversion    affiliate.ConversionID  `db:"conversion_id"`
		CreatorID     affiliate.CreatorID     `db:"creator_id"`
		CampaignID    affiliate.CampaignID    `db:"campaign_id"`
		OfferMemberID affiliate.OfferMemberID `db:"offer_member_id"`
		Amount        int64
	}
	err := q.ListIn(ctx, &rows, `SELECT conversion_id, creator_id, campaign_id, offer_member_id, CAST(SUM(amount) AS BIGINT) AS amount FROM ledger_entries
		WHERE conversion_id IN (?) GROUP BY conversion_id, creator_id, campaign_id, offer_member_id`, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if posted[r.Conversion] == nil {
			posted[r.Conversion] = map[affiliate.Account]int64{}
		}
		posted[r.Conversion][affiliate.Account{CreatorID: r.CreatorID, CampaignID: r.CampaignID,
			OfferMemberID: r.OfferMemberID}] = r.Amount
	}
	return posted, nil
}

// FirstPayable gives when the first entry of each conversion is payable; conversions without an entry are left out.
func (q queries) FirstPayable(ctx context.Context,
	ids []affiliate.ConversionID) (map[affiliate.ConversionID]time.Time, error) {
	first := make(map[affiliate.ConversionID]time.Time, len(ids))
	if len(ids) == 0 {
		return first, nil
	}
	var rows []struct {
		Conversion affiliate.ConversionID `db:"conversion_id"`
		PayableAt  Time                   `db:"payable_at"`
	}
	err := q.ListIn(ctx, &rows, `SELECT conversion_id, MIN(payable_at) AS payable_at FROM ledger_entries WHERE conversion_id IN (?) GROUP BY conversion_id`, ids)
	for _, r := range rows {
		first[r.Conversion] = r.PayableAt.Time
	}
	return first, err
}

// AddLedger appends entries. A cause that was posted already is an error: nothing may be posted twice.
func (tx *Tx) AddLedger(ctx context.Context, entries []affiliate.LedgerEntry) error {
	zone, err := tx.zoneOf(ctx, entries)
	if err != nil {
		return err
	}
	how, err := tx.shownNow(ctx)
	if err != nil {
		return err
	}
	rows := make([]LedgerRow, len(entries))
	for i, e := range entries {
		rows[i] = LedgerRow{e, affiliate.Day(e.CreatedAt, zone)}
		tx.sums.entry(e, rows[i].Day)
		if how != nil {
			tx.shownSums.entry(e, how.day(e.CreatedAt, rows[i].Day))
		}
	}
	return ledgerTable.insert(ctx, tx, rows, "", nil, nil)
}

func (tx *Tx) zoneOf(ctx context.Context, entries []affiliate.LedgerEntry) (*time.Location, error) {
	if len(entries) == 0 {
		return time.UTC, nil
	}
	_, zone, err := tx.Account(ctx)
	return zone, err
}

// LedgerOf gives the entries of a conversion, oldest first, with what a statement shows of them.
func (q queries) LedgerOf(ctx context.Context, id affiliate.ConversionID) ([]affiliate.LedgerEntry, error) {
	entries := []affiliate.LedgerEntry{}
	err := q.List(ctx, &entries, `SELECT `+columnsOf[affiliate.LedgerEntry]().of("")+` FROM ledger_entries
		WHERE conversion_id = ? ORDER BY id`, id)
	return entries, err
}

// LedgerRow is a ledger entry with its day in the account's zone.
type LedgerRow struct {
	affiliate.LedgerEntry
	Day string
}

var ledgerTable = tableOf[LedgerRow]("ledger_entries", "campaign_id", "offer_member_id", "conversion_id", "payout_id",
	"reward_id")
