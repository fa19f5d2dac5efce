package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// shell runs commands as a person would, on one database.
type shell struct {
	*testing.T
	env   map[string]string
	input string // on standard input
}

// typed is the shell with something on its standard input.
func (s shell) typed(input string) shell {
	s.input = input
	return s
}

// eachShell runs a test on the embedded default and on PostgreSQL.
func eachShell(t *testing.T, test func(s shell)) {
	t.Run("embedded", func(t *testing.T) {
		test(shell{T: t, env: map[string]string{"DATA_DIR": filepath.Join(t.TempDir(), "data")}})
	})
	t.Run("postgres", func(t *testing.T) {
		test(shell{T: t, env: postgresEnv(storagetest.PostgresURL(t))})
	})
}

func postgresEnv(url string) map[string]string {
	return map[string]string{"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": strings.Repeat("k", 32)}
}

type result struct {
	shell
	code           int
	stdout, stderr string
}

func (s shell) run(args ...string) result {
	s.Helper()
	var stdout, stderr bytes.Buffer
	code := run(s.Context(), commands(), terminal{stdin: strings.NewReader(s.input), stdout: &stdout, stderr: &stderr,
		getenv: func(name string) string { return s.env[name] }}, args)
	return result{s, code, stdout.String(), stderr.String()}
}

// exits fails the test unless the exit code is as wanted and stderr says all of some words.
func (r result) exits(code int, words ...string) result {
	r.Helper()
	if r.code != code {
		r.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	for _, w := range words {
		if !strings.Contains(r.stderr, w) {
			r.Errorf("stderr does not say %q: %s", w, r.stderr)
		}
	}
	return r
}

// prints fails the test unless the command succeeds and stdout says all of some words.
func (r result) prints(words ...string) result {
	r.Helper()
	r.exits(0)
	for _, w := range words {
		if !strings.Contains(r.stdout, w) {
			r.Errorf("stdout does not say %q: %s", w, r.stdout)
		}
	}
	return r
}

// app opens what the commands work on.
func (s shell) app() *app.App {
	s.Helper()
	cfg, err := config.Load(func(name string) string { return s.env[name] })
	ok(s.T, err)
	a, end, err := openApp(s.Context(), cfg)
	ok(s.T, err)
	s.Cleanup(end)
	return a
}

// keepFailed keeps a delivery of a store that has failed.
func (s shell) keepFailed(slug, note string) {
	s.Helper()
	a := s.app()
	store, err := a.DB.StoreBySlug(s.Context(), slug)
	ok(s.T, err)
	ids, err := a.DB.InsertDeliveries(s.Context(), []storage.NewDelivery{{StoreID: store.ID, Topic: "order.updated",
		ReceivedAt: time.Now(), Payload: []byte{1}}}, nil)
	ok(s.T, err)
	ok(s.T, a.DB.InTx(s.Context(), func(tx *storage.Tx) error {
		_, err := tx.FinishDeliveries(s.Context(), []storage.Outcome{{ID: ids[0], State: storage.DeliveryFailed,
			Note: note}}, time.Now())
		return err
	}))
}

// json reads the one JSON document on stdout.
func (r result) json() map[string]any {
	r.Helper()
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(r.stdout))
	if err := d.Decode(&v); err != nil {
		r.Fatalf("stdout is no JSON: %v: %s", err, r.stdout)
	}
	if _, err := d.Token(); err != io.EOF {
		r.Fatalf("more than one document on stdout: %s", r.stdout)
	}
	return v
}

// byHand runs statements as somebody would who writes to the database by hand.
func (s shell) byHand(statements ...string) {
	s.Helper()
	driver, address := "postgres", s.env["DATABASE_URL"]
	if address == "" {
		driver, address = "sqlite", filepath.Join(s.env["DATA_DIR"], "tributary.db")
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			s.Fatalf("%s: %v", statement, err)
		}
	}
}

func (s shell) addStore(slug string) result {
	return s.run("store", "add", "--platform", "woocommerce", "--slug", slug, "--name", "Shop", "--domain",
		slug+".example", "--currency", "EUR", "--timezone", "Europe/Berlin", "--json")
}

