package export

import (
	"encoding/xml"
	"strings"
	"text/template"
)

// Styles of cells, as they stand in them. The numbers are the places in stylesPart's cellXfs.
const (
	headerStyle  = ` s="1"`
	integerStyle = ` s="2"`
	percentStyle = ` s="7"`
	dayStyle     = ` s="8"`
	momentStyle  = ` s="9"`
)

// amountStyles are by the digits of the currency.
var amountStyles = [...]string{integerStyle, ` s="3"`, ` s="4"`, ` s="5"`, ` s="6"`}

// stylesPart holds the plain style, the header's, and one for each format of numbers; our own formats begin at 164.
const stylesPart = `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="8">
<numFmt numFmtId="164" formatCode="#,##0"/>
<numFmt numFmtId="165" formatCode="#,##0.0"/>
<numFmt numFmtId="166" formatCode="#,##0.00"/>
<numFmt numFmtId="167" formatCode="#,##0.000"/>
<numFmt numFmtId="168" formatCode="#,##0.0000"/>
<numFmt numFmtId="169" formatCode="0.00%"/>
<numFmt numFmtId="170" formatCode="yyyy-mm-dd"/>
<numFmt numFmtId="171" formatCode="yyyy-mm-dd hh:mm:ss"/>
</numFmts>
<fonts count="2">
<font><sz val="11"/><name val="Calibri"/><family val="2"/></font>
<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font>
</fonts>
<fills count="2">
<fill><patternFill patternType="none"/></fill>
<fill><patternFill patternType="gray125"/></fill>
</fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="10">
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="167" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="168" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="169" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="170" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="171" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>`

// book is what the small parts of a workbook tell. They come last, since only then all sheets are known.
type book struct {
	Title  string
	Last   string // the last column; "" without columns
	Sheets []bookSheet
}

type bookSheet struct {
	Name  string
	Index int // from 0
	Rows  int // with the header
}

// Number is that of the sheet's file, and of its relation to the workbook.
func (s bookSheet) Number() int { return s.Index + 1 }

// bookParts are the files of a workbook (ECMA-376) beside its sheets. The named areas are those of the sheets' filters:
// Excel wants them so.
var bookParts = []struct {
	name string
	text *template.Template
}{
	{"xl/styles.xml", bookPart(stylesPart)},
	{"xl/workbook.xml", bookPart(`<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<bookViews><workbookView/></bookViews>
<sheets>{{range .Sheets}}
<sheet name="{{xml .Name}}" sheetId="{{.Number}}" r:id="rId{{.Number}}"/>{{end}}
</sheets>{{if .Last}}
<definedNames>{{range .Sheets}}
<definedName name="_xlnm._FilterDatabase" localSheetId="{{.Index}}" hidden="1">` +
		`'{{xml .Name}}'!$A$1:${{$.Last}}${{.Rows}}</definedName>{{end}}
</definedNames>{{end}}
</workbook>`)},
	{"xl/_rels/workbook.xml.rels", bookPart(`<Relationships` +
		` xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId0" Target="styles.xml"` +
		` Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/>{{range .Sheets}}
<Relationship Id="rId{{.Number}}" Target="worksheets/sheet{{.Number}}.xml"` +
		` Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>{{end}}
</Relationships>`)},
	{"docProps/core.xml", bookPart(`<cp:coreProperties` +
		` xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"` +
		` xmlns:dc="http://purl.org/dc/elements/1.1/">` +
		`<dc:title>{{xml .Title}}</dc:title><dc:creator>Tributary</dc:creator></cp:coreProperties>`)},
	{"_rels/.rels", bookPart(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Target="xl/workbook.xml"` +
		` Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>
<Relationship Id="rId2" Target="docProps/core.xml"` +
		` Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"/>
</Relationships>`)},
	{"[Content_Types].xml", bookPart(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"` +
		` ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/styles.xml"` +
		` ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>` +
		`{{range .Sheets}}
<Override PartName="/xl/worksheets/sheet{{.Number}}.xml"` +
		` ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>{{end}}
</Types>`)},
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

func bookPart(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"xml": escaped}).Parse(xmlHead + text))
}

// escaped makes a text fit for an element and for an attribute in double quotes.
func escaped(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}
