package dashboard

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func couponRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/stores/:store/coupons", signedIn, (*request).couponsPage},
		{http.MethodGet, "/stores/:store/coupons/orders", signedIn, (*request).couponOrdersPage},
		{http.MethodPost, "/stores/:store/coupons/read", change, (*request).readCoupons},
		{http.MethodPost, "/stores/:store/coupons/take", change, (*request).takeCoupons},
		{http.MethodPost, "/stores/:store/coupons/file", change, (*request).takeFile},
		{http.MethodPost, "/stores/:store/coupons/right", change, (*request).setCouponRight},
	}
}

func couponsAddress(s affiliate.Store) string { return storeAddress(s) + "/coupons" }

// troubleTitles are what is not as it should be with codes, and troubleAdvice what to do about it.
var troubleTitles = map[affiliate.CouponTrouble]string{
	affiliate.TroubleGone: "Gone from the store", affiliate.TroubleStopped: "Stopped in the store",
	affiliate.TroubleChanged: "Gives something else", affiliate.TroubleRunning: "Still works in the store",
	affiliate.TroubleUses: "Used more often than here",
}

var troubleAdvice = map[affiliate.CouponTrouble]string{
	affiliate.TroubleGone: "Make a new code in its place, end it here as well, or leave it as it is.",
	affiliate.TroubleStopped: "Activate it again, deactivate it here as well, end it, or leave it as it is: then it " +
		"counts as right.",
	affiliate.TroubleChanged: "Give it again what it was given here, or leave it as it is: then what it gives now " +
		"counts as right.",
	affiliate.TroubleRunning: "Stop it in the store, or leave it as it is.",
	affiliate.TroubleUses: "See which orders came with it. Those that never reached us can be fetched by an import " +
		"of past orders.",
}

// remedyButton is something that sets a code right.
type remedyButton struct{ Do, Text string }

// remedies are what can be done about a code in trouble. Whoever owns it says which: of a code that is nobody's any
// more there is only its end.
func remedies(t affiliate.CouponTrouble, owned bool) []remedyButton {
	leave := remedyButton{"accept", "Leave it as it is"}
	switch {
	case t == affiliate.TroubleGone && owned:
		return []remedyButton{{string(affiliate.CodeRefresh), "Make a new one"}, {string(affiliate.CodeEnd),
			"End it here"},
			leave}
	case t == affiliate.TroubleStopped && owned:
		return []remedyButton{{string(affiliate.CodeActivate), "Activate it"},
			{string(affiliate.CodeDeactivate), "Deactivate it here"}, {string(affiliate.CodeEnd), "End it"}, leave}
	case t == affiliate.TroubleChanged && owned:
		return []remedyButton{{string(affiliate.CodeDiscount), "Give it that again"}, leave}
	case t == affiliate.TroubleRunning && owned:
		return []remedyButton{{string(affiliate.CodeDeactivate), "Stop it in the store"}, leave}
	case t == affiliate.TroubleRunning:
		return []remedyButton{{string(affiliate.CodeEnd), "Stop it in the store"}, leave}
	}
	return []remedyButton{leave}
}

// couponsPage lists the codes that a store has, whoever made them, and lets them be taken over.
type couponsPage struct {
	layout
	Store    affiliate.Store
	Home     string // the store's page
	At       string // this page
	Guide    affiliate.CouponGuide
	Menu     string
	Reading  app.CouponReading
	ReadAt   string
	Set      storage.CouponSet // empty: all
	Sets     []couponTab
	Search   string
	Sort     storage.CouponSort
	Heads    []column
	Hidden   []hiddenField
	Rows     []couponLine
	Pager    pager
	Here     string
	May      bool
	Offers   []offerGroup
	Offer    affiliate.OfferID // whose members codes are suggested for; 0: none is chosen
	Pattern  string
	Owners   []ownerOption // of the offer, to choose from
	Certain  int           // codes of this page that certainly are somebody's
	OrdersAt string        // of the page of a code's orders, to be followed by the code
	Past     string        // where past orders are fetched; empty where that cannot be done
}

// Taking says whether codes of the list can be taken over.
func (p couponsPage) Taking() bool { return p.May && p.Set == storage.CouponsUnowned && p.Offer != 0 }

// Ticks says whether rows can be ticked.
func (p couponsPage) Ticks() bool {
	return p.May && (p.Set == storage.CouponsUnowned || p.Set == storage.CouponsDismissed)
}

