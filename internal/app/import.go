package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// ImportReport is what an import did, or would do.
type ImportReport struct {
	File    ImportFile `json:"file"`  // how it was read
	Lines   int        `json:"lines"` // below the header, blank ones not counted
	DryRun  bool       `json:"dry_run"`
	Applied bool       `json:"applied"` // all of it
	// AppliedLines are those that are in: all or none, unless something was changed while the file was imported.
	AppliedLines int          `json:"applied_lines"`
	Created      ImportCounts `json:"created"`
	Updated      ImportCounts `json:"updated"`
	// WaitingOrders are orders without credit that carry a code or slug of this file that was new.
	WaitingOrders int         `json:"waiting_orders"`
	Notes         []LineError `json:"notes,omitempty"` // what was done otherwise than a line may have meant
	Errors        []LineError `json:"errors,omitempty"`
}

// ImportCounts counts things by kind.
type ImportCounts struct {
	Campaigns    int `json:"campaigns"`
	Creators     int `json:"creators"`
	Members      int `json:"members"`
	Offers       int `json:"offers"`
	OfferMembers int `json:"offer_members"`
	Codes        int `json:"codes"`
	Links        int `json:"links"`
}

// Changes says whether the import found anything to do.
func (r ImportReport) Changes() bool {
	return r.Created != ImportCounts{} || r.Updated != ImportCounts{}
}

// errRollBack ends a transaction whose outcome is in the report.
var errRollBack = errors.New("roll back")

// Import reads a creators' file and creates what is missing of its campaigns, creators, members, offers, codes and
// links. The whole file is tried first, in a rehearsal that nobody waits for: when a line cannot be used, nothing is
// changed and the report's Errors say all that is wrong; a dry run ends there. Then the lines are applied in parts, so
// that a large file keeps no delivery waiting. A line can only fail there for what somebody changed since: the lines
// before it are in (AppliedLines), and importing the file again does the rest, as it does after a crash. Importing a
// file again changes nothing. The error is for the database and the like.
func (a *App) Import(ctx context.Context, file io.Reader, dryRun bool) (ImportReport, error) {
	report := ImportReport{DryRun: dryRun}
	settings, err := a.DB.SavedSettings(ctx)
	if err != nil {
		return report, err
	}
	read, err := readImport(file, settings.Currency)
	if err != nil {
		return report, err
	}
	end, err := a.imports.begin(ctx)
	if err != nil {
		return report, err
	}
	defer end()
	report.File, report.Lines, report.Errors, report.Notes = read.about, len(read.rows), read.bad, read.notes
	if err := a.rehearseImport(ctx, usable(read.rows, read.bad), settings.Currency, &report); err != nil {
		return report, err
	}
	if len(report.Errors) > 0 {
		report.Created, report.Updated, report.WaitingOrders, report.Notes = ImportCounts{}, ImportCounts{}, 0, nil
		slices.SortStableFunc(report.Errors, func(a, b LineError) int { return a.Line - b.Line })
		return report, nil
	}
	if dryRun {
		return report, nil
	}
	report.Created, report.Updated, report.Notes = ImportCounts{}, ImportCounts{}, read.notes
	if a.Serving {
		ctx = context.WithoutCancel(ctx) // who asked for it may go: what is begun is finished
	}
	err = a.applyImport(ctx, read.rows, settings.Currency, &report)
	return report, err
}

// oneImport lets one import of this process run at a time: each holds the whole of its file and of the creators.
type oneImport struct {
	once  sync.Once
	place chan struct{}
}

// importWait is how long an import waits for another one to end.
const importWait = 30 * time.Second

// begin waits for the place; call end to give it back.
func (o *oneImport) begin(ctx context.Context) (end func(), err error) {
	o.once.Do(func() { o.place = make(chan struct{}, 1) })
	patience := time.NewTimer(importWait)
	defer patience.Stop()
	select {
	case o.place <- struct{}{}:
		return func() { <-o.place }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		return nil, affiliate.Errorf(affiliate.Unavailable, "another import is running; try again when it has ended")
	}
}

