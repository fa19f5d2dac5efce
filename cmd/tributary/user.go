package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func userAddCommand() command {
	return command{
		name:    "user add",
		args:    "--email E --name N --role owner|manager|viewer [--may-pay] [--json]",
		summary: "Give a person an account for the dashboard.",
		example: "tributary user add --email mia@brand.example --name Mia --role owner\necho \"$PASSWORD\" | " +
			"tributary user add --email ben@brand.example --name Ben --role viewer",
		run: func(ctx context.Context, c *call) error {
			email := c.flags.String("email", "", "`E`: the address to sign in with")
			name := c.flags.String("name", "", "`N`: what others see")
			role := c.flags.String("role", "", "`ROLE`: owner, manager or viewer")
			pay := c.flags.Bool("may-pay", false, "a manager may also send, record and cancel payouts")
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			if err := c.required("email", "name", "role"); err != nil {
				return err
			}
			parsed, err := affiliate.ParseRole(*role)
			if err != nil {
				return err
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return err
			}
			password, err := c.askPassword()
			if err != nil {
				return err
			}
			u, err := a.AddUser(ctx, affiliate.User{Email: *email, Name: *name, Role: parsed, MayPay: *pay},
				password)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(userAsJSON(u))
			}
			fmt.Fprintf(c.stdout, "%s (%s, %s) may sign in at %s.\n", u.Email, u.ID, u.Role, a.PublicURL)
			return nil
		},
	}
}

func userChangeCommand() command {
	return command{
		name: "user change",
		args: "EMAIL [--name N] [--role owner|manager|viewer] [--may-pay=true|false] [--json]",
		summary: "Change the name or role of a person, or whether a manager may pay; who may do less is signed out " +
			"everywhere.",
		example: "tributary user change ben@brand.example --may-pay\ntributary user change ben@brand.example --role " +
			"viewer",
		run: func(ctx context.Context, c *call) error {
			name := c.flags.String("name", "", "`N`: what others see")
			role := c.flags.String("role", "", "`ROLE`: owner, manager or viewer; a manager who gets another "+
				"loses the right to pay")
			pay := c.flags.Bool("may-pay", false, "whether a manager may send, record and cancel payouts")
			return c.changeUser(ctx, func(ctx context.Context, a *app.App, u affiliate.User) error {
				given := map[string]bool{}
				c.flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
				if !given["name"] && !given["role"] && !given["may-pay"] {
					return usagef("say what to change: --name, --role or --may-pay")
				}
				_, err := a.ChangeUser(ctx, u.ID, func(u *affiliate.User) error {
					if given["name"] {
						u.Name = *name
					}
					if given["role"] {
						u.Role = affiliate.Role(*role)
						u.MayPay = u.MayPay && u.Role == affiliate.RoleManager
					}
					if given["may-pay"] {
						u.MayPay = *pay
					}
					return nil
				})
				return err
			}, "is changed")
		},
	}
}

func userListCommand() command {
	return command{
		name:    "user list",
		args:    "[--json]",
		summary: "List the people who have an account.",
		example: "tributary user list",
		run: func(ctx context.Context, c *call) error {
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return err
			}
			all, err := storage.All(func(p storage.Page) ([]affiliate.User, string, error) {
				return a.DB.Users(ctx, p)
			})
			if err != nil {
				return err
			}
			return c.printUsers(all)
		},
	}
}

func userPasswordCommand() command {
	return command{
		name:    "user password",
		args:    "EMAIL [--json]",
		summary: "Set a person's password, and sign them out everywhere.",
		example: "tributary user password mia@brand.example",
		run: func(ctx context.Context, c *call) error {
			return c.changeUser(ctx, func(ctx context.Context, a *app.App, u affiliate.User) error {
				password, err := c.askPassword()
				if err != nil {
					return err
				}
				return a.SetUserPassword(ctx, u.ID, password, "")
			}, "has a new password and is signed out everywhere")
		},
	}
}

// changeUser changes the person whose e-mail address is the command's argument, and says what they have of it.
func (c *call) changeUser(ctx context.Context, change func(context.Context, *app.App, affiliate.User) error,
	said string) error {
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	u, err := findUser(ctx, a, args[0])
	if err != nil {
		return err
	}
	if err := change(ctx, a, u); err != nil {
		return err
	}
	if u, err = a.DB.User(ctx, u.ID); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(userAsJSON(u))
	}
	fmt.Fprintf(c.stdout, "%s %s.\n", u.Email, said)
	return nil
}

// findUser gives a person by the e-mail address.
func findUser(ctx context.Context, a *app.App, email string) (affiliate.User, error) {
	u, _, err := a.DB.UserByEmail(ctx, affiliate.FoldEmail(email))
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.Errorf(affiliate.NotFound, "nobody has an account with %s; see: tributary user list", email)
	}
	return u, err
}

func userSecondFactorCommand() command {
	return command{
		name:    "user second-factor off",
		args:    "EMAIL [--json]",
		summary: "Switch off the second factor of somebody who has lost it, and sign them out everywhere.",
		example: "tributary user second-factor off mia@brand.example",
		run: func(ctx context.Context, c *call) error {
			return c.changeUser(ctx, func(ctx context.Context, a *app.App, u affiliate.User) error {
				return a.EndSecondFactor(ctx, u.ID)
			}, "signs in with the password alone now, and is signed out everywhere")
		},
	}
}

// askPassword reads a password: see askSecret.
func (c *call) askPassword() (string, error) { return c.askSecret("Password") }

// askSecret reads a secret from the terminal without showing it, or the next line of another standard input. It is no
// option, since others on the machine can read those.
func (c *call) askSecret(label string) (string, error) {
	if f, ok := c.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(c.stderr, label+": ")
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.stderr)
		return string(text), err
	}
	missing := usagef("give the %s on standard input", strings.ToLower(label[:1])+label[1:])
	if c.stdin == nil {
		return "", missing
	}
	if c.lines == nil {
		c.lines = bufio.NewReader(c.stdin)
	}
	line, err := c.lines.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", missing
	}
	return line, nil
}

// userJSON is a person as commands print one for machines.
type userJSON struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	MayPay   bool   `json:"may_pay"`
	Disabled bool   `json:"disabled"`
}

func userAsJSON(u affiliate.User) userJSON {
	return userJSON{u.ID.String(), u.Email, u.Name, string(u.Role), u.MayPay, !u.DisabledAt.IsZero()}
}

func (c *call) printUsers(list []affiliate.User) error {
	if c.json {
		out := make([]userJSON, len(list))
		for i, u := range list {
			out[i] = userAsJSON(u)
		}
		return c.printJSON(map[string]any{"users": out})
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "There is no account yet. Make one: tributary user add --help")
		return nil
	}
	return printTable(c.stdout, "ID\tROLE\tEMAIL\tNAME\tMAY SIGN IN\tMAY PAY", func(row func(cells ...any)) {
		for _, u := range list {
			row(u.ID, u.Role, u.Email, u.Name, yesOrNo(u.DisabledAt.IsZero()),
				yesOrNo(u.Principal().May(affiliate.MayPay)))
		}
	})
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
