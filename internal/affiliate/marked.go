package affiliate

import (
	"regexp"
	"strings"
)

// Marked is text about a store's own admin: [words] in brackets are those of the admin, or a menu,
// "[Settings > Webhooks]". These stand in it for what is different at every store, or is said in another way on a page
// than in a terminal:
//
//	{admin}   the admin: "the Shopify admin"
//	{topics}  the labels of all topics
//	{url}     where the store sends its deliveries
//	{secret}  the secret of the store's webhooks
//	{other}   a sentence on what to do when the store signs with another secret than the one given here
//	{seen}    where the first delivery shows, a sentence without its full stop
type Marked string

// Piece is a part of such a text. Exactly one of its fields is set.
type Piece struct {
	Text  string
	Word  string // of the admin, or a menu with " > " between its entries
	Place string // the name of what is to be filled in
}

var marks = regexp.MustCompile(`\[[^\]]+\]|\{[a-z]+\}`)

// Pieces takes a text apart, in its order.
func (m Marked) Pieces() (list []Piece) {
	text, at := string(m), 0
	for _, found := range marks.FindAllStringIndex(text, -1) {
		if found[0] > at {
			list = append(list, Piece{Text: text[at:found[0]]})
		}
		inner := text[found[0]+1 : found[1]-1]
		if text[found[0]] == '[' {
			list = append(list, Piece{Word: inner})
		} else {
			list = append(list, Piece{Place: inner})
		}
		at = found[1]
	}
	if at < len(text) {
		list = append(list, Piece{Text: text[at:]})
	}
	return list
}

// Plain writes the text without marks: words in quotes, menus as they are, and the places filled.
func (m Marked) Plain(fill map[string]string) string {
	var b strings.Builder
	for _, p := range m.Pieces() {
		switch {
		case p.Place != "":
			b.WriteString(fill[p.Place])
		case p.Word != "" && !strings.Contains(p.Word, " > "):
			b.WriteString(`"` + p.Word + `"`)
		default:
			b.WriteString(p.Text + p.Word)
		}
	}
	return b.String()
}
