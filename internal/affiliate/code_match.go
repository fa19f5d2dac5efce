package affiliate

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// PossibleOwner is somebody a code may be of.
type PossibleOwner struct {
	Member  OfferMemberID
	Name    string
	Handles []string
}

// CodeMatch is a suggestion whose a code is, with how sure it is. Its zero value is none.
type CodeMatch struct {
	Owner   OfferMemberID
	Certain bool
	Why     string // to be said of the code: "is the handle anna.keller with 10 behind it"
}

const (
	// maxMatchedCode is the longest code that is looked at: as long as Shopify takes them.
	maxMatchedCode = 255
	// leastMatched is the fewest characters of a handle or a name that say whose a code is.
	leastMatched = 3
)

// MatchCodes suggests whose codes are that a store has: as many matches as codes, in their order. Where nobody fits, or
// several do, there is none.
//
// With a pattern a code must be what the pattern gives for its owner, for one of their handles: with any campaign,
// offer, percentage and random characters, and with or without the -2 of NextCode. Codes of DefaultCodeLength or more
// may be shortened as Render does it; shorter ones that look so are no more than suggestions. Patterns that do not say
// who it is match nobody.
//
// Without a pattern a code must be a whole handle, or a name or first name, with or without a number behind it.
func MatchCodes(codes []string, owners []PossibleOwner, pattern CodePattern) []CodeMatch {
	match := func(string) CodeMatch { return CodeMatch{} }
	if pattern == "" {
		match = newNameMatcher(owners).match
	} else if m := newPatternMatcher(owners, pattern); m != nil {
		match = m.match
	}
	list := make([]CodeMatch, len(codes))
	for i, code := range codes {
		if text := codeText(FoldCode(code)); text != "" && len(text) <= maxMatchedCode {
			list[i] = match(text)
		}
	}
	return list
}

// oneOwner gathers who fits: nobody, one, or several.
type oneOwner struct {
	place   int // in the list of owners
	text    string
	some    bool
	several bool
}

// add adds somebody who fits by a text, such as a handle.
func (o *oneOwner) add(owners []PossibleOwner, place int, text string) {
	switch {
	case !o.some:
		o.place, o.text, o.some = place, text, true
	case owners[o.place].Member != owners[place].Member:
		o.several = true
	}
}

// merge adds all who fit another way.
func (o *oneOwner) merge(owners []PossibleOwner, other oneOwner) {
	if other.some {
		o.add(owners, other.place, other.text)
		o.several = o.several || other.several
	}
}

func (o *oneOwner) single() bool { return o.some && !o.several }

// nameMatcher matches codes without a pattern, by handles and names without separators.
type nameMatcher struct {
	owners                 []PossibleOwner
	handles, names, firsts map[string]oneOwner
}

func newNameMatcher(owners []PossibleOwner) *nameMatcher {
	m := &nameMatcher{owners, map[string]oneOwner{}, map[string]oneOwner{}, map[string]oneOwner{}}
	for i, o := range owners {
		for _, handle := range o.Handles {
			m.index(m.handles, i, handle)
		}
		m.index(m.names, i, o.Name)
		for _, word := range strings.Fields(Clean(o.Name)) {
			if bareCode(word) != "" {
				m.index(m.firsts, i, word)
				break
			}
		}
	}
	return m
}

func (m *nameMatcher) index(by map[string]oneOwner, place int, text string) {
	if key := bareCode(text); len(key) >= leastMatched {
		one := by[key]
		one.add(m.owners, place, text)
		by[key] = one
	}
}

func (m *nameMatcher) match(text string) CodeMatch {
	bare := separators.Replace(text)
	least := len(strings.TrimRight(bare, "0123456789"))
	if least == 0 {
		least = len(bare) // a number is all of a handle, or nothing of it
	}
	var handle, name, first oneOwner
	for end := len(bare); end >= max(least, leastMatched); end-- {
		if !handle.some { // a name that is less of the code says less
			name.merge(m.owners, m.names[bare[:end]])
			first.merge(m.owners, m.firsts[bare[:end]])
		}
		handle.merge(m.owners, m.handles[bare[:end]])
	}
	others := func(by oneOwner) bool {
		return by.several || by.some && m.owners[by.place].Member != m.owners[handle.place].Member
	}
	switch {
	case handle.several || !handle.some && name.several:
		return CodeMatch{}
	case handle.some:
		// Somebody else of that name may have had the code made for them.
		return m.suggest(bare, handle, "handle", !others(name) && !others(first))
	case name.some:
		return m.suggest(bare, name, "name", false)
	case first.single():
		return m.suggest(bare, first, "first name", false)
	}
	return CodeMatch{}
}

