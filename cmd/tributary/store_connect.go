package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// Where the command finds what no option takes, for others on the machine can read those.
const (
	envStoreSecret = "STORE_SECRET"
	envStoreToken  = "STORE_TOKEN"
)

func storeConnectCommand() command {
	return command{
		name: "store connect",
		args: "(--platform P | --store SLUG) --address A [--id I] [--token T] [--slug S] [--name N] [--json]",
		summary: "Connect a store by its own API: it is made of what its API says of it, and its webhooks are made. " +
			"With --store, connect one that is there, or exchange its keys.",
		example: "tributary store connect --platform woocommerce --address shop.example\n" +
			"# prints the address where the shop's owner approves, and waits for that\n" +
			envStoreSecret + "=cs_… tributary store connect --platform woocommerce --address shop.example --id ck_…\n" +
			envStoreToken + "=shpat_… " + envStoreSecret + "=… tributary store connect --platform shopify --address " +
			"my-shop.myshopify.com\n" +
			"# what is in neither variable is asked for, or read from standard input, a line each",
		run: storeConnect,
	}
}

// connectedJSON is a store that was connected, as the command prints it for machines.
type connectedJSON struct {
	storeJSON
	Made         bool     `json:"made"`
	WebhooksMade []string `json:"webhooks_made"`
	Missing      []string `json:"missing"`
	Warnings     []string `json:"warnings"`
}

