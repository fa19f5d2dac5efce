package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// chromium is the one browser of a test run. It starts with the first tab and ends with the run.
var chromium struct {
	once sync.Once
	ctx  context.Context
	end  []context.CancelFunc
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range slices.Backward(chromium.end) {
		end()
	}
	os.Exit(code)
}

// browserNames are what the program is called, in Debian and elsewhere.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome"}

func startChromium() {
	program := ""
	for _, name := range browserNames {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		chromium.err = errors.New("the tests of pages need Chromium: apt-get install -y chromium")
		return
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(program),
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("lang", "en-US"),
		// One process for what pages do, not one for each: a new one takes as long as loading ten pages.
		chromedp.Flag("disable-site-isolation-trials", true), chromedp.Flag("renderer-process-limit", "1"),
		// Each window would load two pages of the browser's own, for what is typed into its address bar.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup"))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to sandbox what root runs
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endBrowser := chromedp.NewContext(allocator)
	chromium.ctx, chromium.end = ctx, []context.CancelFunc{endAllocator, endBrowser}
	if err := chromedp.Do(ctx); err != nil {
		chromium.err = fmt.Errorf("start %s: %w", program, err)
	}
}

// patience is how long a tab waits for something to show before the test fails. It is long for machines that are busy.
const patience = 30 * time.Second

// tab is one page in Chromium, with cookies of its own. The test fails when the page reports an error, or asks another
// server for anything, unless it was excused.
type tab struct {
	*house
	ctx    context.Context
	server string // the only one that pages may ask

	mu       sync.Mutex
	problems []string
	excused  []string
	bytes    int64 // received since the last open
}

// browse opens a tab for somebody who is signed in, 1440 pixels wide.
func (h *house) browse(role affiliate.Role) *tab {
	h.Helper()
	session := h.signedIn(role).cookie(sessionCookie)
	b := h.browseAsNobody()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		only := true
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: sessionCookie, Value: session,
			URL: h.url, HTTPOnly: &only, SameSite: network.CookieSameSiteLax})
		return err
	})
	return b
}

// browseAsNobody opens a tab for somebody who has not signed in.
func (h *house) browseAsNobody() *tab {
	h.Helper()
	chromium.once.Do(startChromium)
	h.must(chromium.err)
	return h.tab(chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext()))
}

// another opens one more tab of the same browser, with the same cookies and connections.
func (b *tab) another() *tab {
	b.Helper()
	return b.tab(chromedp.NewContext(b.ctx))
}

func (h *house) tab(ctx context.Context, end context.CancelFunc) *tab {
	h.Helper()
	b := &tab{house: h, ctx: ctx, server: h.url}
	h.Cleanup(func() {
		end()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			if !slices.ContainsFunc(b.excused, func(text string) bool { return strings.Contains(p, text) }) {
				h.Errorf("in the browser: %s", p)
			}
		}
	})
	h.must(chromedp.Do(ctx))
	h.must(chromedp.Listen(ctx, b.hear))
	b.viewport(1440, 900)
	return b
}

// within runs a part of a test under a name of its own, in the same tab.
func (b *tab) within(name string, f func()) {
	b.Helper()
	outer := b.house
	outer.Run(name, func(t *testing.T) {
		inner := *outer
		inner.T = t
		b.house = &inner
		defer func() { b.house = outer }()
		f()
	})
}

// hear notes what a page should not do.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if slices.Contains([]string{"error", "assert", "warning"}, string(e.Type)) {
			b.problems = append(b.problems, fmt.Sprintf("console.%s: %s", e.Type, argumentsText(e.Args)))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			b.problems = append(b.problems, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text,
				e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || (u.Scheme != "data" && u.Scheme != "blob" && u.Scheme+"://"+u.Host != b.server) {
			b.problems = append(b.problems, "asked another server: "+e.Request.URL)
		}
	case *network.EventLoadingFinished:
		b.bytes += int64(e.EncodedDataLength)
	}
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

func argumentsText(args []*runtime.RemoteObject) string {
	var texts []string
	for _, a := range args {
		texts = append(texts, strings.Trim(string(a.Value)+" "+a.Description, " "))
	}
	return strings.Join(texts, " ")
}

// excuse lets the page report an error that contains a text, such as "422" where a form is sent that is wrong.
func (b *tab) excuse(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.excused = append(b.excused, text)
}

// complaints are what the page did and should not, excused or not.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

// call runs something in the tab, with patience.
func (b *tab) call(f func(context.Context, *chromedp.Target) error) {
	b.Helper()
	if err := b.try(chromedp.Func(f)); err != nil {
		b.Fatal(err)
	}
}

func (b *tab) try(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// do runs a step that a person could do, such as a click; what says which. Pages follow what happens: where a part came
// anew just before it was touched, the step is taken again.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	err := b.try(steps...)
	for deadline := time.Now().Add(patience); replaced(err) && time.Now().Before(deadline); {
		err = b.try(steps...)
	}
	if err != nil {
		b.Fatalf("%s: %v; the page says:\n%s", what, err, b.text())
	}
}

// replaced says whether what was found on a page was gone from it before it could be touched.
func replaced(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Could not find node with given id")
}

// open goes to a page and waits until it is there.
func (b *tab) open(path string) {
	b.Helper()
	b.mu.Lock()
	b.bytes = 0
	b.mu.Unlock()
	b.do("open "+path, chromedp.Navigate(b.url+path))
}

