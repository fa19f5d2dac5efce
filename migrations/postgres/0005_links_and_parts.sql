-- How orders with a parent are taken (WooCommerce): decide, parts, own_orders.
ALTER TABLE stores ADD COLUMN parts TEXT NOT NULL DEFAULT 'decide';

-- Whether a link's landing page gets utm parameters: on, off. NULL: as the account says.
ALTER TABLE links ADD COLUMN utm TEXT;

-- Of the conversions, those credited by a link: a rate of conversion is these ÷ clicks.
ALTER TABLE offer_periods ADD COLUMN linked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member_years ADD COLUMN linked BIGINT NOT NULL DEFAULT 0;

WITH facts AS (
    SELECT c.day, om.offer_id, CASE WHEN c.rate IS NULL THEN c.currency ELSE c.account_currency END AS currency,
        (c.rate IS NOT NULL) AS converted, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
    FROM conversions c
    JOIN offer_members om ON om.id = c.offer_member_id
    JOIN campaign_members m ON m.id = om.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE c.credited AND c.approval = 'approved' AND c.status = 'paid' AND c.method = 'link'
), cells AS (
    SELECT day AS period, offer_id, currency, converted, former FROM facts
    UNION ALL SELECT day, 0, currency, converted, former FROM facts
    UNION ALL SELECT SUBSTR(day, 1, 7), offer_id, currency, converted, former FROM facts
    UNION ALL SELECT SUBSTR(day, 1, 7), 0, currency, converted, former FROM facts
)
UPDATE offer_periods SET linked = x.n
FROM (
    SELECT period, offer_id, currency, converted, former, COUNT(*) AS n FROM cells
    GROUP BY period, offer_id, currency, converted, former
) x
WHERE x.period = offer_periods.period AND x.offer_id = offer_periods.offer_id AND x.currency = offer_periods.currency
    AND x.converted = offer_periods.converted AND x.former = offer_periods.former;

UPDATE member_years SET linked = x.n
FROM (
    SELECT c.offer_member_id, SUBSTR(c.day, 1, 4) AS year,
        CASE WHEN c.rate IS NULL THEN c.currency ELSE c.account_currency END AS currency,
        (c.rate IS NOT NULL) AS converted, COUNT(*) AS n
    FROM conversions c
    WHERE c.credited AND c.approval = 'approved' AND c.status = 'paid' AND c.method = 'link'
    GROUP BY 1, 2, 3, 4
) x
WHERE x.offer_member_id = member_years.offer_member_id AND x.year = member_years.year
    AND x.currency = member_years.currency AND x.converted = member_years.converted;
