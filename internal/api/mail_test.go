package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// letterbox is a mail server that takes every mail, but for those to an address that it does not know.
type letterbox struct{ got []affiliate.OutgoingMail }

func (l *letterbox) Open(context.Context) (app.MailConnection, error) { return l, nil }

func (l *letterbox) Close() error { return nil }

func (l *letterbox) Send(_ context.Context, m affiliate.OutgoingMail, ending func() error) error {
	if strings.Contains(m.To, "nobody@") {
		return affiliate.MailAnswer{Code: 554, Words: "5.7.1 not today"}
	}
	l.got = append(l.got, m)
	return ending()
}

// TestAPI_mail: texts are written and tried, mailings looked at, sent once and canceled, and mails tried again.
func TestAPI_mail(t *testing.T) {
	eachOffice(t, func(o *office) {
		m, box := o.manager, &letterbox{}
		var creators []string
		for _, name := range []string{"Anna", "Nobody", "Silent"} {
			body := object{"name": name}
			if name != "Silent" {
				body["email"] = strings.ToLower(name) + "@creators.example"
			}
			creators = append(creators, m.call("POST", v1+"/creators", body).ok(201)["id"].(string))
		}
		asked := object{"purpose": "message", "creators": creators, "subject": "News",
			"text": "Hi {{creator.first_name}}", "key": "one"}
		m.call("POST", v1+"/mailings", asked).problem(409, "no_mail_server", "")
		if s := m.call("GET", v1+"/mail/state", nil).ok(200); s["ready"] != false || s["why"] == nil {
			o.Errorf("the state is %v", s)
		}
		o.app.Mailer, o.app.MailFrom, o.app.MailShown = box, `"Brand" <creators@brand.example>`, true

		usual := m.call("GET", v1+"/mail/texts/code_or_link", nil).ok(200)
		if usual["usual"] != true || usual["version"] != 0.0 {
			o.Errorf("the usual text is %v", usual)
		}
		own := m.call("PUT", v1+"/mail/texts/code_or_link", object{"subject": "Mine", "body": "{{code}}"}).ok(200)
		if own["usual"] != false || own["version"] != 1.0 || own["subject"] != "Mine" {
			o.Errorf("the own text is %v", own)
		}
		m.call("PUT", v1+"/mail/texts/code_or_link", object{"subject": "{{code", "body": "x"}).
			problem(422, "invalid", "subject")
		m.call("POST", v1+"/mail/texts/code_or_link/test", object{"to": "boss@brand.example"}).ok(200)
		m.call("POST", v1+"/mail/texts/code_or_link/test", object{"to": "nobody@brand.example"}).
			problem(409, "conflict", "")
		if len(box.got) != 1 || box.got[0].Subject != "Mine" || !strings.HasPrefix(box.got[0].Text, "ANNA10\n") {
			o.Errorf("the tests are %+v", box.got)
		}
		if reset := m.call("DELETE", v1+"/mail/texts/code_or_link", nil).ok(200); reset["subject"] != usual["subject"] {
			o.Errorf("reset it is %v", reset)
		}

		preview := m.call("POST", v1+"/mailings/preview", asked).ok(200)
		if preview["mails"] != 2.0 || preview["skipped"] != 1.0 || len(preview["drafts"].([]any)) != 3 ||
			preview["drafts"].([]any)[0].(object)["text"] != "Hi Anna" {
			o.Errorf("the preview is %v", preview)
		}
		send := m.call("POST", v1+"/mailings", asked).ok(201)
		if again := m.call("POST", v1+"/mailings", asked).ok(201); again["id"] != send["id"] {
			o.Errorf("the same key has sent %v and %v", send["id"], again["id"])
		}
		if _, err := o.app.SendMails(o.Context()); err != nil {
			o.Fatal(err)
		}
		path := v1 + "/mailings/" + send["id"].(string)
		read := m.call("GET", path, nil).ok(200)
		if states := read["states"].(object); read["state"] != "done" || states["sent"] != 1.0 ||
			states["refused"] != 1.0 || states["skipped"] != 1.0 {
			o.Errorf("the mailing is %v", read)
		}
		refused := m.call("GET", v1+"/mails?state=refused", nil).ok(200)["data"].([]any)[0].(object)
		if refused["code"] != 554.0 || refused["answer"] != "5.7.1 not today" {
			o.Errorf("the refused mail is %v", refused)
		}
		retried := m.call("POST", v1+"/mails/"+refused["id"].(string)+"/retry", nil).ok(200)
		if retried["state"] != "queued" {
			o.Errorf("tried again it is %v", retried)
		}
		if canceled := m.call("POST", path+"/cancel", nil).ok(200); canceled["state"] != "canceled" {
			o.Errorf("canceled it is %v", canceled)
		}
		o.viewer.call("GET", v1+"/mails", nil).problem(403, "forbidden", "")

		o.unsubscribe(box.got[1].Unsubscribe)
	})
}

// unsubscribe unsubscribes as people and providers of mail do: without a session, from anywhere.
func (o *office) unsubscribe(address string) {
	o.Helper()
	path := strings.TrimPrefix(address, "https://t.example")
	ask := func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://mail.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		o.nobody.handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for range 2 {
		if status, page := ask("GET", path, ""); status != http.StatusOK || !strings.Contains(page, "<button") ||
			!strings.Contains(page, "a…a@c…s.example") {
			o.Errorf("GET asks nothing: %d %s", status, page)
		}
	}
	list := func() int {
		return len(o.manager.call("GET", v1+"/mail/suppressions", nil).ok(200)["data"].([]any))
	}
	if n := list(); n != 0 {
		o.Errorf("GET has unsubscribed %d", n)
	}
	for range 2 {
		if status, page := ask("POST", path, "List-Unsubscribe=One-Click"); status != http.StatusOK {
			o.Errorf("POST: %d %s", status, page)
		}
	}
	if status, page := ask("GET", path, ""); status != http.StatusOK || strings.Contains(page, "<button") {
		o.Errorf("afterwards: %d %s", status, page)
	}
	if n := list(); n != 1 {
		o.Errorf("%d addresses get no mail", n)
	}
	for _, wrong := range []string{"/u/1", "/u/1-00000000000000000000000000000000", path + "0"} {
		if status, _ := ask("POST", wrong, ""); status != http.StatusNotFound {
			o.Errorf("%s: %d", wrong, status)
		}
	}
	o.manager.call("DELETE", v1+"/mail/suppressions/anna@creators.example", nil).ok(200)
	if n := list(); n != 0 {
		o.Errorf("%d addresses get no mail although it was allowed again", n)
	}
}
