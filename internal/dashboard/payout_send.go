package dashboard

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// shownPayees bounds how many of those who are paid, and of those who are not, one page names.
const shownPayees = 200

// sendPage shows whom a payment would pay, and how, and asks once whether it shall be sent.
type sendPage struct {
	layout
	Whom   []hiddenField // of whom it is, as the form says it again
	Who    string        // in words: "everybody to whom something is due"
	Offers []choice      // to choose from, unless some creators were selected
	Offer  string
	Until  string // the last day that is paid; empty: all
	Today  string

	Pay      []sendLine // as many as are shown
	MorePay  string     // what the others are, with their sum; empty for nobody
	Count    int64      // of all that are paid
	Sum      string     // of all that are paid, by currency
	Sums     []app.PayoutSum
	LeftOut  []sendLine
	MoreLeft int64
	LeftSums []app.LeftOutSum
	Missing  []hiddenField // those without payment details, for a mail
	MayMail  bool
	Methods  []app.MethodChoice

	Changed int    // lines whose amount is another one than was seen
	Gone    string // who was seen and is not paid any more; empty for nobody
	Was     string // what the sum was, where it is another one by now; empty: it is the same
	Altered bool   // the form asks for something else than the page showed

	Back      string
	Form      string // tells this form from others: it sends once
	Expect    string // of the preview
	Choices   string // of the form as it was shown
	Elsewhere bool
	Excluded  []hiddenField // who is left out by hand, and is not shown
	Method    string        // as it was typed, as all that follows
	Reference string
	PaidOn    string
	Note      string
	Tell      bool
	Errors    fieldErrors
}

// sendLine is one payee of a sendPage.
type sendLine struct {
	app.PayoutLine
	Value   string // what stands for it in the form
	Address string
	Was     string // the amount that was seen; empty where it is the same
}

// sending is what a form asks to be paid.
type sending struct {
	app.NewPayoutRun
	whom    []hiddenField
	who     string
	back    string
	until   string
	choices string
	zone    *time.Location
	seen    map[string]int64 // amounts that were seen, by dueValue without the amount
	fixed   bool             // some creators were selected
	errs    fieldErrors
}

// sendPaymentPage shows what a payment would be; nothing is changed by it.
func (r *request) sendPaymentPage() error {
	in, err := r.sending()
	if err != nil {
		return err
	}
	p, err := r.previewPayment(in)
	if err != nil {
		return err
	}
	if errs := p.Errors; len(errs) > 0 {
		r.render(http.StatusUnprocessableEntity, "payouts_send.html", &p)
		return nil
	}
	return r.show("payouts_send.html", &p)
}

// sendPayment sends what the page has shown. Where something else is due by now, or the form asks for something else
// than was shown, nothing is sent: the page shows what it would be now, and asks again.
func (r *request) sendPayment() error {
	in, err := r.sending()
	if err != nil {
		return err
	}
	var failed error
	began := r.d.App.Now()
	altered := in.choices != r.field("choices")
	if !altered && len(in.errs) == 0 {
		in.Expect = r.field("expect")
		run, err := r.d.App.SendPayouts(r.Request.Context(), in.NewPayoutRun)
		if err == nil {
			return r.paymentSent(run, run.CreatedAt.Before(began.Add(-time.Second)))
		}
		failed = err
	}
	errs := in.errs
	if failed != nil {
		if errs, err = formErrors(failed); err != nil {
			return err
		}
	}
	p, err := r.previewPayment(in)
	if err != nil {
		return err
	}
	if altered && len(errs) == 0 {
		p.Altered = true
		return r.show("payouts_send.html", &p)
	}
	p.refused(errs, failed != nil && affiliate.KindOf(failed) == affiliate.Conflict, in.Expect)
	r.render(http.StatusUnprocessableEntity, "payouts_send.html", &p)
	return nil
}

// refused says why nothing was sent: at the fields, or above where it is about none of them. What was due has changed,
// which the page shows, where it is a conflict about that, or where something else is due than was expected.
func (p *sendPage) refused(errs fieldErrors, conflict bool, expect string) {
	changed := conflict && (errs["expect"] != "" || errs["payouts"] != "")
	if changed || expect != "" && p.Expect != expect {
		p.Errors = nil // the page says what differs
		p.Failure = "Something else is due by now than you have seen. Nothing was sent; look at what differs, then " +
			"send it."
		return
	}
	p.Errors, p.Failure = errs, unseenError(errs, "until", "method", "reference", "paid_on", "note")
}

