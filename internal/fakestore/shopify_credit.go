package fakestore

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// creditScopes are what an app needs for store credit and gift cards.
var creditScopes = []string{"write_store_credit_account_transactions", "read_store_credit_accounts",
	"write_gift_cards", "write_customers"}

// customer is somebody with an account in a Shopify shop.
type customer struct {
	id       int64
	email    string
	accounts []*creditAccount
}

// creditAccount is the store credit of a customer in one currency.
type creditAccount struct {
	id       int64
	currency money.Currency
	rows     []creditRow // oldest first
}

// creditRow is one transaction of an account.
type creditRow struct {
	id     int64
	amount int64 // minor units; negative where credit was spent
	at     time.Time
}

// giftCard is one that was made.
type giftCard struct {
	id       int64
	code     string
	customer int64
	amount   int64
	note     string
	sent     bool
}

// Credit is what a customer was given in a Shopify shop, as it stands there.
type Credit struct {
	ID       string
	Amount   int64 // minor units of Currency
	Currency money.Currency
}

// GiftCard is a gift card of a Shopify shop, as it stands there.
type GiftCard struct {
	ID, Code, Email, Note string
	Amount                int64
	Sent                  bool // the shop has mailed it
}

// AddCustomer makes a customer in a Shopify shop.
func (s *Shop) AddCustomer(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.face.(*shopify)
	f.customers = append(f.customers, &customer{id: s.nextID(), email: email})
}

// RemoveCustomer deletes one.
func (s *Shop) RemoveCustomer(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.face.(*shopify)
	f.customers = slices.DeleteFunc(f.customers, func(c *customer) bool { return c.email == email })
}

// GiveCredit gives a customer credit, as somebody in the admin would; a negative amount is one that they have spent.
func (s *Shop) GiveCredit(email string, amount int64, currency money.Currency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.face.(*shopify)
	f.give(f.customerBy(func(c *customer) bool { return c.email == email }), amount, currency)
}

// Credits are what a customer was given, oldest first.
func (s *Shop) Credits(email string) (list []Credit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.face.(*shopify).customerBy(func(c *customer) bool { return c.email == email })
	if c == nil {
		return nil
	}
	for _, a := range c.accounts {
		for _, r := range a.rows {
			if r.amount > 0 {
				list = append(list, Credit{formatID(r.id), r.amount, a.currency})
			}
		}
	}
	return list
}

// GiftCards are those that were made, oldest first.
func (s *Shop) GiftCards() (list []GiftCard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.face.(*shopify)
	for _, g := range f.giftCards {
		email := ""
		if c := f.customerBy(func(c *customer) bool { return c.id == g.customer }); c != nil {
			email = c.email
		}
		list = append(list, GiftCard{formatID(g.id), g.code, email, g.note, g.amount, g.sent})
	}
	return list
}

func (f *shopify) customerBy(is func(*customer) bool) *customer {
	if i := slices.IndexFunc(f.customers, is); i >= 0 {
		return f.customers[i]
	}
	return nil
}

// give puts a transaction into the account of its currency, which is opened where there is none.
func (f *shopify) give(c *customer, amount int64, currency money.Currency) creditRow {
	i := slices.IndexFunc(c.accounts, func(a *creditAccount) bool { return a.currency == currency })
	if i < 0 {
		i = len(c.accounts)
		c.accounts = append(c.accounts, &creditAccount{id: f.nextID(), currency: currency})
	}
	row := creditRow{f.nextID(), amount, f.now()}
	c.accounts[i].rows = append(c.accounts[i].rows, row)
	return row
}

func (f *shopify) findCustomer(args map[string]any) (any, error) {
	by, _ := args["identifier"].(map[string]any)
	email, ok := by["emailAddress"].(string)
	if !ok || len(by) != 1 {
		return nil, refused("Variable $identifier of type CustomerIdentifierInput! was provided invalid value")
	}
	return f.customerNode(f.customerBy(func(c *customer) bool { return strings.EqualFold(c.email, email) })), nil
}

func (f *shopify) oneCustomer(args map[string]any) (any, error) {
	id := number(args["id"], "Customer")
	return f.customerNode(f.customerBy(func(c *customer) bool { return c.id == id })), nil
}

func (f *shopify) customerNode(c *customer) any {
	if c == nil {
		return nil
	}
	return record{"__typename": "Customer", "id": "gid://shopify/Customer/" + formatID(c.id),
		"storeCreditAccounts": resolver(func(map[string]any) (any, error) {
			if !f.may("read_store_credit_accounts") {
				return nil, denied{"read_store_credit_accounts", []any{"customer", "storeCreditAccounts"}}
			}
			list := connection{}
			for _, a := range c.accounts {
				list.rows = append(list.rows, f.accountNode(a))
			}
			return list, nil
		})}
}

func (f *shopify) oneAccount(args map[string]any) (any, error) {
	id := number(args["id"], "StoreCreditAccount")
	for _, c := range f.customers {
		for _, a := range c.accounts {
			if a.id == id {
				return f.accountNode(a), nil
			}
		}
	}
	return nil, nil
}

func (f *shopify) accountNode(a *creditAccount) record {
	return record{"__typename": "StoreCreditAccount", "id": "gid://shopify/StoreCreditAccount/" + formatID(a.id),
		"balance": record{"__typename": "MoneyV2", "amount": "0.0", "currencyCode": string(a.currency)},
		"transactions": resolver(func(args map[string]any) (any, error) {
			if args["query"] != "type:credit" || args["reverse"] != true {
				return nil, refused("fakestore: transactions are listed by type:credit, newest first")
			}
			list := connection{}
			for _, r := range slices.Backward(a.rows) {
				list.rows = append(list.rows, creditNode(r, a.currency))
			}
			return list, nil
		})}
}

