-- Likewise, for what the database promises by its make: the claims about the books rest on it.

-- name: I29 Schema: row security is enabled, forced and has a policy on every table of tenants
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity
FROM pg_class AS c INNER JOIN pg_attribute AS a ON c.oid = a.attrelid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind IN ('r', 'p') AND NOT (
    c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid)
);

-- name: I30 Schema: a policy open to the service names the tenant, and one open to all tenants only reads
SELECT tablename, policyname, roles, cmd, qual
FROM pg_policies
WHERE schemaname = 'bursar' AND strpos(coalesce(qual, ''), 'app.tenant_id') = 0
    AND (cmd <> 'SELECT' OR NOT roles <@ ARRAY['bursar_verify', 'bursar_worker']::name []);

-- name: I31 Schema: every table has tenant_id first in its primary key
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migration'
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS k
        INNER JOIN pg_attribute AS a ON k.conrelid = a.attrelid AND k.conkey[1] = a.attnum
        WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attname = 'tenant_id'
    );

-- name: I32 Schema: every foreign key pairs tenant_id with tenant_id
SELECT k.conrelid::regclass::text AS relation, k.conname
FROM pg_constraint AS k
WHERE k.contype = 'f' AND k.connamespace = 'bursar'::regnamespace
    AND NOT EXISTS (
        SELECT FROM unnest(k.conkey, k.confkey) AS pair (ours, theirs)
        INNER JOIN pg_attribute AS a ON k.conrelid = a.attrelid AND pair.ours = a.attnum
        INNER JOIN pg_attribute AS b ON k.confrelid = b.attrelid AND pair.theirs = b.attnum
        WHERE a.attname = 'tenant_id' AND b.attname = 'tenant_id'
    );

-- name: I33 Schema: what is written once is append-only for the service's roles, and no account or hold can be deleted
SELECT r.rolname, t.name AS relation, p.privilege
FROM pg_roles AS r
CROSS JOIN (
    VALUES
    ('entry', true), ('posting', true), ('event', true), ('answer', true), ('statement_movement', true),
    ('decision', true), ('mandate_version', true), ('approval_vote', true), ('risk_rules', true), ('case_note', true),
    ('loan_product', true), ('loan_application_event', true), ('loan_decision', true), ('loan_offer', true),
    ('loan_scorecard', true), ('loan_statement', true),
    ('loan_fact', true), ('loan_accrual', true), ('loan', false), ('loan_plan', false),
    ('job_definition', true), ('job_step', true), ('job_effect', true), ('job_event', true),
    ('webhook_attempt', true), ('webhook_endpoint', false), ('webhook_delivery', false), ('webhook_cursor', false),
    ('bank_statement', true), ('bank_line', true), ('provider_transaction', true), ('reconciliation_run', true), ('reconciliation_match', true),
    ('account', false), ('hold', false)
) AS t (name, append_only)
CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p (privilege)
WHERE r.rolname IN ('bursar_app', 'bursar_worker', 'bursar_verify')
    AND CASE p.privilege
        -- The worker forgets the bytes of old answers; their keys stay.
        WHEN 'UPDATE' THEN t.append_only AND EXISTS (
            SELECT FROM pg_attribute AS a
            WHERE a.attrelid = ('bursar.' || t.name)::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND has_column_privilege(r.oid, a.attrelid, a.attnum, p.privilege)
                AND (r.rolname <> 'bursar_worker' OR t.name <> 'answer' OR a.attname NOT IN ('body', 'forgotten'))
        )
        -- The worker forgets deliveries that have been over for long; their events stay.
        WHEN 'DELETE' THEN (r.rolname <> 'bursar_worker' OR t.name NOT IN ('webhook_delivery', 'webhook_attempt'))
            AND has_table_privilege(r.oid, 'bursar.' || t.name, p.privilege)
        ELSE has_table_privilege(r.oid, 'bursar.' || t.name, p.privilege)
    END;

-- name: I34 Schema: the role that verifies can change nothing
SELECT c.relname, p.privilege
FROM pg_class AS c CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p (privilege)
WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    AND has_table_privilege('bursar_verify', c.oid, p.privilege);

-- name: I35 Schema: the service's roles own nothing, stand above nothing and are no member of an owner
SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication
FROM pg_roles AS r
WHERE r.rolname IN ('bursar_app', 'bursar_worker', 'bursar_verify') AND (
    r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
    OR pg_has_role(r.oid, 'bursar_owner', 'MEMBER')
    OR has_schema_privilege(r.oid, 'bursar', 'CREATE')
    OR EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = 'bursar'::regnamespace AND c.relowner = r.oid)
);

-- name: I36 Schema: money is whole minor units
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a INNER JOIN pg_class AS c ON a.attrelid = c.oid
WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND (
    a.atttypid IN ('float4'::regtype, 'float8'::regtype, 'numeric'::regtype, 'money'::regtype)
    OR (a.attname LIKE '%\_minor' AND a.atttypid <> 'bigint'::regtype)
);

-- name: I37 Schema: every constraint and index is valid, and no trigger is switched off
SELECT conrelid::regclass::text AS relation, conname AS name FROM pg_constraint
WHERE connamespace = 'bursar'::regnamespace AND NOT convalidated
UNION ALL
SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text
FROM pg_index AS i INNER JOIN pg_class AS c ON i.indexrelid = c.oid
WHERE c.relnamespace = 'bursar'::regnamespace AND NOT (i.indisvalid AND i.indisready)
UNION ALL
SELECT t.tgrelid::regclass::text, t.tgname
FROM pg_trigger AS t INNER JOIN pg_class AS c ON t.tgrelid = c.oid
WHERE c.relnamespace = 'bursar'::regnamespace AND t.tgenabled <> 'O';

-- name: I38 Schema: views and functions act with the rights of whoever uses them
SELECT c.relname AS name
FROM pg_class AS c
WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind IN ('v', 'm')
    AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)
UNION ALL
SELECT f.proname FROM pg_proc AS f WHERE f.pronamespace = 'bursar'::regnamespace AND f.prosecdef;

-- name: I39 Server: what is acknowledged survives a crash
SELECT name, setting
FROM pg_settings
WHERE (name, setting) IN (
    ('fsync', 'off'), ('full_page_writes', 'off'), ('synchronous_commit', 'off'), ('synchronous_commit', 'local'),
    ('zero_damaged_pages', 'on'), ('ignore_checksum_failure', 'on')
)
UNION ALL
SELECT coalesce(r.rolname, d.datname, 'all') AS whose, chosen.setting
FROM pg_db_role_setting AS s
CROSS JOIN unnest(s.setconfig) AS chosen (setting)
LEFT JOIN pg_roles AS r ON s.setrole = r.oid
LEFT JOIN pg_database AS d ON s.setdatabase = d.oid
WHERE (s.setdatabase = 0 OR d.datname = current_database())
    AND chosen.setting IN ('synchronous_commit=off', 'synchronous_commit=local');
