-- Risk: the versions of its rules, where each of them stands, and what its questions about past decisions need.

-- A version of a tenant's rules as canonical JSON, and the SHA-256 of it. What has decided something is never edited.
CREATE TABLE risk_rules (
    tenant_id uuid NOT NULL REFERENCES tenant,
    version integer NOT NULL CHECK (version > 0),
    rules text NOT NULL,
    rules_hash bytea NOT NULL CHECK (length(rules_hash) = 32),
    drafted_by uuid NOT NULL,
    drafted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, version),
    FOREIGN KEY (tenant_id, drafted_by) REFERENCES principal
);

-- Where a version stands. Every change has its event.
CREATE TABLE risk_stage (
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'shadow', 'active', 'retired')),
    changed_by uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, version),
    FOREIGN KEY (tenant_id, version) REFERENCES risk_rules,
    FOREIGN KEY (tenant_id, changed_by) REFERENCES principal
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX risk_stage_active ON risk_stage (tenant_id) WHERE status = 'active';
CREATE UNIQUE INDEX risk_stage_shadow ON risk_stage (tenant_id) WHERE status = 'shadow';

-- What rules on trial said beside those in force: "1 allow 2 step_up", version and outcome of each; "0 none 2 step_up"
-- where none are in force; NULL where none are on trial.
ALTER TABLE decision ADD COLUMN shadow text;
-- No index here is made CONCURRENTLY: a migration is one transaction.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX decision_shadow ON decision (tenant_id, decided_at) INCLUDE (shadow, id) WHERE shadow IS NOT NULL;

-- An agent's habits are made of money that moved. A hold moves none; its capture does.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX decision_paid ON decision (tenant_id, agent_id, decided_at, id) INCLUDE (currency, amount_minor)
WHERE outcome = 'allow' AND action <> 'create_hold';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX decision_payee ON decision (tenant_id, agent_id, target_id, decided_at)
WHERE outcome = 'allow' AND action <> 'create_hold';
-- A column, as behind row security no index on an expression is used.
ALTER TABLE decision ADD COLUMN decided_hour timestamptz
-- squawk-ignore adding-field-with-default
GENERATED ALWAYS AS (date_bin('1 hour', decided_at, '2000-01-01 00:00:00+00')) STORED;
-- What was asked of an agent's amounts within a day, let through or not, by hour and amount, so that no flood of other
-- amounts hides those just under a threshold. What people approved was counted when it was asked (its own decision
-- has no rules' results), and so was a capture.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX decision_asked ON decision (
    tenant_id, agent_id, currency, decided_hour, amount_minor
) WHERE outcome <> 'allow' OR (action <> 'capture_hold' AND results <> '[]');

ALTER TABLE risk_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE risk_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON risk_rules USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON risk_rules FOR SELECT TO bursar_verify USING (true);
ALTER TABLE risk_stage ENABLE ROW LEVEL SECURITY;
ALTER TABLE risk_stage FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON risk_stage USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON risk_stage FOR SELECT TO bursar_verify USING (true);

GRANT SELECT, INSERT ON risk_rules TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON risk_stage TO bursar_app;
GRANT SELECT ON risk_rules, risk_stage TO bursar_verify;
