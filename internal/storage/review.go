package storage

import "context"

// Review counts the conversions that wait for a person or for an exchange rate.
type Review struct {
	Held        int64
	Ambiguous   int64 // several owned codes were on the order, and nobody has decided about it
	Unconverted int64
}

// Review counts them by indexes of their own.
func (q queries) Review(ctx context.Context) (r Review, err error) {
	err = q.Get(ctx, &r, `SELECT (SELECT COUNT(*) FROM conversions WHERE approval = 'held' AND credited) AS held,
		(SELECT COUNT(*) FROM conversions WHERE ambiguous AND credited AND `+undecided("")+`) AS ambiguous,
		(SELECT COUNT(*) FROM conversions WHERE rate IS NULL AND credited AND `+listed("currency")+`) AS unconverted`)
	return r, err
}

// undecided is the condition on conversions that no person has decided about; of names the table, with a dot.
func undecided(of string) string {
	return of + "approval <> 'rejected' AND " + of + "approval_by = ''"
}
