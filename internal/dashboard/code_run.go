package dashboard

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func codeRunRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/code-runs", signedIn, (*request).codeRunsPage},
		{http.MethodGet, "/code-runs/:run", signedIn, (*request).codeRunPage},
		{http.MethodPost, "/code-runs/:run/items", change, (*request).setDraftItem},
		{http.MethodPost, "/code-runs/:run/start", change, (*request).startCodeRun},
		{http.MethodPost, "/code-runs/:run/cancel", change, (*request).cancelCodeRun},
		{http.MethodPost, "/code-runs/:run/retry", change, (*request).retryCodeRun},
		{http.MethodPost, "/code-runs/:run/typed", change, (*request).doneByHand},
	}
}

func codeRunAddress(id affiliate.CodeRunID) string { return "/code-runs/" + id.String() }

// codeRunBadges are the states of runs.
var codeRunBadges = map[affiliate.CodeRunState]badge{affiliate.RunDraft: {"", "info", "Not started"},
	affiliate.RunWaiting: {"", "clock", "Waiting for its time"}, affiliate.RunRunning: {"info", "refresh", "Running"},
	affiliate.RunDone: {"good", "check", "Done"}, affiliate.RunCanceled: {"", "cross", "Canceled"}}

// itemBadges are the states of the items of runs.
var itemBadges = map[affiliate.CodeItemState]badge{affiliate.ItemWaiting: {"", "clock", "To do"},
	affiliate.ItemAsked:  {"info", "refresh", "The store is asked"},
	affiliate.ItemByHand: {"warn", "list", "To do by hand"}, affiliate.ItemDone: {"good", "check", "Done"},
	affiliate.ItemFailed: {"bad", "alert", "Failed"}, affiliate.ItemSkipped: {"", "minus", "Left out"},
	affiliate.ItemCanceled: {"", "cross", "Taken out"}}

// codeRunLine is a run as lists show it.
type codeRunLine struct {
	affiliate.CodeRun
	Address string
	Title   string // "Make codes"
	Of      string // the offer; empty of several
	Badge   badge
	By      string
	Made    string // when it was asked for
	Begins  string // when it begins; empty once it has, and of what begins at once
	Ended   string
	Overlap string // how long old codes go on: "7 days"; empty where they do not
	Counts  map[affiliate.CodeItemState]int64
}

// Total is how many items there are to do, without those that were taken out of the draft.
func (l codeRunLine) Total() (n int64) {
	for state, count := range l.Counts {
		if state != affiliate.ItemSkipped && (l.State == affiliate.RunCanceled || state != affiliate.ItemCanceled) {
			n += count
		}
	}
	return n
}

// Over is how many of them were done, well or not.
func (l codeRunLine) Over() int64 {
	return l.Counts[affiliate.ItemDone] + l.Counts[affiliate.ItemFailed]
}

// Open says whether the run has begun, or will, and is not over.
func (l codeRunLine) Open() bool {
	return l.State == affiliate.RunWaiting || l.State == affiliate.RunRunning
}

// N is how many items are in a state.
func (l codeRunLine) N(state string) int64 { return l.Counts[affiliate.CodeItemState(state)] }

func (r *request) codeRunLine(run affiliate.CodeRun, counts map[affiliate.CodeItemState]int64, of string) codeRunLine {
	l := codeRunLine{CodeRun: run, Address: codeRunAddress(run.ID), Title: codeActions[run.Action].Title, Of: of,
		Badge: codeRunBadges[run.State], By: actorText(run.Actor), Made: r.moment(run.CreatedAt),
		Ended: r.moment(run.EndedAt), Counts: counts}
	if run.OverlapDays > 0 {
		l.Overlap = counted(int64(run.OverlapDays), "day", "days")
	}
	if run.State == affiliate.RunDraft || run.State == affiliate.RunWaiting {
		l.Begins = r.moment(run.At)
	}
	if run.State == affiliate.RunDone && counts[affiliate.ItemFailed] > 0 {
		l.Badge = badge{"bad", "alert", "Done, some failed"}
	}
	return l
}

