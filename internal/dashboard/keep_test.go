package dashboard

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// doubtfulCredits are four orders with codes of two creators, and one with a code of one.
func doubtfulCredits(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	for _, number := range []string{"3001", "3002", "3003", "3004"} {
		h.sell(sale{number: number, code: "ANNA10 BEN5", value: 40_00})
	}
	h.sell(sale{number: "3005", code: "ANNA10", value: 40_00})
	if c := h.order("3001").Conversion; !c.Ambiguous {
		t.Fatalf("nothing is in doubt: %+v", c)
	}
	return h
}

// doubtTask is the line of the tasks about orders with several creators' codes; false when there is none.
func (h *house) doubtTask() (line element, found bool) {
	h.Helper()
	h.dashboard.work.Forget()
	for _, link := range h.manager().get("/").all("#tasks a") {
		if strings.Contains(link.text(), "several creators' codes") {
			return link, true
		}
	}
	return element{}, false
}

// TestKeep: the tasks lead to orders with several creators' codes, and each can be ended by keeping it: by its button,
// on its page, or all of them at once.
func TestKeep(t *testing.T) {
	h := doubtfulCredits(t)
	m := h.manager()
	id := func(number string) string { return h.order(number).Conversion.ID.String() }
	task, found := h.doubtTask()
	if !found || task.text() != "4 orders carry several creators' codes" {
		t.Fatalf("home says %v", task)
	}
	doubts := task.attr("href")
	a := m.get(doubts).is(http.StatusOK).says("4 listed").hides("#3005")
	for _, number := range []string{"3001", "3004"} {
		if !a.has("button[name=one-keep][value=" + id(number) + "]") {
			t.Errorf("#%s cannot be kept", number)
		}
	}
	if all := m.get("/conversions?period=all_time"); all.has("button[name=one-keep][value="+id("3005")+"]") ||
		len(all.all("button[name=one-keep]")) != 4 {
		t.Error("what is in no doubt can be kept")
	}
	if h.viewer().get(doubts).has("button[name=one-keep]") {
		t.Error("a viewer is offered to decide")
	}
	h.viewer().post("/conversions/decide", "one-keep", id("3001")).is(http.StatusForbidden)
	m.post("/conversions/decide", "one-keep", id("3001"), "back", doubts).at(doubts).says("1 credit stays as it is.",
		"3 listed").hides("#3001")

	order := orderAddress(h.order("3002").ID)
	page := m.get(order).says("Keep the credit as it is", "Several creators' codes")
	m.post(page.one("form[action="+order+"/decide]").attr("action"), "decision", "keep").at(order).
		says("The credit stays as it is.", "Approved", "Decision").hides("Keep the credit as it is")
	m.post(order+"/decide", "decision", "reject").at(order)
	m.post(order+"/decide", "decision", "keep").is(http.StatusConflict).says("undo the rejection")
	m.post(order+"/decide", "decision", "undo").at(order)
	m.post("/conversions/decide", "decision", "keep", "ids", id("3003"), "back", doubts).at(doubts).says("1 listed")

	_, err := h.app.RemoveMember(h.as(affiliate.RoleManager), h.member("Spring", h.order("3004").Conversion.Creator).ID)
	h.must(err)
	if task, _ = h.doubtTask(); task.text() != "1 order carries several creators' codes" {
		t.Errorf("home says %q", task.text())
	}
	m.get(task.attr("href")).says("1 listed", "#3004")
	all := []string{"all", "1", "decision", "keep", "period", "all_time", "include", "former", "back", doubts}
	asked := m.post("/conversions/decide", all...).is(http.StatusOK).says("Keep 1 credit as it is?",
		"home asks about them no more", "4 more conversions match, and stay as they are")
	all = append(all, "confirmed", asked.one("input[name=confirmed]").attr("value"))
	m.post("/conversions/decide", all...).at(doubts).says("1 credit stays as it is.", "Nothing matches")
	if task, found = h.doubtTask(); found {
		t.Errorf("home still says %q", task.text())
	}
	h.owner().get("/settings/audit?kind=cnv_").says("kept the credit as it is of order", "#3004")
	h.consistent()
}

// TestTasks_numbers: each task that says a number leads to as many, also where creators have left.
func TestTasks_numbers(t *testing.T) {
	h := busyHouse(t)
	h.sell(sale{code: "BEN5 ANNA10", value: 10_00}, sale{code: "ANNA10 BEN5", value: 20_00},
		sale{code: "BEN5", value: 5_00, currency: "EUR"}, sale{code: "ANNA10", value: 5_00, currency: "EUR"},
		sale{code: "BEN5", value: 5_00, email: "ben@creators.example"}, sale{code: "WINTER", value: 10_00})
	for _, name := range []string{"Anna Ahlers", "Ben Botha"} {
		_, err := h.app.RemoveCreator(h.as(affiliate.RoleManager), h.creator(name).ID)
		h.must(err)
	}
	h.dashboard.work.Forget()
	checked := map[string]bool{}
	for _, link := range h.owner().get("/").all(".tasks a") {
		text := link.text()
		number := regexp.MustCompile(`^\d+ `).FindString(text)
		if number == "" {
			continue
		}
		number = strings.TrimSpace(number)
		a := h.owner().get(link.attr("href")).is(http.StatusOK)
		path, _, _ := strings.Cut(link.attr("href"), "?")
		if path == "/conversions" {
			a.says(number + " listed")
		} else if rows := len(a.all("tbody tr")); fmt.Sprint(rows) != number {
			t.Errorf("%q leads to %s with %d rows", text, path, rows)
		}
		checked[text] = true
	}
	for _, want := range []string{"2 orders carry several creators' codes", "2 conversions are held for review",
		"2 orders wait for an exchange rate", "2 codes on orders of Northwind US belong to nobody",
		"1 delivery failed in Northwind US"} {
		if !checked[want] {
			t.Errorf("home does not say %q: %v", want, checked)
		}
	}
}

// TestKeep_browser: on phones and usual screens the button of a row keeps the credit in place, then that of what is
// selected, until the list is empty; nothing is pushed aside.
func TestKeep_browser(t *testing.T) {
	h := doubtfulCredits(t)
	task, _ := h.doubtTask()
	b := h.browse(affiliate.RoleManager)
	b.open(task.attr("href"))
	for n, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		b.says(fmt.Sprintf("%d listed", 4-n))
		for _, fault := range b.covered(".rows td.number") {
			t.Errorf("%d pixels wide: %s", width, fault)
		}
		for _, fault := range b.inaccessible() {
			t.Errorf("%d pixels wide: %s", width, fault)
		}
		if n == 2 {
			break
		}
		b.click(fmt.Sprintf("button[name=one-keep][value=%q]", h.order(fmt.Sprint(3001+n)).Conversion.ID))
	}
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		if width == 390 {
			b.eval(`document.querySelectorAll("input[name=ids]").forEach((e) => e.click())`)
			b.says("2 selected")
		}
		if n := b.overflow(); n > 0 {
			t.Errorf("with rows selected it is %d pixels wider than a window of %d", n, width)
		}
	}
	b.click(`.selection button[value="keep"]`)
	b.says("Nothing matches")
	if _, found := h.doubtTask(); found {
		t.Error("there is still something to do")
	}
}
