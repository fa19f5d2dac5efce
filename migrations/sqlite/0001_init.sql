-- The schema of Tributary. Money is BIGINT minor units beside a currency, rates are decimal text, times are UTC.
-- Days are text (YYYY-MM-DD) in the account's time zone, set when the row is written.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- A merchant's shop.
CREATE TABLE stores (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    name TEXT NOT NULL,
    domain TEXT NOT NULL,
    currency TEXT NOT NULL,
    timezone TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'active', -- active, uninstalled, ended
    warning TEXT NOT NULL DEFAULT '',     -- the last thing the owner should know, in words
    last_delivery_at TEXT,
    last_processed_at TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX stores_domain ON stores (platform, domain);

-- Webhook secrets, sealed with SECRET_KEY. Several may be active at once, so that they can be rotated.
CREATE TABLE store_secrets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id BIGINT NOT NULL REFERENCES stores (id),
    sealed BLOB NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE INDEX store_secrets_store ON store_secrets (store_id);

-- What a receiver counted per store and hour (UTC).
CREATE TABLE store_counts (
    store_id BIGINT NOT NULL REFERENCES stores (id),
    hour TEXT NOT NULL,
    outcome TEXT NOT NULL, -- accepted, repeated, bad_signature, too_large, ...
    n BIGINT NOT NULL,
    PRIMARY KEY (store_id, hour, outcome)
);

-- The inbox: every delivery that was acknowledged.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id BIGINT NOT NULL,
    dedupe_key BLOB NOT NULL, -- 16 bytes
    topic TEXT NOT NULL,
    received_at TEXT NOT NULL,
    payload BLOB,             -- kept headers and raw body, compressed; NULL once purged
    state TEXT NOT NULL DEFAULT 'waiting', -- waiting, done, ignored, failed
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at TEXT,
    processed_at TEXT,
    order_external TEXT NOT NULL DEFAULT '', -- the (first) order it told about, as the store numbers it
    note TEXT NOT NULL DEFAULT '' -- why it was ignored or failed, or what the owner should know
);
CREATE UNIQUE INDEX deliveries_key ON deliveries (dedupe_key, store_id);
-- One index each, of times alone: an index over the state as well cost the intake a tenth of its speed.
CREATE INDEX deliveries_waiting ON deliveries (received_at) WHERE state = 'waiting';
CREATE INDEX deliveries_failed ON deliveries (received_at) WHERE state = 'failed';
CREATE INDEX deliveries_order ON deliveries (store_id, order_external) WHERE order_external <> '';

-- One row per order of a store: what people see, and the merged state it is computed from. A row without placed_at
-- waits for its order: a refund came first.
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id BIGINT NOT NULL REFERENCES stores (id),
    external_id TEXT NOT NULL,
    revision BIGINT NOT NULL DEFAULT 1,
    number TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'pending',
    currency TEXT NOT NULL DEFAULT '',
    value BIGINT NOT NULL DEFAULT 0,
    original_value BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    refunded BIGINT NOT NULL DEFAULT 0,
    refund_pending BIGINT NOT NULL DEFAULT 0,
    test BOOLEAN NOT NULL DEFAULT FALSE,
    placed_at TEXT,
    updated_at TEXT,
    day TEXT NOT NULL DEFAULT '',
    codes TEXT NOT NULL DEFAULT '[]',
    not_credited TEXT,
    evidence TEXT NOT NULL DEFAULT '', -- fingerprint of what attribution looked at
    trace TEXT NOT NULL DEFAULT '',
    needs_reread BOOLEAN NOT NULL DEFAULT FALSE,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);
CREATE UNIQUE INDEX orders_external ON orders (store_id, external_id);
CREATE INDEX orders_placed ON orders (placed_at, id);
CREATE INDEX orders_open ON orders (status, placed_at) WHERE status <> 'paid';
CREATE INDEX orders_reread ON orders (store_id, id) WHERE needs_reread;

-- Codes and slugs found on orders that are not credited, so that late knowledge finds them.
CREATE TABLE unowned_evidence (
    order_id BIGINT NOT NULL REFERENCES orders (id),
    store_id BIGINT NOT NULL,
    kind TEXT NOT NULL, -- code, slug, click
    value TEXT NOT NULL, -- folded
    PRIMARY KEY (order_id, kind, value)
);
CREATE INDEX unowned_evidence_value ON unowned_evidence (kind, value, store_id);

