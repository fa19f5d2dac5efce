package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// comparedHouse is a house whose boutique answers and was compared: an order was missing, one was different.
func comparedHouse(t *testing.T) (h *house, at string) {
	t.Helper()
	h, _, _ = askedHouse(t)
	s := h.storeBySlug("boutique")
	_, err := h.app.ConnectStore(h.as(affiliate.RoleOwner), app.NewAccess{Store: s.ID,
		Keys: affiliate.StoreKeys{Kind: affiliate.KeyPair, Address: "https://boutique.example", ID: outletKey,
			Secret: outletSecret}})
	h.must(err)
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		job, err := tx.CreateStoreJob(h.Context(), affiliate.StoreJob{StoreID: s.ID, Kind: affiliate.JobReconcile,
			State: affiliate.JobDone, Cause: affiliate.CauseOutage, From: noon.Add(-3 * time.Hour), Until: noon,
			Expected: 4032, Orders: 4032, Missing: 1, Different: 1, CreatedAt: noon, UpdatedAt: noon, EndedAt: noon})
		if err != nil {
			return err
		}
		return tx.AddDrift(h.Context(), []affiliate.Drift{
			{JobID: job.ID, Order: "41", Kind: affiliate.DriftMissing},
			{JobID: job.ID, Order: "42", Field: "status", Kind: affiliate.DriftDifferent, Ours: "pending",
				Theirs: "paid"}})
	}))
	return h, storeAddress(s)
}

// TestAgreement: a store's page says how the two agree, in a sentence and order by order, and leads to all runs.
func TestAgreement(t *testing.T) {
	h, at := comparedHouse(t)
	v := h.viewer()
	a := v.get(at).is(http.StatusOK).says("Agreement with the store",
		"Of 4,032 orders that changed since 10:00 or may still change, 2 did not agree: 1 missing, 1 different.",
		"Compared on 20 Nov 2026, 13:00", "41 Was missing, fetched — — —", "42 Different Status Pending Paid").
		hides("Compare now", "Fetch past orders")
	if a.one("#agreement").attr("data-every") != "" {
		t.Error("the part is fetched again and again though nothing runs")
	}
	v.get(at+"/runs").is(http.StatusOK).says("Comparison, after an outage here", "Done")
	v.get(a.one("#agreement .card-foot a").attr("href")).is(http.StatusOK).says("What did not agree", "42 Different")
	v.get(at + "/runs?run=job_99").is(http.StatusNotFound)
	v.get(at + "/runs?run=x").is(http.StatusNotFound)
	v.get(storeAddress(h.storeBySlug("shop")) + "/runs?run=job_1").is(http.StatusNotFound)
	v.get(storeAddress(h.storeBySlug("shop"))).hides("Agreement with the store")
	v.get(storeAddress(h.storeBySlug("shop")) + "/runs").says("No run yet")
}

