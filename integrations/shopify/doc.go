// Package shopify turns Shopify's webhook deliveries into what they say about orders: it checks signatures, names a
// delivery, and reads bodies into affiliate events. That keeps no state and calls no network. Its Client asks a shop's
// GraphQL Admin API: for orders, which are read in the same way, and for the webhooks. Nothing here knows a database.
//
// What Shopify sends is described at https://shopify.dev/docs/api/webhooks/latest (topics), at
// https://shopify.dev/docs/apps/build/webhooks/delivery-structure (headers) and in the REST order resource, whose shape
// the bodies have. recordings holds bodies with what must come out of them; comments here name those that taught a
// rule.
package shopify
