package affiliate

import (
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// OfferType says by what an offer's creators bring orders.
type OfferType string

const (
	OfferPromoCode OfferType = "promo_code"
	OfferSalesLink OfferType = "sales_link"
)

// Words lists the types there are.
func (OfferType) Words() []OfferType { return []OfferType{OfferPromoCode, OfferSalesLink} }

// OfferStatus is the state of an offer.
type OfferStatus string

const (
	OfferActive   OfferStatus = "active"
	OfferPaused   OfferStatus = "paused"
	OfferExpired  OfferStatus = "expired"
	OfferArchived OfferStatus = "archived"
)

// Words lists the statuses there are.
func (OfferStatus) Words() []OfferStatus {
	return []OfferStatus{OfferActive, OfferPaused, OfferExpired, OfferArchived}
}

// Offer is what a campaign's creators promote, with its commission rule.
type Offer struct {
	ID          OfferID
	CampaignID  CampaignID
	Name        string // unique in its campaign, however it is written
	Type        OfferType
	Status      OfferStatus
	StatusSince time.Time
	Rule        Rule
	Discount    OfferDiscount // of new codes; none while it is not set
	CodePattern CodePattern   // of new codes; empty while it is not set
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Validate gives an error that names the field that is wrong.
func (o Offer) Validate() error {
	if err := validName("name", o.Name); err != nil {
		return err
	}
	if err := CheckWord("type", o.Type); err != nil {
		return err
	}
	if err := CheckWord("status", o.Status); err != nil {
		return err
	}
	if err := o.Rule.Validate(); err != nil {
		return err
	}
	if err := o.Discount.Validate(); err != nil || o.CodePattern == "" {
		return err
	}
	_, err := ParseCodePattern("code_pattern", string(o.CodePattern))
	return err
}

// SetStatus changes the status; orders placed from now on feel it.
func (o *Offer) SetStatus(s OfferStatus, now time.Time) {
	if (o.Status == OfferActive) != (s == OfferActive) {
		o.StatusSince = now
	}
	o.Status = s
}

// SetRule changes the commission of orders placed from now on. Its version grows only when something changes.
func (o *Offer) SetRule(percent, flat int64) {
	if o.Rule.Percent != percent || o.Rule.Flat != flat {
		o.Rule = Rule{Percent: percent, Flat: flat, Version: o.Rule.Version + 1}
	}
}

// OfferMember is a creator in an offer: they own codes and links.
type OfferMember struct {
	ID            OfferMemberID
	OfferID       OfferID
	MemberID      MemberID
	CampaignID    CampaignID // the offer's
	CreatorID     CreatorID  // the member's
	Override      *Rule      // replaces the offer's whole rule; nil: the offer's rule counts. Its version is not used.
	RuleVersion   int        // grows with every change of Override
	InactiveSince time.Time  // zero while active
	RemovedAt     time.Time  // zero while in the offer; who is removed is inactive as well
	Version       int
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// MemberState is how a creator stands in an offer.
type MemberState string

const (
	MemberActive   MemberState = "active"
	MemberInactive MemberState = "inactive"
	MemberRemoved  MemberState = "removed" // from the offer, its campaign or the community
)

// Words lists the states there are.
func (MemberState) Words() []MemberState {
	return []MemberState{MemberActive, MemberInactive, MemberRemoved}
}

// State is how the member stands in the offer, as far as the offer itself says.
func (m OfferMember) State() MemberState {
	switch {
	case !m.RemovedAt.IsZero():
		return MemberRemoved
	case !m.InactiveSince.IsZero():
		return MemberInactive
	}
	return MemberActive
}

// Validate gives an error that names the field that is wrong.
func (m OfferMember) Validate() error {
	if m.Override == nil {
		return nil
	}
	return m.Override.Validate()
}

// SetOverride changes the member's own rule; nil takes it away. The rule's version grows only when something changes.
func (m *OfferMember) SetOverride(override *Rule) {
	if override != nil {
		override = &Rule{Percent: override.Percent, Flat: override.Flat}
	}
	same := (m.Override == nil) == (override == nil)
	if same && (override == nil || (m.Override.Percent == override.Percent && m.Override.Flat == override.Flat)) {
		return
	}
	m.Override = override
	m.RuleVersion++
}

// SetRemoved takes the member out of the offer; orders placed from now on feel it. SetActive takes them back.
func (m *OfferMember) SetRemoved(now time.Time) {
	m.SetActive(false, now)
	if m.RemovedAt.IsZero() {
		m.RemovedAt = now
	}
}

// SetActive makes the member active or inactive; orders placed from now on feel it. Who is active is in the offer.
func (m *OfferMember) SetActive(active bool, now time.Time) {
	switch {
	case active:
		m.InactiveSince, m.RemovedAt = time.Time{}, time.Time{}
	case m.InactiveSince.IsZero():
		m.InactiveSince = now
	}
}

// percentDigits are the decimals of a percentage whose unit is 1/10000; flatDigits those of a flat amount.
const (
	percentDigits = 2
	flatDigits    = 4
)

// ParsePercent reads a commission's percentage ("12.5") as 1/10000 (1250). More than two decimals are refused rather
// than rounded.
func ParsePercent(field, s string) (int64, error) {
	n, err := parseExact(field, s, percentDigits, "12.5")
	if err != nil {
		return 0, err
	}
	return n, Rule{Percent: n}.validateAs(field, "must be between 0 and 100")
}

// ParseFlat reads a commission's amount per order ("3.00") as 1/10000 of the order currency's main unit (30000).
func ParseFlat(field, s string) (int64, error) {
	n, err := parseExact(field, s, flatDigits, "3.00")
	if err != nil {
		return 0, err
	}
	return n, Rule{Flat: n}.validateAs(field, "must be between 0 and 1000000000")
}

func (r Rule) validateAs(field, message string) error {
	if r.Validate() != nil {
		return FieldErrorf(field, "%s", message)
	}
	return nil
}

// parseExact reads a decimal string and refuses digits that would be lost.
func parseExact(field, s string, digits int, example string) (int64, error) {
	n, err := money.ParseScaled(s, digits)
	if err != nil {
		return 0, FieldErrorf(field, "%q is not a number; it looks like %s", Clip(s, 40), money.Marked(example))
	}
	// Read again with more digits: money.ParseScaled rounds.
	const more = 4
	if finer, err := money.ParseScaled(s, digits+more); err == nil && finer != n*10_000 {
		return 0, FieldErrorf(field, "%q has more than %d decimals", Clip(s, 40), digits)
	}
	return n, nil
}

// ParseAmount reads an amount ("12.50") as minor units of c. Decimals that c does not have are refused rather than
// rounded.
func ParseAmount(field, s string, c money.Currency) (int64, error) {
	n, err := ParseSignedAmount(field, s, c)
	if err == nil && n < 0 {
		err = FieldErrorf(field, "must not be negative")
	}
	return n, err
}

// ParseSignedAmount is ParseAmount of what may be below 0, such as an adjustment.
func ParseSignedAmount(field, s string, c money.Currency) (int64, error) {
	return parseExact(field, s, c.Digits(), money.Format(1250, c))
}

// ParseCurrency reads an ISO 4217 code; the error names the field.
func ParseCurrency(field, code string) (money.Currency, error) {
	c, err := money.ParseCurrency(code)
	if err != nil {
		return "", FieldErrorf(field, "%v", err)
	}
	return c, nil
}

// FormatPercent writes 1250 as "12.50".
func FormatPercent(n int64) string { return money.FormatScaled(n, percentDigits) }

// FormatFlat writes 30000 as "3.00"; with more than two decimals only where they are needed.
func FormatFlat(n int64) string {
	if n%100 == 0 {
		return money.FormatScaled(n/100, 2)
	}
	return money.FormatScaled(n, flatDigits)
}
