-- The shop that deliveries named which were refused because it is not the store's own; the last one.
ALTER TABLE stores ADD COLUMN other_shop TEXT NOT NULL DEFAULT '';

-- Failed deliveries that a person gave up on (state set_aside): why, who and when. They count as trouble no more.
CREATE TABLE set_asides (
    delivery_id BIGINT PRIMARY KEY REFERENCES deliveries (id),
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at TEXT NOT NULL
);

-- Which of the needed topics a store has ever sent.
CREATE TABLE store_topics (
    store_id BIGINT NOT NULL REFERENCES stores (id),
    topic TEXT NOT NULL,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (store_id, topic)
);
INSERT INTO store_topics (store_id, topic, first_at, last_at, n)
SELECT d.store_id, d.topic, MIN(d.received_at), MAX(d.received_at), COUNT(*)
FROM deliveries d JOIN stores s ON s.id = d.store_id
WHERE d.topic IN ('orders/create', 'orders/updated', 'orders/paid', 'orders/cancelled', 'orders/edited', 'orders/delete',
    'refunds/create', 'order_transactions/create', 'order.created', 'order.updated', 'order.deleted', 'order.restored')
GROUP BY d.store_id, d.topic;

-- Processes that take in deliveries, so that the time without one is known.
CREATE TABLE receiver_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at TEXT NOT NULL,
    alive_at TEXT NOT NULL, -- moved on every half minute
    stopped_at TEXT,        -- NULL while it runs, or when it died
    told BOOLEAN NOT NULL DEFAULT FALSE -- whether the time without any before it was looked at
);

-- What an owner should look into: a time in which no deliveries could be taken in, or a jump of the clock.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                -- stopped, died, clock
    store_id BIGINT NOT NULL,          -- 0: of the server as a whole
    from_at TEXT NOT NULL,             -- clock: what it said before
    to_at TEXT NOT NULL,               -- clock: what it said after
    noticed_at TEXT NOT NULL,
    dismissed_at TEXT,
    dismissed_by TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, store_id, from_at)
);
CREATE INDEX notices_open ON notices (store_id) WHERE dismissed_at IS NULL;
