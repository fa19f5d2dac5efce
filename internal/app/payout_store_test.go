package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// giver is a shop whose customers are creators.
type giver struct {
	*shopRig
	offered affiliate.Offer
}

// eachGiver runs a test on both databases with a shop that gives credit and gift cards.
func eachGiver(t *testing.T, seed uint64, test func(g *giver)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		r := newShopRig(t, db, shopify.Name, seed)
		settings := []app.Setting{{Key: "currency", Value: "USD"}, {Key: "minimum_payout", Value: "0"}}
		if _, err := r.app.SetSettings(r.ctx, settings); err != nil {
			t.Fatal(err)
		}
		test(&giver{r, r.offer("Five", "{{first_name}}5")})
		if !t.Failed() {
			storagetest.Consistent(t, db)
		}
	})
}

func mailOf(name string) string { return strings.ToLower(name) + "@creators.example" }

// earner makes a creator who wants to be paid in the shop, and to whom an amount is owed.
func (g *giver) earner(name string, method affiliate.PaymentMethod, email string, amount int64,
	c money.Currency) affiliate.CreatorID {
	g.Helper()
	member, err := g.db.OfferMember(g.ctx, g.join(g.offered, name)[0])
	if err != nil {
		g.Fatal(err)
	}
	details := affiliate.PaymentDetails{Method: method, Email: email, StoreID: g.store}
	now := g.clock.Now()
	err = g.db.InTx(g.ctx, func(tx *storage.Tx) error {
		_, err := tx.AddPaymentDetails(g.ctx, storage.PaymentDetails{CreatorID: member.CreatorID, Method: method,
			Details: g.app.SealDetails(details), Masked: email, StoreID: g.store, UsableAt: now, Author: "test",
			CreatedAt: now})
		return err
	})
	if err != nil {
		g.Fatal(err)
	}
	g.owe(member, amount, c)
	return member.CreatorID
}

// owe posts what a creator has earned.
func (g *giver) owe(member affiliate.OfferMember, amount int64, c money.Currency) {
	g.Helper()
	now := g.clock.Now()
	err := g.db.InTx(g.ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(g.ctx); err != nil {
			return err
		}
		return tx.AddLedger(g.ctx, []affiliate.LedgerEntry{{CreatorID: member.CreatorID,
			CampaignID: member.CampaignID, OfferMemberID: member.ID, Kind: affiliate.Accrual, Currency: c,
			Amount: amount, Cause: fmt.Sprintf("test:%d:%d", member.ID, now.UnixNano()), CreatedAt: now,
			PayableAt: now}})
	})
	if err != nil {
		g.Fatal(err)
	}
}

// oweAgain posts what a creator has earned beside what they had.
func (g *giver) oweAgain(creator affiliate.CreatorID, amount int64) {
	g.Helper()
	g.clock.Advance(time.Second)
	balances, err := g.db.Balances(g.ctx, []affiliate.CreatorID{creator}, g.clock.Now())
	if err != nil || len(balances) != 1 {
		g.Fatal(balances, err)
	}
	member, err := g.db.OfferMember(g.ctx, balances[0].OfferMemberID)
	if err != nil {
		g.Fatal(err)
	}
	g.owe(member, amount, "USD")
}

// send confirms a run of all that is due.
func (g *giver) send() affiliate.PayoutRun {
	g.Helper()
	run, err := g.app.SendPayouts(g.ctx, app.NewPayoutRun{All: true})
	if err != nil {
		g.Fatal(err)
	}
	return run
}

// give works once at each part that is due, as WorkPayouts does, and gives the last error.
func (g *giver) give(ctx context.Context) (last error) {
	g.Helper()
	parts, err := g.db.DuePayoutParts(g.ctx, g.clock.Now(), 100)
	if err != nil {
		g.Fatal(err)
	}
	for _, part := range parts {
		err := g.db.InTx(g.ctx, func(tx *storage.Tx) error {
			part, file, err := tx.LockPayoutPart(g.ctx, part.ID)
			if err != nil {
				return err
			}
			part.NextAt = g.clock.Now().Add(2 * time.Minute)
			return tx.SavePayoutPart(g.ctx, part, file)
		})
		if err != nil {
			g.Fatal(err)
		}
		if err := g.app.WorkStorePart(ctx, part); err != nil {
			last = err
		}
	}
	return last
}

