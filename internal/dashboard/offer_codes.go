package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func offerCodeRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/campaigns/:id/offers/:offer/codes", signedIn, (*request).offerCodesPage},
		{http.MethodGet, "/campaigns/:id/offers/:offer/codes/new", change, (*request).newCodeRunPage},
		{http.MethodPost, "/campaigns/:id/offers/:offer/codes/new", change, (*request).newCodeRunPage},
		{http.MethodPost, "/campaigns/:id/offers/:offer/codes/draft", change, (*request).draftCodeRun},
	}
}

// standings are how codes stand in their stores, in words.
var standings = map[app.CodeStanding]badge{
	app.StandsInStore:  {"good", "check", "Works in the store"},
	app.StandsHalted:   {"", "pause", "Deactivated"},
	app.StandsOver:     {"", "clock", "Its discount has ended"},
	app.StandsTroubled: {"bad", "alert", "Not as it should be"},
	app.StandsUnread:   {"", "clock", "Not looked up yet"},
	app.StandsUnproved: {"warn", "clock", "Waiting for the first order"},
	app.StandsProved:   {"good", "check", "Orders came with it"},
	app.StandsEnded:    {"", "cross", "Ended"},
}

// standingCode is a code of somebody with how it stands in its store, as pages tell it.
type standingCode struct {
	affiliate.Code
	Store   string // name
	Badge   badge
	Gives   string // "10 % off"; empty where that is not known
	Uses    string // "12 uses"; empty where the store was not asked
	Days    string // from when to when it is theirs
	Trouble string // what is not as it should be
	Ended   bool
	Busy    bool   // a run is about to change it
	Halted  bool   // deactivated from here
	First   string // address of the first order that came with it, where that is what proves it
	Coupons string // address of the store's codes, narrowed to this one
}

// standingCodes reads the codes of some members of offers, by member.
func (r *request) standingCodes(members []affiliate.OfferMemberID) (map[affiliate.OfferMemberID][]standingCode, error) {
	found, err := r.d.App.MemberCodes(r.Request.Context(), members)
	if err != nil {
		return nil, err
	}
	codes := make(map[affiliate.OfferMemberID][]standingCode, len(found))
	for owner, list := range found {
		for _, c := range list {
			codes[owner] = append(codes[owner], r.standingCode(c))
		}
	}
	return codes, nil
}

func (r *request) standingCode(c app.MemberCode) standingCode {
	line := standingCode{Code: c.Code, Store: c.Store.Name, Badge: standings[c.Standing],
		Days: r.interval(c.ValidFrom, c.ValidTo), Ended: c.Standing == app.StandsEnded,
		Busy: c.UnderWay, Halted: c.Standing == app.StandsHalted,
		Coupons: couponsAddress(c.Store) + "?set=all&q=" + c.Code.Code}
	if c.Discount.Kind != "" {
		line.Gives = r.givesNow(c.Discount)
	}
	if u := c.Coupon; u != nil {
		line.Gives = cmp.Or(u.Other, line.Gives)
		line.Uses = counted(u.Uses, "use", "uses")
		if c.Standing == app.StandsTroubled {
			line.Badge.Text, line.Trouble = troubleTitles[u.Trouble], sentenceOf("", u.Told)
		}
	}
	if c.FirstUsed != 0 {
		line.First = "/orders/" + c.FirstUsed.String()
	}
	return line
}

// givesNow says what a code gives. Its beginning is left out once it has come: Shopify gives every discount one.
func (r *request) givesNow(d affiliate.Discount) string {
	if !d.StartsAt.After(r.d.App.Now()) {
		d.StartsAt = time.Time{}
	}
	return d.Sentence(r.zone)
}

// offerCodesPage lists the members of an offer with their codes, and how those stand in the stores.
type offerCodesPage struct {
	offerHead
	Codes   string // this page's
	Text    string
	Without bool
	Ended   bool
	Rows    []offerMemberLine
	Count   int64
	Pager   pager
	Here    string
	Live    string // the stores that the table follows
	Gives   string // what new codes give; empty while that is not set
}

// Narrowed says whether some members are left out.
func (p offerCodesPage) Narrowed() bool { return p.Text != "" || p.Without }

// More says whether there are rows on other pages.
func (p offerCodesPage) More() bool { return p.Pager.Next+p.Pager.First != "" }

type offerMemberLine struct {
	storage.OfferMemberItem
	Address  string
	Inactive string // since when; empty while active
	Codes    []standingCode
}