// codeRunsPage lists the runs, of all offers or of one.
type codeRunsPage struct {
	layout
	Offer *affiliate.Offer // nil: of all
	Codes string           // address of the codes of the offer
	Runs  []codeRunLine
	Pager pager
}

func (r *request) codeRunsPage() error {
	ctx := r.Request.Context()
	id, err := affiliate.OptionalID[affiliate.OfferID]("offer", "off_", r.Query("offer"))
	if err != nil {
		return err
	}
	p := codeRunsPage{layout: r.layout("Code runs", "campaigns")}
	if id != 0 {
		o, err := r.d.App.DB.Offer(ctx, id)
		if err != nil {
			return err
		}
		p.Offer, p.Codes = &o, offerCodesAddress(o)
	}
	list, next, err := r.d.App.DB.CodeRuns(ctx, id, r.page())
	if err != nil {
		return err
	}
	ids := make([]affiliate.CodeRunID, len(list))
	var offers []affiliate.OfferID
	for i, run := range list {
		ids[i] = run.ID
		if run.OfferID != 0 && !slices.Contains(offers, run.OfferID) {
			offers = append(offers, run.OfferID)
		}
	}
	counts, err := r.d.App.DB.CodeItemCounts(ctx, ids)
	if err != nil {
		return err
	}
	found, err := r.d.App.DB.OffersOf(ctx, offers)
	if err != nil {
		return err
	}
	names := map[affiliate.OfferID]string{}
	for _, o := range found {
		names[o.ID] = o.Name
	}
	for _, run := range list {
		p.Runs = append(p.Runs, r.codeRunLine(run, counts[run.ID], names[run.OfferID]))
	}
	p.Pager = r.pager(next)
	return r.show("code_runs.html", &p)
}

// codeRunPage is one run: while it is a draft what it would do, afterwards how far it has come.
type codeRunPage struct {
	layout
	Run      codeRunLine
	Offer    *affiliate.Offer // nil of codes that are taken over for several offers
	Campaign string           // name and address of the offer's campaign
	Home     string
	Codes    string // address of the codes of the offer
	Store    *affiliate.Store
	Gives    string // what the codes give
	Offered  bool   // which becomes what the offer gives
	Stores   []runStore
	LeftOut  []leftOut
	More     int64 // that are left out for other reasons
	Items    []codeItemLine
	Filters  []itemFilter
	State    affiliate.CodeItemState
	Text     string
	Pager    pager
	Typed    []app.TypedItem
	Live     string
	Here     string
	May      bool
	Editable bool // codes of the draft can be changed
	Takes    bool // codes are taken over
	Makes    bool
	Begin    string // what the button says
	Mail     string // address of a mailing to those whose codes it made; empty for none
}

// Draft says whether nothing is done yet.
func (p codeRunPage) Draft() bool { return p.Run.State == affiliate.RunDraft }

// runStore is what a run does in one store.
type runStore struct {
	affiliate.Store
	N      int64
	ByHand string // why it is done by hand; empty where it is not
	Name   string
}

// leftOut are items that there is nothing to do for, and why.
type leftOut struct {
	N   int64
	Why string
}

// itemFilter narrows the items to a state.
type itemFilter struct {
	Title, Address string
	N              int64
	Chosen         bool
}

type codeItemLine struct {
	storage.CodeItemRow
	Address string // of the creator in the campaign; empty where they are not of one
	Store   string // name
	Badge   badge
	Note    string
	Old     string // until when the old code goes on; empty where that is not known
	Sums    *takenSums
}

// takenSums are what taking a code over credits, as the store's orders are now.
type takenSums struct {
	Orders  int
	More    bool // there are more
	Totals  []app.AssignedTotal
	Refused int
	Trouble string
}

const (
	shownTakes   = 20 // items of a take-over on a page, each with its sums
	shownTyped   = 10 // items to be done by hand on a page
	shownLeftOut = 8  // reasons
)

