package dashboard

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

const statementsAddress = "/statements"

func statementRoutes() []route {
	return []route{
		{http.MethodGet, statementsAddress, signedIn, (*request).statementsPage},
		{http.MethodPost, statementsAddress, may(affiliate.MayPay), (*request).issueStatements},
		{http.MethodGet, "/statements.csv", signedIn, (*request).statementsCSV},
		{http.MethodGet, "/statements.xlsx", signedIn, (*request).statementsXLSX},
		{http.MethodGet, "/statements/:statement", signedIn, (*request).issuedPage},
		{http.MethodGet, "/statements/:statement/print", signedIn, (*request).printedPage},
		{http.MethodGet, "/statements/:statement/lines.csv", signedIn, (*request).issuedCSV},
		{http.MethodGet, "/statements/:statement/lines.xlsx", signedIn, (*request).issuedXLSX},
		{http.MethodGet, "/payouts/payees", signedIn, (*request).payeesPage},
		{http.MethodGet, "/payouts/payees.csv", signedIn, (*request).payeesCSV},
		{http.MethodGet, "/payouts/payees.xlsx", signedIn, (*request).payeesXLSX},
	}
}

// statementsPage lists statements that were issued.
type statementsPage struct {
	payoutsHead
	Search    string
	Month     string   // chosen; empty for all
	Months    []choice // of which there are statements
	Of        string   // the creator whose statements these are; empty for all
	Unissued  string   // the last month that is over without statements; empty for none
	Issue     []choice // months that can be issued
	Asked     string   // the month that was asked for
	Hidden    []hiddenField
	Rows      []issuedLine
	Sums      []string // by currency
	CSV, XLSX string
	Pager     pager
	Errors    fieldErrors
}

// issuedLine is a statement for people.
type issuedLine struct {
	affiliate.Statement
	Address string
	Profile string
	Period  string // "October 2026"
	Issued  string
}

func (r *request) issuedLine(s affiliate.Statement) issuedLine {
	return issuedLine{Statement: s, Address: statementsAddress + "/" + s.ID.String(),
		Profile: creatorAddress(s.CreatorID), Period: affiliate.MonthText(s.Month), Issued: r.date(s.CreatedAt)}
}

func (r *request) statementsPage() error { return r.showStatements(http.StatusOK, "", nil) }

// mostIssuable is how many months the form offers: whoever wants an older one has the command.
const mostIssuable = 24

func (r *request) showStatements(status int, asked string, errs fieldErrors) error {
	ctx, db := r.Request.Context(), r.d.App.DB
	q := r.filters()
	f := q.Statements()
	if err := q.Err(); err != nil {
		return err
	}
	p := statementsPage{payoutsHead: r.payoutsHead("statements", "Statements"), Search: f.Search, Month: f.Month,
		Asked: asked, Hidden: r.carried("creator"), Errors: errs,
		CSV:  r.fileAddress(statementsAddress, export.CSV),
		XLSX: r.fileAddress(statementsAddress, export.XLSX)}
	if f.Creator != 0 {
		c, err := db.Creator(ctx, f.Creator)
		if err != nil {
			return err
		}
		p.Of = c.Name
	}
	months, err := db.IssuedMonths(ctx)
	if err != nil {
		return err
	}
	for _, m := range months {
		p.Months = append(p.Months, choice{m.Month, affiliate.MonthText(m.Month)})
	}
	if p.Unissued, err = r.d.App.UnissuedMonth(ctx); err != nil {
		return err
	}
	last := affiliate.MonthBefore(r.d.App.Now(), r.zone)
	for n := range mostIssuable {
		month := last.FromAt.AddDate(0, -n, 0).Format("2006-01")
		p.Issue = append(p.Issue, choice{month, affiliate.MonthText(month)})
	}
	sums, err := db.SumStatements(ctx, f)
	if err != nil {
		return err
	}
	for _, s := range sums {
		p.Sums = append(p.Sums, counted(s.Statements, "statement", "statements")+", "+moneyText(s.Earned, s.Currency)+
			" earned, "+moneyText(s.Paid, s.Currency)+" paid")
	}
	list, next, err := db.Statements(ctx, f, r.page())
	if err != nil {
		return err
	}
	for _, s := range list {
		p.Rows = append(p.Rows, r.issuedLine(s))
	}
	p.Pager = r.pager(next)
	r.render(status, "statements.html", &p)
	return nil
}

