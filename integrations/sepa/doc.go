// Package sepa writes credit transfers in euro for banks (ISO 20022 pain.001, versions 03 and 09), and reads what banks
// say of them: pain.002, and the entries of camt.053 and camt.054. Unless a comment says otherwise the rules are those
// of the schemas and of the European Payments Council's customer-to-bank guidelines.
package sepa
