package dashboard

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// wordChoices are words to choose from, with what they mean: "set_aside" is "Set aside".
func wordChoices[W ~string](words ...W) []choice {
	choices := make([]choice, len(words))
	for i, w := range words {
		title := strings.ReplaceAll(string(w), "_", " ")
		choices[i] = choice{string(w), strings.ToUpper(title[:1]) + title[1:]}
	}
	return choices
}

// statusChoices are the statuses of orders, the most usual first.
func statusChoices() []choice {
	return wordChoices(affiliate.Paid, affiliate.Pending, affiliate.Canceled, affiliate.Refunded)
}
