package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerCodeRuns declares the operations on runs that make and change codes in stores.
func (a *API) registerCodeRuns(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/code-runs", "list-code-runs", read,
		"List code runs, newest first; drafts are left out"}, a.listCodeRuns)
	register(a, api, operation{http.MethodPost, "/code-runs", "create-code-run", change,
		"Make, refresh, activate, deactivate, end or take over codes of many, or give them another discount; or " +
			"draft that"},
		a.createCodeRun)
	register(a, api, operation{http.MethodGet, "/code-runs/{run}", "get-code-run", read,
		"Read how far a code run has come"}, a.getCodeRun)
	register(a, api, operation{http.MethodGet, "/code-runs/{run}/items", "list-code-items", read,
		"List the items of a code run: one for each code"}, a.listCodeItems)
	register(a, api, operation{http.MethodPatch, "/code-run-items/{item}", "update-code-item", change,
		"Choose another code for an item of a draft, or take it out"}, a.updateCodeItem)
	register(a, api, operation{http.MethodPost, "/code-runs/{run}/start", "start-code-run", change, "Start a draft"},
		a.runOperation(a.App.StartCodeRun))
	register(a, api, operation{http.MethodPost, "/code-runs/{run}/cancel", "cancel-code-run", change,
		"Cancel a code run: what was not begun is not done"}, a.runOperation(a.App.CancelCodeRun))
	register(a, api, operation{http.MethodPost, "/code-runs/{run}/retry", "retry-code-run", change,
		"Have the items go on that failed"}, a.runOperation(a.App.RetryCodeRun))
	register(a, api, operation{http.MethodPost, "/code-runs/{run}/typed", "mark-codes-typed", change,
		"Say that items were done by hand in the stores' admins"}, a.typedCodes)
}

// CodeRunJSON is a code run as the API and commands give it.
type CodeRunJSON struct {
	ID          string                 `json:"id" example:"cru_1"`
	Action      affiliate.CodeAction   `json:"action"`
	State       affiliate.CodeRunState `json:"state"`
	Offer       *string                `json:"offer" example:"off_1" doc:"null: of codes that are taken over for several offers"`
	Pattern     string                 `json:"pattern" example:"{{handle}}10"`
	OverlapDays int                    `json:"overlap_days" doc:"How long an old code goes on beside its new one"`
	Discount    *OfferDiscountJSON     `json:"discount" doc:"What the codes give; null where that is not changed"`
	Offered     bool                   `json:"offered" doc:"The offer's own discount changes with it"`
	At          *time.Time             `json:"at" doc:"When it begins; null: at once"`
	Author      string                 `json:"author" doc:"Who asked for it"`
	Total       int64                  `json:"total" doc:"Items"`
	Items       map[string]int64       `json:"items" doc:"How many items there are, by state" example:"{\"done\": 12}"`
	CreatedAt   time.Time              `json:"created_at"`
	StartedAt   *time.Time             `json:"started_at"`
	EndedAt     *time.Time             `json:"ended_at"`
}

// CodeRunView is how they show a run, of whose items so many are in each state.
func CodeRunView(r affiliate.CodeRun, counts map[affiliate.CodeItemState]int64) CodeRunJSON {
	discount, _ := affiliate.ParseOfferDiscount(r.Discount) // it was written by us
	v := CodeRunJSON{ID: r.ID.String(), Action: r.Action, State: r.State, Pattern: r.Pattern,
		OverlapDays: r.OverlapDays, Discount: OfferDiscountView(discount), Offered: r.Offered,
		At: web.TimeOrNull(r.At), Author: r.Actor, Items: map[string]int64{}, CreatedAt: r.CreatedAt.UTC(),
		StartedAt: web.TimeOrNull(r.StartedAt), EndedAt: web.TimeOrNull(r.EndedAt)}
	if r.OfferID != 0 {
		v.Offer = orNull(r.OfferID.String())
	}
	for _, state := range affiliate.Words[affiliate.CodeItemState]() {
		v.Items[string(state)] = counts[state]
		v.Total += counts[state]
	}
	return v
}

// runView gives a run with its counts.
func (a *API) runView(ctx context.Context, r affiliate.CodeRun, err error) (*output[CodeRunJSON], error) {
	if err != nil {
		return nil, err
	}
	counts, err := a.App.DB.CodeItemCounts(ctx, []affiliate.CodeRunID{r.ID})
	return one(r, err, func(r affiliate.CodeRun) CodeRunJSON { return CodeRunView(r, counts[r.ID]) })
}

