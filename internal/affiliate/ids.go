package affiliate

import (
	"strconv"
	"strings"
)

// Every id has its own type, so that a creator cannot be passed for a campaign, and its own prefix outside the database
// (cmp_12), so that a person sees at a glance what an id names.
type (
	StoreID       int64
	DeliveryID    int64
	OrderID       int64
	CampaignID    int64
	MemberID      int64
	CreatorID     int64
	OfferID       int64
	OfferMemberID int64
	CodeID        int64
	LinkID        int64
	ConversionID  int64
	LedgerEntryID int64
	TokenID       int64
	PayoutID      int64
	PayoutBatchID int64
	CostID        int64
	UserID        int64
	NoticeID      int64
)

func (id StoreID) String() string       { return prefixed("str_", int64(id)) }
func (id DeliveryID) String() string    { return prefixed("dlv_", int64(id)) }
func (id OrderID) String() string       { return prefixed("ord_", int64(id)) }
func (id CampaignID) String() string    { return prefixed("cmp_", int64(id)) }
func (id MemberID) String() string      { return prefixed("mem_", int64(id)) }
func (id CreatorID) String() string     { return prefixed("cre_", int64(id)) }
func (id OfferID) String() string       { return prefixed("off_", int64(id)) }
func (id OfferMemberID) String() string { return prefixed("ofm_", int64(id)) }
func (id CodeID) String() string        { return prefixed("cod_", int64(id)) }
func (id LinkID) String() string        { return prefixed("lnk_", int64(id)) }
func (id ConversionID) String() string  { return prefixed("cnv_", int64(id)) }
func (id LedgerEntryID) String() string { return prefixed("led_", int64(id)) }
func (id TokenID) String() string       { return prefixed("tok_", int64(id)) }
func (id PayoutID) String() string      { return prefixed("pay_", int64(id)) }
func (id PayoutBatchID) String() string { return prefixed("bat_", int64(id)) }
func (id CostID) String() string        { return prefixed("cst_", int64(id)) }
func (id UserID) String() string        { return prefixed("usr_", int64(id)) }
func (id NoticeID) String() string      { return prefixed("ntc_", int64(id)) }

func prefixed(prefix string, id int64) string { return prefix + strconv.FormatInt(id, 10) }

// ParseID reads an id as people see it ("cmp_12"), or its bare number. The error is Invalid and names the prefix.
func ParseID[T ~int64](prefix, s string) (T, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(s), prefix), 10, 64)
	if err != nil || n <= 0 {
		return 0, Errorf(Invalid, "%q is not an id; it looks like %s1", Clip(s, 40), prefix)
	}
	return T(n), nil
}
