package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	shopify "github.com/tributaryhq/tributary/integrations/shopify/recordings"
	woocommerce "github.com/tributaryhq/tributary/integrations/woocommerce/recordings"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

const importHeader = "campaign,creator,instagram,email,offer,store,code,link_slug,landing_url," +
	"commission_percent,commission_flat,product_value\n"

func (d *desk) importCSV(text string, dryRun bool) app.ImportReport {
	d.Helper()
	report, err := d.Import(d.ctx, strings.NewReader(text), dryRun)
	return must(d, report, err)
}

// imported fails the test unless the file was imported.
func (d *desk) imported(text string) app.ImportReport {
	d.Helper()
	report := d.importCSV(text, false)
	if len(report.Errors) > 0 || !report.Applied {
		d.Fatalf("not imported: %v", report.Errors)
	}
	return report
}

// wantErrors compares the errors of a file, written as "line 2, code: …" up to a part of the reason, and checks that
// nothing of the file was imported.
func (d *desk) wantErrors(text string, want ...string) {
	d.Helper()
	before := d.snapshot()
	report := d.importCSV(text, false)
	ok := slices.EqualFunc(report.Errors, want, func(e app.LineError, w string) bool {
		place, reason, _ := strings.Cut(w, ": ")
		return strings.HasPrefix(e.String(), place+": ") && strings.Contains(e.Reason, reason)
	})
	if !ok || report.Applied || report.Changes() {
		d.Errorf("got %+v\nwant errors %q", report, want)
	}
	if after := d.snapshot(); after != before {
		d.Errorf("a refused file changed the catalog from %s to %s", before, after)
	}
}

// snapshot is everything in the catalog, as text.
func (d *desk) snapshot() string {
	d.Helper()
	var b strings.Builder
	page := storage.Page{Limit: storage.MaxLimit}
	campaigns, _, err := d.DB.Campaigns(d.ctx, page)
	fmt.Fprintln(&b, must(d, campaigns, err))
	creators, _, err := d.DB.Creators(d.ctx, storage.CreatorFilter{}, page)
	fmt.Fprintln(&b, must(d, creators, err))
	members, _, err := d.DB.Members(d.ctx, storage.MemberFilter{}, page)
	fmt.Fprintln(&b, must(d, members, err))
	offers, _, err := d.DB.Offers(d.ctx, 0, page)
	fmt.Fprintln(&b, must(d, offers, err))
	offerMembers, _, err := d.DB.OfferMembers(d.ctx, storage.OfferMemberFilter{}, page)
	must(d, offerMembers, err)
	for _, m := range offerMembers {
		fmt.Fprintln(&b, m.ID, m.OfferID, m.MemberID, m.Override, m.RuleVersion, m.Version, m.UpdatedAt)
	}
	codes, _, err := d.DB.Codes(d.ctx, storage.CodeFilter{}, page)
	fmt.Fprintln(&b, must(d, codes, err))
	links, _, err := d.DB.Links(d.ctx, storage.LinkFilter{}, page)
	fmt.Fprintln(&b, must(d, links, err))
	log, _, err := d.DB.AuditLog(d.ctx, "", page)
	fmt.Fprintln(&b, len(must(d, log, err)))
	return b.String()
}

func TestImport_recordings(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("wc-dev")
		d.store("shopify-dev")
		for _, test := range []struct {
			file string
			want app.ImportCounts
		}{
			{string(woocommerce.CreatorsCSV()), app.ImportCounts{Campaigns: 3, Creators: 6, Members: 6, Offers: 6,
				OfferMembers: 6, Codes: 6, Links: 3}},
			{string(shopify.CreatorsCSV()), app.ImportCounts{Campaigns: 2, Creators: 6, Members: 7, Offers: 7,
				OfferMembers: 7, Codes: 5, Links: 3}},
		} {
			dry := d.importCSV(test.file, true)
			if dry.Created != test.want || dry.Applied || !dry.DryRun {
				d.Errorf("dry run: %+v, want %+v", dry, test.want)
			}
			report := d.imported(test.file)
			if report.Created != test.want || report.Updated != (app.ImportCounts{}) || len(report.Notes) > 0 {
				d.Errorf("%+v, want %+v", report, test.want)
			}
			before := d.snapshot()
			if again := d.imported(test.file); again.Changes() || d.snapshot() != before {
				d.Errorf("imported again: %+v", again)
			}
		}
		d.checkOffer("Autumn Drop", "Leo twelve and a half", affiliate.OfferPromoCode, affiliate.Rule{Percent: 1250,
			Version: 1})
		d.checkOffer("Finland Launch", "Per order", affiliate.OfferPromoCode, affiliate.Rule{Flat: 40000, Version: 1})
		d.checkOffer("Winter Studio", "Percent and flat", affiliate.OfferPromoCode, affiliate.Rule{Percent: 725,
			Flat: 15000, Version: 1})
		d.checkOffer("Serum Launch", "Serum seven", affiliate.OfferSalesLink, affiliate.Rule{Percent: 725, Version: 1})
	})
}

