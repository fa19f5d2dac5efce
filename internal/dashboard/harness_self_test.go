package dashboard

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestHouse: what other tests stand on is as it says.
func TestHouse(t *testing.T) {
	h := busyHouse(t)
	h.consistent()
	for number, want := range map[string]affiliate.OrderStatus{"1001": affiliate.Paid, "1003": affiliate.Paid,
		"1004": affiliate.Refunded, "1007": affiliate.Pending, "1008": affiliate.Canceled} {
		if got := h.order(number).Status; got != want {
			t.Errorf("order %s is %s, want %s", number, got, want)
		}
	}
	if c := h.order("1009").Conversion; c == nil || c.Approval != affiliate.Held {
		t.Errorf("what Anna bought herself gave %+v, want it held", c)
	}
	if o := h.order("1005"); o.Conversion == nil || o.Conversion.Creator != "Anna Ahlers" {
		t.Errorf("the order by link gave %+v, want Anna's", o.Conversion)
	}
	if o := h.order("1010"); o.Conversion != nil || *o.NotCredited != "no_owner" {
		t.Errorf("the order with a code of nobody's gave %v", o.NotCredited)
	}
	h.owner().get("/account").is(http.StatusOK).says("Olga Owner", "owner")
	h.nobody().get("/account").is(http.StatusSeeOther)
}

// TestTab: the browser shows, follows, works without script, and complains.
func TestTab(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleOwner)
	b.open("/account")
	b.says("Olga Owner", "Change your password")
	b.fill("input[name=current_password]", password)
	b.fill("input[name=password]", "another long password")
	b.clickText("Change the password")
	b.says("Your password is changed")
	b.at("/account")
	if n := b.received(); n < 1000 {
		t.Errorf("the page came in %d bytes", n)
	}
	b.eval(`console.error("this is wrong"); fetch("https://elsewhere.example/").catch(() => 0)`)
	b.excuse("this is wrong")
	b.excuse("elsewhere.example")
	b.until("complaints", func() bool { return len(b.complaints()) >= 3 }) // the console, the policy, the other server
	b.viewport(390, 844)
	b.dark(true)
	b.withoutScript()
	b.open("/account")
	b.saysNot("Your password is changed")
	b.click(".menu summary")
	b.clickText("Sign out")
	b.says("You are signed out.")
	file := filepath.Join(t.TempDir(), "shots", "page.png")
	b.screenshot(file)
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("the screenshot is %v, %v", info, err)
	}
}
