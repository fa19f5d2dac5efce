package dashboard

import (
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// decide rejects conversions, takes rejections back or releases held ones: those that are chosen in the table, or the
// one whose own button was pressed.
func (r *request) decide() error {
	page := conversionsAddress
	if r.Param("id") != "" {
		campaign, err := idParam[affiliate.CampaignID](r, "id", "cmp_")
		if err != nil {
			return err
		}
		page = campaignAddress(campaign)
	}
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(back(r.field("back"), page), "")
	}
	decision, chosen, reason := app.Decision(r.field("decision")), r.PostFormArray("ids"), r.field("reason")
	for _, d := range []app.Decision{app.Reject, app.Undo, app.Release} {
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
	words := map[app.Decision]string{app.Reject: "rejected", app.Undo: "no longer rejected", app.Release: "released"}
	return r.done(back(r.field("back"), page), counted(int64(len(changed)), "conversion is ",
		"conversions are ")+words[decision]+"; commissions and totals follow.")
}
