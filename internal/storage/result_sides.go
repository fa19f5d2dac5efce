package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// PayoutsWithoutLine lists the payouts that a file of results says nothing of, though it does of others that were in
// the same file or request: those whose end is not known, oldest first.
func (q queries) PayoutsWithoutLine(ctx context.Context, file affiliate.ResultFileID,
	p Page) ([]NamedPayout, string, error) {
	var f Filter
	f.And(`p.state IN (`+openStates+`) AND p.part_id IN (SELECT o.part_id FROM payouts o
		JOIN result_lines l ON l.payout_id = o.id WHERE l.file_id = ?) AND NOT EXISTS (SELECT 1 FROM result_lines l WHERE l.payout_id = p.id AND l.file_id = ?)`, file, file)
	return paged[NamedPayout](ctx, q, selectPayouts, f, Keyset{Keys: []Key{{SQL: "p.id"}}}, p)
}
