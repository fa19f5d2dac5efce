package dashboard

import (
	"encoding/base32"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/totp"
)

// phone is an authenticator app that has scanned a secret.
type phone struct {
	h      *house
	secret []byte
}

// code is what the app shows now, or some steps away.
func (p phone) code(away int64) string { return totp.Code(p.secret, totp.Step(p.h.clock.now())+away) }

// withFactor switches a visitor's second factor on by the page, and gives the phone and the recovery codes.
func (v *visitor) withFactor() (phone, []string) {
	v.Helper()
	a := v.get("/account/second-factor").is(http.StatusOK)
	secret, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(a.one("#secret").text(), " ", ""))
	v.must(err)
	p := phone{v.house, secret}
	a = v.post("/account/second-factor", "current_password", password, "code", p.code(0)).is(http.StatusOK)
	codes := strings.Fields(a.one("#codes").text())
	if len(codes) != 10 {
		v.Fatalf("%d recovery codes", len(codes))
	}
	v.clock.advance(time.Minute) // the code that proved it is used up
	return p, codes
}

// half signs in with the password alone, as far as that goes.
func (v *visitor) half(email string) *visitor {
	v.Helper()
	a := v.post("/sign-in", "email", email, "password", password).is(http.StatusSeeOther)
	if to := a.header.Get("Location"); to != "/sign-in/code" {
		v.Fatalf("sent to %q", to)
	}
	return v
}

