-- sums of home
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- a chart of home
SELECT p.period AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period >= $1 AND p.period < $2 AND LENGTH(p.period) = 10 AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- a chart of home since its first conversion
SELECT COALESCE(MIN(p.period), '')
FROM offer_periods p
WHERE LENGTH(p.period) = 10 AND p.offer_id = 0 AND p.conversions <> 0 AND p.converted AND p.currency = $1;

-- a chart of home since its first conversion
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- a chart of home since its first conversion
SELECT p.period AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1, $2, $3, $4, $5) AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- members of home
SELECT COUNT(*)
FROM offer_members
WHERE removed_at IS NULL;

-- members of home with conversions
SELECT COUNT(*)
FROM
(SELECT y.offer_member_id
  FROM member_years y
  WHERE y.conversions > 0 AND y.converted AND y.currency = $1 AND y.year IN ($2) AND (y.year = '2026' AND
        ((y.m03 & 2147483647)) <> 0)
  GROUP BY y.offer_member_id) x;

-- payments due of home
SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount, COUNT(*)
    FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members
FROM
(SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside),
        0) AS inside, COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members
  FROM (
    SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, TRUE AS inside
    FROM
    (SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid, b.balance - CASE
          WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
      FROM balances b
      LEFT JOIN
      (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS
            offer_member_id, currency, CAST(SUM(amount) AS BIGINT) AS amount
        FROM
        (SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount
          FROM ledger_entries e
          WHERE e.payable_at > $1 AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) b
    WHERE (b.balance <> 0 OR b.payable <> 0)) a
  GROUP BY a.creator_id, a.currency) d
WHERE d.payable > 0 AND (d.currency <> $2 OR d.payable >= $3)
GROUP BY d.currency
ORDER BY d.currency;

-- sums of a campaign
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($2))
GROUP BY 1, p.currency, p.converted, p.former;

-- a chart of a campaign
SELECT p.period AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period >= $1 AND p.period < $2 AND LENGTH(p.period) = 10 AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($3))
GROUP BY 1, p.currency, p.converted, p.former;

-- a chart of a campaign since its first conversion
SELECT COALESCE(MIN(p.period), '')
FROM offer_periods p
WHERE LENGTH(p.period) = 10 AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($1)) AND NOT p.former AND p.conversions <> 0 AND p.converted AND p.currency = $2;

-- a chart of a campaign since its first conversion
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- a chart of a campaign since its first conversion
SELECT p.period AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1, $2, $3, $4, $5) AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($6))
GROUP BY 1, p.currency, p.converted, p.former;

-- members of a campaign
SELECT COUNT(*)
FROM offer_members om
JOIN campaign_members m ON m.id = om.member_id
JOIN offers o ON o.id = om.offer_id
JOIN creators cr ON cr.id = m.creator_id
WHERE o.campaign_id IN ($1) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND om.removed_at IS NULL;

-- members of a campaign with conversions
SELECT COUNT(*)
FROM
(SELECT y.offer_member_id
  FROM member_years y
  WHERE y.conversions > 0 AND y.converted AND y.currency = $1 AND y.year IN ($2) AND (y.year = '2026' AND
        ((y.m03 & 2147483647)) <> 0) AND y.offer_member_id IN
  (SELECT om.id
    FROM offer_members om
    JOIN campaign_members m ON m.id = om.member_id
    JOIN offers o ON o.id = om.offer_id
    JOIN creators cr ON cr.id = m.creator_id
    WHERE o.campaign_id IN ($3) AND m.removed_at IS NULL AND cr.removed_at IS NULL)
  GROUP BY y.offer_member_id) x;

-- payments due of a campaign
SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount, COUNT(*)
    FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members
FROM
(SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside),
        0) AS inside, COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members
  FROM (
    SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, b.campaign_id IN ($1) AND (b.campaign_id,
          b.creator_id) IN
    (SELECT m.campaign_id, m.creator_id
      FROM campaign_members m
      JOIN creators cr ON cr.id = m.creator_id
      WHERE m.campaign_id IN ($2) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AS inside
    FROM
    (SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid, b.balance - CASE
          WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
      FROM balances b
      LEFT JOIN
      (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS
            offer_member_id, currency, CAST(SUM(amount) AS BIGINT) AS amount
        FROM
        (SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount
          FROM ledger_entries e
          WHERE e.payable_at > $3 AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) b
    WHERE (b.balance <> 0 OR b.payable <> 0) AND b.creator_id IN
    (SELECT b.creator_id
      FROM balances b
      WHERE b.campaign_id IN ($4) AND (b.campaign_id, b.creator_id) IN
      (SELECT m.campaign_id, m.creator_id
        FROM campaign_members m
        JOIN creators cr ON cr.id = m.creator_id
        WHERE m.campaign_id IN ($5) AND m.removed_at IS NULL AND cr.removed_at IS NULL))) a
  GROUP BY a.creator_id, a.currency) d
WHERE d.payable > 0 AND (d.currency <> $6 OR d.payable >= $7)
GROUP BY d.currency
ORDER BY d.currency;

-- sums of a creator
SELECT f.period, f.currency, f.converted, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former,
    CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked)
      AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS
    canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected)
      AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS
    commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT '' AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      WHERE m.creator_id = $1) AND c.day >= $2 AND c.day < $3
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      WHERE m.creator_id = $4) AND k.at >= $5 AND k.at < $6
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id = $7 AND e.created_at >= $8 AND e.created_at < $9) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- a chart of a creator
SELECT f.period, f.currency, f.converted, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former,
    CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked)
      AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS
    canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected)
      AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS
    commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT f.day AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      WHERE m.creator_id = $1) AND c.day >= $2 AND c.day < $3
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      WHERE m.creator_id = $4) AND k.at >= $5 AND k.at < $6
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id = $7 AND e.created_at >= $8 AND e.created_at < $9) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- a chart of a creator since its first conversion
SELECT COALESCE(MIN(p.day), '')
FROM conversions p
WHERE p.credited AND p.offer_member_id IN
(SELECT om.id
  FROM offer_members om
  JOIN campaign_members m ON m.id = om.member_id
  JOIN creators cr ON cr.id = m.creator_id
  WHERE m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id = $1) AND p.approval = 'approved' AND
    p.status = 'paid' AND p.rate IS NOT NULL AND p.account_currency = $2;

-- a chart of a creator since its first conversion
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- a chart of a creator since its first conversion
SELECT f.period, f.currency, f.converted, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former,
    CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked)
      AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS
    canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected)
      AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS
    commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT f.day AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      WHERE m.creator_id = $1) AND c.day >= $2 AND c.day < $3
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      WHERE m.creator_id = $4) AND k.at >= $5 AND k.at < $6
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id = $7 AND e.created_at >= $8 AND e.created_at < $9) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- members of a creator
SELECT COUNT(*)
FROM offer_members om
JOIN campaign_members m ON m.id = om.member_id
JOIN creators cr ON cr.id = m.creator_id
WHERE m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id = $1 AND om.removed_at IS NULL;

-- members of a creator with conversions
SELECT COUNT(*)
FROM
(SELECT y.offer_member_id
  FROM member_years y
  WHERE y.conversions > 0 AND y.converted AND y.currency = $1 AND y.year IN ($2) AND (y.year = '2026' AND
        ((y.m03 & 2147483647)) <> 0) AND y.offer_member_id IN
  (SELECT om.id
    FROM offer_members om
    JOIN campaign_members m ON m.id = om.member_id
    JOIN creators cr ON cr.id = m.creator_id
    WHERE m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id = $3)
  GROUP BY y.offer_member_id) x;

-- payments due of a creator
SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount, COUNT(*)
    FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members
FROM
(SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside),
        0) AS inside, COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members
  FROM (
    SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, b.creator_id = $1 AND ((b.campaign_id,
            b.creator_id) IN
      (SELECT m.campaign_id, m.creator_id
        FROM campaign_members m
        JOIN creators cr ON cr.id = m.creator_id
        WHERE m.removed_at IS NULL AND cr.removed_at IS NULL) OR b.campaign_id = 0 AND b.creator_id IN
      (SELECT cr.id
        FROM creators cr
        WHERE cr.removed_at IS NULL)) AS inside
    FROM
    (SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid, b.balance - CASE
          WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
      FROM balances b
      LEFT JOIN
      (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS
            offer_member_id, currency, CAST(SUM(amount) AS BIGINT) AS amount
        FROM
        (SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount
          FROM ledger_entries e
          WHERE e.payable_at > $2 AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id) AND e.creator_id IN ($3)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency
      WHERE b.creator_id IN ($4)) b
    WHERE (b.balance <> 0 OR b.payable <> 0) AND b.creator_id IN
    (SELECT b.creator_id
      FROM balances b
      WHERE b.creator_id = $5 AND ((b.campaign_id, b.creator_id) IN
        (SELECT m.campaign_id, m.creator_id
          FROM campaign_members m
          JOIN creators cr ON cr.id = m.creator_id
          WHERE m.removed_at IS NULL AND cr.removed_at IS NULL) OR b.campaign_id = 0 AND b.creator_id IN
        (SELECT cr.id
          FROM creators cr
          WHERE cr.removed_at IS NULL)))) a
  GROUP BY a.creator_id, a.currency) d
WHERE d.payable > 0 AND (d.currency <> $6 OR d.payable >= $7)
GROUP BY d.currency
ORDER BY d.currency;

-- sums of the community
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- sums of the community
SELECT f.period, f.currency, f.converted, TRUE AS former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT '' AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND c.day >= $1 AND c.day < $2
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND k.at >= $3 AND k.at < $4
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id IN
    (SELECT cr.id
      FROM creators cr
      WHERE cr.removed_at IS NOT NULL) AND e.created_at >= $5 AND e.created_at < $6) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- a chart of the community
