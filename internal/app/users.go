package app

import (
	"context"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// AddUser makes a user. Conflict when the e-mail address is taken.
func (a *App) AddUser(ctx context.Context, u affiliate.User, password string) (affiliate.User, error) {
	return a.addUser(ctx, u, password, func(*storage.Tx) error { return nil })
}

// AddFirstOwner makes the owner of a fresh installation, for whoever has the key of its set-up link. Conflict when
// there is a user already, Forbidden with another key; address is the network address of who asks.
func (a *App) AddFirstOwner(ctx context.Context, key string, u affiliate.User, password,
	address string) (affiliate.User, error) {
	if err := noUsers(ctx, a.DB.HasUsers); err != nil {
		return u, err
	}
	if !a.IsSetupKey(key) {
		a.Refused(RefusedSetup, address)
		return u, affiliate.Errorf(affiliate.Forbidden, "%s", SetupRemedy)
	}
	u.Role = affiliate.RoleOwner
	return a.addUser(ctx, u, password, func(tx *storage.Tx) error { return noUsers(ctx, tx.HasUsers) })
}

// noUsers gives a Conflict when there is a user.
func noUsers(ctx context.Context, hasUsers func(context.Context) (bool, error)) error {
	has, err := hasUsers(ctx)
	if err == nil && has {
		err = affiliate.Errorf(affiliate.Conflict,
			"this installation has an owner already; sign in, or ask them for an account")
	}
	return err
}

// freeEmail gives a Conflict when somebody has an account with an e-mail address.
func (a *App) freeEmail(ctx context.Context, email string) error {
	switch _, _, err := a.DB.UserByEmail(ctx, email); affiliate.KindOf(err) {
	case affiliate.NotFound:
		return nil
	case "":
		if err == nil {
			err = &affiliate.Error{Kind: affiliate.Conflict, Field: "email", Message: email + " has an account already"}
		}
		return err
	default:
		return err
	}
}

func (a *App) addUser(ctx context.Context, u affiliate.User, password string,
	allowed func(*storage.Tx) error) (affiliate.User, error) {
	u.Email, u.Name = affiliate.FoldEmail(u.Email), strings.TrimSpace(u.Name)
	u.CreatedAt, u.UpdatedAt = a.now(), a.now()
	if err := u.Validate(); err != nil {
		return u, err
	}
	if err := u.ValidatePassword("password", password); err != nil {
		return u, err
	}
	if err := a.freeEmail(ctx, u.Email); err != nil {
		return u, err
	}
	hash, err := a.hashNew(ctx, password)
	if err != nil {
		return u, err
	}
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.User, error) {
		if err := allowed(tx); err != nil {
			return u, err
		}
		created, err := tx.CreateUser(ctx, u, hash)
		if err != nil {
			return u, err
		}
		return created, a.audit(ctx, tx, "user.add", created.ID, nil, userFacts(created))
	})
}

// ChangeUser alters name, role, the right to pay, and whether a user may sign in. The last owner stays one. Whoever may
// no longer sign in, has another role, or may pay no longer, is signed out everywhere.
func (a *App) ChangeUser(ctx context.Context, id affiliate.UserID,
	change func(*affiliate.User) error) (affiliate.User, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.User, error) {
		before, err := tx.User(ctx, id)
		if err != nil {
			return before, err
		}
		after := before
		if err := change(&after); err != nil || after == before {
			return before, err
		}
		after.Name, after.UpdatedAt = strings.TrimSpace(after.Name), a.now()
		if err := after.Validate(); err != nil {
			return before, err
		}
		if err := tx.SaveUser(ctx, after); err != nil {
			return before, err
		}
		if owners, err := tx.WorkingOwners(ctx); err != nil || owners == 0 {
			if err == nil {
				err = affiliate.Errorf(affiliate.Conflict,
					"%s is the last owner who can sign in; make another owner first", before.Name)
			}
			return before, err
		}
		less := before.MayPay && !after.MayPay
		if less || after.Role != before.Role || after.DisabledAt != before.DisabledAt {
			if err := tx.EndSessions(ctx, id, nil); err != nil {
				return before, err
			}
		}
		return after, a.audit(ctx, tx, "user.change", id, userFacts(before), userFacts(after))
	})
}

// SetNumbers keeps how a person reads numbers. It changes nothing for anybody else, so the audit log leaves it out.
func (a *App) SetNumbers(ctx context.Context, id affiliate.UserID, style affiliate.NumberStyle) error {
	if style != "" {
		if err := affiliate.CheckWord("numbers", style); err != nil {
			return err
		}
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error { return tx.SetNumbers(ctx, id, style, a.now()) })
}

func userFacts(u affiliate.User) facts {
	return facts{"email": u.Email, "name": u.Name, "role": u.Role, "may_pay": u.MayPay,
		"disabled_at": auditTime(u.DisabledAt)}
}

// SetUserPassword gives a user a new password and signs them out everywhere else; keep is the token of the session that
// stays, empty for none.
func (a *App) SetUserPassword(ctx context.Context, id affiliate.UserID, password, keep string) error {
	u, err := a.DB.User(ctx, id)
	if err != nil {
		return err
	}
	if err := u.ValidatePassword("password", password); err != nil {
		return err
	}
	hash, err := a.hashNew(ctx, password)
	if err != nil {
		return err
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.User(ctx, id); err != nil {
			return err
		}
		if err := tx.SetPassword(ctx, id, hash, a.now()); err != nil {
			return err
		}
		if err := tx.EndSessions(ctx, id, sessionHash(keep)); err != nil {
			return err
		}
		return a.audit(ctx, tx, "user.password", id, nil, nil)
	})
}

// ChangeOwnPassword is SetUserPassword for somebody who is signed in by the session keep and knows the present one.
// Invalid of the field current_password when they do not; failures make the session wait, and nobody else.
func (a *App) ChangeOwnPassword(ctx context.Context, u affiliate.User, current, password, keep, address string) error {
	if err := u.ValidatePassword("password", password); err != nil {
		return err
	}
	if err := a.Prove(ctx, u, current, keep, address); err != nil {
		return err
	}
	return a.SetUserPassword(ctx, u.ID, password, keep)
}
