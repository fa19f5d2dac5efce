package shopify

import (
	"iter"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// place is where in the body we are, so that an error can name the field in full.
type place struct {
	steps [8]step
	depth int
}

type step struct {
	field string
	index int // -1 when the field is no list
}

// enter goes down one level. Levels are entered by our own code only, never by what the body nests, and those are six.
func (p *place) enter(field string, index int) {
	p.steps[p.depth] = step{field, index}
	p.depth++
}

func (p *place) leave() { p.depth-- }

// name gives a field's path, such as "line_items[2].price". An empty field names the place itself.
func (p *place) name(field string) string {
	parts := make([]string, 0, p.depth+1)
	for _, s := range p.steps[:p.depth] {
		part := s.field
		if s.index >= 0 {
			part += "[" + strconv.Itoa(s.index) + "]"
		}
		parts = append(parts, part)
	}
	if field != "" {
		parts = append(parts, field)
	}
	return strings.Join(parts, ".")
}

// reader walks a body and notes where something else stands than a list or an object.
type reader struct {
	*jsonwalk.Walker
	place
	wrong error // the first of them; matters only if the body is one we use
}

// object yields the keys of the object that comes next. null is an object without keys.
func (r *reader) object(name string) iter.Seq[[]byte] {
	return func(yield func(key []byte) bool) {
		r.expect('{', name, "an object")
		if name != "" {
			r.enter(name, -1)
			defer r.leave()
		}
		r.Members(yield)
	}
}

// list yields once for each element of the list that comes next. null is an empty list.
func (r *reader) list(name string) func(yield func() bool) {
	return func(yield func() bool) {
		r.expect('[', name, "a list")
		r.enter(name, 0)
		defer r.leave()
		here := &r.steps[r.depth-1]
		for range r.Elements {
			if !yield() {
				break
			}
			here.index++
		}
	}
}

// expect notes where a value begins in another way than the field's should, unless it is null.
func (r *reader) expect(begin byte, name, what string) {
	if c := r.Peek(); c != begin && c != 'n' && r.wrong == nil {
		r.wrong = affiliate.FieldErrorf(r.name(name), "must be %s, as in Shopify's own bodies", what)
	}
}