func (d *desk) checkOffer(campaign, name string, kind affiliate.OfferType, rule affiliate.Rule) {
	d.Helper()
	c := campaignOf(d)(d.DB.CampaignByName(d.ctx, campaign))
	o, err := d.DB.OfferByName(d.ctx, c.ID, name)
	if must(d, o, err); o.Type != kind || o.Rule != rule {
		d.Errorf("offer %s: %s %+v, want %s %+v", name, o.Type, o.Rule, kind, rule)
	}
}

func TestImport_all_bad_lines(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		d.imported(importHeader + "Spring,Anna,@anna,,Ten,shop,ANNA10,anna,https://shop.example/,10,,\n")
		d.wantErrors(importHeader+
			"Spring,Good,@good,,Ten,shop,GOOD10,,,10,,\n"+ // line 2 is right
			",Ben,@ben,,Ten,shop,BEN5,,,10,,\n"+
			"Spring,Ben,@ben,,Ten,shop,,,,10,,\n"+
			"Spring,Ben,@ben,,Ten,,BEN5,,,10,,\n"+
			"Spring,Ben,@ben,not-an-address,Ten,shop,BEN6,,,ten,-1,3.999\n"+
			"Spring,Ben,@ben,,Ten,shop,,Ben!,ftp://x,101,,\n"+
			"too,few,fields\n"+
			"Spring,Carla,@carla,,Ten,nowhere,C5,,,10,,\n"+ // wrong only beside what is there already
			"Spring,Carla,@carla,,Ten,shop,anna10,,,10,,\n",
			"line 3, campaign: must not be empty",
			"line 4, code: neither",
			"line 5, store: needs the slug of the store",
			"line 6, email: not an e-mail address",
			"line 6, commission_percent: not a number",
			"line 6, commission_flat: between 0 and",
			"line 6, product_value: more than 2 decimals",
			"line 7, link_slug: a-z",
			"line 7, landing_url: is not an address",
			"line 7, commission_percent: between 0 and 100",
			"line 8, offer: must not be empty", "line 8, code: neither",
			"line 9, store: no store \"nowhere\"",
			"line 10, code: belongs to Anna")
		d.wantErrors(importHeader+
			"Spring,Ben,@ben,,Ten,nowhere,BEN5,,,10,,\n"+
			"Spring,Carla,@carla,,Ten,shop,anna10,,,10,,\n"+
			"Spring,Dora,@dora,,Ten,shop,,anna,https://shop.example/,10,,\n"+
			"Spring,Good,@good,,Ten,shop,GOOD10,,,10,,\n",
			"line 2, store: no store \"nowhere\"",
			"line 3, code: belongs to Anna (Spring, Ten) in shop, always",
			"line 4, link_slug: is the link of Anna")
	})
}

func TestImport_header(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		d.wantErrors("", "line 1: the file is empty")
		d.wantErrors("campaign,creator,colour,creator\n", "line 1, colour: is not a known column",
			"line 1, creator: twice", "line 1, offer: missing")
		d.wantErrors(importHeader, "line 2: no line below the header")
		d.wantErrors(importHeader+"Spring,\"Anna,@anna\n", "line 2, creator: is not closed")
		d.wantErrors(importHeader+"Spring,Anna\xff,@anna,,Ten,shop,A,,,10,,\n", "line 2, creator: not UTF-8")
		// A BOM, CRLF, another order, blank lines, spaces, quotes over two lines, columns left out.
		report := d.imported(
			"\ufeffCode , store,offer,creator,campaign\r\n\r\n ANNA10 ,shop,\"Ten, or so\",Anna,Spring\r\n,,,,\r\n")
		if report.Lines != 1 || report.Created.Codes != 1 {
			d.Errorf("%+v", report)
		}
		if len(report.Notes) != 1 || report.Notes[0].Line != 3 || report.Notes[0].Column != "commission_percent" {
			d.Errorf("an offer without commission: %v", report.Notes)
		}
	})
}

