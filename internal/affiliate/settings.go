package affiliate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Settings are those of the account, the brand that runs this server.
type Settings struct {
	Name          string         `json:"name"`
	Currency      money.Currency `json:"currency"` // of totals, commissions, ledger and payouts
	Timezone      string         `json:"timezone"` // IANA name; report days are its local days
	WindowDays    int            `json:"attribution_window_days"`
	Precedence    Precedence     `json:"precedence"`
	ClickRule     ClickRule      `json:"click_rule"`
	Renewals      RenewalRule    `json:"renewals"`
	UTM           UTMRule        `json:"utm"`            // of links that have no rule of their own; never UTMAccount
	HoldDays      int            `json:"hold_days"`      // before a commission is payable
	MinimumPayout int64          `json:"minimum_payout"` // minor units of Currency
	// ReservedCodes are words that no creator's code may be, nor with a number behind it, with commas between them.
	ReservedCodes string `json:"reserved_codes"`
	MailPerMinute int    `json:"mail_per_minute"` // mails to creators, at most
	// DetailsHoldDays is how long nothing is paid to changed payment details.
	DetailsHoldDays int          `json:"details_hold_days"`
	SEPAName        string       `json:"sepa_name"`    // holder of the account that SEPA files pay from; empty: Name
	SEPAAccount     string       `json:"sepa_account"` // its IBAN; empty: there are no SEPA files
	SEPABank        string       `json:"sepa_bank"`    // its BIC; may be empty
	SEPAVersion     PainVersion  `json:"sepa_version"`
	WiseCurrency    string       `json:"wise_currency"` // of the balance at Wise; empty: that of the payments
	PayPalComma     DecimalPoint `json:"paypal_decimals"`
}

// PainVersion is the version of SEPA files (ISO 20022).
type PainVersion string

// Words lists the versions there are.
func (PainVersion) Words() []PainVersion { return []PainVersion{Pain09, Pain03} }

// DecimalPoint is how amounts are written in files for PayPal's page.
type DecimalPoint string

// How amounts are written.
const (
	DecimalsPoint DecimalPoint = "point"
	DecimalsComma DecimalPoint = "comma"
)

// Words lists the ways there are.
func (DecimalPoint) Words() []DecimalPoint { return []DecimalPoint{DecimalsPoint, DecimalsComma} }

// ReservedWords are the words of ReservedCodes, for ReservedCode.
func (s Settings) ReservedWords() []string { return CommaList(s.ReservedCodes) }

// RenewalRule says who may be credited with the renewal of a subscription: the orders that follow its first one.
type RenewalRule string

const (
	// RenewalsOwnCode: whoever owns a code on the renewal itself. The trace of a link on it is a copy from the first
	// order and credits nobody.
	RenewalsOwnCode RenewalRule = "own_code"
	// RenewalsFirstOnly: nobody; a subscription counts once.
	RenewalsFirstOnly RenewalRule = "first_only"
)

// Words lists the rules there are.
func (RenewalRule) Words() []RenewalRule { return []RenewalRule{RenewalsOwnCode, RenewalsFirstOnly} }

// DefaultSettings are those of a fresh account.
func DefaultSettings() Settings {
	return Settings{Name: "My brand", Currency: "USD", Timezone: "UTC", WindowDays: DefaultWindowDays,
		Precedence: CodeFirst, ClickRule: LastClick, Renewals: RenewalsOwnCode, UTM: UTMOn,
		ReservedCodes: "ADMIN, TEST, FREE, SALE, DISCOUNT, WELCOME, NULL, UNDEFINED",
		MailPerMinute: 60, DetailsHoldDays: 3, SEPAVersion: Pain09, PayPalComma: DecimalsPoint}
}

// MaxHoldDays bounds the hold period.
const MaxHoldDays = 365

