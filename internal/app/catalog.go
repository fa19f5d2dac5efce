package app

import (
	"context"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Each Add function takes the fields that a person chooses; ids, times and versions are filled in. Each Change function
// reads the thing, lets change alter it, and writes it when that altered anything; version is the one that the caller
// has seen, or AnyVersion. What is written is validated first, and stands in the audit log.

// AddCampaign makes a campaign. Conflict when the name is taken, however it is written.
func (a *App) AddCampaign(ctx context.Context, c affiliate.Campaign) (affiliate.Campaign, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Campaign, error) { return a.addCampaign(ctx, tx, c) })
}

func (a *App) addCampaign(ctx context.Context, tx *storage.Tx, c affiliate.Campaign) (affiliate.Campaign, error) {
	now := a.now()
	c.Name, c.Status, c.CreatedAt, c.UpdatedAt = affiliate.Clean(c.Name), affiliate.CampaignActive, now, now
	if err := c.Validate(); err != nil {
		return c, err
	}
	c, err := tx.CreateCampaign(ctx, c)
	if err != nil {
		return c, err
	}
	return c, a.audit(ctx, tx, "campaign.add", c.ID, nil, campaignFacts(c))
}

// ChangeCampaign alters a campaign.
func (a *App) ChangeCampaign(ctx context.Context, id affiliate.CampaignID, version int,
	change func(*affiliate.Campaign) error) (affiliate.Campaign, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Campaign, error) {
		return amend(ctx, a, tx, a.campaignAmendment(tx), id, version, "change", change)
	})
}

// EndCampaign ends a campaign: orders placed from now on are not credited by it. Ending it again changes nothing.
func (a *App) EndCampaign(ctx context.Context, id affiliate.CampaignID) (affiliate.Campaign, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Campaign, error) {
		return amend(ctx, a, tx, a.campaignAmendment(tx), id, AnyVersion, "end", func(c *affiliate.Campaign) error {
			if c.Status != affiliate.CampaignEnded {
				c.End(a.now())
			}
			return nil
		})
	})
}

func (a *App) campaignAmendment(tx *storage.Tx) amendment[affiliate.Campaign, affiliate.CampaignID] {
	return amendment[affiliate.Campaign, affiliate.CampaignID]{
		name: "campaign", read: tx.Campaign, save: tx.SaveCampaign, facts: campaignFacts,
		version: func(c affiliate.Campaign) int { return c.Version },
		prepare: func(_ *storage.Tx, c *affiliate.Campaign) error {
			c.Name, c.UpdatedAt = affiliate.Clean(c.Name), a.now()
			return c.Validate()
		},
	}
}

func campaignFacts(c affiliate.Campaign) facts {
	return facts{"name": c.Name, "status": c.Status, "starts_at": auditTime(c.StartsAt), "ends_at": auditTime(c.EndsAt),
		"attribution_window_days": c.WindowDays, "precedence": c.Precedence, "click_rule": c.ClickRule}
}

// AddCreator takes a creator into the community. Conflict when a handle is somebody else's.
func (a *App) AddCreator(ctx context.Context, c affiliate.Creator) (affiliate.Creator, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Creator, error) { return a.addCreator(ctx, tx, c) })
}

func (a *App) addCreator(ctx context.Context, tx *storage.Tx, c affiliate.Creator) (affiliate.Creator, error) {
	c.CreatedAt = a.now()
	if err := a.prepareCreator(tx, &c); err != nil {
		return c, err
	}
	c, err := tx.CreateCreator(ctx, c)
	if err != nil {
		return c, err
	}
	return c, a.audit(ctx, tx, "creator.add", c.ID, nil, creatorFacts(c))
}

// prepareCreator tidies what people typed and makes the hash by which a creator's own orders are recognised.
func (a *App) prepareCreator(_ *storage.Tx, c *affiliate.Creator) error {
	c.Name, c.Email, c.Country = affiliate.Clean(c.Name), affiliate.Clean(c.Email),
		strings.ToUpper(affiliate.Clean(c.Country))
	handles := make(map[string]string, len(c.Handles))
	for network, handle := range c.Handles {
		handles[strings.ToLower(strings.TrimSpace(network))] = affiliate.TidyHandle(handle)
	}
	c.Handles = handles
	c.EmailHash = a.EmailHash(c.Email)
	c.UpdatedAt = a.now()
	return c.Validate()
}

