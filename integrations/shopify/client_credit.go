package shopify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Store credit and gift cards, by the Admin API's schema of 2026-07. Neither can be told from the request that made it:
// a credit keeps no reference, but its account lists what was given; of a gift card the code is ours, and a code is
// taken once.

const (
	customerGID   = "gid://shopify/Customer/"
	creditGID     = "gid://shopify/StoreCreditAccountCreditTransaction/"
	giftCardGID   = "gid://shopify/GiftCard/"
	creditsAtOnce = 25
)

// An account is of one currency; a customer has few. What spends credit is left out by the search already, and has no
// id in any case.
const creditFields = ` pageInfo { hasNextPage endCursor }
 nodes { ... on StoreCreditAccountCreditTransaction { id createdAt amount { amount currencyCode } } } `

const askCustomer = `query Customer($identifier: CustomerIdentifierInput!) {
 customerByIdentifier(identifier: $identifier) { id }
}`

const askAccounts = `query CreditAccounts($id: ID!, $first: Int!) {
 customer(id: $id) {
  id storeCreditAccounts(first: 10) { nodes { id balance { currencyCode }
   transactions(first: $first, reverse: true, query: "type:credit") {` + creditFields + `} } }
 }
}`

const askCredits = `query Credits($id: ID!, $first: Int!, $after: String) {
 storeCreditAccount(id: $id) {
  transactions(first: $first, after: $after, reverse: true, query: "type:credit") {` + creditFields + `}
 }
}`

const giveCredit = `mutation GiveCredit($id: ID!, $credit: StoreCreditAccountCreditInput!) {
 storeCreditAccountCredit(id: $id, creditInput: $credit) {
  storeCreditAccountTransaction { id } userErrors { field message code }
 }
}`

const makeGiftCard = `mutation MakeGiftCard($card: GiftCardCreateInput!) {
 giftCardCreate(input: $card) { giftCard { id } userErrors { field message code } }
}`

const askGiftCard = `query GiftCard($q: String!) {
 giftCards(first: 10, query: $q) { nodes { id note } }
}`

// credits is a page of what was given to an account, newest first.
type credits struct {
	PageInfo pageInfo `json:"pageInfo"`
	Nodes    []struct {
		ID     string    `json:"id"` // empty of what is no credit
		At     time.Time `json:"createdAt"`
		Amount moneyV2   `json:"amount"`
	} `json:"nodes"`
}

// creditAccount is an account with the first page of its credits.
type creditAccount struct {
	ID      string `json:"id"`
	Balance struct {
		Currency string `json:"currencyCode"`
	} `json:"balance"`
	Credits credits `json:"transactions"`
}

// CreditAccount finds the customer with an e-mail address, and the newest credit that they were given in a currency.
func (c *Client) CreditAccount(ctx context.Context, email string, currency money.Currency) (a affiliate.CreditAccount,
	err error) {
	var data struct {
		Customer *struct{ ID string } `json:"customerByIdentifier"`
	}
	if _, err := c.ask(ctx, operation{name: "Customer", text: askCustomer},
		map[string]any{"identifier": map[string]any{"emailAddress": email}}, &data, false); err != nil {
		return a, err
	}
	if data.Customer == nil {
		return a, affiliate.Errorf(affiliate.NotFound, "The shop has no customer with this e-mail address. Have them "+
			"make an account in the shop, or add them in its admin (Customers).")
	}
	a.Customer = strings.TrimPrefix(data.Customer.ID, customerGID)
	err = c.eachCredit(ctx, a.Customer, currency, 1, func(one affiliate.StoreCredit) bool {
		a.Last = one.ID
		return false
	})
	return a, err
}

