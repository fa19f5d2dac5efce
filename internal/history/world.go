package history

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// world is everything but the orders: who may sell what, when, and for how much.
type world struct {
	plan      Plan
	settings  affiliate.Settings
	zone      *time.Location
	salt      uint64 // differs where there was something before, so that no click has the id of another
	stores    []store
	creators  []creator
	campaigns []campaign
	owners    []owner // offer members, those of a campaign in a row
	days      []day
	quotes    map[storage.RateKey]storage.Quote
	firstID   ids
	payouts   []payout
	paidOn    [][]bool                      // of each owner, on which paydays their creator is paid; nil: never
	runs      map[int]affiliate.PayoutRunID // by payday, counted from the first
	entries   int                           // ledger entries, payouts included
}

// ids are the first ones of the rows whose number is known only once the orders are.
type ids struct {
	order      affiliate.OrderID
	conversion affiliate.ConversionID
	entry      affiliate.LedgerEntryID
	payout     affiliate.PayoutID
}

type store struct {
	affiliate.Store
	tender
}

type creator struct {
	affiliate.Creator
	stays    bool // some campaign needs them
	waits    bool // has not told where to pay to
	ownerIDs []int
}

// campaign has the owners [first, first+len(reach)).
type campaign struct {
	affiliate.Campaign
	weight float64
	stores []int
	first  int
	reach  []float64 // how much each owner and those before them sell
}

// owner is an offer member with code or link or both.
type owner struct {
	affiliate.Membership
	creator    int
	stores     []int // the campaign's
	code       string
	codeIDs    []affiliate.CodeID // one for each store
	linkID     affiliate.LinkID
	slug       string
	from, till time.Time // when they sell; till is zero while they do
}

// sells says whether an order at a moment may be theirs.
func (o *owner) sells(at time.Time) bool {
	return !at.Before(o.from) && (o.till.IsZero() || at.Before(o.till))
}

// Streams of random numbers: each has its own, so that what is made up first does not depend on what comes later.
const (
	streamCatalog = iota
	streamRates
	streamOrders
	streamClicks
)

func (w *world) random(stream, n int) *rand.Rand {
	return rand.New(rand.NewPCG(w.plan.Seed^w.salt, uint64(stream)<<32|uint64(n)))
}

// newWorld makes up creators, campaigns and rates, and writes them.
func newWorld(ctx context.Context, db *storage.DB, p Plan) (*world, error) {
	settings, err := db.Settings(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return nil, err
	}
	w := &world{plan: p, settings: settings, zone: zone}
	for _, s := range p.Stores {
		w.stores = append(w.stores, store{s, tenderOf(s.Currency)})
	}
	w.days = calendar(p.From, p.Now, zone, p.Conversions, p.uncredited())
	c := &catalog{world: w}
	if c.taken, err = takenNames(ctx, db); err != nil {
		return nil, err
	}
	if err := c.reserve(ctx, db); err != nil {
		return nil, err
	}
	w.salt = uint64(c.next["creators"])
	c.random = w.random(streamCatalog, 0)
	c.make()
	if err := db.Load(ctx, c.rows); err != nil {
		return nil, err
	}
	return w, w.makeRates(ctx, db)
}

// taken are the names that are in use, each kind by itself.
type taken map[string]map[string]bool

// claim gives the first of some choices, or the last one with a number, that nobody has.
func (t taken) claim(kind string, fold func(string) string, numbered func(last string, n int) string,
	choices ...string) string {
	names := t[kind]
	if names == nil {
		names = map[string]bool{}
		t[kind] = names
	}
	last := choices[len(choices)-1]
	for n := 2; ; n++ {
		for _, choice := range choices {
			if key := fold(choice); !names[key] {
				names[key] = true
				return choice
			}
		}
		choices = []string{numbered(last, n)}
	}
}

// numbered writes the n-th choice of a name by a format.
func numbered(format string) func(name string, n int) string {
	return func(name string, n int) string { return fmt.Sprintf(format, name, n) }
}

