// Package affiliate is the vocabulary of Tributary with its pure rules: what an order is and how deliveries merge into
// it, whom it is credited to, what commission it earns, and what the ledger must hold for it. It knows no database, no
// HTTP and no store platform, and time is always passed in. Amounts are integers in minor units of the order's
// currency.
package affiliate
