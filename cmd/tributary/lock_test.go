package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/config"
)

// TestAttack_two_servers: of many that are started on one data folder one serves. Commands work beside it, and one that
// is killed leaves the folder free.
func TestAttack_two_servers(t *testing.T) {
	env := embedded(t)
	p := env.spawn(t)
	pid := strconv.Itoa(p.cmd.Process.Pid)
	for range 3 {
		_, err := env.trySpawn(nil)
		if err == nil || !strings.Contains(err.Error(), pid) || !strings.Contains(err.Error(), env["DATA_DIR"]) {
			t.Fatalf("a second server on the folder: %v", err)
		}
	}
	// In the same process, and through another name of the folder.
	link := filepath.Join(t.TempDir(), "link")
	ok(t, os.Symlink(env["DATA_DIR"], link))
	for _, folder := range []string{env["DATA_DIR"], link} {
		s, err := startServer(t.Context(), env.with("DATA_DIR", folder).config(t), allRoles)
		if err == nil {
			ok(t, s.stop())
		}
		if err == nil || !strings.Contains(err.Error(), "already (process "+pid+")") {
			t.Fatalf("another server on %s: %v", folder, err)
		}
	}
	sh := shell{T: t, env: env}
	sh.run("settings", "set", "name=Beside").exits(exitOK)
	sh.run("demo", "--once", "--data", env["DATA_DIR"]).exits(exitError, "left alone")

	// What it keeps is its owner's only.
	files, err := os.ReadDir(env["DATA_DIR"])
	ok(t, err)
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if len(files) < 4 {
		t.Errorf("only %d files", len(files))
	}

	p.kill()
	next := env.spawn(t)
	next.terminate(t)
	ok(t, env.start(t).stop())
	env.start(t)
}

// TestDemo_on_a_folder_in_use: the folder of a demo that runs is not removed, although it does not answer.
func TestDemo_on_a_folder_in_use(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "demo-data")
	f, err := newDemoFolder(t.Context(), folder)
	ok(t, err)
	free, err := occupyFolder(f.path)
	ok(t, err)
	if _, err := newDemoFolder(t.Context(), folder); err == nil || !strings.Contains(err.Error(), "--data") ||
		!strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("a second demo on the folder: %v", err)
	}
	ok(t, free())
	_, err = newDemoFolder(t.Context(), folder)
	ok(t, err)
}

// TestAttack_key_file: a key file that went, was cut short, overwritten or replaced is never made anew, nor passed
// over, once the database holds anything. An empty database gets one.
func TestAttack_key_file(t *testing.T) {
	env := embedded(t)
	delete(env, "SECRET_KEY")
	path := env.config(t).SecretKeyPath()
	sh := shell{T: t, env: env}
	sh.run("settings").exits(exitOK)
	ok(t, os.Remove(path))
	sh.run("settings").exits(exitOK) // nothing was put in yet
	sh.addStore("woo").exits(exitOK)
	good, err := os.ReadFile(path)
	ok(t, err)

	refused := func(sh shell, words ...string) {
		t.Helper()
		sh.run("settings").exits(exitError, words...)
		if _, err := startServer(t.Context(), environment(sh.env).config(t), allRoles); err == nil ||
			!strings.Contains(err.Error(), words[0]) {
			t.Errorf("a server starts, or says: %v", err)
		}
	}
	ok(t, os.Remove(path))
	refused(sh, "secret.key is missing", "backup", "SECRET_KEY", "docs/operations.md")
	if _, err := os.Stat(path); err == nil {
		t.Error("another key was made")
	}
	for name, text := range map[string]string{"empty": "", "cut short": string(good[:20]),
		"zeroes": strings.Repeat("\x00", len(good)), "noise": strings.Repeat("\xff\xfe", 40)} {
		ok(t, os.WriteFile(path, []byte(text), 0o600))
		t.Log(name)
		refused(sh, "damaged", "backup")
	}
	ok(t, os.WriteFile(path, good, 0o600))
	other := shell{T: t, env: env.with("SECRET_KEY", strings.Repeat("o", config.MinSecretKey))}
	refused(other, "SECRET_KEY is set", "another key", "unset SECRET_KEY")
	same := shell{T: t, env: env.with("SECRET_KEY", strings.TrimSpace(string(good)))}
	same.run("settings").exits(exitOK)
	ok(t, os.Remove(path))
	same.run("settings").exits(exitOK)
	if _, err := os.Stat(path); err == nil {
		t.Error("SECRET_KEY was written to a file")
	}
	ok(t, os.WriteFile(path, []byte(strings.Repeat("n", 64)), 0o600)) // somebody's own
	if _, err := startServer(t.Context(), env.config(t), allRoles); err == nil ||
		!strings.Contains(err.Error(), "backup") {
		t.Errorf("with another key file a server starts, or says: %v", err)
	}
	ok(t, os.WriteFile(path, good, 0o600))
	ok(t, env.start(t).stop())
}
