package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/config"
)

func load(env map[string]string) (config.Config, error) {
	return config.Load(func(name string) string { return env[name] })
}

const key = "0123456789abcdef0123456789abcdef"

func production(more map[string]string) map[string]string {
	env := map[string]string{"DATABASE_URL": "postgres://u:hunter2@db/t", "REDIS_URL": "redis://cache:6379/0",
		"SECRET_KEY": key}
	for name, v := range more {
		env[name] = v
	}
	return env
}

func TestLoad_defaults(t *testing.T) {
	got, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{ListenAddr: "127.0.0.1:8080", DataDir: "./data", DatabaseMaxConns: 20,
		PublicURL: "http://127.0.0.1:8080",
		SecretKey: []byte{}, LogLevel: slog.LevelInfo, LogFormat: "text", MaxBodyBytes: 10485760,
		MaxUnverified: 67108864, MinFreeBytes: 67108864, RetentionDays: 30,
		FXRatesURL: "https://www.ecb.europa.eu/stats/eurofxref/", APIRateLimit: 1200}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load() = %+v\nwant %+v", got, want)
	}
	if !got.Embedded() {
		t.Error("the default is not embedded")
	}
}

func TestLoad_production(t *testing.T) {
	for _, redis := range []string{"redis://h:1/0", "rediss://h", "redis-sentinel://h1:26379,h2:26379/master?db=2",
		"redis-cluster://h1:1,h2:2"} {
		c, err := load(production(map[string]string{"REDIS_URL": redis, "PUBLIC_URL": "https://t.example/",
			"TRUSTED_PROXIES": "10.0.0.0/8, ::1"}))
		if err != nil {
			t.Errorf("%s: %v", redis, err)
		}
		if c.RedisURL != redis || c.PublicURL != "https://t.example" || !slices.Equal(c.TrustedProxies,
			[]string{"10.0.0.0/8", "::1"}) || c.Embedded() {
			t.Errorf("%s: %+v", redis, c)
		}
	}
}

func TestLoad_public_URL_of_all_interfaces(t *testing.T) {
	for listen, want := range map[string]string{":9000": "http://localhost:9000", "0.0.0.0:1": "http://localhost:1",
		"[::1]:80": "http://[::1]:80"} {
		c, err := load(map[string]string{"LISTEN_ADDR": listen})
		if err != nil || c.PublicURL != want {
			t.Errorf("%s: %q, %v, want %q", listen, c.PublicURL, err, want)
		}
	}
}

func TestLoad_rates(t *testing.T) {
	for in, want := range map[string]string{"off": "", "OFF": "", "http://mirror/fx/": "http://mirror/fx/",
		"file:///srv/a.csv": "file:///srv/a.csv", "rates/a b.csv": "rates/a b.csv"} {
		if c, err := load(map[string]string{"FX_RATES_URL": in}); err != nil || c.FXRatesURL != want {
			t.Errorf("%s: %q, %v, want %q", in, c.FXRatesURL, err, want)
		}
	}
}

func TestLoad_private_stores(t *testing.T) {
	for in, want := range map[string][]string{"": nil, "no": nil, "Yes": {"*"}, "wordpress": {"wordpress"},
		"Shop.Lan, 192.168.1.5 ,10.0.0.0/8,[fd00::1],": {"shop.lan", "192.168.1.5", "10.0.0.0/8", "fd00::1"}} {
		c, err := load(map[string]string{"ALLOW_PRIVATE_STORES": in})
		if err != nil || !slices.Equal(c.PrivateStores, want) {
			t.Errorf("%s: %q, %v, want %q", in, c.PrivateStores, err, want)
		}
	}
}

