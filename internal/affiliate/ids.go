package affiliate

import (
	"fmt"
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
	PayoutRunID   int64
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
func (id PayoutRunID) String() string   { return prefixed("run_", int64(id)) }
func (id CostID) String() string        { return prefixed("cst_", int64(id)) }
func (id UserID) String() string        { return prefixed("usr_", int64(id)) }
func (id NoticeID) String() string      { return prefixed("ntc_", int64(id)) }

// idNouns are what ids name, by their prefixes.
var idNouns = map[string]string{"str_": "store", "dlv_": "delivery", "ord_": "order", "cmp_": "campaign",
	"mem_": "campaign member", "cre_": "creator", "off_": "offer", "ofm_": "offer member", "cod_": "code",
	"lnk_": "link", "cnv_": "conversion", "led_": "ledger entry", "tok_": "token", "pay_": "payout",
	"run_": "payout run", "cru_": "code run", "cit_": "item of a code run", "job_": "job", "cst_": "cost",
	"usr_": "person", "ntc_": "notice", "sec_": "secret", "crl_": "commission rule", "rrl_": "reward rule",
	"rwd_": "reward", "snd_": "mailing", "mai_": "mail", "ebt_": "batch of entries",
	"prt_": "part of a payout run", "pdt_": "payment details", "rsf_": "file of results", "stm_": "statement"}

// NoSuch is the error of an id that leads to nothing.
func NoSuch(id fmt.Stringer) error {
	err := Errorf(NotFound, "there is no %s", id)
	if noun := NounOf(id.String()); noun != "" {
		return ForPeople(err, "there is no such "+noun)
	}
	return err
}

// NounOf is what an id names: "campaign" of cmp_12. It is empty for a text that is no id.
func NounOf(id string) string {
	prefix, number, _ := strings.Cut(id, "_")
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	return idNouns[prefix+"_"]
}

func prefixed(prefix string, id int64) string { return prefix + strconv.FormatInt(id, 10) }

// ParseID reads an id as people see it ("cmp_12"), or its bare number. The error is Invalid and names the prefix.
func ParseID[T ~int64](prefix, s string) (T, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(s), prefix), 10, 64)
	if err != nil || n <= 0 {
		return 0, ForPeople(Errorf(Invalid, "%q is not an id; it looks like %s1", Clip(s, 40), prefix),
			fmt.Sprintf("%q is no %s that there is", Clip(s, 40), idNouns[prefix]))
	}
	return T(n), nil
}