func TestHelp(t *testing.T) {
	s := shell{T: t, env: nil}
	all := s.run("help").exits(0).stdout
	for _, c := range commands() {
		args := strings.Fields(c.name)
		out := s.run(append(args, "--help")...).exits(0).stdout
		_, example, _ := strings.Cut(out, "\nExample:\n")
		if !strings.Contains(example, "tributary "+c.name) || !strings.Contains(out, "Usage: tributary "+c.name) {
			t.Errorf("%s --help: %s", c.name, out)
		}
		if s.run(append([]string{"help"}, args...)...).exits(0).stdout != out {
			t.Errorf("help %s differs from %s --help", c.name, c.name)
		}
		if !strings.Contains(all, c.name) || !strings.Contains(all, c.summary) {
			t.Errorf("help does not list %s", c.name)
		}
		s.run(append(args, "--no-such-option")...).exits(2, "no-such-option", "Example:")
	}
	s.run().exits(2, "Commands:")
	s.run("fly").exits(2, `no command "fly"`, "tributary help")
	s.run("store").exits(2, "store add")
	s.run("store", "fly").exits(2, `no command "store fly"`, "store add")
	s.run("store", "--help").exits(0)
	if out := s.run("--version").exits(0).stdout; out != s.run("version").stdout {
		t.Errorf("--version prints %q", out)
	}
	s.run("version", "extra").exits(2, `"extra" is not understood`)
}

func TestStoreCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		added := s.addStore("woo").exits(0).json()
		if len(added["webhook_secret"].(string)) != 40 || added["webhook_url"] != "http://127.0.0.1:8080/webhooks/woocommerce/woo" || len(added["instructions"].([]any)) == 0 {
			s.Errorf("added: %v", added)
		}
		s.addStore("woo").exits(1, "--slug", "taken")
		s.run("store", "add", "--slug", "x").exits(2, "missing: --platform, --name, --domain")
		s.run("store", "add", "--platform", "shopify", "--slug", "us", "--name", "US", "--domain", "us.myshopify.com",
			"--currency", "USD", "--timezone", "UTC").
			exits(1, "--webhook-secret is needed", "Settings > Notifications > Webhooks")
		text := s.run("store", "add", "--platform", "shopify", "--slug", "us", "--name", "US", "--domain",
			"us.myshopify.com", "--currency", "USD", "--timezone", "UTC", "--webhook-secret",
			"abcdefgh12345678").exits(0).stdout
		if strings.Contains(text, "abcdefgh12345678") || !strings.Contains(text, "/webhooks/shopify/us") ||
			!strings.Contains(text, "1. ") {
			s.Error(text)
		}
		list := s.run("store", "list", "--json").exits(0).json()["stores"].([]any)
		if len(list) != 2 || list[0].(map[string]any)["slug"] != "us" ||
			list[0].(map[string]any)["webhook_secret"] != nil {
			s.Errorf("list: %v", list)
		}
		if out := s.run("store", "list").exits(0).stdout; !strings.Contains(out, "never") ||
			strings.Count(out, "\n") != 3 {
			s.Error(out)
		}
		if out := s.run("store", "set", "woo", "parts=parts", "name=Woo", "currency=sek", "--json").exits(0).
			json(); out["parts"] != "parts" || out["name"] != "Woo" || out["currency"] != "SEK" {
			s.Errorf("changed: %v", out)
		}
		s.run("store", "set", "woo", "parts=luck").exits(1, "parts", "own_orders")
		s.run("store", "set", "us", "parts=parts").exits(1, "parts", "woocommerce")
		s.run("store", "set", "woo", "slug=x").exits(1, "slug", "timezone")
		s.run("store", "set", "woo").exits(2)
		secrets := s.run("store", "secret", "woo", "--add", "--json").exits(0).json()["secrets"].([]any)
		if len(secrets) != 2 || len(secrets[1].(map[string]any)["webhook_secret"].(string)) != 40 ||
			secrets[0].(map[string]any)["webhook_secret"] != nil {
			s.Errorf("secrets: %v", secrets)
		}
		old := secrets[0].(map[string]any)["id"].(string)
		s.run("store", "secret", "--end", old, "woo").exits(0)
		s.run("store", "secret", "woo", "--end", old).exits(1, "no active secret")
		s.run("store", "secret", "woo", "--webhook-secret", "x").exits(2, "goes with --add")
		if out := s.run("store", "end", "woo", "--json").exits(0).json(); out["state"] != "ended" {
			s.Errorf("ended: %v", out)
		}
		s.run("store", "end", "nowhere").exits(1, "no store nowhere")
	})
}

func TestImportCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		s.addStore("shop").exits(0)
		const header = "campaign,creator,offer,store,code,commission_percent\n"
		write := func(text string) string {
			path := filepath.Join(s.TempDir(), "creators.csv")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				s.Fatal(err)
			}
			return path
		}
		good := write(header + "Spring,Anna,Ten,shop,ANNA10,10\n")
		if r := s.run("import", good, "--dry-run", "--json").exits(0).json(); r["applied"] != false ||
			r["created"].(map[string]any)["codes"] != 1.0 {
			s.Errorf("dry run: %v", r)
		}
		if out := s.run("import", "--dry-run", good).exits(0).stdout; !strings.Contains(out, "nothing changed") ||
			!strings.Contains(out, "CSV in UTF-8, cells divided by commas, decimal point") {
			s.Error(out)
		}
		if r := s.run("import", good, "--json").exits(0).json(); r["applied"] != true ||
			r["created"].(map[string]any)["codes"] != 1.0 {
			s.Errorf("import: %v", r)
		}
		if out := s.run("import", good).exits(0).stdout; !strings.Contains(out, "everything is there already") {
			s.Error(out)
		}
		bad := write(header + "Spring,Ben,Ten,shop,BEN5,x\nSpring,,Ten,shop,,5\n")
		r := s.run("import", bad).exits(1, "line 2, commission_percent: ", "line 3, creator: ", "line 3, code: ",
			"3 problems", "nothing was imported")
		if r.stdout != "" {
			s.Errorf("stdout: %s", r.stdout)
		}
		if errs := s.run("import", bad, "--json").exits(1).json()["errors"].([]any); len(errs) != 3 ||
			errs[0].(map[string]any)["line"] != 2.0 {
			s.Errorf("errors: %v", errs)
		}
		if r := s.typed("sep=;\n"+strings.ReplaceAll(header, ",", ";")+"Spring;Cleo;Ten;shop;CLEO5;12,5\n").run(
			"import", "-",
			"--json").exits(0).json(); r["applied"] != true || r["file"].(map[string]any)["delimiter"] != "semicolon" {
			s.Errorf("from the standard input: %v", r)
		}
		s.run("import", write(header+strings.Repeat("x", 17<<20))).exits(1, "the file has 17.0 MB", "16 MB",
			"divide it")
		s.run("import").exits(2, "FILE.csv")
		s.run("import", "no-such-file.csv").exits(1, "no such file")
	})
}

func TestImportCommand_template(t *testing.T) {
	eachShell(t, func(s shell) {
		s.addStore("shop").exits(0)
		for _, name := range []string{"new.csv", "new.xlsx"} {
			path := filepath.Join(s.TempDir(), name)
			s.run("import", "--template", path).exits(0)
			s.run("import", "--template", path).exits(1, "file exists")
			r := s.run("import", path, "--dry-run", "--json").exits(0).json()
			if n := r["created"].(map[string]any)["codes"]; n != 2.0 ||
				len(r["file"].(map[string]any)["columns"].([]any)) != 12 {
				s.Errorf("%s: %v", name, r)
			}
		}
		s.run("import", "--template", "new.ods").exits(2, ".csv or .xlsx")
		s.run("import", "--template", "new.csv", "old.csv").exits(2, "imports nothing")
	})
}

func TestTokenCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		r := s.run("token", "add", "--name", "screen", "--role", "viewer").exits(0, "tok_1", "this once")
		if value := strings.TrimSpace(r.stdout); !strings.HasPrefix(value, "trb_") ||
			strings.ContainsAny(value, " \n") {
			s.Errorf("stdout is not just the token: %q", r.stdout)
		}
		out := s.run("token", "add", "--name", "robot", "--role", "owner", "--json").exits(0).json()
		if !strings.HasPrefix(out["token"].(string), "trb_") || out["id"] != "tok_2" || out["name"] != "robot" ||
			out["role"] != "owner" {
			s.Errorf("added: %v", out)
		}
		s.run("token", "add", "--name", "x", "--role", "root").exits(1, "--role must be owner, manager or viewer")
		s.run("token", "add").exits(2, "missing: --name, --role")
		if out := s.run("token", "end", "tok_2", "--json").exits(0).json(); out["ended_at"] == nil {
			s.Errorf("ended: %v", out)
		}
		list := s.run("token", "list", "--json").exits(0)
		if tokens := list.json()["tokens"].([]any); len(tokens) != 2 || strings.Contains(list.stdout, "trb_") {
			s.Errorf("list: %s", list.stdout)
		}
		s.run("token", "end", "tok_9").exits(1, "there is no tok_9")
		s.run("token", "end", "screen").exits(1, "tok_1")
	})
}

func TestLinkCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.addStore("shop").exits(0)
		s.run("link", "check", "--all").exits(0)
		file := filepath.Join(t.TempDir(), "creators.csv")
		if err := os.WriteFile(file, []byte("campaign,creator,offer,link_slug,landing_url,commission_percent\n"+
			"Spring,Anna Keller,Ten,anna,https://else.example/p,10\n"), 0o600); err != nil {
			s.Fatal(err)
		}
		s.run("import", file).exits(0)
		s.run("link", "check").exits(2, "--all")
		s.run("link", "check", "anna", "--all").exits(2, "--all")
		s.run("link", "check", "nobody").exits(1, "nobody")
		a := s.run("link", "check", "--all")
		if a.exits(1, "1 of 1 links should be mended"); !strings.Contains(a.stdout,
			"leads to  https://else.example/p?ref=anna&tclid={click}&utm_source=tributary") ||
			!strings.Contains(a.stdout, "MEND  else.example is no connected store's address") {
			s.Error(a.stdout)
		}
		store := s.run("store", "list", "--json").exits(0).json()["stores"].([]any)[0].(map[string]any)
		s.run("link", "set", "anna", "landing_url=https://"+store["domain"].(string)+"/p", "utm=off", "kind=review").exits(0)
		out := s.run("link", "check", "anna", "--json").exits(1).json()
		if link := out["links"].([]any)[0].(map[string]any); out["ok"] != false ||
			!strings.Contains(fmt.Sprint(link["findings"]), "no_utm") {
			s.Errorf("checked: %v", out)
		}
		s.run("link", "set", "anna", "utm=account").exits(0)
		if out := s.run("link", "check", "anna", "--json").exits(0).json(); out["ok"] != true {
			s.Errorf("checked: %v", out)
		}
		s.run("link", "set", "anna", "utm=maybe").exits(1, "utm")
		s.run("link", "set", "anna", "slug=x").exits(1, "landing_url")
		s.run("link", "set", "anna", "landing_url=http://127.0.0.1:1/").exits(0)
		s.run("link", "check", "anna", "--ask").exits(1)
	})
}

func TestSettingsCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		if out := s.run("settings").exits(0).stdout; !strings.Contains(out, "currency=USD\n") ||
			!strings.Contains(out, "minimum_payout=0.00\n") {
			s.Error(out)
		}
		out := s.run("settings", "set", "currency=EUR", "minimum_payout=25", "--json", "name=My brand").exits(0).json()
		if out["currency"] != "EUR" || out["minimum_payout"] != "25.00" || out["name"] != "My brand" {
			s.Errorf("%v", out)
		}
		s.run("settings", "set", "hold_days=1000").exits(1, "hold_days")
		s.run("settings", "set", "colour=red").exits(1, "colour", "attribution_window_days")
		s.run("settings", "set", "nonsense").exits(2, "key=value")
		s.run("settings", "currency").exits(2)
	})
}

// TestNothingToDo: a command that finds nothing to do says so, in words that fit.
func TestNothingToDo(t *testing.T) {
	eachShell(t, func(s shell) {
		for _, c := range []struct{ command, want string }{
			{"replay --failed", "Nothing to replay"},
			{"reattribute", "No order waits for"},
			{"user list", "no account yet"},
			{"payouts due", "Nothing is due"},
			{"codes unowned", "has an owner, or there is none"},
		} {
			if out := s.run(strings.Fields(c.command)...).exits(exitOK).stdout; !strings.Contains(out, c.want) {
				s.Errorf("%s says %q, want %q", c.command, out, c.want)
			}
		}
		s.run("replay", "--delivery", "dlv_9").exits(exitError, "there is no dlv_9")
		s.run("export", "orders", "-o", filepath.Join(s.TempDir(), "missing", "orders.csv")).exits(exitError, "-o ",
			"orders.csv cannot be written: no such file or directory")
	})
}