// payouts gives those of a run by their creators' names.
func (g *giver) payouts(run affiliate.PayoutRun) map[string]storage.NamedPayout {
	g.Helper()
	list, err := storage.All(func(p storage.Page) ([]storage.NamedPayout, string, error) {
		return g.db.Payouts(g.ctx, storage.PayoutFilter{Run: run.ID}, p)
	})
	if err != nil {
		g.Fatal(err)
	}
	named := map[string]storage.NamedPayout{}
	for _, p := range list {
		named[p.Creator] = p
	}
	return named
}

// part gives the only part of a run with a rail.
func (g *giver) part(run affiliate.PayoutRun, rail affiliate.Rail) affiliate.PayoutPart {
	g.Helper()
	parts, err := g.db.PayoutParts(g.ctx, run.ID)
	if err != nil {
		g.Fatal(err)
	}
	i := slices.IndexFunc(parts, func(p affiliate.PayoutPart) bool { return p.Rail == rail })
	if i < 0 {
		g.Fatalf("no part with %s: %+v", rail, parts)
	}
	return parts[i]
}

func TestStoreCredit(t *testing.T) {
	eachGiver(t, 91, func(g *giver) {
		anna := g.earner("Nora", affiliate.MethodStoreCredit, mailOf("nora"), 1250, "USD")
		g.earner("Olga", affiliate.MethodGiftCard, mailOf("olga"), 700, "USD")
		g.earner("Pia", affiliate.MethodStoreCredit, mailOf("nobody"), 300, "USD")
		g.shop.AddCustomer(mailOf("nora"))
		g.shop.AddCustomer(mailOf("olga"))
		g.shop.GiveCredit(mailOf("nora"), 1250, "USD") // somebody else's
		run := g.send()
		if code, err := g.app.GiftCode(g.ctx, g.payouts(run)["Olga"].ID); code != "" || err != nil {
			g.Errorf("a code before it is asked for: %q, %v", code, err)
		}
		if err := g.give(g.ctx); err != nil {
			g.Fatal(err)
		}
		list := g.payouts(run)
		credits, cards := g.shop.Credits(mailOf("nora")), g.shop.GiftCards()
		if nora := list["Nora"]; len(credits) != 2 || nora.State != affiliate.PayoutPaid ||
			nora.ProviderRef != credits[1].ID || credits[1].Amount != 1250 || nora.PaidAt.IsZero() {
			g.Errorf("%+v: %+v", nora, credits)
		}
		olga := list["Olga"]
		code, err := g.app.GiftCode(g.ctx, olga.ID)
		if err != nil || len(cards) != 1 || olga.State != affiliate.PayoutPaid || cards[0] != (fakestore.GiftCard{
			ID: olga.ProviderRef, Code: code, Email: mailOf("olga"), Note: olga.Ref, Amount: 700, Sent: true}) {
			g.Errorf("%+v, code %q, %v: %+v", olga, code, err, cards)
		}
		if strings.Contains(string(olga.Asked), code) {
			g.Error("the code is not sealed")
		}
		if pia := list["Pia"]; pia.State != affiliate.PayoutFailed ||
			!strings.Contains(pia.Words, "no customer with this e-mail address") {
			g.Errorf("%+v", pia)
		}
		for _, rail := range []affiliate.Rail{affiliate.RailStoreCredit, affiliate.RailGiftCard} {
			if p := g.part(run, rail); p.State != affiliate.PartSent || !p.NextAt.IsZero() || p.Trouble != "" {
				g.Errorf("%+v", p)
			}
		}
		if code, err = g.app.GiftCode(g.ctx, list["Nora"].ID); code != "" || err != nil {
			g.Errorf("a code of what is no gift card: %q, %v", code, err)
		}
		if _, err = g.app.GiftCode(g.ctx, 9999); affiliate.KindOf(err) != affiliate.NotFound {
			g.Error(err)
		}
		whole, err := g.db.PayoutRun(g.ctx, run.ID)
		if err != nil || whole.State != affiliate.PayRunSettled || whole.SentAt.IsZero() {
			g.Errorf("%+v, %v", whole, err)
		}

		// What was given is not given again, and what failed is due again.
		g.clock.Advance(time.Hour)
		if err := g.app.WorkStorePart(g.ctx, g.part(run, affiliate.RailStoreCredit)); err != nil {
			g.Fatal(err)
		}
		g.shop.AddCustomer(mailOf("nobody"))
		again := g.send()
		if err := g.give(g.ctx); err != nil {
			g.Fatal(err)
		}
		if list := g.payouts(again); len(list) != 1 || list["Pia"].State != affiliate.PayoutPaid {
			g.Errorf("%+v", list)
		}
		if n := len(g.shop.Credits(mailOf("nora"))); n != 2 {
			g.Errorf("%s has %d credits", anna, n)
		}
	})
}