func (m *nameMatcher) suggest(bare string, by oneOwner, what string, certain bool) CodeMatch {
	why := "is the " + what + " " + by.text
	if number := bare[len(bareCode(by.text)):]; number != "" {
		why += " with " + number + " behind it"
	}
	return CodeMatch{m.owners[by.place].Member, certain, why}
}

// patternMatcher matches codes with a pattern. In its texts all separators are "-".
type patternMatcher struct {
	owners  []PossibleOwner
	pattern CodePattern
	shapes  []*patternShape
}

// patternShape is the pattern with those of its parts that are from the person and not empty. Most people have the
// same.
type patternShape struct {
	parts []shapePart
	rows  []shapeRow
}

// shapePart is a part of a shape. Behind it are between least and most characters.
type shapePart struct {
	patternPart
	person      int   // which of the texts of a row; -1 of other parts
	byText      []int // rows by that text, of parts that are from the person
	least, most int
}

// shapeRow is what one owner's codes have in a shape.
type shapeRow struct {
	owner int
	texts []string // of the parts that are from the person
}

// newPatternMatcher is nil for a pattern that does not say who it is.
func newPatternMatcher(owners []PossibleOwner, pattern CodePattern) *patternMatcher {
	parts, err := pattern.parts()
	if err != nil || !slices.ContainsFunc(parts, patternPart.person) {
		return nil
	}
	m := &patternMatcher{owners: owners, pattern: pattern}
	shapes := map[string]*patternShape{}
	for i, o := range owners {
		handles := o.Handles
		if len(handles) == 0 {
			handles = []string{""}
		}
		for _, handle := range handles {
			person := personTexts(parts, o.Name, handle)
			if person == nil {
				continue
			}
			var there []patternPart
			var texts []string
			key := ""
			for _, p := range parts {
				text := strings.ReplaceAll(person[p.place], "_", "-")
				if p.person() && text == "" {
					continue
				}
				if p.person() {
					texts, key = append(texts, text), key+p.place+" "
				}
				there = append(there, p)
			}
			if shapes[key] == nil {
				shapes[key] = &patternShape{parts: shapeParts(there)}
				m.shapes = append(m.shapes, shapes[key])
			}
			shapes[key].rows = append(shapes[key].rows, shapeRow{i, texts})
		}
	}
	for _, s := range m.shapes {
		s.index()
	}
	return m
}

// shapeParts tidies the separators between parts as tidyCode does.
func shapeParts(parts []patternPart) (list []shapePart) {
	separated, persons := true, 0
	for _, p := range parts {
		part := shapePart{patternPart: p, person: -1}
		if p.place != "" {
			if p.person() {
				part.person = persons
				persons++
			}
			list, separated = append(list, part), false
			continue
		}
		part.text = strings.ReplaceAll(tidyCode("0"+p.text+"0"), "_", "-")
		part.text = part.text[1 : len(part.text)-1]
		if separated {
			part.text = strings.TrimPrefix(part.text, "-")
		}
		if part.text != "" {
			list, separated = append(list, part), strings.HasSuffix(part.text, "-")
		}
	}
	if last := len(list) - 1; last >= 0 && list[last].place == "" {
		list[last].text = strings.TrimSuffix(list[last].text, "-")
	}
	least, most := 0, 0
	for i := len(list) - 1; i >= 0; i-- {
		list[i].least, list[i].most = least, most
		fewest, longest := list[i].lengths()
		least, most = least+fewest, most+longest
	}
	return list
}

// lengths gives how many characters a part has, at least and at most.
func (p patternPart) lengths() (least, most int) {
	switch p.place {
	case "":
		return len(p.text), len(p.text)
	case placeRandom:
		return p.n, p.n
	case placePercent:
		return 1, len("100")
	}
	return 1, maxMatchedCode
}

// index sorts rows by each of their texts.
func (s *patternShape) index() {
	for i := range s.parts {
		p := &s.parts[i]
		if p.person < 0 {
			continue
		}
		p.byText = make([]int, len(s.rows))
		for row := range s.rows {
			p.byText[row] = row
		}
		slices.SortFunc(p.byText, func(a, b int) int {
			return cmp.Or(strings.Compare(s.rows[a].texts[p.person], s.rows[b].texts[p.person]),
				cmp.Compare(s.rows[a].owner, s.rows[b].owner))
		})
	}
}

// span is a part of a code that stands for a part of a shape, and the rows [from, to) of its byText whose text begins
// with it.
type span struct {
	text     string
	part     *shapePart
	from, to int
}

