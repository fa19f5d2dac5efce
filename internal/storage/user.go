package storage

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// userRow is a user with what only its table says.
type userRow struct {
	affiliate.User
	Password string // hash
}

var (
	userTable   = tableOf[userRow]("users").keeping("email", "password")
	userColumns = columnsOf[affiliate.User]()
)

// User gives one user; NotFound when there is none.
func (q queries) User(ctx context.Context, id affiliate.UserID) (affiliate.User, error) {
	return getOne[affiliate.User](ctx, q, id, `SELECT `+userColumns.of("")+` FROM users WHERE id = ?`, id)
}

// UserByEmail gives a user by the folded e-mail address, with the hash of the password; NotFound when there is none.
func (q queries) UserByEmail(ctx context.Context, email string) (affiliate.User, string, error) {
	var row userRow
	err := q.Get(ctx, &row, `SELECT `+columnsOf[userRow]().of("")+` FROM users WHERE email = ?`, email)
	return row.User, row.Password, err
}

// Users lists users by id, disabled ones included.
func (q queries) Users(ctx context.Context, p Page) ([]affiliate.User, string, error) {
	return paged[affiliate.User](ctx, q, `SELECT `+userColumns.of("")+` FROM users`, Filter{}, byID, p)
}

// HasUsers says whether anybody can ever have signed in.
func (q queries) HasUsers(ctx context.Context) (bool, error) {
	var n int
	err := q.Get(ctx, &n, `SELECT CASE WHEN EXISTS (SELECT 1 FROM users) THEN 1 ELSE 0 END`)
	return n > 0, err
}

// WorkingOwners counts the owners who may sign in.
func (q queries) WorkingOwners(ctx context.Context) (n int, err error) {
	err = q.Get(ctx, &n, `SELECT COUNT(*) FROM users WHERE role = 'owner' AND disabled_at IS NULL`)
	return n, err
}

// CreateUser keeps a new user. Conflict when the e-mail address is taken.
func (tx *Tx) CreateUser(ctx context.Context, u affiliate.User, passwordHash string) (affiliate.User, error) {
	_, _, err := tx.UserByEmail(ctx, u.Email)
	if err := notTaken(err, err == nil, "email", "%s has an account already", u.Email); err != nil {
		return u, err
	}
	err = userTable.create(ctx, tx, userRow{u, passwordHash}, &u.ID)
	return u, err
}

// SaveUser writes name, role and whether the user may sign in.
func (tx *Tx) SaveUser(ctx context.Context, u affiliate.User) error {
	return userTable.save(ctx, tx, userRow{User: u})
}

// SetNumbers writes how a user reads numbers.
func (tx *Tx) SetNumbers(ctx context.Context, id affiliate.UserID, style affiliate.NumberStyle, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE users SET numbers = ?, updated_at = ? WHERE id = ?`, style, At(now), id)
	return err
}

// SetPassword writes the hash of a user's password.
func (tx *Tx) SetPassword(ctx context.Context, id affiliate.UserID, passwordHash string, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE users SET password = ?, updated_at = ? WHERE id = ?`, passwordHash, At(now), id)
	return err
}

// Session is one sign-in of a user on one device.
type Session struct {
	User      affiliate.User
	CreatedAt Time
	SeenAt    Time
	ExpiresAt Time
	ProvedAt  Time          // when the person last proved who they are
	Before    FailedSignIns // those that had failed before it began
}

// FailedSignIns are those of one person since the last one that did not fail.
type FailedSignIns struct {
	Failures int
	Places   int  // networks that they came from
	LastAt   Time `db:"last_at"`
}