// TestLoad_mail: the address of a mail server says how it is reached, encrypted unless it says otherwise.
func TestLoad_mail(t *testing.T) {
	const from = `Brand <creators@brand.example>`
	for in, want := range map[string]config.SMTP{
		"smtp://me:p%40ss@mail.example": {Host: "mail.example", Port: "587", User: "me", Password: "p@ss",
			Encryption: config.EncryptThen},
		"smtps://me:x@mail.example": {Host: "mail.example", Port: "465", User: "me", Password: "x",
			Encryption: config.EncryptFirst},
		"smtp://127.0.0.1:25?tls=none": {Host: "127.0.0.1", Port: "25", Encryption: config.EncryptNone},
		"smtp://mail.example:2525?tls=opportunistic": {Host: "mail.example", Port: "2525",
			Encryption: config.EncryptIfCan},
	} {
		c, err := load(map[string]string{"SMTP_URL": in, "MAIL_FROM": from})
		if err != nil || c.SMTP != want || c.MailFrom != `"Brand" <creators@brand.example>` {
			t.Errorf("%s: %+v, %q, %v", in, c.SMTP, c.MailFrom, err)
		}
	}
	for in, want := range map[string]string{
		"http://me:hunter2@h": "must look like", "smtp://": "must look like", "smtp://me:hunter2@h/x": "must look like",
		"smtp://me:hunter2@h:x": "must look like", "smtp://me:hunter2@h?tls=maybe": "may end with",
		"smtp://me:hunter2@h?starttls=no": "may end with", "smtps://me:hunter2@h?tls=none": "begins with smtps://",
		"smtp://me@h": "must have both a user and a password", "smtp://me:hun/ter2@h": "must look like",
	} {
		_, err := load(map[string]string{"SMTP_URL": in, "MAIL_FROM": from})
		if err == nil || !strings.Contains(err.Error(), "SMTP_URL "+want) || strings.Contains(err.Error(), "ter2") {
			t.Errorf("%s: %v", in, err)
		}
	}
	for env, want := range map[string]map[string]string{"MAIL_FROM is needed": {"SMTP_URL": "smtp://h"},
		"SMTP_URL is needed": {"MAIL_FROM": from}, `MAIL_FROM "Brand" is no address`: {"MAIL_FROM": "Brand"}} {
		if _, err := load(want); err == nil || !strings.Contains(err.Error(), env) {
			t.Errorf("%v: %v", want, err)
		}
	}
}