CREATE TABLE creators (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL DEFAULT '',
    email_hash TEXT NOT NULL DEFAULT '', -- keyed hash, compared with customers'
    country TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    removed_at TEXT, -- left the community
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX creators_email_hash ON creators (email_hash) WHERE email_hash <> '';

CREATE TABLE creator_handles (
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    network TEXT NOT NULL, -- instagram, tiktok, youtube, ...
    handle TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (creator_id, network)
);
CREATE UNIQUE INDEX creator_handles_folded ON creator_handles (network, folded);

CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL DEFAULT 'active', -- active, ended
    starts_at TEXT,
    ends_at TEXT,
    window_days INTEGER,  -- NULL: the account's
    precedence TEXT,      -- NULL: the account's
    click_rule TEXT,      -- NULL: the account's
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE campaign_members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    product_value BIGINT NOT NULL DEFAULT 0,
    product_currency TEXT NOT NULL,
    removed_at TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (campaign_id, creator_id)
);
CREATE INDEX campaign_members_creator ON campaign_members (creator_id);

CREATE TABLE campaign_costs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    creator_id BIGINT REFERENCES creators (id),
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    day TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    removed_at TEXT
);
CREATE INDEX campaign_costs_campaign ON campaign_costs (campaign_id);

CREATE TABLE offers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    type TEXT NOT NULL, -- promo_code, sales_link
    status TEXT NOT NULL DEFAULT 'active', -- active, paused, expired, archived
    status_since TEXT NOT NULL,
    commission_percent BIGINT NOT NULL DEFAULT 0, -- 1/10000
    commission_flat BIGINT NOT NULL DEFAULT 0,    -- 1/10000 of the order currency's main unit, per order
    rule_version INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (campaign_id, folded)
);

CREATE TABLE offer_members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_id BIGINT NOT NULL REFERENCES offers (id),
    member_id BIGINT NOT NULL REFERENCES campaign_members (id),
    commission_percent BIGINT, -- override; NULL both: the offer's rule
    commission_flat BIGINT,
    rule_version INTEGER NOT NULL DEFAULT 0,
    inactive_since TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (offer_id, member_id)
);
CREATE INDEX offer_members_member ON offer_members (member_id);

-- One interval of ownership of a code in a store: [valid_from, valid_to), open where NULL. Never changed backwards.
CREATE TABLE codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_member_id BIGINT NOT NULL REFERENCES offer_members (id),
    store_id BIGINT NOT NULL REFERENCES stores (id),
    code TEXT NOT NULL,
    folded TEXT NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX codes_folded ON codes (store_id, folded);
CREATE UNIQUE INDEX codes_current ON codes (store_id, folded) WHERE valid_to IS NULL;
CREATE INDEX codes_member ON codes (offer_member_id);

CREATE TABLE links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_member_id BIGINT NOT NULL REFERENCES offer_members (id),
    slug TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL DEFAULT 'sales', -- sales, purchase, review
    landing_url TEXT NOT NULL,
    ended_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX links_member ON links (offer_member_id);

CREATE TABLE clicks (
    id TEXT PRIMARY KEY, -- ULID, the click id in the landing page's address
    link_id BIGINT NOT NULL REFERENCES links (id),
    at TEXT NOT NULL,
    day TEXT NOT NULL,
    referrer_host TEXT NOT NULL DEFAULT '',
    bot BOOLEAN NOT NULL DEFAULT FALSE,
    visitor TEXT NOT NULL DEFAULT '' -- keyed hash; no address is kept
);
CREATE INDEX clicks_link ON clicks (link_id, at, bot); -- counted from the index alone

