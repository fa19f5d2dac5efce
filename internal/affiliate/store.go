package affiliate

import (
	"net"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// StoreState says whether a store still takes part.
type StoreState string

const (
	StoreStateActive      StoreState = "active"
	StoreStateUninstalled StoreState = "uninstalled" // the shop removed our app; its deliveries stop
	StoreStateEnded       StoreState = "ended"       // by a person; deliveries are refused, history stays
)

// Words lists the states there are.
func (StoreState) Words() []StoreState {
	return []StoreState{StoreStateActive, StoreStateUninstalled, StoreStateEnded}
}

// PartsRule says what an order with a parent is: plugins for marketplaces divide an order of several vendors into
// parts, while deposits and subscriptions make orders of their own under the first one.
type PartsRule string

const (
	PartsDecide PartsRule = "decide"     // by the plugin that made them
	PartsAlways PartsRule = "parts"      // always parts of their parent
	PartsNever  PartsRule = "own_orders" // always orders of their own
)

// Words lists the rules there are.
func (PartsRule) Words() []PartsRule { return []PartsRule{PartsDecide, PartsAlways, PartsNever} }

// Store is a merchant's shop connected to us.
type Store struct {
	ID              StoreID
	Slug            string // in its webhook address; never changes
	Platform        Platform
	Name            string
	Domain          string // host, or host:port, as the platform's guide wants it
	Currency        money.Currency
	Timezone        string    // IANA name
	Parts           PartsRule // of orders with a parent
	State           StoreState
	Warning         string // the last thing the owner should know, in words
	LastDeliveryAt  time.Time
	LastProcessedAt time.Time
	Version         int // grows with every change by a person
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// StoreSecretID names a webhook secret, never its value.
type StoreSecretID int64

func (id StoreSecretID) String() string { return prefixed("sec_", int64(id)) }

// StoreSecret is a webhook secret of a store without its value. Several may be active while it is being rotated.
type StoreSecret struct {
	ID        StoreSecretID
	StoreID   StoreID
	CreatedAt time.Time
	EndedAt   time.Time // zero while active
}

// Validate gives an error that names the field that is wrong, by the guide of the store's platform.
func (s Store) Validate(g *Guide) error {
	if !validStoreSlug(s.Slug) {
		return FieldErrorf("slug", "must have 1 to %d characters of a-z, 0-9 and -, not beginning or ending with -",
			MaxSlug)
	}
	if err := validName("name", s.Name); err != nil {
		return err
	}
	if domain, err := g.StoreDomain(s.Domain); err != nil {
		return err
	} else if domain != s.Domain {
		return FieldErrorf("domain", "must be %q", domain)
	}
	if _, err := money.ParseCurrency(string(s.Currency)); err != nil {
		return FieldErrorf("currency", "%v", err)
	}
	if _, err := LoadZone(s.Timezone); err != nil {
		return FieldErrorf("timezone", "%v", err)
	}
	if s.Parts != PartsDecide && s.Parts != PartsAlways && s.Parts != PartsNever {
		return FieldErrorf("parts", "must be %s, %s or %s", PartsDecide, PartsAlways, PartsNever)
	}
	return nil
}

func validStoreSlug(s string) bool {
	return ValidSlug(s) && !strings.Contains(s, "_") && !strings.HasPrefix(s, "-") && !strings.HasSuffix(s, "-")
}

// validHost says whether d is a host name or address, with or without a port.
func validHost(d string) bool {
	host := d
	if h, port, err := net.SplitHostPort(d); err == nil {
		if port == "" || strings.Trim(port, "0123456789") != "" {
			return false
		}
		host = h
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if !validLabel(label) {
			return false
		}
	}
	return true
}

// validLabel allows letters beyond ASCII: shops have such domains, and people paste them.
func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, r := range label {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r < 0x80 {
			return false
		}
	}
	return true
}

// ShortestSecret is the fewest characters that a webhook secret may have.
const ShortestSecret = 8

// ValidateSecret refuses webhook secrets that are too short, too long, or were pasted with white space around or in
// them.
func ValidateSecret(secret string) error {
	switch {
	case len(secret) < ShortestSecret || len(secret) > 256:
		return FieldErrorf("webhook_secret", "must have %d to 256 characters", ShortestSecret)
	case strings.ContainsAny(secret, " \t\r\n"):
		return FieldErrorf("webhook_secret", "must not contain spaces or line ends; copy it again")
	}
	return nil
}

// MaxName is the longest name of a store, campaign, creator, offer or token, in bytes.
const MaxName = 200

// validName refuses empty and endless names, and such as would break a line or a table.
func validName(field, name string) error {
	if name == "" || len(name) > MaxName {
		return FieldErrorf(field, "must have 1 to %d characters", MaxName)
	}
	if strings.TrimSpace(name) != name || strings.ContainsFunc(name, isControl) {
		return FieldErrorf(field, "must not begin or end with a space, nor contain line ends or control characters")
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0xfffd }