// rehearseImport finds out what an import would do.
func (a *App) rehearseImport(ctx context.Context, rows []importRow, currency money.Currency,
	report *ImportReport) error {
	return a.DB.Rehearse(ctx, func(tx *storage.Tx) error {
		im := a.newImporter(rows, currency, report)
		im.tx = tx
		if err := im.knowCreators(ctx, tx); err != nil {
			return err
		}
		before, err := tx.NewestEvidence(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := im.row(ctx, r); err != nil && !im.reported(r, err) {
				return fmt.Errorf("import line %d: %w", r.line, err)
			}
		}
		if err := im.restoreCodes(ctx); err != nil {
			return err
		}
		report.WaitingOrders, err = tx.OrdersWithNewEvidence(ctx, before)
		return err
	})
}

// applyImport applies lines that a rehearsal found to be right.
func (a *App) applyImport(ctx context.Context, rows []importRow, currency money.Currency, report *ImportReport) error {
	im := a.newImporter(rows, currency, report)
	// Whoever changes the catalog writes into the audit log before they let others have it: what comes behind the
	// newest entry, seen while nobody changes it, is what changed since.
	err := a.changeCatalog(storage.NotAlongside(ctx), func(tx *storage.Tx) error { return im.noteAudit(ctx, tx) })
	if err != nil {
		return err
	}
	if err := im.knowCreators(ctx, a.DB); err != nil {
		return err
	}
	before, err := a.DB.NewestEvidence(ctx)
	if err != nil {
		return err
	}
	for report.AppliedLines < len(rows) {
		kept := *report // of the parts that are committed
		err := a.changeCatalog(storage.NotAlongside(ctx), func(tx *storage.Tx) error {
			return im.part(ctx, tx, rows)
		})
		if err != nil {
			kept.Errors = report.Errors
			*report = kept
			if errors.Is(err, errRollBack) {
				break
			}
			return fmt.Errorf("%d of %d lines are imported; import the file again to do the rest: %w",
				report.AppliedLines, len(rows), err)
		}
		a.letOthersIn(ctx, report.AppliedLines < len(rows))
	}
	report.Applied = len(report.Errors) == 0
	if report.WaitingOrders, err = a.DB.OrdersWithNewEvidence(ctx, before); err != nil {
		return err
	}
	// What is to be committed together with the import, such as the key of its request, comes with the last of it.
	return a.DB.InTx(ctx, func(*storage.Tx) error { return nil })
}

// part applies lines from the first that is not applied yet, for as long as a part may take.
func (im *importer) part(ctx context.Context, tx *storage.Tx, rows []importRow) error {
	spent := partSpent()
	im.tx = tx
	if err := im.catchUp(ctx); err != nil {
		return err
	}
	for im.report.AppliedLines < len(rows) {
		r := rows[im.report.AppliedLines]
		if err := im.row(ctx, r); err != nil {
			if im.reported(r, err) {
				return errRollBack
			}
			return fmt.Errorf("import line %d: %w", r.line, err)
		}
		if len(im.report.Errors) > 0 {
			return errRollBack
		}
		im.report.AppliedLines++
		if spent() {
			break
		}
	}
	if err := im.restoreCodes(ctx); err != nil {
		return err
	}
	return im.noteAudit(ctx, tx)
}

// restoreCodes takes back that codes were dismissed which are somebody's now.
func (im *importer) restoreCodes(ctx context.Context) error {
	for _, store := range slices.Sorted(maps.Keys(im.made)) {
		for part := range slices.Chunk(im.made[store], MostDismissed) {
			if _, err := im.tx.RestoreCodes(ctx, store, part); err != nil {
				return err
			}
		}
	}
	clear(im.made)
	return nil
}

// catchUp learns what others have changed since the part before: another import beside this one, or people. Without it
// a creator who was added meanwhile would be added once more.
func (im *importer) catchUp(ctx context.Context) error {
	changed, err := im.tx.CreatorsChanged(ctx, im.audited)
	for _, c := range changed {
		im.creators.put(c)
	}
	clear(im.stores)
	return err
}

