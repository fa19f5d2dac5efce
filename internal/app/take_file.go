package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/sheet"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TakeFile is what was read of a file of codes and handles.
type TakeFile struct {
	Takes []Take
	Lines []TakeLine // that are left out, with the reason, by line
}

// TakeLine is a line of a file that nothing can be made of.
type TakeLine struct {
	Line   int
	Text   string // its cells, on one line and shortened
	Reason string // with the remedy
}

func (l TakeLine) String() string {
	return fmt.Sprintf("line %d: %s (there is %q)", l.Line, l.Reason, l.Text)
}

// takeColumns are the columns of a file of codes that are taken over, and by which headers they are known, as headerKey
// gives them. Other columns are passed over.
var takeColumns = map[string][]string{
	"code":         {"code", "coupon", "couponcode", "discountcode"},
	"handle":       {"handle", "instagram", "tiktok", "youtube", "username"},
	"email":        {"email", "emailaddress"},
	"offer_member": {"offermember", "offermemberid"},
}

// takeColumn is the column that a header names; empty for another.
func takeColumn(header string) string {
	for name, words := range takeColumns {
		if slices.Contains(words, headerKey(header)) {
			return name
		}
	}
	return ""
}

// ReadTakes reads a CSV file or workbook with a column code and a column handle, email or offer_member, of members of
// an offer; name is what people call the file. Lines that cannot be used are told with the reason; of a code that lines
// give to different members none is used. Errors are of the file as a whole.
func (a *App) ReadTakes(ctx context.Context, offer affiliate.OfferID, name string, r io.ReaderAt,
	size int64) (TakeFile, error) {
	if _, err := a.DB.Offer(ctx, offer); err != nil {
		return TakeFile{}, asField("offer", err)
	}
	f := takeReader{name: affiliate.Shown(name), columns: map[string]int{}, lineOf: map[string]int{}}
	if err := f.open(r, size); err != nil {
		return TakeFile{}, err
	}
	members, err := a.takers(ctx, offer)
	if err != nil {
		return TakeFile{}, err
	}
	for _, row := range f.rows {
		f.read(row, members)
	}
	f.file.Takes = slices.DeleteFunc(f.file.Takes, func(t Take) bool {
		return f.lineOf[affiliate.FoldCode(t.Code)] == 0
	})
	slices.SortStableFunc(f.file.Lines, func(a, b TakeLine) int { return cmp.Compare(a.Line, b.Line) })
	return f.file, nil
}

// takers are the members of an offer by what a file may call them: a handle or an address that several have is of all
// of them.
type takers struct {
	ids     map[affiliate.OfferMemberID]bool
	handles map[string][]affiliate.OfferMemberID // by FoldHandle, whatever the network
	emails  map[string][]affiliate.OfferMemberID // by NormalizeEmail
}

// takers reads the current members of an offer.
func (a *App) takers(ctx context.Context, offer affiliate.OfferID) (takers, error) {
	t := takers{map[affiliate.OfferMemberID]bool{}, map[string][]affiliate.OfferMemberID{},
		map[string][]affiliate.OfferMemberID{}}
	members, err := storage.All(func(p storage.Page) ([]storage.OfferMemberItem, string, error) {
		return a.DB.OfferMemberPage(ctx, storage.OfferMemberSearch{Offer: offer}, a.now(), p)
	})
	if err != nil {
		return t, err
	}
	of := make(map[affiliate.CreatorID]affiliate.OfferMemberID, len(members))
	for _, m := range members {
		t.ids[m.ID], of[m.CreatorID] = true, m.ID
	}
	creators, err := a.DB.AllCreators(ctx)
	for _, c := range creators {
		id, ok := of[c.ID]
		if !ok {
			continue
		}
		if email := affiliate.NormalizeEmail(c.Email); email != "" {
			t.emails[email] = append(t.emails[email], id)
		}
		for _, handle := range c.Handles {
			if h := affiliate.FoldHandle(handle); !slices.Contains(t.handles[h], id) {
				t.handles[h] = append(t.handles[h], id)
			}
		}
	}
	return t, err
}

// takeReader reads the lines of a file.
type takeReader struct {
	name    string // of the file; empty where it has none
	file    TakeFile
	rows    []sheet.Row // below the header
	columns map[string]int
	lineOf  map[string]int // where a code was read, by FoldCode; 0 for one that is given to several
}

// fail is what is wrong with the file as a whole.
func (f *takeReader) fail(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if f.name != "" {
		text = f.name + ": " + text
	}
	return affiliate.FieldErrorf("file", "%s", text)
}

