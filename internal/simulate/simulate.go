// Package simulate is the load generator: it makes up the lives of orders as Shopify and WooCommerce tell them
// (created, paid, refunded in all ways, canceled, edited), signs, repeats and shuffles the deliveries, sends them, and
// checks at the end through the API that every order ended as it must. What must come out it knows from its own
// bookkeeping, which shares no code with the product's rules.
package simulate

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Owner is a creator with a code and a link, and what one sale earns.
type Owner struct {
	Creator string // "" when it does not matter who it is
	Code    string
	Slug    string
	Percent int64 // 1/10000
	Flat    int64 // minor units, per order
}

// Plan says what to make up. The same plan gives the same deliveries.
type Plan struct {
	Platform   affiliate.Platform
	Store      string // slug
	Domain     string // of a Shopify store; empty: its slug + ".myshopify.com"
	Secret     string
	Orders     int
	Duplicates int // of a hundred deliveries, how many are sent twice
	Shuffle    int // how far a delivery may be from its turn; 0 keeps the order
	Seed       uint64
	Now        time.Time // orders are placed within the day before
	MinSize    int       // of order bodies, in bytes; roughly kept
	MaxSize    int
	Currency   money.Currency
	Owners     []Owner
}

// DefaultOwners are the creators of [CreatorsCSV], with a share or an amount per sale or both.
func DefaultOwners(n int) []Owner {
	rates := []int64{1000, 1250, 725, 500, 2000, 1500}
	owners := make([]Owner, n)
	for i := range owners {
		number := fmt.Sprintf("%03d", i+1)
		owners[i] = Owner{Creator: ownerName(i), Code: "SIM" + number, Slug: "sim-" + number,
			Percent: rates[i%len(rates)]}
		if i%4 == 3 {
			owners[i].Flat = 150
		}
	}
	return owners
}

func ownerName(i int) string { return fmt.Sprintf("Sim Creator %03d", i+1) }

// CreatorsCSV gives the owners in the format of "tributary import".
func CreatorsCSV(owners []Owner, store string, currency money.Currency) string {
	var b strings.Builder
	out := csv.NewWriter(&b)
	row := func(cells ...string) { _ = out.Write(cells) } // a strings.Builder takes everything
	row("campaign", "creator", "instagram", "email", "offer", "store", "code", "link_slug", "landing_url",
		"commission_percent", "commission_flat", "product_value")
	for i, w := range owners {
		name := w.Creator
		if name == "" {
			name = ownerName(i)
		}
		handle, landing := strings.ReplaceAll(strings.ToLower(name), " ", "."), ""
		if w.Slug != "" {
			landing = "https://shop.example/"
		}
		row("Simulation", name, "@"+handle, handle+"@creators.example", "Simulation "+name, store, w.Code,
			w.Slug, landing, money.FormatScaled(w.Percent, 2), money.Format(w.Flat, currency), "0")
	}
	out.Flush()
	return b.String()
}

func ownerOf(owners []Owner, is func(Owner) bool) int {
	for i, w := range owners {
		if is(w) {
			return i
		}
	}
	return -1
}

func sameCode(a, b string) bool { return strings.EqualFold(a, b) }

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