// TestImport_separators: what spreadsheets write instead of CSV is read as well.
func TestImport_separators(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		for i, separator := range []string{",", ";", "\t"} {
			line := func(cells ...string) string { return strings.Join(cells, separator) + "\n" }
			code := fmt.Sprint("ANNA", i)
			report := d.imported("\n" + line("campaign", "creator", "offer", "store", "code", "landing_url") +
				line("Spring", "Anna", `"Ten, or; so"`, "shop", code, `"https://shop.example/a,b;c"`))
			if report.Lines != 1 || report.Created.Codes != 1 {
				d.Errorf("parted by %q: %+v", separator, report)
			}
		}
		d.wantErrors("campaign;creator;offer\nSpring,Anna,Ten\n", "line 2: has 1 fields, the header has 3")
	})
}

func TestImport_contradictions(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		d.wantErrors(importHeader+
			"Spring,Anna,@anna,,Ten,shop,A1,,,10,,5\n"+
			"spring,Anna,@Anna,,TEN,shop,A2,,,12,,6\n"+
			"Spring,Ben,@ben,,Ten,shop,a1,,,10,,\n",
			"line 3, commission_percent: contradicts line 2", "line 3, product_value: contradicts line 2",
			"line 4, code: contradicts line 2")
		d.wantErrors(importHeader+
			"Spring,Anna,@anna,,Ten,shop,,anna,https://shop.example/,,1,\n"+
			"Spring,Anna,,,Ten,shop,,,https://shop.example/,5,,\n", // the same creator, by name alone
			"line 3, commission_percent: contradicts line 2")
	})
}

func TestImport_matches_creators(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		row := func(creator, instagram, email, code string) string {
			return importHeader + "Spring," + creator + "," + instagram + "," + email + ",Ten,shop," +
				code + ",,,10,,\n"
		}
		steps := []struct {
			name             string
			file             string
			created, updated int
			note             string
		}{
			{"new", row("Anna Keller", "", "", "C1"), 1, 0, ""},
			{"by name, and the handle becomes known", row("anna  keller", "@anna", "", "C2"), 0, 1, ""},
			{"by handle, and the address becomes known", row("Anna Keller", "Anna", "anna@x.example", "C3"), 0, 1, ""},
			{"by address, whatever the tag", row("Anna Keller", "", "Anna+promo@x.example", "C4"), 0, 0, ""},
			{"by handle, under another name", row("Anna K", "@anna", "", "C5"), 0, 0, "creator"},
			{"by handle, with another address", row("Anna Keller", "@anna", "new@x.example", "C6"), 0, 0, "email"},
			{"same name, another handle: another person", row("Anna Keller", "@anna.too", "", "C7"), 1, 0, ""},
			{"an agency's mailbox, another tag, another name: another person",
				row("Cleo", "", "anna+cleo@x.example", "C10"), 1, 0, ""},
			{"an agency's address, another handle: another person", row("Ben", "@ben", "anna@x.example", "C8"), 1, 0,
				""},
		}
		for _, step := range steps {
			r := d.imported(step.file)
			note := ""
			if len(r.Notes) > 0 {
				note = r.Notes[0].Column
			}
			if r.Created.Creators != step.created || r.Updated.Creators != step.updated || note != step.note ||
				r.Created.Codes != 1 {
				d.Errorf("%s: %+v", step.name, r)
			}
		}
		d.wantErrors(row("Anna Keller", "", "", "C9"), "line 2, creator: 2 creators have this name")
		d.wantErrors(row("Someone", "", "anna@x.example", "C9"), "line 2, email: 2 creators have this e-mail address")
	})
}

