package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

func campaignRoutes() []route {
	const change = affiliate.MayChangeCatalog
	return []route{
		{http.MethodGet, "/campaigns", signedIn, (*request).campaignsPage},
		{http.MethodGet, "/campaigns.csv", signedIn, (*request).campaignsCSV},
		{http.MethodGet, "/campaigns.xlsx", signedIn, (*request).campaignsXLSX},
		{http.MethodGet, "/campaigns/new", may(change), (*request).newCampaignPage},
		{http.MethodPost, "/campaigns/new", may(change), (*request).addCampaign},
		{http.MethodGet, "/campaigns/:id/settings", signedIn, (*request).campaignSettingsPage},
		{http.MethodPost, "/campaigns/:id/settings", may(change), (*request).changeCampaign},
		{http.MethodPost, "/campaigns/:id/end", may(change), (*request).endCampaign},
		{http.MethodPost, "/campaigns/:id/reopen", may(change), (*request).reopenCampaign},
		{http.MethodPost, "/campaigns/:id/costs", may(change), (*request).addCost},
		{http.MethodPost, "/campaigns/:id/costs/:cost/remove", may(change), (*request).removeCost},
	}
}

// campaignsPage lists the campaigns with what they brought in a period.
type campaignsPage struct {
	layout
	Search    campaignSearch
	Hidden    []hiddenField
	List      campaignList
	MayChange bool
	None      bool // there is no campaign at all
}

// campaignSearch is which campaigns the page lists, as its address says.
type campaignSearch struct {
	Period periodChoice
	Text   string
	Former bool
	State  affiliate.CampaignState
}

// Narrowed says whether some campaigns are left out.
func (s campaignSearch) Narrowed() bool { return s.Text != "" || s.State != "" }

// States are what the list can be narrowed to.
func (campaignSearch) States() []choice {
	return []choice{{string(affiliate.StateRunning), "Running"}, {string(affiliate.StateUpcoming), "Not begun"},
		{string(affiliate.StateEnded), "Ended"}}
}

// campaignList is the table of campaigns.
type campaignList struct {
	Columns []column
	Shows   map[string]bool
	Rows    []campaignLine
	Count   int64
	Total   *affiliate.Sums
	Pager   pager
	Tools   tableTools
}

type campaignLine struct {
	report.CampaignRow
	Address string
	State   campaignState
	Dates   string
	People  string // address of its creators
	Leads   leads
}

func (r *request) campaignsPage() error {
	p := campaignsPage{layout: r.layout("Campaigns", "campaigns"), MayChange: r.may(affiliate.MayChangeCatalog),
		Hidden: r.carried("sort")}
	l := &p.List
	var err error
	if l.Columns, err = r.columns("campaigns"); err != nil {
		return err
	}
	var list report.List
	if p.Search, list, err = r.campaignSearch(l.Columns); err != nil {
		return err
	}
	found, err := list.CampaignRows(r.Request.Context(), r.d.App.DB)
	if err != nil {
		return err
	}
	for _, row := range found.Rows {
		l.Rows = append(l.Rows, r.campaignLine(row, p.Search))
	}
	l.Count, l.Total, l.Pager, l.Shows = found.Count, found.Total, r.pager(found.Next), shown(l.Columns)
	l.Tools = r.tools("campaigns", l.Columns, "/campaigns")
	p.None = found.Count == 0 && !p.Search.Narrowed()
	return r.show("campaigns.html", &p)
}

func (r *request) campaignLine(row report.CampaignRow, s campaignSearch) campaignLine {
	at, former := campaignAddress(row.ID), formerly(s.Former)
	creators := func(sort string) string {
		return s.Period.address(at+"/creators", "former", former, "sort", sort)
	}
	return campaignLine{row, at + periodQuery(r), stateOf(row.Campaign, r.d.App.Now()), r.campaignDates(row.Campaign),
		creators(""), conversionLeads(at, "#conversions", s.Period, "former", former).
			with(creators("-clicks"), report.KeyClicks).with(creators("-payouts"), report.KeyPayouts)}
}

// campaignSearch reads the address.
func (r *request) campaignSearch(columns []column) (s campaignSearch, list report.List, err error) {
	s = campaignSearch{Text: strings.TrimSpace(r.Query("q")), Former: r.Query("former") != ""}
	if s.Period, err = r.period(); err != nil {
		return s, list, err
	}
	if s.State, err = affiliate.ParseWord[affiliate.CampaignState]("state", r.Query("state")); err != nil {
		return s, list, err
	}
	list, err = r.reportList(columns, "name")
	list.Scope.Former, list.Range, list.Text = s.Former, s.Period.Range, s.Text
	list.State, list.Now = s.State, r.d.App.Now()
	return s, list, err
}

