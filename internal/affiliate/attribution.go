package affiliate

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AttributionRules is the version of the rules below. It is written into every trace.
const AttributionRules = 2

// Reasons why an order is not credited, or why a candidate lost.
const (
	ReasonNoEvidence = "no_evidence" // no coupon code and no trace of a link
	ReasonNoOwner    = "no_owner"    // a code or slug that nobody owned when the order was placed
	ReasonTest       = "test"        // test orders count nowhere
	ReasonPart       = "part"        // a part of another order, which is credited in its place
	// of a subscription: link evidence is the first order's; or by the account's setting
	ReasonRenewal         = "renewal"
	ReasonLateClick       = "late_click" // the click is older than the attribution window
	ReasonClickAfterOrder = "click_after_order"
	ReasonLinkEnded       = "link_ended"
	ReasonOfferPaused     = "offer_paused"
	ReasonOfferExpired    = "offer_expired"
	ReasonOfferArchived   = "offer_archived"
	ReasonMemberInactive  = "member_inactive" // not (or no longer) promoting the offer, or removed
	ReasonBeforeStart     = "before_start"    // the campaign had not begun
	ReasonAfterEnd        = "after_end"       // the campaign was over
	reasonOutranked       = "outranked"       // a stronger candidate won
)

// HeldSelfReferral is why a conversion is held: the customer has the creator's own e-mail address.
const HeldSelfReferral = "self_referral"

// Method is by what an order was credited.
type Method string

const (
	ByCode Method = "code"
	ByLink Method = "link"
)

// Words lists the methods there are.
func (Method) Words() []Method { return []Method{ByCode, ByLink} }

// Precedence says what wins when an order has both a code and a link.
type Precedence string

const (
	CodeFirst Precedence = "code_first"
	LinkFirst Precedence = "link_first"
)

// Words lists the rules there are.
func (Precedence) Words() []Precedence { return []Precedence{CodeFirst, LinkFirst} }

// ClickRule says which of several clicks wins.
type ClickRule string

const (
	LastClick  ClickRule = "last_click"
	FirstClick ClickRule = "first_click"
)

// Words lists the rules there are.
func (ClickRule) Words() []ClickRule { return []ClickRule{LastClick, FirstClick} }

// Bounds and default of the attribution window, in days.
const (
	MinWindowDays     = 1
	MaxWindowDays     = 365
	DefaultWindowDays = 30
)

// Membership is what attribution must know of an offer member: a creator in an offer of a campaign.
type Membership struct {
	OfferMemberID OfferMemberID `json:"offer_member"`
	OfferID       OfferID       `json:"offer_id"`
	CampaignID    CampaignID    `json:"campaign_id"`
	CreatorID     CreatorID     `json:"creator_id"`
	Offer         string        `json:"offer"`
	Campaign      string        `json:"campaign"`
	Creator       string        `json:"creator"`
	OfferStatus   OfferStatus   `json:"offer_status"`
	StatusSince   time.Time     `json:"status_since,omitzero"` // since when the offer has that status
	InactiveSince time.Time     `json:"inactive,omitzero"`     // left the offer, the campaign or the community
	StartsAt      time.Time     `json:"starts,omitzero"`       // of the campaign
	EndsAt        time.Time     `json:"ends,omitzero"`         // of the campaign; the first moment that no longer counts
	WindowDays    int           `json:"window_days"`
	Precedence    Precedence    `json:"precedence"`
	ClickRule     ClickRule     `json:"click_rule"`
	EmailHash     string        `json:"-"`
	// Rule is what they earn of the order that is judged. Of a batch it follows from the rules of offer and member by
	// when each order was placed; where OfferRules are not given, Rule is that of all orders.
	Rule        Rule            `json:"rule"`
	OfferRules  CommissionRules `json:"-"`
	MemberRules CommissionRules `json:"-"`
}

// of is the membership as it is for an order placed at a time.
func (m Membership) of(placed time.Time) *Membership {
	if m.OfferRules != nil {
		m.Rule = RuleAt(m.OfferRules, m.MemberRules, placed)
		m.OfferRules, m.MemberRules = nil, nil
	}
	return &m
}

// CodeOwner is one interval of ownership of a code in a store: [From, Until), open where zero.
type CodeOwner struct {
	CodeID CodeID
	Code   string // as people write it
	From   time.Time
	Until  time.Time
	Membership
}