// EmailHash is how an e-mail address is kept where it must only be compared; empty for none.
func (a *App) EmailHash(email string) string {
	return a.Sealer.Hash(HashEmail, affiliate.NormalizeEmail(email))
}

// ChangeCreator alters a creator. change must replace the map of handles, not write into it.
func (a *App) ChangeCreator(ctx context.Context, id affiliate.CreatorID, version int,
	change func(*affiliate.Creator) error) (affiliate.Creator, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Creator, error) {
		return a.amendCreator(ctx, tx, id, version, "change", change)
	})
}

// RemoveCreator takes a creator out of the community: orders placed from now on are not credited to them. What they
// have earned stays. Removing again changes nothing.
func (a *App) RemoveCreator(ctx context.Context, id affiliate.CreatorID) (affiliate.Creator, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Creator, error) {
		return a.amendCreator(ctx, tx, id, AnyVersion, "remove", func(c *affiliate.Creator) error {
			c.RemovedAt = firstTime(c.RemovedAt, a.now())
			return nil
		})
	})
}

// RestoreCreator takes a removed creator back.
func (a *App) RestoreCreator(ctx context.Context, id affiliate.CreatorID) (affiliate.Creator, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Creator, error) {
		return a.amendCreator(ctx, tx, id, AnyVersion, "restore", func(c *affiliate.Creator) error {
			c.RemovedAt = time.Time{}
			return nil
		})
	})
}

func (a *App) amendCreator(ctx context.Context, tx *storage.Tx, id affiliate.CreatorID, version int, action string,
	change func(*affiliate.Creator) error) (affiliate.Creator, error) {
	return amend(ctx, a, tx, amendment[affiliate.Creator, affiliate.CreatorID]{
		name: "creator", read: tx.Creator, save: tx.SaveCreator, facts: creatorFacts, prepare: a.prepareCreator,
		version: func(c affiliate.Creator) int { return c.Version },
	}, id, version, action, change)
}

// creatorFacts leave out the e-mail address and the note: the audit log is for ever, they are not.
func creatorFacts(c affiliate.Creator) facts {
	return facts{"name": c.Name, "email_hash": c.EmailHash, "handles": c.Handles, "country": c.Country,
		"removed_at": auditTime(c.RemovedAt)}
}

// firstTime gives t unless it is zero.
func firstTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

// AddMember makes a creator a member of a campaign. Without a product currency it is the account's.
func (a *App) AddMember(ctx context.Context, m affiliate.CampaignMember) (affiliate.CampaignMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.CampaignMember, error) {
		if m.ProductCurrency == "" {
			settings, err := tx.Settings(ctx)
			if err != nil {
				return m, err
			}
			m.ProductCurrency = settings.Currency
		}
		if _, err := tx.Campaign(ctx, m.CampaignID); err != nil {
			return m, asField("campaign", err)
		}
		if _, err := tx.Creator(ctx, m.CreatorID); err != nil {
			return m, asField("creator", err)
		}
		return a.addMember(ctx, tx, m)
	})
}

// asField turns "there is no cmp_9" about something that a request refers to into an Invalid of the referring field.
func asField(field string, err error) error {
	if affiliate.KindOf(err) == affiliate.NotFound {
		return affiliate.AboutField(field, err)
	}
	return err
}

func (a *App) addMember(ctx context.Context, tx *storage.Tx,
	m affiliate.CampaignMember) (affiliate.CampaignMember, error) {
	now := a.now()
	m.CreatedAt, m.UpdatedAt = now, now
	if err := m.Validate(); err != nil {
		return m, err
	}
	m, err := tx.CreateMember(ctx, m)
	if err != nil {
		return m, err
	}
	return m, a.audit(ctx, tx, "member.add", m.ID, nil, memberFacts(m))
}

// ChangeMember alters the product value of a member.
func (a *App) ChangeMember(ctx context.Context, id affiliate.MemberID, version int,
	change func(*affiliate.CampaignMember) error) (affiliate.CampaignMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.CampaignMember, error) {
		return a.amendMember(ctx, tx, id, version, "change", change)
	})
}

