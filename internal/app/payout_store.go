package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

const (
	// mostGiven is how many payouts are given in a store in one go: then others have their turn with it.
	mostGiven = 100
	// settleTime is how long a request whose answer was lost has to take effect before it is looked for.
	settleTime = time.Minute
	longestPut = time.Hour
)

// storeAsk is what is written down of a payout before a store is asked to give it.
type storeAsk struct {
	Account affiliate.CreditAccount `json:"account"`
	Code    string                  `json:"code,omitempty"` // of a gift card
}

// workStorePart gives what a part of a store's rail has to give, and says what became of each payout. Each is written
// down before the store is asked for it, and what was written down is looked for there before it is asked for again.
func (a *App) workStorePart(ctx context.Context, part affiliate.PayoutPart) error {
	err := a.WithStoreLease(ctx, part.StoreID, func(ctx context.Context) error {
		return a.giveInStore(affiliate.InBackground(ctx), part.ID)
	})
	if errors.Is(err, ErrBusy) { // whoever has the store has it for a while
		return a.changePart(ctx, part.ID, func(p *affiliate.PayoutPart) { p.NextAt = a.now().Add(leaseBeat) })
	}
	return err
}

// givenStore gives the payouts of a part.
type givenStore struct {
	app    *App
	store  affiliate.Store
	client CreditClient
	part   affiliate.PayoutPart
}

func (a *App) giveInStore(ctx context.Context, id affiliate.PayoutPartID) error {
	part, err := a.DB.PayoutPart(ctx, id) // as whoever had the store before has left it
	if err != nil || part.NextAt.IsZero() {
		return err
	}
	store, err := a.DB.Store(ctx, part.StoreID)
	if err != nil {
		return err
	}
	client, why, err := a.creditClient(ctx, store)
	if err != nil {
		return err
	}
	if client == nil {
		return a.putPartOff(ctx, part, why)
	}
	s := &givenStore{a, store, client, part}
	open, err := s.open(ctx)
	if err != nil {
		return err
	}
	trouble := ""
	for i, p := range open {
		if i == mostGiven || turnOver(ctx) {
			return a.changePart(ctx, id, func(p *affiliate.PayoutPart) {
				p.NextAt, p.Tries, p.Trouble = a.now(), 0, clipNote(trouble)
			})
		}
		err := s.give(ctx, p)
		if affiliate.KindOf(err) == affiliate.NotFound { // nobody can tell but a person; the others go on
			trouble, err = fmt.Sprintf("%s (%s): %s", p.Creator, p.Ref, sentenceOf(err)), nil
		}
		if err != nil {
			if _, sentence := storeTrouble(err); sentence != "" && ctx.Err() == nil {
				return errors.Join(err, a.putPartOff(ctx, part, sentence))
			}
			return err
		}
	}
	if trouble != "" {
		return a.putPartOff(ctx, part, trouble)
	}
	return a.changePart(ctx, id, func(p *affiliate.PayoutPart) {
		p.State, p.NextAt, p.Trouble = affiliate.PartSent, time.Time{}, ""
	})
}

// creditClient gives the client by which a store's customers are given credit. Without one why is the reason, as a
// sentence with its remedy.
func (a *App) creditClient(ctx context.Context, store affiliate.Store) (client CreditClient, why string, err error) {
	access, err := a.DB.StoreAccess(ctx, store.ID)
	guide := a.Platforms.Guide(store.Platform)
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		return nil, "The store's API is not connected: connect it on the store's page.", nil
	case err != nil:
		return nil, "", err
	case guide.Access != nil && len(guide.Access.CreditNeeds) > 0:
		if _, _, lacks := guide.Access.Lacks(strings.Fields(access.Missing)); len(lacks) > 0 {
			return nil, "The store's keys may not give credit: allow them " + strings.Join(lacks, ", ") +
				" and connect the store again.", nil
		}
	}
	one, err := a.clientOf(store, access)
	if err != nil {
		return nil, "", a.asked(ctx, store.ID, err)
	}
	client, ok := one.(CreditClient)
	if !ok {
		return nil, guide.Name + " stores give no credit and no gift cards: pay these payouts otherwise.", nil
	}
	return client, "", nil
}

