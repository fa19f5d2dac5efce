package storage

import (
	"context"
	"maps"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	creatorTable   = tableOf[affiliate.Creator]("creators")
	creatorColumns = columnsOf[affiliate.Creator]()
)

// handleRow is a handle of a creator on a network.
type handleRow struct {
	CreatorID affiliate.CreatorID
	Network   string
	Handle    string
	Folded    string
}

var handleTable = tableOf[handleRow]("creator_handles")

// handlesOf gives the handles of creators, by network.
func handlesOf(creators ...affiliate.Creator) (rows []handleRow) {
	for _, c := range creators {
		for _, network := range slices.Sorted(maps.Keys(c.Handles)) {
			handle := c.Handles[network]
			rows = append(rows, handleRow{c.ID, network, handle, affiliate.FoldHandle(handle)})
		}
	}
	return rows
}

// Creator gives one creator with their handles; NotFound when there is none.
func (q queries) Creator(ctx context.Context, id affiliate.CreatorID) (affiliate.Creator, error) {
	c, err := getOne[affiliate.Creator](ctx, q, id, `SELECT `+creatorColumns.of("")+` FROM creators WHERE id = ?`, id)
	if err != nil {
		return c, err
	}
	list := []affiliate.Creator{c}
	return list[0], q.addHandles(ctx, list)
}

// CreatorByHandle gives the creator with a handle, however it is written; NotFound when there is none.
func (q queries) CreatorByHandle(ctx context.Context, network, handle string) (affiliate.Creator, error) {
	var id affiliate.CreatorID
	err := q.Get(ctx, &id, `SELECT creator_id FROM creator_handles WHERE network = ? AND folded = ?`, network, affiliate.FoldHandle(handle))
	if err != nil {
		return affiliate.Creator{}, err
	}
	return q.Creator(ctx, id)
}

// CreatorsByEmail gives the creators with the same normalized e-mail address: an agency's may stand for several.
func (q queries) CreatorsByEmail(ctx context.Context, hash string) ([]affiliate.Creator, error) {
	if hash == "" {
		return nil, nil
	}
	return q.creators(ctx, `SELECT `+creatorColumns.of("")+` FROM creators WHERE email_hash = ? ORDER BY id`, hash)
}

// AllCreators gives every creator with their handles, for imports that match by name.
func (q queries) AllCreators(ctx context.Context) ([]affiliate.Creator, error) {
	return q.creators(ctx, `SELECT `+creatorColumns.of("")+` FROM creators ORDER BY id`)
}

// CreatorsChanged gives the creators about whom the audit log has entries behind one: all that were added or changed
// since.
func (q queries) CreatorsChanged(ctx context.Context, audited int64) ([]affiliate.Creator, error) {
	return q.creators(ctx, `SELECT `+creatorColumns.of("")+` FROM creators WHERE id IN (
		SELECT CAST(substr(subject, 5) AS BIGINT) FROM audit_log WHERE id > ? AND substr(subject, 1, 4) = 'cre_') ORDER BY id`, audited)
}

func (q queries) creators(ctx context.Context, query string, args ...any) ([]affiliate.Creator, error) {
	list := []affiliate.Creator{}
	if err := q.List(ctx, &list, query, args...); err != nil {
		return nil, err
	}
	return list, q.addHandles(ctx, list)
}

// CreatorFilter narrows a list of creators; zero fields do not.
type CreatorFilter struct {
	Text      string // in the name, the e-mail address or a handle
	Community bool   // only those who were not removed
}

// CalledCreator is a creator with what people know them by.
type CalledCreator struct {
	ID     affiliate.CreatorID
	Name   string
	Handle string
}

// CreatorsCalled gives some creators by name; those that do not exist are left out.
func (q queries) CreatorsCalled(ctx context.Context, ids []affiliate.CreatorID) ([]CalledCreator, error) {
	list := []CalledCreator{}
	if len(ids) == 0 {
		return list, nil
	}
	err := q.ListIn(ctx, &list, `SELECT r.id, r.name, `+bestHandle+` AS handle FROM creators r WHERE r.id IN (?) ORDER BY r.name, r.id`,
		ids)
	return list, err
}

// Creators lists creators by name with their handles.
func (q queries) Creators(ctx context.Context, c CreatorFilter, p Page) ([]affiliate.Creator, string, error) {
	var f Filter
	if c.Text != "" {
		condition, args := CreatorHas("creators", c.Text)
		f.And(condition, args...)
	}
	if c.Community {
		f.And("removed_at IS NULL")
	}
	list, next, err := paged[affiliate.Creator](ctx, q, `SELECT `+creatorColumns.of("")+` FROM creators`, f, byText("name", "id"), p)
	if err != nil {
		return nil, "", err
	}
	return list, next, q.addHandles(ctx, list)
}

// addHandles reads the handles of a list of creators, a part at a time: statements have a limit of placeholders.
func (q queries) addHandles(ctx context.Context, list []affiliate.Creator) error {
	for part := range slices.Chunk(list, 1000) {
		index := make(map[affiliate.CreatorID]int, len(part))
		ids := make([]affiliate.CreatorID, len(part))
		for i, c := range part {
			ids[i], index[c.ID] = c.ID, i
			part[i].Handles = map[string]string{}
		}
		var rows []handleRow
		if err := q.ListIn(ctx, &rows, `SELECT creator_id, network, handle FROM creator_handles WHERE creator_id IN (?)`, ids); err != nil {
			return err
		}
		for _, r := range rows {
			part[index[r.CreatorID]].Handles[r.Network] = r.Handle
		}
	}
	return nil
}

// CreateCreator writes a new creator with their handles. Conflict when a handle is somebody else's.
func (tx *Tx) CreateCreator(ctx context.Context, c affiliate.Creator) (affiliate.Creator, error) {
	c.Version = 1
	err := creatorTable.create(ctx, tx, c, &c.ID)
	if err != nil {
		return c, err
	}
	return c, tx.setHandles(ctx, c)
}

// SaveCreator writes a creator that was read as c.Version, with all their handles.
func (tx *Tx) SaveCreator(ctx context.Context, c affiliate.Creator) (affiliate.Creator, error) {
	err := tx.movingFormer(ctx, ` WHERE cr.id = ?`, int64(c.ID), func() error {
		return creatorTable.save(ctx, tx, c)
	})
	if err != nil {
		return c, err
	}
	c.Version++
	return c, tx.setHandles(ctx, c)
}

func (tx *Tx) setHandles(ctx context.Context, c affiliate.Creator) error {
	if _, err := tx.exec(ctx, `DELETE FROM creator_handles WHERE creator_id = ?`, c.ID); err != nil {
		return err
	}
	for _, h := range handlesOf(c) {
		var kept affiliate.CreatorID
		err := handleTable.insert(ctx, tx, []handleRow{h}, "ON CONFLICT DO NOTHING RETURNING creator_id", &kept, func() {})
		if err == nil && kept == 0 {
			err = affiliate.ConflictErrorf("handles."+h.Network, "@%s is another creator's handle on %s", h.Handle,
				h.Network)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
