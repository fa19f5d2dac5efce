package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

func settingsCommand() command {
	return command{
		name:    "settings",
		args:    "[set KEY=VALUE …] [--json]",
		summary: "Show or change the settings of the account.",
		example: "tributary settings\ntributary settings set name=\"My brand\" currency=EUR timezone=Europe/Berlin " +
			"attribution_window_days=30 precedence=code_first hold_days=14 minimum_payout=25.00" + settingsHelp(),
		run: settings,
	}
}

// settingsHelp has a line for each setting whose name does not say it all.
func settingsHelp() string {
	var b strings.Builder
	for _, s := range affiliate.AccountSettings() {
		if s.Help == "" {
			continue
		}
		b.WriteString("\n# " + s.Key + ": ")
		for i, c := range s.Choices {
			if i > 0 {
				b.WriteString(" or ")
			}
			b.WriteString(c.Value)
		}
		if len(s.Choices) > 0 {
			b.WriteString("; ")
		}
		b.WriteString(strings.ReplaceAll(s.Help, affiliate.PlatformsNeedingUTM, platforms().Names(app.NeedsUTM)))
		if s.Most > 0 {
			fmt.Fprintf(&b, " (%d to %d)", s.Least, s.Most)
		}
	}
	return b.String()
}

func settings(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(0, 1000)
	if err != nil {
		return err
	}
	changes, err := parseChanges(args)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	var s affiliate.Settings
	if len(changes) > 0 {
		s, err = a.SetSettings(ctx, changes)
	} else {
		s, err = a.DB.Settings(ctx)
	}
	if err != nil {
		return err
	}
	return c.printSettings(app.SettingsList(s))
}

func parseChanges(args []string) ([]app.Setting, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if args[0] != "set" || len(args) == 1 {
		return nil, usagef("write: tributary settings set key=value")
	}
	return parsePairs(args[1:])
}

// setFields gives a change that sets fields of a thing one after the other.
func setFields[T any](pairs []app.Setting, set func(*T, app.Setting) error) func(*T) error {
	return func(thing *T) error {
		for _, p := range pairs {
			if err := set(thing, p); err != nil {
				return err
			}
		}
		return nil
	}
}

// parsePairs reads arguments key=value.
func parsePairs(args []string) ([]app.Setting, error) {
	pairs := make([]app.Setting, len(args))
	for i, arg := range args {
		var err error
		if pairs[i], err = app.ParseSetting(arg); err != nil {
			return nil, usagef("%s", err)
		}
	}
	return pairs, nil
}

func (c *call) printSettings(list []app.Setting) error {
	if c.json {
		object := map[string]string{}
		for _, s := range list {
			object[s.Key] = s.Value
		}
		return c.printJSON(object)
	}
	for _, s := range list {
		fmt.Fprintf(c.stdout, "%s=%s\n", s.Key, s.Value)
	}
	return nil
}