// creditNode is a transaction in GraphQL. The search for credits lets others through here: the type tells them apart.
func creditNode(r creditRow, currency money.Currency) record {
	kind := "StoreCreditAccountCreditTransaction"
	if r.amount < 0 {
		kind = "StoreCreditAccountDebitTransaction"
	}
	return record{"__typename": kind, "id": "gid://shopify/" + kind + "/" + formatID(r.id),
		"createdAt": r.at.Format(time.RFC3339), "amount": record{"__typename": "MoneyV2",
			"amount": money.Format(r.amount, currency), "currencyCode": string(currency)}}
}

// fault is the answer to a mutation that changes nothing.
func fault(kind, empty, code, message string, field ...any) record {
	return record{"__typename": kind, empty: nil, "userErrors": []any{record{"__typename": "UserError", "code": code,
		"message": message, "field": field}}}
}

// amountIn reads a MoneyInput; false where it is none.
func amountIn(v any) (amount int64, currency money.Currency, ok bool) {
	in, _ := v.(map[string]any)
	code, _ := in["currencyCode"].(string)
	text, _ := in["amount"].(string)
	currency, err := money.ParseCurrency(code)
	if err != nil || len(in) != 2 {
		return 0, "", false
	}
	amount, err = money.Parse(text, currency)
	return amount, currency, err == nil
}

// only says whether an input has no other fields than those that are known here.
func only(in map[string]any, fields ...string) bool {
	for name := range in {
		if !slices.Contains(fields, name) {
			return false
		}
	}
	return true
}

func (f *shopify) creditCustomer(args map[string]any) (any, error) {
	in, _ := args["creditInput"].(map[string]any)
	amount, currency, ok := amountIn(in["creditAmount"])
	if !ok || !only(in, "creditAmount", "expiresAt", "notify") {
		return nil, refused("Variable $credit of type StoreCreditAccountCreditInput! was provided invalid value")
	}
	refuse := func(code, message string) (any, error) {
		return fault("StoreCreditAccountCreditPayload", "storeCreditAccountTransaction", code, message, "id"), nil
	}
	id := number(args["id"], "Customer")
	c := f.customerBy(func(c *customer) bool { return c.id == id })
	limit := cmp.Or(f.Shopify.MostCredit, 1_000_000)
	switch {
	case c == nil:
		return refuse("OWNER_NOT_FOUND", "Owner does not exist")
	case currency != f.Currency:
		return refuse("UNSUPPORTED_CURRENCY", "The currency provided is not currently supported")
	case amount <= 0:
		return refuse("NEGATIVE_OR_ZERO_AMOUNT", "A positive amount must be used to credit a store credit account")
	case amount > limit:
		return refuse("CREDIT_LIMIT_EXCEEDED", "The operation would cause the account's credit limit to be exceeded")
	}
	return record{"__typename": "StoreCreditAccountCreditPayload", "userErrors": []any{},
		"storeCreditAccountTransaction": creditNode(f.give(c, amount, currency), currency)}, nil
}

func (f *shopify) createGiftCard(args map[string]any) (any, error) {
	in, _ := args["input"].(map[string]any)
	amount, currency, ok := amountIn(in["initialAmount"])
	if !ok || !only(in, "initialAmount", "code", "customerId", "note", "notify") {
		return nil, refused("Variable $card of type GiftCardCreateInput! was provided invalid value")
	}
	code, _ := in["code"].(string)
	note, _ := in["note"].(string)
	id := number(in["customerId"], "Customer")
	refuse := func(code, message, field string) (any, error) {
		return fault("GiftCardCreatePayload", "giftCard", code, message, "input", field), nil
	}
	switch {
	case !f.may("write_customers"):
		return nil, denied{"write_customers", []any{"giftCardCreate"}}
	case len(code) < 8 || len(code) > 20 || strings.Trim(strings.ToLower(code), letters) != "":
		return refuse("INVALID", "Code is invalid", "code")
	case f.customerBy(func(c *customer) bool { return c.id == id }) == nil:
		return refuse("CUSTOMER_NOT_FOUND", "The customer could not be found.", "customerId")
	case slices.ContainsFunc(f.giftCards, func(g *giftCard) bool { return strings.EqualFold(g.code, code) }):
		return refuse("TAKEN", "Code has already been taken", "code")
	case currency != f.Currency || amount <= 0:
		return refuse("INVALID", "Initial amount is invalid", "initialAmount")
	}
	g := &giftCard{id: f.nextID(), code: code, customer: id, amount: amount, note: note, sent: in["notify"] == true}
	f.giftCards = append(f.giftCards, g)
	return record{"__typename": "GiftCardCreatePayload", "giftCard": g.node(), "userErrors": []any{}}, nil
}

func (g *giftCard) node() record {
	return record{"__typename": "GiftCard", "id": "gid://shopify/GiftCard/" + formatID(g.id), "note": g.note}
}

// findGiftCards searches by code alone.
func (f *shopify) findGiftCards(args map[string]any) (any, error) {
	list := connection{}
	for _, g := range f.giftCards {
		if q, _ := args["query"].(string); strings.EqualFold(g.code, q) && !f.Shopify.NoGiftSearch {
			list.rows = append(list.rows, g.node())
		}
	}
	return list, nil
}
