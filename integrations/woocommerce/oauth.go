package woocommerce

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oauth gives the parameters that sign a request by OAuth 1.0a with one leg, so that the secret is not sent. base is
// the address as the store's PHP sees it, without a query. The store takes a time within a quarter of an hour of its
// own, and each nonce once; bodies are not signed (includes/class-wc-rest-authentication.php check_oauth_signature).
func oauth(method, base string, query url.Values, id, secret string, at time.Time) url.Values {
	added := url.Values{
		"oauth_consumer_key":     {id},
		"oauth_nonce":            {rand.Text()},
		"oauth_signature_method": {"HMAC-SHA256"},
		"oauth_timestamp":        {strconv.FormatInt(at.Unix(), 10)},
	}
	var pairs []string
	for _, values := range []url.Values{query, added} {
		for name, list := range values {
			for _, value := range list {
				pairs = append(pairs, percent(name)+"="+percent(value))
			}
		}
	}
	slices.Sort(pairs)
	mac := hmac.New(sha256.New, []byte(secret+"&"))
	mac.Write([]byte(method + "&" + percent(base) + "&" + percent(strings.Join(pairs, "&"))))
	added.Set("oauth_signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return added
}

// oauthHeader writes the parameters as the header Authorization.
func oauthHeader(added url.Values) string {
	var fields []string
	for name := range added {
		fields = append(fields, name+`="`+percent(added.Get(name))+`"`)
	}
	slices.Sort(fields)
	return "OAuth " + strings.Join(fields, ", ")
}

// percent encodes as RFC 3986 has it.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
