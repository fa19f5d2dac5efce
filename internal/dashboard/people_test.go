package dashboard

import (
	"net/http"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestPeople: an owner adds people, changes roles, and says who may sign in.
func TestPeople(t *testing.T) {
	h := newHouse(t)
	o := h.owner()
	o.get("/settings/people").is(http.StatusOK).says("Olga Owner (you)", "Vera Viewer", "never", "20 Nov 2026, 13:00")
	o.post("/settings/people", "name", "Nina New", "email", "Nina@Northwind.example", "role", "viewer", "password",
		password).is(http.StatusOK).
		at("/settings/people").says("Nina New can sign in now", "nina@northwind.example")
	for field, form := range map[string][]string{
		"email":    {"name", "X", "email", "nina@northwind.example", "role", "viewer", "password", password},
		"name":     {"name", "", "email", "x@northwind.example", "role", "viewer", "password", password},
		"password": {"name", "X", "email", "x@northwind.example", "role", "viewer", "password", "short"},
		"role":     {"name", "X", "email", "x@northwind.example", "role", "king", "password", password},
	} {
		a := o.post("/settings/people", form...)
		if a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict ||
			!a.has("#"+field+"-about .error") {
			t.Errorf("a wrong %s gives %d: %s", field, a.status, a.text())
		}
		if field != "email" && a.one("#email").attr("value") != "x@northwind.example" {
			t.Errorf("what was typed is gone")
		}
	}
	nina := h.nobody()
	nina.signIn("nina@northwind.example")
	nina.get("/settings").is(http.StatusOK)
	u, _, err := h.db.UserByEmail(t.Context(), "nina@northwind.example")
	h.must(err)
	page := personAddress(u.ID)

	o.post(page, "name", "Nina Newton", "role", "manager").at(page).says("Nina Newton is manager now")
	nina.get("/settings").is(http.StatusSeeOther) // another role ends all sessions
	nina.signIn("nina@northwind.example")

	if a := o.post(page+"/password", "password", "short"); a.status != http.StatusUnprocessableEntity ||
		!a.has("#password-about .error") {
		t.Errorf("a short password gives %d %s", a.status, a.text())
	}
	o.post(page+"/password", "password", "another long one").at(page).says("Nina Newton has a new password")
	nina.get("/settings").is(http.StatusSeeOther)
	nina.post("/sign-in", "email", u.Email, "password", password).is(http.StatusUnprocessableEntity)
	nina.post("/sign-in", "email", u.Email, "password", "another long one").is(http.StatusSeeOther)

	o.post(page+"/disable").at(page).says("Nina Newton is disabled", "Disabled since 20 Nov 2026")
	nina.get("/settings").is(http.StatusSeeOther)
	nina.post("/sign-in", "email", u.Email, "password", "another long one").is(http.StatusUnprocessableEntity)
	o.post(page + "/enable").at(page).says("Nina Newton can sign in again")
	nina.post("/sign-in", "email", u.Email, "password", "another long one").is(http.StatusSeeOther)

	self := personAddress(h.user(affiliate.RoleOwner).ID)
	if a := o.get(self).says("You change your own under"); a.has("form[action=" + self + "/disable]") {
		t.Error("an owner is offered to disable themselves")
	}
	for _, form := range [][]string{{self, "name", "Olga Owner", "role", "viewer"}, {self + "/disable"}} {
		if a := o.post(form[0], form[1:]...); a.status != http.StatusUnprocessableEntity &&
			a.status != http.StatusConflict {
			t.Errorf("the last owner is gone: %d", a.status)
		} else {
			a.says("is the last owner who can sign in; make another owner first")
		}
	}
	o.get("/settings/people/usr_99").is(http.StatusNotFound)
	o.get("/settings/people/nobody").is(http.StatusNotFound)
}

// TestPeople_mayPay: a manager pays only while an owner allows it; whoever is no manager has no such right.
func TestPeople_mayPay(t *testing.T) {
	h := newHouse(t)
	o, m, max := h.owner(), h.manager(), personAddress(h.user(affiliate.RoleManager).ID)
	const said = "you may not send, record and cancel payouts; an owner can allow it, under Settings, People"
	m.post("/payouts").is(http.StatusForbidden).says(said)
	h.viewer().post("/payouts").is(http.StatusForbidden).says("ask for the role owner")

	o.post(max, "name", "Max Manager", "role", "manager", "may_pay", "1").at(max).
		says("Max Manager may send payments from now on", "May send payments")
	o.get("/settings/people").says("Manager May send payments")
	if a := m.post("/payouts"); a.status == http.StatusForbidden {
		t.Errorf("a manager who may pay is refused: %s", a.text())
	}
	m.get("/settings/people").is(http.StatusForbidden)
	if !o.get(max).has("input[name=may_pay][checked]") {
		t.Error("the box is not ticked")
	}

	o.post(max, "name", "Max Manager", "role", "manager").at(max).
		says("Max Manager may no longer send payments, and has to sign in again")
	m.get("/settings").at("/sign-in?to=%2Fsettings")
	m.signIn(people[1].Email)
	m.post("/payouts").is(http.StatusForbidden)

	o.post(max, "name", "Max Manager", "role", "manager", "may_pay", "1").at(max)
	o.post(max, "name", "Max Manager", "role", "viewer", "may_pay", "1").at(max).hides("May send payments from")
	o.post(max, "name", "Max Manager", "role", "manager").at(max)
	m.signIn(people[1].Email)
	m.post("/payouts").is(http.StatusForbidden)
	o.get("/settings/audit").says("changed the account of Max Manager", "may send payments")
}

// TestPeople_forbidden: nobody but an owner reads or changes who may sign in, tokens or the audit log.
func TestPeople_forbidden(t *testing.T) {
	h := newHouse(t)
	for _, route := range [][]route{peopleRoutes(), tokenRoutes(), auditRoutes()} {
		for _, line := range route {
			if line.access != may(affiliate.MayAdminister) {
				t.Errorf("%s %s is open to %s", line.method, line.path, line.access)
			}
		}
	}
	self := personAddress(h.user(affiliate.RoleManager).ID)
	h.manager().post(self, "name", "Max Manager", "role", "owner").is(http.StatusForbidden).
		says("ask for the role owner")
	h.viewer().post("/settings/tokens", "name", "x", "role", "owner", "expires", "365d").is(http.StatusForbidden)
	if u := h.user(affiliate.RoleManager); u.Name != "Max Manager" {
		t.Errorf("the manager is %+v", u)
	}
}
