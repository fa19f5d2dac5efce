package app

import (
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewCodeRun asks for an action on the codes of many.
type NewCodeRun struct {
	Action affiliate.CodeAction
	Offer  affiliate.OfferID // not needed for take_over, nor where Codes are given
	// Members are the offer's members that it is for; empty: all current and active ones.
	Members []affiliate.OfferMemberID
	// Codes are the codes that are refreshed, changed or ended, in place of Members; for the page of one code.
	Codes   []affiliate.CodeID
	Stores  []affiliate.StoreID // empty: all that are not ended; of take_over exactly one
	Pattern string              // of make and refresh; empty: the offer's
	// Another makes a code also for those who have one in the store.
	Another     bool
	OverlapDays int
	At          time.Time // when it begins; zero: as soon as it is started
	// Discount is what codes give: of discount the new one. Nil: the offer's.
	Discount *affiliate.OfferDiscount
	// Takes are the codes that are taken over; nil with take_over: all of nobody's that certainly are some member's of
	// the offer, by Pattern where it is set.
	Takes []Take
}

// Take is a code of a store that is to become a member's.
type Take struct {
	Code        string
	OfferMember affiliate.OfferMemberID
}

// Bounds of code runs.
const (
	MostCodeItems   = 20_000
	MostOverlapDays = 365
	// CodeDraftsKept is how long a draft may be started.
	CodeDraftsKept = 24 * time.Hour
)

// TypedItem is what is to be typed into a store's admin for an item that is done by hand.
type TypedItem struct {
	storage.CodeItemRow
	StoreName string
	Platform  affiliate.Platform
	Menu      string
	Fields    []affiliate.TypedField // of a code that is made, or given another discount
	Sentence  string                 // of a code that is stopped or started
}

// CodeStanding is how a code stands in its store.
type CodeStanding string

const (
	StandsInStore  CodeStanding = "in_store" // customers can use it, or will from its beginning on
	StandsHalted   CodeStanding = "halted"   // deactivated from here, and in the store
	StandsOver     CodeStanding = "over"     // its discount has ended, as it was to
	StandsTroubled CodeStanding = "troubled" // see Trouble
	StandsUnread   CodeStanding = "unread"   // the store's codes were not read since it is here
	StandsUnproved CodeStanding = "unproved" // the store's API is not asked, and no order has come with it
	StandsProved   CodeStanding = "proved"   // the store's API is not asked, and orders have come with it
	StandsEnded    CodeStanding = "ended"    // it is nobody's any more
)

// Words lists the standings there are.
func (CodeStanding) Words() []CodeStanding {
	return []CodeStanding{StandsInStore, StandsHalted, StandsOver, StandsTroubled, StandsUnread, StandsUnproved,
		StandsProved, StandsEnded}
}

// MemberCode is a code of somebody with how it stands in its store.
type MemberCode struct {
	affiliate.Code
	Store     affiliate.Store
	Standing  CodeStanding
	Coupon    *storage.Coupon // nil where the store was not seen to have it
	Discount  affiliate.Discount
	UnderWay  bool              // a run is about to change it, or waits for somebody to
	FirstUsed affiliate.OrderID // the order that proved it, of a store whose API is not asked; 0: none yet
}

// CouponReading is how far the codes of a store were read.
type CouponReading struct {
	Can      bool      // its API is asked, and its keys may make codes
	Why      string    // why not, as a sentence with its remedy; empty where it can
	ReadAt   time.Time // when all were read last; zero: never
	UnderWay bool
}
