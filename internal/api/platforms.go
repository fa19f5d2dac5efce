package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/app"
)

// documentPlatforms says in the document which platforms there are, which tags cannot know: every property "platform"
// is one of them, and descriptions name those that {parents}, {domain} and {secret} are about. Requests are checked by
// it too.
func documentPlatforms(document *huma.OpenAPI, platforms app.Platforms) {
	about := strings.NewReplacer("{parents}", platforms.Names(app.HasParents), "{domain}", platforms.AboutDomain(),
		"{secret}", platforms.AboutSecret())
	for _, schema := range document.Components.Schemas.Map() {
		for name, property := range schema.Properties {
			property.Description = about.Replace(property.Description)
			if name == "platform" {
				for _, g := range platforms.Guides() {
					property.Enum = append(property.Enum, string(g.Platform))
				}
				property.PrecomputeMessages()
			}
		}
	}
}