func storeConnect(ctx context.Context, c *call) error {
	var in app.NewAccess
	var platform, slug string
	c.flags.StringVar(&platform, "platform", "", "`P`: "+platforms().Words(app.AnyPlatform))
	c.flags.StringVar(&slug, "store", "", "`SLUG` of a store that is there already")
	c.flags.StringVar(&in.Keys.Address, "address", "", "`A`: the address of the shop")
	c.flags.StringVar(&in.Keys.ID, "id", "", "`I`: the consumer key or client id. Its secret is in "+envStoreSecret+
		", or is asked for")
	c.flags.StringVar(&in.Keys.Token, "token", "", "`T`: an access token; better in "+envStoreToken+
		", since others on the machine can read options")
	c.flags.StringVar(&in.Slug, "slug", "", "`S`: its name in the webhook address; left out, it is made of the domain")
	c.flags.StringVar(&in.Name, "name", "", "`N`: its name for people; left out, as the store calls itself")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if err := c.required("address"); err != nil {
		return err
	}
	if (platform == "") == (slug == "") {
		return usagef("give either --platform, for a new store, or --store")
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	in.Platform = affiliate.Platform(platform)
	if slug != "" {
		store, err := a.DB.StoreBySlug(ctx, slug)
		if err != nil {
			return err
		}
		in.Store, in.Platform = store.ID, store.Platform
	}
	done, err := c.connect(ctx, a, in)
	if err != nil {
		return err
	}
	return c.printConnected(a, done)
}

// connect gives a store's keys, or asks its owner for some.
func (c *call) connect(ctx context.Context, a *app.App, in app.NewAccess) (app.ConnectedStore, error) {
	in.Keys.Secret = c.getenv(envStoreSecret)
	if in.Keys.Token == "" {
		in.Keys.Token = c.getenv(envStoreToken)
	}
	guide := a.Platforms.Guide(in.Platform)
	given := in.Keys.ID != "" || in.Keys.Token != "" || in.Keys.Secret != ""
	if guide.Access != nil && guide.Access.Approve && !given {
		return c.askOwner(ctx, a, in)
	}
	if err := c.askKeys(guide.Access, &in.Keys); err != nil {
		return app.ConnectedStore{}, err
	}
	return a.ConnectStore(ctx, in)
}

// askKeys asks for what is not given of the keys: of the first kind that what is given fits.
func (c *call) askKeys(g *affiliate.AccessGuide, k *affiliate.StoreKeys) error {
	if g == nil {
		return nil // the error says that there is no API
	}
	values := map[string]*string{"id": &k.ID, "secret": &k.Secret, "token": &k.Token}
	for _, way := range g.Ways {
		asked := map[string]bool{}
		for _, f := range way.Fields {
			asked[f.Name] = true
		}
		if k.ID != "" && !asked["id"] || k.Token != "" && !asked["token"] {
			continue
		}
		for _, f := range way.Fields {
			value := values[f.Name]
			if *value != "" {
				continue
			}
			label := f.Label
			if f.Hint != "" {
				label += " (" + f.Hint + ")"
			}
			var err error
			if *value, err = c.askSecret(label); err != nil {
				return err
			}
		}
		k.Kind = way.Kind
		return nil
	}
	return nil
}

// accessPoll is how often the command looks whether the store has answered.
const accessPoll = time.Second

// askOwner asks the store's owner for keys, and waits until the store has sent them to the server.
func (c *call) askOwner(ctx context.Context, a *app.App, in app.NewAccess) (app.ConnectedStore, error) {
	asked, err := a.AskForAccess(ctx, app.AskForAccess{Store: in.Store, Platform: in.Platform, Slug: in.Slug,
		Name: in.Name, Address: in.Keys.Address, Return: a.ReturnURL()})
	if err != nil {
		return app.ConnectedStore{}, err
	}
	fmt.Fprintf(c.stderr, "Open this in a browser, signed in as the shop's owner, and approve:\n\n  %s\n\n"+
		"Waiting for the shop's answer, until %s …\n", asked.URL, asked.Expires.Local().Format("15:04"))
	id, err := waitForAccess(ctx, accessPoll, func() (app.AccessOutcome, error) {
		return a.AccessOutcome(ctx, asked.State)
	})
	if err != nil {
		return app.ConnectedStore{}, err
	}
	return c.approved(ctx, a, in, id)
}

// approved is what became of a store whose owner has approved. Its webhooks are made by the server.
func (c *call) approved(ctx context.Context, a *app.App, in app.NewAccess,
	id affiliate.StoreID) (done app.ConnectedStore, err error) {
	done.Made = in.Store == 0
	if done.Store, err = a.DB.Store(ctx, id); err != nil {
		return done, err
	}
	access, err := a.StoreAccess(ctx, id)
	if err != nil || access == nil {
		return done, err
	}
	done.Missing = access.Missing
	for _, w := range access.Webhooks {
		done.Webhooks = append(done.Webhooks, w.Topic)
	}
	if len(done.Webhooks) == 0 {
		done.Warnings = append(done.Warnings, "The server makes its webhooks within seconds: tributary store check "+
			done.Slug)
	}
	return done, nil
}

// waitForAccess waits until a request for keys is over, and gives the store that is connected.
func waitForAccess(ctx context.Context, poll time.Duration,
	outcome func() (app.AccessOutcome, error)) (affiliate.StoreID, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		o, err := outcome()
		switch {
		case err != nil:
			return 0, err
		case o.Store != 0:
			return o.Store, nil
		case !o.Waiting:
			return 0, affiliate.Errorf(affiliate.Conflict, "%s", o.Trouble)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (c *call) printConnected(a *app.App, done app.ConnectedStore) error {
	if c.json {
		return c.printJSON(connectedJSON{storeJSON: storeAsJSON(a, done.Store), Made: done.Made,
			WebhooksMade: append([]string{}, done.Webhooks...), Missing: append([]string{}, done.Missing...),
			Warnings: append([]string{}, done.Warnings...)})
	}
	fmt.Fprintf(c.stdout, "Store %s (%s), %s, answers and is connected.\n", done.Slug, done.ID, done.Name)
	printList(c.stdout, "webhooks made", done.Webhooks)
	printList(c.stdout, "its keys may not", done.Missing)
	for _, w := range done.Warnings {
		fmt.Fprintf(c.stdout, "  ! %s\n", w)
	}
	return nil
}

func printList(w io.Writer, label string, list []string) {
	if len(list) > 0 {
		fmt.Fprintf(w, "  %s: %s\n", label, strings.Join(list, ", "))
	}
}

func storeDisconnectCommand() command {
	return command{
		name: "store disconnect",
		args: "SLUG [--json]",
		summary: "Forget the keys of a store's API and delete the webhooks that were made with them; the store stays " +
			"and takes in what it is sent.",
		example: "tributary store disconnect my-shop",
		run:     storeDisconnect,
	}
}

func storeDisconnect(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	left, err := a.EndAccess(ctx, store.ID)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]any{"store": store.Slug, "left": append([]string{}, left...)})
	}
	fmt.Fprintf(c.stdout, "The API of store %s is not asked any more. Revoke its keys in the store's admin: %s.\n",
		store.Slug, a.Platforms.Guide(store.Platform).KeysMenu())
	printList(c.stdout, "webhooks that could not be deleted, delete them there", left)
	return nil
}
