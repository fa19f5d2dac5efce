// Package config reads the settings of the process from the environment, once, at start. All problems are reported
// together. The settings of the account (currency, attribution window, …) are not here: they live in the database.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// DemoShop is a made-up shop that can be connected in a demo.
type DemoShop struct {
	Platform affiliate.Platform
	At       string // where its API is, without a trailing slash, wherever its keys say that it is
	Keys     affiliate.StoreKeys
}

// Config is everything that the environment says.
type Config struct {
	ListenAddr        string // host:port
	DataDir           string // embedded database, key file, files that must survive a restart
	DatabaseURL       string // postgres://…; empty: embedded SQLite in DataDir
	DatabaseMaxConns  int    // of the PostgreSQL pool
	RedisURL          string // redis, rediss, redis-sentinel or redis-cluster; empty: in this process
	PublicURL         string // where stores and creators reach this server, without a trailing slash
	SecretKey         []byte // at least 32 bytes; empty: a key file in DataDir
	LogLevel          slog.Level
	LogFormat         string // text or json
	MaxBodyBytes      int64  // of a delivery
	MaxUnverified     int64  // bytes of deliveries in memory at once
	MinFreeBytes      int64  // of the disk of DataDir; 0: as far as the disk goes
	RetentionDays     int    // of raw bodies; 0 keeps them
	WorkerConcurrency int    // batches processed at once; 0 chooses by the number of processors
	TrustedProxies    []string
	// of the folder of exchange rates when it ends in /, else of one file, or a path; empty: none are fetched
	FXRatesURL string
	// PrivateLandings lets the check of a link ask landing pages at private addresses.
	PrivateLandings bool
	// PrivateStores are hosts, addresses and networks (CIDR) of stores that may be asked although they are not public;
	// "*": all.
	PrivateStores    []string
	StatusNeedsToken bool   // the status and the metrics are for those who hold a token
	APIRateLimit     int    // requests per minute and token; 0: no limit
	SMTP             SMTP   // the server that mails to creators are handed to; without a Host: none
	MailFrom         string // whom they are from: name <address>
	PayPal           PayPal // by which creators are paid; without an API: it is not connected
	Demo             bool   // set by the demo, never by the environment: pages say that the sales are made up
	DemoShops        []DemoShop
}

// PayPal says how PayPal's API is reached.
type PayPal struct {
	API        string // https://api-m.paypal.com
	ID, Secret string // of the app there
	WebhookID  string // of the webhook that PayPal has of us; empty: none is believed
}

// SMTP says how a mail server is reached.
type SMTP struct {
	Host, Port     string
	User, Password string // empty: it asks for none
	Encryption     Encryption
}

// Encryption is how the connection to a mail server is encrypted.
type Encryption string

const (
	EncryptFirst Encryption = "tls"           // from the first byte on: smtps://
	EncryptThen  Encryption = "starttls"      // before anything is said; a server that cannot is refused
	EncryptIfCan Encryption = "opportunistic" // as far as the server can
	EncryptNone  Encryption = "none"
)

// MinSecretKey is the fewest bytes that SECRET_KEY may have.
const MinSecretKey = 32

// Embedded says whether everything runs in this process: no PostgreSQL, no Redis.
func (c Config) Embedded() bool { return c.DatabaseURL == "" }

// DatabasePath is the file of the embedded database.
func (c Config) DatabasePath() string { return filepath.Join(c.DataDir, "tributary.db") }

// SecretKeyPath is the file of the key that the embedded default makes for itself.
func (c Config) SecretKeyPath() string { return filepath.Join(c.DataDir, "secret.key") }

// Load reads and checks everything. getenv is os.Getenv outside of tests. A variable that holds a secret may instead
// stand in the file that NAME_FILE names. The error joins all problems, one per line, each with the variable's name.
func Load(getenv func(string) string) (Config, error) {
	r := &reader{getenv: getenv}
	c := r.config()
	r.check(c)
	if c.PublicURL == "" {
		c.PublicURL = "http://" + publicHost(c.ListenAddr)
	}
	return c, errors.Join(r.problems...)
}

