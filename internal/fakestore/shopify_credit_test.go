package fakestore_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// wantUnpaid fails the test unless a client says that nothing was given, and why.
func wantUnpaid(t *testing.T, err error, says string) {
	t.Helper()
	var e *affiliate.ProviderError
	if !errors.As(err, &e) || !e.Unpaid || !strings.Contains(e.Words, says) {
		t.Errorf("error %v, want that nothing was given, and %q", err, says)
	}
}

func TestShopifyCredit(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{MostCredit: 50_000})
	ctx := t.Context()
	s.AddCustomer("anna@creators.example")
	account, err := s.client.CreditAccount(ctx, "Anna@creators.example", "USD")
	if err != nil || account.Customer == "" || account.Last != "" {
		t.Fatalf("%+v, %v", account, err)
	}
	if list, err := s.client.CreditsSince(ctx, account, "USD"); err != nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
	first, err := s.client.GiveCredit(ctx, account.Customer, 1250, "USD")
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	since, err := s.client.CreditsSince(ctx, account, "USD")
	if err != nil || len(since) != 1 || since[0].ID != first || since[0].Amount != 1250 {
		t.Errorf("%+v, %v", since, err)
	}

	// More than a page of credits, among others what was spent, and what is in another currency.
	s.clock.advance(time.Minute)
	s.GiveCredit("anna@creators.example", 300, "EUR")
	for range 30 {
		s.GiveCredit("anna@creators.example", 100, "USD")
		s.GiveCredit("anna@creators.example", -50, "USD")
	}
	later, err := s.client.CreditAccount(ctx, "anna@creators.example", "USD")
	if err != nil || later.Last == first || later.Customer != account.Customer {
		t.Errorf("%+v, %v", later, err)
	}
	account.Last = first
	if since, err = s.client.CreditsSince(ctx, account, "USD"); err != nil || len(since) != 30 {
		t.Errorf("%d credits, %v", len(since), err)
	}
	// Of the second of the newest one, none is passed over: the order within it is not known.
	if since, err = s.client.CreditsSince(ctx, later, "USD"); err != nil || len(since) != 29 ||
		slices.ContainsFunc(since, func(c affiliate.StoreCredit) bool { return c.ID == later.Last || c.ID == first }) {
		t.Errorf("%d credits, %v", len(since), err)
	}
	if euros, err := s.client.CreditAccount(ctx, "anna@creators.example", "EUR"); err != nil || euros.Last == "" {
		t.Errorf("%+v, %v", euros, err)
	}

	_, err = s.client.CreditAccount(ctx, "ben@creators.example", "USD")
	if affiliate.KindOf(err) != affiliate.NotFound || !strings.Contains(err.Error(), "Customers") {
		t.Errorf("nobody: %v", err)
	}
	_, err = s.client.GiveCredit(ctx, account.Customer, 1250, "EUR")
	wantUnpaid(t, err, "gives nothing in EUR")
	_, err = s.client.GiveCredit(ctx, account.Customer, 50_001, "USD")
	wantUnpaid(t, err, "more store credit than")
	_, err = s.client.GiveCredit(ctx, "1", 1, "USD")
	wantUnpaid(t, err, "customer no more")
	s.RemoveCustomer("anna@creators.example")
	if _, err = s.client.CreditsSince(ctx, account, "USD"); affiliate.KindOf(err) != affiliate.NotFound {
		t.Errorf("somebody who is gone: %v", err)
	}
}

// A credit whose answer is lost is not asked for twice by the client.
func TestShopifyCredit_lostAnswer(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.AddCustomer("anna@creators.example")
	account, err := s.client.CreditAccount(t.Context(), "anna@creators.example", "USD")
	if err != nil {
		t.Fatal(err)
	}
	s.LoseAnswers(1)
	_, err = s.client.GiveCredit(t.Context(), account.Customer, 700, "USD")
	wantCode(t, err, affiliate.StoreUnreachable, "")
	s.FailNext(1, 503)
	_, err = s.client.GiveCredit(t.Context(), account.Customer, 700, "USD")
	wantCode(t, err, affiliate.StoreDown, "")
	s.BusyNext(2)
	if _, err := s.client.GiveCredit(t.Context(), account.Customer, 900, "USD"); err != nil {
		t.Errorf("what was put off is asked again: %v", err)
	}
	if list := s.Credits("anna@creators.example"); len(list) != 2 || list[0].Amount != 700 || list[1].Amount != 900 {
		t.Errorf("%+v", list)
	}
}

