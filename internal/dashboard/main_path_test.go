package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tributaryhq/tributary/integrations/shopify"
)

// hand is how somebody works a page. What they use has the name that is shown or read out; "Campaign › Offers" is what
// is called Offers in the part of the page called Campaign.
type hand struct {
	press func(name string) // a link or a button
	write func(name, text string)
}

// TestMainPath_withoutScript walks the main path in a browser that runs no script.
func TestMainPath_withoutScript(t *testing.T) {
	b := emptyHouse(t).browseAsNobody()
	b.withoutScript()
	click := func(name string) { t.Helper(); b.do("press "+name, chromedp.Click(chromedp.JSPath(named(name)))) }
	press := func(name string) {
		t.Helper()
		b.eval(`window.before = true`)
		click(name)
		b.until("the next page", func() (there bool) {
			b.eval(`!window.before && document.readyState === "complete"`, &there)
			return there
		})
	}
	b.walk(hand{press: press, write: func(name, text string) {
		t.Helper()
		field := chromedp.JSPath(named(name))
		b.do("fill in "+name, chromedp.Clear(field), chromedp.SendKeys(field, text))
	}}, func() { b.open(b.address()) })
}

// TestMainPath_keyboard walks the main path with a keyboard alone: the tab key gets everywhere and shows where it is.
func TestMainPath_keyboard(t *testing.T) {
	b := emptyHouse(t).browseAsNobody()
	to := func(name, keys string) { t.Helper(); b.tabTo(name); b.keys(keys) }
	b.walk(hand{press: func(name string) {
		t.Helper()
		for !b.enter(name) {
		}
	}, write: func(name, text string) { t.Helper(); to(name, text) }}, func() {})
}

