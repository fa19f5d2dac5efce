package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func unownedRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/stores/:store/codes", signedIn, (*request).unownedPage},
		{http.MethodPost, "/stores/:store/codes/dismiss", change, (*request).dismissCodes},
		{http.MethodPost, "/stores/:store/codes/restore", change, (*request).restoreCodes},
		{http.MethodGet, "/stores/:store/codes/assign", change, (*request).assignPage},
		{http.MethodPost, "/stores/:store/codes/assign", change, (*request).assignCode},
	}
}

// unownedLine is a code of nobody's as the table shows it.
type unownedLine struct {
	storage.UnownedCode
	FirstUsed, LastUsed string
	NewestAddress       string // of the newest order's page
	NewestName          string
	Assign              string // the address of the form; empty for those who may not
}

type unownedPage struct {
	layout
	Store        affiliate.Store
	StoreAddress string
	Codes        []unownedLine
	Pager        pager
	Search       string
	Sort         storage.UnownedSort
	Heads        []column
	Dismissed    bool   // the codes of which somebody said that they are no creator's, in place of the others
	Others       string // address of the others
	Here         string // to come back to
	MayChange    bool
}

func (r *request) unownedPage() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	q := r.filters()
	f := q.Unowned(store.Currency)
	f.Store = store.ID
	if err := q.Err(); err != nil {
		return err
	}
	list, next, err := r.d.App.DB.UnownedCodes(r.Request.Context(), f, r.page())
	if err != nil {
		return err
	}
	page := unownedPage{layout: r.layout("Codes nobody owns in "+store.Name, "stores"), Store: store,
		StoreAddress: storeAddress(store), Pager: r.pager(next), Search: f.Search,
		Sort: cmp.Or(f.Sort, storage.UnownedByOrders), Dismissed: f.Dismissed, Here: r.here(),
		MayChange: r.may(affiliate.MayChangeCatalog)}
	page.Others = r.with("dismissed", "true")
	if f.Dismissed {
		page.layout.Title, page.Others = "Codes of no creator in "+store.Name, r.with("dismissed", "")
	}
	for _, c := range list {
		line := unownedLine{UnownedCode: c, FirstUsed: r.date(c.First), LastUsed: r.date(c.Last),
			NewestAddress: "/orders/" + c.Newest.ID.String(), NewestName: cmp.Or(c.Newest.Number, c.Newest.ExternalID)}
		if page.MayChange {
			line.Assign = page.StoreAddress + "/codes/assign?code=" + url.QueryEscape(c.Code)
		}
		page.Codes = append(page.Codes, line)
	}
	page.Heads = r.orders(string(page.Sort), []column{
		{Title: "Code", Sort: string(storage.UnownedByCode), Sorted: "ascending"},
		{Title: "Orders", Number: true, Sort: string(storage.UnownedByOrders), Sorted: "descending"},
		{Title: "Sales", Number: true, Sort: string(storage.UnownedBySales), Sorted: "descending"},
		{Title: "Last used", Sort: string(storage.UnownedByUse), Sorted: "descending"},
	})
	return r.show("unowned.html", &page)
}

// dismissCodes notes that codes are no creator's.
func (r *request) dismissCodes() error {
	return r.sortCodes(r.d.App.DismissCodes,
		"no creator's and asked about no more. They are kept under “Not a creator's”.")
}

func (r *request) restoreCodes() error {
	return r.sortCodes(r.d.App.RestoreCodes, "among those again that may be given to a creator.")
}

// sortCodes does something to the code whose button was pressed, or to all that are ticked.
func (r *request) sortCodes(do func(context.Context, affiliate.StoreID, []string) (int, error), become string) error {
	store, err := r.store()
	if err != nil {
		return err
	}
	address := back(r.field("back"), storeAddress(store)+"/codes")
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(address, "")
	}
	codes := r.PostFormArray("ids")
	if one := r.PostForm("code"); one != "" {
		codes = []string{one}
	}
	if len(codes) == 0 {
		return affiliate.Errorf(affiliate.Invalid, "no code is selected; tick some rows first")
	}
	n, err := do(r.Request.Context(), store.ID, codes)
	if err != nil {
		return err
	}
	return r.done(address, counted(int64(n), "code is ", "codes are ")+become)
}

// ownerOption is one option of a select.
type ownerOption struct {
	Value, Text string
	Chosen      bool
}

// assignPage asks whose a code is, step by step, and shows what giving it to them would do.
type assignPage struct {
	layout
	Store        affiliate.Store
	StoreAddress string
	Code         string
	Campaigns    []ownerOption
	Offers       []ownerOption
	Members      []ownerOption
	Campaign     string // chosen; empty when not
	Offer        string
	Member       string
	Owner        storage.OwnerName
	After        string // where an assignment that took too long is to go on
	Preview      *assignment
	Errors       fieldErrors
}

// assignment is what assigning does, in words and figures.
type assignment struct {
	app.CodeAssignment
	ValidFrom string // empty: always
	Credited  []assignmentLine
	Refused   []assignmentLine
	Reasons   []refusal
}

