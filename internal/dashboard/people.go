package dashboard

import (
	"net/http"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func peopleRoutes() []route {
	owner := may(affiliate.MayAdminister)
	return []route{
		{http.MethodGet, "/settings/people", owner, (*request).peoplePage},
		{http.MethodPost, "/settings/people", owner, (*request).addPerson},
		{http.MethodGet, "/settings/people/:person", owner, (*request).personPage},
		{http.MethodPost, "/settings/people/:person", owner, (*request).changePerson},
		{http.MethodPost, "/settings/people/:person/password", owner, (*request).setPersonPassword},
		{http.MethodPost, "/settings/people/:person/disable", owner, (*request).disablePerson},
		{http.MethodPost, "/settings/people/:person/enable", owner, (*request).enablePerson},
	}
}

func personAddress(id affiliate.UserID) string { return "/settings/people/" + id.String() }

// roleChoices are the roles with what they may do.
var roleChoices = []choice{
	{string(affiliate.RoleViewer), "Viewer: sees everything, changes nothing"},
	{string(affiliate.RoleManager), "Manager: also campaigns, creators and approvals"},
	{string(affiliate.RoleOwner), "Owner: also payments, settings, people, stores and tokens"},
}

type peoplePage struct {
	settingsLayout
	People []personLine
	Pager  pager
	Form   personForm
	Roles  []choice
	Errors fieldErrors
}

type personLine struct {
	affiliate.User
	Address    string
	You        bool
	Disabled   string // since when; empty for those who may sign in
	LastSignIn string
}

// personForm is what was typed about a person.
type personForm struct {
	Name, Email, Role string
	MayPay            bool
}

// formOf is what is known of a person, as a form.
func formOf(u affiliate.User) personForm {
	return personForm{Name: u.Name, Role: string(u.Role), MayPay: u.MayPay}
}

// pays says whether the box that lets managers pay is ticked. For other roles it says nothing.
func (r *request) pays() bool {
	return r.field("may_pay") != "" && r.field("role") == string(affiliate.RoleManager)
}

func (r *request) peoplePage() error {
	return r.showPeople(http.StatusOK, personForm{Role: string(affiliate.RoleManager)}, nil)
}

func (r *request) showPeople(status int, form personForm, errs fieldErrors) error {
	list, next, err := r.d.App.DB.Users(r.Request.Context(), r.page())
	if err != nil {
		return err
	}
	ids := make([]affiliate.UserID, len(list))
	for i, u := range list {
		ids[i] = u.ID
	}
	last, err := r.d.App.DB.LastSignIns(r.Request.Context(), ids)
	if err != nil {
		return err
	}
	p := peoplePage{settingsLayout: r.settingsLayout("People", "People"), Pager: r.pager(next), Form: form,
		Roles: roleChoices, Errors: errs}
	for _, u := range list {
		p.People = append(p.People, personLine{User: u, Address: personAddress(u.ID), You: u.ID == r.user.ID,
			Disabled: r.date(u.DisabledAt), LastSignIn: r.moment(last[u.ID])})
	}
	r.render(status, "people.html", &p)
	return nil
}

func (r *request) addPerson() error {
	form := personForm{Name: r.field("name"), Email: r.field("email"), Role: r.field("role"),
		MayPay: r.pays()}
	err := r.prove()
	if err == nil {
		_, err = r.d.App.AddUser(r.Request.Context(), affiliate.User{Name: form.Name, Email: form.Email,
			Role: affiliate.Role(form.Role), MayPay: form.MayPay}, r.PostForm("password"))
	}
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showPeople(http.StatusUnprocessableEntity, form, errs)
	}
	return r.done("/settings/people",
		form.Name+" can sign in now. Tell them the address of this page, their e-mail address and the password.")
}

type personPage struct {
	settingsLayout
	Person personLine
	Form   personForm
	Roles  []choice
	Errors fieldErrors // of name and role
	Wrong  fieldErrors // of the password
	Audit  string      // address of what was done to the account
}

