package affiliate

import (
	"crypto/rand"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// CreditAccount is what a store knows of a customer before they are given credit.
type CreditAccount struct {
	Customer string // the store's id
	Last     string // the store's id of the newest credit that they were given in the currency; empty: none yet
}

// StoreCredit is credit that a customer was given in a store, by whomever.
type StoreCredit struct {
	ID     string // the store's
	Amount int64  // minor units of the currency that was asked for
	At     time.Time
}

// NewGiftCard asks a store for a gift card.
type NewGiftCard struct {
	Code     string // see NewGiftCode; it makes the same card once, however often it is asked for
	Customer string // the store's id of whose it is: the store sends it to them
	Amount   int64  // minor units of Currency
	Currency money.Currency
	Note     string // for the store's people; the customer does not see it
}

// NewGiftCode draws the code of a gift card: sixteen letters and digits, of 80 random bits.
func NewGiftCode() string { return rand.Text()[:16] }