// AccountSetting is one of the settings: how it is read and written, and what people read about it.
type AccountSetting struct {
	Key   string
	Group SettingGroup
	Kind  SettingKind
	Label string // of its field
	Hint  string // beside its field
	Fact  string // what its value is the answer to, for those who may not change it
	Said  string // how the value is said then: "%s wins"; empty: as it is
	Name  string // in sentences: "hold in days"
	Help  string // on the command line
	// Beside says that its field stands beside the one before it.
	Beside      bool
	Choices     []Choice
	Least, Most int // of a number
	// Text writes its value as people do; set reads that, and check says what is wrong with it. Errors name the key.
	Text  func(Settings) string
	set   func(*Settings, string) error
	check func(Settings) error
}

// MayBeEmpty says whether nothing is a value of it.
func (a AccountSetting) MayBeEmpty() bool {
	s := DefaultSettings()
	return a.set(&s, "") == nil && (a.check == nil || a.check(s) == nil)
}

// SettingGroup is a part of the page of settings.
type SettingGroup string

// Groups of settings.
const (
	SettingBrand  SettingGroup = "brand"
	SettingCredit SettingGroup = "credit"
	SettingPay    SettingGroup = "pay"
	SettingCodes  SettingGroup = "codes"
	SettingMail   SettingGroup = "mail"
)

// SettingKind says what values a setting has.
type SettingKind string

// Kinds of settings.
const (
	SettingText     SettingKind = "text"
	SettingCurrency SettingKind = "currency"
	SettingZone     SettingKind = "zone"
	SettingDays     SettingKind = "days"
	SettingChoices  SettingKind = "choices"
	SettingAmount   SettingKind = "amount" // in the account's currency
	SettingWords    SettingKind = "words"  // any number of them, with commas between
	SettingNumber   SettingKind = "number"
)

// Choice is one of few values, with what people read for it.
type Choice struct{ Value, Title string }

// PlatformsNeedingUTM stands in texts about settings for the names of the platforms whose stores need utm parameters.
const PlatformsNeedingUTM = "{platforms}"

