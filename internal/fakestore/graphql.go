package fakestore

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A little of GraphQL: operations with variables, fields with arguments and aliases, and fragments. There is no schema
// but the values themselves: a field that an node does not have is refused, as is one without the selection that it
// needs.

// picked is one field of a selection, or a fragment on a type.
type picked struct {
	name   string
	alias  string // that its answer is given under; empty: its name
	on     string // of a fragment
	spread string // name of a fragment that stands elsewhere
	args   map[string]any
	sub    []picked
}

func (f picked) key() string { return cmp.Or(f.alias, f.name) }

type variable string // as it stands in arguments

type graphParser struct {
	words []string
	at    int
}

var errSyntax = errors.New("syntax error")

// refused is an error in the words that Shopify answers with.
type refused string

func (r refused) Error() string { return string(r) }

// parseGraph reads the selection of an operation; its kind is query or mutation.
func parseGraph(text string) (kind string, fields []picked, err error) {
	words, err := graphWords(text)
	if err != nil {
		return "", nil, err
	}
	p := &graphParser{words: words}
	defer func() {
		if r := recover(); r != nil {
			kind, fields, err = "", nil, fmt.Errorf("%w near word %d of %d", errSyntax, p.at, len(p.words))
		}
	}()
	kind = "query"
	if p.peek() != "{" {
		kind = p.next()
		if p.peek() != "{" && p.peek() != "(" {
			p.next() // its name
		}
		if p.peek() == "(" {
			for p.next() != ")" { // variables need no types here
			}
		}
	}
	fields = p.selection()
	fragments := map[string]picked{}
	for p.at < len(p.words) {
		if p.next() != "fragment" {
			panic(errSyntax)
		}
		name := p.next()
		if p.next() != "on" {
			panic(errSyntax)
		}
		on := p.next()
		fragments[name] = picked{on: on, sub: p.selection()}
	}
	return kind, spread(fields, fragments, 0), nil
}

// spread puts fragments where they are named.
func spread(fields []picked, fragments map[string]picked, depth int) []picked {
	for i, f := range fields {
		if f.spread != "" {
			known, ok := fragments[f.spread]
			if !ok || depth > 20 {
				panic(errSyntax)
			}
			f = picked{on: known.on, sub: slices.Clone(known.sub)}
		}
		f.sub = spread(f.sub, fragments, depth+1)
		fields[i] = f
	}
	return fields
}

func (p *graphParser) peek() string { return p.words[p.at] }

func (p *graphParser) next() string {
	p.at++
	return p.words[p.at-1]
}

func (p *graphParser) selection() (fields []picked) {
	if p.next() != "{" {
		panic(errSyntax)
	}
	for p.peek() != "}" {
		var f picked
		if p.peek() == "..." {
			p.next()
			if word := p.next(); word != "on" {
				fields = append(fields, picked{spread: word})
				continue
			}
			f.on = p.next()
			f.sub = p.selection()
			fields = append(fields, f)
			continue
		}
		f.name = p.next()
		if p.peek() == ":" {
			p.next()
			f.alias, f.name = f.name, p.next()
		}
		if p.peek() == "(" {
			p.next()
			f.args = map[string]any{}
			for p.peek() != ")" {
				name := p.next()
				if p.next() != ":" {
					panic(errSyntax)
				}
				f.args[name] = p.value()
			}
			p.next()
		}
		if p.peek() == "{" {
			f.sub = p.selection()
		}
		fields = append(fields, f)
	}
	p.next()
	return fields
}

func (p *graphParser) value() any {
	switch w := p.next(); {
	case w == "$":
		return variable(p.next())
	case w == "null":
		return nil
	case w[0] == '"' || w[0] == '-' || w[0] >= '0' && w[0] <= '9', w == "true", w == "false":
		var v any
		if json.Unmarshal([]byte(w), &v) != nil {
			panic(errSyntax)
		}
		return v
	default:
		return w // of an enumeration
	}
}