// TestStoreCredit_takes: credit is given by stores that have it, in their own currency, and whose keys may.
func TestStoreCredit_takes(t *testing.T) {
	eachGiver(t, 92, func(g *giver) {
		g.earner("Nora", affiliate.MethodStoreCredit, mailOf("nora"), 1250, "USD")
		g.earner("Olga", affiliate.MethodGiftCard, mailOf("olga"), 700, "EUR")
		other := newShopRig(g.T, g.db, woocommerce.Name, 92)
		(&giver{other, other.offer("Five", "{{first_name}}5")}).earner("Rita", affiliate.MethodStoreCredit,
			mailOf("rita"), 500, "USD")
		left := func() string {
			preview, err := g.app.PreviewPayouts(g.ctx, app.NewPayoutRun{All: true})
			if err != nil {
				g.Fatal(err)
			}
			var words []string
			for _, l := range preview.LeftOut {
				words = append(words, l.Creator+" "+string(l.Reason))
			}
			return strings.Join(words, ", ")
		}
		if got := left(); got != "Olga currency, Rita no_rail" {
			g.Error(got)
		}
		run := g.send()
		g.shop.AddCustomer(mailOf("nora"))

		// The right is taken away meanwhile: nothing is given until it is back.
		g.shop.SetShopify(func(q *fakestore.ShopifyQuirks) {
			q.Scopes = slices.DeleteFunc(slices.Clone(q.Scopes), func(s string) bool {
				return s == "write_store_credit_account_transactions"
			})
		})
		if err := g.give(g.ctx); affiliate.KindOf(err) != affiliate.Forbidden {
			g.Error(err)
		}
		part := g.part(run, affiliate.RailStoreCredit)
		if !strings.Contains(part.Trouble, "write_store_credit_account_transactions") || part.NextAt.IsZero() {
			g.Errorf("%+v", part)
		}
		missing := func(rights string) {
			if err := g.db.SetStoreMissing(g.ctx, g.store, rights); err != nil {
				g.Fatal(err)
			}
		}
		missing("write_store_credit_account_transactions")
		if got := left(); got != "Olga no_rail, Rita no_rail" {
			g.Error(got)
		}
		before := g.requests.Load()
		g.clock.Advance(time.Hour)
		if err := g.give(g.ctx); err != nil || g.requests.Load() != before {
			g.Errorf("%v, %d requests", err, g.requests.Load()-before)
		}
		if part = g.part(run, affiliate.RailStoreCredit); !strings.Contains(part.Trouble,
			"may not give credit: allow them write_store_credit_account_transactions") {
			g.Errorf("%+v", part)
		}
		g.shop.SetShopify(func(q *fakestore.ShopifyQuirks) {
			q.Scopes = append(q.Scopes, "write_store_credit_account_transactions")
		})
		missing("")
		g.clock.Advance(time.Hour)
		if err := g.give(g.ctx); err != nil {
			g.Error(err)
		}
		if g.payouts(run)["Nora"].State != affiliate.PayoutPaid || len(g.shop.Credits(mailOf("nora"))) != 1 {
			g.Errorf("%+v", g.shop.Credits(mailOf("nora")))
		}
		if part = g.part(run, affiliate.RailStoreCredit); part.State != affiliate.PartSent || part.Trouble != "" {
			g.Errorf("%+v", part)
		}
	})
}