// parse is one code while it is read by a shape.
type parse struct {
	m     *patternMatcher
	shape *patternShape
	code  string
	spans []span // of the parts that are from the person, read so far
	steps int    // that are left: a pattern of many parts reads a long code in too many ways to follow all
	// long says that the code is so long that Render may have shortened it.
	long         bool
	sure, unsure oneOwner
}

// mostSteps bounds how many beginnings of ways one code is read in, and mostRows how many rows are looked at for one.
const (
	mostSteps = 1000
	mostRows  = 100
)

func (m *patternMatcher) match(text string) CodeMatch {
	text = strings.ReplaceAll(text, "_", "-")
	p := parse{m: m, steps: mostSteps}
	whole, number := text, ""
	if i := strings.LastIndexByte(text, '-'); i > 0 {
		whole, number = text[:i], text[i+1:]
	}
	for _, p.shape = range m.shapes {
		p.long = len(text)+p.shape.bends() >= DefaultCodeLength // a separator at which a part is cut falls away
		p.code = text
		p.read(0, 0)
		if number != "" && number[0] != '0' && number != "1" && allDigits(number) {
			p.code = whole
			p.read(0, 0)
		}
	}
	switch {
	case p.steps < 0:
		return CodeMatch{}
	case p.sure.single():
		o := m.owners[p.sure.place]
		return CodeMatch{o.Member, true, "is what " + string(m.pattern) + " gives for " + o.Name}
	case !p.sure.some && p.unsure.single():
		o := m.owners[p.unsure.place]
		return CodeMatch{o.Member, false, "may be what " + string(m.pattern) + " gives for " + o.Name + ", shortened"}
	}
	return CodeMatch{}
}

// read reads what is left of the code from at on by the parts from n on, in all ways.
func (p *parse) read(n, at int) {
	if p.steps--; p.steps < 0 {
		return
	}
	if n == len(p.shape.parts) {
		p.found()
		return
	}
	part := &p.shape.parts[n]
	fewest, longest := part.lengths()
	first, last := max(at+fewest, len(p.code)-part.most), min(at+longest, len(p.code)-part.least)
	rows := span{part: part, to: len(part.byText)}
	for end := first; end <= last; end++ {
		text := p.code[at:end]
		switch {
		case part.person >= 0:
			rows = p.shape.narrow(rows, text)
			if rows.from == rows.to {
				return // nor does any text begin with more of the code
			}
			p.spans = append(p.spans, rows)
			p.read(n+1, end)
			p.spans = p.spans[:len(p.spans)-1]
		case part.fits(text):
			p.read(n+1, end)
		}
	}
}

// fits says whether a text can stand for a part that is not from the person.
func (p *shapePart) fits(text string) bool {
	switch p.place {
	case "":
		return text == p.text
	case placeRandom:
		return !strings.Contains(text, "-")
	case placePercent:
		return allDigits(text) && text[0] != '0'
	}
	return text[0] != '-'
}

// bends is how many parts may be shortened.
func (s *patternShape) bends() (n int) {
	for _, p := range s.parts {
		if p.patternPart.bends() {
			n++
		}
	}
	return n
}

// narrow gives the rows among some whose text begins with a longer beginning than before.
func (s *patternShape) narrow(rows span, text string) span {
	among := rows.part.byText[rows.from:rows.to]
	at := func(i int) string { return s.rows[among[i]].texts[rows.part.person] }
	from := sort.Search(len(among), func(i int) bool { return at(i) >= text })
	to := from + sort.Search(len(among)-from, func(i int) bool { return !strings.HasPrefix(at(from+i), text) })
	return span{text, rows.part, rows.from + from, rows.from + to}
}

// found notes whose code it is when it was read to its end in one way.
func (p *parse) found() {
	fewest := p.spans[0]
	for _, s := range p.spans {
		if s.to-s.from < fewest.to-fewest.from {
			fewest = s
		}
	}
	for i := fewest.from; i < fewest.to; i++ {
		row := &p.shape.rows[fewest.part.byText[i]]
		fits, whole, told := true, true, true
		for k, s := range p.spans {
			rest, begins := strings.CutPrefix(row.texts[k], s.text)
			fits, whole = fits && begins, whole && rest == ""
			told = told && (rest == "" || len(s.text) >= leastMatched)
		}
		switch {
		case fits && (whole || p.long):
			p.sure.add(p.m.owners, row.owner, "")
		case fits && told:
			p.unsure.add(p.m.owners, row.owner, "")
		}
		if p.sure.several || p.unsure.several && !whole && len(p.spans) == 1 {
			return // whole texts come first
		}
		if i-fewest.from > mostRows {
			p.steps = -1
			return
		}
	}
}
