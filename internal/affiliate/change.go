package affiliate

import "time"

// Change names one order that changed. Without an order it says that a store's deliveries did: some came, were turned
// away or were processed; with Account alone, that the account's settings did; with Rewards alone, that rewards or
// their rules did; with Figures alone, that all figures did.
type Change struct {
	Figures    bool       `json:"figures,omitempty"` // of the account, all at once: it names nothing else
	Store      StoreID    `json:"store"`
	Order      OrderID    `json:"order,omitempty"`
	Campaign   CampaignID `json:"campaign,omitempty"`
	Account    bool       `json:"account,omitempty"`
	Rewards    bool       `json:"rewards,omitempty"`
	ReceivedAt time.Time  `json:"received_at,omitzero"` // of the delivery that changed it
}
