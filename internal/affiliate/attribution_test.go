package affiliate

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func member(id int64, creator string, change ...func(*Membership)) Membership {
	m := Membership{OfferMemberID: OfferMemberID(id), OfferID: OfferID(id), CampaignID: 1, CreatorID: CreatorID(id),
		Offer: "Ten", Campaign: "Spring", Creator: creator, OfferStatus: OfferActive, WindowDays: 30,
		Precedence: CodeFirst, ClickRule: LastClick, EmailHash: "hash-" + creator, Rule: Rule{Percent: 1000,
			Version: 1}}
	for _, f := range change {
		f(&m)
	}
	return m
}

func code(m Membership, code string, from, until time.Time) CodeOwner {
	return CodeOwner{CodeID: CodeID(m.OfferMemberID), Code: code, From: from, Until: until, Membership: m}
}

func link(m Membership, slug string) LinkOwner {
	return LinkOwner{LinkID: LinkID(m.OfferMemberID), Slug: slug, Membership: m}
}

func days(n int) time.Time { return placed.AddDate(0, 0, n) }

func TestAttribute(t *testing.T) {
	anna, ben := member(1, "Anna"), member(2, "Ben")
	never := time.Time{}
	linkFirst := func(m *Membership) { m.Precedence = LinkFirst }
	slug := func(s string) LinkEvidence {
		return LinkEvidence{Kind: EvidenceSlug, Value: s, Source: "landing_site"}
	}
	click := func(id string) LinkEvidence {
		return LinkEvidence{Kind: EvidenceClick, Value: id, Source: "note_attributes"}
	}
	utm := func(s string) LinkEvidence {
		return LinkEvidence{Kind: EvidenceUTM, Value: s, Source: "utm_content"}
	}
	for _, c := range []struct {
		name   string
		codes  []string
		links  []LinkEvidence
		known  Candidates
		test   bool
		email  string
		want   string // creator, or the reason
		method Method
		held   string
		doubt  bool
	}{
		{name: "no evidence", want: ReasonNoEvidence},
		{name: "code, in any case", codes: []string{"aNNa10"},
			known: Candidates{Codes: codes(code(anna, "ANNA10", never, never))}, want: "Anna", method: ByCode},
		{name: "code, fully folded", codes: []string{"i̇stanbul5"},
			known: Candidates{Codes: codes(code(anna, "İSTANBUL5", never, never))}, want: "Anna", method: ByCode},
		{name: "code that nobody owns", codes: []string{"SHOP"}, want: ReasonNoOwner},
		{name: "code of somebody else before", codes: []string{"X"},
			known: Candidates{Codes: codes(code(anna, "X", never, days(-1)), code(ben, "X", days(-1), never))},
			want:  "Ben", method: ByCode},
		{name: "code owned only later", codes: []string{"X"},
			known: Candidates{Codes: codes(code(anna, "X", days(1), never))}, want: ReasonNoOwner},
		{name: "code ended before", codes: []string{"X"},
			known: Candidates{Codes: codes(code(anna, "X", never, days(-1)))}, want: ReasonNoOwner},
		{name: "end of the interval does not belong to it", codes: []string{"X"},
			known: Candidates{Codes: codes(code(anna, "X", never, placed))}, want: ReasonNoOwner},
		{name: "start of the interval belongs to it", codes: []string{"X"},
			known: Candidates{Codes: codes(code(anna, "X", placed, never))}, want: "Anna", method: ByCode},
		{name: "the store's first owned code wins, with a doubt", codes: []string{"FREESHIP", "B", "A"},
			known: Candidates{Codes: codes(code(anna, "A", never, never), code(ben, "B", never, never))}, want: "Ben",
			method: ByCode, doubt: true},
		{name: "a code beside one of the shop's own is no doubt", codes: []string{"FREESHIP", "A"},
			known: Candidates{Codes: codes(code(anna, "A", never, never))}, want: "Anna", method: ByCode},
		{name: "code beats link", codes: []string{"A"}, links: []LinkEvidence{slug("ben")},
			known: Candidates{Codes: codes(code(anna, "A", never, never)),
				Links: links(link(ben, "ben"))}, want: "Anna", method: ByCode},
		{name: "link first", codes: []string{"A"}, links: []LinkEvidence{slug("ben")},
			known: Candidates{Codes: codes(code(anna, "A", never, never)),
				Links: links(link(member(2, "Ben", linkFirst), "ben"))}, want: "Ben", method: ByLink},
		{name: "unowned code leaves it to the link", codes: []string{"SHOP"}, links: []LinkEvidence{slug("ben")},
			known: Candidates{Links: links(link(ben, "ben"))}, want: "Ben", method: ByLink},
		{name: "slug that nobody owns", links: []LinkEvidence{slug("itikauppa")}, want: ReasonNoOwner},
		{name: "utm that names a link", links: []LinkEvidence{utm("ben")},
			known: Candidates{Links: links(link(ben, "ben"))}, want: "Ben", method: ByLink},
		{name: "utm that names nothing", links: []LinkEvidence{utm("/best-tees/")}, want: ReasonNoEvidence},
		{name: "click within the window", links: []LinkEvidence{click("c1")},
			known: Candidates{Links: links(link(ben, "ben")),
				Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-30)})}, want: "Ben", method: ByLink},
		{name: "click before the window", links: []LinkEvidence{click("c1")},
			known: Candidates{Links: links(link(ben, "ben")),
				Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-31)})}, want: ReasonLateClick},
		{name: "a campaign's own window", links: []LinkEvidence{click("c1")},
			known: Candidates{Links: links(link(member(2, "Ben", func(m *Membership) { m.WindowDays = 60 }), "ben")),
				Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-31)})}, want: "Ben", method: ByLink},
		{name: "click after the order", links: []LinkEvidence{click("c1")},
			known: Candidates{Links: links(link(ben, "ben")),
				Clicks: clicks(Click{ID: "c1", Slug: "ben", At: placed.Add(time.Hour)})}, want: ReasonClickAfterOrder},
		{name: "click id that we never gave", links: []LinkEvidence{click("forged")}, want: ReasonNoOwner},
		{name: "last click", links: []LinkEvidence{click("c1"), click("c2")},
			known: Candidates{Links: links(link(anna, "anna"), link(ben, "ben")),
				Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-3)}, Click{ID: "c2", Slug: "anna",
					At: days(-2)})},
			want: "Anna", method: ByLink},
		{name: "first click", links: []LinkEvidence{click("c1"), click("c2")}, known: Candidates{
			Links: links(link(member(1, "Anna", func(m *Membership) {
				m.ClickRule = FirstClick
			}), "anna"), link(ben, "ben")),
			Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-3)}, Click{ID: "c2", Slug: "anna", At: days(-2)})},
			want: "Ben", method: ByLink},
		{name: "the click's late age is not mended by its slug", links: []LinkEvidence{click("c1"), slug("ben")},
			known: Candidates{Links: links(link(ben, "ben")),
				Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-31)})}, want: ReasonLateClick},
		{name: "offer paused before", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.OfferStatus, m.StatusSince = OfferPaused, days(-1)
			}), "A", never, never))}, want: ReasonOfferPaused},
		{name: "offer paused later", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.OfferStatus, m.StatusSince = OfferPaused, days(1)
			}), "A", never, never))}, want: "Anna", method: ByCode},
		{name: "member left", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.InactiveSince = days(-1)
			}), "A", never, never))}, want: ReasonMemberInactive},
		{name: "member left later", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.InactiveSince = days(1)
			}), "A", never, never))}, want: "Anna", method: ByCode},
		{name: "before the campaign", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.StartsAt = days(1)
			}), "A", never, never))}, want: ReasonBeforeStart},
		{name: "after the campaign", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.EndsAt = placed
			}), "A", never, never))}, want: ReasonAfterEnd},
		{name: "test order", codes: []string{"A"}, test: true,
			known: Candidates{Codes: codes(code(anna, "A", never, never))}, want: ReasonTest},
		{name: "self-referral is held", codes: []string{"A"}, email: "hash-Anna",
			known: Candidates{Codes: codes(code(anna, "A", never, never))}, want: "Anna", method: ByCode,
			held: HeldSelfReferral},
		{name: "no e-mail is no self-referral", codes: []string{"A"},
			known: Candidates{Codes: codes(code(member(1, "Anna", func(m *Membership) {
				m.EmailHash = ""
			}), "A", never, never))}, want: "Anna", method: ByCode},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Attribute(OrderView{PlacedAt: placed, Codes: c.codes, Links: c.links, Test: c.test,
				CustomerHash: c.email}, c.known)
			got, method, held, doubt := v.Reason, Method(""), "", false
			if v.Winner != nil {
				got, method, held, doubt = v.Winner.Creator, v.Winner.Method, v.Winner.HeldReason, v.Winner.Ambiguous
			}
			if got != c.want || method != c.method || held != c.held || doubt != c.doubt {
				t.Errorf("got %q by %q held %q doubt %v; want %q by %q held %q doubt %v\n%s", got, method, held, doubt,
					c.want, c.method, c.held, c.doubt, strings.Join(v.Trace.Sentences(), "\n"))
			}
			replays(t, v)
		})
	}
}

