package affiliate

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/tributaryhq/tributary/internal/money"
)

// CampaignStatus says whether a campaign still runs.
type CampaignStatus string

const (
	CampaignActive CampaignStatus = "active"
	CampaignEnded  CampaignStatus = "ended"
)

// Words lists the statuses there are.
func (CampaignStatus) Words() []CampaignStatus {
	return []CampaignStatus{CampaignActive, CampaignEnded}
}

// CampaignState is what a campaign does at a moment: by its status and its dates.
type CampaignState string

// States of campaigns.
const (
	StateRunning  CampaignState = "running"
	StateUpcoming CampaignState = "upcoming" // it has not begun
	StateEnded    CampaignState = "ended"    // it was ended, or its end has come
)

// Words lists the states there are.
func (CampaignState) Words() []CampaignState {
	return []CampaignState{StateRunning, StateUpcoming, StateEnded}
}

// State is what the campaign does now.
func (c Campaign) State(now time.Time) CampaignState {
	switch {
	case c.Status == CampaignEnded || !c.EndsAt.IsZero() && !c.EndsAt.After(now):
		return StateEnded
	case c.StartsAt.After(now):
		return StateUpcoming
	}
	return StateRunning
}

// Campaign is a marketing campaign: it has creators as members, and offers.
type Campaign struct {
	ID         CampaignID
	Name       string // unique, however it is written: see FoldName
	Status     CampaignStatus
	StartsAt   time.Time  // orders before it are not credited; zero: no start
	EndsAt     time.Time  // the first moment that no longer counts; zero: no end
	WindowDays int        // attribution window; 0: the account's
	Precedence Precedence // empty: the account's
	ClickRule  ClickRule  // empty: the account's
	Version    int
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Validate gives an error that names the field that is wrong.
func (c Campaign) Validate() error {
	if err := validName("name", c.Name); err != nil {
		return err
	}
	if !c.StartsAt.IsZero() && !c.EndsAt.IsZero() && !c.StartsAt.Before(c.EndsAt) {
		return ForPeople(FieldErrorf("ends_at", "must be after starts_at"), "must be after the start")
	}
	if c.WindowDays != 0 && (c.WindowDays < MinWindowDays || c.WindowDays > MaxWindowDays) {
		return FieldErrorf("attribution_window_days", "must be between %d and %d, or be left out for the account's",
			MinWindowDays, MaxWindowDays)
	}
	if c.Precedence != "" && c.Precedence != CodeFirst && c.Precedence != LinkFirst {
		return eitherOr("precedence", CodeFirst, LinkFirst)
	}
	if c.ClickRule != "" && c.ClickRule != LastClick && c.ClickRule != FirstClick {
		return eitherOr("click_rule", LastClick, FirstClick)
	}
	return nil
}

// eitherOr is the error of a rule that is neither of two.
func eitherOr[W ~string](field string, one, other W) error {
	text := fmt.Sprintf("must be %s or %s, or be left out for the account's", one, other)
	return ForPeople(FieldErrorf(field, "%s", text), inWords(text))
}

// End ends the campaign now; what is placed later is not credited any more. An end that was set for earlier stays.
func (c *Campaign) End(now time.Time) {
	c.Status = CampaignEnded
	if c.EndsAt.IsZero() || now.Before(c.EndsAt) {
		c.EndsAt = now
	}
	if !c.StartsAt.IsZero() && !c.StartsAt.Before(c.EndsAt) {
		c.StartsAt = time.Time{} // ended before it began; the end says all
	}
}

// Reopen lets an ended campaign run again, without an end: what is placed from then on is credited by it.
func (c *Campaign) Reopen() {
	if c.Status == CampaignEnded {
		c.Status, c.EndsAt = CampaignActive, time.Time{}
	}
}

// CampaignMember is a creator in a campaign.
type CampaignMember struct {
	ID              MemberID
	CampaignID      CampaignID
	CreatorID       CreatorID
	ProductValue    int64 // of the goods sent to the creator, minor units of ProductCurrency: a cost of the campaign
	ProductCurrency money.Currency
	RemovedAt       time.Time // zero while they are a member
	Version         int
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// Validate gives an error that names the field that is wrong.
func (m CampaignMember) Validate() error {
	if m.ProductValue < 0 || m.ProductValue > money.Limit {
		return FieldErrorf("product_value", "must not be negative")
	}
	if _, err := money.ParseCurrency(string(m.ProductCurrency)); err != nil {
		return FieldErrorf("product_currency", "%v", err)
	}
	return nil
}

// FoldName gives the form in which names of campaigns, offers and creators are compared: cleaned, case folded,
// composed, with single spaces.
func FoldName(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(strings.Join(strings.Fields(Clean(name)), " "))))
}
