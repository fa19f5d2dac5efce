package history

import "github.com/tributaryhq/tributary/internal/money"

// Who and what there is. All of it is made up.

var firstNames = []string{"Ada", "Aisha", "Alba", "Alice", "Amara", "Ana", "Anna", "Aria", "Astrid", "Ava", "Bea",
	"Bianca", "Camila", "Carla",
	"Chloe", "Clara", "Dana", "Daria", "Dina", "Ebba", "Elena", "Elif", "Ella", "Emilia", "Emma", "Esme", "Eva",
	"Farah", "Fiona", "Freya", "Gia", "Greta", "Hana", "Hanna", "Helena", "Ida", "Ines", "Iris", "Isla", "Ivy", "Jana",
	"Jasmin", "Jill", "Joana", "Julia", "Kaia", "Kara", "Katya", "Kira", "Lara", "Laura", "Lea", "Leila", "Lena", "Lia",
	"Lina", "Livia", "Lola", "Lucia", "Luna", "Maja", "Mara", "Maria", "Marta", "Maya", "Mia", "Mila", "Mina", "Mira",
	"Nadia", "Naomi", "Nina", "Noa", "Nora", "Olga", "Olivia", "Paula", "Petra", "Pia", "Rania", "Rosa", "Ruby", "Runa",
	"Sara", "Selma", "Sofia", "Stella", "Tara", "Tessa", "Thea", "Tilda", "Vera", "Wanda", "Yara", "Yuki", "Zara",
	"Zoe", "Adam", "Ben", "Carlos", "David", "Elias", "Felix", "Hugo", "Ivan", "Jonas", "Kenji", "Leo", "Luca", "Marco",
	"Mateo", "Nils", "Noah", "Omar", "Oscar", "Pablo", "Rafael", "Sami", "Theo", "Tom", "Viktor", "Yusuf"}

var lastNames = []string{"Abbott", "Ahmadi", "Almeida", "Andersen", "Aydin", "Bach", "Baker", "Barros", "Becker",
	"Berg", "Bianchi", "Blanc", "Brandt", "Castro", "Conti", "Costa", "Cruz", "Dahl", "Demir", "Dubois", "Duarte",
	"Ekman", "Falk", "Farrow", "Ferrari", "Fischer", "Fontaine", "Foster", "Garcia", "Greco", "Haas", "Hansen", "Hart",
	"Hayashi", "Hoffman", "Holm", "Iversen", "Jansen", "Kaya", "Keller", "Khan", "Kim", "Klein", "Kowalski", "Krause",
	"Lambert", "Larsen", "Laurent", "Lee", "Lind", "Lopez", "Lund", "Marino", "Martin", "Mendes", "Meyer", "Moreau",
	"Mori", "Navarro", "Nguyen", "Novak", "Nyberg", "Okafor", "Olsen", "Ortiz", "Park", "Patel", "Pereira", "Petit",
	"Quinn", "Ramos", "Reyes", "Ricci", "Rossi", "Roux", "Sato", "Schmidt", "Silva", "Singh", "Sousa", "Stone",
	"Strand", "Suzuki", "Tanaka", "Thorne", "Torres", "Turner", "Vidal", "Vogel", "Walker", "Weber", "West",
	"Winter", "Wolf", "Wright", "Yilmaz", "Young", "Ziegler"}

var countries = []string{"US", "US", "US", "US", "GB", "GB", "DE", "DE", "FR", "ES", "IT", "NL", "SE", "CA", "AU", "JP"}

// lastingCampaigns never end; the others are named for a season and a subject.
var (
	lastingCampaigns = []string{"Ambassadors", "Always-on Affiliates", "Creator Community", "VIP Partners",
		"Micro Creators", "Brand Friends", "Founding Circle", "Studio Partners"}
	seasons = []string{"Spring", "Summer", "Autumn", "Winter", "Black Friday", "Holiday", "Valentine's",
		"Back to School", "New Year", "Easter"}
	subjects = []string{"Skincare", "Running", "Home Office", "Kitchen", "Knitwear", "Travel", "Wellness", "Fragrance",
		"Outdoor", "Denim", "Gifting", "Coffee", "Yoga", "Swim", "Ceramics", "Sneakers", "Jewellery", "Haircare",
		"Baby", "Pets"}
)

// ownerless are codes that belong to no creator: the brand's own.
var ownerless = []string{"WELCOME10", "NEWS15", "THANKYOU5", "FREESHIP", "SUMMER20", "BLACKFRIDAY", "VIP", "COMEBACK10",
	"APP5", "BUNDLE", "SORRY10", "GIFT"}

var referrers = []string{"l.instagram.com", "l.instagram.com", "l.instagram.com", "www.tiktok.com", "www.tiktok.com",
	"www.youtube.com", "linktr.ee", "t.co", ""}

var costNotes = []string{"Photo shoot", "Product samples", "Agency fee", "Paid boost", "Studio rental",
	"Shipping of samples"}

// tender is how a currency is used: an order of 100 in the imagined base currency is level of its main units, prices
// end in multiples of step minor units, and perEuro is the middle of its made-up reference rates, "" where the bank
// publishes none.
type tender struct {
	level, step int64
	perEuro     string
}

var tenders = map[money.Currency]tender{
	"USD": {100, 1, "1.0842"}, "EUR": {92, 1, "1"}, "GBP": {80, 1, "0.8513"}, "JPY": {15_000, 10, "161.34"},
	"CHF": {95, 5, "0.9547"},
	"SEK": {1050, 100, "11.382"}, "PLN": {400, 10, "4.2975"}, "CAD": {135, 1, "1.4721"}, "AUD": {150, 1, "1.6433"},
	"AED": {367, 25, ""},
	"KWD": {31, 50, ""},
}

// tenderOf gives a usable tender for any currency.
func tenderOf(c money.Currency) tender {
	if t, ok := tenders[c]; ok {
		return t
	}
	return tender{level: 100, step: 1}
}
