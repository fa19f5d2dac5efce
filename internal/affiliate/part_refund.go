package affiliate

import "slices"

// reconciled gives the refunds of an order and of its parts, each once. Some marketplace plugins write what a part
// gives back into the parent as well: as it is, several parts' in one, or one part's in several. The part knows its
// rows, the parent mostly an amount; so the side stays that knows more, the parts' where both do.
func reconciled(own, parts []PartRefund) (list []PartRefund) {
	own, parts = slices.Clone(own), slices.Clone(parts)
	own, parts, list = onlyOnce(own, parts)
	parts, own, more := onlyOnce(parts, own)
	return slices.Concat(list, more, own, parts)
}

// onlyOnce finds for each of some refunds those of the other side that add up to it, takes both out, and gives the ones
// that stay.
func onlyOnce(whole, pieces []PartRefund) (restWhole, restPieces, once []PartRefund) {
	for _, w := range whole {
		of := addingUp(pieces, w.Amount)
		if len(of) == 0 || w.Amount == 0 {
			restWhole = append(restWhole, w)
			continue
		}
		var found []PartRefund
		for _, i := range of {
			found = append(found, pieces[i])
		}
		for _, i := range slices.Backward(of) {
			pieces = slices.Delete(pieces, i, i+1)
		}
		if !w.Unclear && slices.ContainsFunc(found, func(p PartRefund) bool { return p.Unclear }) {
			found = []PartRefund{w}
		}
		once = append(once, found...)
	}
	return restWhole, pieces, once
}

// mostPieces bounds the refunds among which sums are looked for.
const mostPieces = 12

// addingUp gives the indexes of the fewest refunds that add up to an amount, none when none do.
func addingUp(list []PartRefund, amount int64) (best []int) {
	for i, r := range list {
		if r.Amount == amount {
			return []int{i}
		}
	}
	for set := range 1 << min(len(list), mostPieces) {
		var of []int
		sum := int64(0)
		for i := range min(len(list), mostPieces) {
			if set&(1<<i) != 0 {
				of, sum = append(of, i), sum+list[i].Amount
			}
		}
		if sum == amount && (best == nil || len(of) < len(best)) {
			best = of
		}
	}
	return best
}
