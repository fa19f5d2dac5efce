package dashboard

import "testing"

// TestFigure_against: a change is written as roughly as people look at it.
func TestFigure_against(t *testing.T) {
	for _, c := range []struct {
		now, then int64
		way, want string
	}{
		{33966, 10000, "up", "+240 %"},
		{10995, 10000, "up", "+10 %"},
		{10994, 10000, "up", "+9.9 %"},
		{10005, 10000, "up", "+0.1 %"},
		{10004, 10000, "", "as before"},
		{10000, 10000, "", "as before"},
		{9996, 10000, "", "as before"},
		{9848, 10000, "down", "−1.5 %"},
		{0, 10000, "down", "−100 %"},
		{-10000, 10000, "down", "−200 %"},
		{1, 0, "", ""},
	} {
		f := figure{}.against(true, &c.now, &c.then)
		if f.Way != c.way || f.Change != c.want {
			t.Errorf("%d after %d: %q %q, want %q %q", c.now, c.then, f.Way, f.Change, c.way, c.want)
		}
	}
	if f := (figure{}).against(false, nil, nil); f.Change != "" {
		t.Errorf("without a period before: %q", f.Change)
	}
}
