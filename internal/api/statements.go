package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerStatements declares the operations on statements that are issued, and what creators were paid in a year.
func (a *API) registerStatements(api huma.API) {
	const read = affiliate.MayRead
	register(a, api, operation{http.MethodGet, "/statements", "list-statements", read,
		"List statements that were issued, newest first"}, a.listStatements)
	register(a, api, operation{http.MethodPost, "/statements", "issue-statements", affiliate.MayPay,
		"Issue the statements of a month that are missing"},
		a.issueStatements)
	register(a, api, operation{http.MethodGet, "/statements/{id}", "get-statement", read,
		"Read a statement"}, a.getStatement)
	register(a, api, operation{http.MethodGet, "/statements/{id}/lines", "list-statement-lines", read,
		"List a statement's ledger entries, newest first, with the balance after each"}, a.listStatementLines)
	register(a, api, operation{http.MethodGet, "/payees", "list-payees", read,
		"List what creators were paid in a calendar year, by currency and rail"}, a.listPayees)
	registerExport(a, api, "/statements", "statements", "statements, one line for each", a.exportStatements)
	registerExport(a, api, "/statements/{id}/lines", "statement-lines", "a statement's ledger entries, oldest first",
		a.exportStatementLines)
	registerExport(a, api, "/payees", "payees", "what creators were paid in a year", a.exportPayees)
}

