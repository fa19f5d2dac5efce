package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestTokens: a token's value is shown once, works with the API in its role, and stops when it is ended.
func TestTokens(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	o.get("/settings/tokens").is(http.StatusOK).says("No tokens yet", h.url+"/api/v1")
	a := o.post("/settings/tokens", "name", "Warehouse", "role", "manager", "expires", "365d").
		is(http.StatusOK).says("Copy it now",
		"Warehouse", "Works")
	value := a.one("#token-value").text()
	if !strings.HasPrefix(value, "trb_") || strings.Contains(a.address, value) {
		t.Fatalf("the value is %q at %s", value, a.address)
	}
	if again := o.get(a.address).is(http.StatusOK); strings.Contains(again.body, value) {
		t.Error("the value is shown again")
	}
	call := func(path string) int {
		return h.nobody().send(http.MethodGet, "/api/v1"+path, map[string]string{"Authorization": "Bearer " + value},
			nil).status
	}
	if got := call("/campaigns"); got != http.StatusOK {
		t.Errorf("the API answers %d", got)
	}
	if got := call("/tokens"); got != http.StatusForbidden {
		t.Errorf("a manager's token reads tokens: %d", got)
	}
	o.get("/settings/tokens").says("20 Nov 2026, 13:00") // last used
	a = o.post("/settings/tokens", "name", "", "role", "viewer", "expires", "365d").is(http.StatusUnprocessableEntity)
	if !a.has("#name-about .error") {
		t.Errorf("a token without a name: %s", a.text())
	}
	list, _, err := h.db.Tokens(t.Context(), storage.Page{})
	h.must(err)
	o.post("/settings/tokens/"+list[0].ID.String()+"/end").at("/settings/tokens").says("The token Warehouse is ended",
		"Ended 20 Nov 2026")
	h.clock.advance(10 * time.Second)
	if got := call("/campaigns"); got != http.StatusUnauthorized {
		t.Errorf("the ended token gives %d", got)
	}
	o.post("/settings/tokens/tok_99/end").is(http.StatusNotFound)
}

// TestTokens_mayPay: a manager's token pays when an owner made it so, and no longer once it is ended.
func TestTokens_mayPay(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	pays := func(form ...string) func() int {
		a := o.post("/settings/tokens", append(form, "name", "Bank", "expires", "30d")...).is(http.StatusOK)
		value := a.one("#token-value").text()
		return func() int {
			return h.nobody().send(http.MethodPost, "/api/v1/payouts/pay_99/cancel", map[string]string{
				"Authorization": "Bearer " + value, "Content-Type": "application/json"},
				strings.NewReader(`{"reason": "typo"}`)).status
		}
	}
	without, with := pays("role", "manager"), pays("role", "manager", "may_pay", "1")
	if got := without(); got != http.StatusForbidden {
		t.Errorf("a manager's token pays: %d", got)
	}
	if got := pays("role", "viewer", "may_pay", "1")(); got != http.StatusForbidden {
		t.Errorf("a viewer's token pays: %d", got)
	}
	if got := with(); got != http.StatusNotFound {
		t.Errorf("a token that may pay gives %d", got)
	}
	o.get("/settings/tokens").says("May send payments")
	o.post("/settings/tokens/tok_2/end").is(http.StatusOK)
	h.clock.advance(10 * time.Second)
	if got := with(); got != http.StatusUnauthorized {
		t.Errorf("the ended token gives %d", got)
	}
}

// TestTokens_expire: a token works for as long as its form says, and then the list and the API say why it does not.
func TestTokens_expire(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	if got := o.get("/settings/tokens").one("#expires option[selected]").attr("value"); got != "365d" {
		t.Errorf("the choice is %q", got)
	}
	a := o.post("/settings/tokens", "name", "x", "role", "viewer").is(http.StatusUnprocessableEntity)
	if !a.has("#expires-about .error") {
		t.Errorf("a token without an end was made, and nobody chose it: %s", a.text())
	}
	a = o.post("/settings/tokens", "name", "Agency", "role", "viewer", "expires", "30d").is(http.StatusOK).
		says("until 20 Dec 2026, 13:00")
	header := map[string]string{"Authorization": "Bearer " + a.one("#token-value").text()}
	h.nobody().send(http.MethodGet, "/api/v1/campaigns", header, nil).is(http.StatusOK)
	h.clock.advance(30 * 24 * time.Hour)
	answer := h.nobody().send(http.MethodGet, "/api/v1/campaigns", header, nil).is(http.StatusUnauthorized)
	if !strings.Contains(answer.body, "expired on 2026-12-20 12:00 UTC") {
		t.Errorf("the API says %s", answer.body)
	}
	later := h.nobody()
	later.client.CheckRedirect = nil
	later.signIn(people[0].Email)
	later.get("/settings/tokens").says("Expired 20 Dec 2026, 13:00")
	h.nobody().send(http.MethodGet, "/api/v1/campaigns", map[string]string{"Authorization": "Bearer trb_x"}, nil).
		is(http.StatusUnauthorized)
	if text := h.log.String(); !strings.Contains(text, `"refused: token"`) || !strings.Contains(text, "token=tok_1") ||
		!strings.Contains(text, "address=127.0.0.1") || strings.Contains(text, "trb_") {
		t.Errorf("the log says:\n%s", text)
	}
}

// TestTokens_browser: the button copies the value, and ending asks first.
func TestTokens_browser(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleOwner)
	b.open("/settings/tokens")
	b.fill("#name", "Warehouse")
	b.clickText("Make the token")
	b.says("Copy it now")
	b.eval(`Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.copied_text = text; } } })`)
	b.clickText("Copy the token")
	b.says("Copied")
	var same bool
	if b.eval(`window.copied_text === document.querySelector("#token-value").textContent.trim() && window.copied_text.startsWith("trb_")`, &same); !same {
		t.Error("the button copied something else")
	}
	b.eval(`window.confirm = (question) => { window.asked = question; return false; }`)
	b.click("button.danger")
	var asked string
	if b.eval(`window.asked`, &asked); !strings.Contains(asked, "End the token Warehouse?") {
		t.Errorf("ending asked %q", asked)
	}
	b.eval(`window.confirm = () => true`)
	b.click("button.danger")
	b.says("The token Warehouse is ended")
}
