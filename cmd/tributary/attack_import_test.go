package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/attack"
	"github.com/tributaryhq/tributary/internal/recordings"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// manyCreators is a file of n creators with a link each.
func manyCreators(n int) string {
	var b strings.Builder
	b.WriteString("campaign,creator,instagram,offer,link_slug,landing_url,commission_percent\n")
	for i := range n {
		fmt.Fprintf(&b, "Mass,Creator %d,@mass.%d,Ten,mass-%d,https://shop.example/%d,10\n", i, i, i, i)
	}
	return b.String()
}

// TestAttack_large_import: while a large file is imported, by the command beside the server and by the API, deliveries
// are taken in as ever: WooCommerce waits for a minute and never sends again.
func TestAttack_large_import(t *testing.T) {
	for name, imported := range map[string]func(testing.TB, environment, *process, string, string){
		"command": func(t testing.TB, env environment, _ *process, _, file string) {
			out, err := env.command(t, file, "import", "-").CombinedOutput()
			if err != nil {
				t.Errorf("import: %v\n%s", err, out)
			}
		},
		"api": func(t testing.TB, _ environment, p *process, token, file string) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.address+"/api/v1/imports",
				strings.NewReader(file))
			ok(t, err)
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "text/csv")
			answer, err := http.DefaultClient.Do(r)
			ok(t, err)
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			ok(t, err)
			if answer.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"applied":true`)) {
				t.Errorf("import: %s %.300s", answer.Status, body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := embedded(t)
			sets := allSets(t)
			token := env.setUp(t, sets)
			server := env.spawn(t)
			c := server.client(t, token)
			list := recordings.Shuffled(allRequests(sets), 3)

			file := manyCreators(attack.Size(1500, 60_000))
			begun, ended := time.Now(), make(chan time.Duration, 1)
			go func() {
				imported(t, env, server, token, file)
				ended <- time.Since(begun)
			}()
			slowest, rounds, running := time.Duration(0), 0, true
			for ; running; rounds++ { // what repeats is acknowledged by the same commit
				slowest = max(slowest, slowestAcknowledgement(t, c, list[:64]))
				select {
				case took := <-ended:
					running = false
					t.Logf("imported in %v; %d deliveries meanwhile, the slowest took %v", took, (rounds+1)*64, slowest)
				default:
				}
			}
			if most := 5 * time.Second; slowest > most { // Shopify's limit; a tenth of it is usual
				t.Errorf("a delivery waited for %v", slowest)
			}
			deliver(t, c, 8, list)
			waitProcessed(t, c)
			checkKept(t, env, list)
			checkOrders(t, c, sets)
		})
	}
}

// TestKilled_while_importing: the lines before the end are in, and importing the file again does the rest.
func TestKilled_while_importing(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		token := env.setUp(t, allSets(t))
		server := env.spawn(t)
		c := server.client(t, token)
		const lines = 600
		file := manyCreators(lines)
		command := env.command(t, file, "import", "-")
		ok(t, testservers.StartProcess(command))
		eventually(t, "the first lines are in", func() bool {
			answer, err := c.HTTP.Get(c.Base + "/l/mass-0")
			ok(t, err)
			answer.Body.Close()
			return answer.StatusCode == http.StatusFound
		})
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
		out, err := env.command(t, file, "import", "-").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "imported") {
			t.Fatalf("imported again: %v\n%s", err, out)
		}
		out, err = env.command(t, file, "import", "-").CombinedOutput()
		if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d lines read; everything is there already",
			lines)) {
			t.Errorf("imported a third time: %v\n%s", err, out)
		}
	})
}

// command is the real program with some input.
func (e environment) command(t testing.TB, input string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := builtBinary()
	ok(t, err)
	cmd := exec.Command(binary, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = os.Environ()
	for name, value := range e {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}
