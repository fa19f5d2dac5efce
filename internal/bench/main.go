//go:build unix

// Command bench measures Tributary against the targets of its design (section 11): durable acknowledgements against a
// handler that only checks the signature, the whole pipeline, link redirects against a bare redirect, reports and
// exports with a million conversions, embedded and on PostgreSQL with Redis, how long the embedded default takes to
// start and what it keeps in memory, and the import of a store's past. It starts all it needs on ports and in folders
// of its own, and stops it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == referenceCommand {
		reference()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	quick   bool
	json    bool
	only    string
	binary  string
	history int
}

// chosen gives the backends that a part is wanted for.
func (o options) chosen(part string) (list []backend) {
	for _, where := range []backend{onPostgres, embedded} {
		name := part + map[backend]string{onPostgres: "-postgres", embedded: "-embedded"}[where]
		if wanted := "," + o.only + ","; o.only == "" || strings.Contains(wanted, ","+part+",") ||
			strings.Contains(wanted, ","+name+",") {
			list = append(list, where)
		}
	}
	return list
}

// pick gives the full or the quick length of a measurement.
func (o options) pick(full, quick time.Duration) time.Duration {
	if o.quick {
		return quick
	}
	return full
}

func run(ctx context.Context) error {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "a short run")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.StringVar(&o.only, "only", "",
		"measure only these `parts`: ack,pipeline,links,idle,reports,history, each with -postgres or -embedded if "+
			"wanted")
	flag.StringVar(&o.binary, "binary", "", "measure this tributary `file` instead of building it")
	flag.IntVar(&o.history, "history", 0,
		"also measure reports on PostgreSQL with `N` conversions, such as 10000000, and compare")
	flag.Parse()
	b := &bench{options: o}
	defer b.close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{b.acknowledgements, b.pipelines, b.links, b.starts, b.reports,
		b.histories} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(b.results)
	}
	b.print(os.Stdout)
	return nil
}
