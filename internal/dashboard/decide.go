package dashboard

import (
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// decide rejects conversions, takes rejections back, releases held ones or keeps them as they are: those that are
// chosen in the table, or the one whose own button was pressed.
func (r *request) decide() error {
	page, campaign := conversionsAddress, affiliate.CampaignID(0)
	if r.Param("id") != "" {
		var err error
		if campaign, err = idParam[affiliate.CampaignID](r, "id", "cmp_"); err != nil {
			return err
		}
		page = campaignAddress(campaign)
	}
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(back(r.field("back"), page), "")
	}
	if r.field("all") != "" && !r.oneRow() {
		return r.decideAll(campaign, page)
	}
	decision, chosen, reason := app.Decision(r.field("decision")), r.PostFormArray("ids"), r.field("reason")
	for _, d := range app.Decision("").Words() {
		if one := r.field("one-" + string(d)); one != "" {
			decision, chosen, reason = d, []string{one}, ""
		}
	}
	ids, err := affiliate.ParseIDs[affiliate.ConversionID]("ids", "cnv_", chosen)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return affiliate.Errorf(affiliate.Invalid, "no conversion is selected; tick some rows first")
	}
	changed, err := r.d.App.Decide(r.Request.Context(), ids, decision, reason)
	if err != nil {
		return err
	}
	return r.done(back(r.field("back"), page), decidedText(decision, int64(len(changed))))
}

// oneRow says whether the button of a row was pressed.
func (r *request) oneRow() bool {
	return slices.ContainsFunc(app.Decision("").Words(), func(d app.Decision) bool {
		return r.field("one-"+string(d)) != ""
	})
}

func decidedText(d app.Decision, n int64) string {
	if d == app.Keep {
		return counted(n, "credit stays as it is.", "credits stay as they are.")
	}
	words := map[app.Decision]string{app.Reject: "rejected", app.Undo: "no longer rejected", app.Release: "released"}
	return counted(n, "conversion is ", "conversions are ") + words[d] + "; commissions and totals follow."
}

// decideAllPage asks whether a decision about all conversions that match is meant.
type decideAllPage struct {
	layout
	app.Decidable
	Decision app.Decision
	Question string
	Button   string
	About    string // what the decision does
	Danger   bool
	Sums     selectionSums
	Of       string // the campaign; empty: all
	Days     string
	Passed   int64 // how many match that the decision does not change
	Reason   string
	Changed  bool // the list is not what was confirmed
	Address  string
	Back     string
	Fields   []hiddenField
}

// decideAll decides about all conversions that match, on all pages, once somebody has confirmed their number and sums.
func (r *request) decideAll(campaign affiliate.CampaignID, page string) error {
	ctx, d, reason := r.Request.Context(), app.Decision(r.field("decision")), r.field("reason")
	s, err := r.conversionSearchOf(r.Request.PostForm)
	if err != nil {
		return err
	}
	f, to := s.filter(campaign), back(r.field("back"), page)
	confirmed := r.field("confirmed")
	if confirmed != "" {
		n, err := r.d.App.DecideAll(ctx, f, d, reason, confirmed)
		if err == nil {
			return r.done(to, decidedText(d, n))
		}
		if web.ProblemOf(err).Code != app.CodeListChanged {
			return err
		}
	}
	p := &decideAllPage{Decision: d, Reason: reason, Days: s.Period.Days, Changed: confirmed != "", Address: page +
		"/decide", Back: to,
		Danger: d == app.Reject}
	if p.Decidable, err = r.d.App.ToDecide(ctx, f, d); err != nil {
		return err
	}
	totals, err := r.d.App.DB.SumConversions(ctx, f)
	if err != nil {
		return err
	}
	for _, sum := range totals {
		p.Passed += sum.Conversions
	}
	p.Passed -= p.Conversions
	p.Sums = sumsText(p.Decidable.Sums)
	n := counted(p.Conversions, "conversion", "conversions")
	switch d {
	case app.Reject:
		p.Button, p.About = "Reject "+n,
			"They count nowhere then, and their commissions are taken back. It can be undone."
	case app.Undo:
		p.Button, p.About = "Undo "+counted(p.Conversions, "rejection", "rejections"),
			"They count again, with their commissions."
	case app.Release:
		p.Button, p.About = "Release "+n, "They count then, with their commissions."
	case app.Keep:
		p.Button = "Keep " + counted(p.Conversions, "credit as it is", "credits as they are")
		p.About = "Nobody has decided about them yet. Their amounts stay, and home asks about them no more."
	}
	p.Question = p.Button + "?"
	p.layout = r.layout(p.Question, "orders")
	if campaign != 0 {
		c, err := r.d.App.DB.Campaign(ctx, campaign)
		if err != nil {
			return err
		}
		p.Of, p.Section = c.Name, "campaigns"
	}
	p.Fields = hiddenFields(r.PostFormArray, conversionParameters...)
	return r.show("decide_all.html", p)
}
