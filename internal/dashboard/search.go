package dashboard

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

func searchRoutes() []route {
	return []route{{http.MethodGet, "/search", signedIn, (*request).searchPage}}
}

// How many of a kind a search shows: as somebody types, and on its page.
const (
	fewFound  = 6
	pageFound = 20
)

// longestSearch is more than any name or number; what follows is not looked for.
const longestSearch = 100

// found is one thing that a search shows.
type found struct {
	Title   string
	About   string // what tells it from others of its kind
	Address string
}

// foundGroup are the things of one kind.
type foundGroup struct {
	Key   string // for ids: "orders"
	Title string
	Icon  string
	List  []found
	All   string // the address of the list with all that have the text somewhere; empty without such a list
}

type searchPage struct {
	layout
	Text   string
	Groups []foundGroup // those in which something was found
}

// searchPage looks for a text in all that has a name or number. The part "found" is what is shown as somebody types.
func (r *request) searchPage() error {
	text := strings.Join(strings.Fields(affiliate.Clean(r.Query("q"))), " ")
	if letters := []rune(text); len(letters) > longestSearch {
		text = string(letters[:longestSearch])
	}
	n := pageFound
	if r.Query("part") != "" {
		n = fewFound
	}
	p := searchPage{layout: r.layout("Search", "search"), Text: text}
	if text != "" {
		p.Title = "Search for " + text
		var err error
		if p.Groups, err = r.search(text, n); err != nil {
			return err
		}
	}
	if pages := r.pagesNamed(text); len(pages) > 0 && (text != "" || r.Query("part") != "") {
		p.Groups = append(p.Groups, foundGroup{Key: "pages", Title: "Pages", Icon: "list", List: pages})
	}
	p.Groups = slices.DeleteFunc(p.Groups, func(g foundGroup) bool { return len(g.List) == 0 })
	return r.show("search.html", &p)
}

// search looks for a text in each kind of thing, and gives at most n of each.
func (r *request) search(text string, n int) ([]foundGroup, error) {
	ctx, db := r.Request.Context(), r.d.App.DB
	with := func(list string) string { return list + "?q=" + url.QueryEscape(text) }
	groups := []foundGroup{
		{Key: "orders", Title: "Orders", Icon: "order", All: with("/orders") + "&period=all_time"},
		{Key: "creators", Title: "Creators", Icon: "people", All: with("/creators")},
		{Key: "codes", Title: "Codes", Icon: "tag"},
		{Key: "links", Title: "Links", Icon: "link"},
		{Key: "campaigns", Title: "Campaigns", Icon: "campaign", All: with("/campaigns")},
		{Key: "offers", Title: "Offers", Icon: "tag"},
	}
	orders, err := db.OrdersNamed(ctx, text, n)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		groups[0].List = append(groups[0].List, r.searchedOrder(o))
	}
	creators, err := db.CreatorsNamed(ctx, text, n)
	if err != nil {
		return nil, err
	}
	for _, c := range creators {
		groups[1].List = append(groups[1].List, searchedCreator(c))
	}
	codes, err := db.CodesNamed(ctx, text, n)
	if err != nil {
		return nil, err
	}
	for _, c := range codes {
		groups[2].List = append(groups[2].List, found{c.Text, searchedOwner(c), memberAddress(c.Campaign, c.Member)})
	}
	links, err := db.LinksNamed(ctx, text, n)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		groups[3].List = append(groups[3].List, found{l.Text, searchedOwner(l), linkAddress(l.Link)})
	}
	campaigns, err := db.CampaignsNamed(ctx, text, n)
	if err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		groups[4].List = append(groups[4].List, found{c.Name, titled(string(c.Status)), campaignAddress(c.ID)})
	}
	groups[5].List, err = r.searchedOffers(text, n)
	return groups, err
}

func (r *request) searchedOrder(o storage.OrderRow) found {
	line := r.orderLine(o)
	about := []string{moneyText(o.Value, o.Currency), titled(string(o.Status)), line.Date, o.Store}
	if c := o.Conversion; c != nil {
		about = append([]string{c.Creator}, about...)
	}
	return found{"Order " + line.Number, strings.Join(about, " · "), line.Address}
}

