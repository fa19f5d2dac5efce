package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func TestCheckCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		s.run("migrate").exits(0)
		if out := s.run("check").exits(0).stdout; !strings.Contains(out, "All sums equal the facts") {
			s.Errorf("an empty database: %s", out)
		}
		s.byHand(`INSERT INTO balances (offer_member_id, creator_id, campaign_id, currency, balance, paid) VALUES (1, 1, 1, 'EUR', 500, 0)`)
		s.run("check").exits(1, "balances holds what the facts add up to", "balance=500", "--repair")
		if out := s.run("check", "--json").exits(1).json(); out["ok"] != false || len(out["findings"].([]any)) != 1 {
			s.Errorf("got %v", out)
		}
		s.run("check", "--repair").exits(0)
		if out := s.run("check", "--json").exits(0).json(); out["ok"] != true || len(out["findings"].([]any)) != 0 {
			s.Errorf("after the repair: %v", out)
		}
	})
}

// TestAttack_damaged_database: a file of which pages in the middle were overwritten, as a failing disk does, is told
// with the remedy, whatever is hit. A row that refers to nothing is, too.
func TestAttack_damaged_database(t *testing.T) {
	env := embedded(t)
	s := shell{T: t, env: env}
	s.addStore("woo").exits(0)
	s.run("check").exits(0)
	path := env.config(t).DatabasePath()
	whole, err := os.ReadFile(path)
	ok(t, err)
	told := 0
	const page = 4096
	for first := 1; first+4 < len(whole)/page; first += max(1, len(whole)/page/attack.Size(12, 200)) {
		broken := bytes.Clone(whole)
		for i := first * page; i < (first+4)*page; i++ {
			broken[i] ^= 0xa5
		}
		ok(t, os.WriteFile(path, broken, 0o600))
		r := s.run("check")
		if r.code == 0 {
			t.Errorf("pages %d to %d are overwritten, and the check is good", first, first+3)
			continue
		}
		if !strings.Contains(r.stderr, "restore the newest backup") {
			t.Errorf("pages %d to %d: no remedy: %s", first, first+3, r.stderr)
		}
		told++
	}
	if told < 5 {
		t.Errorf("only %d damages were tried", told)
	}
	ok(t, os.WriteFile(path, whole, 0o600))
	s.run("check").exits(0)
	s.byHand(`INSERT INTO store_secrets (id, store_id, sealed, created_at) VALUES (99, 99, x'00', '')`)
	s.run("check").exits(1, "every row refers to rows that exist", "store_secrets", "restore the newest backup")
	s.run("check", "--skip-integrity").exits(0)
}

// TestCheckCommand_postgres_integrity: an index that a broken build left, and a constraint that nobody validated.
func TestCheckCommand_postgres_integrity(t *testing.T) {
	s := shell{T: t, env: postgresEnv(storagetest.PostgresURL(t))}
	out := s.run("check", "--json").exits(0).json()
	if notes := fmt.Sprint(out["notes"]); !strings.Contains(notes, "amcheck") {
		t.Errorf("notes: %s", notes)
	}
	s.run("check").prints("Note: ", "amcheck", "All sums equal")
	s.byHand(`CREATE INDEX lazy ON stores (name)`, `UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'lazy'::regclass`,
		`ALTER TABLE stores ADD CONSTRAINT named CHECK (name <> '') NOT VALID`)
	s.run("check").exits(1, "all indexes are valid", "lazy", "all constraints hold", "named")
	s.run("check", "--skip-integrity").exits(0)
	s.byHand(`DROP INDEX lazy`, `ALTER TABLE stores VALIDATE CONSTRAINT named`)
	s.run("check").exits(0)
}
