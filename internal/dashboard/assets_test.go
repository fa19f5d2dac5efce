package dashboard

import (
	"regexp"
	"strings"
	"testing"
)

// TestAssets: styles name the files of the typeface by addresses that browsers may keep for ever, and each is served
// as what it is, packed only where that is smaller.
func TestAssets(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	styles := a.files[strings.TrimPrefix(a.address["app.css"], "/assets/")]
	fonts := regexp.MustCompile(`url\("([^"]+)"\) format`).FindAllSubmatch(styles.body, -1)
	if len(fonts) == 0 {
		t.Fatal("the styles name no typeface")
	}
	for _, m := range fonts {
		font, ok := a.files[strings.TrimPrefix(string(m[1]), "/assets/")]
		if !ok || font.kind != "font/woff2" || font.packed != nil {
			t.Errorf("%s: found %v, kind %q, packed %d bytes", m[1], ok, font.kind, len(font.packed))
		}
	}
	for name, address := range a.address {
		file, ok := a.files[strings.TrimPrefix(address, "/assets/")]
		if !ok || file.kind == "" || len(file.packed) > len(file.body) {
			t.Errorf("%s at %s: found %v, kind %q", name, address, ok, file.kind)
		}
	}
}