func (r *request) offerCodesPage() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p := offerCodesPage{Codes: offerCodesAddress(o), Text: strings.TrimSpace(r.Query("q")),
		Without: r.Query("without") != "", Ended: r.Query("ended") != "", Here: r.here()}
	if p.offerHead, err = r.offerHead(o, "codes", "Codes"); err != nil {
		return err
	}
	stores, err := r.openStores()
	if err != nil {
		return err
	}
	for _, s := range stores {
		p.Live = strings.TrimSpace(p.Live + " " + s.ID.String())
	}
	if o.Discount.Kind != "" {
		p.Gives = o.Discount.Sentence(r.zone)
	}
	ctx, now, search := r.Request.Context(), r.d.App.Now(), storage.OfferMemberSearch{Offer: o.ID, Text: p.Text,
		Without: p.Without}
	members, next, err := r.d.App.DB.OfferMemberPage(ctx, search, now, r.page())
	if err != nil {
		return err
	}
	if p.Pager = r.pager(next); p.More() {
		p.Count, err = r.d.App.DB.CountOfferMembers(ctx, search, now)
	} else {
		p.Count = int64(len(members))
	}
	if err != nil {
		return err
	}
	ids := make([]affiliate.OfferMemberID, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	codes, err := r.standingCodes(ids)
	if err != nil {
		return err
	}
	for _, m := range members {
		line := offerMemberLine{OfferMemberItem: m, Address: memberAddress(m.CampaignID, m.MemberID),
			Inactive: r.date(m.InactiveSince.Time)}
		for _, c := range codes[m.ID] {
			if p.Ended || !c.Ended {
				line.Codes = append(line.Codes, c)
			}
		}
		p.Rows = append(p.Rows, line)
	}
	return r.show("offer_codes.html", &p)
}

func offerCodesAddress(o affiliate.Offer) string { return offerAddress(o) + "/codes" }

// codeActions are what runs do, in words: as buttons, as titles of what is asked, and as what was done.
var codeActions = map[affiliate.CodeAction]struct{ Button, Title, Icon, About string }{
	affiliate.CodeMake: {"Make codes", "Make codes", "plus",
		"Each of them gets a new code in each store in which they have none."},
	affiliate.CodeRefresh: {"Refresh", "Refresh codes", "refresh",
		"Each of them gets a new code, and the old one ends, at once or some days later. Orders with the old one " +
			"stay theirs."},
	affiliate.CodeActivate: {"Activate", "Activate codes", "check", "The stores take their codes again."},
	affiliate.CodeDeactivate: {"Deactivate", "Deactivate codes", "pause",
		"The stores take their codes from nobody any more. The codes stay theirs, and can be activated again."},
	affiliate.CodeEnd: {"End", "End codes", "cross",
		"The stores take their codes from nobody any more, and the codes are nobody's from then on. Orders until " +
			"then stay theirs."},
	affiliate.CodeDiscount: {"Change discount", "Change what codes give", "tag",
		"Their codes give another discount in the stores. The codes stay the same."},
	affiliate.CodeTakeOver: {"Take over", "Take over codes", "down",
		"Codes that the store has already become the creators', with the orders that carry them."},
}

// offerActions are those that are offered for the members of an offer, in this order.
var offerActions = []affiliate.CodeAction{affiliate.CodeMake, affiliate.CodeRefresh, affiliate.CodeActivate,
	affiliate.CodeDeactivate, affiliate.CodeEnd, affiliate.CodeDiscount}

// newCodeRunPage asks how an action on the codes of an offer's members is to be done.
type newCodeRunPage struct {
	offerHead
	Codes   string // of the page of its codes
	Action  affiliate.CodeAction
	Title   string
	About   string
	Makes   bool
	Fields  []hiddenField // whom it is for
	Who     string        // the same in words
	Stores  []storeTick
	Pattern string
	Example *patternExample
	Places  []string
	Another bool
	Overlap string
	Begins  string        // a time of the account's zone; empty: at once
	Offered string        // what the offer's codes give; empty while that is not set
	Gives   *discountForm // of a change of discounts
	Errors  fieldErrors
}

// storeTick is a store that can be ticked.
type storeTick struct {
	affiliate.Store
	Ticked bool
	About  string // why its codes are done by hand; empty where they are not
}

