package storage

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// campaignRow is a campaign with what only its table says.
type campaignRow struct {
	affiliate.Campaign
	Folded string
}

var (
	campaignTable   = tableOf[campaignRow]("campaigns", "window_days", "precedence", "click_rule")
	campaignColumns = columnsOf[affiliate.Campaign]()
)

// Campaign gives one campaign; NotFound when there is none.
func (q queries) Campaign(ctx context.Context, id affiliate.CampaignID) (affiliate.Campaign, error) {
	return getOne[affiliate.Campaign](ctx, q, id, `SELECT `+campaignColumns.of("")+` FROM campaigns WHERE id = ?`, id)
}

// CampaignByName gives the campaign of a name, however it is written; NotFound when there is none.
func (q queries) CampaignByName(ctx context.Context, name string) (affiliate.Campaign, error) {
	return getOne[affiliate.Campaign](ctx, q, named("campaign "+name), `SELECT `+campaignColumns.of("")+`
		FROM campaigns WHERE folded = ?`, affiliate.FoldName(name))
}

// Campaigns lists campaigns by name, ended ones included.
func (q queries) Campaigns(ctx context.Context, p Page) ([]affiliate.Campaign, string, error) {
	rows, next, err := paged[campaignRow](ctx, q, `SELECT `+campaignColumns.of("")+`, folded FROM campaigns`, Filter{},
		byText("folded", "id"), p)
	list := make([]affiliate.Campaign, len(rows))
	for i, row := range rows {
		list[i] = row.Campaign
	}
	return list, next, err
}

// CreateCampaign writes a new campaign. Conflict when the name is taken.
func (tx *Tx) CreateCampaign(ctx context.Context, c affiliate.Campaign) (affiliate.Campaign, error) {
	c.Version = 1
	row := campaignRow{c, affiliate.FoldName(c.Name)}
	err := campaignTable.create(ctx, tx, row, &c.ID, "ON CONFLICT (folded) DO NOTHING")
	return c, taken(err, "name", "there is a campaign %q already", c.Name)
}

// SaveCampaign writes a campaign that was read as c.Version. Conflict when the name is taken, or somebody was faster.
func (tx *Tx) SaveCampaign(ctx context.Context, c affiliate.Campaign) (affiliate.Campaign, error) {
	other, err := tx.CampaignByName(ctx, c.Name)
	if err := notTaken(err, other.ID != c.ID, "name", "there is a campaign %q already", c.Name); err != nil {
		return c, err
	}
	err = campaignTable.save(ctx, tx, campaignRow{c, affiliate.FoldName(c.Name)})
	c.Version++
	return c, err
}

var (
	memberTable   = tableOf[affiliate.CampaignMember]("campaign_members").keeping("campaign_id", "creator_id")
	memberColumns = columnsOf[affiliate.CampaignMember]()
)

// Member gives one member of a campaign; NotFound when there is none.
func (q queries) Member(ctx context.Context, id affiliate.MemberID) (affiliate.CampaignMember, error) {
	return getOne[affiliate.CampaignMember](ctx, q, id, `SELECT `+memberColumns.of("")+` FROM campaign_members WHERE id = ?`, id)
}

// MemberOf gives a creator's membership of a campaign; NotFound when there is none.
func (q queries) MemberOf(ctx context.Context, campaign affiliate.CampaignID,
	creator affiliate.CreatorID) (affiliate.CampaignMember, error) {
	return getOne[affiliate.CampaignMember](ctx, q, named("such member"), `SELECT `+memberColumns.of("")+` FROM campaign_members WHERE campaign_id = ? AND creator_id = ?`,
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
	return paged[affiliate.CampaignMember](ctx, q, `SELECT `+memberColumns.of("")+` FROM campaign_members`, f, byID, p)
}

// CreateMember makes a creator a member of a campaign. Conflict when they are or were one.
func (tx *Tx) CreateMember(ctx context.Context, m affiliate.CampaignMember) (affiliate.CampaignMember, error) {
	m.Version = 1
	err := memberTable.create(ctx, tx, m, &m.ID, "ON CONFLICT (campaign_id, creator_id) DO NOTHING")
	const text = "%s is or was a member of %s already; a removed member can be restored"
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.ForPeople(affiliate.ConflictErrorf("creator", text, m.CreatorID, m.CampaignID),
			fmt.Sprintf(text, "the creator", "the campaign"))
	}
	return m, err
}

// SaveMember writes a member that was read as m.Version.
func (tx *Tx) SaveMember(ctx context.Context, m affiliate.CampaignMember) (affiliate.CampaignMember, error) {
	err := tx.movingFormer(ctx, ` WHERE m.id = ?`, int64(m.ID), func() error {
		return memberTable.save(ctx, tx, m)
	})
	m.Version++
	return m, err
}
