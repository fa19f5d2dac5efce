package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"golang.org/x/text/unicode/norm"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/recordings"
)

// demoReport is what came out of the recordings beside what must come out.
type demoReport struct {
	orders   []demoOrder
	phantoms []string // recordings that made an order although they describe none
	none     int      // recordings that describe no order
	failed   int      // deliveries that were kept and cannot be used
}

type demoOrder struct {
	store       string
	want        recordings.Expected
	got         recordings.Order
	differences []string
}

// compareRecordings asks the API for every order that is expected, and for those that must not be.
func compareRecordings(ctx context.Context, client *recordings.Client, sets []recordings.Set) (*demoReport, error) {
	r := &demoReport{}
	for _, set := range sets {
		for _, want := range set.Orders {
			got, found, err := client.Order(ctx, set.Store.Slug, want.ExternalID)
			if err != nil {
				return nil, err
			}
			o := demoOrder{store: set.Store.Slug, want: want, got: got, differences: want.Differences(got)}
			if !found {
				o.differences = []string{"there is no such order"}
			}
			r.orders = append(r.orders, o)
		}
		r.none += len(set.NotOrders)
		for _, not := range set.NotOrders {
			if not.ExternalID == "" {
				continue
			}
			if _, found, err := client.Order(ctx, set.Store.Slug, not.ExternalID); err != nil {
				return nil, err
			} else if found {
				r.phantoms = append(r.phantoms, fmt.Sprintf("%s made an order %s of %s, but describes none: %s",
					not.File, not.ExternalID, set.Store.Slug, not.Reason))
			}
		}
	}
	var status recordings.Status
	err := client.Get(ctx, "/status", &status)
	r.failed = status.Deliveries.Failed
	return r, err
}

func (r *demoReport) different() int {
	n := 0
	for _, o := range r.orders {
		if len(o.differences) > 0 {
			n++
		}
	}
	return n
}

func (r *demoReport) differs() bool { return r.different()+len(r.phantoms) > 0 }

// print writes the orders as an aligned table, each beside what was expected, then what differs, then one line that
// sums up.
func (r *demoReport) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, " \tORDER\tSTORE\tCREATOR\tBY\tSTATUS\tVALUE\tCOMMISSION\tEXPECTED")
	for _, o := range r.orders {
		fmt.Fprintln(t, o.row())
	}
	_ = t.Flush() // the writer is the terminal
	for _, o := range r.orders {
		for _, d := range o.differences {
			fmt.Fprintf(w, "✗ %s of %s: %s\n", o.want.Number, o.store, d)
		}
	}
	for _, p := range r.phantoms {
		fmt.Fprintf(w, "✗ %s\n", p)
	}
	fmt.Fprintf(w, "\n%s\n", r.summary())
}

func (o demoOrder) row() string {
	mark := "✓"
	if len(o.differences) > 0 {
		mark = "✗"
	}
	g := o.got
	creator, by, commission := "–", "–", "–"
	switch {
	case g.Conversion != nil:
		creator, by = g.Conversion.Creator, g.Conversion.By()
		commission = g.Conversion.Commission + " " + g.Conversion.Currency
		if g.Conversion.Account == nil {
			commission += ", waits for a rate"
		}
	case g.NotCredited != nil:
		by = affiliate.ReasonTitle(*g.NotCredited)
	}
	row := strings.Join([]string{mark, o.want.Number, o.store, creator, by, g.Status, g.Value + " " + g.Currency,
		commission, o.expectation()}, "\t")
	return norm.NFC.String(row) // letters in two parts would push the columns behind them out of line
}

// expectation is what counts of an expected order, in a few words.
func (o demoOrder) expectation() string {
	w := o.want
	text := w.Status + " " + w.Value
	switch {
	case w.Credit != nil:
		text += ", " + w.Credit.Creator + " " + w.Credit.Commission
	case w.NotCredited != nil:
		text += ", " + affiliate.ReasonTitle(*w.NotCredited)
	}
	return text
}

func (r *demoReport) summary() string {
	text := fmt.Sprintf("All %d orders are as expected", len(r.orders))
	if n := r.different(); n > 0 {
		text = fmt.Sprintf("%d of %d orders differ from what was expected", n, len(r.orders))
	}
	text += fmt.Sprintf("; %d recordings that describe no order ", r.none)
	if n := len(r.phantoms); n > 0 {
		text += fmt.Sprintf("made %d all the same.", n)
	} else {
		text += "made none."
	}
	if r.failed > 0 {
		text += fmt.Sprintf(" Kept and marked as failed: %d (an error that WooCommerce sent in place of an order).",
			r.failed)
	}
	return text
}

// printWhereToLook tells what to try on the running demo.
func printWhereToLook(w io.Writer, client *recordings.Client, sets []recordings.Set, email, password string) {
	order := client.Base + "/api/v1/orders/" + exampleOrder(sets)
	curl := `curl -H "Authorization: Bearer ` + client.Token + `" `
	fmt.Fprintf(w, `
Look around; Ctrl-C ends the demo.
  pages   %[1]s   sign in as %[5]s with %[6]s
  status  %[1]s/status
  order   %[2]s%[3]s
  why     %[2]s%[3]s/trace
  link    %[1]s/l/anna
  API     %[1]s/docs
  token   %[4]s
`, client.Base, curl, order, client.Token, email, password)
}

// exampleOrder is the first paid order that somebody is credited for, as it stands in addresses.
func exampleOrder(sets []recordings.Set) string {
	for _, set := range sets {
		for _, o := range set.Orders {
			if o.Status == "paid" && o.Credit != nil {
				return set.Store.Slug + "/" + o.ExternalID
			}
		}
	}
	return sets[0].Store.Slug + "/" + sets[0].Orders[0].ExternalID
}
