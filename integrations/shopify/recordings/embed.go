// Package recordings holds webhook bodies of Shopify's with what must come out of them. README.md says of each where it
// is from. Tests, the demo and the load generator use them; the server does not.
package recordings

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
)

//go:embed *.json *.csv
var files embed.FS

// Delivery is one recorded webhook request, without its signature, which depends on the store's secret.
type Delivery struct {
	File, Topic string
	Header      http.Header // all of Shopify's but the signature
	Body        []byte
	OrderID     string // the order it is about; empty when it is about none, or about several
}

// truth is the part of truth.json that describes deliveries. Files are listed in the order in which they were sent.
type truth struct {
	Files []struct {
		File    string            `json:"file"`
		Topic   string            `json:"topic"`
		Headers map[string]string `json:"suggested_headers"`
		Truth   struct {
			OrderID string `json:"order_id"`
		} `json:"truth"`
	} `json:"files"`
}

// Deliveries gives all recorded requests in the order in which the store sent them.
func Deliveries() ([]Delivery, error) {
	var t truth
	if err := json.Unmarshal(read("truth.json"), &t); err != nil {
		return nil, fmt.Errorf("read truth.json: %w", err)
	}
	list := make([]Delivery, 0, len(t.Files))
	for _, f := range t.Files {
		body, err := files.ReadFile(f.File)
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		h := http.Header{}
		for name, value := range f.Headers {
			h.Set(name, value)
		}
		h.Set("Content-Type", "application/json")
		list = append(list, Delivery{File: f.File, Topic: f.Topic, Header: h, Body: body, OrderID: f.Truth.OrderID})
	}
	return list, nil
}

// Expected gives expected.json: what every order must show after all its deliveries.
func Expected() []byte { return read("expected.json") }

// CreatorsCSV gives the creators with their codes and links, in the import format.
func CreatorsCSV() []byte { return read("creators.csv") }

// Truth gives truth.json: where each recording is from, and the store's own figures.
func Truth() []byte { return read("truth.json") }

// SignatureVectors gives hmac-vectors.json.
func SignatureVectors() []byte { return read("hmac-vectors.json") }

func read(name string) []byte {
	data, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the name is one of ours, embedded when this was built
	}
	return data
}
