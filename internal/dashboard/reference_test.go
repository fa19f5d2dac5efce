package dashboard

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestReference: every operation of the API is listed with its parameters and fields, to anybody, and can be searched.
func TestReference(t *testing.T) {
	h := newHouse(t)
	document := h.dashboard.Reference()
	a := h.nobody().get("/docs").is(http.StatusOK)
	listed := a.texts("details.operation summary code")
	n := 0
	for path, item := range document.Paths {
		for method, o := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put,
			"PATCH": item.Patch, "DELETE": item.Delete} {
			if o == nil {
				continue
			}
			n++
			if !slices.Contains(listed, path) || !a.has("details#"+o.OperationID) {
				t.Errorf("%s %s is not listed", method, path)
			}
		}
	}
	if len(listed) != n || n < 50 {
		t.Errorf("%d operations are listed, there are %d", len(listed), n)
	}
	a.says("an owner makes one under Settings")
	for _, link := range []string{"/docs/guide", "/api/v1/openapi.json", "/docs/problems"} {
		if !a.has(`a[href=` + link + `]`) {
			t.Errorf("no link to %s", link)
		}
		h.nobody().get(link).is(http.StatusOK)
	}
	if guide := h.nobody().get("/docs/guide"); !strings.Contains(guide.body, "# The API") ||
		!strings.HasPrefix(guide.header.Get("Content-Type"), "text/plain") {
		t.Errorf("the guide is %s %.100s", guide.header.Get("Content-Type"), guide.body)
	}
	few := h.owner().get("/docs?q=payouts+get").is(http.StatusOK)
	few.says("/api/v1/payouts").hides("/api/v1/campaigns/{id}/costs")
	if len(few.all("details.operation")) == 0 || !few.has(`a[href=/settings/tokens]`) {
		t.Error("the search finds nothing, or owners get no link to tokens")
	}
	h.owner().get("/docs?q=zeppelin").says("No operation has these words")
	if !h.owner().get("/").has(`footer a[href=/docs]`) || !h.owner().get("/settings/tokens").has(`main a[href=/docs]`) {
		t.Error("nothing leads to the page")
	}
}

// TestReference_browser: the page fits phones and screens, also while an operation is open.
func TestReference_browser(t *testing.T) {
	h := newHouse(t)
	b := h.browse(affiliate.RoleOwner)
	for _, width := range []int64{390, 1280, 1440} {
		b.viewport(width, 900)
		b.open("/docs?q=orders")
		b.click("details.operation summary")
		b.says("Parameters")
		if n := b.overflow(); n > 0 {
			t.Errorf("at %d px the page is %d px too wide", width, n)
		}
	}
}
