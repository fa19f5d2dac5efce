package dashboard

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// listsHouse has what lists must get right: a creator who left a campaign, one who left the community, one in no offer,
// a bonus that was paid, and all kinds of conversions.
func listsHouse(t *testing.T) *house {
	h := busyHouse(t)
	ctx := h.as(affiliate.RoleManager)
	_, err := h.app.RemoveMember(ctx, h.member("Holiday gifts", "Anna Ahlers").ID)
	h.must(err)
	for _, name := range []string{"Cleo", "Emil"} {
		c, err := h.app.AddCreator(ctx, affiliate.Creator{Name: name, Email: strings.ToLower(name) +
			"@creators.example",
			Country: "DE"})
		h.must(err)
		_, err = h.app.AddMember(ctx, affiliate.CampaignMember{CampaignID: 1, CreatorID: c.ID})
		h.must(err)
	}
	_, err = h.app.RemoveCreator(ctx, h.creator("Cleo").ID)
	h.must(err)
	_, err = h.app.AddCampaign(ctx, affiliate.Campaign{Name: "Next year", StartsAt: h.app.Now().AddDate(1, 0, 0)})
	h.must(err)
	return h
}

// columnSums are what the columns of a file of CSV add up to, by their heads, where they are numbers.
func (a answer) columnSums() (sums map[string]int64, rows int) {
	a.Helper()
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix([]byte(a.body), []byte("\ufeff")))).ReadAll()
	if err != nil {
		a.Fatalf("%s: %v", a.address, err)
	}
	sums = map[string]int64{}
	for _, line := range lines[1:] {
		for i, cell := range line {
			text := strings.ReplaceAll(cell, ".", "") // of amounts with two decimals: all of one column
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				sums[lines[0][i]] += n
			}
		}
	}
	return sums, len(lines) - 1
}

// TestLists_files: each list's file has all rows that match, and its plain sums are the totals on the page.
func TestLists_files(t *testing.T) {
	h := listsHouse(t)
	v := h.viewer()
	for _, c := range []struct{ path, query, id string }{
		{"/campaigns", "?period=all_time", "Campaign ID"}, {"/campaigns", "?former=1&sort=-sales", "Campaign ID"},
		{"/campaigns", "?state=upcoming", "Campaign ID"}, {"/campaigns", "?q=spring&period=last_30_days",
			"Campaign ID"},
		{"/creators", "?period=all_time", "Creator ID"}, {"/creators", "?q=ann", "Creator ID"},
		{"/creators", "?campaign=cmp_2&former=1", "Creator ID"}, {"/creators", "?former=1&sort=name", "Creator ID"},
		{springCreators, "", "Creator ID"}, {springCreators, "?offer=off_1&former=1&sort=-commissions", "Creator ID"},
		{springCreators, "?q=ben&period=all_time", "Creator ID"},
	} {
		page := v.get(c.path + c.query).is(http.StatusOK)
		address := ""
		for _, e := range page.all("main a") {
			if strings.Contains(e.attr("href"), ".csv") {
				address = e.attr("href")
			}
		}
		if !strings.HasPrefix(address, c.path+".csv") {
			t.Errorf("%s%s: the file is at %s", c.path, c.query, address)
		}
		file := v.get(address).is(http.StatusOK)
		sums, rows := file.columnSums()
		if n := len(page.all("main tbody tr")); n != rows {
			t.Errorf("%s%s: %d rows, %d in the file", c.path, c.query, n, rows)
		}
		if !strings.Contains(file.body, c.id) {
			t.Errorf("%s%s: the file has no %s", c.path, c.query, c.id)
		}
		if rows == 0 {
			continue
		}
		total := page.one("main tfoot").text()
		for _, head := range []string{"Sales", "Commissions"} {
			if want := money.Plain(amount(sums[head], "USD")) + " USD"; !strings.Contains(total, want) {
				t.Errorf("%s%s: %s add up to %s in the file, the page says %q", c.path, c.query, head, want, total)
			}
		}
		if want := " " + strconv.FormatInt(sums["Conversions"], 10) + " "; !strings.Contains(total, want) {
			t.Errorf("%s%s: %s conversions in the file, the page says %q", c.path, c.query, want, total)
		}
		v.get(strings.Replace(address, ".csv", ".xlsx", 1)).is(http.StatusOK)
	}
	if head := v.get(springCreators + ".csv?offer=off_1").body; !strings.Contains(head,
		"Spring,Ten percent,Anna Ahlers") ||
		!strings.Contains(head, "cmp_1") {
		t.Errorf("the file of an offer's creators does not say of what it is:\n%s", head)
	}
	v.get("/campaigns/cmp_99/creators.csv").is(http.StatusNotFound)
	v.get("/creators.csv?campaign=off_1").is(http.StatusUnprocessableEntity)
	v.get("/campaigns.csv?state=gone").is(http.StatusUnprocessableEntity)
}

