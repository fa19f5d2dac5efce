package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// List asks for a page of a performance list.
type List struct {
	Report
	Text    string // in a name, as people write it
	Bounds  []Bound
	Sort    Key  // KeyName when empty
	Desc    bool // undefined figures come last either way
	Compare bool // with the sums of the period before
	// State narrows campaigns to those that are in it now, which is Now.
	State affiliate.CampaignState
	Now   time.Time
	// Only narrows offers to those of a status; what the scope adds up to is of all.
	Only affiliate.OfferStatus
	// Standing narrows creators of the scope's offers to those who stand so in one of them.
	Standing affiliate.MemberState
	storage.Page
}

// PageOf is a page of a performance list.
type PageOf[R any] struct {
	Rows  []R
	Count int64 // rows of all pages
	// Total is the sum of the rows of all pages; nil where only reading all of them could tell.
	Total *affiliate.Sums
	Next  string // cursor; empty on the last page
}

// RowSums are the figures of a row, in the account's currency.
type RowSums struct {
	affiliate.Sums
	NotConverted int64           // accepted conversions in other currencies, which are not in the sums
	OnlyAccepted bool            // the five classes that are not accepted are not known here
	Before       *affiliate.Sums // of the period before, where it was asked for and there is one
}

// CampaignRow is a campaign with its figures.
type CampaignRow struct {
	affiliate.Campaign
	Creators int64 // of the campaign as of now, in offers or not: those who are counted
	RowSums
}

// OfferRow is an offer with its figures.
type OfferRow struct {
	affiliate.Offer
	CampaignName string
	RowSums
}

// CreatorRow is a creator with their figures, all their accounts in the scope together.
type CreatorRow struct {
	affiliate.Creator
	RowSums
}

// CodeRow is a code or a link with its figures. Codes have no clicks, and neither is paid for by itself: payouts
// are 0.
type CodeRow struct {
	Kind          affiliate.Method // by code or by link
	CodeID        affiliate.CodeID // 0 for a link
	LinkID        affiliate.LinkID // 0 for a code
	Text          string           // the code or slug as its owner writes it
	Store         string           // slug of the code's store; empty for links
	LinkKind      string           // sales, purchase, review; empty for codes
	Ended         bool             // the code has got another owner or none, or the link was ended
	OfferMemberID affiliate.OfferMemberID
	OfferID       affiliate.OfferID
	Offer         string
	CampaignID    affiliate.CampaignID
	Campaign      string
	CreatorID     affiliate.CreatorID
	Creator       string
	RowSums
}

// grouping says what the rows of a list are.
type grouping struct {
	from        string // the table of the rows, with alias
	id, name    string // of a row
	conversions string // the row of conversions c
	clicks      string // the row of clicks on links l of offer members om in campaigns as m
	payouts     string // the row of ledger entries e; empty when payouts have none
	periods     string // the row of offers o; empty when sums per offer do not tell it
}

var (
	byCampaign = grouping{"campaigns t", "t.id", "t.folded", "c.campaign_id", "m.campaign_id", "e.campaign_id",
		"o.campaign_id"}
	byOffer   = grouping{"offers t", "t.id", "t.folded", "c.offer_id", "om.offer_id", "pm.offer_id", "o.id"}
	byCreator = grouping{"creators t", "t.id", "LOWER(t.name)", "c.creator_id", "m.creator_id", "e.creator_id", ""}
	// Codes have even ids here, links odd ones.
	byCode = grouping{`(SELECT 2 * x.id AS id, x.code AS text, x.offer_member_id FROM codes x
		UNION ALL SELECT 2 * x.id + 1, x.slug, x.offer_member_id FROM links x) t`, "t.id", "LOWER(t.text)",
		"CASE WHEN c.method = 'code' THEN 2 * c.code_id ELSE 2 * c.link_id + 1 END", "2 * l.id + 1", "", ""}
)

