-- a page of conversions by -date
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, c.placed_at AS sort_key
  FROM conversions c
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL))
  ORDER BY c.placed_at DESC, c.id DESC LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key DESC, found.id DESC;

-- a page of conversions by -date, the second one
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, c.placed_at AS sort_key
  FROM conversions c
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL)) AND (c.placed_at, c.id) < (?, ?)
  ORDER BY c.placed_at DESC, c.id DESC LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key DESC, found.id DESC;

-- a page of conversions by creator
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, LOWER(r.name) AS sort_key
  FROM conversions c
  JOIN creators r ON r.id = c.creator_id
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL))
  ORDER BY LOWER(r.name), c.id LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key, found.id;

-- a page of conversions by creator, the second one
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, LOWER(r.name) AS sort_key
  FROM conversions c
  JOIN creators r ON r.id = c.creator_id
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL)) AND (LOWER(r.name), c.id) > (?, ?)
  ORDER BY LOWER(r.name), c.id LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key, found.id;

-- a page of conversions by -commission
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, COALESCE(c.account_commission, -1) AS sort_key
  FROM conversions c
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL))
  ORDER BY COALESCE(c.account_commission, -1) DESC, c.id DESC LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key DESC, found.id DESC;

-- a page of conversions by -commission, the second one
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, COALESCE(c.account_commission, -1) AS sort_key
  FROM conversions c
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL)) AND (COALESCE(c.account_commission, -1),
        c.id) < (?, ?)
  ORDER BY COALESCE(c.account_commission, -1) DESC, c.id DESC LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key DESC, found.id DESC;

-- a page of conversions by number
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, CAST(100 + LENGTH(o.number) AS TEXT) || o.number AS sort_key
  FROM conversions c
  JOIN orders o ON o.id = c.order_id
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL))
  ORDER BY CAST(100 + LENGTH(o.number) AS TEXT) || o.number, c.id LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key, found.id;

-- a page of conversions by number, the second one
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, CAST(100 + LENGTH(o.number) AS TEXT) || o.number AS sort_key
  FROM conversions c
  JOIN orders o ON o.id = c.order_id
  WHERE c.credited AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL)) AND (CAST(100 + LENGTH(o.number) AS TEXT) ||
        o.number, c.id) > (?, ?)
  ORDER BY CAST(100 + LENGTH(o.number) AS TEXT) || o.number, c.id LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key, found.id;

-- a page of conversions that are narrowed
SELECT id
FROM orders
WHERE LOWER(number) LIKE LOWER(?) ESCAPE '\' AND placed_at >= ? LIMIT ?;

-- a page of conversions that are narrowed
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, p.name AS campaign, r.name AS
    creator, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, f.name AS
    offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former, o.number,
    o.external_id, o.total AS order_total, s.slug AS store, found.sort_key
FROM
(SELECT c.id, c.placed_at AS sort_key
  FROM conversions c
  WHERE c.credited AND c.status IN (?) AND c.campaign_id = ? AND c.approval = 'held' AND c.refunded > 0 AND
      c.placed_at >= ? AND c.campaign_id =
  (SELECT campaign_id
    FROM offers
    WHERE id = ?) AND c.offer_id = ? AND c.offer_member_id IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    WHERE m.creator_id = ?) AND c.offer_member_id =
  (SELECT offer_member_id
    FROM codes
    WHERE id = ?) AND c.code_id = ? AND c.offer_member_id NOT IN
  (SELECT x.id
    FROM offer_members x
    JOIN campaign_members m ON m.id = x.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AND m.campaign_id = ?) AND (LOWER(c.evidence)
        LIKE LOWER(?) ESCAPE '\' OR c.creator_id IN
    (SELECT id
      FROM creators
      WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
      UNION
      SELECT creator_id
      FROM creator_handles
      WHERE folded LIKE ? ESCAPE '\'))
  ORDER BY c.placed_at DESC, c.id DESC LIMIT 2) found
JOIN conversions c ON c.id = found.id
JOIN orders o ON o.id = c.order_id
JOIN stores s ON s.id = c.store_id
JOIN campaigns p ON p.id = c.campaign_id
JOIN creators r ON r.id = c.creator_id
JOIN offers f ON f.id = c.offer_id
JOIN offer_members x ON x.id = c.offer_member_id
JOIN campaign_members m ON m.id = x.member_id
ORDER BY found.sort_key DESC, found.id DESC;

-- all conversions
SELECT id, name AS word
FROM stores;

-- all conversions
SELECT id, name AS word
FROM campaigns;

-- all conversions
SELECT id, name AS word
FROM offers;

-- all conversions
SELECT r.id, r.name, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle
FROM creators r;

-- all conversions
SELECT id, slug AS word
FROM stores;

-- all conversions
SELECT id, type AS word
FROM offers;

-- all conversions
SELECT x.id, '' AS word
FROM offer_members x
JOIN campaign_members m ON m.id = x.member_id
JOIN creators r ON r.id = m.creator_id
WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL);