// sending reads whom the form or the address asks to pay, and how.
func (r *request) sending() (in sending, err error) {
	_, zone, err := r.d.App.DB.SavedAccount(r.Request.Context())
	if err != nil {
		return in, err
	}
	in.zone, in.seen, in.back = zone, map[string]int64{}, "/payouts"
	if err := r.whomToPay(&in); err != nil {
		return in, err
	}
	if in.until, in.Filter.Until, err = r.cutOff(zone); err != nil {
		if in.errs, err = formErrors(err); err != nil {
			return in, err
		}
	}
	for _, text := range r.either("shown") {
		seen, err := parseDue(text)
		if err != nil {
			return in, err
		}
		in.seen[dueValue(seen.Creator, seen.Currency, 0)] = *seen.Amount
	}
	if in.Exclude, err = affiliate.ParseIDs[affiliate.CreatorID]("exclude", "cre_", r.either("exclude")); err != nil {
		return in, err
	}
	slices.Sort(in.Exclude)
	in.Exclude = slices.Compact(in.Exclude)
	in.Rails = map[affiliate.PaymentMethod]affiliate.Rail{}
	for _, m := range affiliate.Words[affiliate.PaymentMethod]() {
		if rail := r.one("rail_" + string(m)); rail != "" {
			in.Rails[m] = affiliate.Rail(rail)
		}
	}
	in.Elsewhere = r.one("how") == "elsewhere"
	if in.Elsewhere {
		in.Method, in.Reference, in.PaidOn = r.one("method"), r.one("reference"), r.one("paid_on")
	}
	in.Note, in.Tell, in.Form = r.one("note"), r.one("tell") != "", r.one("form")
	in.About, in.choices = in.who, choicesOf(in, in.Rails)
	if was := r.one("choices"); was != "" && was != in.choices {
		clear(in.seen) // something else is asked for now: that it differs is no news
	}
	return in, nil
}

