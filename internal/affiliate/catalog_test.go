package affiliate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

func TestStoreDomain(t *testing.T) {
	woo, shop := woocommerce.Platform{}.Guide(), shopify.Platform{}.Guide()
	tests := []struct {
		guide    *affiliate.Guide
		in, want string // want "" means refused
	}{
		{woo, "Shop.Example", "shop.example"},
		{woo, " https://shop.example/de/shop/?x=1 ", "shop.example"},
		{woo, "http://127.0.0.1:8081/shop", "127.0.0.1:8081"},
		{woo, "localhost:8080", "localhost:8080"},
		{woo, "[::1]:8080", "[::1]:8080"},
		{woo, "müller.example", "müller.example"},
		{woo, "shop.example.", "shop.example"},
		{woo, "", ""},
		{woo, "shop example", ""},
		{woo, "shop..example", ""},
		{woo, "shop.example:http", ""},
		{woo, "user:pass@shop.example", ""},
		{shop, "https://My-Shop.myshopify.com/admin", "my-shop.myshopify.com"},
		{shop, "shop.example", ""},
		{shop, "admin.shopify.com/store/my-shop", ""},
		{shop, ".myshopify.com", ""},
		{shop, "a.b.myshopify.com", ""},
	}
	for _, test := range tests {
		got, err := test.guide.StoreDomain(test.in)
		if (err != nil) != (test.want == "") || (err == nil && got != test.want) {
			t.Errorf("StoreDomain of %s, %q: %q, %v, want %q", test.guide.Name, test.in, got, err, test.want)
		}
	}
}

func TestStore_Validate(t *testing.T) {
	woo := woocommerce.Platform{}.Guide()
	good := affiliate.Store{Platform: woocommerce.Name, Slug: "my-shop-2", Name: "My shop", Domain: "shop.example",
		Currency: "EUR", Timezone: "Europe/Berlin", Parts: affiliate.PartsDecide}
	if err := good.Validate(woo); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*affiliate.Store){
		"slug":     func(s *affiliate.Store) { s.Slug = "My_Shop" },
		"name":     func(s *affiliate.Store) { s.Name = "a\nb" },
		"domain":   func(s *affiliate.Store) { s.Domain = "https://shop.example" },
		"currency": func(s *affiliate.Store) { s.Currency = "QQQ" },
		"timezone": func(s *affiliate.Store) { s.Timezone = "Local" },
		"parts":    func(s *affiliate.Store) { s.Parts = "luck" },
	} {
		s := good
		change(&s)
		wantField(t, s.Validate(woo), field)
	}
	for _, slug := range []string{"", "-a", "a-", "a_b", "A", strings.Repeat("a", 65)} {
		s := good
		s.Slug = slug
		wantField(t, s.Validate(woo), "slug")
	}
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	e, ok := err.(*affiliate.Error)
	if !ok || e.Kind != affiliate.Invalid || e.Field != field {
		t.Errorf("error %v, want an Invalid about %s", err, field)
	}
}

func TestRole_May(t *testing.T) {
	want := map[affiliate.Role][]affiliate.Permission{
		affiliate.RoleViewer:  {affiliate.MayRead},
		affiliate.RoleManager: {affiliate.MayRead, affiliate.MayChangeCatalog},
		affiliate.RoleOwner: {affiliate.MayRead, affiliate.MayChangeCatalog, affiliate.MayPay,
			affiliate.MayAdminister},
		"":     nil,
		"root": nil,
	}
	for role, may := range want {
		for _, p := range []affiliate.Permission{affiliate.MayRead, affiliate.MayChangeCatalog, affiliate.MayPay,
			affiliate.MayAdminister} {
			if got := role.May(p); got != slices.Contains(may, p) {
				t.Errorf("%q may %s: %v", role, p, got)
			}
		}
		if role.May("anything else") && role != affiliate.RoleOwner {
			t.Errorf("%q may anything", role)
		}
	}
	if affiliate.MayChangeCatalog.Least() != affiliate.RoleManager ||
		affiliate.MayAdminister.Least() != affiliate.RoleOwner {
		t.Error("Least() is not the least role")
	}
}

func TestPrincipal_May_pay(t *testing.T) {
	for role, want := range map[affiliate.Role][2]bool{affiliate.RoleOwner: {true, true},
		affiliate.RoleManager: {false, true}, affiliate.RoleViewer: {}, "root": {}} {
		for i, pay := range []bool{false, true} {
			p := affiliate.Principal{Role: role, Pay: pay}
			if got := p.May(affiliate.MayPay); got != want[i] {
				t.Errorf("%s with the right %v may pay: %v", role, pay, got)
			}
			if p.May(affiliate.MayAdminister) != role.May(affiliate.MayAdminister) {
				t.Errorf("the right to pay gives %s another", role)
			}
		}
	}
	u := affiliate.User{Email: "ben@brand.example", Name: "Ben", Role: affiliate.RoleViewer, MayPay: true}
	var wrong *affiliate.Error
	if err := u.Validate(); !errors.As(err, &wrong) || wrong.Field != "may_pay" {
		t.Errorf("a viewer may pay: %v", err)
	}
	if u.Role = affiliate.RoleManager; u.Validate() != nil || !u.Principal().May(affiliate.MayPay) {
		t.Errorf("a manager may not pay: %v", u.Validate())
	}
}

