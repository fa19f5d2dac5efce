package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerCosts declares the operations on what campaigns cost and bring.
func (a *API) registerCosts(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/campaigns/{id}/costs", "list-costs", read,
		"List the fees of a campaign, removed ones included"}, a.listCosts)
	register(a, api, operation{http.MethodPost, "/campaigns/{id}/costs", "create-cost", change,
		"Record a fee that was paid for a campaign"}, a.createCost)
	register(a, api, operation{http.MethodGet, "/costs/{id}", "get-cost", read, "Read a fee"}, a.getCost)
	register(a, api, operation{http.MethodPost, "/costs/{id}/end", "end-cost", change,
		"Remove a fee: it stays in the list, but in no figure"}, a.endCost)
	register(a, api, operation{http.MethodGet, "/campaigns/{id}/roi", "get-campaign-roi", read,
		"Read what a campaign has brought and cost since it began"}, a.getCampaignROI)
}

type costJSON struct {
	ID        string     `json:"id" example:"cst_1"`
	Campaign  string     `json:"campaign" example:"cmp_1"`
	Creator   *string    `json:"creator" example:"cre_1" doc:"null: paid to nobody of the campaign"`
	Amount    string     `json:"amount" example:"250.00"`
	Currency  string     `json:"currency" example:"EUR"`
	Day       string     `json:"day" format:"date" example:"2026-05-01" doc:"When it was paid"`
	Note      string     `json:"note"`
	Author    string     `json:"author" doc:"Who recorded it"`
	CreatedAt time.Time  `json:"created_at"`
	RemovedAt *time.Time `json:"removed_at"`
}

func costView(c affiliate.Cost) costJSON {
	v := costJSON{ID: c.ID.String(), Campaign: c.CampaignID.String(), Amount: money.Format(c.Amount, c.Currency),
		Currency: c.Currency.Code(), Day: c.Day, Note: c.Note, Author: c.Author, CreatedAt: c.CreatedAt.UTC(),
		RemovedAt: web.TimeOrNull(c.RemovedAt)}
	if c.CreatorID != 0 {
		v.Creator = orNull(c.CreatorID.String())
	}
	return v
}

// campaignOf reads the campaign of a path: what belongs to none that there is cannot be found.
func (a *API) campaignOf(ctx context.Context, p CampaignPath) (affiliate.Campaign, error) {
	id, err := p.id()
	if err != nil {
		return affiliate.Campaign{}, err
	}
	return a.App.DB.Campaign(ctx, id)
}

type listCostsInput struct {
	CampaignPath
	PageInput
}

func (a *API) listCosts(ctx context.Context, in *listCostsInput) (*listOutput[costJSON], error) {
	campaign, err := a.campaignOf(ctx, in.CampaignPath)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Costs(ctx, campaign.ID, in.page())
	return listPage(list, next, err, costView)
}

type createCostInput struct {
	CampaignPath
	Body struct {
		Creator  string  `json:"creator,omitempty" example:"cre_1" doc:"Whom it was paid to, if they are or were a member: it counts as long as they do"`
		Amount   string  `json:"amount" example:"250.00"`
		Currency *string `json:"currency,omitempty" example:"EUR" doc:"The account's when left out"`
		Day      string  `json:"day,omitempty" example:"2026-05-01" doc:"When it was paid; today when left out. It is converted at the rate of this day"`
		Note     string  `json:"note" doc:"What it was for"`
	}
}

func (a *API) createCost(ctx context.Context, in *createCostInput) (*output[costJSON], error) {
	campaign, err := a.campaignOf(ctx, in.CampaignPath)
	if err != nil {
		return nil, err
	}
	settings, err := a.App.DB.SavedSettings(ctx)
	if err != nil {
		return nil, err
	}
	c := affiliate.Cost{CampaignID: campaign.ID, Currency: settings.Currency, Day: in.Body.Day, Note: in.Body.Note}
	if c.CreatorID, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_", in.Body.Creator); err != nil {
		return nil, err
	}
	if err := setCurrency(&c.Currency, "currency", in.Body.Currency); err != nil {
		return nil, err
	}
	if c.Amount, err = affiliate.ParseAmount("amount", in.Body.Amount, c.Currency); err != nil {
		return nil, err
	}
	c, err = a.App.AddCost(ctx, c)
	return one(c, err, costView)
}