// choicesOf tells apart forms that would pay others, otherwise, or until another day.
func choicesOf(in sending, rails map[affiliate.PaymentMethod]affiliate.Rail) string {
	hash := sha256.New()
	fmt.Fprintln(hash, in.until, in.Elsewhere, in.Exclude)
	for _, f := range in.whom {
		value := f.Value
		if f.Name == "ids" { // without the amount
			value = value[:strings.LastIndexByte(value, '.')]
		}
		fmt.Fprintln(hash, f.Name, value)
	}
	if !in.Elsewhere {
		for _, m := range slices.Sorted(maps.Keys(rails)) {
			fmt.Fprintln(hash, m, rails[m])
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// cutOff reads the last day that is paid; what was posted later waits.
func (r *request) cutOff(zone *time.Location) (day string, until time.Time, err error) {
	day = r.one("until")
	today := affiliate.Day(r.d.App.Now(), zone)
	if day == "" || day == today {
		return "", until, nil
	}
	begin, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return day, until, affiliate.FieldErrorf("until", "%q is not a day; it looks like 2026-11-29",
			affiliate.Clip(day, 40))
	}
	if day > today {
		return day, until, affiliate.FieldErrorf("until", "must be today (%s) or an earlier day", today)
	}
	return day, time.Date(begin.Year(), begin.Month(), begin.Day()+1, 0, 0, 0, 0, zone), nil
}

// whomToPay reads of whom the payment is: payments due that were ticked, creators, or all that a filter keeps.
func (r *request) whomToPay(in *sending) error {
	ids := r.either("ids")
	members := r.one("all") != "" || len(ids) > 0 && strings.HasPrefix(ids[0], "ofm_")
	switch {
	case len(r.either("creators")) > 0 || members:
		return r.creatorsToPay(in, members)
	case len(ids) > 0:
		return r.duesToPay(in, ids)
	}
	in.All = true
	values := url.Values{}
	for _, name := range []string{"campaign", "offer", "currency", "q"} {
		if v := r.one(name); v != "" {
			values.Set(name, v)
			in.whom = append(in.whom, hiddenField{name, v})
		}
	}
	q := filters.New(r.Request.Context(), r.d.App.DB, values, in.zone)
	in.Filter = q.Due()
	if err := q.Err(); err != nil {
		return err
	}
	if len(values) > 0 {
		in.back += "?" + values.Encode()
	}
	return r.saidFilter(in)
}

// saidFilter says in words whom a filter keeps.
func (r *request) saidFilter(in *sending) error {
	ctx, f := r.Request.Context(), in.Filter
	var of []string
	if f.Campaign != 0 {
		c, err := r.d.App.DB.Campaign(ctx, f.Campaign)
		if err != nil {
			return err
		}
		of = append(of, c.Name)
	}
	if f.Offer != 0 {
		o, err := r.d.App.DB.Offer(ctx, f.Offer)
		if err != nil {
			return err
		}
		of = append(of, o.Name)
	}
	in.who = "everybody to whom something is due"
	if len(of) > 0 {
		in.who = "creators of " + strings.Join(of, " · ")
	}
	if f.Currency != "" {
		in.who += ", in " + f.Currency.Code()
	}
	if f.Search != "" {
		in.who += ", found by “" + f.Search + "”"
	}
	return nil
}

// duesToPay takes payments due that were ticked, with the amounts that were seen.
func (r *request) duesToPay(in *sending, texts []string) error {
	in.Able, in.fixed = true, true
	for _, text := range texts {
		p, err := parseDue(text)
		if err != nil {
			return err
		}
		in.whom = append(in.whom, hiddenField{"ids", text})
		in.seen[dueValue(p.Creator, p.Currency, 0)] = *p.Amount
		in.Payouts = append(in.Payouts, app.NewPayout{Creator: p.Creator, Currency: p.Currency})
	}
	in.who = counted(int64(len(texts)), "payment", "payments") + " that were selected"
	return nil
}

// creatorsToPay takes creators that were selected: by their ids, or as members of an offer. They are paid all that is
// due to them.
func (r *request) creatorsToPay(in *sending, members bool) error {
	ctx := r.Request.Context()
	in.All, in.fixed = true, true
	ids, err := affiliate.ParseIDs[affiliate.CreatorID]("creators", "cre_", r.either("creators"))
	if err != nil {
		return err
	}
	if members {
		offer, err := affiliate.ParseID[affiliate.OfferID]("off_", r.one("offer"))
		if err != nil {
			return affiliate.AboutField("offer", err)
		}
		o, err := r.d.App.DB.Offer(ctx, offer)
		if err != nil {
			return err
		}
		places, err := r.placesOf(o)
		if err != nil {
			return err
		}
		chosen, err := r.placedCreators(o, places)
		if err != nil {
			return err
		}
		ids = append(ids, chosen...)
		in.back = back(r.field("back"), offerAddress(o))
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > app.MaxNamed {
		return affiliate.FieldErrorf("creators",
			"more than %s creators cannot be selected at once; pay the whole offer", countText(app.MaxNamed))
	}
	in.Filter.Creators = ids
	for _, id := range ids {
		in.whom = append(in.whom, hiddenField{"creators", id.String()})
	}
	in.who = counted(int64(len(ids)), "creator", "creators") + " that were selected"
	if len(ids) == 1 {
		c, err := r.d.App.DB.Creator(ctx, ids[0])
		if err != nil {
			return err
		}
		in.who = c.Name
		if !members {
			in.back = creatorAddress(c.ID)
		}
	}
	return nil
}

// placedCreators gives the creators of members of an offer, also of those who left it: they may still be owed
// something.
func (r *request) placedCreators(o affiliate.Offer,
	places []affiliate.OfferMemberID) ([]affiliate.CreatorID, error) {
	list, err := storage.All(func(p storage.Page) ([]affiliate.OfferMember, string, error) {
		return r.d.App.DB.OfferMembers(r.Request.Context(), storage.OfferMemberFilter{Offer: o.ID}, p)
	})
	if err != nil {
		return nil, err
	}
	of := make(map[affiliate.OfferMemberID]affiliate.CreatorID, len(list))
	for _, m := range list {
		of[m.ID] = m.CreatorID
	}
	creators := make([]affiliate.CreatorID, len(places))
	for i, id := range places {
		if creators[i] = of[id]; creators[i] == 0 {
			return nil, affiliate.FieldErrorf("ids", "%s is no member of %s; open its page and select again", id,
				o.Name)
		}
	}
	return creators, nil
}

// previewPayment makes the page of what would be paid now.
func (r *request) previewPayment(in sending) (p sendPage, err error) {
	today := affiliate.Day(r.d.App.Now(), in.zone)
	p = sendPage{layout: r.layout("Send payment", "payouts"), Whom: in.whom, Who: in.who, Until: in.until, Today: today,
		Back: in.back, Form: cmp.Or(in.Form, rand.Text()), Elsewhere: in.Elsewhere, Method: in.Method,
		Reference: in.Reference, PaidOn: cmp.Or(in.PaidOn, today), Note: in.Note, Tell: in.Tell,
		MayMail: r.may(affiliate.MayChangeCatalog)}
	p.Tell = p.Tell || in.Form == ""
	if _, typed := r.GetPostForm("reference"); !typed {
		p.Reference = "Payouts " + today
	}
	p.Errors = in.errs
	if err := r.offersToPay(&p, in); err != nil {
		return p, err
	}
	preview, err := r.d.App.PreviewPayouts(r.Request.Context(), in.NewPayoutRun)
	if err != nil {
		return p, err
	}
	p.Expect, p.Methods, p.Sums, p.LeftSums = preview.Fingerprint, preview.Methods, preview.Sums, preview.LeftSums
	p.Count = int64(len(preview.Pay))
	p.Sum = sumOf(preview.Totals, func(s app.PayoutSum) (int64, money.Currency) { return s.Amount, s.Currency })
	rails := map[affiliate.PaymentMethod]affiliate.Rail{}
	for _, m := range p.Methods {
		rails[m.Method] = m.Rail
	}
	p.Choices = choicesOf(in, rails)
	r.paidLines(&p, in, preview)
	r.leftLines(&p, in, preview)
	if was := r.one("sum"); was != "" && was != r.said(p.summary()) && r.one("choices") == in.choices {
		p.Was = was
	}
	p.Gone, err = r.gone(in, preview)
	return p, err
}

// Summary is what the form says it has shown.
func (p sendPage) Summary() string { return p.summary() }

func (p sendPage) summary() string {
	if p.Count == 0 {
		return ""
	}
	return counted(p.Count, "payment", "payments") + ", " + p.Sum
}

// MissingCount is how many have no payment details.
func (p sendPage) MissingCount() int64 { return int64(len(p.Missing)) }

// Button is what the one button says.
func (p sendPage) Button() string {
	verb := "Send "
	if p.Elsewhere {
		verb = "Record "
	}
	return verb + counted(p.Count, "payment", "payments") + ": " + p.Sum
}

// offersToPay are the active offers that a payment may be narrowed to.
func (r *request) offersToPay(p *sendPage, in sending) error {
	if in.fixed {
		return nil
	}
	offers, err := storage.All(func(page storage.Page) ([]affiliate.Offer, string, error) {
		return r.d.App.DB.Offers(r.Request.Context(), in.Filter.Campaign, page)
	})
	if err != nil {
		return err
	}
	if in.Filter.Offer != 0 {
		p.Offer = in.Filter.Offer.String()
	}
	for _, o := range offers {
		if o.Status == affiliate.OfferActive || o.ID == in.Filter.Offer {
			p.Offers = append(p.Offers, choice{o.ID.String(), o.Name})
		}
	}
	p.Whom = slices.DeleteFunc(slices.Clone(p.Whom), func(f hiddenField) bool { return f.Name == "offer" })
	return nil
}

// paidLines fills in who is paid: those with the largest amounts where there are many.
func (r *request) paidLines(p *sendPage, in sending, preview app.PayoutPreview) {
	list := slices.Clone(preview.Pay)
	if len(list) > shownPayees {
		slices.SortStableFunc(list, func(a, b app.PayoutLine) int {
			return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(b.Amount, a.Amount))
		})
		p.MorePay = counted(int64(len(list)-shownPayees), "more payment", "more payments") + ", " +
			sumOf(list[shownPayees:], func(l app.PayoutLine) (int64, money.Currency) { return l.Amount, l.Currency })
	}
	now := map[string]int64{}
	for i, l := range list {
		key := dueValue(l.CreatorID, l.Currency, 0)
		now[key] = l.Amount
		line := sendLine{PayoutLine: l, Value: dueValue(l.CreatorID, l.Currency, l.Amount),
			Address: creatorAddress(l.CreatorID)}
		if was, seen := in.seen[key]; seen && was != l.Amount {
			line.Was = moneyText(was, l.Currency)
			p.Changed++
		}
		if i < shownPayees {
			p.Pay = append(p.Pay, line)
		}
	}
	for i, f := range p.Whom { // what is ticked is of what was seen now
		if f.Name == "ids" {
			if seen, err := parseDue(f.Value); err == nil {
				if amount, due := now[dueValue(seen.Creator, seen.Currency, 0)]; due {
					p.Whom[i].Value = dueValue(seen.Creator, seen.Currency, amount)
				}
			}
		}
	}
}

// leftLines fills in who is not paid; who was left out by hand comes first.
func (r *request) leftLines(p *sendPage, in sending, preview app.PayoutPreview) {
	list := slices.Clone(preview.LeftOut)
	rank := map[affiliate.LeftOut]int{affiliate.LeftExcluded: -3, affiliate.LeftNoMethod: -2, affiliate.LeftHeld: -1}
	slices.SortStableFunc(list, func(a, b app.PayoutLine) int { return cmp.Compare(rank[a.Reason], rank[b.Reason]) })
	shown := map[affiliate.CreatorID]bool{}
	missing := map[affiliate.CreatorID]bool{}
	for i, l := range list {
		if i < shownPayees {
			p.LeftOut = append(p.LeftOut, sendLine{PayoutLine: l, Address: creatorAddress(l.CreatorID),
				Value: l.CreatorID.String()})
			shown[l.CreatorID] = shown[l.CreatorID] || l.Reason == affiliate.LeftExcluded
		}
		if l.Reason == affiliate.LeftNoMethod && !missing[l.CreatorID] {
			missing[l.CreatorID] = true
			p.Missing = append(p.Missing, hiddenField{"ids", l.CreatorID.String()})
		}
	}
	p.MoreLeft = int64(len(list) - len(p.LeftOut))
	for _, id := range in.Exclude {
		if !shown[id] {
			p.Excluded = append(p.Excluded, hiddenField{"exclude", id.String()})
		}
	}
}

// fewGone is how many of those who are not paid any more are named.
const fewGone = 5

// gone names who was seen to be paid and is not due any more.
func (r *request) gone(in sending, preview app.PayoutPreview) (string, error) {
	left := maps.Clone(in.seen)
	for _, list := range [][]app.PayoutLine{preview.Pay, preview.LeftOut} {
		for _, l := range list {
			delete(left, dueValue(l.CreatorID, l.Currency, 0))
		}
	}
	var names []string
	for _, key := range slices.Sorted(maps.Keys(left)) {
		if len(names) == fewGone {
			break
		}
		was, err := parseDue(key)
		if err != nil {
			return "", err
		}
		c, err := r.d.App.DB.Creator(r.Request.Context(), was.Creator)
		if affiliate.KindOf(err) == affiliate.NotFound {
			continue
		}
		if err != nil {
			return "", err
		}
		names = append(names, fmt.Sprintf("%s (%s)", c.Name, moneyText(left[key], was.Currency)))
	}
	if more := len(left) - len(names); more > 0 && len(names) > 0 {
		names = append(names, countText(more)+" more")
	}
	return strings.Join(names, ", "), nil
}

// paymentSent leads to what was sent; before says that it was by an earlier use of the same form.
func (r *request) paymentSent(b affiliate.PayoutRun, before bool) error {
	run, err := r.d.App.DB.PayoutRun(r.Request.Context(), b.ID)
	if err != nil {
		return err
	}
	address, sums := payoutRunAddress(b.ID), payoutSumsOf(run.Sums)
	if before || sums.Canceled > 0 {
		return r.done(address, "This form was used before, and has made this run. Nothing was sent now: begin anew at "+
			"the payments due.")
	}
	said := counted(int64(run.Payouts), "payment", "payments") + ", " + sums.Sums
	parts, err := r.d.App.DB.PayoutParts(r.Request.Context(), b.ID)
	if err != nil {
		return err
	}
	switch {
	case len(parts) == 0:
		return r.done(address, "Recorded: "+said+".")
	case slices.ContainsFunc(parts, func(p affiliate.PayoutPart) bool { return p.Rail.ByFile() }):
		return r.done(address, "Confirmed: "+said+". Download the files, and hand them to your bank or provider.")
	}
	return r.done(address, "Confirmed: "+said+". It is being sent.")
}