// Suggests says whether owners can be typed, from a list where it is short enough.
func (p couponsPage) Suggests() bool { return p.Taking() && len(p.Owners) > 0 }

// mostOwners is how many names a page offers to choose from; of more, they are typed.
const mostOwners = 400

type couponTab struct {
	Title, Address string
	Chosen         bool
}

// offerGroup are the offers of a campaign to choose from.
type offerGroup struct {
	Campaign string
	Offers   []ownerOption
}

// couponSet is one of the lists.
type couponSet struct {
	set   storage.CouponSet
	title string
}

// couponSets are the lists, in the order of their tabs.
var couponSets = []couponSet{{storage.CouponsUnowned, "Nobody's"}, {storage.CouponsOwned, "Somebody's"},
	{storage.CouponsTroubled, "Not as they should be"}, {storage.CouponsDismissed, "Not a creator's"},
	{storage.CouponsGone, "Gone"}, {"", "All"}}

// couponLine is a code of a store as the table shows it.
type couponLine struct {
	storage.CouponItem
	Gives    string
	State    badge
	Made     string
	Owner    string // address of the creator; empty for nobody
	Suggest  string // who may own it, as it is typed
	Ticked   bool   // before what was asked for was wrong
	Certain  bool
	Why      string
	Came     string // address of its orders; empty without any
	Sentence string // what is not as it should be
	Advice   string
	Remedies []remedyButton
	Past     string // where past orders are fetched; empty where that does not help
	Since    string // of the trouble
}

// allCoupons is how an address says that all codes are listed.
const allCoupons = "all"

func (r *request) couponsPage() error {
	p, err := r.readCouponsPage()
	if err != nil {
		return err
	}
	return r.show("coupons.html", p)
}

func (r *request) readCouponsPage() (*couponsPage, error) {
	ctx := r.Request.Context()
	store, err := r.store()
	if err != nil {
		return nil, err
	}
	p := &couponsPage{layout: r.layout("Codes in "+store.Name, "stores"), Store: store, Home: storeAddress(store),
		At: couponsAddress(store), Guide: r.couponGuide(store), Search: strings.TrimSpace(r.Query("q")), Here: r.here(),
		Sort: storage.CouponSort(cmp.Or(r.Query("sort"), string(storage.CouponsByUse))),
		May:  r.may(affiliate.MayChangeCatalog), Pattern: strings.TrimSpace(r.Query("pattern")),
		Hidden: r.carried("sort", "set", "offer", "pattern")}
	p.Menu, p.OrdersAt = arrows(p.Guide.Menu), p.At+"/orders?code="
	switch set := storage.CouponSet(r.Query("set")); set {
	case "":
		p.Set = storage.CouponsUnowned
	case allCoupons:
	default:
		p.Set = set
		if err := affiliate.CheckWord("set", set); err != nil {
			return nil, err
		}
	}
	if err := affiliate.CheckWord("sort", p.Sort); err != nil {
		return nil, err
	}
	if p.Reading, err = r.d.App.CouponReading(ctx, store); err != nil {
		return nil, err
	}
	if p.Reading.Can && p.May {
		p.Past = p.Home + "#history"
	}
	p.Reading.Why, p.ReadAt = arrows(sentenceOf("", p.Reading.Why)), r.moment(p.Reading.ReadAt)
	for _, s := range couponSets {
		p.Sets = append(p.Sets, couponTab{s.title, r.with("set", cmp.Or(string(s.set), allCoupons)), s.set == p.Set})
	}
	p.Heads = r.orders(string(p.Sort), []column{
		{Title: "Code", Sort: string(storage.CouponsByCode), Sorted: "ascending"},
		{Title: "Uses", Number: true, Sort: string(storage.CouponsByUse), Sorted: "descending"},
		{Title: "Made", Sort: string(storage.CouponsByMade), Sorted: "descending"},
	})
	if p.May && p.Set == storage.CouponsUnowned {
		if err := r.couponOffers(p); err != nil {
			return nil, err
		}
	}
	return p, r.coupons(p)
}

