package app_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// readTakes reads a file of codes for the members of an offer.
func (d *desk) readTakes(offer affiliate.OfferID, file string) (app.TakeFile, error) {
	return d.ReadTakes(d.ctx, offer, "codes.csv", strings.NewReader(file), int64(len(file)))
}

// crew makes Anna, whose offer member is ofm_1, and Ben, ofm_2, of one offer; Anna and Ben share an address.
func (d *desk) crew() (anna, ben affiliate.OfferMember) {
	d.Helper()
	anna, ben = d.promoter("Anna"), d.promoter("Ben")
	for i, m := range []affiliate.OfferMember{anna, ben} {
		_, err := d.ChangeCreator(d.ctx, m.CreatorID, app.AnyVersion, func(c *affiliate.Creator) error {
			c.Email = "office@crew.example"
			c.Handles["tiktok"] = []string{"anna.t", "anna"}[i]
			return nil
		})
		must(d, m, err)
	}
	return anna, ben
}

// TestReadTakes: what a file gives, and what is said of the lines that give nothing.
func TestReadTakes(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna, ben := d.crew()
		for _, c := range []struct {
			name, file string
			takes      []app.Take
			lines      []string // "2: a part of the reason"
		}{
			{"handles of any network", "code,handle\nANNA10,anna.t\nBen10,@BEN\n",
				[]app.Take{{Code: "ANNA10", OfferMember: anna.ID}, {Code: "Ben10", OfferMember: ben.ID}}, nil},
			{"words of people", "Uses;Discount code;Instagram\n7;ANNA10;'@ben\n;;\n",
				[]app.Take{{Code: "ANNA10", OfferMember: ben.ID}}, nil},
			{"an offer member", "Code\tOffer Member\nX1\t" + anna.ID.String() + "\n",
				[]app.Take{{Code: "X1", OfferMember: anna.ID}}, nil},
			{"an address that two have", "code,email\nX1,Office+x@crew.example\n", nil,
				[]string{"2: 2 members have this"}},
			{"a handle that two have", "code,handle\nX1,anna\n", nil, []string{"2: 2 members have this handle"}},
			{"both fit one", "code,handle,email\nX1,ben,office@crew.example\n",
				[]app.Take{{Code: "X1", OfferMember: ben.ID}}, nil},
			{"two members", "code,handle,offer_member\nX1,ben," + anna.ID.String() + "\n", nil,
				[]string{"2: offer_member and handle are those of two members"}},
			{"nobody", "code,handle\nX1,carla\nX2,\n", nil, []string{`2: no member of the offer has the handle "carla"`,
				"3: there is nobody"}},
			{"no member", "code,offer_member\nX1,ofm_99\nX2,anna\n", nil,
				[]string{"2: ofm_99 is no member of the offer", "3: is not an id"}},
			{"no code", "code,handle\n,ben\n#N/A,ben\n\"A1, B2\",ben\n", nil, []string{"2: there is no code",
				"3: error of a formula", "4: holds 2 codes"}},
			{"once more", "code,handle\nX1,ben\nx1,ben\n", []app.Take{{Code: "X1", OfferMember: ben.ID}},
				[]string{"3: stands in line 2 already"}},
			{"to two", "code,handle\nX1,ben\nx1,anna.t\nX1,ben\nX2,ben\n",
				[]app.Take{{Code: "X2", OfferMember: ben.ID}},
				[]string{"2: line 3 gives the code to another", "3: to several members", "4: to several members"}},
		} {
			got, err := d.readTakes(anna.OfferID, c.file)
			if must(d, got, err); fmt.Sprint(got.Takes) != fmt.Sprint(c.takes) || len(got.Lines) != len(c.lines) {
				d.Errorf("%s: %+v, want %v and %v", c.name, got, c.takes, c.lines)
				continue
			}
			for i, want := range c.lines {
				line, reason, _ := strings.Cut(want, ": ")
				if got := got.Lines[i]; fmt.Sprint(got.Line) != line || !strings.Contains(got.Reason, reason) {
					d.Errorf("%s: %+v, want %s", c.name, got, want)
				}
			}
		}
		if _, err := d.RemoveMember(d.ctx, ben.MemberID); err != nil {
			d.Fatal(err)
		}
		left, err := d.readTakes(anna.OfferID, "code,handle\nX1,ben\n")
		if must(d, left, err); len(left.Takes) > 0 || left.Lines[0].String() !=
			`line 2: no member of the offer has the handle "ben"; put the creator into the offer first, or correct `+
				`it (there is "X1, ben")` {
			d.Errorf("of one who left: %+v", left)
		}
	})
}