// RemoveMember takes a creator out of a campaign: orders placed from now on are not credited to them in it.
func (a *App) RemoveMember(ctx context.Context, id affiliate.MemberID) (affiliate.CampaignMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.CampaignMember, error) {
		return a.amendMember(ctx, tx, id, AnyVersion, "remove", func(m *affiliate.CampaignMember) error {
			m.RemovedAt = firstTime(m.RemovedAt, a.now())
			return nil
		})
	})
}

// RestoreMember takes a removed member back.
func (a *App) RestoreMember(ctx context.Context, id affiliate.MemberID) (affiliate.CampaignMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.CampaignMember, error) {
		return a.amendMember(ctx, tx, id, AnyVersion, "restore", func(m *affiliate.CampaignMember) error {
			m.RemovedAt = time.Time{}
			return nil
		})
	})
}

func (a *App) amendMember(ctx context.Context, tx *storage.Tx, id affiliate.MemberID, version int, action string,
	change func(*affiliate.CampaignMember) error) (affiliate.CampaignMember, error) {
	return amend(ctx, a, tx, amendment[affiliate.CampaignMember, affiliate.MemberID]{
		name: "member", read: tx.Member, save: tx.SaveMember, facts: memberFacts,
		version: func(m affiliate.CampaignMember) int { return m.Version },
		prepare: func(_ *storage.Tx, m *affiliate.CampaignMember) error {
			m.UpdatedAt = a.now()
			return m.Validate()
		},
	}, id, version, action, change)
}

func memberFacts(m affiliate.CampaignMember) facts {
	return facts{"campaign": m.CampaignID.String(), "creator": m.CreatorID.String(), "product_value": m.ProductValue,
		"product_currency": m.ProductCurrency, "removed_at": auditTime(m.RemovedAt)}
}

// AddOffer makes an offer in a campaign; active unless another status is given.
func (a *App) AddOffer(ctx context.Context, o affiliate.Offer) (affiliate.Offer, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Offer, error) {
		if _, err := tx.Campaign(ctx, o.CampaignID); err != nil {
			return o, asField("campaign", err)
		}
		return a.addOffer(ctx, tx, o)
	})
}

func (a *App) addOffer(ctx context.Context, tx *storage.Tx, o affiliate.Offer) (affiliate.Offer, error) {
	now := a.now()
	o.Name, o.StatusSince, o.CreatedAt, o.UpdatedAt, o.Rule.Version = affiliate.Clean(o.Name), now, now, now, 1
	if o.Status == "" {
		o.Status = affiliate.OfferActive
	}
	if err := o.Validate(); err != nil {
		return o, err
	}
	o, err := tx.CreateOffer(ctx, o)
	if err != nil {
		return o, err
	}
	return o, a.audit(ctx, tx, "offer.add", o.ID, nil, offerFacts(o))
}

// ChangeOffer alters an offer. change uses SetStatus and SetRule; another rule counts for orders placed from now on.
func (a *App) ChangeOffer(ctx context.Context, id affiliate.OfferID, version int,
	change func(*affiliate.Offer) error) (affiliate.Offer, error) {
	return a.ChangeOfferFrom(ctx, id, version, time.Time{}, change)
}

// ChangeOfferFrom is ChangeOffer where another rule counts for orders placed from a time on; zero: from now. change
// finds the rule that they have until then. A time in the past is Invalid.
func (a *App) ChangeOfferFrom(ctx context.Context, id affiliate.OfferID, version int, from time.Time,
	change func(*affiliate.Offer) error) (affiliate.Offer, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Offer, error) {
		return a.amendOfferFrom(ctx, tx, id, version, from, "change", change)
	})
}

// EndOffer archives an offer: orders placed from now on are not credited by it. Ending it again changes nothing.
func (a *App) EndOffer(ctx context.Context, id affiliate.OfferID) (affiliate.Offer, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Offer, error) {
		return a.amendOffer(ctx, tx, id, AnyVersion, "end", func(o *affiliate.Offer) error {
			o.SetStatus(affiliate.OfferArchived, a.now())
			return nil
		})
	})
}

func (a *App) amendOffer(ctx context.Context, tx *storage.Tx, id affiliate.OfferID, version int, action string,
	change func(*affiliate.Offer) error) (affiliate.Offer, error) {
	return a.amendOfferFrom(ctx, tx, id, version, time.Time{}, action, change)
}

