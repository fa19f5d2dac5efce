package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// demoShops are made-up shops whose APIs answer on this machine, to be connected by whoever looks around. Their
// customers order now and then.
type demoShops struct {
	list    []config.DemoShop
	servers []*http.Server
	end     context.CancelFunc
	running sync.WaitGroup
}

// Orders of the demo's shops from before they are connected, and how often something may happen there.
const (
	demoShopOrders = 300
	demoShopPast   = 90 * 24 * time.Hour
	demoShopPace   = 5 * time.Second
)

// openDemoShops has a shop of each platform answer, each at an address of its own.
func openDemoShops() (s *demoShops, err error) {
	ctx, end := context.WithCancel(context.Background())
	s = &demoShops{end: end}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	outlet, at, err := listenLocally()
	if err != nil {
		return s, err
	}
	shop := fakestore.WooCommerce(fakestore.Options{Name: "Demo outlet", Domain: outlet.Addr().String(),
		Currency: "EUR", Timezone: "Europe/Berlin", Alive: true, Woo: fakestore.WooQuirks{AnyCallback: true}})
	s.serve(ctx, outlet, shop)
	s.list = append(s.list, config.DemoShop{Platform: woocommerce.Name, At: at, Keys: shop.Keys(at)})

	boutique, at, err := listenLocally()
	if err != nil {
		return s, err
	}
	shop = fakestore.Shopify(fakestore.Options{Name: "Demo boutique", Domain: "demo-boutique.myshopify.com", Seed: 1,
		Timezone: "America/New_York", Alive: true, Shopify: fakestore.ShopifyQuirks{AnyAddress: true}})
	s.serve(ctx, boutique, shop)
	s.list = append(s.list, config.DemoShop{Platform: shopify.Name, At: at, Keys: shop.Keys(at)})
	return s, nil
}

// listenLocally takes a free port of this machine, and gives its address without a trailing slash.
func listenLocally() (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("open a shop of the demo: %w", err)
	}
	return l, "http://" + l.Addr().String(), nil
}

// serve gives a shop a past and opens it.
func (s *demoShops) serve(ctx context.Context, l net.Listener, shop *fakestore.Shop) {
	now := time.Now()
	codes := []string{"WELCOME10", "ANNAKELLER15", "LEOLIND15", "FAN4YOU"} // of the shop, of creators, and of nobody
	for _, code := range codes {
		shop.MakeCoupon(code, 1000)
	}
	shop.Fill(demoShopOrders, now.Add(-demoShopPast), now, codes...)
	mux := http.NewServeMux()
	mux.Handle("/", shop)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		// whoever asked may be gone
		_, _ = io.WriteString(w, shop.Name+" is a made-up shop of the demo. Only its API answers.\n")
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	s.running.Go(func() { _ = server.Serve(l) }) // until close
	s.running.Go(func() { shop.Background(ctx, demoShopPace) })
}

// close ends all shops.
func (s *demoShops) close() (err error) {
	s.end()
	for _, server := range s.servers {
		err = errors.Join(err, server.Close())
	}
	s.running.Wait()
	return err
}

// print says what to type.
func (s *demoShops) print(w io.Writer) {
	fmt.Fprintln(w, "\nTwo more shops answer. Connect them on the page Stores; their keys stand in its forms already:")
	for _, shop := range s.list {
		fmt.Fprintf(w, "  %-12s address %s\n", shop.Platform, shop.Keys.Address)
		k := shop.Keys
		for _, key := range [][2]string{{"id", k.ID}, {"token", k.Token}, {"secret", k.Secret}} {
			if key[1] != "" {
				fmt.Fprintf(w, "  %-12s %-7s %s\n", "", key[0], key[1])
			}
		}
	}
}

// demoKeys are those of the demo's shops, by their platforms.
func demoKeys(cfg config.Config) map[affiliate.Platform]affiliate.StoreKeys {
	keys := map[affiliate.Platform]affiliate.StoreKeys{}
	for _, s := range cfg.DemoShops {
		keys[s.Platform] = s.Keys
	}
	return keys
}