// StatementJSON is a statement that was issued. It never changes.
type StatementJSON struct {
	ID          string    `json:"id" example:"stm_1"`
	Number      string    `json:"number" example:"2026-00042" doc:"Without gaps in each year"`
	Creator     string    `json:"creator" example:"cre_1"`
	CreatorName string    `json:"creator_name"`
	Brand       string    `json:"brand"`
	Month       string    `json:"month" example:"2026-10"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Currency    string    `json:"currency" example:"EUR"`
	Opening     string    `json:"opening" example:"0.00"`
	Earned      string    `json:"earned" example:"120.00"`
	Paid        string    `json:"paid" example:"100.00"`
	Closing     string    `json:"closing" example:"20.00" doc:"opening + earned - paid"`
	Entries     int64     `json:"entries"`
	Author      string    `json:"author"`
	CreatedAt   time.Time `json:"created_at"`
}

// StatementView is how the API and the command line show a statement.
func StatementView(s affiliate.Statement) StatementJSON {
	amount := func(n int64) string { return money.Format(n, s.Currency) }
	return StatementJSON{ID: s.ID.String(), Number: s.Serial(), Creator: s.CreatorID.String(), CreatorName: s.Name,
		Brand: s.Brand, Month: s.Month, From: s.FromAt.UTC(), To: s.ToAt.UTC(), Currency: s.Currency.Code(),
		Opening: amount(s.Opening), Earned: amount(s.Earned), Paid: amount(s.Paid), Closing: amount(s.Closing),
		Entries: s.Entries, Author: s.Author, CreatedAt: s.CreatedAt.UTC()}
}

// StatementFilter are the query parameters that narrow statements, in the list and its exports.
type StatementFilter struct {
	Creator  string `query:"creator" doc:"cre_…: only theirs"`
	Month    string `query:"month" example:"2026-10"`
	Currency string `query:"currency" example:"EUR"`
	Q        string `query:"q" doc:"In the number, or the creator's name, e-mail address or handles"`
}

func (a *API) statementFilter(ctx context.Context) (storage.StatementFilter, error) {
	q, err := a.query(ctx)
	if err != nil {
		return storage.StatementFilter{}, err
	}
	f := q.Statements()
	return f, q.Err()
}

type listStatementsInput struct {
	StatementFilter
	PageInput
}

func (a *API) listStatements(ctx context.Context, in *listStatementsInput) (*listOutput[StatementJSON], error) {
	filter, err := a.statementFilter(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Statements(ctx, filter, in.page())
	return listPage(list, next, err, StatementView)
}

type issueStatementsInput struct {
	Body struct {
		Month string `json:"month" example:"2026-10" doc:"One that is over"`
	}
}

type issuedJSON struct {
	Month  string `json:"month" example:"2026-10"`
	Issued int    `json:"issued"`
	Before int64  `json:"before" doc:"How many there were"`
}

func (a *API) issueStatements(ctx context.Context, in *issueStatementsInput) (*output[issuedJSON], error) {
	done, err := a.App.IssueStatements(ctx, in.Body.Month)
	if err != nil {
		return nil, err
	}
	return &output[issuedJSON]{Body: issuedJSON{done.Month.Month, len(done.Statements), done.Before}}, nil
}

type StatementPath struct {
	ID string `path:"id" example:"stm_1"`
}

func (p StatementPath) id() (affiliate.StatementID, error) {
	return idPath[affiliate.StatementID]("stm_", p.ID)
}

// statement reads the statement that a path names.
func (a *API) statement(ctx context.Context, p StatementPath) (affiliate.Statement, error) {
	id, err := p.id()
	if err != nil {
		return affiliate.Statement{}, err
	}
	return a.App.DB.Statement(ctx, id)
}

type statementDetailJSON struct {
	StatementJSON
	Agrees bool `json:"agrees" doc:"Whether the ledger still says the same"`
}

func (a *API) getStatement(ctx context.Context, in *StatementPath) (*output[statementDetailJSON], error) {
	s, err := a.statement(ctx, *in)
	if err != nil {
		return nil, err
	}
	now, err := a.App.DB.StatementNow(ctx, s)
	return one(s, err, func(s affiliate.Statement) statementDetailJSON {
		return statementDetailJSON{StatementView(s), now == s}
	})
}

type listStatementLinesInput struct {
	StatementPath
	PageInput
}

func (a *API) listStatementLines(ctx context.Context,
	in *listStatementLinesInput) (*listOutput[statementLineJSON], error) {
	st, err := a.statement(ctx, in.StatementPath)
	if err != nil {
		return nil, err
	}
	var list []storage.LedgerLine
	var next string
	err = a.App.DB.InSnapshot(ctx, func(s *storage.Snapshot) (err error) {
		list, next, err = s.LinesOf(ctx, st, in.page())
		return err
	})
	return listPage(list, next, err, func(l storage.LedgerLine) statementLineJSON {
		return statementLineJSON{ledgerEntryView(l), money.Format(l.Balance, l.Currency)}
	})
}

type exportStatementsInput struct {
	StatementFilter
	ExportInput
}

func (a *API) exportStatements(ctx context.Context, _ *exportStatementsInput, d *web.Download) error {
	filter, err := a.statementFilter(ctx)
	if err != nil {
		return err
	}
	words := []string{"statements"}
	if filter.Month != "" {
		words = append(words, filter.Month)
	}
	name, err := a.fileName(ctx, time.Time{}, time.Time{}, words...)
	if err != nil {
		return err
	}
	_, err = a.App.ExportStatements(ctx, nil, filter, d.Options(name))
	return err
}

type exportStatementLinesInput struct {
	StatementPath
	ExportInput
}

func (a *API) exportStatementLines(ctx context.Context, in *exportStatementLinesInput, d *web.Download) error {
	s, err := a.statement(ctx, in.StatementPath)
	if err != nil {
		return err
	}
	_, err = a.App.ExportIssued(ctx, nil, s, d.Options("statement-"+s.Serial()))
	return err
}

// PayeeFilter are the query parameters that narrow payees, in the list and its exports.
type PayeeFilter struct {
	Year int    `query:"year" example:"2026" doc:"The present one, unless it is given"`
	Q    string `query:"q" doc:"In the creator's name, e-mail address or handles"`
}

// PayeeJSON is what one creator was paid in a year by one rail.
type PayeeJSON struct {
	Creator       string         `json:"creator" example:"cre_1"`
	CreatorName   string         `json:"creator_name"`
	Email         string         `json:"email"`
	AccountHolder string         `json:"account_holder"`
	Country       string         `json:"country"`
	Currency      string         `json:"currency" example:"EUR"`
	Rail          affiliate.Rail `json:"rail"`
	Payouts       int64          `json:"payouts" doc:"Paid in the year, and not come back"`
	Amount        string         `json:"amount" example:"120.00"`
}

func payeeView(p storage.PayeeTotal) PayeeJSON {
	return PayeeJSON{Creator: p.CreatorID.String(), CreatorName: p.Creator, Email: p.Email, AccountHolder: p.Holder,
		Country: p.Country, Currency: p.Currency.Code(), Rail: p.Rail, Payouts: p.Payouts,
		Amount: money.Format(p.Amount, p.Currency)}
}

type listPayeesInput struct {
	PayeeFilter
	PageInput
}

func (a *API) listPayees(ctx context.Context, in *listPayeesInput) (*listOutput[PayeeJSON], error) {
	filter, _, err := a.App.PayeeYear(ctx, in.Year, in.Q)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.PayeeTotals(ctx, filter, in.page())
	return listPage(list, next, err, payeeView)
}

type exportPayeesInput struct {
	PayeeFilter
	ExportInput
}

func (a *API) exportPayees(ctx context.Context, in *exportPayeesInput, d *web.Download) error {
	filter, year, err := a.App.PayeeYear(ctx, in.Year, in.Q)
	if err != nil {
		return err
	}
	_, err = a.App.ExportPayees(ctx, nil, filter, d.Options("payees-"+strconv.Itoa(year)))
	return err
}
