package app_test

import (
	"testing"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// TestCatalog_invisible: what nobody can see is taken away from all that comes in, also when something is changed.
func TestCatalog_invisible(t *testing.T) {
	const unseen = "\u200b"
	eachDesk(t, func(d *desk) {
		added, err := d.AddStore(d.ctx, app.NewStore{Platform: woocommerce.Name, Slug: unseen + "shop",
			Name: "Shop" + unseen, Domain: "shop.example" + unseen, Currency: "EUR", Timezone: "Europe/Berlin"})
		if must(d, added, err); added.Slug != "shop" || added.Name != "Shop" || added.Domain != "shop.example" {
			d.Errorf("store %+q %+q %+q", added.Slug, added.Name, added.Domain)
		}
		campaign := campaignOf(d)(d.AddCampaign(d.ctx, affiliate.Campaign{Name: "Spr" + unseen + "ing"}))
		campaign = campaignOf(d)(d.ChangeCampaign(d.ctx, campaign.ID, app.AnyVersion,
			func(c *affiliate.Campaign) error {
				c.Name = "Spring\u00a0👩‍👧" + unseen
				return nil
			}))
		if campaign.Name != "Spring 👩‍👧" {
			d.Errorf("campaign %+q", campaign.Name)
		}
		om := d.promoter("Anna")
		creator, err := d.ChangeCreator(d.ctx, om.CreatorID, app.AnyVersion, func(c *affiliate.Creator) error {
			c.Name, c.Email = "\ufeffAnna", "\u202aAnna.K+shop@GoogleMail.com\u202c"
			c.Handles = map[string]string{affiliate.Instagram: "\u2068@anna\u2069"}
			return nil
		})
		// The address stays as it was given, since mail goes there; only its hash is folded.
		if must(d, creator, err); creator.Name != "Anna" || creator.Email != "Anna.K+shop@GoogleMail.com" ||
			creator.Handles[affiliate.Instagram] != "anna" || creator.EmailHash != d.EmailHash("annak@gmail.com") {
			d.Errorf("creator %+v", creator)
		}
		offer, err := d.ChangeOffer(d.ctx, om.OfferID, app.AnyVersion, func(o *affiliate.Offer) error {
			o.Name = "Ten\u00ad"
			o.SetRule(1100, 0)
			return nil
		})
		if must(d, offer, err); offer.Name != "Ten" {
			d.Errorf("offer %+q", offer.Name)
		}
		code, err := d.AddCode(d.ctx, app.NewCode{OfferMember: om.ID, Store: added.ID, Code: "ZW10" + unseen})
		if must(d, code, err); code.Code.Code != "ZW10" {
			d.Errorf("code %+q", code.Code.Code)
		}
		link, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: om.ID, Slug: "An" + unseen + "na",
			LandingURL: unseen + "https://shop.example/"})
		if must(d, link, err); link.Slug != "anna" || link.LandingURL != "https://shop.example/" {
			d.Errorf("link %+q %+q", link.Slug, link.LandingURL)
		}
	})
}

// TestAddCode_nonsense: what is surely no code is refused.
func TestAddCode_nonsense(t *testing.T) {
	eachDesk(t, func(d *desk) {
		store, om := d.store("shop"), d.promoter("Anna")
		add := func(code string) error {
			_, err := d.AddCode(d.ctx, app.NewCode{OfferMember: om.ID, Store: store.ID, Code: code})
			return err
		}
		d.want(add("#N/A"), affiliate.Invalid, "code", "#N/A", "formula")
		d.want(add("ANNA10, ANNA15"), affiliate.Invalid, "code", "holds 2 codes", "by itself")
		if err := add("summer sale & more"); err != nil {
			d.Error(err)
		}
	})
}

// TestAssignCode_with_a_comma: a code that an order carries is one, whatever it looks like.
func TestAssignCode_with_a_comma(t *testing.T) {
	eachRig(t, func(r *rig) {
		_, err := r.app.AssignCode(r.asOwner(), r.assignment(0, "A,B"), nil)
		if affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("nobody has seen A,B: %v", err)
		}
		r.applyAll(withCodes("1", "A,B", nil))
		if got := r.assign(r.assignment(0, "a,b")); got.Credited != 1 {
			t.Errorf("%+v", got)
		}
	})
}
