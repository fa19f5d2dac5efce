package dashboard

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/attack"
)

// injections are what attackers put where a value belongs.
var injections = []string{
	`'"><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "{{.}}", "${7*7}", "' OR '1'='1", "1; DROP TABLE orders--",
	"') UNION SELECT password_hash FROM users--", "%s%n%x", "\x00", "\xff\xfe", "\u202e", "\r\nSet-Cookie: a=b",
	"//evil.example", "/\\evil.example", "-1", "0", "1e400", "NaN",
	"9223372036854775808", "99999999999999999999999999", "2026-02-30", "0000-00-00", "9999-12-31", "[]", "{}", "null",
	"cmp_99999999999999999999", "../../etc/passwd", "eyJpZCI6MX0",
	strings.Repeat("A", 5000), "😀", " ", "",
}

var runsScript = regexp.MustCompile(`(?i)<script>alert|<img src=x|href="javascript:`)

// parameters are the names that the pages read from an address or a form.
func parameters(t *testing.T) []string {
	t.Helper()
	names := wordsIn(t, ".", `\.(?:Query|QueryArray|field)\("([a-z_]+)"\)`)
	slices.Sort(names)
	return slices.Compact(names)
}

// TestAttack_parameters opens every page with injections in every parameter that any page reads, several at once, and
// as the id in its path. Nothing is a fault of ours, nothing leads to another site, and no text becomes markup.
func TestAttack_parameters(t *testing.T) {
	h := busyHouse(t)
	random := rand.New(rand.NewPCG(9, 9))
	names := parameters(t)
	if len(names) < 20 {
		t.Fatalf("only %d parameters were found: %v", len(names), names)
	}
	owner := h.owner()
	check := func(address string) {
		t.Helper()
		a := owner.get(address)
		if a.status >= http.StatusInternalServerError {
			t.Errorf("%s: %d", address, a.status)
		}
		if runsScript.MatchString(a.body) {
			t.Errorf("%s: what was put in became markup", address)
		}
		if to := a.header.Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
			strings.HasPrefix(to, `/\`)) {
			t.Errorf("%s leads to %s", address, to)
		}
	}
	for _, page := range h.openPages() {
		for range attack.Size(6, 200) {
			query := url.Values{}
			for range 1 + random.IntN(6) {
				query.Add(names[random.IntN(len(names))], injections[random.IntN(len(injections))])
			}
			query.Del("part") // TestAttack_parts asks for parts
			check(page.address + "?" + query.Encode())
		}
	}
	for _, route := range h.dashboard.routes() {
		if route.method != http.MethodGet || !strings.Contains(route.path, ":") {
			continue
		}
		for range attack.Size(3, 30) {
			parts := strings.Split(route.path, "/")
			for i, part := range parts {
				if strings.HasPrefix(part, ":") {
					parts[i] = url.PathEscape(injections[random.IntN(len(injections))])
				}
			}
			check(strings.Join(parts, "/"))
		}
	}
}

// TestAttack_forms posts injections to every form as an owner: each is refused or taken for the text that it is.
func TestAttack_forms(t *testing.T) {
	h := busyHouse(t)
	ids := h.ids()
	random := rand.New(rand.NewPCG(4, 4))
	names := parameters(t)
	for _, route := range h.dashboard.routes() {
		if route.method != http.MethodPost || route.path == "/sign-out" || route.path == "/account/password" {
			continue
		}
		for range attack.Size(3, 60) {
			parts := strings.Split(route.path, "/")
			for i, part := range parts {
				if strings.HasPrefix(part, ":") {
					if parts[i] = ids.of(route.path, part); parts[i] == "" || random.IntN(3) == 0 {
						parts[i] = "999"
					}
				}
			}
			var form []string
			for range 1 + random.IntN(8) {
				form = append(form, names[random.IntN(len(names))], injections[random.IntN(len(injections))])
			}
			a := h.owner().post(strings.Join(parts, "/"), form...)
			if a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
				t.Errorf("%s with %.300q: %d", route.path, form, a.status)
			}
			if runsScript.MatchString(a.body) {
				t.Errorf("%s with %.300q: what was put in became markup", route.path, form)
			}
		}
	}
}
