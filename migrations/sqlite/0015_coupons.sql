-- What the codes of an offer give to customers, and how codes of its creators are made.
ALTER TABLE offers ADD COLUMN discount TEXT NOT NULL DEFAULT ''; -- JSON; empty: none is set
ALTER TABLE offers ADD COLUMN code_pattern TEXT NOT NULL DEFAULT ''; -- "{{handle}}10"; empty: none is set

-- Codes as they stand in stores: one row for each code, whoever made it.
CREATE TABLE coupons (
    store_id BIGINT NOT NULL REFERENCES stores (id),
    folded TEXT NOT NULL,
    code TEXT NOT NULL, -- as the store writes it
    external_id TEXT NOT NULL DEFAULT '', -- the store's; empty: it was never read from there
    title TEXT NOT NULL DEFAULT '',
    mark TEXT NOT NULL DEFAULT '', -- that it was made with from here; empty: it was not
    discount TEXT NOT NULL DEFAULT '', -- JSON, as the store has it
    other TEXT NOT NULL DEFAULT '', -- what it is, in words, where the discount cannot say it
    starts_at TEXT, -- of the discount
    ends_at TEXT,
    stopped BOOLEAN NOT NULL DEFAULT FALSE, -- in the store
    shared BOOLEAN NOT NULL DEFAULT FALSE, -- its discount has other codes
    uses BIGINT NOT NULL DEFAULT 0, -- as the store counts them
    made_at TEXT,
    changed_at TEXT,
    seen_at TEXT, -- when it was read last
    gone_at TEXT, -- since when the store has it no more
    wanted TEXT NOT NULL DEFAULT '', -- JSON of the discount that it was given from here; empty: none was
    halted BOOLEAN NOT NULL DEFAULT FALSE, -- it was deactivated or ended from here
    by_hand TEXT NOT NULL DEFAULT '', -- what somebody said to have typed into the store's admin: make, stop, start, discount
    orders BIGINT NOT NULL DEFAULT 0, -- with the code here that are not canceled, when it was read
    most_orders BIGINT NOT NULL DEFAULT 0, -- canceled ones and tests among them
    uses_off_at TEXT, -- since when the store has counted others
    uses_known BIGINT NOT NULL DEFAULT 0, -- how many more the store counts than came here, as somebody has accepted
    accepted TEXT NOT NULL DEFAULT '', -- the trouble that somebody has said is none
    trouble TEXT NOT NULL DEFAULT '', -- gone, stopped, changed, running, uses
    trouble_at TEXT,
    told TEXT NOT NULL DEFAULT '', -- what it is about, in words
    PRIMARY KEY (store_id, folded)
);
CREATE INDEX coupons_trouble ON coupons (store_id) WHERE trouble <> '';

-- One action on the codes of many: written down first, then done in the stores and here.
CREATE TABLE code_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL, -- make, refresh, activate, deactivate, end, discount, take_over
    state TEXT NOT NULL, -- draft, waiting, running, done, canceled
    offer_id BIGINT REFERENCES offers (id),
    pattern TEXT NOT NULL DEFAULT '',
    overlap_days INTEGER NOT NULL DEFAULT 0,
    discount TEXT NOT NULL DEFAULT '', -- JSON
    offered BOOLEAN NOT NULL DEFAULT FALSE, -- the offer's own discount changes with it
    at TEXT, -- when it begins
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT
);
CREATE INDEX code_runs_open ON code_runs (id) WHERE state IN ('waiting', 'running');
CREATE INDEX code_runs_drafts ON code_runs (created_at) WHERE state = 'draft';
CREATE INDEX code_runs_offer ON code_runs (offer_id, id);

CREATE TABLE code_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id BIGINT NOT NULL REFERENCES code_runs (id) ON DELETE CASCADE,
    offer_member_id BIGINT NOT NULL REFERENCES offer_members (id),
    store_id BIGINT NOT NULL REFERENCES stores (id),
    old_code_id BIGINT,
    code TEXT NOT NULL,
    folded TEXT NOT NULL,
    base TEXT NOT NULL DEFAULT '', -- the code that was wanted first
    mark TEXT NOT NULL DEFAULT '', -- stands in the store's record of a code that it makes
    step TEXT NOT NULL, -- make, credit, change, own
    state TEXT NOT NULL, -- waiting, asked, by_hand, done, failed, skipped, canceled
    open BOOLEAN NOT NULL DEFAULT FALSE, -- its run has begun, and it is waiting or asked
    tries INTEGER NOT NULL DEFAULT 0,
    new_code_id BIGINT,
    orders BIGINT NOT NULL DEFAULT 0,
    ends_at TEXT,
    trouble TEXT NOT NULL DEFAULT '',
    updated_at TEXT NOT NULL
);
CREATE INDEX code_items_run ON code_items (run_id, id);
CREATE INDEX code_items_open ON code_items (store_id, id) WHERE open;
CREATE INDEX code_items_by_hand ON code_items (store_id) WHERE state = 'by_hand';
CREATE INDEX code_items_code ON code_items (store_id, folded);
CREATE INDEX code_items_member ON code_items (offer_member_id, id);

-- How far a store's codes were read.
ALTER TABLE store_work ADD COLUMN coupons_at TEXT; -- when all were read last
ALTER TABLE store_work ADD COLUMN coupons_since TEXT; -- what changed before was read
ALTER TABLE store_work ADD COLUMN coupons_from TEXT; -- when the reading under way began
ALTER TABLE store_work ADD COLUMN coupons_whole BOOLEAN NOT NULL DEFAULT FALSE; -- it is one of all codes
ALTER TABLE store_work ADD COLUMN coupons_cursor TEXT NOT NULL DEFAULT ''; -- where it goes on
ALTER TABLE store_work ADD COLUMN coupons_wanted BOOLEAN NOT NULL DEFAULT FALSE; -- somebody asked for one
ALTER TABLE store_work ADD COLUMN coupons_count BIGINT NOT NULL DEFAULT 0; -- codes that the last reading of all has found
