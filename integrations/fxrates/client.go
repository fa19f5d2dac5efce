package fxrates

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Names of the bank's files.
const (
	latestFile  = "eurofxref-daily.xml"
	recentFile  = "eurofxref-hist-90d.xml"
	historyFile = "eurofxref-hist.zip"
)

// timeout bounds one request; the largest file takes seconds.
const timeout = time.Minute

// Client fetches the bank's files. The zero HTTP client is one with a timeout.
type Client struct {
	// URL is http, https or file://, or the path of a file on this machine. One that ends with / is the folder in which
	// the bank's files lie; any other is one file, which is read whichever rates are asked for.
	URL  string
	HTTP *http.Client
}

// Source is the address without what may be secret in it, or the path.
func (c Client) Source() string {
	address, err := url.Parse(c.URL)
	if err != nil || !strings.Contains(c.URL, "://") {
		return c.URL
	}
	address.User, address.RawQuery, address.Fragment = nil, "", ""
	return address.String()
}

// Latest gives the rates of the last day.
func (c Client) Latest(ctx context.Context) ([]money.ReferenceRate, error) {
	return c.fetch(ctx, latestFile)
}

// Recent gives the rates of the last 90 days.
func (c Client) Recent(ctx context.Context) ([]money.ReferenceRate, error) {
	return c.fetch(ctx, recentFile)
}

// History gives the rates of all days since 1999.
func (c Client) History(ctx context.Context) ([]money.ReferenceRate, error) {
	return c.fetch(ctx, historyFile)
}

func (c Client) fetch(ctx context.Context, name string) ([]money.ReferenceRate, error) {
	if !strings.Contains(c.URL, "://") {
		return readFile(inFolder(c.URL, name))
	}
	address, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	address.Path, address.RawPath = inFolder(address.Path, name), ""
	switch {
	case address.Scheme != "file":
		return c.download(ctx, address)
	case address.Host != "" && address.Host != "localhost":
		return nil, fmt.Errorf("%s names another machine; a file on this one looks like file:///srv/rates.csv", c.URL)
	}
	return readFile(address.Path)
}

func inFolder(path, name string) string {
	if strings.HasSuffix(path, "/") {
		return path + name
	}
	return path
}

func (c Client) download(ctx context.Context, address *url.URL) (list []money.ReferenceRate, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Tributary")
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: timeout}
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", address.Redacted(), res.Status)
	}
	return parseNamed(address.Redacted(), res.Body)
}

func readFile(path string) (list []money.ReferenceRate, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return parseNamed(path, f)
}

func parseNamed(name string, r io.Reader) ([]money.ReferenceRate, error) {
	list, err := Parse(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}
