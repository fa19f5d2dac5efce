package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// TestMain removes what the tests of the package share.
func TestMain(m *testing.M) {
	code := m.Run()
	if binaryFolder != "" {
		_ = os.RemoveAll(binaryFolder)
	}
	os.Exit(code)
}

var binaryFolder string // set by builtBinary

// builtBinary builds the program once.
var builtBinary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "tributary-binary-")
	if err != nil {
		return "", err
	}
	binaryFolder = folder
	path := filepath.Join(folder, "tributary")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// process is the real program, which can be killed.
type process struct {
	address string
	cmd     *exec.Cmd
	exited  chan struct{}
	log     lineLog
}

// spawn runs "tributary serve" as a process of its own and returns when it serves.
func (e environment) spawn(t testing.TB, roles ...string) *process {
	t.Helper()
	p, err := e.trySpawn(roles)
	ok(t, err)
	t.Cleanup(p.kill)
	return p
}

func (e environment) trySpawn(roles []string) (*process, error) {
	binary, err := builtBinary()
	if err != nil {
		return nil, err
	}
	if len(roles) == 0 {
		roles = allRoles
	}
	p := &process{cmd: exec.Command(binary, "serve", "--roles", strings.Join(roles, ",")), exited: make(chan struct{})}
	p.cmd.Env = os.Environ()
	for name, value := range e.with("LOG_LEVEL", "info").with("LOG_FORMAT", "json") {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	out, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := testservers.StartProcess(p.cmd); err != nil {
		return nil, err
	}
	serving := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.log.add(lines.Text())
			if address := servingAddress(lines.Text()); address != "" {
				serving <- address
			}
		}
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}()
	select {
	case p.address = <-serving:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("the server ended at once:\n%s", p.log.text())
	case <-time.After(patience):
		p.kill()
		return nil, fmt.Errorf("the server does not serve:\n%s", p.log.text())
	}
}

// servingAddress reads the line by which the server says that it serves.
func servingAddress(line string) string {
	var entry struct{ Msg, Address string }
	if json.Unmarshal([]byte(line), &entry) != nil || entry.Msg != "serving" {
		return ""
	}
	return strings.TrimPrefix(entry.Address, "http://")
}

// kill ends the process as a crash would. Killing a dead one changes nothing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate asks the process to end and wants it to end well.
func (p *process) terminate(t testing.TB) {
	t.Helper()
	ok(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Fatalf("the server runs on after SIGTERM:\n%s", p.log.text())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0:\n%s", code, p.log.text())
	}
}

// client talks to the process.
func (p *process) client(t testing.TB, token string) *recordings.Client {
	return newClient(t, p.address, token)
}

// lineLog keeps what a process wrote.
type lineLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *lineLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *lineLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