// TestReadTakes_refused: what is wrong with a file as a whole.
func TestReadTakes_refused(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna := d.promoter("Anna")
		for file, words := range map[string]string{
			"":                            "the file is empty",
			"code,handle\n":               "no line below the header",
			"code,note\nX1,anna\n":        "the columns cannot be told; its first line must name",
			"handle,email\nanna,x@y.z\n":  "must name the columns: code",
			"code,email,E-Mail\nX1,a,b\n": "the column email stands there twice, in B and C",
			"%PDF-1.4":                    "this is a PDF",
			"code,handle\n" + strings.Repeat("X,anna\n", app.MostCodeItems+1): "at most 20000 codes",
		} {
			_, err := d.readTakes(anna.OfferID, file)
			d.want(err, affiliate.Invalid, "file", "codes.csv: ", words)
		}
		_, err := d.ReadTakes(d.ctx, anna.OfferID, "", strings.NewReader(""), app.MaxImport+1)
		d.want(err, affiliate.Invalid, "file", "16 MB are read")
		_, err = d.readTakes(99, "code,handle\nX1,anna\n")
		d.want(err, affiliate.Invalid, "offer", "off_99")
	})
}

// TestReadTakes_workbook: a workbook is read as it is, its dates are no codes.
func TestReadTakes_workbook(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna := d.promoter("Anna")
		b := excelize.NewFile()
		defer b.Close()
		for axis, row := range map[string][]any{"A1": {"Handle", "Code"}, "A2": {"@anna", "0815"},
			"A3": {"anna", 46152}} {
			if err := b.SetSheetRow("Sheet1", axis, &row); err != nil {
				d.Fatal(err)
			}
		}
		day, _ := b.NewStyle(&excelize.Style{NumFmt: 16})
		_ = b.SetCellStyle("Sheet1", "B3", "B3", day)
		var out bytes.Buffer
		if err := b.Write(&out); err != nil {
			d.Fatal(err)
		}
		got, err := d.ReadTakes(d.ctx, anna.OfferID, "codes.xlsx", bytes.NewReader(out.Bytes()), int64(out.Len()))
		if must(d, got, err); fmt.Sprint(got.Takes) != fmt.Sprint([]app.Take{{Code: "0815", OfferMember: anna.ID}}) ||
			len(got.Lines) != 1 || !strings.Contains(got.Lines[0].Reason, "code: holds a date") {
			d.Errorf("%+v", got)
		}
	})
}

// TestReadTakes_any: every line below the header is taken or told once, whatever stands in it, and no code is taken
// twice.
func TestReadTakes_any(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna, _ := d.crew()
		cell := rapid.SampledFrom([]string{"", "X1", "x1", "X2", "anna", "anna.t", "@ben", "ofm_1", "ofm_9", "#REF!",
			"Ä"})
		rapid.Check(d.T, func(t *rapid.T) {
			file, blank := "code,handle,offer_member\n", 0 // blank lines say nothing
			n := rapid.IntRange(1, 8).Draw(t, "lines")
			for range n {
				line := cell.Draw(t, "code") + "," + cell.Draw(t, "handle") + "," + cell.Draw(t, "member") + "\n"
				if file += line; line == ",,\n" {
					blank++
				}
			}
			got, err := d.readTakes(anna.OfferID, file)
			if blank == n {
				if err == nil || !strings.Contains(err.Error(), "no line below the header") {
					t.Fatalf("a file of %d blank lines: %+v, %v", n, got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			told := map[int]bool{}
			for _, l := range got.Lines {
				if told[l.Line] || l.Reason == "" {
					t.Fatalf("line %d is told twice, or without a reason: %+v", l.Line, got.Lines)
				}
				told[l.Line] = true
			}
			seen := map[string]bool{}
			for _, take := range got.Takes {
				if folded := affiliate.FoldCode(take.Code); seen[folded] {
					t.Fatalf("%s is taken twice", take.Code)
				} else {
					seen[folded] = true
				}
			}
			if len(got.Takes)+len(got.Lines) != n-blank {
				t.Fatalf("%d lines, of which %d are blank, %d taken and %d told:\n%s", n, blank, len(got.Takes),
					len(got.Lines), file)
			}
		})
	})
}
