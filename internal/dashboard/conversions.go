package dashboard

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func conversionRoutes() []route {
	return []route{
		{http.MethodGet, "/conversions", signedIn, (*request).conversionsPage},
		{http.MethodGet, "/conversions.csv", signedIn, (*request).allConversionsCSV},
		{http.MethodGet, "/conversions.xlsx", signedIn, (*request).allConversionsXLSX},
		{http.MethodPost, "/conversions/decide", may(affiliate.MayApprove), (*request).decide},
	}
}

const conversionsAddress = "/conversions"

// conversionsPage lists the credits of orders in all campaigns: what a number elsewhere counts, and what waits for
// somebody to decide. Its address has the parameters of the API's list.
type conversionsPage struct {
	layout
	Search     conversionSearch
	List       conversionList
	Campaigns  []choice
	Campaign   string // the one that is chosen
	Stores     []choice
	Store      string
	Currencies []choice
	More       int // how many of the switches are on that are folded away
}

func (r *request) conversionsPage() error {
	p := &conversionsPage{layout: r.layout("Conversions", "orders")}
	var err error
	if p.Search, err = r.conversionSearch(); err != nil {
		return err
	}
	if r.Query("part") == partMatching {
		p.List.Matching, err = r.matching(p.Search.filter(0))
		if err != nil {
			return err
		}
		return r.show("conversions.html", p)
	}
	if p.List, err = r.conversionList(p.Search.filter(0), p.Search, conversionsAddress); err != nil {
		return err
	}
	if r.Query("part") == "" {
		if err := r.readConversionChoices(p); err != nil {
			return err
		}
	}
	return r.show("conversions.html", p)
}

// readConversionChoices reads what the form of filters offers.
func (r *request) readConversionChoices(p *conversionsPage) (err error) {
	f := p.Search.Filter
	var chosen affiliate.CampaignID
	if len(f.Campaigns) == 1 {
		chosen = f.Campaigns[0]
	}
	if p.Campaigns, err = r.campaignChoicesWith(chosen); err != nil {
		return err
	}
	if p.Campaign = idsText(f.Campaigns); len(f.Campaigns) > 1 {
		p.Campaigns = append(p.Campaigns, choice{p.Campaign, counted(int64(len(f.Campaigns)), "campaign", "campaigns")})
	}
	if p.Stores, p.Currencies, err = r.storeChoices(f.Currency); err != nil {
		return err
	}
	if p.Store, err = r.storeSlug(f.Store); err != nil {
		return err
	}
	for _, on := range []bool{f.Unconverted, f.WithRefund, f.Ambiguous, f.Undecided, f.Currency != ""} {
		if on {
			p.More++
		}
	}
	p.Search.Above = r.carried("sort")
	p.Search.Chosen, err = r.chosen(f, "store", "currency", "waiting_for_rate", "with_refund", "ambiguous",
		"undecided")
	return err
}

// idsText writes ids as one value of a parameter: "cmp_1,cmp_2".
func idsText[ID fmt.Stringer](ids []ID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = id.String()
	}
	return strings.Join(words, ",")
}

// campaignChoices lists the campaigns by name.
func (r *request) campaignChoices() (list []choice, err error) {
	campaigns, _, err := r.d.App.DB.Campaigns(r.Request.Context(), storage.Page{Limit: storage.MaxLimit})
	for _, c := range campaigns {
		list = append(list, choice{c.ID.String(), c.Name})
	}
	return list, err
}

// storeChoices lists the stores by their slugs, and their currencies with the one that is chosen.
func (r *request) storeChoices(chosen money.Currency) (list, currencies []choice, err error) {
	stores, _, err := r.d.App.DB.Stores(r.Request.Context(), storage.Page{Limit: storage.MaxLimit})
	all := []money.Currency{r.settings.Currency}
	if chosen != "" {
		all = append(all, chosen)
	}
	for _, s := range stores {
		list, all = append(list, choice{s.Slug, s.Name}), append(all, s.Currency)
	}
	slices.Sort(all)
	for _, c := range slices.Compact(all) {
		if c != "" {
			currencies = append(currencies, choice{string(c), c.Code()})
		}
	}
	return list, currencies, err
}

// storeSlug gives the slug of a store; empty for none.
func (r *request) storeSlug(id affiliate.StoreID) (string, error) {
	if id == 0 {
		return "", nil
	}
	s, err := r.d.App.DB.Store(r.Request.Context(), id)
	return s.Slug, err
}

// filterChip is something that the address narrows a list to, beside the fields of its forms.
type filterChip struct {
	Title, Text string
	Address     string // of more about it; empty: nothing
	Without     string // address of the page without it
	Field       hiddenField
}