// CostPath names a fee.
type CostPath struct {
	ID string `path:"id" example:"cst_1"`
}

func (p CostPath) id() (affiliate.CostID, error) { return idPath[affiliate.CostID]("cst_", p.ID) }

func (a *API) getCost(ctx context.Context, in *CostPath) (*output[costJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.DB.Cost(ctx, id)
	return one(c, err, costView)
}

func (a *API) endCost(ctx context.Context, in *CostPath) (*output[costJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.RemoveCost(ctx, id)
	return one(c, err, costView)
}

// ReturnSumsJSON are the parts of a campaign's return in one currency.
type ReturnSumsJSON struct {
	Currency       string `json:"currency" example:"EUR"`
	GMV            string `json:"gmv" example:"12000.00" doc:"Value of the accepted conversions"`
	ProductValues  string `json:"product_values" example:"800.00" doc:"Of the goods sent to members"`
	Payouts        string `json:"payouts" example:"900.00" doc:"Paid to creators by way of the ledger"`
	Fees           string `json:"fees" example:"300.00" doc:"Recorded by people"`
	PaymentsIssued string `json:"payments_issued" example:"1200.00" doc:"payouts + fees"`
	Cost           string `json:"cost" example:"2000.00" doc:"product_values + payments_issued"`
	PaymentsDue    string `json:"payments_due" example:"150.00" doc:"Owed to creators who are due, as of now; no cost yet"`
}

type roiJSON struct {
	Campaign string `json:"campaign" example:"cmp_1"`
	Former   bool   `json:"former" doc:"What belongs to former members is counted as well"`
	ReturnSumsJSON
	ROI          *string          `json:"roi" example:"6.0000" doc:"gmv ÷ cost; null while there is no cost"`
	NotConverted []ReturnSumsJSON `json:"not_converted" nullable:"false" doc:"What has no exchange rate, by currency: in none of the figures above"`
}

func returnSumsView(r report.ReturnSums) ReturnSumsJSON {
	amount := func(n int64) string { return money.Format(n, r.Currency) }
	return ReturnSumsJSON{Currency: r.Currency.Code(), GMV: amount(r.GMV), ProductValues: amount(r.ProductValues),
		Payouts: amount(r.Payouts), Fees: amount(r.Fees), PaymentsIssued: amount(r.Payments()), Cost: amount(r.Cost()),
		PaymentsDue: amount(r.PaymentsDue)}
}

type roiInput struct {
	CampaignPath
	Include string `query:"include" enum:"former" doc:"former: also what belongs to creators who left the campaign or the community"`
}

// roiDigits are the decimals of a return on costs, whose unit is 1/10000.
const roiDigits = 4

func (a *API) getCampaignROI(ctx context.Context, in *roiInput) (*output[roiJSON], error) {
	campaign, err := a.campaignOf(ctx, in.CampaignPath)
	if err != nil {
		return nil, err
	}
	settings, err := a.App.DB.Settings(ctx)
	if err != nil {
		return nil, err
	}
	former := in.Include != ""
	r, err := report.CampaignReturn(ctx, a.App.DB, campaign.ID, former, settings, a.App.Now())
	return one(r, err, func(r report.Return) roiJSON {
		v := roiJSON{Campaign: campaign.ID.String(), Former: former, ReturnSumsJSON: returnSumsView(r.ReturnSums),
			NotConverted: []ReturnSumsJSON{}}
		if roi := r.ROI(); roi != nil {
			v.ROI = orNull(money.FormatScaled(*roi, roiDigits))
		}
		for _, part := range r.NotConverted {
			v.NotConverted = append(v.NotConverted, returnSumsView(part))
		}
		return v
	})
}
