package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
)

// command is one entry of the table of commands.
type command struct {
	name    string // "migrate", or two words: "store add"
	args    string // what follows the name, for help: "FILE.csv [--dry-run]"
	summary string // one line
	example string // one or more command lines
	run     func(ctx context.Context, c *call) error
}

// terminal is what a command may touch of the outside world.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

// call is one run of a command.
type call struct {
	terminal
	command command
	args    []string
	flags   *flag.FlagSet
	json    bool          // set by --json
	close   func()        // what open opened
	lines   *bufio.Reader // of stdin, once some was read
}

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// usageError is an error in how a command was called.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// errReported ends a command with exit code 1 when it has already said what is wrong.
var errReported = errors.New("reported")

// run finds the command and runs it; the result is the exit code.
func run(ctx context.Context, table []command, t terminal, args []string) int {
	if len(args) == 0 {
		printHelp(t.stderr, table, "")
		return exitUsage
	}
	if isHelp(args[0]) || args[0] == "help" {
		return help(t, table, args[1:])
	}
	if args[0] == "--version" || args[0] == "-version" {
		args = append([]string{"version"}, args[1:]...)
	}
	cmd, rest, ok := find(table, args)
	if !ok {
		return unknown(t, table, args)
	}
	c := &call{terminal: t, command: cmd, args: rest, flags: flag.NewFlagSet(cmd.name, flag.ContinueOnError),
		close: func() {}}
	defer func() { c.close() }()
	c.flags.SetOutput(io.Discard)
	return c.exit(cmd.run(ctx, c))
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// find prefers the longest name: "store add" before "store".
func find(table []command, args []string) (command, []string, bool) {
	for words := min(3, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		if i := slices.IndexFunc(table, func(c command) bool { return c.name == name }); i >= 0 {
			return table[i], args[words:], true
		}
	}
	return command{}, nil, false
}

func help(t terminal, table []command, args []string) int {
	if cmd, _, ok := find(table, args); ok {
		return run(context.Background(), table, t, append(strings.Fields(cmd.name), "--help"))
	}
	printHelp(t.stdout, table, strings.Join(args, " "))
	return exitOK
}

// unknown tells which commands there are. "tributary store" and "tributary store --help" list those of the group.
func unknown(t terminal, table []command, args []string) int {
	group := args[0]
	inGroup := slices.ContainsFunc(table, func(c command) bool { return strings.HasPrefix(c.name, group+" ") })
	switch {
	case inGroup && slices.ContainsFunc(args[1:], isHelp):
		printHelp(t.stdout, table, group)
		return exitOK
	case inGroup:
		if len(args) > 1 {
			fmt.Fprintf(t.stderr, "tributary: there is no command \"%s %s\"\n\n", group, args[1])
		}
		printHelp(t.stderr, table, group)
	default:
		fmt.Fprintf(t.stderr, "tributary: there is no command %q; see: tributary help\n", group)
	}
	return exitUsage
}

// printHelp lists the commands, or those of a group.
func printHelp(w io.Writer, table []command, group string) {
	fmt.Fprintln(w, "Tributary credits a store's orders to creators, by coupon code or link.")
	fmt.Fprintln(w, "\nUsage: tributary COMMAND [options]\n\nCommands:")
	width := 0
	for _, c := range table {
		width = max(width, len(c.name))
	}
	for _, c := range table {
		if group == "" || strings.HasPrefix(c.name, group+" ") {
			fmt.Fprintf(w, "  %-*s  %s\n", width, c.name, c.summary)
		}
	}
	fmt.Fprintln(w, "\nEvery command has --help with an example. Settings of the process come from the environment: "+
		"see .env.example.")
}

// exit turns the end of a command into an exit code and says on stderr what is wrong.
func (c *call) exit(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		c.printUsage(c.stdout)
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(c.stderr, "tributary %s: %s\n\n", c.command.name, usage.message)
		c.printUsage(c.stderr)
		return exitUsage
	case errors.Is(err, errReported):
		return exitError
	}
	fmt.Fprintf(c.stderr, "tributary %s: %s\n", c.command.name, c.sentence(err))
	return exitError
}

// sentence names a wrong field as the command's option, where it is one: "--webhook-secret is needed".
func (c *call) sentence(err error) string {
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Field == "" {
		return err.Error()
	}
	option := strings.ReplaceAll(e.Field, "_", "-")
	if c.flags.Lookup(option) == nil {
		return err.Error()
	}
	return strings.Replace(err.Error(), e.Field+": ", "--"+option+" ", 1)
}

