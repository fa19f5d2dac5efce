package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
)

// cookieSet gives a cookie as an answer sets it, or nil.
func cookieSet(a answer, name string) *http.Cookie {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// TestPage_gone: a page that was left before it was made is no fault of ours; the end of the test looks at the log.
func TestPage_gone(t *testing.T) {
	h := newHouse(t)
	c := &http.Cookie{Name: sessionCookie, Value: h.signedIn(affiliate.RoleViewer).cookie(sessionCookie)}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	h.must(h.dashboard.Register(engine))
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(gone, http.MethodGet, "/campaigns", nil)
	r.AddCookie(c)
	engine.ServeHTTP(httptest.NewRecorder(), r)
	if !strings.Contains(h.log.String(), "gone=true") {
		t.Errorf("the log says:\n%s", h.log)
	}
}

// TestSignIn: the cookie of a session keeps to itself, each sign-in has a session of its own, and signing out ends it.
func TestSignIn(t *testing.T) {
	h := newHouse(t)
	olga := people[0].Email
	v := h.nobody()
	first := cookieSet(v.post("/sign-in", "email", " OLGA@northwind.example", "password",
		password).is(http.StatusSeeOther), sessionCookie)
	if first == nil || !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.Path != "/" ||
		first.Domain != "" || first.MaxAge <= 0 || len(first.Value) != 43 {
		t.Fatalf("the cookie is %+v", first)
	}
	if first.Secure {
		t.Error("a server without TLS sets a cookie that browsers would not send back")
	}
	second := cookieSet(v.post("/sign-in", "email", olga, "password", password), sessionCookie)
	if second == nil || second.Value == first.Value {
		t.Fatalf("signing in again gives the session %v", second)
	}
	with := func(token string) answer {
		return h.nobody().send(http.MethodGet, "/account", map[string]string{"Cookie": sessionCookie + "=" + token},
			nil)
	}
	with(first.Value).is(http.StatusSeeOther) // what was left in the browser is no longer good
	with(second.Value).is(http.StatusOK)
	with("chosen-by-somebody-else").is(http.StatusSeeOther)
	with("").is(http.StatusSeeOther)
	h.nobody().get("/live").is(http.StatusUnauthorized) // a script follows no redirect to a page

	out := v.post("/sign-out").is(http.StatusSeeOther)
	if c := cookieSet(out, sessionCookie); c == nil || c.MaxAge >= 0 {
		t.Errorf("signing out sets the cookie %+v", c)
	}
	with(second.Value).is(http.StatusSeeOther)
	v.get("/account").is(http.StatusSeeOther)

	h.app.PublicURL = "https://tributary.example"
	in := h.nobody().post("/sign-in", "email", olga, "password", password)
	for _, name := range []string{sessionCookie, deviceCookie} {
		// The name binds the cookie to this host: browsers want it with Secure, with Path=/ and without a domain.
		c := cookieSet(in, "__Host-"+name)
		if c == nil || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" ||
			c.SameSite != http.SameSiteLaxMode {
			t.Errorf("behind TLS the cookie %s is %+v", name, c)
		}
		if cookieSet(in, name) != nil {
			t.Errorf("the cookie %s is also sent without the prefix", name)
		}
	}
	plain := sessionCookie + "=" + cookieSet(in, "__Host-"+sessionCookie).Value
	h.nobody().send(http.MethodGet, "/account", map[string]string{"Cookie": plain}, nil).is(http.StatusSeeOther)
	h.nobody().send(http.MethodGet, "/account", map[string]string{"Cookie": "__Host-" + plain}, nil).is(http.StatusOK)
}

// TestSignIn_lapses: a session ends when it is not used for long, and after a while even when it is.
func TestSignIn_lapses(t *testing.T) {
	h := newHouse(t)
	o := h.nobody()
	o.signIn(people[0].Email)
	for range 6 {
		h.clock.advance(13 * 24 * time.Hour)
		o.get("/account").is(http.StatusOK)
	}
	h.clock.advance(13 * 24 * time.Hour) // 91 days in all
	o.get("/account").is(http.StatusSeeOther)
	o.signIn(people[0].Email)
	h.clock.advance(15 * 24 * time.Hour)
	o.get("/account").is(http.StatusSeeOther)
}

// TestSignIn_throttled: guessing a password gets slow, for that account alone, and an unknown address tells nothing.
func TestSignIn_throttled(t *testing.T) {
	h := newHouse(t)
	try := func(email, word string) answer { return h.nobody().post("/sign-in", "email", email, "password", word) }
	wrong := try(people[0].Email, "guess 0").is(http.StatusUnprocessableEntity).text()
	if unknown := try("nobody@northwind.example", "guess").is(http.StatusUnprocessableEntity).text(); unknown != wrong {
		t.Errorf("an unknown address is told as\n%s\na wrong password as\n%s", unknown, wrong)
	}
	for range 4 {
		try(people[0].Email, "guess")
	}
	a := try(people[0].Email, password).is(http.StatusTooManyRequests).says("Too many sign-ins failed; try again in")
	if !a.has("form[action=/sign-in]") {
		t.Error("there is no form to try again")
	}
	try(people[1].Email, password).is(http.StatusSeeOther)
	h.clock.advance(16 * time.Minute)
	try(people[0].Email, password).is(http.StatusSeeOther)
}

// TestAttack_lockout: strangers who guess at an account, here from the owner's own network, keep nobody out who has
// signed in with this browser before; and the person is told of them.
func TestAttack_lockout(t *testing.T) {
	h := newHouse(t)
	olga := people[0].Email
	own := h.nobody()
	own.signIn(olga)
	own.post("/sign-out")
	device := own.cookie(deviceCookie)
	for range 6 {
		h.nobody().post("/sign-in", "email", olga, "password", "guess guess guess")
	}
	h.nobody().post("/sign-in", "email", olga, "password", password).is(http.StatusTooManyRequests)
	// The cookie is one account's, and nobody makes one.
	for _, forged := range []string{device + "A", device[:len(device)-4] + "AAAA", "x", strings.Repeat("A", 5000)} {
		h.nobody().send(http.MethodPost, "/sign-in", map[string]string{"Cookie": deviceCookie + "=" + forged,
			"Content-Type": "application/x-www-form-urlencoded"}, strings.NewReader(url.Values{"email": {olga},
			"password": {password}}.Encode())).is(http.StatusTooManyRequests)
	}
	in := own.post("/sign-in", "email", olga, "password", password).is(http.StatusSeeOther)
	own.get(in.header.Get("Location")).says("5 sign-ins with your e-mail address failed, from 1 network",
		"the last on 20 Nov 2026, 13:00")
	own.get("/account").says("5 sign-ins with your e-mail address failed")
	own.post("/sign-out")
	in = own.post("/sign-in", "email", olga, "password", password).is(http.StatusSeeOther)
	own.get(in.header.Get("Location")).hides("failed")
	if text := h.log.String(); strings.Contains(text, olga) || !strings.Contains(text, "refused: sign_in") ||
		!strings.Contains(text, "user=usr_") || !strings.Contains(text, "refused: too_many") {
		t.Errorf("the log says:\n%s", text)
	}
}

// TestSignIn_goesOn: after signing in one gets to the page that was asked for, if it is one of ours.
func TestSignIn_goesOn(t *testing.T) {
	h := newHouse(t)
	asked := h.nobody().get("/settings/audit?kind=usr_").is(http.StatusSeeOther).header.Get("Location")
	if want := "/sign-in?to=" + url.QueryEscape("/settings/audit?kind=usr_"); asked != want {
		t.Errorf("sent to %q, want %q", asked, want)
	}
	if got := h.nobody().get(asked).is(http.StatusOK).one("input[name=to]").
		attr("value"); got != "/settings/audit?kind=usr_" {
		t.Errorf("the form goes on to %q", got)
	}
	v := h.nobody()
	for to, want := range map[string]string{
		"/settings/audit?kind=usr_":     "/settings/audit?kind=usr_",
		"":                              "/",
		"https://evil.example/":         "/",
		"//evil.example/":               "/",
		`/\evil.example/`:               "/",
		`\/evil.example/`:               "/",
		"/\t/evil.example/":             "/",
		"/\n/evil.example/":             "/",
		"javascript:alert(1)":           "/",
		"evil.example":                  "/",
		"///evil.example":               "/",
		"/%2f/evil.example":             "/%2f/evil.example", // a path of ours, whatever it says
		"https:evil.example":            "/",
		"http://127.0.0.1@evil.example": "/",
	} {
		if got := v.post("/sign-in", "email", people[0].Email, "password", password, "to", to).is(http.StatusSeeOther).
			header.Get("Location"); got != want {
			t.Errorf("to=%q goes to %q, want %q", to, got, want)
		}
		if got := v.get("/sign-in?to=" + url.QueryEscape(to)).is(http.StatusSeeOther).
			header.Get("Location"); got != want {
			t.Errorf("signed in already, to=%q goes to %q, want %q", to, got, want)
		}
	}
}

// TestForms_crossOrigin: a form that another site sends changes nothing, whatever cookies come with it.
func TestForms_crossOrigin(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}} {
		o.postWith(header, "/settings", settingsForm("name", "Evil")...).is(http.StatusForbidden)
		o.postWith(header, "/sign-out").is(http.StatusForbidden)
	}
	got, err := h.db.Settings(t.Context())
	h.must(err)
	if got.Name != "Northwind" {
		t.Errorf("the name is %q", got.Name)
	}
	o.postWith(map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": h.url}, "/settings",
		settingsForm("name", "Mine")...).is(http.StatusOK).says("The settings are saved.")
	o.get("/settings").is(http.StatusOK) // not signed out either
}