// CreditsSince lists what a customer was given in a currency after the account was looked at, newest first.
func (c *Client) CreditsSince(ctx context.Context, a affiliate.CreditAccount,
	currency money.Currency) (list []affiliate.StoreCredit, err error) {
	var before time.Time // of the credit that was the newest
	err = c.eachCredit(ctx, a.Customer, currency, creditsAtOnce, func(one affiliate.StoreCredit) bool {
		switch {
		case one.ID == a.Last:
			before = one.At
			return true
		case one.At.Before(before):
			return false
		}
		list = append(list, one) // also those of its second, whose order is not known
		return true
	})
	return list, err
}

// eachCredit hands what a customer was given in a currency to each, newest first, until that says false.
func (c *Client) eachCredit(ctx context.Context, customer string, currency money.Currency, first int,
	each func(affiliate.StoreCredit) bool) error {
	var data struct {
		Customer *struct {
			Accounts struct {
				Nodes []creditAccount `json:"nodes"`
			} `json:"storeCreditAccounts"`
		} `json:"customer"`
	}
	if _, err := c.ask(ctx, operation{name: "CreditAccounts", text: askAccounts},
		map[string]any{"id": customerGID + customer, "first": first}, &data, false); err != nil {
		return err
	}
	if data.Customer == nil {
		return affiliate.Errorf(affiliate.NotFound, "The shop has this customer no more. Look in its admin "+
			"(Customers) whether they were merged with another, and whether they have the credit.")
	}
	for _, account := range data.Customer.Accounts.Nodes {
		if currencyOf(account.Balance.Currency) == currency {
			return c.creditsOf(ctx, account, currency, each)
		}
	}
	return nil
}

// creditsOf goes through an account's pages.
func (c *Client) creditsOf(ctx context.Context, account creditAccount, currency money.Currency,
	each func(affiliate.StoreCredit) bool) error {
	for page := account.Credits; ; {
		for _, node := range page.Nodes {
			if node.ID == "" {
				continue
			}
			sum, err := money.ParseSum(node.Amount.Amount, currency)
			if err != nil {
				return problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify says %s of store credit, which is "+
					"no amount. Update Tributary.", clip(node.Amount.Amount))
			}
			if !each(affiliate.StoreCredit{ID: strings.TrimPrefix(node.ID, creditGID), Amount: sum.Round(),
				At: node.At}) {
				return nil
			}
		}
		if !page.PageInfo.HasNextPage {
			return nil
		}
		var data struct {
			Account *creditAccount `json:"storeCreditAccount"`
		}
		if _, err := c.ask(ctx, operation{name: "Credits", text: askCredits}, map[string]any{"id": account.ID,
			"first": creditsAtOnce, "after": page.PageInfo.EndCursor}, &data, false); err != nil {
			return err
		}
		if data.Account == nil {
			return problem(affiliate.Unavailable, affiliate.StoreAnswer, "An account of store credit vanished while "+
				"it was read. It is read again later.")
		}
		page = data.Account.Credits
	}
}

// moneyInput writes an amount as inputs have it.
func moneyInput(amount int64, currency money.Currency) map[string]any {
	return map[string]any{"amount": money.Format(amount, currency), "currencyCode": string(currency)}
}

// GiveCredit gives a customer credit, in the account of its currency, which is opened where there is none. It is asked
// once only. The store sends no mail about it.
func (c *Client) GiveCredit(ctx context.Context, customer string, amount int64, currency money.Currency) (string,
	error) {
	var data struct {
		Payload *struct {
			Transaction *struct{ ID string } `json:"storeCreditAccountTransaction"`
			UserErrors  []userError          `json:"userErrors"`
		} `json:"storeCreditAccountCredit"`
	}
	_, err := c.ask(ctx, operation{name: "GiveCredit", text: giveCredit, changes: true},
		map[string]any{"id": customerGID + customer, "credit": map[string]any{
			"creditAmount": moneyInput(amount, currency), "notify": false}}, &data, false)
	switch {
	case err != nil:
		return "", err
	case data.Payload != nil && len(data.Payload.UserErrors) > 0:
		return "", c.notGiven(data.Payload.UserErrors[0], currency)
	case data.Payload == nil || data.Payload.Transaction == nil:
		return "", errUnsaid
	}
	return strings.TrimPrefix(data.Payload.Transaction.ID, creditGID), nil
}