-- all conversions
SELECT c.id, c.order_id, c.store_id, c.campaign_id, c.creator_id, c.offer_id, c.offer_member_id, c.credited,
    c.method, c.code_id, c.link_id, c.click_id, c.evidence, c.ambiguous, c.approval, c.approval_reason,
    c.approval_by, c.approval_at, c.held_reason, c.released, c.commission_percent, c.commission_flat,
    c.rule_version, c.status, c.currency, c.value, c.original_value, c.refunded, c.commission,
    c.account_currency, c.rate, c.rate_date, c.account_value, c.account_commission, c.account_refunded,
    c.ledger_currency, c.ledger_rate, c.ledger_commission, c.placed_at, c.day, o.number, o.external_id,
    o.total AS order_total
FROM conversions c
JOIN orders o ON o.id = c.order_id
WHERE c.credited
ORDER BY c.placed_at DESC, c.id DESC;

-- what conversions add up to
SELECT id
FROM orders
WHERE LOWER(number) LIKE LOWER(?) ESCAPE '\' AND placed_at >= ? LIMIT ?;

-- what conversions add up to
SELECT CASE WHEN c.account_value IS NULL THEN c.currency ELSE c.account_currency END AS currency, COUNT(*) AS
    conversions, CAST(SUM(COALESCE(c.account_value, c.value)) AS BIGINT) AS value,
    CAST(SUM(COALESCE(c.account_commission, c.commission)) AS BIGINT) AS commission
FROM conversions c
WHERE c.credited AND c.status IN (?) AND c.campaign_id = ? AND c.approval = 'held' AND c.refunded > 0 AND
    c.placed_at >= ? AND c.campaign_id =
(SELECT campaign_id
  FROM offers
  WHERE id = ?) AND c.offer_id = ? AND c.offer_member_id IN
(SELECT x.id
  FROM offer_members x
  JOIN campaign_members m ON m.id = x.member_id
  WHERE m.creator_id = ?) AND c.offer_member_id =
(SELECT offer_member_id
  FROM codes
  WHERE id = ?) AND c.code_id = ? AND c.offer_member_id NOT IN
