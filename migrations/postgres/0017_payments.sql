-- What is sent to creators together is a payout run; each payout belongs to one.
ALTER TABLE payout_batches RENAME TO payout_runs;
ALTER TABLE payout_runs ADD COLUMN state TEXT NOT NULL DEFAULT 'settled'; -- confirmed, sent, settled, canceled
ALTER TABLE payout_runs ADD COLUMN mark TEXT NOT NULL DEFAULT ''; -- random: stands in all files and requests
ALTER TABLE payout_runs ADD COLUMN until_at TIMESTAMPTZ; -- only what was posted before is paid; NULL: all that is due
ALTER TABLE payout_runs ADD COLUMN about TEXT NOT NULL DEFAULT ''; -- of whom it was made: all, an offer, a selection
ALTER TABLE payout_runs ADD COLUMN tell BOOLEAN NOT NULL DEFAULT FALSE; -- creators get a mail once they are paid
ALTER TABLE payout_runs ADD COLUMN sent_at TIMESTAMPTZ;
ALTER TABLE payout_runs ADD COLUMN ended_at TIMESTAMPTZ; -- when it was settled or canceled
ALTER TABLE payouts RENAME COLUMN batch_id TO run_id;
ALTER TABLE mail_sends RENAME COLUMN payout_batch_id TO payout_run_id;
DROP INDEX payouts_batch;

ALTER TABLE payouts ADD COLUMN rail TEXT NOT NULL DEFAULT 'elsewhere'; -- elsewhere, paypal, paypal_file, wise_file, sepa_file, csv_file, store_credit, gift_card
ALTER TABLE payouts ADD COLUMN part_id BIGINT; -- the file or request that it is in; NULL: none
ALTER TABLE payouts ADD COLUMN destination BYTEA; -- sealed payment details, as they were; NULL: none
ALTER TABLE payouts ADD COLUMN masked TEXT NOT NULL DEFAULT ''; -- as people are shown it
ALTER TABLE payouts ADD COLUMN ref TEXT NOT NULL DEFAULT ''; -- ours, in all files and requests: TRB-1001-K7Q2M9
ALTER TABLE payouts ADD COLUMN provider_ref TEXT NOT NULL DEFAULT ''; -- the provider's
ALTER TABLE payouts ADD COLUMN fee BIGINT NOT NULL DEFAULT 0; -- that the provider took for it, in minor units of fee_currency
ALTER TABLE payouts ADD COLUMN fee_currency TEXT NOT NULL DEFAULT '';
ALTER TABLE payouts ADD COLUMN heard TEXT NOT NULL DEFAULT ''; -- what the provider has said last, with its reference: it says that again and again
ALTER TABLE payouts ADD COLUMN by_hand BOOLEAN NOT NULL DEFAULT FALSE; -- a person has said its state
ALTER TABLE payouts ADD COLUMN words TEXT NOT NULL DEFAULT ''; -- of whoever said its state last
ALTER TABLE payouts ADD COLUMN revision BIGINT NOT NULL DEFAULT 0; -- how often it was taken back or posted again
ALTER TABLE payouts ADD COLUMN until_at TIMESTAMPTZ; -- that of its run, or when it was recorded
ALTER TABLE payouts ADD COLUMN state_at TIMESTAMPTZ; -- since when it has its state
ALTER TABLE payouts ADD COLUMN told_at TIMESTAMPTZ; -- when a mail about it was written
ALTER TABLE payouts ADD COLUMN asked BYTEA; -- sealed: what was written down before a store was asked, such as a gift card's code
UPDATE payouts SET until_at = created_at, state_at = COALESCE(paid_at, created_at);

