package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/klauspost/compress/gzip"
)

//go:embed assets
var assetFiles embed.FS

// assets are files that browsers may keep for ever: their addresses hold their checksum.
type assets struct {
	address map[string]string // by name: "app.css" → "/assets/app-1a2b3c4d.css"
	files   map[string]asset  // by the last part of the address
}

type asset struct {
	kind   string
	body   []byte
	packed []byte // the same with gzip; nil where that is no smaller, as of fonts
}

var assetKinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2"}

// scriptPolicy is what a script may do that runs beside pages: ask this server.
const scriptPolicy = "default-src 'none'; connect-src 'self'"

func loadAssets() (*assets, error) {
	a := &assets{address: map[string]string{}, files: map[string]asset{}}
	names, err := fs.Glob(assetFiles, "assets/*")
	if err != nil {
		return nil, err
	}
	styles := func(name string) int { return strings.Index(name, ".css") }
	slices.SortStableFunc(names, func(a, b string) int { return styles(a) - styles(b) }) // what they name comes first
	for _, name := range names {
		body, err := assetFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := a.add(path.Base(name), body); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// add keeps a file. Styles name others by their names alone.
func (a *assets) add(name string, body []byte) error {
	ext := path.Ext(name)
	if ext == ".css" {
		for other, address := range a.address {
			body = bytes.ReplaceAll(body, []byte(`url("`+other+`")`), []byte(`url("`+address+`")`))
		}
	}
	sum := sha256.Sum256(body)
	file := strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
	packed, err := pack(body, gzip.BestCompression)
	if err != nil {
		return err
	}
	if len(packed) >= len(body) {
		packed = nil
	}
	a.address[name], a.files[file] = "/assets/"+file, asset{assetKinds[ext], body, packed}
	return nil
}

func (a *assets) serve(c *gin.Context) {
	f, ok := a.files[c.Param("file")]
	if !ok {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Header("Vary", "Accept-Encoding")
	if f.kind == assetKinds[".js"] {
		c.Header("Content-Security-Policy", scriptPolicy) // which a shared worker goes by
	}
	if f.packed != nil && acceptsGzip(c.GetHeader("Accept-Encoding")) {
		c.Header("Content-Encoding", "gzip")
		c.Data(http.StatusOK, f.kind, f.packed)
		return
	}
	c.Data(http.StatusOK, f.kind, f.body)
}

// pack compresses a body. A table of a page takes a tenth of its size then.
func pack(body []byte, level int) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// acceptsGzip reads a header Accept-Encoding.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, weighted := strings.Cut(part, ";")
		if strings.TrimSpace(name) == "gzip" {
			return !weighted || strings.Trim(weight, " q=.0") != ""
		}
	}
	return false
}
