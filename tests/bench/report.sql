-- The figures of a whole report by hand, for PostgreSQL: each table is read as few times as they
-- allow. {counts} and {paid} are replaced by the first two conditions.

--: counts
counted_until IS NULL OR counted_until > %(at)s

--: paid
p.campaign_id = %(campaign)s AND p.status = 'succeeded' AND p.hold IN ('', 'accepted') AND
    p.role IN ('first', 'gift', 'contribution') AND p.paid_at >= %(starts_at)s AND p.paid_at <
    %(ends_at)s AND p.paid_at <= %(at)s

--: started
-- By day, weekday and hour. Every zone keeps to quarters of an hour, so only one time of each
-- quarter is shifted into the campaign's zone.
SELECT (quarter AT TIME ZONE %(zone)s)::date, extract(isodow FROM quarter AT TIME ZONE %(zone)s),
    extract(hour FROM quarter AT TIME ZONE %(zone)s), sum(people)::bigint, sum(gifts)::bigint,
    sum(people_now)::bigint, sum(gifts_now)::bigint
FROM (
    SELECT date_bin('15 minutes', counted_from, 'epoch') AS quarter,
        count(member_id) AS people, count(gift_id) AS gifts,
        count(member_id) FILTER (WHERE {counts}) AS people_now,
        count(gift_id) FILTER (WHERE {counts}) AS gifts_now
    FROM campaigns_tally WHERE campaign_id = %(campaign)s AND counted_from <= %(at)s
    GROUP BY 1
) AS quarters GROUP BY 1, 2, 3

--: stopped
SELECT (counted_until AT TIME ZONE %(zone)s)::date, count(*),
    count(*) FILTER (WHERE counted_until >= %(week_ago)s AND counted_until < %(week_ago_now)s)
FROM campaigns_tally
WHERE campaign_id = %(campaign)s AND counted_until <= %(at)s GROUP BY 1

--: by_now
SELECT count(member_id), count(gift_id) FROM campaigns_tally
WHERE campaign_id = %(campaign)s AND counted_from >= %(week_ago)s
    AND counted_from < %(week_ago_now)s

--: sold
-- All but the article, whose sets of values with the others would be nearly as many as the sales.
SELECT c.price_id, p.method, p.wallet, c.friend, c.placement, c.referrer, c.utm_source,
    c.utm_medium, c.utm_campaign, c.utm_content, c.language, c.device, c.country, count(*)
FROM campaigns_tally t JOIN campaigns_payment p ON p.id = t.payment_id
    JOIN campaigns_checkout c ON c.id = p.checkout_id
WHERE t.campaign_id = %(campaign)s AND t.counted_from <= %(at)s AND ({counts})
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13

--: articles
SELECT c.page_url, count(*), max(c.page_title)
FROM campaigns_tally t JOIN campaigns_payment p ON p.id = t.payment_id
    LEFT JOIN campaigns_checkout c ON c.id = p.checkout_id
WHERE t.campaign_id = %(campaign)s AND t.counted_from <= %(at)s AND ({counts})
GROUP BY 1

--: unsold
SELECT m.plan_id, m.source, p.method, p.wallet, count(*)
FROM campaigns_tally t JOIN campaigns_payment p ON p.id = t.payment_id
    LEFT JOIN campaigns_membership m ON m.id = p.membership_id
WHERE t.campaign_id = %(campaign)s AND t.counted_from <= %(at)s AND ({counts})
    AND p.checkout_id IS NULL
GROUP BY 1, 2, 3, 4

--: payments
SELECT p.currency, c.price_id, p.amount_minor, count(*)
FROM campaigns_payment p LEFT JOIN campaigns_checkout c ON c.id = p.checkout_id
WHERE {paid} GROUP BY 1, 2, 3

--: money
SELECT p.currency, p.settled_currency, count(*), sum(p.amount_minor)::bigint,
    count(p.settled_minor), sum(p.settled_minor)::bigint, sum(p.fee_minor)::bigint
FROM campaigns_payment p WHERE {paid} GROUP BY 1, 2

--: raised
SELECT (quarter AT TIME ZONE %(zone)s)::date, sum(amount)::bigint
FROM (
    SELECT date_bin('15 minutes', p.paid_at, 'epoch') AS quarter, sum(p.amount_minor) AS amount
    FROM campaigns_payment p WHERE {paid} AND p.currency = %(currency)s GROUP BY 1
) AS quarters GROUP BY 1

--: refunds
-- With the number of payments that were refunded in full.
SELECT currency, price_id, paid, day, sum(amount)::bigint,
    count(*) FILTER (WHERE is_last AND refunded >= paid)
FROM (
    SELECT p.currency, c.price_id, p.amount_minor AS paid, r.amount_minor AS amount,
        (r.refunded_at AT TIME ZONE %(zone)s)::date AS day,
        sum(r.amount_minor) OVER payments AS refunded,
        row_number() OVER payments = 1 AS is_last
    FROM campaigns_refund r JOIN campaigns_payment p ON p.id = r.payment_id
        LEFT JOIN campaigns_checkout c ON c.id = p.checkout_id
    WHERE r.status = 'succeeded' AND r.refunded_at <= %(at)s AND {paid}
    WINDOW payments AS (PARTITION BY r.payment_id)
) AS refunds GROUP BY 1, 2, 3, 4

