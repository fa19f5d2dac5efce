package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

const (
	// MaxResults is the largest file of results that is read, in bytes.
	MaxResults = 32 << 20
	// mostResults bounds the lines of one, with those that a line about a whole part stands for.
	mostResults = 200_000
)

// ReadResults reads a file in which a provider, or a bank, says what became of payouts, and takes it as TurnPayouts
// does. Payments are found by our references, by the provider's where it was said before, or else by destination,
// amount and currency where just one fits. A file that was read before is given as it was, and changes nothing; one
// whose reading ended early is read on. before is how many of its lines were read before. Invalid for a file of no kind
// that is known.
func (a *App) ReadResults(ctx context.Context, name string, body []byte) (file affiliate.ResultFile, before int64,
	err error) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	file, err = a.DB.ResultFileOf(ctx, hash)
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		name = path.Base(strings.ReplaceAll(strings.TrimSpace(cleanText(name)), `\`, "/"))
		file = affiliate.ResultFile{Name: affiliate.Clip(name, affiliate.MaxPayoutText/4), Hash: hash,
			Author: actor(ctx), CreatedAt: a.now()}
	case err != nil:
		return file, 0, err
	default:
		counts, err := a.DB.ResultCounts(ctx, file.ID)
		for _, n := range counts[file.ID] {
			before += n
		}
		if err != nil || before == file.Lines {
			return file, before, err
		}
	}
	file, err = a.readOn(ctx, file, body)
	return file, before, err
}

// readOn reads the lines of a file that were not read yet.
func (a *App) readOn(ctx context.Context, file affiliate.ResultFile, body []byte) (affiliate.ResultFile, error) {
	if len(body) > MaxResults {
		return file, affiliate.FieldErrorf("file", "has more than %d MB; narrow it, such as to a month", MaxResults>>20)
	}
	results, kind, err := a.parseResults(file, body)
	if err != nil {
		return file, err
	}
	settings, err := a.DB.SavedSettings(ctx)
	if err != nil {
		return file, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return file, err
	}
	r := &resultReading{app: a, file: file, zone: zone}
	r.file.Kind = kind
	if err := r.spread(ctx, results); err != nil {
		return file, err
	}
	if err := r.begin(ctx); err != nil {
		return file, err
	}
	if err := r.index(ctx); err != nil {
		return r.file, err
	}
	for more := true; more; {
		err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
			more, err = r.take(ctx, tx)
			return err
		})
		if err != nil {
			return r.file, err
		}
	}
	return r.file, nil
}

// parseResults reads a file as what it looks like; one whose kind is known is read as that.
func (a *App) parseResults(file affiliate.ResultFile, body []byte) ([]affiliate.PaymentResult, affiliate.ResultKind,
	error) {
	var refused []string
	for _, reader := range a.ResultReaders {
		if file.Kind != "" && reader.Kind() != file.Kind {
			continue
		}
		results, err := reader.Read(file.Name, body)
		if err == nil {
			return results, reader.Kind(), nil
		}
		if affiliate.KindOf(err) != affiliate.Invalid {
			return nil, "", err
		}
		why := strings.TrimPrefix(err.Error(), "file: ")
		if !slices.Contains(refused, why) {
			refused = append(refused, why)
		}
	}
	return nil, "", affiliate.FieldErrorf("file", "is of no kind that is known: %s", strings.Join(refused, "; "))
}

// resultReading is one run of ReadResults.
type resultReading struct {
	app   *App
	file  affiliate.ResultFile
	zone  *time.Location
	lines []readLine
	refs  map[string]bool               // of the payouts that have a line of their own
	open  map[place][]affiliate.Payout  // what waits for results, by where it goes; of lines without a reference
	ever  map[place]int                 // how many were handed over at any time; of lines without a day, too
	same  map[place]map[string]struct{} // the provider's references of the lines of one place
}

// readLine is a result as it is written down: one about a whole part is a line for each of its payouts.
type readLine struct {
	affiliate.PaymentResult
	whole bool // it was said of the part
}

// place is what tells payments apart that nobody has given a reference.
type place struct {
	destination string
	amount      int64
	currency    money.Currency
}

func placeOf(destination string, amount int64, c money.Currency) place {
	return place{strings.ToLower(strings.Join(strings.Fields(destination), "")), amount, c}
}

// spread gives each payout its line. What says nothing of the payouts of a part stays one line. It does so alike
// whenever the file is read.
func (r *resultReading) spread(ctx context.Context, results []affiliate.PaymentResult) error {
	r.refs = map[string]bool{}
	for _, result := range results {
		if result.Ref != "" {
			r.refs[result.Ref] = true
		}
	}
	for _, result := range results {
		if len(r.lines) > mostResults {
			return affiliate.FieldErrorf("file", "has more than %d lines; narrow it, such as to a month", mostResults)
		}
		if result.Ref != "" || result.Part == "" {
			r.lines = append(r.lines, readLine{result, false})
			continue
		}
		part, err := r.app.DB.PayoutPartOf(ctx, result.Part)
		if affiliate.KindOf(err) == affiliate.NotFound {
			r.lines = append(r.lines, readLine{result, false})
			continue
		}
		if err != nil {
			return err
		}
		if result.State == "" {
			r.lines = append(r.lines, readLine{result, true})
			continue
		}
		payouts, err := r.app.DB.PartPayouts(ctx, part.ID)
		if err != nil {
			return err
		}
		for _, p := range payouts {
			if !r.refs[p.Ref] {
				one := result
				one.Ref = p.Ref
				r.lines = append(r.lines, readLine{one, true})
			}
		}
	}
	return nil
}

// begin writes the file down, unless somebody was faster.
func (r *resultReading) begin(ctx context.Context) error {
	if r.file.ID != 0 {
		return nil
	}
	r.file.Lines = int64(len(r.lines))
	err := r.app.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if r.file, err = tx.CreateResultFile(ctx, r.file); err != nil {
			return err
		}
		return r.app.audit(ctx, tx, "result_file.read", r.file.ID, nil, facts{"name": r.file.Name, "kind": r.file.Kind,
			"lines": r.file.Lines})
	})
	if affiliate.KindOf(err) == affiliate.Conflict {
		r.file, err = r.app.DB.ResultFileOf(ctx, r.file.Hash)
	}
	return err
}

// index finds out where the payouts go that wait for results, for the lines that have no reference.
func (r *resultReading) index(ctx context.Context) error {
	r.open, r.same = map[place][]affiliate.Payout{}, map[place]map[string]struct{}{}
	r.ever = map[place]int{}
	dated := true
	type sum struct {
		amount   int64
		currency money.Currency
	}
	sums := map[sum]bool{}
	for _, l := range r.lines {
		if l.Ref == "" && l.Part == "" && l.Destination != "" && l.Amount > 0 {
			at := placeOf(l.Destination, l.Amount, l.Currency)
			if r.same[at] == nil {
				r.same[at] = map[string]struct{}{}
			}
			r.same[at][cmp.Or(l.ProviderRef, fmt.Sprint("line ", l.Line))] = struct{}{}
			sums[sum{l.Amount, l.Currency}] = true
			dated = dated && l.Dated()
		}
	}
	if len(sums) == 0 {
		return nil
	}
	return r.app.DB.EachSentPayout(ctx, dated, func(p *affiliate.Payout) error {
		if !sums[sum{p.Amount, p.Currency}] || !r.file.Kind.Of(p.Rail) || p.Destination == nil {
			return nil
		}
		d, err := r.app.openDetails(p.Destination)
		if err != nil {
			return fmt.Errorf("open the destination of %s: %w", p.ID, err)
		}
		for _, destination := range []string{d.Email, d.PayPalID, d.IBAN, d.Account} {
			at := placeOf(destination, p.Amount, p.Currency)
			if destination == "" || r.same[at] == nil {
				continue
			}
			r.ever[at]++
			if !p.State.Final() && !r.refs[p.Ref] {
				r.open[at] = append(r.open[at], *p)
			}
		}
		return nil
	})
}

// take takes the next lines that nobody has taken yet; false after the last one.
func (r *resultReading) take(ctx context.Context, tx *storage.Tx) (more bool, err error) {
	if err := tx.ShareCatalog(ctx); err != nil {
		return false, err
	}
	taken, err := tx.LockResultFile(ctx, r.file.ID)
	if err != nil || taken >= len(r.lines) {
		return false, err
	}
	lines := r.lines[taken:min(len(r.lines), taken+mostNews)]
	found, err := r.find(ctx, tx, lines)
	if err != nil {
		return false, err
	}
	written := make([]affiliate.ResultLine, len(lines))
	var news []PayoutNews
	var of []int
	for i, l := range lines {
		p, why := found[i].payout, found[i].why
		written[i] = affiliate.ResultLine{FileID: r.file.ID, Line: int64(l.Line), Ref: affiliate.Clip(cmp.Or(l.Ref,
			l.Part), 100),
			Masked: cmp.Or(p.Masked, maskDestination(l.Destination)), Amount: l.Amount, Currency: l.Currency,
			State: l.State,
			Words: affiliate.Clip(l.Words, affiliate.MaxPayoutText), PayoutID: p.ID}
		line := &written[i]
		switch {
		case p.ID == 0 && l.whole: // it says nothing of the payouts
			line.Outcome, line.Reason = affiliate.ResultRefused, l.Words
		case p.ID == 0:
			line.Outcome, line.Reason = affiliate.ResultUnmatched, why
		case l.whole && p.State.Final() && p.State != l.State: // what was said of the payout itself counts
			line.Outcome = affiliate.ResultSame
		default:
			if line.Reason = r.refusal(l, p); line.Reason != "" {
				line.Outcome = affiliate.ResultRefused
				continue
			}
			of = append(of, i)
			news = append(news, PayoutNews{Payout: p.ID, State: l.State, Words: l.Words, ProviderRef: l.ProviderRef,
				Fee: l.Fee, FeeCurrency: l.FeeCurrency, At: l.Moment(p.CreatedAt, r.app.now(), r.zone)})
		}
	}
	if len(news) > 0 {
		outcomes, err := r.app.takeNews(ctx, tx, r.file.Name, news)
		if err != nil {
			return false, err
		}
		for n, o := range outcomes {
			line := &written[of[n]]
			line.Outcome, line.Reason = o.Outcome, o.Why
		}
	}
	return taken+len(lines) < len(r.lines), tx.AddResultLines(ctx, written)
}

// refusal says why what a line says of a payout cannot be; empty where it can.
func (r *resultReading) refusal(l readLine, p affiliate.Payout) string {
	switch {
	case l.State == "":
		return cmp.Or(l.Words, "what became of it cannot be read")
	case !r.file.Kind.Of(p.Rail):
		return fmt.Sprintf("the payout goes another way: %s", p.Rail.Title())
	case p.State == affiliate.PayoutReady:
		return "nobody was asked to pay it yet: its file was not downloaded here"
	case l.Amount != 0 && (l.Amount != p.Amount || l.Currency != p.Currency):
		return fmt.Sprintf("the file says %s %s, and the payout is of %s %s", money.Format(l.Amount, l.Currency),
			l.Currency, money.Format(p.Amount, p.Currency), p.Currency)
	}
	return ""
}

// foundPayout is the payout that a line is about, or why there is none.
type foundPayout struct {
	payout affiliate.Payout
	why    string
}

// find gives the payouts of lines as they stand, and locks them.
func (r *resultReading) find(ctx context.Context, tx *storage.Tx, lines []readLine) ([]foundPayout, error) {
	var refs, theirs []string
	for _, l := range lines {
		if l.Ref != "" {
			refs = append(refs, l.Ref)
		} else if l.ProviderRef != "" {
			theirs = append(theirs, l.ProviderRef)
		}
	}
	ours, provider := map[string]affiliate.PayoutID{}, map[string][]affiliate.PayoutID{}
	if len(refs) > 0 {
		list, err := tx.PayoutsByRef(ctx, refs)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			ours[p.Ref] = p.ID
		}
	}
	if len(theirs) > 0 {
		list, err := tx.PayoutsByProviderRef(ctx, theirs)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if r.file.Kind.Of(p.Rail) {
				provider[p.ProviderRef] = append(provider[p.ProviderRef], p.ID)
			}
		}
	}
	ids, whys := make([]affiliate.PayoutID, len(lines)), make([]string, len(lines))
	for i, l := range lines {
		switch known := provider[l.ProviderRef]; {
		case l.Ref != "":
			if ids[i] = ours[l.Ref]; ids[i] == 0 {
				whys[i] = "no payout here has this reference"
			}
		case l.Part != "":
			whys[i] = "no file from here has this reference"
		case len(known) == 1:
			ids[i] = known[0]
		default:
			ids[i], whys[i] = r.guess(l)
		}
	}
	found := make([]foundPayout, len(lines))
	some := slices.DeleteFunc(slices.Clone(ids), func(id affiliate.PayoutID) bool { return id == 0 })
	if len(some) == 0 {
		for i := range found {
			found[i].why = whys[i]
		}
		return found, nil
	}
	locked, err := tx.LockPayouts(ctx, some)
	if err != nil {
		return nil, err
	}
	byID := map[affiliate.PayoutID]affiliate.Payout{}
	for _, p := range locked {
		byID[p.ID] = p
	}
	for i, id := range ids {
		found[i] = foundPayout{byID[id], whys[i]}
	}
	return found, nil
}

// guess finds the payout of a line that has no reference by where it goes and its amount: the one that waits for a
// result. A payment of before cannot be one that was confirmed since.
func (r *resultReading) guess(l readLine) (affiliate.PayoutID, string) {
	at := placeOf(l.Destination, l.Amount, l.Currency)
	fits := slices.DeleteFunc(slices.Clone(r.open[at]), func(p affiliate.Payout) bool {
		return l.Before(p.CreatedAt)
	})
	switch {
	case l.Destination == "" || l.Amount <= 0:
		return 0, "it has neither a reference of ours nor recipient and amount"
	case len(fits) == 0:
		return 0, "no payout that waits for a result goes to this recipient with this amount"
	case len(fits) > 1:
		return 0, fmt.Sprintf("%d payouts that wait for a result go to this recipient with this amount", len(fits))
	case !l.Dated() && r.ever[at] > 1: // it may be an earlier one
		return 0, fmt.Sprintf("%d payouts went to this recipient with this amount, and the line has no day that tells "+
			"which it is", r.ever[at])
	case len(r.same[at]) > 1:
		return 0, fmt.Sprintf("%d payments of the file go to this recipient with this amount", len(r.same[at]))
	}
	return fits[0].ID, ""
}

// maskDestination shows of where a payment went no more than tells it from others.
func maskDestination(text string) string {
	text = affiliate.Clip(strings.TrimSpace(cleanText(text)), 100)
	if text == "" {
		return ""
	}
	if strings.Contains(text, "@") {
		return affiliate.CoverEmail(text)
	}
	digits := []rune(strings.Join(strings.Fields(text), ""))
	if len(digits) <= 8 {
		return "…"
	}
	return string(digits[:4]) + " … " + string(digits[len(digits)-4:])
}
