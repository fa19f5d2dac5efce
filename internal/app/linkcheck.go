package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// CheckedLink is a link with its owner and what becomes of a click on it.
type CheckedLink struct {
	affiliate.Link
	Owner affiliate.Membership
	affiliate.LinkCheck
	Hops []Hop // of asking the landing page, first to last; none unless it was asked
}

// Severe says whether orders by the link may be credited to nobody.
func (c CheckedLink) Severe() bool {
	return slices.ContainsFunc(c.Findings, func(f affiliate.LinkFinding) bool { return f.Severe })
}

// Hop is one answer on the way to the page that a visitor sees.
type Hop struct {
	Address string
	Status  int
}

// CheckLink says what becomes of a click on a link. With ask, the landing page is asked, which counts as no click.
func (a *App) CheckLink(ctx context.Context, l affiliate.Link, ask bool) (CheckedLink, error) {
	checked, err := a.CheckLinks(ctx, []affiliate.Link{l}, ask)
	if err != nil {
		return CheckedLink{}, err
	}
	return checked[0], nil
}

// CheckLinks is CheckLink for some links, in their order.
func (a *App) CheckLinks(ctx context.Context, links []affiliate.Link, ask bool) ([]CheckedLink, error) {
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return nil, err
	}
	stores, _, err := a.DB.Stores(ctx, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return nil, err
	}
	checked := make([]CheckedLink, len(links))
	for i, l := range links {
		owner, err := a.DB.LinkOwner(ctx, l.Slug, settings)
		if err != nil {
			return nil, err
		}
		f := affiliate.LinkFacts{Link: l, Owner: owner.Membership, UTM: cmp.Or(l.UTM, settings.UTM), Stores: stores,
			Guides: a.Platforms.Guides(), Now: a.Now()}
		c := CheckedLink{Link: l, Owner: owner.Membership, LinkCheck: f.Check()}
		if ask {
			var found []affiliate.LinkFinding
			c.Hops, found = a.askLanding(ctx, f.Landing().With("link-check"), l.Slug)
			c.Findings = append(c.Findings, found...)
		}
		checked[i] = c
	}
	return checked, nil
}

// Bounds of asking a landing page.
const (
	landingPatience = 15 * time.Second
	landingHops     = 10
	landingBytes    = 64 << 10
)

// askLanding follows a landing page's redirects and says whether they keep the link's parameters.
func (a *App) askLanding(ctx context.Context, address, slug string) (hops []Hop, found []affiliate.LinkFinding) {
	severe := func(code, format string, args ...any) {
		found = append(found, affiliate.LinkFinding{Code: code, Severe: true, Text: fmt.Sprintf(format, args...)})
	}
	ctx, cancel := context.WithTimeout(ctx, landingPatience)
	defer cancel()
	client := landingClient(a.PrivateLandings)
	defer client.CloseIdleConnections()
	dropped := false
	for {
		status, next, err := askOnce(ctx, client, address)
		if err != nil {
			severe(affiliate.FindingUnreachable, "The page %s cannot be reached: %s.", address, err)
			return hops, found
		}
		hops = append(hops, Hop{address, status})
		if next == nil {
			break
		}
		if !dropped && !affiliate.CarriesLink(next, slug) {
			dropped = true
			severe(affiliate.FindingQueryDropped, "The page %s leads on to %s without the link's parameters: the "+
				"store may not see who sent the visitor. Let the link lead to where that ends.", address, next)
		}
		if len(hops) == landingHops {
			severe(affiliate.FindingStatus, "The landing page leads on more than %d times.", landingHops)
			return hops, found
		}
		address = next.String()
	}
	if last := hops[len(hops)-1]; last.Status >= http.StatusBadRequest {
		severe(affiliate.FindingStatus, "The page %s answers %d %s.", last.Address, last.Status,
			http.StatusText(last.Status))
	}
	return hops, found
}

// askOnce gets a page and says where it redirects to; nil when it does not.
func askOnce(ctx context.Context, client *http.Client, address string) (status int, next *url.URL, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (compatible; Tributary link check)")
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	response, err := client.Do(r)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address, which is told anyway
		}
		return 0, nil, err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, landingBytes) // a page of any length is fine
	if next, err = response.Location(); err != nil || response.StatusCode/100 != 3 {
		return response.StatusCode, nil, nil
	}
	if next.Scheme != "http" && next.Scheme != "https" {
		return response.StatusCode, nil, fmt.Errorf("it leads on to %s, which is no page", next.Scheme)
	}
	return response.StatusCode, next, nil
}

// landingClient follows no redirect by itself, and refuses addresses that are not public unless private ones are
// allowed: what people write as a landing page must not reach what stands beside this server.
func landingClient(private bool) *http.Client {
	dialer := net.Dialer{Timeout: landingPatience, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err == nil && !private && !affiliate.IsPublic(at.Addr()) {
			err = errPrivate
		}
		return err
	}}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: landingPatience},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

var errPrivate = errors.New("its address is not a public one, and those are not asked (LINK_CHECK_ADDRESSES)")
