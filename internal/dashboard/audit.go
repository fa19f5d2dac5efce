package dashboard

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func auditRoutes() []route {
	return []route{{http.MethodGet, "/settings/audit", may(affiliate.MayAdminister), (*request).auditPage}}
}

type auditPage struct {
	settingsLayout
	Entries []auditLine
	Pager   pager
	Kinds   []choice
	Kind    string // chosen; empty for all
	Actors  []choice
	Actor   string // chosen; empty for all
	Subject string // id of the one thing that is shown; empty for all
	About   string // what Subject is called
	All     string // address without a subject
}

// auditLine is one change in words: who did what to what, and what was different before.
type auditLine struct {
	ID      int64
	At      string
	Actor   string
	Did     string // "changed the campaign"
	Name    string // of the thing; empty for the account
	Page    string // address that shows the thing, or empty
	Only    string // address of what was done to this thing
	Changes []auditChange
}

// auditChange is one property. Before and After are empty for nothing; What is said alone where values are kept secret.
type auditChange struct {
	What, Before, After string
	Added               bool // there was nothing before, of anything
}

func (r *request) auditPage() error {
	ctx := r.Request.Context()
	f := storage.AuditFilter{Subject: strings.TrimSpace(r.Query("subject")), Actor: r.Query("actor")}
	p := auditPage{settingsLayout: r.settingsLayout("Audit log", "Audit log"), Kinds: auditKinds, Actor: f.Actor,
		Subject: f.Subject, All: r.with("subject", "")}
	if i := slices.IndexFunc(auditKinds, func(k choice) bool {
		return k.Value == r.Query("kind")
	}); i >= 0 && f.Subject == "" {
		p.Kind = auditKinds[i].Value
		f.Kind = p.Kind
	}
	records, next, err := r.d.App.DB.NewestAudit(ctx, f, r.page())
	if err != nil {
		return err
	}
	if p.Actors, err = r.actors(f.Actor); err != nil {
		return err
	}
	entries := make([]auditRecord, len(records))
	ids := []string{f.Subject}
	for i, record := range records {
		if entries[i], err = readRecord(record); err != nil {
			return err
		}
		ids = append(ids, entries[i].ids()...)
	}
	words, err := r.d.App.DB.WordsFor(ctx, ids)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p.Entries = append(p.Entries, r.auditLine(e, words))
	}
	p.About = subjectText(f.Subject, words)
	p.Pager = r.pager(next)
	return r.show("audit.html", &p)
}

// actors are the people whose entries can be chosen, and whoever is chosen.
func (r *request) actors(chosen string) ([]choice, error) {
	people, err := storage.All(func(p storage.Page) ([]affiliate.User, string, error) {
		return r.d.App.DB.Users(r.Request.Context(), p)
	})
	if err != nil {
		return nil, err
	}
	list := []choice{{"command line", "The command line"}, {"system", "The system itself"}}
	for _, u := range people {
		list = append(list, choice{u.Principal().Name, u.Name})
	}
	if chosen != "" && !slices.ContainsFunc(list, func(c choice) bool { return c.Value == chosen }) {
		list = append(list, choice{chosen, actorText(chosen)})
	}
	return list, nil
}

// auditKinds are the kinds of things that the log can be narrowed to, by what their ids begin with.
var auditKinds = []choice{{"account", "Settings"}, {"usr_", "People"}, {"tok_", "API tokens"}, {"str_", "Stores"},
	{"job_", "Runs with stores"},
	{"cmp_", "Campaigns"}, {"mem_", "Campaign members"}, {"off_", "Offers"}, {"ofm_", "Offer members"},
	{"cod_", "Codes"}, {"cru_", "Code runs"}, {"lnk_", "Links"}, {"cre_", "Creators"}, {"cnv_", "Conversions"},
	{"pay_", "Payouts"},
	{"rrl_", "Reward rules"}, {"rwd_", "Rewards"}, {"ebt_", "Entries by hand"},
	{"run_", "Payout runs"}, {"cst_", "Costs"}, {"snd_", "Mailings"}, {"mai_", "Mails"},
	{mailTextSubject, "Texts of mails"}}