-- Each payout that was recorded by itself becomes a run.
INSERT INTO payout_runs (payouts, day, method, reference, note, author, form, created_at)
SELECT 1, to_char(COALESCE(paid_at, created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), method, reference, '', author, 'payout ' || id, created_at FROM payouts WHERE run_id IS NULL ORDER BY id;
UPDATE payouts SET run_id = (SELECT r.id FROM payout_runs r WHERE r.form = 'payout ' || payouts.id) WHERE run_id IS NULL;
CREATE INDEX payouts_run ON payouts (run_id, id);
CREATE INDEX payouts_part ON payouts (part_id, id) WHERE part_id IS NOT NULL;
CREATE UNIQUE INDEX payouts_ref ON payouts (ref) WHERE ref <> '';
CREATE INDEX payouts_provider_ref ON payouts (provider_ref) WHERE provider_ref <> '';
CREATE INDEX payouts_open ON payouts (state, id) WHERE state IN ('ready', 'sent', 'pending', 'unclaimed');
CREATE INDEX payouts_untold ON payouts (run_id) WHERE told_at IS NULL AND state = 'paid';
CREATE INDEX payout_runs_open ON payout_runs (id) WHERE state IN ('confirmed', 'sent');

-- Which ledger entries a run has settled, each once, and those that it has posted itself: of an account and a run they
-- sum to 0.
CREATE TABLE payout_run_entries (
    ledger_entry_id BIGINT NOT NULL PRIMARY KEY REFERENCES ledger_entries (id),
    run_id BIGINT NOT NULL REFERENCES payout_runs (id)
);
CREATE INDEX payout_run_entries_run ON payout_run_entries (run_id);
-- Until now a payout paid all that was payable at its moment: of each entry it is the first that came after it. The sums
-- of an account whose entries came while it was paid differ; there they stay open, and are settled with the next run.
INSERT INTO payout_run_entries (ledger_entry_id, run_id)
SELECT z.id, p.run_id FROM (SELECT e.id, MIN(w.last) AS last FROM ledger_entries e JOIN (
        SELECT p.creator_id, p.currency, p.created_at, MAX(o.id) AS last
        FROM payouts p JOIN ledger_entries o ON o.payout_id = p.id AND o.kind = 'payout' AND o.cause NOT LIKE '%:cancel:%'
        GROUP BY p.id, p.creator_id, p.currency, p.created_at
    ) w ON w.creator_id = e.creator_id AND w.currency = e.currency AND e.id <= w.last AND (e.payable_at <= w.created_at
        OR 0 >= (SELECT SUM(x.amount) FROM ledger_entries x WHERE x.creator_id = e.creator_id AND x.currency = e.currency
            AND COALESCE(x.campaign_id, 0) = COALESCE(e.campaign_id, 0)
            AND COALESCE(x.offer_member_id, 0) = COALESCE(e.offer_member_id, 0) AND x.id <= w.last AND x.payable_at > w.created_at))
    GROUP BY e.id) z
JOIN ledger_entries o ON o.id = z.last JOIN payouts p ON p.id = o.payout_id;
DELETE FROM payout_run_entries WHERE ledger_entry_id IN (SELECT e.id FROM (
        SELECT s.run_id, e.creator_id, COALESCE(e.campaign_id, 0) AS campaign_id, COALESCE(e.offer_member_id, 0) AS offer_member_id, e.currency
        FROM payout_run_entries s JOIN ledger_entries e ON e.id = s.ledger_entry_id GROUP BY 1, 2, 3, 4, 5 HAVING SUM(e.amount) <> 0
    ) d JOIN ledger_entries e ON e.creator_id = d.creator_id AND e.currency = d.currency AND COALESCE(e.campaign_id, 0) = d.campaign_id
        AND COALESCE(e.offer_member_id, 0) = d.offer_member_id
    JOIN payout_run_entries s ON s.ledger_entry_id = e.id AND s.run_id = d.run_id);

-- Who was not paid in a run, and why.
CREATE TABLE payout_run_left_out (
    run_id BIGINT NOT NULL REFERENCES payout_runs (id),
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL, -- payable, in minor units; negative where they owe
    reason TEXT NOT NULL, -- no_method, below_minimum, held, currency, excluded, negative_balance
    PRIMARY KEY (run_id, creator_id, currency)
);

-- A run's payouts of one rail and currency, as far as one file or request takes them.
CREATE TABLE payout_parts (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    run_id BIGINT NOT NULL REFERENCES payout_runs (id),
    rail TEXT NOT NULL,
    currency TEXT NOT NULL,
    number BIGINT NOT NULL, -- 1, 2, … of the same rail and currency
    variant TEXT NOT NULL, -- which of the rail's forms: recipients, email, bank; pain.001.001.09
    payouts BIGINT NOT NULL, -- how many
    amount BIGINT NOT NULL, -- their sum, in minor units
    reference TEXT NOT NULL UNIQUE, -- ours: TRB-R42-1-K7Q2M9
    state TEXT NOT NULL, -- ready, trying, sent, refused, canceled
    store_id BIGINT REFERENCES stores (id), -- in which it is given
    file BYTEA, -- sealed, as it was made first; NULL: it was not, or there is none
    file_name TEXT NOT NULL,
    provider_ref TEXT NOT NULL, -- of the provider, such as a payout_batch_id
    fee BIGINT NOT NULL, -- that the provider took for all of it, in minor units of fee_currency
    fee_currency TEXT NOT NULL,
    tries BIGINT NOT NULL,
    account TEXT NOT NULL, -- hash of the provider's account that was asked; empty: none was
    first_at TIMESTAMPTZ, -- when it was tried first
    next_at TIMESTAMPTZ, -- when the provider is asked next; NULL: not
    until_at TIMESTAMPTZ, -- until when it is asked
    trouble TEXT NOT NULL, -- why it does not get on; empty: it does
    sent_at TIMESTAMPTZ,
    sent_by TEXT NOT NULL, -- who downloaded the file first
    UNIQUE (run_id, rail, currency, number)
);
CREATE INDEX payout_parts_due ON payout_parts (next_at, id) WHERE next_at IS NOT NULL;

-- Where creators want to be paid; the newest row of each counts.
CREATE TABLE payment_details (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    method TEXT NOT NULL, -- paypal, bank, wise, store_credit, gift_card, other; empty: they were taken away
    details BYTEA NOT NULL, -- sealed JSON
    masked TEXT NOT NULL, -- as people are shown them
    holder TEXT NOT NULL, -- to whom it belongs
    country TEXT NOT NULL, -- of the bank account; may be empty
    has_iban BOOLEAN NOT NULL,
    recipient BOOLEAN NOT NULL, -- it names one that the provider has saved
    store_id BIGINT REFERENCES stores (id),
    usable_at TIMESTAMPTZ NOT NULL, -- nothing is paid there before
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX payment_details_creator ON payment_details (creator_id, id);

-- Files of providers that say what became of payouts, and each line of them.
CREATE TABLE result_files (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL, -- paypal_activity, wise_result, pain_002, camt, csv
    hash TEXT NOT NULL UNIQUE, -- SHA-256 of its bytes
    lines BIGINT NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE result_lines (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    file_id BIGINT NOT NULL REFERENCES result_files (id),
    line BIGINT NOT NULL,
    ref TEXT NOT NULL, -- ours, as it came back; may be empty
    masked TEXT NOT NULL, -- of the destination
    amount BIGINT NOT NULL, -- minor units of currency
    currency TEXT NOT NULL,
    state TEXT NOT NULL, -- of the payout, by this line
    words TEXT NOT NULL, -- the provider's
    payout_id BIGINT REFERENCES payouts (id), -- which it is about; NULL: none was found
    outcome TEXT NOT NULL, -- changed, same, unmatched, refused
    reason TEXT NOT NULL -- of unmatched and refused
);
CREATE INDEX result_lines_file ON result_lines (file_id, id);
CREATE INDEX result_lines_payout ON result_lines (payout_id) WHERE payout_id IS NOT NULL;

-- Statements that were issued, of one creator and month, numbered without gaps in each year.
CREATE TABLE statements (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    year BIGINT NOT NULL, -- of the series
    number BIGINT NOT NULL, -- 1, 2, … in the year
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    month TEXT NOT NULL, -- 2026-10, of the zone in which it was issued
    currency TEXT NOT NULL,
    from_at TIMESTAMPTZ NOT NULL,
    to_at TIMESTAMPTZ NOT NULL, -- exclusive
    zone TEXT NOT NULL,
    opening BIGINT NOT NULL, -- minor units: the balance before
    earned BIGINT NOT NULL, -- commissions, rewards and the like, what was taken back included
    paid BIGINT NOT NULL, -- payouts, as a positive number, those that came back taken off
    closing BIGINT NOT NULL, -- opening + earned - paid
    entries BIGINT NOT NULL, -- how many
    name TEXT NOT NULL, -- of the creator then
    brand TEXT NOT NULL, -- the account's name then
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (year, number),
    UNIQUE (creator_id, month, currency)
);
CREATE INDEX statements_month ON statements (month, id);

-- Who, beside owners, may pay.
ALTER TABLE users ADD COLUMN may_pay BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE api_tokens ADD COLUMN may_pay BOOLEAN NOT NULL DEFAULT FALSE;