func (c *call) printUsage(w io.Writer) {
	fmt.Fprintf(w, "%s\n\nUsage: tributary %s\n", c.command.summary,
		strings.TrimSpace(c.command.name+" "+c.command.args))
	c.printOptions(w)
	fmt.Fprintln(w, "\nExample:")
	for line := range strings.Lines(c.command.example) {
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(line))
	}
}

func (c *call) printOptions(w io.Writer) {
	var options, texts []string
	width := 0
	c.flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		option := strings.TrimSpace(dashed(f.Name) + " " + kind)
		options, texts, width = append(options, option), append(texts, text+defaultNote(f)), max(width, len(option))
	})
	for i, option := range options {
		if i == 0 {
			fmt.Fprintln(w, "\nOptions:")
		}
		fmt.Fprintf(w, "  %-*s  %s\n", width, option, texts[i])
	}
}

// dashed is an option's name as people write it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func defaultNote(f *flag.Flag) string {
	if f.DefValue == "" || f.DefValue == "false" || f.DefValue == "0" || f.DefValue == "0s" {
		return ""
	}
	return " (default " + f.DefValue + ")"
}

// jsonFlag adds --json. Commands with it print exactly one JSON document on stdout.
func (c *call) jsonFlag() {
	c.flags.BoolVar(&c.json, "json", false, "print one JSON document, for machines")
}

// parse reads the options, which may stand before and after other arguments, and gives the others, of which there must
// be between least and most.
func (c *call) parse(least, most int) ([]string, error) {
	var others []string
	for rest := c.args; ; {
		if err := c.flags.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usagef("%s", err)
		}
		rest = c.flags.Args()
		if len(rest) == 0 {
			break
		}
		others, rest = append(others, rest[0]), rest[1:]
	}
	switch {
	case len(others) < least:
		return nil, usagef("an argument is missing: %s", c.command.args)
	case len(others) > most:
		return nil, usagef("%q is not understood", others[most])
	}
	return others, nil
}

// openWith opens the app for a command of one argument, which is the id of something.
func openWith[ID ~int64](ctx context.Context, c *call, prefix string) (context.Context, *app.App, ID, error) {
	args, err := c.parse(1, 1)
	if err != nil {
		return ctx, nil, 0, err
	}
	id, err := affiliate.ParseID[ID](prefix, args[0])
	if err != nil {
		return ctx, nil, 0, err
	}
	ctx, a, err := c.open(ctx)
	return ctx, a, id, err
}

// openFile opens a file, or standard input where its name is "-".
func (c *call) openFile(name string) (io.ReadCloser, error) {
	if name == stdFile {
		return io.NopCloser(c.stdin), nil
	}
	return os.Open(name)
}

// readFile reads a file, or standard input, of so many bytes at most.
func (c *call) readFile(name string, most int64) ([]byte, error) {
	file, err := c.openFile(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	body, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("%s is larger than %d MB", name, most>>20)
	}
	return body, err
}

// required gives a usage error that names the options that were not given.
func (c *call) required(names ...string) error {
	given := map[string]bool{}
	c.flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var missing []string
	for _, name := range names {
		if !given[name] {
			missing = append(missing, dashed(name))
		}
	}
	if len(missing) > 0 {
		return usagef("missing: %s", strings.Join(missing, ", "))
	}
	return nil
}

// counted writes a number with its noun.
func counted[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printJSON prints the one document of a command with --json.
func (c *call) printJSON(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// open reads the environment and opens the application on behalf of whoever runs the command, until the command ends.
func (c *call) open(ctx context.Context) (context.Context, *app.App, error) {
	cfg, err := config.Load(c.getenv)
	if err != nil {
		return ctx, nil, err
	}
	a, end, err := openApp(ctx, cfg)
	if err != nil {
		return ctx, nil, err
	}
	c.close = end
	return app.As(ctx, commandLine()), a, nil
}

// commandLine is who the audit log names: whoever can run a command on the server's own data may do everything.
func commandLine() affiliate.Principal {
	name := "command line"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name += " (" + u.Username + ")"
	}
	return affiliate.Principal{Name: name, Role: affiliate.RoleOwner}
}