// open reads a file as far as its header. The error says what is wrong with it as a whole.
func (f *takeReader) open(r io.ReaderAt, size int64) error {
	if size > MaxImport {
		return f.fail("the file has %.1f MB, and at most %d MB are read; divide it into several, each with the line "+
			"that names the columns", float64(size)/(1<<20), MaxImport>>20)
	}
	content, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	read, problems := sheet.Read(content, func(header string) bool { return takeColumn(header) != "" })
	if len(problems) > 0 {
		p := problems[0]
		return f.fail("line %d: %s", max(1, p.Line), p.Reason)
	}
	const needed = "its first line must name the columns: code, and handle, email or offer_member"
	if len(read.Rows) == 0 {
		return f.fail("the file is empty; %s", needed)
	}
	for i, cell := range read.Rows[0].Cells {
		name := takeColumn(cell.Text)
		if before, twice := f.columns[name]; twice && name != "" {
			return f.fail("the column %s stands there twice, in %s and %s; take one away", name,
				sheet.ColumnName(before+1), sheet.ColumnName(i+1))
		}
		f.columns[name] = i
	}
	delete(f.columns, "")
	_, hasCode := f.columns["code"]
	if !hasCode || len(f.columns) < 2 {
		return f.fail("the columns cannot be told; %s", needed)
	}
	f.rows = read.Rows[1:]
	if len(f.rows) == 0 {
		return f.fail("there is no line below the header")
	}
	if len(f.rows) > MostCodeItems {
		return f.fail("the file has %d lines, and at most %d codes are taken over at once; divide it into several",
			len(f.rows), MostCodeItems)
	}
	return nil
}

// read reads one line.
func (f *takeReader) read(row sheet.Row, members takers) {
	c := cells{line: row.Line, cells: row.Cells, columns: f.columns}
	leave := func(reason string) {
		texts := make([]string, 0, len(row.Cells))
		for _, cell := range row.Cells {
			if text := affiliate.Clean(strings.ToValidUTF8(cell.Text, "\ufffd")); text != "" {
				texts = append(texts, text)
			}
		}
		f.file.Lines = append(f.file.Lines, TakeLine{row.Line, affiliate.Shown(strings.Join(texts, ", ")), reason})
	}
	for name := range f.columns {
		if reason := flaw(c.cell(name)); reason != "" {
			leave(name + ": " + reason)
			return
		}
	}
	code := c.text("code")
	if code == "" {
		leave("there is no code")
		return
	}
	if err := affiliate.ValidateTypedCode(code); err != nil {
		leave(plainReason(err))
		return
	}
	id, reason := members.named(c.text("offer_member"), c.text("handle"), c.text("email"))
	if reason != "" {
		leave(reason)
		return
	}
	folded := affiliate.FoldCode(code)
	before, twice := f.lineOf[folded]
	if !twice {
		f.lineOf[folded] = row.Line
		f.file.Takes = append(f.file.Takes, Take{Code: code, OfferMember: id})
		return
	}
	first := slices.IndexFunc(f.file.Takes, func(t Take) bool { return affiliate.FoldCode(t.Code) == folded })
	switch {
	case f.file.Takes[first].OfferMember == id && before != 0:
		leave(fmt.Sprintf("the code stands in line %d already", before))
	default:
		leave("the code is given to several members; leave one line with it")
		if before != 0 {
			f.file.Lines = append(f.file.Lines, TakeLine{before, affiliate.Shown(f.file.Takes[first].Code),
				fmt.Sprintf("line %d gives the code to another member; leave one line with it", row.Line)})
		}
		f.lineOf[folded] = 0
	}
}

// plainReason is an error about a cell without the name of the field, which the line has.
func plainReason(err error) string {
	var e *affiliate.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// named finds the one member whom all of what a line says names; or says why there is none.
func (t takers) named(id, handle, email string) (affiliate.OfferMemberID, string) {
	var found []affiliate.OfferMemberID
	var by string
	narrow := func(what, text string, ids []affiliate.OfferMemberID) string {
		switch {
		case len(ids) == 0:
			return fmt.Sprintf("no member of the offer has the %s %q; put the creator into the offer first, or "+
				"correct it", what, affiliate.Shown(text))
		case by == "":
			found, by = ids, what
			return ""
		}
		both := slices.DeleteFunc(slices.Clone(ids), func(id affiliate.OfferMemberID) bool {
			return !slices.Contains(found, id)
		})
		if len(both) == 0 {
			return fmt.Sprintf("%s and %s are those of two members; leave the right one", by, what)
		}
		found = both
		return ""
	}
	if id != "" {
		member, err := affiliate.ParseID[affiliate.OfferMemberID]("ofm_", id)
		if err != nil {
			return 0, plainReason(err)
		}
		if !t.ids[member] {
			return 0, fmt.Sprintf("%s is no member of the offer", member)
		}
		found, by = []affiliate.OfferMemberID{member}, "offer_member"
	}
	if h := affiliate.FoldHandle(handle); h != "" {
		if reason := narrow("handle", handle, t.handles[h]); reason != "" {
			return 0, reason
		}
	}
	if email != "" {
		if reason := narrow("e-mail address", email, t.emails[affiliate.NormalizeEmail(email)]); reason != "" {
			return 0, reason
		}
	}
	switch len(found) {
	case 0:
		return 0, "there is nobody to give the code to: fill in handle, email or offer_member"
	case 1:
		return found[0], ""
	}
	return 0, fmt.Sprintf("%d members have this %s; say offer_member instead", len(found), by)
}
