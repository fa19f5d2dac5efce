package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MemberAction is what is done with members of an offer.
type MemberAction string

const (
	MembersAdd        MemberAction = "add"
	MembersRemove     MemberAction = "remove"
	MembersActivate   MemberAction = "activate"
	MembersDeactivate MemberAction = "deactivate"
	MembersCommission MemberAction = "commission" // a rule of their own, or the offer's again
)

// Words lists the actions there are.
func (MemberAction) Words() []MemberAction {
	return []MemberAction{MembersAdd, MembersRemove, MembersActivate, MembersDeactivate, MembersCommission}
}

// MostMembers bounds an action on members.
const MostMembers = 20_000

// MembersChange asks for an action on members of an offer. Whoever is as it asks for is left as they are, so that it
// may be asked for again.
type MembersChange struct {
	Action MemberAction
	Offer  affiliate.OfferID
	// Members are whom it is for; nil: all current members that Search finds, whose Offer is not looked at.
	Members []affiliate.OfferMemberID
	Search  storage.OfferMemberSearch
	// Creators are whom it is for, in place of Members. Who is added and is no member of the campaign becomes one; who
	// was removed from offer or campaign is taken back.
	Creators []affiliate.CreatorID
	// Rule is what they earn of orders placed from From on, which is now where it is zero; nil: the offer's rule
	// counts again.
	Rule *affiliate.Rule
	From time.Time
}

// MemberOutcome says what became of one of those whom an action is for.
type MemberOutcome string

const (
	MemberChanged MemberOutcome = "changed"
	MemberSame    MemberOutcome = "same"   // they were as the action asks for
	MemberFailed  MemberOutcome = "failed" // for the reason that stands beside
)

// Words lists the outcomes there are.
func (MemberOutcome) Words() []MemberOutcome {
	return []MemberOutcome{MemberChanged, MemberSame, MemberFailed}
}

// MemberResult is what an action did with one member.
type MemberResult struct {
	Creator affiliate.CreatorID
	Name    string
	Member  affiliate.OfferMemberID // 0: they did not become one
	Outcome MemberOutcome
	Why     string // a sentence, of those that failed; of others what else there is to know
}

// ChangeMembers does an action on members of an offer, in parts, and gives a result for each, in the order in which
// they were named, or by name. Errors are of what is asked for as a whole: Invalid for a time in the past, or for
// nobody. It goes on when the asker has gone; after an error it may be asked for again.
func (a *App) ChangeMembers(ctx context.Context, in MembersChange) ([]MemberResult, error) {
	act, err := a.memberAct(ctx, in)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	results := make([]MemberResult, 0, len(act.whom))
	for len(results) < len(act.whom) {
		part := act.whom[len(results):min(len(act.whom), len(results)+membersAtOnce)]
		var done []MemberResult
		err := a.changeCatalog(storage.NotAlongside(ctx), func(tx *storage.Tx) (err error) {
			spent := partSpent()
			act.now = a.now()
			if act.from.Before(act.now) {
				act.from = act.now
			}
			if act.offer, err = tx.Offer(ctx, act.in.Offer); err != nil {
				return err
			}
			list, err := act.look(ctx, tx, part)
			for _, s := range list {
				if err != nil || spent() {
					break
				}
				if err = act.do(ctx, tx, &s); err == nil {
					done = append(done, s.MemberResult)
				}
			}
			return err
		})
		if err != nil {
			return results, err
		}
		results = append(results, done...)
		a.letOthersIn(ctx, len(results) < len(act.whom))
	}
	// What is to be committed together with it, such as the key of its request, comes with the last of it.
	return results, a.DB.InTx(ctx, func(*storage.Tx) error { return nil })
}

// MembersPreview is what an action would do.
type MembersPreview struct {
	Results []MemberResult // as they would be
	Changed int64
	Same    int64
	Failed  int64
	// Orders are those of whom it changes that keep what they earn by the rule until now; of commission.
	Orders int64
}

// PreviewMembers says what ChangeMembers would do, and changes nothing.
func (a *App) PreviewMembers(ctx context.Context, in MembersChange) (MembersPreview, error) {
	p := MembersPreview{}
	act, err := a.memberAct(ctx, in)
	if err != nil {
		return p, err
	}
	var changed []affiliate.OfferMemberID
	for part := range slices.Chunk(act.whom, membersAtOnce) {
		list, err := act.look(ctx, a.DB, part)
		if err != nil {
			return p, err
		}
		for _, s := range list {
			act.decide(&s)
			p.Results = append(p.Results, s.MemberResult)
			switch s.Outcome {
			case MemberChanged:
				p.Changed++
				changed = append(changed, s.Member)
			case MemberSame:
				p.Same++
			default:
				p.Failed++
			}
		}
	}
	if in.Action != MembersCommission {
		return p, nil
	}
	for part := range slices.Chunk(changed, membersAtOnce) {
		n, err := a.DB.CountCredited(ctx, part)
		if err != nil {
			return p, err
		}
		p.Orders += n
	}
	return p, nil
}

