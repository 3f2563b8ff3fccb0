-- Every query returns the rows that break its claim; none is good. All run in one REPEATABLE READ snapshot, as
-- bursar_verify, over all tenants. First the books, then the record, then who there is.

-- name: I01 Every currency sums to zero over the accounts of a tenant
SELECT tenant_id, currency, off_by_minor
FROM (
    SELECT
        tenant_id, currency,
        sum(CASE normal_side WHEN 'credit' THEN posted_minor::numeric ELSE -posted_minor END) AS off_by_minor
    FROM account
    GROUP BY tenant_id, currency
) AS s
WHERE off_by_minor <> 0;

-- name: I02 A balance is the sum of its postings
SELECT a.tenant_id, a.number, a.posted_minor, coalesce(s.minor, 0) AS postings_minor
FROM account AS a
LEFT JOIN (SELECT tenant_id, account_id, sum(change_minor) AS minor FROM line GROUP BY tenant_id, account_id) AS s
    ON a.tenant_id = s.tenant_id AND a.id = s.account_id
WHERE a.posted_minor <> coalesce(s.minor, 0);

-- name: I03 The versions of an account run from 1 to its own without a gap, over both sides of its postings
SELECT a.tenant_id, a.number, a.version, coalesce(s.lines, 0) AS lines, s.first, s.last
FROM account AS a
LEFT JOIN (
    SELECT
        tenant_id, account_id, count(*) AS lines, count(DISTINCT version) AS versions, min(version) AS first,
        max(version) AS last
    FROM line
    GROUP BY tenant_id, account_id
) AS s ON a.tenant_id = s.tenant_id AND a.id = s.account_id
WHERE a.version <> coalesce(s.lines, 0) OR a.version <> coalesce(s.versions, 0) OR a.version <> coalesce(s.last, 0)
    OR s.first <> 1;

-- name: I04 The balance kept with a posting is the one before it changed by its amount
SELECT tenant_id, account_id, version, balance_minor, recomputed_minor
FROM (
    SELECT
        tenant_id, account_id, version, balance_minor,
        sum(change_minor) OVER (PARTITION BY tenant_id, account_id ORDER BY version) AS recomputed_minor
    FROM line
) AS l
WHERE balance_minor <> recomputed_minor;

-- name: I05 No posting took an account below its floor
SELECT l.tenant_id, a.number, l.version, l.balance_minor, a.floor_minor
FROM line AS l INNER JOIN account AS a ON l.tenant_id = a.tenant_id AND l.account_id = a.id
WHERE l.change_minor < 0 AND l.balance_minor < a.floor_minor;

-- name: I06 What is available is not below the floor
SELECT tenant_id, number, posted_minor, held_minor, floor_minor
FROM account
WHERE posted_minor::numeric - held_minor < floor_minor;

-- name: I07 What is held is the sum of the pending holds
SELECT a.tenant_id, a.number, a.held_minor, coalesce(h.minor, 0) AS pending_minor
FROM account AS a
LEFT JOIN (
    SELECT tenant_id, account_id, sum(amount_minor) AS minor
    FROM hold
    WHERE status = 'pending'
    GROUP BY tenant_id, account_id
) AS h ON a.tenant_id = h.tenant_id AND a.id = h.account_id
WHERE a.held_minor <> coalesce(h.minor, 0);

-- name: I08 Every entry has postings, numbered from 0 without a gap
SELECT e.tenant_id, e.id, count(p.seq) AS postings, max(p.seq) AS last
FROM entry AS e LEFT JOIN posting AS p ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
GROUP BY e.tenant_id, e.id
HAVING count(p.seq) = 0 OR min(p.seq) <> 0 OR max(p.seq) <> count(p.seq) - 1;

-- name: I09 A posting has the currency of both its accounts
SELECT p.tenant_id, p.entry_id, p.seq, p.currency
FROM posting AS p
INNER JOIN account AS s ON p.tenant_id = s.tenant_id AND p.source_id = s.id
INNER JOIN account AS t ON p.tenant_id = t.tenant_id AND p.target_id = t.id
WHERE p.currency <> s.currency OR p.currency <> t.currency;

-- name: I10 A posting moves an amount that an order can have from one account to another
SELECT tenant_id, entry_id, seq, amount_minor
FROM posting
WHERE source_id = target_id OR amount_minor NOT BETWEEN 1 AND 1000000000000000;

-- name: I11 A posting takes effect when its entry does, and never after it was recorded
SELECT p.tenant_id, p.entry_id, p.seq, p.effective_at
FROM posting AS p INNER JOIN entry AS e ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
WHERE p.effective_at <> e.effective_at OR e.effective_at > e.recorded_at;

