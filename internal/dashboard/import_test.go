package dashboard

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// upload sends a form with a file.
func (v *visitor) upload(path, file string, form ...string) answer {
	v.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(form); i += 2 {
		v.must(w.WriteField(form[i], form[i+1]))
	}
	part, err := w.CreateFormFile("file", "creators.csv")
	v.must(err)
	_, err = part.Write([]byte(file))
	v.must(err)
	v.must(w.Close())
	return v.send(http.MethodPost, path, map[string]string{"Content-Type": w.FormDataContentType()}, &b)
}

// apply presses the button of a preview.
func (v *visitor) apply(a answer) answer {
	v.Helper()
	a.is(http.StatusOK)
	form := a.one("form[action=/creators/import/apply]")
	return v.post("/creators/import/apply", "text", form.all("textarea")[0].text0(), "to",
		form.all("input[name=to]")[0].attr("value"))
}

// text0 is the text with all its white space.
func (e element) text0() string {
	var b strings.Builder
	for n := range e.node.Descendants() {
		b.WriteString(n.Data)
	}
	return b.String()
}

func (h *house) creators() []string {
	h.Helper()
	list, _, err := h.db.Creators(h.Context(), storage.CreatorFilter{}, storage.Page{Limit: storage.MaxLimit})
	h.must(err)
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func TestImportFew(t *testing.T) {
	h := newHouse(t)
	v := h.manager()
	a := v.get("/creators/import?campaign=Spring").is(http.StatusOK)
	if a.one("input[name=campaign]").attr("value") != "Spring" || len(a.all("input[name=name]")) != emptyRows {
		t.Error("the form is not filled as asked for")
	}
	form := []string{"mode", "few", "campaign", "Spring", "offer", "Ten percent", "store", "shop", "percent", "10",
		"landing", "", "name", "Kim Karg", "instagram", "@kim", "email", "kim@creators.example", "code", "KIM10",
		"name", "", "instagram", "", "email", "", "code", "",
		"name", "Liv Lund", "instagram", "", "email", "", "code", "LIV10",
		"list", "Mo Maas, @mo, MO10\r\n\r\nNia Noor\t@nia\tnia@creators.example\tNIA10\r\n"}
	before := h.creators()
	a = v.post("/creators/import", form...).is(http.StatusOK).says("What it would do",
		"Adds 4 creators, 4 campaign members, 4 offer members, 4 codes.", "Import 4 lines")
	if got := h.creators(); !slices.Equal(got, before) {
		t.Fatalf("looking added creators: %q", got)
	}
	if got := len(a.all("input[name=name]")); got != emptyRows {
		t.Errorf("%d rows come back, want the two that were filled and an empty one", got)
	}
	v.apply(a).is(http.StatusOK).at("/creators").
		says("Added: 4 creators, 4 campaign members, 4 offer members, 4 codes.")
	for code, name := range map[string]string{"KIM10": "Kim Karg", "LIV10": "Liv Lund", "MO10": "Mo Maas",
		"NIA10": "Nia Noor"} {
		codes, err := h.db.CodeHistory(h.Context(), 1, code)
		h.must(err)
		owner, err := h.db.OwnerName(h.Context(), codes[0].OfferMemberID)
		h.must(err)
		if owner.Creator != name || owner.Campaign != "Spring" || owner.Offer != "Ten percent" {
			t.Errorf("%s is %+v's", code, owner)
		}
	}
	if c := h.creator("Nia Noor"); c.Email != "nia@creators.example" || c.Handles[affiliate.Instagram] != "nia" {
		t.Errorf("%+v", c)
	}
	v.post("/creators/import", form...).is(http.StatusOK).says("nothing would change").hides("Import 4")
	h.viewer().get("/creators/import").is(http.StatusForbidden)
	h.viewer().post("/creators/import", form...).is(http.StatusForbidden)
	h.viewer().post("/creators/import/apply", "text", houseCSV).is(http.StatusForbidden)
}

func TestImportFewLinks(t *testing.T) {
	h := newHouse(t)
	a := h.manager().post("/creators/import", "mode", "few", "campaign", "Links only", "offer", "Links", "store",
		"shop", "percent", "7.5",
		"landing", "https://shop.example/new", "name", "Kim Karg", "instagram", "@kim", "email", "", "code", "", "list", "").
		says("Adds 1 campaign, 1 creator, 1 campaign member, 1 offer, 1 offer member, 1 link.")
	h.manager().apply(a).says("1 link")
	l, err := h.db.LinkBySlug(h.Context(), "kim")
	if err != nil || l.LandingURL != "https://shop.example/new" {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestImportFew_errors: what is wrong with a shared field is said there, what is wrong with a creator beside the name.
func TestImportFew_errors(t *testing.T) {
	h := newHouse(t)
	form := func(changes ...string) []string {
		f := []string{"mode", "few", "campaign", "Spring", "offer", "Ten percent", "store", "shop", "percent", "10",
			"landing", "", "name", "Kim Karg", "instagram", "@kim", "email", "", "code", "KIM10", "list", ""}
		for i := 0; i+1 < len(changes); i += 2 {
			f[slices.Index(f, changes[i])+1] = changes[i+1]
		}
		return f
	}
	v := h.manager()
	v.post("/creators/import", form("name", "", "instagram", "", "code", "")...).is(http.StatusUnprocessableEntity).
		says("Name at least one creator")
	for _, c := range []struct{ change, value, field, want string }{
		{"campaign", "", "campaign", "Must not be empty"}, {"percent", "ten", "percent", ""},
		{"store", "", "store", "A code needs the slug"}, {"landing", "shop", "landing", "is not an address"},
	} {
		a := v.post("/creators/import", form(c.change, c.value)...).is(http.StatusUnprocessableEntity).
			says("Not ready yet", "Mend what is marked below", c.want)
		if !a.has("form[action=/creators/import] [name=" + c.field + "][aria-invalid=true]") {
			t.Errorf("%s: the field %s is not marked", c.change, c.field)
		}
		wellMade(t, a)
	}
	v.post("/creators/import", form("email", "kim", "list", "Mo Maas, mo, @@, BEN5")...).
		is(http.StatusUnprocessableEntity).
		says("Kim Karg email", "is not an e-mail address", "Mo Maas instagram", "is not a handle").hides("Import 2")
	v.post("/creators/import", form("code", "ben5")...).is(http.StatusUnprocessableEntity).says("Kim Karg code",
		"belongs to Ben Botha")
	if slices.Contains(h.creators(), "Kim Karg") {
		t.Error("a list with errors was imported")
	}
}

func TestImportFile(t *testing.T) {
	h := newHouse(t)
	v := h.manager()
	v.get("/creators/import?from=file").is(http.StatusOK).says("Begin with a template", "shop for Northwind US")
	file := "campaign;creator;offer;store;code;commission_percent\r\nAutumn;Kim Kärg;Twenty;boutique;KIM20;20\r\n"
	a := v.upload("/creators/import", file, "mode", "file", "text", "what was pasted before").
		says("Adds 1 campaign, 1 creator", "Import 1 line")
	v.apply(a).at("/creators").says("Added: 1 campaign, 1 creator")
	if got := h.creators(); !slices.Contains(got, "Kim Kärg") {
		t.Errorf("creators %q", got)
	}
	// An empty file input leaves what was pasted.
	v.upload("/creators/import", "", "mode", "file", "text", file).says("nothing would change")
	bad := "campaign,creator,offer,store,code\nAutumn,Liv Lund,Twenty,boutiqe,LIV20\nAutumn,,Twenty,boutique,MO20\n"
	a = v.post("/creators/import", "mode", "file", "text", bad).is(http.StatusUnprocessableEntity).says("Not ready yet",
		"Line 3", "creator", "must not be empty", "Autumn,,Twenty,boutique,MO20")
	if got := a.one("textarea[name=text]").text0(); got != bad {
		t.Errorf("the file came back as %q", got)
	}
	v.post("/creators/import", "mode", "file", "text", strings.Replace(bad, ",,", ",Mo,", 1)).
		is(http.StatusUnprocessableEntity).says("Line 2", "store", `there is no store "boutiqe"`)
	v.upload("/creators/import", "campaign,creator,offer\nAutumn,K\xe4rg,Twenty\n", "mode",
		"file").is(http.StatusUnprocessableEntity).says("this is not UTF-8")
	v.post("/creators/import", "mode", "file", "text", "").is(http.StatusUnprocessableEntity).says("the file is empty")
	many := "campaign,creator,offer,store,code\n" + strings.Repeat("Autumn,,Twenty,boutique,X\n", 130)
	v.post("/creators/import", "mode", "file", "text", many).is(http.StatusUnprocessableEntity).
		says("30 more are not shown")
}

// TestImportApply_errors: what became wrong between the preview and the button changes nothing.
func TestImportApply_errors(t *testing.T) {
	h := newHouse(t)
	a := h.manager().post("/creators/import", "mode", "file", "text",
		"campaign,creator,offer,store,code\nSpring,Kim,Ten percent,shop,KIM10\n").is(http.StatusOK)
	_, err := h.app.EndCampaign(h.as(affiliate.RoleManager), h.campaign("Spring").ID)
	h.must(err)
	h.manager().apply(a).is(http.StatusUnprocessableEntity).says("Not ready yet", `the campaign "Spring" was ended`)
	if slices.Contains(h.creators(), "Kim") {
		t.Error("it was imported")
	}
}

// TestImportCredits: orders that waited for a code can be credited at once.
func TestImportCredits(t *testing.T) {
	h := strayHouse(t)
	v := h.manager()
	v.get("/creators/import/credit").is(http.StatusOK).says("No order waits")
	a := v.post("/creators/import", "mode", "file", "to", "/start", "text",
		"campaign,creator,offer,store,code,commission_percent\nSpring,Kim,Ten percent,shop,SUMMER20,10\n").
		says("3 orders without credit carry one of these codes")
	v.apply(a).at("/creators/import/credit").says("Added: 1 creator", "3 orders", "#501",
		"Credited to Kim (Spring, Ten percent): code SUMMER20 belongs to them.", "Credit all 3")
	if h.order("501").Conversion != nil {
		t.Fatal("looking credits an order")
	}
	h.viewer().get("/creators/import/credit").is(http.StatusForbidden)
	h.viewer().post("/creators/import/credit").is(http.StatusForbidden)
	v.post("/creators/import/credit").is(http.StatusOK).at("/orders").says("3 orders are credited.")
	if c := h.order("502").Conversion; c == nil || c.Creator != "Kim" {
		t.Errorf("order 502 is credited as %+v", c)
	}
	h.consistent()
}

func TestImportGoesOn(t *testing.T) {
	h := newHouse(t)
	file := "campaign,creator,offer,store,code\nSpring,Kim,Ten percent,shop,KIM10\n"
	for to, want := range map[string]string{"/start": "/start", "//evil.example": "/creators", "https://evil.example": "/creators"} {
		a := h.manager().post("/creators/import/apply", "text", file, "to", to)
		if a.is(http.StatusOK); a.address != want {
			t.Errorf("to %q led to %q", to, a.address)
		}
	}
}

// TestImportTemplate: both templates can be imported as they are downloaded.
func TestImportTemplate(t *testing.T) {
	h := newHouse(t)
	for _, format := range []string{"csv", "xlsx"} {
		sample := h.manager().get("/creators/import/template." + format).is(http.StatusOK)
		if !strings.HasPrefix(sample.header.Get("Content-Disposition"), "attachment") ||
			strings.HasPrefix(sample.body, "\ufeff") != (format == "csv") {
			t.Errorf("%v", sample.header)
		}
		h.manager().upload("/creators/import", sample.body, "mode", "file").is(http.StatusOK).says("What it would do",
			"2 codes", "1 link")
		h.viewer().get("/creators/import/template." + format).is(http.StatusForbidden)
	}
}

// TestImportBook: a workbook is tried and imported as it was uploaded.
func TestImportBook(t *testing.T) {
	h := newHouse(t)
	v := h.manager()
	book := func(row ...any) string {
		f := excelize.NewFile()
		defer f.Close()
		h.must(f.SetSheetName("Sheet1", "Our creators"))
		h.must(f.SetSheetRow("Our creators", "A1", &[]any{"Campaign", "Creator", "Offer", "Store", "Code",
			"Commission Percent"}))
		h.must(f.SetSheetRow("Our creators", "A3", &row))
		var b bytes.Buffer
		h.must(f.Write(&b))
		return b.String()
	}
	a := v.upload("/creators/import", book("Spring", "Kim Kärg", "Ten percent", "shop", "0815", 12.5), "mode", "file",
		"to", "/start").is(http.StatusOK).says("Adds 1 creator", "How the file was read",
		`The sheet "Our creators" of a workbook`,
		"Commission Percent", "commission_percent")
	wellMade(t, a)
	form := a.one("form[action=/creators/import/apply]")
	v.post("/creators/import/apply", "book", form.all("input[name=book]")[0].attr("value"), "to",
		"/start").is(http.StatusOK).
		at("/start").says("Added: 1 creator")
	if codes, err := h.db.CodeHistory(h.Context(), 1, "0815"); err != nil || len(codes) != 1 {
		t.Errorf("%v %v", codes, err)
	}
	v.upload("/creators/import", book("Spring", "Liv", "Ten percent", "shop", "#REF!"), "mode", "file").
		is(http.StatusUnprocessableEntity).says("Row 3", "is the error of a formula")
	v.upload("/creators/import", "PK\x03\x04"+strings.Repeat("x", maxBook), "mode", "file").
		is(http.StatusUnprocessableEntity).says("A workbook may have 1.5 MB here")
	v.post("/creators/import/apply", "book", "no base64").is(http.StatusUnprocessableEntity)
}

// TestImportFile_encodings: a text of another encoding can be mended on the page, and is imported from there.
func TestImportFile_encodings(t *testing.T) {
	h := newHouse(t)
	text := "campaign;creator;offer;store;code\rSpring;Kim Kärg;Ten percent;shop;KIM10\r"
	var file []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		file = binary.LittleEndian.AppendUint16(file, u)
	}
	a := h.manager().upload("/creators/import", string(file), "mode", "file").is(http.StatusOK).
		says("CSV in UTF-16 LE with a byte order mark, cells divided by semicolons, numbers with a decimal comma.")
	h.manager().apply(a).says("Added: 1 creator")
	if !slices.Contains(h.creators(), "Kim Kärg") {
		t.Errorf("%q", h.creators())
	}
	h.manager().upload("/creators/import", strings.Replace(text, ";KIM10", ";#N/A", 1), "mode", "file").
		is(http.StatusUnprocessableEntity).says("Line 2", "code", "is the error of a formula",
		"Spring;Kim Kärg;Ten percent")
}

func TestPastedCreator(t *testing.T) {
	for text, want := range map[string]typedCreator{
		"Anna Ahlers, @anna, ANNA10":                       {"Anna Ahlers", "@anna", "", "ANNA10"},
		"Anna Ahlers; ANNA10; @anna":                       {"Anna Ahlers", "@anna", "", "ANNA10"},
		"Anna Ahlers\tanna@creators.example\t@anna\tA, 10": {"Anna Ahlers", "@anna", "anna@creators.example", "A, 10"},
		"Anna Ahlers\tanna\t\tANNA10":                      {"Anna Ahlers", "anna", "", "ANNA10"},
		"Anna, https://instagram.com/anna/, ANNA10":        {"Anna", "https://instagram.com/anna/", "", "ANNA10"},
		"Anna, ANNA10":                                     {"Anna", "", "", "ANNA10"},
		"Anna":                                             {"Anna", "", "", ""},
		",@anna,ANNA":                                      {"", "@anna", "", "ANNA"},
	} {
		if got := pastedCreator(text); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

// TestFewCreators_file: whatever people type stands in its own cell of the file, one creator a line.
func TestFewCreators_file(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[a-zA-Z0-9@ ,;"'äß.]{0,12}`)
		f := fewCreators{Campaign: cell.Draw(t, "campaign"), Offer: cell.Draw(t, "offer"), Store: "shop",
			Percent: cell.Draw(t, "percent")}
		for range rapid.IntRange(1, 5).Draw(t, "creators") {
			f.Rows = append(f.Rows, typedCreator{"N" + cell.Draw(t, "name"), cell.Draw(t, "instagram"),
				cell.Draw(t, "email"), cell.Draw(t, "code")})
		}
		f.List = "Mo, @mo, MO10\n"
		text, err := f.file(f.Percent)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(lines) != len(f.Rows)+2 {
			t.Fatalf("%d lines for %d creators, %v:\n%s", len(lines), len(f.Rows)+1, err, text)
		}
		for i, c := range append(slices.Clone(f.Rows), typedCreator{"Mo", "@mo", "", "MO10"}) {
			want := []string{f.Campaign, c.Name, c.Instagram, c.Email, f.Offer, "shop", c.Code, "", f.Percent}
			if !slices.Equal(lines[i+1], want) {
				t.Errorf("line %d is %q, want %q", i+2, lines[i+1], want)
			}
		}
	})
}

// TestAttack_upload_too_large: a file over the limit is told as such, with its size, the limit and the remedy,
// whichever way it is sent. Nobody who has not signed in makes the server read it.
func TestAttack_upload_too_large(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	big := "campaign,creator\n" + strings.Repeat("Spring,Anna\n", 3<<20/12)
	for name, send := range map[string]func() answer{
		"file":   func() answer { return m.upload("/creators/import", big, "mode", "file") },
		"pasted": func() answer { return m.post("/creators/import", "mode", "file", "text", big) },
		"button": func() answer { return m.post("/creators/import/apply", "text", big) },
		"no length": func() answer {
			form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			body := struct{ io.Reader }{strings.NewReader("text=" + big)}
			return m.send(http.MethodPost, "/creators/import", form, body)
		},
		"another form": func() answer { return m.post("/campaigns/new", "name", big) },
	} {
		t.Log(name)
		send().is(http.StatusRequestEntityTooLarge).says("MB were sent", "2 MB", "Divide the file",
			"tributary import", "16 MB", "8 MB")
	}
	if h.nobody().post("/creators/import", "text", big).status != http.StatusUnauthorized {
		t.Error("a stranger is not sent away")
	}
	m.upload("/creators/import", "campaign,creator\nSpring,Zoe\n", "mode", "file").is(http.StatusUnprocessableEntity)
}
