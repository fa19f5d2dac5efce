package affiliate

import "strings"

// NumberStyle is how one person reads numbers, by an example of it. Empty leaves it to the browser's languages. Files,
// the API and fields of forms have a point and no signs between thousands, whoever reads them.
type NumberStyle string

const (
	NumbersPoint      NumberStyle = "point"      // 1,234,567.89
	NumbersComma      NumberStyle = "comma"      // 1.234.567,89
	NumbersSpace      NumberStyle = "space"      // 1 234 567,89
	NumbersSpacePoint NumberStyle = "spacepoint" // 1 234 567.89
	NumbersApostrophe NumberStyle = "apostrophe" // 1’234’567.89
	NumbersIndian     NumberStyle = "indian"     // 12,34,567.89
	NumbersPlain      NumberStyle = "plain"      // 1234567.89
)

// Words lists the styles there are.
func (NumberStyle) Words() []NumberStyle {
	return []NumberStyle{NumbersPoint, NumbersComma, NumbersSpace, NumbersSpacePoint, NumbersApostrophe, NumbersIndian,
		NumbersPlain}
}

// Signs are the one between thousands and the one before decimals.
func (s NumberStyle) Signs() (group, decimal string) {
	switch s {
	case NumbersComma:
		return ".", ","
	case NumbersSpace:
		return "\u00a0", ","
	case NumbersSpacePoint:
		return "\u00a0", "."
	case NumbersApostrophe:
		return "’", "."
	case NumbersPlain:
		return "", "."
	}
	return ",", "."
}

// Decimal is the sign before decimals.
func (s NumberStyle) Decimal() string {
	_, decimal := s.Signs()
	return decimal
}

// Write writes a number that has a point and digits only, such as "-1234.50", for people: "−1,234.50".
func (s NumberStyle) Write(number string) string {
	group, decimal := s.Signs()
	var b strings.Builder
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		b.WriteString("−")
		number = rest
	}
	whole, fraction, has := strings.Cut(number, ".")
	for i := range len(whole) {
		left := len(whole) - i
		if i > 0 && s.groupsAt(left) {
			b.WriteString(group)
		}
		b.WriteByte(whole[i])
	}
	if has {
		b.WriteString(decimal)
		b.WriteString(fraction)
	}
	return b.String()
}

// groupsAt says whether a sign stands before the last digits of a whole number.
func (s NumberStyle) groupsAt(digits int) bool {
	if s == NumbersIndian && digits > 3 {
		return digits%2 == 1
	}
	return digits%3 == 0
}