-- The credit of one order to one offer member. At most one per order, for ever.
CREATE TABLE conversions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id BIGINT NOT NULL UNIQUE REFERENCES orders (id),
    store_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    offer_id BIGINT NOT NULL REFERENCES offers (id),
    offer_member_id BIGINT NOT NULL REFERENCES offer_members (id),
    credited BOOLEAN NOT NULL DEFAULT TRUE, -- false: its evidence is gone from the order
    method TEXT NOT NULL, -- code, link
    code_id BIGINT,
    link_id BIGINT,
    click_id TEXT,
    evidence TEXT NOT NULL, -- the code or slug as its owner writes it
    ambiguous BOOLEAN NOT NULL DEFAULT FALSE,
    approval TEXT NOT NULL DEFAULT 'approved', -- approved, rejected, held
    approval_reason TEXT NOT NULL DEFAULT '',
    approval_by TEXT NOT NULL DEFAULT '', -- empty: decided by rule
    approval_at TEXT,
    held_reason TEXT NOT NULL DEFAULT '', -- why a rule would hold it; empty: no rule does
    released BOOLEAN NOT NULL DEFAULT FALSE, -- a person let it pass although a rule would hold it
    commission_percent BIGINT NOT NULL,
    commission_flat BIGINT NOT NULL,
    rule_version INTEGER NOT NULL,
    status TEXT NOT NULL, -- the order's
    currency TEXT NOT NULL, -- the order's
    value BIGINT NOT NULL,
    original_value BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    commission BIGINT NOT NULL, -- in the order's currency
    account_currency TEXT NOT NULL,
    rate TEXT,      -- account currency per order currency; NULL: waits for a rate
    rate_date TEXT,
    account_value BIGINT,
    account_commission BIGINT,
    account_refunded BIGINT,
    ledger_currency TEXT NOT NULL, -- of its ledger entries; stays when the account's currency changes
    ledger_rate TEXT, -- ledger currency per order currency, of rate_date
    ledger_commission BIGINT NOT NULL DEFAULT 0, -- what its ledger entries add up to
    placed_at TEXT NOT NULL,
    day TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX conversions_campaign ON conversions (campaign_id, placed_at, id);
CREATE INDEX conversions_member ON conversions (offer_member_id, day);
CREATE INDEX conversions_placed ON conversions (placed_at, id);
CREATE INDEX conversions_no_rate ON conversions (currency) WHERE rate IS NULL;
CREATE INDEX conversions_held ON conversions (placed_at, id) WHERE approval = 'held';
CREATE INDEX conversions_ambiguous ON conversions (placed_at, id) WHERE ambiguous;

CREATE TABLE payouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'draft', -- draft, paid, canceled
    method TEXT NOT NULL DEFAULT '',
    reference TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    paid_at TEXT
);
CREATE INDEX payouts_creator ON payouts (creator_id);

-- Append-only: money owed to creators (positive), taken back or paid (negative).
CREATE TABLE ledger_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    campaign_id BIGINT REFERENCES campaigns (id),
    offer_member_id BIGINT REFERENCES offer_members (id),
    conversion_id BIGINT REFERENCES conversions (id),
    kind TEXT NOT NULL, -- accrual, reversal, adjustment, bonus, payout, write_off
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    cause TEXT NOT NULL UNIQUE,
    note TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    day TEXT NOT NULL,
    payable_at TEXT NOT NULL,
    payout_id BIGINT REFERENCES payouts (id)
);
CREATE INDEX ledger_conversion ON ledger_entries (conversion_id);
CREATE INDEX ledger_creator ON ledger_entries (creator_id, created_at);
CREATE INDEX ledger_created ON ledger_entries (created_at, id); -- the ledger as a list
CREATE INDEX ledger_payout ON ledger_entries (payout_id) WHERE payout_id IS NOT NULL;
CREATE INDEX ledger_on_hold ON ledger_entries (payable_at, offer_member_id, creator_id, campaign_id, currency, amount) WHERE payable_at > created_at;

-- What the ledger holds per account and currency: the sum of its entries, kept with them. 0 stands for no campaign or
-- offer member.
CREATE TABLE balances (
    offer_member_id BIGINT NOT NULL,
    creator_id BIGINT NOT NULL,
    campaign_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    balance BIGINT NOT NULL, -- all entries
    paid BIGINT NOT NULL,    -- payouts among them, as a positive number
    PRIMARY KEY (offer_member_id, creator_id, campaign_id, currency)
);
CREATE INDEX balances_creator ON balances (creator_id);
CREATE INDEX balances_campaign ON balances (campaign_id);

