package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// garden connects a WooCommerce store, whose slug is garden, and makes an offer off_1 of Anna (ofm_1), who has ANNA5
// (cod_1), and Ben (ofm_2), who has BEN5 (cod_2), both of which the store does not have.
func (s shell) garden() *fakestore.Shop {
	s.Helper()
	server := httptest.NewUnstartedServer(nil)
	shop := fakestore.WooCommerce(fakestore.Options{Name: "The garden", Domain: server.Listener.Addr().String(),
		Currency: "EUR", Timezone: "Europe/Vienna"})
	server.Config.Handler = shop
	server.Start()
	s.Cleanup(server.Close)
	keys := shop.Keys(server.URL)
	s.env["ALLOW_PRIVATE_STORES"], s.env["STORE_SECRET"] = "127.0.0.1", keys.Secret
	s.run("migrate").exits(0)
	s.run("store", "connect", "--address", server.URL, "--platform", "woocommerce", "--id", keys.ID, "--slug",
		"garden").exits(0)
	s.run("import", s.file("creators.csv", "campaign,creator,instagram,offer,store,code,commission_percent\n"+
		"Spring,Anna Keller,@anna,Ten,garden,ANNA5,10\nSpring,Ben Lang,@ben,Ten,garden,BEN5,10\n")).exits(0)
	ctx := app.As(s.Context(), commandLine())
	_, err := s.app().ChangeOffer(ctx, 1, app.AnyVersion, func(o *affiliate.Offer) error {
		o.CodePattern = "{{handle}}{{percent}}"
		o.Discount.Kind, o.Discount.Percent = affiliate.DiscountPercent, 1000
		return nil
	})
	ok(s.T, err)
	return shop
}

// file writes a file, and gives its name.
func (s shell) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	ok(s.T, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// wantCodes compares the codes that a shop has.
func (s shell) wantCodes(shop *fakestore.Shop, want ...string) {
	s.Helper()
	got := shop.CouponCodes()
	for i := range got {
		got[i] = strings.ToUpper(got[i])
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("the shop has %v, want %v", got, want)
	}
}

// TestCodeRunCommands makes, changes and ends codes in a store that answers as one does.
func TestCodeRunCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		shop := s.garden()
		s.run("codes", "runs").prints("There is no code run yet")
		s.run("codes", "make", "off_1").exits(2, "either --all or --members")
		s.run("codes", "make", "--all").exits(2, "an argument is missing")
		s.run("codes", "end", "--all").exits(2, "the offer is missing")
		s.run("codes", "end", "off_1").exits(2, "one of --all, --members and --codes")
		s.run("codes", "end", "--codes", "anna").exits(2, "it looks like cod_1")
		s.run("codes", "make", "off_9", "--all").exits(1, "off_9")
		s.run("codes", "make", "off_1", "--all", "--stores", "nowhere").exits(1, "nowhere")
		s.run("codes", "make", "off_1", "--all", "--at", "May").exits(2, "--at")
		s.run("codes", "make", "off_1", "--all", "--pattern", "{{x}}").exits(1, "--pattern")
		s.run("codes", "discount", "off_1", "--all", "--once-per-customer").exits(2, "say what it gives")
		s.run("codes", "discount", "off_1", "--all", "--amount", "5").exits(1, "--currency")
		s.run("codes", "make", "--help").prints("Usage: tributary codes make OFFER (--all | --members IDS) [--stores",
			"tributary codes make off_1 --all --dry-run")

		s.run("codes", "make", "off_1", "--all").exits(1, "there is nothing to do")
		draft := s.run("codes", "make", "off_1", "--members", "ofm_1", "--another", "--dry-run").prints("Anna Keller",
			"ANNA10", "1 waiting", "Nothing was done. Within a day: tributary codes runs cru_")
		s.wantCodes(shop)
		id := draft.stdout[strings.Index(draft.stdout, "cru_"):]
		s.run("codes", "runs", id[:strings.IndexByte(id, ' ')], "--start", "--wait").prints("(make) is done: 1 done.")
		s.wantCodes(shop, "ANNA10")

		made := s.run("codes", "make", "off_1", "--members", "ofm_2", "--another", "--wait", "--json").exits(0).json()
		run, item := made["run"].(map[string]any), made["items"].([]any)[0].(map[string]any)
		if run["state"] != "done" || item["code"] != "BEN10" || item["owned_code"] != "cod_4" ||
			item["by_hand"] != nil {
			s.Errorf("made: %v", made)
		}
		s.wantCodes(shop, "ANNA10", "BEN10")
		s.run("codes", "refresh", "--codes", "cod_3", "--pattern", "{{handle}}X", "--overlap", "7", "--wait").
			prints("ANNAX", "ANNA10", "is done: 1 done.")
		s.wantCodes(shop, "ANNA10", "ANNAX", "BEN10")
		s.run("codes", "deactivate", "--codes", "cod_4", "--wait").prints("(deactivate) is done")
		if shop.CouponWorks("BEN10", s.app().Now()) {
			s.Error("BEN10 works in the store although it was deactivated")
		}
		s.run("codes", "activate", "--codes", "cod_4", "--wait").prints("(activate) is done")
		if !shop.CouponWorks("BEN10", s.app().Now()) {
			s.Error("BEN10 does not work in the store although it was activated")
		}
		s.run("codes", "discount", "--codes", "cod_4", "--amount", "5", "--currency", "EUR", "--minimum", "30",
			"--wait").prints("(discount) is done")
		s.run("codes", "end", "--codes", "cod_4", "--wait").prints("(end) is done")
		later := s.run("codes", "end", "off_1", "--all", "--at", "2099-01-01", "--wait", "--json").exits(0).json()
		waiting := later["run"].(map[string]any)
		if waiting["state"] != "waiting" || waiting["at"] != "2099-01-01T00:00:00Z" {
			s.Errorf("later: %v", waiting)
		}
		s.run("codes", "runs", waiting["id"].(string), "--cancel").prints("is canceled")
		s.run("codes", "runs", waiting["id"].(string), "--retry").exits(1, "it is canceled")
		s.run("codes", "runs", "--offer", "off_1").prints("RUN", "refresh", "canceled")
		if list := s.run("codes", "runs", "--json", "--limit", "2").exits(0).json(); list["more"] != true {
			s.Errorf("listed: %v", list)
		}
		s.run("codes", "runs", "cru_99").exits(1, "cru_99")
		s.run("codes", "runs", "--retry").exits(2, "say which run")
		s.run("codes", "runs", "cru_1", "--retry", "--typed").exits(2, "give one of")
	})
}

