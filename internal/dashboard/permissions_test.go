package dashboard

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// sharedActions are the forms of pages with the operations of the API that do the same.
var sharedActions = map[string]string{
	"/stores/new":                                   "create-store",
	"/stores/connect":                               "create-access-request",
	"/stores/connect/keys":                          "connect-store",
	"/stores/:store/access":                         "set-store-access",
	"/stores/:store/access/ask":                     "create-access-request",
	"/stores/:store/access/check":                   "check-store-access",
	"/stores/:store/access/end":                     "end-store-access",
	"/stores/:store/secrets/rotate":                 "rotate-store-secret",
	"/stores/:store/compare":                        "compare-store",
	"/stores/:store/history":                        "import-store-history",
	"/stores/:store/runs/:run/pause":                "update-store-job",
	"/stores/:store/runs/:run/resume":               "update-store-job",
	"/stores/:store/runs/:run/stop":                 "update-store-job",
	"/stores/:store/edit":                           "update-store",
	"/stores/:store/end":                            "end-store",
	"/stores/:store/secrets":                        "create-store-secret",
	"/stores/:store/secrets/:secret/end":            "end-store-secret",
	"/stores/:store/statuses":                       "set-store-statuses",
	"/stores/:store/replay":                         "replay-delivery",
	"/stores/:store/set-aside":                      "set-deliveries-aside",
	"/deliveries/:delivery/replay":                  "replay-delivery",
	"/stores/:store/codes/assign":                   "assign-unowned-code",
	"/stores/:store/codes/dismiss":                  "dismiss-unowned-codes",
	"/stores/:store/codes/restore":                  "restore-unowned-codes",
	"/creators/import":                              "import-creators",
	"/creators/import/apply":                        "import-creators",
	"/settings":                                     "update-settings",
	"/settings/tokens":                              "create-token",
	"/settings/tokens/:token/end":                   "end-token",
	"/orders/:id/decide":                            "decide-conversions",
	"/campaigns/new":                                "create-campaign",
	"/campaigns/:id/settings":                       "update-campaign",
	"/campaigns/:id/end":                            "end-campaign",
	"/campaigns/:id/reopen":                         "update-campaign",
	"/campaigns/:id/costs":                          "create-cost",
	"/campaigns/:id/costs/:cost/remove":             "end-cost",
	"/campaigns/:id/decide":                         "decide-conversions",
	"/conversions/decide":                           "decide-conversions",
	"/campaigns/:id/creators/new":                   "create-member",
	"/campaigns/:id/members/:member/product":        "update-member",
	"/campaigns/:id/members/:member/remove":         "end-member",
	"/campaigns/:id/members/:member/restore":        "restore-member",
	"/campaigns/:id/members/:member/offers":         "create-offer-member",
	"/campaigns/:id/members/:member/commission":     "update-offer-member",
	"/campaigns/:id/members/:member/active":         "end-offer-member",
	"/campaigns/:id/members/:member/codes":          "create-code",
	"/campaigns/:id/members/:member/codes/end":      "end-code",
	"/campaigns/:id/members/:member/codes/make":     "create-code-run",
	"/campaigns/:id/members/:member/codes/change":   "create-code-run",
	"/campaigns/:id/offers/:offer/discount":         "update-offer",
	"/campaigns/:id/offers/:offer/codes/new":        "create-code-run",
	"/campaigns/:id/offers/:offer/codes/draft":      "create-code-run",
	"/code-runs/:run/items":                         "update-code-item",
	"/code-runs/:run/start":                         "start-code-run",
	"/code-runs/:run/cancel":                        "cancel-code-run",
	"/code-runs/:run/retry":                         "retry-code-run",
	"/code-runs/:run/typed":                         "mark-codes-typed",
	"/stores/:store/coupons/read":                   "read-coupons",
	"/stores/:store/coupons/take":                   "create-code-run",
	"/stores/:store/coupons/file":                   "create-code-run",
	"/stores/:store/coupons/right":                  "accept-coupon",
	"/campaigns/:id/members/:member/links":          "create-link",
	"/campaigns/:id/members/:member/links/end":      "end-link",
	"/links/:link":                                  "update-link",
	"/links/:link/ask":                              "ask-link",
	"/offers/new":                                   "create-offer",
	"/campaigns/:id/offers/:offer/settings":         "update-offer",
	"/campaigns/:id/offers/:offer/commissions/drop": "update-offer",
	"/campaigns/:id/offers/:offer/members/new":      "create-offer-member",
	"/campaigns/:id/offers/:offer/members/add":      "create-offer-member",
	"/campaigns/:id/offers/:offer/members/ask":      "update-offer-member",
	"/campaigns/:id/offers/:offer/members/do":       "update-offer-member",
	"/campaigns/:id/offers/:offer/status":           "end-offer",
	"/creators/new":                                 "create-creator",
	"/creators/:id/edit":                            "update-creator",
	"/creators/:id/remove":                          "end-creator",
	"/creators/:id/restore":                         "restore-creator",
	"/creators/:id/payment-details":                 "set-payment-details",
	"/creators/:id/payment-details/remove":          "delete-payment-details",
	"/payouts":                                      "create-payout-run",
	"/payouts/send":                                 "create-payout-run",
	"/payouts/runs/:run/mark":                       "cancel-payout-run",
	"/payouts/parts/:part/file":                     "create-payout-run",
	"/payouts/results":                              "create-payout-run",
	"/payouts/:id/mark":                             "cancel-payout",
	"/payouts/runs/:run/cancel":                     "cancel-payout-run",
	"/payouts/:id/cancel":                           "cancel-payout",
	"/statements":                                   "issue-statements",
	"/campaigns/:id/offers/:offer/rewards/new":      "create-reward-rule",
	"/campaigns/:id/offers/:offer/rewards/end":      "end-reward-rule",
	"/rewards/decide":                               "decide-rewards",
	"/rewards/give":                                 "give-rewards",
	"/rewards/codes":                                "make-reward-codes",
	"/rewards/given":                                "give-rewards",
	"/entries/new":                                  "create-entries",
	"/entries/confirm":                              "create-entries",
	"/entries":                                      "create-entries",
	"/mail":                                         "create-mailing",
	"/mail/new":                                     "preview-mailing",
	"/mail/texts/:purpose":                          "set-mail-text",
	"/mail/texts/:purpose/test":                     "test-mail-text",
	"/mail/texts/:purpose/reset":                    "reset-mail-text",
	"/mail/suppressions":                            "create-mail-suppression",
	"/mail/suppressions/end":                        "delete-mail-suppression",
	"/mail/:send/cancel":                            "cancel-mailing",
	"/mail/:send/retry":                             "retry-mail",
}