// LinkOwner is a link and whom it belongs to.
type LinkOwner struct {
	LinkID  LinkID
	Slug    string
	EndedAt time.Time
	Membership
}

// Click is one use of a link that we recorded.
type Click struct {
	ID   string
	Slug string
	At   time.Time
}

// Candidates is what is known about the evidence on an order: fetched for many orders at once.
type Candidates struct {
	Codes  map[string][]CodeOwner // by folded code, all intervals
	Links  map[string]LinkOwner   // by slug
	Clicks map[string]Click       // by click id
	// Renewals is the account's rule for renewals of subscriptions; empty is RenewalsOwnCode.
	Renewals RenewalRule
}

// Verdict is the answer to "whose sale is this, and why".
type Verdict struct {
	// Winner is nil when the order is not credited; Reason then says why.
	Winner *Credit
	Reason string
	Trace  Trace
}

// Credit names who gets an order and by what.
type Credit struct {
	Method     Method
	CodeID     CodeID
	LinkID     LinkID
	ClickID    string
	Evidence   string // the code as its owner writes it, or the link's slug
	Ambiguous  bool   // several owned codes on the order: for review
	HeldReason string // not empty: the conversion is held
	Membership
}

// Trace explains a verdict to machines and people. It holds the facts that the verdict was made from, so that Replay
// gives the same verdict without a database.
type Trace struct {
	Rules      int              `json:"rules"`
	PlacedAt   time.Time        `json:"placed_at"`
	Test       bool             `json:"test,omitempty"`
	Part       bool             `json:"part,omitempty"`
	Renewal    RenewalRule      `json:"renewal,omitempty"` // the rule, where the order is a renewal
	Candidates []TraceCandidate `json:"candidates,omitempty"`
	Winner     int              `json:"winner"` // index into Candidates; -1 for none
	Reason     string           `json:"reason,omitempty"`
	Held       string           `json:"held,omitempty"`
	Ambiguous  bool             `json:"ambiguous,omitempty"`
}

// TraceCandidate is one piece of evidence on the order with what was known about it.
type TraceCandidate struct {
	Method Method           `json:"method"`
	Value  string           `json:"value"` // the code or slug or click id as found on the order
	Kind   LinkEvidenceKind `json:"kind,omitempty"`
	Source string           `json:"source,omitempty"`
	At     time.Time        `json:"at,omitzero"` // of the click or visit
	// What was known: zero when nobody owned it.
	CodeID  CodeID      `json:"code_id,omitempty"`
	LinkID  LinkID      `json:"link_id,omitempty"`
	ClickID string      `json:"click_id,omitempty"`
	Name    string      `json:"name,omitempty"` // the code or slug as its owner writes it
	From    time.Time   `json:"from,omitzero"`
	Until   time.Time   `json:"until,omitzero"`
	Self    bool        `json:"self,omitempty"` // the customer has the owner's e-mail address
	Owner   *Membership `json:"owner,omitempty"`
	Lost    string      `json:"lost,omitempty"` // reason code; empty for the winner
}

// Attribute decides whose sale an order is. It is pure: the same order and candidates give the same verdict.
func Attribute(o OrderView, known Candidates) Verdict {
	t := Trace{Rules: AttributionRules, PlacedAt: o.PlacedAt, Test: o.Test, Part: o.Part}
	if o.Renewal {
		t.Renewal = cmp.Or(known.Renewals, RenewalsOwnCode)
	}
	for i, code := range o.Codes {
		if !slices.ContainsFunc(o.Codes[:i], func(c string) bool { return FoldCode(c) == FoldCode(code) }) {
			t.Candidates = append(t.Candidates, codeCandidate(o, code, known.Codes[FoldCode(code)]))
		}
	}
	for _, l := range o.Links {
		if c, ok := linkCandidate(o, l, known); ok && !repeatsLink(t.Candidates, c) {
			t.Candidates = append(t.Candidates, c)
		}
	}
	return t.decide()
}

// Replay decides again from the facts in the trace.
func (t Trace) Replay() Verdict {
	t.Candidates = slices.Clone(t.Candidates)
	return t.decide()
}

func codeCandidate(o OrderView, code string, intervals []CodeOwner) TraceCandidate {
	c := TraceCandidate{Method: ByCode, Value: code}
	for _, owner := range intervals {
		if !owner.From.After(o.PlacedAt) && (owner.Until.IsZero() || o.PlacedAt.Before(owner.Until)) {
			c.CodeID, c.Name, c.From, c.Until = owner.CodeID, owner.Code, owner.From, owner.Until
			c.Owner = owner.of(o.PlacedAt)
			c.Self = o.CustomerHash != "" && o.CustomerHash == owner.EmailHash
			break
		}
	}
	return c
}