// takenNames reads what is in use already.
func takenNames(ctx context.Context, db *storage.DB) (taken, error) {
	t := taken{"code": {}, "slug": {}, "campaign": {}, affiliate.Instagram: {}, tiktok: {}}
	for _, code := range ownerless {
		t["code"][affiliate.FoldCode(code)] = true
	}
	creators, err := db.AllCreators(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range creators {
		for network, handle := range c.Handles {
			if t[network] != nil {
				t[network][affiliate.FoldHandle(handle)] = true
			}
		}
	}
	err = eachOf(func(p storage.Page) ([]affiliate.Campaign, string, error) {
		return db.Campaigns(ctx, p)
	}, func(c affiliate.Campaign) {
		t["campaign"][affiliate.FoldName(c.Name)] = true
	})
	if err != nil {
		return nil, err
	}
	err = eachOf(func(p storage.Page) ([]affiliate.Link, string, error) {
		return db.Links(ctx, storage.LinkFilter{}, p)
	},
		func(l affiliate.Link) {
			t["slug"][l.Slug] = true
		})
	if err != nil {
		return nil, err
	}
	return t, eachOf(func(p storage.Page) ([]affiliate.Code, string, error) {
		return db.Codes(ctx, storage.CodeFilter{}, p)
	},
		func(c affiliate.Code) {
			t["code"][affiliate.FoldCode(c.Code)] = true
		})
}

// eachOf reads a list page by page.
func eachOf[T any](read func(storage.Page) ([]T, string, error), each func(T)) error {
	for p := (storage.Page{Limit: storage.MaxLimit}); ; {
		list, next, err := read(p)
		if err != nil {
			return err
		}
		for _, v := range list {
			each(v)
		}
		if next == "" {
			return nil
		}
		p.Cursor = next
	}
}

// catalog makes up the world's people and what they promote.
type catalog struct {
	*world
	random *rand.Rand
	next   map[string]int64 // ids by table
	taken  taken
	rows   storage.Rows
}

const tiktok = "tiktok"

func (c *catalog) make() {
	c.makeCreators()
	weights := make([]float64, c.plan.Campaigns)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -0.7)
	}
	for i, members := range shares(weights, c.plan.Creators*17/10) {
		c.makeCampaign(i, weights[i], min(max(3, members), c.plan.Creators))
	}
	c.removeCreators()
	for _, p := range c.creators {
		c.rows.Creators = append(c.rows.Creators, p.Creator)
	}
}

func (c *catalog) chance(percent int) bool { return c.random.IntN(100) < percent }

// before gives a moment in [from, to), or from when there is none.
func (c *catalog) before(from, to time.Time) time.Time {
	if !from.Before(to) {
		return from
	}
	return from.Add(time.Duration(c.random.Int64N(int64(to.Sub(from))))).Truncate(time.Second)
}

func (c *catalog) makeCreators() {
	r := c.random
	for range c.plan.Creators {
		first, last := firstNames[r.IntN(len(firstNames))], lastNames[r.IntN(len(lastNames))]
		small, smaller := strings.ToLower(first), strings.ToLower(last)
		handle := c.taken.claim(affiliate.Instagram, affiliate.FoldHandle, numbered("%s%d"),
			small+"."+smaller, small+"_"+smaller, small+smaller, "its."+small+"."+smaller)
		handles := map[string]string{affiliate.Instagram: handle}
		if c.chance(50) {
			handles[tiktok] = c.taken.claim(tiktok, affiliate.FoldHandle, numbered("%s%d"), handle)
		}
		email := handle + "@creators.example"
		joined := c.before(c.plan.From.AddDate(0, -3, 0), c.plan.From)
		p := creator{waits: c.chance(12)}
		p.Creator = affiliate.Creator{ID: affiliate.CreatorID(c.id("creators")), Name: first + " " + last, Email: email,
			EmailHash: c.plan.EmailHash(email), Country: countries[r.IntN(len(countries))], Handles: handles,
			CreatedAt: joined, UpdatedAt: joined}
		c.creators = append(c.creators, p)
	}
}

// removeCreators lets a few leave the community, and with it all that they sold for.
func (c *catalog) removeCreators() {
	for i := range c.creators {
		p := &c.creators[i]
		if !p.stays && c.chance(2) {
			p.RemovedAt = c.before(c.plan.From.Add(c.plan.Now.Sub(c.plan.From)/3), c.plan.Now)
			p.UpdatedAt = p.RemovedAt
			for _, o := range p.ownerIDs {
				c.owners[o].endAt(p.RemovedAt)
			}
		}
	}
}

func (o *owner) endAt(at time.Time) {
	if !at.IsZero() && (o.till.IsZero() || at.Before(o.till)) {
		o.till = at
	}
}

