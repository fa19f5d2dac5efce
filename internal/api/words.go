package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// documentWords makes the document list the values of types that have few, wherever they stand.
func documentWords(r huma.Registry) {
	listWords[affiliate.Approval](r)
	listWords[affiliate.CampaignState](r)
	listWords[affiliate.CampaignStatus](r)
	listWords[affiliate.ClickRule](r)
	listWords[affiliate.CodeAction](r)
	listWords[affiliate.CodeItemState](r)
	listWords[affiliate.CodeRunState](r)
	listWords[affiliate.CouponTrouble](r)
	listWords[affiliate.DiscountKind](r)
	listWords[affiliate.DecimalPoint](r)
	listWords[affiliate.Doubt](r)
	listWords[affiliate.EntryKind](r)
	listWords[affiliate.KeyKind](r)
	listWords[affiliate.LeftOut](r)
	listWords[affiliate.LinkKind](r)
	listWords[affiliate.Method](r)
	listWords[affiliate.OfferStatus](r)
	listWords[affiliate.OfferType](r)
	listWords[affiliate.OrderStatus](r)
	listWords[affiliate.PainVersion](r)
	listWords[affiliate.PartsRule](r)
	listWords[affiliate.PaymentMethod](r)
	listWords[affiliate.PayoutPartState](r)
	listWords[affiliate.PayoutRunState](r)
	listWords[affiliate.PayoutState](r)
	listWords[affiliate.Precedence](r)
	listWords[affiliate.Rail](r)
	listWords[affiliate.RenewalRule](r)
	listWords[affiliate.ResultKind](r)
	listWords[affiliate.ResultOutcome](r)
	listWords[affiliate.RewardApproval](r)
	listWords[affiliate.RewardDecision](r)
	listWords[affiliate.RewardKind](r)
	listWords[affiliate.RewardState](r)
	listWords[affiliate.RewardTrigger](r)
	listWords[affiliate.Role](r)
	listWords[affiliate.StoreState](r)
	listWords[affiliate.UTMRule](r)
	listWords[affiliate.Unit](r)
	listWords[app.CodeStanding](r)
	listWords[app.MemberOutcome](r)
	listWords[storage.CouponSet](r)
	listWords[storage.CouponSort](r)
	listWords[storage.DeliveryState](r)
	listWords[storage.DoubtFilter](r)
	listWords[storage.UnownedSort](r)
}

func listWords[W affiliate.Word[W]](r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[W](), reflect.TypeFor[wordSchema[W]]())
}

// wordSchema describes a type that has few values.
type wordSchema[W affiliate.Word[W]] string

// Schema gives a string with a list of what it can be.
func (wordSchema[W]) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range affiliate.Words[W]() {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}
