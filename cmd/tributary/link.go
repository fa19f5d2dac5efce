package main

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func linkCheckCommand() command {
	return command{
		name:    "link check",
		args:    "SLUG|--all [--ask] [--json]",
		summary: "Say where a click on a link leads, what the store keeps of it, and what to mend.",
		example: "tributary link check anna\ntributary link check --all --ask\n" +
			"# --ask: also asks the landing pages whether they keep the link's parameters; it counts as no click\n" +
			"# ends with exit code 1 when orders by a link may be credited to nobody",
		run: linkCheck,
	}
}

func linkCheck(ctx context.Context, c *call) error {
	all := c.flags.Bool("all", false, "check all links that have not ended")
	ask := c.flags.Bool("ask", false, "ask the landing pages, too")
	c.jsonFlag()
	args, err := c.parse(0, 1)
	if err != nil {
		return err
	}
	if *all == (len(args) == 1) {
		return usagef("write the slug of a link, or --all")
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	var links []affiliate.Link
	if *all {
		links, err = workingLinks(ctx, a)
	} else {
		var l affiliate.Link
		l, err = a.DB.LinkBySlug(ctx, args[0])
		links = []affiliate.Link{l}
	}
	if err != nil {
		return err
	}
	checked, err := a.CheckLinks(ctx, links, *ask)
	if err != nil {
		return err
	}
	return c.printLinkChecks(checked)
}

func workingLinks(ctx context.Context, a *app.App) (working []affiliate.Link, err error) {
	links, err := storage.All(func(p storage.Page) ([]affiliate.Link, string, error) {
		return a.DB.Links(ctx, storage.LinkFilter{}, p)
	})
	for _, l := range links {
		if l.EndedAt.IsZero() {
			working = append(working, l)
		}
	}
	return working, err
}

// linkCheckJSON is a checked link as the command prints it for machines.
type linkCheckJSON struct {
	Slug string `json:"slug"`
	api.LinkCheckJSON
}

// printLinkChecks ends with exit code 1 when orders by a link may be credited to nobody.
func (c *call) printLinkChecks(links []app.CheckedLink) error {
	severe := 0
	list := make([]linkCheckJSON, len(links))
	for i, l := range links {
		list[i] = linkCheckJSON{l.Slug, api.LinkCheckView(l)}
		if l.Severe() {
			severe++
		}
	}
	if c.json {
		if err := c.printJSON(map[string]any{"ok": severe == 0, "links": list}); err != nil {
			return err
		}
	} else {
		for _, l := range links {
			c.printLinkCheck(l)
		}
	}
	switch {
	case len(links) == 0 && !c.json:
		fmt.Fprintln(c.stdout, "There is no link that works.")
	case severe > 0:
		fmt.Fprintf(c.stderr, "%d of %d links should be mended.\n", severe, len(links))
		return errReported
	}
	return nil
}

func (c *call) printLinkCheck(l app.CheckedLink) {
	fmt.Fprintf(c.stdout, "%s (%s, %s, %s)\n  leads to  %s\n", l.Slug, l.Owner.Creator, l.Owner.Campaign, l.Owner.Offer,
		l.Address)
	for _, k := range l.Kept {
		fmt.Fprintf(c.stdout, "  %s keeps  %s = %s\n", k.Platform, k.Field, k.Value)
	}
	for _, h := range l.Hops {
		fmt.Fprintf(c.stdout, "  answered  %d  %s\n", h.Status, h.Address)
	}
	for _, f := range l.Findings {
		word := "note"
		if f.Severe {
			word = "MEND"
		}
		fmt.Fprintf(c.stdout, "  %s  %s\n", word, f.Text)
	}
}

func linkSetCommand() command {
	return command{
		name:    "link set",
		args:    "SLUG KEY=VALUE … [--json]",
		summary: "Change where a link leads, its kind, or whether it adds utm parameters.",
		example: "tributary link set anna landing_url=https://shop.example/serum\ntributary link set anna utm=off\n" +
			"# utm: on, off, or account for what the settings say\n# kind: sales, purchase or review",
		run: linkSet,
	}
}

func linkSet(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(2, 1000)
	if err != nil {
		return err
	}
	changes, err := parsePairs(args[1:])
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	link, err := a.DB.LinkBySlug(ctx, args[0])
	if err != nil {
		return err
	}
	if link, err = a.ChangeLink(ctx, link.ID, setFields(changes, setLinkField)); err != nil {
		return err
	}
	checked, err := a.CheckLink(ctx, link, false)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(linkCheckJSON{checked.Slug, api.LinkCheckView(checked)})
	}
	c.printLinkCheck(checked)
	return nil
}

func setLinkField(l *affiliate.Link, change app.Setting) error {
	switch change.Key {
	case "landing_url":
		l.LandingURL = change.Value
	case "kind":
		l.Kind = affiliate.LinkKind(change.Value)
	case "utm":
		if l.UTM = affiliate.UTMRule(change.Value); change.Value == "account" {
			l.UTM = affiliate.UTMAccount
		}
	default:
		return affiliate.FieldErrorf(change.Key, "there is no such field of a link; there are: landing_url, kind, utm")
	}
	return nil
}