// makeCampaign makes up a campaign with members and offers. The first campaigns go on all the time, so that there is
// one at any moment; the first member of each stays as long as it lasts.
func (c *catalog) makeCampaign(i int, weight float64, members int) {
	r, p := c.random, c.plan
	lasting := i <= p.Campaigns/10
	begin := p.From.AddDate(0, 0, -20).Truncate(time.Hour)
	var end time.Time
	name := lastingCampaigns[i%len(lastingCampaigns)]
	if i >= len(lastingCampaigns) {
		name += " " + subjects[r.IntN(len(subjects))]
	}
	if !lasting {
		begin = c.before(begin, p.Now.AddDate(0, 0, -20)).Truncate(time.Hour)
		if end = begin.AddDate(0, 0, 30+r.IntN(400)); end.After(p.Now.AddDate(0, 2, 0)) {
			end = time.Time{}
		}
		name = fmt.Sprintf("%s %d %s", seasons[r.IntN(len(seasons))], begin.Year(), subjects[r.IntN(len(subjects))])
	}
	name = c.taken.claim("campaign", affiliate.FoldName, numbered("%s (%d)"), name)
	campaign := campaign{weight: weight, stores: c.someStores(i), first: len(c.owners)}
	campaign.Campaign = affiliate.Campaign{ID: affiliate.CampaignID(c.id("campaigns")), Name: name,
		Status: affiliate.CampaignActive, StartsAt: begin, EndsAt: end, CreatedAt: begin, UpdatedAt: begin}
	if !end.IsZero() && !end.After(p.Now) {
		campaign.Status, campaign.UpdatedAt = affiliate.CampaignEnded, end
	}
	offers := c.makeOffers(campaign.Campaign)
	for rank, who := range r.Perm(len(c.creators))[:members] {
		c.makeMember(&campaign, rank, who, offers)
	}
	for range r.IntN(4) {
		at := c.before(begin, p.Now)
		c.rows.Costs = append(c.rows.Costs, affiliate.Cost{ID: affiliate.CostID(c.id("campaign_costs")),
			CampaignID: campaign.ID, Amount: c.price(20_000 + r.Int64N(400_000)), Currency: c.settings.Currency,
			Day: affiliate.Day(at, c.zone), Note: costNotes[r.IntN(len(costNotes))], Author: author, CreatedAt: at})
	}
	c.campaigns = append(c.campaigns, campaign)
	c.rows.Campaigns = append(c.rows.Campaigns, campaign.Campaign)
}

// author is the person who decides and pays in the history.
const author = "Robin Marsh"

// price turns cents of the imagined base currency into the account's.
func (c *catalog) price(cents int64) int64 {
	return tenderOf(c.settings.Currency).price(cents, c.settings.Currency)
}

func (t tender) price(cents int64, c money.Currency) int64 {
	scale := int64(1)
	for range c.Digits() {
		scale *= 10
	}
	return money.MulDiv(cents*t.level, scale, 10_000*t.step) * t.step
}

// someStores chooses the stores in which a campaign's codes hold: the first one for half of the campaigns.
func (c *catalog) someStores(campaign int) []int {
	pick := func() int {
		at := 0
		for at+1 < len(c.stores) && c.chance(50) {
			at++
		}
		return at
	}
	list := []int{pick()}
	if campaign == 0 {
		list[0] = 0
	}
	if other := pick(); other != list[0] {
		list = append(list, other)
	}
	return list
}

// makeOffers gives the two or three offers of a campaign: a code, a link, and maybe a better code.
func (c *catalog) makeOffers(campaign affiliate.Campaign) []affiliate.Offer {
	r := c.random
	since, status := campaign.StartsAt, affiliate.OfferActive
	if campaign.Status == affiliate.CampaignEnded {
		since, status = campaign.EndsAt, affiliate.OfferExpired
	}
	percents := []int64{500, 800, 1000, 1000, 1200, 1250, 1500}
	offers := []affiliate.Offer{
		{Name: fmt.Sprintf("Promo code %d%%", 10+5*r.IntN(3)), Type: affiliate.OfferPromoCode,
			Rule: affiliate.Rule{Percent: percents[r.IntN(len(percents))]}},
		{Name: "Affiliate link", Type: affiliate.OfferSalesLink,
			Rule: affiliate.Rule{Percent: percents[r.IntN(len(percents))]}},
	}
	if c.chance(40) {
		offers = append(offers, affiliate.Offer{Name: "VIP code", Type: affiliate.OfferPromoCode,
			Rule: affiliate.Rule{Percent: 1000 + 100*r.Int64N(11), Flat: 5000 * r.Int64N(5)}})
	}
	for i := range offers {
		o := &offers[i]
		o.ID, o.CampaignID = affiliate.OfferID(c.id("offers")), campaign.ID
		o.Status, o.StatusSince, o.CreatedAt, o.UpdatedAt, o.Rule.Version = status, since, campaign.CreatedAt, since, 1
		c.rows.Offers = append(c.rows.Offers, *o)
	}
	return offers
}

