package affiliate

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ClickPlaceholder stands for a click's id in addresses that are shown.
const ClickPlaceholder = "{click}"

// LinkCheck says what becomes of a click on a link, as far as can be told without asking the store.
type LinkCheck struct {
	Address  string // that a click leads to, with ClickPlaceholder
	Store    StoreID
	Kept     []KeptEvidence
	Findings []LinkFinding
}

// KeptEvidence is what a store of one platform writes on an order of somebody who came by the link.
type KeptEvidence struct {
	Platform Platform
	Field    string // of the order, as the platform names it
	Value    string
}

// LinkFinding is something about a link that its owner should know.
type LinkFinding struct {
	Code   string // stable, for programs
	Severe bool   // orders may be credited to nobody; otherwise it is worth knowing
	Text   string // in words, with the remedy
}

// Codes of findings. Platforms have some of their own.
const (
	FindingEnded          = "link_ended"
	FindingOfferInactive  = "offer_not_active"
	FindingMemberInactive = "member_inactive"
	FindingBeforeStart    = "campaign_not_started"
	FindingAfterEnd       = "campaign_over"
	FindingUnknownHost    = "unknown_host"
	FindingOwnUTM         = "own_utm"
	FindingNoUTM          = "no_utm"
	FindingFragment       = "fragment"
	FindingReplaced       = "parameter_replaced"
	FindingUnreachable    = "unreachable"   // these three are of asking the landing page
	FindingStatus         = "page_status"   // it answers with an error
	FindingQueryDropped   = "query_dropped" // it redirects to an address without the link's parameters
)

// LinkFacts are what a link is checked by.
type LinkFacts struct {
	Link   Link
	Owner  Membership
	UTM    UTMRule // the link's, or the account's where it has none
	Stores []Store // all that are connected
	Guides []*Guide
	Now    time.Time
}

// Landing is where clicks on the link lead.
func (f LinkFacts) Landing() Landing {
	tag := ""
	if f.UTM == UTMOn {
		tag = CampaignTag(f.Owner.CampaignID, f.Owner.Campaign)
	}
	return LandingOf(f.Link.LandingURL, f.Link.Slug, tag)
}

// Check judges a link by what is known here.
func (f LinkFacts) Check() LinkCheck {
	c := LinkCheck{Address: f.Landing().With(ClickPlaceholder)}
	store, platforms := f.store()
	c.Store = store.ID
	c.Findings = slices.Concat(f.standing(), f.host(store, platforms), f.utm(platforms))
	for _, g := range f.guides(platforms) {
		if g.Links.Keeps != nil {
			c.Kept = append(c.Kept, g.Links.Keeps(c.Address, f.Link)...)
		}
		if g.Links.Check != nil {
			c.Findings = append(c.Findings, g.Links.Check(f.Link)...)
		}
	}
	c.Findings = append(c.Findings, f.rest()...)
	return c
}

// guides are those of some platforms, in their order.
func (f LinkFacts) guides(platforms []Platform) (list []*Guide) {
	for _, p := range platforms {
		for _, g := range f.Guides {
			if g.Platform == p {
				list = append(list, g)
			}
		}
	}
	return list
}

// store is the one that the landing page belongs to, if any, and the platforms whose ways matter.
func (f LinkFacts) store() (Store, []Platform) {
	host := shopHost(f.Link.LandingURL)
	var platforms []Platform
	for _, s := range f.Stores {
		if s.State != StoreStateActive {
			continue
		}
		if host != "" && host == shopHost("https://"+s.Domain) {
			return s, []Platform{s.Platform}
		}
		if !slices.Contains(platforms, s.Platform) {
			platforms = append(platforms, s.Platform)
		}
	}
	slices.Sort(platforms)
	return Store{}, platforms
}

// shopHost is the host of an address, with its port, as shops are compared: shop.example is www.shop.example.
func shopHost(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(u.Host, ".")), "www.")
}

func utmContent(query string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if parameterName(pair) == "utm_content" {
			_, v, _ := strings.Cut(pair, "=")
			if decoded, err := url.QueryUnescape(v); err == nil {
				return decoded
			}
		}
	}
	return ""
}

