package web

import (
	"net/http"
	"time"
)

// importTime is how long an answer to an import may take: 100,000 lines take some minutes.
const importTime = 20 * time.Minute

// AllowTime lets the answer to an import take longer than the server's limit.
func AllowTime(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(importTime)) // a writer without limits needs none
}

// MaxImport is the largest file that the API takes, in bytes.
const MaxImport = 8 << 20
