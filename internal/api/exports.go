package api

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerExports declares the tables that can be downloaded. Those at the address of a list answer there as well, to
// who asks for their media type. It comes after the lists.
func (a *API) registerExports(api huma.API) {
	registerExport(a, api, "/conversions", "conversions", "conversions", a.exportConversions)
	registerExport(a, api, "/campaigns/{id}/conversions", "campaign-conversions", "a campaign's conversions",
		a.exportCampaignConversions)
	registerExport(a, api, "/orders", "orders", "orders, newest first", a.exportOrders)
	registerExport(a, api, "/stores/{store}/orders", "store-orders", "a store's orders, credited or not, newest first",
		a.exportStoreOrders)
	registerExport(a, api, "/ledger", "ledger", "ledger entries, oldest first", a.exportLedger)
	registerExport(a, api, "/creators/{id}/statement", "creator-statement",
		"a creator's ledger entries, oldest first, with the balance after each", a.exportStatement)
	registerExport(a, api, "/payouts", "payouts", "payouts, newest first", a.exportPayouts)
	registerExport(a, api, "/payouts/due", "payouts-due", "the payments due", a.exportDue)
}

// ExportInput are the query parameters of every export.
type ExportInput struct {
	BOM bool `query:"bom" doc:"Begin CSV with a byte order mark, for Excel on Windows"`
}

func (in ExportInput) bom() bool { return in.BOM }

// registerExport declares a table below two addresses, one per format: path.csv and path.xlsx.
func registerExport[I any, P interface {
	*I
	bom() bool
}](a *API, api huma.API, path, id, what string, handler func(context.Context, *I, *web.Download) error) {
	a.tablePaths = append(a.tablePaths, strings.Split(web.APIPrefix+path, "/"))
	for _, format := range []export.Format{export.CSV, export.XLSX} {
		o := operation{http.MethodGet, path + "." + string(format), "export-" + id + "-" + string(format),
			affiliate.MayRead, "Download " + what + ", as " + strings.ToUpper(string(format))}
		register(a, api, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
			d := web.NewDownload(requestOf(ctx), format, P(in).bom())
			if err := a.Downloads.Send(d, a.Log, func() error { return handler(ctx, in, d) }); err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(huma.Context) {}}, nil // all is sent
		})
		documentExport(api.OpenAPI(), o.path, path, format)
	}
}

// documentExport describes a table's answer, also at the address of the list of the same, where there is one.
func documentExport(document *huma.OpenAPI, path, list string, format export.Format) {
	document.Paths[web.APIPrefix+path].Get.Tags = []string{strings.Split(list, "/")[1]}
	media, content := documentFile(document, path, format)
	response := document.Paths[web.APIPrefix+path].Get.Responses["200"]
	response.Headers["Content-Disposition"] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The file's name"}
	response.Headers[web.TotalRows] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeInteger},
		Description: "How many rows the table has, without its header"}
	if item := document.Paths[web.APIPrefix+list]; item != nil && item.Get != nil {
		item.Get.Responses["200"].Content[media] = content
	}
}

// documentFile describes an answer that is a file, and gives its media type and content.
func documentFile(document *huma.OpenAPI, path string, format export.Format) (string, *huma.MediaType) {
	media, _, _ := strings.Cut(format.ContentType(), ";")
	content := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	document.Paths[web.APIPrefix+path].Get.Responses["200"].Content = map[string]*huma.MediaType{media: content}
	return media, content
}

