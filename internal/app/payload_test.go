package app

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPayloadGivesBackTheBody(t *testing.T) {
	kept := []string{"X-Topic", "X-Id", "X-Missing"}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		h := http.Header{}
		if rapid.Bool().Draw(t, "headers") {
			h = http.Header{"X-Topic": {"orders/paid"}, "X-Id": {"7"}, "X-Other": {"not kept"}}
		}
		headers, got, err := UnpackPayload(packPayload(kept, h, body))
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("got back %q, %v; want %q", got, err, body)
		}
		want := ""
		if len(h) > 0 {
			want = "X-Topic: orders/paid\nX-Id: 7"
		}
		if string(headers) != want {
			t.Fatalf("headers are %q, want %q", headers, want)
		}
	})
}

func TestPayloadOfALargeBody(t *testing.T) {
	body := []byte(strings.Repeat(`{"note":"`+strings.Repeat("é", 1000)+`"}`, 1000))
	_, got, err := UnpackPayload(packPayload(nil, nil, body))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("got back %d bytes, %v; want %d", len(got), err, len(body))
	}
}

func TestDamagedPayloadIsAnError(t *testing.T) {
	packed := packPayload(nil, nil, []byte(`{"id":1}`))
	packed[len(packed)-1] ^= 1
	if _, _, err := UnpackPayload(packed); err == nil {
		t.Error("a damaged payload was read")
	}
}