// CreateSession keeps a session by the SHA-256 of its token, with the sign-ins that failed before it.
func (tx *Tx) CreateSession(ctx context.Context, hash []byte, user affiliate.UserID, now,
	expires time.Time) (failed FailedSignIns, err error) {
	if failed, err = tx.FailedSignIns(ctx, user); err != nil {
		return failed, err
	}
	if _, err := tx.exec(ctx, `DELETE FROM failed_sign_ins WHERE user_id = ?`, user); err != nil {
		return failed, err
	}
	_, err = tx.exec(ctx, `INSERT INTO sessions (hash, user_id, created_at, seen_at, expires_at, proved_at, failures, failed_places, failed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, hash, user, At(now), At(now), At(expires), At(now), failed.Failures, failed.Places, failed.LastAt)
	return failed, err
}

// FailedSignIns gives the sign-ins of a person that failed since the last one that did not.
func (q queries) FailedSignIns(ctx context.Context, user affiliate.UserID) (f FailedSignIns, err error) {
	err = q.Get(ctx, &f, `SELECT COALESCE(SUM(failures), 0) AS failures, COUNT(*) AS places, MAX(last_at) AS last_at FROM failed_sign_ins WHERE user_id = ?`, user)
	return f, err
}

// SessionByHash gives a session that has not expired and whose user may sign in; NotFound otherwise.
func (q queries) SessionByHash(ctx context.Context, hash []byte, now time.Time) (Session, error) {
	var row struct {
		affiliate.User
		Began   Time
		SeenAt  Time `db:"seen_at"`
		Expires Time
		Proved  Time

		Failures int
		Places   int
		FailedAt Time `db:"failed_at"`
	}
	err := q.Get(ctx, &row, `SELECT `+userColumns.of("u")+`, s.created_at AS began, s.seen_at, s.expires_at AS expires, s.failures,
		s.failed_places AS places, s.failed_at, COALESCE(s.proved_at, s.created_at) AS proved FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = ? AND s.expires_at > ? AND u.disabled_at IS NULL`, hash, At(now))
	return Session{User: row.User, CreatedAt: row.Began, SeenAt: row.SeenAt, ExpiresAt: row.Expires,
		ProvedAt: row.Proved,
		Before:   FailedSignIns{row.Failures, row.Places, row.FailedAt}}, err
}

// ProveSession notes that the person of a session has proved again who they are.
func (db *DB) ProveSession(ctx context.Context, hash []byte, now time.Time) error {
	_, err := db.exec(ctx, `UPDATE sessions SET proved_at = ? WHERE hash = ?`, At(now), hash)
	return err
}

// TouchSession notes that a session is in use, and lets it live until expires.
func (db *DB) TouchSession(ctx context.Context, hash []byte, now, expires time.Time) error {
	_, err := db.exec(ctx, `UPDATE sessions SET seen_at = ?, expires_at = ? WHERE hash = ?`, At(now), At(expires), hash)
	return err
}

// EndSession ends one session.
func (db *DB) EndSession(ctx context.Context, hash []byte) error {
	_, err := db.exec(ctx, `DELETE FROM sessions WHERE hash = ?`, hash)
	return err
}

// EndSessions ends all sessions of a user but the one with the hash keep, which may be nil, and sign-ins that await a
// code.
func (tx *Tx) EndSessions(ctx context.Context, user affiliate.UserID, keep []byte) error {
	if keep == nil {
		keep = []byte{}
	}
	if _, err := tx.exec(ctx, `DELETE FROM half_sign_ins WHERE user_id = ?`, user); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM sessions WHERE user_id = ? AND hash <> ?`, user, keep)
	return err
}

// CreateHalfSignIn keeps a sign-in that awaits a code, by the SHA-256 of its token.
func (db *DB) CreateHalfSignIn(ctx context.Context, hash []byte, user affiliate.UserID, expires time.Time) error {
	_, err := db.exec(ctx, `INSERT INTO half_sign_ins (hash, user_id, expires_at) VALUES (?, ?, ?)`, hash, user, At(expires))
	return err
}

// HalfSignIn gives who awaits a code; NotFound when it has expired or ended, or when they may not sign in.
func (q queries) HalfSignIn(ctx context.Context, hash []byte, now time.Time) (affiliate.User, error) {
	return getOne[affiliate.User](ctx, q, named("such sign-in"), `SELECT `+userColumns.of("u")+` FROM half_sign_ins h
		JOIN users u ON u.id = h.user_id WHERE h.hash = ? AND h.expires_at > ? AND u.disabled_at IS NULL`, hash, At(now))
}

