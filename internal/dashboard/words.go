package dashboard

import (
	"regexp"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// wordChoices are words to choose from, with what they mean: "set_aside" is "Set aside".
func wordChoices[W ~string](words ...W) []choice {
	choices := make([]choice, len(words))
	for i, w := range words {
		choices[i] = choice{string(w), titled(string(w))}
	}
	return choices
}

// withSeveral offers several words that an address names at once, beside those that can be chosen one by one.
func withSeveral[W ~string](choices []choice, words []W) []choice {
	if len(words) < 2 {
		return choices
	}
	titles := make([]string, len(words))
	for i, w := range words {
		titles[i] = titled(string(w))
	}
	return append(choices, choice{wordsText(words), strings.Join(titles, " or ")})
}

// wordsText writes words as one value of a parameter: "paid,canceled".
func wordsText[W ~string](words []W) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ",")
}

// titled writes a word of a few as it begins a line: "partly_paid" is "Partly paid".
func titled(word string) string {
	if word == "" {
		return ""
	}
	text := strings.ReplaceAll(word, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// tokenActor is how records name an API token that did something.
var tokenActor = regexp.MustCompile(`^token tok_[0-9]+ \((.*)\)$`)

// actorText is who did something, as people call them: an API token by its name.
func actorText(actor string) string { return tokenActor.ReplaceAllString(actor, "API token $1") }

// statusChoices are the statuses of orders, the most usual first.
func statusChoices() []choice {
	return wordChoices(affiliate.Paid, affiliate.Pending, affiliate.Canceled, affiliate.Refunded)
}
