package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"

	"github.com/tributaryhq/tributary/internal/recordings"
)

// signIn gives a browser in which somebody has signed in, if that succeeds as wanted.
func signIn(t *testing.T, c *recordings.Client, want int) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	ok(t, err)
	browser := &http.Client{Jar: jar, Timeout: patience, CheckRedirect: c.HTTP.CheckRedirect,
		Transport: c.HTTP.Transport}
	response, err := browser.PostForm(c.Base+"/sign-in", url.Values{"email": {"olga@brand.example"},
		"password": {"correct horse battery"}})
	ok(t, err)
	if a := readAnswer(t, response); a.status != want {
		t.Errorf("signing in is answered %d, want %d:\n%s", a.status, want, a.text)
	}
	return browser
}

func get(t *testing.T, browser *http.Client, address string, want int) string {
	t.Helper()
	response, err := browser.Get(address)
	ok(t, err)
	a := readAnswer(t, response)
	wantStatus(t, address, a.status, want)
	return a.text
}
