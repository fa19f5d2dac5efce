package dashboard

import (
	"errors"
	"io"
	"net/http"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

const resultsAddress = "/payouts/results"

func resultAddress(id affiliate.ResultFileID) string { return resultsAddress + "/" + id.String() }

// resultsPage lists the files of results that were read, and reads another one.
type resultsPage struct {
	payoutsHead
	Rows   []resultFileLine
	Pager  pager
	Errors fieldErrors
}

// resultFileLine is a file of results for people.
type resultFileLine struct {
	affiliate.ResultFile
	Title   string // of its kind
	Address string
	Read    string
}

func (r *request) resultFileLine(f affiliate.ResultFile) resultFileLine {
	return resultFileLine{f, f.Kind.Title(), resultAddress(f.ID), r.moment(f.CreatedAt)}
}

func (r *request) resultsPage() error {
	p, err := r.results()
	if err != nil {
		return err
	}
	return r.show("payout_results.html", &p)
}

func (r *request) results() (p resultsPage, err error) {
	list, next, err := r.d.App.DB.ResultFiles(r.Request.Context(), r.page())
	p = resultsPage{payoutsHead: r.payoutsHead("results", "Results of payouts"), Pager: r.pager(next)}
	for _, f := range list {
		p.Rows = append(p.Rows, r.resultFileLine(f))
	}
	return p, err
}

// readResults takes a file that says what became of payouts.
func (r *request) readResults() error {
	name, body, err := r.uploaded("file")
	if err == nil {
		var f affiliate.ResultFile
		var before int64
		if f, before, err = r.d.App.ReadResults(r.Request.Context(), name, body); err == nil {
			said := "The file is read: " + counted(f.Lines, "line", "lines") + "."
			switch {
			case before > 0 && before < f.Lines:
				said = "This file was read before, but not to its end. Now " + counted(f.Lines-before, "more line is",
					"more lines are") + " read, and it is whole."
			case before > 0:
				said = "This file was read before. Nothing has changed."
			}
			return r.done(resultAddress(f.ID), said)
		}
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.results()
	if err != nil {
		return err
	}
	p.Errors = errs
	r.render(http.StatusUnprocessableEntity, "payout_results.html", &p)
	return nil
}

// uploaded reads a file of a form.
func (r *request) uploaded(field string) (name string, body []byte, err error) {
	file, err := r.FormFile(field)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && file.Size == 0 {
		return "", nil, affiliate.FieldErrorf(field, "choose a file that is not empty")
	}
	if err != nil {
		return "", nil, err
	}
	opened, err := file.Open()
	if err != nil {
		return "", nil, err
	}
	defer opened.Close()
	body, err = io.ReadAll(opened)
	return file.Filename, body, err
}

// resultPage is what a file of results says, line by line: first what needs somebody.
type resultPage struct {
	layout
	File    resultFileLine
	Outcome affiliate.ResultOutcome // of the lines that are shown
	Tabs    []resultTab
	Lines   []resultLine
	Pager   pager
	Open    []payoutLine // that were in the same files or requests, and of which no line tells
	MoreOut bool         // more of them than are shown
}

// resultTab is an outcome with how many lines have it.
type resultTab struct {
	Outcome affiliate.ResultOutcome
	Title   string
	Count   int64
	Address string
}

// resultLine is a line of a file for people.
type resultLine struct {
	storage.NamedResultLine
	Payout string // address; empty: none was found
	Amount string // empty where it is not said
}

// outcomeTitles are what became of lines, those first that need somebody.
var outcomeTitles = []struct {
	outcome affiliate.ResultOutcome
	title   string
}{{affiliate.ResultUnmatched, "Without a payout"}, {affiliate.ResultRefused, "Refused"},
	{affiliate.ResultChanged, "Changed something"}, {affiliate.ResultSame, "Known already"}}

func (r *request) resultPage() error {
	ctx := r.Request.Context()
	id, err := idParam[affiliate.ResultFileID](r, "file", "rsf_")
	if err != nil {
		return err
	}
	f, err := r.d.App.DB.ResultFile(ctx, id)
	if err != nil {
		return err
	}
	p := resultPage{layout: r.layout("Results of "+f.Name, "payouts"), File: r.resultFileLine(f)}
	asked, err := affiliate.ParseWord[affiliate.ResultOutcome]("outcome", r.Query("outcome"))
	if err != nil {
		return err
	}
	all, err := r.d.App.DB.ResultCounts(ctx, id)
	if err != nil {
		return err
	}
	counts := all[id]
	for _, o := range outcomeTitles {
		if p.Outcome == "" && (asked == o.outcome || asked == "" && counts[o.outcome] > 0) {
			p.Outcome = o.outcome
		}
		p.Tabs = append(p.Tabs, resultTab{o.outcome, o.title, counts[o.outcome], r.with("outcome", string(o.outcome))})
	}
	lines, next, err := r.d.App.DB.ResultLines(ctx, storage.ResultLineFilter{File: id, Outcome: p.Outcome}, r.page())
	if err != nil {
		return err
	}
	p.Pager = r.pager(next)
	for _, l := range lines {
		line := resultLine{NamedResultLine: l}
		if l.Currency != "" && l.Amount != 0 {
			line.Amount = moneyText(l.Amount, l.Currency)
		}
		if l.PayoutID != 0 {
			line.Payout = "/payouts/" + l.PayoutID.String()
		}
		p.Lines = append(p.Lines, line)
	}
	open, more, err := r.d.App.DB.PayoutsWithoutLine(ctx, id, storage.Page{Limit: limit})
	if err != nil {
		return err
	}
	p.Open, p.MoreOut = r.payoutLines(open), more != ""
	return r.show("payout_result.html", &p)
}