// CampaignRows lists campaigns. A creator in the scope narrows it to theirs.
func (l List) CampaignRows(ctx context.Context, q Querier) (PageOf[CampaignRow], error) {
	var f storage.Filter
	if len(l.Campaigns) > 0 {
		f.And("t.id IN (?)", l.Campaigns)
	}
	if len(l.Offers) > 0 || l.OfferStatus != "" || l.OfferType != "" {
		l.amongOffers(&f, "t.id", "o.campaign_id")
	}
	if l.Creator != 0 {
		query, args := l.members("m.campaign_id")
		f.And("t.id IN ("+query+")", args...)
	}
	if l.Text != "" {
		f.And(`t.folded LIKE ? ESCAPE '\'`, storage.Containing(affiliate.FoldName(l.Text)))
	}
	l.inState(&f)
	return pageOf(ctx, q, l, byCampaign, f, func(ids []int64) (map[int64]CampaignRow, error) {
		campaigns := idsOf[affiliate.CampaignID](ids)
		list, err := q.CampaignsOf(ctx, campaigns)
		if err != nil {
			return nil, err
		}
		counts, err := q.MemberCounts(ctx, campaigns)
		found := map[int64]CampaignRow{}
		for _, c := range list {
			row := CampaignRow{Campaign: c, Creators: counts[c.ID].Current}
			if l.Scope.Former {
				row.Creators += counts[c.ID].Former
			}
			found[int64(c.ID)] = row
		}
		return found, err
	}, func(r *CampaignRow) *RowSums { return &r.RowSums })
}

// inState narrows campaigns t to those in the state that the list asks for: affiliate.Campaign.State in SQL.
func (l List) inState(f *storage.Filter) {
	const ended = "(t.status = 'ended' OR t.ends_at <= ?)"
	now := storage.At(l.Now)
	switch l.State {
	case affiliate.StateEnded:
		f.And(ended, now)
	case affiliate.StateUpcoming:
		f.And("COALESCE(t.starts_at > ?, FALSE) AND NOT COALESCE("+ended+", FALSE)", now, now)
	case affiliate.StateRunning:
		f.And("NOT COALESCE(t.starts_at > ?, FALSE) AND NOT COALESCE("+ended+", FALSE)", now, now)
	}
}

// idsOf gives ids their type.
func idsOf[T ~int64](ids []int64) []T {
	list := make([]T, len(ids))
	for i, id := range ids {
		list[i] = T(id)
	}
	return list
}

// OfferRows lists offers. A creator in the scope narrows it to theirs.
func (l List) OfferRows(ctx context.Context, q Querier) (PageOf[OfferRow], error) {
	var f storage.Filter
	if l.ofOffers() {
		l.amongOffers(&f, "t.id", "o.id")
	}
	if l.Creator != 0 {
		query, args := l.members("om.offer_id")
		f.And("t.id IN ("+query+")", args...)
	}
	if l.Only != "" {
		f.And("t.status = ?", string(l.Only))
	}
	if l.Text != "" {
		like := storage.Containing(affiliate.FoldName(l.Text))
		f.And(`(t.folded LIKE ? ESCAPE '\' OR t.campaign_id IN (SELECT p.id FROM campaigns p WHERE p.folded LIKE ? ESCAPE '\'))`, like, like)
	}
	return pageOf(ctx, q, l, byOffer, f, func(ids []int64) (map[int64]OfferRow, error) {
		list, err := q.OffersOf(ctx, idsOf[affiliate.OfferID](ids))
		if err != nil {
			return nil, err
		}
		names, err := campaignNames(ctx, q, list)
		found := map[int64]OfferRow{}
		for _, o := range list {
			found[int64(o.ID)] = OfferRow{Offer: o, CampaignName: names[o.CampaignID]}
		}
		return found, err
	}, func(r *OfferRow) *RowSums { return &r.RowSums })
}

// campaignNames gives the names of the campaigns of offers.
func campaignNames(ctx context.Context, q Querier, offers []affiliate.Offer) (map[affiliate.CampaignID]string, error) {
	var ids []affiliate.CampaignID
	for _, o := range offers {
		ids = append(ids, o.CampaignID)
	}
	slices.Sort(ids)
	campaigns, err := q.CampaignsOf(ctx, slices.Compact(ids))
	names := make(map[affiliate.CampaignID]string, len(campaigns))
	for _, c := range campaigns {
		names[c.ID] = c.Name
	}
	return names, err
}

