package affiliate_test

import (
	"net/netip"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{"93.184.215.14": true, "2606:4700::1111": true, "127.0.0.1": false,
		"::1": false, "10.1.2.3": false, "172.31.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "fe80::1": false,
		"fd00::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false,
		"2002:7f00:1::": false, "198.18.0.1": false, "::127.0.0.1": false,
		"fec0::1": false, "3fff::1": false, "192.88.99.1": false, "fe80::1%eth0": false} {
		if got := affiliate.IsPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %t, want %t", address, got, want)
		}
	}
}
