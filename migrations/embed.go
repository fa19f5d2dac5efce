// Package migrations holds the schema of both databases as numbered SQL files, forward only, one transaction each. The
// two folders hold the same names and differ only in types and identity columns.
package migrations

import "embed"

//go:embed postgres/*.sql sqlite/*.sql
var Files embed.FS
