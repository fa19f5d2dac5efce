package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Bodies hold customers' names and addresses, so only owners read and replay them.
func deliveryRoutes() []route {
	own := may(affiliate.MayAdminister)
	return []route{
		{http.MethodGet, "/stores/:store/deliveries", signedIn, (*request).deliveriesPage},
		{http.MethodPost, "/stores/:store/replay", own, (*request).replayFailed},
		{http.MethodPost, "/stores/:store/set-aside", own, (*request).setAside},
		{http.MethodGet, "/deliveries/:delivery", signedIn, (*request).deliveryPage},
		{http.MethodGet, "/deliveries/:delivery/body", own, (*request).deliveryBody},
		{http.MethodPost, "/deliveries/:delivery/replay", own, (*request).replayDelivery},
	}
}

// lookThrough is how many deliveries one page looks through for what has no index: a fifth of a second's work at most.
const lookThrough = 50_000

// deliveryLine is a delivery as tables show it.
type deliveryLine struct {
	ID       affiliate.DeliveryID
	Topic    string // as deliveries name it
	Event    string // the topic, as the store's admin calls it
	Received string
	Badge    badge
	Order    string // the store's id of it
	Tries    int
	Note     string
	Took     string // from its arrival to the end of the work on it
	Aside    string // why it was set aside, by whom and when; empty unless it is
	Movable  bool   // it can be set aside or put back
}

var deliveryBadges = map[storage.DeliveryState]badge{
	storage.DeliveryWaiting: {"warn", "clock", "Waiting"},
	storage.DeliveryDone:    {"good", "check", "Done"},
	storage.DeliveryIgnored: {"", "minus", "Ignored"},
	storage.DeliveryFailed:  {"bad", "alert", "Failed"},

	storage.DeliverySetAside: {"", "pause", "Set aside"},
}

// deliveryLines shows deliveries of one platform.
func (r *request) deliveryLines(from affiliate.Platform, rows []storage.DeliveryRow) []deliveryLine {
	guide := r.d.App.Platforms.Guide(from)
	lines := make([]deliveryLine, len(rows))
	for i, d := range rows {
		lines[i] = deliveryLine{ID: d.ID, Topic: d.Topic, Event: guide.TopicLabel(d.Topic),
			Received: r.instant(d.ReceivedAt.Time),
			Badge:    deliveryBadges[d.State], Order: d.Order, Tries: d.Attempts, Note: d.Note,
			Took:    took(d.ReceivedAt.Time, d.Processed.Time),
			Movable: d.State == storage.DeliveryFailed || d.State == storage.DeliverySetAside}
		if d.State == storage.DeliverySetAside {
			lines[i].Aside = fmt.Sprintf("%s · %s, %s", d.Aside.Reason, actorText(d.Aside.By),
				r.moment(d.Aside.At.Time))
		}
	}
	return lines
}

// instant writes a time of the account's zone to the second: "21 Nov 2026, 14:05:09".
func (r *request) instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.zone).Format("2 Jan 2006, 15:04:05")
}

// took writes how long something lasted, or "" when it is not over.
func took(from, to time.Time) string {
	if to.IsZero() {
		return ""
	}
	d := max(0, to.Sub(from))
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

type deliveriesPage struct {
	layout
	storeHealth
	Deliveries []deliveryLine
	Pager      pager
	State      storage.DeliveryState
	States     []choice
	Topic      string
	Topics     []affiliate.Topic
	Order      string
	Filtered   bool
	Back       string
	Searched   int64 // how many deliveries were looked through, where that was not all; else 0
	MayOwn     bool
}

func (r *request) deliveriesPage() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	health, err := r.health([]affiliate.Store{store}, store.ID)
	if err != nil {
		return err
	}
	filter := storage.DeliveryFilter{Store: store.Slug, Topic: strings.TrimSpace(r.Query("topic")), Look: lookThrough}
	// what is no state narrows nothing
	filter.State, _ = affiliate.ParseWord[storage.DeliveryState]("state", r.Query("state"))
	page := deliveriesPage{layout: r.layout("Deliveries of "+store.Name, "stores"), storeHealth: health[0],
		State: filter.State, States: wordChoices(affiliate.Words[storage.DeliveryState]()...), Topic: filter.Topic,
		Topics: health[0].Guide.Topics,
		Order:  strings.TrimSpace(r.Query("order")), MayOwn: r.may(affiliate.MayAdminister)}
	page.Back = r.Request.URL.RequestURI()
	page.Filtered = string(page.State)+page.Topic+page.Order != ""
	if page.Order != "" {
		if filter.Orders, err = r.d.App.DB.OrdersCalled(r.Request.Context(), store.ID, page.Order); err != nil {
			return err
		}
	}
	rows, next, err := r.d.App.DB.ListDeliveries(r.Request.Context(), filter, r.page())
	if err != nil {
		return err
	}
	if next != "" && len(rows) < limit {
		page.Searched = lookThrough
	}
	page.Deliveries, page.Pager = r.deliveryLines(store.Platform, rows), r.pager(next)
	return r.show("deliveries.html", &page)
}