// CreatorRows lists creators: those of the scope's campaigns and offers, or the whole community with what they sold in
// any campaign (see Scope.OfCreators), those who left only where the scope counts them. They are found by name, e-mail
// address, handle, code and link.
func (l List) CreatorRows(ctx context.Context, q Querier) (PageOf[CreatorRow], error) {
	l.Scope = l.OfCreators()
	var f storage.Filter
	switch {
	case len(l.Offers) > 0 || l.OfferStatus != "" || l.OfferType != "":
		query, args := l.members("m.creator_id")
		f.And("t.id IN ("+query+")", args...)
	case len(l.Campaigns) > 0: // also those who are in no offer of it yet
		query, args := l.campaignMembers()
		f.And("t.id IN ("+query+")", args...)
	}
	if l.Standing != "" {
		l.standing(&f)
	}
	if !l.Scope.Former {
		f.And("t.removed_at IS NULL")
	}
	if l.Creator != 0 {
		f.And("t.id = ?", l.Creator)
	}
	if l.Text != "" {
		l.found = creatorsWith(l.Text)
		f.And(l.found.All(), l.found.Args...)
	}
	return pageOf(ctx, q, l, byCreator, f, func(ids []int64) (map[int64]CreatorRow, error) {
		list, err := q.CreatorsOf(ctx, idsOf[affiliate.CreatorID](ids))
		found := map[int64]CreatorRow{}
		for _, c := range list {
			found[int64(c.ID)] = CreatorRow{Creator: c}
		}
		return found, err
	}, func(r *CreatorRow) *RowSums { return &r.RowSums })
}

// standing narrows creators t to those who stand in one of the scope's offers as the list asks for.
func (l List) standing(f *storage.Filter) {
	const gone = "(om.removed_at IS NOT NULL OR m.removed_at IS NOT NULL OR t.removed_at IS NOT NULL)"
	var places storage.Filter
	places.And("m.creator_id = t.id")
	l.amongOffers(&places, "om.offer_id", "o.id")
	switch l.Standing {
	case affiliate.MemberActive:
		places.And("om.inactive_since IS NULL AND NOT " + gone)
	case affiliate.MemberInactive:
		places.And("om.inactive_since IS NOT NULL AND NOT " + gone)
	case affiliate.MemberRemoved:
		places.And(gone)
	}
	f.And("EXISTS (SELECT 1 FROM offer_members om JOIN campaign_members m ON m.id = om.member_id"+places.Where()+")",
		places.Args...)
}

// creatorsWith narrows creators t to those who have a text in a name, an address, a handle, a code or a link.
func creatorsWith(text string) (f storage.Filter) {
	known, args := storage.CreatorHas("t", text)
	f.And(`(`+known+` OR t.id IN (SELECT m.creator_id FROM codes k
		JOIN offer_members om ON om.id = k.offer_member_id JOIN campaign_members m ON m.id = om.member_id WHERE k.folded LIKE ? ESCAPE '\')
		OR t.id IN (SELECT m.creator_id FROM links l JOIN offer_members om ON om.id = l.offer_member_id
		JOIN campaign_members m ON m.id = om.member_id WHERE l.slug LIKE ? ESCAPE '\'))`,
		append(args, storage.Containing(cmp.Or(affiliate.FoldCode(text), text)),
			storage.Containing(cmp.Or(affiliate.FoldSlug(text), text)))...)
	return f
}

// CodeRows lists the codes and links of a scope, which should be a campaign's, an offer's or a creator's:
// unlike other lists, it reads all conversions and clicks of the range.
func (l List) CodeRows(ctx context.Context, q Querier) (PageOf[CodeRow], error) {
	var f storage.Filter
	members, args := l.members("om.id")
	f.And("t.offer_member_id IN ("+members+")", args...)
	if l.Text != "" {
		f.And(`LOWER(t.text) LIKE LOWER(?) ESCAPE '\'`, storage.Containing(l.Text))
	}
	return pageOf(ctx, q, l, byCode, f, func(ids []int64) (map[int64]CodeRow, error) {
		return codeRows(ctx, q, ids)
	}, func(r *CodeRow) *RowSums { return &r.RowSums })
}

// codeIDs tells codes and links apart.
func codeIDs(ids []int64) (codes, links []int64) {
	for _, id := range ids {
		if id%2 == 0 {
			codes = append(codes, id/2)
		} else {
			links = append(links, id/2)
		}
	}
	return codes, links
}

