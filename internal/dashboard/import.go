package dashboard

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/sheet"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func importRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/creators/import", change, (*request).importPage},
		{http.MethodPost, "/creators/import", change, (*request).previewImport},
		{http.MethodPost, "/creators/import/apply", change, (*request).applyImport},
		{http.MethodGet, "/creators/import/template.csv", change, (*request).importTemplateCSV},
		{http.MethodGet, "/creators/import/template.xlsx", change, (*request).importTemplateXLSX},
		{http.MethodGet, "/creators/import/credit", change, (*request).creditPage},
		{http.MethodPost, "/creators/import/credit", change, (*request).creditWaiting},
	}
}

// importPage adds creators with their codes and links: a few at a time, typed or pasted, or many from a file. Both make
// a file of it, which is tried before anything is changed.
type importPage struct {
	layout
	Mode   string // few or file
	To     string // where to go on to afterwards
	Few    fewCreators
	Text   string // the file, unless it is a workbook
	Book   string // the workbook, in base64
	Report *importReport
	Errors fieldErrors
	Names  []string // of campaigns there are
	Stores []affiliate.Store

	content []byte // what is imported: the file as it was uploaded, or the text
}

// fewCreators are what is common to some creators, and who they are.
type fewCreators struct {
	Campaign, Offer, Store, Percent, Landing string
	Rows                                     []typedCreator
	List                                     string // pasted, one creator in a line
}

// typedCreator is one creator as people type them.
type typedCreator struct{ Name, Instagram, Email, Code string }

// importReport is what a file does, or why it cannot be used.
type importReport struct {
	app.ImportReport
	Created []string // "3 creators"
	Updated []string
	Errors  []importProblem
	More    int // errors that are not shown
	Notes   []importProblem
	Read    string // how a file is written, in words
}

// importProblem is about one line of a file, or about one creator of a few.
type importProblem struct {
	Where, Column, Reason string
	Line                  string // as it was written
}

const (
	emptyRows     = 3   // of the form for a few creators
	shownProblems = 100 // of a file

	// maxBook is the largest workbook: its base64, which the form of the preview carries, must be let in as well.
	maxBook = maxForm/4*3 - 4<<10
)

func (r *request) importPage() error {
	page, err := r.importForm()
	if err != nil {
		return err
	}
	page.Mode, page.To = r.Query("from"), back(r.Query("to"), "")
	page.Few.Campaign = r.Query("campaign")
	if len(page.Names) == 1 && page.Few.Campaign == "" {
		page.Few.Campaign = page.Names[0]
	}
	if len(page.Stores) == 1 {
		page.Few.Store = page.Stores[0].Slug
	}
	return r.showImport(http.StatusOK, page)
}

func (r *request) importForm() (*importPage, error) {
	ctx := r.Request.Context()
	page := importPage{layout: r.layout("Add creators", "creators")}
	campaigns, err := storage.All(func(p storage.Page) ([]affiliate.Campaign, string, error) {
		return r.d.App.DB.Campaigns(ctx, p)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		if c.Status == affiliate.CampaignActive {
			page.Names = append(page.Names, c.Name)
		}
	}
	stores, err := storage.All(func(p storage.Page) ([]affiliate.Store, string, error) {
		return r.d.App.DB.Stores(ctx, p)
	})
	if err != nil {
		return nil, err
	}
	for _, s := range stores {
		if s.State != affiliate.StoreStateEnded {
			page.Stores = append(page.Stores, s)
		}
	}
	return &page, nil
}

// showImport shows the form with room for more creators.
func (r *request) showImport(status int, page *importPage) error {
	if page.Mode != "file" {
		page.Mode = "few"
	}
	for len(page.Few.Rows) < emptyRows || page.Few.Rows[len(page.Few.Rows)-1] != (typedCreator{}) {
		page.Few.Rows = append(page.Few.Rows, typedCreator{})
	}
	page.Text = strings.ToValidUTF8(page.Text, "\ufffd")
	r.render(status, "import.html", page)
	return nil
}

// readImport takes over what was typed, pasted or uploaded, and makes a file of it.
func (r *request) readImport() (*importPage, error) {
	page, err := r.importForm()
	if err != nil {
		return nil, err
	}
	page.Mode, page.To = r.field("mode"), back(r.field("to"), "")
	if page.Mode == "file" {
		return page, r.readFile(page)
	}
	page.Few = fewCreators{Campaign: r.field("campaign"), Offer: r.field("offer"), Store: r.field("store"),
		Percent: r.field("percent"), Landing: r.field("landing"), List: r.PostForm("list")}
	names, handles, emails, codes := r.PostFormArray("name"), r.PostFormArray("instagram"), r.PostFormArray("email"),
		r.PostFormArray("code")
	for i := range names {
		line := typedCreator{Name: at(names, i), Instagram: at(handles, i), Email: at(emails, i), Code: at(codes, i)}
		if line != (typedCreator{}) {
			page.Few.Rows = append(page.Few.Rows, line)
		}
	}
	percent, err := r.number("percent")
	if err != nil {
		page.Errors, err = formErrors(err)
		return page, err
	}
	page.Text, err = page.Few.file(percent)
	page.content = []byte(page.Text)
	return page, err
}

// at gives an element without the spaces around it, or "" behind the end.
func at(list []string, i int) string {
	if i >= len(list) {
		return ""
	}
	return strings.TrimSpace(list[i])
}

// readFile takes over the uploaded file, or what was pasted instead. A text of whatever encoding is shown, so that it
// can be mended here; a workbook cannot.
func (r *request) readFile(page *importPage) error {
	file, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && file.Size == 0 {
		page.Text, page.content = r.PostForm("text"), []byte(r.PostForm("text"))
		return nil
	}
	if err != nil {
		return err
	}
	opened, err := file.Open()
	if err != nil {
		return fmt.Errorf("open the uploaded file: %w", err)
	}
	defer opened.Close()
	if page.content, err = io.ReadAll(opened); err != nil {
		return err
	}
	if text, ok := sheet.Decode(page.content); ok {
		page.Text = text
		return nil
	}
	if len(page.content) > maxBook {
		page.Errors = fieldErrors{"file": fmt.Sprintf("A workbook may have %.1f MB here; larger ones can be imported "+
			"by the command tributary import.", float64(maxBook)/(1<<20))}
		return nil
	}
	page.Book = base64.StdEncoding.EncodeToString(page.content)
	return nil
}

// file writes the creators as a file for the import, a line each in their order, behind a header. percent is the
// commission's as files have it.
func (f fewCreators) file(percent string) (string, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{"campaign", "creator", "instagram", "email", "offer", "store", "code", "landing_url",
		"commission_percent"}}
	for _, c := range f.lines() {
		store := f.Store
		if c.Code == "" && f.Landing != "" {
			store = "" // a link needs none
		}
		lines = append(lines, []string{f.Campaign, c.Name, c.Instagram, c.Email, f.Offer, store, c.Code,
			f.Landing, percent})
	}
	err := w.WriteAll(lines)
	return b.String(), err
}