// enter tabs to something and presses Enter. It is false where that pressed nothing: a part of the page may have come
// anew between the two, as people see, who then press again.
func (b *tab) enter(name string) bool {
	b.Helper()
	b.tabTo(name)
	b.eval(`window.pressed = false; addEventListener("click", () => { window.pressed = true }, { capture: true, once: true })`)
	b.keys(kb.Enter)
	for range 100 {
		var pressed bool
		if b.eval(`window.pressed !== false`, &pressed); pressed { // or another page is there
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// nameOf is a function in a page that gives the name of an element as a screen reader tells it.
const nameOf = `((e) => (e.ariaLabel || e.labels?.[0]?.innerText || e.innerText || "").replace(/\s+/g, " ").trim())`

// named is an expression for the first visible element of a name that can be used.
func named(name string) string {
	part, rest, within := strings.Cut(name, " › ")
	if within {
		name = rest
	}
	return fmt.Sprintf(`[...document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select, textarea")].find((e) => e.checkVisibility() && %s(e) === %q && (!%t || e.closest("[aria-label=" + CSS.escape(%q) + "]")))`,
		nameOf, name, within, part)
}

// mostTabs is how often the tab key may have to be pressed to get to something.
const mostTabs = 80

// tabTo presses the tab key until something has the focus. Whatever has it on the way is shown to have it.
func (b *tab) tabTo(name string) {
	b.Helper()
	b.until(name+" to be there", func() (there bool) { b.eval(`!!`+named(name), &there); return there })
	for range mostTabs {
		b.keys(kb.Tab)
		var at struct {
			Name              string
			Here, Nowhere     bool
			Lit, Inside, Over bool
		}
		b.eval(fmt.Sprintf(`(() => {
			const framed = (slot) => slot && getComputedStyle(slot).stroke !== "none" && parseFloat(getComputedStyle(slot).strokeWidth) >= 2; // a point of a chart
			const e = document.activeElement; // none where a page begins
			if (!e || e === document.body) return { Nowhere: true };
			const style = getComputedStyle(e), box = e.getBoundingClientRect();
			const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
			const points = [0.1, 0.5, 0.9].map((part) => document.elementFromPoint(box.left + box.width * part, box.top + box.height / 2));
			return { Name: %s(e), Here: e === %s, Lit: e.matches(":focus-visible, input[type=date]:focus-within") && (framed(e.querySelector(".slot")) || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
				Inside: inside, Over: points.some((p) => p && (e.contains(p) || p.contains(e) && p.closest("label"))) };
		})()`, nameOf, named(name)), &at)
		if at.Nowhere {
			continue // the focus has left the end of the page for the browser itself
		}
		if !at.Lit || !at.Inside || !at.Over {
			b.Errorf("%s: the focus on %q does not show: %+v", b.address(), at.Name, at)
		}
		if at.Here {
			return
		}
	}
	b.Fatalf("the tab key does not get to %s on %s:\n%s", name, b.address(), b.text())
}

// walk is the main path: the first visit and signing in, a store, a campaign with an offer and a creator with a code,
// an order that a signed delivery brings, its explanation, and rejecting it and taking that back. again opens the page
// anew where nothing tells it of changes.
func (b *tab) walk(by hand, again func()) {
	b.Helper()
	b.excuse("403") // without the link
	b.open("/")
	b.says("This installation has no owner yet")
	b.open(b.setupLink())
	b.says("Welcome")
	by.write("Your name", "Olga Owner")
	by.write("E-mail", "olga@northwind.example")
	by.write("Password", password)
	by.press("Create the owner")
	b.says("First steps")
	by.press("Sign out")
	b.says("You are signed out.")
	by.write("E-mail", "olga@northwind.example")
	by.write("Password", password)
	by.press("Sign in")
	b.says("First steps")

	by.press("Name your brand, its currency and time zone")
	by.write("Brand", "Northwind")
	by.press("Save and go on")
	by.press("Connect a store")
	by.write("Name", "Northwind US")
	by.write("Address", "shop.myshopify.com")
	by.write("Secret of the webhooks", shopSecret)
	by.press("Connect the store")
	b.says("Waiting for the first delivery")
	if status := b.send("1001", "", 20_00); status != http.StatusOK {
		b.Fatalf("the first delivery was answered %d", status)
	}
	again()
	b.says("Connected.")

	by.press("Main › Campaigns")
	by.press("New campaign")
	by.write("Name", "Spring")
	by.press("Make the campaign")
	b.says("The campaign is made.")
	by.press("Choose promo codes")
	by.write("Name of the offer", "Ten percent")
	by.write("Percent of the value", "10")
	by.press("Make the offer")
	b.says("The offer is made.")
	by.press("Spring")
	by.press("Campaign › Creators")
	by.press("Add a creator")
	by.write("Name", "Anna Ahlers")
	by.press("Add to the community and the campaign")
	b.says("The creator is in the campaign.")
	by.press("Add")
	by.write("Code", "ANNA10")
	by.press("Add the code")
	b.says("ANNA10")

	by.press("Main › Orders")
	b.says("#1001")
	if status := b.send("1002", "ANNA10", 80_00); status != http.StatusOK {
		b.Fatalf("the delivery was answered %d", status)
	}
	again()
	b.says("#1002")
	by.press("#1002")
	b.says("Why it is credited", "Credited to Anna Ahlers (Spring, Ten percent): code ANNA10 belongs to them.",
		"8.00 USD")
	by.write("Reason for rejecting", "bought by our own staff")
	by.press("Reject")
	b.says("Rejected", "bought by our own staff", "Undo the rejection")
	by.press("Undo the rejection")
	b.says("Approved", "8.00 USD")

	by.press("Main › Sales tracking")
	b.says("80.00 USD")
	by.press("Ten percent")
	b.says("Anna Ahlers", "ANNA10", "8.00 USD")
	b.consistent()
}

// send delivers an order to the store that the walk has connected, and processes it.
func (b *tab) send(number, code string, value int64) int {
	b.Helper()
	body := b.body(sale{number: number, code: code, value: value})
	status := b.knock("/webhooks/shopify/northwind-us", body, "X-Shopify-Topic", "orders/paid", "X-Shopify-Hmac-Sha256",
		shopify.Sign([]byte(shopSecret), []byte(body)))
	b.process()
	b.counters.Flush(b.Context())
	return status
}