func (r *reader) config() Config {
	return Config{
		ListenAddr:        r.text("LISTEN_ADDR", "127.0.0.1:8080"),
		DataDir:           r.text("DATA_DIR", "./data"),
		DatabaseURL:       r.secret("DATABASE_URL"),
		DatabaseMaxConns:  int(r.number("DATABASE_MAX_CONNS", 20, 2, 1000)),
		RedisURL:          r.secret("REDIS_URL"),
		PublicURL:         strings.TrimRight(r.text("PUBLIC_URL", ""), "/"),
		SecretKey:         []byte(r.secret("SECRET_KEY")),
		LogLevel:          r.level("LOG_LEVEL", slog.LevelInfo),
		LogFormat:         r.choice("LOG_FORMAT", "text", "json"),
		MaxBodyBytes:      r.number("MAX_BODY_BYTES", 10<<20, 64<<10, 100<<20),
		MaxUnverified:     r.number("MAX_UNVERIFIED_BYTES", 64<<20, 1<<20, 16<<30),
		MinFreeBytes:      r.number("MIN_FREE_BYTES", 64<<20, 0, 1<<40),
		RetentionDays:     int(r.number("RETENTION_DAYS", 30, 0, 3650)),
		WorkerConcurrency: int(r.number("WORKER_CONCURRENCY", 0, 0, 256)),
		TrustedProxies:    r.proxies("TRUSTED_PROXIES"),
		FXRatesURL:        r.rates("FX_RATES_URL", "https://www.ecb.europa.eu/stats/eurofxref/"),
		APIRateLimit:      int(r.number("API_RATE_LIMIT", 1200, 0, 1_000_000)),
		StatusNeedsToken:  r.choice("STATUS_ACCESS", "anybody", "token") == "token",
		PrivateLandings:   r.choice("LINK_CHECK_ADDRESSES", "public", "any") == "any",
		PrivateStores:     r.privateStores("ALLOW_PRIVATE_STORES"),
		SMTP:              r.smtp("SMTP_URL"),
		MailFrom:          r.mailbox("MAIL_FROM"),
		PayPal:            r.paypal("PAYPAL_URL", "PAYPAL_WEBHOOK_ID"),
	}
}

// check looks at what single variables cannot tell.
func (r *reader) check(c Config) {
	if _, port, err := net.SplitHostPort(c.ListenAddr); err != nil || !isPort(port) {
		r.problem("LISTEN_ADDR", "%q is not an address; it looks like 127.0.0.1:8080, or :8080 for all interfaces",
			c.ListenAddr)
	}
	r.checkScheme("DATABASE_URL", c.DatabaseURL, "postgres://user:password@host:5432/database", "postgres", "postgresql")
	r.checkScheme("REDIS_URL", c.RedisURL, "redis://host:6379/0", "redis", "rediss", "redis-sentinel", "rediss-sentinel",
		"redis-cluster", "rediss-cluster")
	r.checkScheme("PUBLIC_URL", c.PublicURL, "https://tributary.example", "http", "https")
	switch {
	case c.RedisURL != "" && c.DatabaseURL == "":
		r.problem("REDIS_URL",
			"is set but DATABASE_URL is not: a Redis shared by several processes is of use only with a database "+
				"they share too. Set DATABASE_URL to a PostgreSQL as well, or unset REDIS_URL to run embedded")
	case c.RedisURL == "" && c.DatabaseURL != "":
		r.problem("DATABASE_URL",
			"is set but REDIS_URL is not: with PostgreSQL several processes may run, and they wake each other "+
				"through Redis. Set REDIS_URL as well, or unset DATABASE_URL to run embedded")
	}
	switch {
	case c.SMTP.Host != "" && c.MailFrom == "" && !r.failed("MAIL_FROM"):
		r.problem("MAIL_FROM", "is needed with SMTP_URL: whom mails are from, such as Brand <creators@brand.example>")
	case c.SMTP.Host == "" && c.MailFrom != "" && !r.failed("SMTP_URL"):
		r.problem("SMTP_URL", "is needed with MAIL_FROM, such as smtp://user:password@mail.example:587; or unset "+
			"MAIL_FROM to send no mails")
	}
	switch n := len(c.SecretKey); {
	case n > 0 && n < MinSecretKey:
		r.problem("SECRET_KEY", "is too short: %d bytes, at least %d are needed; make one with: openssl rand -hex 32",
			n, MinSecretKey)
	case n == 0 && c.DatabaseURL != "" && !r.failed("SECRET_KEY"):
		r.problem("SECRET_KEY",
			"is needed with DATABASE_URL, the same for every process; make one with: openssl rand -hex 32")
	}
}

