package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/sheet"
	"github.com/tributaryhq/tributary/internal/storage"
)

// NewcomerLine is a line of a list of creators that are to join an offer.
type NewcomerLine struct {
	Line    int                 // from 1 on
	Text    string              // as it was typed
	Creator affiliate.CreatorID // 0: nobody in the community is meant
	Name    string
	Handle  string
	Email   string
	New     bool   // nobody is meant, but a creator can be made of the line
	Why     string // why nobody can be meant or made, as a sentence; empty where that is not so
}

// newcomerColumns are the columns of a list of creators, and by which headers they are known, as headerKey gives them.
// Other columns are passed over.
var newcomerColumns = map[string][]string{
	"name":   {"name", "creator", "creatorname", "fullname"},
	"handle": {"handle", "instagram", "instagramhandle", "username"},
	"email":  {"email", "emailaddress", "mail"},
	"id":     {"id", "creatorid"},
}

func newcomerColumn(header string) string {
	for name, words := range newcomerColumns {
		if slices.Contains(words, headerKey(header)) {
			return name
		}
	}
	return ""
}

// ReadNewcomers reads creators from pasted lines, or from a CSV or XLSX file: a name, a handle or an e-mail address in
// each line, or columns of them with a header. Those of the community are found by handle, e-mail address, id or name.
// Errors are of the file as a whole.
func (a *App) ReadNewcomers(ctx context.Context, file []byte) ([]NewcomerLine, error) {
	if len(file) > MaxImport {
		return nil, affiliate.FieldErrorf("file", "the file has %.1f MB, and at most %d MB are read; divide it into "+
			"several", float64(len(file))/(1<<20), MaxImport>>20)
	}
	rows, err := newcomerRows(file)
	if err != nil {
		return nil, err
	}
	switch {
	case len(rows) == 0:
		return nil, affiliate.FieldErrorf("file", "there is no creator in it; give a name, a handle or an e-mail "+
			"address in each line")
	case len(rows) > MostMembers:
		return nil, affiliate.FieldErrorf("file", "it has %d lines, and at most %d creators are added at once; divide "+
			"it into several", len(rows), MostMembers)
	}
	known := newcomerIndex{app: a}
	if err := known.read(ctx, a.DB); err != nil {
		return nil, err
	}
	lines := make([]NewcomerLine, len(rows))
	first := map[string]int{} // the line that somebody stands in
	for i, row := range rows {
		l := &lines[i]
		*l = row.NewcomerLine
		if l.Why == "" {
			known.find(l, row.id)
		}
		if l.Why != "" {
			continue
		}
		who := l.Creator.String()
		if l.New {
			who = strings.Join([]string{affiliate.FoldName(l.Name), affiliate.FoldHandle(l.Handle),
				affiliate.NormalizeEmail(l.Email)}, "\n")
		}
		if before, twice := first[who]; twice {
			l.Creator, l.New, l.Why = 0, false, fmt.Sprintf("They stand in line %d already.", before)
			continue
		}
		first[who] = l.Line
	}
	return lines, nil
}

// newcomerRow is a line with the id that stands in it; empty for none.
type newcomerRow struct {
	NewcomerLine
	id string
}

// newcomerRows takes a file apart: by the columns that its first line names, or else by what the cells look like.
func newcomerRows(file []byte) ([]newcomerRow, error) {
	text, isText := sheet.Decode(file)
	if isText && !namesColumns(text) {
		return pastedRows(text), nil
	}
	read, problems := sheet.Read(file, func(header string) bool { return newcomerColumn(header) != "" })
	if len(problems) > 0 {
		return nil, affiliate.FieldErrorf("file", "line %d: %s", max(1, problems[0].Line), problems[0].Reason)
	}
	columns := map[string]int{}
	for _, row := range read.Rows[:min(1, len(read.Rows))] {
		for i, cell := range row.Cells {
			name := newcomerColumn(cell.Text)
			if _, twice := columns[name]; twice && name != "" {
				return nil, affiliate.FieldErrorf("file", "two columns name the %s; take one away", name)
			}
			columns[name] = i
		}
	}
	delete(columns, "")
	if len(columns) > 0 {
		read.Rows = read.Rows[1:]
	}
	rows := make([]newcomerRow, len(read.Rows))
	for i, row := range read.Rows {
		texts := make([]string, len(row.Cells))
		flawed := ""
		for j, cell := range row.Cells {
			texts[j] = cell.Text
			if reason := flaw(cell); reason != "" && flawed == "" {
				flawed = "Column " + sheet.ColumnName(j+1) + " " + reason
			}
		}
		r := &rows[i]
		if len(columns) == 0 {
			*r = shapedRow(texts)
		} else {
			at := func(column string) string {
				if j, ok := columns[column]; ok && j < len(texts) {
					return affiliate.Clean(strings.ToValidUTF8(texts[j], "\ufffd"))
				}
				return ""
			}
			r.Name, r.Handle, r.Email, r.id = at("name"), affiliate.TidyHandle(at("handle")), at("email"), at("id")
		}
		if flawed != "" {
			r.Why = asSentence(flawed)
		}
		r.Line, r.Text = row.Line, shownCells(texts)
	}
	return rows, nil
}

