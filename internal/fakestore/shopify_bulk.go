package fakestore

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// export is a bulk operation.
type export struct {
	id     int64
	query  string
	fields []picked // of an order
	base   string   // where the file is
	polls  int
	failed bool
	denied bool // it asks for what the app may not see
	text   []byte
	rows   int
}

// startExport accepts what Shopify does (measured in 2026-04): edges alone, no list in a list, two levels.
func (f *shopify) startExport(args map[string]any, base string) (any, error) {
	payload := func(operation any, code, message string) (any, error) {
		out := record{"__typename": "BulkOperationRunQueryPayload", "bulkOperation": operation, "userErrors": []any{}}
		if message != "" {
			out["userErrors"] = []any{record{"__typename": "BulkOperationUserError", "field": nil, "message": message,
				"code": code}}
		}
		return out, nil
	}
	if f.Shopify.NoExports {
		return payload(nil, "INVALID", "Invalid bulk query: not for this shop")
	}
	for name := range args {
		if name != "query" && name != "groupObjects" {
			return nil, refused("Field 'bulkOperationRunQuery' doesn't accept argument '" + name + "'")
		}
	}
	text, _ := args["query"].(string)
	_, fields, err := parseGraph(text)
	if err != nil {
		return payload(nil, "INVALID", "Invalid bulk query: "+err.Error())
	}
	node, ok := edgeNode(fields[0])
	if len(fields) != 1 || fields[0].name != "orders" || !ok {
		return payload(nil, "INVALID", "Invalid bulk query: connections are read by edges and node")
	}
	connections := 1
	for _, field := range node {
		if inner, ok := edgeNode(field); ok {
			connections++
			if len(inner) == 0 {
				return payload(nil, "INVALID", "Invalid bulk query: no fields of "+field.name)
			}
		}
		for _, deep := range field.sub {
			if _, nested := edgeNode(deep); nested && field.name == "refunds" {
				return payload(nil, "INVALID", "Invalid bulk query: connection "+deep.name+" inside a list")
			}
		}
		if _, paged := field.args["first"]; paged {
			return payload(nil, "INVALID", "Invalid bulk query: page arguments")
		}
	}
	if connections > 5 {
		return payload(nil, "INVALID", "Invalid bulk query: more than 5 connections")
	}
	running := 0
	for _, e := range f.exports {
		if e.polls > 0 {
			running++
		}
	}
	if running >= 5 {
		return payload(nil, "OPERATION_IN_PROGRESS",
			"A bulk query operation for this app and shop is already in progress")
	}
	q, _ := fields[0].args["query"].(string)
	e := &export{id: f.nextID(), query: q, fields: node, base: base, polls: f.Shopify.Polls,
		failed: f.Shopify.FailExport}
	e.denied = f.Shopify.HidesCustomers && len(f.hidden(fields[0], nil)) > 0
	f.exports = append(f.exports, e)
	return payload(f.operation(e, "CREATED"), "", "")
}

// edgeNode gives the fields of a connection's nodes.
func edgeNode(f picked) ([]picked, bool) {
	if len(f.sub) != 1 || f.sub[0].name != "edges" || len(f.sub[0].sub) != 1 || f.sub[0].sub[0].name != "node" {
		return nil, false
	}
	return f.sub[0].sub[0].sub, true
}

func (f *shopify) operation(e *export, status string) record {
	return record{"__typename": "BulkOperation", "id": "gid://shopify/BulkOperation/" + formatID(e.id), "status": status,
		"errorCode": nil, "objectCount": strconv.Itoa(e.rows), "fileSize": strconv.Itoa(len(e.text)), "url": nil,
		"partialDataUrl": nil}
}

func (f *shopify) exportState(args map[string]any) (any, error) {
	e := f.export(number(args["id"], "BulkOperation"))
	if e == nil {
		return nil, nil
	}
	if e.polls > 0 {
		e.polls--
		return f.operation(e, "RUNNING"), nil
	}
	if e.denied {
		o := f.operation(e, "FAILED")
		o["errorCode"] = "ACCESS_DENIED"
		return o, nil
	}
	if e.text == nil {
		if err := f.writeOut(e); err != nil {
			return nil, err
		}
	}
	address := e.base + "/exports/" + formatID(e.id) + ".jsonl?signature=" + strings.Repeat("5e", 16)
	if e.failed {
		o := f.operation(e, "FAILED")
		o["errorCode"], o["partialDataUrl"] = "INTERNAL_SERVER_ERROR", address
		return o, nil
	}
	o := f.operation(e, "COMPLETED")
	if len(e.text) > 0 {
		o["url"] = address
	}
	return o, nil
}

// ForgetExports has a shop forget what it wrote out, as a week later.
func (s *Shop) ForgetExports() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.face.(*shopify).exports = nil
}

func (f *shopify) export(id int64) *export {
	for _, e := range f.exports {
		if e.id == id {
			return e
		}
	}
	return nil
}

// writeOut writes an order, then the rows of its lists, and so on. A failed export ends amid the rows of an order.
func (f *shopify) writeOut(e *export) error {
	list, _, err := f.chosen(e.query)
	if err != nil {
		return err
	}
	if e.failed {
		list = list[:(len(list)+1)/2]
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	for i, o := range list {
		if !f.sees(o) {
			continue
		}
		var plain []picked
		var lists []picked
		for _, field := range e.fields {
			if _, ok := edgeNode(field); ok {
				lists = append(lists, field)
			} else {
				plain = append(plain, field)
			}
		}
		node := f.node(o)
		order, err := resolveObject(node, plain, nil)
		if err != nil {
			return err
		}
		_ = out.Encode(order) // a buffer takes everything
		e.rows++
		if e.failed && i == len(list)-1 {
			break
		}
		for _, l := range lists {
			inner, _ := edgeNode(l)
			for _, row := range node[l.name].(connection).rows {
				child, err := resolve(row, inner, nil)
				if err != nil {
					return err
				}
				child.(record)["__parentId"] = node["id"]
				if f.Shopify.MixedExport {
					child.(record)["__parentId"] = "gid://shopify/Order/1"
				}
				_ = out.Encode(child)
				e.rows++
			}
		}
	}
	e.text = b.Bytes()
	if e.text == nil {
		e.text = []byte{}
	}
	return nil
}

// file serves an export. It lies on another host in truth, where keys must not be shown.
func (f *shopify) file(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/exports/"), ".jsonl"), 10, 64)
	f.mu.Lock()
	e := f.export(id)
	f.mu.Unlock()
	if e == nil || e.text == nil || r.Header.Get("X-Shopify-Access-Token") != "" {
		writePage(w, http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(e.text))
}