func TestLoad_problems(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want []string // parts of the lines of the error, in order
	}{
		{"all at once", map[string]string{"LISTEN_ADDR": "x", "LOG_LEVEL": "loud", "MAX_BODY_BYTES": "1e6",
			"RETENTION_DAYS": "-1", "LOG_FORMAT": "xml"},
			[]string{"LOG_LEVEL must be debug", "LOG_FORMAT must be text or json",
				"MAX_BODY_BYTES must be a whole number", "RETENTION_DAYS must be a whole number",
				"LISTEN_ADDR \"x\" is not an address"}},
		{"Redis without a database", map[string]string{"REDIS_URL": "redis://h"},
			[]string{"REDIS_URL is set but DATABASE_URL is not"}},
		{"database without Redis", map[string]string{"DATABASE_URL": "postgres://h/d", "SECRET_KEY": key},
			[]string{"DATABASE_URL is set but REDIS_URL is not"}},
		{"no key in production", production(map[string]string{"SECRET_KEY": ""}),
			[]string{"SECRET_KEY is needed with DATABASE_URL"}},
		{"short key", map[string]string{"SECRET_KEY": "short"}, []string{"SECRET_KEY is too short: 5 bytes"}},
		{"wrong database", production(map[string]string{"DATABASE_URL": "mysql://root:hunter2@h/d"}),
			[]string{"DATABASE_URL must look like postgres://"}},
		{"wrong Redis", production(map[string]string{"REDIS_URL": "http://h"}),
			[]string{"REDIS_URL must look like redis://"}},
		{"wrong public URL", map[string]string{"PUBLIC_URL": "shop.example"},
			[]string{"PUBLIC_URL must look like https://"}},
		{"wrong proxy", map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8,all"},
			[]string{`TRUSTED_PROXIES holds "all"`}},
		{"wrong private stores",
			map[string]string{"ALLOW_PRIVATE_STORES": "yes,10.0.0.1/33,shop.internal,http://shop,1.2.3"},
			[]string{`ALLOW_PRIVATE_STORES holds "10.0.0.1/33"`, `ALLOW_PRIVATE_STORES holds "http://shop"`,
				`ALLOW_PRIVATE_STORES holds "1.2.3"`}},
		{"rates from elsewhere", map[string]string{"FX_RATES_URL": "ftp://me:hunter2@h/"},
			[]string{"FX_RATES_URL must look like https://"}},
		{"rates without a host", map[string]string{"FX_RATES_URL": "https:///x"},
			[]string{"FX_RATES_URL must look like https://"}},
		{"rates without a file", map[string]string{"FX_RATES_URL": "file://"},
			[]string{"FX_RATES_URL must look like https://"}},
		{"port too large", map[string]string{"LISTEN_ADDR": ":70000"}, []string{"LISTEN_ADDR"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(test.env)
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(lines), len(test.want), err)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("line %q, want %q…", lines[i], want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), key) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestLoad_secret_from_file(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(map[string]string{"SECRET_KEY_FILE": path})
	if err != nil || string(c.SecretKey) != key {
		t.Errorf("SecretKey = %q, %v", c.SecretKey, err)
	}
	for name, env := range map[string]map[string]string{
		"both":    {"SECRET_KEY_FILE": path, "SECRET_KEY": key},
		"missing": {"SECRET_KEY_FILE": path + "x"},
	} {
		if _, err := load(env); err == nil || !strings.HasPrefix(err.Error(), "SECRET_KEY ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestExample compares .env.example with what Load reads: the same variables, in the same order, with the same
// defaults.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	var got []config.Setting
	for _, m := range regexp.MustCompile(`(?m)^# ([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		got = append(got, config.Setting{Name: m[1], Default: m[2], Secret: secretInExample(string(text), m[1])})
	}
	if want := config.Settings(); !reflect.DeepEqual(got, want) {
		t.Errorf(".env.example has\n%+v\nLoad reads\n%+v", got, want)
	}
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n")[1:] {
		if lines := strings.Split(block, "\n"); len(lines) < 2 {
			t.Errorf("no meaning stands above %q", block)
		}
	}
}

func secretInExample(text, name string) bool {
	before, _, _ := strings.Cut(text, "# "+name+"=")
	block := before[strings.LastIndex(before, "\n\n")+2:]
	return strings.HasPrefix(block, "# Secret. ")
}

// TestLoad_paypal: PayPal's own hosts alone are given the secret, or this machine, and it is repeated in no error.
func TestLoad_paypal(t *testing.T) {
	for text, want := range map[string]config.PayPal{
		"https://AX:E%2FK@api-m.paypal.com": {API: "https://api-m.paypal.com", ID: "AX", Secret: "E/K",
			WebhookID: "W1"},
		"https://AX:EK@api-m.sandbox.paypal.com/": {API: "https://api-m.sandbox.paypal.com", ID: "AX", Secret: "EK",
			WebhookID: "W1"},
		"http://AX:EK@127.0.0.1:8099": {API: "http://127.0.0.1:8099", ID: "AX", Secret: "EK",
			WebhookID: "W1"},
		"http://AX:hunter2@api-m.paypal.com":         {},
		"https://AX:hunter2@api-m.paypal.com.x.test": {},
		"https://AX:hunter2@paypal.evil.example":     {},
		"https://AX:hunter2@api-m.paypal.com:8443":   {},
		"https://AX:hunter2@api-m.paypal.com/v1":     {},
		"https://AX@api-m.paypal.com":                {},
		"https://AX:hun/ter2@api-m.paypal.com":       {},
	} {
		c, err := load(map[string]string{"PAYPAL_URL": text, "PAYPAL_WEBHOOK_ID": "W1"})
		if c.PayPal != want && c.PayPal.API+want.API != "" || (err == nil) != (want.API != "") ||
			err != nil && (strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(),
				"PAYPAL_URL must")) {
			t.Errorf("%s: %+v, %v", text, c.PayPal, err)
		}
	}
	if _, err := load(map[string]string{"PAYPAL_WEBHOOK_ID": "W1"}); err == nil {
		t.Error("a webhook without an app is taken")
	}
}