func TestHashToken(t *testing.T) {
	value := affiliate.NewTokenValue()
	if len(value) != 47 || !strings.HasPrefix(value, "trb_") || value == affiliate.NewTokenValue() {
		t.Fatalf("NewTokenValue() = %q", value)
	}
	hash, ok := affiliate.HashToken(value)
	if !ok || len(hash) != 32 {
		t.Errorf("HashToken() = %x, %v", hash, ok)
	}
	for _, no := range []string{"", "trb_", value + "x", value[:46], "xxx_" + value[4:]} {
		if _, ok := affiliate.HashToken(no); ok {
			t.Errorf("%q is taken for a token", no)
		}
	}
}

func TestCampaign_End(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	tests := []struct {
		name               string
		start, end         time.Time
		wantStart, wantEnd time.Time
	}{
		{"open", time.Time{}, time.Time{}, time.Time{}, now},
		{"ends later", now.Add(-day), now.Add(day), now.Add(-day), now},
		{"ended earlier", now.Add(-2 * day), now.Add(-day), now.Add(-2 * day), now.Add(-day)},
		{"not begun", now.Add(day), now.Add(2 * day), time.Time{}, now},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := affiliate.Campaign{Name: "x", StartsAt: test.start, EndsAt: test.end}
			c.End(now)
			if c.Status != affiliate.CampaignEnded || !c.StartsAt.Equal(test.wantStart) ||
				!c.EndsAt.Equal(test.wantEnd) {
				t.Errorf("%+v", c)
			}
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCampaign_Validate(t *testing.T) {
	now := time.Now()
	for field, c := range map[string]affiliate.Campaign{
		"name":                    {Name: " x"},
		"ends_at":                 {Name: "x", StartsAt: now, EndsAt: now},
		"attribution_window_days": {Name: "x", WindowDays: 366},
		"precedence":              {Name: "x", Precedence: "coin"},
		"click_rule":              {Name: "x", ClickRule: "middle_click"},
	} {
		wantField(t, c.Validate(), field)
	}
}

func TestFoldName(t *testing.T) {
	for _, same := range [][]string{{"Äiti  Virtanen", "äiti virtanen ", "A\u0308ITI VIRTANEN"},
		{"Straße", "STRASSE"}} {
		for _, name := range same {
			if affiliate.FoldName(name) != affiliate.FoldName(same[0]) {
				t.Errorf("%q and %q differ", name, same[0])
			}
		}
	}
	if affiliate.FoldName("Anna") == affiliate.FoldName("Ana") {
		t.Error("Anna is Ana")
	}
}

func TestTidyHandle(t *testing.T) {
	for in, want := range map[string]string{"@Anna.Keller": "Anna.Keller", " anna ": "anna", "https://www.instagram.com/anna.keller/": "anna.keller",
		"https://www.tiktok.com/@anna": "anna", "": ""} {
		if got := affiliate.TidyHandle(in); got != want {
			t.Errorf("TidyHandle(%q) = %q, want %q", in, got, want)
		}
	}
	if affiliate.FoldHandle("@Anna") != affiliate.FoldHandle("anna") {
		t.Error("@Anna is not anna")
	}
}

func TestCreator_Validate(t *testing.T) {
	good := affiliate.Creator{Name: "Anna", Email: "anna+x@creators.example",
		Handles: map[string]string{"instagram": "anna.keller"}, Country: "DE"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, c := range map[string]affiliate.Creator{
		"name":              {Name: ""},
		"email":             {Name: "x", Email: "Anna <anna@x.example>"},
		"handles":           {Name: "x", Handles: map[string]string{"Insta gram": "x"}},
		"handles.instagram": {Name: "x", Handles: map[string]string{"instagram": "anna keller"}},
		"country":           {Name: "x", Country: "de"},
		"note":              {Name: "x", Note: strings.Repeat("x", 2001)},
	} {
		wantField(t, c.Validate(), field)
	}
}

func TestParsePercent_and_Flat(t *testing.T) {
	for in, want := range map[string]int64{"12.5": 1250, "0": 0, "7.25": 725, "100": 10000, "12.500": 1250} {
		if got, err := affiliate.ParsePercent("p", in); err != nil || got != want {
			t.Errorf("ParsePercent(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for in, want := range map[string]int64{"3.00": 30000, "0.0001": 1, "4": 40000} {
		if got, err := affiliate.ParseFlat("f", in); err != nil || got != want {
			t.Errorf("ParseFlat(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "100.01", "-1", "12,5", "1e1", "7.255", "12.5 %", "NaN"} {
		if got, err := affiliate.ParsePercent("p", in); err == nil {
			t.Errorf("ParsePercent(%q) = %d", in, got)
		}
	}
	if affiliate.FormatPercent(1250) != "12.50" || affiliate.FormatFlat(30000) != "3.00" ||
		affiliate.FormatFlat(1) != "0.0001" {
		t.Error("formats differ")
	}
}

func TestParseAmount(t *testing.T) {
	tests := []struct {
		in       string
		currency money.Currency
		want     int64 // -1: refused
	}{
		{"39.90", "EUR", 3990}, {"120", "JPY", 120}, {"1.234", "KWD", 1234}, {"0", "EUR", 0},
		{"39.905", "EUR", -1}, {"1.5", "JPY", -1}, {"-1", "EUR", -1}, {"abc", "EUR", -1},
	}
	for _, test := range tests {
		got, err := affiliate.ParseAmount("a", test.in, test.currency)
		if (err != nil) != (test.want < 0) || (err == nil && got != test.want) {
			t.Errorf("ParseAmount(%q, %s) = %d, %v, want %d", test.in, test.currency, got, err, test.want)
		}
	}
}

func TestOffer_SetRule_and_SetStatus(t *testing.T) {
	now := time.Now()
	o := affiliate.Offer{Status: affiliate.OfferActive, StatusSince: now, Rule: affiliate.Rule{Percent: 1000,
		Version: 1}}
	o.SetRule(1000, 0)
	o.SetStatus(affiliate.OfferActive, now.Add(time.Hour))
	if o.Rule.Version != 1 || !o.StatusSince.Equal(now) {
		t.Errorf("nothing changed, but %+v", o)
	}
	o.SetRule(1000, 5)
	o.SetStatus(affiliate.OfferPaused, now.Add(time.Hour))
	if o.Rule != (affiliate.Rule{Percent: 1000, Flat: 5, Version: 2}) || !o.StatusSince.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", o)
	}
}

func TestOfferMember_SetOverride(t *testing.T) {
	var m affiliate.OfferMember
	steps := []struct {
		override *affiliate.Rule
		version  int
	}{
		{nil, 0}, {&affiliate.Rule{Percent: 5}, 1}, {&affiliate.Rule{Percent: 5, Version: 9}, 1},
		{&affiliate.Rule{Percent: 6}, 2}, {nil, 3}, {nil, 3},
	}
	for i, step := range steps {
		m.SetOverride(step.override)
		if m.RuleVersion != step.version {
			t.Errorf("step %d: version %d, want %d", i, m.RuleVersion, step.version)
		}
	}
}

func TestLink_Validate(t *testing.T) {
	good := affiliate.Link{Slug: "anna_k-2", Kind: affiliate.LinkSales, LandingURL: "https://Shop.example/a?b=c#d"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{"", "shop.example", "/a", "javascript:alert(1)", "ftp://shop.example", "https://", "https://u:p@shop.example", "//shop.example", "https://a b/",
		"https://shop.example/" + strings.Repeat("a", 2000)} {
		l := good
		l.LandingURL = u
		wantField(t, l.Validate(), "landing_url")
	}
	l := good
	l.Slug = "Anna"
	wantField(t, l.Validate(), "slug")
	l = good
	l.Kind = "other"
	wantField(t, l.Validate(), "kind")
}

func TestNumberedSlug(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.StringMatching(`[a-z0-9_-]{1,64}`).Draw(t, "base")
		n := rapid.IntRange(1, 100000).Draw(t, "n")
		if s := affiliate.NumberedSlug(base, n); !affiliate.ValidSlug(s) {
			t.Fatalf("NumberedSlug(%q, %d) = %q is no slug", base, n, s)
		}
	})
}

// TestOwnership_property: whatever is asked in whatever order, at any moment a code has at most one owner, and what was
// owned in the past stays as it was.
func TestOwnership_property(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		now := start
		var history []affiliate.Code
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "pass")) * time.Hour)
			before := owners(history, start, now)
			if rapid.Bool().Draw(t, "add") {
				history = add(t, history, now)
			} else if len(history) > 0 {
				i := rapid.IntRange(0, len(history)-1).Draw(t, "which")
				at := now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "at")) * time.Hour)
				c := history[i]
				if err := c.End(at, now); err == nil {
					history[i] = c
				}
			}
			for i, owner := range owners(history, start, now) {
				if before[i] != 0 && owner != before[i] {
					t.Fatalf("the past changed: %v belonged to %d, now to %d",
						start.Add(time.Duration(i)*30*time.Minute), before[i], owner)
				}
			}
		}
		owners(history, start.Add(-time.Hour), now.Add(10*time.Hour)) // fails on two owners
	})
}

