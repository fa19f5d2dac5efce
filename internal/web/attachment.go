package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

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

// Send answers a request of a page with a table in a file; name is ASCII and has no extension. CSV begins with a byte
// order mark, without which Excel shows names wrong, unless the page asks with bom=false. f runs an export with the
// options given. The error is one of before the first byte; later the connection is cut off, so that nobody takes a
// part for the whole.
func (a *Attachments) Send(c *gin.Context, log *slog.Logger, format export.Format, name string,
	f func(app.ExportOptions) error) error {
	d := &download{c: c, format: format, bom: c.Query("bom") != "false"}
	return a.send(d, log, func() error { return f(d.options(name)) })
}

// send runs f, which sends a table.
func (a *Attachments) send(d *download, log *slog.Logger, f func() error) error {
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
