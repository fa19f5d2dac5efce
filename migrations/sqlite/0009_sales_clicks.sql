-- Clicks count on links for sales alone: those on links for a creator's own purchase or for a review leave the sums.
WITH facts AS (
    SELECT k.day, om.offer_id, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
    FROM links l
    JOIN clicks k ON k.link_id = l.id
    JOIN offer_members om ON om.id = l.offer_member_id
    JOIN campaign_members m ON m.id = om.member_id
    JOIN creators r ON r.id = m.creator_id
    WHERE l.kind <> 'sales' AND NOT k.bot
), cells AS (
    SELECT day AS period, offer_id, former FROM facts
    UNION ALL SELECT day, 0, former FROM facts
    UNION ALL SELECT SUBSTR(day, 1, 7), offer_id, former FROM facts
    UNION ALL SELECT SUBSTR(day, 1, 7), 0, former FROM facts
)
UPDATE offer_periods SET clicks = offer_periods.clicks - x.n
FROM (SELECT period, offer_id, former, COUNT(*) AS n FROM cells GROUP BY period, offer_id, former) x
WHERE x.period = offer_periods.period AND x.offer_id = offer_periods.offer_id AND x.former = offer_periods.former
    AND offer_periods.currency = '' AND offer_periods.converted;

UPDATE member_years SET clicks = member_years.clicks - x.n
FROM (
    SELECT l.offer_member_id, SUBSTR(k.day, 1, 4) AS year, COUNT(*) AS n
    FROM links l JOIN clicks k ON k.link_id = l.id
    WHERE l.kind <> 'sales' AND NOT k.bot
    GROUP BY 1, 2
) x
WHERE x.offer_member_id = member_years.offer_member_id AND x.year = member_years.year
    AND member_years.currency = '' AND member_years.converted;
