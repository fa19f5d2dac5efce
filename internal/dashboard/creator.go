package dashboard

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

func creatorRoutes() []route {
	const change = affiliate.MayChangeCatalog
	return []route{
		{http.MethodGet, "/creators", signedIn, (*request).creatorsPage},
		{http.MethodGet, "/creators.csv", signedIn, (*request).creatorsCSV},
		{http.MethodGet, "/creators.xlsx", signedIn, (*request).creatorsXLSX},
		{http.MethodGet, "/creators/new", may(change), (*request).newCreatorPage},
		{http.MethodPost, "/creators/new", may(change), (*request).addCreator},
		{http.MethodGet, "/creators/:id", signedIn, (*request).creatorPage},
		{http.MethodGet, "/creators/:id/edit", may(change), (*request).editCreatorPage},
		{http.MethodPost, "/creators/:id/edit", may(change), (*request).changeCreator},
		{http.MethodPost, "/creators/:id/remove", may(change), (*request).removeCreator},
		{http.MethodPost, "/creators/:id/restore", may(change), (*request).restoreCreator},
		{http.MethodGet, "/creators/:id/statement", signedIn, (*request).statementPage},
		{http.MethodGet, "/creators/:id/statement.csv", signedIn, (*request).statementCSV},
		{http.MethodGet, "/creators/:id/statement.xlsx", signedIn, (*request).statementXLSX},
	}
}

func creatorAddress(id affiliate.CreatorID) string { return "/creators/" + id.String() }

// creatorsPage is the community with what each brought in a period.
type creatorsPage struct {
	layout
	Search    creatorSearch
	Hidden    []hiddenField
	List      creatorList
	MayChange bool
	None      bool // there is no creator at all
}

// creatorSearch is which creators the page lists, as its address says.
type creatorSearch struct {
	Period    periodChoice
	Text      string
	Former    bool
	Campaign  affiliate.CampaignID // whose creators alone are listed, with their figures there; 0: the community
	Campaigns []choice
}

// Narrowed says whether some creators are left out.
func (s creatorSearch) Narrowed() bool { return s.Text != "" || s.Campaign != 0 }

func (r *request) creatorsPage() error {
	ctx := r.Request.Context()
	p := creatorsPage{layout: r.layout("Creators", "creators"), MayChange: r.may(affiliate.MayChangeCatalog),
		Hidden: r.carried("sort")}
	l := &p.List
	var err error
	if l.Heads, err = r.columns("creators"); err != nil {
		return err
	}
	var list report.List
	if p.Search, list, err = r.creatorSearch(l.Heads); err != nil {
		return err
	}
	page, err := list.CreatorRows(ctx, r.d.App.DB)
	if err != nil {
		return err
	}
	s := &p.Search
	l.fill(page, func(row report.CreatorRow) creatorLine { return s.line(row) })
	l.Pager, l.Tools = r.pager(page.Next), r.tools("creators", l.Heads, "/creators")
	p.None = page.Count == 0 && !s.Narrowed() && !s.Former
	if r.Query("part") == "" {
		s.Campaigns, err = r.campaignChoicesWith(s.Campaign)
	}
	if err != nil {
		return err
	}
	return r.show("creators.html", &p)
}

// line leads from the figures of a creator to what is behind them, in all campaigns or in the one that is chosen.
func (s creatorSearch) line(row report.CreatorRow) creatorLine {
	id, profile := row.ID.String(), creatorAddress(row.ID)
	if s.Campaign != 0 {
		return newCreatorLine(row, s.Period.address(profile), leadsInCampaign(row.ID,
			report.Scope{Campaigns: []affiliate.CampaignID{s.Campaign}, Former: s.Former}, s.Period))
	}
	// What a creator of the community sold counts in campaigns that they left as well.
	return newCreatorLine(row, s.Period.address(profile), conversionLeads("/conversions", "", s.Period, "creator", id,
		"former", "1").with(s.Period.address(profile)+"#campaigns", report.KeyClicks).
		with(s.Period.address(profile+"/statement", "kind", string(affiliate.PaidOut)), report.KeyPayouts))
}

