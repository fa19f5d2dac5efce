-- What creators earn, by when an order was placed: of an offer, or of one member of it, who may have a rule of their own.
CREATE TABLE commission_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_id BIGINT NOT NULL REFERENCES offers (id),
    offer_member_id BIGINT REFERENCES offer_members (id), -- NULL: of the offer
    percent BIGINT, -- 1/10000; NULL both, of a member: the offer's counts from then on
    flat BIGINT, -- 1/10000 of the order currency's main unit, per order
    version INTEGER NOT NULL, -- grows from rule to rule of the same offer or member
    from_at TEXT, -- orders placed from then on; NULL: all
    made_at TEXT NOT NULL,
    author TEXT NOT NULL
);
CREATE INDEX commission_rules_offer ON commission_rules (offer_id, id);
CREATE INDEX commission_rules_of_all ON commission_rules (offer_id) WHERE offer_member_id IS NULL;
CREATE INDEX commission_rules_member ON commission_rules (offer_member_id, id) WHERE offer_member_id IS NOT NULL;
INSERT INTO commission_rules (offer_id, percent, flat, version, made_at, author)
SELECT id, commission_percent, commission_flat, rule_version, updated_at, '' FROM offers ORDER BY id;
INSERT INTO commission_rules (offer_id, offer_member_id, percent, flat, version, made_at, author)
SELECT offer_id, id, commission_percent, commission_flat, rule_version, updated_at, '' FROM offer_members
WHERE rule_version > 0 ORDER BY id;

-- Since when somebody is no longer in an offer; what they sold stays in its figures.
ALTER TABLE offer_members ADD COLUMN removed_at TEXT;

-- What members of an offer get beside their commissions, and for what.
CREATE TABLE reward_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_id BIGINT NOT NULL REFERENCES offers (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL, -- cash, product, code
    earned_by TEXT NOT NULL, -- first_conversion, conversions, every_conversions, sales, every_sales, first_order, any_order
    count BIGINT NOT NULL, -- of conversions
    threshold BIGINT NOT NULL, -- of sales or of an order, in minor units of currency
    currency TEXT NOT NULL, -- of threshold and amount: the account's when the rule was made
    amount BIGINT NOT NULL, -- of cash; of a product or code what it costs the brand
    product TEXT NOT NULL, -- what is sent
    discount TEXT NOT NULL, -- JSON: what the code gives
    approval TEXT NOT NULL, -- rule, person
    from_at TEXT, -- orders placed from then on count; NULL: all
    to_at TEXT, -- orders placed before count; NULL: all
    ended_at TEXT,
    author TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX reward_rules_offer ON reward_rules (offer_id, id);

-- What was earned by a rule: the nth time by a member.
CREATE TABLE rewards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id BIGINT NOT NULL REFERENCES reward_rules (id),
    offer_member_id BIGINT NOT NULL REFERENCES offer_members (id),
    nth BIGINT NOT NULL,
    offer_id BIGINT NOT NULL REFERENCES offers (id),
    campaign_id BIGINT NOT NULL REFERENCES campaigns (id),
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    earned BOOLEAN NOT NULL, -- FALSE: refunds, or rejections, have undone it
    decision TEXT NOT NULL, -- waiting, approved, rejected
    decided_by TEXT NOT NULL, -- empty: by rule
    decided_at TEXT,
    reason TEXT NOT NULL, -- of a rejection
    given_at TEXT, -- when the product was sent, or the code handed over
    given_by TEXT NOT NULL,
    note TEXT NOT NULL, -- such as the number of the parcel
    code TEXT NOT NULL, -- that was handed over
    conversion_id BIGINT REFERENCES conversions (id), -- that reached the mark
    conversions BIGINT NOT NULL, -- how many there were with it
    sales BIGINT NOT NULL, -- what they came to
    earned_at TEXT NOT NULL, -- when that order was placed
    undone_at TEXT, -- when it was no longer earned
    revision BIGINT NOT NULL, -- of its ledger entries
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (rule_id, offer_member_id, nth)
);
CREATE INDEX rewards_member ON rewards (offer_member_id, id);
CREATE INDEX rewards_creator ON rewards (creator_id, id);
CREATE INDEX rewards_offer ON rewards (offer_id, id);
CREATE INDEX rewards_campaign ON rewards (campaign_id, id);
CREATE INDEX rewards_waiting ON rewards (id) WHERE earned AND decision = 'waiting';

