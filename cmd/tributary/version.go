package main

import (
	"context"
	"fmt"
	"runtime/debug"
)

// version is set at build time: -ldflags "-X main.version=1.2.3".
var version string

func versionCommand() command {
	return command{
		name:    "version",
		args:    "[--json]",
		summary: "Print the version.",
		example: "tributary version",
		run:     printVersion,
	}
}

func printVersion(_ context.Context, c *call) error {
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]string{"version": buildVersion()})
	}
	_, err := fmt.Fprintln(c.stdout, "tributary", buildVersion())
	return err
}

// buildVersion is the version set at build time, else the commit that was built, else "dev".
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "dev-" + s.Value[:12]
		}
	}
	return "dev"
}
