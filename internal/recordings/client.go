package recordings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client sends deliveries as a store does, and asks a running server what became of them.
type Client struct {
	Base  string // http://127.0.0.1:8080
	Token string // of the API
	HTTP  *http.Client
}

// NewClient makes a client that gives up on an answer after half a minute and follows no redirects. Close it before the
// server is stopped: net/http's Shutdown waits five seconds for a connection that was opened and not used yet.
func NewClient(base, token string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Client{Base: base, Token: token, HTTP: &http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Close closes the connections that are kept for later requests.
func (c *Client) Close() { c.HTTP.CloseIdleConnections() }

// Send sends one delivery and gives the status of the answer.
func (c *Client) Send(ctx context.Context, r Request) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+r.Path(), bytes.NewReader(r.Body))
	if err != nil {
		return 0, err
	}
	request.Header = r.Header.Clone()
	response, err := c.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// Deliver sends one delivery; an answer other than 200 is an error.
func (c *Client) Deliver(ctx context.Context, r Request) error {
	status, err := c.Send(ctx, r)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("answered %d", status)
	}
	if err != nil {
		return fmt.Errorf("send %s: %w", r.File, err)
	}
	return nil
}

// Get reads a JSON document. The error of an answer other than 200 is a [StatusError].
func (c *Client) Get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, nil)
	if err != nil {
		return err
	}
	return c.do(request, into)
}

// Post sends a JSON document and reads one.
func (c *Client) Post(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return c.do(request, into)
}

func (c *Client) do(request *http.Request, into any) error {
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return &StatusError{request.Method + " " + request.URL.Path, response.StatusCode, string(text)}
	}
	return json.Unmarshal(text, into)
}

// StatusError is an answer that is not 200.
type StatusError struct {
	What   string
	Status int
	Body   string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: answered %d: %s", e.What, e.Status, e.Body)
}

// Order reads an order; false when there is none.
func (c *Client) Order(ctx context.Context, store, externalID string) (Order, bool, error) {
	var o Order
	err := c.Get(ctx, "/api/v1/orders/"+store+"/"+externalID, &o)
	var answer *StatusError
	if errors.As(err, &answer) && answer.Status == http.StatusNotFound {
		return o, false, nil
	}
	return o, err == nil, err
}

// Status is what GET /status tells of the inbox.
type Status struct {
	Time       time.Time `json:"time"`
	Deliveries struct {
		Waiting int `json:"waiting"`
		Failed  int `json:"failed"`
	} `json:"deliveries"`
}

// WaitProcessed returns when nothing waits any more of what was sent before the call. tell, which may be nil, hears how
// many still wait.
func (c *Client) WaitProcessed(ctx context.Context, tell func(waiting int)) error {
	since := time.Now() // the status may be a moment old
	for {
		var s Status
		err := c.Get(ctx, "/status", &s)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case err == nil && s.Time.After(since):
			if tell != nil {
				tell(s.Deliveries.Waiting)
			}
			if s.Deliveries.Waiting == 0 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d deliveries still wait: %w", s.Deliveries.Waiting, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