// noteAudit remembers the newest entry of the audit log.
func (im *importer) noteAudit(ctx context.Context, tx *storage.Tx) (err error) {
	im.audited, err = tx.NewestAuditID(ctx)
	return err
}

// usable are the lines that are right by themselves. They are tried even where others are not, so that all that is
// wrong with a file is said at once.
func usable(rows []importRow, bad []LineError) []importRow {
	wrong := map[int]bool{}
	for _, e := range bad {
		wrong[e.Line] = true
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r importRow) bool { return wrong[r.line] })
}

// importer carries the lines of one file into the catalog.
type importer struct {
	app      *App
	tx       *storage.Tx
	currency money.Currency
	report   *ImportReport
	stores   map[string]affiliate.Store
	withCode map[string]bool      // offers of the file that have a code, by campaign and name
	said     map[string]statement // by column and what it is about
	creators creatorIndex
	audited  int64 // the newest entry of the audit log when the last part ended
	// made are the codes that this transaction has made, folded. What was said of them is taken back at its end.
	made map[affiliate.StoreID][]string
}

// creatorReader reads all creators: a transaction, or the database itself.
type creatorReader interface {
	AllCreators(context.Context) ([]affiliate.Creator, error)
}

// newImporter makes an importer that knows no creators yet. Its transaction is set before lines are carried.
func (a *App) newImporter(rows []importRow, currency money.Currency, report *ImportReport) *importer {
	im := &importer{app: a, currency: currency, report: report, stores: map[string]affiliate.Store{},
		withCode: map[string]bool{}, said: map[string]statement{},
		made: map[affiliate.StoreID][]string{}}
	for _, r := range rows {
		if r.code != "" {
			im.withCode[r.offerKey()] = true
		}
	}
	return im
}

func (im *importer) knowCreators(ctx context.Context, from creatorReader) error {
	all, err := from.AllCreators(ctx)
	im.creators = newCreatorIndex(all)
	return err
}

func (r importRow) offerKey() string { return r.campaignKey() + "\x00" + affiliate.FoldName(r.offer) }

// columnError says which column of a line is wrong.
type columnError struct {
	column string
	err    error
}

func (e columnError) Error() string { return e.err.Error() }
func (e columnError) Unwrap() error { return e.err }

func inColumn(column string, err error) error {
	if err == nil {
		return nil
	}
	return columnError{column, err}
}

// reported puts an error that people can act upon into the report. Anything else ends the import.
func (im *importer) reported(r importRow, err error) bool {
	var e *affiliate.Error
	if !errors.As(err, &e) {
		return false
	}
	var c columnError
	column := e.Field
	if errors.As(err, &c) {
		column = c.column
	}
	im.report.Errors = append(im.report.Errors, LineError{Line: r.line, Column: column, Reason: e.Message})
	return true
}

// statement is what a line says of something that has one value at a time.
type statement struct {
	line  int
	value any
}

// contradicted reports what a line says otherwise than an earlier one about the same: their order would decide, and the
// same file would change something each time it is imported. It compares what the lines came to mean, since two lines
// may call one creator by different names.
func (im *importer) contradicted(r importRow, member affiliate.CampaignMember, om affiliate.OfferMember) (found bool) {
	says := func(column, about string, value any) {
		before, ok := im.said[column+"\x00"+about]
		if !ok {
			im.said[column+"\x00"+about] = statement{r.line, value}
		} else if before.value != value {
			found = true
			im.report.Errors = append(im.report.Errors, LineError{Line: r.line, Column: column,
				Reason: fmt.Sprintf("contradicts line %d", before.line)})
		}
	}
	if r.rule != nil {
		says("commission_percent", om.ID.String(), *r.rule)
	}
	if r.product != nil {
		says("product_value", member.ID.String(), *r.product)
	}
	if r.code != "" {
		says("code", r.store+"\x00"+affiliate.FoldCode(r.code), om.ID)
	}
	if r.slug != "" {
		says("link_slug", r.slug, om.ID.String()+r.landing)
	}
	return found
}

