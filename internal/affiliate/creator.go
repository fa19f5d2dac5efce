package affiliate

import (
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Creator is an influencer. They are in the community until removed.
type Creator struct {
	ID        CreatorID
	Name      string
	Email     string            // as given; empty when unknown
	EmailHash string            // keyed hash of the normalized e-mail address, made as customers' are
	Handles   map[string]string // by network, without @; unique per network
	Country   string            // ISO 3166 alpha-2; empty when unknown
	Note      string
	RemovedAt time.Time // zero while they are in the community
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Instagram is the network of the handle that imports know creators by.
const Instagram = "instagram"

const (
	maxHandle = 100
	maxNote   = 2000
)

// Validate gives an error that names the field that is wrong.
func (c Creator) Validate() error {
	if err := validName("name", c.Name); err != nil {
		return err
	}
	if err := ValidateEmail(c.Email); err != nil {
		return err
	}
	for _, network := range slices.Sorted(maps.Keys(c.Handles)) {
		if err := validHandle(network, c.Handles[network]); err != nil {
			return err
		}
	}
	if c.Country != "" && (len(c.Country) != 2 || strings.Trim(c.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return FieldErrorf("country", "must be a code of two upper-case letters, such as DE")
	}
	if len(c.Note) > maxNote {
		return FieldErrorf("note", "must not have more than %d characters", maxNote)
	}
	return nil
}

func validHandle(network, handle string) error {
	if network == "" || len(network) > 32 || strings.Trim(network, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return FieldErrorf("handles", "%q is not a network; write it in small letters, such as instagram",
			Clip(network, 40))
	}
	if handle == "" || len(handle) > maxHandle || strings.ContainsFunc(handle, func(r rune) bool {
		return r == ' ' || r == '@' || r == '/' || isControl(r)
	}) {
		return FieldErrorf("handles."+network, "%q is not a handle; it looks like @anna.keller", Clip(handle, 40))
	}
	return nil
}

// ValidateEmail refuses what is no bare e-mail address; empty is allowed.
func ValidateEmail(email string) error {
	if email == "" {
		return nil
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 || NormalizeEmail(email) == "" {
		return FieldErrorf("email", "%q is not an e-mail address", Clip(email, 60))
	}
	return nil
}

// TidyHandle gives a handle as it is kept: "@anna.keller", "anna.keller" and "https://instagram.com/anna.keller/" are one.
func TidyHandle(s string) string {
	h := Clean(s)
	if u, err := url.Parse(h); err == nil && u.Host != "" {
		h = strings.Trim(u.Path, "/")
		if i := strings.LastIndexByte(h, '/'); i >= 0 {
			h = h[i+1:]
		}
	}
	return strings.TrimPrefix(h, "@")
}

// FoldHandle gives the form in which handles are compared.
func FoldHandle(handle string) string { return strings.ToLower(TidyHandle(handle)) }

// BestHandle is the handle by which people know the creator: the one on Instagram, or the first other; empty without
// any.
func (c Creator) BestHandle() string {
	if h := c.Handles[Instagram]; h != "" {
		return h
	}
	for _, network := range slices.Sorted(maps.Keys(c.Handles)) {
		return c.Handles[network]
	}
	return ""
}
