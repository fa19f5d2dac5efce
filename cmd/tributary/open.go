package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/integrations/paypal"
	"github.com/tributaryhq/tributary/integrations/sepa"
	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/smtp"
	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/integrations/wise"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/storage"
)

// platforms are all kinds of stores, in the order in which they are offered.
func platforms() app.Platforms { return app.Platforms{shopify.Platform{}, woocommerce.Platform{}} }

// connectors open the APIs of stores, of those platforms whose APIs are asked.
func connectors(cfg config.Config) app.Connectors {
	web := &storeapi.Web{Private: cfg.PrivateStores}
	elsewhere := map[string]string{}
	for _, s := range cfg.DemoShops {
		elsewhere[strings.TrimPrefix(s.Keys.Address, "https://")] = s.At
	}
	return app.Connectors{
		shopify.Name:     app.ConnectorOf(shopify.Connector{Web: web, Elsewhere: elsewhere}),
		woocommerce.Name: app.ConnectorOf(woocommerce.Connector{Web: web, Plain: cfg.Demo}),
	}
}

// paymentFiles write the files by which payouts are paid.
func paymentFiles() map[affiliate.Rail]app.PaymentFiles {
	return map[affiliate.Rail]app.PaymentFiles{affiliate.RailPayPalFile: paypal.File{},
		affiliate.RailWiseFile: wise.File{},
		affiliate.RailSEPAFile: sepa.File{}, affiliate.RailCSVFile: app.PaymentsCSV{}}
}

// resultReaders read what became of payouts. The first that takes a file reads it.
func resultReaders() []app.ResultReader {
	return []app.ResultReader{paypal.Activity{}, wise.Transfers{}, sepa.Answers{}, sepa.Entries{}, app.ResultsCSV{}}
}

// openApp opens the database and builds the application without queue and live pages. An embedded database
// is made and migrated first; a PostgreSQL with an old schema is an error that says how to migrate. The returned
// function closes what was opened.
func openApp(ctx context.Context, cfg config.Config) (*app.App, func(), error) {
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	a, err := buildApp(ctx, cfg, db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return a, func() {
		if err := db.Close(); err != nil {
			a.Log.Error("close the database", "error", err)
		}
	}, nil
}

func buildApp(ctx context.Context, cfg config.Config, db *storage.DB) (*app.App, error) {
	if err := ensureSchema(ctx, db); err != nil {
		return nil, err
	}
	key, err := secretKey(ctx, cfg, db)
	if err != nil {
		return nil, err
	}
	sealer, err := app.NewSealer(key)
	if err != nil {
		return nil, err
	}
	a := &app.App{DB: db, Sealer: sealer, Log: newLogger(cfg, os.Stderr), Now: time.Now, PublicURL: cfg.PublicURL,
		Platforms: platforms(), Connectors: connectors(cfg), Live: nobody{},
		PaymentFiles: paymentFiles(), ResultReaders: resultReaders(),
		PrivateLandings: cfg.PrivateLandings, LocalStores: len(cfg.PrivateStores) > 0}
	if cfg.FXRatesURL != "" {
		a.Rates = fxrates.Client{URL: cfg.FXRatesURL}
	}
	if a.MailFrom = cfg.MailFrom; cfg.SMTP.Host != "" {
		a.Mailer = mailer{smtp.Server{Host: cfg.SMTP.Host, Port: cfg.SMTP.Port, User: cfg.SMTP.User,
			Password: cfg.SMTP.Password, Encryption: smtp.Encryption(cfg.SMTP.Encryption)}}
	}
	if p := cfg.PayPal; p.API != "" {
		a.PayPal = paypal.New(p.API, p.ID, p.Secret, p.WebhookID)
	}
	if cfg.Demo {
		a.Mailer, a.MailFrom, a.MailShown = demoMailer{}, demoMailFrom, true
	}
	if err := a.Refold(ctx); err != nil && !storage.IsUnwritable(err) { // then another start does
		return nil, fmt.Errorf("bring kept texts up to date: %w", err)
	}
	return a, nil
}

// mailer hands mails to a server by SMTP.
type mailer struct{ server smtp.Server }

func (m mailer) Open(ctx context.Context) (app.MailConnection, error) {
	c, err := m.server.Open(ctx)
	if err != nil {
		return nil, err // and no connection that is not nil
	}
	return c, nil
}

// nobody listens to the changes of a command: the pages of a running server fetch what they show.
type nobody struct{}

func (nobody) Publish([]affiliate.Change) {}

// openDatabase connects, and makes the data folder of the embedded database, which nobody else may read.
func openDatabase(ctx context.Context, cfg config.Config) (*storage.DB, error) {
	if cfg.Embedded() {
		if err := makeDataFolder(cfg); err != nil {
			return nil, err
		}
	}
	o := storage.Options{URL: cfg.DatabaseURL, MaxConns: cfg.DatabaseMaxConns, MinFree: cfg.MinFreeBytes}
	if cfg.Embedded() {
		o.Path = cfg.DatabasePath()
		if err := makePrivate(o.Path); err != nil {
			return nil, fmt.Errorf("make the database file: %w", err)
		}
	}
	return storage.Open(ctx, o)
}

func makeDataFolder(cfg config.Config) error {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("make the data folder (DATA_DIR): %w", err)
	}
	return nil
}

