package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func storeAddCommand() command {
	return command{
		name: "store add",
		args: "--platform P --slug S --name N --domain D --currency C --timezone Z [--webhook-secret W] [--parts R] " +
			"[--json]",
		summary: "Connect a store, and print what to do in its admin.",
		example: "tributary store add --platform woocommerce --slug my-shop --name \"My shop\" --domain shop.example " +
			"--currency EUR --timezone Europe/Berlin\n" +
			"tributary store add --platform shopify --slug us --name \"US shop\" --domain my-shop.myshopify.com " +
			"--currency USD --timezone America/New_York --webhook-secret 1a2b…",
		run: storeAdd,
	}
}

// storeJSON is a store as commands print it for machines.
type storeJSON struct {
	ID             string     `json:"id"`
	Slug           string     `json:"slug"`
	Platform       string     `json:"platform"`
	Name           string     `json:"name"`
	Domain         string     `json:"domain"`
	Currency       string     `json:"currency"`
	Timezone       string     `json:"timezone"`
	Parts          string     `json:"parts"`
	State          string     `json:"state"`
	Warning        string     `json:"warning,omitempty"`
	WebhookURL     string     `json:"webhook_url"`
	WebhookSecret  string     `json:"webhook_secret,omitempty"` // only when it was made here, once
	Instructions   []string   `json:"instructions,omitempty"`
	LastDeliveryAt *time.Time `json:"last_delivery_at"`
}

func storeAsJSON(a *app.App, s affiliate.Store) storeJSON {
	return storeJSON{ID: s.ID.String(), Slug: s.Slug, Platform: string(s.Platform), Name: s.Name, Domain: s.Domain,
		Currency: s.Currency.Code(), Timezone: s.Timezone, Parts: string(s.Parts), State: string(s.State),
		Warning: s.Warning, WebhookURL: a.WebhookURL(s), LastDeliveryAt: timeOrNil(s.LastDeliveryAt)}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// openStore is open for a command about one store.
func (c *call) openStore(ctx context.Context, slug string) (context.Context, *app.App, affiliate.Store, error) {
	ctx, a, err := c.open(ctx)
	if err != nil {
		return ctx, nil, affiliate.Store{}, err
	}
	store, err := a.DB.StoreBySlug(ctx, slug)
	return ctx, a, store, err
}

func storeAdd(ctx context.Context, c *call) error {
	var in app.NewStore
	var platform, parts string
	c.flags.StringVar(&platform, "platform", "", "`P`: "+platforms().Words(app.AnyPlatform))
	c.flags.StringVar(&in.Slug, "slug", "", "`S`: its name in the webhook address, of a-z, 0-9 and -")
	c.flags.StringVar(&in.Name, "name", "", "`N`: its name for people")
	c.flags.StringVar(&in.Domain, "domain", "", "`D`: its domain. "+platforms().AboutDomain())
	c.flags.StringVar(&in.Currency, "currency", "", "`C`: its currency, such as EUR")
	c.flags.StringVar(&in.Timezone, "timezone", "", "`Z`: its time zone, such as Europe/Berlin")
	c.flags.StringVar(&in.Secret, "webhook-secret", "",
		"`W`: the secret of its webhooks. "+platforms().AboutSecret())
	c.flags.StringVar(&parts, "parts", "",
		"`R`: what orders with a parent are ("+platforms().Names(app.HasParents)+"): decide by the plugin "+
			"that made them (the default), always parts of their parent, or always own_orders")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if err := c.required("platform", "slug", "name", "domain", "currency", "timezone"); err != nil {
		return err
	}
	in.Platform, in.Parts = affiliate.Platform(platform), affiliate.PartsRule(parts)
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	added, err := a.AddStore(ctx, in)
	if err != nil {
		return err
	}
	if c.json {
		out := storeAsJSON(a, added.Store)
		out.WebhookSecret, out.Instructions = added.Secret, added.Instructions
		return c.printJSON(out)
	}
	fmt.Fprintf(c.stdout, "Store %s (%s) is connected.\n\n  Webhook URL  %s\n", added.Slug, added.ID,
		a.WebhookURL(added.Store))
	if added.Secret != "" {
		fmt.Fprintf(c.stdout, "  Secret       %s   (shown this once)\n", added.Secret)
	}
	printSteps(c.stdout, added.Instructions)
	return nil
}

func printSteps(w io.Writer, steps []string) {
	fmt.Fprintln(w, "\nWhat to do now:")
	for i, step := range steps {
		fmt.Fprintf(w, "  %d. %s\n", i+1, step)
	}
}

func storeListCommand() command {
	return command{
		name:    "store list",
		args:    "[--json]",
		summary: "List the stores.",
		example: "tributary store list",
		run:     storeList,
	}
}

func storeList(ctx context.Context, c *call) error {
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	stores, err := storage.All(func(p storage.Page) ([]affiliate.Store, string, error) { return a.DB.Stores(ctx, p) })
	if err != nil {
		return err
	}
	list := make([]storeJSON, len(stores))
	for i, s := range stores {
		list[i] = storeAsJSON(a, s)
	}
	if c.json {
		return c.printJSON(map[string]any{"stores": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "There is no store yet. Connect one: tributary store add --help")
		return nil
	}
	return printTable(c.stdout, "SLUG\tPLATFORM\tNAME\tDOMAIN\tCURRENCY\tSTATE\tLAST DELIVERY\tWEBHOOK URL",
		func(row func(cells ...any)) {
			for _, s := range list {
				row(s.Slug, s.Platform, s.Name, s.Domain, s.Currency, s.State, timeOrNever(s.LastDeliveryAt),
					s.WebhookURL)
			}
		})
}

func timeOrNever(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format(time.RFC3339)
}

// printTable aligns rows of cells below a header whose columns are divided by tabs.
func printTable(w io.Writer, header string, rows func(row func(cells ...any))) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, header)
	rows(func(cells ...any) {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, cell)
		}
		fmt.Fprintln(t)
	})
	return t.Flush()
}