// couponOffers reads the offers whose members codes can be taken over for, and who they are.
func (r *request) couponOffers(p *couponsPage) error {
	ctx := r.Request.Context()
	id, err := affiliate.OptionalID[affiliate.OfferID]("offer", "off_", r.Query("offer"))
	if err != nil {
		return err
	}
	campaigns, err := storage.All(func(page storage.Page) ([]affiliate.Campaign, string, error) {
		return r.d.App.DB.Campaigns(ctx, page)
	})
	if err != nil {
		return err
	}
	offers, err := storage.All(func(page storage.Page) ([]affiliate.Offer, string, error) {
		return r.d.App.DB.Offers(ctx, 0, page)
	})
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		g := offerGroup{Campaign: c.Name}
		for _, o := range offers {
			if o.CampaignID == c.ID && c.Status == affiliate.CampaignActive && o.Status != affiliate.OfferArchived {
				g.Offers = append(g.Offers, ownerOption{o.ID.String(), o.Name, o.ID == id})
				if o.ID == id {
					p.Offer = id
				}
			}
		}
		if len(g.Offers) > 0 {
			p.Offers = append(p.Offers, g)
		}
	}
	if p.Offer == 0 {
		return nil
	}
	owners, err := r.offerOwners(p.Offer)
	if err != nil {
		return err
	}
	p.Owners = owners[:min(len(owners), mostOwners)]
	return nil
}

// offerOwners are the current members of an offer, as they can be typed.
func (r *request) offerOwners(offer affiliate.OfferID) (list []ownerOption, err error) {
	members, err := r.d.App.DB.OfferMemberChoices(r.Request.Context(), offer)
	for _, m := range members {
		text := m.Name
		if m.Handle != "" {
			text += " (@" + m.Handle + ")"
		}
		list = append(list, ownerOption{Value: m.ID.String(), Text: text})
	}
	return list, err
}

// coupons reads the rows of the list.
func (r *request) coupons(p *couponsPage) error {
	ctx := r.Request.Context()
	list, next, err := r.d.App.DB.CouponPage(ctx, storage.CouponFilter{Store: p.Store.ID, Set: p.Set, Search: p.Search,
		Sort: p.Sort}, r.d.App.Now(), r.page())
	if err != nil {
		return err
	}
	p.Pager = r.pager(next)
	var matches []affiliate.CodeMatch
	if p.Offer != 0 {
		codes := make([]string, len(list))
		for i, c := range list {
			codes[i] = c.Code
		}
		matches, err = r.d.App.SuggestOwners(ctx, p.Offer, p.Pattern, codes)
		if errs, other := formErrors(err); err != nil {
			if other != nil {
				return other
			}
			p.Failure, matches = unseenError(errs), nil
		}
	}
	owners := map[affiliate.OfferMemberID]string{}
	if p.Offer != 0 {
		all, err := r.offerOwners(p.Offer)
		if err != nil {
			return err
		}
		for _, o := range all {
			owners[mustID[affiliate.OfferMemberID]("ofm_", o.Value)] = o.Text
		}
	}
	for i, c := range list {
		line := r.couponLine(p, c)
		if i < len(matches) {
			line.Suggest, line.Certain, line.Why = owners[matches[i].Owner], matches[i].Certain, matches[i].Why
			if line.Certain {
				p.Certain++
			}
		}
		r.typedBefore(&line)
		p.Rows = append(p.Rows, line)
	}
	return nil
}

// typedBefore keeps what was ticked and typed in a row whose form was wrong.
func (r *request) typedBefore(line *couponLine) {
	if r.Request.Method != http.MethodPost {
		return
	}
	line.Ticked = slices.Contains(r.PostFormArray("ids"), line.Code)
	if text, sent := r.GetPostForm("to-" + line.Folded); sent && text != line.Suggest {
		line.Suggest, line.Certain, line.Why = text, false, ""
	}
}

func (r *request) couponLine(p *couponsPage, c storage.CouponItem) couponLine {
	in := c.InStore()
	line := couponLine{CouponItem: c, Gives: c.Other, Made: r.date(c.MadeAt)}
	if line.Gives == "" && in.Discount.Kind != "" {
		line.Gives = r.givesNow(in.Discount)
	}
	switch {
	case !c.GoneAt.IsZero():
		line.State = badge{"", "cross", "Gone"}
	case !c.Known():
		line.State = badge{"", "clock", "Not looked up yet"}
	case c.Stopped:
		line.State = badge{"", "pause", "Stopped"}
	case !in.Works(r.d.App.Now()):
		line.State = badge{"", "clock", "Not at this time"}
	default:
		line.State = badge{"good", "check", "Works"}
	}
	if c.CreatorID != 0 {
		line.Owner = creatorAddress(c.CreatorID)
	}
	if c.Orders > 0 || c.Waiting > 0 || c.Trouble == affiliate.TroubleUses {
		line.Came = p.OrdersAt + url.QueryEscape(c.Code)
	}
	if c.Trouble != "" {
		line.State = badge{"bad", "alert", troubleTitles[c.Trouble]}
		line.Sentence, line.Advice, line.Since = sentenceOf("", c.Told), troubleAdvice[c.Trouble], r.date(c.TroubleAt)
		if p.May {
			line.Remedies = remedies(c.Trouble, c.CodeID != 0)
		}
		if c.Trouble == affiliate.TroubleUses && p.Reading.Can {
			line.Past = p.Home + "#history"
		}
	}
	return line
}