SELECT p.period AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period >= $1 AND p.period < $2 AND LENGTH(p.period) = 10 AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- a chart of the community
SELECT f.period, f.currency, f.converted, TRUE AS former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT f.day AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND c.day >= $1 AND c.day < $2
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND k.at >= $3 AND k.at < $4
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id IN
    (SELECT cr.id
      FROM creators cr
      WHERE cr.removed_at IS NOT NULL) AND e.created_at >= $5 AND e.created_at < $6) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- a chart of the community since its first conversion
SELECT COALESCE(MIN(p.period), '')
FROM offer_periods p
WHERE LENGTH(p.period) = 10 AND p.offer_id = 0 AND NOT p.former AND p.conversions <> 0 AND p.converted AND
    p.currency = $1;

-- a chart of the community since its first conversion
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- a chart of the community since its first conversion
SELECT p.period AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1, $2, $3, $4, $5) AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- a chart of the community since its first conversion
SELECT f.period, f.currency, f.converted, TRUE AS former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT f.day AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND c.day >= $1 AND c.day < $2
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND k.at >= $3 AND k.at < $4
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id IN
    (SELECT cr.id
      FROM creators cr
      WHERE cr.removed_at IS NOT NULL) AND e.created_at >= $5 AND e.created_at < $6) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- members of the community
SELECT COUNT(*)
FROM offer_members om
JOIN campaign_members m ON m.id = om.member_id
JOIN creators cr ON cr.id = m.creator_id
WHERE cr.removed_at IS NULL AND om.removed_at IS NULL;

-- members of the community with conversions
SELECT COUNT(*)
FROM
(SELECT y.offer_member_id
  FROM member_years y
  WHERE y.conversions > 0 AND y.converted AND y.currency = $1 AND y.year IN ($2) AND (y.year = '2026' AND
        ((y.m03 & 2147483647)) <> 0) AND y.offer_member_id IN
  (SELECT om.id
    FROM offer_members om
    JOIN campaign_members m ON m.id = om.member_id
    JOIN creators cr ON cr.id = m.creator_id
    WHERE cr.removed_at IS NULL)
  GROUP BY y.offer_member_id) x;

-- payments due of the community
SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount, COUNT(*)
    FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members
FROM
(SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside),
        0) AS inside, COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members
  FROM (
    SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, b.creator_id IN
    (SELECT cr.id
      FROM creators cr
      WHERE cr.removed_at IS NULL) AS inside
    FROM
    (SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid, b.balance - CASE
          WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
      FROM balances b
      LEFT JOIN
      (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS
            offer_member_id, currency, CAST(SUM(amount) AS BIGINT) AS amount
        FROM
        (SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount
          FROM ledger_entries e
          WHERE e.payable_at > $1 AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) b
    WHERE (b.balance <> 0 OR b.payable <> 0)) a
  GROUP BY a.creator_id, a.currency) d
WHERE d.payable > 0 AND (d.currency <> $2 OR d.payable >= $3)
GROUP BY d.currency
ORDER BY d.currency;

-- sums of a creator in a campaign
SELECT f.period, f.currency, f.converted, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former,
    CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked)
      AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS
    canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected)
      AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS
    commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT '' AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($1) AND m.creator_id = $2) AND c.day >= $3 AND c.day < $4
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($5) AND m.creator_id = $6) AND k.at >= $7 AND k.at < $8
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id = $9 AND e.created_at >= $10 AND e.created_at < $11 AND
        e.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($12) AND m.creator_id = $13)) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- a chart of a creator in a campaign
SELECT f.period, f.currency, f.converted, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former,
    CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked)
      AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS
    canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected)
      AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS
    commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT f.day AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($1) AND m.creator_id = $2) AND c.day >= $3 AND c.day < $4
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($5) AND m.creator_id = $6) AND k.at >= $7 AND k.at < $8
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id = $9 AND e.created_at >= $10 AND e.created_at < $11 AND
        e.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($12) AND m.creator_id = $13)) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- a chart of a creator in a campaign since its first conversion
SELECT COALESCE(MIN(p.day), '')
FROM conversions p
WHERE p.credited AND p.offer_member_id IN
(SELECT om.id
  FROM offer_members om
  JOIN campaign_members m ON m.id = om.member_id
  JOIN offers o ON o.id = om.offer_id
  JOIN creators cr ON cr.id = m.creator_id
  WHERE o.campaign_id IN ($1) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id = $2) AND
    p.approval = 'approved' AND p.status = 'paid' AND p.rate IS NOT NULL AND p.account_currency = $3;

-- a chart of a creator in a campaign since its first conversion
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- a chart of a creator in a campaign since its first conversion
SELECT f.period, f.currency, f.converted, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former,
    CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked)
      AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS
    canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected)
      AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS
    commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT f.day AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($1) AND m.creator_id = $2) AND c.day >= $3 AND c.day < $4
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($5) AND m.creator_id = $6) AND k.at >= $7 AND k.at < $8
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id = $9 AND e.created_at >= $10 AND e.created_at < $11 AND
        e.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      WHERE o.campaign_id IN ($12) AND m.creator_id = $13)) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- members of a creator in a campaign
SELECT COUNT(*)
FROM offer_members om
JOIN campaign_members m ON m.id = om.member_id
JOIN offers o ON o.id = om.offer_id
JOIN creators cr ON cr.id = m.creator_id
WHERE o.campaign_id IN ($1) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id = $2 AND
    om.removed_at IS NULL;

-- members of a creator in a campaign with conversions
SELECT COUNT(*)
FROM
(SELECT y.offer_member_id
  FROM member_years y
  WHERE y.conversions > 0 AND y.converted AND y.currency = $1 AND y.year IN ($2) AND (y.year = '2026' AND
        ((y.m03 & 2147483647)) <> 0) AND y.offer_member_id IN
  (SELECT om.id
    FROM offer_members om
    JOIN campaign_members m ON m.id = om.member_id
    JOIN offers o ON o.id = om.offer_id
    JOIN creators cr ON cr.id = m.creator_id
    WHERE o.campaign_id IN ($3) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id = $4)
  GROUP BY y.offer_member_id) x;

-- payments due of a creator in a campaign
SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount, COUNT(*)
    FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members
FROM
(SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside),
        0) AS inside, COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members
  FROM (
    SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, b.creator_id = $1 AND b.campaign_id IN ($2)
        AND (b.campaign_id, b.creator_id) IN
    (SELECT m.campaign_id, m.creator_id
      FROM campaign_members m
      JOIN creators cr ON cr.id = m.creator_id
      WHERE m.campaign_id IN ($3) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AS inside
    FROM
    (SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid, b.balance - CASE
          WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
      FROM balances b
      LEFT JOIN
      (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS
            offer_member_id, currency, CAST(SUM(amount) AS BIGINT) AS amount
        FROM
        (SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount
          FROM ledger_entries e
          WHERE e.payable_at > $4 AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id) AND e.creator_id IN ($5)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency
      WHERE b.creator_id IN ($6)) b
    WHERE (b.balance <> 0 OR b.payable <> 0) AND b.creator_id IN
    (SELECT b.creator_id
      FROM balances b
      WHERE b.creator_id = $7 AND b.campaign_id IN ($8) AND (b.campaign_id, b.creator_id) IN
      (SELECT m.campaign_id, m.creator_id
        FROM campaign_members m
        JOIN creators cr ON cr.id = m.creator_id
        WHERE m.campaign_id IN ($9) AND m.removed_at IS NULL AND cr.removed_at IS NULL))) a
  GROUP BY a.creator_id, a.currency) d
WHERE d.payable > 0 AND (d.currency <> $10 OR d.payable >= $11)
GROUP BY d.currency
ORDER BY d.currency;

-- campaigns by name
WITH every AS MATERIALIZED
(SELECT x.*, x.name AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM campaigns t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.campaign_id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2) AND NOT p.former) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC, id;

-- campaigns by name
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- campaigns by name
SELECT m.campaign_id AS id, COUNT(*) FILTER (WHERE m.removed_at IS NULL AND r.removed_at IS NULL) AS current,
    COUNT(*) FILTER (WHERE m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
FROM campaign_members m
JOIN creators r ON r.id = m.creator_id
WHERE m.campaign_id IN ($1)
GROUP BY m.campaign_id;

-- offers by name
WITH every AS MATERIALIZED
(SELECT x.*, x.name AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM offers t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2) AND NOT p.former) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC, id;

-- offers by name
SELECT id, campaign_id, name, folded, type, status, status_since, commission_percent, commission_flat,
    rule_version, discount, code_pattern, version, created_at, updated_at
FROM offers
WHERE id IN ($1)
ORDER BY id;

-- offers by name
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- creators by name
WITH every AS MATERIALIZED
(SELECT x.*, x.name AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT t.id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS
            refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0 AS payouts, 0 AS
            not_converted
        FROM creators t
        WHERE FALSE
        GROUP BY t.id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.removed_at IS NULL) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC, id;

-- creators by name
SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
    CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS
      BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held,
    CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS
      BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS
    payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