type assignmentLine struct {
	Address, Number, Placed, Sentence string
	Status                            affiliate.OrderStatus
	Approval                          affiliate.Approval
	Value, Commission                 int64
	Currency                          money.Currency
}

type refusal struct {
	Orders int
	Text   string
}

// shownOrders is how many orders of each kind a preview names.
const shownOrders = 10

// mostAssigned bounds the orders that one transaction after the other looks at before the clock is looked at.
const mostAssigned = 5_000

// assignTime is how long assigning may keep a browser waiting.
const assignTime = 30 * time.Second

func (r *request) assignPage() error { return r.showAssign(http.StatusOK, r.Query, nil) }

// showAssign shows the form with what was chosen so far; a choice that no longer exists counts as none.
func (r *request) showAssign(status int, field func(string) string, errs fieldErrors) error {
	ctx := r.Request.Context()
	store, err := r.store()
	if err != nil {
		return err
	}
	page := assignPage{Store: store, StoreAddress: storeAddress(store), Code: strings.TrimSpace(field("code")),
		After: field("after"), Errors: errs}
	page.layout = r.layout("Give a code to a creator", "stores")
	if page.Code == "" {
		return r.show("assign.html", &page)
	}
	if err := affiliate.ValidateCode(page.Code); err != nil {
		if page.Errors, err = formErrors(err); err != nil {
			return err
		}
		page.Code = ""
		r.render(http.StatusUnprocessableEntity, "assign.html", &page)
		return nil
	}
	if err := r.chooseOwner(&page, field); err != nil {
		return err
	}
	if page.Member != "" && errs == nil {
		if page.Owner, err = r.d.App.DB.OwnerName(ctx, mustID[affiliate.OfferMemberID]("ofm_",
			page.Member)); err != nil {
			return err
		}
		if page.Preview, err = r.previewAssign(page); err != nil {
			if page.Errors, err = formErrors(err); err != nil {
				return err
			}
			status = http.StatusUnprocessableEntity
		}
	}
	r.render(status, "assign.html", &page)
	return nil
}

// mustID reads an id that was written by us.
func mustID[ID ~int64](prefix, text string) ID {
	id, _ := affiliate.ParseID[ID](prefix, text)
	return id
}

// chooseOwner fills the choices: the running campaigns, the offers of the one that is chosen, who promotes the offer.
func (r *request) chooseOwner(p *assignPage, field func(string) string) error {
	ctx := r.Request.Context()
	campaigns, err := storage.All(func(p storage.Page) ([]affiliate.Campaign, string, error) {
		return r.d.App.DB.Campaigns(ctx, p)
	})
	if err != nil {
		return err
	}
	for _, c := range campaigns {
		if c.Status == affiliate.CampaignActive {
			p.Campaigns = append(p.Campaigns, ownerOption{Value: c.ID.String(), Text: c.Name})
		}
	}
	if p.Campaign = choose(p.Campaigns, field("campaign")); p.Campaign == "" {
		return nil
	}
	offers, err := storage.All(func(page storage.Page) ([]affiliate.Offer, string, error) {
		return r.d.App.DB.Offers(ctx, mustID[affiliate.CampaignID]("cmp_", p.Campaign), page)
	})
	if err != nil {
		return err
	}
	for _, o := range offers {
		if o.Status != affiliate.OfferArchived {
			p.Offers = append(p.Offers, ownerOption{Value: o.ID.String(), Text: o.Name})
		}
	}
	if p.Offer = choose(p.Offers, field("offer")); p.Offer == "" {
		return nil
	}
	members, err := r.d.App.DB.OfferMemberChoices(ctx, mustID[affiliate.OfferID]("off_", p.Offer))
	if err != nil {
		return err
	}
	for _, m := range members {
		text := m.Name
		if m.Handle != "" {
			text += " (@" + m.Handle + ")"
		}
		p.Members = append(p.Members, ownerOption{Value: m.ID.String(), Text: text})
	}
	p.Member = choose(p.Members, field("member"))
	return nil
}

// choose marks the choice that is wanted, or the only one there is, and gives it; "" when there is no such choice.
func choose(list []ownerOption, wanted string) string {
	i := slices.IndexFunc(list, func(c ownerOption) bool { return c.Value == wanted })
	if i < 0 && len(list) == 1 {
		i = 0
	}
	if i < 0 {
		return ""
	}
	list[i].Chosen = true
	return list[i].Value
}

func (p assignPage) request(preview bool) (in app.AssignCode, err error) {
	in = app.AssignCode{NewCode: app.NewCode{Code: p.Code, Store: p.Store.ID,
		OfferMember: mustID[affiliate.OfferMemberID]("ofm_", p.Member)},
		Preview: preview, Most: mostAssigned}
	if p.After != "" {
		in.After, err = affiliate.ParseID[affiliate.OrderID]("ord_", p.After)
	}
	return in, err
}