// person reads the person that the address names.
func (r *request) person() (affiliate.User, error) {
	id, err := idParam[affiliate.UserID](r, "person", "usr_")
	if err != nil {
		return affiliate.User{}, err
	}
	return r.d.App.DB.User(r.Request.Context(), id)
}

func (r *request) personPage() error {
	u, err := r.person()
	if err != nil {
		return err
	}
	return r.showPerson(http.StatusOK, u, formOf(u), nil, nil)
}

func (r *request) showPerson(status int, u affiliate.User, form personForm, errs, wrong fieldErrors) error {
	last, err := r.d.App.DB.LastSignIns(r.Request.Context(), []affiliate.UserID{u.ID})
	if err != nil {
		return err
	}
	r.render(status, "person.html", &personPage{settingsLayout: r.settingsLayout(u.Name, "People"), Form: form,
		Roles: roleChoices, Errors: errs, Wrong: wrong, Audit: "/settings/audit?subject=" + u.ID.String(),
		Person: personLine{User: u, Address: personAddress(u.ID), You: u.ID == r.user.ID,
			Disabled: r.date(u.DisabledAt), LastSignIn: r.moment(last[u.ID])}})
	return nil
}

func (r *request) changePerson() error {
	u, err := r.person()
	if err != nil {
		return err
	}
	form := personForm{Name: r.field("name"), Role: r.field("role"), MayPay: r.pays()}
	after := u
	if err = r.prove(); err == nil {
		after, err = r.d.App.ChangeUser(r.Request.Context(), u.ID, func(u *affiliate.User) error {
			u.Name, u.Role, u.MayPay = form.Name, affiliate.Role(form.Role), form.MayPay
			return nil
		})
	}
	if err != nil {
		return r.personRefused(err, func(errs fieldErrors) error {
			return r.showPerson(http.StatusUnprocessableEntity, u, form, errs, nil)
		})
	}
	notice := after.Name + " is saved."
	switch {
	case after.Role != u.Role:
		notice = after.Name + " is " + string(after.Role) + " now, and has to sign in again."
	case u.MayPay && !after.MayPay:
		notice = after.Name + " may no longer send payments, and has to sign in again."
	case after.MayPay && !u.MayPay:
		notice = after.Name + " may send payments from now on."
	}
	return r.done(personAddress(u.ID), notice)
}

// personRefused shows the form again when the person who filled it in can mend what is wrong.
func (r *request) personRefused(err error, again func(fieldErrors) error) error {
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return again(errs)
}

func (r *request) setPersonPassword() error {
	u, err := r.person()
	if err != nil {
		return err
	}
	keep := ""
	if u.ID == r.user.ID {
		keep = r.session
	}
	if err = r.prove(); err == nil {
		err = r.d.App.SetUserPassword(r.Request.Context(), u.ID, r.PostForm("password"), keep)
	}
	if err != nil {
		return r.personRefused(err, func(errs fieldErrors) error {
			return r.showPerson(http.StatusUnprocessableEntity, u, formOf(u), nil, errs)
		})
	}
	return r.done(personAddress(u.ID), u.Name+" has a new password, and is signed out on all devices. Tell it to them.")
}

func (r *request) disablePerson() error {
	return r.admit("is disabled: signed out everywhere, and cannot sign in.", func(u *affiliate.User) {
		if u.DisabledAt.IsZero() {
			u.DisabledAt = r.d.App.Now()
		}
	})
}

func (r *request) enablePerson() error {
	return r.admit("can sign in again.", func(u *affiliate.User) { u.DisabledAt = time.Time{} })
}

// admit changes whether a person may sign in.
func (r *request) admit(notice string, change func(*affiliate.User)) error {
	u, err := r.person()
	if err != nil {
		return err
	}
	if _, err := r.d.App.ChangeUser(r.Request.Context(), u.ID, func(u *affiliate.User) error {
		change(u)
		return nil
	}); err != nil {
		return r.personRefused(err, func(errs fieldErrors) error {
			return r.showPerson(http.StatusUnprocessableEntity, u, formOf(u), errs, nil)
		})
	}
	return r.done(personAddress(u.ID), u.Name+" "+notice)
}
