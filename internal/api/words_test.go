package api_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/storage"
)

// TestOpenAPI_sorts: the document names every column that conversions can be sorted by.
func TestOpenAPI_sorts(t *testing.T) {
	eachOffice(t, func(o *office) {
		whole := o.nobody.call("GET", v1+"/openapi.json", nil).ok(200)
		list := whole["paths"].(object)[v1+"/conversions"].(object)["get"].(object)["parameters"].([]any)
		for _, p := range list {
			if p.(object)["name"] != "sort" {
				continue
			}
			about := p.(object)["description"].(string)
			for _, column := range storage.ConversionColumns() {
				if !strings.Contains(about, column) {
					o.Errorf("%s is not among the columns of %q", column, about)
				}
			}
			return
		}
		o.Error("conversions have no parameter sort")
	})
}
