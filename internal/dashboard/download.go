package dashboard

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/web"
)

// download answers with a table in a file, whose name is made of words and of the days of a range; without one it ends
// with today.
func (r *request) download(format export.Format, days affiliate.Range, f func(app.ExportOptions) error,
	words ...string) error {
	r.endTurn() // it may take long, and has a limit of its own
	name := web.FileName(days.Start(), days.End(), r.d.App.Now(), r.zone, words...)
	d := web.NewDownload(r.Context, format, r.Query("bom") != "false")
	return r.d.Downloads.Send(d, r.d.Log, func() error { return f(d.Options(name)) })
}

// here is the address of this page, without the part of it that was asked for.
func (r *request) here() string { return r.with("cursor", r.Query("cursor")) }

// fileAddress is that of a table as a file, narrowed and sorted as this page is.
func (r *request) fileAddress(path string, format export.Format) string {
	address := path + "." + string(format)
	if _, query, ok := strings.Cut(r.with(), "?"); ok {
		address += "?" + query
	}
	return address
}