func (r *request) replayFailed() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	n, err := r.d.App.Replay(r.Request.Context(), storage.ReplayFilter{Failed: true, Store: store.ID})
	if err != nil {
		return err
	}
	notice := fmt.Sprintf("%s are processed again within seconds.", counted(n, "delivery", "deliveries"))
	if n == 0 {
		notice = "Nothing could be replayed: no delivery failed whose body is still kept."
	}
	return r.done(storeAddress(store)+"/deliveries", notice)
}

// setAside gives up on failed deliveries, or takes that back: those that are ticked, or all with one note.
func (r *request) setAside() error {
	store, err := r.store()
	if err != nil {
		return err
	}
	address := back(r.field("back"), storeAddress(store)+"/deliveries")
	if r.field("nothing") != "" { // the enter key, in a browser without script
		return r.done(address, "")
	}
	var choice storage.DeliveryChoice
	if note := r.PostForm("note"); note != "" {
		choice.Store, choice.Note = store.ID, note
	} else {
		choice.IDs, err = affiliate.ParseIDs[affiliate.DeliveryID]("ids", "dlv_", r.PostFormArray("ids"))
		if err != nil {
			return err
		}
		if len(choice.IDs) == 0 {
			return affiliate.Errorf(affiliate.Invalid, "no delivery is selected; tick some rows first")
		}
	}
	if r.field("move") == "back" {
		n, err := r.d.App.PutBack(r.Request.Context(), choice)
		if err != nil {
			return err
		}
		return r.done(address, counted(n, "delivery counts", "deliveries count")+" as failed again.")
	}
	n, err := r.d.App.SetAside(r.Request.Context(), choice, r.field("reason"))
	if err != nil {
		return err
	}
	return r.done(address, counted(n, "delivery is", "deliveries are")+" set aside and no longer counted as failed.")
}

// counted writes a number with its noun.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return countText(n) + " " + many
}

type deliveryPage struct {
	layout
	deliveryLine
	Store        affiliate.Store
	StoreAddress string
	Read         bool // from the store's API, by us
	Processed    string
	NextTry      string
	MostTries    int
	OrderAddress string // of the order's page; empty when the order is not known
	OrderNumber  string
	Headers      []headerLine
	Body         string
	Shortened    string // how much of the body is shown, where that is not all of it
	Purged       bool
	Unreadable   string
	Failed       bool
	Alike        int64 // failed deliveries of the store with the same note, this one among them
	MayOwn       bool
}

type headerLine struct{ Name, Value string }

// shownBody is how much of a body a page shows.
const shownBody = 200 << 10

func (r *request) delivery() (storage.Delivery, error) {
	id, err := idParam[affiliate.DeliveryID](r, "delivery", "dlv_")
	if err != nil {
		return storage.Delivery{}, err
	}
	d, err := r.d.App.DB.Delivery(r.Request.Context(), id)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.Errorf(affiliate.NotFound, "there is no such delivery; it may have been removed by its age")
	}
	return d, err
}

