package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// TestSetupLink: serve says in its log where the first owner is made, each process the same; the link makes one owner,
// and no log speaks of it afterwards.
func TestSetupLink(t *testing.T) {
	eachBackend(t, func(t *testing.T, env environment) {
		link := func(s *server) string {
			var log bytes.Buffer
			s.log = slog.New(slog.NewTextHandler(&log, nil))
			s.logSetupLink(t.Context())
			return regexp.MustCompile(`link="?([^"\s]*)`).FindString(log.String())
		}
		first := env.start(t)
		said := link(first)
		_, key, found := strings.Cut(said, "/welcome?key=")
		if !found || len(key) != 32 {
			t.Fatalf("the log says %q", said)
		}
		second := first // one server has the embedded data folder to itself
		if env["DATABASE_URL"] != "" {
			second = env.start(t, roleWeb)
		}
		if _, again, _ := strings.Cut(link(second), "/welcome?key="); again != key {
			t.Errorf("two processes say %q and %q", key, again)
		}
		send := func(s *server, key string) int {
			a, err := http.PostForm("http://"+s.address+"/welcome", url.Values{"key": {key}, "name": {"Mia"},
				"email": {"mia@brand.example"}, "password": {"correct horse battery"}})
			ok(t, err)
			ok(t, a.Body.Close())
			return a.StatusCode
		}
		if got := send(first, "0"+key[1:]+"0"); got != http.StatusForbidden {
			t.Errorf("another key gives %d", got)
		}
		send(second, key)
		env.open(t, func(ctx context.Context, a *app.App) {
			u, _, err := a.DB.UserByEmail(ctx, "mia@brand.example")
			ok(t, err)
			if u.Role != affiliate.RoleOwner {
				t.Errorf("%+v", u)
			}
		})
		if said := link(first); said != "" {
			t.Errorf("with an owner the log says %q", said)
		}
		if got := send(first, key); got != http.StatusUnprocessableEntity {
			t.Errorf("the link makes a second owner: %d", got)
		}
	})
}
