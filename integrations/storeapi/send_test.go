package storeapi

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestGuard(t *testing.T) {
	tests := []struct {
		private []string
		address string
		want    bool
	}{
		{nil, "93.184.215.14:443", true},
		{nil, "[2606:4700::1111]:443", true},
		{nil, "127.0.0.1:80", false},
		{nil, "[::ffff:127.0.0.1]:80", false},
		{nil, "[64:ff9b::a00:1]:80", false},
		{nil, "[fe80::1%eth0]:80", false},
		{nil, "169.254.169.254:80", false},
		{nil, "100.64.1.1:80", false},
		{nil, "0.0.0.0:80", false},
		{[]string{"10.0.0.5"}, "10.0.0.5:8080", true},
		{[]string{"10.0.0.5"}, "[::ffff:10.0.0.5]:8080", true},
		{[]string{"10.0.0.5"}, "10.0.0.6:8080", false},
		{[]string{"shop.internal", "10.0.0.0/8"}, "10.9.8.7:443", true},
		{[]string{"10.0.0.0/8"}, "192.168.0.1:443", false},
		{[]string{"fd00::/8"}, "[fd12::1]:443", true},
		{[]string{"shop.internal"}, "10.9.8.7:443", false},
	}
	for _, test := range tests {
		err := (&Web{Private: test.private}).guard("tcp", test.address, nil)
		if (err == nil) != test.want || err != nil && !errors.Is(err, errPrivate) {
			t.Errorf("%v %s: %v, want %t", test.private, test.address, err, test.want)
		}
	}
}

func TestAsk_private(t *testing.T) {
	for _, test := range []struct {
		private []string
		host    string
		want    bool
	}{{nil, "127.0.0.1", false}, {nil, "localhost", false}, {[]string{"10.0.0.0/8", "other"}, "localhost", false},
		{[]string{"LOCALHOST"}, "localhost", true}, {[]string{"127.0.0.0/8", "::1"}, "localhost", true},
		{[]string{"*"}, "127.0.0.1", true}} {
		s := newStore(t, says(200, `{}`))
		address := strings.Replace(s.URL, "127.0.0.1", test.host, 1)
		web := &Web{Private: test.private}
		_, err := web.Caller(siteOf(address)).Ask(t.Context(), Request{Address: address})
		if test.want && err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if test.want {
			web.http().CloseIdleConnections()
			continue
		}
		m := wantCode(t, err, affiliate.Invalid, affiliate.StorePrivate)
		if !strings.Contains(m, "ALLOW_PRIVATE_STORES") {
			t.Error(m)
		}
	}
}

// nameServer answers each question for an IPv4 address with the next of some, the last one for ever.
func nameServer(t *testing.T, addresses ...string) *net.Resolver {
	at, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = at.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for n := 0; ; {
			size, from, err := at.ReadFrom(buffer)
			if err != nil {
				return
			}
			q := buffer[:size]
			end := 12
			for q[end] != 0 {
				end += int(q[end]) + 1
			}
			end += 5
			answer := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
			if binary.BigEndian.Uint16(q[end-4:]) == 1 {
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, netip.MustParseAddr(addresses[min(n, len(addresses)-1)]).AsSlice()...)
				n++
			}
			_, _ = at.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", at.LocalAddr().String())
	}}
}

