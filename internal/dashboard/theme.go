package dashboard

import (
	"net/http"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func themeRoutes() []route {
	return []route{{http.MethodPost, "/theme", signedIn, (*request).chooseTheme}}
}

// themeCookie keeps how pages look in a browser, so that even the page to sign in begins with it.
const (
	themeCookie     = "tributary_theme"
	themeCookieTime = 365 * 24 * time.Hour
)

// theme is a look that somebody can choose: dark, light, or empty for that of the device.
type theme struct{ Value, Title, Icon string }

var themes = []theme{{"", "Look of the device", "device"}, {"light", "Light", "sun"}, {"dark", "Dark", "moon"}}

// isTheme says whether a value is one of a look.
func isTheme(value string) bool {
	return slices.ContainsFunc(themes, func(t theme) bool { return t.Value == value })
}

// theme is what was chosen in this browser.
func (r *request) theme() string {
	c, err := r.Request.Cookie(r.cookieName(themeCookie))
	if err != nil || !isTheme(c.Value) {
		return ""
	}
	return c.Value
}

func (r *request) chooseTheme() error {
	value := r.field("theme")
	if !isTheme(value) {
		return affiliate.Errorf(affiliate.Invalid, "theme: there is light, dark and that of the device")
	}
	r.setCookie(themeCookie, value, themeCookieTime)
	return r.done(back(r.cameFrom(), "/"), "")
}

// cameFrom is the address of the page of ours that a form was on; empty when the browser does not say.
func (r *request) cameFrom() string {
	u, err := r.Request.URL.Parse(r.Request.Referer())
	if err != nil || u.Host != r.Request.Host {
		return ""
	}
	return u.RequestURI()
}