// mailTextSubject begins how the log names what mails of a purpose say.
const mailTextSubject = "mail_text_"

// auditRecord is an entry with its two sides read.
type auditRecord struct {
	storage.AuditRecord
	before, after map[string]any
}

func readRecord(r storage.AuditRecord) (e auditRecord, err error) {
	e.AuditRecord = r
	if e.before, err = readFacts(r.Before); err == nil {
		e.after, err = readFacts(r.After)
	}
	if err != nil {
		err = fmt.Errorf("read entry %d of the audit log: %w", r.ID, err)
	}
	return e, err
}

func readFacts(text string) (facts map[string]any, err error) {
	if text == "" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber() // amounts are whole numbers of any size
	return facts, d.Decode(&facts)
}

// ids are all that the entry names.
func (e auditRecord) ids() []string {
	ids := []string{e.Subject}
	for _, side := range []map[string]any{e.before, e.after} {
		for _, v := range side {
			if text, ok := v.(string); ok {
				ids = append(ids, text)
			}
		}
	}
	return ids
}

func (r *request) auditLine(e auditRecord, words map[string]storage.Word) auditLine {
	line := auditLine{ID: e.AuditRecord.ID, At: r.moment(e.At.Time), Actor: actorText(e.Actor), Did: deed(e.Action)}
	if e.Subject != "account" && e.Action != "user.sign_in" {
		line.Name, line.Page = subjectText(e.Subject, words), pageOf(words[e.Subject].Page)
		if purpose, ok := strings.CutPrefix(e.Subject, mailTextSubject); ok {
			line.Page = mailTextAddress(affiliate.MailPurpose(purpose))
		}
	}
	if r.Query("subject") == "" {
		line.Only = r.with("subject", e.Subject, "kind", "")
	}
	keys := slices.Sorted(maps.Keys(e.after))
	for key := range e.before {
		if _, both := e.after[key]; !both {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		c := auditChange{What: factName(key), Before: r.factText(key, e.before, words), After: r.factText(key, e.after,
			words), Added: e.before == nil}
		if c.Before == c.After || key == "rule_version" || c.Added &&
			(c.After == line.Name || isNothing(e.after[key]) || e.tellsCurrency(key)) {
			continue
		}
		if key == "secret" { // its id says nothing to people
			continue
		}
		if key == "email_hash" { // nor does the hash
			c.Before, c.After = "", ""
		}
		line.Changes = append(line.Changes, c)
	}
	slices.SortStableFunc(line.Changes, func(a, b auditChange) int { return strings.Compare(a.What, b.What) })
	return line
}

// subjectText is what something is called that an entry is about.
func subjectText(id string, words map[string]storage.Word) string {
	if purpose, ok := strings.CutPrefix(id, mailTextSubject); ok {
		return mailPurposes[affiliate.MailPurpose(purpose)].Title
	}
	if noun := affiliate.NounOf(id); noun != "" && words[id].Name == "" {
		return "a " + noun + " that is no longer there"
	}
	return cmp.Or(words[id].Name, id)
}

// moreDeliveries is how the log ends a list of many.
var moreDeliveries = regexp.MustCompile(` and ([0-9]+) more$`)

// deliveriesText counts the deliveries that the log names by id: "2 deliveries".
func deliveriesText(list string) string {
	n := strings.Count(list, "dlv_")
	if more := moreDeliveries.FindStringSubmatch(list); more != nil {
		rest, _ := strconv.Atoi(more[1])
		n += rest
	}
	return counted(int64(n), "delivery", "deliveries")
}

// isNothing says whether a value of something new tells that nothing was said.
func isNothing(v any) bool { return v == json.Number("0") || v == false }

// tellsCurrency says whether a property is the currency of an amount that is told with it.
func (e auditRecord) tellsCurrency(key string) bool {
	for name := range e.after {
		if currencyFact(name) == key {
			return true
		}
	}
	return false
}

// pageOf gives the address that shows a thing, by its id.
func pageOf(id string) string {
	for prefix, path := range map[string]string{"cmp_": "/campaigns/", "cre_": "/creators/", "str_": "/stores/",
		"ord_": "/orders/", "usr_": "/settings/people/", "lnk_": "/links/", "pay_": "/payouts/",
		"run_": "/payouts/runs/", "cru_": "/code-runs/", "snd_": "/mail/"} {
		if strings.HasPrefix(id, prefix) {
			return path + id
		}
	}
	return ""
}

// deeds are actions that general words would tell badly.
var deeds = map[string]string{
	"user.sign_in": "signed in", "user.add": "made an account for", "user.change": "changed the account of",
	"user.password": "set a new password for", "user.sign_out_elsewhere": "signed out all other devices of",
	"user.second_factor_on":        "switched the second factor on for",
	"user.second_factor_off":       "switched the second factor off for",
	"user.recovery_codes":          "made new recovery codes for",
	"user.recovery_code":           "signed in with a recovery code of",
	"offer.commission_drop":        "took back a planned commission of the offer",
	"offer_member.commission":      "changed the commission of the offer member",
	"offer_member.commission_drop": "took back a planned commission of the offer member",
	"offer_member.activate":        "made active again the offer member",
	"settings.set":                 "changed the settings", "account.rebuild": "had all sums of reports computed anew",
	"code.credit_orders": "credited earlier orders to the code",
	"code.dismiss":       "said that codes are no creator's in the store",
	"code.restore":       "asks again whose codes are in the store",
	"code_run.start":     "started the code run", "code_run.cancel": "canceled the code run",
	"code_run.retry":   "tried again what failed in the code run",
	"code_run.draft":   "drafted the code run",
	"coupon.accept":    "took a code as it is for right in the store",
	"code.halt":        "deactivated the code",
	"code.resume":      "activated the code",
	"code.discount":    "changed what is given by the code",
	"code.typed":       "said that it was done by hand in the store for the code",
	"store.secret.add": "added a secret of the store", "store.secret.end": "ended a secret of the store",
	"delivery.set_aside":   "set deliveries aside of the store",
	"delivery.put_back":    "put back deliveries among the failed ones of the store",
	"store.notice.dismiss": "took away a notice of the store",
	"store.secret.rotate":  "gave the webhooks a new secret in the store",
	"store.webhooks.make":  "made webhooks in the store",
	"store.access.add":     "connected the API of the store", "store.access.change": "exchanged the keys of the store",
	"store.access.end":      "disconnected the API of the store",
	"store.job.add":         "began a run with the API of the store",
	"store.job.change":      "changed a run with the API of the store",
	"store.add":             "connected the store",
	"store.statuses":        "decided what statuses mean in the store",
	"store.warning.dismiss": "took away the warning of the store",
	"conversion.undo":       "took back the rejection of the conversion of order",
	"conversion.reject":     "rejected the conversion of order",
	"conversion.keep":       "kept the credit as it is of order",
	"conversion.release":    "released the conversion of order", "payout.issue": "issued a payout to",
	"reward.approve": "approved the reward", "reward.reject": "rejected the reward",
	"reward.wait": "put back the decision about the reward", "reward.give": "noted as given the reward",
	"entry_batch.post": "posted by hand to the ledger",
	"payout.cancel":    "canceled a payout to", "payout.turn": "took note of what became of a payout to",
	"mailing.send": "sent the mailing", "mailing.cancel": "canceled the rest of the mailing",
	"mail.retry":           "tried again the mail to",
	"mail.suppress":        "stopped mails to",
	"mail.allow":           "allowed mails again to",
	"mail_text.save":       "changed the text of mails for",
	"mail_text.reset":      "took up the usual text again of mails for",
	"mail_text.test":       "sent a test mail for",
	"payout_part.download": "downloaded the payment file", "result_file.read": "read the file of results",
	"payout_run.send": "confirmed the payout run", "payout_run.cancel": "canceled the payout run",
	"payout_run.record": "recorded the payout run",

	"payment_details.set":    "said where to pay",
	"payment_details.remove": "took away where to pay",
	"statements.issue":       "issued statements",
}

// deedNouns and deedVerbs tell the other actions, such as campaign.change.
var (
	deedNouns = map[string]string{"campaign": "the campaign", "creator": "the creator", "member": "the campaign member",
		"offer": "the offer", "offer_member": "the offer member", "code": "the code", "link": "the link",
		"reward_rule": "the reward rule",
		"cost":        "the cost", "store": "the store", "token": "the API token"}
	deedVerbs = map[string]string{"add": "added", "change": "changed", "end": "ended", "remove": "removed",
		"restore": "brought back"}
)

// deed tells an action in the past tense, to be followed by what it was done to.
func deed(action string) string {
	if words := deeds[action]; words != "" {
		return words
	}
	noun, verb, _ := strings.Cut(action, ".")
	if deedNouns[noun] != "" && deedVerbs[verb] != "" {
		return deedVerbs[verb] + " " + deedNouns[noun]
	}
	return strings.NewReplacer(".", " ", "_", " ").Replace(action)
}

// factNames are properties whose names in the log are not plain enough, besides the account's settings.
var factNames = map[string]string{"email_hash": "e-mail address", "email": "e-mail",
	"disabled_at": "disabled since", "ended_at": "ended", "removed_at": "removed", "inactive_since": "inactive since",
	"starts_at": "starts", "ends_at": "ends", "valid_from": "valid from", "valid_to": "valid until",
	"commission_from": "commission from", "commission_percent": "commission in percent",
	"commission_flat": "commission per order",
	"override":        "own commission", "landing_url": "landing page",
	"rule_version": "version of the commission rule", "slug": "name in addresses",
	"orders": "orders credited", "first": "first order", "last": "last order", "released": "released by hand",
	"missing": "not allowed to", "domain": "address", "parts": "orders with a parent",
	"trigger": "earned by", "count": "conversions", "threshold": "sales", "discount": "what the code gives",
	"given_at": "given", "may_pay": "may send payments", "offer_member": "member",
	"from_number": "from number", "to_number": "to number", "from": "orders from", "to": "orders before"}

// choiceFacts are properties whose values are words of ours, with _ for spaces, besides settings with choices.
var choiceFacts = []string{"parts", "type", "reason", "trigger", "kind", "decision", "approval", "purpose"}

func factName(key string) string {
	return cmp.Or(factNames[key], accountSettings[key].Name, strings.ReplaceAll(key, "_", " "))
}

// factText tells one property of a side of an entry; empty for nothing.
func (r *request) factText(key string, side map[string]any, words map[string]storage.Word) string {
	currency, inMoney := side[currencyFact(key)].(string)
	switch v := side[key].(type) {
	case string:
		if inMoney {
			return money.Marked(v) + " " + currency
		}
		if w := words[v]; w.Name != "" {
			return w.Name
		}
		if key == "deliveries" {
			return deliveriesText(v)
		}
		if noun := affiliate.NounOf(v); noun != "" {
			return "a " + noun + " that is no longer there"
		}
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return r.moment(t)
		}
		if accountSettings[key].Kind == affiliate.SettingChoices || slices.Contains(choiceFacts, key) {
			return strings.ReplaceAll(v, "_", " ")
		}
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case json.Number:
		if n, err := v.Int64(); inMoney && err == nil {
			return moneyText(n, money.Currency(currency))
		}
		if key == "attribution_window_days" && isNothing(v) {
			return "the account's"
		}
		return v.String()
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if text := r.factText(k, v, words); text != "" {
				parts = append(parts, factName(k)+" "+text)
			}
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// currencyFacts are properties that are amounts, with the property that tells their currency, besides settings. Whole
// numbers are minor units.
var currencyFacts = map[string]string{"commission": "currency", "amount": "currency",
	"product_value": "product_currency", "threshold": "currency"}

// currencyFact is the property that tells the currency of another; empty for what is no amount.
func currencyFact(key string) string {
	if accountSettings[key].Kind == affiliate.SettingAmount {
		return "currency"
	}
	return currencyFacts[key]
}