// makeMember makes a creator a member of a campaign and of some of its offers. The higher the rank, the less they sell.
func (c *catalog) makeMember(campaign *campaign, rank, who int, offers []affiliate.Offer) {
	r := c.random
	p := &c.creators[who]
	m := affiliate.CampaignMember{ID: affiliate.MemberID(c.id("campaign_members")), CampaignID: campaign.ID,
		CreatorID: p.ID, ProductCurrency: c.settings.Currency, CreatedAt: campaign.CreatedAt,
		UpdatedAt: campaign.CreatedAt}
	if c.chance(60) {
		m.ProductValue = c.price(1500 + 100*r.Int64N(150))
	}
	if rank == 0 {
		p.stays = true
	} else if c.chance(30) {
		m.CreatedAt = c.before(campaign.CreatedAt, c.lastDay(campaign))
		m.UpdatedAt = m.CreatedAt
	}
	if rank > 0 && c.chance(4) {
		m.RemovedAt = c.before(m.CreatedAt, c.lastDay(campaign))
		m.UpdatedAt = m.RemovedAt
	}
	c.rows.Members = append(c.rows.Members, m)
	for i, offer := range offers {
		if rank == 0 || i == rank%2 || c.chance([]int{25, 30, 15}[i]) {
			c.makeOwner(campaign, rank, who, m, offer)
		}
	}
}

// lastDay is when a campaign ends, at the latest now.
func (c *catalog) lastDay(campaign *campaign) time.Time {
	if campaign.EndsAt.IsZero() || campaign.EndsAt.After(c.plan.Now) {
		return c.plan.Now
	}
	return campaign.EndsAt
}

func (c *catalog) makeOwner(campaign *campaign, rank, who int, m affiliate.CampaignMember, offer affiliate.Offer) {
	r, p := c.random, &c.creators[who]
	om := affiliate.OfferMember{ID: affiliate.OfferMemberID(c.id("offer_members")), OfferID: offer.ID, MemberID: m.ID,
		CreatedAt: m.CreatedAt, UpdatedAt: m.CreatedAt}
	o := owner{creator: who, stores: campaign.stores, from: m.CreatedAt}
	o.Membership = affiliate.Membership{OfferMemberID: om.ID, OfferID: offer.ID, CampaignID: campaign.ID,
		CreatorID: p.ID, Offer: offer.Name, Campaign: campaign.Name, Creator: p.Name,
		OfferStatus: affiliate.OfferActive, StatusSince: campaign.CreatedAt, StartsAt: campaign.StartsAt,
		EndsAt: campaign.EndsAt, WindowDays: c.settings.WindowDays, Precedence: c.settings.Precedence,
		ClickRule: c.settings.ClickRule, EmailHash: p.EmailHash, Rule: offer.Rule}
	if c.chance(4) {
		om.SetOverride(&affiliate.Rule{Percent: 1500 + 100*r.Int64N(11)})
		o.Rule = affiliate.Rule{Percent: om.Override.Percent, Version: offer.Rule.Version + om.RuleVersion}
	}
	o.endAt(campaign.EndsAt)
	o.endAt(m.RemovedAt)
	if rank > 0 && c.chance(3) {
		om.SetActive(false, c.before(m.CreatedAt, c.lastDay(campaign)))
		om.UpdatedAt = om.InactiveSince
		o.endAt(om.InactiveSince)
	}
	if offer.Type == affiliate.OfferPromoCode {
		c.makeCode(&o, p.Name, om)
	}
	if offer.Type == affiliate.OfferSalesLink || c.chance(20) {
		c.makeLink(&o, p.Handles[affiliate.Instagram], om)
	}
	reach := math.Pow(float64(rank+1), -0.9)
	if n := len(campaign.reach); n > 0 {
		reach += campaign.reach[n-1]
	}
	campaign.reach = append(campaign.reach, reach)
	p.ownerIDs = append(p.ownerIDs, len(c.owners))
	c.owners = append(c.owners, o)
	c.rows.OfferMembers = append(c.rows.OfferMembers, om)
}

