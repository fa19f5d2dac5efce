package dashboard

import (
	"context"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// task is something that waits for a person.
type task struct {
	Icon, Text, Address string
	Bad                 bool // a problem, not only work
}

// taskList are tasks, the problems first.
type taskList struct {
	First    []task // at most firstTasks
	More     []task
	Problems int
	Due      string // what is due to creators; empty when nothing is
}

// firstTasks are shown at once, the others when somebody wants to see them.
const firstTasks = 5

// newTaskList sorts tasks; those of a kind stay in their order.
func newTaskList(all []task, due string) taskList {
	slices.SortStableFunc(all, func(a, b task) int {
		switch {
		case a.Bad == b.Bad:
			return 0
		case a.Bad:
			return -1
		}
		return 1
	})
	l := taskList{Due: due}
	for _, t := range all {
		if t.Bad {
			l.Problems++
		}
	}
	n := min(firstTasks, len(all))
	l.First, l.More = all[:n], all[n:]
	return l
}

// Counts says how many tasks there are of which kind.
func (l taskList) Counts() string {
	var parts []string
	if l.Problems > 0 {
		parts = append(parts, counted(int64(l.Problems), "problem", "problems"))
	}
	if n := len(l.First) + len(l.More) - l.Problems; n > 0 {
		parts = append(parts, countText(int64(n))+" to review")
	}
	return strings.Join(parts, ", ")
}

// readTasks reads what waits for a person.
func (r *request) readTasks(p *homePage) error {
	ctx := r.Request.Context()
	var tasks []task
	add := func(n int64, icon, address string, bad bool, one, many string) {
		if n > 0 {
			text := many
			if n == 1 {
				text = one
			}
			tasks = append(tasks, task{icon, strings.Replace(text, "#", countText(n), 1), address, bad})
		}
	}
	stores, _, err := r.d.App.DB.Stores(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	health, err := r.health(stores, 0)
	if err != nil {
		return err
	}
	clock, err := r.clockNotices()
	if err != nil {
		return err
	}
	for _, n := range clock {
		tasks = append(tasks, task{"clock", n.Text, "/stores", true})
	}
	work, err := r.d.work.Get(ctx, r.readWork)
	if err != nil {
		return err
	}
	for _, h := range health {
		of := h.Store.Name
		add(h.Failed, "alert", h.Address+"/deliveries?state=failed", true, "# delivery failed in "+of,
			"# deliveries failed in "+of)
		for _, text := range h.troubles() {
			tasks = append(tasks, task{"store", of + ": " + text, h.Address, true})
		}
		add(work.unowned[h.Store.ID], "tag", h.Address+"/codes", false, "# code on orders of "+of+" belongs to nobody",
			"# codes on orders of "+of+" belong to nobody")
		add(work.troubled[h.Store.ID], "tag", couponsAddress(h.Store)+"?set="+string(storage.CouponsTroubled),
			true,
			"# code is not as it should be in "+of, "# codes are not as they should be in "+of)
		if i := slices.IndexFunc(work.typed,
			func(t storage.TypedWaiting) bool { return t.StoreID == h.Store.ID }); i >= 0 {
			t := work.typed[i]
			add(t.N, "list", codeRunAddress(t.RunID), false, "# code waits to be typed into "+of,
				"# codes wait to be typed into "+of)
		}
		add(work.undecided[h.Store.ID], "store", h.Address+"#statuses", false,
			"# status that plugins set on orders of "+of+" is not decided",
			"# statuses that plugins set on orders of "+of+" are not decided")
	}
	review, due := work.review, work.due
	const ever = conversionsAddress + "?period=all_time&include=former"
	add(review.Held, "pause", ever+"&approval=held", false, "# conversion is held for review",
		"# conversions are held for review")
	add(review.Ambiguous, "tag", ever+"&ambiguous=true&undecided=true", false,
		"# order carries several creators' codes", "# orders carry several creators' codes")
	add(review.Unconverted, "clock", ever+"&waiting_for_rate=true", false,
		"# order waits for an exchange rate", "# orders wait for an exchange rate")
	add(work.rewards.ToApprove, "gift", rewardsOf("state", string(affiliate.RewardToApprove)), false,
		"# reward waits for approval", "# rewards wait for approval")
	add(work.rewards.ToGive, "gift", rewardsOf("state", string(affiliate.RewardToGive)), false,
		"# product or code is to be given to a creator", "# products and codes are to be given to creators")
	if work.unissued != "" {
		tasks = append(tasks, task{"list", "The statements of " + affiliate.MonthText(work.unissued) +
			" are not issued yet", statementsAddress, false})
	}
	sum := ""
	if due.Amount > 0 {
		sum = moneyText(due.Amount, due.Currency)
		tasks = append(tasks, task{"payout", sum + " is due to creators", "/payouts", false})
	}
	p.Tasks = newTaskList(tasks, sum)
	return nil
}

// openWork is what waits for a person anywhere in the account. It is the same for everybody, and each open home page
// asks for it after every order, so all of them share it.
type openWork struct {
	unowned   map[affiliate.StoreID]int64
	undecided map[affiliate.StoreID]int64 // statuses that plugins set
	troubled  map[affiliate.StoreID]int64
	typed     []storage.TypedWaiting
	review    storage.Review
	rewards   storage.OpenRewards
	due       report.PaymentsDue
	unissued  string // the last month that is over without statements; empty for none
}

func (r *request) readWork(ctx context.Context) (w openWork, err error) {
	db := r.d.App.DB
	if w.unowned, err = db.UnownedCodeCounts(ctx); err != nil {
		return w, err
	}
	if w.undecided, err = db.UndecidedStatuses(ctx); err != nil {
		return w, err
	}
	if w.troubled, err = db.TroubledCoupons(ctx); err != nil {
		return w, err
	}
	if w.typed, err = db.TypedWaiting(ctx); err != nil {
		return w, err
	}
	if w.review, err = db.Review(ctx); err != nil {
		return w, err
	}
	if w.rewards, err = db.OpenRewards(ctx); err != nil {
		return w, err
	}
	if w.unissued, err = r.d.App.UnissuedMonth(ctx); err != nil {
		return w, err
	}
	saved, err := db.SavedSettings(ctx) // as the list that it leads to
	if err != nil {
		return w, err
	}
	w.due, err = report.Scope{Former: true}.PaymentsDue(ctx, db, saved.Currency, saved.MinimumPayout, r.d.App.Now())
	return w, err
}