func (r *request) issueStatements() error {
	month := r.field("month")
	done, err := r.d.App.IssueStatements(r.Request.Context(), month)
	if err != nil {
		errs, err := formErrors(err)
		if err != nil {
			return err
		}
		return r.showStatements(http.StatusUnprocessableEntity, month, errs)
	}
	notice := "No statement of " + affiliate.MonthText(month) + " is missing."
	if n := len(done.Statements); n > 0 {
		notice = counted(int64(n), "statement", "statements") + " of " + affiliate.MonthText(month) + " issued."
	}
	return r.done(statementsAddress+"?month="+done.Month.Month, notice)
}

func (r *request) statementsCSV() error  { return r.sendStatements(export.CSV) }
func (r *request) statementsXLSX() error { return r.sendStatements(export.XLSX) }

func (r *request) sendStatements(format export.Format) error {
	q := r.filters()
	f := q.Statements()
	if err := q.Err(); err != nil {
		return err
	}
	words := []string{"statements"}
	if f.Month != "" {
		words = append(words, f.Month)
	}
	return r.download(format, affiliate.Range{}, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportStatements(r.Request.Context(), nil, f, o)
		return err
	}, words...)
}

// issuedPage is one statement: its sums, payouts and lines.
type issuedPage struct {
	layout
	Statement issuedLine
	From, To  string // the first and the last day
	Differs   bool   // the ledger says something else by now
	Whole     bool   // all lines, oldest first, as they are printed
	Lines     []statementLine
	Payouts   []issuedPayout
	Running   string // address of all that the creator earned and was paid
	Pager     pager
}

// issuedPayout is a payout of a statement, as it is now.
type issuedPayout struct {
	affiliate.Payout
	Address string
	Title   string // "Payout, 29 Nov 2026"
	How     string // "Bank transfer file, DE02 …2051"
}

// statement reads the statement that the address names.
func (r *request) statement() (affiliate.Statement, error) {
	id, err := idParam[affiliate.StatementID](r, "statement", "stm_")
	if err != nil {
		return affiliate.Statement{}, err
	}
	return r.d.App.DB.Statement(r.Request.Context(), id)
}

func (r *request) issuedPage() error  { return r.showIssued(false) }
func (r *request) printedPage() error { return r.showIssued(true) }

// showIssued shows a statement; whole says whether with all lines, oldest first, or with a page of them.
func (r *request) showIssued(whole bool) error {
	st, err := r.statement()
	if err != nil {
		return err
	}
	if whole && st.Entries > mostPrinted {
		return affiliate.Errorf(affiliate.Invalid, "the statement has %s entries, more than the %s that can be "+
			"printed; download it", countText(st.Entries), countText(mostPrinted))
	}
	zone, err := time.LoadLocation(st.Zone)
	if err != nil {
		zone = r.zone
	}
	day := func(t time.Time) string { return dayText(affiliate.Day(t, zone)) }
	p := issuedPage{layout: r.layout("Statement "+st.Serial(), "payouts"), Statement: r.issuedLine(st), Whole: whole,
		From: day(st.FromAt), To: day(st.ToAt.Add(-time.Second)), Running: creatorAddress(st.CreatorID) + "/statement"}
	ctx := r.Request.Context()
	err = r.d.App.DB.InSnapshot(ctx, func(s *storage.Snapshot) error {
		now, err := s.StatementNow(ctx, st)
		if err != nil {
			return err
		}
		p.Differs = now != st
		payouts, err := s.PayoutsOfStatement(ctx, st)
		if err != nil {
			return err
		}
		for _, payout := range payouts {
			p.Payouts = append(p.Payouts, r.issuedPayout(payout))
		}
		if !whole {
			lines, next, err := s.LinesOf(ctx, st, r.page())
			for _, l := range lines {
				p.Lines = append(p.Lines, r.statementLine(l))
			}
			p.Pager = r.pager(next)
			return err
		}
		names, err := s.Names(ctx)
		if err != nil {
			return err
		}
		return s.EachLineOf(ctx, st, func(l *storage.LedgerLine) error {
			l.Campaign, l.Offer = names.Campaigns[l.CampaignID], names.Offers[l.OfferID]
			p.Lines = append(p.Lines, r.statementLine(*l))
			return nil
		})
	})
	if err != nil {
		return err
	}
	return r.show("statement.html", &p)
}

