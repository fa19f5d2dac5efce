package dashboard

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// savedView is the filters of the home page under a name, of one person.
type savedView struct {
	Name, Address string
	Open          bool // the page shows it now
	Start         bool // the person's home page begins with it
}

// viewPrefix is where saved views of the home page stand among a person's preferences.
const viewPrefix = "view:home:"

// startPreference names the saved view that a person's home page begins with.
const startPreference = "start:home"

// viewQuery writes the filters of an address the one way that saved views are compared in: without what is empty, the
// page of a table and the part of a page, and with a period, which a start page without filters has as well.
func viewQuery(values url.Values) string {
	for name, list := range values {
		list = slices.DeleteFunc(list, func(v string) bool { return v == "" })
		values[name] = list
		if len(list) == 0 || name == "cursor" || name == "part" {
			values.Del(name)
		}
	}
	if values.Get("period") == "" && values.Get("from")+values.Get("to") == "" {
		values.Set("period", string(affiliate.DefaultPeriod))
	}
	return values.Encode()
}

// savedViews lists the person's views by name.
func (r *request) savedViews() (list []savedView, err error) {
	ctx := r.Request.Context()
	views, err := r.d.App.DB.Preferences(ctx, r.user.ID, viewPrefix)
	if err != nil || len(views) == 0 {
		return nil, err
	}
	start, err := r.d.App.DB.Preference(ctx, r.user.ID, startPreference)
	here := viewQuery(r.Request.URL.Query())
	for _, key := range slices.Sorted(maps.Keys(views)) {
		name := strings.TrimPrefix(key, viewPrefix)
		list = append(list, savedView{name, "/?" + views[key], views[key] == here, name == start})
	}
	return list, err
}

// startAddress is that of the view that the person begins with; empty for none.
func (r *request) startAddress() (string, error) {
	ctx := r.Request.Context()
	name, err := r.d.App.DB.Preference(ctx, r.user.ID, startPreference)
	if err != nil || name == "" {
		return "", err
	}
	query, err := r.d.App.DB.Preference(ctx, r.user.ID, viewPrefix+name)
	if err != nil || query == "" {
		return "", err
	}
	return "/?" + query, nil
}

// startView has the person's home page begin with a view, or with none.
func (r *request) startView() error {
	ctx, name := r.Request.Context(), r.field("name")
	address, notice := plainHome, "Sales tracking begins without a view again."
	if name != "" {
		query, err := r.d.App.DB.Preference(ctx, r.user.ID, viewPrefix+name)
		if err != nil {
			return err
		}
		if query == "" {
			return affiliate.Errorf(affiliate.NotFound, "there is no view %s", affiliate.Clip(name, 60))
		}
		address, notice = "/?"+query, fmt.Sprintf("Sales tracking begins with the view “%s” from now on.", name)
	}
	if err := r.d.App.DB.SetPreference(ctx, r.user.ID, startPreference, name, r.d.App.Now()); err != nil {
		return err
	}
	return r.done(address, notice)
}

// saveView keeps the filters of the home page under a name.
func (r *request) saveView() error {
	name, query := r.field("name"), r.PostForm("query")
	if name == "" || len(name) > 60 {
		return affiliate.FieldErrorf("name", "must have 1 to 60 characters")
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > 4000 {
		return affiliate.FieldErrorf("query", "is not the address of a view")
	}
	text := viewQuery(values)
	if err := r.d.App.DB.SetPreference(r.Request.Context(), r.user.ID, viewPrefix+name, text,
		r.d.App.Now()); err != nil {
		return err
	}
	return r.done("/?"+text, fmt.Sprintf("The view “%s” is saved.", name))
}

// forgetView forgets a view. Whoever began with it begins with none.
func (r *request) forgetView() error {
	ctx, name, now := r.Request.Context(), r.field("name"), r.d.App.Now()
	if err := r.d.App.DB.SetPreference(ctx, r.user.ID, viewPrefix+name, "", now); err != nil {
		return err
	}
	start, err := r.d.App.DB.Preference(ctx, r.user.ID, startPreference)
	if err == nil && start == name {
		err = r.d.App.DB.SetPreference(ctx, r.user.ID, startPreference, "", now)
	}
	if err != nil {
		return err
	}
	return r.done(plainHome, "The view is forgotten.")
}