func TestSecondFactor(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	o.get("/account").says("As an owner you may change everything", "Set it up")
	h.viewer().get("/account").says("Set it up").hides("As an owner")
	page := o.get("/account/second-factor").is(http.StatusOK)
	page.one("svg[role=img] path")
	if again := o.get("/account/second-factor").one("#secret").text(); again != page.one("#secret").text() {
		t.Error("the key changes between two looks")
	}
	for field, form := range map[string][]string{"code": {"current_password", password, "code", "000000"},
		"current_password": {"current_password", "guess guess guess", "code", "000000"}} {
		a := o.post("/account/second-factor", form...).is(http.StatusUnprocessableEntity)
		if !a.has("#" + field + "-about .error") {
			t.Errorf("a wrong %s: %s", field, a.text())
		}
	}
	p, codes := o.withFactor()
	o.get("/account").says("On since 20 Nov 2026").hides("As an owner")
	o.get("/settings/people").is(http.StatusOK)

	v := h.nobody().half(people[0].Email)
	v.get("/sign-in/code").is(http.StatusOK).says("six digits")
	v.get("/settings").is(http.StatusSeeOther) // half a sign-in opens nothing
	if a := v.post("/sign-in/code", "code", "12345").is(http.StatusUnprocessableEntity); !a.has("#code-about .error") {
		t.Errorf("a wrong code: %s", a.text())
	}
	spaced := p.code(0)[:3] + " " + p.code(0)[3:]
	v.post("/sign-in/code", "code", spaced, "to", "/settings").is(http.StatusSeeOther)
	v.get("/settings").is(http.StatusOK)
	v.get("/account").says("3 sign-ins with your e-mail address failed")

	lost := h.nobody().half(people[0].Email)
	lost.post("/sign-in/code", "code", strings.ToLower(codes[3])).is(http.StatusSeeOther)
	lost.get("/account/second-factor").says("9 of 10 recovery codes left")

	h.clock.advance(time.Minute)
	a := o.post("/account/second-factor/codes", "current_password", password, "code", p.code(0)).is(http.StatusOK)
	fresh := strings.Fields(a.one("#codes").text())
	h.nobody().half(people[0].Email).post("/sign-in/code", "code", codes[4]).is(http.StatusUnprocessableEntity)
	h.nobody().half(people[0].Email).post("/sign-in/code", "code", fresh[4]).is(http.StatusSeeOther)

	h.clock.advance(time.Minute)
	o.post("/account/second-factor/off", "current_password", password, "code", "111111").
		is(http.StatusUnprocessableEntity)
	o.post("/account/second-factor/off", "current_password", "guess guess", "code", p.code(0)).
		is(http.StatusUnprocessableEntity)
	o.post("/account/second-factor/off", "current_password", password, "code", p.code(0)).at("/account").
		says("The second factor is off")
	h.nobody().signIn(people[0].Email)
	o.get("/settings/audit").says("switched the second factor on for", "switched the second factor off for",
		"signed in with a recovery code", "made new recovery codes for")
	if text := h.log.String(); !strings.Contains(text, "refused: second_factor") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestAttack_codeReplay: a code signs in once, also for who sends it at the same moment, and no older one after it.
func TestAttack_codeReplay(t *testing.T) {
	h := newHouse(t)
	p, codes := h.owner().withFactor()
	email := people[0].Email
	first, second := h.nobody().half(email), h.nobody().half(email)
	code := p.code(0)
	first.post("/sign-in/code", "code", code).is(http.StatusSeeOther)
	second.post("/sign-in/code", "code", code).is(http.StatusUnprocessableEntity)
	second.post("/sign-in/code", "code", p.code(-1)).is(http.StatusUnprocessableEntity)
	second.post("/sign-in/code", "code", p.code(2)).is(http.StatusUnprocessableEntity)
	second.post("/sign-in/code", "code", p.code(1)).is(http.StatusSeeOther) // a phone that is half a minute ahead
	third := h.nobody().half(email)
	third.post("/sign-in/code", "code", codes[0]).is(http.StatusSeeOther)
	h.nobody().half(email).post("/sign-in/code", "code", codes[0]).is(http.StatusUnprocessableEntity)
}

// TestAttack_codeGuessing: whoever has the password gets few codes, and does not keep the person out who has signed in
// with another browser before.
func TestAttack_codeGuessing(t *testing.T) {
	h := newHouse(t)
	own := h.nobody()
	own.client.CheckRedirect = nil
	own.signIn(people[0].Email)
	p, _ := own.withFactor()
	own.post("/sign-out")
	own.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	thief := h.nobody().half(people[0].Email)
	tried := 0
	for range 40 {
		if thief.post("/sign-in/code", "code", "000000").status == http.StatusUnprocessableEntity {
			tried++
		}
	}
	if tried != 5 {
		t.Errorf("%d codes were tried", tried)
	}
	// A new half sign-in does not begin the count anew.
	h.nobody().half(people[0].Email).post("/sign-in/code", "code", p.code(0)).is(http.StatusTooManyRequests)
	own.half(people[0].Email).post("/sign-in/code", "code", p.code(0)).is(http.StatusSeeOther)
}

// TestAttack_halfSignIn: half a sign-in is good for one thing, for one person and for a short time.
func TestAttack_halfSignIn(t *testing.T) {
	h := newHouse(t)
	p, codes := h.owner().withFactor()
	email := people[0].Email
	again := func(v *visitor, code string) {
		t.Helper()
		a := v.post("/sign-in/code", "code", code).is(http.StatusSeeOther)
		if a.header.Get("Location") != "/sign-in" || v.cookie(sessionCookie) != "" {
			t.Errorf("got to %s with the session %q", a.header.Get("Location"), v.cookie(sessionCookie))
		}
	}
	v := h.nobody().half(email)
	half := v.cookie(halfCookie)
	h.nobody().send(http.MethodGet, "/account", map[string]string{"Cookie": sessionCookie + "=" + half}, nil).
		is(http.StatusSeeOther)
	h.clock.advance(11 * time.Minute)
	again(v, p.code(0))
	again(h.nobody(), p.code(0)) // without any

	v = h.nobody().half(email)
	olga := h.user(affiliate.RoleOwner).ID
	h.must(h.app.SetUserPassword(h.as(affiliate.RoleOwner), olga, "a quite different one", ""))
	again(v, p.code(0)) // the password was changed meanwhile
	h.must(h.app.SetUserPassword(h.as(affiliate.RoleOwner), olga, password, ""))

	v = h.nobody().half(email)
	used := v.cookie(halfCookie)
	v.post("/sign-in/code", "code", codes[1]).is(http.StatusSeeOther)
	h.nobody().send(http.MethodPost, "/sign-in/code", map[string]string{"Cookie": halfCookie + "=" + used,
		"Content-Type": "application/x-www-form-urlencoded"}, strings.NewReader("code="+codes[2])).
		is(http.StatusSeeOther)
	h.nobody().half(email).post("/sign-in/code", "code", codes[2]).is(http.StatusSeeOther) // it was not used up

	// What is kept of the factor opens with the key alone, and for its person alone.
	f, err := h.db.SecondFactor(t.Context(), h.user(affiliate.RoleOwner).ID)
	h.must(err)
	if strings.Contains(string(f.Secret), string(p.secret)) {
		t.Error("the secret is kept as it is")
	}
	h.must(h.app.EndSecondFactor(h.as(affiliate.RoleOwner), h.user(affiliate.RoleOwner).ID))
	h.nobody().signIn(email)
}

// TestSecondFactor_browser sets a second factor up on a phone's screen, without script.
func TestSecondFactor_browser(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleOwner)
	b.withoutCache()
	b.inspect("second-factor-offer", "/account/second-factor")
	b.inspect("account", "/account")
	h.owner().withFactor()
	stranger := h.browseAsNobody()
	stranger.withoutCache()
	stranger.open("/sign-in")
	stranger.fill("#email", people[0].Email)
	stranger.fill("#password", password)
	stranger.clickText("Sign in")
	stranger.says("six digits")
	stranger.inspect("sign-in-code", "/sign-in/code")
}