func (r *request) campaignsCSV() error  { return r.sendCampaigns(export.CSV) }
func (r *request) campaignsXLSX() error { return r.sendCampaigns(export.XLSX) }

// sendCampaigns writes the table as the address narrows and sorts it, all pages of it.
func (r *request) sendCampaigns(format export.Format) error {
	s, list, err := r.campaignSearch(columnTables()["campaigns"])
	if err != nil {
		return err
	}
	return r.download(format, s.Period.Range, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportCampaigns(r.Request.Context(), nil, list, o)
		return err
	}, "campaigns")
}

// reportList asks for the page of a performance list that the address names, sorted by one of the heads, which it
// completes; usual is the order without a choice ("-sales").
func (r *request) reportList(heads []column, usual string) (report.List, error) {
	sort := r.Query("sort")
	if sort == "" {
		sort = usual
	}
	list := report.List{Report: report.Report{Currency: r.settings.Currency}, Page: r.page()}
	list.Sort, list.Desc = figureSort(sort)
	r.sortable(heads, sort)
	for _, h := range heads {
		if h.Sort != "" && report.Key(h.Sort) == list.Sort {
			return list, nil
		}
	}
	return list, affiliate.FieldErrorf("sort", "%q is no column of this table", sort)
}

// figureSort reads "-sales" as by sales, the greatest first.
func figureSort(sort string) (report.Key, bool) {
	if len(sort) > 0 && sort[0] == '-' {
		return report.Key(sort[1:]), true
	}
	return report.Key(sort), false
}