// membersAtOnce bounds how many members are read at once, and changed in one transaction.
const membersAtOnce = 100

// memberAct is an action under way.
type memberAct struct {
	commissionTime
	app   *App
	in    MembersChange
	offer affiliate.Offer
	whom  []whom
}

// whom is one of those whom an action is for, by what they were named by: the other is 0.
type whom struct {
	creator affiliate.CreatorID
	member  affiliate.OfferMemberID
}

// subject is one of those with what is known of them.
type subject struct {
	MemberResult
	creator affiliate.Creator
	member  affiliate.CampaignMember // whose id is 0 where they are none
	place   affiliate.OfferMember    // in the offer, whose id is 0 where they have none
	rules   affiliate.CommissionRules
}

// memberAct reads what is asked for, and whom it is for.
func (a *App) memberAct(ctx context.Context, in MembersChange) (*memberAct, error) {
	act := &memberAct{app: a, in: in}
	err := affiliate.CheckWord("action", in.Action)
	if err == nil && in.Action != MembersCommission && (in.Rule != nil || !in.From.IsZero()) {
		err = affiliate.FieldErrorf("commission", "goes with the action %s alone", MembersCommission)
	}
	if err == nil && in.Rule != nil {
		err = in.Rule.Validate()
	}
	if err == nil {
		act.commissionTime, err = a.commissionTime(in.From)
	}
	if err != nil {
		return nil, err
	}
	if act.offer, err = a.DB.Offer(ctx, in.Offer); err != nil {
		return nil, asField("offer", err)
	}
	if act.whom, err = act.named(ctx); err != nil {
		return nil, err
	}
	switch {
	case len(act.whom) == 0:
		return nil, affiliate.FieldErrorf("members", "there is nobody whom it is for; name members or creators, or "+
			"widen the search")
	case len(act.whom) > MostMembers:
		return nil, affiliate.FieldErrorf("members", "at most %d members can be changed at once, and these are %d; "+
			"narrow the list", MostMembers, len(act.whom))
	}
	return act, nil
}

// named lists those whom the action is for, each once.
func (act *memberAct) named(ctx context.Context) (list []whom, err error) {
	seen := map[whom]bool{}
	add := func(w whom) {
		if !seen[w] {
			seen[w] = true
			list = append(list, w)
		}
	}
	in := act.in
	switch {
	case in.Creators != nil && in.Members != nil:
		return nil, affiliate.FieldErrorf("creators", "cannot be named together with members")
	case in.Creators != nil:
		for _, id := range in.Creators {
			add(whom{creator: id})
		}
	case in.Members != nil:
		for _, id := range in.Members {
			add(whom{member: id})
		}
	case in.Action == MembersAdd:
		return nil, affiliate.FieldErrorf("creators", "say who is to join the offer")
	default:
		in.Search.Offer = in.Offer
		err = storage.EachPage(func(p storage.Page) (string, error) {
			page, next, err := act.app.DB.OfferMemberPage(ctx, in.Search, act.now, p)
			for _, m := range page {
				add(whom{member: m.ID})
			}
			if len(list) > MostMembers {
				next = ""
			}
			return next, err
		})
	}
	return list, err
}

// knowsMembers is a database, or a transaction.
type knowsMembers interface {
	OfferMembersByID(context.Context, []affiliate.OfferMemberID) ([]affiliate.OfferMember, error)
	CreatorsOf(context.Context, []affiliate.CreatorID) ([]affiliate.Creator, error)
	PlacesOf(context.Context, affiliate.Offer, []affiliate.CreatorID) (
		map[affiliate.CreatorID]affiliate.CampaignMember, map[affiliate.CreatorID]affiliate.OfferMember, error)
	OfferCommissions(context.Context, affiliate.OfferID, ...affiliate.OfferMemberID) (storage.Commissions, error)
}

// look reads what is known of some of those whom the action is for, in their order.
func (act *memberAct) look(ctx context.Context, q knowsMembers, part []whom) ([]subject, error) {
	var ids []affiliate.OfferMemberID
	for _, w := range part {
		if w.member != 0 {
			ids = append(ids, w.member)
		}
	}
	named, err := q.OfferMembersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	of := map[affiliate.OfferMemberID]affiliate.CreatorID{}
	for _, m := range named {
		if m.OfferID == act.offer.ID {
			of[m.ID] = m.CreatorID
		}
	}
	list := make([]subject, len(part))
	var creators []affiliate.CreatorID
	for i, w := range part {
		list[i].Creator, list[i].Member = w.creator, w.member
		if w.creator == 0 {
			list[i].Creator = of[w.member]
		}
		if list[i].Creator != 0 {
			creators = append(creators, list[i].Creator)
		}
	}
	known, err := q.CreatorsOf(ctx, creators)
	if err != nil {
		return nil, err
	}
	byID := map[affiliate.CreatorID]affiliate.Creator{}
	for _, c := range known {
		byID[c.ID] = c
	}
	members, places, err := q.PlacesOf(ctx, act.offer, creators)
	if err != nil {
		return nil, err
	}
	ids = nil
	for i := range list {
		s := &list[i]
		s.creator, s.member, s.place = byID[s.Creator], members[s.Creator], places[s.Creator]
		if s.Name = s.creator.Name; s.place.ID != 0 {
			s.Member = s.place.ID
			ids = append(ids, s.place.ID)
		}
	}
	if act.in.Action != MembersCommission {
		return list, nil
	}
	rules, err := q.OfferCommissions(ctx, act.offer.ID, ids...)
	for i := range list {
		list[i].rules = rules.Members[list[i].place.ID]
	}
	return list, err
}

