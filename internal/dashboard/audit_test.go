package dashboard

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// auditRows are the entries that a page of the audit log shows, as people read them.
func auditRows(a answer) []string { return a.texts("ol.log li") }

func TestAudit(t *testing.T) {
	h := busyHouse(t)
	o := h.owner()
	ctx := h.as(affiliate.RoleManager)
	spring := h.campaign("Spring")
	_, err := h.app.ChangeCampaign(ctx, spring.ID, app.AnyVersion, func(c *affiliate.Campaign) error {
		c.Name, c.WindowDays = "Spring sale", 14
		return nil
	})
	h.must(err)
	_, err = h.app.ChangeUser(h.as(affiliate.RoleOwner), h.user(affiliate.RoleViewer).ID,
		func(u *affiliate.User) error { u.Role = affiliate.RoleManager; return nil })
	h.must(err)
	_, err = h.app.SetSettings(h.as(affiliate.RoleOwner), []app.Setting{{Key: "minimum_payout", Value: "10"}})
	h.must(err)

	newest := o.get("/settings/audit").is(http.StatusOK)
	rows := auditRows(newest)
	for i, want := range []string{
		"20 Nov 2026, 13:00 Olga Owner (olga@northwind.example) changed the settings only this: changed the settings " +
			"smallest payout 0.00 USD → 10.00 USD",
		"20 Nov 2026, 13:00 Olga Owner (olga@northwind.example) changed the account of Vera Viewer only this: " +
			"changed the account of Vera Viewer role viewer → manager",
		"20 Nov 2026, 13:00 Max Manager (max@northwind.example) changed the campaign Spring sale only this: changed " +
			"the campaign Spring sale attribution window in days the account's → 14 name Spring → Spring sale",
	} {
		if i >= len(rows) || rows[i] != want {
			t.Errorf("entry %d is\n%s\nwant\n%s", i, at(rows, i), want)
		}
	}
	all := strings.Join(rows, "\n")
	for _, want := range []string{"made the API token", "rejected the conversion of order #1006",
		"approval approved → rejected", "commission 7.55 USD → 0.00 USD",
		// of a store
		"confirmed the payout run", "added the cost shooting", "amount 120.00 USD", "e-mail address given",
		"currency EUR", "product value 39.90 USD", "campaign Spring sale"} {
		if want = strings.Replace(want, "made the", "added the", 1); !strings.Contains(all, want) {
			t.Errorf("the log does not say %q:\n%s", want, all)
		}
	}
	for _, noise := range []string{"hash", "name Anna Ahlers", "product value 0.00", "signed in Olga", "rule version"} {
		if strings.Contains(all, noise) {
			t.Errorf("the log says %q:\n%s", noise, all)
		}
	}

	a := o.get("/settings/audit?subject="+spring.ID.String()).says("Spring sale", "Show everything")
	for _, row := range auditRows(a) {
		if !strings.Contains(row, "the campaign Spring sale") {
			t.Errorf("among what was done to the campaign: %s", row)
		}
	}
	if n := len(auditRows(a)); n != 2 {
		t.Errorf("%d entries are about the campaign, want 2", n)
	}
	for _, row := range auditRows(o.get("/settings/audit?kind=usr_&actor=Max+Manager+(max%40northwind.example)")) {
		if !strings.Contains(row, "Max Manager") || !strings.Contains(row, "signed in") {
			t.Errorf("among what the manager did to people: %s", row)
		}
	}
	if a := o.get("/settings/audit?subject=cmp_77"); !strings.Contains(a.text(), "Nothing was found") {
		t.Errorf("of nothing: %s", a.text())
	}
	o.get("/settings/audit?cursor=nonsense").is(http.StatusUnprocessableEntity)
	links := map[string]bool{}
	for _, link := range newest.all("ol.log a") {
		links[link.attr("href")] = true
	}
	for link := range links {
		o.get(link).is(http.StatusOK)
	}
	for _, want := range []string{"/orders/" + h.order("1006").ID.String(), "/campaigns/cmp_1", "/creators/cre_1",
		"/stores/str_1", "/payouts/runs/run_1", "/settings/people/usr_1"} {
		if !links[want] {
			t.Errorf("no entry leads to %s", want)
		}
	}
}

// TestAudit_pages: the log goes on page by page, and keeps its filter.
func TestAudit_pages(t *testing.T) {
	h := newHouse(t)
	h.must(h.db.InTx(t.Context(), func(tx *storage.Tx) error {
		for n := range 120 {
			e := storage.AuditEntry{At: noon, Actor: "command line", Action: "campaign.change",
				Subject: affiliate.CampaignID(1), After: map[string]int{"n": n + 1}}
			if err := tx.Audit(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	}))
	var seen []string
	for address := "/settings/audit?subject=cmp_1&actor=command+line"; address != ""; {
		a := h.owner().get(address).is(http.StatusOK)
		seen = append(seen, auditRows(a)...)
		address = ""
		if next := a.all("a[rel=next]"); len(next) > 0 {
			address = next[0].attr("href")
		}
	}
	if len(seen) != 120 || !strings.HasSuffix(seen[0], "n 120") || !strings.HasSuffix(seen[119], "n 1") {
		t.Errorf("%d entries, from %s to %s", len(seen), at(seen, 0), at(seen, len(seen)-1))
	}
}

// TestAudit_words: every action that the program writes into the log has words, and every kind of thing can be chosen.
func TestAudit_words(t *testing.T) {
	actions := wordsIn(t, "../app", `audit\([^"\n]*"([a-z_]+\.[a-z_.]+[a-z])"`)
	for _, word := range wordsIn(t, "../app", `\bamend[A-Za-z]*\([^"\n]*"([a-z]+)"`) {
		actions = append(actions, "campaign."+word)
	}
	for _, word := range wordsIn(t, "../app", `\bname:\s+"([a-z_]+)"`) {
		actions = append(actions, word+".change")
	}
	for _, d := range app.Decision("").Words() {
		actions = append(actions, "conversion."+string(d))
	}
	if len(actions) < 25 {
		t.Fatalf("only %d actions were found, which tests little: %v", len(actions), actions)
	}
	for _, action := range actions {
		noun, verb, _ := strings.Cut(action, ".")
		if deeds[action] == "" && (deedNouns[noun] == "" || deedVerbs[verb] == "") {
			t.Errorf("the action %s has no words", action)
		}
	}
	for _, id := range []fmt.Stringer{affiliate.UserID(1), affiliate.TokenID(1), affiliate.StoreID(1),
		affiliate.CampaignID(1), affiliate.MemberID(1), affiliate.OfferID(1), affiliate.OfferMemberID(1),
		affiliate.CodeID(1), affiliate.LinkID(1), affiliate.CreatorID(1), affiliate.ConversionID(1),
		affiliate.PayoutID(1), affiliate.CostID(1), affiliate.StoreJobID(1)} {
		if !slices.ContainsFunc(auditKinds, func(k choice) bool { return strings.HasPrefix(id.String(), k.Value) }) {
			t.Errorf("what was done to %s cannot be chosen", id)
		}
	}
}

// wordsIn gives what the group of a pattern finds in the sources of a folder, but not in tests.
func wordsIn(t *testing.T, folder, pattern string) (words []string) {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	group := regexp.MustCompile(pattern)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range group.FindAllStringSubmatch(string(source), -1) {
			words = append(words, m[1])
		}
	}
	return words
}