func (r *reader) checkScheme(name, value, example string, schemes ...string) {
	if value == "" {
		return
	}
	// The value may hold a password and is never repeated.
	u, err := url.Parse(value)
	if err != nil && strings.HasPrefix(value, "redis-") { // several hosts with ports do not parse as one
		scheme, rest, ok := strings.Cut(value, "://")
		if ok && rest != "" && slices.Contains(schemes, scheme) {
			return
		}
	}
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "" {
		r.problem(name, "must look like %s (schemes: %s)", example, strings.Join(schemes, ", "))
	}
}

// publicHost is how a browser on this machine reaches a listening address.
func publicHost(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || (err == nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n <= 65535
}

// Setting describes one variable.
type Setting struct {
	Name    string
	Default string
	Secret  bool // has a NAME_FILE twin
}

// Settings lists every variable that Load reads.
func Settings() []Setting {
	r := &reader{getenv: func(string) string { return "" }}
	r.config()
	return r.known
}

// reader reads typed variables and collects problems.
type reader struct {
	getenv   func(string) string
	known    []Setting
	problems []error
	wrong    []string
}

func (r *reader) problem(name, format string, args ...any) {
	r.wrong = append(r.wrong, name)
	r.problems = append(r.problems, fmt.Errorf(name+" "+format, args...))
}

func (r *reader) failed(name string) bool { return slices.Contains(r.wrong, name) }

func (r *reader) text(name, fallback string) string {
	r.known = append(r.known, Setting{Name: name, Default: fallback})
	if v := strings.TrimSpace(r.getenv(name)); v != "" {
		return v
	}
	return fallback
}

// secret reads NAME, or the file that NAME_FILE names, without its last line end.
func (r *reader) secret(name string) string {
	r.known = append(r.known, Setting{Name: name, Secret: true})
	value, path := r.getenv(name), r.getenv(name+"_FILE")
	switch {
	case path == "":
		return strings.TrimSpace(value)
	case value != "":
		r.problem(name, "and %s_FILE are both set; unset one of them", name)
		return ""
	}
	text, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(text)) == "" {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		r.problem(name, "cannot be read from the file that %s_FILE names: %v", name, err)
	}
	return strings.TrimSpace(string(text))
}

func (r *reader) number(name string, fallback, least, most int64) int64 {
	v := r.text(name, strconv.FormatInt(fallback, 10))
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < least || n > most {
		r.problem(name, "must be a whole number from %d to %d, not %q", least, most, v)
		return fallback
	}
	return n
}

func (r *reader) choice(name string, choices ...string) string {
	v := strings.ToLower(r.text(name, choices[0]))
	if !slices.Contains(choices, v) {
		r.problem(name, "must be %s, not %q", strings.Join(choices, " or "), v)
		return choices[0]
	}
	return v
}

func (r *reader) level(name string, fallback slog.Level) slog.Level {
	v := r.text(name, strings.ToLower(fallback.String()))
	var level slog.Level
	if err := level.UnmarshalText([]byte(v)); err != nil {
		r.problem(name, "must be debug, info, warn or error, not %q", v)
		return fallback
	}
	return level
}

// rates reads an address or a path; "off" gives "".
func (r *reader) rates(name, fallback string) string {
	v := r.text(name, fallback)
	if strings.EqualFold(v, "off") {
		return ""
	}
	if !strings.Contains(v, "://") {
		return v
	}
	u, err := url.Parse(v) // the value may hold a password and is never repeated
	if err != nil || !slices.Contains([]string{"http", "https", "file"}, u.Scheme) || u.Scheme == "file" &&
		u.Path == "" || u.Scheme != "file" && u.Host == "" {
		r.problem(name, "must look like %s or file:///srv/eurofxref-hist.csv, be a path, or off", fallback)
	}
	return v
}

// smtp reads the address of a mail server. It holds a password, and is never repeated.
func (r *reader) smtp(name string) (s SMTP) {
	text := r.secret(name)
	if text == "" {
		return s
	}
	const example = "smtp://user:password@mail.example:587, or smtps://user:password@mail.example:465"
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" ||
		u.Fragment != "" || u.Port() != "" && !isPort(u.Port()) {
		r.problem(name, "must look like %s; write signs such as @ and / in a password as %%40 and %%2F", example)
		return s
	}
	query := u.Query()
	encryption := Encryption(query.Get("tls"))
	query.Del("tls")
	switch {
	case len(query) > 0:
		r.problem(name, "may end with ?tls=none or ?tls=opportunistic, and with nothing else")
		return s
	case u.Scheme == "smtps" && encryption != "":
		r.problem(name, "begins with smtps://, which is encrypted from the first byte on: take ?tls= out")
		return s
	case encryption != "" && encryption != EncryptNone && encryption != EncryptIfCan:
		r.problem(name, "may end with ?tls=none or ?tls=opportunistic; without it the connection must be encrypted")
		return s
	}
	s = SMTP{Host: u.Hostname(), Port: u.Port(), User: u.User.Username(), Encryption: encryption}
	s.Password, _ = u.User.Password()
	if (s.User == "") != (s.Password == "") {
		r.problem(name, "must have both a user and a password, or neither; it looks like %s", example)
		return SMTP{}
	}
	usual := "587"
	switch {
	case u.Scheme == "smtps":
		s.Encryption, usual = EncryptFirst, "465"
	case encryption == "":
		s.Encryption = EncryptThen
	}
	if s.Port == "" {
		s.Port = usual
	}
	return s
}

