package app

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Connector opens the APIs of a platform's stores. It keeps nothing of stores.
type Connector interface {
	// Keys tidies keys as people paste them. They are Invalid, by a field of address, id, secret or token, where they
	// cannot be right. Nothing is asked.
	Keys(given affiliate.StoreKeys) (affiliate.StoreKeys, error)
	// Open gives a client. Nothing is asked yet.
	Open(keys affiliate.StoreKeys) StoreClient
}

// Authorizer is a connector of stores whose owners can give us keys in the store itself.
type Authorizer interface {
	Connector
	// Probe asks a site, without keys, whether it is a shop of the platform, and gives its domain as StoreFacts does.
	// Its errors are those of a StoreClient, or about the field address.
	Probe(ctx context.Context, address string) (domain string, err error)
	// Authorize gives the address that the owner's browser is to open.
	Authorize(affiliate.AccessRequest) (string, error)
	// Authorized reads what the store sends to the callback. Nothing in it is proven but by its state.
	Authorized(body []byte) (state string, keys affiliate.StoreKeys, err error)
}

// StoreClient asks the API of one store. It may be used by many at once. Requests that affiliate.InBackground marks
// leave half of the store's budget to others; all are tried again where that helps. Errors have the codes of
// affiliate.StoreUnreachable and its like.
type StoreClient interface {
	Facts(ctx context.Context) (affiliate.StoreFacts, error)

	// Webhooks lists those that the API shows, all of them, also of others where they are shown.
	Webhooks(ctx context.Context) ([]affiliate.StoreWebhook, error)
	// MakeWebhook makes one for a topic. The secret is ignored where the store chooses it.
	MakeWebhook(ctx context.Context, topic, address, secret string) (affiliate.StoreWebhook, error)
	// DeleteWebhook deletes one; that it is gone already is no error.
	DeleteWebhook(ctx context.Context, id string) error

	// Orders gives the orders of a window page by page, in the order of the window's time as far as the store has one.
	// An order that changes meanwhile may come twice, but is never passed over. The window must not change between
	// pages.
	Orders(ctx context.Context, window affiliate.OrderWindow, cursor string) (affiliate.OrderPage, error)
	// OrdersByID looks for some orders, at most OrdersAtOnce, in all detail; those that the store does not have are in
	// Gone. In Gone is none that the keys merely may not see.
	OrdersByID(ctx context.Context, ids []string, detail affiliate.OrderDetail) (affiliate.OrderPage, error)
	// CountOrders counts those of a window, or says that there are more than some number that the store counts to.
	CountOrders(ctx context.Context, window affiliate.OrderWindow) (int64, error)

	Use() affiliate.APIUse
}

// OrdersAtOnce is how many orders a client looks for by their ids in one call.
const OrdersAtOnce = 100

// Exporter is a client whose store can write out many orders at once.
type Exporter interface {
	StoreClient
	StartExport(ctx context.Context, window affiliate.OrderWindow) (id string, err error)
	ExportState(ctx context.Context, id string) (affiliate.Export, error)
	// ReadExport hands the orders of an export to each, from the after-th on (0: all). They are Rough where they have
	// refunds.
	ReadExport(ctx context.Context, address string, after int64, each func(affiliate.StoreOrder) error) error
}

// CouponClient is a client whose store lets us make and change codes.
type CouponClient interface {
	StoreClient
	// Coupons gives all codes of the store, page by page, or those that changed at a time or later. One that changes
	// meanwhile may come twice, but is never passed over.
	Coupons(ctx context.Context, since time.Time, cursor string) (affiliate.CouponPage, error)
	// CouponsByCode looks for codes, at most CouponsAtOnce, without regard to case. Those that the store does not have
	// are not among the answer.
	CouponsByCode(ctx context.Context, codes []string) ([]affiliate.Coupon, error)
	// MakeCoupons makes codes, at most CouponsAtOnce, and gives what became of each, in their order. It is not asked
	// twice: after an error any of them may have been made, and CouponsByCode tells.
	MakeCoupons(ctx context.Context, list []affiliate.NewCoupon) ([]affiliate.CouponOutcome, error)
	// ChangeCoupons changes codes, at most CouponsAtOnce, and gives what became of each, in their order. The same
	// change may be made again.
	ChangeCoupons(ctx context.Context, list []affiliate.CouponChange) ([]affiliate.CouponOutcome, error)
	// CouponsAtOnce is how many codes are looked for, made or changed in one call.
	CouponsAtOnce() int
}

// CreditClient is a client whose store gives its customers credit and gift cards. Errors that are an
// affiliate.ProviderError say what the store has against one of them.
type CreditClient interface {
	StoreClient
	// CreditAccount finds the customer with an e-mail address, and the newest credit that they were given in a
	// currency. NotFound, with the remedy, where there is no such customer.
	CreditAccount(ctx context.Context, email string, currency money.Currency) (affiliate.CreditAccount, error)
	// CreditsSince lists what a customer was given in a currency after the account was looked at, newest first.
	// NotFound where the customer is gone.
	CreditsSince(ctx context.Context, account affiliate.CreditAccount,
		currency money.Currency) ([]affiliate.StoreCredit, error)
	// GiveCredit gives a customer an amount, in minor units of a currency, and gives the store's id of that. It is not
	// asked twice: after an error it may have been given, and CreditsSince tells.
	GiveCredit(ctx context.Context, customer string, amount int64, currency money.Currency) (id string, err error)
	// MakeGiftCard makes a gift card and gives the store's id of it, which is empty where it is not known. The same may
	// be asked again: it is made once.
	MakeGiftCard(ctx context.Context, card affiliate.NewGiftCard) (id string, err error)
	// FindGiftCard gives the store's id of a gift card that was made; empty where it is not found.
	FindGiftCard(ctx context.Context, card affiliate.NewGiftCard) (id string, err error)
}

// Connectors are those of the platforms that have one.
type Connectors map[affiliate.Platform]Connector
