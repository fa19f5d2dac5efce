package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/recordings"
)

// tightDisk is a disk that can be filled.
type tightDisk struct {
	env      environment
	fill     func(*testing.T, *process)
	makeRoom func(*testing.T, *process)
	signsIn  bool   // room is kept for it
	mayFit   bool   // small things find room in pages that are there
	says     string // to those who may know the server
}

// TestAttack_full_disk: the disk fills up while stores send. What cannot be kept is refused as such, everybody is told,
// reading goes on, and when there is room it goes on by itself: what was acknowledged is there, once.
func TestAttack_full_disk(t *testing.T) {
	for name, make := range map[string]func(*testing.T) tightDisk{
		"file_limit": limitedFiles, "filesystem": smallFileSystem, "postgres": refusingPostgres,
		"tablespace": smallTablespace,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fillUp(t, make(t))
		})
	}
}

func fillUp(t *testing.T, d tightDisk) {
	sets := allSets(t)
	token := d.env.setUp(t, sets)
	d.env.open(t, func(ctx context.Context, a *app.App) {
		_, err := a.AddUser(ctx, affiliate.User{Email: "olga@brand.example", Name: "Olga", Role: affiliate.RoleOwner},
			"correct horse battery")
		ok(t, err)
	})
	p := d.env.spawn(t)
	c := p.client(t, token)
	browser := signIn(t, c, http.StatusSeeOther)
	list := allRequests(sets)
	part := len(list) / (attack.Size(2, 6) + 1)
	deliver(t, c, 8, list[:part])
	waitProcessed(t, c)
	sent := part
	for sent+part <= len(list) {
		d.fill(t, p)
		refusals(t, d, p, c, browser, list[sent:sent+part])
		d.makeRoom(t, p)
		eventually(t, "the server goes on by itself", func() bool {
			return asked(t, c, "GET", "/readyz", "").status == http.StatusOK
		})
		deliver(t, c, 8, list[sent:sent+part]) // as Shopify does
		sent += part
	}
	deliver(t, c, 8, list[sent:])
	waitProcessed(t, c)
	p.terminate(t)
	checkKept(t, d.env, list)
	c = d.env.spawn(t).client(t, token)
	checkOrders(t, c, sets)
	checkLedger(t, d.env)
	(shell{T: t, env: d.env}).run("check").exits(exitOK)
}

// refusals looks at all that is said while the disk is full.
func refusals(t *testing.T, d tightDisk, p *process, c *recordings.Client, browser *http.Client,
	list []recordings.Request) {
	t.Helper()
	n := 0
	eventually(t, "deliveries are refused", func() bool {
		status, err := c.Send(t.Context(), list[n%len(list)])
		n++
		ok(t, err)
		return status == http.StatusServiceUnavailable
	})
	for _, r := range list[:min(len(list), 10)] {
		request, err := http.NewRequestWithContext(t.Context(), "POST", c.Base+r.Path(),
			strings.NewReader(string(r.Body)))
		ok(t, err)
		request.Header = r.Header.Clone()
		response, err := c.HTTP.Do(request)
		ok(t, err)
		a := readAnswer(t, response)
		if d.mayFit && a.status == http.StatusOK {
			continue
		}
		wantProblem(t, "a delivery", a, 503, "not_writable")
		if a.header.Get("Retry-After") == "" || strings.Contains(a.text, d.env["DATA_DIR"]) {
			t.Errorf("a delivery is answered %v", a)
		}
	}
	wantProblem(t, "readyz", asked(t, c, "GET", "/readyz", ""), 503, "not_writable")
	if a := asked(t, c, "GET", "/healthz", ""); a.status != http.StatusOK {
		t.Errorf("healthz: %v", a)
	}
	var status struct {
		Status   string
		Writable bool
		Reasons  []string
	}
	ok(t, c.Get(t.Context(), "/status", &status))
	if status.Status != "degraded" || status.Writable ||
		!strings.Contains(fmt.Sprint(status.Reasons), "nothing new can be kept") {
		t.Errorf("the status is %+v", status)
	}
	// Where it may fit, it may have done so the last time.
	a := asked(t, c, "POST", "/api/v1/campaigns", `{"name":"Too late `+rand.Text()+`"}`)
	if !d.mayFit {
		wantProblem(t, "a new campaign", a, 503, "not_writable")
	}
	if a.status != http.StatusCreated && (!strings.Contains(a.Detail, d.says) ||
		!strings.Contains(a.Detail, "goes on by itself")) {
		t.Errorf("a new campaign is refused with %q, want %q and the remedy", a.Detail, d.says)
	}
	if a := asked(t, c, "GET", "/api/v1/orders", ""); a.status != http.StatusOK {
		t.Errorf("orders cannot be read: %v", a)
	}
	for _, page := range []string{"/", "/orders", "/campaigns"} {
		text := get(t, browser, c.Base+page, http.StatusOK)
		if !strings.Contains(text, "Nothing new can be kept") || !strings.Contains(text, d.says) {
			t.Errorf("the page %s does not say so:\n%s", page, text)
		}
	}
	if d.mayFit {
		return
	}
	response, err := browser.PostForm(c.Base+"/campaigns/new", url.Values{"name": {"Too late"}})
	ok(t, err)
	if a := readAnswer(t, response); a.status != http.StatusServiceUnavailable || !strings.Contains(a.text, d.says) {
		t.Errorf("a form is answered %d:\n%s", a.status, a.text)
	}
	want := http.StatusServiceUnavailable
	if d.signsIn {
		want = http.StatusSeeOther
	}
	signIn(t, c, want)
	eventually(t, "the log says so", func() bool { return strings.Contains(p.log.text(), "nothing new can be kept; ") })
	if n := strings.Count(p.log.text(), "\n"); n > 500 {
		t.Errorf("the log has %d lines", n)
	}
}

