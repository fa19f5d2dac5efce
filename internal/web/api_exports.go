package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// registerExports declares the tables that can be downloaded. Those at the address of a list answer there as well, to
// who asks for their media type. It comes after the lists.
func (s *Server) registerExports(api huma.API) {
	registerExport(s, api, "/conversions", "conversions", "conversions", s.exportConversions)
	registerExport(s, api, "/campaigns/{id}/conversions", "campaign-conversions", "a campaign's conversions",
		s.exportCampaignConversions)
	registerExport(s, api, "/orders", "orders", "orders, newest first", s.exportOrders)
	registerExport(s, api, "/stores/{store}/orders", "store-orders", "a store's orders, credited or not, newest first",
		s.exportStoreOrders)
	registerExport(s, api, "/ledger", "ledger", "ledger entries, oldest first", s.exportLedger)
	registerExport(s, api, "/creators/{id}/statement", "creator-statement",
		"a creator's ledger entries, oldest first, with the balance after each", s.exportStatement)
}

// ExportInput are the query parameters of every export.
type ExportInput struct {
	BOM bool `query:"bom" doc:"Begin CSV with a byte order mark, without which Excel on Windows does not take it for UTF-8"`
}

func (in ExportInput) bom() bool { return in.BOM }

// registerExport declares a table below two addresses, one per format: path.csv and path.xlsx.
func registerExport[I any, P interface {
	*I
	bom() bool
}](s *Server, api huma.API, path, id, what string, handler func(context.Context, *I, *download) error) {
	s.tablePaths = append(s.tablePaths, strings.Split(apiPrefix+path, "/"))
	for _, format := range []export.Format{export.CSV, export.XLSX} {
		o := operation{http.MethodGet, path + "." + string(format), "export-" + id + "-" + string(format),
			affiliate.MayRead, "Download " + what + ", as " + strings.ToUpper(string(format))}
		register(s, api, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
			d := &download{c: requestOf(ctx), format: format, bom: P(in).bom()}
			if err := s.Downloads.send(d, s.Log, func() error { return handler(ctx, in, d) }); err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(huma.Context) {}}, nil // all is sent
		})
		documentExport(api.OpenAPI(), o.path, path, format)
	}
}

// documentExport describes a table's answer, also at the address of the list of the same, where there is one.
func documentExport(document *huma.OpenAPI, path, list string, format export.Format) {
	document.Paths[apiPrefix+path].Get.Tags = []string{strings.Split(list, "/")[1]}
	media, content := documentFile(document, path, format)
	response := document.Paths[apiPrefix+path].Get.Responses["200"]
	response.Headers["Content-Disposition"] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The file's name"}
	response.Headers[totalRows] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeInteger},
		Description: "How many rows the table has, without its header"}
	if item := document.Paths[apiPrefix+list]; item != nil && item.Get != nil {
		item.Get.Responses["200"].Content[media] = content
	}
}

// documentFile describes an answer that is a file, and gives its media type and content.
func documentFile(document *huma.OpenAPI, path string, format export.Format) (string, *huma.MediaType) {
	media, _, _ := strings.Cut(format.ContentType(), ";")
	content := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	document.Paths[apiPrefix+path].Get.Responses["200"].Content = map[string]*huma.MediaType{media: content}
	return media, content
}

const totalRows = "X-Total-Rows"

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

// download is a table on its way to somebody.
type download struct {
	c      *gin.Context
	format export.Format
	bom    bool
	begun  bool
}

// options are those of an export to this reader, in a file of this name, which must be ASCII, without extension.
func (d *download) options(name string) app.ExportOptions {
	return app.ExportOptions{Format: d.format, BOM: d.bom, Begin: func(total int64) (io.Writer, error) {
		d.begun = true
		control := http.NewResponseController(d.c.Writer)
		h := d.c.Writer.Header()
		h.Set("Content-Type", d.format.ContentType())
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "." +
			string(d.format)}))
		h.Set(totalRows, strconv.FormatInt(total, 10))
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

// fileName joins words, and the days of a range, to a file's name: orders-fern-us-2026-11-01-2026-11-30. Without a
// range it ends with today.
func (s *Server) fileName(zone *time.Location, from, to time.Time, words ...string) string {
	day := func(t time.Time) string { return affiliate.Day(t, zone) }
	if from.IsZero() && to.IsZero() {
		return strings.Join(append(words, day(s.App.Now())), "-")
	}
	if !from.IsZero() {
		words = append(words, day(from))
	}
	last := s.App.Now()
	if !to.IsZero() {
		last = to.Add(-1)
	}
	return strings.Join(append(words, day(last)), "-")
}

// ConversionsExport are the query parameters of exported conversions besides their filter.
type ConversionsExport struct {
	IDs  string `query:"ids" example:"cnv_1,cnv_2" doc:"cnv_…: only these, with commas between them"`
	Sort string `query:"sort" default:"-date" example:"-value" doc:"As in the list of conversions"`
	ExportInput
}

type exportConversionsInput struct {
	ConversionsQuery
	ConversionsExport
}

func (s *Server) exportConversions(ctx context.Context, in *exportConversionsInput, d *download) error {
	filter, days, err := s.conversionsOfAll(ctx, in.ConversionsQuery)
	if err != nil {
		return err
	}
	return s.sendConversions(ctx, filter, days, in.ConversionsExport, d, "conversions")
}