// couponOrdersPage lists the orders that carry a code of a store, beside how often the store has counted it.
type couponOrdersPage struct {
	layout
	Store   affiliate.Store
	Home    string
	At      string
	Code    string
	Coupon  *storage.Coupon // nil where the store was not seen to have it
	Use     storage.CodeUse
	Orders  []codeOrderLine
	More    bool   // than are shown
	Past    string // where past orders are fetched
	MadeOn  string
	Missing int64 // uses that no order here explains
}

type codeOrderLine struct {
	Address, Number, Placed string
	Status                  affiliate.OrderStatus
	Test, Credited          bool
}

// shownCodeOrders is how many orders of a code the page lists.
const shownCodeOrders = 100

func (r *request) couponOrdersPage() error {
	ctx := r.Request.Context()
	store, err := r.store()
	if err != nil {
		return err
	}
	p := couponOrdersPage{Store: store, Home: storeAddress(store), At: couponsAddress(store),
		Code: strings.TrimSpace(r.Query("code"))}
	p.layout = r.layout(strings.TrimSuffix("Orders with "+cmp.Or(p.Code, "a code"), " "), "stores")
	folded := affiliate.FoldCode(p.Code)
	if folded == "" {
		return r.show("coupon_orders.html", &p)
	}
	found, err := r.d.App.DB.Coupons(ctx, store.ID, []string{folded})
	if err != nil {
		return err
	}
	if len(found) > 0 {
		p.Coupon, p.MadeOn, p.Code = &found[0], r.date(found[0].MadeAt), found[0].Code
	}
	uses, err := r.d.App.DB.CodeUses(ctx, store.ID, []string{folded})
	if err != nil {
		return err
	}
	p.Use = uses[folded]
	if p.Coupon != nil {
		p.Missing = max(0, p.Coupon.Uses-p.Use.All)
	}
	list, err := r.d.App.DB.OrdersOfCode(ctx, store.ID, folded, shownCodeOrders+1)
	if err != nil {
		return err
	}
	p.More = len(list) > shownCodeOrders
	for _, o := range list[:min(len(list), shownCodeOrders)] {
		p.Orders = append(p.Orders, codeOrderLine{"/orders/" + o.ID.String(), cmp.Or(o.Number, o.ExternalID),
			r.moment(o.PlacedAt.Time), o.Status, o.Test, o.Credited})
	}
	reading, err := r.d.App.CouponReading(ctx, store)
	if err == nil && reading.Can && p.Missing > 0 {
		p.Past = p.Home + "#history"
	}
	if err != nil {
		return err
	}
	return r.show("coupon_orders.html", &p)
}