// TestStoreCredit_oneAmiss: what the store has against one payout keeps none of the others waiting.
func TestStoreCredit_oneAmiss(t *testing.T) {
	eachGiver(t, 93, func(g *giver) {
		g.shop.SetShopify(func(q *fakestore.ShopifyQuirks) { q.MostCredit = 1000 })
		for i, name := range []string{"Nora", "Olga", "Pia"} {
			g.earner(name, affiliate.MethodStoreCredit, mailOf(name), int64(1001-i), "USD")
			g.shop.AddCustomer(mailOf(name))
		}
		run := g.send()
		canceled := g.payouts(run)["Pia"]
		if _, err := g.app.CancelPayout(g.ctx, canceled.ID, "paid otherwise"); err != nil {
			g.Fatal(err)
		}
		if err := g.give(g.ctx); err != nil {
			g.Fatal(err)
		}
		list := g.payouts(run)
		if p := list["Nora"]; p.State != affiliate.PayoutFailed ||
			!strings.Contains(p.Words, "more store credit than") {
			g.Errorf("%+v", p)
		}
		if p := list["Olga"]; p.State != affiliate.PayoutPaid {
			g.Errorf("%+v", p)
		}
		if list["Pia"].State != affiliate.PayoutCanceled || len(g.shop.Credits(mailOf("Pia"))) > 0 {
			g.Errorf("what was canceled was given: %+v", list["Pia"])
		}

		// Where a customer vanishes before it is known whether they were credited, a person has to say.
		owed := g.earner("Rita", affiliate.MethodStoreCredit, mailOf("Rita"), 400, "USD")
		g.earner("Sara", affiliate.MethodStoreCredit, mailOf("Sara"), 500, "USD")
		g.shop.AddCustomer(mailOf("Rita"))
		g.shop.AddCustomer(mailOf("Sara"))
		run, err := g.app.SendPayouts(g.ctx, app.NewPayoutRun{All: true, Exclude: []affiliate.CreatorID{
			list["Nora"].CreatorID, list["Pia"].CreatorID}})
		if err != nil {
			g.Fatal(err)
		}
		g.shop.PassNext(2) // who it is, and what they have
		g.shop.LoseAnswers(1)
		if err := g.give(g.ctx); affiliate.KindOf(err) != affiliate.Unavailable {
			g.Error(err)
		}
		_, err = g.app.MarkPayouts(g.ctx, []affiliate.PayoutID{g.payouts(run)["Sara"].ID}, affiliate.PayoutPaid, "", "")
		if affiliate.KindOf(err) != affiliate.Conflict || !strings.Contains(err.Error(), "was not given yet") {
			g.Errorf("what the store was not asked for is paid: %v", err)
		}
		g.shop.RemoveCustomer(mailOf("Rita"))
		g.clock.Advance(time.Hour)
		if err := g.give(g.ctx); err != nil {
			g.Error(err)
		}
		list = g.payouts(run)
		part := g.part(run, affiliate.RailStoreCredit)
		if list["Rita"].State != affiliate.PayoutPending || list["Sara"].State != affiliate.PayoutPaid ||
			!strings.Contains(part.Trouble, "Rita ("+list["Rita"].Ref+"): The shop has this customer no more") ||
			part.NextAt.IsZero() {
			g.Errorf("%s: %+v, %+v", owed, list, part)
		}
		news := app.PayoutNews{Payout: list["Rita"].ID, State: affiliate.PayoutPaid}
		if _, err := g.app.TurnPayouts(g.ctx, "", []app.PayoutNews{news}); err != nil {
			g.Fatal(err)
		}
		g.clock.Advance(time.Hour)
		if err := g.give(g.ctx); err != nil {
			g.Error(err)
		}
		if part = g.part(run, affiliate.RailStoreCredit); part.State != affiliate.PartSent || part.Trouble != "" {
			g.Errorf("%+v", part)
		}
	})
}

// TestGiftCard_answerLost: a gift card whose answer was lost was perhaps made. It is looked for first; what the store
// has against making it again, such as that the customer is gone, makes nothing owed again.
func TestGiftCard_answerLost(t *testing.T) {
	for searchable, want := range map[bool]affiliate.PayoutState{true: affiliate.PayoutPaid,
		false: affiliate.PayoutPending} {
		eachGiver(t, 94, func(g *giver) {
			g.shop.SetShopify(func(q *fakestore.ShopifyQuirks) { q.NoGiftSearch = !searchable })
			g.earner("Rita", affiliate.MethodGiftCard, mailOf("Rita"), 400, "USD")
			g.shop.AddCustomer(mailOf("Rita"))
			run := g.send()
			g.shop.PassNext(2) // who it is, and what they have
			g.shop.LoseAnswers(1)
			if err := g.give(g.ctx); affiliate.KindOf(err) != affiliate.Unavailable {
				g.Error(err)
			}
			g.shop.RemoveCustomer(mailOf("Rita"))
			g.clock.Advance(time.Hour)
			if err := g.give(g.ctx); err != nil {
				g.Error(err)
			}
			p, part := g.payouts(run)["Rita"], g.part(run, affiliate.RailGiftCard)
			if p.State != want || len(g.shop.GiftCards()) != 1 {
				g.Errorf("searchable %v: %+v; %+v", searchable, p, g.shop.GiftCards())
			}
			if !searchable && !strings.Contains(part.Trouble, "Look in the store for a gift card with this note") {
				g.Errorf("the trouble is %q", part.Trouble)
			}
		})
	}
}

