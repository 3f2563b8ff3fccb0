-- The first answer to each Idempotency-Key, byte for byte; written with the effect and kept as long as it.
-- id is the first half of the SHA-256 of principal, action and key: one small index instead of one over their text.
CREATE TABLE answer (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    principal_id uuid NOT NULL,
    action text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    status smallint NOT NULL,
    body bytea NOT NULL,
    event_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);

ALTER TABLE answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE answer FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON answer USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON answer FOR SELECT TO bursar_verify USING (true);
GRANT SELECT, INSERT ON answer TO bursar_app;
GRANT SELECT ON answer TO bursar_verify;