// linkCandidate is false for a UTM value that names no link: campaigns of others carry such values all the time.
func linkCandidate(o OrderView, l LinkEvidence, known Candidates) (TraceCandidate, bool) {
	c := TraceCandidate{Method: ByLink, Value: l.Value, Kind: l.Kind, Source: l.Source, At: l.At.UTC()}
	slug := l.Value
	if l.Kind == EvidenceClick {
		click, ok := known.Clicks[l.Value]
		if !ok {
			return c, true
		}
		slug, c.ClickID, c.At = click.Slug, click.ID, click.At.UTC()
	}
	owner, ok := known.Links[slug]
	if !ok {
		return c, l.Kind != EvidenceUTM
	}
	c.LinkID, c.Name, c.Until, c.Owner = owner.LinkID, owner.Slug, owner.EndedAt, owner.of(o.PlacedAt)
	c.Self = o.CustomerHash != "" && o.CustomerHash == owner.EmailHash
	return c, true
}

// repeatsLink says whether the list has the same evidence already, or stronger evidence for the same link: a click id
// stands before the slug, and the slug before a UTM value. Two clicks of one link are two candidates.
func repeatsLink(list []TraceCandidate, c TraceCandidate) bool {
	return slices.ContainsFunc(list, func(o TraceCandidate) bool {
		same := o.Kind == c.Kind && o.Value == c.Value
		weaker := c.LinkID != 0 && c.LinkID == o.LinkID && c.Kind != EvidenceClick
		return o.Method == ByLink && (same || weaker)
	})
}

// decide judges every candidate by itself, then lets the precedence choose among those that may win.
func (t Trace) decide() Verdict {
	var codes, links []int
	for i := range t.Candidates {
		c := &t.Candidates[i]
		if c.Lost = c.refusal(t.PlacedAt); c.Lost == "" && t.Renewal != "" &&
			(c.Method == ByLink || t.Renewal == RenewalsFirstOnly) {
			c.Lost = ReasonRenewal
		}
		if c.Lost != "" {
			continue
		}
		if c.Method == ByCode {
			codes = append(codes, i)
		} else {
			links = append(links, i)
		}
	}
	winner, ambiguous := -1, false
	if len(codes) > 0 {
		winner = codes[0]
		ambiguous = slices.ContainsFunc(codes, func(i int) bool {
			return t.Candidates[i].Owner.OfferMemberID != t.Candidates[winner].Owner.OfferMemberID
		})
	}
	if link := t.bestLink(links); link >= 0 && (winner < 0 || t.Candidates[link].Owner.Precedence == LinkFirst) {
		winner, ambiguous = link, false
	}
	for _, i := range slices.Concat(codes, links) {
		if i != winner {
			t.Candidates[i].Lost = reasonOutranked
		}
	}
	t.Winner, t.Reason, t.Held, t.Ambiguous = winner, "", "", ambiguous
	switch {
	case t.Test:
		t.Winner, t.Ambiguous, t.Reason = -1, false, ReasonTest
	case t.Part:
		t.Winner, t.Ambiguous, t.Reason = -1, false, ReasonPart
	case winner < 0:
		t.Reason = t.refusal()
	case t.Candidates[winner].Self:
		t.Held = HeldSelfReferral
	}
	return Verdict{Winner: t.credit(), Reason: t.Reason, Trace: t}
}

// refusal says why the candidate may not win, or "".
func (c TraceCandidate) refusal(placed time.Time) string {
	m := c.Owner
	if m == nil {
		return ReasonNoOwner
	}
	switch {
	case placed.Before(m.StartsAt):
		return ReasonBeforeStart
	case !m.EndsAt.IsZero() && !placed.Before(m.EndsAt):
		return ReasonAfterEnd
	case m.OfferStatus != OfferActive && !placed.Before(m.StatusSince):
		return "offer_" + string(m.OfferStatus)
	case !m.InactiveSince.IsZero() && !placed.Before(m.InactiveSince):
		return ReasonMemberInactive
	}
	if c.Method == ByCode {
		return ""
	}
	visit := c.At
	if visit.IsZero() {
		visit = placed
	}
	switch {
	case visit.After(placed.Add(clickSkew)):
		return ReasonClickAfterOrder
	case !c.Until.IsZero() && !visit.Before(c.Until):
		return ReasonLinkEnded
	case visit.Before(placed.AddDate(0, 0, -m.WindowDays)):
		return ReasonLateClick
	}
	return ""
}

