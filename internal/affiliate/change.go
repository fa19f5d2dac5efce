package affiliate

import "time"

// Change names one order that changed. Without an order it says that a store's deliveries did: some came, were turned
// away or were processed.
type Change struct {
	Store      StoreID    `json:"store"`
	Order      OrderID    `json:"order,omitempty"`
	Campaign   CampaignID `json:"campaign,omitempty"`
	ReceivedAt time.Time  `json:"received_at,omitzero"` // of the delivery that changed it
}