// pageActions are the forms that the API knows nothing of: people and their sessions, notices, what a person chose.
var pageActions = []string{"/sign-", "/welcome", "/account/", "/settings/people", "/views", "/columns/", "/theme",
	"/stores/:store/warning", "/stores/:store/notices", "/notices", "/creators/import/credit",
	"/mail/texts/:purpose/sample"}

// TestPermissions_likeAPI: whatever a form does asks for the same role as the operation of the API that does it. A new
// form stands in one of the two lists.
func TestPermissions_likeAPI(t *testing.T) {
	h := newHouse(t)
	var document struct {
		Paths map[string]map[string]struct {
			ID          string `json:"operationId"`
			Description string `json:"description"`
		} `json:"paths"`
	}
	a := h.nobody().get("/api/v1/openapi.json").is(http.StatusOK)
	h.must(json.Unmarshal([]byte(a.body), &document))
	needs := map[string]string{}
	for _, path := range document.Paths {
		for _, operation := range path {
			needs[operation.ID] = operation.Description
		}
	}
	for _, route := range h.dashboard.routes() {
		if route.method != http.MethodPost {
			continue
		}
		operation, shared := sharedActions[route.path]
		alone := false
		for _, prefix := range pageActions {
			alone = alone || strings.HasPrefix(route.path, prefix)
		}
		switch {
		case shared == alone:
			t.Errorf("POST %s stands in none of the lists, or in both", route.path)
		case shared:
			want := "at least " + affiliate.Permission(route.access).Needed() + "."
			if !strings.Contains(needs[operation], want) {
				t.Errorf("POST %s needs %s, %s: %q", route.path, want, operation, needs[operation])
			}
		}
	}
}