func TestShopifyGiftCard(t *testing.T) {
	s := newShopify(t, fakestore.ShopifyQuirks{})
	ctx := t.Context()
	s.AddCustomer("anna@creators.example")
	account, err := s.client.CreditAccount(ctx, "anna@creators.example", "USD")
	if err != nil {
		t.Fatal(err)
	}
	card := affiliate.NewGiftCard{Code: affiliate.NewGiftCode(), Customer: account.Customer, Amount: 2000,
		Currency: "USD", Note: "TRB-1-ABCDEF"}
	s.LoseAnswers(1)
	_, err = s.client.MakeGiftCard(ctx, card)
	wantCode(t, err, affiliate.StoreUnreachable, "")
	id, err := s.client.MakeGiftCard(ctx, card)
	list := s.GiftCards()
	if err != nil || len(list) != 1 || list[0] != (fakestore.GiftCard{ID: id, Code: card.Code, Sent: true,
		Email: "anna@creators.example", Note: card.Note, Amount: 2000}) {
		t.Errorf("%s, %v: %+v", id, err, list)
	}
	s.SetShopify(func(q *fakestore.ShopifyQuirks) { q.NoGiftSearch = true })
	if id, err = s.client.MakeGiftCard(ctx, card); err != nil || id != "" || len(s.GiftCards()) != 1 {
		t.Errorf("not found yet: %q, %v", id, err)
	}
	card.Code = affiliate.NewGiftCode()
	for _, test := range []struct {
		change func(*affiliate.NewGiftCard)
		says   string
	}{
		{func(c *affiliate.NewGiftCard) { c.Currency = "EUR" }, "Initial amount is invalid. Pay it otherwise"},
		{func(c *affiliate.NewGiftCard) { c.Customer = "1" }, "customer no more"},
		{func(c *affiliate.NewGiftCard) { c.Code = "short" }, "Code is invalid"},
	} {
		other := card
		test.change(&other)
		_, err := s.client.MakeGiftCard(ctx, other)
		wantUnpaid(t, err, test.says)
	}
	if len(s.GiftCards()) != 1 {
		t.Errorf("%+v", s.GiftCards())
	}
}

// What the app may not do is said with the scope that it lacks, and nothing is given.
func TestShopifyRightToCredit(t *testing.T) {
	access := (shopify.Platform{}).Guide().Access
	needed, _, forCredit := access.Lacks(slices.Concat([]string{"read_orders"}, access.CreditNeeds))
	if !slices.Equal(needed, []string{"read_orders"}) || !slices.Equal(forCredit, access.CreditNeeds) {
		t.Errorf("%v, %v", needed, forCredit)
	}
	if !access.GivesCredit([]string{"write_discounts"}) || access.GivesCredit(access.CreditNeeds[:1]) {
		t.Error("who gives credit")
	}
	for _, way := range access.Ways {
		for _, scope := range access.CreditNeeds {
			if !strings.Contains(strings.Join(way.Steps, " "), scope) {
				t.Errorf("%s does not name %s", way.Label, scope)
			}
		}
	}
	s := newShopify(t, fakestore.ShopifyQuirks{})
	s.AddCustomer("anna@creators.example")
	account, err := s.client.CreditAccount(t.Context(), "anna@creators.example", "USD")
	if err != nil {
		t.Fatal(err)
	}
	card := affiliate.NewGiftCard{Code: affiliate.NewGiftCode(), Customer: account.Customer, Amount: 1, Currency: "USD"}
	for lacks, ask := range map[string]func() error{
		"write_store_credit_account_transactions": func() error {
			_, err := s.client.GiveCredit(t.Context(), account.Customer, 1, "USD")
			return err
		},
		"read_store_credit_accounts": func() error {
			_, err := s.client.CreditsSince(t.Context(), account, "USD")
			return err
		},
		"read_customers": func() error {
			_, err := s.client.CreditAccount(t.Context(), "anna@creators.example", "USD")
			return err
		},
		"write_gift_cards": func() error {
			_, err := s.client.MakeGiftCard(t.Context(), card)
			return err
		},
		"write_customers": func() error {
			_, err := s.client.MakeGiftCard(t.Context(), card)
			return err
		},
	} {
		s.SetShopify(func(q *fakestore.ShopifyQuirks) {
			q.Scopes = slices.DeleteFunc(slices.Concat([]string{"read_orders", "write_discounts"}, access.CreditNeeds),
				func(scope string) bool {
					return scope == lacks || lacks == "read_customers" && scope == "write_customers"
				})
		})
		wantCode(t, ask(), affiliate.StoreForbidden, lacks)
	}
	if n := len(s.Credits("anna@creators.example")) + len(s.GiftCards()); n > 0 {
		t.Errorf("%d were given", n)
	}
}
