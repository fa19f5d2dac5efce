package main

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

func TestStatementsCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.run("migrate").exits(0)
		s.run("statements", "list").prints("no statement yet")
		a := s.app()
		creator, err := a.AddCreator(t.Context(), affiliate.Creator{Name: "Anna"})
		ok(t, err)
		at := a.Now().AddDate(0, -2, 0)
		ok(t, a.DB.InTx(t.Context(), func(tx *storage.Tx) error {
			return tx.AddLedger(t.Context(), []affiliate.LedgerEntry{{CreatorID: creator.ID, Kind: affiliate.Bonus,
				Currency: "USD", Amount: 1000, Cause: "a bonus", CreatedAt: at, PayableAt: at}})
		}))
		month := at.UTC().Format("2006-01")
		s.run("statements", "issue").exits(2)
		s.run("statements", "issue", "soon").exits(1, "it looks like 2026-10")
		s.run("statements", "issue", a.Now().UTC().AddDate(0, 1, 0).Format("2006-01")).exits(1, "is not over yet")
		s.run("statements", "issue", month).prints("Issued 1 statements of " + month)
		s.run("statements", "issue", month).prints("Nothing is missing")
		if out := s.run("statements", "issue", month, "--json").exits(0).json(); out["before"] != 1.0 {
			s.Errorf("again: %v", out)
		}
		if out := s.run("statements", "list", "--month", month).exits(0).stdout; !strings.Contains(out, "-00001") ||
			!strings.Contains(out, "10.00") {
			s.Error(out)
		}
		if out := s.run("statements", "list", "--json").exits(0).json(); len(out["statements"].([]any)) != 1 {
			s.Errorf("list: %v", out)
		}
	})
}