-- Sums for reports, kept in the transaction that changes what they sum; "tributary check" computes them anew and compares.
-- One row per offer (0: all offers and what belongs to none), period (a day, or a month as YYYY-MM) and currency: the
-- account's where converted, else the orders' that wait for a rate; clicks have none and stand under ''. former: of
-- creators who left the campaign or the community. Conversions count by the day of their order, clicks and payouts by
-- their own; payouts stand under the currency in which they were paid.
CREATE TABLE offer_periods (
    period TEXT NOT NULL,
    offer_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    converted BOOLEAN NOT NULL,
    former BOOLEAN NOT NULL,
    clicks BIGINT NOT NULL,
    conversions BIGINT NOT NULL, -- paid and approved
    pending BIGINT NOT NULL,     -- these five are not among the conversions; rejected and held come before the status
    canceled BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    held BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    sales BIGINT NOT NULL,       -- value of the conversions
    commissions BIGINT NOT NULL,
    refunds BIGINT NOT NULL,     -- money that went back, of orders that are not rejected
    payouts BIGINT NOT NULL,
    PRIMARY KEY (period, offer_id, currency, converted, former)
);
CREATE INDEX offer_periods_offer ON offer_periods (offer_id, period);

-- The same per offer member and year. m01 to m12 have bit d-1 set for each day d of the month with a conversion.
CREATE TABLE member_years (
    offer_member_id BIGINT NOT NULL,
    offer_id BIGINT NOT NULL,
    year TEXT NOT NULL,
    currency TEXT NOT NULL,
    converted BOOLEAN NOT NULL,
    clicks BIGINT NOT NULL,
    conversions BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    commissions BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    m01 BIGINT NOT NULL,
    m02 BIGINT NOT NULL,
    m03 BIGINT NOT NULL,
    m04 BIGINT NOT NULL,
    m05 BIGINT NOT NULL,
    m06 BIGINT NOT NULL,
    m07 BIGINT NOT NULL,
    m08 BIGINT NOT NULL,
    m09 BIGINT NOT NULL,
    m10 BIGINT NOT NULL,
    m11 BIGINT NOT NULL,
    m12 BIGINT NOT NULL,
    PRIMARY KEY (year, offer_member_id, currency, converted)
) WITHOUT ROWID;

-- Paid orders without a creator, per day and the orders' currency.
CREATE TABLE uncredited_days (
    day TEXT NOT NULL,
    store_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    orders BIGINT NOT NULL,
    sales BIGINT NOT NULL, -- value of the orders
    PRIMARY KEY (day, store_id, currency)
);

-- Work in the background that computes stored figures anew, after the account's currency or time zone changed.
CREATE TABLE recalculations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reason TEXT NOT NULL, -- in words: currency EUR → USD
    state TEXT NOT NULL,  -- running, done
    phase TEXT NOT NULL,  -- what it works on: conversions, orders, clicks
    after_id TEXT NOT NULL DEFAULT '', -- the last one that is done
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT
);

-- Reference rates: units of currency for one euro, as the bank published them.
CREATE TABLE fx_rates (
    day TEXT NOT NULL,
    currency TEXT NOT NULL,
    rate TEXT NOT NULL,
    PRIMARY KEY (day, currency)
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL UNIQUE, -- normalized
    name TEXT NOT NULL DEFAULT '',
    role TEXT NOT NULL, -- owner, manager, viewer
    password TEXT NOT NULL, -- argon2id
    disabled_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- People who are signed in. A session's token is kept as its SHA-256 only.
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed sign-ins by keyed hash of the e-mail address, and of the network address.
CREATE TABLE sign_in_failures (
    who TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at TEXT NOT NULL
);

-- What a person chose on pages: columns of a table, filters saved under a name.
CREATE TABLE preferences (
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (user_id, name)
);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE, -- SHA-256 of the token
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    ended_at TEXT
);

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL, -- prefixed id
    before TEXT NOT NULL DEFAULT '',
    after TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_log_subject ON audit_log (subject);

-- Writes that were asked for with an Idempotency-Key, and their answers. Kept for a day.
CREATE TABLE idempotency_keys (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL, -- SHA-256 of method, path and body
    state TEXT NOT NULL,      -- started, applied, answered
    status INTEGER NOT NULL DEFAULT 0,
    headers TEXT NOT NULL DEFAULT '', -- JSON
    body BLOB,
    created_at TEXT NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
