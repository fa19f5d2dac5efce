package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// memberActions are what is done with members of an offer, in words; Codes is what is done with their codes in the
// stores as well where that is wanted, and Tick the question about it.
var memberActions = map[app.MemberAction]struct {
	Button, Title, About string
	Codes                affiliate.CodeAction
	Tick                 string
}{
	app.MembersAdd: {"Add members", "Add members", "Orders placed from now on that come with their codes and links " +
		"are credited to them.", affiliate.CodeMake, ""},
	app.MembersRemove: {"Remove", "Remove from the offer", "Orders placed from now on are not credited to them by " +
		"this offer. What they sold until then stays theirs, and stays in the offer’s figures.", affiliate.CodeEnd,
		"End their codes in the stores, too"},
	app.MembersActivate: {"Activate", "Activate", "Orders placed from now on are credited to them again. Who was " +
		"removed is taken back.", affiliate.CodeActivate, "Activate their codes in the stores, too"},
	app.MembersDeactivate: {"Deactivate", "Deactivate", "Orders placed from now on are not credited to them by this " +
		"offer, until they are activated again.", affiliate.CodeDeactivate,
		"Deactivate their codes in the stores, too"},
	app.MembersCommission: {"Payout values", "Payout values", "What they earn for each order by this offer, in place " +
		"of what the offer gives. Orders placed before keep what they earn.", "", ""},
}

// shownResults is how many of those an action is for are shown; who failed comes first.
const shownResults = 500

// askMembersPage asks whether an action on members of an offer is meant, and says what it would do.
type askMembersPage struct {
	offerHead
	Action  app.MemberAction
	Title   string
	About   string
	Button  string
	Danger  bool
	Preview *membersPreview // nil while it is not said yet what is to be done
	Whom    []hiddenField   // whom it is for
	Fields  []hiddenField   // the same, and what they are to earn
	N       int64           // how many it is for
	Ticks   string          // the question about their codes; empty without any
	Form    payoutForm      // of commissions
	Back    string
}

// membersPreview is what an action would do, in words.
type membersPreview struct {
	app.MembersPreview
	Names string // the first of those whom it changes
	memberResults
}

// memberResults are those whom an action is for: who failed, and the others.
type memberResults struct {
	Bad, Good []memberResult
	More      int // of the others that are not shown
}

type memberResult struct {
	app.MemberResult
	Address string // of the creator
	Badge   badge
}

// outcomeBadges are what became, or would become, of somebody.
var outcomeBadges = map[app.MemberOutcome]badge{app.MemberChanged: {"good", "check", "Done"},
	app.MemberSame: {"", "minus", "As they were"}, app.MemberFailed: {"bad", "alert", "Failed"}}

// memberResultsOf parts results for people.
func memberResultsOf(results []app.MemberResult) (list memberResults) {
	for _, m := range results {
		line := memberResult{MemberResult: m, Badge: outcomeBadges[m.Outcome]}
		if m.Creator != 0 {
			line.Address = creatorAddress(m.Creator)
		}
		line.Why = sentenceOf("", m.Why)
		switch {
		case m.Outcome == app.MemberFailed:
			list.Bad = append(list.Bad, line)
		case len(list.Good) < shownResults:
			list.Good = append(list.Good, line)
		default:
			list.More++
		}
	}
	return list
}

// payoutForm is what members are to earn, as people type it.
type payoutForm struct {
	Own           string // own or offer; empty while nothing is chosen
	Percent, Flat string
	From          string // of the account's zone; empty: now
	Errors        fieldErrors
}

// payoutFields are those of a payoutForm.
var payoutFields = []string{"own", "commission_percent", "commission_flat", "from"}

// askAboutMembers shows what an action would do, before it is done.
func (r *request) askAboutMembers() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(back(r.field("back"), offerAddress(o)), "")
	}
	p, in, err := r.askMembers(o)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if p.Action != app.MembersCommission || p.Form.Own != "" {
		if status, err = r.previewMembers(p, in); err != nil {
			return err
		}
	}
	r.render(status, "offer_members_ask.html", p)
	return nil
}

// previewMembers reads what the action would do, or why it cannot be asked for.
func (r *request) previewMembers(p *askMembersPage, in app.MembersChange) (status int, err error) {
	if err = r.readPayout(p, &in); err == nil {
		var preview app.MembersPreview
		if preview, err = r.d.App.PreviewMembers(r.Request.Context(), in); err == nil {
			p.Preview = &membersPreview{MembersPreview: preview, Names: changedNames(preview.Results),
				memberResults: memberResultsOf(preview.Results)}
			return http.StatusOK, nil
		}
	}
	if p.Form.Errors, err = formErrors(err); err != nil {
		return 0, err
	}
	p.Failure = unseenError(p.Form.Errors, payoutFields...)
	return http.StatusUnprocessableEntity, nil
}