// chosen names what conversions are narrowed to beside the fields of a form.
func (r *request) chosen(f storage.ConversionFilter, fields ...string) (list []filterChip, err error) {
	ctx, db := r.Request.Context(), r.d.App.DB
	for _, c := range []struct {
		name, title string
		on          bool
		text        func() (text, address string, err error)
	}{
		{"creator", "Creator", f.Creator != 0, func() (string, string, error) {
			c, err := db.Creator(ctx, f.Creator)
			return c.Name, creatorAddress(f.Creator), err
		}},
		{"offer", "Offer", f.Offer != 0, func() (string, string, error) {
			o, err := db.Offer(ctx, f.Offer)
			return o.Name, "", err
		}},
		{"code", "Code", f.Code != 0, func() (string, string, error) {
			c, err := db.Code(ctx, f.Code)
			return c.Code, "", err
		}},
		{"link", "Link", f.Link != 0, func() (string, string, error) {
			l, err := db.Link(ctx, f.Link)
			return l.Slug, "/links/" + f.Link.String(), err
		}},
		{"store", "Store", f.Store != 0, func() (string, string, error) {
			s, err := db.Store(ctx, f.Store)
			return s.Name, "", err
		}},
		{"offer_type", "Offers", f.OfferType != "", wordChip(f.OfferType)},
		{"offer_status", "Offers", f.OfferStatus != "", wordChip(f.OfferStatus)},
		{"currency", "Currency of the order", f.Currency != "", plainChip(f.Currency.Code())},
		{"waiting_for_rate", "Only", f.Unconverted, plainChip("waiting for an exchange rate")},
		{"with_refund", "Only", f.WithRefund, plainChip("with money that went back")},
		{"ambiguous", "Only", f.Ambiguous, plainChip("with several creators' codes")},
		{"undecided", "Only", f.Undecided, plainChip("that nobody has decided about")},
		{"include", "Only", f.OnlyFormer, plainChip("of creators who left")},
		{"ids", "Only", len(f.IDs) > 0, plainChip("chosen ones")},
	} {
		if !c.on || slices.Contains(fields, c.name) {
			continue
		}
		chip := filterChip{Title: c.title, Without: r.with(c.name, ""), Field: hiddenField{c.name, r.Query(c.name)}}
		if c.name == "ids" {
			chip.Field.Value = idsText(f.IDs)
		}
		if chip.Text, chip.Address, err = c.text(); err != nil {
			return nil, err
		}
		list = append(list, chip)
	}
	return list, nil
}

// plainChip is the text of a chip that leads nowhere.
func plainChip(text string) func() (string, string, error) {
	return func() (string, string, error) { return text, "", nil }
}

// wordChip is one of a word of a few.
func wordChip[W ~string](word W) func() (string, string, error) {
	return func() (string, string, error) { return wordChoices(word)[0].Title, "", nil }
}

// conversionSearch is what the page shows of the campaign's conversions, as its address says.
type conversionSearch struct {
	Period periodChoice
	Filter storage.ConversionFilter // without the campaign and the time
	Sort   storage.ConversionSort

	Offers   []choice
	Creators []choice
	Chosen   []filterChip  // beside the fields of the forms
	Above    []hiddenField // of the form that narrows the table: what the one above the figures has
	Below    []hiddenField // the other way round
}

// Narrowed says whether the table leaves out some of what the figures count.
func (s conversionSearch) Narrowed() bool {
	f := s.Filter
	return f.Search != "" || len(f.Statuses)+len(f.Approvals) > 0 || f.Method != "" || f.Store != 0 ||
		f.Currency != "" ||
		f.Unconverted || f.WithRefund || f.Ambiguous || f.Undecided || f.Code != 0 || f.Link != 0
}

// Statuses are what the table can be narrowed to.
func (s conversionSearch) Statuses() []choice { return withSeveral(statusChoices(), s.Filter.Statuses) }

// Approvals are what the table can be narrowed to.
func (s conversionSearch) Approvals() []choice {
	return withSeveral(wordChoices(affiliate.Approved, affiliate.Held, affiliate.Rejected), s.Filter.Approvals)
}

// Methods are what the table can be narrowed to.
func (s conversionSearch) Methods() []choice { return wordChoices(affiliate.ByCode, affiliate.ByLink) }

// Status is the choice that the table is narrowed to; empty for none.
func (s conversionSearch) Status() string { return wordsText(s.Filter.Statuses) }

// Approval is the choice that the table is narrowed to; empty for none.
func (s conversionSearch) Approval() string { return wordsText(s.Filter.Approvals) }

// filter is which conversions the table lists.
func (s conversionSearch) filter(campaign affiliate.CampaignID) storage.ConversionFilter {
	f := s.Filter
	f.Campaign, f.From, f.To = campaign, s.Period.Range.Start(), s.Period.Range.End()
	return f
}

// conversionSearch reads the address.
func (r *request) conversionSearch() (conversionSearch, error) {
	return r.conversionSearchOf(r.Request.URL.Query())
}

// conversionSearchOf reads an address, or a form. Boxes that are ticked mean nothing where it says all.
func (r *request) conversionSearchOf(values url.Values) (s conversionSearch, err error) {
	if values.Get("all") != "" {
		values = maps.Clone(values)
		values.Del("ids")
	}
	if s.Period, err = r.periodOf(values); err != nil {
		return s, err
	}
	q := filters.New(r.Request.Context(), r.d.App.DB, values, r.zone)
	s.Filter, s.Sort = q.Conversions(), q.ConversionSort()
	return s, q.Err()
}

// allConversionsCSV and allConversionsXLSX send the table of the page as a file.
func (r *request) allConversionsCSV() error  { return r.sendConversions(export.CSV, 0) }
func (r *request) allConversionsXLSX() error { return r.sendConversions(export.XLSX, 0) }

// sendConversions sends conversions, of one campaign or of all, as the address narrows and sorts them. Those of some
// ids are sent whatever else the address says, but for the campaign.
func (r *request) sendConversions(format export.Format, campaign affiliate.CampaignID) error {
	s, err := r.conversionSearch()
	if err != nil {
		return err
	}
	f, days, words := s.filter(campaign), s.Period.Range, []string{"conversions"}
	if campaign != 0 {
		words = append(words, campaign.String())
	}
	if len(f.IDs) > 0 {
		f, days = storage.ConversionFilter{IDs: f.IDs, Former: true, Campaign: campaign}, affiliate.Range{}
	}
	return r.download(format, days, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportConversions(r.Request.Context(), nil, f, s.Sort, o)
		return err
	}, words...)
}