func add(t *rapid.T, history []affiliate.Code, now time.Time) []affiliate.Code {
	var wanted time.Time
	if rapid.Bool().Draw(t, "given") {
		wanted = now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "from")) * time.Hour)
	}
	if other, ok := affiliate.Occupant(history, now); ok && (other.ValidTo.IsZero() || wanted.Before(other.ValidTo)) {
		return history
	}
	from, err := affiliate.NextOwnership(history, wanted, now)
	if err != nil {
		return history
	}
	return append(history, affiliate.Code{ID: affiliate.CodeID(len(history) + 1), ValidFrom: from})
}

// owners gives who owns the code at each half hour of [from, to); it panics on two.
func owners(history []affiliate.Code, from, to time.Time) []affiliate.CodeID {
	var list []affiliate.CodeID
	for at := from; at.Before(to); at = at.Add(30 * time.Minute) {
		var owner affiliate.CodeID
		for _, c := range history {
			if !c.OwnedAt(at) {
				continue
			}
			if owner != 0 {
				panic("two owners at " + at.String())
			}
			owner = c.ID
		}
		list = append(list, owner)
	}
	return list
}

// TestEnd_notLater: an end that is moved to a later moment could reach into the time of the next owner.
func TestEnd_notLater(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := affiliate.Code{}
	for _, step := range []struct {
		after time.Duration
		want  affiliate.ErrorKind
	}{{3 * time.Hour, ""}, {3 * time.Hour, ""}, {2 * time.Hour, ""}, {3 * time.Hour, affiliate.Conflict},
		{-time.Hour, affiliate.Invalid}} {
		if err := c.End(now.Add(step.after), now); affiliate.KindOf(err) != step.want {
			t.Errorf("ending %v from now: %v, want %q", step.after, err, step.want)
		}
	}
}