type exportCampaignConversionsInput struct {
	CampaignPath
	ConversionsFilter
	ConversionsExport
}

func (s *Server) exportCampaignConversions(ctx context.Context, in *exportCampaignConversionsInput, d *download) error {
	filter, days, err := s.conversionsOfOne(ctx, in.CampaignPath, in.ConversionsFilter)
	if err != nil {
		return err
	}
	return s.sendConversions(ctx, filter, days, in.ConversionsExport, d, "conversions", filter.Campaign.String())
}

func (s *Server) sendConversions(ctx context.Context, f storage.ConversionFilter, days affiliate.Range,
	in ConversionsExport, d *download, words ...string) error {
	sort, err := storage.ParseConversionSort(in.Sort)
	if err != nil {
		return err
	}
	if in.IDs != "" {
		for text := range strings.SplitSeq(in.IDs, ",") {
			id, err := affiliate.ParseID[affiliate.ConversionID]("cnv_", text)
			if err != nil {
				return affiliate.FieldErrorf("ids", "%s", err)
			}
			f.IDs = append(f.IDs, id)
		}
		f.Former = true // who is named is wanted
		words = append(words, "selected")
	}
	_, err = s.App.ExportConversions(ctx, nil, f, sort, d.options(s.fileName(days.Zone, f.From, f.To, words...)))
	return err
}

type exportOrdersInput struct {
	OrdersFilter
	ExportInput
}

func (s *Server) exportOrders(ctx context.Context, in *exportOrdersInput, d *download) error {
	filter, err := s.orderFilter(ctx, in.OrdersFilter)
	if err != nil {
		return err
	}
	return s.sendOrders(ctx, filter, d)
}

func (s *Server) sendOrders(ctx context.Context, f storage.OrderFilter, d *download) error {
	zone, err := s.zone(ctx)
	if err != nil {
		return err
	}
	words := []string{"orders"}
	if f.Store != "" {
		words = append(words, f.Store)
	}
	_, err = s.App.ExportOrders(ctx, nil, f, d.options(s.fileName(zone, f.From, f.To, words...)))
	return err
}

type exportStoreOrdersInput struct {
	StoreOrdersQuery
	ExportInput
}

func (s *Server) exportStoreOrders(ctx context.Context, in *exportStoreOrdersInput, d *download) error {
	filter, err := s.storeOrderFilter(ctx, in.StoreOrdersQuery)
	if err != nil {
		return err
	}
	return s.sendOrders(ctx, filter, d)
}

type exportLedgerInput struct {
	LedgerFilter
	ExportInput
}

func (s *Server) exportLedger(ctx context.Context, in *exportLedgerInput, d *download) error {
	filter, err := s.ledgerFilter(ctx, in.LedgerFilter)
	if err != nil {
		return err
	}
	zone, err := s.zone(ctx)
	if err != nil {
		return err
	}
	_, err = s.App.ExportLedger(ctx, nil, filter, d.options(s.fileName(zone, filter.From, filter.To, "ledger")))
	return err
}

type exportStatementInput struct {
	CreatorPath
	PostedFilter
	ExportInput
}

func (s *Server) exportStatement(ctx context.Context, in *exportStatementInput, d *download) error {
	creator, err := in.id()
	if err != nil {
		return err
	}
	from, to, err := s.posted(ctx, in.PostedFilter)
	if err != nil {
		return err
	}
	zone, err := s.zone(ctx)
	if err != nil {
		return err
	}
	_, err = s.App.ExportStatement(ctx, nil, creator, from, to,
		d.options(s.fileName(zone, from, to, "statement", creator.String())))
	return err
}

// tables answers a list as a table when the request prefers that: it leads the request to the table's own address.
func (s *Server) tables(lists http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if format := s.wanted(r); format != "" {
			at := *r.URL
			at.Path += "." + string(format)
			if at.RawPath != "" {
				at.RawPath += "." + string(format)
			}
			again := *r
			again.URL = &at
			r = &again
		}
		lists.ServeHTTP(w, r)
	})
}

// wanted gives the format in which a request wants a list, or "" when it is no list or wants JSON.
func (s *Server) wanted(r *http.Request) export.Format {
	if r.Method != http.MethodGet || !s.isTable(r.URL.Path) {
		return ""
	}
	return preferred(r.Header.Values("Accept"))
}

// isTable says whether a path, with an extension, is that of a table.
func (s *Server) isTable(path string) bool {
	parts := strings.Split(path, "/")
	return slices.ContainsFunc(s.tablePaths, func(pattern []string) bool {
		return slices.EqualFunc(pattern, parts, func(want, got string) bool {
			return want == got || strings.HasPrefix(want, "{")
		})
	})
}

// preferred gives the format that Accept headers want more than JSON, or "".
func preferred(accept []string) export.Format {
	var best export.Format
	most := 0.0
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		media, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := parameters["q"]; given {
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		if weight <= most {
			continue
		}
		switch media {
		case export.MediaCSV:
			best, most = export.CSV, weight
		case export.MediaXLSX:
			best, most = export.XLSX, weight
		case "application/json", "application/*", "*/*":
			best, most = "", weight
		}
	}
	return best
}