// TestStoreCredit_twice: of two payouts of one amount to one creator, where one's answer is not known, the credit of
// one is not taken for that of the other.
func TestStoreCredit_twice(t *testing.T) {
	eachGiver(t, 97, func(g *giver) {
		nora := g.earner("Nora", affiliate.MethodStoreCredit, mailOf("Nora"), 500, "USD")
		g.shop.AddCustomer(mailOf("Nora"))
		for _, done := range []bool{false, true} {
			before := len(g.shop.Credits(mailOf("Nora")))
			var runs []affiliate.PayoutRun
			for i := range 2 {
				if i > 0 || done {
					g.oweAgain(nora, 500)
				}
				runs = append(runs, g.send())
				if g.shop.PassNext(2); i > 0 {
					g.shop.PassNext(1)
				} else if done {
					g.shop.LoseAnswers(1)
				} else {
					g.shop.FailNext(1, 502)
				}
				if err := g.give(g.ctx); (err == nil) != (i > 0) {
					g.Error(err)
				}
			}
			g.clock.Advance(time.Hour)
			if err := g.give(g.ctx); err != nil {
				g.Error(err)
			}
			list := g.shop.Credits(mailOf("Nora"))
			first, second := g.payouts(runs[0])["Nora"], g.payouts(runs[1])["Nora"]
			if len(list) != before+2 || first.State != affiliate.PayoutPaid || second.State != affiliate.PayoutPaid ||
				first.ProviderRef == second.ProviderRef {
				g.Errorf("done %t: %q and %q of %+v", done, first.ProviderRef, second.ProviderRef, list)
			}
		}
	})
}

// given checks that each creator was given what is owed to them exactly once, and that nobody was given more.
func (g *giver) given(run affiliate.PayoutRun, names []string) {
	g.Helper()
	list, cards := g.payouts(run), g.shop.GiftCards()
	codes := map[string]int{}
	for _, card := range cards {
		codes[card.Note]++
	}
	refs := map[string]bool{}
	for _, name := range names {
		p := list[name]
		if p.State != affiliate.PayoutPaid {
			g.Errorf("%s: %+v", name, p)
			continue
		}
		if p.Rail == affiliate.RailGiftCard {
			code, err := g.app.GiftCode(g.ctx, p.ID)
			if i := slices.IndexFunc(cards, func(c fakestore.GiftCard) bool { return c.Note == p.Ref }); err != nil ||
				codes[p.Ref] != 1 || cards[i].Code != code || cards[i].Amount != p.Amount ||
				cards[i].ID != p.ProviderRef {
				g.Errorf("%s has %d gift cards: %+v, code %s, %v", name, codes[p.Ref], p, code, err)
			}
			continue
		}
		if refs[p.ProviderRef] {
			g.Errorf("%s has the credit of somebody else: %s", name, p.ProviderRef)
		}
		refs[p.ProviderRef] = true
	}
}

// TestStoreCredit_faults: wherever the server dies and whatever the shop loses, each creator is credited exactly once,
// and each gift card is made once, also where several are one customer, and are paid the same.
func TestStoreCredit_faults(t *testing.T) {
	var mu sync.Mutex
	died := 0
	eachGiver(t, 94, func(g *giver) {
		random := rand.New(rand.NewPCG(94, 3))
		var names []string
		want := map[string]int{} // credits by customer
		for i := range 24 {
			name := fmt.Sprintf("Zoe%c", 'a'+i)
			method, email := affiliate.MethodStoreCredit, mailOf(fmt.Sprintf("shared%d", i%7))
			if i%3 == 0 {
				method = affiliate.MethodGiftCard
			} else {
				want[email]++
			}
			g.earner(name, method, email, int64(500+i%2), "USD")
			names = append(names, name)
		}
		for i := range 7 {
			g.shop.AddCustomer(mailOf(fmt.Sprintf("shared%d", i)))
		}
		run := g.send()
		deaths := 0
		for round := 0; ; round++ {
			if round == 400 {
				g.Fatal("it does not come to an end")
			}
			ctx, kill := context.WithCancel(g.ctx)
			at := g.requests.Load() + 1 + random.Int64N(7)
			g.each = func(n int64) {
				if deaths < 40 && n == at {
					deaths++
					kill()
				}
			}
			g.shop.PassNext(random.IntN(4))
			switch random.IntN(6) {
			case 0:
				g.shop.LoseAnswers(1)
			case 1:
				g.shop.FailNext(1, 502)
			case 2:
				g.shop.BusyNext(2)
			}
			_ = g.give(ctx) // what the shop has lost is known to it alone
			if ctx.Err() != nil {
				g.restart()
			}
			kill()
			g.each = nil
			g.clock.Advance(3 * time.Minute)
			whole, err := g.db.PayoutRun(g.ctx, run.ID)
			if err != nil {
				g.Fatal(err)
			}
			if whole.State == affiliate.PayRunSettled {
				break
			}
		}
		g.given(run, names)
		for email, n := range want {
			if list := g.shop.Credits(email); len(list) != n {
				g.Errorf("%s has %d credits, want %d: %+v", email, len(list), n, list)
			}
		}
		if n := len(g.shop.GiftCards()); n != 8 {
			g.Errorf("%d gift cards", n)
		}
		if share := g.share(); share > 0.5 {
			g.Errorf("%.2f of the shop's budget was used", share)
		}
		mu.Lock()
		defer mu.Unlock()
		died += deaths
	})
	if died < 30 {
		t.Errorf("the server died %d times only", died)
	}
}

