package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// SetAside gives up on failed deliveries that can never succeed, for a reason, and says how many. They are kept, can be
// replayed, and count as trouble no more. Those that were set aside before stay as they are.
func (a *App) SetAside(ctx context.Context, choice storage.DeliveryChoice, reason string) (int64, error) {
	reason = strings.TrimSpace(cleanText(reason))
	if reason == "" || len(reason) > MaxReason {
		return 0, affiliate.FieldErrorf("reason", "must have 1 to %d bytes: say why the deliveries are given up on",
			MaxReason)
	}
	return a.moveDeliveries(ctx, choice, storage.DeliveryFailed, storage.DeliverySetAside, reason)
}

// PutBack takes back that deliveries were set aside: they are failed again. It says how many.
func (a *App) PutBack(ctx context.Context, choice storage.DeliveryChoice) (int64, error) {
	return a.moveDeliveries(ctx, choice, storage.DeliverySetAside, storage.DeliveryFailed, "")
}

// moveDeliveries moves deliveries that are named by id all at once or not at all; there are few. Those of a note may be
// a store's of months: they are moved in parts, each with an entry of its own in the audit log, and a run that was cut
// short is completed by asking again.
func (a *App) moveDeliveries(ctx context.Context, choice storage.DeliveryChoice, from, to storage.DeliveryState,
	reason string) (n int64, err error) {
	if err := checkChoice(choice); err != nil {
		return 0, err
	}
	if len(choice.IDs) > 0 {
		return a.movePart(ctx, choice, from, to, reason)
	}
	ids, err := a.DB.DeliveriesLike(ctx, choice.Store, choice.Note, from)
	if err != nil {
		return 0, err
	}
	for len(ids) > 0 {
		choice.IDs = ids[:min(len(ids), storage.MoveMost)]
		ids = ids[len(choice.IDs):]
		part, err := a.movePart(storage.NotAlongside(ctx), choice, from, to, reason)
		n += part
		if err != nil {
			return n, err
		}
		a.letOthersIn(ctx, len(ids) > 0)
	}
	return n, a.DB.InTx(ctx, func(*storage.Tx) error { return nil }) // with what is to be done alongside
}

func (a *App) movePart(ctx context.Context, choice storage.DeliveryChoice, from, to storage.DeliveryState,
	reason string) (n int64, err error) {
	var stores []affiliate.StoreID
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		list, err := tx.DeliveriesToMove(ctx, choice, from, to)
		if err != nil {
			return err
		}
		n, stores = int64(len(list)), nil
		action := "delivery.set_aside"
		if to == storage.DeliverySetAside {
			err = tx.SetDeliveriesAside(ctx, list, storage.SetAside{Reason: reason, By: actor(ctx),
				At: storage.At(a.now())})
		} else {
			action = "delivery.put_back"
			err = tx.PutDeliveriesBack(ctx, list)
		}
		if err != nil {
			return err
		}
		for id, of := range byStore(list) {
			stores = append(stores, id)
			after := facts{"deliveries": named(of)}
			if reason != "" {
				after["reason"] = reason
				if err := a.quietWarning(ctx, tx, id, of); err != nil {
					return err
				}
			}
			if err := a.audit(ctx, tx, action, id, nil, after); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	a.touched(stores)
	return n, nil
}

func checkChoice(c storage.DeliveryChoice) error {
	switch byNote := c.Store != 0 || c.Note != ""; {
	case len(c.IDs) > 0 && byNote:
		return affiliate.FieldErrorf("deliveries", "cannot be given together with store and note")
	case len(c.IDs) == 0 && !byNote:
		return affiliate.FieldErrorf("deliveries", "is needed: ids such as dlv_1, or instead store and note")
	case byNote && c.Store == 0:
		return affiliate.FieldErrorf("store", "is needed with note")
	case byNote && c.Note == "":
		return affiliate.FieldErrorf("note", "is needed with store: the whole note, as the deliveries have it")
	}
	return nil
}

func byStore(list []storage.Delivery) map[affiliate.StoreID][]storage.Delivery {
	m := map[affiliate.StoreID][]storage.Delivery{}
	for _, d := range list {
		m[d.StoreID] = append(m[d.StoreID], d)
	}
	return m
}

// named names deliveries for the audit log: the first ones by id.
func named(list []storage.Delivery) string {
	const most = 20
	var ids []string
	for _, d := range list[:min(len(list), most)] {
		ids = append(ids, d.ID.String())
	}
	text := strings.Join(ids, ", ")
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// quietWarning takes a store's warning away when it is about one of the deliveries.
func (a *App) quietWarning(ctx context.Context, tx *storage.Tx, id affiliate.StoreID, list []storage.Delivery) error {
	store, err := tx.Store(ctx, id)
	if affiliate.KindOf(err) == affiliate.NotFound || err == nil && store.Warning == "" {
		return nil
	}
	if err == nil && slices.ContainsFunc(list, func(d storage.Delivery) bool {
		return strings.HasSuffix(store.Warning, aboutDelivery(d.ID))
	}) {
		_, err = tx.DismissWarning(ctx, id, store.Warning)
	}
	return err
}

// aboutDelivery ends a warning that a delivery led to.
func aboutDelivery(id affiliate.DeliveryID) string { return " (delivery " + id.String() + ")" }

// touched tells open pages that stores' deliveries have changed.
func (a *App) touched(stores []affiliate.StoreID) {
	if a.Live == nil || len(stores) == 0 {
		return
	}
	changes := make([]affiliate.Change, len(stores))
	for i, id := range stores {
		changes[i] = affiliate.Change{Store: id}
	}
	a.Live.Publish(changes)
}
