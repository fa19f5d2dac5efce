package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func tokenAddCommand() command {
	return command{
		name:    "token add",
		args:    "--name N --role owner|manager|viewer [--may-pay] [--expires 90d|DAY|never] [--json]",
		summary: "Make an API token, and print it this once.",
		example: "tributary token add --name \"warehouse screen\" --role viewer\ntributary token add --name agency " +
			"--role viewer --expires 90d",
		run: tokenAdd,
	}
}

// tokenJSON is a token as commands print it for machines.
type tokenJSON struct {
	Token string `json:"token,omitempty"` // only when it was made now
	api.TokenJSON
}

func tokenAsJSON(t affiliate.Token) tokenJSON { return tokenJSON{TokenJSON: api.TokenView(t)} }

func tokenAdd(ctx context.Context, c *call) error {
	name := c.flags.String("name", "", "`N`: what the token is for")
	role := c.flags.String("role", "", "`ROLE`: owner, manager or viewer; a viewer reads, a manager changes the "+
		"catalog, an owner everything")
	pay := c.flags.Bool("may-pay", false, "a manager's token may also send, record and cancel payouts")
	expires := c.flags.String("expires", "never", "`WHEN` it ends by itself: after days, such as 90d, at the end of a "+
		"day, such as 2027-01-31, or never")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if err := c.required("name", "role"); err != nil {
		return err
	}
	parsed, err := affiliate.ParseRole(*role)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	draft := app.TokenDraft{Name: *name, Role: parsed, MayPay: *pay}
	if draft.Expires, err = a.ExpiryOf(ctx, *expires); err != nil {
		return err
	}
	t, err := a.AddToken(ctx, draft)
	if err != nil {
		return err
	}
	if c.json {
		out := tokenAsJSON(t.Token)
		out.Token = t.Value
		return c.printJSON(out)
	}
	fmt.Fprintf(c.stdout, "%s\n", t.Value)
	fmt.Fprintf(c.stderr, "Token %s (%s, %s). It is shown this once: keep it now.%s\n", t.ID, t.Name, t.Role,
		expiryWords(t.ExpiresAt))
	return nil
}

// expiryWords ends a sentence about a token that ends by itself.
func expiryWords(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " It works until " + at.UTC().Format(time.RFC3339) + "."
}

func tokenListCommand() command {
	return command{
		name:    "token list",
		args:    "[--json]",
		summary: "List the API tokens, without their values.",
		example: "tributary token list",
		run:     tokenList,
	}
}

func tokenList(ctx context.Context, c *call) error {
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	tokens, err := storage.All(func(p storage.Page) ([]affiliate.Token, string, error) { return a.DB.Tokens(ctx, p) })
	if err != nil {
		return err
	}
	list := make([]tokenJSON, len(tokens))
	for i, t := range tokens {
		list[i] = tokenAsJSON(t)
	}
	if c.json {
		return c.printJSON(map[string]any{"tokens": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "There is no token yet. Make one: tributary token add --help")
		return nil
	}
	return printTable(c.stdout, "ID\tNAME\tROLE\tADDED\tLAST USED\tEXPIRES\tENDED", func(row func(cells ...any)) {
		for _, t := range list {
			row(t.ID, t.Name, t.Role, t.CreatedAt.Format(time.RFC3339), timeOrNever(t.LastUsedAt),
				timeOrNever(t.ExpiresAt), timeOrNever(t.EndedAt))
		}
	})
}

func tokenEndCommand() command {
	return command{
		name:    "token end",
		args:    "TOKEN-ID [--json]",
		summary: "End an API token; it stops working within seconds.",
		example: "tributary token end tok_1",
		run:     tokenEnd,
	}
}

func tokenEnd(ctx context.Context, c *call) error {
	c.jsonFlag()
	ctx, a, id, err := openWith[affiliate.TokenID](ctx, c, "tok_")
	if err != nil {
		return err
	}
	t, err := a.EndToken(ctx, id)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(tokenAsJSON(t))
	}
	fmt.Fprintf(c.stdout, "Token %s (%s) has ended.\n", t.ID, t.Name)
	return nil
}