func (r *request) codeRun() (affiliate.CodeRun, error) {
	id, err := idParam[affiliate.CodeRunID](r, "run", "cru_")
	if err != nil {
		return affiliate.CodeRun{}, err
	}
	return r.d.App.DB.CodeRun(r.Request.Context(), id)
}

func (r *request) codeRunPage() error {
	run, err := r.codeRun()
	if err != nil {
		return err
	}
	p, err := r.readCodeRunPage(run)
	if err != nil {
		return err
	}
	return r.show("code_run.html", p)
}

func (r *request) readCodeRunPage(run affiliate.CodeRun) (*codeRunPage, error) {
	ctx := r.Request.Context()
	p := &codeRunPage{May: r.may(affiliate.MayChangeCatalog), Text: strings.TrimSpace(r.Query("q")),
		State: affiliate.CodeItemState(r.Query("state")), Here: r.here(), Offered: run.Offered,
		Takes: run.Action == affiliate.CodeTakeOver, Makes: run.Action.Makes()}
	p.Editable = p.May && run.State == affiliate.RunDraft
	if p.State != "" {
		if err := affiliate.CheckWord("state", p.State); err != nil {
			return nil, err
		}
	}
	of := ""
	if run.OfferID != 0 {
		o, err := r.d.App.DB.Offer(ctx, run.OfferID)
		if err != nil {
			return nil, err
		}
		c, err := r.d.App.DB.Campaign(ctx, o.CampaignID)
		if err != nil {
			return nil, err
		}
		p.Offer, p.Campaign, p.Home, p.Codes, of = &o, c.Name, campaignAddress(c.ID), offerCodesAddress(o), o.Name
	}
	discount, err := affiliate.ParseOfferDiscount(run.Discount)
	if err != nil {
		return nil, err
	}
	if discount.Kind != "" {
		p.Gives = discount.Sentence(r.zone)
	}
	groups, err := r.d.App.DB.CodeItemGroups(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	p.Run = r.codeRunLine(run, map[affiliate.CodeItemState]int64{}, of)
	for _, g := range groups {
		p.Run.Counts[g.State] += g.N
	}
	p.Run = r.codeRunLine(run, p.Run.Counts, of)
	if err := r.runStores(p, groups); err != nil {
		return nil, err
	}
	p.layout = r.layout(strings.TrimSuffix(p.Run.Title+": "+of, ": "), "campaigns")
	p.Begin = r.beginText(p)
	if p.May && p.Makes && p.Offer != nil && !p.Run.Open() && p.Run.Counts[affiliate.ItemDone] > 0 {
		p.Mail = "/mail/new?run=" + run.ID.String()
	}
	if err := r.codeItems(p); err != nil {
		return nil, err
	}
	return p, r.typedItems(p)
}

// runStores says how many items there are in which store, and why some are left out.
func (r *request) runStores(p *codeRunPage, groups []storage.CodeItemGroup) error {
	ctx := r.Request.Context()
	for _, g := range groups {
		i := slices.IndexFunc(p.Stores, func(s runStore) bool { return s.ID == g.StoreID })
		if i < 0 {
			s, err := r.d.App.DB.Store(ctx, g.StoreID)
			if err != nil {
				return err
			}
			reading, err := r.d.App.CouponReading(ctx, s)
			if err != nil {
				return err
			}
			line := runStore{Store: s, Name: r.couponGuide(s).Name}
			if !reading.Can {
				line.ByHand = sentenceOf("", reading.Why)
			}
			i, p.Stores = len(p.Stores), append(p.Stores, line)
			p.Live = strings.TrimSpace(p.Live + " " + s.ID.String())
		}
		switch g.State {
		case affiliate.ItemSkipped:
			p.leaveOut(g)
		case affiliate.ItemCanceled:
		default:
			p.Stores[i].N += g.N
		}
	}
	if p.Takes && len(p.Stores) == 1 {
		p.Store = &p.Stores[0].Store
	}
	return nil
}

// leaveOut adds to why items are left out; the reasons are the same in all stores.
func (p *codeRunPage) leaveOut(g storage.CodeItemGroup) {
	why := sentenceOf("", g.Trouble)
	if i := slices.IndexFunc(p.LeftOut, func(l leftOut) bool { return l.Why == why }); i >= 0 {
		p.LeftOut[i].N += g.N
	} else if len(p.LeftOut) < shownLeftOut {
		p.LeftOut = append(p.LeftOut, leftOut{g.N, why})
	} else {
		p.More += g.N
	}
}

// beginText is what the button says that starts the run.
func (r *request) beginText(p *codeRunPage) string {
	n := p.Run.Total()
	words := map[affiliate.CodeAction]string{affiliate.CodeMake: "Make ", affiliate.CodeRefresh: "Refresh ",
		affiliate.CodeActivate: "Activate ", affiliate.CodeDeactivate: "Deactivate ", affiliate.CodeEnd: "End ",
		affiliate.CodeDiscount: "Change ", affiliate.CodeTakeOver: "Take over "}[p.Run.Action]
	text := words + counted(n, "code", "codes")
	if p.Run.At.After(r.d.App.Now()) {
		text += " at that time"
	}
	return text
}

// codeItems reads a page of the run's items.
func (r *request) codeItems(p *codeRunPage) error {
	ctx, run := r.Request.Context(), p.Run.ID
	f := storage.CodeItemFilter{Run: run, Search: p.Text}
	if p.State != "" {
		f.States = []affiliate.CodeItemState{p.State}
	}
	page := r.page()
	sums := p.Takes && p.Draft() && p.May
	if sums {
		page.Limit = shownTakes
	}
	rows, next, err := r.d.App.DB.CodeItemPage(ctx, f, page)
	if err != nil {
		return err
	}
	p.Pager = r.pager(next)
	names := map[affiliate.StoreID]string{}
	for _, s := range p.Stores {
		names[s.ID] = s.Store.Name
	}
	unproved, err := r.unproved(rows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		line := codeItemLine{CodeItemRow: row, Store: names[row.StoreID], Badge: itemBadges[row.State],
			Note: sentenceOf("", row.Trouble), Old: r.moment(row.EndsAt)}
		if p.Offer != nil {
			line.Address = memberAddress(p.Offer.CampaignID, row.MemberID)
		}
		if b, ok := unproved[row.NewID]; ok && row.State == affiliate.ItemDone {
			line.Badge = b
		}
		if sums && row.Orders > 0 && row.State == affiliate.ItemWaiting {
			if line.Sums, err = r.takenSums(row); err != nil {
				return err
			}
		}
		p.Items = append(p.Items, line)
	}
	all := itemFilter{Title: "All", Address: r.with("state", ""), Chosen: p.State == ""}
	p.Filters = []itemFilter{all}
	for _, state := range affiliate.Words[affiliate.CodeItemState]() {
		if n := p.Run.Counts[state]; n > 0 || state == p.State {
			p.Filters[0].N += n
			p.Filters = append(p.Filters, itemFilter{Title: itemBadges[state].Text, Address: r.with("state",
				string(state)), N: n, Chosen: state == p.State})
		}
	}
	return nil
}

// unproved gives the badges of codes that were made by hand and that no order has come with yet.
func (r *request) unproved(rows []storage.CodeItemRow) (map[affiliate.CodeID]badge, error) {
	var members []affiliate.OfferMemberID
	for _, row := range rows {
		if row.State == affiliate.ItemDone && row.NewID != 0 && !slices.Contains(members, row.OfferMemberID) {
			members = append(members, row.OfferMemberID)
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	found, err := r.d.App.MemberCodes(r.Request.Context(), members)
	if err != nil {
		return nil, err
	}
	badges := map[affiliate.CodeID]badge{}
	for _, list := range found {
		for _, c := range list {
			if c.Standing == app.StandsUnproved {
				badges[c.ID] = standings[c.Standing]
			}
		}
	}
	return badges, nil
}

// takenSums tries what taking a code over would credit.
func (r *request) takenSums(row storage.CodeItemRow) (*takenSums, error) {
	done, err := r.d.App.AssignCode(r.Request.Context(), app.AssignCode{NewCode: app.NewCode{Code: row.Code,
		Store: row.StoreID, OfferMember: row.OfferMemberID}, Preview: true, Most: mostAssigned}, nil)
	if err != nil {
		errs, err := formErrors(err)
		return &takenSums{Trouble: unseenError(errs)}, err
	}
	return &takenSums{Orders: done.Credited, More: done.Next != 0, Totals: done.Totals, Refused: done.NotCredited}, nil
}

// typedItems reads the first items that are to be done by hand, with what is to be typed.
func (r *request) typedItems(p *codeRunPage) error {
	if p.Draft() || p.Run.Counts[affiliate.ItemByHand] == 0 {
		return nil
	}
	rows, _, err := r.d.App.DB.CodeItemPage(r.Request.Context(), storage.CodeItemFilter{Run: p.Run.ID,
		States: []affiliate.CodeItemState{affiliate.ItemByHand}}, storage.Page{Limit: shownTyped})
	if err != nil {
		return err
	}
	p.Typed, err = r.d.App.TypedItems(r.Request.Context(), p.Run.CodeRun, rows)
	return err
}

// onCodeRun does something with a run and goes back to it, or shows it again with why nothing was done.
func (r *request) onCodeRun(do func(affiliate.CodeRun) (notice string, err error)) error {
	run, err := r.codeRun()
	if err != nil {
		return err
	}
	notice, err := do(run)
	if err == nil {
		return r.done(back(r.field("back"), codeRunAddress(run.ID)), notice)
	}
	if r.GetHeader("X-Quiet") != "" {
		return err
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.readCodeRunPage(run)
	if err != nil {
		return err
	}
	p.Failure = unseenError(errs)
	r.render(http.StatusUnprocessableEntity, "code_run.html", p)
	return nil
}

// setDraftItem changes the code of an item of a draft, or takes the item out.
func (r *request) setDraftItem() error {
	return r.onCodeRun(func(run affiliate.CodeRun) (string, error) {
		id, err := affiliate.ParseID[affiliate.CodeItemID]("cit_", cmp.Or(r.field("out"), r.field("item")))
		if err != nil {
			return "", err
		}
		code := r.field("code")
		if r.field("out") != "" {
			code = ""
		} else if code == "" {
			return "", affiliate.FieldErrorf("code", "type a code, or take it out of the run")
		}
		items, err := r.d.App.DB.CodeItemsByID(r.Request.Context(), []affiliate.CodeItemID{id})
		if err == nil && (len(items) == 0 || items[0].RunID != run.ID) {
			err = affiliate.NoSuch(id)
		}
		if err != nil {
			return "", err
		}
		item, err := r.d.App.SetDraftItem(r.Request.Context(), id, code)
		if code == "" {
			return items[0].Code + " is taken out; nothing is done about it.", err
		}
		return item.Code + " is in the run.", err
	})
}

func (r *request) startCodeRun() error {
	return r.onCodeRun(func(run affiliate.CodeRun) (string, error) {
		run, err := r.d.App.StartCodeRun(r.Request.Context(), run.ID)
		return r.startedText(run), err
	})
}

// startedText says what happens next with a run.
func (r *request) startedText(run affiliate.CodeRun) string {
	switch {
	case run.State == affiliate.RunWaiting && run.At.After(r.d.App.Now()):
		return "It begins on " + r.moment(run.At) + "."
	case run.State == affiliate.RunDone:
		return "It is done."
	}
	return "It has begun; you may leave this page. What comes of each code shows here."
}

func (r *request) cancelCodeRun() error {
	return r.onCodeRun(func(run affiliate.CodeRun) (string, error) {
		draft := run.State == affiliate.RunDraft
		_, err := r.d.App.CancelCodeRun(r.Request.Context(), run.ID)
		if draft {
			return "It is discarded; nothing was done.", err
		}
		return "It is canceled. What was done stays; what the stores were asked already is followed to its end.", err
	})
}

func (r *request) retryCodeRun() error {
	return r.onCodeRun(func(run affiliate.CodeRun) (string, error) {
		_, err := r.d.App.RetryCodeRun(r.Request.Context(), run.ID)
		return "Those that failed are tried again.", err
	})
}

// doneByHand notes that what was to be typed into a store was: of one item, or of all.
func (r *request) doneByHand() error {
	return r.onCodeRun(func(run affiliate.CodeRun) (string, error) {
		ids, err := affiliate.ParseIDs[affiliate.CodeItemID]("ids", "cit_", r.PostFormArray("ids"))
		if err == nil && len(ids) == 0 && r.field("all") == "" {
			err = affiliate.Errorf(affiliate.Invalid, "say which code was done")
		}
		if err != nil {
			return "", err
		}
		n, err := r.d.App.DoneByHand(r.Request.Context(), run.ID, ids)
		return counted(int64(n), "code is", "codes are") + " done by hand.", err
	})
}

// runAtOnce drafts a run of a few codes and starts it, where nobody need look at it first. It says what happens next,
// and leads to the run where that is not all done from here.
func (r *request) runAtOnce(in app.NewCodeRun) (o outcome, err error) {
	ctx := r.Request.Context()
	run, err := r.d.App.DraftCodeRun(ctx, in)
	var e *affiliate.Error
	if errors.As(err, &e) && (e.Field == "pattern" || e.Field == "discount") {
		err = affiliate.Errorf(affiliate.Conflict,
			"the offer does not say how its codes are made, or what they give: say "+
				"it in the offer’s settings first")
	}
	if err != nil {
		return o, err
	}
	items, _, err := r.d.App.DB.CodeItemPage(ctx, storage.CodeItemFilter{Run: run.ID}, storage.Page{})
	if err != nil {
		return o, err
	}
	open := slices.DeleteFunc(slices.Clone(items), func(i storage.CodeItemRow) bool {
		return i.State != affiliate.ItemWaiting
	})
	if len(open) == 0 {
		if _, err := r.d.App.CancelCodeRun(ctx, run.ID); err != nil {
			return o, err
		}
		return o, affiliate.Errorf(affiliate.Conflict, "nothing is done: %s", items[0].Trouble)
	}
	if _, err = r.d.App.StartCodeRun(ctx, run.ID); err != nil {
		return o, err
	}
	if len(open) > 1 {
		return outcome{"It has begun. What comes of each code shows here.", codeRunAddress(run.ID)}, nil
	}
	store, err := r.d.App.DB.Store(ctx, open[0].StoreID)
	if err != nil {
		return o, err
	}
	reading, err := r.d.App.CouponReading(ctx, store)
	if !reading.Can {
		return outcome{"This store is not asked from here. Do it in its admin: what to type shows below.",
			codeRunAddress(run.ID)}, err
	}
	return outcome{notice: atOnceText(in.Action, open[0])}, err
}

// atOnceText says what happens with one code.
func atOnceText(action affiliate.CodeAction, item storage.CodeItemRow) string {
	old := cmp.Or(item.OldCode, item.Code)
	switch action {
	case affiliate.CodeRefresh:
		return fmt.Sprintf("%s is being made in the store; %s ends then.", item.Code, old)
	case affiliate.CodeActivate:
		return old + " is being activated in the store."
	case affiliate.CodeDeactivate:
		return old + " is being deactivated in the store. It stays theirs."
	case affiliate.CodeEnd:
		return old + " is being ended in the store, and is free again then. Orders until now stay theirs."
	case affiliate.CodeDiscount:
		return old + " is being given its discount in the store."
	}
	return item.Code + " is being made in the store."
}
