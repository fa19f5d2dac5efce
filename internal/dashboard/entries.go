package dashboard

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func entryRoutes() []route {
	pay := may(affiliate.MayPay)
	return []route{
		{http.MethodGet, "/entries/new", pay, (*request).newEntriesPage},
		{http.MethodPost, "/entries/new", pay, (*request).newEntriesPage},
		{http.MethodPost, "/entries/confirm", pay, (*request).confirmEntries},
		{http.MethodPost, "/entries", pay, (*request).postEntries},
	}
}

// mostEntries is for how many creators entries are posted at once: as many as a page can show.
const mostEntries = 1000

// entryKinds are the kinds of entries that people post, with what each is.
var entryKinds = []entryKind{
	{affiliate.Bonus, "Bonus", "You owe them more: a fee, a prize, a thank-you."},
	{affiliate.Adjustment, "Adjustment", "Something was wrong: with a minus in front it lowers what you owe them."},
	{affiliate.WriteOff, "Write-off", "They owe you, since orders were refunded after a payout: that is forgiven, " +
		"and their balance is 0 again."},
}

// entryKind is one of them.
type entryKind struct {
	Value        affiliate.EntryKind
	Title, About string
}

// entriesPage asks for entries that are posted by hand, and then whether they are meant.
type entriesPage struct {
	layout
	Who      []entryWho
	Offer    string // to whose account it is posted: campaign and offer; empty: to none
	Fields   []hiddenField
	Kinds    []entryKind
	Form     entryForm
	Choices  []choice // currencies
	Back     string
	Confirm  bool
	Question string
	Total    string // what all of it adds up to
	Errors   fieldErrors
}

// N is for how many creators it is.
func (p entriesPage) N() int64 { return int64(len(p.Who)) }

// entryForm are the fields as people type them.
type entryForm struct{ Kind, Amount, Currency, Reason, Key string }

// entryWho is one for whom an entry is posted.
type entryWho struct {
	storage.CalledCreator
	Address    string
	Now, After string // balance; After is empty until an amount is known
	Changed    bool
	balance    int64
}

// newEntriesPage shows the form, for the creators that the address or a list names.
func (r *request) newEntriesPage() error {
	p, err := r.entries()
	if err != nil {
		return err
	}
	return r.show("entries.html", &p)
}

// entries reads for whom entries are posted, and what was typed.
func (r *request) entries() (p entriesPage, err error) {
	p = entriesPage{layout: r.layout("Post an entry", "payouts"), Kinds: entryKinds,
		Back: back(r.one("back"), "/payouts"),
		Form: entryForm{Kind: cmp.Or(r.field("kind"), string(affiliate.Bonus)), Amount: r.field("amount"),
			Currency: cmp.Or(r.field("currency"), string(r.settings.Currency)), Reason: r.field("reason"),
			Key: cmp.Or(r.field("key"), rand.Text())}}
	ids, offer, err := r.entriesFor()
	if err != nil {
		return p, err
	}
	if offer.ID != 0 {
		c, err := r.d.App.DB.Campaign(r.Request.Context(), offer.CampaignID)
		if err != nil {
			return p, err
		}
		p.Offer = c.Name + " · " + offer.Name
		p.Fields = append(p.Fields, hiddenField{"offer", offer.ID.String()})
	}
	list, err := r.d.App.DB.CreatorsCalled(r.Request.Context(), ids)
	if err != nil {
		return p, err
	}
	for _, c := range list {
		p.Fields = append(p.Fields, hiddenField{"creator", c.ID.String()})
		p.Who = append(p.Who, entryWho{CalledCreator: c, Address: creatorAddress(c.ID)})
	}
	if _, p.Choices, err = r.storeChoices(money.Currency(p.Form.Currency)); err != nil {
		return p, err
	}
	p.Fields = append(p.Fields, hiddenField{"back", p.Back})
	return p, r.readBalances(&p, ids)
}

