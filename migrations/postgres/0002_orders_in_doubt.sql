-- What deliveries of an order cannot settle, what its store's owner decides about it, and orders that are parts of others.
ALTER TABLE orders ADD COLUMN doubts TEXT NOT NULL DEFAULT '';        -- words, by spaces; needs_reread says that there are any
ALTER TABLE orders ADD COLUMN custom_status TEXT NOT NULL DEFAULT ''; -- the store's word where a plugin set it
ALTER TABLE orders ADD COLUMN parent TEXT NOT NULL DEFAULT '';        -- the store's id of the order that this one belongs to
ALTER TABLE orders ADD COLUMN part BOOLEAN NOT NULL DEFAULT FALSE;    -- counts nowhere: its parent does in its place
UPDATE orders SET custom_status = COALESCE(state::jsonb #>> '{newest,raw_status}', '')
    WHERE state::jsonb #>> '{newest,status}' = 'custom'
        AND store_id IN (SELECT id FROM stores WHERE platform = 'woocommerce');
UPDATE orders SET doubts = CASE WHEN jsonb_array_length(COALESCE(state::jsonb -> 'variants', '[]')) > 1 THEN 'same_second' ELSE 'edited' END WHERE needs_reread;
CREATE INDEX orders_doubtful ON orders (placed_at, id) WHERE needs_reread;
CREATE INDEX orders_custom_status ON orders (store_id, custom_status) WHERE custom_status <> '';
CREATE INDEX orders_parent ON orders (store_id, parent) WHERE parent <> '';

-- The statuses that plugins set on a store's orders. meaning: pending, paid, canceled or refunded; '' until its owner says.
CREATE TABLE store_statuses (
    store_id BIGINT NOT NULL REFERENCES stores (id),
    status TEXT NOT NULL,
    meaning TEXT NOT NULL DEFAULT '',
    first_seen_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (store_id, status)
);
INSERT INTO store_statuses (store_id, status, first_seen_at, updated_at)
    SELECT store_id, custom_status, MIN(created_at), MIN(created_at) FROM orders WHERE custom_status <> '' GROUP BY store_id, custom_status;
-- A payment date means paid now, where nobody has said otherwise: such orders are looked at again.
INSERT INTO recalculations (reason, state, phase, total, started_at)
    SELECT 'statuses set by plugins', 'running', 'statuses', COUNT(*), now() FROM orders
    WHERE custom_status <> '' AND NOT EXISTS (SELECT 1 FROM recalculations WHERE state = 'running') HAVING COUNT(*) > 0;
