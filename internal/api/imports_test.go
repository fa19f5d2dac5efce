package api_test

import (
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Live = deaf{}
		o.shop("shop")
		const path = v1 + "/imports"
		file := func(code string) string {
			return "Campaign;Creator;Offer;Store;Code;Commission Percent\r\nAutumn;Kim Kärg;Twelve;shop;" + code +
				";12,5\r\n"
		}
		csv := map[string]string{"Content-Type": "text/csv"}
		dry := o.manager.callWith(csv, "POST", path+"?dry_run=true", file("KIM12")).ok(200)
		about := dry["file"].(object)
		if dry["applied"] != false || dry["created"].(object)["codes"] != 1.0 || about["delimiter"] != "semicolon" ||
			about["decimal_sign"] != "comma" || len(about["columns"].([]any)) != 6 {
			o.Errorf("%v", dry)
		}
		if done := o.manager.callWith(csv, "POST", path, file("KIM12")).ok(200); done["applied"] != true ||
			done["created"].(object)["creators"] != 1.0 {
			o.Errorf("%v", done)
		}
		refused := o.manager.callWith(csv, "POST", path, file("#N/A"))
		if detail := refused.problem(422, "invalid", "code"); !strings.Contains(detail, "line 2, code") {
			o.Error(detail)
		}
		if e := refused.body["errors"].([]any)[0].(object); e["line"] != 2.0 || e["field"] != "code" ||
			e["text"] != "#N/A" {
			o.Errorf("%v", e)
		}
		o.manager.callWith(csv, "POST", path, "").problem(400, "unreadable", "")
		for _, key := range []string{"", "large"} {
			if csv["Idempotency-Key"] = key; key == "" {
				delete(csv, "Idempotency-Key")
			}
			detail := o.manager.callWith(csv, "POST", path, strings.Repeat("x", 8<<20+1)).problem(413, "too_large", "")
			for _, want := range []string{"8 MB", "divided into several", "16 MB", "tributary import"} {
				if !strings.Contains(detail, want) {
					o.Errorf("a file that is too large is refused without %q: %s", want, detail)
				}
			}
		}
		delete(csv, "Idempotency-Key")
		o.viewer.callWith(csv, "POST", path, file("KIM13")).problem(403, "forbidden", "")
		// A repeat with the same key is one import.
		csv["Idempotency-Key"] = "autumn"
		for range 2 {
			again := o.manager.callWith(csv, "POST", path, file("KIM20")).ok(200)
			if again["created"].(object)["codes"] != 1.0 {
				o.Errorf("%v", again)
			}
		}
		delete(csv, "Idempotency-Key")
		for _, format := range []string{"csv", "xlsx"} {
			template := o.manager.call("GET", path+"/template."+format, nil)
			if template.status != 200 || strings.HasPrefix(template.raw, "\ufeff") ||
				template.header.Get("Content-Disposition") != `attachment; filename="creators.`+format+`"` {
				o.Errorf("%d %v", template.status, template.header)
			}
			r := o.manager.callWith(csv, "POST", path+"?dry_run=true", template.raw).ok(200)
			if r["created"].(object)["codes"] != 2.0 {
				o.Errorf("the template as %s: %v", format, r)
			}
		}
	})
}