func (r *request) issuedPayout(payout affiliate.Payout) issuedPayout {
	p := issuedPayout{Payout: payout, Address: "/payouts/" + payout.ID.String(), How: payout.Rail.Title(),
		Title: "Payout, " + r.date(payout.CreatedAt)}
	if payout.Rail == affiliate.RailElsewhere && payout.Method != "" {
		p.How = payout.Method
	}
	if payout.Masked != "" {
		p.How += ", " + payout.Masked
	}
	if !payout.PaidAt.IsZero() {
		p.Title = "Payout, " + r.date(payout.PaidAt)
	}
	return p
}

func (r *request) issuedCSV() error  { return r.sendIssued(export.CSV) }
func (r *request) issuedXLSX() error { return r.sendIssued(export.XLSX) }

func (r *request) sendIssued(format export.Format) error {
	s, err := r.statement()
	if err != nil {
		return err
	}
	return r.download(format, affiliate.Range{}, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportIssued(r.Request.Context(), nil, s, o)
		return err
	}, "statement", s.Serial())
}

// payeesPage is what creators were paid in a calendar year.
type payeesPage struct {
	payoutsHead
	Year      int
	Years     []choice
	Search    string
	Rows      []payeeLine
	Sums      string // of all rows, by currency; empty for none
	Payouts   int64
	CSV, XLSX string
	Pager     pager
}

type payeeLine struct {
	storage.PayeeTotal
	Profile string
	Leads   string // the payouts that the row adds up
}

// wantedPayees reads the year that the address asks for.
func (r *request) wantedPayees() (storage.PayeeFilter, int, error) {
	year := 0
	if text := r.Query("year"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n == 0 {
			return storage.PayeeFilter{}, 0, affiliate.FieldErrorf("year", "must be a year such as 2026")
		}
		year = n
	}
	q := r.filters()
	search := q.Text("q")
	if err := q.Err(); err != nil {
		return storage.PayeeFilter{}, 0, err
	}
	return r.d.App.PayeeYear(r.Request.Context(), year, search)
}

func (r *request) payeesPage() error {
	f, year, err := r.wantedPayees()
	if err != nil {
		return err
	}
	ctx, db := r.Request.Context(), r.d.App.DB
	p := payeesPage{payoutsHead: r.payoutsHead("payees", "Payees of "+strconv.Itoa(year)), Year: year, Search: f.Search,
		CSV: r.fileAddress("/payouts/payees", export.CSV), XLSX: r.fileAddress("/payouts/payees", export.XLSX)}
	for n := r.d.App.Now().In(r.zone).Year(); n > r.d.App.Now().In(r.zone).Year()-6; n-- {
		p.Years = append(p.Years, choice{strconv.Itoa(n), strconv.Itoa(n)})
	}
	sums, _, err := db.SumPayees(ctx, f)
	if err != nil {
		return err
	}
	p.Sums = sumOf(sums, func(s storage.PayeeSum) (int64, money.Currency) { return s.Amount, s.Currency })
	for _, s := range sums {
		p.Payouts += s.Payouts
	}
	list, next, err := db.PayeeTotals(ctx, f, r.page())
	if err != nil {
		return err
	}
	for _, t := range list {
		p.Rows = append(p.Rows, payeeLine{t, creatorAddress(t.CreatorID), fmt.Sprintf("/payouts/recorded?state=paid&"+
			"creator=%s&currency=%s&rail=%s&from=%d-01-01&to=%d-12-31", t.CreatorID, t.Currency, t.Rail, year, year)})
	}
	p.Pager = r.pager(next)
	return r.show("payees.html", &p)
}

func (r *request) payeesCSV() error  { return r.sendPayees(export.CSV) }
func (r *request) payeesXLSX() error { return r.sendPayees(export.XLSX) }

func (r *request) sendPayees(format export.Format) error {
	f, year, err := r.wantedPayees()
	if err != nil {
		return err
	}
	return r.download(format, affiliate.Range{}, func(o app.ExportOptions) error {
		_, err := r.d.App.ExportPayees(r.Request.Context(), nil, f, o)
		return err
	}, "payees", strconv.Itoa(year))
}