FROM
(SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
        'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'
        AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval = 'held') AS held,
      COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected, COALESCE(SUM(x.account_value)
        FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'), 0) AS sales,
      COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
          'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER (WHERE x.own AND x.approval <>
          'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE NOT x.own AND x.approval =
        'approved' AND x.status = 'paid') AS not_converted
  FROM
  (SELECT c.creator_id AS id, (c.rate IS NOT NULL AND c.account_currency = $1) AS own, c.approval, c.status,
        c.method, c.account_value, c.account_commission, c.account_refunded
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NULL AND m.creator_id IN ($2)) AND c.day >= $3 AND c.day < $4) x
  GROUP BY x.id
  UNION ALL
  SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
      AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0 AS payouts, 0 AS
      not_converted
  FROM offer_members om
  JOIN campaign_members m ON m.id = om.member_id
  JOIN creators cr ON cr.id = m.creator_id
  JOIN links l ON l.offer_member_id = om.id
  JOIN clicks k ON k.link_id = l.id
  WHERE cr.removed_at IS NULL AND m.creator_id IN ($5) AND NOT k.bot AND l.kind = 'sales' AND k.at >= $6 AND
      k.at < $7
  GROUP BY m.creator_id
  UNION ALL
  SELECT e.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS
      refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(-e.amount) AS
      payouts, 0 AS not_converted
  FROM ledger_entries e
  LEFT JOIN offer_members pm ON pm.id = e.offer_member_id
  WHERE e.kind = 'payout' AND e.currency = $8 AND e.created_at >= $9 AND e.created_at < $10 AND e.creator_id
      IN ($11) AND (e.offer_member_id IS NULL OR e.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NULL AND m.creator_id IN ($12)))
  GROUP BY e.creator_id) u
GROUP BY u.id;

-- creators by name
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators by name
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- creators by name
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- creators by name
SELECT f.period, f.currency, f.converted, TRUE AS former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT '' AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND c.day >= $1 AND c.day < $2
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND k.at >= $3 AND k.at < $4
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id IN
    (SELECT cr.id
      FROM creators cr
      WHERE cr.removed_at IS NOT NULL) AND e.created_at >= $5 AND e.created_at < $6) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- creators with a text by name