// newcomerDelimiters stand between what pasted lines say of a creator.
const newcomerDelimiters = ",;\t"

// splitPasted takes a pasted line apart.
func splitPasted(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(newcomerDelimiters, r) })
}

// namesColumns says whether the first line of a text that is not blank names a column.
func namesColumns(text string) bool {
	for line := range strings.Lines(text) {
		if affiliate.Clean(line) != "" {
			return slices.ContainsFunc(splitPasted(line), func(cell string) bool {
				return newcomerColumn(strings.Trim(strings.TrimSpace(cell), "\"\ufeff")) != ""
			})
		}
	}
	return false
}

// pastedRows takes lines apart that no header explains.
func pastedRows(text string) []newcomerRow {
	rows := []newcomerRow{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if affiliate.Clean(line) == "" {
			continue
		}
		r := shapedRow(splitPasted(line))
		r.Line, r.Text = number, affiliate.Shown(affiliate.Clean(strings.ToValidUTF8(line, "\ufffd")))
		rows = append(rows, r)
	}
	return rows
}

// Shapes by which texts that no header explains are told apart.
var (
	shapedEmail  = regexp.MustCompile(`^[^@\s/]+@[^@\s/]+\.[^@\s/]+$`)
	shapedHandle = regexp.MustCompile(`^(@\S+|(https?://)?(www\.)?(instagram|tiktok|youtube)\.com/\S+)$`)
	shapedID     = regexp.MustCompile(`^cre_[0-9]+$`)
)

// shapedRow reads a line by what its cells look like.
func shapedRow(cells []string) (r newcomerRow) {
	for _, cell := range cells {
		text := affiliate.Clean(strings.Trim(affiliate.Clean(strings.ToValidUTF8(cell, "\ufffd")), `"`))
		into := &r.Name
		switch {
		case text == "":
			continue
		case shapedID.MatchString(text):
			into = &r.id
		case shapedEmail.MatchString(text):
			into = &r.Email
		case shapedHandle.MatchString(text):
			into, text = &r.Handle, affiliate.TidyHandle(text)
		}
		if *into != "" {
			r.Why = fmt.Sprintf("It cannot be told what %q is; write handles with @, or name the columns in a "+
				"first line.", affiliate.Shown(text))
			return r
		}
		*into = text
	}
	return r
}

// shownCells are the cells of a line as people are shown them.
func shownCells(texts []string) string {
	var cells []string
	for _, text := range texts {
		if text = affiliate.Clean(strings.ToValidUTF8(text, "\ufffd")); text != "" {
			cells = append(cells, text)
		}
	}
	return affiliate.Shown(strings.Join(cells, ", "))
}

// asSentence makes a reason a sentence.
func asSentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// newcomerIndex finds creators of the community by what a line says.
type newcomerIndex struct {
	creatorIndex
	app     *App
	handles map[string][]affiliate.CreatorID // by FoldHandle, of all networks
}

// read takes in all creators there are.
func (x *newcomerIndex) read(ctx context.Context, from creatorReader) error {
	all, err := from.AllCreators(ctx)
	x.creatorIndex, x.handles = newCreatorIndex(nil), map[string][]affiliate.CreatorID{}
	for _, c := range all {
		x.put(c)
	}
	return err
}

// put takes in a creator, or what has become known of one.
func (x *newcomerIndex) put(c affiliate.Creator) {
	x.creatorIndex.put(c)
	for _, handle := range c.Handles {
		if h := affiliate.FoldHandle(handle); h != "" && !slices.Contains(x.handles[h], c.ID) {
			x.handles[h] = append(x.handles[h], c.ID)
		}
	}
}

// find says whom a line means, or that somebody can be made of it, or why neither.
func (x *newcomerIndex) find(l *NewcomerLine, id string) {
	l.Creator, l.New = 0, false
	fail := func(reason string) { l.Why = asSentence(reason) }
	c, found, err := x.meant(*l, id)
	var e *affiliate.Error
	switch {
	case errors.As(err, &e):
		fail(e.Message)
		return
	case err != nil:
		fail(err.Error())
		return
	case found && !c.RemovedAt.IsZero():
		l.Name = c.Name
		fail(c.Name + " was removed from the community; restore them there first")
		return
	case found:
		l.Creator, l.Name = c.ID, c.Name
		return
	}
	if l.Name == "" {
		local, _, _ := strings.Cut(l.Email, "@")
		if l.Name = l.Handle; l.Name == "" {
			l.Name = local
		}
	}
	made := newCreator(importRow{creator: l.Name, email: l.Email, instagram: l.Handle})
	if err := x.app.prepareCreator(nil, &made); err != nil {
		fail(plainReason(err))
		return
	}
	l.New = true
}

