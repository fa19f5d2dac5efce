package simulate

// What is sold, and to whom. All of it is made up.

type product struct{ title, variant, sku, vendor string }

var products = []product{
	{"Family - Personalized Christmas Ornament", "Large / Acrylic", "ORN-ACR-L", "North Pine Studio"},
	{"Merino Crew Sweater", "M / Forest", "KNIT-CREW-M", "Fell & Field"},
	{"Ceramic Pour-over Dripper", "White", "DRIP-WHT-02", "Kiln House"},
	{"Trail Running Vest 8L", "S/M", "VEST-8-SM", "Ridgeback"},
	{"Vitamin C Serum 30 ml", "30 ml", "SER-VC-30", "Lumen Lab"},
	{"Organic Cotton Tee", "XL / Sand", "TEE-OC-XL", "Fell & Field"},
	{"Stoneware Mug Set of 2", "Blue", "MUG-STN-2B", "Kiln House"},
	{"Noise-cancelling Earbuds", "Black", "EAR-NC-BLK", "Quietwave"},
	{"Linen Duvet Cover", "Queen / Oat", "LIN-DUV-Q", "Hearth"},
	{"Protein Bar Box of 12", "Sea Salt Caramel", "BAR-12-SSC", "Rowan Foods"},
	{"Dog Harness No-pull", "L / Teal", "DOG-HRN-L", "Good Paws"},
	{"Scented Candle Fig & Cassis", "220 g", "CND-FIG-220", "Hearth"},
}

type person struct{ first, last, street, city, zip, region, regionCode, country, code, email string }

// customers: the first one stands for orders without a customer.
var customers = []person{
	{},
	{"Alex", "Example", "1 Example Street", "Exampleton", "10001", "New York", "NY", "United States", "US",
		"alex@buyers.example"},
	{"Marta", "Sample", "22 Sample Road", "Portland", "97201", "Oregon", "OR", "United States", "US",
		"marta@buyers.example"},
	{"Jonas", "Muster", "Musterweg 3", "Hamburg", "20095", "Hamburg", "HH", "Germany", "DE", "jonas@buyers.example"},
	{"Claire", "Modele", "4 rue du Modele", "Lyon", "69001", "Rhone", "69", "France", "FR", "claire@buyers.example"},
	{"Sam", "Placeholder", "50 Placeholder Ave", "Toronto", "M5V 2T6", "Ontario", "ON", "Canada", "CA",
		"sam@buyers.example"},
}

// attributeNames are cart attributes that real orders are full of.
var attributeNames = []string{"fbc", "fbp", "ttp", "kx", "utm_id", "utm_term", "utm_source", "utm_medium", "ga_client",
	"sh", "sw", "session", "gclid", "host"}

// attributeSize is about how many bytes one attribute takes.
const attributeSize = 85
