package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/web"
)

// tagPattern reads an entity tag of ours: "cmp_1.3.x7Rk…" is version 3 of cmp_1. The digest behind it changes with
// whatever else an answer shows (a store's last delivery), as a strong tag must; If-Match looks at the version only,
// and takes a tag without a digest.
var tagPattern = regexp.MustCompile(`^"([a-z]+_[0-9]+)\.([0-9]{1,9})(\.[A-Za-z0-9_-]+)?"$`)

// tagOf gives the entity tag of an answer whose body has an id and a version; "" for others.
func tagOf(out any) (string, error) {
	body := reflect.Indirect(reflect.ValueOf(out)).FieldByName("Body")
	if body.Kind() != reflect.Struct {
		return "", nil
	}
	id, version := body.FieldByName("ID"), body.FieldByName("Version")
	if id.Kind() != reflect.String || version.Kind() != reflect.Int {
		return "", nil
	}
	text, err := json.Marshal(body.Interface())
	sum := sha256.Sum256(text)
	return fmt.Sprintf(`"%s.%d.%s"`, id.String(), version.Int(), base64.RawURLEncoding.EncodeToString(sum[:9])), err
}

// tag sets the ETag of an answer that has one. The error is a [notModified] for a reader who has the same already.
func tag(ctx context.Context, out any) error {
	etag, err := tagOf(out)
	if err != nil || etag == "" {
		return err
	}
	c := requestOf(ctx)
	c.Header("ETag", etag)
	if c.Request.Method != http.MethodGet {
		return nil
	}
	for _, known := range tagsIn(c, "If-None-Match") {
		if known == "*" || strings.TrimPrefix(known, "W/") == etag {
			return notModified{}
		}
	}
	return nil
}

// onCondition gives the context in which a write is made: one that states in If-Match what it has seen changes nothing
// else.
func onCondition(ctx context.Context) (context.Context, error) {
	c := requestOf(ctx)
	if c.Request.Method == http.MethodGet || c.GetHeader("If-Match") == "" {
		return ctx, nil
	}
	subject := ""
	var versions []int
	for _, text := range tagsIn(c, "If-Match") {
		if text == "*" {
			return ctx, nil // any version: what does not exist is not found anyway
		}
		m := tagPattern.FindStringSubmatch(text)
		if m == nil || (subject != "" && subject != m[1]) {
			continue
		}
		version, _ := strconv.Atoi(m[2]) // at most nine digits
		subject, versions = m[1], append(versions, version)
	}
	if subject == "" {
		return ctx, web.NewProblem(web.CodeChangedMeanwhile, "If-Match", `This is no ETag of ours; it looks like "cmp_1.3.x7RkT0aVbQ2c", quotes included.`)
	}
	return app.IfUnchanged(ctx, subject, versions), nil
}

// tagsIn lists the entity tags of a header. Ours hold no commas.
func tagsIn(c *gin.Context, header string) []string {
	list := strings.Split(strings.Join(c.Request.Header.Values(header), ","), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// notModified is the answer 304, which huma takes as an error.
type notModified struct{}

func (notModified) Error() string             { return "not modified" }
func (notModified) GetStatus() int            { return http.StatusNotModified }
func (notModified) ContentType(string) string { return "" } // there is no content
