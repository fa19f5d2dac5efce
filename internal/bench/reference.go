//go:build unix

package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/integrations/shopify"
)

const referenceCommand = "reference-handler"

// reference is the server that acknowledgements are compared with: a gin handler that reads the body, checks the
// signature and answers. It keeps nothing. The HTTP server has the same settings as ours.
func reference() {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	secrets := [][]byte{[]byte(secret)}
	r.POST("/webhooks/:platform/:slug", func(c *gin.Context) {
		body, err := c.GetRawData()
		if err != nil || !(shopify.Platform{}).Verify(secrets, c.Request.Header, body) {
			c.Status(http.StatusUnauthorized)
			return
		}
		c.Status(http.StatusOK)
	})
	r.GET("/l/:slug", func(c *gin.Context) { c.Redirect(http.StatusFound, "https://shop.example/?ref=sim-001") })
	r.GET("/readyz", func(c *gin.Context) { c.Status(http.StatusOK) })
	h := &http.Server{Addr: os.Args[2], Handler: r, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	fmt.Fprintln(os.Stderr, h.ListenAndServe())
}