func (im *importer) note(r importRow, column, format string, args ...any) {
	im.report.Notes = append(im.report.Notes, LineError{Line: r.line, Column: column,
		Reason: fmt.Sprintf(format, args...)})
}

func (im *importer) row(ctx context.Context, r importRow) error {
	store, err := im.store(ctx, r)
	if err != nil {
		return inColumn("store", err)
	}
	campaign, err := im.campaign(ctx, r)
	if err != nil {
		return inColumn("campaign", err)
	}
	creator, err := im.creator(ctx, r)
	if err != nil {
		return err
	}
	member, err := im.member(ctx, r, campaign, creator)
	if err != nil {
		return inColumn("creator", err)
	}
	offer, err := im.offer(ctx, r, campaign)
	if err != nil {
		return inColumn("offer", err)
	}
	om, err := im.offerMember(ctx, r, offer, member)
	if err != nil {
		return inColumn("offer", err)
	}
	if im.contradicted(r, member, om) {
		return nil
	}
	if r.code != "" {
		if err := im.code(ctx, r, om, store); err != nil {
			return inColumn("code", err)
		}
	}
	if r.hasLink() {
		return im.link(ctx, r, om, creator)
	}
	return nil
}

// store gives the store of a line; none is needed for a link, but a name that is given must be right.
func (im *importer) store(ctx context.Context, r importRow) (affiliate.Store, error) {
	if r.store == "" {
		return affiliate.Store{}, nil
	}
	if s, ok := im.stores[r.store]; ok {
		return s, nil
	}
	s, err := im.tx.StoreBySlug(ctx, r.store)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return s, affiliate.Errorf(affiliate.Invalid,
			"there is no store %q; add it first: tributary store add --slug %s …", r.store, r.store)
	}
	if err == nil {
		im.stores[r.store] = s
	}
	return s, err
}

func (im *importer) campaign(ctx context.Context, r importRow) (affiliate.Campaign, error) {
	c, err := im.tx.CampaignByName(ctx, r.campaign)
	if affiliate.KindOf(err) == affiliate.NotFound {
		im.report.Created.Campaigns++
		return im.app.addCampaign(ctx, im.tx, affiliate.Campaign{Name: r.campaign})
	}
	if err == nil && c.Status == affiliate.CampaignEnded {
		err = affiliate.Errorf(affiliate.Conflict, "the campaign %q was ended", c.Name)
	}
	return c, err
}

// creator finds or makes the creator of a line, and adds a handle or an e-mail address that was not known.
func (im *importer) creator(ctx context.Context, r importRow) (affiliate.Creator, error) {
	hash := im.app.EmailHash(r.email)
	c, found, err := im.creators.find(r, hash)
	if err != nil {
		return c, err
	}
	if !found {
		im.report.Created.Creators++
		if c, err = im.app.addCreator(ctx, im.tx, newCreator(r)); err == nil {
			im.creators.put(c)
		}
		return c, err
	}
	if c, err = im.tx.Creator(ctx, c.ID); err != nil { // as they are now
		return c, err
	}
	if !c.RemovedAt.IsZero() {
		return c, inColumn("creator", affiliate.Errorf(affiliate.Conflict,
			"%s was removed from the community; restore them first, or leave the line out", c.Name))
	}
	return im.complete(ctx, r, c, hash)
}

func newCreator(r importRow) affiliate.Creator {
	c := affiliate.Creator{Name: r.creator, Email: r.email, Handles: map[string]string{}}
	if r.instagram != "" {
		c.Handles[affiliate.Instagram] = r.instagram
	}
	return c
}

