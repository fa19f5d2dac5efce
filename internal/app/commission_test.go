package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// plannedRates is a model of what an offer and one member of it pay: every change that was made and not taken back.
type plannedRates []plannedRate

type plannedRate struct {
	from    time.Time
	percent int64 // -1: the offer's
	id      affiliate.CommissionRuleID
}

func (p plannedRates) at(placed time.Time) int64 {
	last := p[0]
	for _, r := range p[1:] {
		if !r.from.After(placed) && !r.from.Before(last.from) {
			last = r
		}
	}
	return last.percent
}

// TestCommissionCountsFromTheOrdersTime: whenever orders arrive, are changed or are gone through again, each earns by
// the rule that counted when it was placed.
func TestCommissionCountsFromTheOrdersTime(t *testing.T) {
	eachRig(t, func(r *rig) {
		begun := time.Now().UTC().Truncate(time.Second).Add(time.Hour)
		now := begun
		r.app.Now = func() time.Time { return now }
		offer, member := plannedRates{{percent: 1000}}, plannedRates{{percent: -1}}
		placed := map[string]time.Time{}
		version := int64(1)
		newest := func(of affiliate.OfferMemberID) affiliate.CommissionRuleID {
			rules, _, err := r.db.CommissionRules(r.Context(), 1, of, storage.Page{})
			r.ok(err)
			for _, rule := range rules {
				if rule.OfferMemberID == of {
					return rule.ID
				}
			}
			return 0
		}
		send := func(id string, change func(*affiliate.Snapshot)) {
			version++
			r.applyAll(orderBody(id, version, func(s *affiliate.Snapshot) {
				if s.PlacedAt = placed[id]; change != nil {
					change(s)
				}
			}))
		}
		step := func(t *rapid.T) {
			now = now.Add(time.Hour)
			var from time.Time
			if ahead := rapid.IntRange(0, 3).Draw(t, "hours ahead"); ahead > 0 {
				from = now.Add(time.Duration(ahead) * time.Hour)
			}
			percent := rapid.Int64Range(1, 5).Draw(t, "percent") * 100
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				before := newest(0)
				_, err := setCommission(r.asOwner(), r.app, 1, app.AnyVersion,
					affiliate.Rule{Percent: percent}, from)
				r.ok(err)
				if id := newest(0); id != before {
					offer = append(offer, plannedRate{later(from, now), percent, id})
				}
			case 1:
				before := newest(1)
				in := app.MembersChange{Action: app.MembersCommission, Offer: 1,
					Members: []affiliate.OfferMemberID{1}, Rule: &affiliate.Rule{Percent: percent}, From: from}
				if percent == 100 {
					in.Rule, percent = nil, -1
				}
				_, err := r.app.ChangeMembers(r.asOwner(), in)
				r.ok(err)
				if id := newest(1); id != before {
					member = append(member, plannedRate{later(from, now), percent, id})
				}
			case 2:
				last := len(offer) - 1
				err := r.app.DropCommissionRule(r.asOwner(), max(1, offer[last].id))
				if offer[last].from.After(now) {
					r.ok(err)
					offer = offer[:last]
				} else if affiliate.KindOf(err) != affiliate.Conflict {
					t.Fatalf("a rule in force was dropped: %v", err)
				}
			case 3:
				id := fmt.Sprint(len(placed) + 1)
				placed[id] = now.Add(-time.Duration(rapid.IntRange(0, 240).Draw(t, "minutes ago")) * time.Minute)
				send(id, nil)
			case 4:
				if n := len(placed); n > 0 {
					send(fmt.Sprint(rapid.IntRange(1, n).Draw(t, "order")), func(s *affiliate.Snapshot) {
						s.Codes = []string{"ANNA10"}
						s.Captured = 11000
					})
				}
			default:
				_, err := r.app.TakeCommissionsIntoEffect(r.asOwner())
				r.ok(err)
				shown, err := r.db.Offer(r.Context(), 1)
				r.ok(err)
				if shown.Rule.Percent != offer.at(now) {
					t.Fatalf("the offer shows %d, want %d", shown.Rule.Percent, offer.at(now))
				}
			}
		}
		rapid.Check(r.T, func(t *rapid.T) {
			for range 3 {
				step(t)
			}
		})
		r.ok(r.app.Refold(r.asOwner()))
		_, err := r.app.Reattribute(r.asOwner(), false, func(app.Reattribution) {})
		r.ok(err)
		for id, at := range placed {
			want := member.at(at)
			if want < 0 {
				want = offer.at(at)
			}
			if got := r.conversion(id).Percent; got != want {
				t.Errorf("order %s, placed %v, earns %d, want %d", id, at.Sub(begun), got, want)
			}
		}
		if len(placed) < 10 {
			t.Errorf("only %d orders", len(placed))
		}
	})
}

func later(from, now time.Time) time.Time {
	if from.IsZero() {
		return now
	}
	return from
}

// setCommission gives the members of an offer who have no rule of their own another commission from a time on.
func setCommission(ctx context.Context, a *app.App, id affiliate.OfferID, version int, rule affiliate.Rule,
	from time.Time) (affiliate.Offer, error) {
	return a.ChangeOfferFrom(ctx, id, version, from, func(o *affiliate.Offer) error {
		o.SetRule(rule.Percent, rule.Flat)
		return nil
	})
}

func TestSetOfferCommission(t *testing.T) {
	eachDesk(t, func(d *desk) {
		om := d.promoter("Anna")
		_, err := setCommission(d.ctx, d.App, om.OfferID, app.AnyVersion, affiliate.Rule{Percent: 1500},
			d.now().Add(-time.Second))
		d.want(err, affiliate.Invalid, "from", "past")
		_, err = setCommission(d.ctx, d.App, om.OfferID, app.AnyVersion, affiliate.Rule{Percent: 1500},
			d.now().AddDate(6, 0, 0))
		d.want(err, affiliate.Invalid, "from", "5 years")
		_, err = setCommission(d.ctx, d.App, om.OfferID, app.AnyVersion, affiliate.Rule{Percent: 10001}, time.Time{})
		d.want(err, affiliate.Invalid, "commission_percent")
		_, err = setCommission(d.ctx, d.App, om.OfferID, 9, affiliate.Rule{Percent: 1500}, time.Time{})
		d.want(err, affiliate.Conflict, "")

		tomorrow := d.now().Add(24 * time.Hour)
		for range 2 { // the second time it is so already
			o, err := setCommission(d.ctx, d.App, om.OfferID, app.AnyVersion, affiliate.Rule{Percent: 1500}, tomorrow)
			if must(d, o, err); o.Rule.Percent != 1000 || o.Version != 2 {
				d.Errorf("planned: %+v", o)
			}
		}
		if n := len(d.audited(om.OfferID.String(), "offer.change")); n != 1 {
			d.Errorf("%d entries in the audit log", n)
		}
		d.pass(25 * time.Hour)
		// Nobody has brought the offer up to date: a change of something else keeps what is in force.
		o, err := d.ChangeOffer(d.ctx, om.OfferID, app.AnyVersion, func(o *affiliate.Offer) error {
			o.Name = "Eleven"
			return nil
		})
		if must(d, o, err); o.Rule != (affiliate.Rule{Percent: 1500, Version: 2}) {
			d.Errorf("after its time: %+v", o.Rule)
		}
		if n, err := d.TakeCommissionsIntoEffect(d.ctx); n != 0 || err != nil {
			d.Errorf("brought up to date again: %d, %v", n, err)
		}
	})
}
