package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// DeliveryChoice chooses deliveries: some by their ids, or all of a store with one note.
type DeliveryChoice struct {
	IDs   []affiliate.DeliveryID
	Store affiliate.StoreID
	Note  string
}

// SetAside is why a delivery was given up on, by whom and when.
type SetAside struct {
	Reason string
	By     string `db:"actor"`
	At     Time
}

// MoveMost is how many deliveries with one note should be moved in one transaction, for which others wait that come in.
const MoveMost = 500

// DeliveriesLike gives the ids of a store's deliveries in a state and with one note.
func (q queries) DeliveriesLike(ctx context.Context, store affiliate.StoreID, note string,
	state DeliveryState) ([]affiliate.DeliveryID, error) {
	var ids []affiliate.DeliveryID
	// spelled out: the index of failed deliveries is partial
	err := q.List(ctx, &ids, `SELECT id FROM deliveries WHERE state = '`+string(state)+
		`' AND store_id = ? AND note = ? ORDER BY id`, store, note)
	return ids, err
}

// DeliveriesToMove gives the deliveries of c.IDs that are in a state, by id, without payloads, and holds them until the
// transaction ends. With a store and a note in c, those that have them no more are left out. Otherwise all must exist,
// NotFound if not, and be in one of two states, of which the second is where they are to go: Conflict if not.
func (tx *Tx) DeliveriesToMove(ctx context.Context, c DeliveryChoice, from, to DeliveryState) ([]Delivery, error) {
	const columns = `SELECT id, store_id, state, note FROM deliveries WHERE `
	var list []Delivery
	ids := slices.Clone(c.IDs)
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), 500) {
		var found []Delivery
		if c.Store != 0 {
			err := tx.ListIn(ctx, &found, columns+`id IN (?) AND state = ? AND store_id = ? AND note = ? ORDER BY id`+
				tx.d.lockRows, part, from, c.Store, c.Note)
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
			continue
		}
		if err := tx.ListIn(ctx, &found, columns+`id IN (?) ORDER BY id`+tx.d.lockRows, part); err != nil {
			return nil, err
		}
		for i, id := range part {
			if i >= len(found) || found[i].ID != id {
				return nil, affiliate.ForPeople(affiliate.Errorf(affiliate.NotFound, "there is no delivery %s", id),
					"a delivery that you chose is no longer there; it may have been removed by its age")
			}
			switch d := found[i]; d.State {
			case from:
				list = append(list, d)
			case to: // as it is to be
			default:
				err := affiliate.Errorf(affiliate.Conflict, "delivery %s is %s, not %s", id, d.State, from)
				return nil, affiliate.ForPeople(err, fmt.Sprintf("a delivery that you chose is %s by now, not %s",
					strings.ReplaceAll(string(d.State), "_", " "), strings.ReplaceAll(string(from), "_", " ")))
			}
		}
	}
	return list, nil
}

// SetDeliveriesAside takes failed deliveries out of what counts as trouble, and their stores' warnings about them with
// it. The ids are those of DeliveriesToMove.
func (tx *Tx) SetDeliveriesAside(ctx context.Context, list []Delivery, why SetAside) error {
	var args []any
	for _, d := range list {
		args = append(args, d.ID, why.Reason, why.By, why.At)
	}
	if err := tx.insertRows(ctx, "set_asides (delivery_id, reason, actor, at)", 4, args, "", nil); err != nil {
		return err
	}
	return tx.moveDeliveries(ctx, list, DeliverySetAside)
}

// PutDeliveriesBack makes set-aside deliveries failed ones again.
func (tx *Tx) PutDeliveriesBack(ctx context.Context, list []Delivery) error {
	for part := range slices.Chunk(list, 500) {
		if err := tx.execIn(ctx, `DELETE FROM set_asides WHERE delivery_id IN (?)`, deliveryIDs(part)); err != nil {
			return err
		}
	}
	return tx.moveDeliveries(ctx, list, DeliveryFailed)
}

func (tx *Tx) moveDeliveries(ctx context.Context, list []Delivery, to DeliveryState) error {
	for part := range slices.Chunk(list, 500) {
		if err := tx.execIn(ctx, `UPDATE deliveries SET state = ? WHERE id IN (?)`, to, deliveryIDs(part)); err != nil {
			return err
		}
	}
	return nil
}

func deliveryIDs(list []Delivery) []affiliate.DeliveryID {
	ids := make([]affiliate.DeliveryID, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	return ids
}

// SetAside gives why a delivery was set aside; NotFound when it was not.
func (q queries) SetAside(ctx context.Context, id affiliate.DeliveryID) (SetAside, error) {
	var why SetAside
	err := q.Get(ctx, &why, `SELECT reason, actor, at FROM set_asides WHERE delivery_id = ?`, id)
	return why, err
}

// FailedLike counts the failed deliveries of a store with one note.
func (q queries) FailedLike(ctx context.Context, store affiliate.StoreID, note string) (n int64, err error) {
	err = q.Get(ctx, &n, `SELECT COUNT(*) FROM deliveries WHERE state = 'failed' AND store_id = ? AND note = ?`, store, note)
	return n, err
}
