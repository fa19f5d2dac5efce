-- What the API of a store is asked with, and how it answers.
CREATE TABLE store_access (
    store_id BIGINT PRIMARY KEY REFERENCES stores (id),
    kind TEXT NOT NULL, -- keys, token, client
    address TEXT NOT NULL, -- of the site
    sealed BLOB NOT NULL, -- the keys
    hint TEXT NOT NULL, -- the end of the key, for people
    approved BOOLEAN NOT NULL DEFAULT FALSE, -- the store made the keys, when its owner approved
    missing TEXT NOT NULL DEFAULT '', -- what the keys may not do, divided by spaces
    trouble TEXT NOT NULL DEFAULT '', -- why the store does not answer, and the remedy
    trouble_code TEXT NOT NULL DEFAULT '',
    trouble_at TEXT, -- since when
    answered_at TEXT, -- the last good answer
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
);

-- A store's owner was asked for keys and may answer once, until it expires.
CREATE TABLE store_requests (
    state TEXT PRIMARY KEY, -- a hash of what comes back with the answer
    platform TEXT NOT NULL,
    address TEXT NOT NULL,
    store_id BIGINT REFERENCES stores (id), -- that is there already
    slug TEXT NOT NULL DEFAULT '', -- of a store that is made; empty: from its domain
    name TEXT NOT NULL DEFAULT '', -- likewise; empty: as the store calls itself
    user_id BIGINT REFERENCES users (id), -- who asked; NULL for a token or command
    actor TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    answered_at TEXT,
    result_id BIGINT REFERENCES stores (id), -- the store that was connected
    trouble TEXT NOT NULL DEFAULT ''
);
CREATE INDEX store_requests_expire ON store_requests (expires_at);

-- The webhooks that we made in a store.
CREATE TABLE store_webhooks (
    store_id BIGINT NOT NULL REFERENCES stores (id),
    external_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    address TEXT NOT NULL,
    secret_id BIGINT REFERENCES store_secrets (id),
    created_at TEXT NOT NULL,
    retire_at TEXT, -- it was replaced, and is deleted then
    PRIMARY KEY (store_id, external_id)
);

-- What becomes of the secrets of webhooks that were not given by people.
ALTER TABLE store_secrets ADD COLUMN given BOOLEAN NOT NULL DEFAULT FALSE; -- by the store's API: the next one replaces it
ALTER TABLE store_secrets ADD COLUMN making TEXT NOT NULL DEFAULT ''; -- topics of webhooks with it that may be in the store unknown to us
ALTER TABLE store_secrets ADD COLUMN retire_at TEXT; -- it ends then, unless webhooks that we made are signed with it

-- Work with a store's API that goes on over restarts: comparing what it has with what is here.
CREATE TABLE store_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id BIGINT NOT NULL REFERENCES stores (id),
    kind TEXT NOT NULL, -- reconcile, history
    state TEXT NOT NULL, -- waiting, running, paused, done, stopped, failed
    cause TEXT NOT NULL, -- schedule, request, outage, webhook, doubt, nightly
    dry_run BOOLEAN NOT NULL DEFAULT FALSE,
    from_at TEXT NOT NULL,
    until_at TEXT NOT NULL,
    position TEXT NOT NULL DEFAULT '', -- where to go on
    expected BIGINT NOT NULL DEFAULT 0, -- orders that the store counted
    orders BIGINT NOT NULL DEFAULT 0, -- that were compared
    settled BIGINT NOT NULL DEFAULT 0, -- that were in doubt
    missing BIGINT NOT NULL DEFAULT 0,
    behind BIGINT NOT NULL DEFAULT 0,
    different BIGINT NOT NULL DEFAULT 0,
    extra BIGINT NOT NULL DEFAULT 0,
    trouble TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    started_at TEXT,
    worked BIGINT NOT NULL DEFAULT 0, -- milliseconds that it ran
    updated_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE INDEX store_jobs_store ON store_jobs (store_id, id);
CREATE INDEX store_jobs_open ON store_jobs (store_id, id) WHERE state IN ('waiting', 'running', 'paused');
CREATE INDEX store_jobs_compared ON store_jobs (store_id, id) WHERE kind = 'reconcile' AND state = 'done';
CREATE INDEX store_jobs_telling ON store_jobs (store_id, id)
    WHERE ended_at IS NOT NULL AND (cause <> 'schedule' OR missing + behind + different + extra + settled > 0);
CREATE INDEX store_jobs_ended ON store_jobs (ended_at) WHERE ended_at IS NOT NULL;

-- What a comparison found: one row for each field of an order in which the two differ.
CREATE TABLE drift_orders (
    job_id BIGINT NOT NULL REFERENCES store_jobs (id) ON DELETE CASCADE,
    order_external TEXT NOT NULL,
    field TEXT NOT NULL, -- empty where the order as a whole is missing or extra
    kind TEXT NOT NULL, -- missing, behind, different, extra
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    PRIMARY KEY (job_id, order_external, field)
);

-- One process at a time works with a store's API; how far the store agrees with us.
CREATE TABLE store_work (
    store_id BIGINT PRIMARY KEY REFERENCES stores (id),
    holder TEXT NOT NULL DEFAULT '',
    held_until TEXT,
    agreed_until TEXT, -- all that the store changed before was compared
    wanted TEXT NOT NULL DEFAULT '', -- why a comparison is due at once; empty: when its time comes
    wanted_from TEXT, -- how far back it must look
    compared_at TEXT, -- the last comparison that ended
    deep_at TEXT, -- the last look at all orders that may still change
    webhooks_at TEXT -- the last look at the webhooks
);
