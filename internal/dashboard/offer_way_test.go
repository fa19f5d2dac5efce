package dashboard

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestOfferWay_browser: on a desktop and on a phone somebody adds an offer, puts creators into it with codes that are
// made in the same go, sees a sale come in, writes to them and reads what they got, and rewards them.
func TestOfferWay_browser(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1440, 900}, {"phone", 390, 844}} {
		t.Run(c.name, func(t *testing.T) {
			h, _, store := codeHouse(t)
			h.postOffice()
			h.app.MailShown = true
			b := h.browse(affiliate.RoleOwner)
			b.viewport(c.width, c.height)
			look := func(what string) {
				t.Helper()
				b.eval(`new Promise((done) => { if (document.readyState === "complete") done(); else addEventListener("load", done); })`)
				if n := b.overflow(); n > 0 {
					t.Errorf("%s is %d pixels wider than its window: %s", what, n, b.widest())
				}
			}

			b.open("/")
			b.clickText("Add offer")
			b.says("Add an offer")
			b.clickText("Choose promo codes")
			b.says("Name of the offer")
			b.choose("#campaign", "new")
			b.fill("#campaign_name", "Winter")
			b.fill("#name", "Winter ten")
			b.fill("#commission_percent", "12")
			b.clickText("Make the offer")
			b.says("Winter ten", "Nobody is in this offer yet")
			look("the offer")
			var at string
			b.eval(`location.pathname`, &at)
			b.open(at + "/settings")
			b.click("input[name=kind][value=percent]")
			b.fill("#percent", "10")
			b.fill("#code_pattern", "{{first_name}}77")
			b.click("#gives button.primary")
			b.says("It is saved")

			b.open(at + "/members/new")
			b.eval(`document.querySelector("#list").value = "Anna Ahlers\nMira Winter, mira@creators.example"`)
			b.clickText("Show who is meant")
			b.says("Who is meant")
			look("who is meant")
			b.clickText("Add 2 creators")
			b.says("2 changed", "Make codes…")
			look("who was added")
			b.clickText("Make codes…")
			b.says("For: 2 creators")
			b.eval(`document.querySelectorAll("[name=stores]").forEach((e) => { e.checked = true; })`)
			b.clickText("Show what would happen")
			b.says("What would happen", "Mira Winter")
			b.click(".card .button.primary, .card button.primary")
			b.says("It has begun")
			var run string
			b.eval(`location.pathname`, &run)
			h.workStore(store.ID)
			h.owner().post(run+"/typed", "all", "1").says("done by hand") // in the stores without an API
			h.workStore(store.ID)
			h.clock.advance(time.Minute)
			h.sell(sale{code: "ANNA77", value: 80_00})

			b.open(at)
			b.says("80.00 USD", "9.60 USD", "ANNA77")
			look("the offer with a sale")
			b.click("[name=ids]")
			b.says("1 selected")
			b.clickText("E-mail…")
			b.says("Show who gets it")
			b.clickText("Show who gets it")
			b.says("Send 1 mail")
			look("a mailing")
			b.clickText("Send 1 mail")
			b.says("Sending")
			h.sendMails()
			b.open("/mail/inbox")
			b.says("Anna Ahlers")
			look("the mails")
			b.click("tbody a[href*='/mail/snd_']")
			b.says("ANNA77")
			look("a letter")

			b.open(at + "/rewards/new")
			b.fill("#name", "First sale")
			b.click("input[name=trigger][value=first_conversion]")
			b.fill("#worth", "25")
			b.click("input[name=approval][value=person]")
			b.clickText("Show what it would give by now")
			b.says("25.00 USD")
			b.clickText("Add the reward")
			b.says("The reward is added")
			h.reckon()
			b.open("/rewards")
			b.says("First sale", "To approve")
			look("the rewards")
			b.click("button[name=approve]")
			b.says("1 reward is approved")
			b.open("/rewards?state=given")
			b.says("25.00 USD credited")
			if text := b.text(); strings.Contains(text, "To approve") && !strings.Contains(text, "Credited") {
				t.Error(text)
			}
		})
	}
}
