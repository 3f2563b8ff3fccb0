-- Likewise, for loans.

-- name: I75 What the loans of a product have on each of its accounts is what the general ledger says
WITH arrow (n, source, target) AS (
    VALUES
        (1, 'principal', 'funding'),
        (2, 'principal', 'fee_income'),
        (3, 'interest', 'interest_income'),
        (4, 'fees', 'fee_income'),
        (5, 'penalties', 'penalty_income'),
        (6, 'funding', 'credit'),
        (7, 'credit', 'funding'),
        (8, 'principal', 'credit'),
        (9, 'credit', 'penalties'),
        (10, 'credit', 'fees'),
        (11, 'credit', 'interest'),
        (12, 'credit', 'principal'),
        (13, 'penalty_income', 'penalties'),
        (14, 'fee_income', 'fees'),
        (15, 'interest_income', 'interest'),
        (16, 'allowance', 'penalties'),
        (17, 'allowance', 'fees'),
        (18, 'allowance', 'interest'),
        (19, 'allowance', 'principal'),
        (20, 'provisions', 'allowance'),
        (21, 'credit', 'recovery_income')
)

SELECT coalesce(a.tenant_id, s.tenant_id) AS tenant_id, coalesce(a.number, s.number) AS number, a.minor, s.minor AS loans
FROM (
    SELECT tenant_id, number, CASE normal_side WHEN 'debit' THEN posted_minor ELSE -posted_minor END AS minor
    FROM account WHERE number LIKE 'world:loans:%'
) AS a
FULL JOIN (
    SELECT
        l.tenant_id, 'world:loans:' || l.product || ':' || l.currency || ':' || side.account AS number,
        sum(side.minor)::bigint AS minor
    FROM loan AS l
    CROSS JOIN arrow
    CROSS JOIN LATERAL (
        VALUES (arrow.source, l.flows[arrow.n]), (arrow.target, -l.flows[arrow.n])
    ) AS side (account, minor)
    GROUP BY 1, 2
) AS s ON a.tenant_id = s.tenant_id AND a.number = s.number
WHERE coalesce(a.minor, 0) <> coalesce(s.minor, 0);

-- name: I76 A loan has had each night once from the day it was paid out to the day to which it has come
SELECT l.tenant_id, l.id AS loan_id, l.disbursed_on, l.day, n.nights, n.latest
FROM loan AS l
LEFT JOIN (
    SELECT tenant_id, loan_id, count(*) AS nights, min(day) AS earliest, max(day) AS latest
    FROM loan_accrual GROUP BY tenant_id, loan_id
) AS n ON l.tenant_id = n.tenant_id AND l.id = n.loan_id
WHERE n.earliest <= l.disbursed_on OR n.latest > l.day OR (l.disbursed_on IS NULL AND n.nights > 0)
OR (
    -- One that was settled for a while had no nights then.
    l.status = 'active' AND coalesce(n.nights, 0) <> l.day - l.disbursed_on
    AND NOT EXISTS (
        SELECT FROM loan_fact AS f WHERE f.tenant_id = l.tenant_id AND f.loan_id = l.id AND f.type IN ('reversed', 'feecharged')
    )
);

-- name: I77 Every fact of a loan is there, from the day it was paid out on, and money that moved for it is an entry
SELECT l.tenant_id, l.id AS loan_id, l.facts, f.facts AS known
FROM loan AS l
LEFT JOIN (
    SELECT
        f.tenant_id, f.loan_id, count(*) AS facts, max(f.seq) AS latest, min(f.happened_on) AS earliest,
        bool_or(
            f.type IN ('disbursed', 'repaid', 'prepaid', 'returned', 'reversed') AND e.kind IS DISTINCT FROM 'loan'
        ) AS unpaid
    FROM loan_fact AS f LEFT JOIN entry AS e ON f.tenant_id = e.tenant_id AND f.entry_id = e.id
    GROUP BY f.tenant_id, f.loan_id
) AS f ON l.tenant_id = f.tenant_id AND l.id = f.loan_id
WHERE l.facts <> coalesce(f.facts, 0) OR l.facts <> coalesce(f.latest, 0)
OR l.disbursed_on IS DISTINCT FROM f.earliest OR f.unpaid;

-- name: I78 What was accepted is a loan of what was offered, under the same version of the product
SELECT a.tenant_id, a.id AS application_id, l.id AS loan_id, l.principal_minor, l.installments
FROM loan_application AS a
LEFT JOIN loan_offer AS o ON a.tenant_id = o.tenant_id AND a.id = o.application_id
LEFT JOIN loan AS l ON a.tenant_id = l.tenant_id AND a.id = l.application_id
WHERE a.status = 'accepted' AND (
    l.id IS NULL
    OR (l.product, l.product_version) <> (a.product, a.product_version)
    OR l.principal_minor <> (o.terms::jsonb ->> 'amount_minor')::bigint
    OR l.installments <> jsonb_array_length(o.terms::jsonb -> 'installments')
);
