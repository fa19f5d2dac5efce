package dashboard

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// arrows writes a menu as pages do: "Settings → Webhooks".
func arrows(menu string) string { return strings.ReplaceAll(menu, " > ", " → ") }

// platformHints are what the form says to whoever has a store of one platform.
type platformHints struct {
	*affiliate.Guide
	Address string // which address of the shop is meant
	Secret  string // where the secret of its webhooks comes from
}

func hintsOf(g *affiliate.Guide) platformHints {
	h := platformHints{Guide: g, Address: "The shop's own, such as shop.example.",
		Secret: "Leave it empty, and one is made for you."}
	if g.DomainEnd != "" {
		h.Address = fmt.Sprintf("The permanent one, such as your-shop%s (%s).", g.DomainEnd, arrows(g.DomainMenu))
	}
	if g.SecretLabel != "" {
		h.Secret = fmt.Sprintf("%s has its own: in its admin open %s and copy what stands behind “%s”.", g.Name,
			arrows(g.WebhooksMenu), g.SecretLabel)
	}
	return h
}

// otherShop stands for the shop that a refused delivery named.
const otherShop = "{shop}"

// rejectedBecause are the causes for which a receiver turns deliveries away, the likeliest first.
var rejectedBecause = []struct {
	receipt app.Receipt
	text    string
}{
	{app.ReceiptBadSignature, "the secret here differs from the store's"},
	{app.ReceiptOtherShop, "deliveries of " + otherShop + " come to this address"},
	{app.ReceiptTooLarge, "the body is larger than this server takes"},
	{app.ReceiptUnreadable, "the body broke off on its way"},
	{app.ReceiptUnavailable, "the database did not answer"},
}

// remedy says what helps against deliveries that are turned away.
func remedy(g *affiliate.Guide, why app.Receipt) string {
	menu, again := arrows(g.WebhooksMenu), g.Name+" sends such a delivery again by itself."
	if g.Resends == 0 {
		again = g.Name + " does not send them again: save the order there once more."
	}
	switch why {
	case app.ReceiptBadSignature:
		if g.SecretLabel != "" {
			return fmt.Sprintf("In the %s admin open %s, copy what stands behind “%s”, and add it under Secrets on "+
				"the store's page here.", g.Admin, menu, g.SecretLabel)
		}
		return "In " + menu + " open each webhook and paste this store's secret; or add the secret that is used " +
			"there under Secrets on the store's page here."
	case app.ReceiptOtherShop:
		return "In the admin of " + otherShop + " open " + menu + " and delete those with this store's address, or " +
			"correct the addresses in the app that both shops share; connect that shop as a store of its own. If it " +
			"is this store's own new domain, change the domain here."
	case app.ReceiptTooLarge:
		text := "Set MAX_BODY_BYTES on the server to more, then restart it."
		if g.Resends == 0 {
			text += " " + again
		}
		return text
	case app.ReceiptUnreadable:
		return "A network or a proxy in between gave up. " + again
	}
	return "Look at the server's log and its disk. " + again
}

// stepBlock is a paragraph of a step in a store's admin; or, when Shows is set, what stands below it: the topics, or
// the URL.
type stepBlock struct {
	Shows  string
	Pieces []affiliate.Piece
}

// stepBlocks divides a step where it shows something.
func stepBlocks(step affiliate.Marked) (blocks []stepBlock) {
	var paragraph []affiliate.Piece
	end := func() {
		if len(paragraph) > 0 {
			blocks = append(blocks, stepBlock{Pieces: paragraph})
		}
		paragraph = nil
	}
	for _, p := range step.Pieces() {
		if p.Place == "topics" || p.Place == "url" {
			end()
			blocks = append(blocks, stepBlock{Shows: p.Place})
			continue
		}
		if len(paragraph) == 0 && len(blocks) > 0 { // what ended the sentence before the list
			p.Text = strings.TrimLeft(p.Text, ".;, ")
		}
		if p != (affiliate.Piece{}) {
			paragraph = append(paragraph, p)
		}
	}
	end()
	return blocks
}

// Steps are those to take in the store's admin.
func (p *storePage) Steps() (list [][]stepBlock) {
	for _, step := range p.Guide.Steps {
		list = append(list, stepBlocks(step))
	}
	return list
}