var errUnsaid = problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify did not say what became of a payout. "+
	"It is looked at again later.")

// MakeGiftCard makes a gift card for a customer, to whom Shopify sends it. A code that is taken is that of the same
// card, asked for before: nobody else draws it. Its id is empty where Shopify does not find it yet.
func (c *Client) MakeGiftCard(ctx context.Context, card affiliate.NewGiftCard) (string, error) {
	var data struct {
		Payload *struct {
			Card       *struct{ ID string } `json:"giftCard"`
			UserErrors []userError          `json:"userErrors"`
		} `json:"giftCardCreate"`
	}
	_, err := c.ask(ctx, operation{name: "MakeGiftCard", text: makeGiftCard, changes: true},
		map[string]any{"card": map[string]any{"code": card.Code,
			"initialAmount": moneyInput(card.Amount, card.Currency), "customerId": customerGID + card.Customer,
			"note": card.Note, "notify": true}}, &data, false)
	switch {
	case err != nil:
		return "", err
	case data.Payload != nil && len(data.Payload.UserErrors) > 0:
		if slices.ContainsFunc(data.Payload.UserErrors, func(e userError) bool {
			return e.Code == "TAKEN" || e.about("already been taken")
		}) {
			return c.FindGiftCard(ctx, card)
		}
		return "", c.notGiven(data.Payload.UserErrors[0], card.Currency)
	case data.Payload == nil || data.Payload.Card == nil:
		return "", errUnsaid
	}
	return strings.TrimPrefix(data.Payload.Card.ID, giftCardGID), nil
}

// FindGiftCard looks for a card that was made: its id, or empty where Shopify does not find it.
func (c *Client) FindGiftCard(ctx context.Context, card affiliate.NewGiftCard) (string, error) {
	var data struct {
		Cards struct {
			Nodes []struct{ ID, Note string } `json:"nodes"`
		} `json:"giftCards"`
	}
	if _, err := c.ask(ctx, operation{name: "GiftCard", text: askGiftCard}, map[string]any{"q": card.Code}, &data,
		false); err != nil {
		return "", err
	}
	for _, one := range data.Cards.Nodes {
		if one.Note == card.Note {
			return strings.TrimPrefix(one.ID, giftCardGID), nil
		}
	}
	return "", nil
}

// notGiven is the error of what Shopify has against giving credit or a gift card. Nothing was given. The codes are
// those of StoreCreditAccountCreditUserErrorCode, and of GiftCardErrorCode.
func (c *Client) notGiven(e userError, currency money.Currency) error {
	words := ""
	switch e.Code {
	case "INTERNAL_ERROR":
		return problem(affiliate.Unavailable, affiliate.StoreDown, "Shopify failed at giving a payout. It is looked "+
			"at again later.")
	case "ACCOUNT_NOT_FOUND", "OWNER_NOT_FOUND", "CUSTOMER_NOT_FOUND":
		words = "The shop has this customer no more. Have them make an account in the shop, or pay them otherwise."
	case "MISMATCHING_CURRENCY", "UNSUPPORTED_CURRENCY":
		words = fmt.Sprintf("The shop gives nothing in %s. Pay it otherwise.", currency)
	case "CREDIT_LIMIT_EXCEEDED":
		words = "The customer would have more store credit than Shopify allows. Pay it once they have spent some, or " +
			"otherwise."
	case "GIFT_CARD_LIMIT_EXCEEDED":
		words = "The amount is more than Shopify allows on gift cards. Pay it otherwise."
	default:
		words = "Shopify does not give it: " + c.quote(e.Message) + ". Pay it otherwise."
	}
	return &affiliate.ProviderError{Words: words, Unpaid: true}
}