// periodQuery is the chosen period as another page takes it, so that it stays chosen on the way there.
func periodQuery(r *request) string {
	q := url.Values{}
	for _, name := range []string{"period", "from", "to", "former"} {
		if v := r.Query(name); v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// hiddenField is a parameter that a form of filters passes on.
type hiddenField struct{ Name, Value string }

// carried gives those of some parameters that the address has, for another form than theirs.
func (r *request) carried(names ...string) []hiddenField { return hiddenFields(r.QueryArray, names...) }

// hiddenFields passes on all values of some parameters; those that say nothing are left out.
func hiddenFields(values func(name string) []string, names ...string) (list []hiddenField) {
	for _, name := range names {
		if all := values(name); strings.Join(all, "") != "" {
			for _, v := range all {
				list = append(list, hiddenField{name, v})
			}
		}
	}
	return list
}

// campaignState is a campaign's status for people: one that has not begun, or whose end has come, is not running
// either.
type campaignState struct{ Word, Class, Icon string }

func stateOf(c affiliate.Campaign, now time.Time) campaignState {
	switch c.State(now) {
	case affiliate.StateEnded:
		return campaignState{"Ended", "", "minus"}
	case affiliate.StateUpcoming:
		return campaignState{"Not begun", "info", "clock"}
	}
	return campaignState{"Running", "good", "check"}
}

// campaignDates writes from when to when a campaign runs: its first and its last day.
func (r *request) campaignDates(c affiliate.Campaign) string {
	begin, end := r.date(c.StartsAt), ""
	if !c.EndsAt.IsZero() {
		end = r.date(c.EndsAt.Add(-1))
	}
	switch {
	case begin == "" && end == "":
		return "no set dates"
	case begin == "":
		return "until " + end
	case end == "":
		return "since " + begin
	}
	return begin + " – " + end
}

func campaignAddress(id affiliate.CampaignID) string { return "/campaigns/" + id.String() }

// campaignHead is what the pages of one campaign share: name, state, and the tabs.
type campaignHead struct {
	layout
	Campaign  affiliate.Campaign
	Address   string
	Tab       string // performance, creators, offers, settings
	Keep      string // the chosen period, for the tab with figures
	State     campaignState
	Dates     string
	MayChange bool
}

// campaignHead reads the campaign of the address.
func (r *request) campaignHead(tab, title string) (campaignHead, error) {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return campaignHead{}, err
	}
	c, err := r.d.App.DB.Campaign(r.Request.Context(), id)
	if err != nil {
		return campaignHead{}, err
	}
	if title != "" {
		title += " · "
	}
	return campaignHead{layout: r.layout(title+c.Name, "campaigns"), Campaign: c, Address: campaignAddress(id),
		Tab: tab, Keep: periodQuery(r), State: stateOf(c, r.d.App.Now()), Dates: r.campaignDates(c),
		MayChange: r.may(affiliate.MayChangeCatalog)}, nil
}

// campaignForm are the fields of a campaign as people type them. Days are those of the account's zone; the last one
// counts.
type campaignForm struct {
	Name, Starts, Ends, Window, Precedence, ClickRule string
	Version                                           int
	Account                                           affiliate.Settings // what is left empty is the account's
	Errors                                            fieldErrors
}

// formOf shows a campaign in the form.
func (r *request) formOf(c affiliate.Campaign) campaignForm {
	f := campaignForm{Name: c.Name, Precedence: string(c.Precedence), ClickRule: string(c.ClickRule),
		Version: c.Version, Account: r.settings}
	if !c.StartsAt.IsZero() {
		f.Starts = affiliate.Day(c.StartsAt, r.zone)
	}
	if !c.EndsAt.IsZero() {
		f.Ends = affiliate.Day(c.EndsAt.Add(-1), r.zone)
	}
	if c.WindowDays != 0 {
		f.Window = strconv.Itoa(c.WindowDays)
	}
	return f
}

// campaignForm reads the form.
func (r *request) campaignForm() campaignForm {
	version, _ := strconv.Atoi(r.field("version")) // 0, which is any, where there is none
	return campaignForm{Name: r.field("name"), Starts: r.field("starts_at"), Ends: r.field("ends_at"),
		Window: r.field("attribution_window_days"), Precedence: r.field("precedence"), ClickRule: r.field("click_rule"),
		Version: version, Account: r.settings}
}

// apply writes the form into a campaign. A day that the form shows already stays the moment that it is.
func (f campaignForm) apply(r *request, c *affiliate.Campaign) error {
	was := r.formOf(*c)
	c.Name, c.Precedence, c.ClickRule = f.Name, affiliate.Precedence(f.Precedence), affiliate.ClickRule(f.ClickRule)
	var err error
	if f.Starts != was.Starts {
		if c.StartsAt, err = affiliate.ParseMoment("starts_at", f.Starts, r.zone, 0); err != nil {
			return err
		}
	}
	if f.Ends != was.Ends {
		if c.EndsAt, err = affiliate.ParseMoment("ends_at", f.Ends, r.zone, 1); err != nil {
			return err
		}
	}
	if !c.StartsAt.IsZero() && !c.EndsAt.IsZero() && !c.StartsAt.Before(c.EndsAt) {
		return affiliate.FieldErrorf("ends_at", "must not be before the first day")
	}
	if c.WindowDays = 0; f.Window != "" {
		if c.WindowDays, err = strconv.Atoi(f.Window); err != nil || c.WindowDays == 0 {
			return affiliate.FieldErrorf("attribution_window_days",
				"must be a number of days between %d and %d, or be left empty", affiliate.MinWindowDays,
				affiliate.MaxWindowDays)
		}
	}
	return nil
}

type newCampaignPage struct {
	layout
	Form campaignForm
}

func (r *request) newCampaignPage() error {
	return r.show("campaign_new.html", &newCampaignPage{r.layout("New campaign", "campaigns"),
		campaignForm{Account: r.settings}})
}

func (r *request) addCampaign() error {
	form := r.campaignForm()
	var c affiliate.Campaign
	err := form.apply(r, &c)
	if err == nil {
		c, err = r.d.App.AddCampaign(r.Request.Context(), c)
	}
	if err == nil {
		return r.done("/offers/new?campaign="+c.ID.String(),
			"The campaign is made. Next, say what its creators promote.")
	}
	if form.Errors, err = formErrors(err); err != nil {
		return err
	}
	r.render(http.StatusUnprocessableEntity, "campaign_new.html",
		&newCampaignPage{r.layout("New campaign", "campaigns"), form})
	return nil
}

// campaignSettingsPage is what can be changed about a campaign, and its fees.
type campaignSettingsPage struct {
	campaignHead
	Form  campaignForm
	Costs []costLine
	Pager pager
	Cost  costForm
	Ended bool
}

type costLine struct {
	affiliate.Cost
	Address string // to remove it
	Day     string
	Creator string // to whom it was paid; empty: to nobody of the campaign
	Removed string // since when it does not count
}

// costForm is a fee as people type it.
type costForm struct {
	Amount, Currency, Day, Note, Creator string
	Creators                             []choice
	Errors                               fieldErrors
}

// choice is one entry of a list to choose from.
type choice struct{ Value, Title string }

func (r *request) campaignSettingsPage() error {
	p, err := r.campaignSettings()
	if err != nil {
		return err
	}
	return r.show("campaign_settings.html", &p)
}

func (r *request) campaignSettings() (p campaignSettingsPage, err error) {
	ctx := r.Request.Context()
	if p.campaignHead, err = r.campaignHead("settings", "Settings"); err != nil {
		return p, err
	}
	p.Ended = p.Campaign.Status == affiliate.CampaignEnded
	p.Form = r.formOf(p.Campaign)
	p.Cost = costForm{Currency: r.settings.Currency.Code(), Day: affiliate.Day(r.d.App.Now(), r.zone)}
	members, _, err := r.d.App.DB.MemberPage(ctx, storage.MemberSearch{Campaign: p.Campaign.ID, Former: true},
		storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return p, err
	}
	names := map[affiliate.CreatorID]string{}
	for _, m := range members {
		names[m.CreatorID] = m.Creator
		p.Cost.Creators = append(p.Cost.Creators, choice{m.CreatorID.String(), m.Creator})
	}
	costs, next, err := r.d.App.DB.Costs(ctx, p.Campaign.ID, r.page())
	if err != nil {
		return p, err
	}
	for _, c := range costs {
		line := costLine{Cost: c, Address: fmt.Sprintf("%s/costs/%s/remove", p.Address, c.ID), Day: dayText(c.Day),
			Creator: names[c.CreatorID], Removed: r.date(c.RemovedAt)}
		if line.Creator == "" && c.CreatorID != 0 {
			line.Creator = c.CreatorID.String()
		}
		p.Costs = append(p.Costs, line)
	}
	p.Pager = r.pager(next)
	return p, nil
}

// dayText writes a day that was kept by us for people: "21 Nov 2026".
func dayText(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format("2 Jan 2006")
}

func (r *request) changeCampaign() error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	form := r.campaignForm()
	_, err = r.d.App.ChangeCampaign(r.Request.Context(), id, form.Version, func(c *affiliate.Campaign) error {
		return form.apply(r, c)
	})
	if err == nil {
		return r.done(campaignAddress(id)+"/settings", "The campaign is changed.")
	}
	return r.campaignRefused(err, func(p *campaignSettingsPage, errs fieldErrors) {
		p.Form = form
		p.Form.Errors = errs
	})
}