// clickSkew is how far a store's clock may run behind ours before a click counts as made after the order.
const clickSkew = 5 * time.Minute

// bestLink chooses among link candidates: the last click, or the first where the campaign of the last says so. Evidence
// without a time counts as a visit at the time of the order. Equal times: the order of the evidence.
func (t Trace) bestLink(links []int) int {
	if len(links) == 0 {
		return -1
	}
	when := func(i int) time.Time {
		if at := t.Candidates[i].At; !at.IsZero() {
			return at
		}
		return t.PlacedAt
	}
	sorted := slices.Clone(links)
	slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Or(when(b).Compare(when(a)), cmp.Compare(a, b)) })
	if t.Candidates[sorted[0]].Owner.ClickRule == FirstClick {
		earliest := sorted[0]
		for _, i := range sorted[1:] {
			if when(i).Before(when(earliest)) {
				earliest = i
			}
		}
		return earliest
	}
	return sorted[0]
}

// refusal gives the reason of the strongest candidate that somebody owns; then that of unowned evidence.
func (t Trace) refusal() string {
	reason := ReasonNoEvidence
	for _, c := range t.Candidates {
		if c.Owner != nil {
			return c.Lost
		}
		reason = c.Lost
	}
	return reason
}

func (t Trace) credit() *Credit {
	if t.Winner < 0 {
		return nil
	}
	c := t.Candidates[t.Winner]
	return &Credit{Method: c.Method, CodeID: c.CodeID, LinkID: c.LinkID, ClickID: c.ClickID, Evidence: c.Name,
		Ambiguous: t.Ambiguous, HeldReason: t.Held, Membership: *c.Owner}
}

// ReasonTitle says in a few words why an order is not credited.
func ReasonTitle(code string) string {
	words := map[string]string{ReasonNoEvidence: "No code and no link",
		ReasonNoOwner: "Its code or link belongs to nobody", ReasonTest: "A test order",
		ReasonPart: "Counted with its order", ReasonRenewal: "A renewal, whose link is that of the first order",
		ReasonLateClick: "The click was too long ago", ReasonClickAfterOrder: "The click came after the order",
		ReasonLinkEnded: "The link had ended", ReasonOfferPaused: "The offer was paused",
		ReasonOfferExpired: "The offer had expired", ReasonOfferArchived: "The offer was archived",
		ReasonMemberInactive: "The creator was inactive", ReasonBeforeStart: "Before the campaign began",
		ReasonAfterEnd: "After the campaign's end"}
	if text, ok := words[code]; ok {
		return text
	}
	return strings.ReplaceAll(code, "_", " ")
}

// Sentences explains the verdict in plain words: the decision first, then why each other candidate lost.
func (t Trace) Sentences() []string {
	var out []string
	switch {
	case t.Winner >= 0:
		c := t.Candidates[t.Winner]
		s := fmt.Sprintf("Credited to %s (%s, %s): %s.", c.Owner.Creator, c.Owner.Campaign, c.Owner.Offer,
			c.claim(t.PlacedAt))
		if t.Held != "" {
			s += " Held for review: the customer has the creator's own e-mail address."
		}
		if t.Ambiguous {
			s += " Several owned codes are on this order; the store's first one counts."
		}
		out = append(out, s)
	case t.Reason == ReasonTest:
		out = append(out, "Not credited: this is a test order, and test orders count nowhere.")
	case t.Reason == ReasonPart:
		out = append(out, "Not credited: this is a part of another order, which is credited in its place.")
	case t.Reason == ReasonNoEvidence:
		out = append(out, "Not credited: the order carries no coupon code and no trace of a link.")
	default:
		out = append(out, "Not credited: no code or link on this order may be credited.")
	}
	for i, c := range t.Candidates {
		if i != t.Winner {
			out = append(out, c.defeat(t))
		}
	}
	return out
}

func (c TraceCandidate) claim(placed time.Time) string {
	if c.Method == ByCode {
		if c.From.IsZero() {
			return fmt.Sprintf("code %s belongs to them", c.Name)
		}
		return fmt.Sprintf("code %s belongs to them since %s", c.Name, c.From.UTC().Format("2 January 2006"))
	}
	where := sourceText(c.Source)
	if c.ClickID != "" {
		return fmt.Sprintf("their link %s was clicked %s, as seen in %s", c.Name, before(placed, c.At), where)
	}
	return fmt.Sprintf("their link %s was seen in %s", c.Name, where)
}