// amendOfferFrom alters an offer, whose rule is while it is altered that of orders placed at a time; zero: now.
func (a *App) amendOfferFrom(ctx context.Context, tx *storage.Tx, id affiliate.OfferID, version int, from time.Time,
	action string, change func(*affiliate.Offer) error) (affiliate.Offer, error) {
	t, err := a.commissionTime(from)
	if err != nil {
		return affiliate.Offer{}, err
	}
	var rules affiliate.CommissionRules
	var shown, then affiliate.Rule
	o, err := amend(ctx, a, tx, amendment[affiliate.Offer, affiliate.OfferID]{
		name: "offer", version: func(o affiliate.Offer) int { return o.Version },
		read: func(ctx context.Context, id affiliate.OfferID) (o affiliate.Offer, err error) {
			if o, rules, err = a.offerInForce(ctx, tx, id); err == nil {
				shown, o.Rule = o.Rule, affiliate.RuleAt(rules, nil, t.from)
			}
			then = o.Rule
			return o, err
		},
		prepare: func(_ *storage.Tx, o *affiliate.Offer) error {
			o.Name, o.UpdatedAt = affiliate.Clean(o.Name), a.now()
			return o.Validate()
		},
		save: func(ctx context.Context, o affiliate.Offer) (affiliate.Offer, error) {
			if next, other := rules.Change(&o.Rule, t.from); other {
				next.OfferID, next.MadeAt, next.Author = o.ID, t.now, actor(ctx)
				if err := tx.AddCommissionRules(ctx, next); err != nil {
					return o, err
				}
				if o.Rule.Version = next.Version; !t.later() {
					shown = o.Rule
				}
			}
			as := o
			as.Rule = shown
			as, err := tx.SaveOffer(ctx, as)
			o.Version = as.Version
			return o, err
		},
		facts: func(o affiliate.Offer) facts {
			f := offerFacts(o)
			if t.later() && o.Rule != then {
				f["commission_from"] = auditTime(t.from)
			}
			return f
		},
	}, id, version, action, change)
	o.Rule = shown
	return o, err
}

func offerFacts(o affiliate.Offer) facts {
	return facts{"campaign": o.CampaignID.String(), "name": o.Name, "type": o.Type, "status": o.Status,
		"commission_percent": affiliate.FormatPercent(o.Rule.Percent),
		"commission_flat":    affiliate.FormatFlat(o.Rule.Flat), "rule_version": o.Rule.Version,
		"discount": o.Discount.Text(), "code_pattern": o.CodePattern}
}

// AddOfferMember puts a member of the offer's campaign into the offer.
func (a *App) AddOfferMember(ctx context.Context, m affiliate.OfferMember) (affiliate.OfferMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.OfferMember, error) {
		offer, err := tx.Offer(ctx, m.OfferID)
		if err != nil {
			return m, asField("offer", err)
		}
		member, err := tx.Member(ctx, m.MemberID)
		if err != nil {
			return m, asField("member", err)
		}
		if member.CampaignID != offer.CampaignID {
			err := affiliate.FieldErrorf("member", "%s is a member of %s, but the offer belongs to %s", member.ID,
				member.CampaignID, offer.CampaignID)
			return m, affiliate.ForPeople(err, "the offer belongs to another campaign than they do")
		}
		return a.addOfferMember(ctx, tx, m, member)
	})
}

func (a *App) addOfferMember(ctx context.Context, tx *storage.Tx, m affiliate.OfferMember,
	member affiliate.CampaignMember) (affiliate.OfferMember, error) {
	now := a.now()
	m.CampaignID, m.CreatorID, m.CreatedAt, m.UpdatedAt = member.CampaignID, member.CreatorID, now, now
	override := m.Override
	m.Override, m.RuleVersion = nil, 0
	m.SetOverride(override)
	if err := m.Validate(); err != nil {
		return m, err
	}
	m, err := tx.CreateOfferMember(ctx, m)
	if err != nil {
		return m, err
	}
	return m, a.audit(ctx, tx, "offer_member.add", m.ID, nil, offerMemberFacts(m))
}

