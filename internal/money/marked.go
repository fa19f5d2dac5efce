package money

import "strings"

// Marks around a number in a text for people. What is between them is written as Format does, so that whoever shows the
// text can write the number in the signs of the reader, and whoever hands it on, such as the API, leaves it as it is.
// Both are of Unicode's private use.
const (
	NumberBegins = '\uE0B0'
	NumberEnds   = '\uE0B1'
)

// Marked puts a number, as Format writes it, between the marks.
func Marked(number string) string { return string(NumberBegins) + number + string(NumberEnds) }

// Plain takes the marks out of a text.
func Plain(text string) string {
	if !strings.ContainsRune(text, NumberBegins) && !strings.ContainsRune(text, NumberEnds) {
		return text
	}
	return strings.NewReplacer(string(NumberBegins), "", string(NumberEnds), "").Replace(text)
}