// paypalHosts are those of PayPal's API (developer.paypal.com/api/rest/requests), the sandbox among them.
var paypalHosts = []string{"api-m.paypal.com", "api-m.sandbox.paypal.com", "api.paypal.com", "api.sandbox.paypal.com"}

// paypal reads the address of PayPal's API, which holds a secret and is never repeated, and the id of a webhook there.
func (r *reader) paypal(name, webhook string) (p PayPal) {
	text, hook := r.secret(name), r.text(webhook, "")
	if text == "" {
		if hook != "" && !r.failed(name) {
			r.problem(name, "is needed with %s; or unset %s", webhook, webhook)
		}
		return p
	}
	const example = "https://CLIENT_ID:SECRET@api-m.paypal.com, or …@api-m.sandbox.paypal.com"
	u, err := url.Parse(text)
	if err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		r.problem(name, "must look like %s; write signs such as @ and / in the secret as %%40 and %%2F", example)
		return p
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	theirs := u.Scheme == "https" && u.Port() == "" && slices.Contains(paypalHosts, strings.ToLower(u.Host))
	if !theirs && (!local || u.Scheme != "http" && u.Scheme != "https") {
		r.problem(name, "must be at one of PayPal's own hosts, by https: it looks like %s", example)
		return p
	}
	p = PayPal{API: u.Scheme + "://" + strings.ToLower(u.Host), ID: u.User.Username(), WebhookID: hook}
	if p.Secret, _ = u.User.Password(); p.ID == "" || p.Secret == "" {
		r.problem(name, "must have both the client id and the secret of the app: it looks like %s", example)
		return PayPal{}
	}
	return p
}

// mailbox reads an address with or without a name.
func (r *reader) mailbox(name string) string {
	v := r.text(name, "")
	if v == "" {
		return ""
	}
	person, address, err := affiliate.ParseMailbox(name, v)
	if err != nil {
		r.problem(name, "%q is no address for mails; it looks like Brand <creators@brand.example>", v)
		return ""
	}
	return affiliate.Mailbox(person, address)
}

// proxies reads addresses and ranges, divided by commas.
func (r *reader) proxies(name string) (list []string) {
	for _, part := range r.list(name, "") {
		if !isRange(part) {
			r.problem(name, "holds %q, which is no address or range; it looks like 10.0.0.0/8,192.168.1.5", part)
			continue
		}
		list = append(list, part)
	}
	return list
}

// privateStores reads hosts, addresses and ranges, divided by commas; "yes" gives "*", "no" none.
func (r *reader) privateStores(name string) (list []string) {
	parts := r.list(name, "no")
	if len(parts) == 1 && strings.EqualFold(parts[0], "no") {
		return nil
	}
	if len(parts) == 1 && strings.EqualFold(parts[0], "yes") {
		return []string{"*"}
	}
	for _, part := range parts {
		if part = strings.ToLower(strings.Trim(part, "[]")); !isRange(part) && !isHost.MatchString(part) {
			r.problem(name, "holds %q, which is no host, address or range; it looks like "+
				"shop.internal,192.168.1.5,10.0.0.0/8, or is yes or no", part)
			continue
		}
		list = append(list, part)
	}
	return list
}

// isHost matches the name of a host, which ends in no number: what does is an address, well written or not.
var isHost = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$`)

func isRange(s string) bool {
	_, errPrefix := netip.ParsePrefix(s)
	_, errAddr := netip.ParseAddr(s)
	return errPrefix == nil || errAddr == nil
}

// list reads what commas divide.
func (r *reader) list(name, fallback string) (parts []string) {
	for part := range strings.SplitSeq(r.text(name, fallback), ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
