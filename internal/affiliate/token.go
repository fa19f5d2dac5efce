package affiliate

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Role says what a person or a token may do.
type Role string

const (
	RoleOwner   Role = "owner"   // everything, including tokens, secrets and settings
	RoleManager Role = "manager" // reads, and changes the catalog and approvals; payouts where an owner has allowed it
	RoleViewer  Role = "viewer"  // reads
)

// Words lists the roles there are.
func (Role) Words() []Role { return []Role{RoleOwner, RoleManager, RoleViewer} }

// Permission is one kind of thing that a role may do.
type Permission string

const (
	MayRead          Permission = "read"
	MayChangeCatalog Permission = "change the catalog"
	MayApprove       Permission = "approve and reject conversions"
	MayPay           Permission = "send, record and cancel payouts"
	MayAdminister    Permission = "change tokens, secrets and settings"
)

// May says whether the role alone has a permission. An unknown role has none.
func (r Role) May(p Permission) bool {
	switch r {
	case RoleOwner:
		return true
	case RoleManager:
		return p == MayRead || p == MayChangeCatalog || p == MayApprove
	case RoleViewer:
		return p == MayRead
	}
	return false
}

// Least gives the least role that has a permission.
func (p Permission) Least() Role {
	for _, r := range []Role{RoleViewer, RoleManager} {
		if r.May(p) {
			return r
		}
	}
	return RoleOwner
}

// Needed says who has a permission: "the role manager".
func (p Permission) Needed() string {
	needed := "the role " + string(p.Least())
	if p == MayPay {
		needed += ", or manager with may_pay"
	}
	return needed
}

// checkMayPay gives an error when a right to pay is given to who is no manager.
func checkMayPay(role Role, pay bool) error {
	if pay && role != RoleManager {
		return FieldErrorf("may_pay", "is for managers: an owner pays without it, and a viewer changes nothing")
	}
	return nil
}

// ParseRole reads a role; the error names the choices.
func ParseRole(s string) (Role, error) {
	role := Role(strings.ToLower(strings.TrimSpace(s)))
	return role, CheckWord("role", role)
}

// Principal is who asks: a token, a person, or the command line.
type Principal struct {
	ID   string // "tok_1"; empty for the command line
	Name string // as the audit log shows it: "token tok_1 (warehouse)", "command line"
	Role Role
	Pay  bool // an owner has allowed this manager to pay
}

// May says whether the principal has a permission: by their role, or as a manager who was allowed to pay.
func (p Principal) May(permission Permission) bool {
	return p.Role.May(permission) || permission == MayPay && p.Pay && p.Role == RoleManager
}

// Token is an API token without its value, which is shown once and never kept.
type Token struct {
	ID         TokenID
	Name       string
	Role       Role
	MayPay     bool // of a manager's token: an owner has allowed it to pay
	CreatedAt  time.Time
	LastUsedAt time.Time
	EndedAt    time.Time // zero until somebody ends it
	ExpiresAt  time.Time // zero: never
}

// Expired says whether the token has ended by itself.
func (t Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// maxTokenDays is the longest time that a token may be given; one without an end is chosen as such.
const maxTokenDays = 3650

// ParseExpiry reads until when a token works: "90d" from now, "2027-01-31" until the end of that day in a zone, or
// "never", which gives the zero time. The error is about the field expires.
func ParseExpiry(s string, now time.Time, zone *time.Location) (time.Time, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "never" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 1 && n <= maxTokenDays {
			return now.Add(time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Time{}, FieldErrorf("expires", "must be a number of days such as 90d (at most %dd), a day such as "+
		"2027-01-31, or never", maxTokenDays)
}

// Validate gives an error that names the field that is wrong.
func (t Token) Validate() error {
	if err := validName("name", t.Name); err != nil {
		return err
	}
	if !t.ExpiresAt.IsZero() && (!t.ExpiresAt.After(t.CreatedAt) ||
		t.ExpiresAt.After(t.CreatedAt.AddDate(0, 0, maxTokenDays+1))) {
		return FieldErrorf("expires_at", "must be in the future, and at most %d days away", maxTokenDays)
	}
	if _, err := ParseRole(string(t.Role)); err != nil {
		return err
	}
	return checkMayPay(t.Role, t.MayPay)
}

const tokenPrefix = "trb_"

// NewTokenValue makes the value of a token: 256 random bits in base64url after a prefix that secret scanners can know.
func NewTokenValue() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// HashToken gives what is kept of a token's value. It is false for what cannot be a token.
func HashToken(value string) (hash []byte, ok bool) {
	if len(value) != len(tokenPrefix)+43 || !strings.HasPrefix(value, tokenPrefix) {
		return nil, false
	}
	sum := sha256.Sum256([]byte(value))
	return sum[:], true
}