// replays checks that a trace that was written and read gives the same verdict.
func replays(t *testing.T, v Verdict) {
	t.Helper()
	text, err := json.Marshal(v.Trace)
	if err != nil {
		t.Fatal(err)
	}
	var trace Trace
	if err := json.Unmarshal(text, &trace); err != nil {
		t.Fatal(err)
	}
	again := trace.Replay()
	if again.Reason != v.Reason || (again.Winner == nil) != (v.Winner == nil) {
		t.Fatalf("replayed to %q %v, was %q %v", again.Reason, again.Winner, v.Reason, v.Winner)
	}
	if v.Winner != nil && (again.Winner.OfferMemberID != v.Winner.OfferMemberID ||
		again.Winner.Method != v.Winner.Method ||
		again.Winner.HeldReason != v.Winner.HeldReason || again.Winner.Ambiguous != v.Winner.Ambiguous) {
		t.Fatalf("replayed to %+v, was %+v", again.Winner, v.Winner)
	}
	if a, b := strings.Join(again.Trace.Sentences(), "\n"), strings.Join(v.Trace.Sentences(), "\n"); a != b {
		t.Fatalf("replay explains\n%s\nfirst was\n%s", a, b)
	}
}

func codes(list ...CodeOwner) map[string][]CodeOwner {
	m := map[string][]CodeOwner{}
	for _, c := range list {
		m[FoldCode(c.Code)] = append(m[FoldCode(c.Code)], c)
	}
	return m
}

