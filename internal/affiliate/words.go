package affiliate

import (
	"slices"
	"strings"
)

// Word is a type that has few values: a status, a kind, a rule. Words gives them all, in the order in which they are
// told to people.
type Word[W any] interface {
	~string
	Words() []W
}

// Words gives all values of a type that has few.
func Words[W Word[W]]() []W {
	var none W
	return none.Words()
}

// WordList writes all values of a type that has few: "day, week or month".
func WordList[W Word[W]]() string {
	words := Words[W]()
	last := len(words) - 1
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == last:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// inWords writes words of programs as people do: "set_aside" is "set aside".
func inWords(text string) string { return strings.ReplaceAll(text, "_", " ") }

// ParseWord reads one of few values; an empty text is none of them, and no error. The error names the field and the
// values.
func ParseWord[W Word[W]](field, text string) (W, error) {
	if text == "" {
		return "", nil
	}
	word := W(text)
	if err := CheckWord(field, word); err != nil {
		return "", err
	}
	return word, nil
}

// CheckWord says what is wrong with a value that is none of its type's. The error names the field and the values.
func CheckWord[W Word[W]](field string, word W) error {
	if slices.Contains(word.Words(), word) {
		return nil
	}
	return ForPeople(FieldErrorf(field, "must be %s", WordList[W]()), "must be "+inWords(WordList[W]()))
}

// ParseWords reads some of few values, with commas between them; an empty text is none. The error is ParseWord's.
func ParseWords[W Word[W]](field, text string) (list []W, err error) {
	for _, part := range CommaList(text) {
		word := W(part)
		if err := CheckWord(field, word); err != nil {
			return nil, err
		}
		list = append(list, word)
	}
	return list, nil
}

// OptionalID reads an id ("cmp_12") or nothing, which is 0. The error names the field.
func OptionalID[ID ~int64](field, prefix, text string) (ID, error) {
	if text == "" {
		return 0, nil
	}
	id, err := ParseID[ID](prefix, text)
	if err != nil {
		return 0, AboutField(field, err)
	}
	return id, nil
}

// ParseIDs reads ids. The error names the field.
func ParseIDs[ID ~int64](field, prefix string, texts []string) (ids []ID, err error) {
	for _, text := range texts {
		id, err := ParseID[ID](prefix, text)
		if err != nil {
			return nil, AboutField(field, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// CommaList parts a text at its commas; an empty text has no parts.
func CommaList(text string) []string {
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