// TestLists_narrow: campaigns by what they do, creators by campaign; who is in no offer yet is a creator of the
// campaign all the same.
func TestLists_narrow(t *testing.T) {
	h := listsHouse(t)
	v := h.viewer()
	for query, want := range map[string]string{"?state=running": "Holiday gifts, Spring",
		"?state=upcoming": "Next year", "?state=ended": "", "": "Holiday gifts, Next year, Spring"} {
		var names []string
		for _, e := range v.get("/campaigns" + query).all("main tbody th a") {
			names = append(names, e.text())
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("campaigns%s are %s, want %s", query, got, want)
		}
	}
	v.get("/campaigns?state=ended").says("None is of this status")
	v.get(springCreators).says("Emil", "None yet").hides("Cleo")
	v.get(springCreators+"?former=1").says("Emil", "Cleo", "left the community")
	v.get("/creators?campaign=cmp_2").says("No creator is in this campaign")
	v.get("/creators?campaign=cmp_2&former=1").says("Anna Ahlers", "45.00").hides("Ben Botha")
}

// TestLists_manyCampaigns: where there are more campaigns than a form offers, it offers the one that is chosen, too.
func TestLists_manyCampaigns(t *testing.T) {
	h := busyHouse(t)
	h.must(h.db.InTx(h.Context(), func(tx *storage.Tx) error {
		for n := range storage.MaxLimit {
			c := affiliate.Campaign{Name: fmt.Sprint("A", n), CreatedAt: noon, UpdatedAt: noon,
				Status: affiliate.CampaignActive, WindowDays: 30}
			if _, err := tx.CreateCampaign(h.Context(), c); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, list := range []string{"/payouts", "/orders", "/conversions", "/creators"} {
		a := h.viewer().get(list + "?campaign=cmp_1").is(http.StatusOK)
		if got := a.one("select[name=campaign] option[selected]"); got.text() != "Spring" ||
			got.attr("value") != "cmp_1" {
			t.Errorf("%s offers %q as the campaign that is chosen", list, got.text())
		}
	}
	h.viewer().get("/payouts?campaign=cmp_1").says("something payable from Spring")
}

// TestLists_columns: each list has columns of its own to choose.
func TestLists_columns(t *testing.T) {
	h := listsHouse(t)
	v := h.viewer()
	for table, path := range map[string]string{"campaigns": "/campaigns", "creators": "/creators",
		"members": springCreators, "campaign-creators": spring} {
		v.post("/columns/"+table, "columns", "refunds", "columns", "email", "back", path).at(path)
		var heads []string
		for _, e := range v.get(path).all("main thead th") {
			heads = append(heads, e.text())
		}
		if !slices.Contains(heads, "Refunds") || slices.Contains(heads, "Clicks") {
			t.Errorf("%s shows %q, want Refunds and no Clicks", table, heads)
		}
		if strings.HasSuffix(table, "creators") && !strings.Contains(v.get(path).text(), "emil@creators.example") {
			t.Errorf("%s does not show the addresses that were chosen", table)
		}
		v.post("/columns/"+table, "usual", "1", "back", path)
	}
}

// TestLists_leads: a figure leads to the conversions behind it, as many and as much as it says, and to the creators.
func TestLists_leads(t *testing.T) {
	h := listsHouse(t)
	v := h.viewer()
	follow := func(page, row string) {
		t.Helper()
		a := v.get(page).is(http.StatusOK)
		for _, tr := range a.all("main tbody tr") {
			cells := tr.all("td.number a")
			if !strings.Contains(tr.text(), row) || len(cells) == 0 {
				continue
			}
			for _, cell := range cells {
				address := cell.attr("href")
				if !strings.Contains(address, "status=paid") || strings.HasPrefix(address, "/conversions") {
					continue
				}
				foot := v.get(address).is(http.StatusOK).all("main tfoot")[0].text()
				if !strings.Contains(foot, cell.text()) {
					t.Errorf("%s: %s of %s leads to %s, whose total is %q", page, cell.text(), row, address, foot)
				}
			}
			return
		}
		t.Errorf("%s: no row of %s leads anywhere", page, row)
	}
	follow("/campaigns?period=last_30_days", "Spring")
	follow("/campaigns?former=1", "Holiday gifts")
	follow(springCreators, "Ben Botha")
	follow(spring+"/offers", "Ten percent")
	follow(spring, "Ben Botha")
	follow("/creators/cre_1?period=last_30_days", "Holiday gifts")
	a := v.get("/creators?period=last_30_days").is(http.StatusOK)
	if got := a.all("main tbody tr")[0].all("td.number a")[1].attr("href"); !strings.HasPrefix(got, "/conversions?") ||
		!strings.Contains(got, "creator=cre_1") || !strings.Contains(got, "period=last_30_days") ||
		!strings.Contains(got, "former=1") {
		t.Errorf("the conversions of a creator of the community lead to %s", got)
	}
	if got := a.all("main tbody th a")[0].attr("href"); got != "/creators/cre_1?period=last_30_days" {
		t.Errorf("a creator of the community leads to %s", got)
	}
	m := h.manager().get(springCreators)
	if got := m.all("main tbody td a.button")[0].attr("href"); got != annaInSpring {
		t.Errorf("Manage leads to %s", got)
	}
	if got := m.all("main tbody th a")[0].attr("href"); !strings.HasPrefix(got, spring+"?creator=cre_1") ||
		!strings.HasSuffix(got, "#conversions") {
		t.Errorf("a creator of the campaign leads to %s", got)
	}
}

// TestCreatorPage_campaigns: the figures of a creator's campaigns and what belongs to none of them add up to those of
// the profile, which are those of the list.
func TestCreatorPage_campaigns(t *testing.T) {
	h := listsHouse(t)
	ctx := h.as(affiliate.RoleManager)
	anna := h.creator("Anna Ahlers")
	h.must(h.db.InTx(ctx, func(tx *storage.Tx) error {
		return tx.AddLedger(ctx, []affiliate.LedgerEntry{{CreatorID: anna.ID, Kind: affiliate.Bonus, Currency: "USD",
			Amount: 7_77, Cause: "bonus 1", Note: "Thank you", CreatedAt: h.app.Now(), PayableAt: h.app.Now()}})
	}))
	h.clock.advance(time.Minute)
	_, err := h.app.IssuePayout(ctx, app.NewPayout{Creator: anna.ID, Method: "bank transfer"})
	h.must(err)
	v := h.viewer()
	profile := v.get(creatorAddress(anna.ID))
	sums := map[int]int64{}
	rows := profile.all("#campaigns tbody tr")
	for _, tr := range rows {
		for i, td := range tr.all("td.number") {
			sums[i] += minor(t, td.text())
		}
	}
	for i, td := range profile.all("#campaigns tfoot td.number") {
		if sums[i] != minor(t, td.text()) {
			t.Errorf("column %d of %d rows adds up to %d, the total is %s", i, len(rows), sums[i], td.text())
		}
	}
	profile.says("In no campaign", "7.77", "Total sales 324.90")
	list := v.get("/creators").all("main tbody tr")[0].text()
	if !strings.Contains(list, "Anna Ahlers") || !strings.Contains(list, "324.90") {
		t.Errorf("the community lists %q, want what the profile says, also of the campaign that Anna left", list)
	}
	if part := v.get(creatorAddress(anna.ID) + "?part=campaigns"); len(part.all("#campaigns")) != 1 ||
		len(part.all("#figures")) != 0 {
		t.Errorf("the part is\n%s", part.text())
	}
}

// minor reads a number or an amount in USD as pages write it.
func minor(t *testing.T, text string) int64 {
	t.Helper()
	text = strings.TrimSuffix(strings.ReplaceAll(text, ",", ""), " USD")
	n, err := money.ParseScaled(text, 2)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLists_browser: on phones and on laptops the lists of campaigns and creators stay inside the page, long names and
// dates take few lines, and what a row is about stays in sight while its figures are scrolled through.
func TestLists_browser(t *testing.T) {
	h := listsHouse(t)
	ctx := h.as(affiliate.RoleManager)
	_, err := h.app.ChangeCampaign(ctx, 1, app.AnyVersion, func(c *affiliate.Campaign) error {
		c.Name = "Spring and early summer: the whole of the garden, in Europe and overseas"
		c.StartsAt, c.EndsAt = h.app.Now().AddDate(0, 0, -400), h.app.Now().AddDate(1, 0, 0)
		return nil
	})
	h.must(err)
	b := h.browse(affiliate.RoleManager)
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		for _, path := range []string{"/campaigns", "/creators", springCreators, creatorAddress(1)} {
			b.open(path)
			var seen struct {
				Wider bool
				Lines float64
				Names float64
				Left  float64
			}
			b.eval(`(() => {
				const table = document.querySelector("main table:has(tbody th a.clamp)");
				const lines = (e) => e ? e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight) : 0;
				const wrap = table.closest(".table-wrap");
				wrap.scrollLeft = 10000;
				const box = wrap.getBoundingClientRect();
				return {
					wider: document.documentElement.scrollWidth > innerWidth,
					lines: Math.max(0, ...[...table.querySelectorAll(".dates")].map((e) => {
						const r = document.createRange();
						r.selectNodeContents(e);
						return new Set([...r.getClientRects()].map((x) => Math.round(x.top))).size;
					})),
					names: Math.max(...[...table.querySelectorAll("a.clamp")].map(lines)),
					left: Math.min(...[...table.querySelectorAll("tbody th")].map((e) => e.getBoundingClientRect().left - box.left)),
				};
			})()`, &seen)
			switch {
			case seen.Wider:
				t.Errorf("%s at %d pixels: the page is wider than the window", path, width)
			case seen.Lines > 1 || seen.Names > 2.2:
				t.Errorf("%s at %d pixels: dates take %.0f lines, names %.1f", path, width, seen.Lines, seen.Names)
			case width == 390 && seen.Left < -1:
				t.Errorf("%s at %d pixels: the names are scrolled away, %.0f pixels", path, width, seen.Left)
			}
		}
	}
}
