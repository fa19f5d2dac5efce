package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerSettings(api huma.API) {
	register(a, api, operation{http.MethodGet, "/settings", "get-settings", affiliate.MayRead,
		"Read the account's settings"}, a.getSettings)
	register(a, api, operation{http.MethodPatch, "/settings", "update-settings", affiliate.MayAdminister,
		"Change the account's settings"}, a.updateSettings)
	register(a, api, operation{http.MethodGet, "/recalculation", "get-recalculation", affiliate.MayRead,
		"How far the last recalculation has come: another currency or time zone makes figures be computed anew in " +
			"the background"}, a.getRecalculation)
}

type settingsJSON struct {
	Name          string                `json:"name"`
	Currency      string                `json:"currency" doc:"Of totals, commissions, ledger and payouts" example:"EUR"`
	Timezone      string                `json:"timezone" example:"Europe/Berlin"`
	WindowDays    int                   `json:"attribution_window_days"`
	Precedence    affiliate.Precedence  `json:"precedence"`
	ClickRule     affiliate.ClickRule   `json:"click_rule"`
	Renewals      affiliate.RenewalRule `json:"renewals" doc:"Who is credited with renewals of subscriptions: own_code: whoever owns a code on the renewal itself; first_only: nobody"`
	UTM           affiliate.UTMRule     `json:"utm" doc:"Whether links add utm parameters to their landing page, where a link does not say itself"`
	HoldDays      int                   `json:"hold_days"`
	MinimumPayout string                `json:"minimum_payout" example:"25.00"`
	ReservedCodes string                `json:"reserved_codes" doc:"Words that no code is made of, alone or with a number behind them, with commas between them" example:"ADMIN, TEST, FREE"`
	MailPerMinute int                   `json:"mail_per_minute" doc:"Mails to creators per minute, at most" example:"60"`

	DetailsHoldDays int                    `json:"details_hold_days" doc:"Days in which nothing is paid to payment details that were changed" example:"3"`
	SEPAAccount     string                 `json:"sepa_account" doc:"IBAN that SEPA files pay from; empty: there are no SEPA files"`
	SEPAName        string                 `json:"sepa_name" doc:"Holder of that account; empty: the account's name"`
	SEPABank        string                 `json:"sepa_bank" doc:"BIC of its bank; may be empty"`
	SEPAVersion     affiliate.PainVersion  `json:"sepa_version"`
	WiseCurrency    string                 `json:"wise_currency" doc:"Of the balance that Wise files are paid from; empty: that of the payments"`
	PayPalDecimals  affiliate.DecimalPoint `json:"paypal_decimals" doc:"How amounts stand in files for PayPal"`
}

// settingsView writes each setting into the field of its key: numbers of days as numbers, all others as texts.
func settingsView(settings affiliate.Settings) (v settingsJSON) {
	body := reflect.ValueOf(&v).Elem()
	fields := fieldsOf(body.Type())
	for _, s := range app.SettingsList(settings) {
		switch f := body.FieldByIndex(fields[s.Key]); f.Kind() {
		case reflect.Int:
			n, _ := strconv.ParseInt(s.Value, 10, 64) // it was a number
			f.SetInt(n)
		default:
			f.SetString(s.Value)
		}
	}
	return v
}

func (a *API) getSettings(ctx context.Context, _ *struct{}) (*output[settingsJSON], error) {
	v, err := a.App.DB.SavedSettings(ctx)
	return one(v, err, settingsView)
}

type updateSettingsInput struct {
	Body struct {
		Name          *string `json:"name,omitempty"`
		Currency      *string `json:"currency,omitempty"`
		Timezone      *string `json:"timezone,omitempty"`
		WindowDays    *int    `json:"attribution_window_days,omitempty"`
		Precedence    *string `json:"precedence,omitempty"`
		ClickRule     *string `json:"click_rule,omitempty"`
		Renewals      *string `json:"renewals,omitempty"`
		UTM           *string `json:"utm,omitempty"`
		HoldDays      *int    `json:"hold_days,omitempty"`
		MinimumPayout *string `json:"minimum_payout,omitempty"`
		ReservedCodes *string `json:"reserved_codes,omitempty"`
		MailPerMinute *int    `json:"mail_per_minute,omitempty"`

		DetailsHoldDays *int    `json:"details_hold_days,omitempty"`
		SEPAAccount     *string `json:"sepa_account,omitempty"`
		SEPAName        *string `json:"sepa_name,omitempty"`
		SEPABank        *string `json:"sepa_bank,omitempty"`
		SEPAVersion     *string `json:"sepa_version,omitempty"`
		WiseCurrency    *string `json:"wise_currency,omitempty"`
		PayPalDecimals  *string `json:"paypal_decimals,omitempty"`
	}
}

func (a *API) updateSettings(ctx context.Context, in *updateSettingsInput) (*output[settingsJSON], error) {
	var changes []app.Setting
	body := reflect.ValueOf(in.Body)
	fields := fieldsOf(body.Type())
	for _, s := range affiliate.AccountSettings() {
		if given := body.FieldByIndex(fields[s.Key]); !given.IsNil() {
			changes = append(changes, app.Setting{Key: s.Key, Value: fmt.Sprint(given.Elem())})
		}
	}
	v, err := a.App.SetSettings(ctx, changes)
	return one(v, err, settingsView)
}

type recalculationJSON struct {
	State      string     `json:"state" enum:"none,running,done" doc:"none: there never was one"`
	Reason     string     `json:"reason" example:"currency EUR → USD"`
	Shown      *shownJSON `json:"shown" doc:"What figures are in until all are computed anew; null: as /settings has them"`
	Done       int64      `json:"done" doc:"Rows looked at"`
	Total      int64      `json:"total" doc:"Rows there were when it started"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

type shownJSON struct {
	Currency string `json:"currency" example:"EUR"`
	Timezone string `json:"timezone" example:"Europe/Berlin"`
}

func (a *API) getRecalculation(ctx context.Context, _ *struct{}) (*output[recalculationJSON], error) {
	r, err := a.App.DB.NewestRecalculation(ctx)
	if affiliate.KindOf(err) == affiliate.NotFound {
		r, err = storage.Recalculation{State: "none"}, nil
	}
	return one(r, err, func(r storage.Recalculation) recalculationJSON {
		var shown *shownJSON
		if before, held := r.Settings(); held && r.Running() {
			shown = &shownJSON{before.Currency.Code(), before.Timezone}
		}
		return recalculationJSON{State: r.State, Reason: r.Reason, Shown: shown, Done: r.Done, Total: r.Total,
			StartedAt: web.TimeOrNull(r.StartedAt.Time), FinishedAt: web.TimeOrNull(r.FinishedAt.Time)}
	})
}
