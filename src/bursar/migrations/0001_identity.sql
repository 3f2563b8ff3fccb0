-- Who there is: tenants, principals (agents, operators, services) and their API keys.
CREATE TABLE tenant (
    tenant_id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE principal (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('agent', 'operator', 'service')),
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

-- The secret itself is shown once and never stored; a plain hash is right for 256 random bits.
CREATE TABLE api_key (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    principal_id uuid NOT NULL,
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    scopes text [] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES principal
);
CREATE INDEX api_key_of_principal ON api_key (tenant_id, principal_id);

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON tenant FOR SELECT TO bursar_verify USING (true);
ALTER TABLE principal ENABLE ROW LEVEL SECURITY;
ALTER TABLE principal FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON principal USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON principal FOR SELECT TO bursar_verify USING (true);
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON api_key USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON api_key FOR SELECT TO bursar_verify USING (true);

GRANT USAGE ON SCHEMA bursar TO bursar_app, bursar_worker, bursar_verify;
GRANT SELECT, INSERT ON tenant TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON principal, api_key TO bursar_app;
GRANT SELECT ON tenant, principal, api_key TO bursar_verify;