func storeSetCommand() command {
	return command{
		name:    "store set",
		args:    "SLUG KEY=VALUE … [--json]",
		summary: "Change a store.",
		example: "tributary store set my-shop name=\"My shop\" timezone=Europe/Berlin\n" +
			"tributary store set my-shop parts=own_orders\n" +
			"# name, domain, currency, timezone: as when it was connected\n" +
			"# parts: what orders with a parent are (" + platforms().Names(app.HasParents) + "): decide by the " +
			"plugin that made them, always parts of their parent, or always own_orders; the orders there are are " +
			"judged again",
		run: storeSet,
	}
}

func storeSet(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(2, 1000)
	if err != nil {
		return err
	}
	changes, err := parsePairs(args[1:])
	if err != nil {
		return err
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	if store, err = a.ChangeStore(ctx, store.ID, app.AnyVersion, setFields(changes, setStoreField)); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(storeAsJSON(a, store))
	}
	fmt.Fprintf(c.stdout, "Store %s is changed: %s, %s, %s, %s, parts=%s.\n", store.Slug, store.Name, store.Domain,
		store.Currency, store.Timezone, store.Parts)
	return nil
}

func setStoreField(s *affiliate.Store, change app.Setting) (err error) {
	switch change.Key {
	case "name":
		s.Name = change.Value
	case "domain":
		s.Domain = change.Value
	case "currency":
		if s.Currency, err = money.ParseCurrency(change.Value); err != nil {
			return affiliate.FieldErrorf("currency", "%v", err)
		}
	case "timezone":
		s.Timezone = change.Value
	case "parts":
		s.Parts = affiliate.PartsRule(change.Value)
	default:
		return affiliate.FieldErrorf(change.Key,
			"there is no such field of a store; there are: name, domain, currency, timezone, parts")
	}
	return nil
}

