package shopify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// StartExport has Shopify write out the orders of a window: a bulk operation
// (https://shopify.dev/docs/api/usage/bulk-operations/queries). Five may run at a time for an app in a shop.
func (c *Client) StartExport(ctx context.Context, w affiliate.OrderWindow) (string, error) {
	var data struct {
		Run struct {
			Operation *struct {
				ID string `json:"id"`
			} `json:"bulkOperation"`
			UserErrors []userError `json:"userErrors"`
		} `json:"bulkOperationRunQuery"`
	}
	c.mu.Lock()
	looked := c.looked
	c.mu.Unlock()
	if !looked { // what the keys may not see fails all of an export
		if _, err := c.Orders(ctx, w, ""); err != nil {
			return "", err
		}
	}
	c.mu.Lock()
	query := bulkOrders(search(w.By, w.From, w.Until), c.hidden)
	c.mu.Unlock()
	op := operation{name: "StartExport", text: startBulk, changes: true}
	_, err := c.ask(ctx, op, map[string]any{"query": query}, &data, false)
	if err != nil && strings.Contains(err.Error(), "groupObjects") { // versions without it group at all times
		op.text = strings.Replace(op.text, ", groupObjects: true", "", 1)
		_, err = c.ask(ctx, op, map[string]any{"query": query}, &data, false)
	}
	if err != nil {
		return "", err
	}
	if len(data.Run.UserErrors) > 0 {
		e := data.Run.UserErrors[0]
		if e.Code == "OPERATION_IN_PROGRESS" || e.about("in progress") {
			return "", problem(affiliate.Unavailable, affiliate.StoreBusy, "Shopify writes out as much for this app "+
				"as it does at a time. It is asked again when that is done.")
		}
		return "", problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify does not write the orders out: %s.",
			c.quote(e.Message))
	}
	if data.Run.Operation == nil {
		return "", problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify did not begin to write the orders "+
			"out, and did not say why. It is asked again later.")
	}
	return data.Run.Operation.ID, nil
}

// ExportState says how far one has come.
func (c *Client) ExportState(ctx context.Context, id string) (affiliate.Export, error) {
	var data struct {
		Operation *struct {
			Status      string      `json:"status"`
			ErrorCode   string      `json:"errorCode"`
			ObjectCount json.Number `json:"objectCount"`
			URL         string      `json:"url"`
			Partial     string      `json:"partialDataUrl"`
		} `json:"bulkOperation"`
	}
	op := operation{name: "ExportState", text: bulkState}
	if _, err := c.ask(ctx, op, map[string]any{"id": id}, &data, false); err != nil {
		return affiliate.Export{}, err
	}
	o := data.Operation
	if o == nil {
		return affiliate.Export{}, problem(affiliate.NotFound, affiliate.StoreAnswer, "Shopify does not know the "+
			"export any more: it keeps them for seven days. Begin a new one.")
	}
	objects, _ := o.ObjectCount.Int64()
	e := affiliate.Export{Objects: objects, Address: o.URL}
	switch o.Status {
	case "COMPLETED":
		e.Done = true
	case "FAILED", "CANCELED", "EXPIRED":
		e.Done, e.Failed, e.Address = true, failedExport(o.Status, o.ErrorCode), ""
		if o.Partial != "" {
			e.Address = o.Partial + part
		}
	}
	return e, nil
}

func failedExport(status, code string) string {
	switch {
	case code == "ACCESS_DENIED":
		return "Shopify ended the export: the app may not read all that was asked for. Give it the scopes that the " +
			"store's page names."
	case status == "CANCELED":
		return "Somebody canceled the export in Shopify. Begin a new one."
	case status == "EXPIRED":
		return "Shopify does not keep the export any more. Begin a new one."
	}
	return "Shopify failed at writing the orders out. What it has is read, and the rest is asked for page by page."
}

// part marks the address of what an export had written when it failed: its last order may lack rows.
const part = "#part"

