package storage

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// However a quick load ends, the database is as safe as before.
func TestQuickLoad_restores_safety(t *testing.T) {
	db, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "t.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	synchronous := func() (level int) {
		t.Helper()
		if err := db.write.Get(&level, "PRAGMA synchronous"); err != nil {
			t.Fatal(err)
		}
		return level
	}
	const normal, full = 1, 2
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	err = db.QuickLoad(ctx, func() error {
		if level := synchronous(); level != normal {
			t.Errorf("synchronous is %d meanwhile, want %d", level, normal)
		}
		cancel()
		return broken
	})
	if level := synchronous(); level != full || !errors.Is(err, broken) {
		t.Errorf("synchronous is %d afterwards (%v), want %d", level, err, full)
	}
}
