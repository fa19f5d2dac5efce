package api

import (
	"context"
	"mime"
	"net/http"
	"path/filepath"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerPayoutParts declares the download of the files of payout runs.
func (a *API) registerPayoutParts(api huma.API) {
	o := operation{http.MethodGet, "/payout-parts/{id}/file", "get-payout-file", affiliate.MayPay,
		"Download the file of a part of a payout run: the same bytes each time. From the first time on its payouts " +
			"are sent"}
	register(a, api, o, a.payoutFile)
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	api.OpenAPI().Paths[web.APIPrefix+o.path].Get.Responses["200"].Content = map[string]*huma.MediaType{
		export.MediaCSV: binary, mediaXML: binary, mediaBytes: binary}
}

// Media types of files that are no exports.
const (
	mediaXML   = "application/xml"
	mediaBytes = "application/octet-stream"
)

// PayoutPartJSON is a part of a payout run: what one file or one request has.
type PayoutPartJSON struct {
	ID          string                    `json:"id" example:"prt_1"`
	Rail        affiliate.Rail            `json:"rail"`
	Currency    string                    `json:"currency" example:"EUR"`
	Variant     string                    `json:"variant" example:"pain.001.001.09" doc:"Which of the rail's forms; empty where it has one"`
	Number      int64                     `json:"number" doc:"1, 2, … of the same rail and currency"`
	Payouts     int64                     `json:"payouts"`
	Amount      string                    `json:"amount" example:"138.05" doc:"Their sum"`
	Reference   string                    `json:"reference" example:"TRB-R1-1-K7Q2M9" doc:"Ours"`
	State       affiliate.PayoutPartState `json:"state" doc:"trying: it was asked for, and whether the provider has it is not known yet"`
	ByFile      bool                      `json:"by_file" doc:"true: somebody has to download its file and hand it on"`
	FileName    string                    `json:"file_name" doc:"Empty until it was downloaded first"`
	Store       *string                   `json:"store" example:"str_1" doc:"In which it is given; null: in none"`
	ProviderRef string                    `json:"provider_ref" doc:"The provider's"`
	Fee         *string                   `json:"fee" example:"0.35" doc:"That the provider took for all of it; null: none is known"`
	FeeCurrency *string                   `json:"fee_currency" example:"EUR"`
	Trouble     string                    `json:"trouble" doc:"Why it does not get on; empty: it does"`
	SentAt      *time.Time                `json:"sent_at"`
	SentBy      string                    `json:"sent_by" doc:"Who downloaded the file first"`
}

func payoutPartView(p affiliate.PayoutPart) PayoutPartJSON {
	v := PayoutPartJSON{ID: p.ID.String(), Rail: p.Rail, Currency: p.Currency.Code(), Variant: p.Variant,
		Number: p.Number, Payouts: p.Payouts, Amount: money.Format(p.Amount, p.Currency), Reference: p.Reference,
		State: p.State, ByFile: p.Rail.ByFile(), FileName: p.FileName, ProviderRef: p.ProviderRef,
		Trouble: p.Trouble, SentAt: web.TimeOrNull(p.SentAt), SentBy: p.SentBy}
	v.Fee, v.FeeCurrency = feeView(p.Fee, p.FeeCurrency)
	if p.StoreID != 0 {
		v.Store = orNull(p.StoreID.String())
	}
	return v
}

// PayoutPartPath names a part of a payout run.
type PayoutPartPath struct {
	ID string `path:"id" example:"prt_1"`
}

type payoutFileInput struct {
	PayoutPartPath
	OwedAgain bool `query:"owed_again" doc:"true: also where payouts of it failed or came back. Handed in then, it could pay them twice"`
}

func (payoutFileInput) mayConflict() {}

func (a *API) payoutFile(ctx context.Context, in *payoutFileInput) (*templateOutput, error) {
	id, err := idPath[affiliate.PayoutPartID]("prt_", in.ID)
	if err != nil {
		return nil, err
	}
	web.AllowTime(requestOf(ctx).Writer)
	name, body, err := a.App.PayoutFile(ctx, id, in.OwedAgain)
	if err != nil {
		return nil, err
	}
	media := mediaBytes
	switch filepath.Ext(name) {
	case ".csv":
		media = export.CSV.ContentType()
	case ".xml":
		media = mediaXML
	}
	return &templateOutput{ContentType: media, Disposition: mime.FormatMediaType("attachment",
		map[string]string{"filename": name}), Body: body}, nil
}

// PayoutRunDetailJSON is a payout run with all that its page shows, but for its payouts and whom it left out by name.
type PayoutRunDetailJSON struct {
	PayoutRunJSON
	Fees     []FeeJSON        `json:"fees" nullable:"false" doc:"That providers took, by currency; not part of the sums"`
	Parts    []PayoutPartJSON `json:"parts" nullable:"false" doc:"Its files and requests; none of what was paid elsewhere"`
	LeftSums []LeftOutSumJSON `json:"left_out" nullable:"false" doc:"Whom it does not pay, by reason and currency; by name: /payout-runs/{id}/left-out"`
}

// FeeJSON is what was taken in one currency.
type FeeJSON struct {
	Currency string `json:"currency" example:"EUR"`
	Amount   string `json:"amount" example:"0.70"`
}

// LeftOutJSON is somebody to whom something is payable, or who owes, and who is not paid.
type LeftOutJSON struct {
	Creator     string            `json:"creator" example:"cre_1"`
	CreatorName string            `json:"creator_name"`
	Amount      string            `json:"amount" example:"3.20" doc:"Payable; negative where they owe"`
	Currency    string            `json:"currency" example:"EUR"`
	Reason      affiliate.LeftOut `json:"reason"`
	Why         string            `json:"why" doc:"The reason as a sentence"`
}

func leftOutView(id affiliate.CreatorID, name string, amount int64, c money.Currency,
	reason affiliate.LeftOut) LeftOutJSON {
	return LeftOutJSON{id.String(), name, money.Format(amount, c), c.Code(), reason, reason.Sentence()}
}

// LeftOutSumJSON is how many are left out for one reason in one currency.
type LeftOutSumJSON struct {
	Reason   affiliate.LeftOut `json:"reason"`
	Why      string            `json:"why" doc:"The reason as a sentence"`
	Currency string            `json:"currency" example:"EUR"`
	Creators int64             `json:"creators"`
	Amount   string            `json:"amount" example:"12.40"`
}

func leftOutSumView(reason affiliate.LeftOut, c money.Currency, creators, amount int64) LeftOutSumJSON {
	return LeftOutSumJSON{reason, reason.Sentence(), c.Code(), creators, money.Format(amount, c)}
}

// PayoutRunDetail reads a payout run as the API and the command line show it.
func PayoutRunDetail(ctx context.Context, db *storage.DB, id affiliate.PayoutRunID) (v PayoutRunDetailJSON,
	err error) {
	v.Fees, v.Parts, v.LeftSums = []FeeJSON{}, []PayoutPartJSON{}, []LeftOutSumJSON{}
	err = db.InSnapshot(ctx, func(s *storage.Snapshot) error {
		run, err := s.PayoutRun(ctx, id)
		if err != nil {
			return err
		}
		sums, err := s.RunSums(ctx, id)
		if err != nil {
			return err
		}
		v.PayoutRunJSON = PayoutRunView(run.PayoutRun, sums)
		fees, err := s.RunFees(ctx, id)
		if err != nil {
			return err
		}
		for _, f := range fees {
			v.Fees = append(v.Fees, FeeJSON{f.Currency.Code(), money.Format(f.Amount, f.Currency)})
		}
		parts, err := s.PayoutParts(ctx, id)
		if err != nil {
			return err
		}
		for _, p := range parts {
			v.Parts = append(v.Parts, payoutPartView(p))
		}
		left, err := s.LeftOutSums(ctx, id)
		for _, l := range left {
			v.LeftSums = append(v.LeftSums, leftOutSumView(l.Reason, l.Currency, l.Creators, l.Amount))
		}
		return err
	})
	return v, err
}

// PayoutPreviewJSON is what a payout run would pay, and whom it would leave out.
type PayoutPreviewJSON struct {
	At          time.Time          `json:"at" doc:"Of which moment it is"`
	Until       *time.Time         `json:"until" doc:"The cut-off; null: all that is due"`
	Fingerprint string             `json:"fingerprint" doc:"For expect: it tells previews apart that would pay something else, or elsewhere"`
	Totals      []PreviewSumJSON   `json:"totals" nullable:"false" doc:"By currency"`
	Rails       []RailSumJSON      `json:"rails" nullable:"false" doc:"By rail and currency"`
	Methods     []MethodChoiceJSON `json:"methods" nullable:"false" doc:"The payment methods of those to whom something is due, with the rails that there are for each"`
	LeftSums    []LeftOutSumJSON   `json:"left_out_sums" nullable:"false" doc:"Whom it would not pay, by reason and currency"`
	Pay         []PreviewLineJSON  `json:"pay" nullable:"false" doc:"Who would be paid, by name; as many as lines asks for"`
	LeftOut     []LeftOutJSON      `json:"left_out" nullable:"false" doc:"Who would not be paid, by name; likewise"`
}

// PreviewSumJSON is what the payouts of a preview add up to in one currency.
type PreviewSumJSON struct {
	Currency string `json:"currency" example:"EUR"`
	Payouts  int64  `json:"payouts"`
	Amount   string `json:"amount" example:"6210.37"`
}

// RailSumJSON is what those of one rail add up to.
type RailSumJSON struct {
	Rail affiliate.Rail `json:"rail"`
	PreviewSumJSON
}

// MethodChoiceJSON is a payment method with the rails by which it can be paid.
type MethodChoiceJSON struct {
	Method  affiliate.PaymentMethod `json:"method"`
	Rail    affiliate.Rail          `json:"rail" doc:"That is chosen"`
	Rails   []affiliate.Rail        `json:"rails" nullable:"false" doc:"The usual one first"`
	Payouts int64                   `json:"payouts"`
}

// PreviewLineJSON is somebody who would be paid.
type PreviewLineJSON struct {
	Creator     string         `json:"creator" example:"cre_1"`
	CreatorName string         `json:"creator_name"`
	Amount      string         `json:"amount" example:"120.00"`
	Currency    string         `json:"currency" example:"EUR"`
	Rail        affiliate.Rail `json:"rail"`
	Method      *string        `json:"method" example:"paypal" doc:"null: nobody has entered any"`
	Destination string         `json:"destination" example:"FR14 … 2606" doc:"Masked"`
}

// PayoutPreviewView is how the API and the command line show a preview, with so many lines of each kind at most.
func PayoutPreviewView(p app.PayoutPreview, lines int) PayoutPreviewJSON {
	v := PayoutPreviewJSON{At: p.At.UTC(), Until: web.TimeOrNull(p.Until), Fingerprint: p.Fingerprint,
		Totals: []PreviewSumJSON{}, Rails: []RailSumJSON{}, Methods: []MethodChoiceJSON{}, LeftSums: []LeftOutSumJSON{},
		Pay: []PreviewLineJSON{}, LeftOut: []LeftOutJSON{}}
	sum := func(s app.PayoutSum) PreviewSumJSON {
		return PreviewSumJSON{s.Currency.Code(), s.Payouts, money.Format(s.Amount, s.Currency)}
	}
	for _, s := range p.Totals {
		v.Totals = append(v.Totals, sum(s))
	}
	for _, s := range p.Sums {
		v.Rails = append(v.Rails, RailSumJSON{s.Rail, sum(s)})
	}
	for _, m := range p.Methods {
		v.Methods = append(v.Methods, MethodChoiceJSON{m.Method, m.Rail, m.Rails, m.Payouts})
	}
	for _, l := range p.LeftSums {
		v.LeftSums = append(v.LeftSums, leftOutSumView(l.Reason, l.Currency, l.Creators, l.Amount))
	}
	for _, l := range p.Pay[:min(lines, len(p.Pay))] {
		v.Pay = append(v.Pay, PreviewLineJSON{l.CreatorID.String(), l.Creator, money.Format(l.Amount, l.Currency),
			l.Currency.Code(), l.Rail, orNull(string(l.Method)), l.Masked})
	}
	for _, l := range p.LeftOut[:min(lines, len(p.LeftOut))] {
		v.LeftOut = append(v.LeftOut, leftOutView(l.CreatorID, l.Creator, l.Amount, l.Currency, l.Reason))
	}
	return v
}