func codeRows(ctx context.Context, q Querier, ids []int64) (map[int64]CodeRow, error) {
	codes, links := codeIDs(ids)
	found := map[int64]CodeRow{}
	for _, kind := range []struct {
		method      affiliate.Method
		from, shown string
		ids         []int64
	}{
		{affiliate.ByCode, "codes x JOIN stores s ON s.id = x.store_id", "x.code AS text, s.slug AS store, '' AS link_kind, (x.valid_to IS NOT NULL) AS ended", codes},
		{affiliate.ByLink, "links x",
			"x.slug AS text, '' AS store, x.kind AS link_kind, (x.ended_at IS NOT NULL) AS ended", links},
	} {
		if len(kind.ids) == 0 {
			continue
		}
		var rows []struct {
			ID            int64
			Text          string
			Store         string
			LinkKind      string `db:"link_kind"`
			Ended         bool
			OfferMemberID affiliate.OfferMemberID `db:"offer_member_id"`
			OfferID       affiliate.OfferID       `db:"offer_id"`
			Offer         string
			CampaignID    affiliate.CampaignID `db:"campaign_id"`
			Campaign      string
			CreatorID     affiliate.CreatorID `db:"creator_id"`
			Creator       string
		}
		err := q.ListIn(ctx, &rows, `SELECT x.id, `+kind.shown+`, om.id AS offer_member_id, o.id AS offer_id, o.name AS offer, p.id AS campaign_id,
			p.name AS campaign, cr.id AS creator_id, cr.name AS creator FROM `+kind.from+` JOIN offer_members om ON om.id = x.offer_member_id
			JOIN offers o ON o.id = om.offer_id JOIN campaigns p ON p.id = o.campaign_id JOIN campaign_members m ON m.id = om.member_id
			JOIN creators cr ON cr.id = m.creator_id WHERE x.id IN (?)`, kind.ids)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			e := CodeRow{Kind: kind.method, Text: r.Text, Store: r.Store, LinkKind: r.LinkKind, Ended: r.Ended,
				OfferMemberID: r.OfferMemberID, OfferID: r.OfferID, Offer: r.Offer, CampaignID: r.CampaignID,
				Campaign: r.Campaign, CreatorID: r.CreatorID, Creator: r.Creator}
			if kind.method == affiliate.ByCode {
				e.CodeID = affiliate.CodeID(r.ID)
				found[2*r.ID] = e
			} else {
				e.LinkID = affiliate.LinkID(r.ID)
				found[2*r.ID+1] = e
			}
		}
	}
	return found, nil
}

// listRow is a row of a list's statement: a row of the page, or, as the last one, the total.
type listRow struct {
	Total    bool
	ID       int64
	Key      any   `db:"sort_key"`  // the figure or the name that the list is sorted by
	RowCount int64 `db:"row_count"` // of the total
	affiliate.Sums
	NotConverted int64 `db:"not_converted"`
}

// pageOf reads a page of a list: first the ids and figures of the page and the total of all rows, in one statement,
// then what the rows are.
func pageOf[R any](ctx context.Context, q Querier, l List, g grouping, rows storage.Filter,
	load func([]int64) (map[int64]R, error), sums func(*R) *RowSums) (PageOf[R], error) {
	var page PageOf[R]
	var err error
	wanted := l.Range
	if l.Range, err = boundedRange(ctx, q, l.Range, ""); err != nil {
		return page, err
	}
	source := l.source(g, wanted)
	found, next, total, err := l.readRows(ctx, q, g, rows, source)
	if err != nil {
		return page, err
	}
	ids := make([]int64, len(found))
	figures := make(map[int64]RowSums, len(found))
	for i, r := range found {
		ids[i] = r.ID
		figures[r.ID] = RowSums{Sums: r.Sums, NotConverted: r.NotConverted}
	}
	if source.partly {
		if figures, err = l.rowSums(ctx, q, g, ids); err != nil {
			return page, err
		}
	}
	before := map[int64]RowSums{}
	previous, compare := l.Range.Previous()
	compare = compare && l.Compare && wanted.From != "" && wanted.To != ""
	if compare {
		was := l.Report
		was.Range = previous
		if before, err = was.rowSums(ctx, q, g, ids); err != nil {
			return page, err
		}
	}
	named := map[int64]R{}
	if len(ids) > 0 {
		if named, err = load(ids); err != nil {
			return page, err
		}
	}
	page.Next, page.Count, page.Total = next, total.RowCount, &total.Sums
	if source.partly {
		if page.Total, err = l.unnarrowedTotal(ctx, q, g); err != nil {
			return page, err
		}
	}
	for _, id := range ids {
		r, ok := named[id]
		if !ok {
			continue // removed since the first statement
		}
		s := sums(&r)
		*s = figures[id]
		s.OnlyAccepted = source.onlyAccepted
		if compare {
			was := before[id].Sums
			s.Before = &was
		}
		page.Rows = append(page.Rows, r)
	}
	return page, nil
}