--: lost
-- At most one dispute of a payment takes its rest.
SELECT p.currency, (coalesce(d.withdrawn_at, d.opened_at) AT TIME ZONE %(zone)s)::date,
    sum(least(d.amount_minor, p.amount_minor - coalesce((
        SELECT sum(r.amount_minor) FROM campaigns_refund r WHERE r.payment_id = p.id
            AND r.status = 'succeeded' AND r.refunded_at <= %(at)s), 0)))
FROM campaigns_dispute d JOIN campaigns_payment p ON p.id = d.payment_id
WHERE d.status = %(lost)s AND coalesce(d.withdrawn_at, d.opened_at) <= %(at)s AND {paid}
GROUP BY 1, 2

--: lost_payments
-- Those that were refunded in full are in the refunds already.
SELECT p.currency, c.price_id, p.amount_minor, count(DISTINCT p.id)
FROM campaigns_dispute d JOIN campaigns_payment p ON p.id = d.payment_id
    LEFT JOIN campaigns_checkout c ON c.id = p.checkout_id
WHERE d.status = %(lost)s AND coalesce(d.withdrawn_at, d.opened_at) <= %(at)s AND {paid}
    AND p.amount_minor > coalesce((SELECT sum(r.amount_minor) FROM campaigns_refund r
        WHERE r.payment_id = p.id AND r.status = 'succeeded' AND r.refunded_at <= %(at)s), 0)
GROUP BY 1, 2, 3

--: balance_refunds
SELECT r.settled_currency, sum(r.taken_minor) - sum(r.returned_minor), sum(r.fee_minor)
FROM campaigns_refund r JOIN campaigns_payment p ON p.id = r.payment_id
WHERE r.settled_currency <> '' AND r.refunded_at <= %(at)s AND {paid} GROUP BY 1

--: people
SELECT count(*) FROM (SELECT DISTINCT p.member_id FROM campaigns_payment p WHERE {paid}) AS people

--: returning
SELECT count(DISTINCT p.member_id) FROM campaigns_payment p
WHERE {paid} AND p.member_id IN (
    SELECT member_id FROM campaigns_membership
        WHERE started_at < %(starts_at)s AND status <> %(not_begun)s
    UNION SELECT member_id FROM campaigns_payment
        WHERE paid_at < %(starts_at)s AND status = 'succeeded')

--: gifts
SELECT count(*), count(*) FILTER (WHERE g.delivered_at <= %(at)s OR g.claimed_at <= %(at)s),
    count(*) FILTER (WHERE g.claimed_at <= %(at)s),
    count(*) FILTER (WHERE g.status = 'expired' AND g.expires_at <= %(at)s),
    count(DISTINCT g.redeemer_id) FILTER (WHERE g.claimed_at <= %(at)s),
    count(DISTINCT g.redeemer_id) FILTER (WHERE g.claimed_at <= %(at)s AND EXISTS (
        SELECT FROM campaigns_payment p WHERE p.member_id = g.redeemer_id
            AND p.status = 'succeeded' AND p.role = 'first'
            AND p.paid_at > g.claimed_at AND p.paid_at <= %(at)s))
FROM campaigns_tally t JOIN campaigns_gift g ON g.id = t.gift_id
WHERE t.campaign_id = %(campaign)s AND t.counted_from <= %(at)s AND ({counts})

--: won
SELECT count(*), count(*) FILTER (WHERE goes_on) FROM (
    SELECT member_id, bool_or(counted_until IS NULL OR counted_until > %(at)s) AS goes_on
    FROM campaigns_tally WHERE campaign_id = %(campaign)s AND member_id IS NOT NULL
        AND counted_from <= %(at)s GROUP BY member_id
) AS won

--: cancelled
SELECT m.cancel_reason, count(*)
FROM campaigns_tally t JOIN campaigns_payment p ON p.id = t.payment_id
    JOIN campaigns_membership m ON m.id = p.membership_id
WHERE t.campaign_id = %(campaign)s AND t.member_id IS NOT NULL AND t.counted_until IS NULL
    AND t.counted_from <= %(at)s
    AND (m.is_cancelling OR (m.status = 'ended' AND m.source = 'subscription'))
GROUP BY 1

--: pending
SELECT count(*) FROM campaigns_payment WHERE campaign_id = %(campaign)s AND status = 'pending'
    AND hold IN ('', 'accepted') AND role IN ('first', 'gift')
    AND paid_at >= %(starts_at)s AND paid_at < least(%(ends_at)s, %(at)s)

--: held
SELECT count(*) FROM campaigns_payment WHERE campaign_id = %(campaign)s AND hold = 'waiting'

--: unfinished
SELECT count(*), count(*) FILTER (WHERE c.status = 'paid')
FROM campaigns_outgoingmail o JOIN campaigns_checkout c ON c.id = o.checkout_id
WHERE o.kind = %(unfinished)s AND c.campaign_id = %(campaign)s AND o.sent_at <= %(at)s

--: newsletters
SELECT count(DISTINCT email) FROM campaigns_subscription
WHERE campaign_id = %(campaign)s AND requested_at <= %(at)s