// ChangeOfferMember alters an offer member. change uses SetOverride and SetActive; another rule counts for orders
// placed from now on.
func (a *App) ChangeOfferMember(ctx context.Context, id affiliate.OfferMemberID, version int,
	change func(*affiliate.OfferMember) error) (affiliate.OfferMember, error) {
	return a.ChangeOfferMemberFrom(ctx, id, version, time.Time{}, change)
}

// ChangeOfferMemberFrom is ChangeOfferMember where another rule counts for orders placed from a time on; zero: from
// now. change finds the rule of their own that they have until then. A time in the past is Invalid.
func (a *App) ChangeOfferMemberFrom(ctx context.Context, id affiliate.OfferMemberID, version int, from time.Time,
	change func(*affiliate.OfferMember) error) (affiliate.OfferMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.OfferMember, error) {
		return a.amendOfferMemberFrom(ctx, tx, id, version, from, "change", change)
	})
}

// EndOfferMember makes an offer member inactive: orders placed from now on are not credited to them by this offer.
func (a *App) EndOfferMember(ctx context.Context, id affiliate.OfferMemberID) (affiliate.OfferMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.OfferMember, error) {
		return a.amendOfferMember(ctx, tx, id, AnyVersion, "end", func(m *affiliate.OfferMember) error {
			m.SetActive(false, a.now())
			return nil
		})
	})
}

// RemoveOfferMember takes a member out of an offer: orders placed from now on are not credited to them by it, and what
// they have sold stays. Removing again changes nothing.
func (a *App) RemoveOfferMember(ctx context.Context, id affiliate.OfferMemberID) (affiliate.OfferMember, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.OfferMember, error) {
		return a.amendOfferMember(ctx, tx, id, AnyVersion, "remove", func(m *affiliate.OfferMember) error {
			m.SetRemoved(a.now())
			return nil
		})
	})
}

func (a *App) amendOfferMember(ctx context.Context, tx *storage.Tx, id affiliate.OfferMemberID, version int,
	action string, change func(*affiliate.OfferMember) error) (affiliate.OfferMember, error) {
	return a.amendOfferMemberFrom(ctx, tx, id, version, time.Time{}, action, change)
}

// amendOfferMemberFrom alters an offer member, whose own rule is while they are altered that of orders placed at a
// time; zero: now.
func (a *App) amendOfferMemberFrom(ctx context.Context, tx *storage.Tx, id affiliate.OfferMemberID, version int,
	from time.Time, action string, change func(*affiliate.OfferMember) error) (affiliate.OfferMember, error) {
	t, err := a.commissionTime(from)
	if err != nil {
		return affiliate.OfferMember{}, err
	}
	var e memberEdit
	m, err := amend(ctx, a, tx, amendment[affiliate.OfferMember, affiliate.OfferMemberID]{
		name: "offer_member", version: func(m affiliate.OfferMember) int { return m.Version },
		read: func(ctx context.Context, id affiliate.OfferMemberID) (affiliate.OfferMember, error) {
			m, rules, err := a.offerMemberInForce(ctx, tx, id)
			e = newMemberEdit(m, rules, t)
			return e.before, err
		},
		prepare: func(_ *storage.Tx, m *affiliate.OfferMember) error { return m.Validate() },
		save: func(ctx context.Context, m affiliate.OfferMember) (affiliate.OfferMember, error) {
			err := e.save(ctx, tx, &m)
			return m, err
		},
		facts: func(m affiliate.OfferMember) facts { return e.facts(m) },
	}, id, version, action, change)
	return e.shown(m), err
}

func offerMemberFacts(m affiliate.OfferMember) facts {
	f := facts{"offer": m.OfferID.String(), "member": m.MemberID.String(), "override": nil,
		"rule_version": m.RuleVersion, "inactive_since": auditTime(m.InactiveSince),
		"removed_at": auditTime(m.RemovedAt)}
	if m.Override != nil {
		f["override"] = facts{"commission_percent": affiliate.FormatPercent(m.Override.Percent),
			"commission_flat": affiliate.FormatFlat(m.Override.Flat)}
	}
	return f
}

// inCatalog runs f in a transaction that is alone in changing the catalog, and gives its result.
func inCatalog[T any](ctx context.Context, a *App, f func(tx *storage.Tx) (T, error)) (result T, err error) {
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		result, err = f(tx)
		return err
	})
	return result, err
}
