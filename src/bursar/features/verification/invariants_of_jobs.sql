-- name: I46 The shares of a priced job sum to its amount, and those of one that is not priced have none
SELECT j.tenant_id, j.id AS job_id, j.amount_minor, sum(s.amount_minor) AS shares
FROM job AS j LEFT JOIN job_share AS s ON j.tenant_id = s.tenant_id AND j.id = s.job_id
GROUP BY j.tenant_id, j.id
HAVING sum(s.amount_minor) IS DISTINCT FROM j.amount_minor OR count(s.amount_minor) NOT IN (0, count(s.no))
OR (count(s.no) = 0) = EXISTS (
    SELECT FROM job_definition AS d
    WHERE d.tenant_id = j.tenant_id AND d.name = j.definition AND d.version = j.definition_version
        AND d.body::jsonb @> '{"steps": [{"effect": "capture"}]}'
);

-- name: I47 What happened to a job is there for each of its versions, and it goes by the definition that its hash was made of
SELECT j.tenant_id, j.id AS job_id, j.version::text AS found
FROM job AS j
LEFT JOIN LATERAL (
    SELECT count(*) AS events, max(e.version) AS latest, (array_agg(e.status ORDER BY e.version DESC))[1] AS status
    FROM job_event AS e
    WHERE e.tenant_id = j.tenant_id AND e.job_id = j.id
) AS v ON true
WHERE v.events <> j.version OR v.latest <> j.version OR v.status <> j.status
UNION ALL
SELECT tenant_id, NULL, name
FROM job_definition
WHERE body_hash <> sha256(convert_to(body, 'UTF8'))
    OR (body::jsonb ->> 'name', (body::jsonb ->> 'version')::integer) IS DISTINCT FROM (name, version);

-- name: I48 Nobody has done two steps of a job whose roles its definition keeps apart
SELECT a.tenant_id, a.job_id, a.done_by, a.role AS one_role, b.role AS other_role
FROM job_step AS a
INNER JOIN job_step AS b ON a.tenant_id = b.tenant_id AND a.job_id = b.job_id AND a.done_by = b.done_by
INNER JOIN job AS j ON a.tenant_id = j.tenant_id AND a.job_id = j.id
INNER JOIN job_definition AS d
    ON j.tenant_id = d.tenant_id AND j.definition = d.name AND j.definition_version = d.version
CROSS JOIN jsonb_array_elements(d.body::jsonb -> 'separate') AS pair
WHERE pair ->> 0 = a.role AND pair ->> 1 = b.role;

-- name: I49 Every step before the one at hand is done once, in its order, and all of them when the job is done
SELECT j.tenant_id, j.id AS job_id, j.status, j.step, s.steps
FROM job AS j
INNER JOIN job_definition AS d
    ON j.tenant_id = d.tenant_id AND j.definition = d.name AND j.definition_version = d.version
CROSS JOIN LATERAL (
    SELECT count(*) AS steps, bool_and(
        t.name = d.body::jsonb #>> ARRAY['steps', (t.no - 1)::text, 'name']
        AND t.role = d.body::jsonb #>> ARRAY['steps', (t.no - 1)::text, 'role']
        AND t.no <= j.step
    ) AS fits
    FROM job_step AS t
    WHERE t.tenant_id = j.tenant_id AND t.job_id = j.id
) AS s
WHERE s.fits IS NOT TRUE
    OR s.steps <> CASE j.status WHEN 'done' THEN jsonb_array_length(d.body::jsonb -> 'steps') ELSE j.step - 1 END;

-- name: I50 What a job did to money is what its shares say, once, and nothing of it is left over when it has ended
SELECT j.tenant_id, j.id AS job_id, s.no AS share, j.status, h.status AS hold_status
FROM job AS j
INNER JOIN job_share AS s ON j.tenant_id = s.tenant_id AND j.id = s.job_id
LEFT JOIN job_effect AS r
    ON s.tenant_id = r.tenant_id AND s.job_id = r.job_id AND s.no = r.share AND r.kind = 'reserved'
LEFT JOIN hold AS h ON r.tenant_id = h.tenant_id AND r.hold_id = h.id
LEFT JOIN job_effect AS c
    ON s.tenant_id = c.tenant_id AND s.job_id = c.job_id AND s.no = c.share AND c.kind = 'captured'
LEFT JOIN entry AS e ON c.tenant_id = e.tenant_id AND c.entry_id = e.id
LEFT JOIN job_effect AS l
    ON s.tenant_id = l.tenant_id AND s.job_id = l.job_id AND s.no = l.share AND l.kind = 'released'
LEFT JOIN job_effect AS v
    ON s.tenant_id = v.tenant_id AND s.job_id = v.job_id AND s.no = v.share AND v.kind = 'reversed'
LEFT JOIN entry AS w ON v.tenant_id = w.tenant_id AND v.entry_id = w.id
WHERE s.method_id IS NULL AND ((r.hold_id IS NOT NULL
        AND (h.account_id, h.target_id, h.amount_minor, h.currency)
        IS DISTINCT FROM (s.source_id, s.target_id, s.amount_minor, j.currency))
    OR (c.entry_id IS NOT NULL
        AND (e.hold_id, h.status, h.captured_minor) IS DISTINCT FROM (r.hold_id, 'posted', s.amount_minor))
    OR (l.hold_id IS NOT NULL AND (h.status = 'pending' OR c.entry_id IS NOT NULL OR l.hold_id <> r.hold_id))
    OR (v.entry_id IS NOT NULL AND w.reverses_id IS DISTINCT FROM c.entry_id)
    OR (j.status = 'done' AND (c.entry_id IS NULL OR v.entry_id IS NOT NULL) AND EXISTS (
        SELECT FROM job_definition AS d
        WHERE d.tenant_id = j.tenant_id AND d.name = j.definition AND d.version = j.definition_version
            AND d.body::jsonb @> '{"steps": [{"effect": "capture"}]}'
    ))
    OR (j.status IN ('failed', 'canceled')
        AND ((r.hold_id IS NOT NULL AND h.status = 'pending') OR (c.entry_id IS NOT NULL AND v.entry_id IS NULL)))
    OR (h.status = 'pending' AND h.owner_id IS DISTINCT FROM j.id));