// AccountSettings are all settings, in the order in which they are listed and set. The currency stands before the
// amounts in it.
func AccountSettings() []AccountSetting {
	return []AccountSetting{
		{Key: "name", Group: SettingBrand, Kind: SettingText, Label: "Name of the brand", Fact: "Name of the brand",
			Hint: "Stands on every page and export.",
			Text: func(s Settings) string { return s.Name },
			set:  func(s *Settings, v string) error { s.Name = v; return nil },
			check: func(s Settings) error {
				if s.Name == "" || len(s.Name) > 200 {
					return FieldErrorf("name", "must have 1 to 200 characters")
				}
				return nil
			}},
		{Key: "currency", Group: SettingBrand, Kind: SettingCurrency, Label: "Currency", Fact: "Currency",
			Hint: "Of totals, commissions and payouts.",
			Help: "of all totals; another one makes figures be computed anew",
			Text: func(s Settings) string { return s.Currency.Code() },
			set:  (*Settings).setCurrency,
			check: func(s Settings) error {
				_, err := ParseCurrency("currency", string(s.Currency))
				return err
			}},
		{Key: "timezone", Group: SettingBrand, Kind: SettingZone, Label: "Time zone", Fact: "Time zone",
			Name: "time zone", Beside: true,
			Hint: "Continent/City. Days of reports begin and end there.",
			Help: "of the days of reports; another one makes figures be computed anew",
			Text: func(s Settings) string { return s.Timezone },
			set:  func(s *Settings, v string) error { s.Timezone = v; return nil },
			check: func(s Settings) error {
				if _, err := LoadZone(s.Timezone); err != nil {
					return FieldErrorf("timezone", "%v", err)
				}
				return nil
			}},
		ofDays(AccountSetting{Key: "attribution_window_days", Group: SettingCredit, Least: MinWindowDays,
			Most: MaxWindowDays, Label: "Attribution window, in days", Fact: "Attribution window",
			Name: "attribution window in days",
			Hint: "How long after a click on a creator's link an order still counts as theirs.",
			Help: "how long after a click an order counts"},
			func(s *Settings) *int { return &s.WindowDays }),
		ofChoices(AccountSetting{Key: "precedence", Group: SettingCredit,
			Label: "An order has a code and a link. Who wins?", Fact: "When an order has a code and a link",
			Said: "%s wins", Help: "what wins where both a code and a link lead to an order"},
			func(s *Settings) *Precedence { return &s.Precedence },
			map[Precedence]string{CodeFirst: "The code", LinkFirst: "The link"}),
		ofChoices(AccountSetting{Key: "click_rule", Group: SettingCredit, Beside: true,
			Label: "There were several clicks. Which one wins?", Fact: "When there were several clicks",
			Said: "%s wins", Help: "which of several clicks within the window wins"},
			func(s *Settings) *ClickRule { return &s.ClickRule },
			map[ClickRule]string{LastClick: "The last click", FirstClick: "The first click"}),
		ofChoices(AccountSetting{Key: "renewals", Group: SettingCredit,
			Label: "A subscription renews. Who is credited?", Fact: "Renewals of subscriptions are credited to",
			Hint: "A renewal carries a copy of its first order's visit, so a link never counts on it. The first " +
				"order is credited like any other.",
			Help: "of a subscription's renewals, those count that carry a creator's code, or none do"},
			func(s *Settings) *RenewalRule { return &s.Renewals },
			map[RenewalRule]string{RenewalsOwnCode: "Whoever owns a code on the renewal",
				RenewalsFirstOnly: "Nobody: only the first order counts"}),
		ofChoices(AccountSetting{Key: "utm", Group: SettingCredit,
			Label: "Links add utm parameters to their landing page", Fact: "Links add utm parameters",
			Name: "utm parameters",
			Hint: PlatformsNeedingUTM + " needs them: without them, whoever has visited the shop before buys " +
				"without a trace of the link. Pages that have utm parameters of their own keep those. A link can say " +
				"otherwise.",
			Help: "whether links add utm parameters to their landing page, which " + PlatformsNeedingUTM + " needs"},
			func(s *Settings) *UTMRule { return &s.UTM },
			map[UTMRule]string{UTMOn: "Yes", UTMOff: "No"}),
		ofDays(AccountSetting{Key: "hold_days", Group: SettingPay, Most: MaxHoldDays, Label: "Hold, in days",
			Fact: "Hold before commissions are paid", Name: "hold in days",
			Hint: "How long a new commission waits before it is due, so that returns come first. 0: due at once.",
			Help: "how long a commission waits before it can be paid"},
			func(s *Settings) *int { return &s.HoldDays }),
		{Key: "minimum_payout", Group: SettingPay, Kind: SettingAmount, Label: "Smallest payout",
			Fact: "Smallest payout", Name: "smallest payout", Beside: true,
			Hint: "Less than this is carried on until more is due. 0: everything can be paid.",
			Help: "what is less is not due yet",
			Text: func(s Settings) string { return money.Format(s.MinimumPayout, s.Currency) },
			set: func(s *Settings, v string) (err error) {
				s.MinimumPayout, err = ParseAmount("minimum_payout", v, s.Currency)
				return err
			},
			check: func(s Settings) error {
				if s.MinimumPayout < 0 || s.MinimumPayout > money.Limit {
					return FieldErrorf("minimum_payout", "must not be negative")
				}
				return nil
			}},
		ofDays(AccountSetting{Key: "details_hold_days", Group: SettingPay, Most: 60,
			Label: "Hold of changed payment details, in days", Fact: "Hold of changed payment details",
			Name: "hold of changed payment details in days",
			Hint: "Whoever gets into a creator's mailbox asks for payouts to another account first. So long nothing " +
				"is paid to changed details, and the creator hears of the change.",
			Help: "how long nothing is paid to payment details that were changed"},
			func(s *Settings) *int { return &s.DetailsHoldDays }),
		ofText(AccountSetting{Key: "sepa_account", Group: SettingPay, Label: "IBAN that SEPA files pay from",
			Fact: "SEPA files pay from", Name: "IBAN of SEPA files",
			Hint: "Of the brand's account in euro. Empty: there are no SEPA files.",
			Help: "IBAN of the account that SEPA files pay from"},
			func(s *Settings) *string { return &s.SEPAAccount }, func(field, v string) (string, error) {
				if v == "" {
					return "", nil
				}
				return ParseIBAN(field, v)
			}),
		ofText(AccountSetting{Key: "sepa_name", Group: SettingPay, Beside: true, Label: "Holder of that account",
			Fact: "Holder of that account", Hint: "As the bank knows it. Empty: the name of the brand.",
			Name: "holder of the account of SEPA files", Help: "holder of the account that SEPA files pay from"},
			func(s *Settings) *string { return &s.SEPAName }, func(field, v string) (string, error) {
				if len(v) > 70 {
					return "", FieldErrorf(field, "must not have more than 70 characters")
				}
				return v, nil
			}),
		ofText(AccountSetting{Key: "sepa_bank", Group: SettingPay, Label: "BIC of its bank", Fact: "BIC of its bank",
			Name: "BIC of SEPA files", Hint: "Banks rarely ask for it.", Help: "BIC of the bank that SEPA files go to"},
			func(s *Settings) *string { return &s.SEPABank }, ParseBIC),
		ofChoices(AccountSetting{Key: "sepa_version", Group: SettingPay, Beside: true, Label: "Version of SEPA files",
			Fact: "Version of SEPA files", Name: "version of SEPA files",
			Hint: "Every bank reads the older one; the newer one is what banks ask for now.",
			Help: "version of SEPA files"},
			func(s *Settings) *PainVersion { return &s.SEPAVersion },
			map[PainVersion]string{Pain09: "pain.001.001.09", Pain03: "pain.001.001.03"}),
		ofText(AccountSetting{Key: "wise_currency", Group: SettingPay, Label: "Currency of the balance at Wise",
			Fact: "Currency of the balance at Wise", Name: "currency at Wise",
			Hint: "From which Wise files are paid. Empty: the one of the payments.",
			Help: "currency of the balance that Wise files are paid from"},
			func(s *Settings) *string { return &s.WiseCurrency }, func(field, v string) (string, error) {
				if v == "" {
					return "", nil
				}
				c, err := ParseCurrency(field, v)
				return string(c), err
			}),
		ofChoices(AccountSetting{Key: "paypal_decimals", Group: SettingPay, Beside: true,
			Label: "Amounts in files for PayPal", Fact: "Amounts in files for PayPal",
			Name: "amounts in files for PayPal",
			Hint: "PayPal's page says on upload which one your account wants.",
			Help: "how amounts are written in files for PayPal's page"},
			func(s *Settings) *DecimalPoint { return &s.PayPalComma },
			map[DecimalPoint]string{DecimalsPoint: "100.50", DecimalsComma: "100,50"}),
		{Key: "reserved_codes", Group: SettingCodes, Kind: SettingWords, Label: "Words that are no creator's code",
			Fact: "Words that are no creator's code", Name: "reserved words",
			Hint: "With commas between them. No code is made that is one of them, or one with a number: with FREE, " +
				"neither FREE nor FREE10.",
			Help: "words that no code is made of, with commas between them, alone or with a number behind them",
			Text: func(s Settings) string { return s.ReservedCodes },
			set:  func(s *Settings, v string) error { s.ReservedCodes = tidyWords(v); return nil },
			check: func(s Settings) error {
				if len(s.ReservedCodes) > maxReserved {
					return FieldErrorf("reserved_codes", "must not have more than %d characters", maxReserved)
				}
				for _, word := range s.ReservedWords() {
					if bareCode(word) == "" || ValidateCode(word) != nil {
						return FieldErrorf("reserved_codes", "%q is no word that a code could be; write words with "+
							"commas between them, such as ADMIN, TEST", Shown(word))
					}
				}
				return nil
			}},
		ofNumber(AccountSetting{Key: "mail_per_minute", Group: SettingMail, Kind: SettingNumber, Least: 1, Most: 6000,
			Label: "Mails to creators per minute", Fact: "Mails to creators per minute", Name: "mails per minute",
			Hint: "More wait for their turn. Mail services have limits, and a domain that sends its first mails " +
				"should begin slowly.",
			Help: "how many mails to creators are sent per minute at most"},
			func(s *Settings) *int { return &s.MailPerMinute }),
	}
}