// whoFields say in forms whom a run is for: ids of members or of codes, or all that the list finds.
var whoFields = []string{"ids", "codes", "all", "q", "without"}

func (r *request) newCodeRunPage() error {
	if r.PostForm("nothing") != "" { // the enter key, in a browser without script
		o, err := r.offerOfCampaign()
		if err != nil {
			return err
		}
		return r.done(back(r.field("back"), offerCodesAddress(o)), "")
	}
	p, err := r.askForCodeRun()
	if err != nil {
		return err
	}
	return r.show("code_run_new.html", p)
}

// either reads a parameter of a form, or of the address where a link leads to the form.
func (r *request) either(name string) []string {
	if r.Request.Method == http.MethodPost {
		return r.PostFormArray(name)
	}
	return r.QueryArray(name)
}

// one is the first value of a parameter; empty without any.
func (r *request) one(name string) string {
	if list := r.either(name); len(list) > 0 {
		return strings.TrimSpace(list[0])
	}
	return ""
}

// askForCodeRun reads what is asked for, and fills the form with what is usual.
func (r *request) askForCodeRun() (*newCodeRunPage, error) {
	o, err := r.offerOfCampaign()
	if err != nil {
		return nil, err
	}
	p := &newCodeRunPage{Codes: offerCodesAddress(o),
		Action:  affiliate.CodeAction(cmp.Or(r.one("action"), string(affiliate.CodeMake))),
		Pattern: string(o.CodePattern), Overlap: "0", Places: patternPlaces}
	if !slices.Contains(offerActions, p.Action) {
		return nil, affiliate.Errorf(affiliate.Invalid, "choose what is to be done with the codes")
	}
	words := codeActions[p.Action]
	p.Title, p.About, p.Makes = words.Title, words.About, p.Action.Makes()
	if p.offerHead, err = r.offerHead(o, "codes", words.Title); err != nil {
		return nil, err
	}
	if err := r.whom(p); err != nil {
		return nil, err
	}
	stores, err := r.openStores()
	if err != nil {
		return nil, err
	}
	asked := false // some store does by itself what is asked for
	for _, s := range stores {
		reading, err := r.d.App.CouponReading(r.Request.Context(), s)
		if err != nil {
			return nil, err
		}
		tick := storeTick{Store: s, Ticked: reading.Can}
		asked = asked || reading.Can
		if !reading.Can {
			tick.About = sentenceOf("", reading.Why)
		}
		p.Stores = append(p.Stores, tick)
	}
	for i := range p.Stores { // what is done by hand is asked for where nothing else can be done
		p.Stores[i].Ticked = p.Stores[i].Ticked || !asked
	}
	if o.Discount.Kind != "" {
		p.Offered = o.Discount.Sentence(r.zone)
	}
	if p.Action == affiliate.CodeDiscount {
		form := r.discountFormOf(o.Discount, stores)
		p.Gives = &form
	}
	if p.Makes {
		p.Example, err = r.patternExample(o, p.Campaign.Name)
	}
	return p, err
}

// whom says whom a run is for.
func (r *request) whom(p *newCodeRunPage) error {
	p.Fields = hiddenFields(r.either, whoFields...)
	ids, codes, all := r.either("ids"), r.either("codes"), r.one("all") != ""
	if all = all || r.Request.Method == http.MethodGet && len(ids)+len(codes) == 0; all && r.one("all") == "" {
		p.Fields = append(p.Fields, hiddenField{"all", "1"})
	}
	switch {
	case all:
		n, err := r.d.App.DB.CountOfferMembers(r.Request.Context(), r.memberSearchOf(p.Offer), r.d.App.Now())
		if err != nil {
			return err
		}
		if p.Who = "All " + counted(n, "creator", "creators"); n == 1 {
			p.Who = "The one creator"
		}
		if r.one("q")+r.one("without") != "" {
			p.Who += " that the list found"
		}
		p.Fields = slices.DeleteFunc(p.Fields, func(f hiddenField) bool { return f.Name == "ids" })
	case len(ids) > 0:
		p.Who = counted(int64(len(ids)), "creator", "creators")
	case len(codes) > 0:
		p.Who = counted(int64(len(codes)), "code", "codes")
	default:
		return affiliate.Errorf(affiliate.Invalid, "nobody is selected; tick some creators first")
	}
	return nil
}

// memberSearchOf is the list of an offer's members that a form says "all" of.
func (r *request) memberSearchOf(o affiliate.Offer) storage.OfferMemberSearch {
	return storage.OfferMemberSearch{Offer: o.ID, Text: r.one("q"), Without: r.one("without") != "", Active: true}
}