(SELECT x.id
  FROM offer_members x
  JOIN campaign_members m ON m.id = x.member_id
  JOIN creators r ON r.id = m.creator_id
  WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AND m.campaign_id = ?) AND (LOWER(c.evidence)
      LIKE LOWER(?) ESCAPE '\' OR c.creator_id IN
  (SELECT id
    FROM creators
    WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
    UNION
    SELECT creator_id
    FROM creator_handles
    WHERE folded LIKE ? ESCAPE '\'))
GROUP BY 1
ORDER BY 1;

-- the ids of conversions
SELECT id
FROM orders
WHERE LOWER(number) LIKE LOWER(?) ESCAPE '\' AND placed_at >= ? LIMIT ?;

-- the ids of conversions
SELECT c.id
FROM conversions c
WHERE c.credited AND c.status IN (?) AND c.campaign_id = ? AND c.approval = 'held' AND c.refunded > 0 AND
    c.placed_at >= ? AND c.campaign_id =
(SELECT campaign_id
  FROM offers
  WHERE id = ?) AND c.offer_id = ? AND c.offer_member_id IN
(SELECT x.id
  FROM offer_members x
  JOIN campaign_members m ON m.id = x.member_id
  WHERE m.creator_id = ?) AND c.offer_member_id =
(SELECT offer_member_id
  FROM codes
  WHERE id = ?) AND c.code_id = ? AND c.offer_member_id NOT IN
(SELECT x.id
  FROM offer_members x
  JOIN campaign_members m ON m.id = x.member_id
  JOIN creators r ON r.id = m.creator_id
  WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AND m.campaign_id = ?) AND (LOWER(c.evidence)
      LIKE LOWER(?) ESCAPE '\' OR c.creator_id IN
  (SELECT id
    FROM creators
    WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
    UNION
    SELECT creator_id
    FROM creator_handles
    WHERE folded LIKE ? ESCAPE '\'))
ORDER BY c.id LIMIT ?;

-- a page of orders
SELECT o.id, o.store_id, o.external_id, o.revision, o.number, o.status, o.currency, o.value, o.original_value,
    o.total, o.refunded, o.refund_pending, o.test, o.placed_at, o.updated_at, o.day, o.codes, o.not_credited,
    o.evidence, o.doubts, o.custom_status, o.parent, o.part, o.state, o.changed_at, s.slug AS store
FROM orders o
JOIN stores s ON s.id = o.store_id
LEFT JOIN conversions c ON c.order_id = o.id AND c.credited
WHERE o.placed_at IS NOT NULL AND o.doubts <> '' AND (o.number LIKE ? ESCAPE '\' OR o.external_id = ? OR
      LOWER(o.codes) LIKE LOWER(?) ESCAPE '\') AND o.doubts <> '' AND ' ' || o.doubts || ' ' LIKE ? AND
    o.status = ? AND s.slug = ? AND c.campaign_id = ? AND o.placed_at >= ?
ORDER BY o.placed_at DESC, o.id DESC LIMIT 2;

-- all orders
SELECT o.id, o.store_id, o.external_id, o.number, o.status, o.currency, o.value, o.original_value, o.total,
    o.refunded, o.refund_pending, o.test, o.placed_at, o.updated_at, o.codes, o.not_credited, o.doubts, CASE
    WHEN o.part THEN o.parent ELSE '' END AS parent, c.id AS conversion_id, c.campaign_id, c.creator_id,
    c.offer_id, c.method, c.evidence, c.approval, c.commission
FROM orders o
JOIN stores s ON s.id = o.store_id
LEFT JOIN conversions c ON c.order_id = o.id AND c.credited
WHERE o.placed_at IS NOT NULL AND o.doubts <> '' AND (o.number LIKE ? ESCAPE '\' OR o.external_id = ? OR
      LOWER(o.codes) LIKE LOWER(?) ESCAPE '\') AND o.doubts <> '' AND ' ' || o.doubts || ' ' LIKE ? AND
    o.status = ? AND s.slug = ? AND c.campaign_id = ? AND o.placed_at >= ?
ORDER BY o.placed_at DESC, o.id DESC;

-- how many orders
SELECT COUNT(*)
FROM orders o
JOIN stores s ON s.id = o.store_id
LEFT JOIN conversions c ON c.order_id = o.id AND c.credited
WHERE o.placed_at IS NOT NULL AND o.doubts <> '' AND (o.number LIKE ? ESCAPE '\' OR o.external_id = ? OR
      LOWER(o.codes) LIKE LOWER(?) ESCAPE '\') AND o.doubts <> '' AND ' ' || o.doubts || ' ' LIKE ? AND
    o.status = ? AND s.slug = ? AND c.campaign_id = ? AND o.placed_at >= ?;

-- a page of ledger entries
WITH page AS
(SELECT *
  FROM ledger_entries l
  WHERE l.creator_id = ? AND l.kind = ? AND l.created_at >= ?
  ORDER BY l.created_at DESC, l.id DESC LIMIT 2)
SELECT l.id, l.creator_id, l.campaign_id, l.offer_member_id, l.conversion_id, l.kind, l.currency, l.amount,
    l.cause, l.payout_id, l.reward_id, l.note, l.author, l.created_at, l.payable_at, om.offer_id, o.id AS
    order_id, o.store_id, o.external_id, o.number, r.name AS creator, p.name AS campaign, f.name AS offer,
    s.slug AS store
FROM page l
LEFT JOIN offer_members om ON om.id = l.offer_member_id
LEFT JOIN conversions c ON c.id = l.conversion_id
LEFT JOIN orders o ON o.id = c.order_id
LEFT JOIN offers f ON f.id = om.offer_id
LEFT JOIN stores s ON s.id = o.store_id
LEFT JOIN campaigns p ON p.id = l.campaign_id
JOIN creators r ON r.id = l.creator_id
ORDER BY l.created_at DESC, l.id DESC;

-- a page of deliveries
SELECT COALESCE((SELECT MIN(id)
    FROM deliveries), 0) AS first, COALESCE((SELECT MAX(id)
    FROM deliveries), 0) AS last;

-- a page of deliveries
SELECT d.id, s.slug AS store, d.topic, d.received_at, d.processed_at, d.state, d.attempts, d.retry_at, d.note,
    d.order_external, COALESCE(o.id, 0) AS order_id, COALESCE(o.number, '') AS number, COALESCE(a.reason, '')
    AS "aside.reason", COALESCE(a.actor, '') AS "aside.actor", a.at AS "aside.at"
FROM
(SELECT d.id
  FROM deliveries d
  JOIN stores s ON s.id = d.store_id
  WHERE s.slug = ? AND d.id >= ?
  ORDER BY d.id DESC LIMIT 2) found
JOIN deliveries d ON d.id = found.id
JOIN stores s ON s.id = d.store_id
LEFT JOIN orders o ON o.store_id = d.store_id AND o.external_id = d.order_external
LEFT JOIN set_asides a ON a.delivery_id = d.id
ORDER BY d.id DESC;

-- a page of failed deliveries
SELECT d.id, s.slug AS store, d.topic, d.received_at, d.processed_at, d.state, d.attempts, d.retry_at, d.note,
    d.order_external, COALESCE(o.id, 0) AS order_id, COALESCE(o.number, '') AS number, COALESCE(a.reason, '')
    AS "aside.reason", COALESCE(a.actor, '') AS "aside.actor", a.at AS "aside.at"
FROM
(SELECT d.id
  FROM deliveries d
  JOIN stores s ON s.id = d.store_id
  WHERE d.state = 'failed'
  ORDER BY +d.id DESC LIMIT 2) found
JOIN deliveries d ON d.id = found.id
JOIN stores s ON s.id = d.store_id
LEFT JOIN orders o ON o.store_id = d.store_id AND o.external_id = d.order_external
LEFT JOIN set_asides a ON a.delivery_id = d.id
ORDER BY d.id DESC;

-- a page of unowned codes by orders
SELECT u.*
FROM
(SELECT e.store_id, s.slug AS store, e.value, COUNT(*) AS orders, CAST(COALESCE(SUM(o.value) FILTER (WHERE
            o.status = 'paid' AND o.currency = ?), 0) AS BIGINT) AS sales, MIN(o.placed_at) AS first_at,
      MAX(o.placed_at) AS last_at
  FROM unowned_evidence e
  JOIN orders o ON o.id = e.order_id
  JOIN stores s ON s.id = e.store_id
  WHERE e.kind = ? AND s.state <> ? AND o.placed_at >= ? AND NOT EXISTS
  (SELECT 1
    FROM codes c
    WHERE c.store_id = e.store_id AND c.folded = e.value AND (c.valid_to IS NULL OR c.valid_to > o.placed_at
          AND (c.valid_from IS NULL OR c.valid_from < c.valid_to))) AND NOT EXISTS
  (SELECT 1
    FROM dismissed_codes n
    WHERE n.store_id = e.store_id AND n.folded = e.value)
  GROUP BY e.store_id, s.slug, e.value) u
WHERE u.orders >= ?
ORDER BY u.orders DESC, u.value, u.store_id LIMIT 2;

-- a page of unowned codes by code
SELECT u.*
FROM
(SELECT e.store_id, s.slug AS store, e.value, COUNT(*) AS orders, CAST(COALESCE(SUM(o.value) FILTER (WHERE
            o.status = 'paid' AND o.currency = ?), 0) AS BIGINT) AS sales, MIN(o.placed_at) AS first_at,
      MAX(o.placed_at) AS last_at
  FROM unowned_evidence e
  JOIN orders o ON o.id = e.order_id
  JOIN stores s ON s.id = e.store_id
  WHERE e.kind = ? AND s.state <> ? AND o.placed_at >= ? AND NOT EXISTS
  (SELECT 1
    FROM codes c
    WHERE c.store_id = e.store_id AND c.folded = e.value AND (c.valid_to IS NULL OR c.valid_to > o.placed_at
          AND (c.valid_from IS NULL OR c.valid_from < c.valid_to))) AND NOT EXISTS
  (SELECT 1
    FROM dismissed_codes n
    WHERE n.store_id = e.store_id AND n.folded = e.value)
  GROUP BY e.store_id, s.slug, e.value) u
WHERE u.orders >= ?
ORDER BY u.value, u.store_id LIMIT 2;

-- a page of members
SELECT m.id, m.campaign_id, m.creator_id, m.product_value, m.product_currency, m.removed_at, m.version,
    m.created_at, m.updated_at, r.name AS creator, (r.removed_at IS NOT NULL) AS "left", COALESCE((SELECT
        h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle, c.name AS
    campaign, c.status
FROM campaign_members m
JOIN creators r ON r.id = m.creator_id
JOIN campaigns c ON c.id = m.campaign_id
WHERE m.campaign_id = ? AND m.removed_at IS NULL AND r.removed_at IS NULL AND (LOWER(r.name) LIKE LOWER(?)
      ESCAPE '\' OR EXISTS
  (SELECT 1
    FROM creator_handles h
    WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\') OR EXISTS
  (SELECT 1
    FROM offer_members x
    JOIN codes k ON k.offer_member_id = x.id
    WHERE x.member_id = m.id AND k.folded LIKE ? ESCAPE '\') OR EXISTS
  (SELECT 1
    FROM offer_members x
    JOIN links l ON l.offer_member_id = x.id
    WHERE x.member_id = m.id AND l.slug LIKE ? ESCAPE '\'))
ORDER BY r.name, m.id LIMIT 2;

-- a page of payouts
SELECT p.id, p.run_id, p.creator_id, p.amount, p.currency, p.state, p.rail, p.part_id, p.destination,
    p.masked, p.ref, p.provider_ref, p.fee, p.fee_currency, p.heard, p.by_hand, p.words, p.revision, p.method,
    p.reference, p.author, p.created_at, p.paid_at, p.until_at, p.state_at, p.told_at, p.asked, r.name AS
    creator, r.email, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle
FROM payouts p
JOIN creators r ON r.id = p.creator_id
WHERE p.creator_id = ?
ORDER BY p.id DESC LIMIT 2;

-- a page of payouts due
SELECT d.creator_id, r.name AS creator, r.email, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle,
    d.currency, d.amount, d.part, d.accounts
FROM
(SELECT creator_id, currency, CAST(SUM(payable) AS BIGINT) AS amount, COUNT(*) FILTER (WHERE payable <> 0) AS
      accounts, COUNT(*) FILTER (WHERE payable <> 0 AND inside) AS parts, CAST(COALESCE(SUM(payable) FILTER
          (WHERE inside), 0) AS BIGINT) AS part
  FROM
  (SELECT a.creator_id, a.currency, a.payable, TRUE AS inside
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
          WHERE e.payable_at > ? AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) a) a
  GROUP BY creator_id, currency) d
JOIN creators r ON r.id = d.creator_id
WHERE d.amount > 0 AND (d.currency <> ? OR d.amount >= ?)
ORDER BY d.currency, d.creator_id LIMIT 2;

-- a page of payouts due by -amount
SELECT d.creator_id, r.name AS creator, r.email, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle,
    d.currency, d.amount, d.part, d.accounts
FROM
(SELECT creator_id, currency, CAST(SUM(payable) AS BIGINT) AS amount, COUNT(*) FILTER (WHERE payable <> 0) AS
      accounts, COUNT(*) FILTER (WHERE payable <> 0 AND inside) AS parts, CAST(COALESCE(SUM(payable) FILTER
          (WHERE inside), 0) AS BIGINT) AS part
  FROM
  (SELECT a.creator_id, a.currency, a.payable, a.campaign_id = ? AS inside
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
          WHERE e.payable_at > ? AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) a) a
  GROUP BY creator_id, currency) d
JOIN creators r ON r.id = d.creator_id
WHERE d.parts > 0 AND (LOWER(r.name) LIKE LOWER(?) ESCAPE '\' OR LOWER(r.email) LIKE LOWER(?) ESCAPE '\' OR
      EXISTS
  (SELECT 1
    FROM creator_handles h
    WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\')) AND d.amount > 0 AND (d.currency <> ? OR
      d.amount >= ?)
ORDER BY d.currency, d.amount DESC, d.creator_id LIMIT 2;

-- a page of payouts due by since
SELECT d.creator_id, r.name AS creator, r.email, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle,
    d.currency, d.amount, d.part, d.accounts, w.since
FROM
(SELECT creator_id, currency, CAST(SUM(payable) AS BIGINT) AS amount, COUNT(*) FILTER (WHERE payable <> 0) AS
      accounts, COUNT(*) FILTER (WHERE payable <> 0 AND inside) AS parts, CAST(COALESCE(SUM(payable) FILTER
          (WHERE inside), 0) AS BIGINT) AS part
  FROM
  (SELECT a.creator_id, a.currency, a.payable, a.campaign_id = ? AS inside
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
          WHERE e.payable_at > ? AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) a) a
  GROUP BY creator_id, currency) d
JOIN creators r ON r.id = d.creator_id
LEFT JOIN
(SELECT e.creator_id, e.currency, MIN(e.payable_at) AS since
  FROM ledger_entries e
  LEFT JOIN
  (SELECT creator_id, currency, MAX(COALESCE(paid_at, created_at)) AS last_paid, MAX(created_at) AS recorded,
        MAX(until_at) AS until
    FROM payouts
    WHERE state NOT IN ('failed', 'returned', 'canceled')
    GROUP BY creator_id, currency) p ON p.creator_id = e.creator_id AND p.currency = e.currency
  WHERE e.amount > 0 AND e.payable_at <= ? AND (p.recorded IS NULL OR e.payable_at > p.recorded OR
        e.created_at >= p.until)
  GROUP BY e.creator_id, e.currency) w ON w.creator_id = d.creator_id AND w.currency = d.currency
WHERE d.parts > 0 AND (LOWER(r.name) LIKE LOWER(?) ESCAPE '\' OR LOWER(r.email) LIKE LOWER(?) ESCAPE '\' OR
      EXISTS
  (SELECT 1
    FROM creator_handles h
    WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\')) AND d.amount > 0 AND (d.currency <> ? OR
      d.amount >= ?)
ORDER BY w.since NULLS LAST, d.creator_id, d.currency LIMIT 2;

-- a page of payouts due by last
SELECT d.creator_id, r.name AS creator, r.email, COALESCE((SELECT h.handle
    FROM creator_handles h
    WHERE h.creator_id = r.id
    ORDER BY CASE WHEN h.network = 'instagram' THEN 0 ELSE 1 END, h.network LIMIT 1), '') AS handle,
    d.currency, d.amount, d.part, d.accounts, p.last_paid
FROM
(SELECT creator_id, currency, CAST(SUM(payable) AS BIGINT) AS amount, COUNT(*) FILTER (WHERE payable <> 0) AS
      accounts, COUNT(*) FILTER (WHERE payable <> 0 AND inside) AS parts, CAST(COALESCE(SUM(payable) FILTER
          (WHERE inside), 0) AS BIGINT) AS part
  FROM
  (SELECT a.creator_id, a.currency, a.payable, a.campaign_id = ? AS inside
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
          WHERE e.payable_at > ? AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) a) a
  GROUP BY creator_id, currency) d
JOIN creators r ON r.id = d.creator_id
LEFT JOIN
(SELECT creator_id, currency, MAX(COALESCE(paid_at, created_at)) AS last_paid, MAX(created_at) AS recorded,
      MAX(until_at) AS until
  FROM payouts
  WHERE state NOT IN ('failed', 'returned', 'canceled')
  GROUP BY creator_id, currency) p ON p.creator_id = d.creator_id AND p.currency = d.currency
WHERE d.parts > 0 AND (LOWER(r.name) LIKE LOWER(?) ESCAPE '\' OR LOWER(r.email) LIKE LOWER(?) ESCAPE '\' OR
      EXISTS
  (SELECT 1
    FROM creator_handles h
    WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\')) AND d.amount > 0 AND (d.currency <> ? OR
      d.amount >= ?)
ORDER BY p.last_paid NULLS LAST, d.creator_id, d.currency LIMIT 2;

-- what is due in all
SELECT d.currency, COUNT(*) AS creators, CAST(SUM(d.amount) AS BIGINT) AS amount, CAST(SUM(d.part) AS BIGINT)
    AS part
FROM
(SELECT creator_id, currency, CAST(SUM(payable) AS BIGINT) AS amount, COUNT(*) FILTER (WHERE payable <> 0) AS
      accounts, COUNT(*) FILTER (WHERE payable <> 0 AND inside) AS parts, CAST(COALESCE(SUM(payable) FILTER
          (WHERE inside), 0) AS BIGINT) AS part
  FROM
  (SELECT a.creator_id, a.currency, a.payable, a.offer_member_id IN
    (SELECT id
      FROM offer_members
      WHERE offer_id = ?) AS inside
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
          WHERE e.payable_at > ? AND e.payable_at > e.created_at AND NOT EXISTS
          (SELECT 1
            FROM payout_run_entries s
            WHERE s.ledger_entry_id = e.id)) w
        GROUP BY 1, 2, 3, 4) h ON h.creator_id = b.creator_id AND h.campaign_id = b.campaign_id AND
          h.offer_member_id = b.offer_member_id AND h.currency = b.currency) a) a
  GROUP BY creator_id, currency) d
JOIN creators r ON r.id = d.creator_id
WHERE d.parts > 0 AND d.currency = ? AND d.amount > 0 AND (d.currency <> ? OR d.amount >= ?)
GROUP BY d.currency
ORDER BY d.currency;

-- save orders
SELECT id, before, COALESCE((SELECT value
    FROM settings
    WHERE name = ?), '{}') AS settings
FROM recalculations
WHERE state = 'running' AND before <> ''
ORDER BY id DESC LIMIT 1;

-- save orders
INSERT INTO orders (store_id, external_id, revision, number, status, currency, value, original_value, total,
      refunded, refund_pending, test, placed_at, updated_at, day, codes, not_credited, evidence, trace,
      doubts, custom_status, parent, part, state, changed_at, created_at)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (store_id, external_id) DO UPDATE
SET revision = excluded.revision, number = excluded.number, status = excluded.status, currency =
    excluded.currency, value = excluded.value, original_value = excluded.original_value, total =
    excluded.total, refunded = excluded.refunded, refund_pending = excluded.refund_pending, test =
    excluded.test, placed_at = excluded.placed_at, updated_at = excluded.updated_at, day = excluded.day, codes
    = excluded.codes, not_credited = excluded.not_credited, evidence = excluded.evidence, trace = CASE WHEN
    excluded.trace = '' THEN orders.trace ELSE excluded.trace END, doubts = excluded.doubts, custom_status =
    excluded.custom_status, parent = excluded.parent, part = excluded.part, state = excluded.state, changed_at
    = excluded.changed_at
RETURNING store_id, external_id, id;

-- save conversions
INSERT INTO conversions (order_id, store_id, campaign_id, creator_id, offer_id, offer_member_id, credited,
      method, code_id, link_id, click_id, evidence, ambiguous, approval, approval_reason, approval_by,
      approval_at, held_reason, released, commission_percent, commission_flat, rule_version, status, currency,
      value, original_value, refunded, commission, account_currency, rate, rate_date, account_value,
      account_commission, account_refunded, ledger_currency, ledger_rate, ledger_commission, placed_at, day,
      created_at, updated_at)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT
    (order_id) DO UPDATE
SET store_id = excluded.store_id, campaign_id = excluded.campaign_id, creator_id = excluded.creator_id,
    offer_id = excluded.offer_id, offer_member_id = excluded.offer_member_id, credited = excluded.credited,
    method = excluded.method, code_id = excluded.code_id, link_id = excluded.link_id, click_id =
    excluded.click_id, evidence = excluded.evidence, ambiguous = excluded.ambiguous, approval =
    excluded.approval, approval_reason = excluded.approval_reason, approval_by = excluded.approval_by,
    approval_at = excluded.approval_at, held_reason = excluded.held_reason, released = excluded.released,
    commission_percent = excluded.commission_percent, commission_flat = excluded.commission_flat, rule_version
    = excluded.rule_version, status = excluded.status, currency = excluded.currency, value = excluded.value,
    original_value = excluded.original_value, refunded = excluded.refunded, commission = excluded.commission,
    account_currency = excluded.account_currency, rate = excluded.rate, rate_date = excluded.rate_date,
    account_value = excluded.account_value, account_commission = excluded.account_commission, account_refunded
    = excluded.account_refunded, ledger_currency = excluded.ledger_currency, ledger_rate =
    excluded.ledger_rate, ledger_commission = excluded.ledger_commission, placed_at = excluded.placed_at, day
    = excluded.day, updated_at = excluded.updated_at
RETURNING order_id, id;

-- save the states of orders
WITH v AS (VALUES (?,?))
UPDATE orders
SET state = v.column2
FROM v
WHERE orders.id = v.column1;

