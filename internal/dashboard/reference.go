package dashboard

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/docs"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/web"
)

// referenceRoutes are open to anybody, as the OpenAPI document is.
func referenceRoutes() []route {
	return []route{
		{http.MethodGet, "/docs", anybody, (*request).referencePage},
		{http.MethodGet, "/docs/guide", anybody, (*request).guidePage},
	}
}

// referencePage lists the operations of the API.
type referencePage struct {
	layout
	OpenAPI string // address of the document
	Base    string // what addresses of operations begin with
	Query   string // what is searched for
	Groups  []operationGroup
	Count   int64
	MayOwn  bool
}

// operationGroup is the operations on one kind of thing.
type operationGroup struct {
	Name       string
	Operations []operationLine
}

// operationLine is one operation for people.
type operationLine struct {
	ID, Method, Path string
	Summary, About   string
	Parameters       []valueLine // of the address and the query
	Body             []valueLine
	Answer           []valueLine
	AnswersAs        string // the id of an operation above with the same answer, in place of Answer
	AsOne            bool   // that is a list: the answer is one of its data
	Statuses         string // of answers
}

// valueLine is a parameter or a field.
type valueLine struct {
	Name, Kind, About string
	Required          bool
}

func (r *request) referencePage() error {
	p := &referencePage{layout: r.layout("The API", ""), OpenAPI: web.APIPrefix + "/openapi.json",
		Base: strings.TrimSuffix(r.d.App.PublicURL, "/"), Query: strings.TrimSpace(r.Query("q")),
		MayOwn: r.may(affiliate.MayAdminister)}
	if r.d.Reference != nil {
		if document := r.d.Reference(); document != nil {
			p.Groups = operationGroups(document, p.Query)
		}
	}
	for _, g := range p.Groups {
		p.Count += int64(len(g.Operations))
	}
	return r.show("reference.html", p)
}

// guidePage shows the guide as it is written.
func (r *request) guidePage() error {
	r.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(docs.API))
	return nil
}

// operationGroups lists the operations that hold a text, by the kinds of things they are about.
func operationGroups(document *huma.OpenAPI, text string) (groups []operationGroup) {
	byName := map[string][]operationLine{}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, o := range []struct {
			method string
			*huma.Operation
		}{{http.MethodGet, item.Get}, {http.MethodPost, item.Post}, {http.MethodPut, item.Put},
			{http.MethodPatch, item.Patch}, {http.MethodDelete, item.Delete}} {
			if o.Operation == nil {
				continue
			}
			line := lineOf(document, o.method, path, o.Operation)
			name := "Other"
			if len(o.Tags) > 0 {
				name = titleWord(o.Tags[0])
			}
			if holds(line, name, text) {
				byName[name] = append(byName[name], line)
			}
		}
	}
	var lines []*operationLine
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		groups = append(groups, operationGroup{name, byName[name]})
		for i := range byName[name] {
			lines = append(lines, &byName[name][i])
		}
	}
	sayOnce(lines)
	return groups
}

// sayOnce has answers that are the same as one above, of whatever kind of things, listed there alone.
func sayOnce(lines []*operationLine) {
	for i, line := range lines {
		for _, above := range lines[:i] {
			if len(line.Answer) < 2 || above.Answer == nil {
				continue
			}
			one := slices.Equal(line.Answer, fieldsOfOne(above.Answer))
			if one || slices.Equal(line.Answer, above.Answer) {
				line.Answer, line.AnswersAs, line.AsOne = nil, above.ID, one
				break
			}
		}
	}
}

// fieldsOfOne are the fields of each thing of a list.
func fieldsOfOne(answer []valueLine) (lines []valueLine) {
	for _, line := range answer {
		if name, of := strings.CutPrefix(line.Name, "data[]."); of {
			line.Name = name
			lines = append(lines, line)
		}
	}
	return lines
}

// titleWord writes a word of an address for people: "unowned-codes" is "Unowned codes".
func titleWord(word string) string {
	word = strings.NewReplacer("-", " ", "_", " ").Replace(word)
	return strings.ToUpper(word[:1]) + word[1:]
}

