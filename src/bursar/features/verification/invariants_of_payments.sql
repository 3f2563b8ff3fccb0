-- Likewise, for what comes and goes through providers.

-- name: I60 What a provider has for a tenant is what the clearing account says, by all that was booked of it
SELECT coalesce(a.tenant_id, e.tenant_id) AS tenant_id, a.number, a.posted_minor, e.minor AS effects_minor
FROM (SELECT tenant_id, number, posted_minor FROM account WHERE number ~ '^world:[a-z][a-z0-9_]*:[A-Z]{3}$') AS a
FULL JOIN (
    SELECT
        tenant_id, 'world:' || provider || ':' || currency AS number,
        sum(CASE
            WHEN kind IN ('capture', 'refund_failed', 'dispute_won', 'payout_failed', 'adjustment') THEN amount_minor
            WHEN kind IN ('refund', 'dispute', 'payout') THEN -amount_minor
            ELSE 0
        END - fee_minor)::bigint AS minor
    FROM payment_effect
    GROUP BY tenant_id, provider, currency
) AS e ON a.tenant_id = e.tenant_id AND a.number = e.number
WHERE EXISTS (
    SELECT FROM payment_attempt AS t
    WHERE t.tenant_id = coalesce(a.tenant_id, e.tenant_id)
    AND 'world:' || t.provider || ':' || t.currency = coalesce(a.number, e.number)
) AND coalesce(a.posted_minor, 0) <> coalesce(e.minor, 0);

-- name: I61 The books of the sandbox's provider are those of the ledger, but for what is under way or waits for people
SELECT s.tenant_id, s.currency, s.minor AS provider_minor, coalesce(a.posted_minor, 0) AS clearing_minor
FROM (
    SELECT tenant_id, currency, sum(net_minor)::bigint AS minor FROM sandbox_transaction GROUP BY tenant_id, currency
) AS s
LEFT JOIN account AS a ON s.tenant_id = a.tenant_id AND a.number = 'world:sandbox:' || s.currency
WHERE s.minor <> coalesce(a.posted_minor, 0)
AND NOT EXISTS (
    SELECT FROM payment_attempt AS t WHERE t.tenant_id = s.tenant_id AND (t.ask_at IS NOT NULL OR t.status = 'unknown')
)
AND NOT EXISTS (SELECT FROM payment AS p WHERE p.tenant_id = s.tenant_id AND p.quarantined)
AND NOT EXISTS (SELECT FROM sandbox_event AS v WHERE v.tenant_id = s.tenant_id AND v.told_at IS NULL)
AND NOT EXISTS (SELECT FROM payment_inbox AS i WHERE i.tenant_id = s.tenant_id AND i.status = 'parked');

-- name: I62 The sums of a payment are those of its effects
SELECT p.tenant_id, p.id AS payment_id, p.captured_minor, p.refunded_minor, p.disputed_minor
FROM payment AS p
LEFT JOIN (
    SELECT
        tenant_id, payment_id,
        sum(CASE kind WHEN 'capture' THEN amount_minor ELSE 0 END) AS captured,
        sum(CASE kind WHEN 'refund' THEN amount_minor WHEN 'refund_failed' THEN -amount_minor ELSE 0 END) AS refunded,
        sum(CASE kind WHEN 'dispute' THEN amount_minor WHEN 'dispute_won' THEN -amount_minor ELSE 0 END) AS disputed,
        sum(fee_minor) AS fees
    FROM payment_effect
    GROUP BY tenant_id, payment_id
) AS e ON p.tenant_id = e.tenant_id AND p.id = e.payment_id
WHERE (p.captured_minor, p.refunded_minor, p.disputed_minor, p.fee_minor)
    IS DISTINCT FROM (coalesce(e.captured, 0), coalesce(e.refunded, 0), coalesce(e.disputed, 0), coalesce(e.fees, 0));

-- name: I63 What goes through a provider is booked by an entry of its own, and each such entry books one effect
SELECT e.tenant_id, e.id AS entry_id, e.kind, f.reference
FROM entry AS e FULL JOIN payment_effect AS f ON e.tenant_id = f.tenant_id AND e.id = f.entry_id
WHERE (e.kind = 'payment' OR f.entry_id IS NOT NULL) AND (e.kind IS DISTINCT FROM 'payment' OR f.reference IS NULL);

-- name: I64 A hold that was placed for a call is pending as long as the call is under way, and no longer
SELECT h.tenant_id, h.id AS hold_id, t.id AS attempt_id, t.status
FROM hold AS h INNER JOIN payment_attempt AS t ON h.tenant_id = t.tenant_id AND h.owner_id = t.id
WHERE (h.status = 'pending') <> (t.status IN ('waiting', 'pending', 'unknown'));

-- name: I65 What was moved upstream is booked as it was asked, once it has succeeded; nothing else touches its accounts
SELECT coalesce(e.tenant_id, t.tenant_id) AS tenant_id, e.id AS entry_id, t.id AS attempt_id, t.status
FROM (
    SELECT e.tenant_id, e.id, p.source_id, p.target_id, p.amount_minor
    FROM entry AS e INNER JOIN posting AS p ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
    WHERE EXISTS (
        SELECT FROM account AS a
        WHERE a.tenant_id = p.tenant_id AND a.id IN (p.source_id, p.target_id) AND a.upstream IS NOT NULL
    )
) AS e
FULL JOIN (SELECT * FROM payment_attempt WHERE kind = 'transfer' AND status = 'succeeded') AS t
    ON e.tenant_id = t.tenant_id AND e.id = t.id
WHERE (e.source_id, e.target_id, e.amount_minor) IS DISTINCT FROM (t.account_id, t.target_id, t.amount_minor);

-- name: I66 What a job had a provider do is what its shares say, and all of it is done or given back when the job has ended
SELECT j.tenant_id, j.id AS job_id, s.no AS share, j.status
FROM job AS j
INNER JOIN job_share AS s ON j.tenant_id = s.tenant_id AND j.id = s.job_id
LEFT JOIN payment_attempt AS t
    ON s.tenant_id = t.tenant_id AND s.job_id = t.job_id AND s.no = t.job_share AND t.kind IN ('charge', 'payout')
LEFT JOIN payment AS p ON t.tenant_id = p.tenant_id AND t.payment_id = p.id
LEFT JOIN job_effect AS c
    ON s.tenant_id = c.tenant_id AND s.job_id = c.job_id AND s.no = c.share AND c.kind = 'captured'
LEFT JOIN job_effect AS v
    ON s.tenant_id = v.tenant_id AND s.job_id = v.job_id AND s.no = v.share AND v.kind = 'reversed'
WHERE s.method_id IS NOT NULL
    AND ((t.id IS NOT NULL AND (t.amount_minor, t.currency) IS DISTINCT FROM (s.amount_minor, j.currency))
        OR (j.status = 'done' AND (c.attempt_id IS NULL OR v.attempt_id IS NOT NULL))
        OR (c.attempt_id IS NOT NULL AND p.id IS NOT NULL AND p.captured_minor <> s.amount_minor)
        OR (j.status IN ('failed', 'canceled')
            AND (p.status IN ('requires_action', 'requires_capture', 'processing')
                OR p.captured_minor > p.refunded_minor OR (c.attempt_id IS NOT NULL AND v.attempt_id IS NULL)
                OR EXISTS (
                    SELECT FROM hold AS h INNER JOIN job_effect AS r ON h.tenant_id = r.tenant_id AND h.id = r.hold_id
                    WHERE r.tenant_id = s.tenant_id AND r.job_id = s.job_id AND r.share = s.no
                        AND h.status = 'pending'
                ))));
