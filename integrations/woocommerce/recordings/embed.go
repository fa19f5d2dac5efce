// Package recordings holds webhook requests as a real WooCommerce store sent them, and what must come out of them. The
// README beside this file says how they were made and what had happened in the store before each.
package recordings

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed *.http expected.json creators.csv
var files embed.FS

// Delivery is one recorded request.
type Delivery struct {
	File    string
	Topic   string // "ping" for pings
	Header  http.Header
	Body    []byte // byte for byte
	OrderID string // the order it is about, "" when none
}

// Deliveries gives all requests in the order in which the store sent them, which is that of their names.
func Deliveries() ([]Delivery, error) {
	names, err := fs.Glob(files, "*.http")
	if err != nil {
		return nil, err
	}
	deliveries := make([]Delivery, 0, len(names))
	for _, name := range names {
		d, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("read recording %s: %w", name, err)
		}
		deliveries = append(deliveries, d)
	}
	return deliveries, nil
}

func read(name string) (Delivery, error) {
	raw, err := files.ReadFile(name)
	if err != nil {
		return Delivery{}, err
	}
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return Delivery{}, err
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return Delivery{}, err
	}
	topic := request.Header.Get("X-WC-Webhook-Topic")
	if topic == "" {
		topic = "ping"
	}
	return Delivery{File: name, Topic: topic, Header: request.Header, Body: body, OrderID: orderID(topic, body)}, nil
}

// orderID finds the order in a body: its id under order.*, the argument of those actions whose argument is an order.
func orderID(topic string, body []byte) string {
	var ids struct {
		ID  json.Number `json:"id"`
		Arg json.Number `json:"arg"`
	}
	switch {
	case strings.HasPrefix(topic, "order."):
	case topic == "action.woocommerce_payment_complete", topic == "action.woocommerce_order_refunded",
		topic == "action.woocommerce_delete_order":
	default:
		return ""
	}
	if json.Unmarshal(body, &ids) != nil {
		return ""
	}
	return ids.ID.String() + ids.Arg.String()
}

// Expected gives expected.json: the store, and what every order must come to.
func Expected() []byte { return embedded("expected.json") }

// CreatorsCSV gives creators.csv: who owns which code and link, in the import format.
func CreatorsCSV() []byte { return embedded("creators.csv") }

func embedded(name string) []byte {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err) // not reached: the file is part of the program
	}
	return content
}