// TestForms_roles: whatever is posted, the table of routes decides who may: a role without the permission gets 403,
// somebody who has not signed in is not let in.
func TestForms_roles(t *testing.T) {
	h := busyHouse(t)
	visitors := map[affiliate.Role]*visitor{affiliate.RoleOwner: h.owner(), affiliate.RoleManager: h.manager(),
		affiliate.RoleViewer: h.viewer()}
	ids := h.ids()
	for _, route := range h.dashboard.routes() {
		if route.method != http.MethodPost || route.access == anybody {
			continue
		}
		parts := strings.Split(route.path, "/")
		for i, part := range parts {
			if strings.HasPrefix(part, ":") {
				parts[i] = cmp.Or(ids.of(route.path, part), "1")
			}
		}
		address := strings.Join(parts, "/")
		if a := h.nobody().post(address); a.status != http.StatusUnauthorized {
			t.Errorf("POST %s without signing in gives %d", route.path, a.status)
		}
		if route.access == signedIn {
			continue
		}
		for role, v := range visitors {
			if role.May(affiliate.Permission(route.access)) {
				continue
			}
			a := v.post(address)
			if a.status != http.StatusForbidden || !strings.Contains(a.text(), "you may not "+route.deed()) {
				t.Errorf("POST %s as %s gives %d %s", route.path, role, a.status, a.text())
			}
		}
	}
}

