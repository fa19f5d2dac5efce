package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Cost of a password's hash: OWASP's recommendation for argon2id (19 MiB, 2 passes, 1 lane).
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

// hashPassword gives a hash with its parameters and salt, in the usual textual form.
func hashPassword(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// checkPassword compares in constant time. A hash that cannot be read fits no password.
func checkPassword(hash, password string) bool {
	var version, memory, passes, lanes int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes,
		&lanes); err != nil || version != argon2.Version {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 || passes < 1 || memory < 8 || memory > 1<<20 || lanes < 1 || lanes > 16 {
		return false
	}
	key := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(key, want) == 1
}

// passwords bounds how many hashes are computed at once: a flood of sign-ins takes neither memory nor the processors
// from the intake, and nobody waits long. Strangers have a lane of their own, so that they delay none of those who have
// proved something: browsers that signed in before, people who are signed in, whoever has the link of a fresh
// installation. The zero value works.
type passwords struct {
	once      sync.Once
	nobody    string // the hash of a password that nobody knows
	strangers lane
	known     lane
}

// Of those who wait in a lane: one hash takes some 30 ms, so that the last of them waits for about a second.
const (
	laneLength = 32
	laneEach   = 4 // from one network
)

// lane computes one hash after the other, in the order in which they were asked for.
type lane struct {
	mu     sync.Mutex
	inside map[string]int // by network: who waits, and who is served
	all    int
	turn   chan struct{}
}

// enter waits for its turn. leave must be called at the end. The error is Unavailable when too many wait already.
func (l *lane) enter(ctx context.Context, place string) (leave func(), err error) {
	l.mu.Lock()
	if l.turn == nil {
		l.turn, l.inside = make(chan struct{}, 1), map[string]int{}
	}
	switch {
	case place != "" && l.inside[place] >= laneEach:
		err = &affiliate.Error{Kind: affiliate.Unavailable, Code: tooManyAttempts,
			Message: "too many passwords come from your network at once; try again in a moment"}
	case l.all >= laneLength:
		err = affiliate.Errorf(affiliate.Unavailable, "too many people sign in at once; try again in a moment")
	default:
		l.inside[place]++
		l.all++
	}
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; l.depart(place) }, nil
	case <-ctx.Done():
		l.depart(place)
		return nil, ctx.Err()
	}
}

func (l *lane) depart(place string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.inside[place]--; l.inside[place] == 0 {
		delete(l.inside, place)
	}
}

// unknown is a hash that no password fits, for those whom nobody knows: they wait as long as everybody else.
func (p *passwords) unknown() string {
	p.once.Do(func() {
		random := make([]byte, 32)
		_, _ = rand.Read(random) // never fails
		p.nobody = hashPassword(string(random))
	})
	return p.nobody
}

// hashNew hashes the new password of somebody for whoever may set it. Everything that is cheap to check comes before.
func (a *App) hashNew(ctx context.Context, password string) (string, error) {
	leave, err := a.passwords.known.enter(ctx, Asker(ctx).ID)
	if err != nil {
		return "", err
	}
	defer leave()
	return hashPassword(password), nil
}
