package dashboard

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

// covered names the figures of a table whose text leaves its cell or the window, or is under something else, without
// any scrolling to the side.
func (b *tab) covered(table string) []string {
	b.Helper()
	var found []string
	b.eval(fmt.Sprintf(`[...document.querySelectorAll(%q)].filter((td) => td.checkVisibility()).flatMap((td) => {
		td.scrollIntoView({ block: "center", inline: "nearest" });
		document.querySelectorAll(".table-wrap").forEach((e) => { e.scrollLeft = 0; });
		const range = document.createRange();
		range.selectNodeContents(td);
		return [...range.getClientRects()].filter((box) => box.width > 2).flatMap((box) => {
			const cell = td.getBoundingClientRect();
			if (box.left < cell.left - 1 || box.right > cell.right + 1 || box.left < 0 || box.right > innerWidth)
				return [td.innerText + " leaves its place"];
			const y = (box.top + box.bottom) / 2;
			return [box.left + 1, (box.left + box.right) / 2, box.right - 1].map((x) => document.elementFromPoint(x, y))
				.filter((e) => !td.contains(e)).map((e) => td.innerText + " is under " + (e?.className || e?.tagName));
		});
	})`, table), &found)
	return found
}

// TestConversions_figuresShow: on usual screens no figure of the tables is covered or cut, however long names and
// amounts are, in whatever currency; on phones, either.
func TestConversions_figuresShow(t *testing.T) {
	h := extremeHouse(t)
	rate, err := money.ParseRate("1.1")
	h.must(err)
	_, err = h.app.ImportRates(h.as(affiliate.RoleOwner), []money.ReferenceRate{{Currency: "USD", Day: "2026-11-20",
		Rate: rate}})
	h.must(err)
	h.sell(sale{number: "9001", code: "WOLFESCHLEGELSTEINHAUSEN10", value: 1_234_567_89, currency: "EUR",
		refund: 1_234_56},
		sale{number: "9002", code: "WOLFESCHLEGELSTEINHAUSEN10", value: 1_234_567_89, refund: 234_567_89})
	_, err = h.app.Decide(h.as(affiliate.RoleManager), []affiliate.ConversionID{h.order("9002").Conversion.ID},
		app.Reject, strings.Repeat("bought by our own staff ", 8))
	h.must(err)
	b := h.browse(affiliate.RoleOwner)
	for _, page := range []string{"/conversions?q=WOLFE", "/orders?q=WOLFE", "/conversions?q=BEN5", "/orders?q=BEN5"} {
		b.open(page)
		for _, width := range []int64{390, 1280, 1366, 1440} {
			b.viewport(width, 900)
			for _, fault := range b.covered(".rows td.number") {
				t.Errorf("%s, %d pixels wide: %s", page, width, fault)
			}
			if n := b.overflow(); n > 0 {
				t.Errorf("%s is %d pixels wider than a window of %d", page, n, width)
			}
			if width != 390 {
				continue
			}
			for _, fault := range b.covered(".rows tbody td.state .badge") {
				t.Errorf("%s, %d pixels wide: %s", page, width, fault)
			}
		}
	}
	// The page scrolls, not a box in it, and the heads stay in sight.
	b.open(spring)
	b.viewport(1440, 900)
	var scrolls bool
	b.eval(`(() => { const e = document.querySelector("#conversions .table-wrap"); return e.scrollHeight > e.clientHeight + 1; })()`, &scrolls)
	if scrolls {
		t.Error("the table scrolls in a box of the page")
	}
	var top float64
	b.eval(`(() => { document.querySelector("#conversions tbody tr:nth-child(30)").scrollIntoView({ block: "center" });
		return document.querySelector("#conversions thead th").getBoundingClientRect().top; })()`, &top)
	if top < 0 || top > 100 {
		t.Errorf("the heads of the table are at %v", top)
	}
	// A rejected row is no higher than others.
	b.open("/conversions?q=WOLFE")
	var heights []float64
	b.eval(`["tr.rejected", "tbody tr:not(.rejected)"].map((s) => document.querySelector("#conversions " + s).getBoundingClientRect().height)`, &heights)
	if heights[0] > heights[1]+1 && heights[0] > 62 {
		t.Errorf("a rejected row is %v high, another %v", heights[0], heights[1])
	}
}

// TestTables_fit: on a laptop each table of figures shows its usual columns whole, without being moved sideways.
func TestTables_fit(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	for _, width := range []int64{1280, 1366, 1440} {
		b.viewport(width, 900)
		for _, path := range []string{"/", "/campaigns", "/creators", "/orders", "/conversions?include=former",
			"/payouts", spring, "/creators/" + h.creator("Anna Ahlers").ID.String()} {
			b.open(path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "period=all_time")
			var wide []string
			b.eval(`[...document.querySelectorAll(".table-wrap")].filter((e) => e.checkVisibility() &&
				e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel + ": " + e.scrollWidth + " in " + e.clientWidth)`, &wide)
			if len(wide) > 0 {
				t.Errorf("%s at %d pixels: %s", path, width, strings.Join(wide, "; "))
			}
		}
	}
}
