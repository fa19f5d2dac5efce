package woocommerce

import (
	"html"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// erasedEmail is what WooCommerce writes over a customer's address when personal data is erased.
const erasedEmail = "deleted@site.invalid"

// Longest texts kept; WooCommerce's own columns are shorter. An e-mail address has at most 254 characters.
const (
	maxCode   = 255
	maxCodes  = 100
	maxStatus = 40
	maxNumber = 64
	maxEmail  = 254
)

// isDraft says whether an order with this status is none yet. Drafts are announced under order.created all the same,
// for example when the store's REST API has refused an order.
func isDraft(status string) bool {
	switch status {
	case "checkout-draft", "auto-draft", "draft", "new":
		return true
	}
	return false
}

// storeStatus is what a status means for money (src/Enums/OrderStatus.php). processing and completed prove no payment:
// cash on delivery is processing at once. date_paid proves none either outside these two, since it is never cleared.
func storeStatus(status string, paid bool) affiliate.StoreStatus {
	switch status {
	case "processing", "completed":
		if paid {
			return affiliate.StorePaid
		}
		return affiliate.StorePending
	case "pending", "on-hold":
		return affiliate.StorePending
	case "refunded":
		return affiliate.StoreRefunded
	case "failed":
		return affiliate.StoreFailed
	case "cancelled", "trash":
		return affiliate.StoreCanceled
	}
	return affiliate.StoreCustom
}

func (p *payload) orderID() (string, error) {
	if p.id == nil && p.legacy {
		return "", affiliate.FieldErrorf("id",
			"is missing: this is a payload of the Legacy REST API; "+apiVersionRemedy)
	}
	return readID("id", p.id)
}

// readID reads an id exactly; ids may exceed 2^53, so they never become floating-point numbers.
func readID(name string, t jsonwalk.Value) (string, error) {
	text, ok := scalar(t)
	if !ok && blank(t) {
		return "", missing(name)
	}
	if !ok {
		return "", wrongType(name, t, "a number")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return "", affiliate.FieldErrorf(name, "%q is no id; WooCommerce's are whole numbers from 1; "+
			"look for a plugin that changes webhook payloads", affiliate.Clip(text, 40))
	}
	return strconv.FormatInt(n, 10), nil
}

// rawStatus gives the status without the prefix "wc-", which it has in the database but not in payloads.
func (p *payload) rawStatus() (string, error) {
	if blank(p.status) {
		return "", missing("status")
	}
	if !p.status.IsText() {
		return "", wrongType("status", p.status, "a string")
	}
	status := strings.TrimPrefix(cleanText(p.status), "wc-")
	if status == "" {
		return "", missing("status")
	}
	return affiliate.Clip(status, maxStatus), nil
}

// snapshot turns a full order body into the order as of its modification time.
func (p *payload) snapshot(id, status string) (*affiliate.Snapshot, error) {
	r := new(reader)
	r.currency = r.readCurrency(p.currency, p.decimals())
	s := &affiliate.Snapshot{
		Number:        p.orderNumber(id),
		PlacedAt:      r.time("date_created_gmt", p.created),
		Version:       r.time("date_modified_gmt", p.modified).UnixMilli(),
		Currency:      r.currency,
		RawStatus:     status,
		PaymentDate:   !blank(p.paid) && !r.time("date_paid_gmt", p.paid).IsZero(),
		Total:         r.amount(place{field: "total"}, p.total),
		Parent:        p.parentID(),
		Marketplace:   p.splitOff(),
		Renewal:       p.renewal(),
		Rounded:       r.currency.Listed() && decimals(p.total) < r.currency.Digits(),
		Codes:         p.codes(),
		Country:       p.country(),
		CustomerEmail: p.email(),
	}
	goods := r.goods(p, s.Total)
	s.Merchandise, s.Stored = goods.merchandise, goods.stored
	s.Status = storeStatus(status, s.PaymentDate)
	if s.PaymentDate {
		s.Captured = max(0, s.Total+s.Stored)
	}
	s.Links = p.meta.evidence(s.PlacedAt)
	s.Refunds = r.refunds(p.refunds, s.Version, &goods)
	s.RefundsComplete = p.refunds.present
	for _, refund := range s.Refunds {
		s.RefundIDs = append(s.RefundIDs, refund.ID)
	}
	if r.err != nil {
		return nil, r.err
	}
	s.Hash = affiliate.HashOf(struct {
		Order   *affiliate.Snapshot `json:"order"`
		Refunds []affiliate.Refund  `json:"refunds"`
	}{s, s.Refunds})
	// The rows of refunds are no part of the hash: an order that was read with them is the state that webhooks tell of.
	for i, refund := range s.Refunds {
		if rows, ok := p.rows[refund.ID]; ok {
			s.Refunds[i] = r.byRows(refund, rows, s)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return s, nil
}

// reader reads the fields that must be right. The first error sticks.
type reader struct {
	currency money.Currency
	err      error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// readCurrency reads the order's currency. One outside ISO 4217, which plugins add, is kept with the decimals shown.
func (r *reader) readCurrency(t jsonwalk.Value, decimals int) money.Currency {
	text, ok := scalar(t)
	switch {
	case blank(t):
		r.fail(missing("currency"))
		return ""
	case !ok:
		r.fail(wrongType("currency", t, "a string"))
		return ""
	}
	currency, err := money.OrderCurrency(text, decimals)
	if err != nil {
		r.fail(affiliate.FieldErrorf("currency", "%v; correct the store's currency (WooCommerce > Settings > General)",
			err))
	}
	return currency
}

// decimals is the most that any amount of the order shows.
func (p *payload) decimals() int {
	most := decimals(p.total)
	for _, rows := range []rowList{p.lines, p.fees, p.shippingLines} {
		for _, row := range rows.rows {
			most = max(most, decimals(row.total))
		}
	}
	return most
}

func decimals(t jsonwalk.Value) int {
	_, fraction, _ := strings.Cut(text(t), ".")
	return len(fraction)
}

// time reads one of the *_gmt dates, which are UTC without saying so. A trailing Z is accepted.
func (r *reader) time(name string, t jsonwalk.Value) time.Time {
	if blank(t) {
		r.fail(missing(name))
		return time.Time{}
	}
	if !t.IsText() {
		r.fail(wrongType(name, t, "a string"))
		return time.Time{}
	}
	at, err := time.Parse(gmtLayout, strings.TrimSuffix(t.Text(), "Z"))
	if err != nil || at.Year() < 1970 {
		r.fail(affiliate.FieldErrorf(name, "%q is no date such as 2026-11-21T03:08:13; "+apiVersionRemedy,
			affiliate.Clip(t.Text(), 40)))
		return time.Time{}
	}
	return at
}

// place names a field, or a field of an element of a list; its name is only put together for an error.
type place struct {
	list  string
	index int
	field string
}

func (p place) String() string {
	if p.list == "" {
		return p.field
	}
	return p.list + "[" + strconv.Itoa(p.index) + "]." + p.field
}

// amount reads money from the digits as they stand in the body. How many decimals there are is a setting of the store
// at the time the payload is built, not a matter of the currency.
func (r *reader) amount(at place, t jsonwalk.Value) int64 { return r.exact(at, t).Round() }

// exact reads money with all its digits, to be added up.
func (r *reader) exact(at place, t jsonwalk.Value) money.Sum {
	if r.err != nil {
		return money.Sum{}
	}
	text, ok := scalar(t)
	switch {
	case blank(t):
		r.fail(missing(at.String()))
		return money.Sum{}
	case !ok:
		r.fail(wrongType(at.String(), t, `a decimal such as "12.50"`))
		return money.Sum{}
	}
	n, err := money.ParseSum(text, r.currency)
	if err != nil {
		r.fail(affiliate.FieldErrorf(at.String(), `%v; WooCommerce writes amounts such as "12.50": look for a plugin that `+
			"changes webhook payloads", err))
		return money.Sum{}
	}
	return n
}

// refunds reads what the order body tells of its refunds, {"id","reason","total":"-5.00","total_tax"}: no lines, no
// date, no gateway answer. The list is complete. Its order is not stable (refunds of one second change places), so it
// is sorted by id, as text like all of a snapshot's refund ids.
func (r *reader) refunds(l refundList, version int64, goods *goods) []affiliate.Refund {
	if !l.present && !blank(l.instead) {
		r.fail(wrongType("refunds", l.instead, "a list"))
	}
	if len(l.refunds) == 0 {
		return nil
	}
	refunds := make([]affiliate.Refund, 0, len(l.refunds))
	for i, line := range l.refunds {
		if !line.shell() {
			refunds = append(refunds, r.refund(i, line, version, goods))
		}
	}
	slices.SortFunc(refunds, func(a, b affiliate.Refund) int { return strings.Compare(a.ID, b.ID) })
	for i := 1; i < len(refunds); i++ {
		if refunds[i].ID == refunds[i-1].ID {
			r.fail(affiliate.FieldErrorf("refunds",
				"lists refund %s twice; look for a plugin that changes webhook payloads", refunds[i].ID))
		}
	}
	return refunds
}

// shell says whether this is what is left of a deleted refund: {"id":0,"reason":"","total":"-0.00"}.
func (l refundLine) shell() bool {
	return text(l.id) == "0" && strings.Trim(text(l.total), "-+0.") == ""
}

// refund looks among the order's own rows for those that the refund is for. Where they cannot be told, a refund with
// tax was made by lines, and its merchandise is what remains without the tax; one without tax is an amount.
func (r *reader) refund(i int, line refundLine, version int64, goods *goods) affiliate.Refund {
	id, err := readID(place{"refunds", i, "id"}.String(), line.id)
	if err != nil {
		r.fail(err)
	}
	amount := r.amount(place{"refunds", i, "total"}, line.total)
	if amount > 0 {
		r.fail(affiliate.FieldErrorf(place{"refunds", i, "total"}.String(),
			"is positive; WooCommerce writes refunds in an "+
				"order as negative amounts: look for a plugin that changes webhook payloads"))
	}
	var tax int64
	if !blank(line.tax) {
		tax = r.amount(place{"refunds", i, "total_tax"}, line.tax)
	}
	amount, tax = -amount, max(tax, -tax)
	refund := affiliate.Refund{
		ID: id, Version: version, Status: affiliate.RefundSettled, Currency: r.currency, Amount: amount,
	}
	if r.err != nil || amount == 0 {
		return refund
	}
	merchandise, found := goods.rowsOf(amount, tax)
	switch {
	case found:
		refund.ByLines, refund.Lines = true, max(0, merchandise)
	case tax != 0:
		refund.ByLines, refund.Lines, refund.Unclear = true, max(0, amount-tax), goods.others
	default:
		refund.Unclear = goods.merchandise != goods.paid
	}
	return refund
}

// orderNumber is the number that people see; plugins change it.
func (p *payload) orderNumber(id string) string {
	if number := cleanText(p.number); number != "" {
		return affiliate.Clip(number, maxNumber)
	}
	return id
}

// codes are the coupon codes on the order. WooCommerce writes them in lower case and HTML-escaped: R&B10 comes as
// r&amp;b10 (includes/wc-formatting-functions.php wc_sanitize_coupon_code).
func (p *payload) codes() []string {
	var codes []string
	for _, c := range p.coupons {
		code := strings.TrimSpace(html.UnescapeString(cleanText(c.code)))
		if code != "" && utf8.RuneCountInString(code) <= maxCode && len(codes) < maxCodes &&
			!slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

func (p *payload) country() string {
	for _, t := range []jsonwalk.Value{p.billing.country, p.shipping.country} {
		if code := strings.ToUpper(cleanText(t)); isCountry(code) {
			return code
		}
	}
	return ""
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

func (p *payload) email() string {
	email := cleanText(p.billing.email)
	if len(email) > maxEmail || p.erased() {
		return ""
	}
	return email
}

// erased says whether the store has erased the customer's personal data in this order. Nothing else tells of that.
func (p *payload) erased() bool { return strings.EqualFold(cleanText(p.billing.email), erasedEmail) }

// cleanText reads an optional text: without control characters (PostgreSQL keeps no NUL, and none belongs here) and
// without white space around it. It is empty for what is no text.
func cleanText(t jsonwalk.Value) string {
	s := text(t)
	if strings.IndexFunc(s, isControl) >= 0 {
		s = strings.Map(func(r rune) rune {
			if isControl(r) {
				return -1
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