type codeRunsInput struct {
	PageInput
	Offer string `query:"offer" example:"off_1"`
}

func (a *API) listCodeRuns(ctx context.Context, in *codeRunsInput) (*listOutput[CodeRunJSON], error) {
	offer, err := affiliate.OptionalID[affiliate.OfferID]("offer", "off_", in.Offer)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.CodeRuns(ctx, offer, in.page())
	if err != nil {
		return nil, err
	}
	ids := make([]affiliate.CodeRunID, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	counts, err := a.App.DB.CodeItemCounts(ctx, ids)
	return listPage(list, next, err, func(r affiliate.CodeRun) CodeRunJSON { return CodeRunView(r, counts[r.ID]) })
}

// createCodeRunInput is a run with its codes, of which there may be many.
type createCodeRunInput struct {
	Body struct {
		Action      affiliate.CodeAction `json:"action"`
		Offer       string               `json:"offer,omitempty" example:"off_1" doc:"Not needed to take codes over, nor beside codes"`
		Members     []string             `json:"members,omitempty" maxItems:"20000" example:"[\"ofm_1\"]" doc:"The offer's members that it is for; left out: all current and active ones"`
		Codes       []string             `json:"codes,omitempty" maxItems:"20000" example:"[\"cod_1\"]" doc:"In place of members, the codes that are refreshed, changed or ended"`
		Stores      []string             `json:"stores,omitempty" maxItems:"1000" example:"[\"shop\"]" doc:"By id or slug; left out: all. To take codes over, exactly one"`
		Pattern     string               `json:"pattern,omitempty" example:"{{handle}}10" doc:"Of new codes; left out: the offer's. To take codes over: by what codes are known to be somebody's"`
		Another     bool                 `json:"another,omitempty" doc:"true: a code also for those who have one in the store"`
		OverlapDays int                  `json:"overlap_days,omitempty" minimum:"0" maximum:"365" doc:"Of refresh: how long old codes go on beside the new ones"`
		At          time.Time            `json:"at,omitzero" doc:"When it begins; left out: at once"`
		Discount    *OfferDiscountJSON   `json:"discount,omitempty" doc:"What the codes give; left out: what the offer says"`
		Takes       []takeJSON           `json:"takes,omitempty" maxItems:"20000" doc:"The codes that are taken over; left out: all of nobody's that certainly are some member's"`
		Draft       bool                 `json:"draft,omitempty" doc:"true: it waits for /start, and is forgotten after a day"`
	}
}

// mostCodeRun is the largest body of a new code run, in bytes: of as many codes as it may have.
const mostCodeRun = 4 << 20

func (createCodeRunInput) mostBytes() int64 { return mostCodeRun }

type takeJSON struct {
	Code        string `json:"code" example:"ANNA10"`
	OfferMember string `json:"offer_member" example:"ofm_1"`
}

func (a *API) createCodeRun(ctx context.Context, in *createCodeRunInput) (*output[CodeRunJSON], error) {
	asked, err := a.newCodeRun(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.Body.Draft {
		run, err := a.App.DraftCodeRun(ctx, asked)
		return a.runView(ctx, run, err)
	}
	web.AllowTime(requestOf(ctx).Writer)
	run, err := a.App.DraftCodeRun(storage.NotAlongside(ctx), asked) // it is carried out once it is started
	if err == nil {
		run, err = a.App.StartCodeRun(ctx, run.ID)
	}
	return a.runView(ctx, run, err)
}

func (a *API) newCodeRun(ctx context.Context, in *createCodeRunInput) (asked app.NewCodeRun, err error) {
	b := in.Body
	asked = app.NewCodeRun{Action: b.Action, Pattern: b.Pattern, Another: b.Another, OverlapDays: b.OverlapDays,
		At: b.At}
	if asked.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", b.Offer); err != nil {
		return asked, err
	}
	if asked.Members, err = affiliate.ParseIDs[affiliate.OfferMemberID]("members", "ofm_", b.Members); err != nil {
		return asked, err
	}
	if asked.Codes, err = affiliate.ParseIDs[affiliate.CodeID]("codes", "cod_", b.Codes); err != nil {
		return asked, err
	}
	for _, ref := range b.Stores {
		store, err := a.storeNamed(ctx, ref)
		if affiliate.KindOf(err) == affiliate.Invalid {
			err = affiliate.AboutField("stores", err)
		}
		if err != nil {
			return asked, err
		}
		asked.Stores = append(asked.Stores, store.ID)
	}
	if b.Discount != nil {
		discount, err := a.offerDiscount(ctx, b.Discount)
		if err != nil {
			return asked, err
		}
		asked.Discount = &discount
	}
	for _, t := range b.Takes {
		member, err := affiliate.ParseID[affiliate.OfferMemberID]("ofm_", t.OfferMember)
		if err != nil {
			return asked, affiliate.AboutField("takes", err)
		}
		asked.Takes = append(asked.Takes, app.Take{Code: t.Code, OfferMember: member})
	}
	return asked, nil
}

// CodeRunPath names a code run.
type CodeRunPath struct {
	Run string `path:"run" example:"cru_1"`
}

func (p CodeRunPath) id() (affiliate.CodeRunID, error) {
	return idPath[affiliate.CodeRunID]("cru_", p.Run)
}

func (a *API) getCodeRun(ctx context.Context, in *CodeRunPath) (*output[CodeRunJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	run, err := a.App.DB.CodeRun(ctx, id)
	return a.runView(ctx, run, err)
}

// runOperation is an operation that does something with a whole run.
func (a *API) runOperation(do func(context.Context, affiliate.CodeRunID) (affiliate.CodeRun, error)) func(
	context.Context, *CodeRunPath) (*output[CodeRunJSON], error) {
	return func(ctx context.Context, in *CodeRunPath) (*output[CodeRunJSON], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		run, err := do(ctx, id)
		return a.runView(ctx, run, err)
	}
}

// CodeItemJSON is an item of a code run as the API and commands give it.
type CodeItemJSON struct {
	ID          string                  `json:"id" example:"cit_1"`
	Run         string                  `json:"run" example:"cru_1"`
	State       affiliate.CodeItemState `json:"state"`
	OfferMember string                  `json:"offer_member" example:"ofm_1"`
	Creator     string                  `json:"creator" example:"cre_1"`
	CreatorName string                  `json:"creator_name"`
	Handle      string                  `json:"handle" example:"anna.keller"`
	Store       string                  `json:"store" example:"str_1"`
	StoreSlug   string                  `json:"store_slug" example:"shop"`
	Code        string                  `json:"code" example:"ANNA10" doc:"That is made, or that the action is about"`
	OldCode     *string                 `json:"old_code" example:"ANNA5" doc:"That the new one follows; null without one"`
	OwnedCode   *string                 `json:"owned_code" example:"cod_1" doc:"The code here that was made; null before"`
	Orders      int64                   `json:"orders" doc:"Orders with the code without credit, when it was drafted; once it is done, how many of them were credited"`
	EndsAt      *time.Time              `json:"ends_at" doc:"When the old code ends; null while that is not known"`
	Trouble     *string                 `json:"trouble" doc:"Why it failed, was skipped, or waits, and what helps"`
	ByHand      *ByHandJSON             `json:"by_hand" doc:"What is to be done in the store's admin; null where that is not needed"`
	UpdatedAt   time.Time               `json:"updated_at"`
}

// ByHandJSON is what is to be typed into a store's admin.
type ByHandJSON struct {
	Menu     string           `json:"menu" doc:"Where its admin has codes"`
	Fields   []TypedFieldJSON `json:"fields" nullable:"false" doc:"Of a code that is made, or given another discount"`
	Sentence string           `json:"sentence" doc:"Of a code that is stopped or started: how"`
}

// TypedFieldJSON is one field of a form in a store's admin.
type TypedFieldJSON struct {
	Label string `json:"label" doc:"As the admin calls it"`
	Value string `json:"value" doc:"What to type or choose"`
}

// CodeItemView is how they show an item with what is to be typed for it.
func CodeItemView(t app.TypedItem) CodeItemJSON {
	i := t.CodeItemRow
	v := CodeItemJSON{ID: i.ID.String(), Run: i.RunID.String(), State: i.State, OfferMember: i.OfferMemberID.String(),
		Creator: i.CreatorID.String(), CreatorName: i.Creator, Handle: i.Handle, Store: i.StoreID.String(),
		StoreSlug: i.Store, Code: i.Code, OldCode: orNull(i.OldCode), Orders: i.Orders,
		EndsAt: web.TimeOrNull(i.EndsAt), Trouble: orNull(money.Plain(i.Trouble)), UpdatedAt: i.At.UTC()}
	if i.NewID != 0 {
		v.OwnedCode = orNull(i.NewID.String())
	}
	if i.State == affiliate.ItemByHand {
		v.ByHand = &ByHandJSON{Menu: t.Menu, Fields: []TypedFieldJSON{}, Sentence: money.Plain(t.Sentence)}
		for _, f := range t.Fields {
			v.ByHand.Fields = append(v.ByHand.Fields, TypedFieldJSON{f.Label, money.Plain(f.Value)})
		}
	}
	return v
}

// CodeItems gives items of a run with what is to be typed for those that are done by hand, in their order.
func CodeItems(ctx context.Context, a *app.App, run affiliate.CodeRun,
	rows []storage.CodeItemRow) ([]app.TypedItem, error) {
	list := make([]app.TypedItem, len(rows))
	place := make(map[affiliate.CodeItemID]int, len(rows))
	var byHand []storage.CodeItemRow
	for i, r := range rows {
		list[i].CodeItemRow, place[r.ID] = r, i
		if r.State == affiliate.ItemByHand {
			byHand = append(byHand, r)
		}
	}
	if len(byHand) == 0 {
		return list, nil
	}
	typed, err := a.TypedItems(ctx, run, byHand)
	for _, t := range typed {
		list[place[t.ID]] = t
	}
	return list, err
}

type codeItemsInput struct {
	CodeRunPath
	PageInput
	State  string `query:"state" doc:"One or several, with commas between them: waiting, asked, by_hand, done, failed, skipped, canceled"`
	Search string `query:"q" doc:"Somewhere in the creator's name or handles, or in the code"`
}

func (a *API) listCodeItems(ctx context.Context, in *codeItemsInput) (*listOutput[CodeItemJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	run, err := a.App.DB.CodeRun(ctx, id)
	if err != nil {
		return nil, err
	}
	q, err := a.query(ctx)
	if err != nil {
		return nil, err
	}
	f := q.CodeItems(id)
	if err := q.Err(); err != nil {
		return nil, err
	}
	rows, next, err := a.App.DB.CodeItemPage(ctx, f, in.page())
	if err != nil {
		return nil, err
	}
	list, err := CodeItems(ctx, a.App, run, rows)
	return listPage(list, next, err, CodeItemView)
}

type updateCodeItemInput struct {
	Item string `path:"item" example:"cit_1"`
	Body struct {
		Code    string `json:"code,omitempty" example:"ANNA10" doc:"The code that is made; it puts an item back that was taken out"`
		TakeOut bool   `json:"take_out,omitempty" doc:"true: nothing is done for this item"`
	}
}

func (a *API) updateCodeItem(ctx context.Context, in *updateCodeItemInput) (*output[CodeItemJSON], error) {
	id, err := idPath[affiliate.CodeItemID]("cit_", in.Item)
	if err != nil {
		return nil, err
	}
	if in.Body.TakeOut == (in.Body.Code != "") {
		return nil, affiliate.FieldErrorf("code", "give either a code, or take_out")
	}
	item, err := a.App.SetDraftItem(ctx, id, in.Body.Code)
	if err != nil {
		return nil, err
	}
	rows, _, err := a.App.DB.CodeItemPage(ctx, storage.CodeItemFilter{Run: item.RunID,
		IDs: []affiliate.CodeItemID{id}}, storage.Page{})
	if err == nil && len(rows) == 0 {
		err = affiliate.NoSuch(id)
	}
	if err != nil {
		return nil, err
	}
	return one(app.TypedItem{CodeItemRow: rows[0]}, nil, CodeItemView)
}

type typedInput struct {
	CodeRunPath
	Body *struct {
		Items []string `json:"items,omitempty" maxItems:"20000" example:"[\"cit_1\"]" doc:"Left out: all that are to be done by hand"`
	}
}

type typedJSON struct {
	Items int `json:"items" doc:"How many this was said of"`
}

func (a *API) typedCodes(ctx context.Context, in *typedInput) (*output[typedJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	var items []affiliate.CodeItemID
	if in.Body != nil {
		if items, err = affiliate.ParseIDs[affiliate.CodeItemID]("items", "cit_", in.Body.Items); err != nil {
			return nil, err
		}
	}
	n, err := a.App.DoneByHand(ctx, id, items)
	return one(n, err, func(n int) typedJSON { return typedJSON{n} })
}