// shownNames is how many of those whom an action changes are named.
const shownNames = 5

// changedNames names the first of those whom an action changes.
func changedNames(results []app.MemberResult) string {
	var names []string
	for _, m := range results {
		if m.Outcome == app.MemberChanged {
			names = append(names, m.Name)
		}
	}
	if more := len(names) - shownNames; more > 0 {
		return strings.Join(names[:shownNames], ", ") + " and " + counted(int64(more), "other", "others")
	}
	return strings.Join(names, ", ")
}

// askMembers reads what is to be done, and with whom.
func (r *request) askMembers(o affiliate.Offer) (p *askMembersPage, in app.MembersChange, err error) {
	in = app.MembersChange{Action: app.MemberAction(r.field("do")), Offer: o.ID}
	words, ok := memberActions[in.Action]
	if !ok || in.Action == app.MembersAdd {
		return nil, in, affiliate.Errorf(affiliate.Invalid, "choose what is to be done with the creators")
	}
	p = &askMembersPage{Action: in.Action, Title: words.Title, About: words.About, Button: words.Button,
		Danger: in.Action == app.MembersRemove, Back: back(r.field("back"), offerAddress(o)),
		Form: payoutForm{Own: r.field("own"), Percent: r.field("commission_percent"),
			Flat: r.field("commission_flat"), From: r.field("from")}}
	if o.Type == affiliate.OfferPromoCode {
		p.Ticks = words.Tick
	}
	if p.offerHead, err = r.offerHead(o, "creators", words.Title); err != nil {
		return nil, in, err
	}
	if in.Members, err = r.placesOf(o); err != nil {
		return nil, in, err
	}
	p.N = int64(len(in.Members))
	// What is done is what was shown, whoever the list finds by then.
	ids := make([]string, len(in.Members))
	for i, id := range in.Members {
		ids[i] = id.String()
	}
	p.Whom = []hiddenField{{"do", string(in.Action)}, {"back", p.Back}, {"ids", strings.Join(ids, ",")}}
	p.Fields = slices.Concat(p.Whom, hiddenFields(r.PostFormArray, payoutFields...))
	return p, in, nil
}

// readPayout reads what members are to earn.
func (r *request) readPayout(p *askMembersPage, in *app.MembersChange) error {
	if in.Action != app.MembersCommission {
		return nil
	}
	rule, from, err := r.ruleFrom()
	if err != nil {
		return err
	}
	switch in.From = from; p.Form.Own {
	case "own":
		if p.Form.Percent+p.Form.Flat == "" {
			return affiliate.FieldErrorf("commission_percent",
				"say a percentage, an amount per order or both; 0 is nothing at all")
		}
		in.Rule = &rule
	case "offer":
	default:
		return affiliate.FieldErrorf("own", "choose whether they have a commission of their own")
	}
	return nil
}

// placesOf gives the members of an offer whom a form is for: those who are ticked, or all that the list finds.
func (r *request) placesOf(o affiliate.Offer) (ids []affiliate.OfferMemberID, err error) {
	if r.field("all") != "" {
		ids, err = r.allPlaces(o)
	} else {
		var texts []string
		for _, text := range r.PostFormArray("ids") {
			texts = append(texts, affiliate.CommaList(text)...)
		}
		ids, err = affiliate.ParseIDs[affiliate.OfferMemberID]("ids", "ofm_", texts)
	}
	if err == nil && len(ids) == 0 {
		err = affiliate.Errorf(affiliate.Invalid, "nobody is selected; tick some creators first")
	}
	return ids, err
}

// allPlaces gives the members of an offer that the list on its page finds, on all pages.
func (r *request) allPlaces(o affiliate.Offer) (ids []affiliate.OfferMemberID, err error) {
	var s offerSearch
	list, err := r.offerListing(&s, o, columnTables()["offer-creators"])
	if err != nil {
		return nil, err
	}
	list.Sort, list.Desc = report.KeyName, false
	ctx := r.Request.Context()
	found := map[affiliate.CreatorID]bool{}
	if err = storage.EachPage(func(page storage.Page) (string, error) {
		list.Page = page
		rows, err := list.CreatorRows(ctx, r.d.App.DB)
		for _, row := range rows.Rows {
			found[row.ID] = true
		}
		return rows.Next, err
	}); err != nil {
		return nil, err
	}
	members, err := storage.All(func(page storage.Page) ([]affiliate.OfferMember, string, error) {
		return r.d.App.DB.OfferMembers(ctx, storage.OfferMemberFilter{Offer: o.ID}, page)
	})
	for _, m := range members {
		if found[m.CreatorID] {
			ids = append(ids, m.ID)
		}
	}
	return ids, err
}

