package dashboard

import (
	"net/url"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// periodChoice is the part of a form of filters that chooses the time that figures are about; the template "period"
// shows it.
type periodChoice struct {
	Range    affiliate.Range
	Presets  []affiliate.Preset
	Chosen   affiliate.Preset
	From, To string // of a custom period: the first and the last day
	Days     string // the days for people: "1 Mar 2026 – 31 Mar 2026"
	Compared string // those of the period before, which changes are measured against; empty where there is none
}

// period reads the parameters period, from and to. Days beside a preset are left over from another choice and do not
// count; a custom period without days begins with those of the default one, so that somebody who chooses it sees what
// to change.
func (r *request) period() (periodChoice, error) { return r.periodOf(r.Request.URL.Query()) }

// periodOf is period for an address, or a form.
func (r *request) periodOf(values url.Values) (periodChoice, error) {
	preset, from, to := affiliate.Preset(values.Get("period")), values.Get("from"), values.Get("to")
	if preset == "" && from+to != "" {
		preset = affiliate.PeriodCustom
	}
	now := r.d.App.Now()
	choice := periodChoice{Presets: affiliate.Presets(), Chosen: preset}
	if preset != affiliate.PeriodCustom {
		from, to = "", ""
	}
	var err error
	if preset == affiliate.PeriodCustom && from+to == "" {
		if choice.Range, err = affiliate.ParsePeriod("", "", "", now, r.zone); err != nil {
			return choice, err
		}
		choice.Range.Preset = affiliate.PeriodCustom
	} else if choice.Range, err = affiliate.ParsePeriod(string(preset), from, to, now, r.zone); err != nil {
		return choice, err
	}
	if choice.Chosen == "" {
		choice.Chosen = affiliate.DefaultPeriod
	}
	choice.From, choice.To = choice.Range.From, choice.Range.Last()
	choice.Days = r.days(choice.Range)
	if before, ok := choice.Range.Previous(); ok {
		choice.Compared = r.days(before)
	}
	return choice, nil
}

// Custom says whether the form asks for days.
func (p periodChoice) Custom() bool { return p.Chosen == affiliate.PeriodCustom }

// days writes a range for people: "21 Nov 2026" or "1 Mar 2026 – 31 Mar 2026".
func (r *request) days(days affiliate.Range) string {
	last := r.date(days.End().Add(-1))
	switch {
	case days.From == "" && days.To == "":
		return "All time"
	case days.From == "":
		return "Until " + last
	case days.To == "":
		return "Since " + r.date(days.Start())
	case days.Days() == 1:
		return last
	}
	return r.date(days.Start()) + " – " + last
}