// TestAttack_leftBrowser: with the session of a browser that was left open nobody makes a token, an owner or a password
// without knowing the owner's.
func TestAttack_leftBrowser(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	max := personAddress(h.user(affiliate.RoleManager).ID)
	for path, form := range map[string][]string{
		"/settings/tokens": {"name", "x", "role", "owner", "expires", "never"},
		"/settings/people": {"name", "Eve", "email", "eve@elsewhere.example", "role", "owner", "password",
			"a quite different one"},
		max:               {"name", "Max Manager", "role", "owner"},
		max + "/password": {"password", "a quite different one"},
	} {
		h.clock.advance(2 * time.Hour)
		for _, wrong := range []string{"", "guess guess guess"} {
			a := o.post(path, append(form, "current_password", wrong)...).is(http.StatusUnprocessableEntity)
			if !a.has("input[name=current_password]") || !strings.Contains(a.text(), "Is not your present password") {
				t.Errorf("%s with the password %q: %s", path, wrong, a.text())
			}
		}
		o.post(path, append(form, "current_password", password)...).is(http.StatusOK)
		if o.get("/settings/tokens").has("input[name=current_password]") {
			t.Error("it is asked for again at once")
		}
	}
}

// TestSecretsShownOnce_https: what is shown once is shown behind TLS, too.
func TestSecretsShownOnce_https(t *testing.T) {
	h := newHouse(t)
	h.app.PublicURL = "https://tributary.example"
	in := h.nobody().post("/sign-in", "email", people[0].Email, "password", password)
	cookie := "__Host-" + sessionCookie + "=" + cookieSet(in, "__Host-"+sessionCookie).Value
	v := h.nobody()
	header := map[string]string{"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
	made := v.send(http.MethodPost, "/settings/tokens", header, strings.NewReader("name=x&role=viewer&expires=30d")).
		is(http.StatusSeeOther)
	secret := cookieSet(made, "__Host-"+secretCookie)
	if secret == nil {
		t.Fatal("there is no cookie with the secret")
	}
	v.send(http.MethodGet, made.header.Get("Location"), map[string]string{"Cookie": cookie + "; " + secret.Name + "=" +
		secret.Value}, nil).is(http.StatusOK).one("#token-value")
}

// TestRefused: the log and the metrics tell of what was refused, with the address and who it was, without a secret.
func TestRefused(t *testing.T) {
	h := newHouse(t)
	h.viewer().post("/settings").is(http.StatusForbidden)
	token, err := h.app.AddToken(h.as(affiliate.RoleOwner), app.TokenDraft{Name: "reads", Role: affiliate.RoleViewer})
	h.must(err)
	h.nobody().send(http.MethodGet, "/api/v1/tokens", map[string]string{"Authorization": "Bearer " + token.Value}, nil).
		is(http.StatusForbidden)
	h.forge(3)
	h.nobody().send(http.MethodPost, "/webhooks/shopify/nowhere", nil, strings.NewReader("{}")).is(http.StatusNotFound)
	h.nobody().post("/sign-in", "email", people[0].Email, "password", "guess guess guess")
	text := h.log.String()
	viewer, owner := h.user(affiliate.RoleViewer).ID.String(), h.user(affiliate.RoleOwner).ID.String()
	for _, want := range []string{`permission" address=127.0.0.1 user=` + viewer + " method=POST path=/settings",
		`delivery" address=127.0.0.1 reason=bad_signature platform=shopify store=shop`,
		`sign_in" address=127.0.0.1 user=` + owner} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %s:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "refused: delivery"); n != 1 {
		t.Errorf("four refused deliveries are %d lines at once", n)
	}
	for _, secret := range []string{people[0].Email, "guess guess", token.Value} {
		if strings.Contains(text, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
	metrics := h.nobody().get("/metrics").is(http.StatusOK).body
	for _, want := range []string{`tributary_refused_total{kind="delivery"} 4`, `{kind="permission"} 2`,
		`{kind="sign_in"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
}

// TestForms_signedInOnly lists the forms that every role may send: a new one needs a thought.
func TestForms_signedInOnly(t *testing.T) {
	free := map[string]bool{"/sign-out": true, "/account/password": true, "/account/sign-out-elsewhere": true,
		"/account/second-factor": true, "/account/second-factor/codes": true, "/account/second-factor/off": true,
		"/account/numbers": true, "/columns/:table": true, "/views": true,
		"/views/forget": true, "/views/start": true, "/theme": true}
	for _, route := range (&Dashboard{}).routes() {
		if route.method == http.MethodPost && route.access == signedIn && !free[route.path] {
			t.Errorf("every role may POST %s; if that is meant, list it here", route.path)
		}
	}
}

// TestPages_headers: pages are kept by no cache, framed by nobody, and run nothing that is not ours.
func TestPages_headers(t *testing.T) {
	h := newHouse(t)
	for _, a := range []answer{h.nobody().get("/sign-in"), h.owner().get("/settings"),
		h.owner().get("/campaigns/cmp_99"), h.viewer().post("/settings"), h.nobody().get("/settings")} {
		policy := map[string]string{}
		for _, rule := range strings.Split(a.header.Get("Content-Security-Policy"), ";") {
			name, sources, _ := strings.Cut(strings.TrimSpace(rule), " ")
			policy[name] = sources
		}
		for name, want := range map[string]string{"default-src": "'none'", "script-src": "'self'",
			"style-src": "'self'", "connect-src": "'self'", "form-action": "'self'", "base-uri": "'none'",
			"frame-ancestors": "'none'"} {
			if policy[name] != want {
				t.Errorf("%s: %s is %q, want %q", a.address, name, policy[name], want)
			}
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", a.address, name, got, want)
			}
		}
	}
}

// TestPages_notFound: a browser at a wrong address gets a page, a program a problem document.
func TestPages_notFound(t *testing.T) {
	h := newHouse(t)
	browser := map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
	for _, v := range []*visitor{h.owner(), h.nobody()} {
		a := v.send(http.MethodGet, "/nowhere", browser, nil).is(http.StatusNotFound).
			says("There is nothing at this address")
		wellMade(t, a)
	}
	for path, header := range map[string]map[string]string{"/nowhere": nil, "/api/v1/nowhere": browser} {
		if a := h.owner().send(http.MethodGet, path, header,
			nil).is(http.StatusNotFound); a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s with %v gives %s", path, header, a.header.Get("Content-Type"))
		}
	}
}

// TestPages_escape: what people and stores write stays text wherever it is shown.
func TestPages_escape(t *testing.T) {
	h := newHouse(t)
	const evil = `<script>document.title="owned"</script><img src=x onerror=alert(1)>"'`
	ctx := h.as(affiliate.RoleOwner)
	_, err := h.app.AddUser(ctx, affiliate.User{Name: evil, Email: "evil@northwind.example",
		Role: affiliate.RoleViewer}, password)
	h.must(err)
	_, err = h.app.AddToken(ctx, app.TokenDraft{Name: evil, Role: affiliate.RoleViewer})
	h.must(err)
	_, err = h.app.AddCampaign(ctx, affiliate.Campaign{Name: evil})
	h.must(err)
	for _, address := range []string{"/settings/people", "/settings/tokens", "/settings/audit",
		"/settings/audit?subject=" + url.QueryEscape(evil), "/settings/audit?actor=" + url.QueryEscape(evil)} {
		a := h.owner().get(address).is(http.StatusOK).says(evil)
		if n := len(a.all("script")) - len(a.all("head script[src]")); n != 0 || a.has("img") {
			t.Errorf("%s has %d scripts that are not ours, or an image", address, n)
		}
	}
}

// TestDeciding: whoever may not decide about conversions is told so by one permission at every door.
func TestDeciding(t *testing.T) {
	h := busyHouse(t)
	o := h.order("1001")
	told := func(a answer) {
		t.Helper()
		a.is(http.StatusForbidden)
		if !strings.Contains(a.body, "may not "+string(affiliate.MayApprove)) {
			t.Errorf("%s says %s", a.address, a.body)
		}
	}
	v := h.viewer()
	told(v.post("/orders/"+o.ID.String()+"/decide", "decision", "reject"))
	told(v.post("/campaigns/"+h.campaign("Spring").ID.String()+"/decide", "decision", "reject", "ids",
		o.Conversion.ID.String()))
	token, err := h.app.AddToken(h.as(affiliate.RoleOwner), app.TokenDraft{Name: "reads", Role: affiliate.RoleViewer})
	h.must(err)
	header := map[string]string{"Authorization": "Bearer " + token.Value, "Content-Type": "application/json"}
	for _, path := range []string{"/conversions/decisions", "/conversions/" + o.Conversion.ID.String() + "/reject"} {
		told(h.nobody().send(http.MethodPost, "/api/v1"+path, header, strings.NewReader("{}")))
	}
}

// TestAttack_strangersPages: somebody who has not signed in is sent to do so without a look-up, and sends no more than
// an address and a password take.
func TestAttack_strangersPages(t *testing.T) {
	h := newHouse(t)
	if a := h.nobody().get("/orders"); a.status != http.StatusSeeOther {
		t.Errorf("the orders answer %d", a.status)
	}
	large := strings.Repeat("x", maxStrangerForm)
	for _, address := range []string{"/sign-in", "/welcome"} {
		if a := h.nobody().post(address, "email", large, "password", large); a.status < 400 || a.status >= 500 {
			t.Errorf("%s takes a form of %d bytes: %d", address, 2*len(large), a.status)
		}
	}
	looked := h.app.Lookups()["sessions"]
	for n := range attack.Size(100, 5000) {
		cookie := fmt.Sprintf("%s=%043d", sessionCookie, n)
		h.nobody().send(http.MethodGet, "/orders", map[string]string{"Cookie": cookie}, nil)
	}
	if n := h.app.Lookups()["sessions"] - looked; n > 62 {
		t.Errorf("sessions that nobody has cost %d queries", n)
	}
	h.viewer().get("/orders").is(http.StatusOK)
}