// decide says what becomes of one, but for what a transaction may bring.
func (act *memberAct) decide(s *subject) {
	fail := func(format string, args ...any) {
		s.Outcome, s.Why = MemberFailed, fmt.Sprintf(format, args...)
	}
	changes := func(yes bool) {
		if s.Outcome = MemberSame; yes {
			s.Outcome = MemberChanged
		}
	}
	action, active := act.in.Action, s.place.InactiveSince.IsZero()
	joins := action == MembersAdd || action == MembersActivate
	switch {
	case s.creator.ID == 0 && s.Creator != 0:
		fail("There is no %s.", s.Creator)
	case s.creator.ID == 0:
		fail("There is no %s in %s.", s.Member, act.offer.ID)
	case s.place.ID == 0 && action != MembersAdd:
		fail("%s is not in the offer; add them to it.", s.Name)
	case joins && !s.creator.RemovedAt.IsZero():
		fail("%s was removed from the community; restore them there first.", s.Name)
	case action == MembersAdd:
		changes(s.place.ID == 0 || !active || !s.member.RemovedAt.IsZero())
	case action == MembersActivate && !s.member.RemovedAt.IsZero():
		fail("%s was removed from the campaign; add them to the offer, which takes them back.", s.Name)
	case action == MembersActivate:
		changes(!active)
	case action == MembersDeactivate:
		changes(active)
	case action == MembersRemove:
		changes(s.place.RemovedAt.IsZero())
	case !s.place.RemovedAt.IsZero():
		fail("%s was removed from the offer; add them to it, which takes them back.", s.Name)
	default:
		_, other := s.rules.Change(act.in.Rule, act.from)
		changes(other)
	}
}

// memberDeeds are what the audit log calls the actions on those who are in the offer.
var memberDeeds = map[MemberAction]string{MembersAdd: "restore", MembersRemove: "remove", MembersActivate: "activate",
	MembersDeactivate: "end", MembersCommission: "commission"}

// do does what is to be done with one.
func (act *memberAct) do(ctx context.Context, tx *storage.Tx, s *subject) (err error) {
	if act.decide(s); s.Outcome != MemberChanged {
		return nil
	}
	a := act.app
	if act.in.Action == MembersAdd {
		if err := act.join(ctx, tx, s); err != nil || s.place.ID == 0 || s.place.InactiveSince.IsZero() {
			return err
		}
	}
	e := newMemberEdit(s.place, s.rules, act.commissionTime)
	if act.in.Action != MembersCommission { // whose rules were not read
		e = memberEdit{commissionTime: act.commissionTime, before: s.place, keeps: true}
	}
	after := e.before
	switch act.in.Action {
	case MembersAdd, MembersActivate:
		after.SetActive(true, act.now)
	case MembersDeactivate:
		after.SetActive(false, act.now)
	case MembersRemove:
		after.SetRemoved(act.now)
	case MembersCommission:
		after.SetOverride(act.in.Rule)
	}
	if err := e.save(ctx, tx, &after); err != nil {
		return err
	}
	return a.audit(ctx, tx, "offer_member."+memberDeeds[act.in.Action], after.ID, e.facts(e.before), e.facts(after))
}

// join makes one who is to be added a member of the campaign, and of the offer where they never were.
func (act *memberAct) join(ctx context.Context, tx *storage.Tx, s *subject) error {
	a := act.app
	switch {
	case s.member.ID == 0:
		settings, err := tx.Settings(ctx)
		if err != nil {
			return err
		}
		s.member, err = a.addMember(ctx, tx, affiliate.CampaignMember{CampaignID: act.offer.CampaignID,
			CreatorID: s.Creator, ProductCurrency: settings.Currency})
		if err != nil {
			return err
		}
	case !s.member.RemovedAt.IsZero():
		var err error
		s.member, err = a.amendMember(ctx, tx, s.member.ID, AnyVersion, "restore",
			func(m *affiliate.CampaignMember) error {
				m.RemovedAt = time.Time{}
				return nil
			})
		if err != nil {
			return err
		}
	}
	if s.place.ID != 0 {
		return nil
	}
	place, err := a.addOfferMember(ctx, tx, affiliate.OfferMember{OfferID: act.offer.ID, MemberID: s.member.ID},
		s.member)
	s.place, s.Member = place, place.ID
	return err
}