// onCoupons does something with the codes of a store: it leads on with a notice, or shows the list again with what was
// wrong.
func (r *request) onCoupons(do func(affiliate.Store) (outcome, error)) error {
	store, err := r.store()
	if err != nil {
		return err
	}
	done, err := do(store)
	if err == nil {
		return r.done(back(cmp.Or(done.to, r.field("back")), couponsAddress(store)), done.notice)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	if u, err := url.Parse(r.field("back")); err == nil && u.Path == couponsAddress(store) {
		r.Request.URL.RawQuery = u.RawQuery // what the list showed
	}
	p, err := r.readCouponsPage()
	if err != nil {
		return err
	}
	p.Failure = unseenError(errs)
	r.render(http.StatusUnprocessableEntity, "coupons.html", p)
	return nil
}

func (r *request) readCoupons() error {
	return r.onCoupons(func(s affiliate.Store) (outcome, error) {
		return outcome{notice: "The store's codes are being read."}, r.d.App.ReadCoupons(r.Request.Context(), s.ID)
	})
}

// takeCoupons drafts what takes codes over: those that are ticked, each for whom its row or the toolbar names, or all
// that certainly are somebody's. Or it says of the ticked ones that they are no creator's, or might be after all.
func (r *request) takeCoupons() error {
	if r.PostForm("nothing") != "" { // the enter key, in a browser without script
		return r.onCoupons(func(affiliate.Store) (outcome, error) { return outcome{}, nil })
	}
	return r.onCoupons(func(s affiliate.Store) (o outcome, err error) {
		ctx, codes := r.Request.Context(), r.PostFormArray("ids")
		certain := r.field("do") == "certain"
		if len(codes) == 0 && !certain {
			return o, affiliate.Errorf(affiliate.Invalid, "no code is selected; tick some rows first")
		}
		switch r.field("do") {
		case "dismiss":
			n, err := r.d.App.DismissCodes(ctx, s.ID, codes)
			return outcome{notice: counted(int64(n), "code is ", "codes are ") +
					"no creator's and asked about no more."},
				err
		case "restore":
			n, err := r.d.App.RestoreCodes(ctx, s.ID, codes)
			return outcome{notice: counted(int64(n), "code is ", "codes are ") +
				"among those again that may be given to a creator."}, err
		}
		offer, err := affiliate.ParseID[affiliate.OfferID]("off_", r.field("offer"))
		if err != nil {
			return o, affiliate.FieldErrorf("offer", "choose the offer that the creators promote with these codes")
		}
		in := app.NewCodeRun{Action: affiliate.CodeTakeOver, Offer: offer, Stores: []affiliate.StoreID{s.ID},
			Pattern: r.field("pattern")}
		if !certain {
			if in.Takes, err = r.takes(offer, codes); err != nil {
				return o, err
			}
		}
		run, err := r.d.App.DraftCodeRun(ctx, in)
		return outcome{to: codeRunAddress(run.ID)}, err
	})
}

// takes reads for whom codes are taken over.
func (r *request) takes(offer affiliate.OfferID, codes []string) ([]app.Take, error) {
	owners, err := r.offerOwners(offer)
	if err != nil {
		return nil, err
	}
	list := make([]app.Take, len(codes))
	for i, code := range codes {
		text := cmp.Or(r.field("all-to"), r.field("to-"+affiliate.FoldCode(code)))
		if text == "" {
			return nil, affiliate.Errorf(affiliate.Invalid, "say whose %s is; type their handle beside it", code)
		}
		member, why := ownerOf(owners, text)
		if why != "" {
			return nil, affiliate.Errorf(affiliate.Invalid, "whose %s is: %s", code, why)
		}
		list[i] = app.Take{Code: code, OfferMember: member}
	}
	return list, nil
}

// ownerOf finds who is meant by a text: a line of the list, a handle, or a name that only one of them has. Otherwise it
// says why nobody is.
func ownerOf(owners []ownerOption, text string) (found affiliate.OfferMemberID, why string) {
	named := 0
	for _, o := range owners {
		name, handle, _ := strings.Cut(o.Text, " (@")
		handle = strings.TrimSuffix(handle, ")")
		id := mustID[affiliate.OfferMemberID]("ofm_", o.Value)
		if o.Text == text || handle != "" && affiliate.FoldHandle(text) == affiliate.FoldHandle(handle) {
			return id, ""
		}
		if strings.EqualFold(name, text) {
			named++
			found = id
		}
	}
	switch named {
	case 1:
		return found, ""
	case 0:
		return 0, fmt.Sprintf("nobody in the offer is called %q; type their handle", affiliate.Clip(text, 60))
	}
	return 0, fmt.Sprintf("%d creators in the offer are called %q; type the handle", named, affiliate.Clip(text, 60))
}

// takeFilePage says what was read of a file of codes, where something in it is left out.
type takeFilePage struct {
	layout
	Store affiliate.Store
	Home  string
	At    string
	Takes int64
	Run   string // address of the draft of the others; empty where nothing is left
	Lines []app.TakeLine
	More  int64 // lines that are not shown
}

// takeFile drafts what takes over the codes that a file names. Where lines of it are left out it says so first.
func (r *request) takeFile() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	offer, file, err := r.readTakes()
	var run affiliate.CodeRun
	if err == nil && len(file.Takes) > 0 {
		run, err = r.d.App.DraftCodeRun(r.Request.Context(), app.NewCodeRun{Action: affiliate.CodeTakeOver,
			Offer: offer, Stores: []affiliate.StoreID{store.ID}, Takes: file.Takes})
	}
	if err != nil || len(file.Lines) == 0 {
		return r.onCoupons(func(affiliate.Store) (outcome, error) { return outcome{to: codeRunAddress(run.ID)}, err })
	}
	n := min(len(file.Lines), shownProblems)
	p := takeFilePage{layout: r.layout("Codes of a file", "stores"), Store: store, Home: storeAddress(store),
		At: couponsAddress(store), Takes: int64(len(file.Takes)), Lines: file.Lines[:n],
		More: int64(len(file.Lines) - n)}
	for i := range p.Lines {
		p.Lines[i].Reason = sentenceOf("", p.Lines[i].Reason)
	}
	if run.ID != 0 {
		p.Run = codeRunAddress(run.ID)
	}
	return r.show("coupon_file.html", &p)
}

