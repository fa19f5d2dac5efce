package dashboard

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func TestOrders(t *testing.T) {
	h := busyHouse(t)
	v := h.viewer()
	v.get("/orders").is(http.StatusOK).says("#1013", "Anna Ahlers", "Partly refunded", "Refunded", "Canceled",
		"Pending", "Its code or link belongs to nobody", "SUMMER20")
	v.get("/orders?show=held").says("#1009").hides("#1013")
	v.get("/orders?show=uncredited").says("#1010", "#1011").hides("#1013", "#1012")
	v.get("/orders?show=test").says("#1012", "A test order").hides("#1013")
	v.get("/orders?status=refunded").says("#1004").hides("#1013")
	v.get("/orders?q=1006").says("#1006").hides("#1013")
	v.get("/orders?store=boutique").says("No order matches")
	v.get("/orders?show=nonsense").is(http.StatusUnprocessableEntity).says("Show:")
	v.get("/orders?period=yesterday").hides("#1013")
}

func TestOrderPage(t *testing.T) {
	h := busyHouse(t)
	address := orderAddress(h.order("1003").ID)
	page := h.owner().get(address).is(http.StatusOK).says("Order #1003", "Partly refunded", "Credited to Ben Botha",
		"Merchandise as sold", "240.00 USD", "Ledger", "accrual", "orders/")
	if page.has("form[action='" + address + "/decide'] button[value=undo]") {
		t.Error("an approved conversion can be undone")
	}
	h.viewer().get(address).is(http.StatusOK).hides("Reject", "Body")
	h.viewer().post(address+"/decide", "decision", "reject").is(http.StatusForbidden)
	h.manager().post(address+"/decide", "decision", "reject", "reason", "a cousin").at(address).
		says("The conversion is rejected.", "Rejected", "a cousin", "Undo the rejection")
	h.manager().post(address+"/decide", "decision", "undo").at(address).says("The rejection is taken back.", "Approved")
	h.manager().post(address+"/decide", "decision", "nonsense").is(http.StatusUnprocessableEntity)
	h.owner().get("/orders/ord_4711").is(http.StatusNotFound).says("There is no ord_4711")
	h.owner().get("/orders/nonsense").is(http.StatusNotFound)
	gift := h.owner().get(orderAddress(h.order("1005").ID)).is(http.StatusOK)
	gift.says("4.25 USD", "5.00 % + 2.00 USD per order").hides("of the value")
	nobodys := h.owner().get(orderAddress(h.order("1010").ID)).is(http.StatusOK)
	nobodys.says("Why nobody is credited", "SUMMER20").hides("Conversion")
	h.manager().post(orderAddress(h.order("1010").ID)+"/decide", "decision", "reject").is(http.StatusConflict)
	h.consistent()
}

// TestOrder_live: an open page follows the store without a reload.
func TestOrder_live(t *testing.T) {
	h := busyHouse(t)
	b := h.browse(affiliate.RoleManager)
	b.open(orderAddress(h.order("1013").ID))
	b.connected()
	b.says("Paid", "12.00 USD")
	h.sell(sale{number: "1013", code: "ANNA10", value: 120_00, refund: 125_00})
	b.until("the refund on the open page", func() bool {
		return strings.Contains(b.text(), "Refunded") && strings.Contains(b.text(), "0.00 USD")
	})
	b.at(orderAddress(h.order("1013").ID))
}