-- Members whose rewards are to be reckoned anew; one line for each change, so that nobody waits for another.
CREATE TABLE reward_work (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offer_member_id BIGINT NOT NULL
);
CREATE INDEX reward_work_member ON reward_work (offer_member_id);

ALTER TABLE ledger_entries ADD COLUMN reward_id BIGINT REFERENCES rewards (id);
CREATE INDEX ledger_reward ON ledger_entries (reward_id) WHERE reward_id IS NOT NULL;

-- What mails say, by what they are for; none of a purpose: the text that comes with the program.
CREATE TABLE mail_texts (
    purpose TEXT NOT NULL PRIMARY KEY, -- code_or_link, payment_sent, payment_details_missing, statement, message
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    version INTEGER NOT NULL,
    author TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- One text to many.
CREATE TABLE mail_sends (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL, -- with its fields, as it was when it was sent
    body TEXT NOT NULL,
    sender TEXT NOT NULL, -- name <address>
    state TEXT NOT NULL, -- sending, done, canceled
    offer_id BIGINT REFERENCES offers (id),
    payout_batch_id BIGINT REFERENCES payout_batches (id),
    mails BIGINT NOT NULL,
    key TEXT NOT NULL UNIQUE, -- whoever asks for the same again gets this one
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT
);

-- One mail to one creator.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    send_id BIGINT NOT NULL REFERENCES mail_sends (id),
    creator_id BIGINT NOT NULL REFERENCES creators (id),
    offer_member_id BIGINT REFERENCES offer_members (id),
    creator TEXT NOT NULL, -- name
    address TEXT NOT NULL,
    fields TEXT NOT NULL, -- JSON: what stands for the fields of the text
    state TEXT NOT NULL, -- queued, sending, ending, sent, refused, skipped, canceled
    tries BIGINT NOT NULL,
    next_at TEXT, -- when it is tried next
    code BIGINT NOT NULL, -- of the server's last answer; 0: none
    answer TEXT NOT NULL, -- the server's words, or why it is not sent
    message_id TEXT NOT NULL, -- the same however often it is tried
    created_at TEXT NOT NULL,
    sent_at TEXT,
    updated_at TEXT NOT NULL,
    UNIQUE (send_id, creator_id)
);
CREATE INDEX mails_due ON mails (next_at, id) WHERE state IN ('queued', 'sending', 'ending');
CREATE INDEX mails_creator ON mails (creator_id, id);
CREATE INDEX mails_send ON mails (send_id, state, id);

-- Addresses that get no mail.
CREATE TABLE mail_suppressions (
    address TEXT NOT NULL PRIMARY KEY, -- folded
    reason TEXT NOT NULL, -- unsubscribed, bounced, by_hand
    note TEXT NOT NULL, -- the server's words, or somebody's
    author TEXT NOT NULL, -- empty: the recipient, or their server
    created_at TEXT NOT NULL
);

-- Who sends mails now, and when the next one may go.
CREATE TABLE mail_lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    holder TEXT NOT NULL,
    until TEXT,
    next_at TEXT,
    trouble TEXT NOT NULL, -- why mails wait that could go; empty: they do not
    trouble_since TEXT
);
INSERT INTO mail_lease (id, holder, trouble) VALUES (1, '', '');

-- Entries that somebody posts by hand, so that the same request posts once.
CREATE TABLE entry_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, -- bonus, adjustment, write_off
    entries BIGINT NOT NULL,
    reason TEXT NOT NULL,
    request TEXT NOT NULL, -- what tells it from another request under the same key
    results TEXT NOT NULL, -- JSON: what became of each creator
    author TEXT NOT NULL,
    created_at TEXT NOT NULL
);