func (im *importer) complete(ctx context.Context, r importRow, c affiliate.Creator,
	hash string) (affiliate.Creator, error) {
	if r.email != "" && c.Email != "" && c.EmailHash != hash {
		im.note(r, "email", "%s has another e-mail address already; it was kept", c.Name)
	}
	if affiliate.FoldName(c.Name) != affiliate.FoldName(r.creator) {
		im.note(r, "creator", "the handle or e-mail address belongs to %s; that name was kept", c.Name)
	}
	after, err := im.app.amendCreator(ctx, im.tx, c.ID, AnyVersion, "change", func(c *affiliate.Creator) error {
		if c.Email == "" {
			c.Email = r.email
		}
		if r.instagram != "" && c.Handles[affiliate.Instagram] == "" {
			c.Handles = withHandle(c.Handles, affiliate.Instagram, r.instagram)
		}
		return nil
	})
	if err != nil {
		return after, err
	}
	if after.Version != c.Version {
		im.report.Updated.Creators++
		im.creators.put(after)
	}
	return after, nil
}

func withHandle(handles map[string]string, network, handle string) map[string]string {
	all := map[string]string{network: handle}
	for n, h := range handles {
		if n != network {
			all[n] = h
		}
	}
	return all
}

func (im *importer) member(ctx context.Context, r importRow, campaign affiliate.Campaign,
	creator affiliate.Creator) (affiliate.CampaignMember, error) {
	m, err := im.tx.MemberOf(ctx, campaign.ID, creator.ID)
	if affiliate.KindOf(err) == affiliate.NotFound {
		im.report.Created.Members++
		m = affiliate.CampaignMember{CampaignID: campaign.ID, CreatorID: creator.ID, ProductCurrency: im.currency}
		if r.product != nil {
			m.ProductValue = *r.product
		}
		return im.app.addMember(ctx, im.tx, m)
	}
	if err == nil && !m.RemovedAt.IsZero() {
		err = affiliate.Errorf(affiliate.Conflict, "%s was removed from %s; restore them first, or leave the line out",
			creator.Name, campaign.Name)
	}
	if err != nil || r.product == nil {
		return m, err
	}
	after, err := im.app.amendMember(ctx, im.tx, m.ID, AnyVersion, "change",
		func(m *affiliate.CampaignMember) error {
			m.ProductValue, m.ProductCurrency = *r.product, im.currency
			return nil
		})
	if err == nil && after.Version != m.Version {
		im.report.Updated.Members++
	}
	return after, err
}

// offer finds or makes the offer of a line. The rule of the line that makes it is the offer's.
func (im *importer) offer(ctx context.Context, r importRow, campaign affiliate.Campaign) (affiliate.Offer, error) {
	kind := affiliate.OfferSalesLink
	if im.withCode[r.offerKey()] {
		kind = affiliate.OfferPromoCode
	}
	o, err := im.tx.OfferByName(ctx, campaign.ID, r.offer)
	if affiliate.KindOf(err) == affiliate.NotFound {
		im.report.Created.Offers++
		o = affiliate.Offer{CampaignID: campaign.ID, Name: r.offer, Type: kind}
		if r.rule != nil {
			o.Rule = *r.rule
		} else {
			im.note(r, "commission_percent", "the new offer %s has no commission", r.offer)
		}
		return im.app.addOffer(ctx, im.tx, o)
	}
	if err == nil && o.Status == affiliate.OfferArchived {
		err = affiliate.Errorf(affiliate.Conflict, "the offer %q was archived", o.Name)
	}
	if err != nil || o.Type == affiliate.OfferPromoCode || kind == affiliate.OfferSalesLink {
		return o, err
	}
	im.report.Updated.Offers++
	return im.app.amendOffer(ctx, im.tx, o.ID, AnyVersion, "change", func(o *affiliate.Offer) error {
		o.Type = kind
		return nil
	})
}