// standing says why an order that is placed now would not be credited.
func (f LinkFacts) standing() (list []LinkFinding) {
	severe := func(code, format string, args ...any) {
		list = append(list, LinkFinding{code, true, fmt.Sprintf(format, args...)})
	}
	m := f.Owner
	if !f.Link.EndedAt.IsZero() && !f.Now.Before(f.Link.EndedAt) {
		severe(FindingEnded, "The link has ended: it leads nowhere. Give %s another one.", m.Creator)
	}
	if m.OfferStatus != OfferActive {
		severe(FindingOfferInactive, "The offer %s is %s: orders by this link are credited to nobody. Make it active "+
			"again, or end the link.", m.Offer, m.OfferStatus)
	}
	if !m.InactiveSince.IsZero() && !f.Now.Before(m.InactiveSince) {
		severe(FindingMemberInactive, "%s is not active in the offer %s any more: orders by this link are credited to "+
			"nobody.", m.Creator, m.Offer)
	}
	if f.Now.Before(m.StartsAt) {
		severe(FindingBeforeStart, "The campaign %s has not started: orders by this link are credited from its start "+
			"on.", m.Campaign)
	}
	if !m.EndsAt.IsZero() && !f.Now.Before(m.EndsAt) {
		severe(FindingAfterEnd, "The campaign %s is over: orders by this link are credited to nobody.", m.Campaign)
	}
	return list
}

// host looks whether the landing page is one of a connected store.
func (f LinkFacts) host(found Store, platforms []Platform) []LinkFinding {
	if found.ID != 0 {
		return nil
	}
	host := shopHost(f.Link.LandingURL)
	for _, g := range f.guides(platforms) {
		if g.DomainEnd != "" {
			return []LinkFinding{{FindingUnknownHost, false, fmt.Sprintf("%s is no connected store's address. That is "+
				"as it should be when it is the own domain of a %s store, which is known here by its %s address only.",
				host, g.Name, g.DomainEnd)}}
		}
	}
	return []LinkFinding{{FindingUnknownHost, true, fmt.Sprintf("%s is no connected store's address: what is bought "+
		"there is not told to us. Change where the link leads, or connect the store.", host)}}
}

// utm looks whether a visit begins anew at the landing page where that matters, and with what.
func (f LinkFacts) utm(platforms []Platform) []LinkFinding {
	needed := func(g *Guide) bool { return g.Links.NeedsUTM != "" }
	_, query, _ := splitAddress(f.Link.LandingURL)
	severe := slices.ContainsFunc(f.guides(platforms), needed)
	switch {
	case hasUTM(query) && FoldSlug(utmContent(query)) != f.Link.Slug:
		return []LinkFinding{{FindingOwnUTM, severe, fmt.Sprintf("The landing page has utm parameters of its own, so "+
			"the link adds none, and they do not name it. Take them out of the landing page, or let them say "+
			"utm_content=%s.", f.Link.Slug)}}
	case !hasUTM(query) && f.UTM != UTMOn:
		i := slices.IndexFunc(f.Guides, needed)
		if i < 0 {
			return nil
		}
		return []LinkFinding{{FindingNoUTM, severe, "The link adds no utm parameters: " + f.Guides[i].Links.NeedsUTM +
			" Switch them on, for this link or in the settings."}}
	}
	return nil
}

// rest is what is worth knowing.
func (f LinkFacts) rest() (list []LinkFinding) {
	_, query, fragment := splitAddress(f.Link.LandingURL)
	if fragment != "" {
		list = append(list, LinkFinding{FindingFragment, strings.Contains(fragment, "="), "What stands behind # in " +
			"the landing page is never sent to the store: parameters in it are lost. The link puts its own before it."})
	}
	if withoutOurs(query) != query {
		list = append(list, LinkFinding{FindingReplaced, false, fmt.Sprintf("The landing page has %s or %s itself; "+
			"the link's take their place.", SlugParameter, ClickParameter)})
	}
	return list
}

// CarriesLink says whether an address still has the slug among its parameters: what a store needs to see of a click.
func CarriesLink(address *url.URL, slug string) bool {
	return address.Query().Get(SlugParameter) == slug
}
