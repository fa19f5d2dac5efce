package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
)

// membersAction makes the command of an action on members of an offer.
func membersAction(action app.MemberAction, summary, options, example string) command {
	whom := "(--all | --members IDS | --creators FILE)"
	if action == app.MembersAdd {
		whom = "--creators FILE"
	}
	return command{
		name:    "members " + string(action),
		args:    "--offer OFFER " + whom + " " + options + "[--dry-run] [--json]",
		summary: summary,
		example: example,
		run:     func(ctx context.Context, c *call) error { return changeMembers(ctx, c, action) },
	}
}

func membersAddCommand() command {
	return membersAction(app.MembersAdd, "Put creators into an offer; who is not in the community is made a creator.",
		"",
		"tributary members add --offer off_1 --creators names.csv --dry-run\n"+
			"tributary members add --offer off_1 --creators names.csv\n"+
			"# a name, a handle or an e-mail address in each line, or columns: name, handle, email, id")
}

func membersRemoveCommand() command {
	return membersAction(app.MembersRemove, "Take members out of an offer; what they have sold stays in its figures.",
		"",
		"tributary members remove --offer off_1 --members ofm_1,ofm_2")
}

func membersActivateCommand() command {
	return membersAction(app.MembersActivate, "Make members of an offer active again.", "",
		"tributary members activate --offer off_1 --members ofm_1,ofm_2")
}

func membersDeactivateCommand() command {
	return membersAction(app.MembersDeactivate, "Make members of an offer inactive: orders placed later are not "+
		"credited to them.", "", "tributary members deactivate --offer off_1 --all")
}

func membersCommissionCommand() command {
	return membersAction(app.MembersCommission, "Give members of an offer a commission of their own; without one, the "+
		"offer's.", "[--percent P] [--flat F] [--from TIME] ",
		"tributary members commission --offer off_1 --members ofm_1 --percent 15 --from 2026-12-01\n"+
			"tributary members commission --offer off_1 --creators vips.csv --percent 12.5 --flat 1\n"+
			"tributary members commission --offer off_1 --all   # the offer's counts again")
}

// changeMembers does an action on members, or says what it would do.
func changeMembers(ctx context.Context, c *call, action app.MemberAction) error {
	offer := c.flags.String("offer", "", "the `OFFER`, such as off_1")
	all, members := new(bool), new(string)
	if action != app.MembersAdd {
		all = c.flags.Bool("all", false, "all current members of the offer")
		members = c.flags.String("members", "", "`IDS` of offer members, such as ofm_1,ofm_2")
	}
	file := c.flags.String("creators", "", "a `FILE` that says which creators, CSV, XLSX or lines; - for the input")
	percent, flat, from := new(string), new(string), new(string)
	if action == app.MembersCommission {
		percent = c.flags.String("percent", "", "`P` percent of the order's value, such as 12.5")
		flat = c.flags.String("flat", "", "`F` per order, in the order's currency, such as 3.00")
		from = c.flags.String("from", "", "for orders placed from a `TIME` on (2026-11-01 or 2026-11-01T08:00:00Z, "+
			"UTC); otherwise from now on")
	}
	dry := c.flags.Bool("dry-run", false, "show what would be done, and do nothing")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if err := c.required("offer"); err != nil {
		return err
	}
	chosen := 0
	for _, given := range []bool{*all, *members != "", *file != ""} {
		if given {
			chosen++
		}
	}
	switch {
	case chosen != 1 && action == app.MembersAdd:
		return usagef("say who is to be added: --creators")
	case chosen != 1:
		return usagef("say for whom: one of --all, --members and --creators")
	}
	in := app.MembersChange{Action: action}
	var err error
	if in.Offer, err = affiliate.ParseID[affiliate.OfferID]("off_", *offer); err != nil {
		return usagef("--offer: %s", err)
	}
	if *members != "" {
		in.Members, err = affiliate.ParseIDs[affiliate.OfferMemberID]("--members", "ofm_",
			affiliate.CommaList(*members))
		if err != nil {
			return usagef("%s", err)
		}
	}
	if in.From, err = timeFlag("from", *from); err != nil {
		return err
	}
	if in.Rule, err = ruleFlags(*percent, *flat); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	results, err := c.doMembers(ctx, a, in, *file, *dry)
	if err != nil {
		return err
	}
	return c.printMembers(results, *dry)
}