-- name: I12 A capture is what its hold says, and the hold what its capture says
SELECT h.tenant_id, h.id AS hold_id, e.id AS entry_id, h.status, h.captured_minor, p.amount_minor
FROM hold AS h
FULL JOIN entry AS e ON h.tenant_id = e.tenant_id AND h.entry_id = e.id AND h.id = e.hold_id
LEFT JOIN posting AS p ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
WHERE ((h.status = 'posted' OR h.entry_id IS NOT NULL) AND (e.id IS NULL OR e.kind <> 'capture'))
    OR ((e.kind = 'capture' OR e.hold_id IS NOT NULL) AND (h.id IS NULL OR h.status <> 'posted'))
    OR (p.source_id, p.target_id, p.amount_minor, p.currency)
    <> (h.account_id, h.target_id, h.captured_minor, h.currency);

-- name: I13 A hold captures at most its amount, and only when posted
SELECT tenant_id, id, status, amount_minor, captured_minor
FROM hold
WHERE amount_minor <= 0 OR captured_minor NOT BETWEEN 0 AND amount_minor OR (captured_minor > 0) <> (status = 'posted');

-- name: I14 A hold is on a credit-normal account of its currency, for another one
SELECT h.tenant_id, h.id, h.currency, a.currency AS account_currency, a.normal_side
FROM hold AS h INNER JOIN account AS a ON h.tenant_id = a.tenant_id AND h.account_id = a.id
WHERE h.currency <> a.currency OR a.normal_side <> 'credit' OR h.target_id = h.account_id;

-- name: I15 Reversals go exactly the opposite way and never take back more than was moved
WITH taken AS (
    SELECT e.tenant_id, e.reverses_id, p.source_id, p.target_id, p.currency, sum(p.amount_minor) AS minor
    FROM entry AS e INNER JOIN posting AS p ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
    WHERE e.reverses_id IS NOT NULL
    GROUP BY e.tenant_id, e.reverses_id, p.source_id, p.target_id, p.currency
),

moved AS (
    SELECT tenant_id, entry_id, source_id, target_id, currency, sum(amount_minor) AS minor
    FROM posting
    WHERE (tenant_id, entry_id) IN (SELECT t.tenant_id, t.reverses_id FROM taken AS t)
    GROUP BY tenant_id, entry_id, source_id, target_id, currency
)

SELECT t.tenant_id, t.reverses_id, t.source_id, t.target_id, t.minor AS taken_back_minor, m.minor AS moved_minor
FROM taken AS t
LEFT JOIN moved AS m
    ON t.tenant_id = m.tenant_id AND t.reverses_id = m.entry_id AND t.currency = m.currency
    AND t.source_id = m.target_id AND t.target_id = m.source_id
WHERE m.minor IS NULL OR t.minor > m.minor;

-- name: I16 What reverses says so, and a reversal is final
SELECT e.tenant_id, e.id, e.kind, o.kind AS reversed_kind
FROM entry AS e LEFT JOIN entry AS o ON e.tenant_id = o.tenant_id AND e.reverses_id = o.id
WHERE (e.kind = 'reversal') <> (e.reverses_id IS NOT NULL) OR o.kind = 'reversal';

-- name: I17 A closed account is empty
SELECT tenant_id, number, posted_minor, held_minor
FROM account
WHERE status = 'closed' AND (posted_minor <> 0 OR held_minor <> 0);

-- name: I18 A world account has no floor
SELECT tenant_id, number, floor_minor
FROM account
WHERE number LIKE 'world:%' AND floor_minor IS NOT NULL;

-- name: I19 Every reference leads to a row of the same tenant
SELECT r.tenant_id, r.reference, r.id
FROM (
    SELECT tenant_id, 'posting.entry_id' AS reference, entry_id AS id FROM posting
    EXCEPT SELECT tenant_id, 'posting.entry_id', id FROM entry
    UNION ALL (
        SELECT tenant_id, 'posting.source_id', source_id FROM posting
        EXCEPT SELECT tenant_id, 'posting.source_id', id FROM account
    )
    UNION ALL (
        SELECT tenant_id, 'posting.target_id', target_id FROM posting
        EXCEPT SELECT tenant_id, 'posting.target_id', id FROM account
    )
    UNION ALL (
        SELECT tenant_id, 'entry.reverses_id', reverses_id FROM entry WHERE reverses_id IS NOT NULL
        EXCEPT SELECT tenant_id, 'entry.reverses_id', id FROM entry
    )
    UNION ALL (
        SELECT tenant_id, 'hold.account_id', account_id FROM hold
        EXCEPT SELECT tenant_id, 'hold.account_id', id FROM account
    )
    UNION ALL (
        SELECT tenant_id, 'hold.target_id', target_id FROM hold WHERE target_id IS NOT NULL
        EXCEPT SELECT tenant_id, 'hold.target_id', id FROM account
    )
    UNION ALL (
        SELECT tenant_id, 'event.actor_id', actor_id FROM event WHERE actor_id IS NOT NULL
        EXCEPT SELECT tenant_id, 'event.actor_id', id FROM principal
    )
    UNION ALL (
        SELECT tenant_id, 'api_key.principal_id', principal_id FROM api_key
        EXCEPT SELECT tenant_id, 'api_key.principal_id', id FROM principal
    )
    UNION ALL (
        SELECT tenant_id, 'account.tenant_id', tenant_id FROM account
        UNION SELECT tenant_id, 'account.tenant_id', tenant_id FROM principal
        UNION SELECT tenant_id, 'account.tenant_id', tenant_id FROM event
        EXCEPT SELECT tenant_id, 'account.tenant_id', tenant_id FROM tenant
    )
) AS r;