// TestStoreCredit_everyRequest: a payout of each rail, with the answer to each request of it lost, the request failed,
// or the server dead at it.
func TestStoreCredit_everyRequest(t *testing.T) {
	eachGiver(t, 95, func(g *giver) {
		const requests = 6 // three for credit: the customer, the account, the credit; of gift cards as many
		for i := range 3 * requests {
			name := fmt.Sprintf("Zoe%c", 'a'+i)
			g.shop.AddCustomer(mailOf(name))
			g.earner(name, affiliate.MethodStoreCredit, mailOf(name), 900, "USD")
			g.earner(name+"gift", affiliate.MethodGiftCard, mailOf(name), 900, "USD")
			run := g.send()
			first, ctx := g.requests.Load()+1, g.ctx
			var kill context.CancelFunc = func() {}
			switch g.shop.PassNext(i / 3); i % 3 {
			case 0:
				g.shop.LoseAnswers(1)
			case 1:
				g.shop.FailNext(1, 502)
			case 2:
				ctx, kill = context.WithCancel(g.ctx)
				g.each = func(n int64) {
					if n == first+int64(i/3) {
						kill()
					}
				}
			}
			_ = g.give(ctx) // a failure is what the test makes
			kill()
			g.each = nil
			g.restart()
			for range 3 {
				g.clock.Advance(3 * time.Minute)
				if err := g.give(g.ctx); err != nil {
					g.Error(i, err)
				}
			}
			g.given(run, []string{name, name + "gift"})
			if n := len(g.shop.Credits(mailOf(name))); n != 1 || len(g.shop.GiftCards()) != i+1 {
				g.Errorf("%d: %d credits, %d gift cards of %d", i, n, len(g.shop.GiftCards()), i+1)
			}
		}
	})
}

// TestStoreCredit_workers_race: several processes do the parts of one store side by side.
func TestStoreCredit_workers_race(t *testing.T) {
	eachGiver(t, 96, func(g *giver) {
		var names []string
		for i := range 12 {
			name := fmt.Sprintf("Zoe%c", 'a'+i)
			names = append(names, name)
			g.shop.AddCustomer(mailOf(name))
			methods := []affiliate.PaymentMethod{affiliate.MethodStoreCredit, affiliate.MethodGiftCard}
			g.earner(name, methods[i%2], mailOf(name), 900, "USD")
		}
		run := g.send()
		parts, err := g.db.PayoutParts(g.ctx, run.ID)
		if err != nil {
			g.Fatal(err)
		}
		var apps []*app.App
		for range 3 {
			g.restart()
			apps = append(apps, g.app)
		}
		var work sync.WaitGroup
		for _, a := range apps {
			work.Go(func() {
				for range 4 {
					for _, part := range parts {
						if err := a.WorkStorePart(g.ctx, part); err != nil {
							g.Error(err)
						}
					}
				}
			})
		}
		work.Wait()
		for range 3 {
			g.clock.Advance(time.Minute)
			if err := g.give(g.ctx); err != nil {
				g.Error(err)
			}
		}
		g.given(run, names)
		for i, name := range names {
			if n := len(g.shop.Credits(mailOf(name))); n != 1-i%2 {
				g.Errorf("%s has %d credits", name, n)
			}
		}
	})
}