// makeCode gives an owner the same code in each store of the campaign, from always on.
func (c *catalog) makeCode(o *owner, name string, om affiliate.OfferMember) {
	first, last, _ := strings.Cut(strings.ToUpper(name), " ")
	percent := fmt.Sprint(10 + 5*c.random.IntN(3))
	o.code = c.taken.claim("code", affiliate.FoldCode, numbered("%s-%d"),
		first+percent, first+last[:1]+percent, first+last[:3]+percent, first+last+percent)
	for _, at := range o.stores {
		id := affiliate.CodeID(c.id("codes"))
		o.codeIDs = append(o.codeIDs, id)
		c.rows.Codes = append(c.rows.Codes, affiliate.Code{ID: id, OfferMemberID: om.ID, StoreID: c.stores[at].ID,
			Code: o.code, CreatedAt: om.CreatedAt, UpdatedAt: om.CreatedAt})
	}
}

func (c *catalog) makeLink(o *owner, handle string, om affiliate.OfferMember) {
	o.slug = c.taken.claim("slug", affiliate.FoldSlug, affiliate.NumberedSlug, affiliate.SlugFrom(handle))
	o.linkID = affiliate.LinkID(c.id("links"))
	c.rows.Links = append(c.rows.Links, affiliate.Link{ID: o.linkID, OfferMemberID: om.ID, Slug: o.slug,
		Kind:       affiliate.LinkSales,
		LandingURL: "https://" + c.stores[o.stores[0]].Domain + "/", CreatedAt: om.CreatedAt, UpdatedAt: om.CreatedAt})
}

// reserve asks for more ids than will be needed.
func (c *catalog) reserve(ctx context.Context, db *storage.DB) error {
	members := c.plan.Creators*17/10 + 3*c.plan.Campaigns
	c.next = map[string]int64{}
	most := map[string]int{"creators": c.plan.Creators, "campaigns": c.plan.Campaigns, "campaign_members": members,
		"offers": 3 * c.plan.Campaigns, "campaign_costs": 3 * c.plan.Campaigns, "offer_members": 3 * members,
		"codes": 6 * members, "links": 3 * members}
	for table, n := range most {
		first, err := db.ReserveIDs(ctx, table, n)
		if err != nil {
			return fmt.Errorf("reserve ids of %s: %w", table, err)
		}
		c.next[table] = first
	}
	return nil
}

// id gives the next id of a table.
func (c *catalog) id(table string) int64 {
	c.next[table]++
	return c.next[table] - 1
}

// makeRates makes up reference rates for the days of the history and some before, publishes them where none were, and
// looks up those that hold for each day.
func (w *world) makeRates(ctx context.Context, db *storage.DB) error {
	r := w.random(streamRates, 0)
	var rates []storage.ReferenceRate
	for _, currency := range w.currencies() {
		middle := tenders[currency].perEuro
		if middle == "" || currency == "EUR" {
			continue
		}
		point := len(middle) - 1 - strings.IndexByte(middle, '.')
		base, err := money.ParseScaled(middle, point)
		if err != nil {
			return err
		}
		rate := base
		for at := w.days[0].start.AddDate(0, 0, -7); at.Before(w.plan.Now); at = at.AddDate(0, 0, 1) {
			if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
				continue
			}
			rate += base*(r.Int64N(81)-40)/10_000 - (rate-base)/50
			published, err := money.ParseRate(money.FormatScaled(rate, point))
			if err != nil {
				return err
			}
			rates = append(rates, storage.ReferenceRate{Day: affiliate.Day(at, w.zone), Currency: currency,
				Rate: published})
		}
	}
	err := db.InTx(ctx, func(tx *storage.Tx) error {
		_, err := tx.SaveRates(ctx, rates)
		return err
	})
	if err != nil {
		return err
	}
	var keys []storage.RateKey
	for _, d := range w.days {
		for _, s := range w.stores {
			keys = append(keys, storage.RateKey{From: s.Currency, To: w.settings.Currency, Day: d.text})
		}
	}
	w.quotes, err = db.Quotes(ctx, keys)
	return err
}

// currencies are those of the stores and the account, each once.
func (w *world) currencies() []money.Currency {
	list := []money.Currency{w.settings.Currency}
	for _, s := range w.stores {
		if s.Currency != list[0] && !hasCurrency(list, s.Currency) {
			list = append(list, s.Currency)
		}
	}
	return list
}

func hasCurrency(list []money.Currency, c money.Currency) bool {
	for _, have := range list {
		if have == c {
			return true
		}
	}
	return false
}
