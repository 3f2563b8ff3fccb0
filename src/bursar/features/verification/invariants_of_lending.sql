-- Likewise, of applications for loans.

-- name: I70 What happened to an application is there for each of its versions, and the last of it is where it stands
SELECT a.tenant_id, a.id AS application_id, a.version, v.events, v.status
FROM loan_application AS a
LEFT JOIN LATERAL (
    SELECT count(*) AS events, max(e.version) AS latest, (array_agg(e.status ORDER BY e.version DESC))[1] AS status
    FROM loan_application_event AS e
    WHERE e.tenant_id = a.tenant_id AND e.application_id = a.id
) AS v ON true
WHERE v.events <> a.version OR v.latest <> a.version OR v.status <> a.status;

-- name: I71 What was decided, scored, offered and made a product of is what its hash was made of
SELECT tenant_id, id::text AS found FROM loan_decision WHERE inputs_hash <> sha256(convert_to(inputs, 'UTF8'))
UNION ALL
SELECT tenant_id, id::text FROM loan_offer WHERE terms_hash <> sha256(convert_to(terms, 'UTF8'))
UNION ALL
SELECT tenant_id, code FROM loan_product WHERE terms_hash <> sha256(convert_to(terms, 'UTF8'))
UNION ALL
SELECT tenant_id, name FROM loan_scorecard WHERE card_hash <> sha256(convert_to(card, 'UTF8'))
UNION ALL
SELECT tenant_id, application_id::text FROM loan_statement WHERE body_hash <> sha256(convert_to(body, 'UTF8'));

-- name: I72 What is approved, rejected, offered or accepted was decided so, and what is offered has its offer
SELECT a.tenant_id, a.id AS application_id, a.status, d.outcome
FROM loan_application AS a
LEFT JOIN LATERAL (
    SELECT d.outcome FROM loan_decision AS d
    WHERE d.tenant_id = a.tenant_id AND d.application_id = a.id ORDER BY d.application_version DESC LIMIT 1
) AS d ON true
WHERE (a.status IN ('approved', 'offered', 'accepted') AND d.outcome IS DISTINCT FROM 'approved')
    OR (a.status = 'rejected' AND d.outcome IS DISTINCT FROM 'rejected')
    OR (a.status IN ('offered', 'accepted') AND NOT EXISTS (
        SELECT FROM loan_offer AS o WHERE o.tenant_id = a.tenant_id AND o.application_id = a.id
    ));

-- name: I73 An agent's decision rests on one of authority, of the same amount where it approved
SELECT l.tenant_id, l.id AS loan_decision_id, d.outcome, d.amount_minor
FROM loan_decision AS l
INNER JOIN principal AS p ON l.tenant_id = p.tenant_id AND l.decided_by = p.id AND p.kind = 'agent'
LEFT JOIN decision AS d ON l.tenant_id = d.tenant_id AND l.event_id = d.id AND d.agent_id = l.decided_by
WHERE d.id IS NULL OR d.outcome = 'deny' OR d.action <> 'decide_application'
    OR d.amount_minor <> (l.inputs::jsonb ->> 'amount_minor')::bigint;

-- name: I74 No agent approved what the rules of the product do not let pass
SELECT l.tenant_id, l.id AS loan_decision_id, l.judgement
FROM loan_decision AS l
INNER JOIN principal AS p ON l.tenant_id = p.tenant_id AND l.decided_by = p.id AND p.kind <> 'operator'
WHERE l.outcome = 'approved' AND l.judgement::jsonb ->> 'says' <> 'pass';
