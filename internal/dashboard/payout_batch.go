package dashboard

import (
	"net/http"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

func batchAddress(id affiliate.PayoutBatchID) string { return "/payouts/batches/" + id.String() }

// batchesPage lists what was recorded together.
type batchesPage struct {
	payoutsHead
	Rows  []batchLine
	Pager pager
}

// batchLine is a batch for people.
type batchLine struct {
	affiliate.PayoutBatch
	Title    string // "29 Nov 2026 · 69 payouts"
	Address  string
	Paid     string // the day
	Recorded string
	payoutSums
}

func (r *request) batchLine(b storage.SummedBatch) batchLine {
	line := batchLine{PayoutBatch: b.PayoutBatch, Address: batchAddress(b.ID), Paid: dayText(b.Day),
		Recorded: r.moment(b.CreatedAt), payoutSums: payoutSumsOf(b.Sums)}
	line.Title = line.Paid + " · " + counted(int64(b.Payouts), "payout", "payouts")
	return line
}

func (r *request) batchesPage() error {
	list, next, err := r.d.App.DB.PayoutBatches(r.Request.Context(), r.page())
	if err != nil {
		return err
	}
	p := batchesPage{payoutsHead: r.payoutsHead("batches", "Batches of payouts"), Pager: r.pager(next)}
	for _, b := range list {
		p.Rows = append(p.Rows, r.batchLine(b))
	}
	return r.show("payout_batches.html", &p)
}

// batchPage is one batch with its payouts.
type batchPage struct {
	layout
	Batch     batchLine
	Rows      []payoutLine
	CSV, XLSX string // files for the bank, of the payouts that stand
	Pager     pager
	Reason    string // as it was typed
	Errors    fieldErrors
	MayPay    bool
	MayMail   bool
}

func (r *request) batchPage() error {
	p, err := r.batch()
	if err != nil {
		return err
	}
	return r.show("payout_batch.html", &p)
}

func (r *request) batch() (p batchPage, err error) {
	ctx := r.Request.Context()
	id, err := idParam[affiliate.PayoutBatchID](r, "batch", "bat_")
	if err != nil {
		return p, err
	}
	b, err := r.d.App.DB.PayoutBatch(ctx, id)
	if err != nil {
		return p, err
	}
	list, next, err := r.d.App.DB.Payouts(ctx, storage.PayoutFilter{Batch: id}, r.page())
	if err != nil {
		return p, err
	}
	p = batchPage{Batch: r.batchLine(b), Rows: r.payoutLines(list), Pager: r.pager(next),
		MayPay: r.may(affiliate.MayPay), MayMail: r.may(affiliate.MayChangeCatalog)}
	p.layout = r.layout("Batch of "+p.Batch.Title, "payouts")
	const file, standing = "/payouts/recorded.", "&state=" + string(affiliate.PayoutPaid)
	p.CSV, p.XLSX = file+"csv?batch="+id.String()+standing, file+"xlsx?batch="+id.String()+standing
	return p, nil
}

func (r *request) cancelBatch() error {
	id, err := idParam[affiliate.PayoutBatchID](r, "batch", "bat_")
	if err != nil {
		return err
	}
	reason := r.field("reason")
	if _, err = r.d.App.CancelBatch(r.Request.Context(), id, reason); err == nil {
		return r.done(batchAddress(id), "The batch is canceled: all that it paid is owed again.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.batch()
	if err != nil {
		return err
	}
	p.Reason, p.Errors = reason, errs
	r.render(http.StatusUnprocessableEntity, "payout_batch.html", &p)
	return nil
}
