//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// biggest is the campaign with most conversions: histories make it up first.
const biggest = "cmp_1"

// allConversions is the address of the export of everything, without its format.
const allConversions = "/conversions/export?period=all_time&former=true&format="

// copyQuery is the table that the export writes.
const copyQuery = `SELECT c.id FROM conversions c`

// pageWanted is which page of a long list is measured, beside the first.
const pageWanted = 1000

// questions are what the pages of reports ask for. Where figures of other campaigns or days are as good, they are asked for
// in turn, so that nothing is measured that only a repeat of the same request has in a cache.
func (r *reader) questions(ctx context.Context) ([]question, error) {
	periods := []string{"last_6_months", "last_30_days", "last_12_months", "year_to_date", "last_90_days"}
	over := func(format string, lists ...[]string) (paths []string) {
		paths = []string{format}
		for _, list := range lists {
			var longer []string
			for _, p := range paths {
				for _, v := range list {
					longer = append(longer, p+v)
				}
			}
			paths = longer
		}
		return paths
	}
	conversions := "/conversions?campaign=" + biggest
	deep, page, err := r.walk(ctx, conversions+"&period=all_time", pageWanted)
	if err != nil {
		return nil, err
	}
	return []question{
		{"home", over("/performance?period=", periods)},
		{"KPIs of a campaign", over("/performance?campaign="+biggest+"&period=", periods)},
		{"series of 12 months", over("/performance/series?period=last_12_months&campaign=", []string{"", biggest})},
		{"conversions of a campaign, page 1", over(conversions+"&period=", append(periods, "all_time"))},
		{fmt.Sprintf("conversions of a campaign, page %d", page), []string{deep}},
		{"conversions by value", over(conversions+"&sort=-value&period=", append(periods, "all_time"))},
		{"search in conversions", over(conversions+"&period=all_time&search=", []string{"anna", "%231", "emma1", "keller", "nobody-at-all"})},
		{"conversions of all campaigns", over("/conversions?period=", append(periods, "all_time"))},
		{"creators of a campaign", over("/performance/creators?campaign="+biggest+"&sort=-sales&period=", append(periods, "all_time"))},
		{"creators of the community", over("/performance/creators?sort=-sales&period=", append(periods, "all_time"))},
	}, nil
}

// walk follows a list's cursors and gives the address of its page of a number, or of the last full one.
func (r *reader) walk(ctx context.Context, path string, wanted int) (address string, page int, err error) {
	address = path
	for page = 1; page < wanted; page++ {
		body, _, err := r.get(ctx, address)
		if err != nil {
			return "", 0, err
		}
		var list struct {
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &list); err != nil {
			return "", 0, err
		}
		if list.NextCursor == nil {
			break
		}
		address = path + "&cursor=" + url.QueryEscape(*list.NextCursor)
	}
	return address, page, nil
}
