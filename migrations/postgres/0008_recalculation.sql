-- While another currency or time zone makes figures be computed anew, everybody is shown them as they were before. What
-- was before: the account's settings, as JSON. Empty where nothing is held back, since each order moves by itself.
ALTER TABLE recalculations ADD COLUMN before TEXT NOT NULL DEFAULT '';

-- The figures of conversions as they are shown meanwhile, of those that were computed anew already or changed.
CREATE TABLE shown_conversions (
    recalculation_id BIGINT NOT NULL,
    conversion_id BIGINT NOT NULL,
    account_currency TEXT NOT NULL,
    rate TEXT,
    rate_date TEXT,
    account_value BIGINT,
    account_commission BIGINT,
    account_refunded BIGINT,
    PRIMARY KEY (recalculation_id, conversion_id)
);

-- The rows of sums as they are shown meanwhile, in place of those that the same keys have. The columns are those of the
-- tables that they stand for.
CREATE TABLE shown_offer_periods (
    recalculation_id BIGINT NOT NULL,
    period TEXT NOT NULL,
    offer_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    converted BOOLEAN NOT NULL,
    former BOOLEAN NOT NULL,
    clicks BIGINT NOT NULL,
    conversions BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    canceled BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    held BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    linked BIGINT NOT NULL,
    commissions BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    payouts BIGINT NOT NULL,
    PRIMARY KEY (recalculation_id, period, offer_id, currency, converted, former)
);
CREATE INDEX shown_offer_periods_offer ON shown_offer_periods (recalculation_id, offer_id, period);

CREATE TABLE shown_member_years (
    recalculation_id BIGINT NOT NULL,
    offer_member_id BIGINT NOT NULL,
    offer_id BIGINT NOT NULL,
    year TEXT NOT NULL,
    currency TEXT NOT NULL,
    converted BOOLEAN NOT NULL,
    clicks BIGINT NOT NULL,
    conversions BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    linked BIGINT NOT NULL,
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
    PRIMARY KEY (recalculation_id, year, offer_member_id, currency, converted)
);

CREATE TABLE shown_uncredited_days (
    recalculation_id BIGINT NOT NULL,
    day TEXT NOT NULL,
    store_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    orders BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    PRIMARY KEY (recalculation_id, day, store_id, currency)
);