// creatorSearch reads the address.
func (r *request) creatorSearch(heads []column) (s creatorSearch, list report.List, err error) {
	s = creatorSearch{Text: strings.TrimSpace(r.Query("q")), Former: r.Query("former") != ""}
	if s.Period, err = r.period(); err != nil {
		return s, list, err
	}
	if s.Campaign, err = affiliate.OptionalID[affiliate.CampaignID]("campaign", "cmp_",
		r.Query("campaign")); err != nil {
		return s, list, err
	}
	list, err = r.reportList(heads, "-sales")
	list.Scope.Former, list.Range, list.Text = s.Former, s.Period.Range, s.Text
	if s.Campaign != 0 {
		list.Campaigns = []affiliate.CampaignID{s.Campaign}
	}
	return s, list, err
}

// campaignChoicesWith lists the campaigns to choose from; of a great many the first, and the one that is chosen.
func (r *request) campaignChoicesWith(chosen affiliate.CampaignID) ([]choice, error) {
	list, err := r.campaignChoices()
	if err != nil || chosen == 0 || slices.ContainsFunc(list, func(c choice) bool {
		return c.Value == chosen.String()
	}) {
		return list, err
	}
	c, err := r.d.App.DB.Campaign(r.Request.Context(), chosen)
	return append(list, choice{c.ID.String(), c.Name}), err
}

func (r *request) creatorsCSV() error  { return r.sendCreators(export.CSV) }
func (r *request) creatorsXLSX() error { return r.sendCreators(export.XLSX) }

// sendCreators writes the table as the address narrows and sorts it, all pages of it.
func (r *request) sendCreators(format export.Format) error {
	s, list, err := r.creatorSearch(columnTables()["creators"])
	if err != nil {
		return err
	}
	return r.download(format, s.Period.Range, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportCreators(r.Request.Context(), nil, list, o)
		return err
	}, "creators")
}

// creatorForm are the fields of a creator as people type them.
type creatorForm struct {
	Name, Email, Country, Note string
	Handles                    []handleField
	Version                    int
	Errors                     fieldErrors
}

// handleField is the handle on one network.
type handleField struct{ Network, Title, Value string }

// networks are those that the form always asks for.
func networks() []handleField {
	return []handleField{{Network: affiliate.Instagram, Title: "Instagram"}, {Network: "tiktok", Title: "TikTok"},
		{Network: "youtube", Title: "YouTube"}}
}

func newCreatorForm() creatorForm { return creatorForm{Handles: networks()} }

func creatorFormOf(c affiliate.Creator) creatorForm {
	f := creatorForm{Name: c.Name, Email: c.Email, Country: c.Country, Note: c.Note, Version: c.Version}
	known := map[string]bool{}
	for _, h := range networks() {
		h.Value, known[h.Network] = c.Handles[h.Network], true
		f.Handles = append(f.Handles, h)
	}
	for _, network := range slices.Sorted(maps.Keys(c.Handles)) {
		if !known[network] {
			f.Handles = append(f.Handles, handleField{network, network, c.Handles[network]})
		}
	}
	return f
}

