package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/attack"
)

// injections are what attackers put where a value belongs: other languages' syntax, numbers out of range, text that is
// none, and names of things that are not for them.
var injections = []string{
	"'", "''", `"`, "`", "\\", ";", "--", "' OR '1'='1", "1 OR 1=1", "1; DROP TABLE orders", "') OR ('1'='1",
	"1)) UNION SELECT password_hash FROM users--", "'||(SELECT version())||'", "1 AND SLEEP(5)",
	"1; SELECT pg_sleep(5)--", "$1", "?", ":name", "%", "_", "%%", "%s%n%x", "{{.}}", "${7*7}", "<%= 7*7 %>",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "data:text/html,x",
	"//evil.example", `\\evil.example`, "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd\x00.csv",
	"file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "\x00", "a\x00b", "\xff\xfe", "\xc3\x28",
	"\u202e", "\ufeff", "\r\nSet-Cookie: a=b", "%0d%0aX-Evil:1", "\n", "\t", " ", "", "-1", "0", "1e400", "1e-400",
	"NaN", "Infinity", "-0", "0x7f", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
	"99999999999999999999999999", "1.5", "1,5", "١٢٣", "true", "null", "undefined", "[]", "{}", `{"$gt":""}`,
	"[object Object]", "a[]=1", "cmp_1", "cmp_-1", "cmp_99999999999999999999", "trb_x", "2026-02-30", "0000-00-00",
	"9999-12-31", "-1-1-1", "2026-11-29T25:61:61Z", "usd", "XXX", "€", "😀", strings.Repeat("A", 5000),
	strings.Repeat("(", 300), strings.Repeat("%25", 300), "eyJpZCI6MX0", "AAAA", "====",
}

// TestAttack_parameters puts injections into every parameter of every operation that reads: in its path and its query,
// alone and in pairs. Whatever comes, the answer is one of the declared ones (each is compared with the OpenAPI
// document), none is a fault of ours, and what was put in breaks out of no header.
func TestAttack_parameters(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.fillLists()
		document := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)
		random := rand.New(rand.NewPCG(7, 7))
		asked := 0
		for path, operations := range document["paths"].(object) {
			declared, ok := operations.(object)["get"].(object)
			if !ok || path == v1+"/live" {
				continue
			}
			for _, p := range injectable(declared) {
				list := injections
				if !attack.Long() {
					list = sample(random, injections, 8)
				}
				for _, value := range list {
					asked++
					target := strings.NewReplacer("{id}", "1", "{store}", "shop", "{external_id}", "1").Replace(path)
					if p.in == "path" {
						target = strings.Replace(path, "{"+p.name+"}", url.PathEscape(value), 1)
						target = strings.NewReplacer("{id}", "1", "{store}", "shop", "{external_id}",
							"1").Replace(target)
					} else {
						target += "?" + url.QueryEscape(p.name) + "=" + url.QueryEscape(value)
						if random.IntN(3) == 0 {
							target += "&" + url.QueryEscape(p.name) + "=" +
								url.QueryEscape(injections[random.IntN(len(injections))])
						}
					}
					if value == "" && p.in == "path" {
						continue // another address
					}
					a := o.owner.call(http.MethodGet, target, nil)
					if a.status >= 500 {
						t.Errorf("%s: %d %s", target, a.status, a.raw)
					}
					if a.header.Get("Set-Cookie") != "" || a.header.Get("X-Evil") != "" {
						t.Errorf("%s set a header: %v", target, a.header)
					}
				}
			}
		}
		if least := attack.Size(1000, 10_000); asked < least {
			t.Errorf("only %d requests were made, want %d", asked, least)
		}
		if log := o.log.String(); strings.Contains(log, "panic") || strings.Contains(log, "syntax error") {
			t.Errorf("the log tells of a fault: %s", firstFault(log))
		}
	})
}

type parameter struct{ in, name string }

func injectable(declared object) (list []parameter) {
	all, _ := declared["parameters"].([]any)
	for _, p := range all {
		in, _ := p.(object)["in"].(string)
		name, _ := p.(object)["name"].(string)
		if in == "path" || in == "query" {
			list = append(list, parameter{in, name})
		}
	}
	return list
}

func sample[T any](random *rand.Rand, list []T, n int) []T {
	list = slices.Clone(list)
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:min(n, len(list))]
}

func firstFault(log string) string {
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, "panic") || strings.Contains(line, "syntax error") {
			return line
		}
	}
	return ""
}

// TestAttack_bodies sends what is no sensible body to every operation that writes, as an owner: each is refused with a
// problem document or does what it says, and none is a fault of ours.
func TestAttack_bodies(t *testing.T) {
	bodies := []string{"", "null", "true", "1", `"x"`, "[]", "{}", "{", `{"name":null}`, `{"name":{}}`, `{"name":["a"]}`, `{"name":1e999}`, `{"__proto__":{"role":"owner"}}`,
		`{"id":1,"role":"owner","version":99,"created_at":"2026-01-01T00:00:00Z"}`, `{"name":"\u0000"}`, "{\"name\":\"\xff\"}", strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 20_000),
		`{"name":"` + strings.Repeat("x", 100_000) + `"}`, `{"name":"a","name":"b"}`, `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, "\xff\xfe{\x00}\x00",
		`{"amount":"1e30","currency":"USD"}`, `{"percent":"-1"}`, `{"percent":"99999999999999999999"}`}
	eachOffice(t, func(o *office) {
		o.fillLists()
		document := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)
		for path, operations := range document["paths"].(object) {
			for method := range operations.(object) {
				if method == "get" {
					continue
				}
				// Nothing has this id: some operations end a token, and must not end one of the test's.
				target := strings.NewReplacer("{id}", "999", "{store}", "none", "{secret}", "1", "{external_id}",
					"1").Replace(path)
				for _, body := range bodies {
					a := o.owner.call(strings.ToUpper(method), target, body)
					if a.status >= 500 {
						t.Errorf("%s %s with %.60q: %d %s", method, target, body, a.status, a.raw)
					}
				}
				for _, kind := range []string{"text/plain", "application/xml", "multipart/form-data",
					"application/json; charset=utf-7", "x/" + strings.Repeat("y", 500)} {
					a := o.owner.callWith(map[string]string{"Content-Type": kind}, strings.ToUpper(method), target, `{"name":"x"}`)
					if a.status >= 500 {
						t.Errorf("%s %s as %.40s: %d %s", method, target, kind, a.status, a.raw)
					}
				}
			}
		}
		if log := o.log.String(); strings.Contains(log, "panic") {
			t.Error(fmt.Errorf("the log tells of a fault: %s", firstFault(log)))
		}
	})
}
