package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerPayoutResults declares the operations on files that say what became of payouts.
func (a *API) registerPayoutResults(api huma.API) {
	const read = affiliate.MayRead
	register(a, api, operation{http.MethodPost, "/payout-results", "read-payout-results", affiliate.MayPay,
		"Read a file in which a provider or a bank says what became of payouts; the same file again changes nothing"},
		a.readResults)
	register(a, api, operation{http.MethodGet, "/payout-results", "list-payout-results", read,
		"List files of results, newest first"}, a.listResults)
	register(a, api, operation{http.MethodGet, "/payout-results/{id}/lines", "list-result-lines", read,
		"List the lines of a file of results with what each was taken for"}, a.listResultLines)
}

// ResultFileJSON is a file of results that was read.
type ResultFileJSON struct {
	ID        string               `json:"id" example:"rsf_1"`
	Name      string               `json:"name" example:"pain002.xml"`
	Kind      affiliate.ResultKind `json:"kind"`
	Lines     int64                `json:"lines"`
	Outcomes  map[string]int64     `json:"outcomes" doc:"How many lines there are of each outcome" example:"{\"changed\": 12}"`
	Author    string               `json:"author" doc:"Who gave it"`
	CreatedAt time.Time            `json:"created_at"`
}

// ResultFileViews is how the API and the command line show files of results.
func ResultFileViews(ctx context.Context, db *storage.DB, list ...affiliate.ResultFile) ([]ResultFileJSON, error) {
	ids := make([]affiliate.ResultFileID, len(list))
	for i, f := range list {
		ids[i] = f.ID
	}
	counts, err := db.ResultCounts(ctx, ids...)
	views := make([]ResultFileJSON, len(list))
	for i, f := range list {
		views[i] = ResultFileJSON{ID: f.ID.String(), Name: f.Name, Kind: f.Kind, Lines: f.Lines,
			Outcomes: map[string]int64{}, Author: f.Author, CreatedAt: f.CreatedAt.UTC()}
		for _, o := range affiliate.Words[affiliate.ResultOutcome]() {
			views[i].Outcomes[string(o)] = counts[f.ID][o]
		}
	}
	return views, err
}

type readResultsInput struct {
	Name    string `query:"name" required:"true" maxLength:"200" example:"pain002.xml" doc:"What the file is called"`
	RawBody []byte `contentType:"application/octet-stream" doc:"A payment status report of a bank (pain.002), an activity report of PayPal, results of Wise, or CSV"`
}

func (readResultsInput) mostBytes() int64 { return app.MaxResults }

func (a *API) readResults(ctx context.Context, in *readResultsInput) (*output[ResultFileJSON], error) {
	web.AllowTime(requestOf(ctx).Writer)
	file, _, err := a.App.ReadResults(ctx, in.Name, in.RawBody)
	if err != nil {
		return nil, err
	}
	views, err := ResultFileViews(ctx, a.App.DB, file)
	return one(views, err, func(views []ResultFileJSON) ResultFileJSON { return views[0] })
}

type listResultsInput struct{ PageInput }

func (a *API) listResults(ctx context.Context, in *listResultsInput) (*listOutput[ResultFileJSON], error) {
	list, next, err := a.App.DB.ResultFiles(ctx, in.page())
	if err != nil {
		return nil, err
	}
	views, err := ResultFileViews(ctx, a.App.DB, list...)
	return listPage(views, next, err, func(v ResultFileJSON) ResultFileJSON { return v })
}

// ResultLineJSON is a line of a file of results.
type ResultLineJSON struct {
	Line        int64                   `json:"line" doc:"Of the file, from 1"`
	Outcome     affiliate.ResultOutcome `json:"outcome" doc:"same: it says what was known, or what is out of date; unmatched: no payout is it; refused: it cannot be"`
	Payout      *string                 `json:"payout" example:"pay_1" doc:"Which it is about; null: none was found"`
	State       *string                 `json:"state" enum:"paid,pending,unclaimed,failed,returned,canceled" doc:"Of the payout, by this line; null: it could not be read"`
	Ref         string                  `json:"ref" example:"TRB-1-K7Q2M9" doc:"Ours, as it came back; may be empty"`
	Destination string                  `json:"destination" doc:"Masked"`
	Amount      *string                 `json:"amount" example:"120.00" doc:"null: it is not said"`
	Currency    *string                 `json:"currency" example:"EUR"`
	Words       string                  `json:"words" doc:"The provider's"`
	Why         string                  `json:"why" doc:"Of unmatched and refused"`
}

// ResultLineView is how the API and the command line show a line of results.
func ResultLineView(l storage.NamedResultLine) ResultLineJSON {
	v := ResultLineJSON{Line: l.Line, Outcome: l.Outcome, Ref: l.Ref, Destination: l.Masked, Words: l.Words,
		Why: l.Reason}
	if l.State != "" {
		v.State = orNull(string(l.State))
	}
	if l.Currency != "" {
		v.Amount, v.Currency = orNull(money.Format(l.Amount, l.Currency)), orNull(l.Currency.Code())
	}
	if l.PayoutID != 0 {
		v.Payout = orNull(l.PayoutID.String())
	}
	return v
}

type resultLinesInput struct {
	ID      string                  `path:"id" example:"rsf_1"`
	Outcome affiliate.ResultOutcome `query:"outcome"`
	PageInput
}

func (a *API) listResultLines(ctx context.Context, in *resultLinesInput) (*listOutput[ResultLineJSON], error) {
	id, err := idPath[affiliate.ResultFileID]("rsf_", in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.ResultFile(ctx, id); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.ResultLines(ctx, storage.ResultLineFilter{File: id, Outcome: in.Outcome}, in.page())
	return listPage(list, next, err, ResultLineView)
}