func TestImport_rules_and_overrides(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		file := func(annas, bens string) string {
			return importHeader + "Spring,Anna,@anna,,Ten,shop,A," + ",," + annas +
				",,\nSpring,Ben,@ben,,Ten,shop,B,,," + bens + ",,\n"
		}
		override := func(code string) *affiliate.Rule {
			codes, _, err := d.DB.Codes(d.ctx, storage.CodeFilter{Code: code}, storage.Page{})
			m, err2 := d.DB.OfferMember(d.ctx, first(must(d, codes, err), nil).OfferMemberID)
			return must(d, m, err2).Override
		}
		d.imported(file("10", "12.5"))
		if a, b := override("A"), override("B"); a != nil || b == nil || *b != (affiliate.Rule{Percent: 1250}) {
			d.Errorf("overrides %v %v", a, b)
		}
		if r := d.imported(file("11", "10")); r.Updated != (app.ImportCounts{OfferMembers: 2}) {
			d.Errorf("%+v", r.Updated)
		}
		if a, b := override("A"), override("B"); b != nil || a == nil || *a != (affiliate.Rule{Percent: 1100}) {
			d.Errorf("overrides %v %v", a, b)
		}
		if r := d.imported(file("", "")); r.Changes() {
			d.Errorf("empty cells changed something: %+v", r)
		}
		d.checkOffer("Spring", "Ten", affiliate.OfferPromoCode, affiliate.Rule{Percent: 1000, Version: 1})
	})
}

func TestImport_links(t *testing.T) {
	eachDesk(t, func(d *desk) {
		row := func(slug, page string) string {
			return importHeader + "Spring,Anna Keller,@anna.keller,,Links,,," + slug + "," + page + ",10,,\n"
		}
		for range 2 {
			d.imported(row("", "https://shop.example/")) // no slug: one is made, once
		}
		link, err := d.DB.LinkBySlug(d.ctx, "anna-keller")
		must(d, link, err)
		d.checkOffer("Spring", "Links", affiliate.OfferSalesLink, affiliate.Rule{Percent: 1000, Version: 1})
		if r := d.imported(row("Anna-Keller", "https://shop.example/new")); r.Updated.Links != 1 || r.Created.Links != 0 {
			d.Errorf("another landing page: %+v", r)
		}
		ended, err := d.EndLink(d.ctx, link.ID)
		must(d, ended, err)
		d.wantErrors(row("anna-keller", "https://shop.example/new"), "line 2, link_slug: was ended")
		d.wantErrors(row("anna-keller", ""), "line 2, landing_url: must not be empty")
	})
}

// TestImport_respects_decisions: a file does not undo what a person has ended.
func TestImport_respects_decisions(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		file := importHeader + "Spring,Anna,@anna,,Ten,shop,ANNA10,,,10,,\n"
		d.imported(file)
		creator, err := d.DB.CreatorByHandle(d.ctx, affiliate.Instagram, "anna")
		must(d, creator, err)
		members, _, err := d.DB.Members(d.ctx, storage.MemberFilter{Creator: creator.ID}, storage.Page{})
		member := first(must(d, members, err), nil)
		oms, _, err := d.DB.OfferMembers(d.ctx, storage.OfferMemberFilter{Creator: creator.ID}, storage.Page{})
		om := first(must(d, oms, err), nil)

		check := func(undo func() error, end error, want string) {
			d.Helper()
			if end != nil {
				d.Fatal(end)
			}
			d.wantErrors(file, want)
			if err := undo(); err != nil {
				d.Fatal(err)
			}
		}
		_, err = d.RemoveCreator(d.ctx, creator.ID)
		check(func() error {
			_, err := d.RestoreCreator(d.ctx, creator.ID)
			return err
		}, err, "line 2, creator: removed from the community")
		_, err = d.RemoveMember(d.ctx, member.ID)
		check(func() error {
			_, err := d.RestoreMember(d.ctx, member.ID)
			return err
		}, err, "line 2, creator: removed from Spring")
		_, err = d.EndOfferMember(d.ctx, om.ID)
		check(func() error {
			_, err := d.ChangeOfferMember(d.ctx, om.ID, app.AnyVersion, func(m *affiliate.OfferMember) error {
				m.SetActive(true, d.now())
				return nil
			})
			return err
		}, err, "line 2, offer: inactive")

		codes, _, err := d.DB.Codes(d.ctx, storage.CodeFilter{}, storage.Page{})
		ended, err := d.EndCode(d.ctx, first(must(d, codes, err), nil).ID, d.now())
		must(d, ended, err)
		r := d.imported(file)
		if r.Created != (app.ImportCounts{Codes: 1}) || len(r.Notes) != 1 {
			d.Errorf("a code that was ended: %+v", r)
		}
		campaign := campaignOf(d)(d.EndCampaign(d.ctx, member.CampaignID))
		d.wantErrors(file, "line 2, campaign: \""+campaign.Name+"\" was ended")
	})
}