// TestAttack_dns: a name leads to a public address while it is looked at, and to this machine when it is asked.
func TestAttack_dns(t *testing.T) {
	var asked atomic.Int64
	s := newStore(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	address := "http://shop.example:" + strings.Split(s.site.Host, ":")[1] + "/"
	web := &Web{resolver: nameServer(t, "93.184.215.14", "127.0.0.1"), Private: []string{"10.0.0.0/8", "example"}}
	found, err := web.resolver.LookupNetIP(t.Context(), "ip4", "shop.example.")
	if err != nil || len(found) != 1 || !affiliate.IsPublic(found[0]) {
		t.Fatalf("it leads to %v, %v", found, err)
	}
	for range 2 {
		_, err = web.Caller(siteOf(address)).Ask(t.Context(), Request{Address: address})
		wantCode(t, err, affiliate.Invalid, affiliate.StorePrivate)
	}
	if asked.Load() > 0 {
		t.Error("this machine was asked")
	}
}

func TestRedirect(t *testing.T) {
	tests := []struct {
		from, to string
		want     string // empty: it is followed
	}{
		{"http://shop.example/a", "https://shop.example/a", ""},
		{"http://shop.example:80/a", "https://SHOP.example:443/b", ""},
		{"https://shop.example/a", "https://shop.example/b", ""},
		{"https://shop.example:8443/a", "https://shop.example:8443/b", ""},
		{"https://shop.example/a", "https://www.shop.example/a", "to www.shop.example"},
		{"https://shop.example/a", "http://shop.example/a", "from https to plain http"},
		{"https://shop.example/a", "https://shop.example:444/a", "to shop.example:444"},
		{"http://shop.example:8080/a", "https://shop.example/a", "to shop.example"},
		{"https://shop.example/a", "https://shop.example.evil/a", "to shop.example.evil"},
		{"https://shop.example/a", "https://shop.example@evil.example/a", "to evil.example"},
		{"https://shop.example/a", "ftp://shop.example/a", "from https to plain http"},
	}
	for _, test := range tests {
		from, _ := http.NewRequest(http.MethodGet, test.from, nil)
		to, _ := http.NewRequest(http.MethodGet, test.to, nil)
		got := ""
		if err := redirect(to, []*http.Request{from}); err != nil {
			got = err.(*redirected).to
		}
		if got != test.want {
			t.Errorf("%s to %s: leads on %q, want %q", test.from, test.to, got, test.want)
		}
	}
}

func TestAsk_redirects(t *testing.T) {
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		switch body, _ := io.ReadAll(r.Body); r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/orders?page=1", http.StatusMovedPermanently)
		case "/kept":
			http.Redirect(w, r, "/orders", http.StatusPermanentRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		default:
			if r.Header.Get("Authorization") != "Basic x" || r.Referer() != "" {
				t.Errorf("headers %v", r.Header)
			}
			says(200, `{"got":"`+r.Method+" "+string(body)+`"}`)(w, r)
		}
	})
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/moved", "GET "}, {"POST", "/kept", "POST {}"}, {"POST", "/moved", "loses what was sent"},
		{"GET", "/round", "again and again"}, {"GET", "/nowhere", "leads on to nowhere"},
	} {
		a, err := s.Ask(t.Context(), Request{Method: test.method, Address: s.URL + test.path + "?k=" + key,
			Header: http.Header{"Authorization": {"Basic x"}}, Body: []byte(`{}`[:2*strings.Count(test.method, "POST")])})
		if err == nil {
			if got := string(a.Body); got != `{"got":"`+test.want+`"}` {
				t.Errorf("%s: %s", test.path, got)
			}
			continue
		}
		if m := wantCode(t, err, affiliate.Invalid, affiliate.StoreRedirect); !strings.Contains(m, test.want) {
			t.Errorf("%s: %s", test.path, m)
		}
	}
}

// TestAttack_redirect_keys: keys go to no other host, by whatever redirect.
func TestAttack_redirect_keys(t *testing.T) {
	var asked atomic.Int64
	thief := newStore(t, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); _, _ = io.WriteString(w, `{}`) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{thief.URL + "/x", strings.TrimPrefix(thief.URL, "http:"),
			strings.Replace(thief.URL, "//", "//a:b@", 1)} {
			for _, method := range []string{"GET", "POST"} {
				s := newStore(t, says(status, "", "Location", to))
				_, err := s.get(func(r *Request) {
					r.Method, r.Header = method, http.Header{"X-Shopify-Access-Token": {key}, "Authorization": {secret}}
				})
				wantCode(t, err, affiliate.Invalid, affiliate.StoreRedirect)
			}
		}
	}
	if asked.Load() > 0 {
		t.Errorf("another host was asked %d times", asked.Load())
	}
}

