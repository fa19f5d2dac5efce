package api

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerCreators(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/creators", "list-creators", read, "List creators by name"},
		a.listCreators)
	register(a, api, operation{http.MethodPost, "/creators", "create-creator", change,
		"Take a creator into the community"}, a.createCreator)
	register(a, api, operation{http.MethodGet, "/creators/{id}", "get-creator", read, "Read a creator"}, a.getCreator)
	register(a, api, operation{http.MethodPatch, "/creators/{id}", "update-creator", change, "Change a creator"},
		a.updateCreator)
	register(a, api, operation{http.MethodPost, "/creators/{id}/end", "end-creator", change,
		"Remove a creator from the community; what they earned stays"}, a.endCreator)
	register(a, api, operation{http.MethodPost, "/creators/{id}/restore", "restore-creator", change,
		"Take a removed creator back"}, a.restoreCreator)
}

type creatorJSON struct {
	ID        string            `json:"id" example:"cre_1"`
	Name      string            `json:"name"`
	Email     *string           `json:"email"`
	Handles   map[string]string `json:"handles" doc:"By network, without @"`
	Country   *string           `json:"country" example:"DE"`
	Note      string            `json:"note"`
	RemovedAt *time.Time        `json:"removed_at" doc:"null while they are in the community"`
	Version   int               `json:"version"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

func creatorView(c affiliate.Creator) creatorJSON {
	handles := map[string]string{}
	maps.Copy(handles, c.Handles)
	return creatorJSON{ID: c.ID.String(), Name: c.Name, Email: orNull(c.Email), Handles: handles,
		Country: orNull(c.Country), Note: c.Note, RemovedAt: web.TimeOrNull(c.RemovedAt), Version: c.Version,
		CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC()}
}

type listCreatorsInput struct {
	PageInput
	Text      string `query:"q" maxLength:"100" doc:"In the name, the e-mail address or a handle"`
	Community bool   `query:"community" doc:"Only those who were not removed"`
}

func (a *API) listCreators(ctx context.Context, in *listCreatorsInput) (*listOutput[creatorJSON], error) {
	list, next, err := a.App.DB.Creators(ctx, storage.CreatorFilter{Text: in.Text, Community: in.Community}, in.page())
	return listPage(list, next, err, creatorView)
}

// CreatorFields are what a person may set and take away again. Handles are replaced as a whole.
type CreatorFields struct {
	Email   optional[string]            `json:"email,omitempty"`
	Handles optional[map[string]string] `json:"handles,omitempty"`
	Country optional[string]            `json:"country,omitempty"`
	Note    optional[string]            `json:"note,omitempty"`
}

func (f CreatorFields) apply(c *affiliate.Creator) {
	f.Email.apply(&c.Email)
	f.Handles.apply(&c.Handles)
	f.Country.apply(&c.Country)
	f.Note.apply(&c.Note)
	if c.Handles == nil {
		c.Handles = map[string]string{}
	}
}

type createCreatorInput struct {
	Body struct {
		Name string `json:"name"`
		CreatorFields
	}
}

func (a *API) createCreator(ctx context.Context, in *createCreatorInput) (*output[creatorJSON], error) {
	c := affiliate.Creator{Name: in.Body.Name}
	in.Body.CreatorFields.apply(&c)
	c, err := a.App.AddCreator(ctx, c)
	return one(c, err, creatorView)
}

type CreatorPath struct {
	ID string `path:"id" example:"cre_1"`
}

func (p CreatorPath) id() (affiliate.CreatorID, error) {
	return idPath[affiliate.CreatorID]("cre_", p.ID)
}

func (a *API) getCreator(ctx context.Context, in *CreatorPath) (*output[creatorJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.DB.Creator(ctx, id)
	return one(c, err, creatorView)
}

type updateCreatorInput struct {
	CreatorPath
	Body struct {
		ChangeInput
		Name *string `json:"name,omitempty"`
		CreatorFields
	}
}

func (a *API) updateCreator(ctx context.Context, in *updateCreatorInput) (*output[creatorJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.ChangeCreator(ctx, id, in.Body.Version, func(c *affiliate.Creator) error {
		setIf(&c.Name, in.Body.Name)
		in.Body.CreatorFields.apply(c)
		return nil
	})
	return one(c, err, creatorView)
}

func (a *API) endCreator(ctx context.Context, in *CreatorPath) (*output[creatorJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.RemoveCreator(ctx, id)
	return one(c, err, creatorView)
}

func (a *API) restoreCreator(ctx context.Context, in *CreatorPath) (*output[creatorJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.RestoreCreator(ctx, id)
	return one(c, err, creatorView)
}