// creatorForm reads the form. Each field of a handle is named for its network.
func (r *request) creatorForm() creatorForm {
	version, _ := strconv.Atoi(r.field("version")) // 0, which is any, where there is none
	f := creatorForm{Name: r.field("name"), Email: r.field("email"), Country: r.field("country"), Note: r.field("note"),
		Version: version}
	names := map[string]string{}
	for _, h := range networks() {
		names[h.Network] = h.Title
	}
	for name := range r.Request.PostForm {
		if network, ok := strings.CutPrefix(name, "handles."); ok {
			title := names[network]
			if title == "" {
				title = network
			}
			f.Handles = append(f.Handles, handleField{network, title, r.field(name)})
		}
	}
	order := []string{}
	for _, h := range networks() {
		order = append(order, h.Network)
	}
	slices.SortFunc(f.Handles, func(a, b handleField) int {
		if i, j := slices.Index(order, a.Network), slices.Index(order, b.Network); i >= 0 && j >= 0 {
			return i - j
		} else if i != j {
			return j - i // those of our list come first
		}
		return strings.Compare(a.Network, b.Network)
	})
	return f
}

// apply writes the form into a creator.
func (f creatorForm) apply(c *affiliate.Creator) {
	c.Name, c.Email, c.Country, c.Note = f.Name, f.Email, f.Country, f.Note
	c.Handles = map[string]string{}
	for _, h := range f.Handles {
		if h.Value != "" {
			c.Handles[h.Network] = h.Value
		}
	}
}

// creatorFormPage makes a creator or changes one.
type creatorFormPage struct {
	layout
	Creator affiliate.Creator // without an id while they are new
	Action  string
	Back    string
	Form    creatorForm
}

func (r *request) newCreatorPage() error {
	return r.show("creator_form.html", &creatorFormPage{layout: r.layout("New creator", "creators"),
		Action: "/creators/new", Back: "/creators", Form: newCreatorForm()})
}

func (r *request) addCreator() error {
	form := r.creatorForm()
	var c affiliate.Creator
	form.apply(&c)
	c, err := r.d.App.AddCreator(r.Request.Context(), c)
	if err == nil {
		return r.done(creatorAddress(c.ID),
			"The creator is in the community. Add them to a campaign to give them codes and links.")
	}
	if form.Errors, err = formErrors(err); err != nil {
		return err
	}
	r.render(http.StatusUnprocessableEntity, "creator_form.html", &creatorFormPage{layout: r.layout("New creator",
		"creators"), Action: "/creators/new", Back: "/creators", Form: form})
	return nil
}

// creatorOf reads the creator of the address.
func (r *request) creatorOf() (affiliate.Creator, error) {
	id, err := idParam[affiliate.CreatorID](r, "id", "cre_")
	if err != nil {
		return affiliate.Creator{}, err
	}
	return r.d.App.DB.Creator(r.Request.Context(), id)
}

func (r *request) editCreatorPage() error {
	c, err := r.creatorOf()
	if err != nil {
		return err
	}
	return r.show("creator_form.html", r.creatorFormPage(c, creatorFormOf(c)))
}

func (r *request) creatorFormPage(c affiliate.Creator, form creatorForm) *creatorFormPage {
	return &creatorFormPage{layout: r.layout("Edit "+c.Name, "creators"), Creator: c, Action: creatorAddress(c.ID) +
		"/edit", Back: creatorAddress(c.ID), Form: form}
}

func (r *request) changeCreator() error {
	c, err := r.creatorOf()
	if err != nil {
		return err
	}
	form := r.creatorForm()
	_, err = r.d.App.ChangeCreator(r.Request.Context(), c.ID, form.Version, func(c *affiliate.Creator) error {
		form.apply(c)
		return nil
	})
	if err == nil {
		return r.done(creatorAddress(c.ID), "The creator is changed.")
	}
	if form.Errors, err = formErrors(err); err != nil {
		return err
	}
	r.render(http.StatusUnprocessableEntity, "creator_form.html", r.creatorFormPage(c, form))
	return nil
}

func (r *request) removeCreator() error {
	c, err := r.creatorOf()
	if err == nil {
		_, err = r.d.App.RemoveCreator(r.Request.Context(), c.ID)
	}
	if err != nil {
		return err
	}
	return r.done(creatorAddress(c.ID),
		"Removed from the community. Orders placed from now on are not credited to them.")
}