func storeSecretCommand() command {
	return command{
		name:    "store secret",
		args:    "SLUG [--add [--webhook-secret W]] [--end SECRET-ID] [--rotate] [--json]",
		summary: "List, add and end webhook secrets of a store, to exchange one without losing a delivery.",
		example: "tributary store secret my-shop --add\ntributary store secret my-shop --end sec_1\n" +
			"tributary store secret my-shop --rotate   # of a store that is connected by its API: nothing else to do",
		run: storeSecret,
	}
}

// secretJSON is a webhook secret as the command prints it for machines.
type secretJSON struct {
	ID            string     `json:"id"`
	CreatedAt     time.Time  `json:"created_at"`
	EndedAt       *time.Time `json:"ended_at"`
	WebhookSecret string     `json:"webhook_secret,omitempty"` // only when it was made now
}

func storeSecret(ctx context.Context, c *call) error {
	add := c.flags.Bool("add", false, "add a secret; the old ones stay valid")
	given := c.flags.String("webhook-secret", "",
		"`W`, with --add: the secret. "+platforms().AboutSecret())
	ending := c.flags.String("end", "", "`SECRET-ID`: end this secret")
	rotate := c.flags.Bool("rotate", false, "make the webhooks anew with a new secret, by the store's API; the former "+
		"ones are deleted in an hour, and their secret ends")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	if *given != "" && !*add {
		return usagef("--webhook-secret goes with --add")
	}
	if *rotate && (*add || *ending != "") {
		return usagef("--rotate goes alone")
	}
	if *add && *ending != "" {
		return usagef("add the new secret first, then end the old one once the store uses the new one")
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	var added app.AddedSecret
	switch {
	case *rotate:
		err = a.RotateWebhookSecret(ctx, store.ID)
	case *add:
		added, err = a.AddStoreSecret(ctx, store.ID, *given)
	case *ending != "":
		var id affiliate.StoreSecretID
		if id, err = affiliate.ParseID[affiliate.StoreSecretID]("sec_", *ending); err == nil {
			err = a.EndStoreSecret(ctx, store.ID, id)
		}
	}
	if err != nil {
		return err
	}
	return c.printSecrets(ctx, a, store, added)
}

func (c *call) printSecrets(ctx context.Context, a *app.App, store affiliate.Store, added app.AddedSecret) error {
	secrets, err := a.DB.StoreSecrets(ctx, store.ID)
	if err != nil {
		return err
	}
	list := make([]secretJSON, len(secrets))
	for i, s := range secrets {
		list[i] = secretJSON{ID: s.ID.String(), CreatedAt: s.CreatedAt, EndedAt: timeOrNil(s.EndedAt)}
		if s.ID == added.ID {
			list[i].WebhookSecret = added.Secret
		}
	}
	if c.json {
		return c.printJSON(map[string]any{"store": store.Slug, "secrets": list})
	}
	if added.Secret != "" {
		fmt.Fprintf(c.stdout, "New secret: %s   (shown this once)\n", added.Secret)
	}
	return printTable(c.stdout, "ID\tADDED\tENDED", func(row func(cells ...any)) {
		for _, s := range list {
			row(s.ID, s.CreatedAt.Format(time.RFC3339), timeOrNever(s.EndedAt))
		}
	})
}

func storeEndCommand() command {
	return command{
		name:    "store end",
		args:    "SLUG [--json]",
		summary: "Disconnect a store: its deliveries are refused, its orders stay.",
		example: "tributary store end my-shop",
		run:     storeEnd,
	}
}

func storeEnd(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	if store, err = a.EndStore(ctx, store.ID); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(storeAsJSON(a, store))
	}
	fmt.Fprintf(c.stdout, "Store %s has ended. Delete its webhooks in the store's admin.\n", store.Slug)
	return nil
}