// TestRuns: managers have a store compared and its past fetched, and pause, resume and stop that.
func TestRuns(t *testing.T) {
	h, at := comparedHouse(t)
	m := h.manager()
	m.post(at+"/compare").is(http.StatusOK).at(at+"#agreement").says("The store is being compared",
		"Comparison, asked for", "Waiting", "by Max Manager")
	for form, want := range map[[2]string]string{{"2026-11-21", ""}: "From", {"1.11.2026", ""}: "Must be a day such as",
		{"", "soon"}: "Must be a day such as", {"2026-11-10", "2026-11-09"}: "Must be before the end"} {
		m.post(at+"/history", "from", form[0], "until", form[1]).is(http.StatusUnprocessableEntity).says(want)
	}
	m.post(at+"/history", "from", "2026-10-01", "until", "2026-10-31").is(http.StatusOK).
		at(at+"#history").says("The import is begun", "Import of past orders, asked for")
	jobs, err := h.db.OpenStoreJobs(h.Context(), h.storeBySlug("boutique").ID)
	h.must(err)
	job := jobs[len(jobs)-1]
	berlin, err := affiliate.LoadZone("Europe/Berlin")
	h.must(err)
	if want := time.Date(2026, 11, 1, 0, 0, 0, 0, berlin); len(jobs) != 2 || !job.Until.Equal(want) {
		t.Fatalf("the import goes until %v, want %v", job.Until, want)
	}
	wrong := m.post(at+"/history").is(http.StatusUnprocessableEntity).says("is under way", "Counting the orders…").
		hides("job_")
	for _, part := range wrong.all("#content [data-live]") {
		if part.attr("data-src") != at {
			t.Errorf("a part of the page with an error is fetched from %q", part.attr("data-src"))
		}
	}
	run := at + "/runs/" + job.ID.String()
	paused := m.post(run+"/pause").at(at+"#history").says("Paused", "Resume").one("#imports")
	if !paused.has("progress[value]") || strings.Contains(paused.text(), "Counting") {
		t.Errorf("a paused import seems to go on: %s", paused.text())
	}
	m.post(run + "/resume").hides("Resume")
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		job, err := tx.HoldStoreJob(h.Context(), job.ID)
		job.State, job.Expected, job.Orders, job.Worked = affiliate.JobRunning, 1200, 300, 10_000
		if err != nil {
			return err
		}
		return tx.SaveStoreJob(h.Context(), job)
	}))
	a := m.get(at).says("300 of about 1,200 orders, 30 orders a second, done at about 13:00")
	if bars := a.all("progress"); len(bars) != 2 || bars[1].attr("max") != "1200" || bars[1].attr("value") != "300" ||
		a.one("#imports").attr("data-every") == "" || !a.has("#imports progress") {
		t.Errorf("the bar of the run is not right, or does not move: %s", a.text())
	}
	other := storeAddress(h.storeBySlug("shop")) + "/runs/" + job.ID.String()
	m.post(other + "/stop").is(http.StatusNotFound)
	ended := m.post(run+"/stop").says("The run is stopped", "Stopped", "300 orders were compared before it ended")
	if link := ended.one("#imports a").attr("href"); link != at+"/runs?run="+job.ID.String() {
		t.Errorf("the import that ended leads to %s", link)
	}
	m.post(run + "/pause").is(http.StatusUnprocessableEntity).says("It has ended by now")
	h.owner().get("/settings/audit").says("began a run with the API of the store Northwind Boutique",
		"changed a run with the API of the store Northwind Boutique").hides("job_")
	h.owner().post(at+"/access/end").says("Agreement with the store", "All runs").hides("Compare now", "Past orders")
	for _, path := range []string{"/compare", "/history", "/runs/" + job.ID.String() + "/stop"} {
		h.viewer().post(at + path).is(http.StatusForbidden)
	}
}

// TestRunWords: each kind, cause, state and drift that there is has its words.
func TestRunWords(t *testing.T) {
	for _, k := range affiliate.Words[affiliate.StoreJobKind]() {
		if runTitles[k] == "" {
			t.Errorf("the kind %s has no words", k)
		}
	}
	for _, c := range affiliate.Words[affiliate.StoreJobCause]() {
		if runCauses[c] == "" {
			t.Errorf("the cause %s has no words", c)
		}
	}
	for _, s := range affiliate.Words[affiliate.StoreJobState]() {
		if runBadges[s].Text == "" {
			t.Errorf("the state %s has no words", s)
		}
	}
	for _, d := range affiliate.Words[affiliate.DriftKind]() {
		if driftTitles[d] == "" {
			t.Errorf("the drift %s has no words", d)
		}
	}
	got := []string{paceText(0.5), paceText(9.94), paceText(12.6)}
	if want := []string{"0.5", "9.9", "13"}; !slices.EqualFunc(got, want, func(g, w string) bool {
		return money.Plain(g) == fmt.Sprint(w, " orders a second")
	}) {
		t.Errorf("paces are %q", got)
	}
}

// TestDriftRows: what was missing is fetched, unless the run changes nothing.
func TestDriftRows(t *testing.T) {
	missing := []storage.DriftRow{{Drift: affiliate.Drift{Order: "41", Kind: affiliate.DriftMissing}}}
	if got := driftRows(missing, false)[0].Kind; got != "Was missing, fetched" {
		t.Errorf("it is called %q", got)
	}
	if got := driftRows(missing, true)[0].Kind; got != "Missing here" {
		t.Errorf("in a dry run it is called %q", got)
	}
}