// makePrivate makes an empty file that only its owner may read, where there is none: SQLite would give it, and the
// files beside it, whatever mode the system's default is, and DATA_DIR may be a folder that others can enter.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func ensureSchema(ctx context.Context, db *storage.DB) error {
	pending, err := db.Pending(ctx)
	if err != nil {
		return fmt.Errorf("look at the schema: %w", err)
	}
	if len(pending) == 0 {
		return nil
	}
	if !db.Embedded() {
		return fmt.Errorf("the database needs %d migration(s) (%s); run: tributary migrate", len(pending),
			strings.Join(pending, ", "))
	}
	_, err = db.Migrate(ctx)
	return err
}

// secretKey gives SECRET_KEY, or on the embedded default the key file, which is made for an empty database. One that
// holds anything has been used with a key, and another would leave secrets unread and hashes that meet nothing.
func secretKey(ctx context.Context, cfg config.Config, db *storage.DB) ([]byte, error) {
	if !cfg.Embedded() {
		return cfg.SecretKey, nil
	}
	path := cfg.SecretKeyPath()
	kept, err := readSecretKey(path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing:
		return nil, err
	case len(cfg.SecretKey) > 0 && !missing && !bytes.Equal(cfg.SecretKey, kept):
		return nil, fmt.Errorf("SECRET_KEY is set, but the data folder has another key in %s, which its data were "+
			"made with: unset SECRET_KEY; or, if SECRET_KEY is the right one, move the file away", path)
	case len(cfg.SecretKey) > 0:
		return cfg.SecretKey, nil
	case !missing:
		return kept, nil
	}
	used, err := db.HoldsData(ctx)
	if err != nil {
		return nil, err
	}
	if used {
		return nil, fmt.Errorf("the key file %s is missing, and the database holds data that were made with it: "+
			"restore it from your backup, or set SECRET_KEY if that is where the key was. If it is lost for good, "+
			"docs/operations.md (Backup) says how to go on with another", path)
	}
	if err := makeSecretKey(path); err != nil {
		return nil, fmt.Errorf("make the key file: %w", err)
	}
	return readSecretKey(path)
}

// readSecretKey reads a key file, which holds one line of text.
func readSecretKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	key := bytes.TrimSpace(text)
	if len(key) < config.MinSecretKey {
		return nil, fmt.Errorf("the key file %s is damaged: %d bytes, at least %d are needed; restore it from a backup",
			path, len(key), config.MinSecretKey)
	}
	if bytes.ContainsFunc(key, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
		return nil, fmt.Errorf("the key file %s is damaged: it holds what is no text; restore it from a backup", path)
	}
	return key, nil
}

// makeSecretKey writes a new key under a temporary name and links it to its place, so that of two processes that start
// at once one wins, and nobody reads half a key.
func makeSecretKey(path string) (err error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random)                                 // never fails
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(hex.EncodeToString(random) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func newLogger(cfg config.Config, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
