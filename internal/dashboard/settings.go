package dashboard

import (
	"net/http"
	"strconv"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func settingsRoutes() []route {
	return []route{
		{http.MethodGet, "/settings", signedIn, (*request).settingsPage},
		{http.MethodPost, "/settings", may(affiliate.MayAdminister), (*request).changeSettings},
	}
}

// settingsLayout is the frame of the pages under Settings.
type settingsLayout struct {
	layout
	Tabs []settingsTab
}

// settingsTab is one of the pages under Settings.
type settingsTab struct {
	Name, Address string
	Current       bool
}

// settingsLayout fills the frame of the page behind one tab. Who may open only one of them sees no tabs.
func (r *request) settingsLayout(title, tab string) settingsLayout {
	l := settingsLayout{layout: r.layout(title, "settings")}
	if !r.may(affiliate.MayAdminister) {
		return l
	}
	l.Tabs = []settingsTab{{Name: "Account", Address: "/settings"}, {Name: "People", Address: "/settings/people"},
		{Name: "API tokens", Address: "/settings/tokens"}, {Name: "Audit log", Address: "/settings/audit"}}
	for i := range l.Tabs {
		l.Tabs[i].Current = l.Tabs[i].Name == tab
	}
	return l
}

// settingsPage shows the account's settings: to owners as a form, to others as they are.
type settingsPage struct {
	settingsLayout
	Values      map[string]string // by the names of settings, as typed
	Errors      fieldErrors
	MayChange   bool
	Precedences []choice
	ClickRules  []choice
	Renewals    []choice
	UTMRules    []choice
	NeedUTM     string // the platforms whose stores need utm parameters
	Currencies  []string
	Zones       []string
	Newest      recalculationCard // of figures
	Window      windowBounds
}

type windowBounds struct{ Least, Most, MostHold int }

// recalculationCard tells how far the newest recalculation is.
type recalculationCard struct {
	*storage.Recalculation // nil when there never was one
	Running                bool
	Percent                int64
	Started, Finished      string
}

func (r *request) settingsPage() error { return r.showSettings(http.StatusOK, nil, nil) }

// showSettings shows the settings as they are, or what was typed over them.
func (r *request) showSettings(status int, typed []app.Setting, errs fieldErrors) error {
	p := settingsPage{settingsLayout: r.settingsLayout("Settings", "Account"), Values: map[string]string{},
		Errors: errs, MayChange: r.may(affiliate.MayAdminister), Precedences: []choice{{string(affiliate.CodeFirst),
			"The code"}, {string(affiliate.LinkFirst), "The link"}},
		ClickRules: []choice{{string(affiliate.LastClick), "The last click"}, {string(affiliate.FirstClick),
			"The first click"}},
		Renewals: []choice{{string(affiliate.RenewalsOwnCode), "Whoever owns a code on the renewal"},
			{string(affiliate.RenewalsFirstOnly), "Nobody: only the first order counts"}},
		UTMRules: utmRules, NeedUTM: r.d.App.Platforms.Names(app.NeedsUTM),
		Currencies: usualCurrencies, Zones: usualZones,
		Window: windowBounds{affiliate.MinWindowDays, affiliate.MaxWindowDays, affiliate.MaxHoldDays}}
	for _, s := range append(app.SettingsList(r.settings), typed...) {
		p.Values[s.Key] = s.Value
	}
	newest, err := r.d.App.DB.NewestRecalculation(r.Request.Context())
	if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
		return err
	}
	if err == nil {
		p.Newest = r.recalculationCard(newest)
	}
	r.render(status, "settings.html", &p)
	return nil
}

func (r *request) recalculationCard(c storage.Recalculation) recalculationCard {
	card := recalculationCard{Recalculation: &c, Running: c.State == "running", Percent: 100,
		Started: r.moment(c.StartedAt.Time), Finished: r.moment(c.FinishedAt.Time)}
	if card.Running && c.Total > 0 {
		card.Percent = min(99, c.Done*100/c.Total) // what came in meanwhile is done too, so it may pass the total
	}
	return card
}

func (r *request) changeSettings() error {
	var changes []app.Setting
	for _, s := range app.SettingsList(r.settings) {
		if _, sent := r.GetPostForm(s.Key); sent {
			changes = append(changes, app.Setting{Key: s.Key, Value: r.field(s.Key)})
		}
	}
	before := r.settings
	after, err := r.d.App.SetSettings(r.Request.Context(), changes)
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showSettings(http.StatusUnprocessableEntity, changes, errs)
	}
	notice := "The settings are saved."
	if before.Currency != after.Currency || before.Timezone != after.Timezone {
		notice += " Figures are being computed anew, which may take some minutes."
	}
	return r.done("/settings", notice)
}

// utmRules say whether links add utm parameters.
var utmRules = []choice{{string(affiliate.UTMOn), "Yes"}, {string(affiliate.UTMOff), "No"}}

// settingFact is one setting as those read it who may not change it.
type settingFact struct{ Label, Value string }

// Facts are the settings in words.
func (p *settingsPage) Facts() []settingFact {
	return []settingFact{{"Name of the brand", p.Values["name"]}, {"Currency", p.Values["currency"]},
		{"Time zone", p.Values["timezone"]}, {"Attribution window", days(p.Values["attribution_window_days"])},
		{"When an order has a code and a link",
			titleOf(p.Precedences, p.Values["precedence"]) + " wins"},
		{"When there were several clicks", titleOf(p.ClickRules, p.Values["click_rule"]) + " wins"},
		{"Renewals of subscriptions are credited to", titleOf(p.Renewals, p.Values["renewals"])},
		{"Links add utm parameters", titleOf(p.UTMRules, p.Values["utm"])},
		{"Hold before commissions are paid", days(p.Values["hold_days"])},
		{"Smallest payout", p.Values["minimum_payout"] + " " + p.Values["currency"]}}
}

// titleOf is what a choice is called; its value when it is not in the list.
func titleOf(list []choice, value string) string {
	for _, c := range list {
		if c.Value == value {
			return c.Title
		}
	}
	return value
}

// days writes a number of days.
func days(text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return text
	}
	return counted(n, "day", "days")
}
