package dashboard

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestColours: in the light and the dark look, words stand out from what is behind them by 4.5:1, and the borders of
// fields by 3:1. The tests in a browser see only the pairs that their pages happen to show.
func TestColours(t *testing.T) {
	for look, file := range map[string]string{"light": "app.css", "dark": "dark.css"} {
		css, err := assetFiles.ReadFile("assets/" + file)
		if err != nil {
			t.Fatal(err)
		}
		text, _, _ := strings.Cut(string(css), "@media print") // which has black and white alone
		if strings.Contains(text, "prefers-color-scheme") {
			t.Errorf("%s asks for the look of the device, which whoever chose another does not want", file)
		}
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = m[2]
		}
		check := func(front, behind string, least float64) {
			a, b := colours[front], colours[behind]
			if a == "" || b == "" {
				t.Fatalf("%s: there is no colour %s or %s", look, front, behind)
			}
			if c := contrast(t, a, b); c < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", look, front, behind, c, least)
			}
		}
		for _, behind := range []string{"bg", "surface", "sunken"} {
			check("text", behind, 4.5)
			check("muted", behind, 4.5)
			check("accent", behind, 4.5)
		}
		for _, behind := range []string{"bg", "surface"} {
			check("field", behind, 3)
			check("focus", behind, 3)
		}
		check("chart-1", "surface", 3)
		check("on-accent", "accent", 4.5)
		check("accent-strong", "accent-soft", 4.5)
		for _, state := range []string{"good", "warn", "orange", "bad", "violet"} {
			check(state, state+"-soft", 4.5)
			check(state, "surface", 4.5)
		}
	}
}

// contrast is that of two colours as WCAG has it, from 1 to 21.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		part := float64(n) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		sum += weight * part
	}
	return sum
}
