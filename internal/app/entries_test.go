package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// postBy posts entries and tells results: "Anna changed 500; cre_9 failed …".
func (c *till) postBy(in app.NewEntries) string {
	c.Helper()
	results, err := c.PostEntries(c.ctx, in)
	must(c.desk, results, err)
	return entryResults(results)
}

func entryResults(results []app.EntryResult) string {
	var words []string
	for _, r := range results {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", r.Name, r.Outcome, r.Amount, r.Why)))
	}
	return strings.Join(words, "; ")
}

func TestPostEntries(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		five := c.member(anna, "Five")
		both := []affiliate.CreatorID{ben.CreatorID, anna.CreatorID, 99}
		c.is("bonus", c.postBy(app.NewEntries{Kind: affiliate.Bonus, Creators: both, Amount: 500, Reason: " a  gift "}),
			"Ben changed 500; Anna changed 500; failed 0 There is no cre_99.")
		c.is("to the offer", c.postBy(app.NewEntries{Kind: affiliate.Adjustment, Creators: both[:2],
			Offer: five.OfferID, Amount: -800, Reason: "counted twice"}),
			"Ben failed 0 They are no member of the offer.; Anna changed -800")
		c.is("Anna", c.holds(anna.CreatorID), "cre_1 USD 500 payable 500 paid 0, ofm_3 USD -800 payable -800 paid 0")
		rows, _, err := c.DB.LedgerPage(c.ctx, storage.LedgerFilter{}, storage.Page{})
		must(c.desk, rows, err)
		if e := rows[0]; e.Cause != "ebt_2:cre_1" || e.Note != "counted twice" || e.Author != "the test" {
			c.Errorf("the entry is %+v", e)
		}

		c.earn(account(anna), -50, 0)
		c.is("write-off", c.postBy(app.NewEntries{Kind: affiliate.WriteOff, Creators: both, Reason: "left"}),
			"Ben same 0 There is nothing to write off: they owe nothing in USD.; Anna changed 350; "+
				"failed 0 There is no cre_99.")
		c.is("Anna", c.holds(anna.CreatorID), "cre_1 USD 500 payable 500 paid 0, ofm_1 USD 0 payable 0 paid 0, "+
			"ofm_3 USD -500 payable -500 paid 0")
		c.is("again", c.postBy(app.NewEntries{Kind: affiliate.WriteOff, Creators: both[1:2], Reason: "left"}),
			"Anna same 0 There is nothing to write off: they owe nothing in USD.")
		if e := c.audited("ebt_3", "entry_batch.post"); len(e) != 1 || !strings.Contains(e[0].After, `"amount":"3.50"`) {
			c.Errorf("the audit log has %+v", e)
		}
		if e := c.audited("ebt_4", "entry_batch.post"); len(e) != 0 {
			c.Errorf("nothing was posted, and the audit log has %+v", e)
		}
	})
}

func TestPostEntries_errors(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		for _, e := range []struct {
			field  string
			words  string
			change func(*app.NewEntries)
		}{
			{"reason", "why", func(in *app.NewEntries) { in.Reason = "\n" }},
			{"creators", "not 0", func(in *app.NewEntries) { in.Creators = nil }},
			{"creators", "twice", func(in *app.NewEntries) { in.Creators = append(in.Creators, anna.CreatorID) }},
			{"amount", "more than 0", func(in *app.NewEntries) { in.Amount = -1 }},
			{"amount", "not be 0", func(in *app.NewEntries) { in.Kind, in.Amount = affiliate.Adjustment, 0 }},
			{"amount", "too large", func(in *app.NewEntries) { in.Amount = 1 << 60 }},
			{"amount", "left out", func(in *app.NewEntries) { in.Kind = affiliate.WriteOff }},
			{"offer", "left out", func(in *app.NewEntries) {
				in.Kind, in.Amount, in.Offer = affiliate.WriteOff, 0, anna.OfferID
			}},
			{"offer", "off_99", func(in *app.NewEntries) { in.Offer = 99 }},
			{"kind", "bonus", func(in *app.NewEntries) { in.Kind = affiliate.Accrual }},
			{"currency", "", func(in *app.NewEntries) { in.Currency = "QQQ" }},
			{"key", "", func(in *app.NewEntries) { in.Key = strings.Repeat("k", 401) }},
		} {
			in := app.NewEntries{Kind: affiliate.Bonus, Creators: []affiliate.CreatorID{anna.CreatorID}, Amount: 1,
				Reason: "a gift"}
			e.change(&in)
			_, err := c.PostEntries(c.ctx, in)
			c.want(err, affiliate.Invalid, e.field, e.words)
		}
		c.is("nothing was posted", c.holds(anna.CreatorID), "")
	})
}

// TestPostEntries_once_race: the same request, sent many times at once, posts once, and everybody learns the same.
func TestPostEntries_once_race(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		in := app.NewEntries{Kind: affiliate.Bonus, Creators: []affiliate.CreatorID{anna.CreatorID, ben.CreatorID, 99},
			Amount: 700, Reason: "a gift", Key: "form 1"}
		var work sync.WaitGroup
		for range 6 {
			work.Go(func() {
				results, err := c.PostEntries(c.ctx, in)
				if got := entryResults(results); err != nil || got !=
					"Anna changed 700; Ben changed 700; failed 0 There is no cre_99." {
					c.Errorf("got %q, %v", got, err)
				}
			})
		}
		work.Wait()
		c.is("Anna", c.holds(anna.CreatorID), "cre_1 USD 700 payable 700 paid 0")
		other := in
		other.Amount = 800
		_, err := c.PostEntries(c.ctx, other)
		c.want(err, affiliate.Conflict, "key", "a new one")
		other.Key = ""
		c.postBy(other)
		c.postBy(other)
		c.is("Anna", c.holds(anna.CreatorID), "cre_1 USD 2300 payable 2300 paid 0")
	})
}