// campaignRefused shows the settings again with what was typed and why it was refused.
func (r *request) campaignRefused(err error, typed func(*campaignSettingsPage, fieldErrors)) error {
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.campaignSettings()
	if err != nil {
		return err
	}
	typed(&p, errs)
	r.render(http.StatusUnprocessableEntity, "campaign_settings.html", &p)
	return nil
}

func (r *request) endCampaign() error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	if _, err := r.d.App.EndCampaign(r.Request.Context(), id); err != nil {
		return err
	}
	return r.done(campaignAddress(id)+"/settings",
		"The campaign has ended: orders placed from now on are not credited by it.")
}

func (r *request) reopenCampaign() error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	_, err = r.d.App.ChangeCampaign(r.Request.Context(), id, app.AnyVersion, func(c *affiliate.Campaign) error {
		c.Reopen()
		return nil
	})
	if err != nil {
		return err
	}
	return r.done(campaignAddress(id)+"/settings", "The campaign runs again, without an end.")
}

func (r *request) addCost() error {
	id, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	form := costForm{Amount: r.field("amount"), Currency: r.field("currency"), Day: r.field("day"),
		Note: r.field("note"), Creator: r.field("creator")}
	amount, err := r.number("amount")
	var cost affiliate.Cost
	if err == nil {
		cost, err = form.cost(id, amount)
	}
	if err == nil {
		_, err = r.d.App.AddCost(r.Request.Context(), cost)
	}
	if err == nil {
		return r.done(campaignAddress(id)+"/settings#fees", "The fee is recorded and counts among the payments issued.")
	}
	return r.campaignRefused(err, func(p *campaignSettingsPage, errs fieldErrors) {
		form.Errors, form.Creators = errs, p.Cost.Creators
		p.Cost = form
	})
}

// cost is what the form says; amount is its amount with a point before decimals.
func (f costForm) cost(campaign affiliate.CampaignID, amount string) (affiliate.Cost, error) {
	c := affiliate.Cost{CampaignID: campaign, Day: f.Day, Note: f.Note}
	var err error
	if f.Creator != "" {
		if c.CreatorID, err = affiliate.ParseID[affiliate.CreatorID]("cre_", f.Creator); err != nil {
			return c, affiliate.AboutField("creator", err)
		}
	}
	if c.Currency, err = money.ParseCurrency(f.Currency); err != nil {
		return c, affiliate.FieldErrorf("currency", "%v", err)
	}
	c.Amount, err = affiliate.ParseAmount("amount", amount, c.Currency)
	return c, err
}

func (r *request) removeCost() error {
	campaign, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
	if err != nil {
		return err
	}
	id, err := idParam[affiliate.CostID](r, "cost", "cst_")
	if err != nil {
		return err
	}
	if _, err := r.d.App.RemoveCost(r.Request.Context(), id); err != nil {
		return err
	}
	return r.done(campaignAddress(campaign)+"/settings#fees", "The fee counts no more.")
}
