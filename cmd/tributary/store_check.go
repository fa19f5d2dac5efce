package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func storeCheckCommand() command {
	return command{
		name: "store check",
		args: "[SLUG] [--json]",
		summary: "Say how the deliveries of the stores fare, what their silence tells, and what they leave in doubt; " +
			"with SLUG, ask that store's API too, and make its webhooks whole; exit code 1 when somebody should look.",
		example: "tributary store check\ntributary store check my-shop",
		run:     storeCheck,
	}
}

// checkedStore is a store's health as the command prints it for machines.
type checkedStore struct {
	Slug           string              `json:"slug"`
	Platform       affiliate.Platform  `json:"platform"`
	State          string              `json:"state"`
	Warning        string              `json:"warning,omitempty"`
	LastDeliveryAt *time.Time          `json:"last_delivery_at"`
	Health         api.StoreHealthJSON `json:"health"`
	Doubts         api.DoubtsJSON      `json:"doubts"`             // never a problem: only the store can tell
	Undecided      int64               `json:"undecided_statuses"` // of plugins; the payment date decides meanwhile
	Access         api.StoreAccessJSON `json:"access"`             // how its API answers
	Found          []string            `json:"found"`              // what a look at its webhooks has found and healed
	Problems       []string            `json:"problems"`           // what somebody should look at, in words
}

func storeCheck(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(0, 1)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	var stores []affiliate.Store
	var only affiliate.StoreID
	var found []string
	if len(args) == 1 {
		store, err := a.DB.StoreBySlug(ctx, args[0])
		if err != nil {
			return err
		}
		stores, only = []affiliate.Store{store}, store.ID
		if found, err = askStore(ctx, a, store); err != nil {
			return err
		}
	} else if stores, err = storage.All(func(p storage.Page) ([]affiliate.Store, string, error) {
		return a.DB.Stores(ctx, p)
	}); err != nil {
		return err
	}
	list, err := checkStores(ctx, a, stores, only)
	if err != nil {
		return err
	}
	if only != 0 {
		list[0].Found = append(list[0].Found, found...)
	}
	if c.json {
		if err := c.printJSON(map[string]any{"stores": list}); err != nil {
			return err
		}
	}
	bad := false
	for _, s := range list {
		bad = bad || len(s.Problems) > 0
		if !c.json {
			s.print(c.stdout)
		}
	}
	if bad {
		return errReported
	}
	return nil
}

// askStore asks a store's API, where it is connected, and gives what was found about its webhooks. That it does not
// answer is noted with the store.
func askStore(ctx context.Context, a *app.App, store affiliate.Store) ([]string, error) {
	access, err := a.StoreAccess(ctx, store.ID)
	if err != nil || access == nil {
		return nil, err
	}
	healed, err := a.CheckAccess(ctx, store.ID)
	if app.IsStoreTrouble(err) {
		err = nil
	}
	return healed.Why, err
}