func TestMigrateCommand(t *testing.T) {
	s := shell{T: t, env: postgresEnv(testservers.Database(t))}
	s.run("store", "list").exits(1, "0001_init.sql", "tributary migrate")
	if out := s.run("migrate", "--json").exits(0).json(); len(out["applied"].([]any)) == 0 {
		t.Errorf("%v", out)
	}
	if out := s.run("migrate").exits(0).stdout; !strings.Contains(out, "up to date") {
		t.Error(out)
	}
	s.run("store", "list").exits(0)
}

func TestEnvironmentErrors(t *testing.T) {
	s := shell{T: t, env: map[string]string{"LOG_LEVEL": "loud", "REDIS_URL": "redis://h"}}
	s.run("store", "list").exits(1, "LOG_LEVEL must be", "REDIS_URL is set but DATABASE_URL is not")
}

// TestDataFolder: what the embedded default keeps is its owner's only, and processes that start at once make one key.
func TestDataFolder(t *testing.T) {
	s := shell{T: t, env: map[string]string{"DATA_DIR": filepath.Join(t.TempDir(), "deep", "data")}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { s.run("settings").exits(0) })
	}
	wg.Wait()
	for name, want := range map[string]os.FileMode{"": 0o700, "secret.key": 0o600, "tributary.db": 0o600} {
		info, err := os.Stat(filepath.Join(s.env["DATA_DIR"], name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(s.env["DATA_DIR"], ".secret-*"))
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %v %v", files, err)
	}
	s.addStore("shop").exits(0)
	if err := os.WriteFile(filepath.Join(s.env["DATA_DIR"], "secret.key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("settings").exits(1, "damaged", "backup")
}

func TestUserCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.run("migrate").exits(0)
		add := []string{"user", "add", "--email", "Mia@brand.example", "--name", "Mia", "--role", "owner", "--json"}
		s.run(add...).exits(2, "password on standard input")
		s.typed("short\n").run(add...).exits(1, "password")
		if out := s.typed("correct horse battery\n").run(add...).exits(0).json(); out["id"] != "usr_1" ||
			out["role"] != "owner" {
			s.Errorf("added: %v", out)
		}
		s.typed("correct horse battery\n").run(add...).exits(1, "--email", "has an account already")
		if out := s.run("user", "list").exits(0).stdout; !strings.Contains(out, "owner  mia@brand.example") {
			s.Error(out)
		}
		if out := s.run("user", "list", "--json").exits(0).json(); len(out["users"].([]any)) != 1 {
			s.Errorf("list: %v", out)
		}
		if out := s.typed("another password\n").run("user", "password", "MIA@brand.example",
			"--json").exits(0).json(); out["email"] != "mia@brand.example" {
			s.Errorf("password: %v", out)
		}
		s.run("user", "second-factor", "off", "mia@brand.example").exits(1, "no second factor")
		s.run("user", "second-factor", "off", "ben@brand.example").exits(1, "nobody has an account")
		a := s.app()
		u, _, err := a.DB.UserByEmail(t.Context(), "mia@brand.example")
		ok(t, err)
		_, err = a.OfferSecondFactor(t.Context(), u)
		ok(t, err)
		ok(t, a.DB.InTx(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.ConfirmSecondFactor(t.Context(), u.ID, 1, a.Now())
			return err
		}))
		s.run("user", "second-factor", "off", "MIA@brand.example").prints("password alone")
		s.run("token", "add", "--name", "x", "--role", "viewer", "--expires", "soon").exits(1, "--expires", "90d")
		if out := s.run("token", "add", "--name", "x", "--role", "viewer", "--expires", "90d", "--json").exits(0).
			json(); out["expires_at"] == nil {
			s.Errorf("the token is %v", out)
		}
		s.typed("another password\n").run("user", "password", "ben@brand.example").exits(1, "nobody has an account")

		s.typed("correct horse battery\n").run("user", "add", "--email", "ben@brand.example", "--name", "Ben", "--role",
			"viewer", "--may-pay").exits(1, "--may-pay is for managers")
		s.typed("correct horse battery\n").run("user", "add", "--email", "ben@brand.example", "--name", "Ben", "--role",
			"manager", "--may-pay").exits(0)
		change := func(args ...string) any {
			return s.run(append([]string{"user", "change", "ben@brand.example", "--json"}, args...)...).exits(0).
				json()["may_pay"]
		}
		if change("--name", "Benno") != true || change("--may-pay=false") != false || change("--may-pay") != true ||
			change("--role", "viewer") != false || change("--role", "manager") != false {
			s.Error("the right to pay is not as it was set")
		}
		s.run("user", "change", "ben@brand.example").exits(2, "say what to change")
		s.run("user", "change", "mia@brand.example", "--may-pay").exits(1, "--may-pay is for managers")
		s.run("user", "list").prints("MAY PAY", "Benno")
		if out := s.run("token", "add", "--name", "bank", "--role", "manager", "--may-pay", "--json").exits(0).
			json(); out["may_pay"] != true {
			s.Errorf("the token is %v", out)
		}
	})
}

func TestDeliveriesCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.addStore("woo").exits(0)
		s.run("deliveries", "list").prints("There is no such delivery")
		s.run("deliveries", "list", "--state", "odd").exits(2, "--state")
		s.run("deliveries", "list", "--store", "nowhere").exits(1, "no store nowhere")
		s.run("deliveries", "set-aside", "dlv_1").exits(2, "missing: --reason")
		s.run("deliveries", "set-aside", "--reason", "x").exits(1, "deliveries")
		s.run("deliveries", "set-aside", "--store", "woo", "--reason", "x").exits(1, "--note")
		s.run("deliveries", "set-aside", "dlv_1", "--reason", "x").exits(1, "there is no delivery dlv_1")
		s.run("deliveries", "put-back", "str_1").exits(1, "is not an id")
		out := s.run("deliveries", "set-aside", "--store", "woo", "--note", "n", "--reason", "x",
			"--json").exits(0).json()
		if out["set_aside"] != 0.0 {
			s.Errorf("set aside: %v", out)
		}
		s.keepFailed("woo", "body: is XML")
		s.run("deliveries", "list", "--state", "failed").prints("dlv_1", "body: is XML")
		s.run("deliveries", "set-aside", "dlv_1", "--reason", "seen to").prints("1 delivery is set aside")
		list := s.run("deliveries", "list", "--json").exits(0).json()["deliveries"].([]any)
		if len(list) != 1 || list[0].(map[string]any)["state"] != "set_aside" {
			s.Errorf("listed: %v", list)
		}
		s.run("deliveries", "list").prints("seen to")
		s.run("deliveries", "put-back", "dlv_1").prints("1 delivery is put back")
	})
}

func TestStoreCheck(t *testing.T) {
	eachShell(t, func(s shell) {
		s.addStore("woo").exits(0)
		s.run("store", "check").prints("woo (woocommerce, active)", "last delivery never")
		s.run("store", "check", "nowhere").exits(1, "no store nowhere")
		a := s.app()
		store, err := a.DB.StoreBySlug(s.Context(), "woo")
		ok(s.T, err)
		now := time.Now()
		ok(s.T, a.DB.InTx(s.Context(), func(tx *storage.Tx) error {
			err := tx.AddStoreCounts(s.Context(), storage.StoreTally{Now: now, Activity: []storage.StoreActivity{{
				StoreID: store.ID, Delivery: now}}, Topics: []storage.StoreTopicCount{{StoreID: store.ID,
				Topic: "order.updated", First: now.Add(-2 * time.Hour), Last: now, N: 7}}})
			if err != nil {
				return err
			}
			return tx.AddNotices(s.Context(), []storage.Notice{{Kind: storage.NoticeDied, StoreID: store.ID,
				From: storage.At(now.Add(-time.Hour)), To: storage.At(now), NoticedAt: storage.At(now)}})
		}))
		s.keepFailed("woo", "body: is XML")
		r := s.run("store", "check", "woo").exits(1)
		for _, want := range []string{"failed 1", "! 1 delivery failed", "! Order created (order.created) never came",
			"Order deleted (order.deleted) has not come yet; it comes when an order goes to the trash",
			"! The server was down from"} {
			if !strings.Contains(r.stdout, want) {
				s.Errorf("it does not say %q:\n%s", want, r.stdout)
			}
		}
		checked := s.run("store", "check", "--json").exits(1).json()["stores"].([]any)[0].(map[string]any)
		if checked["slug"] != "woo" || len(checked["problems"].([]any)) != 3 ||
			checked["health"].(map[string]any)["failed"] != 1.0 {
			s.Errorf("checked: %v", checked)
		}
	})
}