// asked sends a request with the token.
func asked(t *testing.T, c *recordings.Client, method, path, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.Base+path, strings.NewReader(body))
	ok(t, err)
	request.Header.Set("Authorization", "Bearer "+c.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.HTTP.Do(request)
	ok(t, err)
	return readAnswer(t, response)
}

// limitedFiles takes the right to write to files away from the server, which needs no right of the test's.
func limitedFiles(t *testing.T) tightDisk {
	env := embedded(t)
	limit := func(bytes uint64) func(*testing.T, *process) {
		return func(t *testing.T, p *process) {
			t.Helper()
			l := syscall.Rlimit{Cur: bytes, Max: ^uint64(0)}
			const fileSize = 1 // RLIMIT_FSIZE
			_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.cmd.Process.Pid), fileSize,
				uintptr(unsafe.Pointer(&l)), 0, 0, 0)
			if errno != 0 {
				t.Fatal(errno)
			}
		}
	}
	return tightDisk{env: env, fill: limit(0), makeRoom: limit(^uint64(0)), says: env["DATA_DIR"]}
}

// smallMount is a file system of some megabytes. It needs root that may mount; without, the test is left out, and says
// what of it runs otherwise.
func smallMount(t *testing.T, megabytes int, options, otherwise string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root; " + otherwise)
	}
	path := t.TempDir()
	err := syscall.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700%s", megabytes, options))
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this machine lets nobody mount a file system (that takes CAP_SYS_ADMIN); " + otherwise)
	}
	ok(t, err)
	t.Cleanup(func() { ok(t, syscall.Unmount(path, syscall.MNT_DETACH)) })
	return path
}

// fillFile takes all that is left on a disk, and tells others of it, as another program would.
func fillFile(t *testing.T, folder string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(folder, "others"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	ok(t, err)
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 16 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatal(err)
				}
				break
			}
		}
	}
}

func emptyFile(t *testing.T, folder string) {
	t.Helper()
	ok(t, os.Remove(filepath.Join(folder, "others")))
}

// otherVariants run where nothing can be mounted.
const otherVariants = "the variants file_limit and postgres run without"

func smallFileSystem(t *testing.T) tightDisk { return smallFileSystemOr(t, otherVariants) }

func smallFileSystemOr(t *testing.T, otherwise string) tightDisk {
	folder := smallMount(t, 96, "", otherwise)
	env := environment{"DATA_DIR": folder}.withCommon().with("MIN_FREE_BYTES", fmt.Sprint(16<<20))
	withRates.SQLiteFile(t, env.config(t).DatabasePath())
	return tightDisk{env: env, signsIn: true, says: folder,
		fill: func(t *testing.T, _ *process) {
			eventually(t, "the disk is full, and the ballast is the server's", func() bool {
				if ballast(folder) == 0 {
					return false
				}
				fillFile(t, folder)
				var fs syscall.Statfs_t
				ok(t, syscall.Statfs(folder, &fs))
				if ballast(folder)+int64(fs.Bavail)*int64(fs.Bsize) > 2<<20 {
					return true
				}
				emptyFile(t, folder) // the server gave it away a moment before the disk was full, and it was taken
				return false
			})
		},
		makeRoom: func(t *testing.T, _ *process) { emptyFile(t, folder) }}
}

