package dashboard

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestTheme: a chosen look holds against that of the device, without script, for this browser alone.
func TestTheme(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleViewer)
	b.withoutScript()
	isDark := func() bool {
		var look string
		b.eval(`getComputedStyle(document.documentElement).colorScheme`, &look)
		return look == "dark"
	}
	for _, step := range []struct {
		choose   string
		device   bool
		want     bool
		pressed  string
		narrowed int64
	}{
		{"", false, false, "Look of the device", 1440}, {"", true, true, "Look of the device", 1440},
		{"dark", false, true, "Dark", 1440}, {"light", true, false, "Light", 1280},
		{"dark", true, true, "Dark", 1280}, {"none", true, true, "Look of the device", 1280},
	} {
		b.viewport(step.narrowed, 900)
		b.dark(step.device)
		b.open("/orders?status=paid")
		if step.choose != "" {
			if step.choose == "none" {
				step.choose = ""
			}
			b.click(`.side > .who button[name="theme"][value="` + step.choose + `"]`)
			b.at("/orders?status=paid")
		}
		b.until("the look "+step.pressed, func() bool {
			var pressed string
			b.eval(`document.querySelector("[aria-pressed=true]")?.title ?? ""`, &pressed)
			return pressed == step.pressed
		})
		if got := isDark(); got != step.want {
			t.Errorf("%+v: dark is %v", step, got)
		}
	}
	h.viewer().post("/theme", "theme", "pink").is(http.StatusUnprocessableEntity)
	h.viewer().post("/theme", "theme", "dark").is(http.StatusOK)
	if h.viewer().get("/").one("html").attr("data-theme") != "dark" {
		t.Error("the page is not dark")
	}
	if h.manager().get("/").one("html").attr("data-theme") != "" {
		t.Error("somebody else's page is dark")
	}
}

// TestPrint: on paper there is neither side bar nor button, black stands on white whatever the look, and the head says
// whose it is, when it was printed, and in which zone and currency.
func TestPrint(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.dark(true)
	for _, address := range []string{creatorAddress(h.creator("Anna Ahlers").ID) + "/statement", "/payouts",
		orderAddress(h.order("1003").ID), spring, "/"} {
		b.open(address)
		b.saysNot("Printed 20 Nov 2026")
		b.print(true)
		b.says("Northwind", "Printed 20 Nov 2026, 13:00", "Europe/Berlin", "amounts in USD")
		var seen []string
		b.eval(`[...document.querySelectorAll(".side, .side *, button, input, select, .button, .foot")]
			.filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 90))`, &seen)
		if len(seen) > 0 {
			t.Errorf("%s prints %q", address, seen)
		}
		var colours []string
		b.eval(`[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]`, &colours)
		if colours[0] != "rgb(0, 0, 0)" || colours[1] != "rgb(255, 255, 255)" {
			t.Errorf("%s is printed in %q", address, colours)
		}
		b.print(false)
	}
}

// TestPrint_unread: a page that says that something failed is made without the account's zone, too.
func TestPrint_unread(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	answer := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(answer)
	c.Request = httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	c.Request.AddCookie(&http.Cookie{Name: sessionCookie, Value: h.viewer().cookie(sessionCookie)})
	h.dashboard.NotFound(c)
	if answer.Code < 500 {
		t.Errorf("what cannot be read is answered %d", answer.Code)
	}
}