// EndHalfSignIn ends a sign-in that awaits a code; false when it has ended already.
func (tx *Tx) EndHalfSignIn(ctx context.Context, hash []byte) (bool, error) {
	n, err := tx.exec(ctx, `DELETE FROM half_sign_ins WHERE hash = ?`, hash)
	return n > 0, err
}

// PurgeSessions deletes sessions and half sign-ins that have expired, and failures that no longer count.
func (db *DB) PurgeSessions(ctx context.Context, now, forgetFailures time.Time) error {
	for _, table := range []string{"sessions", "half_sign_ins"} {
		if _, err := db.exec(ctx, `DELETE FROM `+table+` WHERE expires_at <= ?`, At(now)); err != nil {
			return err
		}
	}
	_, err := db.exec(ctx, `DELETE FROM sign_in_failures WHERE last_at <= ?`, At(forgetFailures))
	return err
}

// SignInFailures gives how often a sign-in failed for somebody, and when last; 0 when it never did.
func (q queries) SignInFailures(ctx context.Context, who string) (n int, last time.Time, err error) {
	var row struct {
		Failures int
		LastAt   Time `db:"last_at"`
	}
	err = q.Get(ctx, &row, `SELECT failures, last_at FROM sign_in_failures WHERE who = ?`, who)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return 0, time.Time{}, nil
	}
	return row.Failures, row.LastAt.Time, err
}

// NoteSignInFailure counts a failure under several names; those before forget count no more. A person whom it concerns
// is told of it: user is 0 for nobody, place the keyed hash of the network that it came from.
func (db *DB) NoteSignInFailure(ctx context.Context, who []string, user affiliate.UserID, place string, now,
	forget time.Time) error {
	return db.InTx(ctx, func(tx *Tx) error {
		for _, name := range slices.Sorted(slices.Values(who)) { // one order, so that two never wait for each other
			if _, err := tx.exec(ctx, `INSERT INTO sign_in_failures (who, failures, last_at) VALUES (?, 1, ?) ON CONFLICT (who) DO UPDATE SET
				failures = CASE WHEN sign_in_failures.last_at <= ? THEN 1 ELSE sign_in_failures.failures + 1 END, last_at = excluded.last_at`, name, At(now), At(forget)); err != nil {
				return err
			}
		}
		if user == 0 {
			return nil
		}
		_, err := tx.exec(ctx, `INSERT INTO failed_sign_ins (user_id, place, failures, last_at) VALUES (?, ?, 1, ?) ON CONFLICT (user_id, place) DO UPDATE SET
			failures = failed_sign_ins.failures + 1, last_at = excluded.last_at`, user, place, At(now))
		return err
	})
}

// ForgetSignInFailures starts the count anew.
func (db *DB) ForgetSignInFailures(ctx context.Context, who string) error {
	_, err := db.exec(ctx, `DELETE FROM sign_in_failures WHERE who = ?`, who)
	return err
}

// Preference gives what a user chose under a name; empty when nothing was chosen.
func (q queries) Preference(ctx context.Context, user affiliate.UserID, name string) (string, error) {
	var text string
	err := q.Get(ctx, &text, `SELECT value FROM preferences WHERE user_id = ? AND name = ?`, user, name)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return "", nil
	}
	return text, err
}

// Preferences gives what a user chose under names that begin with a prefix, by name.
func (q queries) Preferences(ctx context.Context, user affiliate.UserID, prefix string) (map[string]string, error) {
	var rows []struct{ Name, Value string }
	err := q.List(ctx, &rows, `SELECT name, value FROM preferences WHERE user_id = ? AND name LIKE ? ESCAPE '\'`, user, Containing(prefix)[1:])
	chosen := make(map[string]string, len(rows))
	for _, r := range rows {
		chosen[r.Name] = r.Value
	}
	return chosen, err
}

// SetPreference keeps what a user chose; an empty value forgets it.
func (db *DB) SetPreference(ctx context.Context, user affiliate.UserID, name, text string, now time.Time) error {
	if text == "" {
		_, err := db.exec(ctx, `DELETE FROM preferences WHERE user_id = ? AND name = ?`, user, name)
		return err
	}
	_, err := db.exec(ctx, `INSERT INTO preferences (user_id, name, value, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`, user, name, text, At(now))
	return err
}
