// Package docs holds the pages of documentation that a running server shows.
package docs

import _ "embed"

// API is the guide to the API, in Markdown.
//
//go:embed api.md
var API string