// TestAttack_bomb: a small answer that unpacks to a large one is read up to the limit.
func TestAttack_bomb(t *testing.T) {
	s := newStore(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		block := make([]byte, 64<<10)
		for range 512 {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
	})
	a, err := s.get(func(r *Request) { r.Most = 1 << 20 })
	if m := wantCode(t, err, affiliate.Invalid, affiliate.StoreAnswer); !strings.Contains(m, "more than 1 MiB") {
		t.Error(m)
	}
	if !TooMuch(err) || a.Body != nil {
		t.Errorf("too much: %t; %d bytes kept", TooMuch(err), len(a.Body))
	}
	s = newStore(t, says(200, `{"orders":"not packed at all"}`, "Content-Encoding", "gzip"))
	_, err = s.get()
	wantCode(t, err, affiliate.Invalid, affiliate.StoreAnswer)
}

// TestAttack_slow_body: an answer that comes byte by byte ends with the time of its try.
func TestAttack_slow_body(t *testing.T) {
	s := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
	})
	_, err := s.get(func(r *Request) { r.Timeout, r.Repeatable = 10*time.Millisecond, false })
	if m := wantCode(t, err, affiliate.Unavailable, affiliate.StoreUnreachable); !strings.Contains(m, "within 0.01 s") {
		t.Error(m)
	}
}

func TestAsk_certificates(t *testing.T) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(name string, from, until time.Time) tls.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until, DNSNames: []string{name},
			IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
		if name != "" {
			c.IPAddresses = nil
		} else {
			c.DNSNames = nil
		}
		der, err := x509.CreateCertificate(rand.Reader, c, c, own.Public(), own)
		if err != nil {
			t.Fatal(err)
		}
		leaf, _ := x509.ParseCertificate(der)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own, Leaf: leaf}
	}
	old, today := time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC), time.Now()
	for _, test := range []struct {
		name    string
		cert    tls.Certificate
		unknown bool
		want    string // empty: answered
	}{
		{"good", issue("", old, today.AddDate(1, 0, 0)), false, ""},
		{"expired", issue("", old, old.AddDate(0, 3, 0)), false, "has been expired since 2020-06-01"},
		{"not yet", issue("", today.AddDate(0, 1, 0), today.AddDate(1, 0, 0)), false, "is valid from"},
		{"of another", issue("other.example", old, today.AddDate(1, 0, 0)), false, "of another name (other.example)"},
		{"of nobody", issue("", old, today.AddDate(1, 0, 0)), true, "is of an authority that is not known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(says(200, `{}`))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{test.cert}}
			s.StartTLS()
			defer s.Close()
			web := &Web{Private: []string{"*"}, Roots: x509.NewCertPool()}
			defer web.http().CloseIdleConnections()
			if !test.unknown {
				web.Roots.AddCert(test.cert.Leaf)
			}
			_, err := web.Caller(siteOf(s.URL)).Ask(t.Context(), Request{Address: s.URL, Repeatable: true})
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if m := wantCode(t, err, affiliate.Invalid, affiliate.StoreCertificate); !strings.Contains(m, test.want) {
				t.Error(m)
			}
		})
	}
	plain := newStore(t, says(200, `{}`))
	_, err = plain.get(func(r *Request) { r.Address = "https://" + plain.site.Host })
	wantCode(t, err, affiliate.Invalid, affiliate.StoreUnreachable)
}

func TestAsk_unknown_name(t *testing.T) {
	c := (&Web{}).Caller(Site{Host: "shop.example"})
	err := &url.Error{Err: &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true, Name: "shop.example"}}}
	fail := c.notAnswered(t.Context(), err, time.Second, false)
	wantCode(t, fail, affiliate.Unavailable, affiliate.StoreUnreachable)
	if fail.again || !strings.HasPrefix(fail.Error(), "There is no host shop.example.") {
		t.Error(fail)
	}
}
