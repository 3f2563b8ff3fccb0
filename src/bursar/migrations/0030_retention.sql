-- The bytes of old answers may be forgotten. The key, what was asked with it, and that it was done stay for ever, so that no
-- retry is ever a second payment. The body is then the id of what the answer was about. Refusals are kept as they are.
ALTER TABLE answer ADD COLUMN forgotten boolean NOT NULL DEFAULT false;

-- No index here is made CONCURRENTLY: a migration is one transaction.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX answer_kept ON answer (created_at) WHERE NOT forgotten AND status < 400;

-- The worker sees of all tenants only what may be forgotten; it forgets as each tenant, and can change nothing else.
CREATE POLICY due ON answer FOR SELECT TO bursar_worker
    USING (NOT forgotten AND status < 400 AND created_at < now() - interval '7 days');
CREATE POLICY forget ON answer AS RESTRICTIVE FOR UPDATE TO bursar_worker
    USING (
        tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
        AND NOT forgotten AND status < 400 AND created_at < now() - interval '7 days'
    )
    WITH CHECK (forgotten AND tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT UPDATE (body, forgotten) ON answer TO bursar_worker;
