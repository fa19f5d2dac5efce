package app_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// outcomes are the results of an action in one line: "Anna changed, Ben same".
func outcomes(results []app.MemberResult) string {
	var list []string
	for _, r := range results {
		text := r.Name + " " + string(r.Outcome)
		if r.Outcome == app.MemberFailed {
			text += ": " + r.Why
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func TestChangeMembers(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna, ben := d.promoter("Anna"), d.promoter("Ben")
		cleo, err := d.AddCreator(d.ctx, affiliate.Creator{Name: "Cleo"})
		must(d, cleo, err)
		offer := anna.OfferID
		do := func(in app.MembersChange, want string) {
			d.Helper()
			in.Offer = offer
			p, err := d.PreviewMembers(d.ctx, in)
			must(d, p, err)
			if got := outcomes(p.Results); got != want {
				d.Errorf("%s, as a preview: %s, want %s", in.Action, got, want)
			}
			results, err := d.ChangeMembers(d.ctx, in)
			must(d, results, err)
			if got := outcomes(results); got != want {
				d.Errorf("%s: %s, want %s", in.Action, got, want)
			}
			if results, err = d.ChangeMembers(d.ctx, in); err != nil || strings.Contains(outcomes(results), "changed") {
				d.Errorf("%s again: %s, %v", in.Action, outcomes(results), err)
			}
		}
		named := func(ids ...affiliate.OfferMemberID) app.MembersChange { return app.MembersChange{Members: ids} }
		act := func(a app.MemberAction, in app.MembersChange) app.MembersChange {
			in.Action = a
			return in
		}
		do(act(app.MembersDeactivate, named(ben.ID, anna.ID, 99)),
			"Ben changed, Anna changed,  failed: There is no ofm_99 in "+offer.String()+".")
		do(act(app.MembersActivate, named(anna.ID, anna.ID)), "Anna changed")
		do(act(app.MembersRemove, named(ben.ID)), "Ben changed")
		all, err := d.ChangeMembers(d.ctx, app.MembersChange{Action: app.MembersRemove, Offer: offer})
		if must(d, all, err); outcomes(all) != "Anna changed" {
			d.Errorf("all: %s", outcomes(all))
		}
		n, err := d.DB.CountOfferMembers(d.ctx, storage.OfferMemberSearch{Offer: offer}, d.now())
		if n != 0 || err != nil {
			d.Errorf("%d members are left, %v", n, err)
		}
		rule := app.MembersChange{Members: []affiliate.OfferMemberID{anna.ID}, Rule: &affiliate.Rule{Percent: 2000}}
		do(act(app.MembersCommission, rule),
			"Anna failed: Anna was removed from the offer; add them to it, which takes them back.")
		left, err := d.RemoveMember(d.ctx, ben.MemberID)
		must(d, left, err)
		do(act(app.MembersAdd, app.MembersChange{Creators: []affiliate.CreatorID{anna.CreatorID, ben.CreatorID, cleo.ID,
			77}}), "Anna changed, Ben changed, Cleo changed,  failed: There is no cre_77.")
		rule.From = d.now().Add(time.Hour)
		do(act(app.MembersCommission, rule), "Anna changed")
		if m, err := d.DB.OfferMember(d.ctx, anna.ID); err != nil || m.Override != nil || !m.RemovedAt.IsZero() {
			d.Errorf("before its time: %+v, %v", m, err)
		}
		d.pass(2 * time.Hour)
		if n, err := d.TakeCommissionsIntoEffect(d.ctx); n != 1 || err != nil {
			d.Errorf("%d were brought up to date, %v", n, err)
		}
		if m, err := d.DB.OfferMember(d.ctx, anna.ID); err != nil || m.Override == nil || m.Override.Percent != 2000 {
			d.Errorf("after its time: %+v, %v", m, err)
		}
		removed, err := d.RemoveCreator(d.ctx, cleo.ID)
		must(d, removed, err)
		do(act(app.MembersAdd, app.MembersChange{Creators: []affiliate.CreatorID{cleo.ID}}),
			"Cleo failed: Cleo was removed from the community; restore them there first.")
		for _, c := range []struct {
			in    app.MembersChange
			field string
		}{
			{app.MembersChange{Action: "praise"}, "action"},
			{act(app.MembersAdd, app.MembersChange{}), "creators"},
			{act(app.MembersRemove, app.MembersChange{Members: []affiliate.OfferMemberID{}}), "members"},
			{act(app.MembersRemove, rule), "commission"},
			{act(app.MembersCommission, app.MembersChange{From: d.now().Add(-time.Minute)}), "from"},
		} {
			c.in.Offer = offer
			_, err := d.ChangeMembers(d.ctx, c.in)
			d.want(err, affiliate.Invalid, c.field)
		}
	})
}

// BenchmarkChangeMembers gives 2,000 members a commission of their own.
func BenchmarkChangeMembers(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite,
		"postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
			done := func(err error) {
				if err != nil {
					b.Fatal(err)
				}
			}
			done(err)
			a := &app.App{DB: open(b), Sealer: sealer, Live: &recorder{}, Now: time.Now, Serving: true,
				Log: slog.New(slog.DiscardHandler)}
			ctx := app.As(b.Context(), affiliate.Principal{Name: "the test", Role: affiliate.RoleOwner})
			c, err := a.AddCampaign(ctx, affiliate.Campaign{Name: "Spring"})
			done(err)
			o, err := a.AddOffer(ctx, affiliate.Offer{CampaignID: c.ID, Name: "Ten", Type: affiliate.OfferPromoCode})
			done(err)
			lines := make([]app.NewcomerLine, 2000)
			for i := range lines {
				lines[i] = app.NewcomerLine{Line: i + 1, Name: fmt.Sprint("Creator ", i), New: true}
			}
			_, err = a.AddNewcomers(ctx, o.ID, lines)
			done(err)
			percent := int64(0)
			for b.Loop() {
				percent++
				_, err := a.ChangeMembers(ctx, app.MembersChange{Action: app.MembersCommission, Offer: o.ID,
					Rule: &affiliate.Rule{Percent: percent}})
				done(err)
			}
		})
	}
}