// readTakes reads the file that was uploaded, and for which offer it is.
func (r *request) readTakes() (offer affiliate.OfferID, file app.TakeFile, err error) {
	if offer, err = affiliate.ParseID[affiliate.OfferID]("off_", r.field("offer")); err != nil {
		return offer, file, affiliate.FieldErrorf("offer",
			"choose the offer that the creators promote with these codes")
	}
	header, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && header.Size == 0 {
		return offer, file, affiliate.FieldErrorf("file", "choose a file with the columns code and handle")
	}
	if err != nil {
		return offer, file, err
	}
	opened, err := header.Open()
	if err != nil {
		return offer, file, fmt.Errorf("open the uploaded file: %w", err)
	}
	defer opened.Close()
	file, err = r.d.App.ReadTakes(r.Request.Context(), offer, header.Filename, opened, header.Size)
	if err == nil && len(file.Takes)+len(file.Lines) == 0 {
		err = affiliate.FieldErrorf("file", "has no line behind the one that names the columns")
	}
	return offer, file, err
}

// setCouponRight does what sets a code in trouble right, by a run for it alone, or takes it as it is for right.
func (r *request) setCouponRight() error {
	return r.onCoupons(func(s affiliate.Store) (o outcome, err error) {
		ctx, code := r.Request.Context(), r.field("code")
		action := affiliate.CodeAction(r.field("do"))
		if action == "accept" {
			err = r.d.App.AcceptCoupon(ctx, s.ID, code)
			return outcome{notice: code + " counts as right as it is, until it changes again."}, err
		}
		owned, err := r.d.App.DB.OwnedCodes(ctx, s.ID, []string{affiliate.FoldCode(code)})
		if err != nil {
			return o, err
		}
		if len(owned) == 0 {
			return o, affiliate.Errorf(affiliate.NotFound, "there is no code %s in this store; open the page again",
				affiliate.Clip(code, 60))
		}
		last := owned[len(owned)-1]
		if !slices.ContainsFunc(remediesOf(last.ValidTo.IsZero() || last.ValidTo.After(r.d.App.Now())),
			func(b remedyButton) bool { return b.Do == string(action) }) {
			return o, affiliate.Errorf(affiliate.Invalid, "choose what is to be done about %s", code)
		}
		in := app.NewCodeRun{Action: action, Codes: []affiliate.CodeID{last.ID}}
		if action == affiliate.CodeDiscount {
			if in.Discount, err = r.givenBefore(s, code); err != nil {
				return o, err
			}
		}
		return r.runAtOnce(in)
	})
}

// givenBefore is what a code of a store was given from here, which may be other than what its offer gives by now; nil
// where nothing was.
func (r *request) givenBefore(s affiliate.Store, code string) (*affiliate.OfferDiscount, error) {
	found, err := r.d.App.DB.Coupons(r.Request.Context(), s.ID, []string{affiliate.FoldCode(code)})
	if err != nil || len(found) == 0 || found[0].Wanted == "" {
		return nil, err
	}
	d := affiliate.OfferDiscount{Discount: found[0].Given()}
	if len(d.Products)+len(d.Collections) > 0 {
		d.Limits = []affiliate.StoreLimit{{Store: s.ID, Products: d.Products, Collections: d.Collections}}
		d.Products, d.Collections = nil, nil
	}
	return &d, nil
}

// remediesOf are all that can be done about codes that are somebody's, or are not any more.
func remediesOf(owned bool) (list []remedyButton) {
	for _, t := range affiliate.Words[affiliate.CouponTrouble]() {
		list = append(list, remedies(t, owned)...)
	}
	return list
}
