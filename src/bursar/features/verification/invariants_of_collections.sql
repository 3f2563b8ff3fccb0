-- Likewise, for loans that are late.

-- name: I84 A collection has a job of its own about its loan, and one that ended has left nothing to do for anybody
SELECT c.tenant_id, c.id AS collection_id, j.definition, j.reference, j.status
FROM loan_collection AS c
LEFT JOIN job AS j ON c.tenant_id = j.tenant_id AND c.job_id = j.id
WHERE j.definition IS DISTINCT FROM 'collection'
    OR j.reference <> 'loan_' || replace(c.loan_id::text, '-', '')
    OR (c.ended_at IS NOT NULL AND j.status = 'active')
UNION ALL
SELECT j.tenant_id, j.id, j.definition, j.reference, j.status
FROM job AS j
WHERE j.definition = 'collection' AND NOT EXISTS (
    SELECT FROM loan_collection AS c WHERE c.tenant_id = j.tenant_id AND c.job_id = j.id
);

-- name: I85 A reminder is in the words that its hash was made of, is of its collection's loan, and has a mail if it goes by one
SELECT r.tenant_id, r.id AS reminder_id, r.channel, m.status
FROM loan_reminder AS r
LEFT JOIN loan_mail AS m ON r.tenant_id = m.tenant_id AND r.id = m.reminder_id
LEFT JOIN loan_collection AS c ON r.tenant_id = c.tenant_id AND r.collection_id = c.id
WHERE r.text_hash <> sha256(convert_to(r.subject || E'\n' || r.body, 'UTF8'))
    OR c.loan_id IS DISTINCT FROM r.loan_id
    OR (r.channel = 'email') <> (m.status IS NOT NULL)
UNION ALL
SELECT tenant_id, NULL, product, version::text
FROM loan_contact_rules WHERE rules_hash <> sha256(convert_to(rules, 'UTF8'));

-- name: I86 Nobody was reminded of a loan more often than the rules of the last reminder allowed
SELECT r.tenant_id, r.id AS reminder_id, k.rules, count(*) AS reminders
FROM loan_reminder AS r
INNER JOIN loan_contact_rules AS k
    ON r.tenant_id = k.tenant_id AND r.rules_product = k.product AND r.rules_version = k.version
INNER JOIN loan_reminder AS e
    ON r.tenant_id = e.tenant_id AND r.loan_id = e.loan_id AND e.made_at <= r.made_at
    AND e.made_at > r.made_at - make_interval(days => (k.rules::jsonb ->> 'days')::integer)
GROUP BY r.tenant_id, r.id, k.rules
HAVING count(*) > (k.rules::jsonb ->> 'most')::integer;

-- name: I87 Of the promises about a loan one is open at most, and what is kept or broken is so by what came of it
SELECT p.tenant_id, p.loan_id, count(*) AS promises
FROM loan_promise AS p
LEFT JOIN loan_promise_end AS e ON p.tenant_id = e.tenant_id AND p.id = e.promise_id
WHERE e.status IS NULL
GROUP BY p.tenant_id, p.loan_id
HAVING count(*) > 1
UNION ALL
SELECT p.tenant_id, p.loan_id, e.paid_minor
FROM loan_promise AS p
INNER JOIN loan_promise_end AS e ON p.tenant_id = e.tenant_id AND p.id = e.promise_id
WHERE (e.status = 'kept') <> (e.paid_minor >= p.amount_minor) AND e.status <> 'cancelled';