// maxReserved bounds the text of the reserved words, in bytes.
const maxReserved = 2000

// tidyWords writes words with one comma and a space between them, each once, and no empty ones.
func tidyWords(v string) string {
	var words []string
	for _, word := range CommaList(v) {
		word = strings.ToUpper(Clean(word))
		if word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// setCurrency keeps the amounts that are in the account's currency: 10.00 EUR becomes 10.00 USD, or 10 JPY.
func (s *Settings) setCurrency(v string) error {
	c, err := ParseCurrency("currency", v)
	if err != nil {
		return err
	}
	s.MinimumPayout, err = money.Parse(money.Format(s.MinimumPayout, s.Currency), c)
	s.Currency = c
	return err
}

// ofText completes a setting that is a text, which parse tidies.
func ofText(a AccountSetting, at func(*Settings) *string, parse func(field, v string) (string, error)) AccountSetting {
	a.Kind = SettingText
	a.Text = func(s Settings) string { return *at(&s) }
	a.set = func(s *Settings, v string) (err error) {
		*at(s), err = parse(a.Key, strings.TrimSpace(v))
		return err
	}
	a.check = func(s Settings) error {
		_, err := parse(a.Key, *at(&s))
		return err
	}
	return a
}

// ofDays completes a setting that is a number of days.
func ofDays(a AccountSetting, at func(*Settings) *int) AccountSetting {
	a.Kind = SettingDays
	return ofNumber(a, at)
}

// ofNumber completes a setting that is a whole number.
func ofNumber(a AccountSetting, at func(*Settings) *int) AccountSetting {
	a.Text = func(s Settings) string { return strconv.Itoa(*at(&s)) }
	a.set = func(s *Settings, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil {
			return FieldErrorf(a.Key, "must be a whole number, not %q", v)
		}
		*at(s) = n
		return nil
	}
	a.check = func(s Settings) error {
		if n := *at(&s); n < a.Least || n > a.Most {
			return FieldErrorf(a.Key, "must be between %d and %d", a.Least, a.Most)
		}
		return nil
	}
	return a
}

// ofChoices completes a setting that is one of few words, with what people read for each.
func ofChoices[W Word[W]](a AccountSetting, at func(*Settings) *W, titles map[W]string) AccountSetting {
	a.Kind = SettingChoices
	for _, word := range Words[W]() {
		a.Choices = append(a.Choices, Choice{string(word), titles[word]})
	}
	a.Text = func(s Settings) string { return string(*at(&s)) }
	a.set = func(s *Settings, v string) error { *at(s) = W(v); return nil }
	a.check = func(s Settings) error { return CheckWord(a.Key, *at(&s)) }
	return a
}

// Set changes settings by their keys, all or none. The error names the key that is wrong.
func (s Settings) Set(values map[string]string) (Settings, error) {
	known := AccountSettings()
	for key := range values {
		if !slices.ContainsFunc(known, func(a AccountSetting) bool { return a.Key == key }) {
			var keys []string
			for _, a := range known {
				keys = append(keys, a.Key)
			}
			return s, FieldErrorf(key, "there is no such setting; there are: %s", strings.Join(keys, ", "))
		}
	}
	for _, a := range known {
		if v, given := values[a.Key]; given {
			if err := a.set(&s, v); err != nil {
				return s, err
			}
		}
	}
	return s, s.Validate()
}

// Validate gives an error that names the field that is wrong.
func (s Settings) Validate() error {
	for _, a := range AccountSettings() {
		if err := a.check(s); err != nil {
			return err
		}
	}
	return nil
}

// LoadZone reads an IANA time zone name. "Local" is refused: it means another zone on every machine.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, Errorf(Invalid, "%q is not a time zone (an IANA name is needed, such as Europe/Berlin)", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, Errorf(Invalid, "unknown time zone %q (an IANA name is needed, such as Europe/Berlin)",
			Clip(name, 60))
	}
	return zone, nil
}

// Day gives the local day of t in a zone, as reports use it: "2026-11-21".
func Day(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }
