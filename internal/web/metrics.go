package web

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// metrics serves what Prometheus scrapes. The figures are read when they are asked for; nothing is counted twice.
func (s *Server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), (*figures)(s))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// figures collects the server's own figures.
type figures Server

var (
	receivedMetric = prometheus.NewDesc("tributary_webhook_requests_total",
		"Webhook requests at this process by outcome.", []string{"outcome"}, nil)
	refusedMetric = prometheus.NewDesc("tributary_refused_total",
		"Sign-ins, codes, tokens, requests and deliveries that this process refused, by kind.", []string{"kind"}, nil)
	clicksMetric = prometheus.NewDesc("tributary_clicks_total",
		"Clicks at this process: recorded, or not since one network made too many.", []string{"outcome"}, nil)
	lookupsMetric = prometheus.NewDesc("tributary_stranger_lookups_total",
		"Queries of this process for what strangers named, by what was looked up.", []string{"of"}, nil)
	streamsMetric    = prometheus.NewDesc("tributary_live_streams", "Live streams that are open.", nil, nil)
	unverifiedMetric = prometheus.NewDesc("tributary_unverified_bytes",
		"Bytes of deliveries in memory whose signature is not checked yet.", nil, nil)
	inboxMetric  = prometheus.NewDesc("tributary_deliveries", "Open deliveries by state.", []string{"state"}, nil)
	oldestMetric = prometheus.NewDesc("tributary_oldest_waiting_seconds", "Age of the oldest waiting delivery.", nil,
		nil)
	queueMetric    = prometheus.NewDesc("tributary_queue_tasks", "Tasks in the queue by state.", []string{"state"}, nil)
	queueUpMetric  = prometheus.NewDesc("tributary_queue_up", "1 when Redis answers.", nil, nil)
	writableMetric = prometheus.NewDesc("tributary_writable", "0 when nothing new can be kept.", nil, nil)
	ordersMetric   = prometheus.NewDesc("tributary_orders", "Orders by status.", []string{"status"}, nil)
	driftMetric    = prometheus.NewDesc("tributary_drift_orders",
		"Orders that did not agree with the store at its newest comparison, by kind.", []string{"store", "kind"}, nil)
	troubleMetric = prometheus.NewDesc("tributary_codes_in_trouble",
		"Coupon codes that are not in the store as they should be, by kind.", []string{"store", "kind"}, nil)
	payoutsMetric = prometheus.NewDesc("tributary_payout_parts_in_trouble",
		"Files and requests of payout runs that do not get on.", []string{"rail"}, nil)
)

// Describe implements prometheus.Collector.
func (f *figures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{receivedMetric, refusedMetric, clicksMetric, lookupsMetric, streamsMetric,
		unverifiedMetric, inboxMetric, oldestMetric, queueMetric, queueUpMetric, writableMetric,
		ordersMetric, driftMetric, troubleMetric, payoutsMetric} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (f *figures) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for outcome, n := range f.Counters.Totals() {
		out <- prometheus.MustNewConstMetric(receivedMetric, prometheus.CounterValue, float64(n), outcome)
	}
	for kind, n := range f.App.Refusals() {
		out <- prometheus.MustNewConstMetric(refusedMetric, prometheus.CounterValue, float64(n), string(kind))
	}
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for of, n := range f.App.Lookups() {
		counter(lookupsMetric, n, of)
	}
	if f.Links != nil {
		recorded, refused := f.Links.Clicks()
		counter(clicksMetric, recorded, "recorded")
		counter(clicksMetric, refused, "too_many_of_one_network")
	}
	if f.Hub != nil {
		gauge(streamsMetric, float64(f.Hub.Readers()))
	}
	if f.unverified != nil {
		gauge(unverifiedMetric, float64(f.unverified.total()))
	}
	status, err := (*Server)(f).sharedStatus(ctx)
	if err != nil {
		return // the scrape shows the gap
	}
	writable := 0.0
	if status.Writable {
		writable = 1
	}
	gauge(writableMetric, writable)
	gauge(inboxMetric, float64(status.Deliveries.Waiting), "waiting")
	gauge(inboxMetric, float64(status.Deliveries.Failed), "failed")
	gauge(oldestMetric, status.Deliveries.OldestWaitingSeconds)
	up := 0.0
	if status.Queue.Reachable {
		up = 1
	}
	gauge(queueUpMetric, up)
	gauge(queueMetric, float64(status.Queue.Pending), "pending")
	gauge(queueMetric, float64(status.Queue.Active), "active")
	gauge(queueMetric, float64(status.Queue.Retry), "retry")
	gauge(queueMetric, float64(status.Queue.Archived), "archived")
	for s, n := range status.Orders {
		gauge(ordersMetric, float64(n), s)
	}
	drift, err := f.App.DB.DriftOfStores(ctx)
	if err != nil {
		return
	}
	for _, d := range drift {
		gauge(driftMetric, float64(d.Missing), d.Store, string(affiliate.DriftMissing))
		gauge(driftMetric, float64(d.Behind), d.Store, string(affiliate.DriftBehind))
		gauge(driftMetric, float64(d.Different), d.Store, string(affiliate.DriftDifferent))
		gauge(driftMetric, float64(d.Extra), d.Store, string(affiliate.DriftExtra))
	}
	troubles, err := f.App.DB.CouponTroubles(ctx)
	if err != nil {
		return
	}
	for _, t := range troubles {
		gauge(troubleMetric, float64(t.Codes), t.Store, string(t.Kind))
	}
	waiting, err := f.App.DB.PartTroubles(ctx)
	if err != nil {
		return
	}
	for _, t := range waiting {
		gauge(payoutsMetric, float64(t.Parts), string(t.Rail))
	}
}
