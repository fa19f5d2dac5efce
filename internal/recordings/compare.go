package recordings

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Order is an order as GET /api/v1/orders/{store}/{external_id} answers it. It is declared here a second time, so that
// a field that the API renames by mistake shows as a difference.
type Order struct {
	Store         string      `json:"store"`
	ExternalID    string      `json:"external_id"`
	Number        string      `json:"number"`
	Status        string      `json:"status"`
	Currency      string      `json:"currency"`
	Value         string      `json:"value"`
	OriginalValue string      `json:"original_value"`
	Total         string      `json:"total"`
	Refunded      string      `json:"refunded"`
	Test          bool        `json:"test"`
	Codes         []string    `json:"codes"`
	Conversion    *Conversion `json:"conversion"`
	NotCredited   *string     `json:"not_credited"`
}

// Conversion is the credit of an order in that answer.
type Conversion struct {
	Campaign   string    `json:"campaign_name"`
	Creator    string    `json:"creator_name"`
	Offer      string    `json:"offer_name"`
	Method     string    `json:"method"`
	Code       string    `json:"code"` // empty for a link
	Link       string    `json:"link"` // empty for a code
	Approval   string    `json:"approval"`
	Currency   string    `json:"currency"`
	Commission string    `json:"commission"`
	Account    *struct{} `json:"account"` // nil: waits for an exchange rate
}

// Expected is what one order must show after all recordings of its set.
type Expected struct {
	ExternalID    string   `json:"external_id"`
	Number        string   `json:"number"`
	Status        string   `json:"status"`
	Currency      string   `json:"currency"`
	Value         string   `json:"value"`
	OriginalValue string   `json:"original_value"`
	Total         string   `json:"total"`
	Refunded      string   `json:"refunded"`
	Test          bool     `json:"test"`
	Credit        *Credit  `json:"credit"`
	NotCredited   *string  `json:"not_credited"`
	Files         []string `json:"files"`
	Compare       []string `json:"compare"` // the fields that count

	// More than one answer is defensible for some orders; these lists, where given, replace the single value.
	ValueAnyOf         []string `json:"value_any_of"`
	OriginalValueAnyOf []string `json:"original_value_any_of"`
	TotalAnyOf         []string `json:"total_any_of"`
	RefundedAnyOf      []string `json:"refunded_any_of"`
}

// Credit is whom an order must be credited to.
type Credit struct {
	Campaign   string `json:"campaign"`
	Creator    string `json:"creator"`
	Offer      string `json:"offer"`
	Method     string `json:"method"`
	Code       string `json:"code"`
	Slug       string `json:"slug"`
	Approval   string `json:"approval"` // empty: not compared
	Commission string `json:"commission"`
}

// By is the evidence in a few words: "code anna10", "link leo".
func (c Credit) By() string { return c.Method + " " + c.Code + c.Slug }

// By is the evidence in a few words.
func (c Conversion) By() string { return c.Method + " " + c.Code + c.Link }

// Differences says in what an order is not as expected, one sentence per field; none when all fits.
func (e Expected) Differences(got Order) []string {
	var d differences
	for _, field := range e.Compare {
		e.compare(field, got, &d)
	}
	return d
}

func (e Expected) compare(field string, got Order, d *differences) {
	switch field {
	case "status":
		d.add(field, got.Status, e.Status)
	case "currency":
		d.add(field, got.Currency, e.Currency)
	case "value":
		d.add(field, got.Value, either(e.Value, e.ValueAnyOf)...)
	case "original_value":
		d.add(field, got.OriginalValue, either(e.OriginalValue, e.OriginalValueAnyOf)...)
	case "total":
		d.add(field, got.Total, either(e.Total, e.TotalAnyOf)...)
	case "refunded":
		d.add(field, got.Refunded, either(e.Refunded, e.RefundedAnyOf)...)
	case "test":
		d.add(field, fmt.Sprint(got.Test), fmt.Sprint(e.Test))
	case "credit":
		e.compareCredit(got.Conversion, d)
	case "commission":
		d.add(field, commission(got.Conversion), e.commission())
	case "not_credited":
		d.add(field, orNothing(got.NotCredited), orNothing(e.NotCredited))
	default:
		d.add(field, "not compared: this program does not know the field", "a known field")
	}
}

func (e Expected) compareCredit(got *Conversion, d *differences) {
	want := e.Credit
	switch {
	case want == nil && got == nil:
		return
	case want == nil:
		d.add("credit", got.Creator+" by "+got.By(), nothing)
		return
	case got == nil:
		d.add("credit", nothing, want.Creator+" by "+want.By())
		return
	}
	d.add("campaign", got.Campaign, want.Campaign)
	d.add("creator", got.Creator, want.Creator)
	d.add("offer", got.Offer, want.Offer)
	d.add("method", got.Method, want.Method)
	d.add("code", affiliate.FoldCode(got.Code), affiliate.FoldCode(want.Code))
	d.add("link", got.Link, want.Slug)
	if want.Approval != "" {
		d.add("approval", got.Approval, want.Approval)
	}
}

func (e Expected) commission() string {
	if e.Credit == nil {
		return nothing
	}
	return e.Credit.Commission
}

func commission(c *Conversion) string {
	if c == nil {
		return nothing
	}
	return c.Commission
}

// nothing stands for null in a difference.
const nothing = "nothing"

func orNothing(s *string) string {
	if s == nil {
		return nothing
	}
	return *s
}

// either gives the choices of a field that allows several, else its one value.
func either(one string, choices []string) []string {
	if len(choices) > 0 {
		return choices
	}
	return []string{one}
}

type differences []string

func (d *differences) add(field, got string, want ...string) {
	if !slices.Contains(want, got) {
		*d = append(*d, fmt.Sprintf("%s: got %s, want %s", field, got, strings.Join(want, " or ")))
	}
}

// UnmarshalJSON refuses a list of choices that Differences would not look at.
func (e *Expected) UnmarshalJSON(text []byte) error {
	type plain Expected
	if err := json.Unmarshal(text, (*plain)(e)); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name := range fields {
		if strings.HasSuffix(name, "_any_of") && !slices.Contains([]string{"value_any_of", "original_value_any_of",
			"total_any_of", "refunded_any_of"}, name) {
			return fmt.Errorf("order %s: %q is not understood", e.ExternalID, name)
		}
	}
	return nil
}
