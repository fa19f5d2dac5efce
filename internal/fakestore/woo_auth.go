package fakestore

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// signedIn is the cookie of the store's owner.
const signedIn = "wordpress_logged_in"

var (
	loginPage = template.Must(template.New("login").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Log in · {{.Shop}}</title></head>
<body><h1>{{.Shop}}</h1><p>{{.App}} would like to connect to your store. Log in first.</p>
<form method="post" action="{{.Here}}"><p><label>User name <input name="log" value="owner"></label></p>
<p><button name="wp-submit" value="1">Login</button></p></form>
<p><a href="{{.Cancel}}">Cancel and return to {{.App}}</a></p></body></html>
`))
	grantPage = template.Must(template.New("grant").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Access request · {{.Shop}}</title></head>
<body><h1>{{.Shop}}</h1><p>{{.App}} would like to connect to your store: Read/Write access to orders, coupons and
webhooks.</p>
<p><a id="approve" href="{{.Approve}}">Approve</a> <a id="deny" href="{{.Cancel}}">Deny</a></p></body></html>
`))
)

// serveAuth is the one-click connection (includes/class-wc-auth.php): the owner signs in and approves, the store sends
// keys to the callback, and the browser goes back.
func (w *woo) serveAuth(rw http.ResponseWriter, r *http.Request) {
	_, route, _ := strings.Cut(r.URL.Path, "/wc-auth/v1/")
	q := r.URL.Query()
	if fault := w.faultOf(q); fault != "" {
		accessDenied(rw, fault)
		return
	}
	to := func(route string) string {
		before, _, _ := strings.Cut(r.URL.Path, "/wc-auth/v1/")
		return before + "/wc-auth/v1/" + route + "?" + r.URL.RawQuery
	}
	_, err := r.Cookie(signedIn)
	page := struct{ Shop, App, Here, Approve, Cancel string }{w.Name, q.Get("app_name"), to("login"),
		to("access_granted"), back(q, 0)}
	switch in := err == nil; {
	case route == "login" && r.Method == http.MethodPost:
		http.SetCookie(rw, &http.Cookie{Name: signedIn, Value: "owner", Path: "/", HttpOnly: true})
		http.Redirect(rw, r, to("authorize"), http.StatusFound)
	case route == "login" && in:
		http.Redirect(rw, r, to("authorize"), http.StatusFound)
	case route == "login":
		write(rw, loginPage, page)
	case !in:
		http.Redirect(rw, r, to("login"), http.StatusFound)
	case route == "authorize":
		write(rw, grantPage, page)
	case route == "access_granted":
		w.grant(rw, r, q)
	default:
		accessDenied(rw, "You do not have permission to access this page")
	}
}

func write(rw http.ResponseWriter, page *template.Template, data any) {
	rw.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_ = page.Execute(rw, data) // whoever asked may be gone
}

// faultOf is what is wrong with the parameters; empty: nothing.
func (w *woo) faultOf(q url.Values) string {
	for _, name := range []string{"app_name", "user_id", "return_url", "callback_url", "scope"} {
		if q.Get(name) == "" {
			return "Missing parameter " + name
		}
	}
	switch q.Get("scope") {
	case "read", "write", "read_write":
	default:
		return "Invalid scope " + q.Get("scope")
	}
	if !strings.HasPrefix(q.Get("callback_url"), "https://") && !w.Woo.AnyCallback {
		return "The callback_url needs to be over SSL"
	}
	return ""
}

func accessDenied(rw http.ResponseWriter, why string) {
	rw.Header().Set("Content-Type", "text/html; charset=UTF-8")
	rw.WriteHeader(http.StatusUnauthorized)
	fmt.Fprintf(rw, "<!DOCTYPE html><html><head><title>Access denied</title></head><body><p>Error: %s.</p></body>"+
		"</html>\n", template.HTMLEscapeString(why))
}

// back is where the browser returns to.
func back(q url.Values, success int) string {
	u, err := url.Parse(q.Get("return_url"))
	if err != nil {
		return "/"
	}
	p := u.Query()
	p.Set("success", fmt.Sprint(success))
	p.Set("user_id", q.Get("user_id"))
	u.RawQuery = p.Encode()
	return u.String()
}

// grant makes keys and sends them to the callback, which must answer with exactly 200.
func (w *woo) grant(rw http.ResponseWriter, r *http.Request, q url.Values) {
	w.mu.Lock()
	key := w.makeKey(q.Get("scope"))
	number := len(w.keyring)
	w.mu.Unlock()
	body := php(object{{"key_id", number}, {"user_id", q.Get("user_id")}, {"consumer_key", key.id},
		{"consumer_secret", key.secret}, {"key_permissions", key.permissions}})
	header := http.Header{"Content-Type": {"application/json;charset=UTF-8"}}
	if w.post(r.Context(), q.Get("callback_url"), header, bytes.Clone(body)) == http.StatusOK {
		http.Redirect(rw, r, back(q, 1), http.StatusFound)
		return
	}
	w.mu.Lock()
	w.keyring = w.keyring[:len(w.keyring)-1]
	w.mu.Unlock()
	accessDenied(rw, "An error occurred in the request and at the time were unable to send the consumer data")
}