// ReadExport hands the orders of an export to each. The file lies on another host, which gets no keys. It is JSON
// Lines: an order, then the rows of its lists, which name it as __parentId. The address itself lets whoever has it read
// the file, so that no error names it.
func (c *Client) ReadExport(ctx context.Context, address string, after int64,
	each func(affiliate.StoreOrder) error) error {
	if address == "" {
		return nil // an export without any order has no file
	}
	address, partial := strings.CutSuffix(address, part)
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify gave no address for the export.")
	}
	lines := bufio.NewReaderSize(&fileReader{ctx: ctx, address: address, caller: c.web.Caller(storeapi.Site{
		Host: u.Host, Name: guide.Name, Keys: guide.Access.Keys, Secrets: []string{address, u.RequestURI()}})}, 64<<10)
	var one exported
	for n := int64(0); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		ended := err != nil
		row, err := readRow(line)
		if err != nil && !(ended && partial) {
			return err
		}
		if one.order != nil && (ended && !partial || row.order()) {
			if n++; n > after {
				o, err := one.whole()
				if err != nil {
					return err
				}
				if err := each(o); err != nil {
					return err
				}
			}
		}
		switch {
		case ended:
			return nil
		case row.order():
			one = exported{id: row.ID, order: bytes.Clone(line)}
		case row.Parent == "":
		case row.Parent != one.id:
			return problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify's export is not in the order that was "+
				"asked for. The orders are asked for page by page.")
		case row.Typename != "":
			one.applications = append(one.applications, bytes.Clone(line))
		default:
			one.lines = append(one.lines, bytes.Clone(line))
		}
	}
}

// row is one line of an export.
type row struct {
	ID       string `json:"id"`
	Parent   string `json:"__parentId"`
	Typename string `json:"__typename"` // of discounts alone
}

func (r row) order() bool { return r.ID != "" && r.Parent == "" }

func readRow(line []byte) (r row, err error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return r, nil
	}
	if json.Unmarshal(line, &r) != nil {
		return row{}, problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify's export holds a line that is no "+
			"JSON. It is read again later.")
	}
	return r, nil
}

// exported is an order with its rows.
type exported struct {
	id                  string
	order               json.RawMessage
	lines, applications []json.RawMessage
}

// whole puts the rows where pages of orders have them.
func (e exported) whole() (affiliate.StoreOrder, error) {
	o, err := decode(e.order)
	if err != nil {
		return affiliate.StoreOrder{}, err
	}
	o["lineItems"] = map[string]any{"nodes": append([]json.RawMessage{}, e.lines...)}
	o["discountApplications"] = map[string]any{"nodes": append([]json.RawMessage{}, e.applications...)}
	body, err := json.Marshal(o)
	if err != nil {
		return affiliate.StoreOrder{}, fmt.Errorf("write order: %w", err)
	}
	order, h, err := orderOf(body)
	order.Rough = len(h.Refunds) > 0
	return order, err
}

// pieceOfExport is how much of the file is asked for at a time, in bytes: all that is held of it.
const pieceOfExport = 4 << 20

// fileReader reads a file piece by piece.
type fileReader struct {
	ctx     context.Context
	caller  *storeapi.Caller
	address string
	at      int64
	piece   []byte
	ended   bool
}

func (f *fileReader) Read(p []byte) (int, error) {
	for len(f.piece) == 0 {
		if f.ended {
			return 0, io.EOF
		}
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.piece)
	f.piece = f.piece[n:]
	return n, nil
}

func (f *fileReader) next() error {
	a, err := f.caller.Ask(f.ctx, storeapi.Request{Method: http.MethodGet, Address: f.address, Repeatable: true,
		Header: http.Header{"Accept": {"*/*"}, "Accept-Encoding": {"identity"},
			"Range": {fmt.Sprintf("bytes=%d-%d", f.at, f.at+pieceOfExport-1)}},
		Accept: []int{http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable}})
	switch {
	case err != nil && !(a.Status == http.StatusPartialContent && len(a.Body) > 0): // a piece may begin as a page does
		return err
	case a.Status == http.StatusRequestedRangeNotSatisfiable:
		f.ended = true
	case a.Status == http.StatusOK: // whole, as servers without ranges answer
		f.piece, f.ended = a.Body[min(f.at, int64(len(a.Body))):], true
	default:
		f.piece, f.ended = a.Body, len(a.Body) < pieceOfExport
	}
	f.at += int64(len(a.Body))
	return nil
}