func searchedCreator(c affiliate.Creator) found {
	var about []string
	for _, network := range slices.Sorted(maps.Keys(c.Handles)) {
		about = append(about, "@"+strings.TrimPrefix(c.Handles[network], "@"))
	}
	if c.Email != "" {
		about = append(about, c.Email)
	}
	if !c.RemovedAt.IsZero() {
		about = append(about, "left the community")
	}
	return found{c.Name, strings.Join(about, " · "), creatorAddress(c.ID)}
}

// searchedOwner says whose a code or link is.
func searchedOwner(o storage.Owned) string {
	about := []string{o.Creator, o.Named}
	if o.Store != "" {
		about = append(about, o.Store)
	}
	if o.Ended {
		about = append(about, "ended")
	}
	return strings.Join(about, " · ")
}

// searchedOffers finds offers by their names.
func (r *request) searchedOffers(text string, n int) (list []found, err error) {
	offers, err := r.d.App.DB.OffersNamed(r.Request.Context(), text, n)
	if err != nil {
		return nil, err
	}
	var ids []affiliate.CampaignID
	for _, o := range offers {
		ids = append(ids, o.CampaignID)
	}
	campaigns, err := r.d.App.DB.CampaignsOf(r.Request.Context(), ids)
	if err != nil {
		return nil, err
	}
	names := map[affiliate.CampaignID]string{}
	for _, c := range campaigns {
		names[c.ID] = c.Name
	}
	for _, o := range offers {
		list = append(list, found{o.Name, names[o.CampaignID] + " · " + titled(string(o.Status)), offerAddress(o)})
	}
	return list, nil
}

// searchedPages are pages that a search finds by the beginnings of these words.
var searchedPages = []struct{ title, words, address string }{
	{"Sales tracking", "home overview dashboard figures sales", "/"},
	{"Campaigns", "", "/campaigns"},
	{"New campaign", "add create", "/campaigns/new"},
	{"Add an offer", "new create promo code sales link", "/offers/new"},
	{"Creators", "community influencers affiliates", "/creators"},
	{"New creator", "add create", "/creators/new"},
	{"Import creators", "csv file codes upload", "/creators/import"},
	{"Orders", "", "/orders"},
	{"Payouts", "pay commissions due payments", "/payouts"},
	{"Mail", "e-mails mailings messages inbox newsletters", "/mail"},
	{"New mailing", "mail e-mail write send message", "/mail/new"},
	{"Texts of mails", "e-mail templates wording", "/mail/texts"},
	{"Who gets no mail", "e-mail unsubscribed bounced suppressions", "/mail/suppressions"},
	{"Stores", "shops webhooks deliveries", "/stores"},
	{"Connect a store", "new add shop", "/stores/new"},
	{"First steps", "start setup onboarding", "/start"},
	{"Settings", "currency time zone brand attribution account", "/settings"},
	{"People", "users roles colleagues settings", "/settings/people"},
	{"API tokens", "keys programs settings", "/settings/tokens"},
	{"Audit log", "history changes settings", "/settings/audit"},
	{"Your account", "password profile", "/account"},
	{"Second factor", "security two-factor 2fa authenticator password", "/account/second-factor"},
}

// pagesNamed gives the pages that somebody may open of which each word of a text begins a word; all without a text.
func (r *request) pagesNamed(text string) (list []found) {
	wanted, routes := strings.Fields(strings.ToLower(text)), r.d.routes()
	for _, p := range searchedPages {
		words := strings.Fields(strings.ToLower(p.title + " " + p.words))
		fits := !slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, w) })
		})
		if fits && r.mayOpen(routes, p.address) {
			list = append(list, found{Title: p.title, Address: p.address})
		}
	}
	return list
}

// mayOpen says whether routes let who asks open a page.
func (r *request) mayOpen(routes []route, address string) bool {
	return slices.ContainsFunc(routes, func(route route) bool {
		return route.method == http.MethodGet && route.path == address && (route.access == anybody ||
			route.access == signedIn || r.may(affiliate.Permission(route.access)))
	})
}