// open lists the payouts of the part of which it is not known yet what became of them.
func (s *givenStore) open(ctx context.Context) (open []storage.NamedPayout, err error) {
	list, err := s.app.DB.PartPayouts(ctx, s.part.ID)
	for _, p := range list {
		if p.State == affiliate.PayoutReady || p.State == affiliate.PayoutPending {
			open = append(open, p)
		}
	}
	return open, err
}

// give gives one payout. An error leaves open whether it was given; the payout is pending then, or ready as before.
// NotFound: it was asked for, and where to look for it is gone.
func (s *givenStore) give(ctx context.Context, p storage.NamedPayout) error {
	now, err := s.app.DB.Payout(ctx, p.ID) // somebody may have canceled it, or said by hand what became of it
	if err != nil || now.State != p.State {
		return err
	}
	ask, err := s.app.openAsk(now)
	if err != nil {
		return err
	}
	if p.State == affiliate.PayoutReady {
		if ask, err = s.prepare(ctx, p); affiliate.KindOf(err) == affiliate.NotFound {
			return s.said(ctx, p, PayoutNews{State: affiliate.PayoutFailed, Words: sentenceOf(err)})
		}
		if err != nil {
			return err
		}
		if going, err := s.intend(ctx, p.ID, ask); err != nil || !going {
			return err
		}
	} else {
		ref, err := s.lookFor(ctx, p, ask)
		if err != nil {
			return err
		}
		if ref != "" {
			return s.said(ctx, p, PayoutNews{State: affiliate.PayoutPaid, ProviderRef: ref})
		}
	}
	return s.ask(ctx, p, ask)
}

// prepare finds the customer of a payout, and draws the code of a gift card. NotFound where there is no customer.
func (s *givenStore) prepare(ctx context.Context, p storage.NamedPayout) (ask storeAsk, err error) {
	details, err := s.app.openDetails(p.Destination)
	if err != nil {
		return ask, err
	}
	email := cmp.Or(details.Email, p.Email)
	if email == "" {
		return ask, affiliate.Errorf(affiliate.NotFound, "There is no e-mail address by which the store knows them. "+
			"Enter it in their payment details.")
	}
	ask.Account, err = s.client.CreditAccount(ctx, email, p.Currency)
	if p.Rail == affiliate.RailGiftCard {
		ask.Code = affiliate.NewGiftCode()
	}
	return ask, s.app.asked(ctx, s.store.ID, err)
}

// intend writes down what the store is about to be asked; false where the payout was canceled meanwhile.
func (s *givenStore) intend(ctx context.Context, id affiliate.PayoutID, ask storeAsk) (going bool, err error) {
	text, err := json.Marshal(ask)
	if err != nil {
		return false, err
	}
	a := s.app
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		list, err := tx.LockPayouts(ctx, []affiliate.PayoutID{id})
		if err != nil {
			return err
		}
		if going = len(list) == 1 && list[0].State == affiliate.PayoutReady; !going {
			return nil
		}
		list[0].Asked = a.Sealer.Seal(SealStoreAsk, text)
		if _, err := a.turn(ctx, tx, list, func(affiliate.Payout) affiliate.PayoutState {
			return affiliate.PayoutPending
		}, ""); err != nil {
			return err
		}
		run, err := tx.LockPayoutRun(ctx, list[0].RunID)
		if err != nil {
			return err
		}
		if run.State == affiliate.PayRunConfirmed {
			run.State, run.SentAt = affiliate.PayRunSent, a.now()
			if err := tx.SavePayoutRun(ctx, run); err != nil {
				return err
			}
		}
		part, file, err := tx.LockPayoutPart(ctx, s.part.ID)
		if err != nil || part.State != affiliate.PartReady {
			return err
		}
		part.State, part.FirstAt, part.SentAt = affiliate.PartTrying, a.now(), a.now()
		return tx.SavePayoutPart(ctx, part, file)
	})
	return going, err
}

// openAsk gives what was written down of a payout; zero where nothing was.
func (a *App) openAsk(p affiliate.Payout) (ask storeAsk, err error) {
	if len(p.Asked) == 0 {
		return ask, nil
	}
	plain, err := a.Sealer.Open(SealStoreAsk, p.Asked)
	if err == nil {
		err = json.Unmarshal(plain, &ask)
	}
	if err != nil {
		return ask, fmt.Errorf("read what was asked of the store for %s: %w", p.ID, err)
	}
	return ask, nil
}

