package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

type campaignRow struct {
	ID         affiliate.CampaignID
	Name       string
	Folded     string
	Status     affiliate.CampaignStatus
	StartsAt   Time `db:"starts_at"`
	EndsAt     Time `db:"ends_at"`
	WindowDays *int `db:"window_days"`
	Precedence *affiliate.Precedence
	ClickRule  *affiliate.ClickRule `db:"click_rule"`
	Version    int
	CreatedAt  Time `db:"created_at"`
	UpdatedAt  Time `db:"updated_at"`
}

const campaignColumns = `id, name, folded, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at, updated_at`

func (r campaignRow) domain() affiliate.Campaign {
	return affiliate.Campaign{ID: r.ID, Name: r.Name, Status: r.Status, StartsAt: r.StartsAt.Time,
		EndsAt: r.EndsAt.Time, WindowDays: value(r.WindowDays), Precedence: value(r.Precedence),
		ClickRule: value(r.ClickRule), Version: r.Version, CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time}
}

// Campaign gives one campaign; NotFound when there is none.
func (q queries) Campaign(ctx context.Context, id affiliate.CampaignID) (affiliate.Campaign, error) {
	return getOne[campaignRow](ctx, q, id, `SELECT `+campaignColumns+` FROM campaigns WHERE id = ?`, id)
}

// CampaignByName gives the campaign of a name, however it is written; NotFound when there is none.
func (q queries) CampaignByName(ctx context.Context, name string) (affiliate.Campaign, error) {
	return getOne[campaignRow](ctx, q, named("campaign "+name), `SELECT `+campaignColumns+` FROM campaigns WHERE folded = ?`, affiliate.FoldName(name))
}

// Campaigns lists campaigns by name, ended ones included.
func (q queries) Campaigns(ctx context.Context, p Page) ([]affiliate.Campaign, string, error) {
	return listPage[campaignRow](ctx, q, `SELECT `+campaignColumns+` FROM campaigns`, Filter{}, byText("folded", "id"), p)
}

// CreateCampaign writes a new campaign. Conflict when the name is taken.
func (tx *Tx) CreateCampaign(ctx context.Context, c affiliate.Campaign) (affiliate.Campaign, error) {
	c.Version = 1
	err := tx.Get(ctx, &c.ID, `INSERT INTO campaigns (name, folded, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (folded) DO NOTHING RETURNING id`,
		c.Name, affiliate.FoldName(c.Name), c.Status, At(c.StartsAt), At(c.EndsAt), null(c.WindowDays),
		null(c.Precedence), null(c.ClickRule), At(c.CreatedAt), At(c.UpdatedAt))
	return c, taken(err, "name", "there is a campaign %q already", c.Name)
}

// SaveCampaign writes a campaign that was read as c.Version. Conflict when the name is taken, or somebody was faster.
func (tx *Tx) SaveCampaign(ctx context.Context, c affiliate.Campaign) (affiliate.Campaign, error) {
	other, err := tx.CampaignByName(ctx, c.Name)
	if err := notTaken(err, other.ID != c.ID, "name", "there is a campaign %q already", c.Name); err != nil {
		return c, err
	}
	err = tx.update(ctx, c.ID, `UPDATE campaigns SET name = ?, folded = ?, status = ?, starts_at = ?, ends_at = ?, window_days = ?, precedence = ?,
		click_rule = ?, updated_at = ?, version = version + 1 WHERE id = ? AND version = ?`,
		c.Name, affiliate.FoldName(c.Name), c.Status, At(c.StartsAt), At(c.EndsAt), null(c.WindowDays),
		null(c.Precedence), null(c.ClickRule), At(c.UpdatedAt), c.ID, c.Version)
	c.Version++
	return c, err
}

type memberRow struct {
	ID              affiliate.MemberID
	CampaignID      affiliate.CampaignID `db:"campaign_id"`
	CreatorID       affiliate.CreatorID  `db:"creator_id"`
	ProductValue    int64                `db:"product_value"`
	ProductCurrency money.Currency       `db:"product_currency"`
	RemovedAt       Time                 `db:"removed_at"`
	Version         int
	CreatedAt       Time `db:"created_at"`
	UpdatedAt       Time `db:"updated_at"`
}

const memberColumns = `id, campaign_id, creator_id, product_value, product_currency, removed_at, version, created_at, updated_at`

func (r memberRow) domain() affiliate.CampaignMember {
	return affiliate.CampaignMember{ID: r.ID, CampaignID: r.CampaignID, CreatorID: r.CreatorID,
		ProductValue: r.ProductValue, ProductCurrency: r.ProductCurrency, RemovedAt: r.RemovedAt.Time,
		Version: r.Version, CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time}
}

// Member gives one member of a campaign; NotFound when there is none.
func (q queries) Member(ctx context.Context, id affiliate.MemberID) (affiliate.CampaignMember, error) {
	return getOne[memberRow](ctx, q, id, `SELECT `+memberColumns+` FROM campaign_members WHERE id = ?`, id)
}

// MemberOf gives a creator's membership of a campaign; NotFound when there is none.
func (q queries) MemberOf(ctx context.Context, campaign affiliate.CampaignID,
	creator affiliate.CreatorID) (affiliate.CampaignMember, error) {
	return getOne[memberRow](ctx, q, named("such member"), `SELECT `+memberColumns+` FROM campaign_members WHERE campaign_id = ? AND creator_id = ?`,
		campaign, creator)
}

// MemberFilter narrows a list of members; zero fields do not.
type MemberFilter struct {
	Campaign affiliate.CampaignID
	Creator  affiliate.CreatorID
}

// Members lists members of campaigns by id, removed ones included.
func (q queries) Members(ctx context.Context, m MemberFilter, p Page) ([]affiliate.CampaignMember, string, error) {
	var f Filter
	if m.Campaign != 0 {
		f.And("campaign_id = ?", m.Campaign)
	}
	if m.Creator != 0 {
		f.And("creator_id = ?", m.Creator)
	}
	return listPage[memberRow](ctx, q, `SELECT `+memberColumns+` FROM campaign_members`, f, byID, p)
}

// CreateMember makes a creator a member of a campaign. Conflict when they are or were one.
func (tx *Tx) CreateMember(ctx context.Context, m affiliate.CampaignMember) (affiliate.CampaignMember, error) {
	m.Version = 1
	err := tx.Get(ctx, &m.ID, `INSERT INTO campaign_members (campaign_id, creator_id, product_value, product_currency, version, created_at, updated_at)
		VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT (campaign_id, creator_id) DO NOTHING RETURNING id`,
		m.CampaignID, m.CreatorID, m.ProductValue, m.ProductCurrency, At(m.CreatedAt), At(m.UpdatedAt))
	return m, taken(err, "creator", "%s is or was a member of %s already; a removed member can be restored",
		m.CreatorID, m.CampaignID)
}

// SaveMember writes a member that was read as m.Version.
func (tx *Tx) SaveMember(ctx context.Context, m affiliate.CampaignMember) (affiliate.CampaignMember, error) {
	err := tx.movingFormer(ctx, ` WHERE m.id = ?`, int64(m.ID), func() error {
		return tx.update(ctx, m.ID, `UPDATE campaign_members SET product_value = ?, product_currency = ?, removed_at = ?, updated_at = ?,
			version = version + 1 WHERE id = ? AND version = ?`,
			m.ProductValue, m.ProductCurrency, At(m.RemovedAt), At(m.UpdatedAt), m.ID, m.Version)
	})
	m.Version++
	return m, err
}
