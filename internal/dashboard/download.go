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
	today := affiliate.Day(r.d.App.Now(), r.zone)
	if days.From != "" {
		words = append(words, days.From)
	}
	if days.To != "" {
		words = append(words, days.Last())
	} else {
		words = append(words, today)
	}
	d := web.NewDownload(r.Context, format, r.Query("bom") != "false")
	return r.d.Downloads.Send(d, r.d.Log, func() error { return f(d.Options(strings.Join(words, "-"))) })
}