func TestNextOwnership(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	hour := time.Hour
	ended := affiliate.Code{ValidTo: now.Add(-2 * hour)}
	tests := []struct {
		name    string
		history []affiliate.Code
		wanted  time.Time
		want    time.Time
		kind    affiliate.ErrorKind
	}{
		{"never owned: always hers", nil, time.Time{}, time.Time{}, ""},
		{"never owned, from a day on", nil, now.Add(-hour), now.Add(-hour), ""},
		{"owned before: from now", []affiliate.Code{ended}, time.Time{}, now, ""},
		{"owned before, from its end", []affiliate.Code{ended}, ended.ValidTo, ended.ValidTo, ""},
		{"owned before, reaching back", []affiliate.Code{ended}, ended.ValidTo.Add(-hour), time.Time{},
			affiliate.Conflict},
		{"owned", []affiliate.Code{{}}, time.Time{}, time.Time{}, affiliate.Conflict},
		{"ended before it began", []affiliate.Code{{ValidFrom: now.Add(hour), ValidTo: now.Add(hour)}},
			time.Time{}, now, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := affiliate.NextOwnership(test.history, test.wanted, now)
			if affiliate.KindOf(err) != test.kind || !got.Equal(test.want) {
				t.Errorf("NextOwnership() = %v, %v, want %v, %q", got, err, test.want, test.kind)
			}
		})
	}
}

func TestCode_End(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	c := affiliate.Code{ValidFrom: now.Add(-time.Hour)}
	wantField(t, c.End(now.Add(-time.Minute), now), "valid_to")
	if err := c.End(now, now); err != nil || !c.ValidTo.Equal(now) {
		t.Fatal(err, c)
	}
	if c.OwnedAt(now) || !c.OwnedAt(now.Add(-time.Minute)) {
		t.Error("the end is not half-open")
	}
	if err := c.End(now, now); err != nil {
		t.Errorf("the same end again: %v", err)
	}
	if err := c.End(now.Add(time.Hour), now); affiliate.KindOf(err) != affiliate.Conflict {
		t.Errorf("another end: %v", err)
	}
}

func TestOtherShop(t *testing.T) {
	guide := shopify.Platform{}.Guide()
	for _, c := range []struct {
		domain, named string
		want          bool
	}{
		{"a.myshopify.com", "b.myshopify.com", true},
		{"a.myshopify.com", "A.MYSHOPIFY.com", false},
		{"a.myshopify.com", "", false},
		{"a.myshopify.com", "b.example", false},
		{"a.example", "b.myshopify.com", false},
		{"a.myshopify.com", ".myshopify.com", false},
		{"a.myshopify.com", "{shop}.myshopify.com", false},
	} {
		if got := guide.OtherShop(c.domain, c.named); got != c.want {
			t.Errorf("%q against %q: %t", c.named, c.domain, got)
		}
	}
}