func TestReadNewcomers(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna, _ := d.crew()
		gone, err := d.AddCreator(d.ctx, affiliate.Creator{Name: "Gone"})
		must(d, gone, err)
		gone, err = d.RemoveCreator(d.ctx, gone.ID)
		must(d, gone, err)
		for _, c := range []struct{ file, want string }{
			{"Anna\n\n@ben\n", "1 cre_1, 3 cre_2"},
			{"anna.t", "1 cre_1"},
			{"Nora Lind; nora@lind.example; @nora.l", "1 new Nora Lind nora.l nora@lind.example"},
			{"nora@lind.example", "1 new nora  nora@lind.example"},
			{"https://instagram.com/nora.l", "1 new nora.l nora.l "},
			{"cre_2\ncre_99", "1 cre_2, 2 There is no cre_99."},
			{"name,email,handle\nAnna,,\n,,@ben\nNora,nora@lind.example,\n",
				"2 cre_1, 3 cre_2, 4 new Nora  nora@lind.example"},
			{"Anna\n@anna\n", "1 cre_1, 2 They stand in line 1 already."},
			{"Nora\nnora\n", "1 new Nora  , 2 They stand in line 1 already."},
			{"Gone", "1 Gone was removed from the community; restore them there first."},
			{"Lind, Nora", `1 It cannot be told what "Nora" is; write handles with @, or name the columns in a first line.`},
			{"\ufeffname,email\nNora,nora@lind.example\n", "2 new Nora  nora@lind.example"},
			{"name,email\nNora,not an address\n", "2 "},
		} {
			lines, err := d.ReadNewcomers(d.ctx, []byte(c.file))
			must(d, lines, err)
			var got []string
			for _, l := range lines {
				text := l.Why
				switch {
				case l.Creator != 0:
					text = l.Creator.String()
				case l.New:
					text = fmt.Sprintf("new %s %s %s", l.Name, l.Handle, l.Email)
				}
				got = append(got, fmt.Sprint(l.Line, " ", text))
			}
			if text := strings.Join(got, ", "); text != c.want && (c.want != "2 " || !strings.HasPrefix(text, "2 ") ||
				strings.HasPrefix(text, "2 new")) {
				d.Errorf("%q gives %s, want %s", c.file, text, c.want)
			}
		}
		_, err = d.ReadNewcomers(d.ctx, []byte(" \n\n"))
		d.want(err, affiliate.Invalid, "file")
		lines, err := d.ReadNewcomers(d.ctx, []byte("Anna\nNora Lind\nGone\n"))
		must(d, lines, err)
		for _, want := range []string{"Anna same, Nora Lind changed", "Anna same, Nora Lind same"} {
			results, err := d.AddNewcomers(d.ctx, anna.OfferID, lines)
			must(d, results, err)
			want += ", Gone failed: Gone was removed from the community; restore them there first."
			if got := outcomes(results); got != want {
				d.Errorf("%s, want %s", got, want)
			}
		}
	})
}

// TestAttack_ReadNewcomers: whatever bytes come, each line is of somebody, of somebody new, or says why not, in text
// that can be shown.
func TestAttack_ReadNewcomers(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.crew()
		piece := rapid.OneOf(rapid.SampledFrom([]string{"Anna", "@anna", "cre_1", "cre_999999999999999999999",
			"office@crew.example", "name,handle\n", "\n", ",", ";", "\t", "\"", "\r\n", "sep=;\n",
			"=cmd|'/c calc'!A1", "\x00", "\xff\xfe", "<b>",
			"PK\x03\x04", strings.Repeat("x", 300), "\u202e", "@", "@@", "a@b.c"}), rapid.String())
		rapid.Check(d.T, func(t *rapid.T) {
			file := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
			lines, err := d.ReadNewcomers(d.ctx, []byte(file))
			if err != nil {
				if affiliate.KindOf(err) != affiliate.Invalid {
					t.Fatal(err)
				}
				return
			}
			for _, l := range lines {
				states := 0
				for _, is := range []bool{l.Creator != 0, l.New, l.Why != ""} {
					if is {
						states++
					}
				}
				if states != 1 || l.Line < 1 || !utf8.ValidString(l.Text+l.Name+l.Why+l.Handle+l.Email) {
					t.Fatalf("%+v of %q", l, file)
				}
			}
		})
	})
}