// meant finds the creator whom a line means.
func (x *newcomerIndex) meant(l NewcomerLine, id string) (affiliate.Creator, bool, error) {
	if id != "" {
		n, err := affiliate.ParseID[affiliate.CreatorID]("cre_", id)
		if err != nil {
			return affiliate.Creator{}, false, err
		}
		c, found := x.byID[n]
		if !found {
			err = affiliate.NoSuch(n)
		}
		return c, found, err
	}
	if l.Name+l.Handle+l.Email == "" {
		return affiliate.Creator{}, false, affiliate.Errorf(affiliate.Invalid, "there is nobody in this line; give a "+
			"name, a handle or an e-mail address")
	}
	row := importRow{creator: l.Name, instagram: l.Handle, email: l.Email}
	if c, found, err := x.creatorIndex.find(row, x.app.EmailHash(l.Email)); found || err != nil {
		return c, found, err
	}
	// A handle of another network, or one that stands there without a sign of being one.
	handle := l.Handle
	if handle == "" && l.Email == "" && !strings.Contains(l.Name, " ") {
		handle = l.Name
	}
	switch ids := x.handles[affiliate.FoldHandle(handle)]; {
	case handle == "" || len(ids) == 0:
		return affiliate.Creator{}, false, nil
	case len(ids) > 1:
		return affiliate.Creator{}, false, affiliate.Errorf(affiliate.Conflict, "%d creators have the handle %q on "+
			"different networks; give the id of one, such as %s", len(ids), affiliate.Shown(handle), ids[0])
	default:
		return x.byID[ids[0]], true, nil
	}
}

// AddNewcomers makes creators of the lines that are New, and adds all of them to the offer. Results are in the order of
// the lines. Who has become a creator since the lines were read is not made again.
func (a *App) AddNewcomers(ctx context.Context, offer affiliate.OfferID, lines []NewcomerLine) ([]MemberResult, error) {
	if _, err := a.DB.Offer(ctx, offer); err != nil {
		return nil, asField("offer", err)
	}
	if len(lines) > MostMembers {
		return nil, affiliate.FieldErrorf("lines", "at most %d creators can be added at once, and these are %d",
			MostMembers, len(lines))
	}
	ctx = context.WithoutCancel(ctx)
	lines = slices.Clone(lines)
	if err := a.makeNewcomers(ctx, lines); err != nil {
		return nil, err
	}
	in := MembersChange{Action: MembersAdd, Offer: offer}
	for _, l := range lines {
		if l.Creator != 0 {
			in.Creators = append(in.Creators, l.Creator)
		}
	}
	added := map[affiliate.CreatorID]MemberResult{}
	if len(in.Creators) > 0 {
		results, err := a.ChangeMembers(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			added[r.Creator] = r
		}
	}
	results := make([]MemberResult, len(lines))
	for i, l := range lines {
		if r, ok := added[l.Creator]; ok {
			results[i] = r
			continue
		}
		results[i] = MemberResult{Name: l.Name, Outcome: MemberFailed, Why: l.Why}
		if l.Why == "" {
			results[i].Why = "Nobody is meant by this line."
		}
	}
	return results, nil
}

// makeNewcomers makes creators of the lines that are New, part by part, and puts their ids there.
func (a *App) makeNewcomers(ctx context.Context, lines []NewcomerLine) error {
	known := newcomerIndex{app: a}
	var audited int64
	for next := 0; next < len(lines); {
		err := a.changeCatalog(storage.NotAlongside(ctx), func(tx *storage.Tx) error {
			spent := partSpent()
			if next == 0 {
				if err := known.read(ctx, tx); err != nil {
					return err
				}
				spent = partSpent()
			} else {
				changed, err := tx.CreatorsChanged(ctx, audited)
				if err != nil {
					return err
				}
				for _, c := range changed {
					known.put(c)
				}
			}
			for ; next < len(lines) && !spent(); next++ {
				if err := a.makeNewcomer(ctx, tx, &known, &lines[next]); err != nil {
					return err
				}
			}
			var err error
			audited, err = tx.NewestAuditID(ctx)
			return err
		})
		if err != nil {
			return err
		}
		a.letOthersIn(ctx, next < len(lines))
	}
	return nil
}

// makeNewcomer makes a creator of a line that is New, unless there is one by now.
func (a *App) makeNewcomer(ctx context.Context, tx *storage.Tx, known *newcomerIndex, l *NewcomerLine) error {
	if !l.New || l.Creator != 0 {
		return nil
	}
	l.Why = ""
	if known.find(l, ""); !l.New {
		return nil
	}
	c, err := a.addCreator(ctx, tx, newCreator(importRow{creator: l.Name, email: l.Email, instagram: l.Handle}))
	var e *affiliate.Error
	switch {
	case errors.As(err, &e):
		l.Why = asSentence(e.Message)
		return nil
	case err != nil:
		return err
	}
	known.put(c)
	l.Creator = c.ID
	return nil
}