func (r *request) deliveryPage() error {
	ctx := r.Request.Context()
	d, err := r.delivery()
	if err != nil {
		return err
	}
	store, err := r.d.App.DB.Store(ctx, d.StoreID)
	if err != nil {
		return err
	}
	row := storage.DeliveryRow{ID: d.ID, Topic: d.Topic, ReceivedAt: d.ReceivedAt, Processed: d.Processed,
		State: d.State, Attempts: d.Attempts, Note: d.Note, Order: d.Order}
	if d.State == storage.DeliverySetAside {
		if row.Aside, err = r.d.App.DB.SetAside(ctx, d.ID); err != nil {
			return err
		}
	}
	lines := r.deliveryLines(store.Platform, []storage.DeliveryRow{row})
	page := deliveryPage{layout: r.layout("Delivery of "+lines[0].Received, "stores"), deliveryLine: lines[0],
		Store: store, StoreAddress: storeAddress(store), Processed: r.instant(d.Processed.Time),
		MostTries: storage.MaxAttempts, Purged: d.Payload == nil, MayOwn: r.may(affiliate.MayAdminister)}
	if page.Read = strings.HasPrefix(d.Topic, affiliate.TopicRead); page.Read {
		page.Title = "Read from " + store.Name
	}
	if d.State == storage.DeliveryFailed {
		page.Failed = true
		if page.Alike, err = r.d.App.DB.FailedLike(ctx, d.StoreID, d.Note); err != nil {
			return err
		}
	}
	if d.State == storage.DeliveryWaiting {
		page.NextTry = r.instant(d.RetryAt.Time)
	}
	if d.Order != "" {
		order, err := r.d.App.DB.FindOrder(ctx, store.Slug, d.Order)
		if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
			return err
		}
		if err == nil {
			page.OrderAddress, page.OrderNumber = orderAddress(order.ID), r.orderLine(order).Number
			page.Title += ", order " + page.OrderNumber
		}
	}
	if page.MayOwn && !page.Purged && r.Query("part") == "" {
		page.readPayload(d.Payload)
	}
	return r.show("delivery.html", &page)
}

// readPayload takes apart what was kept. The headers of what we read are our own notes.
func (p *deliveryPage) readPayload(payload []byte) {
	headers, body, err := app.UnpackPayload(payload)
	if err != nil {
		p.Unreadable = err.Error()
		return
	}
	for line := range strings.Lines(string(headers)) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); ok && !p.Read {
			p.Headers = append(p.Headers, headerLine{name, strings.ToValidUTF8(value, "�")})
		}
	}
	p.Body = readable(body)
	if len(p.Body) > shownBody {
		at := shownBody
		for at > 0 && !utf8.RuneStart(p.Body[at]) {
			at--
		}
		p.Shortened = fmt.Sprintf("the first %d of %d KB", (at+1023)>>10, (len(p.Body)+1023)>>10)
		p.Body = p.Body[:at]
	}
}

// readable sets JSON in lines, without touching a digit of it. Anything else stays as it is.
func readable(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") == nil {
		body = b.Bytes()
	}
	return strings.ToValidUTF8(string(body), "�")
}

// deliveryBody gives the body byte for byte, as a file: it is another's text and must not be shown as a page of ours.
func (r *request) deliveryBody() error {
	d, err := r.delivery()
	if err != nil {
		return err
	}
	if d.Payload == nil {
		return affiliate.Errorf(affiliate.NotFound, "the body of this delivery was purged")
	}
	_, body, err := app.UnpackPayload(d.Payload)
	if err != nil {
		return err
	}
	r.Header("Content-Disposition", `attachment; filename="`+d.ID.String()+`.json"`)
	r.Data(http.StatusOK, "application/octet-stream", body)
	return nil
}

func (r *request) replayDelivery() error {
	d, err := r.delivery()
	if err != nil {
		return err
	}
	n, err := r.d.App.Replay(r.Request.Context(), storage.ReplayFilter{Delivery: d.ID})
	if err != nil {
		return err
	}
	if n == 0 {
		return affiliate.Errorf(affiliate.Conflict, "the body of this delivery was purged, so it cannot be replayed")
	}
	return r.done("/deliveries/"+d.ID.String(),
		"The delivery is processed again. What it told before is not counted twice.")
}