// received is how many bytes came over the line since the last open.
func (b *tab) received() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// click clicks the first element that a CSS selector finds, once it is visible.
func (b *tab) click(selector string) {
	b.Helper()
	b.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// clickText clicks the first visible link, button, summary or label whose whole text is this.
func (b *tab) clickText(text string) {
	b.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("a, button, summary, label")].find((e) => e.checkVisibility() && e.innerText.trim() === %q)`, text)
	b.do("click "+text, chromedp.Click(chromedp.JSPath(find)))
}

// fill replaces what is in a field.
func (b *tab) fill(selector, text string) {
	b.Helper()
	b.do("fill "+selector, chromedp.Clear(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// choose picks an option of a select by its value.
func (b *tab) choose(selector, value string) {
	b.Helper()
	b.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event("change", { bubbles: true })); })()`, selector, value))
}

// keys types as on a keyboard, wherever the focus is; special keys are in chromedp's package kb.
func (b *tab) keys(text string) {
	b.Helper()
	b.do("type", chromedp.KeyEvent(text))
}

// press presses one key, with others held, that writes nothing.
func (b *tab) press(key string, held chromedp.Modifier) {
	b.Helper()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{"rawKeyDown", "keyUp"} {
			_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key,
				Modifiers: int64(held)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// eval runs an expression in the page, which may be a promise, and decodes its value where one is asked for.
func (b *tab) eval(expression string, into ...any) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[json.RawMessage](expression, chromedp.EvalAwaitPromise))
	if err != nil && strings.Contains(err.Error(), "target navigated") {
		return // the page went while it was asked: into stays as it is, and whoever waits asks the next page
	}
	if err != nil && !errors.Is(err, chromedp.ErrJSUndefined) && !errors.Is(err, chromedp.ErrJSNull) {
		b.Fatalf("%s: %v", expression, err)
	}
	for _, v := range into {
		if err := json.Unmarshal(text, v); err != nil {
			b.Fatalf("%s gave %s: %v", expression, text, err)
		}
	}
}

// text is what the page shows.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return fmt.Sprintf("(the page cannot be read: %v)", err)
	}
	return text
}

// until waits for a condition, which may be waiting for the server, and says what it waits for when it does not come.
func (b *tab) until(what string, true func() bool) {
	b.Helper()
	for deadline := time.Now().Add(patience); !true(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("waited for %s; the page says:\n%s", what, b.text())
		}
	}
}

// says waits until the page shows all the texts at once: some of them may stand on the page before it, too.
func (b *tab) says(texts ...string) {
	b.Helper()
	b.until(fmt.Sprintf("%q", texts), func() bool {
		page := b.text()
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(page, text) })
	})
}

// saysNot waits until the page does not show a text.
func (b *tab) saysNot(text string) {
	b.Helper()
	b.until(fmt.Sprintf("%q to go", text), func() bool { return !strings.Contains(b.text(), text) })
}

// at waits until the tab is at an address.
func (b *tab) at(path string) {
	b.Helper()
	b.until("the address "+path, func() bool { return b.address() == path })
}

// address is the path and query of the page.
func (b *tab) address() string {
	b.Helper()
	var address string
	b.eval(`location.pathname + location.search`, &address)
	return address
}

// connected waits until live events come.
func (b *tab) connected() {
	b.Helper()
	b.until("live events", func() bool {
		var yes bool
		b.eval(`document.documentElement.dataset.connected === "yes"`, &yes)
		return yes
	})
}

// viewport sets the size of the window in CSS pixels.
func (b *tab) viewport(width, height int64) {
	b.Helper()
	b.do("set the size", chromedp.EmulateViewport(width, height))
}

// dark chooses between the dark and the light look.
func (b *tab) dark(on bool) {
	b.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.media("prefers-color-scheme", scheme)
}

// media sets a feature that style sheets ask for, such as prefers-reduced-motion.
func (b *tab) media(name, value string) {
	b.Helper()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}})
		return err
	})
}

// print shows pages as they are on paper, or on the screen again.
func (b *tab) print(on bool) {
	b.Helper()
	kind := ""
	if on {
		kind = "print"
	}
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind,
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return err
	})
}

// withoutScript makes pages that are opened from now on run no script.
func (b *tab) withoutScript() {
	b.Helper()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

// withoutCache makes the browser fetch everything anew.
func (b *tab) withoutCache() {
	b.Helper()
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		return err
	})
}

// overflow is by how many pixels the page is wider than the window; 0 when nothing scrolls sideways.
func (b *tab) overflow() int {
	b.Helper()
	var n int
	b.eval(`Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)`, &n)
	return n
}

// screenshot writes the whole page as a PNG. The window is made as high as the page meanwhile, so that what sticks to
// an edge of the window is drawn at the edge of the picture.
func (b *tab) screenshot(file string) {
	b.Helper()
	b.must(os.MkdirAll(filepath.Dir(file), 0o755))
	var size struct{ Width, Height, Whole int64 }
	b.eval(`({ Width: innerWidth, Height: innerHeight, Whole: document.documentElement.scrollHeight })`, &size)
	b.viewport(size.Width, max(size.Height, size.Whole))
	defer b.viewport(size.Width, size.Height)
	b.call(func(ctx context.Context, t *chromedp.Target) error {
		shot, err := cdp.Call(ctx, t, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{})
		if err != nil {
			return err
		}
		return os.WriteFile(file, shot.Data, 0o644)
	})
}