// TestImport_dismissed_codes: what was said of codes that become somebody's is taken back, of many at once.
func TestImport_dismissed_codes(t *testing.T) {
	eachDesk(t, func(d *desk) {
		one, two := d.store("one"), d.store("two")
		for _, s := range []affiliate.Store{one, two} {
			_, err := d.DismissCodes(d.ctx, s.ID, []string{"C0", "C5", "SALE"})
			must(d, 0, err)
		}
		var lines strings.Builder
		lines.WriteString(importHeader)
		const codes = 20
		for i := range codes {
			fmt.Fprintf(&lines, "Spring,Anna,@anna,,Ten,%s,c%d,,,10,,\n", []string{"one", "two"}[i%2], i)
		}
		asked := 0
		d.DB.Note(func(statement string) { asked += strings.Count(statement, "DELETE FROM dismissed_codes") })
		d.imported(lines.String())
		if asked == 0 || asked >= codes {
			d.Errorf("asked %d times for %d codes", asked, codes)
		}
		for s, owned := range map[affiliate.StoreID]string{one.ID: "C0", two.ID: "C5"} {
			n, err := d.RestoreCodes(d.ctx, s, []string{owned})
			left, also := d.RestoreCodes(d.ctx, s, []string{"C0", "C5", "SALE"})
			if n != 0 || left != 2 || err != nil || also != nil {
				d.Errorf("%d of one that is owned and %d of %s are dismissed still, %v, %v", n, left, s, err, also)
			}
		}
	})
}

func TestImport_product_value(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		s, err := d.SetSettings(d.ctx, []app.Setting{{Key: "currency", Value: "JPY"}})
		must(d, s, err)
		row := func(v string) string {
			return importHeader + "Spring,Anna,@anna,,Ten,shop,A,,,10,," + v + "\n"
		}
		d.wantErrors(row("12.50"), "line 2, product_value: more than 0 decimals")
		d.imported(row("1200"))
		d.imported(row(""))
		members, _, err := d.DB.Members(d.ctx, storage.MemberFilter{}, storage.Page{})
		if m := first(must(d, members, err), nil); m.ProductValue != 1200 || m.ProductCurrency != "JPY" {
			d.Errorf("%+v", m)
		}
	})
}

// TestImport_property: whatever well-formed lines a file has, importing it again changes nothing, and no file breaks
// the import.
func TestImport_property(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.store("shop")
		pick := func(t *rapid.T, name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
		imported := 0
		rapid.Check(d.T, func(t *rapid.T) {
			var b strings.Builder
			b.WriteString(importHeader)
			for range rapid.IntRange(1, 5).Draw(t, "lines") {
				b.WriteString(strings.Join([]string{pick(t, "campaign", "Spring", "spring ", "Autumn", ""),
					pick(t, "creator", "Anna", "Ben", "Äiti"), pick(t, "instagram", "@anna", "ben", ""),
					pick(t, "email", "", "a@x.example", "b@x.example"), pick(t, "offer", "Ten", "Five"),
					pick(t, "store", "shop", "shop", "other"), pick(t, "code", "A", "a", "B", "ÄITI", ""),
					pick(t, "slug", "", "", "anna", "ben"),
					pick(t, "page", "", "https://shop.example/", "https://shop.example/b"), pick(t, "percent", "", "10", "5"), pick(t, "flat", "", "1"),
					pick(t, "product", "", "5")}, ",") + "\n")
			}
			r := d.importCSV(b.String(), false)
			if len(r.Errors) > 0 {
				return
			}
			imported++
			if again := d.importCSV(b.String(), false); len(again.Errors) > 0 || again.Changes() {
				t.Fatalf("imported again: %+v\n%s", again, b.String())
			}
		})
		if imported == 0 {
			d.Error("no file was imported")
		}
	})
}

func FuzzImport(f *testing.F) {
	for _, seed := range []string{importHeader, importHeader + "a,b,c,d,e,f,g,h,i,j,k,l\n",
		"campaign,creator,offer\n\"", string(woocommerce.CreatorsCSV())} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, bad, err := app.ReadImport(text)
		if err != nil {
			t.Fatal(err)
		}
		if rows == 0 && len(bad) == 0 {
			t.Error("a file without lines is no error")
		}
		for _, e := range bad {
			if e.Line < 1 || e.Reason == "" {
				t.Errorf("%+v", e)
			}
		}
	})
}
