-- name: I40 Every entry that an agent caused was allowed by a decision, or approved by people
SELECT tenant_id, event_id FROM entry
EXCEPT
(
    SELECT tenant_id, id FROM decision WHERE outcome = 'allow'
    UNION ALL
    SELECT tenant_id, executed_event_id FROM approval WHERE executed_event_id IS NOT NULL
    UNION ALL
    SELECT v.tenant_id, v.id
    FROM event AS v
    LEFT JOIN principal AS p ON v.tenant_id = p.tenant_id AND v.actor_id = p.id AND p.kind = 'agent'
    WHERE p.id IS NULL
    UNION ALL
    -- What was made upstream is booked by an event of its own; what allowed it is the event that its call rests on.
    SELECT e.tenant_id, e.event_id
    FROM entry AS e
    INNER JOIN payment_attempt AS t ON e.tenant_id = t.tenant_id AND e.id = t.id AND t.kind = 'transfer'
    INNER JOIN decision AS d ON t.tenant_id = d.tenant_id AND t.event_id = d.id AND d.outcome = 'allow'
);

-- name: I41 A hold of an approval is pending as long as the approval is not ended or carried out
SELECT a.tenant_id, a.id AS approval_id, a.status, h.id AS hold_id, h.status AS hold_status
FROM approval AS a INNER JOIN hold AS h ON a.tenant_id = h.tenant_id AND a.hold_id = h.id
WHERE (a.status = 'pending' OR (a.status = 'approved' AND a.executed_event_id IS NULL)) <> (h.status = 'pending');

-- name: I42 A decision's inputs are those its hash was made of, and what an approval is bound to is what was asked
SELECT tenant_id, id
FROM decision
WHERE inputs_hash <> sha256(convert_to(inputs, 'UTF8'))
UNION ALL
SELECT tenant_id, id
FROM approval
WHERE payload_hash <> sha256(convert_to(payload, 'UTF8'));

-- name: I43 The latest version of a mandate is the mandate
SELECT m.tenant_id, m.id AS mandate_id, m.version
FROM mandate AS m
LEFT JOIN mandate_version AS v ON m.tenant_id = v.tenant_id AND m.id = v.mandate_id AND m.version = v.version
WHERE v.version IS NULL OR v.terms <> m.terms OR v.status <> m.status
OR EXISTS (SELECT FROM mandate_version AS n WHERE n.tenant_id = m.tenant_id AND n.mandate_id = m.id AND n.version > m.version);

-- name: I44 Risk rules are those their hash was made of, every version stands somewhere, and what was assessed has its rules
SELECT r.tenant_id, r.version
FROM risk_rules AS r
LEFT JOIN risk_stage AS s ON r.tenant_id = s.tenant_id AND r.version = s.version
WHERE s.version IS NULL OR r.rules_hash <> sha256(convert_to(r.rules, 'UTF8'))
OR (r.rules::jsonb ->> 'version')::integer <> r.version
UNION ALL
SELECT d.tenant_id, split_part(d.shadow, ' ', n)::integer
FROM decision AS d CROSS JOIN (VALUES (1), (3)) AS v (n)
WHERE d.shadow IS NOT NULL AND split_part(d.shadow, ' ', n) <> '0'
AND NOT EXISTS (SELECT FROM risk_rules AS r WHERE r.tenant_id = d.tenant_id AND r.version = split_part(d.shadow, ' ', n)::integer);

-- name: I45 Every decision has its event, by the agent that it is about
SELECT tenant_id, id FROM decision
EXCEPT
SELECT v.tenant_id, v.id
FROM event AS v INNER JOIN decision AS d ON v.tenant_id = d.tenant_id AND v.id = d.id AND v.actor_id = d.agent_id;