func (r *request) restoreCreator() error {
	c, err := r.creatorOf()
	if err == nil {
		_, err = r.d.App.RestoreCreator(r.Request.Context(), c.ID)
	}
	if err != nil {
		return err
	}
	return r.done(creatorAddress(c.ID), "Back in the community: all their figures count again.")
}

// creatorHead is what the pages of one creator share.
type creatorHead struct {
	layout
	Creator   affiliate.Creator
	Handles   []handleField
	Address   string
	Tab       string // overview, statement, payment-details
	Removed   string // since when; empty while in the community
	MayChange bool
	MayPay    bool
}

func (r *request) creatorHead(tab, title string) (creatorHead, error) {
	c, err := r.creatorOf()
	if err != nil {
		return creatorHead{}, err
	}
	if title != "" {
		title += " · "
	}
	h := creatorHead{layout: r.layout(title+c.Name, "creators"), Creator: c, Address: creatorAddress(c.ID), Tab: tab,
		Removed: r.date(c.RemovedAt), MayChange: r.may(affiliate.MayChangeCatalog), MayPay: r.may(affiliate.MayPay)}
	for _, f := range creatorFormOf(c).Handles {
		if f.Value != "" {
			h.Handles = append(h.Handles, f)
		}
	}
	return h, nil
}

// creatorPage is what is known of one creator.
type creatorPage struct {
	creatorHead
	Period  periodChoice
	Live    string
	Figures []figure
	Sums    report.Sums
	Joined  string
	Members []profileLine
	Heads   []column        // of the figures of each campaign
	Rest    *affiliate.Sums // what belongs to none of the campaigns, such as payouts of a bonus; nil without any
	Owed    []owedLine
	Payouts []payoutLine
	Rewards []rewardLine // the newest
	Earned  string       // address of all rewards
	Mail    *creatorMail // nil for who may not see it
}

// profileLine is a campaign that a creator is or was in, with what they brought there.
type profileLine struct {
	memberLine
	report.RowSums
	Performance string // address of what they brought there
	Leads       leads
}

// owedLine is what is owed to a creator in one currency.
type owedLine struct {
	Currency string
	Balance  string
	Payable  string
	OnHold   string // of the balance, not payable yet; empty for nothing
	Due      bool
	Minimum  string // that a payout must reach; empty without one
}

// fewPayouts is how many payouts the page of a creator names, and how many rewards.
const fewPayouts = 5

func (r *request) creatorPage() error {
	head, err := r.creatorHead("overview", "")
	if err != nil {
		return err
	}
	p := creatorPage{creatorHead: head, Live: "orders", Joined: r.date(head.Creator.CreatedAt)}
	if p.Period, err = r.period(); err != nil {
		return err
	}
	part := r.Query("part")
	if part != partOwed {
		if err := r.readCreatorReport(&p, part); err != nil {
			return err
		}
	}
	if part != partFigures && part != partCampaigns {
		if p.Owed, err = r.owed(head.Creator.ID); err != nil {
			return err
		}
	}
	if part == "" {
		payouts, _, err := r.d.App.DB.Payouts(r.Request.Context(), storage.PayoutFilter{Creator: head.Creator.ID},
			storage.Page{Limit: fewPayouts})
		if err != nil {
			return err
		}
		p.Payouts = r.payoutLines(payouts)
		rewards, _, err := r.d.App.DB.Rewards(r.Request.Context(), storage.RewardFilter{Creator: head.Creator.ID},
			storage.Page{Limit: fewPayouts})
		if err != nil {
			return err
		}
		for _, w := range rewards {
			p.Rewards = append(p.Rewards, r.rewardLine(w))
		}
		p.Earned = rewardsOf("creator", head.Creator.ID.String())
		if p.MayChange {
			if p.Mail, err = r.mailOf(head.Creator); err != nil {
				return err
			}
		}
	}
	return r.show("creator.html", &p)
}

