package sheet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReadTable(t *testing.T) {
	columns := Columns{"state": {"Status", "State"}, "ref": {"Customer ID", "Reference"}, "fee": {"Fee"}}
	for name, file := range map[string]string{
		"commas":     "\ufeff\"Reference\",Other,STATUS\r\nTRB-1,x,\" Completed \"\r\n,,\r\nTRB-2,y\r\n",
		"semicolons": "state;customer_id\nCompleted;TRB-1\n;TRB-2\n",
		"tabs":       "State\tReference\tCustomer-Id\nCompleted\tx\tTRB-1\n\ty\tTRB-2\n",
	} {
		table, err := ReadTable([]byte(file), columns)
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, r := range table.Rows {
			got = append(got, table.Text(r, "ref")+" "+table.Text(r, "state")+table.Text(r, "fee"))
		}
		if text := strings.Join(got, "|"); text != "TRB-1 Completed|TRB-2 " {
			t.Errorf("%s: %s", name, text)
		}
		if lacks := table.Lacks("ref", "fee", "state"); !slices.Equal(lacks, []string{"fee"}) {
			t.Errorf("%s lacks %v", name, lacks)
		}
	}
	for file, want := range map[string]string{"%PDF-1.4": "this is a PDF", "a,b\n\"c": "line 2: "} {
		if _, err := ReadTable([]byte(file), columns); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
	}
	if table, err := ReadTable(nil, columns); err != nil || len(table.Rows) != 0 || len(table.Lacks("ref")) != 1 {
		t.Errorf("of nothing: %+v, %v", table, err)
	}
}

func TestTable_Days(t *testing.T) {
	for list, want := range map[string]string{
		"2026-11-29|2026-11-30 10:00:00|2026-12-01T10:00Z|soon|2026-13-01|": "2026-11-29 2026-11-30 2026-12-01 - - -",
		"29.11.2026|1.2.2026|30.02.2026":                                    "2026-11-29 2026-02-01 -",
		"01/02/2026|11/29/2026|02/30/2026|1/2/26":                           "2026-01-02 2026-11-29 - -",
		"01/02/2026|29/11/2026":                                             "2026-02-01 2026-11-29",
		"01/02/2026|03/04/2026":                                             "- -",
		"29/11/2026|11/29/2026":                                             "- -",
	} {
		file := "Date,x\n" + strings.ReplaceAll(list, "|", ",1\n") + ",1\n"
		table, err := ReadTable([]byte(file), Columns{"day": {"Date"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, day := range table.Days("day") {
			got = append(got, cmp.Or(day, "-"))
		}
		if text := fmt.Sprint(strings.Join(got, " ")); text != want {
			t.Errorf("%q are %s, want %s", list, text, want)
		}
	}
}