// lines are the typed creators, then the pasted ones.
func (f fewCreators) lines() []typedCreator {
	lines := f.Rows
	for text := range strings.Lines(f.List) {
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines[:len(lines):len(lines)], pastedCreator(text))
		}
	}
	return lines
}

// pastedCreator reads a line such as "Anna Ahlers, @anna, ANNA10": the name first, then in any order what is told by
// its look, a handle (@anna) and an e-mail address. Of what is left the last is the code, one before it the handle.
// Cells are parted as a spreadsheet parts them when they are copied, or by semicolons or commas.
func pastedCreator(text string) (c typedCreator) {
	separator := ","
	for _, s := range []string{"\t", ";"} {
		if strings.Contains(text, s) {
			separator = s
			break
		}
	}
	var plain []string
	for i, cell := range strings.Split(text, separator) {
		cell = strings.TrimSpace(cell)
		switch {
		case i == 0:
			c.Name = cell
		case cell == "":
		case strings.HasPrefix(cell, "@") || strings.Contains(cell, "instagram.com/"):
			c.Instagram = cell
		case strings.Contains(cell, "@"):
			c.Email = cell
		default:
			plain = append(plain, cell)
		}
	}
	if n := len(plain); n > 0 {
		c.Code = plain[n-1]
		if n > 1 && c.Instagram == "" {
			c.Instagram = plain[n-2]
		}
	}
	return c
}

