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
	a := o.post("/settings/tokens", "name", "Warehouse", "role", "manager", "expires", "365d").is(http.StatusOK).says("Copy it now",
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
