package dashboard

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
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
	Groups    map[string][][]settingField // lines of one field, or of some beside each other
	Facts     []settingFact
	Errors    fieldErrors
	MayChange bool
	Newest    recalculationCard // of figures
}

// settingField is one setting in the form.
type settingField struct {
	affiliate.AccountSetting
	Value, Error string
	Usual        []string // values to choose from, where any other may be typed
}

// settingFact is one setting as those read it who may not change it.
type settingFact struct{ Label, Value string }

// recalculationCard tells how far the newest recalculation is.
type recalculationCard struct {
	*storage.Recalculation // nil when there never was one
	Started, Finished      string
}

func (r *request) settingsPage() error { return r.showSettings(http.StatusOK, nil, nil) }

// showSettings shows the settings as they are, or what was typed over them.
func (r *request) showSettings(status int, typed []app.Setting, errs fieldErrors) error {
	p := settingsPage{settingsLayout: r.settingsLayout("Settings", "Account"), Errors: errs,
		MayChange: r.may(affiliate.MayAdminister), Groups: map[string][][]settingField{}}
	saved, err := r.d.App.DB.SavedSettings(r.Request.Context())
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, s := range append(app.SettingsList(saved), typed...) {
		values[s.Key] = s.Value
	}
	for _, s := range affiliate.AccountSettings() {
		p.Facts = append(p.Facts, settingFact{s.Fact, settingText(s, values)})
		field := settingField{AccountSetting: s, Value: values[s.Key], Error: errs[s.Key],
			Usual: usualValues[s.Kind]}
		field.Hint = strings.ReplaceAll(s.Hint, affiliate.PlatformsNeedingUTM, r.d.App.Platforms.Names(app.NeedsUTM))
		if s.Kind == affiliate.SettingAmount {
			field.Label += ", in " + values["currency"]
		}
		lines := p.Groups[string(s.Group)]
		if s.Beside {
			lines[len(lines)-1] = append(lines[len(lines)-1], field)
		} else {
			p.Groups[string(s.Group)] = append(lines, []settingField{field})
		}
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
	return recalculationCard{Recalculation: &c, Started: r.moment(c.StartedAt.Time),
		Finished: r.moment(c.FinishedAt.Time)}
}

func (r *request) changeSettings() error {
	before, err := r.d.App.DB.SavedSettings(r.Request.Context())
	if err != nil {
		return err
	}
	var typed, changes []app.Setting
	for _, s := range app.SettingsList(before) {
		if _, sent := r.GetPostForm(s.Key); !sent {
			continue
		}
		now := s.Value
		s.Value = r.field(s.Key)
		typed = append(typed, s)
		if accountSettings[s.Key].Kind == affiliate.SettingAmount && err == nil {
			s.Value, err = r.numberBeside(s.Key, now)
		}
		changes = append(changes, s)
	}
	after := before
	if err == nil {
		after, err = r.d.App.SetSettings(r.Request.Context(), changes)
	}
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showSettings(http.StatusUnprocessableEntity, typed, errs)
	}
	notice := "The settings are saved."
	if before.Currency != after.Currency || before.Timezone != after.Timezone {
		notice += " Figures are being computed anew, which may take some minutes."
	}
	return r.done(back(r.field("to"), "/settings"), notice)
}

// accountSettings are the account's settings by their keys.
var accountSettings = func() map[string]affiliate.AccountSetting {
	byKey := map[string]affiliate.AccountSetting{}
	for _, s := range affiliate.AccountSettings() {
		byKey[s.Key] = s
	}
	return byKey
}()

// usualValues are those to choose from, where any other may be typed.
var usualValues = map[affiliate.SettingKind][]string{affiliate.SettingCurrency: usualCurrencies,
	affiliate.SettingZone: usualZones}

// settingText says the value of a setting.
func settingText(s affiliate.AccountSetting, values map[string]string) string {
	text := values[s.Key]
	switch s.Kind {
	case affiliate.SettingDays:
		text = days(text)
	case affiliate.SettingAmount:
		text = money.Marked(text) + " " + values["currency"]
	case affiliate.SettingChoices:
		text = titleOf(choices(s), text)
	}
	if s.Said != "" {
		return fmt.Sprintf(s.Said, text)
	}
	return text
}

// choices are the values that a setting may have.
func choices(s affiliate.AccountSetting) (list []choice) {
	for _, c := range s.Choices {
		list = append(list, choice{c.Value, c.Title})
	}
	return list
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