// ruleFlags reads a commission; nil where none is given.
func ruleFlags(percent, flat string) (*affiliate.Rule, error) {
	if percent == "" && flat == "" {
		return nil, nil
	}
	var rule affiliate.Rule
	var err error
	if percent != "" {
		if rule.Percent, err = affiliate.ParsePercent("--percent", percent); err != nil {
			return nil, usagef("%s", err)
		}
	}
	if flat != "" {
		rule.Flat, err = affiliate.ParseFlat("--flat", flat)
	}
	if err != nil {
		return nil, usagef("%s", err)
	}
	return &rule, nil
}

// doMembers does what is asked for, for those whom a file names where there is one.
func (c *call) doMembers(ctx context.Context, a *app.App, in app.MembersChange, file string,
	dry bool) ([]app.MemberResult, error) {
	var lines []app.NewcomerLine
	if file != "" {
		var err error
		if lines, err = c.readCreators(ctx, a, file); err != nil {
			return nil, err
		}
		if in.Action == app.MembersAdd && !dry {
			return a.AddNewcomers(ctx, in.Offer, lines)
		}
		in.Creators = []affiliate.CreatorID{}
		for _, l := range lines {
			if l.Creator != 0 {
				in.Creators = append(in.Creators, l.Creator)
			}
		}
	}
	var results []app.MemberResult
	for _, l := range lines {
		switch {
		case l.Creator != 0:
		case l.New && in.Action == app.MembersAdd:
			results = append(results, app.MemberResult{Name: l.Name, Outcome: app.MemberChanged,
				Why: "They become a creator of the community."})
		case l.New:
			results = append(results, app.MemberResult{Name: l.Name, Outcome: app.MemberFailed,
				Why: fmt.Sprintf("Line %d: nobody in the community is called so.", l.Line)})
		default:
			results = append(results, app.MemberResult{Name: l.Name, Outcome: app.MemberFailed,
				Why: fmt.Sprintf("Line %d: %s", l.Line, l.Why)})
		}
	}
	if file != "" && len(in.Creators) == 0 {
		return results, nil
	}
	if dry {
		p, err := a.PreviewMembers(ctx, in)
		return slices.Concat(p.Results, results), err
	}
	done, err := a.ChangeMembers(ctx, in)
	return slices.Concat(done, results), err
}

// readCreators reads a file of creators, or the input.
func (c *call) readCreators(ctx context.Context, a *app.App, name string) ([]app.NewcomerLine, error) {
	content, err := c.readFile(name, app.MaxImport)
	if err != nil {
		return nil, err
	}
	return a.ReadNewcomers(ctx, content)
}

// printMembers prints what became of each. It reports those that failed by the exit code.
func (c *call) printMembers(results []app.MemberResult, dry bool) error {
	v := api.MembersChangeView(results)
	var err error
	if c.json {
		err = c.printJSON(v)
	} else {
		err = printTable(c.stdout, "CREATOR\tNAME\tMEMBER\tOUTCOME\tNOTE", func(row func(cells ...any)) {
			for _, r := range v.Results {
				row(orDash(r.Creator), r.Name, orDash(r.OfferMember), r.Outcome, r.Why)
			}
		})
		done := "changed"
		if dry {
			done = "would be changed"
		}
		fmt.Fprintf(c.stdout, "\n%d %s, %d are so already, %d failed.\n", v.Changed, done, v.Same, v.Failed)
	}
	if err == nil && v.Failed > 0 {
		err = errReported
	}
	return err
}

func orDash(id *string) string {
	if id == nil {
		return "-"
	}
	return *id
}