// ballast is how many bytes the server keeps for when the disk is full; 0 when it has given them away.
func ballast(folder string) int64 {
	info, err := os.Stat(filepath.Join(folder, "reserve"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// TestAttack_full_disk_at_start: a server that died starts again on a disk without a byte left, and shows what it has.
// Where even the database cannot be opened it says why.
func TestAttack_full_disk_at_start(t *testing.T) {
	d := smallFileSystemOr(t, "nothing else starts a server on a full disk: run this once as root")
	folder := d.env["DATA_DIR"]
	sets := allSets(t)
	token := d.env.setUp(t, sets)
	list := allRequests(sets)
	p := d.env.spawn(t)
	deliver(t, p.client(t, token), 8, list[:len(list)/2])
	waitProcessed(t, p.client(t, token))
	eventually(t, "the ballast is there", func() bool { return ballast(folder) > 0 })
	for _, end := range []func(){p.kill, func() { p.terminate(t) }} {
		end()
		fillFile(t, folder)
		p = d.env.spawn(t)
		c := p.client(t, token)
		wantProblem(t, "readyz", asked(t, c, "GET", "/readyz", ""), 503, "not_writable")
		if a := asked(t, c, "GET", "/api/v1/orders", ""); a.status != http.StatusOK ||
			!strings.Contains(a.text, "external_id") {
			t.Errorf("orders cannot be read: %v", a)
		}
		emptyFile(t, folder)
		eventually(t, "the server goes on by itself", func() bool {
			return asked(t, c, "GET", "/readyz", "").status == http.StatusOK
		})
		eventually(t, "the ballast is there again", func() bool { return ballast(folder) > 0 })
	}
	deliver(t, p.client(t, token), 8, list)
	waitProcessed(t, p.client(t, token))
	checkKept(t, d.env, list)
	checkOrders(t, p.client(t, token), sets)

	p.terminate(t)
	ok(t, os.Remove(filepath.Join(folder, "reserve")))
	fillFile(t, folder)
	begin := time.Now()
	_, err := d.env.trySpawn(nil)
	if err == nil || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), "disk") {
		t.Errorf("a start without any room ends with: %v", err)
	}
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("it took %v to say so", took)
	}
	(shell{T: t, env: d.env}).run("settings").exits(exitError, folder, "disk", "free some room")
}

// refusingPostgres says that it has no room, as PostgreSQL does.
func refusingPostgres(t *testing.T) tightDisk {
	env := production(t)
	statements := func(list ...string) func(*testing.T, *process) {
		return func(t *testing.T, _ *process) {
			t.Helper()
			db, err := sql.Open("postgres", env["DATABASE_URL"])
			ok(t, err)
			defer db.Close()
			for _, s := range list {
				_, err := db.ExecContext(t.Context(), s)
				ok(t, err)
			}
		}
	}
	const fails = ` LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device'
		USING ERRCODE = '53100'; END $$`
	fill, room := []string{`CREATE FUNCTION no_room_row() RETURNS trigger` + fails,
		`CREATE FUNCTION no_room() RETURNS event_trigger` + fails}, []string{`DROP EVENT TRIGGER no_room`}
	for _, table := range []string{"deliveries", "campaigns", "sessions"} {
		fill = append(fill, `CREATE TRIGGER no_room BEFORE INSERT ON `+table+` FOR EACH ROW EXECUTE FUNCTION no_room_row()`)
	}
	fill = append(fill, `CREATE EVENT TRIGGER no_room ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS')
		EXECUTE FUNCTION no_room()`)
	for _, table := range []string{"deliveries", "campaigns", "sessions"} {
		room = append(room, `DROP TRIGGER no_room ON `+table)
	}
	room = append(room, `DROP FUNCTION no_room()`, `DROP FUNCTION no_room_row()`)
	return tightDisk{env: env, fill: statements(fill...), makeRoom: statements(room...),
		says: "PostgreSQL (DATABASE_URL)"}
}

// smallTablespace keeps the database's files on a file system of its own.
func smallTablespace(t *testing.T) tightDisk {
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 { // PostgreSQL refuses to run as root; the tests' servers have its own user then
		account, err := user.Lookup("postgres")
		ok(t, err)
		uid, err = strconv.Atoi(account.Uid)
		ok(t, err)
		gid, err = strconv.Atoi(account.Gid)
		ok(t, err)
	}
	folder := smallMount(t, 96, fmt.Sprintf(",uid=%d,gid=%d", uid, gid), otherVariants)
	ok(t, os.Chmod(filepath.Dir(folder), 0o755))
	env := production(t)
	address, err := url.Parse(env["DATABASE_URL"])
	ok(t, err)
	name := strings.TrimPrefix(address.Path, "/")
	address.Path = "/postgres"
	db, err := sql.Open("postgres", address.String())
	ok(t, err)
	space := name + "_space"
	_, err = db.ExecContext(t.Context(), `CREATE TABLESPACE `+space+` LOCATION '`+folder+`'`)
	ok(t, err)
	t.Cleanup(func() {
		defer db.Close()
		_ = os.Remove(filepath.Join(folder, "others"))
		_, err := db.Exec(`ALTER DATABASE ` + name + ` SET TABLESPACE pg_default`)
		ok(t, err)
		_, err = db.Exec(`DROP TABLESPACE ` + space)
		ok(t, err)
	})
	_, err = db.ExecContext(t.Context(), `ALTER DATABASE `+name+` SET TABLESPACE `+space)
	ok(t, err)
	return tightDisk{env: env, mayFit: true, says: "PostgreSQL (DATABASE_URL)",
		fill:     func(t *testing.T, _ *process) { fillFile(t, folder) },
		makeRoom: func(t *testing.T, _ *process) { emptyFile(t, folder) }}
}
