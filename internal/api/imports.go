package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerImports(api huma.API) {
	const change = affiliate.MayChangeCatalog
	o := operation{http.MethodPost, "/imports", "import-creators", change,
		"Import a creators' file, CSV or XLSX: campaigns, creators, offers, codes and links that are missing, unless " +
			"a line of it is wrong; or show what that would do"}
	register(a, api, o, a.importCreators)
	content := api.OpenAPI().Paths[web.APIPrefix+o.path].Post.RequestBody.Content
	content[export.MediaXLSX] = content[export.MediaCSV]
	for _, format := range []export.Format{export.CSV, export.XLSX} {
		o := operation{http.MethodGet, "/imports/template." + string(format), "get-import-template-" + string(format),
			change,
			"Download a file to begin an import with, as " + string(format)}
		register(a, api, o, func(ctx context.Context, _ *struct{}) (*templateOutput, error) {
			return a.importTemplate(ctx, format)
		})
		documentFile(api.OpenAPI(), o.path, format)
	}
}

type importInput struct {
	DryRun  bool   `query:"dry_run" doc:"Say what would happen, and change nothing"`
	RawBody []byte `contentType:"text/csv" doc:"The file. Whether it is CSV or XLSX is seen from its bytes"`
}

func (importInput) mostBytes() int64 { return web.MaxImport }

func (a *API) importCreators(ctx context.Context, in *importInput) (*output[app.ImportReport], error) {
	web.AllowTime(requestOf(ctx).Writer)
	report, err := a.App.Import(ctx, bytes.NewReader(in.RawBody), in.DryRun)
	if err != nil {
		return nil, err
	}
	if len(report.Errors) > 0 {
		return nil, importProblem(report)
	}
	return &output[app.ImportReport]{Body: report}, nil
}

// mostImportProblems is how many lines that are wrong are named.
const mostImportProblems = 500

// importProblem is why a file was refused, line by line.
func importProblem(r app.ImportReport) *web.Problem {
	bad, first := r.Errors, r.Errors[0]
	detail := fmt.Sprintf("Nothing was imported; problems in the file: %d. The first: %s", len(bad), first)
	if r.AppliedLines > 0 {
		detail = fmt.Sprintf("%d of %d lines are imported; then came one about which something was changed meanwhile, "+
			"and the rest was left. Import the file again once it is right. %s", r.AppliedLines, r.Lines, first)
	}
	p := web.NewProblem(string(affiliate.Invalid), first.Column, detail)
	for _, e := range bad[:min(len(bad), mostImportProblems)] {
		p.Errors = append(p.Errors, web.FieldProblem{Field: e.Column, Detail: e.Reason, Line: e.Line, Text: e.Text})
	}
	return p
}

// templateOutput is a file.
type templateOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition" doc:"The file's name"`
	Body        []byte
}

func (a *API) importTemplate(ctx context.Context, format export.Format) (*templateOutput, error) {
	var b bytes.Buffer
	if err := a.App.ImportTemplate(ctx, &b, format, false); err != nil {
		return nil, err
	}
	return &templateOutput{ContentType: format.ContentType(), Disposition: `attachment; filename="creators.` +
		string(format) +
		`"`, Body: b.Bytes()}, nil
}
