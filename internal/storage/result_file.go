package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	resultFileTable   = tableOf[affiliate.ResultFile]("result_files")
	resultFileColumns = columnsOf[affiliate.ResultFile]()
	resultLineTable   = tableOf[affiliate.ResultLine]("result_lines", "payout_id")
)

// HandOver writes of the payouts of a part that were ready that they are sent. Lock the part's run first.
func (tx *Tx) HandOver(ctx context.Context, part affiliate.PayoutPartID, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE payouts SET state = 'sent', state_at = ? WHERE part_id = ? AND state = 'ready'`,
		At(now), part)
	return err
}

// PayoutPartOf gives the part that has a reference of ours; NotFound when there is none.
func (q queries) PayoutPartOf(ctx context.Context, reference string) (affiliate.PayoutPart, error) {
	return getOne[affiliate.PayoutPart](ctx, q, named(reference),
		`SELECT `+payoutPartColumns.of("")+` FROM payout_parts WHERE reference = ?`, reference)
}

// PayoutsByProviderRef finds payouts by the references of providers, which two providers may have both.
func (q queries) PayoutsByProviderRef(ctx context.Context, refs []string) ([]affiliate.Payout, error) {
	list := []affiliate.Payout{}
	err := q.ListIn(ctx, &list, `SELECT `+payoutColumns.of("")+
		` FROM payouts WHERE provider_ref IN (?) AND provider_ref <> '' ORDER BY id`, refs)
	return list, err
}

// EachSentPayout hands the payouts to each that were handed over: those that are not final alone, or all. The payout is
// used again for the next one.
func (q queries) EachSentPayout(ctx context.Context, open bool, each func(*affiliate.Payout) error) error {
	var p affiliate.Payout
	which := `state IN (` + openStates + `)`
	if !open {
		which = `state NOT IN ('ready', 'canceled')`
	}
	return q.stream(ctx, `SELECT `+payoutColumns.of("")+` FROM payouts WHERE `+which+` ORDER BY id`, nil, &p,
		func() error { return each(&p) })
}

// ResultFile gives one file of results; NotFound when there is none.
func (q queries) ResultFile(ctx context.Context, id affiliate.ResultFileID) (affiliate.ResultFile, error) {
	return getOne[affiliate.ResultFile](ctx, q, id,
		`SELECT `+resultFileColumns.of("")+` FROM result_files WHERE id = ?`, id)
}

// ResultFileOf gives the file of results whose bytes have a hash; NotFound when there is none.
func (q queries) ResultFileOf(ctx context.Context, hash string) (affiliate.ResultFile, error) {
	return getOne[affiliate.ResultFile](ctx, q, named("file with the hash "+hash),
		`SELECT `+resultFileColumns.of("")+` FROM result_files WHERE hash = ?`, hash)
}

// ResultFiles lists the files of results that were read, newest first.
func (q queries) ResultFiles(ctx context.Context, p Page) ([]affiliate.ResultFile, string, error) {
	return paged[affiliate.ResultFile](ctx, q, `SELECT `+resultFileColumns.of("")+` FROM result_files`, Filter{},
		Keyset{Keys: []Key{{SQL: "id", Descending: true}}}, p)
}

// ResultCounts counts the lines of files of results by what they have changed.
func (q queries) ResultCounts(ctx context.Context,
	files ...affiliate.ResultFileID) (map[affiliate.ResultFileID]map[affiliate.ResultOutcome]int64, error) {
	counts := make(map[affiliate.ResultFileID]map[affiliate.ResultOutcome]int64, len(files))
	if len(files) == 0 {
		return counts, nil
	}
	var rows []struct {
		FileID  affiliate.ResultFileID
		Outcome affiliate.ResultOutcome
		Lines   int64
	}
	err := q.ListIn(ctx, &rows, `SELECT file_id, outcome, COUNT(*) AS lines FROM result_lines WHERE file_id IN (?)
		GROUP BY file_id, outcome`, files)
	for _, r := range rows {
		if counts[r.FileID] == nil {
			counts[r.FileID] = map[affiliate.ResultOutcome]int64{}
		}
		counts[r.FileID][r.Outcome] = r.Lines
	}
	return counts, err
}

// CreateResultFile writes a file of results and gives it with its id. Conflict where its bytes were read before.
func (tx *Tx) CreateResultFile(ctx context.Context, f affiliate.ResultFile) (affiliate.ResultFile, error) {
	err := resultFileTable.create(ctx, tx, f, &f.ID, "ON CONFLICT (hash) DO NOTHING")
	return f, taken(err, "file", "this file was read already")
}

// LockResultFile makes others who read the same file wait until this transaction ends, and gives how many of its lines
// were taken so far.
func (tx *Tx) LockResultFile(ctx context.Context, id affiliate.ResultFileID) (taken int, err error) {
	if _, err := getOne[affiliate.ResultFile](ctx, tx.queries, id,
		`SELECT `+resultFileColumns.of("")+` FROM result_files WHERE id = ?`+tx.d.lockRows, id); err != nil {
		return 0, err
	}
	err = tx.Get(ctx, &taken, `SELECT COUNT(*) FROM result_lines WHERE file_id = ?`, id)
	return taken, err
}

// AddResultLines writes what became of lines of a file.
func (tx *Tx) AddResultLines(ctx context.Context, list []affiliate.ResultLine) error {
	return resultLineTable.insert(ctx, tx, list, "", nil, nil)
}

// NamedResultLine is a line of results with the payout that it is about.
type NamedResultLine struct {
	affiliate.ResultLine
	RunID     affiliate.PayoutRunID // 0: none was found
	CreatorID affiliate.CreatorID
	Creator   string // name
}

// ResultLineFilter narrows a list of lines of results; zero fields do not.
type ResultLineFilter struct {
	File    affiliate.ResultFileID
	Payout  affiliate.PayoutID
	Outcome affiliate.ResultOutcome
}

// ResultLines lists lines of results in the order in which they were read.
func (q queries) ResultLines(ctx context.Context, w ResultLineFilter, p Page) ([]NamedResultLine, string, error) {
	var f Filter
	Is(&f, "l.file_id", w.File)
	Is(&f, "l.payout_id", w.Payout)
	if w.Outcome != "" {
		f.And("l.outcome = ?", string(w.Outcome))
	}
	return paged[NamedResultLine](ctx, q, `SELECT `+columnsOf[affiliate.ResultLine]().of("l")+
		`, COALESCE(p.run_id, 0) AS run_id, COALESCE(p.creator_id, 0) AS creator_id, COALESCE(r.name, '') AS creator
		FROM result_lines l LEFT JOIN payouts p ON p.id = l.payout_id LEFT JOIN creators r ON r.id = p.creator_id`, f,
		Keyset{Keys: []Key{{SQL: "l.id"}}}, p)
}