// lookFor gives the store's id of what a payout is that was asked for without its answer having come here; empty where
// it is not found. A gift card has our code. Of credit a store keeps no reference of ours: it is the oldest one of the
// amount, since the account was looked at, that is no other payout.
func (s *givenStore) lookFor(ctx context.Context, p storage.NamedPayout, ask storeAsk) (string, error) {
	if p.Rail == affiliate.RailGiftCard {
		id, err := s.client.FindGiftCard(ctx, s.giftCard(p, ask))
		return id, s.app.asked(ctx, s.store.ID, err)
	}
	list, err := s.client.CreditsSince(ctx, ask.Account, p.Currency)
	if err := s.app.asked(ctx, s.store.ID, err); err != nil {
		return "", err
	}
	var same []string
	for _, c := range list {
		if c.Amount == p.Amount {
			same = append(same, c.ID)
		}
	}
	if len(same) == 0 {
		return "", nil
	}
	others, err := s.app.DB.CreditsOfPayouts(ctx, s.store.ID, same)
	found := ""
	for _, id := range same { // newest first
		if !others[id] {
			found = id
		}
	}
	return found, err
}

// ask has the store give a payout that is written down.
func (s *givenStore) ask(ctx context.Context, p storage.NamedPayout, ask storeAsk) (err error) {
	news := PayoutNews{State: affiliate.PayoutPaid}
	if p.Rail == affiliate.RailGiftCard {
		news.ProviderRef, err = s.client.MakeGiftCard(ctx, s.giftCard(p, ask))
	} else {
		news.ProviderRef, err = s.client.GiveCredit(ctx, ask.Account.Customer, p.Amount, p.Currency)
	}
	var refused *affiliate.ProviderError
	if errors.As(err, &refused) && refused.Unpaid {
		if p.Rail == affiliate.RailGiftCard && p.State == affiliate.PayoutPending {
			return affiliate.Errorf(affiliate.NotFound, "An answer of the store was lost, and now it says: %s Look in "+
				"the store for a gift card with this note, and say by hand what became of it", refused.Words)
		}
		news, err = PayoutNews{State: affiliate.PayoutFailed, Words: refused.Words}, nil
	}
	if err := s.app.asked(ctx, s.store.ID, err); err != nil {
		return err
	}
	return s.said(ctx, p, news)
}

// giftCard is the gift card that a payout is.
func (s *givenStore) giftCard(p storage.NamedPayout, ask storeAsk) affiliate.NewGiftCard {
	return affiliate.NewGiftCard{Code: ask.Code, Customer: ask.Account.Customer, Amount: p.Amount, Currency: p.Currency,
		Note: p.Ref}
}

// said takes what the store has said of a payout.
func (s *givenStore) said(ctx context.Context, p storage.NamedPayout, news PayoutNews) error {
	news.Payout, news.Own = p.ID, true
	_, err := s.app.TurnPayouts(ctx, s.store.Name, []PayoutNews{news})
	return err
}

// putPartOff says why a part does not get on, and has it tried again: after a minute first, after an hour at most.
func (a *App) putPartOff(ctx context.Context, part affiliate.PayoutPart, why string) error {
	return a.changePart(ctx, part.ID, func(p *affiliate.PayoutPart) {
		p.NextAt = a.now().Add(min(settleTime<<min(p.Tries, 6), longestPut))
		p.Tries, p.Trouble = p.Tries+1, clipNote(why)
	})
}

// changePart changes a part that is worked at; one that was canceled meanwhile stays as it is.
func (a *App) changePart(ctx context.Context, id affiliate.PayoutPartID, change func(*affiliate.PayoutPart)) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		part, err := tx.PayoutPart(ctx, id)
		if err != nil {
			return err
		}
		if _, err := tx.LockPayoutRun(ctx, part.RunID); err != nil {
			return err
		}
		part, file, err := tx.LockPayoutPart(ctx, id)
		if err != nil || part.State == affiliate.PartCanceled {
			return err
		}
		change(&part)
		return tx.SavePayoutPart(ctx, part, file)
	})
}

// GiftCode gives the code of the gift card that a payout is, for those who may pay; empty of other payouts, and as long
// as the store was not asked for it. NotFound where there is no such payout.
func (a *App) GiftCode(ctx context.Context, id affiliate.PayoutID) (string, error) {
	p, err := a.DB.Payout(ctx, id)
	if err != nil || p.State.Back() {
		return "", err
	}
	ask, err := a.openAsk(p)
	return ask.Code, err
}