WITH every AS MATERIALIZED
(SELECT x.*, x.name AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
              'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
              'paid' AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'held') AS held, COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected,
            COALESCE(SUM(x.account_value) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
                'paid'), 0) AS sales, COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval =
                'approved' AND x.status = 'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER
              (WHERE x.own AND x.approval <> 'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE
              NOT x.own AND x.approval = 'approved' AND x.status = 'paid') AS not_converted
        FROM
        (SELECT c.creator_id AS id, (c.rate IS NOT NULL AND c.account_currency = $1) AS own, c.approval,
              c.status, c.method, c.account_value, c.account_commission, c.account_refunded
          FROM conversions c
          WHERE c.credited AND c.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE cr.removed_at IS NULL AND m.creator_id IN
            (SELECT t.id
              FROM creators t
              WHERE ((LOWER(t.name) LIKE LOWER($2) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($3) ESCAPE '\' OR
                      EXISTS
                  (SELECT 1
                    FROM creator_handles h
                    WHERE h.creator_id = t.id AND h.folded LIKE $4 ESCAPE '\')) OR t.id IN
                (SELECT m.creator_id
                  FROM codes k
                  JOIN offer_members om ON om.id = k.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE k.folded LIKE $5 ESCAPE '\') OR t.id IN
                (SELECT m.creator_id
                  FROM links l
                  JOIN offer_members om ON om.id = l.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE l.slug LIKE $6 ESCAPE '\')))) AND c.day >= $7 AND c.day < $8) x
        GROUP BY x.id
        UNION ALL
        SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0
            AS payouts, 0 AS not_converted
        FROM offer_members om
        JOIN campaign_members m ON m.id = om.member_id
        JOIN creators cr ON cr.id = m.creator_id
        JOIN links l ON l.offer_member_id = om.id
        JOIN clicks k ON k.link_id = l.id
        WHERE cr.removed_at IS NULL AND m.creator_id IN
        (SELECT t.id
          FROM creators t
          WHERE ((LOWER(t.name) LIKE LOWER($9) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($10) ESCAPE '\' OR
                  EXISTS
              (SELECT 1
                FROM creator_handles h
                WHERE h.creator_id = t.id AND h.folded LIKE $11 ESCAPE '\')) OR t.id IN
            (SELECT m.creator_id
              FROM codes k
              JOIN offer_members om ON om.id = k.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE k.folded LIKE $12 ESCAPE '\') OR t.id IN
            (SELECT m.creator_id
              FROM links l
              JOIN offer_members om ON om.id = l.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE l.slug LIKE $13 ESCAPE '\'))) AND NOT k.bot AND l.kind = 'sales' AND k.at >= $14 AND k.at
            < $15
        GROUP BY m.creator_id
        UNION ALL
        SELECT e.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
            AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(-e.amount)
            AS payouts, 0 AS not_converted
        FROM ledger_entries e
        LEFT JOIN offer_members pm ON pm.id = e.offer_member_id
        WHERE e.kind = 'payout' AND e.currency = $16 AND e.created_at >= $17 AND e.created_at < $18 AND
            e.creator_id IN
        (SELECT t.id
          FROM creators t
          WHERE ((LOWER(t.name) LIKE LOWER($19) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($20) ESCAPE '\' OR
                  EXISTS
              (SELECT 1
                FROM creator_handles h
                WHERE h.creator_id = t.id AND h.folded LIKE $21 ESCAPE '\')) OR t.id IN
            (SELECT m.creator_id
              FROM codes k
              JOIN offer_members om ON om.id = k.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE k.folded LIKE $22 ESCAPE '\') OR t.id IN
            (SELECT m.creator_id
              FROM links l
              JOIN offer_members om ON om.id = l.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE l.slug LIKE $23 ESCAPE '\'))) AND (e.offer_member_id IS NULL OR e.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE cr.removed_at IS NULL AND m.creator_id IN
            (SELECT t.id
              FROM creators t
              WHERE ((LOWER(t.name) LIKE LOWER($24) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($25) ESCAPE '\' OR
                      EXISTS
                  (SELECT 1
                    FROM creator_handles h
                    WHERE h.creator_id = t.id AND h.folded LIKE $26 ESCAPE '\')) OR t.id IN
                (SELECT m.creator_id
                  FROM codes k
                  JOIN offer_members om ON om.id = k.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE k.folded LIKE $27 ESCAPE '\') OR t.id IN
                (SELECT m.creator_id
                  FROM links l
                  JOIN offer_members om ON om.id = l.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE l.slug LIKE $28 ESCAPE '\')))))
        GROUP BY e.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.removed_at IS NULL AND ((LOWER(t.name) LIKE LOWER($29) ESCAPE '\' OR LOWER(t.email) LIKE
            LOWER($30) ESCAPE '\' OR EXISTS
        (SELECT 1
          FROM creator_handles h
          WHERE h.creator_id = t.id AND h.folded LIKE $31 ESCAPE '\')) OR t.id IN
      (SELECT m.creator_id
        FROM codes k
        JOIN offer_members om ON om.id = k.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE k.folded LIKE $32 ESCAPE '\') OR t.id IN
      (SELECT m.creator_id
        FROM links l
        JOIN offer_members om ON om.id = l.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE l.slug LIKE $33 ESCAPE '\'))) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC, id;

-- creators with a text by name
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators with a text by name
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- campaigns by sales
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM campaigns t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.campaign_id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2) AND NOT p.former) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- campaigns by sales
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- campaigns by sales
SELECT m.campaign_id AS id, COUNT(*) FILTER (WHERE m.removed_at IS NULL AND r.removed_at IS NULL) AS current,
    COUNT(*) FILTER (WHERE m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
FROM campaign_members m
JOIN creators r ON r.id = m.creator_id
WHERE m.campaign_id IN ($1)
GROUP BY m.campaign_id;

-- offers by sales
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM offers t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2) AND NOT p.former) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- offers by sales
SELECT id, campaign_id, name, folded, type, status, status_since, commission_percent, commission_flat,
    rule_version, discount, code_pattern, version, created_at, updated_at
FROM offers
WHERE id IN ($1)
ORDER BY id;

-- offers by sales
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- creators by sales
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT c.creator_id AS id, 0 AS clicks, COUNT(*) AS conversions, COUNT(*) FILTER (WHERE c.method =
              'link') AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected,
            COALESCE(SUM(c.account_value), 0) AS sales, COALESCE(SUM(c.account_commission), 0) AS commissions,
            0 AS refunds, 0 AS payouts, 0 AS not_converted
        FROM conversions c
        WHERE c.credited AND c.placed_at >= $1 AND c.placed_at < $2 AND +c.offer_member_id IN
        (SELECT om.id
          FROM offer_members om
          JOIN campaign_members m ON m.id = om.member_id
          JOIN creators cr ON cr.id = m.creator_id
          WHERE cr.removed_at IS NULL) AND c.approval = 'approved' AND c.status = 'paid' AND c.rate IS NOT
            NULL AND c.account_currency = $3
        GROUP BY c.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.removed_at IS NULL) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- creators by sales
SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
    CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS
      BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held,
    CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS
      BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS
    payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
FROM
(SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
        'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'
        AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval = 'held') AS held,
      COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected, COALESCE(SUM(x.account_value)
        FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'), 0) AS sales,
      COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
          'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER (WHERE x.own AND x.approval <>
          'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE NOT x.own AND x.approval =
        'approved' AND x.status = 'paid') AS not_converted
  FROM
  (SELECT c.creator_id AS id, (c.rate IS NOT NULL AND c.account_currency = $1) AS own, c.approval, c.status,
        c.method, c.account_value, c.account_commission, c.account_refunded
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NULL AND m.creator_id IN ($2)) AND c.day >= $3 AND c.day < $4) x
  GROUP BY x.id
  UNION ALL
  SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
      AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0 AS payouts, 0 AS
      not_converted
  FROM offer_members om
  JOIN campaign_members m ON m.id = om.member_id
  JOIN creators cr ON cr.id = m.creator_id
  JOIN links l ON l.offer_member_id = om.id
  JOIN clicks k ON k.link_id = l.id
  WHERE cr.removed_at IS NULL AND m.creator_id IN ($5) AND NOT k.bot AND l.kind = 'sales' AND k.at >= $6 AND
      k.at < $7
  GROUP BY m.creator_id
  UNION ALL
  SELECT e.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS
      refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(-e.amount) AS
      payouts, 0 AS not_converted
  FROM ledger_entries e
  LEFT JOIN offer_members pm ON pm.id = e.offer_member_id
  WHERE e.kind = 'payout' AND e.currency = $8 AND e.created_at >= $9 AND e.created_at < $10 AND e.creator_id
      IN ($11) AND (e.offer_member_id IS NULL OR e.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NULL AND m.creator_id IN ($12)))
  GROUP BY e.creator_id) u
GROUP BY u.id;

-- creators by sales
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators by sales
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- creators by sales
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id = 0
GROUP BY 1, p.currency, p.converted, p.former;

-- creators by sales
SELECT f.period, f.currency, f.converted, TRUE AS former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM
(SELECT '' AS period, f.member, f.currency, f.converted, CAST(SUM(clicks) AS BIGINT) AS clicks,
      CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked,
      CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded)
        AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected,
      CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds)
        AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
  FROM
  (SELECT c.offer_member_id AS member, c.day AS day, CASE WHEN c.rate IS NULL THEN c.currency ELSE
        c.account_currency END AS currency, (c.rate IS NOT NULL) AS converted, 0 AS clicks, CASE WHEN
        c.approval = 'approved' AND c.status = 'paid' THEN 1 ELSE 0 END AS conversions, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' AND c.method = 'link' THEN 1 ELSE 0 END AS linked, CASE WHEN
        c.approval = 'approved' AND c.status = 'pending' THEN 1 ELSE 0 END AS pending, CASE WHEN c.approval =
        'approved' AND c.status = 'canceled' THEN 1 ELSE 0 END AS canceled, CASE WHEN c.approval = 'approved'
        AND c.status = 'refunded' THEN 1 ELSE 0 END AS refunded, CASE WHEN c.approval = 'held' THEN 1 ELSE 0
        END AS held, CASE WHEN c.approval = 'rejected' THEN 1 ELSE 0 END AS rejected, CASE WHEN c.approval =
        'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END
        ELSE 0 END AS sales, CASE WHEN c.approval = 'approved' AND c.status = 'paid' THEN CASE WHEN c.rate IS
        NULL THEN c.commission ELSE c.account_commission END ELSE 0 END AS commissions, CASE WHEN c.approval
        <> 'rejected' THEN CASE WHEN c.rate IS NULL THEN c.refunded ELSE c.account_refunded END ELSE 0 END AS
        refunds, 0 AS payouts
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND c.day >= $1 AND c.day < $2
    UNION ALL
    SELECT l.offer_member_id AS member, k.day AS day, '' AS currency, TRUE AS converted, 1 AS clicks, 0 AS
        conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS
        sales, 0 AS commissions, 0 AS refunds, 0 AS payouts
    FROM clicks k
    JOIN links l ON l.id = k.link_id
    WHERE NOT k.bot AND l.kind = 'sales' AND l.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE cr.removed_at IS NOT NULL) AND k.at >= $3 AND k.at < $4
    UNION ALL
    SELECT COALESCE(e.offer_member_id, 0) AS member, e.day AS day, e.currency, TRUE AS converted, 0 AS clicks,
        0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0
        AS sales, 0 AS commissions, 0 AS refunds, -e.amount AS payouts
    FROM ledger_entries e
    WHERE e.kind = 'payout' AND e.creator_id IN
    (SELECT cr.id
      FROM creators cr
      WHERE cr.removed_at IS NOT NULL) AND e.created_at >= $5 AND e.created_at < $6) f
  GROUP BY 1, f.member, f.currency, f.converted) f
LEFT JOIN offer_members om ON om.id = f.member
LEFT JOIN campaign_members m ON m.id = om.member_id
LEFT JOIN creators cr ON cr.id = m.creator_id
GROUP BY f.period, f.currency, f.converted, 4;

-- creators with a text by sales
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
              'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
              'paid' AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'held') AS held, COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected,
            COALESCE(SUM(x.account_value) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
                'paid'), 0) AS sales, COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval =
                'approved' AND x.status = 'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER
              (WHERE x.own AND x.approval <> 'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE
              NOT x.own AND x.approval = 'approved' AND x.status = 'paid') AS not_converted
        FROM
        (SELECT c.creator_id AS id, (c.rate IS NOT NULL AND c.account_currency = $1) AS own, c.approval,
              c.status, c.method, c.account_value, c.account_commission, c.account_refunded
          FROM conversions c
          WHERE c.credited AND c.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE cr.removed_at IS NULL AND m.creator_id IN
            (SELECT t.id
              FROM creators t
              WHERE ((LOWER(t.name) LIKE LOWER($2) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($3) ESCAPE '\' OR
                      EXISTS
                  (SELECT 1
                    FROM creator_handles h
                    WHERE h.creator_id = t.id AND h.folded LIKE $4 ESCAPE '\')) OR t.id IN
                (SELECT m.creator_id
                  FROM codes k
                  JOIN offer_members om ON om.id = k.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE k.folded LIKE $5 ESCAPE '\') OR t.id IN
                (SELECT m.creator_id
                  FROM links l
                  JOIN offer_members om ON om.id = l.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE l.slug LIKE $6 ESCAPE '\')))) AND c.day >= $7 AND c.day < $8) x
        GROUP BY x.id
        UNION ALL
        SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0
            AS payouts, 0 AS not_converted
        FROM offer_members om
        JOIN campaign_members m ON m.id = om.member_id
        JOIN creators cr ON cr.id = m.creator_id
        JOIN links l ON l.offer_member_id = om.id
        JOIN clicks k ON k.link_id = l.id
        WHERE cr.removed_at IS NULL AND m.creator_id IN
        (SELECT t.id
          FROM creators t
          WHERE ((LOWER(t.name) LIKE LOWER($9) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($10) ESCAPE '\' OR
                  EXISTS
              (SELECT 1
                FROM creator_handles h
                WHERE h.creator_id = t.id AND h.folded LIKE $11 ESCAPE '\')) OR t.id IN
            (SELECT m.creator_id
              FROM codes k
              JOIN offer_members om ON om.id = k.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE k.folded LIKE $12 ESCAPE '\') OR t.id IN
            (SELECT m.creator_id
              FROM links l
              JOIN offer_members om ON om.id = l.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE l.slug LIKE $13 ESCAPE '\'))) AND NOT k.bot AND l.kind = 'sales' AND k.at >= $14 AND k.at
            < $15
        GROUP BY m.creator_id
        UNION ALL
        SELECT e.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
            AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(-e.amount)
            AS payouts, 0 AS not_converted
        FROM ledger_entries e
        LEFT JOIN offer_members pm ON pm.id = e.offer_member_id
        WHERE e.kind = 'payout' AND e.currency = $16 AND e.created_at >= $17 AND e.created_at < $18 AND
            e.creator_id IN
        (SELECT t.id
          FROM creators t
          WHERE ((LOWER(t.name) LIKE LOWER($19) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($20) ESCAPE '\' OR
                  EXISTS
              (SELECT 1
                FROM creator_handles h
                WHERE h.creator_id = t.id AND h.folded LIKE $21 ESCAPE '\')) OR t.id IN
            (SELECT m.creator_id
              FROM codes k
              JOIN offer_members om ON om.id = k.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE k.folded LIKE $22 ESCAPE '\') OR t.id IN
            (SELECT m.creator_id
              FROM links l
              JOIN offer_members om ON om.id = l.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE l.slug LIKE $23 ESCAPE '\'))) AND (e.offer_member_id IS NULL OR e.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE cr.removed_at IS NULL AND m.creator_id IN
            (SELECT t.id
              FROM creators t
              WHERE ((LOWER(t.name) LIKE LOWER($24) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($25) ESCAPE '\' OR
                      EXISTS
                  (SELECT 1
                    FROM creator_handles h
                    WHERE h.creator_id = t.id AND h.folded LIKE $26 ESCAPE '\')) OR t.id IN
                (SELECT m.creator_id
                  FROM codes k
                  JOIN offer_members om ON om.id = k.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE k.folded LIKE $27 ESCAPE '\') OR t.id IN
                (SELECT m.creator_id
                  FROM links l
                  JOIN offer_members om ON om.id = l.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE l.slug LIKE $28 ESCAPE '\')))))
        GROUP BY e.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.removed_at IS NULL AND ((LOWER(t.name) LIKE LOWER($29) ESCAPE '\' OR LOWER(t.email) LIKE
            LOWER($30) ESCAPE '\' OR EXISTS
        (SELECT 1
          FROM creator_handles h
          WHERE h.creator_id = t.id AND h.folded LIKE $31 ESCAPE '\')) OR t.id IN
      (SELECT m.creator_id
        FROM codes k
        JOIN offer_members om ON om.id = k.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE k.folded LIKE $32 ESCAPE '\') OR t.id IN
      (SELECT m.creator_id
        FROM links l
        JOIN offer_members om ON om.id = l.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE l.slug LIKE $33 ESCAPE '\'))) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- creators with a text by sales
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators with a text by sales
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- campaigns by sales ever
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- campaigns by sales ever
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM campaigns t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.campaign_id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2, $3, $4) AND NOT p.former) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- campaigns by sales ever
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- campaigns by sales ever
SELECT m.campaign_id AS id, COUNT(*) FILTER (WHERE m.removed_at IS NULL AND r.removed_at IS NULL) AS current,
    COUNT(*) FILTER (WHERE m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
FROM campaign_members m
JOIN creators r ON r.id = m.creator_id
WHERE m.campaign_id IN ($1)
GROUP BY m.campaign_id;

-- offers by sales ever
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- offers by sales ever
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM offers t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2, $3, $4) AND NOT p.former) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- offers by sales ever
SELECT id, campaign_id, name, folded, type, status, status_since, commission_percent, commission_flat,
    rule_version, discount, code_pattern, version, created_at, updated_at
FROM offers
WHERE id IN ($1)
ORDER BY id;

-- offers by sales ever
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- creators by sales ever
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- creators by sales ever
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0)
            AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE x.own), 0) AS commissions,
            COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds, 0 AS payouts,
            COALESCE(SUM(x.conversions) FILTER (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT m.creator_id AS id, (y.converted AND y.currency = $1) AS own, y.clicks, y.conversions,
              y.linked, y.sales, y.commissions, y.refunds
          FROM offer_members om
          JOIN campaign_members m ON m.id = om.member_id
          JOIN creators cr ON cr.id = m.creator_id
          JOIN member_years y ON y.offer_member_id = om.id
          WHERE cr.removed_at IS NULL AND y.year IN ($2)) x
        GROUP BY x.id
        UNION ALL
        SELECT b.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
            AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(b.paid) AS
            payouts, 0 AS not_converted
        FROM balances b
        WHERE b.currency = $3 AND (b.offer_member_id = 0 OR b.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE cr.removed_at IS NULL))
        GROUP BY b.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.removed_at IS NULL) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- creators by sales ever
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators by sales ever
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- creators with a text by sales ever
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- creators with a text by sales ever
WITH every AS MATERIALIZED
(SELECT x.*, CAST(x.sales AS BIGINT) AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0)
            AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE x.own), 0) AS commissions,
            COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds, 0 AS payouts,
            COALESCE(SUM(x.conversions) FILTER (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT m.creator_id AS id, (y.converted AND y.currency = $1) AS own, y.clicks, y.conversions,
              y.linked, y.sales, y.commissions, y.refunds
          FROM offer_members om
          JOIN campaign_members m ON m.id = om.member_id
          JOIN creators cr ON cr.id = m.creator_id
          JOIN member_years y ON y.offer_member_id = om.id
          WHERE cr.removed_at IS NULL AND m.creator_id IN
          (SELECT t.id
            FROM creators t
            WHERE ((LOWER(t.name) LIKE LOWER($2) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($3) ESCAPE '\' OR
                    EXISTS
                (SELECT 1
                  FROM creator_handles h
                  WHERE h.creator_id = t.id AND h.folded LIKE $4 ESCAPE '\')) OR t.id IN
              (SELECT m.creator_id
                FROM codes k
                JOIN offer_members om ON om.id = k.offer_member_id
                JOIN campaign_members m ON m.id = om.member_id
                WHERE k.folded LIKE $5 ESCAPE '\') OR t.id IN
              (SELECT m.creator_id
                FROM links l
                JOIN offer_members om ON om.id = l.offer_member_id
                JOIN campaign_members m ON m.id = om.member_id
                WHERE l.slug LIKE $6 ESCAPE '\'))) AND y.year IN ($7)) x
        GROUP BY x.id
        UNION ALL
        SELECT b.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
            AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(b.paid) AS
            payouts, 0 AS not_converted
        FROM balances b
        WHERE b.currency = $8 AND (b.offer_member_id = 0 OR b.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE cr.removed_at IS NULL AND m.creator_id IN
            (SELECT t.id
              FROM creators t
              WHERE ((LOWER(t.name) LIKE LOWER($9) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($10) ESCAPE '\' OR
                      EXISTS
                  (SELECT 1
                    FROM creator_handles h
                    WHERE h.creator_id = t.id AND h.folded LIKE $11 ESCAPE '\')) OR t.id IN
                (SELECT m.creator_id
                  FROM codes k
                  JOIN offer_members om ON om.id = k.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE k.folded LIKE $12 ESCAPE '\') OR t.id IN
                (SELECT m.creator_id
                  FROM links l
                  JOIN offer_members om ON om.id = l.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE l.slug LIKE $13 ESCAPE '\')))))
        GROUP BY b.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.removed_at IS NULL AND ((LOWER(t.name) LIKE LOWER($14) ESCAPE '\' OR LOWER(t.email) LIKE
            LOWER($15) ESCAPE '\' OR EXISTS
        (SELECT 1
          FROM creator_handles h
          WHERE h.creator_id = t.id AND h.folded LIKE $16 ESCAPE '\')) OR t.id IN
      (SELECT m.creator_id
        FROM codes k
        JOIN offer_members om ON om.id = k.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE k.folded LIKE $17 ESCAPE '\') OR t.id IN
      (SELECT m.creator_id
        FROM links l
        JOIN offer_members om ON om.id = l.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE l.slug LIKE $18 ESCAPE '\'))) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- creators with a text by sales ever
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators with a text by sales ever
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- campaigns of a campaign by conversion rate
WITH every AS MATERIALIZED
(SELECT x.*, CAST(CASE WHEN x.clicks <> 0 THEN (20000 * x.linked + x.clicks) / (2 * x.clicks) END AS BIGINT)
      AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM campaigns t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.campaign_id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2) AND NOT p.former AND o.campaign_id IN ($3)) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.id IN ($4)) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- campaigns of a campaign by conversion rate
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- campaigns of a campaign by conversion rate
SELECT m.campaign_id AS id, COUNT(*) FILTER (WHERE m.removed_at IS NULL AND r.removed_at IS NULL) AS current,
    COUNT(*) FILTER (WHERE m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
FROM campaign_members m
JOIN creators r ON r.id = m.creator_id
WHERE m.campaign_id IN ($1)
GROUP BY m.campaign_id;

-- offers of a campaign by conversion rate
WITH every AS MATERIALIZED
(SELECT x.*, CAST(CASE WHEN x.clicks <> 0 THEN (20000 * x.linked + x.clicks) / (2 * x.clicks) END AS BIGINT)
      AS sort_key
  FROM
  (SELECT t.id AS id, t.folded AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM offers t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, SUM(x.clicks) AS clicks, COALESCE(SUM(x.conversions) FILTER (WHERE x.own), 0) AS
            conversions, COALESCE(SUM(x.linked) FILTER (WHERE x.own), 0) AS linked, COALESCE(SUM(x.pending)
              FILTER (WHERE x.own), 0) AS pending, COALESCE(SUM(x.canceled) FILTER (WHERE x.own), 0) AS
            canceled, COALESCE(SUM(x.refunded) FILTER (WHERE x.own), 0) AS refunded, COALESCE(SUM(x.held)
              FILTER (WHERE x.own), 0) AS held, COALESCE(SUM(x.rejected) FILTER (WHERE x.own), 0) AS rejected,
            COALESCE(SUM(x.sales) FILTER (WHERE x.own), 0) AS sales, COALESCE(SUM(x.commissions) FILTER (WHERE
                x.own), 0) AS commissions, COALESCE(SUM(x.refunds) FILTER (WHERE x.own), 0) AS refunds,
            COALESCE(SUM(x.payouts) FILTER (WHERE x.own), 0) AS payouts, COALESCE(SUM(x.conversions) FILTER
              (WHERE NOT x.own), 0) AS not_converted
        FROM
        (SELECT o.id AS id, (p.converted AND p.currency = $1) AS own, p.*
          FROM offer_periods p
          JOIN offers o ON o.id = p.offer_id
          WHERE p.period IN ($2) AND NOT p.former AND o.campaign_id IN ($3)) x
        GROUP BY x.id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.id IN
    (SELECT o.id
      FROM offers o
      WHERE o.campaign_id IN ($4))) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- offers of a campaign by conversion rate
SELECT id, campaign_id, name, folded, type, status, status_since, commission_percent, commission_flat,
    rule_version, discount, code_pattern, version, created_at, updated_at
FROM offers
WHERE id IN ($1)
ORDER BY id;

-- offers of a campaign by conversion rate
SELECT id, name, status, starts_at, ends_at, window_days, precedence, click_rule, version, created_at,
    updated_at
FROM campaigns
WHERE id IN ($1);

-- creators of a campaign by conversion rate
WITH every AS MATERIALIZED
(SELECT x.*, CAST(CASE WHEN x.clicks <> 0 THEN (20000 * x.linked + x.clicks) / (2 * x.clicks) END AS BIGINT)
      AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT c.creator_id AS id, 0 AS clicks, COUNT(*) AS conversions, COUNT(*) FILTER (WHERE c.method =
              'link') AS linked, 0 AS pending, 0 AS canceled, 0 AS refunded, 0 AS held, 0 AS rejected,
            COALESCE(SUM(c.account_value), 0) AS sales, COALESCE(SUM(c.account_commission), 0) AS commissions,
            0 AS refunds, 0 AS payouts, 0 AS not_converted
        FROM conversions c
        WHERE c.credited AND c.offer_member_id IN
        (SELECT om.id
          FROM offer_members om
          JOIN campaign_members m ON m.id = om.member_id
          JOIN offers o ON o.id = om.offer_id
          JOIN creators cr ON cr.id = m.creator_id
          WHERE o.campaign_id IN ($1) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AND c.day >= $2 AND
            c.day < $3 AND c.approval = 'approved' AND c.status = 'paid' AND c.rate IS NOT NULL AND
            c.account_currency = $4
        GROUP BY c.creator_id
        UNION ALL
        SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0
            AS payouts, 0 AS not_converted
        FROM offer_members om
        JOIN campaign_members m ON m.id = om.member_id
        JOIN offers o ON o.id = om.offer_id
        JOIN creators cr ON cr.id = m.creator_id
        JOIN links l ON l.offer_member_id = om.id
        JOIN clicks k ON k.link_id = l.id
        WHERE o.campaign_id IN ($5) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND NOT k.bot AND
            l.kind = 'sales' AND k.at >= $6 AND k.at < $7
        GROUP BY m.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.id IN
    (SELECT m.creator_id
      FROM campaign_members m
      JOIN creators cr ON cr.id = m.creator_id
      WHERE m.campaign_id IN ($8) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AND t.removed_at IS
        NULL) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- creators of a campaign by conversion rate
SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
    CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS
      BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held,
    CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS
      BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS
    payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
FROM
(SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
        'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'
        AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval = 'held') AS held,
      COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected, COALESCE(SUM(x.account_value)
        FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'), 0) AS sales,
      COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
          'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER (WHERE x.own AND x.approval <>
          'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE NOT x.own AND x.approval =
        'approved' AND x.status = 'paid') AS not_converted
  FROM
  (SELECT c.creator_id AS id, (c.rate IS NOT NULL AND c.account_currency = $1) AS own, c.approval, c.status,
        c.method, c.account_value, c.account_commission, c.account_refunded
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE o.campaign_id IN ($2) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id IN ($3))
        AND c.day >= $4 AND c.day < $5) x
  GROUP BY x.id
  UNION ALL
  SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
      AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0 AS payouts, 0 AS
      not_converted
  FROM offer_members om
  JOIN campaign_members m ON m.id = om.member_id
  JOIN offers o ON o.id = om.offer_id
  JOIN creators cr ON cr.id = m.creator_id
  JOIN links l ON l.offer_member_id = om.id
  JOIN clicks k ON k.link_id = l.id
  WHERE o.campaign_id IN ($6) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id IN ($7) AND
      NOT k.bot AND l.kind = 'sales' AND k.at >= $8 AND k.at < $9
  GROUP BY m.creator_id
  UNION ALL
  SELECT e.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0 AS
      refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(-e.amount) AS
      payouts, 0 AS not_converted
  FROM ledger_entries e
  LEFT JOIN offer_members pm ON pm.id = e.offer_member_id
  WHERE e.kind = 'payout' AND e.currency = $10 AND e.created_at >= $11 AND e.created_at < $12 AND e.creator_id
      IN ($13) AND e.offer_member_id IN
  (SELECT om.id
    FROM offer_members om
    JOIN campaign_members m ON m.id = om.member_id
    JOIN offers o ON o.id = om.offer_id
    JOIN creators cr ON cr.id = m.creator_id
    WHERE o.campaign_id IN ($14) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id IN ($15))
  GROUP BY e.creator_id) u
GROUP BY u.id;

-- creators of a campaign by conversion rate
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators of a campaign by conversion rate
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- creators of a campaign by conversion rate
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($2))
GROUP BY 1, p.currency, p.converted, p.former;

-- creators with a text of a campaign by conversion rate
WITH every AS MATERIALIZED
(SELECT x.*, CAST(CASE WHEN x.clicks <> 0 THEN (20000 * x.linked + x.clicks) / (2 * x.clicks) END AS BIGINT)
      AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.name) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM creators t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
              'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
              'paid' AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'approved' AND x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval =
              'held') AS held, COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected,
            COALESCE(SUM(x.account_value) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
                'paid'), 0) AS sales, COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval =
                'approved' AND x.status = 'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER
              (WHERE x.own AND x.approval <> 'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE
              NOT x.own AND x.approval = 'approved' AND x.status = 'paid') AS not_converted
        FROM
        (SELECT c.creator_id AS id, (c.rate IS NOT NULL AND c.account_currency = $1) AS own, c.approval,
              c.status, c.method, c.account_value, c.account_commission, c.account_refunded
          FROM conversions c
          WHERE c.credited AND c.offer_member_id IN
          (SELECT om.id
            FROM offer_members om
            JOIN campaign_members m ON m.id = om.member_id
            JOIN offers o ON o.id = om.offer_id
            JOIN creators cr ON cr.id = m.creator_id
            WHERE o.campaign_id IN ($2) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id IN
            (SELECT t.id
              FROM creators t
              WHERE ((LOWER(t.name) LIKE LOWER($3) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($4) ESCAPE '\' OR
                      EXISTS
                  (SELECT 1
                    FROM creator_handles h
                    WHERE h.creator_id = t.id AND h.folded LIKE $5 ESCAPE '\')) OR t.id IN
                (SELECT m.creator_id
                  FROM codes k
                  JOIN offer_members om ON om.id = k.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE k.folded LIKE $6 ESCAPE '\') OR t.id IN
                (SELECT m.creator_id
                  FROM links l
                  JOIN offer_members om ON om.id = l.offer_member_id
                  JOIN campaign_members m ON m.id = om.member_id
                  WHERE l.slug LIKE $7 ESCAPE '\')))) AND c.day >= $8 AND c.day < $9) x
        GROUP BY x.id
        UNION ALL
        SELECT m.creator_id AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0
            AS payouts, 0 AS not_converted
        FROM offer_members om
        JOIN campaign_members m ON m.id = om.member_id
        JOIN offers o ON o.id = om.offer_id
        JOIN creators cr ON cr.id = m.creator_id
        JOIN links l ON l.offer_member_id = om.id
        JOIN clicks k ON k.link_id = l.id
        WHERE o.campaign_id IN ($10) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id IN
        (SELECT t.id
          FROM creators t
          WHERE ((LOWER(t.name) LIKE LOWER($11) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($12) ESCAPE '\' OR
                  EXISTS
              (SELECT 1
                FROM creator_handles h
                WHERE h.creator_id = t.id AND h.folded LIKE $13 ESCAPE '\')) OR t.id IN
            (SELECT m.creator_id
              FROM codes k
              JOIN offer_members om ON om.id = k.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE k.folded LIKE $14 ESCAPE '\') OR t.id IN
            (SELECT m.creator_id
              FROM links l
              JOIN offer_members om ON om.id = l.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE l.slug LIKE $15 ESCAPE '\'))) AND NOT k.bot AND l.kind = 'sales' AND k.at >= $16 AND k.at
            < $17
        GROUP BY m.creator_id
        UNION ALL
        SELECT e.creator_id AS id, 0 AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
            AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, SUM(-e.amount)
            AS payouts, 0 AS not_converted
        FROM ledger_entries e
        LEFT JOIN offer_members pm ON pm.id = e.offer_member_id
        WHERE e.kind = 'payout' AND e.currency = $18 AND e.created_at >= $19 AND e.created_at < $20 AND
            e.creator_id IN
        (SELECT t.id
          FROM creators t
          WHERE ((LOWER(t.name) LIKE LOWER($21) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($22) ESCAPE '\' OR
                  EXISTS
              (SELECT 1
                FROM creator_handles h
                WHERE h.creator_id = t.id AND h.folded LIKE $23 ESCAPE '\')) OR t.id IN
            (SELECT m.creator_id
              FROM codes k
              JOIN offer_members om ON om.id = k.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE k.folded LIKE $24 ESCAPE '\') OR t.id IN
            (SELECT m.creator_id
              FROM links l
              JOIN offer_members om ON om.id = l.offer_member_id
              JOIN campaign_members m ON m.id = om.member_id
              WHERE l.slug LIKE $25 ESCAPE '\'))) AND e.offer_member_id IN
        (SELECT om.id
          FROM offer_members om
          JOIN campaign_members m ON m.id = om.member_id
          JOIN offers o ON o.id = om.offer_id
          JOIN creators cr ON cr.id = m.creator_id
          WHERE o.campaign_id IN ($26) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND m.creator_id IN
          (SELECT t.id
            FROM creators t
            WHERE ((LOWER(t.name) LIKE LOWER($27) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($28) ESCAPE '\' OR
                    EXISTS
                (SELECT 1
                  FROM creator_handles h
                  WHERE h.creator_id = t.id AND h.folded LIKE $29 ESCAPE '\')) OR t.id IN
              (SELECT m.creator_id
                FROM codes k
                JOIN offer_members om ON om.id = k.offer_member_id
                JOIN campaign_members m ON m.id = om.member_id
                WHERE k.folded LIKE $30 ESCAPE '\') OR t.id IN
              (SELECT m.creator_id
                FROM links l
                JOIN offer_members om ON om.id = l.offer_member_id
                JOIN campaign_members m ON m.id = om.member_id
                WHERE l.slug LIKE $31 ESCAPE '\'))))
        GROUP BY e.creator_id) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.id IN
    (SELECT m.creator_id
      FROM campaign_members m
      JOIN creators cr ON cr.id = m.creator_id
      WHERE m.campaign_id IN ($32) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AND t.removed_at IS
        NULL AND ((LOWER(t.name) LIKE LOWER($33) ESCAPE '\' OR LOWER(t.email) LIKE LOWER($34) ESCAPE '\' OR
            EXISTS
        (SELECT 1
          FROM creator_handles h
          WHERE h.creator_id = t.id AND h.folded LIKE $35 ESCAPE '\')) OR t.id IN
      (SELECT m.creator_id
        FROM codes k
        JOIN offer_members om ON om.id = k.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE k.folded LIKE $36 ESCAPE '\') OR t.id IN
      (SELECT m.creator_id
        FROM links l
        JOIN offer_members om ON om.id = l.offer_member_id
        JOIN campaign_members m ON m.id = om.member_id
        WHERE l.slug LIKE $37 ESCAPE '\'))) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- creators with a text of a campaign by conversion rate
SELECT id, name, email, email_hash, country, note, removed_at, version, created_at, updated_at
FROM creators
WHERE id IN ($1);

-- creators with a text of a campaign by conversion rate
SELECT creator_id, network, handle
FROM creator_handles
WHERE creator_id IN ($1);

-- codes and links of a campaign by conversion rate
WITH every AS MATERIALIZED
(SELECT x.*, CAST(CASE WHEN x.clicks <> 0 THEN (20000 * x.linked + x.clicks) / (2 * x.clicks) END AS BIGINT)
      AS sort_key
  FROM
  (SELECT t.id AS id, LOWER(t.text) AS name, COALESCE(f.clicks, 0) AS clicks, COALESCE(f.conversions, 0) AS
        conversions, COALESCE(f.linked, 0) AS linked, COALESCE(f.pending, 0) AS pending, COALESCE(f.canceled,
          0) AS canceled, COALESCE(f.refunded, 0) AS refunded, COALESCE(f.held, 0) AS held,
        COALESCE(f.rejected, 0) AS rejected, COALESCE(f.sales, 0) AS sales, COALESCE(f.commissions, 0) AS
        commissions, COALESCE(f.refunds, 0) AS refunds, COALESCE(f.payouts, 0) AS payouts,
        COALESCE(f.not_converted, 0) AS not_converted
    FROM
    (SELECT 2 * x.id AS id, x.code AS text, x.offer_member_id
      FROM codes x
      UNION ALL
      SELECT 2 * x.id + 1, x.slug, x.offer_member_id
      FROM links x) t
    LEFT JOIN
    (SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
          CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled)
            AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS
          held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales,
          CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds,
          CAST(SUM(payouts) AS BIGINT) AS payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
      FROM
      (SELECT CASE WHEN c.method = 'code' THEN 2 * c.code_id ELSE 2 * c.link_id + 1 END AS id, 0 AS clicks,
            COUNT(*) AS conversions, COUNT(*) FILTER (WHERE c.method = 'link') AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, COALESCE(SUM(c.account_value), 0) AS sales,
            COALESCE(SUM(c.account_commission), 0) AS commissions, 0 AS refunds, 0 AS payouts, 0 AS
            not_converted
        FROM conversions c
        WHERE c.credited AND c.offer_member_id IN
        (SELECT om.id
          FROM offer_members om
          JOIN campaign_members m ON m.id = om.member_id
          JOIN offers o ON o.id = om.offer_id
          JOIN creators cr ON cr.id = m.creator_id
          WHERE o.campaign_id IN ($1) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AND c.day >= $2 AND
            c.day < $3 AND c.approval = 'approved' AND c.status = 'paid' AND c.rate IS NOT NULL AND
            c.account_currency = $4
        GROUP BY CASE WHEN c.method = 'code' THEN 2 * c.code_id ELSE 2 * c.link_id + 1 END
        UNION ALL
        SELECT 2 * l.id + 1 AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS
            canceled, 0 AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0
            AS payouts, 0 AS not_converted
        FROM offer_members om
        JOIN campaign_members m ON m.id = om.member_id
        JOIN offers o ON o.id = om.offer_id
        JOIN creators cr ON cr.id = m.creator_id
        JOIN links l ON l.offer_member_id = om.id
        JOIN clicks k ON k.link_id = l.id
        WHERE o.campaign_id IN ($5) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND NOT k.bot AND
            l.kind = 'sales' AND k.at >= $6 AND k.at < $7
        GROUP BY 2 * l.id + 1) u
      GROUP BY u.id) f ON f.id = t.id
    WHERE t.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE o.campaign_id IN ($8) AND m.removed_at IS NULL AND cr.removed_at IS NULL)) x)
SELECT FALSE AS total, id, sort_key, CAST(0 AS BIGINT) AS row_count, clicks, conversions, linked, pending,
    canceled, refunded, held, rejected, sales, commissions, refunds, payouts, not_converted
FROM (
  SELECT *
  FROM every
  ORDER BY sort_key DESC NULLS LAST, id LIMIT 2) page
UNION ALL
SELECT TRUE, 0, NULL, COUNT(*), CAST(COALESCE(SUM(clicks), 0) AS BIGINT), CAST(COALESCE(SUM(conversions), 0)
      AS BIGINT), CAST(COALESCE(SUM(linked), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
    CAST(COALESCE(SUM(canceled), 0) AS BIGINT), CAST(COALESCE(SUM(refunded), 0) AS BIGINT),
    CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT),
    CAST(COALESCE(SUM(sales), 0) AS BIGINT), CAST(COALESCE(SUM(commissions), 0) AS BIGINT),
    CAST(COALESCE(SUM(refunds), 0) AS BIGINT), CAST(COALESCE(SUM(payouts), 0) AS BIGINT),
    CAST(COALESCE(SUM(not_converted), 0) AS BIGINT)
FROM every
ORDER BY total, sort_key DESC NULLS LAST, id;

-- codes and links of a campaign by conversion rate
SELECT u.id, CAST(SUM(clicks) AS BIGINT) AS clicks, CAST(SUM(conversions) AS BIGINT) AS conversions,
    CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending) AS BIGINT) AS pending, CAST(SUM(canceled) AS
      BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS refunded, CAST(SUM(held) AS BIGINT) AS held,
    CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS BIGINT) AS sales, CAST(SUM(commissions) AS
      BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS refunds, CAST(SUM(payouts) AS BIGINT) AS
    payouts, CAST(SUM(not_converted) AS BIGINT) AS not_converted
FROM
(SELECT x.id AS id, 0 AS clicks, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
        'paid') AS conversions, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'
        AND x.method = 'link') AS linked, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'pending') AS pending, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'canceled') AS canceled, COUNT(*) FILTER (WHERE x.own AND x.approval = 'approved' AND
        x.status = 'refunded') AS refunded, COUNT(*) FILTER (WHERE x.own AND x.approval = 'held') AS held,
      COUNT(*) FILTER (WHERE x.own AND x.approval = 'rejected') AS rejected, COALESCE(SUM(x.account_value)
        FILTER (WHERE x.own AND x.approval = 'approved' AND x.status = 'paid'), 0) AS sales,
      COALESCE(SUM(x.account_commission) FILTER (WHERE x.own AND x.approval = 'approved' AND x.status =
          'paid'), 0) AS commissions, COALESCE(SUM(x.account_refunded) FILTER (WHERE x.own AND x.approval <>
          'rejected'), 0) AS refunds, 0 AS payouts, COUNT(*) FILTER (WHERE NOT x.own AND x.approval =
        'approved' AND x.status = 'paid') AS not_converted
  FROM
  (SELECT CASE WHEN c.method = 'code' THEN 2 * c.code_id ELSE 2 * c.link_id + 1 END AS id, (c.rate IS NOT NULL
          AND c.account_currency = $1) AS own, c.approval, c.status, c.method, c.account_value,
        c.account_commission, c.account_refunded
    FROM conversions c
    WHERE c.credited AND c.offer_member_id IN
    (SELECT om.id
      FROM offer_members om
      JOIN campaign_members m ON m.id = om.member_id
      JOIN offers o ON o.id = om.offer_id
      JOIN creators cr ON cr.id = m.creator_id
      WHERE o.campaign_id IN ($2) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND om.id IN
      (SELECT x.offer_member_id
        FROM codes x
        WHERE x.id IN ($3)
        UNION ALL
        SELECT x.offer_member_id
        FROM links x
        WHERE x.id IN ($4, $5))) AND c.day >= $6 AND c.day < $7) x
  GROUP BY x.id
  UNION ALL
  SELECT 2 * l.id + 1 AS id, COUNT(*) AS clicks, 0 AS conversions, 0 AS linked, 0 AS pending, 0 AS canceled, 0
      AS refunded, 0 AS held, 0 AS rejected, 0 AS sales, 0 AS commissions, 0 AS refunds, 0 AS payouts, 0 AS
      not_converted
  FROM offer_members om
  JOIN campaign_members m ON m.id = om.member_id
  JOIN offers o ON o.id = om.offer_id
  JOIN creators cr ON cr.id = m.creator_id
  JOIN links l ON l.offer_member_id = om.id
  JOIN clicks k ON k.link_id = l.id
  WHERE o.campaign_id IN ($8) AND m.removed_at IS NULL AND cr.removed_at IS NULL AND om.id IN
  (SELECT x.offer_member_id
    FROM codes x
    WHERE x.id IN ($9)
    UNION ALL
    SELECT x.offer_member_id
    FROM links x
    WHERE x.id IN ($10, $11)) AND NOT k.bot AND l.kind = 'sales' AND k.at >= $12 AND k.at < $13
  GROUP BY 2 * l.id + 1) u
GROUP BY u.id;

-- codes and links of a campaign by conversion rate
SELECT x.id, x.slug AS text, '' AS store, x.kind AS link_kind, (x.ended_at IS NOT NULL) AS ended, om.id AS
    offer_member_id, o.id AS offer_id, o.name AS offer, p.id AS campaign_id, p.name AS campaign, cr.id AS
    creator_id, cr.name AS creator
FROM links x
JOIN offer_members om ON om.id = x.offer_member_id
JOIN offers o ON o.id = om.offer_id
JOIN campaigns p ON p.id = o.campaign_id
JOIN campaign_members m ON m.id = om.member_id
JOIN creators cr ON cr.id = m.creator_id
WHERE x.id IN ($1);

-- codes and links of a campaign by conversion rate
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1) AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($2))
GROUP BY 1, p.currency, p.converted, p.former;

-- what came back of a campaign's costs
SELECT COALESCE((SELECT MIN(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS first, COALESCE((SELECT MAX(period)
    FROM offer_periods
    WHERE offer_id = 0), '') AS last;

-- what came back of a campaign's costs
SELECT '' AS period, p.currency, p.converted, p.former, CAST(SUM(clicks) AS BIGINT) AS clicks,
    CAST(SUM(conversions) AS BIGINT) AS conversions, CAST(SUM(linked) AS BIGINT) AS linked, CAST(SUM(pending)
      AS BIGINT) AS pending, CAST(SUM(canceled) AS BIGINT) AS canceled, CAST(SUM(refunded) AS BIGINT) AS
    refunded, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(rejected) AS BIGINT) AS rejected, CAST(SUM(sales) AS
      BIGINT) AS sales, CAST(SUM(commissions) AS BIGINT) AS commissions, CAST(SUM(refunds) AS BIGINT) AS
    refunds, CAST(SUM(payouts) AS BIGINT) AS payouts
FROM offer_periods p
WHERE p.period IN ($1, $2, $3) AND p.offer_id IN
(SELECT o.id
  FROM offers o
  WHERE o.campaign_id IN ($4))
GROUP BY 1, p.currency, p.converted, p.former;

-- what came back of a campaign's costs
SELECT d.currency, CAST(SUM(CASE WHEN d.inside > 0 THEN d.inside ELSE 0 END) AS BIGINT) AS amount, COUNT(*)
    FILTER (WHERE d.inside > 0) AS creators, CAST(SUM(d.members) AS BIGINT) AS members
FROM
(SELECT a.creator_id, a.currency, SUM(a.payable) AS payable, COALESCE(SUM(a.payable) FILTER (WHERE a.inside),
        0) AS inside, COUNT(*) FILTER (WHERE a.inside AND a.payable > 0 AND a.offer_member_id <> 0) AS members
  FROM (
    SELECT b.creator_id, b.offer_member_id, b.currency, b.payable, b.campaign_id IN ($1) AND (b.campaign_id,
          b.creator_id) IN
    (SELECT m.campaign_id, m.creator_id
      FROM campaign_members m
      JOIN creators cr ON cr.id = m.creator_id
      WHERE m.campaign_id IN ($2) AND m.removed_at IS NULL AND cr.removed_at IS NULL) AS inside
    FROM
    (SELECT b.creator_id, b.campaign_id, b.offer_member_id, b.currency, b.balance, b.paid, b.balance - CASE
          WHEN h.amount > 0 THEN h.amount ELSE 0 END AS payable
      FROM balances b
      LEFT JOIN
      (SELECT creator_id, COALESCE(campaign_id, 0) AS campaign_id, COALESCE(offer_member_id, 0) AS
            offer_member_id, currency, CAST(SUM(amount) AS BIGINT) AS amount
        FROM
        (SELECT e.creator_id, e.campaign_id, e.offer_member_id, e.currency, e.amount
          FROM ledger_entries e
          WHERE e.payable_at > $3 AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) b
    WHERE (b.balance <> 0 OR b.payable <> 0) AND b.creator_id IN
    (SELECT b.creator_id
      FROM balances b
      WHERE b.campaign_id IN ($4) AND (b.campaign_id, b.creator_id) IN
      (SELECT m.campaign_id, m.creator_id
        FROM campaign_members m
        JOIN creators cr ON cr.id = m.creator_id
        WHERE m.campaign_id IN ($5) AND m.removed_at IS NULL AND cr.removed_at IS NULL))) a
  GROUP BY a.creator_id, a.currency) d
WHERE d.payable > 0 AND (d.currency <> $6 OR d.payable >= $7)
GROUP BY d.currency
ORDER BY d.currency;

-- what came back of a campaign's costs
SELECT m.product_value AS amount, m.product_currency AS currency, '' AS day, m.created_at AS joined
FROM campaign_members m
WHERE m.campaign_id = $1 AND m.product_value <> 0 AND m.creator_id IN
(SELECT m.creator_id
  FROM campaign_members m
  JOIN creators cr ON cr.id = m.creator_id
  WHERE m.campaign_id = $2 AND m.removed_at IS NULL AND cr.removed_at IS NULL);

-- what came back of a campaign's costs
SELECT w.amount, w.currency, '' AS day, COALESCE(w.given_at, w.decided_at) AS joined
FROM rewards w
WHERE w.campaign_id = $1 AND w.kind <> 'cash' AND w.amount <> 0 AND (w.given_at IS NOT NULL OR w.earned AND
      w.decision = 'approved') AND w.creator_id IN
(SELECT m.creator_id
  FROM campaign_members m
  JOIN creators cr ON cr.id = m.creator_id
  WHERE m.campaign_id = $2 AND m.removed_at IS NULL AND cr.removed_at IS NULL);

-- what came back of a campaign's costs
SELECT c.amount, c.currency, c.day
FROM campaign_costs c
WHERE c.campaign_id = $1 AND c.removed_at IS NULL AND (c.creator_id IS NULL OR c.creator_id IN
  (SELECT m.creator_id
    FROM campaign_members m
    JOIN creators cr ON cr.id = m.creator_id
    WHERE m.campaign_id = $2 AND m.removed_at IS NULL AND cr.removed_at IS NULL));

-- what came back of a campaign's costs
SELECT CAST(SUM(b.paid) AS BIGINT) AS amount, b.currency, '' AS day
FROM balances b
WHERE b.campaign_id = $1 AND b.paid <> 0 AND b.creator_id IN
(SELECT m.creator_id
  FROM campaign_members m
  JOIN creators cr ON cr.id = m.creator_id
  WHERE m.campaign_id = $2 AND m.removed_at IS NULL AND cr.removed_at IS NULL) AND b.currency = $3
GROUP BY b.currency;

-- what came back of a campaign's costs
SELECT CAST(-SUM(e.amount) AS BIGINT) AS amount, e.currency, MIN(e.day) AS day
FROM ledger_entries e
WHERE e.kind = $1 AND e.campaign_id = $2 AND e.currency <> $3 AND e.creator_id IN
(SELECT b.creator_id
  FROM balances b
  WHERE b.campaign_id = $4 AND b.paid <> 0 AND b.creator_id IN
  (SELECT m.creator_id
    FROM campaign_members m
    JOIN creators cr ON cr.id = m.creator_id
    WHERE m.campaign_id = $5 AND m.removed_at IS NULL AND cr.removed_at IS NULL) AND b.currency <> $6)
GROUP BY e.payout_id, e.currency;

-- what came back of a campaign's costs
SELECT day, currency, rate
FROM fx_rates
WHERE day IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AND currency IN ($12);

-- totals of conversions that are narrowed
SELECT value
FROM settings
WHERE name = $1;

-- totals of conversions that are narrowed
SELECT id
FROM orders
WHERE LOWER(number) LIKE LOWER($1) ESCAPE '\' LIMIT $2;

-- totals of conversions that are narrowed
SELECT CASE WHEN c.rate IS NULL THEN c.currency ELSE c.account_currency END AS currency, (c.rate IS NOT NULL)
    AS converted, 0 AS clicks, CAST(COUNT(*) FILTER (WHERE c.approval = 'approved' AND c.status = 'paid') AS
      BIGINT) AS conversions, CAST(COUNT(*) FILTER (WHERE c.approval = 'approved' AND c.status = 'paid' AND
        c.method = 'link') AS BIGINT) AS linked, CAST(COUNT(*) FILTER (WHERE c.approval = 'approved' AND
        c.status = 'pending') AS BIGINT) AS pending, CAST(COUNT(*) FILTER (WHERE c.approval = 'approved' AND
        c.status = 'canceled') AS BIGINT) AS canceled, CAST(COUNT(*) FILTER (WHERE c.approval = 'approved' AND
        c.status = 'refunded') AS BIGINT) AS refunded, CAST(COUNT(*) FILTER (WHERE c.approval = 'held') AS
      BIGINT) AS held, CAST(COUNT(*) FILTER (WHERE c.approval = 'rejected') AS BIGINT) AS rejected,
    CAST(COALESCE(SUM(CASE WHEN c.rate IS NULL THEN c.value ELSE c.account_value END) FILTER (WHERE c.approval
          = 'approved' AND c.status = 'paid'), 0) AS BIGINT) AS sales, CAST(COALESCE(SUM(CASE WHEN c.rate IS
          NULL THEN c.commission ELSE c.account_commission END) FILTER (WHERE c.approval = 'approved' AND
          c.status = 'paid'), 0) AS BIGINT) AS commissions, CAST(COALESCE(SUM(CASE WHEN c.rate IS NULL THEN
          c.refunded ELSE c.account_refunded END) FILTER (WHERE c.approval <> 'rejected'), 0) AS BIGINT) AS
    refunds, 0 AS payouts
FROM conversions c
WHERE c.credited AND c.offer_member_id NOT IN
(SELECT x.id
  FROM offer_members x
  JOIN campaign_members m ON m.id = x.member_id
  JOIN creators r ON r.id = m.creator_id
  WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL)) AND (LOWER(c.evidence) LIKE LOWER($1) ESCAPE
      '\' OR c.creator_id IN
  (SELECT id
    FROM creators
    WHERE LOWER(name) LIKE LOWER($2) ESCAPE '\'
    UNION
    SELECT creator_id
    FROM creator_handles
    WHERE folded LIKE $3 ESCAPE '\'))
GROUP BY 1, 2;

