package filters

import (
	"cmp"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MostIDs bounds the campaigns, or offers, that one query names.
const MostIDs = 100

// Conversions reads which conversions are wanted, whenever they were placed. Who is named by ids is wanted although
// they left.
func (q *Query) Conversions() storage.ConversionFilter {
	f := storage.ConversionFilter{
		IDs:         ids[affiliate.ConversionID](q, "ids", "cnv_"),
		Campaigns:   ids[affiliate.CampaignID](q, "campaign", "cmp_"),
		Creator:     id[affiliate.CreatorID](q, "creator", "cre_"),
		Offer:       id[affiliate.OfferID](q, "offer", "off_"),
		OfferType:   word[affiliate.OfferType](q, "offer_type"),
		OfferStatus: word[affiliate.OfferStatus](q, "offer_status"),
		Store:       q.store().ID,
		Code:        id[affiliate.CodeID](q, "code", "cod_"),
		Link:        id[affiliate.LinkID](q, "link", "lnk_"),
		Statuses:    words[affiliate.OrderStatus](q, "status"),
		Approvals:   words[affiliate.Approval](q, "approval"),
		Method:      word[affiliate.Method](q, "method"),
		Currency:    q.currency(),
		Unconverted: q.flag("waiting_for_rate"),
		WithRefund:  q.flag("with_refund"),
		Ambiguous:   q.flag("ambiguous"),
		Undecided:   q.flag("undecided"),
		Search:      q.Text("q"),
		Former:      q.former(),
		OnlyFormer:  q.values.Get("include") == "only_former",
	}
	f.Former = f.Former || f.OnlyFormer || len(f.IDs) > 0
	if len(f.Campaigns) > MostIDs {
		q.fail(affiliate.FieldErrorf("campaign", "must name at most %d campaigns", MostIDs))
	}
	return f
}

// ConversionSort reads the order of conversions; the newest come first where none is asked for.
func (q *Query) ConversionSort() storage.ConversionSort {
	sort, err := storage.ParseConversionSort(q.values.Get("sort"))
	if err != nil {
		q.fail(err)
	}
	return sort
}

// Orders reads which orders are wanted, whenever they were placed.
func (q *Query) Orders() storage.OrderFilter {
	f := storage.OrderFilter{
		Status:   word[affiliate.OrderStatus](q, "status"),
		Store:    q.store().Slug,
		Campaign: id[affiliate.CampaignID](q, "campaign", "cmp_"),
		Creator:  id[affiliate.CreatorID](q, "creator", "cre_"),
		Show:     word[storage.OrderShow](q, "show"),
		Doubt:    affiliate.Doubt(word[storage.DoubtFilter](q, "doubt")),
		Custom:   q.values.Get("custom_status"),
		Text:     q.Text("q"),
		Currency: q.currency(),
		Sort:     word[storage.OrderSort](q, "sort"),
	}
	if q.flag("parts") {
		f.Show = storage.ShowParts
	}
	return f
}

// Ledger reads which ledger entries are wanted, whenever they were posted.
func (q *Query) Ledger() storage.LedgerFilter {
	return storage.LedgerFilter{
		Creator:  id[affiliate.CreatorID](q, "creator", "cre_"),
		Campaign: id[affiliate.CampaignID](q, "campaign", "cmp_"),
		Kind:     word[affiliate.EntryKind](q, "kind"),
		Currency: q.currency(),
	}
}

// Payouts reads which payouts are wanted, whenever they were paid.
func (q *Query) Payouts() storage.PayoutFilter {
	return storage.PayoutFilter{
		Creator:  id[affiliate.CreatorID](q, "creator", "cre_"),
		Run:      id[affiliate.PayoutRunID](q, "run", "run_"),
		State:    word[affiliate.PayoutState](q, "state"),
		Rail:     word[affiliate.Rail](q, "rail"),
		Currency: q.currency(),
		Search:   q.Text("q"),
	}
}

// Statements reads which statements are wanted.
func (q *Query) Statements() storage.StatementFilter {
	f := storage.StatementFilter{
		Creator:  id[affiliate.CreatorID](q, "creator", "cre_"),
		Month:    q.values.Get("month"),
		Currency: q.currency(),
		Search:   q.Text("q"),
	}
	if f.Month != "" {
		if _, err := affiliate.NewStatementMonth(f.Month, time.UTC); err != nil {
			q.fail(err)
		}
	}
	return f
}

// Rewards reads which rewards are wanted, whenever they were earned.
func (q *Query) Rewards() storage.RewardFilter {
	return storage.RewardFilter{
		IDs:      ids[affiliate.RewardID](q, "ids", "rwd_"),
		Offer:    id[affiliate.OfferID](q, "offer", "off_"),
		Campaign: id[affiliate.CampaignID](q, "campaign", "cmp_"),
		Creator:  id[affiliate.CreatorID](q, "creator", "cre_"),
		Rule:     id[affiliate.RewardRuleID](q, "rule", "rrl_"),
		State:    word[affiliate.RewardState](q, "state"),
		Search:   q.Text("q"),
	}
}

// Due reads whose payments due are wanted.
func (q *Query) Due() storage.DueFilter {
	return storage.DueFilter{
		Campaign: id[affiliate.CampaignID](q, "campaign", "cmp_"),
		Offer:    id[affiliate.OfferID](q, "offer", "off_"),
		Currency: q.currency(),
		Search:   q.Text("q"),
	}
}

// DueSort reads the order of payments due; usual is the one where none is asked for.
func (q *Query) DueSort(usual storage.DueSort) storage.DueSort {
	return cmp.Or(word[storage.DueSort](q, "sort"), usual)
}

// Unowned reads which codes, or slugs, without an owner are wanted. Sales are compared in the currency that is asked
// for, or else in that of the store, or else in the account's.
func (q *Query) Unowned(account money.Currency) storage.UnownedFilter {
	store := q.store()
	f := storage.UnownedFilter{
		Kind:      cmp.Or(q.values.Get("kind"), storage.EvidenceCode),
		Store:     store.ID,
		Search:    q.Text("q"),
		Since:     q.moment("since", 0),
		Sort:      storage.UnownedSort(q.values.Get("sort")),
		Currency:  q.currency(),
		Dismissed: q.flag("dismissed"),
	}
	if f.Currency == "" {
		f.Currency = account
		if store.ID != 0 {
			f.Currency = store.Currency
		}
	}
	f.MinOrders, _ = strconv.Atoi(q.values.Get("min_orders")) // the API has checked it; no page has it
	return f
}

// Coupons reads which codes of stores are wanted, and in which order.
func (q *Query) Coupons() storage.CouponFilter {
	return storage.CouponFilter{
		Store:  q.store().ID,
		Set:    word[storage.CouponSet](q, "set"),
		Search: q.Text("q"),
		Sort:   word[storage.CouponSort](q, "sort"),
	}
}

// CodeItems reads which items of a code run are wanted.
func (q *Query) CodeItems(run affiliate.CodeRunID) storage.CodeItemFilter {
	return storage.CodeItemFilter{
		Run:    run,
		States: words[affiliate.CodeItemState](q, "state"),
		Search: q.Text("q"),
	}
}
