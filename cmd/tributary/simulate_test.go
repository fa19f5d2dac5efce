package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// tributary runs a command as a shell does, and gives its exit code with all that it wrote.
func (e environment) tributary(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	out, errs := &screen{}, &screen{}
	code = run(ctx, commands(), terminal{stdout: out, stderr: errs, getenv: func(name string) string {
		return e[name]
	}}, args)
	return code, out.String(), errs.String()
}

const simulateSecret = "a-secret-for-simulations"

// simulated is a running server on the embedded default with a store, its creators and a token, set up by the commands
// that the help of simulate names.
func simulated(t *testing.T, platform affiliate.Platform) (env environment, simulate func(ctx context.Context,
	args ...string) (int, string, string)) {
	t.Helper()
	env = embedded(t)
	csv := filepath.Join(t.TempDir(), "sim.csv")
	domain := map[affiliate.Platform]string{shopify.Name: "sim.myshopify.com",
		woocommerce.Name: "shop.example"}[platform]
	for _, args := range [][]string{
		{"store", "add", "--platform", string(platform), "--slug", "sim", "--name", "Sim", "--domain", domain,
			"--currency", "USD", "--timezone", "America/New_York", "--webhook-secret", simulateSecret},
		{"simulate", "--store", "sim", "--creators-csv", csv},
		{"import", csv},
	} {
		if code, stdout, stderr := env.tributary(t.Context(), args...); code != exitOK {
			t.Fatalf("%s: exit code %d, want %d:\n%s%s", args, code, exitOK, stdout, stderr)
		}
	}
	_, stdout, _ := env.tributary(t.Context(), "token", "add", "--name", "simulate", "--role", "viewer")
	s := env.start(t)
	simulate = func(ctx context.Context, args ...string) (int, string, string) {
		return env.tributary(ctx, append([]string{"simulate", "--url", "http://" + s.address, "--store", "sim", "--platform", string(platform),
			"--token", strings.TrimSpace(stdout)}, args...)...)
	}
	return env, simulate
}

func TestSimulate(t *testing.T) {
	for _, platform := range []affiliate.Platform{shopify.Name, woocommerce.Name} {
		t.Run(string(platform), func(t *testing.T) {
			env, simulate := simulated(t, platform)
			code, stdout, stderr := simulate(t.Context(), "--secret", simulateSecret, "--orders", "150", "--duplicates",
				"20", "--shuffle", "100", "--connections", "8", "--json")
			var got simulateJSON
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitOK {
				t.Fatalf("exit code %d, want %d with one JSON document (%v):\n%s%s", code, exitOK, err, stdout, stderr)
			}
			if !got.OK || got.Checked != 150 || got.Deliveries <= 150 || got.Lost != 0 || got.FreshP99 <= 0 {
				t.Errorf("got %+v, want 150 checked orders of more deliveries, none lost, with the age of live events",
					got)
			}
			checkLedger(t, env)

			// At a fixed rate, and told to people.
			code, stdout, stderr = simulate(t.Context(), "--secret", simulateSecret, "--orders", "20", "--rate", "500")
			if code != exitOK || !strings.Contains(stdout, "every order is as it must be") {
				t.Errorf("exit code %d, want %d with a report:\n%s%s", code, exitOK, stdout, stderr)
			}
		})
	}
}

// A wrong expectation must be told: creators who have other rates, and codes that are nobody's.
func TestSimulate_spells_out_mismatches(t *testing.T) {
	_, simulate := simulated(t, shopify.Name)
	for option, want := range map[string]string{"--codes=SIM001,SIM002": "commission is ",
		"--codes=NOBODYS": `must be "code"`, "--links=nobodys": `must be "link"`} {
		code, stdout, stderr := simulate(t.Context(), "--secret", simulateSecret, "--orders", "60", "--percent",
			"33.25", option)
		if code != exitError || !strings.Contains(stdout, want) ||
			!strings.Contains(stdout, "of 60 orders are not as they must be.") {
			t.Errorf("%s: exit code %d, want %d with %q among the mismatches:\n%s%s", option, code, exitError, want,
				stdout, stderr)
		}
	}
}

func TestSimulate_refused_deliveries_are_told(t *testing.T) {
	_, simulate := simulated(t, woocommerce.Name)
	code, stdout, stderr := simulate(t.Context(), "--secret", "another secret", "--orders", "5")
	if code != exitError || !strings.Contains(stdout, "401 Unauthorized (is it the store's webhook secret?)") {
		t.Errorf("exit code %d, want %d with the status and what it hints at:\n%s%s", code, exitError, stdout, stderr)
	}
}

func TestSimulate_ends_when_told_to(t *testing.T) {
	_, simulate := simulated(t, shopify.Name)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	code, stdout, stderr := simulate(ctx, "--secret", simulateSecret, "--orders", "100000")
	if took := time.Since(begin); code != exitError || stdout != "" ||
		!strings.Contains(stderr, "nothing was checked") || took > 10*time.Second {
		t.Errorf("Ctrl-C: exit code %d after %v, want %d at once:\n%s%s", code, took, exitError, stdout, stderr)
	}
	code, _, stderr = simulate(t.Context(), "--secret", simulateSecret, "--orders", "100000", "--limit", "300ms")
	if code != exitError || !strings.Contains(stderr, "not done within 300ms (--limit)") {
		t.Errorf("--limit: exit code %d with %q, want %d with the limit", code, stderr, exitError)
	}
}

func TestSimulate_options(t *testing.T) {
	for want, args := range map[string][]string{
		"not on this machine":           {"--url", "http://shop.example"},
		"192.168.1.4:8080 is not on":    {"--url", "http://192.168.1.4:8080"},
		"https://127.0.0.1":             {"--url", "https://127.0.0.1"},
		"neither shopify nor":           {"--platform", "magento"},
		"--orders: 0":                   {"--orders", "0"},
		"--orders: 1000001":             {"--orders", "1000001"},
		"--max-size: 1000":              {"--max-size", "1000"},
		"--limit: 3h0m0s":               {"--limit", "3h"},
		"--currency: ":                  {"--currency", "US"},
		`--percent: "1.2x"`:             {"--codes", "A", "--percent", "1.2x"},
		`--percent: "101"`:              {"--links", "a", "--percent", "101"},
		"missing: --secret, --token":    {},
		`"a/../b" is not the slug`:      {"--store", "a/../b"},
		`"x\r\ny: z" is not the slug`:   {"--store", "x\r\ny: z"},
		`"extra" is not understood`:     {"extra"},
		"--connections: 5000 is not be": {"--connections", "5000"},
	} {
		code, _, stderr := environment{}.tributary(t.Context(), append([]string{"simulate", "--store", "sim"},
			args...)...)
		if code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d, want %d with %q:\n%s", args, code, exitUsage, want, stderr)
		}
	}
}