func links(list ...LinkOwner) map[string]LinkOwner {
	m := map[string]LinkOwner{}
	for _, l := range list {
		m[l.Slug] = l
	}
	return m
}

func clicks(list ...Click) map[string]Click {
	m := map[string]Click{}
	for _, c := range list {
		m[c.ID] = c
	}
	return m
}

func TestTraceExplainsInPlainWords(t *testing.T) {
	anna, ben := member(1, "Anna"), member(2, "Ben")
	v := Attribute(OrderView{PlacedAt: placed, Codes: []string{"anna10"},
		Links: []LinkEvidence{{Kind: EvidenceClick, Value: "c1", Source: "landing_site"}}},
		Candidates{Codes: codes(code(anna, "ANNA10", time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC), time.Time{})),
			Links: links(link(ben, "ben")), Clicks: clicks(Click{ID: "c1", Slug: "ben", At: days(-41)})})
	want := []string{
		"Credited to Anna (Spring, Ten): code ANNA10 belongs to them since 3 May 2026.",
		"Not Ben (link ben): the link was clicked 41 days earlier, the window is 30 days.",
	}
	if got := v.Trace.Sentences(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSentences_doubt: of several owned codes on an order the first one is credited, and the trace says so.
func TestSentences_doubt(t *testing.T) {
	v := Attribute(OrderView{PlacedAt: placed, Codes: []string{"B", "A"}},
		Candidates{Codes: codes(code(member(1, "Anna"), "A", time.Time{}, time.Time{}),
			code(member(2, "Ben"), "B", time.Time{}, time.Time{}))})
	const want = "Credited to Ben (Spring, Ten): code B belongs to them. " +
		"Several owned codes are on this order; the store's first one counts."
	if got := v.Trace.Sentences(); got[0] != want {
		t.Errorf("got %q, want %q", got[0], want)
	}
}

func TestFoldCode(t *testing.T) {
	for _, pair := range [][2]string{{"ANNA10", " anna10 "}, {"ÄITI15", "äiti15"}, {"R&B10", "r&amp;b10"},
		{"İSTANBUL5", "i̇stanbul5"}, {"STRASSE", "straße"}, {"Cafe\u0301", "café"}} {
		if FoldCode(pair[0]) != FoldCode(pair[1]) {
			t.Errorf("FoldCode(%q) = %q, FoldCode(%q) = %q: want them equal", pair[0], FoldCode(pair[0]), pair[1],
				FoldCode(pair[1]))
		}
	}
	if FoldCode("anna10") == FoldCode("anna1O") {
		t.Error("codes that differ fold alike")
	}
}

func TestSlugFrom(t *testing.T) {
	for in, want := range map[string]string{"@anna.keller": "anna-keller", "Äiti Virtanen": "aiti-virtanen",
		"mira_sol": "mira_sol", "  ": "", "日本": ""} {
		if got := SlugFrom(in); got != want {
			t.Errorf("SlugFrom(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestSentences_words: no name of a field and no word for machines stands in what people read.
func TestSentences_words(t *testing.T) {
	placed := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, source := range []string{"landing_site", "landing_site_ref", "session_entry", "utm_content",
		"note_attributes", "meta_data"} {
		for _, click := range []string{"", "clk_1"} {
			trace := Trace{PlacedAt: placed, Candidates: []TraceCandidate{{Method: ByLink, Name: "anna", Source: source,
				ClickID: click, At: placed.Add(-3 * time.Hour), Owner: &Membership{Creator: "Anna"}}}}
			said := strings.Join(trace.Sentences(), " ")
			if strings.Contains(said, strings.ReplaceAll(source, "_", " ")) || strings.Contains(said, "_") ||
				!strings.Contains(said, "seen in ") {
				t.Errorf("%s: %s", source, said)
			}
		}
	}
	for _, code := range []string{ReasonNoEvidence, ReasonNoOwner, ReasonTest, ReasonPart, ReasonRenewal,
		ReasonLateClick, ReasonClickAfterOrder, ReasonLinkEnded, ReasonOfferPaused, ReasonOfferExpired,
		ReasonOfferArchived, ReasonMemberInactive, ReasonBeforeStart, ReasonAfterEnd} {
		if title := ReasonTitle(code); title == strings.ReplaceAll(code, "_", " ") {
			t.Errorf("%s has no title", code)
		}
	}
}