// offerMember finds or makes the member's place in the offer. A rule other than the offer's is the member's own.
func (im *importer) offerMember(ctx context.Context, r importRow, offer affiliate.Offer,
	member affiliate.CampaignMember) (affiliate.OfferMember, error) {
	var override *affiliate.Rule
	if r.rule != nil && (r.rule.Percent != offer.Rule.Percent || r.rule.Flat != offer.Rule.Flat) {
		override = r.rule
	}
	m, err := im.tx.OfferMemberOf(ctx, offer.ID, member.ID)
	if affiliate.KindOf(err) == affiliate.NotFound {
		im.report.Created.OfferMembers++
		return im.app.addOfferMember(ctx, im.tx, affiliate.OfferMember{OfferID: offer.ID, MemberID: member.ID,
			Override: override}, member)
	}
	if err == nil && !m.InactiveSince.IsZero() {
		err = affiliate.Errorf(affiliate.Conflict,
			"%s is inactive in the offer %q; make them active first, or leave the line out", r.creator, offer.Name)
	}
	if err != nil || r.rule == nil {
		return m, err
	}
	after, err := im.app.amendOfferMember(ctx, im.tx, m.ID, AnyVersion, "change",
		func(m *affiliate.OfferMember) error {
			m.SetOverride(override)
			return nil
		})
	if err == nil && after.Version != m.Version {
		im.report.Updated.OfferMembers++
	}
	return after, err
}

func (im *importer) code(ctx context.Context, r importRow, om affiliate.OfferMember, store affiliate.Store) error {
	history, err := im.tx.CodeHistory(ctx, store.ID, r.code)
	if err != nil {
		return err
	}
	now := im.app.now()
	if owned, ok := affiliate.Occupant(history, now); ok && owned.OfferMemberID == om.ID && owned.ValidTo.IsZero() {
		return nil
	}
	c, err := im.app.makeCode(ctx, im.tx, NewCode{OfferMember: om.ID, Store: store.ID, Code: r.code}, store)
	if err != nil {
		return err
	}
	im.made[store.ID] = append(im.made[store.ID], affiliate.FoldCode(c.Code))
	im.report.Created.Codes++
	if len(history) > 0 {
		im.note(r, "code", "%s was owned before; it is %s's for orders placed from now on", c.Code, r.creator)
	}
	return nil
}

func (im *importer) link(ctx context.Context, r importRow, om affiliate.OfferMember, creator affiliate.Creator) error {
	l, found, err := im.findLink(ctx, r, om)
	if err != nil {
		return inColumn("link_slug", err)
	}
	if !found {
		im.report.Created.Links++
		_, err := im.app.addLink(ctx, im.tx, affiliate.Link{OfferMemberID: om.ID, Slug: r.slug,
			LandingURL: r.landing}, creator)
		return renamed(err, "slug", "link_slug")
	}
	if !l.EndedAt.IsZero() {
		return inColumn("link_slug", affiliate.Errorf(affiliate.Conflict,
			"the link %s was ended, and slugs are not used again; choose another slug", l.Slug))
	}
	if l.LandingURL == r.landing {
		return nil
	}
	im.report.Updated.Links++
	_, err = im.app.amendLink(ctx, im.tx, l.ID, "change", func(l *affiliate.Link) error {
		l.LandingURL = r.landing
		return nil
	})
	return err
}

// findLink gives the member's own link of that slug or, where the line has no slug, a working one with that landing
// page. Another's slug is left for addLink to refuse.
func (im *importer) findLink(ctx context.Context, r importRow, om affiliate.OfferMember) (affiliate.Link, bool, error) {
	if r.slug != "" {
		l, err := im.tx.LinkBySlug(ctx, r.slug)
		if affiliate.KindOf(err) == affiliate.NotFound {
			return l, false, nil
		}
		return l, err == nil && l.OfferMemberID == om.ID, err
	}
	links, _, err := im.tx.Links(ctx, storage.LinkFilter{OfferMember: om.ID}, storage.Page{Limit: storage.MaxLimit})
	for _, l := range links {
		if l.EndedAt.IsZero() && l.Kind == affiliate.LinkSales && l.LandingURL == r.landing {
			return l, true, nil
		}
	}
	return affiliate.Link{}, false, err
}

// renamed gives an error's field the name that it has in the file.
func renamed(err error, field, column string) error {
	var e *affiliate.Error
	if errors.As(err, &e) && e.Field == field {
		return inColumn(column, err)
	}
	return err
}

