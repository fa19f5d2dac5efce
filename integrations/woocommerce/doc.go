// Package woocommerce turns webhook deliveries of WooCommerce stores into the events of package affiliate: it checks
// signatures, recognises the unsigned ping, and reads order bodies. Its Client asks the stores' REST API for the same
// orders, and for their webhooks. It keeps nothing.
//
// Facts about WooCommerce in the comments were seen on WooCommerce 11.0.1 / WordPress 7.0.4 or read in its source;
// files named in parentheses are relative to the plugin's folder. The folder recordings holds the requests they come
// from.
package woocommerce