// sourceText says where on an order a trace of a link stood.
func sourceText(source string) string {
	words := map[string]string{"landing_site": "the address that the customer came to the shop by",
		"landing_site_ref": "the address that the customer came to the shop by",
		"session_entry":    "the address that the customer came to the shop by",
		"utm_content":      "the campaign parameters of the address that the customer came by",
		"note_attributes":  "the notes that the shop's page left on the order",
		"meta_data":        "a field of the order"}
	if text, ok := words[source]; ok {
		return text
	}
	return strings.ReplaceAll(source, "_", " ")
}

func (c TraceCandidate) defeat(t Trace) string {
	what := "code " + c.Value
	if c.Method == ByLink {
		what = "link " + cmp.Or(c.Name, c.Value)
	}
	if c.Owner == nil {
		return fmt.Sprintf("Not by %s: nobody owned it when the order was placed.", what)
	}
	who := fmt.Sprintf("Not %s (%s): ", c.Owner.Creator, what)
	switch c.Lost {
	case ReasonLateClick:
		return who + fmt.Sprintf("the link was clicked %s, the window is %d days.", before(t.PlacedAt, c.At),
			c.Owner.WindowDays)
	case ReasonClickAfterOrder:
		return who + "the link was clicked after the order was placed."
	case ReasonLinkEnded:
		return who + "the link had ended before it was used."
	case ReasonOfferPaused, ReasonOfferExpired, ReasonOfferArchived:
		return who + fmt.Sprintf("the offer %s was %s when the order was placed.", c.Owner.Offer, c.Owner.OfferStatus)
	case ReasonMemberInactive:
		return who + "they were no longer active in the offer when the order was placed."
	case ReasonRenewal:
		if c.Method == ByCode {
			return who + "this is a renewal of a subscription, and only the first order is credited."
		}
		return who + "this is a renewal of a subscription, and its link is that of the first order."
	case ReasonBeforeStart:
		return who + fmt.Sprintf("the campaign %s had not started yet.", c.Owner.Campaign)
	case ReasonAfterEnd:
		return who + fmt.Sprintf("the campaign %s was over.", c.Owner.Campaign)
	}
	if t.Winner < 0 {
		return who + "it would have counted."
	}
	won := t.Candidates[t.Winner]
	switch {
	case won.Method == ByCode && c.Method == ByLink:
		return who + "a code beats a link."
	case won.Method == ByLink && c.Method == ByCode:
		return who + fmt.Sprintf("the campaign %s lets links beat codes.", won.Owner.Campaign)
	case c.Method == ByCode:
		return who + "another code stands first on the order."
	}
	return who + fmt.Sprintf("another link counts, since %s.", clickRuleText(won.Owner.ClickRule))
}

func clickRuleText(rule ClickRule) string {
	if rule == FirstClick {
		return "the first click decides"
	}
	return "the last click decides"
}

func before(placed, at time.Time) string {
	d := placed.Sub(at)
	switch days := int(d.Hours() / 24); {
	case days >= 2:
		return fmt.Sprintf("%d days earlier", days)
	case days == 1:
		return "1 day earlier"
	case d >= time.Hour:
		return fmt.Sprintf("%d h earlier", int(d.Hours()))
	}
	return "shortly before"
}

// EvidenceFingerprint names all that attribution looks at in an order. While it stays the same, so does the verdict,
// unless ownership changes.
func (o OrderView) EvidenceFingerprint() string {
	h := fnv.New128a()
	write := func(parts ...string) {
		for _, p := range parts {
			_, _ = h.Write([]byte(p))
			_, _ = h.Write([]byte{0})
		}
	}
	write(strconv.FormatBool(o.Test), strconv.FormatInt(o.PlacedAt.UnixMilli(), 36), o.CustomerHash)
	if o.Part {
		write("part")
	}
	if o.Renewal {
		write("renewal")
	}
	for _, c := range o.Codes {
		write("code", FoldCode(c))
	}
	for _, l := range o.Links {
		write(string(l.Kind), l.Value, l.Source, strconv.FormatInt(l.At.Unix(), 36))
	}
	return hex.EncodeToString(h.Sum(nil))
}