// draftCodeRun makes a draft of what the form asks for, and leads to it.
func (r *request) draftCodeRun() error {
	p, err := r.askForCodeRun()
	if err != nil {
		return err
	}
	in, err := r.readCodeRun(p)
	var run affiliate.CodeRun
	if err == nil {
		run, err = r.d.App.DraftCodeRun(r.Request.Context(), in)
	}
	if err == nil {
		return r.done(codeRunAddress(run.ID), "")
	}
	if p.Errors, err = formErrors(err); err != nil {
		return err
	}
	if p.Gives != nil {
		p.Gives.Errors = p.Errors
	}
	p.Failure = unseenError(p.Errors, p.shownFields()...)
	r.render(http.StatusUnprocessableEntity, "code_run_new.html", p)
	return nil
}

// shownFields are those of the form, at which what is wrong with them stands.
func (p *newCodeRunPage) shownFields() []string {
	fields := []string{"", "stores", "at"}
	if p.Makes {
		fields = append(fields, "pattern")
	}
	if p.Action == affiliate.CodeRefresh {
		fields = append(fields, "overlap_days")
	}
	if p.Gives != nil {
		fields = append(fields, discountFields...)
	}
	return fields
}

// discountFields are those of a discountForm, by which what is wrong is told.
var discountFields = []string{"discount", "percent", "amount", "currency", "minimum", "usage_limit", "starts_at",
	"ends_at",
	"limits"}

// readCodeRun reads the form.
func (r *request) readCodeRun(p *newCodeRunPage) (in app.NewCodeRun, err error) {
	p.Pattern, p.Another, p.Overlap, p.Begins = r.field("pattern"), r.field("another") != "",
		cmp.Or(r.field("overlap_days"), "0"), r.field("at")
	in = app.NewCodeRun{Action: p.Action, Offer: p.Offer.ID, Another: p.Another}
	ticked := r.PostFormArray("stores")
	stores := make([]affiliate.Store, len(p.Stores))
	for i := range p.Stores {
		s := &p.Stores[i]
		stores[i] = s.Store
		if s.Ticked = slices.Contains(ticked, s.ID.String()); s.Ticked {
			in.Stores = append(in.Stores, s.ID)
		}
	}
	if p.Gives != nil {
		form := r.discountForm(stores)
		p.Gives = &form
	}
	if len(in.Stores) == 0 {
		return in, affiliate.FieldErrorf("stores", "choose at least one store")
	}
	if p.Makes {
		in.Pattern = p.Pattern
	}
	if p.Action == affiliate.CodeRefresh {
		if in.OverlapDays, err = strconv.Atoi(p.Overlap); err != nil {
			return in, affiliate.FieldErrorf("overlap_days", "must be a whole number of days, such as 7")
		}
	}
	if in.At, err = r.readTime("at", p.Begins); err != nil {
		return in, err
	}
	if p.Gives != nil {
		discount, err := r.readDiscount(*p.Gives)
		if err != nil {
			return in, err
		}
		if discount.None() {
			return in, affiliate.FieldErrorf("discount", "choose what the codes are to give")
		}
		in.Discount = &discount
	}
	if in.Codes, err = affiliate.ParseIDs[affiliate.CodeID]("codes", "cod_", r.PostFormArray("codes")); err != nil {
		return in, err
	}
	if in.Members, err = r.chosenMembers(p.Offer); err != nil {
		return in, err
	}
	return in, nil
}

// chosenMembers are those whom the form names; none when it is for all of the offer.
func (r *request) chosenMembers(o affiliate.Offer) (ids []affiliate.OfferMemberID, err error) {
	search := r.memberSearchOf(o)
	switch {
	case r.field("all") == "":
		return affiliate.ParseIDs[affiliate.OfferMemberID]("ids", "ofm_", r.PostFormArray("ids"))
	case search.Text == "" && !search.Without:
		return nil, nil
	}
	members, err := storage.All(func(p storage.Page) ([]storage.OfferMemberItem, string, error) {
		return r.d.App.DB.OfferMemberPage(r.Request.Context(), search, r.d.App.Now(), p)
	})
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	if err == nil && len(ids) == 0 {
		err = affiliate.Errorf(affiliate.Invalid, "nobody of the list is left; open it again")
	}
	return ids, err
}
