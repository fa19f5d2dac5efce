package affiliate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean takes from a text what nobody can see and people paste all the same: format characters (Unicode Cf: zero-width
// spaces, byte order marks, direction marks, soft hyphens, word joiners, …) and the space around it. Joiners and tags
// inside emoji stay, since those fall apart without them; spaces that do not break become plain ones. It is applied to
// codes, e-mail addresses, handles, slugs, addresses and names when they come in, and when they are compared.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unclean) {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case !unclean(r):
			b.WriteRune(r)
		case isHardSpace(r):
			b.WriteByte(' ')
		case joinsEmoji(s, i, r) || isEmojiTag(b.String(), s[i:], r):
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

func unclean(r rune) bool {
	return r >= utf8.RuneSelf && (isHardSpace(r) || unicode.Is(unicode.Cf, r))
}

// isHardSpace says whether r is a space at which no line breaks, as spreadsheets and word processors put before % and
// between thousands.
func isHardSpace(r rune) bool { return r == '\u00a0' || r == '\u2007' || r == '\u202f' }

const zeroWidthJoiner = '\u200d'

// joinsEmoji says whether the r at s[i:] is a joiner that stands between two emoji: 👩‍👧.
func joinsEmoji(s string, i int, r rune) bool {
	if r != zeroWidthJoiner {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(strings.TrimRightFunc(s[:i], modifiesEmoji))
	after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
	return isEmoji(before) && isEmoji(after)
}

// modifiesEmoji says whether r changes the look of the emoji before it: a variation selector or a skin tone.
func modifiesEmoji(r rune) bool { return r == '\ufe0f' || r >= 0x1f3fb && r <= 0x1f3ff }

// isEmoji says whether r may be joined to another emoji. All that Unicode joins lie in these blocks.
func isEmoji(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2190 && r <= 0x2bff && unicode.IsOneOf(symbols, r)
}

var symbols = []*unicode.RangeTable{unicode.So, unicode.Sm}

// isEmojiTag says whether the r that rest begins with is one of the tags behind a black flag that make it a region's,
// such as Scotland's: the flag, tags, and the tag that ends them.
func isEmojiTag(before, rest string, r rune) bool {
	const first, last, flag = 0xe0020, 0xe007f, 0x1f3f4
	tag := func(r rune) bool { return r >= first && r <= last }
	if !tag(r) {
		return false
	}
	begin, _ := utf8.DecodeLastRuneInString(strings.TrimRightFunc(before, tag))
	tags := rest[:len(rest)-len(strings.TrimLeftFunc(rest, tag))]
	return begin == flag && strings.HasSuffix(tags, string(rune(last)))
}