-- name: I20 Every entry has its event, written by the same database transaction
SELECT e.tenant_id, e.id, e.event_id, e.xid AS entry_xid, v.xid AS event_xid
FROM entry AS e LEFT JOIN event AS v ON e.tenant_id = v.tenant_id AND e.event_id = v.id
WHERE v.xid IS DISTINCT FROM e.xid;

-- name: I21 The event of an entry names it and says that it was allowed
SELECT e.tenant_id, e.id, v.id AS event_id, v.object
FROM entry AS e INNER JOIN event AS v ON e.tenant_id = v.tenant_id AND e.event_id = v.id
WHERE strpos(v.body, '"decision":"allow"') = 0
    OR (e.kind <> 'statement' AND v.object IS DISTINCT FROM 'tr_' || replace(e.id::text, '-', ''));

-- name: I22 The body of an event says what its columns say
SELECT tenant_id, id, type, action, object, actor_id
FROM event
WHERE NOT starts_with(body, '{"action":' || to_json(action) || ',"actor":{')
    OR NOT starts_with(reverse(body), reverse(',"type":' || to_json(type) || '}'))
    OR strpos(body, ',"object":' || coalesce(to_json(object)::text, 'null') || ',"outcome":') = 0
    OR strpos(body, coalesce('"id":"prn_' || replace(actor_id::text, '-', '') || '"', '"actor":{"kind":"system"}')) = 0;

-- name: I23 An answer is pinned to an event of the same action, done by the same principal
SELECT n.tenant_id, n.principal_id, n.action, n.key, n.event_id
FROM answer AS n LEFT JOIN event AS v ON n.tenant_id = v.tenant_id AND n.event_id = v.id
WHERE (v.actor_id, v.action) IS DISTINCT FROM (n.principal_id, n.action);

-- name: I24 One event answers at most one key
SELECT tenant_id, event_id, count(*) AS answers
FROM answer
GROUP BY tenant_id, event_id
HAVING count(*) > 1;

-- name: I25 An answer is pinned where its principal, action and key say
SELECT tenant_id, id, principal_id, action, key
FROM answer
WHERE id <> encode(substr(sha256(
    convert_to(replace(principal_id::text, '-', ''), 'UTF8') || '\x00'::bytea || convert_to(action, 'UTF8')
    || '\x00'::bytea || convert_to(key, 'UTF8')
), 1, 16), 'hex')::uuid;

-- name: I26 A movement on a bank's statement is booked by an entry of its own, and each such entry books one
SELECT e.tenant_id, e.id AS entry_id, e.kind, m.mapping, m.reference
FROM entry AS e FULL JOIN statement_movement AS m ON e.tenant_id = m.tenant_id AND e.id = m.entry_id
WHERE (e.kind = 'statement') IS DISTINCT FROM (m.reference IS NOT NULL);

-- name: I27 No principal has more than two active keys
SELECT tenant_id, principal_id, count(*) AS active_keys
FROM api_key
WHERE revoked_at IS NULL
GROUP BY tenant_id, principal_id
HAVING count(*) > 2;

-- name: I28 No key of an agent has a scope that is for humans only
SELECT k.tenant_id, k.id, k.scopes
FROM api_key AS k INNER JOIN principal AS p ON k.tenant_id = p.tenant_id AND k.principal_id = p.id
WHERE p.kind = 'agent' AND k.scopes && ARRAY[
    'accounts:close', 'accounts:freeze', 'accounts:unfreeze', 'accounts:upstream', 'agents:write',
    'approvals:decide', 'cases:write', 'collections:rule', 'counterparties:write', 'freezes:resume',
    'freezes:write', 'jobs:define', 'keys:read', 'keys:write', 'lending:write', 'loans:adjust',
    'mandates:write', 'payments:settle', 'portfolio:read', 'reconciliation:write', 'risk:read', 'risk:write',
    'webhooks:read', 'webhooks:write', 'world:move'
];