// readCreatorReport reads the figures and, unless these are asked for alone, those of each campaign.
func (r *request) readCreatorReport(p *creatorPage, part string) error {
	ctx, db, now := r.Request.Context(), r.d.App.DB, r.d.App.Now()
	of := report.Report{Scope: report.Scope{Creator: p.Creator.ID, Former: true}, Range: p.Period.Range,
		Currency: r.settings.Currency}
	var k report.KeyFigures
	var campaigns []report.CampaignRow
	var err error
	if part == partFigures {
		k, err = of.KeyFigures(ctx, db, r.settings, now)
	} else {
		k, campaigns, err = of.ByCampaign(ctx, db, r.settings, now)
	}
	if err != nil {
		return err
	}
	p.Sums, p.Figures = k.Sums, figuresOf(report.CardsOfCreator(), k, of.Currency)
	p.leadFigures()
	if part == partFigures {
		return nil
	}
	return r.readCampaigns(p, campaigns)
}

// Parts of the page that follow what is sold in each campaign, and what is owed.
const (
	partCampaigns = "campaigns"
	partOwed      = "owed"
)

// leadFigures leads from the key figures to what is behind them.
func (p *creatorPage) leadFigures() {
	to := conversionLeads("/conversions", "", p.Period, "creator", p.Creator.ID.String(), "former", "1")
	for _, key := range []report.Key{report.KeyConversions, report.KeySales, report.KeyCommissions} {
		lead(p.Figures, to[key], key)
	}
	lead(p.Figures, "#campaigns", report.KeyClicks)
}