// membersDonePage says what became of those whom an action was for.
type membersDonePage struct {
	offerHead
	Title   string
	Summary string
	memberResults
	Codes *codesNext // what is done with their codes next; nil: nothing
	Back  string
}

// codesNext leads to the draft of a run of codes.
type codesNext struct {
	Action affiliate.CodeAction
	Button string
	About  string
	Fields []hiddenField
}

// doWithMembers does what was asked about, and shows what became of each.
func (r *request) doWithMembers() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	p, in, err := r.askMembers(o)
	if err != nil {
		return err
	}
	if err = r.readPayout(p, &in); err == nil {
		web.AllowTime(r.Writer)
		var results []app.MemberResult
		if results, err = r.d.App.ChangeMembers(r.Request.Context(), in); err == nil {
			return r.showMembersDone(o, in.Action, results, p.Back)
		}
	}
	if p.Form.Errors, err = formErrors(err); err != nil {
		return err
	}
	p.Failure = unseenError(p.Form.Errors, payoutFields...)
	r.render(http.StatusUnprocessableEntity, "offer_members_ask.html", p)
	return nil
}

// showMembersDone shows what an action did.
func (r *request) showMembersDone(o affiliate.Offer, action app.MemberAction, results []app.MemberResult,
	to string) error {
	words := memberActions[action]
	p := membersDonePage{Title: words.Title, Summary: resultsText(results), memberResults: memberResultsOf(results),
		Back: to}
	var err error
	if p.offerHead, err = r.offerHead(o, "creators", words.Title); err != nil {
		return err
	}
	if o.Type == affiliate.OfferPromoCode && (action == app.MembersAdd || r.field("with_codes") != "") {
		if p.Codes, err = r.codesNext(action, results); err != nil {
			return err
		}
	}
	return r.show("offer_members_done.html", &p)
}

// resultsText counts results: "2 changed, 1 as they were, 1 failed."
func resultsText(results []app.MemberResult) string {
	counts := map[app.MemberOutcome]int64{}
	for _, m := range results {
		counts[m.Outcome]++
	}
	var parts []string
	for _, of := range []struct {
		outcome app.MemberOutcome
		words   string
	}{{app.MemberChanged, " changed"}, {app.MemberSame, " as they were"}, {app.MemberFailed, " failed"}} {
		if n := counts[of.outcome]; n > 0 {
			parts = append(parts, countText(n)+of.words)
		}
	}
	return strings.Join(parts, ", ") + "."
}

// codesNext says what can be done with the codes of those with whom something was done: who was added gets some; the
// codes of the others, whose members may have left the offer by now, are named themselves.
func (r *request) codesNext(action app.MemberAction, results []app.MemberResult) (*codesNext, error) {
	var members []affiliate.OfferMemberID
	for _, m := range results {
		if m.Outcome != app.MemberFailed && m.Member != 0 {
			members = append(members, m.Member)
		}
	}
	next := &codesNext{Action: memberActions[action].Codes}
	words := codeActions[next.Action]
	next.Button, next.About = words.Button+"…", words.About
	if action == app.MembersAdd {
		for _, id := range members {
			next.Fields = append(next.Fields, hiddenField{"ids", id.String()})
		}
		if len(members) == 0 {
			return nil, nil
		}
		return next, nil
	}
	now := r.d.App.Now()
	for part := range slices.Chunk(members, storage.MaxLimit) {
		codes, err := r.d.App.DB.CodesOf(r.Request.Context(), part)
		if err != nil {
			return nil, err
		}
		for _, c := range codes {
			if codeNow(c, now) {
				next.Fields = append(next.Fields, hiddenField{"codes", c.ID.String()})
			}
		}
	}
	if len(next.Fields) == 0 {
		return nil, nil
	}
	return next, nil
}

// codeNow says whether a code is somebody's at a time.
func codeNow(c affiliate.Code, now time.Time) bool { return c.ValidTo.IsZero() || c.ValidTo.After(now) }