// entriesFor reads the creators that are named: by their ids, as payments due, or as members of an offer, whose account
// the entries are posted to then.
func (r *request) entriesFor() (ids []affiliate.CreatorID, offer affiliate.Offer, err error) {
	ctx := r.Request.Context()
	if text := r.one("offer"); text != "" {
		id, err := affiliate.ParseID[affiliate.OfferID]("off_", text)
		if err != nil {
			return nil, offer, affiliate.AboutField("offer", err)
		}
		if offer, err = r.d.App.DB.Offer(ctx, id); err != nil {
			return nil, offer, err
		}
	}
	var members []affiliate.OfferMemberID
	for _, text := range slices.Concat(r.either("creator"), r.either("ids")) {
		text, _, _ = strings.Cut(text, ".") // of a payment due: cre_1.EUR.1250
		if strings.HasPrefix(text, "ofm_") {
			member, err := affiliate.ParseID[affiliate.OfferMemberID]("ofm_", text)
			if err != nil {
				return nil, offer, err
			}
			members = append(members, member)
			continue
		}
		id, err := affiliate.ParseID[affiliate.CreatorID]("cre_", text)
		if err != nil {
			return nil, offer, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(members) > 0 {
		if offer.ID == 0 {
			return nil, offer, affiliate.FieldErrorf("offer", "say which offer they are members of")
		}
		list, _, err := r.d.App.DB.OfferMemberPage(ctx, storage.OfferMemberSearch{Offer: offer.ID, IDs: members},
			r.d.App.Now(), storage.Page{Limit: storage.MaxLimit})
		if err != nil {
			return nil, offer, err
		}
		for _, m := range list {
			ids = append(ids, m.CreatorID)
		}
	}
	if len(ids) > mostEntries || len(members) > storage.MaxLimit {
		return nil, offer, affiliate.Errorf(affiliate.Invalid, "entries can be posted for at most %s creators at "+
			"once; select fewer", countText(mostEntries))
	}
	return ids, offer, nil
}

// readBalances reads what is owed to each in the currency of the form.
func (r *request) readBalances(p *entriesPage, ids []affiliate.CreatorID) error {
	if len(ids) == 0 {
		return nil
	}
	c, err := money.ParseCurrency(p.Form.Currency)
	if err != nil {
		return nil // the form says so
	}
	accounts, err := r.d.App.DB.Balances(r.Request.Context(), ids, r.d.App.Now())
	if err != nil {
		return err
	}
	owed := map[affiliate.CreatorID]int64{}
	for _, a := range accounts {
		if a.Currency == c {
			owed[a.CreatorID] += a.Balance
		}
	}
	for i := range p.Who {
		w := &p.Who[i]
		w.balance = owed[w.ID]
		w.Now = moneyText(w.balance, c)
	}
	return nil
}

// readEntries reads what the form asks for.
func (r *request) readEntries(p *entriesPage) (in app.NewEntries, err error) {
	in = app.NewEntries{Kind: affiliate.EntryKind(p.Form.Kind), Reason: p.Form.Reason, Key: p.Form.Key}
	if len(p.Who) == 0 {
		return in, affiliate.Errorf(affiliate.Invalid, "nobody is selected; choose for whom the entry is")
	}
	if !slices.ContainsFunc(entryKinds, func(k entryKind) bool { return k.Value == in.Kind }) {
		return in, affiliate.FieldErrorf("kind", "choose what the entry is")
	}
	for _, w := range p.Who {
		in.Creators = append(in.Creators, w.ID)
	}
	if in.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", r.one("offer")); err != nil {
		return in, err
	}
	if in.Currency, err = money.ParseCurrency(p.Form.Currency); err != nil {
		return in, affiliate.FieldErrorf("currency", "%v", err)
	}
	if in.Kind != affiliate.WriteOff {
		text, less := strings.CutPrefix(strings.Replace(p.Form.Amount, "−", "-", 1), "-")
		if in.Amount, err = r.typedAmount("amount", text, in.Currency); err != nil {
			return in, err
		}
		if less {
			in.Amount = -in.Amount
		}
		if in.Amount == 0 || in.Amount < 0 && in.Kind == affiliate.Bonus {
			return in, affiliate.FieldErrorf("amount", "must be more than 0; an adjustment may be less than 0")
		}
	}
	if in.Reason == "" {
		return in, affiliate.FieldErrorf("reason", "say why: it stands in their statement")
	}
	return in, nil
}

// confirmEntries shows whose balance would be what, and asks whether that is meant.
func (r *request) confirmEntries() error {
	p, err := r.entries()
	if err != nil {
		return err
	}
	if r.field("change") != "" {
		return r.show("entries.html", &p)
	}
	in, err := r.readEntries(&p)
	if err != nil {
		return r.entriesRefused(&p, err)
	}
	p.ask(in)
	return r.show("entries.html", &p)
}

// ask has the page ask whether the entries are meant.
func (p *entriesPage) ask(in app.NewEntries) {
	p.Confirm = true
	var sum, n int64
	for i := range p.Who {
		w := &p.Who[i]
		amount := in.Amount
		if in.Kind == affiliate.WriteOff {
			amount = max(0, -w.balance)
		}
		w.After, w.Changed = moneyText(w.balance+amount, in.Currency), amount != 0
		if sum += amount; amount != 0 {
			n++
		}
	}
	p.Total = moneyText(sum, in.Currency)
	words := map[affiliate.EntryKind][2]string{affiliate.Bonus: {"bonus", "bonuses"},
		affiliate.Adjustment: {"adjustment", "adjustments"}, affiliate.WriteOff: {"write-off", "write-offs"}}[in.Kind]
	p.Question = "Post " + counted(n, words[0], words[1])
	p.Title = p.Question
}

// entriesRefused shows the form again with what is wrong.
func (r *request) entriesRefused(p *entriesPage, err error) error {
	if p.Errors, err = formErrors(err); err != nil {
		return err
	}
	p.Failure = unseenError(p.Errors, "", "kind", "amount", "currency", "reason")
	r.render(http.StatusUnprocessableEntity, "entries.html", p)
	return nil
}

// postEntries posts what the page has asked about, once, and says what came of it for each creator.
func (r *request) postEntries() error {
	p, err := r.entries()
	if err != nil {
		return err
	}
	in, err := r.readEntries(&p)
	var results []app.EntryResult
	if err == nil {
		results, err = r.d.App.PostEntries(r.Request.Context(), in)
	}
	if err != nil {
		return r.entriesRefused(&p, err)
	}
	done := outcomesPage{layout: r.layout("Entries posted", "payouts"), Back: p.Back, Question: "What came of it"}
	var posted []app.EntryResult
	title := affiliate.LedgerEntry{Kind: in.Kind}.Title()
	for _, result := range results {
		line := outcomeLine{Name: result.Name, Address: creatorAddress(result.Creator) + "/statement?period=all_time",
			About: title + ": " + in.Reason, Why: result.Why}
		switch result.Outcome {
		case app.MemberChanged:
			line.Badge, line.Amount = badge{"good", "check", "Posted"}, moneyText(result.Amount, in.Currency)
			posted = append(posted, result)
		case app.MemberSame:
			line.Badge = badge{"", "minus", "Nothing to post"}
		default:
			line.Badge = badge{"bad", "cross", "Failed"}
		}
		done.Rows = append(done.Rows, line)
	}
	done.Text = counted(int64(len(posted)), "entry is posted", "entries are posted")
	if len(posted) > 0 {
		done.Text += ": " + sumOf(posted, func(e app.EntryResult) (int64, money.Currency) {
			return e.Amount, in.Currency
		})
	}
	done.Text += "."
	return r.show("outcomes.html", &done)
}