func checkStores(ctx context.Context, a *app.App, stores []affiliate.Store,
	only affiliate.StoreID) ([]checkedStore, error) {
	health, err := a.StoreHealth(ctx, stores, only)
	if err != nil {
		return nil, err
	}
	doubts, err := a.DB.DoubtCounts(ctx, only)
	if err != nil {
		return nil, err
	}
	undecided, err := a.DB.UndecidedStatuses(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := a.DB.StoreCounts(ctx, only, a.Now().Add(-24*time.Hour))
	list := make([]checkedStore, len(stores))
	for i, s := range stores {
		access, err := a.StoreAccess(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		list[i] = checkedStore{Slug: s.Slug, Platform: s.Platform, State: string(s.State), Warning: s.Warning,
			LastDeliveryAt: timeOrNil(s.LastDeliveryAt),
			Health:         api.StoreHealthView(a.Platforms.Guide(s.Platform), health[s.ID], counts[s.ID]),
			Doubts:         api.DoubtsView(doubts[s.ID]), Undecided: undecided[s.ID],
			Access: api.StoreAccessView(access), Found: []string{}, Problems: []string{}}
		if s.State != affiliate.StoreStateEnded {
			list[i].judge(a.Platforms.Guide(s.Platform))
		}
	}
	return list, err
}

// judge says what somebody should look at.
func (s *checkedStore) judge(guide *affiliate.Guide) {
	h := s.Health
	add := func(format string, args ...any) { s.Problems = append(s.Problems, fmt.Sprintf(format, args...)) }
	if s.Warning != "" && !app.AboutStatus(s.Warning) {
		add("%s", s.Warning)
	}
	if s.State == string(affiliate.StoreStateUninstalled) {
		add("the app was removed from the shop, no deliveries come any more")
	}
	if s.Access.Trouble != nil {
		add("%s", *s.Access.Trouble)
	}
	missing := s.Access.Missing
	if guide.Access != nil {
		missing, _, _ = guide.Access.Lacks(missing) // codes can be made by hand, and creators paid otherwise
	}
	if len(missing) > 0 {
		add("the keys of its API may not: %s", strings.Join(missing, ", "))
	}
	if h.Failed > 0 {
		add("%s: tributary deliveries list --state failed --store %s", counted(h.Failed, "delivery failed",
			"deliveries failed"), s.Slug)
	}
	if h.Rejected24h > 0 {
		add("%s rejected in the last 24 hours: the store's page says why", counted(h.Rejected24h, "delivery was",
			"deliveries were"))
	}
	if h.OtherShop != nil {
		add("deliveries of %s come to this store's address", *h.OtherShop)
	}
	if h.Quiet != nil && h.Quiet.Unusual {
		add("unusually %s", h.Quiet.Text)
	}
	for _, t := range h.NeverSeen {
		if t.Missing {
			add("%s (%s) never came, though it comes with every order: make that webhook", t.Label, t.Topic)
		}
	}
	for _, n := range h.Notices {
		if n.Kind == string(storage.NoticeDied) {
			add("%s", n.Text)
		}
	}
}

func (s checkedStore) print(w io.Writer) {
	h := s.Health
	fmt.Fprintf(w, "%s (%s, %s)\n", s.Slug, s.Platform, s.State)
	fmt.Fprintf(w, "  last delivery %s; waiting %d, failed %d, set aside %d\n", timeOrNever(s.LastDeliveryAt),
		h.Waiting, h.Failed, h.SetAside)
	for _, p := range s.Problems {
		fmt.Fprintf(w, "  ! %s\n", p)
	}
	if s.Access.AnsweredAt != nil {
		fmt.Fprintf(w, "    its API answered last %s\n", timeOrNever(s.Access.AnsweredAt))
	}
	for _, found := range s.Found {
		fmt.Fprintf(w, "    %s\n", found)
	}
	if h.Quiet != nil && !h.Quiet.Unusual {
		fmt.Fprintf(w, "    %s\n", h.Quiet.Text)
	}
	for _, t := range h.NeverSeen {
		if t.Missing {
			continue
		}
		when := "with every order"
		if t.Occasion != nil {
			when = "when " + *t.Occasion
		}
		fmt.Fprintf(w, "    %s (%s) has not come yet; it comes %s\n", t.Label, t.Topic, when)
	}
	for _, n := range h.Notices {
		if n.Kind != string(storage.NoticeDied) {
			fmt.Fprintf(w, "    %s\n", n.Text)
		}
	}
	s.printDoubts(w)
}

// printDoubts says what deliveries leave open.
func (s checkedStore) printDoubts(w io.Writer) {
	if s.Undecided > 0 {
		fmt.Fprintf(w, "    %s not decided, so the payment date decides: tributary store statuses %s\n",
			counted(s.Undecided, "status of a plugin is", "statuses of plugins are"), s.Slug)
	}
	if s.Doubts.Orders == 0 {
		return
	}
	fmt.Fprintf(w, "    %s in doubt. %s\n", counted(s.Doubts.Orders, "order is", "orders are"), s.Doubts.Settled)
	for _, d := range s.Doubts.Doubts {
		if d.Orders > 0 {
			fmt.Fprintf(w, "      %s (%s): %s\n", counted(d.Orders, "order", "orders"), d.Code, d.Sentence)
		}
	}
}