// holds says whether all words of a text stand in an operation.
func holds(line operationLine, group, text string) bool {
	all := strings.ToLower(strings.Join([]string{line.Method, line.Path, line.Summary, group}, " "))
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

func lineOf(document *huma.OpenAPI, method, path string, o *huma.Operation) operationLine {
	line := operationLine{ID: o.OperationID, Method: method, Path: path, Summary: o.Summary, About: o.Description}
	for _, p := range o.Parameters {
		where := map[string]string{"path": "in the address", "query": "behind ?", "header": "header"}[p.In]
		kind := kindOf(document, p.Schema)
		line.Parameters = append(line.Parameters, valueLine{p.Name, strings.Trim(where+", "+kind, ", "),
			aboutOf(p.Description, p.Schema), p.Required})
	}
	if o.RequestBody != nil {
		for _, kind := range slices.Sorted(maps.Keys(o.RequestBody.Content)) {
			line.Body = append(line.Body, fieldsOf(document, o.RequestBody.Content[kind].Schema, "", 0)...)
		}
	}
	var statuses []string
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		statuses = append(statuses, status)
		if answer := o.Responses[status]; strings.HasPrefix(status, "2") && answer != nil {
			if content := answer.Content["application/json"]; content != nil && len(line.Answer) == 0 {
				line.Answer = fieldsOf(document, content.Schema, "", 0)
				for i := range line.Answer {
					line.Answer[i].Required = false // that is about what is sent
				}
			}
		}
	}
	line.Statuses = strings.Join(statuses, ", ")
	return line
}

// resolved follows the reference of a schema.
func resolved(document *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	for range 5 {
		if s == nil || s.Ref == "" || document.Components == nil || document.Components.Schemas == nil {
			return s
		}
		s = document.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// mostNested is how deep fields within fields are listed.
const mostNested = 2

// fieldsOf lists the fields of a schema, those of objects within it behind a point.
func fieldsOf(document *huma.OpenAPI, s *huma.Schema, before string, depth int) (lines []valueLine) {
	s = resolved(document, s)
	if s == nil || depth > mostNested {
		return nil
	}
	if s.Type == huma.TypeArray {
		return fieldsOf(document, s.Items, before, depth)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		about := field.Description
		if whole := resolved(document, field); about == "" && whole != nil {
			about = aboutOf("", whole)
		}
		lines = append(lines, valueLine{before + name, kindOf(document, field), aboutOf(about, field),
			slices.Contains(s.Required, name)})
		inner := before + name + "."
		if whole := resolved(document, field); whole != nil && whole.Type == huma.TypeArray {
			inner = before + name + "[]."
		}
		lines = append(lines, fieldsOf(document, field, inner, depth+1)...)
	}
	return lines
}

// kindOf says what a value is: "text", "whole number", "list of objects", "one of paid, canceled".
func kindOf(document *huma.OpenAPI, s *huma.Schema) string {
	s = resolved(document, s)
	if s == nil {
		return ""
	}
	for _, list := range [][]*huma.Schema{s.OneOf, s.AnyOf} {
		for _, one := range list {
			if kind := kindOf(document, one); kind != "" && kind != "nothing" {
				return kind + " or nothing"
			}
		}
	}
	text := map[string]string{huma.TypeString: "text", huma.TypeInteger: "whole number", huma.TypeNumber: "number",
		huma.TypeBoolean: "true or false", huma.TypeObject: "object", "null": "nothing"}[s.Type]
	if s.Type == huma.TypeArray {
		text = "list"
		if of := kindOf(document, s.Items); of != "" {
			text = "list: each " + of
		}
	}
	if s.Format == "date-time" {
		text = "time"
	}
	if len(s.Enum) > 0 {
		var words []string
		for _, v := range s.Enum {
			if word, ok := v.(string); ok && word != "" {
				words = append(words, word)
			}
		}
		if len(words) > 0 {
			text = "one of " + strings.Join(words, ", ")
		}
	}
	if s.Nullable {
		text += " or nothing"
	}
	return text
}

// aboutOf is what is said of a value, with an example where there is one.
func aboutOf(about string, s *huma.Schema) string {
	if about == "" && s != nil {
		about = s.Description
	}
	if s != nil && len(s.Examples) > 0 && !strings.Contains(about, "Such as ") {
		if example, ok := s.Examples[0].(string); ok && example != "" {
			about = strings.TrimSpace(about + " Such as " + example + ".")
			if !strings.HasPrefix(about, "Such") {
				about = strings.Replace(about, " Such as", ". Such as", 1)
				about = strings.ReplaceAll(about, ".. ", ". ")
			}
		}
	}
	return about
}
