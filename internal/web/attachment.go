package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/fair"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Attachments are the exports that run, shared by the API and the pages.
type Attachments struct {
	places     *fair.Places
	most, each int
}

// NewAttachments makes places for exports. Each holds one of the connections that read for as long as its reader takes:
// half of them stay free, so that readers who stall keep nobody from pages.
func NewAttachments(db *storage.DB) *Attachments {
	most := max(1, min(mostDownloads, db.Readers()/2))
	each := min(mostDownloadsEach, most)
	return &Attachments{fair.NewPlaces(most, each), most, each}
}

// Send runs f, which sends a table by the download's options. The error is one of before the first byte; later the
// connection is cut off, so that nobody takes a part for the whole.
func (a *Attachments) Send(d *Download, log *slog.Logger, f func() error) error {
	caller := app.Asker(d.c.Request.Context()).ID
	switch a.places.Take(caller) {
	case fair.TooMany:
		return TooManyAtOnce(fmt.Sprintf("%d exports of yours are running already; try again when one has ended",
			a.each))
	case fair.Full:
		return TooManyAtOnce(fmt.Sprintf("%d exports are running already; try again when one has ended",
			a.most))
	}
	defer a.places.Give(caller)
	err := f()
	if err == nil || !d.begun {
		return err
	}
	if d.c.Request.Context().Err() != nil || errors.Is(err, context.Canceled) {
		log.Info("export not taken to its end", "path", d.c.FullPath())
	} else {
		log.Error("export failed midway", "path", d.c.FullPath(), "error", err)
	}
	panic(http.ErrAbortHandler)
}

// TotalRows is the header with the number of rows of a table, without its head.
const TotalRows = "X-Total-Rows"

// mostDownloads bounds the exports that run at once, and those of one person or token.
const (
	mostDownloads     = 5
	mostDownloadsEach = 2
)

// downloadPatience is how long a reader may take none of what is written before the connection is cut off. What it
// takes must come to downloadPace in bytes a second besides: the slowest of telephone lines are faster. Time in which
// the export itself is slow does not count.
const (
	downloadPatience = time.Minute
	downloadPace     = 16 << 10
)

// Download is a table on its way to somebody.
type Download struct {
	c      *gin.Context
	format export.Format
	bom    bool
	begun  bool
}

// NewDownload is the answer to a request. bom lets CSV begin with a byte order mark, without which Excel shows names
// wrong.
func NewDownload(c *gin.Context, format export.Format, bom bool) *Download {
	return &Download{c: c, format: format, bom: bom}
}

// Options are those of an export to this reader, in a file of this name, which must be ASCII, without extension.
func (d *Download) Options(name string) app.ExportOptions {
	return app.ExportOptions{Format: d.format, BOM: d.bom, Begin: func(total int64) (io.Writer, error) {
		d.begun = true
		control := http.NewResponseController(d.c.Writer)
		h := d.c.Writer.Header()
		h.Set("Content-Type", d.format.ContentType())
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "." +
			string(d.format)}))
		h.Set(TotalRows, strconv.FormatInt(total, 10))
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		d.c.Status(http.StatusOK)
		return &patientWriter{w: d.c.Writer, control: control}, control.Flush() // a first sign of life
	}}
}

// patientWriter replaces the server's limit for a whole answer by one for each piece of it, and by a pace for all.
type patientWriter struct {
	w       io.Writer
	control *http.ResponseController
	waited  time.Duration // for the reader
	written int64
}

// errTooSlowReader ends an export whose reader takes it in drops.
var errTooSlowReader = errors.New("the reader takes less than the least pace")

func (p *patientWriter) Write(b []byte) (int, error) {
	began := time.Now()
	left := downloadPatience + time.Duration(p.written/downloadPace)*time.Second - p.waited
	if left <= 0 {
		return 0, errTooSlowReader
	}
	_ = p.control.SetWriteDeadline(began.Add(min(left, downloadPatience))) // without deadlines the pace alone holds
	n, err := p.w.Write(b)
	p.waited += time.Since(began)
	p.written += int64(n)
	return n, err
}

// FileName joins words, and the days of a span, to a file's name: orders-fern-us-2026-11-01-2026-11-30. Without a span
// it ends with today.
func FileName(from, to, now time.Time, zone *time.Location, words ...string) string {
	if !from.IsZero() {
		words = append(words, affiliate.Day(from, zone))
	}
	last := now
	if !to.IsZero() {
		last = to.Add(-1)
	}
	return strings.Join(append(words, affiliate.Day(last, zone)), "-")
}
