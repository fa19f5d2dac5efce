// Package app is what a person, a store or a job can ask of Tributary, one function each: receive a delivery, process
// it, re-attribute, import creators, add a store. It owns the transactions and declares the small interfaces it needs.
package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// App holds the parts that its functions need. All fields are set before first use.
type App struct {
	DB        *storage.DB
	Sealer    *Sealer
	Platforms Platforms
	// Connectors open the APIs of stores, by their platform; of those that are not among them, stores only send.
	Connectors Connectors
	Queue      Queue
	Live       Publisher
	Rates      Rates // nil: exchange rates are not fetched
	// Mailer hands mails to a server; nil: none is set. MailFrom is whom they are from, name <address>.
	PayPal        PayoutProvider // nil: its API is not connected
	PaymentFiles  map[affiliate.Rail]PaymentFiles
	ResultReaders []ResultReader
	Mailer        Mailer
	MailFrom      string
	// MailShown says that mails go nowhere but onto a page, as in the demo.
	MailShown bool
	Log       *slog.Logger
	Now       func() time.Time
	PublicURL string // where stores and creators reach this server, without a trailing slash
	// Serving says that deliveries are taken in by this very process, as against a command beside it.
	Serving bool
	// PrivateLandings lets the check of a link ask landing pages that are not at public addresses.
	PrivateLandings bool
	// LocalStores says that stores may be on this machine or in its own network, from where they reach an address of
	// ours that nobody on the Internet does.
	LocalStores bool

	tokens    tokenCache
	passwords passwords
	imports   oneImport
	refusals  refusals
	strangers strangers
	rhythms   rhythms
	clients   storeClients
	rests     storeRests
	lines     Seldom

	mailsFreed sync.Once // of the lease of a process before this one

	// Tests set these; otherwise they are the constants of the same meaning, and waiting.
	exportFrom int64
	pause      func(context.Context, time.Duration) error
}

// touchLimit bounds noting that a session or token was used, for which whoever uses it waits.
const touchLimit = 5 * time.Second

// Queue wakes workers. The inbox is the truth: a wake-up that is lost only delays, a sweep finds what waits.
type Queue interface {
	Wake(ctx context.Context, ids []affiliate.DeliveryID) error
}

// Publisher tells open pages what changed. It never blocks and never fails: pages fetch what they show.
type Publisher interface {
	Publish(changes []affiliate.Change)
}
