package dashboard

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestHome_layout_browser: the figures come in the first screen, the cards fill their lines, the page uses the window
// and nothing scrolls sideways.
func TestHome_layout_browser(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	for _, size := range [][3]int64{{390, 844, 2}, {1280, 800, 5}, {1440, 900, 5}, {1920, 1080, 5}} {
		b.viewport(size[0], size[1])
		b.open("/")
		var got struct{ First, Columns, Left, Right int64 }
		b.eval(`(() => {
			const cards = [...document.querySelectorAll("#totals .kpi")].map((e) => e.getBoundingClientRect());
			const content = document.querySelector(".kpis").getBoundingClientRect();
			const main = document.querySelector("main").getBoundingClientRect();
			return { First: Math.round(cards[0].bottom), Columns: new Set(cards.map((c) => Math.round(c.left))).size,
				Left: Math.round(content.left - main.left), Right: Math.round(innerWidth - content.right) };
		})()`, &got)
		if got.First > size[1] || got.Columns != size[2] || got.Right > 40 {
			t.Errorf("at %d px the first card ends at %d, there are %d columns and %d px empty at the right",
				size[0], got.First, got.Columns, got.Right)
		}
		if n := b.overflow(); n != 0 {
			t.Errorf("at %d px the page is %d px too wide", size[0], n)
		}
	}
	b.viewport(390, 844)
	b.open("/")
	b.saysNot("1 conversion is held for review")
	b.click("#tasks-open summary")
	b.says("1 conversion is held for review")
}

// TestHome_filters_browser: the panel of filters has all its fields and its buttons in sight, finds campaigns by their
// names, and leaves nothing empty in the address.
func TestHome_filters_browser(t *testing.T) {
	h := busyHouse(t)
	for n := range 20 {
		_, err := h.app.AddCampaign(h.as(affiliate.RoleManager),
			affiliate.Campaign{Name: fmt.Sprintf("Season %02d", n+1)})
		h.must(err)
	}
	b := h.browse(affiliate.RoleManager)
	for _, size := range [][2]int64{{390, 844}, {1280, 720}, {1440, 900}} {
		b.viewport(size[0], size[1])
		b.open("/")
		b.click("#more-filters summary")
		var hidden []string
		b.eval(`(() => {
			const body = document.querySelector("#more-filters .drop-body").getBoundingClientRect();
			const inside = (e) => { const r = e.getBoundingClientRect(); return r.bottom <= Math.min(innerHeight, body.bottom) + 1; };
			const wanted = innerWidth > 700 ? "#more-filters .bound input, #more-filters button" : "#more-filters button";
			return [...document.querySelectorAll(wanted)].filter((e) => !inside(e)).map((e) => e.name || e.innerText);
		})()`, &hidden)
		if len(hidden) > 0 {
			t.Errorf("at %d × %d px one has to scroll to %q", size[0], size[1], hidden)
		}
		if n := b.overflow(); n != 0 {
			t.Errorf("at %d px the page is %d px too wide with its filters open", size[0], n)
		}
	}
	b.fill("[data-narrows]", "spring")
	b.until("one campaign to be left", func() bool {
		var n int
		b.eval(`[...document.querySelectorAll("#filter-campaigns li")].filter((e) => e.checkVisibility()).length`, &n)
		return n == 1
	})
	b.click("#filter-campaigns li:not([hidden]) input")
	b.fill("#min_sales", "1")
	b.click(".panel-foot button")
	b.says("at least 1")
	b.until("an address without anything empty", func() bool {
		_, query, _ := strings.Cut(b.address(), "?")
		values, err := url.ParseQuery(query)
		return err == nil && !strings.Contains(query+"&", "=&") && values.Get("min_sales") == "1" &&
			len(values["campaign"]) == 1
	})
	b.click(".chips .off")
	b.until("the campaign to be taken out", func() bool {
		return !strings.Contains(b.address(), "campaign=") && strings.Contains(b.address(), "min_sales=1")
	})
}

// TestChart_points_browser: what a point says shows by keyboard, by touch and by the pointer, inside the window.
func TestChart_points_browser(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleViewer)
	shown := func() (tips []string) {
		b.eval(`[...document.querySelectorAll(".chart .tip")].filter((e) => getComputedStyle(e).display !== "none").map((e) => e.textContent.replace(/\s+/g, " "))`, &tips)
		return tips
	}
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		b.open("/?period=last_30_days")
		b.eval(`document.querySelector(".point").focus()`)
		b.until("the first point to tell its figures", func() bool {
			tips := shown()
			return len(tips) == 1 && strings.Contains(tips[0], "22 Oct 2026")
		})
		b.keys(kb.ArrowRight)
		b.until("the next point to tell its figures", func() bool {
			tips := shown()
			return len(tips) == 1 && strings.Contains(tips[0], "23 Oct 2026")
		})
		b.keys(kb.End)
		b.until("the last point to tell its figures", func() bool {
			tips := shown()
			return len(tips) == 1 && strings.Contains(tips[0], "20 Nov 2026") && strings.Contains(tips[0], "120.00")
		})
		for _, point := range []int{1, 8, 12, 18, 23, 30} {
			b.eval(fmt.Sprintf(`document.querySelectorAll(".point")[%d].focus()`, point-1))
			var outside bool
			b.eval(`(() => {
				const tip = [...document.querySelectorAll(".chart .tip .box")].find((e) => e.checkVisibility()).getBoundingClientRect();
				return tip.left < 0 || tip.right > innerWidth;
			})()`, &outside)
			if n := b.overflow(); outside || n != 0 {
				t.Errorf("at %d px what point %d says leaves the window, or widens it by %d px", width, point, n)
			}
		}
		b.keys(kb.Escape)
		b.until("nothing to be told", func() bool { return len(shown()) == 0 })
		b.click(".point:nth-of-type(5) .slot")
		b.until("a point that is pressed to tell its figures", func() bool { return len(shown()) == 1 })
	}
}