// fileName joins words, and the days of a span, to the name of a file.
func (a *API) fileName(ctx context.Context, from, to time.Time, words ...string) (string, error) {
	_, zone, err := a.App.DB.Account(ctx)
	if err != nil {
		return "", err
	}
	return web.FileName(from, to, a.App.Now(), zone, words...), nil
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

func (a *API) exportConversions(ctx context.Context, in *exportConversionsInput, d *web.Download) error {
	filter, days, err := a.conversionFilter(ctx)
	if err != nil {
		return err
	}
	return a.sendConversions(ctx, filter, days, in.ConversionsExport, d, "conversions")
}

type exportCampaignConversionsInput struct {
	CampaignPath
	ConversionsFilter
	ConversionsExport
}

func (a *API) exportCampaignConversions(ctx context.Context, in *exportCampaignConversionsInput,
	d *web.Download) error {
	filter, days, err := a.conversionsOfOne(ctx, in.CampaignPath)
	if err != nil {
		return err
	}
	return a.sendConversions(ctx, filter, days, in.ConversionsExport, d, "conversions", filter.Campaign.String())
}

func (a *API) sendConversions(ctx context.Context, f storage.ConversionFilter, days affiliate.Range,
	in ConversionsExport, d *web.Download, words ...string) error {
	sort, err := storage.ParseConversionSort(in.Sort)
	if err != nil {
		return err
	}
	if len(f.IDs) > 0 {
		words = append(words, "selected")
	}
	_, err = a.App.ExportConversions(ctx, nil, f, sort,
		d.Options(web.FileName(f.From, f.To, a.App.Now(), days.Zone, words...)))
	return err
}

type exportOrdersInput struct {
	OrdersFilter
	ExportInput
}

func (a *API) exportOrders(ctx context.Context, in *exportOrdersInput, d *web.Download) error {
	filter, err := a.orderFilter(ctx)
	if err != nil {
		return err
	}
	return a.sendOrders(ctx, filter, d)
}

func (a *API) sendOrders(ctx context.Context, f storage.OrderFilter, d *web.Download) error {
	words := []string{"orders"}
	if f.Store != "" {
		words = append(words, f.Store)
	}
	name, err := a.fileName(ctx, f.From, f.To, words...)
	if err != nil {
		return err
	}
	_, err = a.App.ExportOrders(ctx, nil, f, d.Options(name))
	return err
}

type exportStoreOrdersInput struct {
	StoreOrdersQuery
	ExportInput
}

func (a *API) exportStoreOrders(ctx context.Context, in *exportStoreOrdersInput, d *web.Download) error {
	filter, err := a.storeOrderFilter(ctx, in.StorePath)
	if err != nil {
		return err
	}
	return a.sendOrders(ctx, filter, d)
}

type exportLedgerInput struct {
	LedgerFilter
	ExportInput
}

func (a *API) exportLedger(ctx context.Context, in *exportLedgerInput, d *web.Download) error {
	filter, err := a.ledgerFilter(ctx)
	if err != nil {
		return err
	}
	name, err := a.fileName(ctx, filter.From, filter.To, "ledger")
	if err != nil {
		return err
	}
	_, err = a.App.ExportLedger(ctx, nil, filter, d.Options(name))
	return err
}

type exportStatementInput struct {
	CreatorPath
	PostedFilter
	ExportInput
}

func (a *API) exportStatement(ctx context.Context, in *exportStatementInput, d *web.Download) error {
	creator, err := in.id()
	if err != nil {
		return err
	}
	from, to, err := a.posted(ctx)
	if err != nil {
		return err
	}
	name, err := a.fileName(ctx, from, to, "statement", creator.String())
	if err != nil {
		return err
	}
	_, err = a.App.ExportStatement(ctx, nil, creator, from, to, d.Options(name))
	return err
}

// Tables answers a list as a table when the request prefers that: it leads the request to the table's own address.
func (a *API) Tables(lists http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if format := a.wanted(r); format != "" {
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
func (a *API) wanted(r *http.Request) export.Format {
	if r.Method != http.MethodGet || !a.isTable(r.URL.Path) {
		return ""
	}
	return preferred(r.Header.Values("Accept"))
}

// isTable says whether a path, with an extension, is that of a table.
func (a *API) isTable(path string) bool {
	parts := strings.Split(path, "/")
	return slices.ContainsFunc(a.tablePaths, func(pattern []string) bool {
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
