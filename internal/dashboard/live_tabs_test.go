package dashboard

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// before runs a script in every page that the tab opens, before those of the page.
func (b *tab) before(script string) {
	b.Helper()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument,
			cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// window puts the tab's window out of sight (minimized) or back (normal), and waits until the page knows.
func (b *tab) window(state browser.WindowState) {
	b.Helper()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		w, err := cdp.Call(ctx, t, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, browser.SetWindowBounds, browser.SetWindowBoundsParams{WindowID: w.WindowID,
			Bounds: &browser.Bounds{WindowState: state}})
		return err
	})
	b.until("a window that is "+string(state), func() bool {
		var hidden bool
		b.eval(`document.hidden`, &hidden)
		return hidden == (state == browser.WindowStateMinimized)
	})
}

// listening waits until the page says how it listens: yes, no or away.
func (b *tab) listening(how string) {
	b.Helper()
	b.until("a page that listens: "+how, func() bool {
		var now string
		b.eval(`document.documentElement.dataset.connected || ""`, &now)
		return now == how
	})
}

// manyTabs is more than a browser has connections to a server: it has six.
const manyTabs = 10

// TestLive_manyWindows: ten windows of one browser side by side, over HTTP/1.1, all load, follow what happens and
// have buttons that work, since they share one stream.
func TestLive_manyWindows(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	tabs := []*tab{h.browse(affiliate.RoleManager)}
	for len(tabs) < manyTabs {
		tabs = append(tabs, tabs[0].another())
	}
	for _, b := range tabs {
		b.open(spring)
		b.connected()
	}
	tabs[0].until("one stream for all", func() bool { return h.dashboard.Hub.Readers() == 1 })
	h.sell(sale{code: "ANNA10", value: 50_00})
	for _, b := range tabs {
		b.says("#1002")
	}
	last := tabs[manyTabs-1]
	last.click(fmt.Sprintf(`button[name="one-reject"][value="%s"]`, h.order("1001").Conversion.ID))
	for _, b := range tabs {
		b.says("Undo")
	}
	last.open("/orders")
	last.connected()
	h.sell(sale{code: "BEN5", value: 70_00})
	last.says("#1003")
}

// TestLive_hidden: a tab that nobody sees lets go of its stream and shows what happened meanwhile when it is seen
// again. So it is with ten tabs in a browser that has no shared workers, where each seen page has a stream of its own.
func TestLive_hidden(t *testing.T) {
	for name, script := range map[string]string{"shared": "", "own": "delete window.SharedWorker",
		"refused": "window.SharedWorker = function () { throw new Error('not here') }"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			b := h.browse(affiliate.RoleManager)
			b.before(script)
			b.open("/orders")
			b.connected()
			b.window(browser.WindowStateMinimized)
			b.listening("away")
			b.until("no streams", func() bool { return h.dashboard.Hub.Readers() == 0 })
			h.sell(sale{code: "ANNA10", value: 100_00})
			var shown bool
			b.eval(`document.body.innerText.includes("#1001")`, &shown)
			if shown {
				t.Error("a page that nobody sees fetched what it shows")
			}
			b.window(browser.WindowStateNormal)
			b.says("#1001")
			b.connected()
			h.sell(sale{code: "ANNA10", value: 50_00})
			b.says("#1002")
			if name != "own" {
				return
			}
			tabs := []*tab{b}
			for len(tabs) < manyTabs {
				b = b.another()
				b.before(script)
				b.open("/orders")
				b.connected()
				tabs = append(tabs, b)
				if len(tabs)%3 > 0 {
					continue // so many at a time have connections
				}
				for _, b := range tabs[len(tabs)-3:] {
					b.window(browser.WindowStateMinimized)
				}
				for _, b := range tabs[len(tabs)-3:] {
					b.listening("away")
				}
			}
			if n := h.dashboard.Hub.Readers(); n != 1 {
				t.Errorf("%d streams are open, want that of the page that is seen", n)
			}
			b.open(spring)
			b.click(fmt.Sprintf(`button[name="one-reject"][value="%s"]`, h.order("1001").Conversion.ID))
			b.says("Undo")
		})
	}
}

// TestLive_openedUnseen_race: a page that is opened where nobody sees it opens no stream until somebody does.
func TestLive_openedUnseen_race(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.window(browser.WindowStateMinimized)
	b.open("/orders")
	h.sell(sale{code: "ANNA10", value: 100_00})
	if n := h.dashboard.Hub.Readers(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
	b.window(browser.WindowStateNormal)
	b.says("#1001")
	b.connected()
}

// TestLive_settings_race: pages that are open never show amounts under another currency than theirs.
func TestLive_settings_race(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleOwner)
	b.open("/payouts")
	b.connected()
	b.says("Amounts in USD unless marked", "Europe/Berlin")
	h.owner().post("/settings", "currency", "EUR", "timezone", "Europe/Paris")
	b.says("Amounts in EUR unless marked", "Europe/Paris")
	b.at("/payouts")
}

// TestQuiet_offline: a form that is sent in the background says in words that the server was not reached.
func TestQuiet_offline(t *testing.T) {
	h := newHouse(t)
	h.sell(sale{code: "ANNA10", value: 100_00})
	b := h.browse(affiliate.RoleManager)
	b.open(spring)
	b.connected()
	b.excuse("net::ERR_")
	b.eval(`window.fetch = () => Promise.reject(new TypeError("Failed to fetch"))`)
	b.click(fmt.Sprintf(`button[name="one-reject"][value="%s"]`, h.order("1001").Conversion.ID))
	b.says("The server could not be reached; nothing was changed.")
	if h.order("1001").Conversion.Approval != affiliate.Approved {
		t.Error("it was rejected")
	}
}