// unnarrowedTotal is the total of a list of whose rows only a page was read: what the scope counts, unless the list
// leaves some of it out.
func (l List) unnarrowedTotal(ctx context.Context, q Querier, g grouping) (*affiliate.Sums, error) {
	if l.narrowed() {
		return nil, nil
	}
	if l.Only != "" {
		l.OfferStatus = l.Only
	}
	all, err := l.Sums(ctx, q)
	if g.payouts == "" {
		all.Payouts = 0
	}
	return &all.Sums, err
}

// rowSums gives the figures of some rows.
func (r Report) rowSums(ctx context.Context, q Querier, g grouping, ids []int64) (map[int64]RowSums, error) {
	found := make(map[int64]RowSums, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	query, args := r.factSums(g, allKinds, ids)
	if r.inPeriods(g) {
		query, args = r.periodSums(g, ids)
	}
	var rows []struct {
		ID int64
		affiliate.Sums
		NotConverted int64 `db:"not_converted"`
	}
	if err := q.ListIn(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("sum up rows of a report: %w", err)
	}
	for _, r := range rows {
		found[r.ID] = RowSums{Sums: r.Sums, NotConverted: r.NotConverted}
	}
	return found, nil
}

// readRows reads the ids and figures of a page, the cursor of the next page, and the total of all pages.
func (l List) readRows(ctx context.Context, q Querier, g grouping, rows storage.Filter,
	s source) (found []listRow, next string, total listRow, err error) {
	order, err := l.order()
	if err != nil {
		return nil, "", total, err
	}
	sums := make([]string, 0, 13)
	for c := range strings.SplitSeq(rowColumns, ", ") {
		sums = append(sums, "COALESCE(f."+c+", 0) AS "+c)
	}
	all := `SELECT ` + g.id + ` AS id, ` + g.name + ` AS name, ` + strings.Join(sums, ", ") + ` FROM ` + g.from + ` LEFT JOIN (` + s.query + `) f ON f.id = ` + g.id + rows.Where()
	args := slices.Concat(s.args, rows.Args)
	var bounds storage.Filter
	for _, b := range l.Bounds {
		if err := b.narrow(&bounds); err != nil {
			return nil, "", total, err
		}
	}
	args = append(args, bounds.Args...)
	var after storage.Filter
	if err := order.After(&after, l.Cursor); err != nil {
		return nil, "", total, err
	}
	args = append(args, after.Args...)
	query := `WITH every AS MATERIALIZED (SELECT x.*, ` + l.key() + ` AS sort_key FROM (` + all + `) x` + bounds.Where() + `)
		SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, ` + rowColumns + ` FROM (
			SELECT * FROM every` + after.Where() + order.Top(l.Size()) + `) page
		UNION ALL SELECT TRUE, 0, NULL, COUNT(*), ` + wholeSums(rowColumns) + ` FROM every` + order.By("total")
	if err := q.ListIn(ctx, &found, query, args...); err != nil {
		return nil, "", total, fmt.Errorf("list figures: %w", err)
	}
	total = found[len(found)-1]
	found, next = storage.Cut(order, found[:len(found)-1], l.Size())
	return found, next, total, nil
}

// wholeSums sums columns up to numbers, also over no rows.
func wholeSums(columns string) string {
	list := strings.Split(columns, ", ")
	for i, c := range list {
		list[i] = "CAST(COALESCE(SUM(" + c + "), 0) AS BIGINT)"
	}
	return strings.Join(list, ", ")
}