// TestCodesInStoreCommand reads the codes of a store, says what is wrong with them, and takes over what is somebody's.
func TestCodesInStoreCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		shop := s.garden()
		for code, percent := range map[string]int64{"ANNA15": 1500, "ben20": 2000, "XMAS": 500, "BENNY": 1000} {
			shop.MakeCoupon(code, percent)
		}
		s.run("codes", "in-store", "garden").prints("were not read yet", "No code fits.")
		s.run("codes", "in-store", "garden", "--set", "lost").exits(2, "--set")
		s.run("codes", "in-store", "garden", "--check", "--set", "gone").exits(2, "leave out --set")
		s.run("codes", "in-store", "nowhere").exits(1, "nowhere")
		s.run("codes", "in-store", "garden", "--set", "unowned", "--read", "--sort", "code").prints("Read at 20",
			"20 %", "xmas") // WooCommerce writes codes in small letters
		checked := s.run("codes", "in-store", "garden", "--check").exits(1)
		for _, words := range []string{"ANNA5", "gone: ", "Ben Lang"} {
			if !strings.Contains(checked.stdout, words) {
				s.Errorf("--check does not say %q: %s", words, checked.stdout)
			}
		}
		s.run("codes", "in-store", "garden", "--accept", "ANNA5", "--check").exits(1)
		if got := s.run("codes", "in-store", "garden", "--accept", "ben5", "--check", "--json").exits(0).
			json(); len(got["coupons"].([]any)) != 0 || got["reading"].(map[string]any)["can"] != true {
			s.Errorf("accepted: %v", got)
		}
		s.run("codes", "in-store", "garden", "--accept", "NOBODYS").exits(1, "no such code")

		s.run("codes", "take-over", "garden").exits(2, "missing: --offer")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--pattern", "x", "--file", "y").exits(2, "either")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--pattern", "{{handle}}15", "--dry-run").
			prints("anna15", "(take over) is a draft: 1 waiting.")
		file := s.file("codes.csv", "code,handle\nBENNY,ben\nXMAS,carla\n")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--file", file).exits(1,
			`line 3: no member of the offer has the handle "carla"`, "nothing was taken over")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--file", file+"x").exits(1, "no such file")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--file", s.file("bad.csv", "a,b\n1,2\n")).exits(1,
			"bad.csv: the columns cannot be told")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--file", file, "--partial", "--wait").
			prints("BENNY", "(take over) is done: 1 done.")
		s.run("codes", "take-over", "garden", "--offer", "off_1", "--wait").prints("is done: 2 done.")
		got := s.run("codes", "in-store", "garden", "--set", "owned", "--sort", "code", "--json").exits(0).json()
		var owned []string
		for _, row := range got["coupons"].([]any) {
			c := row.(map[string]any)
			owned = append(owned, strings.ToUpper(c["code"].(string))+" "+
				c["owner"].(map[string]any)["creator_name"].(string))
		}
		if want := "ANNA15 Anna Keller, BEN20 Ben Lang, BENNY Ben Lang"; strings.Join(owned, ", ") != want {
			s.Errorf("owned: %v, want %s", owned, want)
		}
	})
}

// TestCodeRunCommands_by_hand: of a store without keys the command says what is to be typed, and notes that it was.
func TestCodeRunCommands_by_hand(t *testing.T) {
	eachShell(t, func(s shell) {
		s.garden()
		s.run("store", "disconnect", "garden").exits(0)
		s.run("codes", "make", "off_1", "--members", "ofm_1", "--another", "--wait").prints("ANNA10", "by hand",
			"The garden, ", "Once they are done in the store's admin: tributary codes runs cru_1 --typed")
		s.run("codes", "runs", "cru_1", "--typed").prints("(make) is done: 1 done.")
		s.run("codes", "in-store", "garden").prints("API is not connected: connect it")
		s.run("codes", "in-store", "garden", "--read").exits(1, "not connected")
	})
}

// TestCodeRunCommands_failed: codes that failed end the command with exit code 1, and with what helps.
func TestCodeRunCommands_failed(t *testing.T) {
	eachShell(t, func(s shell) {
		shop := s.garden()
		s.run("codes", "make", "off_1", "--members", "ofm_1", "--another", "--wait").exits(0)
		shop.DeleteCoupon("ANNA10")
		failed := s.run("codes", "activate", "--codes", "cod_3", "--wait").exits(1, "1 code has failed", "--retry")
		if !strings.Contains(failed.stdout, "failed") {
			s.Errorf("failed: %s", failed.stdout)
		}
		shop.RevokeWooKeys()
		s.run("codes", "make", "off_1", "--members", "ofm_2", "--another", "--wait").exits(1)
	})
}