// readCampaigns reads the campaigns that the creator is or was in, with the figures of each.
func (r *request) readCampaigns(p *creatorPage, campaigns []report.CampaignRow) error {
	items, _, err := r.d.App.DB.MemberPage(r.Request.Context(), storage.MemberSearch{Creator: p.Creator.ID,
		Former: true}, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	members, err := r.withOwned(items)
	if err != nil {
		return err
	}
	sums := map[affiliate.CampaignID]report.RowSums{}
	for _, c := range campaigns {
		sums[c.ID] = c.RowSums
	}
	rest := p.Sums.Sums
	for _, m := range members {
		of := sums[m.CampaignID]
		rest = rest.Plus(of.Sums.Negative())
		at, creator, former := campaignAddress(m.CampaignID), m.CreatorID.String(), formerly(m.Former())
		line := profileLine{memberLine: m, RowSums: of,
			Performance: p.Period.address(at, "creator", creator, "former", former),
			Leads: conversionLeads(at, "#conversions", p.Period, "creator", creator, "former", former).
				with(p.Period.address(m.Address), report.KeyClicks).
				with(p.Period.address(p.Address+"/statement", "campaign", m.CampaignID.String(), "kind",
					string(affiliate.PaidOut)), report.KeyPayouts)}
		p.Members = append(p.Members, line)
	}
	if rest != (affiliate.Sums{}) {
		p.Rest = &rest
	}
	p.Heads = figureHeads(nil, report.KeyClicks, report.KeyConversions, report.KeySales, report.KeyCommissions,
		report.KeyPayouts)
	return nil
}

// owed reads what is owed to a creator over all their accounts, by currency.
func (r *request) owed(id affiliate.CreatorID) ([]owedLine, error) {
	saved, err := r.d.App.DB.SavedSettings(r.Request.Context()) // as payouts are recorded
	if err != nil {
		return nil, err
	}
	balances, err := r.d.App.DB.Balances(r.Request.Context(), []affiliate.CreatorID{id}, r.d.App.Now())
	if err != nil {
		return nil, err
	}
	var lines []owedLine
	for i := 0; i < len(balances); { // by currency
		sum := storage.Balance{Currency: balances[i].Currency}
		for ; i < len(balances) && balances[i].Currency == sum.Currency; i++ {
			sum.Balance += balances[i].Balance
			sum.Payable += balances[i].Payable
		}
		minimum := saved.MinimumIn(sum.Currency)
		line := owedLine{Currency: sum.Currency.Code(), Balance: amount(sum.Balance, sum.Currency),
			Payable: amount(sum.Payable, sum.Currency), Due: affiliate.Due(sum.Payable, minimum)}
		if hold := sum.Balance - sum.Payable; hold != 0 {
			line.OnHold = amount(hold, sum.Currency)
		}
		if minimum > 0 {
			line.Minimum = moneyText(minimum, sum.Currency)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// statementPage lists all that was earned by and paid to a creator, newest first, with the balance after each entry.
type statementPage struct {
	creatorHead
	Period   periodChoice
	Balances []storage.StatementBalance // around the period, by currency
	Narrowed string                     // what its entries are narrowed to, in words; such have no balances
	Sums     []string                   // of the entries it is narrowed to
	All      string                     // address of the statement that is not narrowed
	Hidden   []hiddenField              // what it is narrowed to, for the form of its period
	Whole    bool                       // all entries, oldest first, as they are printed
	Print    string                     // address of that; empty where it is this page
	Pages    string                     // address of the list, newest first; empty where it is this page
	Made     string                     // when the page was made
	Lines    []statementLine
	Pager    pager
	CSV      string
	XLSX     string
}

// mostPrinted is how many entries a statement to be printed has at most.
const mostPrinted = 2000

type statementLine struct {
	storage.LedgerLine
	Date    string
	Kind    string
	About   string
	Order   string // address; empty where it is about none
	Payable string // from when it may be paid; empty when it may be
	Payout  string // address; empty where it is about none
	Reward  string // address; empty where it is about none
}

func (r *request) statementPage() error {
	head, err := r.creatorHead("statement", "Statement")
	if err != nil {
		return err
	}
	p := statementPage{creatorHead: head, Hidden: r.carried("kind", "campaign", "currency")}
	if p.Period, err = r.period(); err != nil {
		return err
	}
	p.Made = r.moment(r.d.App.Now())
	p.CSV, p.XLSX = r.fileAddress(head.Address+"/statement", export.CSV), r.fileAddress(head.Address+"/statement",
		export.XLSX)
	f, narrowed, err := r.statementFilter(head.Creator.ID, p.Period.Range)
	if err != nil {
		return err
	}
	// Balances, sums and entries are of one moment.
	err = r.d.App.DB.InSnapshot(r.Request.Context(), func(s *storage.Snapshot) error {
		if narrowed {
			return r.narrowedStatement(s, &p, f)
		}
		return r.balancedStatement(s, &p, f)
	})
	if err != nil {
		return err
	}
	return r.show("creator_statement.html", &p)
}

// balancedStatement reads the entries of a period, all or a page of them, with the balances around them.
func (r *request) balancedStatement(s *storage.Snapshot, p *statementPage, f storage.LedgerFilter) (err error) {
	ctx := r.Request.Context()
	if p.Balances, err = s.StatementBalances(ctx, f.Creator, f.From, f.To); err != nil {
		return err
	}
	if p.Whole = r.Query("whole") != ""; p.Whole {
		p.Pages = r.with("whole", "")
		return r.wholeStatement(s, p, f)
	}
	p.Print = r.with("whole", "1")
	lines, next, err := s.StatementPage(ctx, f.Creator, f.From, f.To, r.page())
	for _, l := range lines {
		p.Lines = append(p.Lines, r.statementLine(l))
	}
	p.Pager = r.pager(next)
	return err
}

// statementFilter reads what the address narrows a creator's entries to: a campaign, a kind or a currency.
func (r *request) statementFilter(creator affiliate.CreatorID, days affiliate.Range) (f storage.LedgerFilter,
	narrowed bool, err error) {
	q := r.filters()
	f = q.Ledger()
	narrowed = f.Campaign != 0 || f.Kind != "" || f.Currency != ""
	f.Creator, f.From, f.To = creator, days.Start(), days.End()
	return f, narrowed, q.Err()
}

// narrowedStatement reads some of a creator's entries, which have a sum and no balances.
func (r *request) narrowedStatement(s *storage.Snapshot, p *statementPage, f storage.LedgerFilter) error {
	ctx := r.Request.Context()
	var words []string
	if f.Kind != "" {
		words = append(words, affiliate.LedgerEntry{Kind: f.Kind}.Title())
	}
	if f.Campaign != 0 {
		c, err := s.Campaign(ctx, f.Campaign)
		if err != nil {
			return err
		}
		words = append(words, c.Name)
	}
	if f.Currency != "" {
		words = append(words, f.Currency.Code())
	}
	p.Narrowed, p.All = strings.Join(words, " · "), r.with("kind", "", "campaign", "", "currency", "")
	sums, err := s.LedgerSums(ctx, f)
	if err != nil {
		return err
	}
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		p.Sums = append(p.Sums, moneyText(sums[c], c))
	}
	lines, next, err := s.LedgerPage(ctx, f, r.page())
	for _, l := range lines {
		p.Lines = append(p.Lines, r.statementLine(l))
	}
	p.Pager = r.pager(next)
	return err
}

// wholeStatement reads all entries of a period, oldest first.
func (r *request) wholeStatement(s *storage.Snapshot, p *statementPage, f storage.LedgerFilter) error {
	ctx := r.Request.Context()
	n, err := s.CountLedger(ctx, f)
	if err != nil {
		return err
	}
	if n > mostPrinted {
		return affiliate.FieldErrorf("period", "has %s entries, more than the %s that can be printed; choose a "+
			"shorter one, or download the statement", countText(n), countText(mostPrinted))
	}
	names, err := s.Names(ctx)
	if err != nil {
		return err
	}
	return s.EachStatementLine(ctx, f.Creator, f.From, f.To, func(l *storage.LedgerLine) error {
		l.Campaign, l.Offer = names.Campaigns[l.CampaignID], names.Offers[l.OfferID]
		p.Lines = append(p.Lines, r.statementLine(*l))
		return nil
	})
}

func (r *request) statementLine(l storage.LedgerLine) statementLine {
	line := statementLine{LedgerLine: l, Date: r.moment(l.CreatedAt), Kind: l.Title()}
	if l.OrderID != 0 {
		line.Order = orderAddress(l.OrderID)
	}
	if l.PayoutID != 0 {
		line.Payout = "/payouts/" + l.PayoutID.String()
	}
	if l.RewardID != 0 {
		line.Reward = rewardAddress(l.RewardID)
	}
	if l.PayableAt.After(r.d.App.Now()) {
		line.Payable = r.date(l.PayableAt)
	}
	var about []string
	for _, word := range []string{l.Campaign, l.Offer, l.Note} {
		if word != "" {
			about = append(about, word)
		}
	}
	line.About = strings.Join(about, " · ")
	return line
}

func (r *request) statementCSV() error  { return r.sendStatement(export.CSV) }
func (r *request) statementXLSX() error { return r.sendStatement(export.XLSX) }

func (r *request) sendStatement(format export.Format) error {
	c, err := r.creatorOf()
	if err != nil {
		return err
	}
	p, err := r.period()
	if err != nil {
		return err
	}
	f, narrowed, err := r.statementFilter(c.ID, p.Range)
	if err != nil {
		return err
	}
	return r.download(format, p.Range, func(o app.ExportOptions) error {
		if narrowed {
			_, err := r.d.App.ExportLedger(r.Request.Context(), nil, f, o)
			return err
		}
		_, err := r.d.App.ExportStatement(r.Request.Context(), nil, c.ID, p.Range.Start(), p.Range.End(), o)
		return err
	}, "statement", c.ID.String())
}
