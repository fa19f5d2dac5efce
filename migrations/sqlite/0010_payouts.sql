-- Payouts that were recorded together, to be listed, downloaded and canceled as one.
CREATE TABLE payout_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payouts BIGINT NOT NULL, -- how many
    day TEXT NOT NULL,       -- on which they were paid, in the account's zone
    method TEXT NOT NULL,
    reference TEXT NOT NULL,
    note TEXT NOT NULL,
    author TEXT NOT NULL,
    form TEXT UNIQUE, -- by which it was recorded: one form records once; NULL without any
    created_at TEXT NOT NULL
);
ALTER TABLE payouts ADD COLUMN batch_id BIGINT REFERENCES payout_batches (id);
CREATE INDEX payouts_batch ON payouts (batch_id) WHERE batch_id IS NOT NULL;