func (r *request) previewAssign(p assignPage) (*assignment, error) {
	in, err := p.request(true)
	if err != nil {
		return nil, err
	}
	done, err := r.d.App.AssignCode(r.Request.Context(), in, nil)
	if err != nil {
		return nil, err
	}
	a := &assignment{CodeAssignment: done, ValidFrom: r.moment(done.Code.ValidFrom)}
	if done.Code.ValidFrom.Unix() <= 0 {
		a.ValidFrom = ""
	}
	for _, o := range done.Orders[:min(shownOrders, len(done.Orders))] {
		c := o.Conversion
		a.Credited = append(a.Credited, assignmentLine{Address: "/orders/" + o.Order.ID.String(),
			Number: cmp.Or(o.Order.Number, o.Order.ExternalID), Placed: r.moment(o.Order.PlacedAt.Time),
			Sentence: o.Sentence, Status: c.Status, Approval: c.Approval, Value: c.Value, Commission: c.Commission,
			Currency: c.Currency})
	}
	for _, o := range done.Refused[:min(shownOrders, len(done.Refused))] {
		a.Refused = append(a.Refused, assignmentLine{Address: "/orders/" + o.Order.ID.String(),
			Number: cmp.Or(o.Order.Number, o.Order.ExternalID), Placed: r.moment(o.Order.PlacedAt.Time),
			Sentence: o.Sentence})
	}
	for _, n := range done.Reasons {
		a.Reasons = append(a.Reasons, refusal{n.Orders, refusedWords(n.Reason)})
	}
	return a, nil
}

// refusedWords says for what reason orders with a code are not credited by it.
func refusedWords(reason string) string {
	words := map[string]string{
		affiliate.ReasonNoOwner:        "placed before the code belongs to them",
		affiliate.ReasonTest:           "test orders",
		affiliate.ReasonPart:           "parts of orders, which are credited in their place",
		affiliate.ReasonRenewal:        "renewals of subscriptions",
		affiliate.ReasonOfferPaused:    "placed while the offer was paused",
		affiliate.ReasonOfferExpired:   "placed after the offer had expired",
		affiliate.ReasonOfferArchived:  "placed after the offer was archived",
		affiliate.ReasonMemberInactive: "placed when they no longer promoted the offer",
		affiliate.ReasonBeforeStart:    "placed before the campaign began",
		affiliate.ReasonAfterEnd:       "placed after the campaign was over",
		"outranked":                    "credited by another code or link on them",
	}
	return cmp.Or(words[reason], strings.ReplaceAll(reason, "_", " "))
}

// assignCode gives the code away and credits the orders. Where they are so many that a browser would give up, the rest
// is left to the next press of the button.
func (r *request) assignCode() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	p := assignPage{Store: store, Code: r.field("code"), Member: r.field("member"), After: r.field("after")}
	in, err := p.request(false)
	if err != nil {
		return err
	}
	var credited int
	var totals []app.AssignedTotal
	for began := time.Now(); ; {
		done, err := r.d.App.AssignCode(r.Request.Context(), in, nil)
		if err != nil {
			errs, err := formErrors(err)
			if err != nil {
				return err
			}
			return r.showAssign(http.StatusUnprocessableEntity, r.field, errs)
		}
		credited, totals = credited+done.Credited, addTotals(totals, done.Totals)
		if in.After = done.Next; in.After == 0 || time.Since(began) > assignTime {
			break
		}
	}
	owner, err := r.d.App.DB.OwnerName(r.Request.Context(), in.OfferMember)
	if err != nil {
		return err
	}
	notice := fmt.Sprintf("%s belongs to %s now (%s, %s): %s credited%s.", p.Code, owner.Creator, owner.Campaign,
		owner.Offer, counted(int64(credited), "order", "orders"), totalsText(totals))
	if in.After == 0 {
		return r.done(storeAddress(store)+"/codes", notice)
	}
	q := url.Values{"code": {p.Code}, "campaign": {r.field("campaign")}, "offer": {r.field("offer")},
		"member": {p.Member}, "after": {in.After.String()}}
	return r.done(storeAddress(store)+"/codes/assign?"+q.Encode(), notice+" There are more: go on below.")
}

// addTotals adds up sums by currency.
func addTotals(sum, more []app.AssignedTotal) []app.AssignedTotal {
	for _, t := range more {
		i := slices.IndexFunc(sum, func(s app.AssignedTotal) bool { return s.Currency == t.Currency })
		if i < 0 {
			sum = append(sum, t)
			continue
		}
		sum[i].Orders, sum[i].Sales, sum[i].Commission = sum[i].Orders+t.Orders, sum[i].Sales+t.Sales,
			sum[i].Commission+t.Commission
	}
	return sum
}

func totalsText(totals []app.AssignedTotal) string {
	var b strings.Builder
	for _, t := range totals {
		fmt.Fprintf(&b, ", %s of sales and %s of commission", moneyText(t.Sales, t.Currency),
			moneyText(t.Commission, t.Currency))
	}
	return b.String()
}