func (r *request) previewImport() error {
	page, err := r.readImport()
	if err != nil {
		return err
	}
	if page.Mode != "file" && len(page.Few.lines()) == 0 {
		page.Errors = fieldErrors{"": "Name at least one creator, in a row or in the list."}
		return r.showImport(http.StatusUnprocessableEntity, page)
	}
	if page.Errors["file"]+page.Errors["percent"] != "" {
		return r.showImport(http.StatusUnprocessableEntity, page)
	}
	web.AllowTime(r.Writer)
	report, err := r.d.App.Import(r.Request.Context(), bytes.NewReader(page.content), true)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(report.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	page.take(report)
	return r.showImport(status, page)
}

// take puts a report into words. What is wrong with a field that all of a few creators share is said at the field.
func (p *importPage) take(report app.ImportReport) {
	p.Report = &importReport{ImportReport: report, Created: countedKinds(report.Created),
		Updated: countedKinds(report.Updated)}
	p.Report.Read = howRead(report.File)
	lines, where := strings.Split(p.Text, "\n"), "Line"
	if p.Book != "" {
		lines, where = nil, "Row"
	}
	problem := func(e app.LineError) importProblem {
		q := importProblem{Where: fmt.Sprintf("%s %d", where, e.Line), Column: strings.ReplaceAll(e.Column, "_", " "),
			Reason: e.Reason, Line: e.Text}
		if e.Line > 1 && e.Line <= len(lines) {
			q.Line = strings.TrimSpace(lines[e.Line-1])
		}
		return q
	}
	if p.Mode != "file" {
		creators := p.Few.lines()
		problem = func(e app.LineError) importProblem {
			q := importProblem{Column: strings.ReplaceAll(e.Column, "_", " "), Reason: e.Reason}
			if i := e.Line - 2; i >= 0 && i < len(creators) {
				q.Where = cmp.Or(creators[i].Name, fmt.Sprintf("Creator %d", i+1))
			}
			return q
		}
	}
	p.Errors = fieldErrors{}
	shared := map[string]string{"campaign": "campaign", "offer": "offer", "store": "store",
		"commission_percent": "percent", "landing_url": "landing"}
	for _, e := range report.Errors {
		if field := shared[e.Column]; field != "" && p.Mode != "file" {
			p.Errors[field] = sentenceOf("", e.Reason)
			continue
		}
		if len(p.Report.Errors) == shownProblems {
			p.Report.More++
			continue
		}
		p.Report.Errors = append(p.Report.Errors, problem(e))
	}
	for _, n := range report.Notes[:min(len(report.Notes), shownProblems)] {
		p.Report.Notes = append(p.Report.Notes, problem(n))
	}
}

// howRead says in words how a file is written.
func howRead(f app.ImportFile) string {
	if f.Format == "xlsx" {
		if f.Sheet == "" {
			return ""
		}
		return fmt.Sprintf("The sheet %q of a workbook.", f.Sheet)
	}
	if f.Delimiter == "" {
		return ""
	}
	return fmt.Sprintf("CSV in %s, cells divided by %ss, numbers with a decimal %s.", f.Encoding, f.Delimiter,
		f.DecimalSign)
}

// Good says whether the file can be imported.
func (r importReport) Good() bool { return len(r.ImportReport.Errors) == 0 }

func countedKinds(c app.ImportCounts) (list []string) {
	for _, k := range []struct {
		n         int
		one, many string
	}{
		{c.Campaigns, "campaign", "campaigns"}, {c.Creators, "creator", "creators"}, {c.Members, "campaign member",
			"campaign members"},
		{c.Offers, "offer", "offers"}, {c.OfferMembers, "offer member", "offer members"}, {c.Codes, "code", "codes"},
		{c.Links, "link", "links"},
	} {
		if k.n > 0 {
			list = append(list, counted(int64(k.n), k.one, k.many))
		}
	}
	return list
}

// applyImport imports what was tried.
func (r *request) applyImport() error {
	page, err := r.importForm()
	if err != nil {
		return err
	}
	page.Mode, page.To, page.Text, page.Book = "file", back(r.field("to"), ""), r.PostForm("text"), r.PostForm("book")
	page.content = []byte(page.Text)
	if page.Book != "" {
		if page.content, err = base64.StdEncoding.DecodeString(page.Book); err != nil {
			return affiliate.FieldErrorf("book", "is no workbook; upload it again")
		}
	}
	web.AllowTime(r.Writer)
	report, err := r.d.App.Import(r.Request.Context(), bytes.NewReader(page.content), false)
	if err != nil {
		return err
	}
	if len(report.Errors) > 0 { // something was changed since it was tried
		page.take(report)
		return r.showImport(http.StatusUnprocessableEntity, page)
	}
	notice := "Nothing was new."
	if created := countedKinds(report.Created); len(created) > 0 {
		notice = "Added: " + strings.Join(created, ", ") + "."
	} else if updated := countedKinds(report.Updated); len(updated) > 0 {
		notice = "Changed: " + strings.Join(updated, ", ") + "."
	}
	if report.WaitingOrders > 0 {
		return r.done("/creators/import/credit", notice)
	}
	return r.done(cmp.Or(page.To, "/creators"), notice)
}

func (r *request) importTemplateCSV() error  { return r.importTemplate(export.CSV) }
func (r *request) importTemplateXLSX() error { return r.importTemplate(export.XLSX) }

// importTemplate is a file to begin with.
func (r *request) importTemplate(format export.Format) error {
	var b bytes.Buffer
	if err := r.d.App.ImportTemplate(r.Request.Context(), &b, format, true); err != nil {
		return err
	}
	r.Header("Content-Disposition", `attachment; filename="creators.`+string(format)+`"`)
	r.Data(http.StatusOK, format.ContentType(), b.Bytes())
	return nil
}

// creditPage shows the orders that came before their code or link was known here.
type creditPage struct {
	layout
	Orders []creditLine // the first
	Total  int
}

type creditLine struct{ Address, Number, Sentence string }

func (r *request) creditPage() error {
	page := creditPage{layout: r.layout("Credit waiting orders", "creators")}
	var err error
	page.Total, err = r.d.App.Reattribute(r.Request.Context(), true, func(c app.Reattribution) {
		if len(page.Orders) < limit {
			page.Orders = append(page.Orders, creditLine{"/orders/" + c.Order.ID.String(),
				cmp.Or(c.Order.Number, c.Order.ExternalID), c.Sentence})
		}
	})
	if err != nil {
		return err
	}
	return r.show("credit.html", &page)
}

func (r *request) creditWaiting() error {
	n, err := r.d.App.Reattribute(r.Request.Context(), false, nil)
	if err != nil {
		return err
	}
	return r.done("/orders", counted(int64(n), "order is", "orders are")+" credited.")
}