// creatorIndex finds creators by what a file knows of them.
type creatorIndex struct {
	byID     map[affiliate.CreatorID]affiliate.Creator
	byHandle map[string]affiliate.CreatorID
	byEmail  map[string][]affiliate.CreatorID
	byName   map[string][]affiliate.CreatorID
}

func newCreatorIndex(all []affiliate.Creator) creatorIndex {
	x := creatorIndex{map[affiliate.CreatorID]affiliate.Creator{}, map[string]affiliate.CreatorID{},
		map[string][]affiliate.CreatorID{}, map[string][]affiliate.CreatorID{}}
	for _, c := range all {
		x.put(c)
	}
	return x
}

// put adds a creator, or what has become known of one.
func (x creatorIndex) put(c affiliate.Creator) {
	before, known := x.byID[c.ID]
	x.byID[c.ID] = c
	handle, old := affiliate.FoldHandle(c.Handles[affiliate.Instagram]),
		affiliate.FoldHandle(before.Handles[affiliate.Instagram])
	if old != "" && old != handle && x.byHandle[old] == c.ID {
		delete(x.byHandle, old)
	}
	if handle != "" {
		x.byHandle[handle] = c.ID
	}
	move(x.byEmail, before.EmailHash, c.EmailHash, c.ID)
	name := ""
	if known {
		name = affiliate.FoldName(before.Name)
	}
	move(x.byName, name, affiliate.FoldName(c.Name), c.ID)
}

// move puts an id below another key than before; below the empty key is nothing.
func move(m map[string][]affiliate.CreatorID, before, after string, id affiliate.CreatorID) {
	if before == after {
		return
	}
	if before != "" {
		m[before] = slices.DeleteFunc(m[before], func(one affiliate.CreatorID) bool { return one == id })
	}
	if after != "" {
		m[after] = append(m[after], id)
	}
}

// find looks by Instagram handle, then by e-mail address, then by name. A creator whose handle or e-mail address is
// known to be another is another person, even of the same name or with an agency's address. So is somebody of another
// name whose address only has another tag: agencies have one mailbox for all of their creators.
func (x creatorIndex) find(r importRow, hash string) (affiliate.Creator, bool, error) {
	handle := affiliate.FoldHandle(r.instagram)
	if id, ok := x.byHandle[handle]; ok && handle != "" {
		return x.byID[id], true, nil
	}
	if hash != "" {
		c, found, err := x.only(x.byEmail[hash], "e-mail address", func(c affiliate.Creator) bool {
			return agrees(c.Handles[affiliate.Instagram], handle) &&
				(affiliate.FoldEmail(c.Email) == affiliate.FoldEmail(r.email) ||
					affiliate.FoldName(c.Name) == affiliate.FoldName(r.creator))
		})
		if found || err != nil {
			return c, found, inColumn("email", err)
		}
	}
	c, found, err := x.only(x.byName[affiliate.FoldName(r.creator)], "name", func(c affiliate.Creator) bool {
		return agrees(c.Handles[affiliate.Instagram], handle) && (hash == "" || c.EmailHash == "" ||
			c.EmailHash == hash)
	})
	return c, found, inColumn("creator", err)
}

// agrees says whether a known handle may be the given one: it is, or one of both is unknown.
func agrees(known, folded string) bool {
	return known == "" || folded == "" || affiliate.FoldHandle(known) == folded
}

func (x creatorIndex) only(ids []affiliate.CreatorID, what string,
	fits func(affiliate.Creator) bool) (found affiliate.Creator, ok bool, err error) {
	var names []string
	for _, id := range ids {
		if c := x.byID[id]; fits(c) {
			found, ok, names = c, true, append(names, id.String())
		}
	}
	if len(names) > 1 {
		return found, false, affiliate.Errorf(affiliate.Conflict,
			"%d creators have this %s (%s); give the instagram handle", len(names), what, strings.Join(names, ", "))
	}
	return found, ok, nil
}
