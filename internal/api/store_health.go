package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// StoreHealthJSON is how a store's deliveries fare, and what its silence tells.
type StoreHealthJSON struct {
	Waiting     int64             `json:"waiting"`
	Failed      int64             `json:"failed"`
	SetAside    int64             `json:"set_aside"`
	Rejected24h int64             `json:"rejected_24h"`
	OtherShop   *string           `json:"other_shop" doc:"The shop that a delivery named which was refused in the last 24 hours because it is not the store's own"`
	NeverSeen   []UnseenTopicJSON `json:"topics_never_seen" doc:"Needed topics that never came; empty before the first delivery"`
	Quiet       *QuietJSON        `json:"quiet" doc:"Null within an hour after a delivery, and before the first one"`
	Notices     []NoticeJSON      `json:"notices" doc:"Newest first, until they are dismissed"`
}

// UnseenTopicJSON is a needed topic that a store has never sent.
type UnseenTopicJSON struct {
	Topic    string  `json:"topic" example:"orders/create"`
	Label    string  `json:"label" doc:"What the store's admin calls it"`
	Occasion *string `json:"occasion" doc:"When it comes; null: with every order"`
	Missing  bool    `json:"missing" doc:"The webhook is likely not there: the topic comes with every order, and there were some"`
}

// QuietJSON is for how long nothing has come from a store.
type QuietJSON struct {
	Since   time.Time `json:"since"`
	Hours   int64     `json:"hours"`
	Unusual bool      `json:"unusual" doc:"A silence of this length comes about by chance once in a thousand times"`
	Text    string    `json:"text" example:"quiet for 9 hours; usually 3 deliveries an hour at this time"`
}

// NoticeJSON is something to look into, until it is dismissed.
type NoticeJSON struct {
	ID   string    `json:"id" example:"ntc_1"`
	Kind string    `json:"kind" enum:"stopped,died,clock"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Text string    `json:"text"`
}

// NoticeView writes a notice about a store of a platform, with times in UTC.
func NoticeView(n storage.Notice, g *affiliate.Guide) NoticeJSON {
	return NoticeJSON{ID: n.ID.String(), Kind: string(n.Kind), From: n.From.UTC(), To: n.To.UTC(),
		Text: app.NoticeText(n, g, time.UTC)}
}

// StoreHealthView writes the health of a store of a platform as API and command line show it.
func StoreHealthView(g *affiliate.Guide, h app.StoreHealth, f storage.StoreCounts) StoreHealthJSON {
	v := StoreHealthJSON{Waiting: f.Waiting, Failed: f.Failed, SetAside: f.SetAside, Rejected24h: f.Rejected(),
		NeverSeen: []UnseenTopicJSON{}, Notices: []NoticeJSON{}}
	if n, _ := f.Count(string(app.ReceiptOtherShop)); n > 0 {
		v.OtherShop = orNull(f.OtherShop)
	}
	for _, t := range h.NeverSeen {
		v.NeverSeen = append(v.NeverSeen, UnseenTopicJSON{t.Name, t.Label, orNull(t.Occasion), t.Missing})
	}
	if q := h.Quiet; q != nil {
		v.Quiet = &QuietJSON{Since: q.Since.UTC(), Hours: int64(q.For.Hours()), Unusual: q.Unusual, Text: q.Text()}
	}
	for _, n := range h.Notices {
		v.Notices = append(v.Notices, NoticeView(n, g))
	}
	return v
}

// storeViews gives the function that writes stores with their health: of one store, or of all when only is 0.
func (a *API) storeViews(ctx context.Context, list []affiliate.Store,
	only affiliate.StoreID) (func(affiliate.Store) StoreJSON, error) {
	health, err := a.App.StoreHealth(ctx, list, only)
	if err != nil {
		return nil, err
	}
	counts, err := a.App.DB.StoreCounts(ctx, only, a.App.Now().Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	accesses, err := a.App.DB.StoreAccesses(ctx)
	connected := map[affiliate.StoreID]bool{}
	for _, access := range accesses {
		connected[access.StoreID] = true
	}
	return func(v affiliate.Store) StoreJSON {
		health := StoreHealthView(a.App.Platforms.Guide(v.Platform), health[v.ID], counts[v.ID])
		return a.storeView(v, health, connected[v.ID])
	}, err
}

// storeAnswer answers with one store.
func (a *API) storeAnswer(ctx context.Context, store affiliate.Store, err error) (*output[StoreJSON], error) {
	if err != nil {
		return nil, err
	}
	view, err := a.storeViews(ctx, []affiliate.Store{store}, store.ID)
	if err != nil {
		return nil, err
	}
	return one(store, nil, view)
}

func (a *API) registerNotices(api huma.API) {
	register(a, api, operation{http.MethodPost, "/stores/{store}/notices/dismiss", "dismiss-store-notices",
		affiliate.MayChangeCatalog, "Take notices of a store away once they were seen to"}, a.dismissStoreNotices)
	register(a, api, operation{http.MethodPost, "/notices/dismiss", "dismiss-notices", affiliate.MayAdminister,
		"Take notices of the server away once they were seen to: jumps of its clock"}, a.dismissNotices)
}

// NoticesInput names notices in a body.
type NoticesInput struct {
	Notices []string `json:"notices" minItems:"1" maxItems:"500" example:"[\"ntc_1\"]"`
}

type dismissedBody struct {
	Dismissed int `json:"dismissed" doc:"How many; others are not there, or were dismissed before"`
}

type dismissStoreNoticesInput struct {
	StorePath
	Body NoticesInput
}

func (a *API) dismissStoreNotices(ctx context.Context,
	in *dismissStoreNoticesInput) (*output[dismissedBody], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	return a.dismiss(ctx, store.ID, in.Body)
}

type dismissNoticesInput struct{ Body NoticesInput }

func (a *API) dismissNotices(ctx context.Context, in *dismissNoticesInput) (*output[dismissedBody], error) {
	return a.dismiss(ctx, 0, in.Body)
}

func (a *API) dismiss(ctx context.Context, store affiliate.StoreID,
	in NoticesInput) (*output[dismissedBody], error) {
	ids := make([]affiliate.NoticeID, len(in.Notices))
	for i, text := range in.Notices {
		var err error
		if ids[i], err = affiliate.OptionalID[affiliate.NoticeID]("notices", "ntc_", text); err != nil {
			return nil, err
		}
	}
	n, err := a.App.DismissNotices(ctx, store, ids)
	return one(dismissedBody{n}, err, func(b dismissedBody) dismissedBody { return b })
}