// graphWords takes a text apart.
func graphWords(text string) (words []string, err error) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case unicode.IsSpace(rune(c)) || c == ',':
			i++
		case c == '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return nil, errSyntax
			}
			words, i = append(words, text[i:end+1]), end+1
		case strings.HasPrefix(text[i:], "..."):
			words, i = append(words, "..."), i+3
		case isWord(c) || c == '-':
			end := i + 1
			for end < len(text) && isWord(text[end]) {
				end++
			}
			words, i = append(words, text[i:end]), end
		default:
			words, i = append(words, string(c)), i+1
		}
	}
	return words, nil
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// record is a value with fields. "__typename" is its type.
type record = map[string]any

// connection is a list that is read in pages; its cursors are places in it. rows and after may also have been applied.
type connection struct {
	rows []any
	more bool
	end  string // cursor of the last row
	done bool   // the page has been chosen
}

// resolver is a field with arguments.
type resolver func(args map[string]any) (any, error)

// resolve gives what a selection picks from a value.
func resolve(v any, fields []picked, variables map[string]any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		list := make([]any, len(v))
		for i := range v {
			one, err := resolve(v[i], fields, variables)
			if err != nil {
				return nil, err
			}
			list[i] = one
		}
		return list, nil
	case record:
		if len(fields) == 0 {
			return nil, refused(fmt.Sprintf("Field must have selections (of type %v)", v["__typename"]))
		}
		return resolveObject(v, fields, variables)
	default:
		if len(fields) > 0 {
			return nil, refused("Selections can't be made on scalars")
		}
		return v, nil
	}
}

func resolveObject(o record, fields []picked, variables map[string]any) (record, error) {
	out := record{}
	for _, f := range fields {
		if f.on != "" {
			if o["__typename"] == f.on {
				part, err := resolveObject(o, f.sub, variables)
				if err != nil {
					return nil, err
				}
				for name, v := range part {
					out[name] = v
				}
			}
			continue
		}
		v, ok := o[f.name]
		if !ok {
			return nil, refused(fmt.Sprintf("Field '%s' doesn't exist on type '%v'", f.name, o["__typename"]))
		}
		args := map[string]any{}
		for name, given := range f.args {
			if name, ok := given.(variable); ok {
				given = variables[string(name)]
			}
			args[name] = given
		}
		var err error
		if do, ok := v.(resolver); ok {
			if v, err = do(args); err != nil {
				return nil, err
			}
		}
		if c, ok := v.(connection); ok {
			v = c.page(args)
		}
		if out[f.key()], err = resolve(v, f.sub, variables); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// page is the page of a connection that arguments choose.
func (c connection) page(args map[string]any) record {
	if !c.done {
		from := 0
		if after, ok := args["after"].(string); ok {
			_, _ = fmt.Sscan(after, &from)
		}
		rows := c.rows[min(from, len(c.rows)):]
		if n, ok := args["first"].(float64); ok && int(n) < len(rows) {
			rows, c.more = rows[:int(n)], true
		}
		c.rows, c.end = rows, fmt.Sprint(from+len(rows))
	}
	edges := make([]any, len(c.rows))
	for i, r := range c.rows {
		edges[i] = record{"__typename": "Edge", "node": r, "cursor": nil}
	}
	return record{"__typename": "Connection", "nodes": c.rows, "edges": edges, "pageInfo": record{
		"__typename": "PageInfo", "hasNextPage": c.more, "endCursor": c.end}}
}

// graphCost is what a selection may cost at most. Shopify does not publish its formula; this one is like it in that it
// grows with the rows that are asked for, and with those in them less.
func graphCost(fields []picked, variables map[string]any, depth int) (cost float64) {
	for _, f := range fields {
		rows, paged := f.args["first"]
		if name, ok := rows.(variable); ok {
			rows = variables[string(name)]
		}
		n, _ := rows.(float64)
		inner := graphCost(f.sub, variables, depth+1)
		switch {
		case paged && depth == 0, paged && f.name == "refunds":
			cost += 1 + n*(1+inner)
		case paged:
			cost += 2 + n/10 + inner
		case slices.Contains([]string{"nodes"}, f.name) && depth == 0:
			ids, _ := variables["ids"].([]any)
			cost += float64(len(ids)) * (1 + inner)
		default:
			cost += inner
		}
	}
	if depth == 0 {
		cost++
	}
	return cost
}
