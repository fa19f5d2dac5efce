package affiliate

// Says gives what the store's status is taken for, and why where that is not plain: because a plugin set it, or because
// it is no status at all. It is false while no delivery has described the order.
func (s OrderState) Says(rules OrderRules) (status StoreStatus, why string, known bool) {
	if s.Newest == nil {
		return "", "", false
	}
	status = s.says(rules)
	_, decided := rules.Statuses[s.Newest.RawStatus]
	switch {
	case s.Newest.Status == StoreUnknown && s.known() == nil:
		why = "because it is no status"
	case s.Newest.Status == StoreUnknown:
		why = "as before it said something that is no status"
	case s.Newest.Status != StoreCustom:
	case decided:
		why = "as was decided for this store"
	case status == StorePaid:
		why = "because it has a payment date"
	case status == StorePending:
		why = "because it has no payment date"
	case status == StoreFailed:
		why = "because its payment had failed before"
	default:
		why = "because it was so before"
	}
	return status, why, true
}
