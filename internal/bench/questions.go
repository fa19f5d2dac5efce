//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// biggest is the campaign with most conversions: histories make it up first.
const biggest = "/campaigns/cmp_1"

// allConversions is the address of the export of everything, without its format.
const allConversions = "/conversions.%s?include=former"

// copyQuery is the table that the export writes: the same columns in the same order of rows.
const copyQuery = `SELECT o.number, o.external_id, s.name, c.placed_at, p.name, f.name, r.name, h.handle, c.method, c.evidence, c.status, c.approval,
	c.approval_reason, c.status = 'paid' AND c.approval = 'approved', c.currency, c.original_value, c.value, c.refunded, c.commission,
	c.account_currency, c.rate, c.rate_date, ROUND(c.original_value * c.rate::numeric), c.account_value, c.account_refunded, c.account_commission,
	c.commission_percent, c.commission_flat, c.ambiguous, c.id, c.creator_id
	FROM conversions c JOIN orders o ON o.id = c.order_id JOIN stores s ON s.id = c.store_id JOIN campaigns p ON p.id = c.campaign_id
	JOIN offers f ON f.id = c.offer_id JOIN creators r ON r.id = c.creator_id
	LEFT JOIN creator_handles h ON h.creator_id = c.creator_id AND h.network = 'instagram' ORDER BY c.placed_at DESC, c.id DESC`

// pageWanted is which page of a long list is measured, beside the first.
const pageWanted = 1000

// questions are what the pages of reports ask for. The API reads by the functions that the pages call: the key figures
// of the account and of a campaign come with their chart from report.Overview at both. The periods and whatever
// else is as good as something else are asked for in turn, so that no figure is that of one request again and again.
func (r *reader) questions(ctx context.Context) ([]question, error) {
	periods := []string{"last_6_months", "last_30_days", "last_12_months", "year_to_date", "all_time"}
	each := func(path string, values ...string) (paths []string) {
		for _, v := range values {
			paths = append(paths, path+url.QueryEscape(v))
		}
		return paths
	}
	conversions := biggest + "/conversions?include=former"
	deep, page, err := r.walk(ctx, conversions, pageWanted)
	if err != nil {
		return nil, err
	}
	return []question{
		{"home", each("/performance?period=", periods...)},
		{"KPIs of a campaign", each(biggest+"/performance?period=", periods...)},
		{"KPIs of an offer", each("/offers/off_1/performance?include=former&period=", periods...)},
		{"series of the account", each("/performance/series?period=last_12_months&unit=", "day", "week", "month")},
		{"campaigns", each("/performance/campaigns?compare=true&period=", periods...)},
		{"creators of a campaign", each("/performance/creators?campaign=cmp_1&sort=-sales&period=", periods...)},
		{"creators of a campaign, filtered",
			each("/performance/creators?campaign=cmp_1&offer_type=promo_code&min_sales=100&sort=-sales&period=",
				periods...)},
		{"creators of the community", each("/performance/creators?period=", periods...)},
		{"creators of the community by sales", each("/performance/creators?sort=-sales&period=", periods...)},
		{"codes and links of a campaign", each("/performance/evidence?campaign=cmp_1&period=", periods...)},
		{"conversions of a campaign, page 1", each(conversions+"&totals=true&period=", periods...)},
		{fmt.Sprintf("conversions of a campaign, page %d", page), []string{deep}},
		{"conversions of a campaign by value", each(conversions+"&sort=-value&period=", periods...)},
		{"conversions of a campaign, search", each(conversions+"&q=", "anna", "#1", "emma1", "keller",
			"nobody at all")},
		{"conversions of all campaigns", each("/conversions?totals=true&period=", periods...)},
	}, nil
}

// walk follows a list's cursors and gives the address of its page of a number, or of its last one.
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

// copyCommand lets psql write the table to its output.
func copyCommand() string {
	return `\copy (` + strings.Join(strings.Fields(copyQuery), " ") + `) TO STDOUT WITH (FORMAT csv, HEADER)`
}
