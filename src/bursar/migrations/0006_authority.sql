-- What agents may do: mandates and how much of them is used, whom they may pay, every decision, what a person must
-- approve, and what is frozen.
ALTER TABLE tenant ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'frozen'));
-- What an operator may decide: approval rules name a role.
ALTER TABLE principal ADD COLUMN roles text [] NOT NULL DEFAULT '{}';
-- The group an agent belongs to, if any: a mandate is for one agent, for a group, or for every agent of the tenant.
ALTER TABLE principal ADD COLUMN team text;

CREATE TABLE mandate (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    agent_id uuid,
    team text,
    parent_id uuid,
    status text NOT NULL CHECK (status IN ('draft', 'active', 'paused', 'revoked')),
    not_before timestamptz,
    expires_at timestamptz,
    -- The terms as canonical JSON, as the API shows them.
    terms text NOT NULL,
    granted_by uuid NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES principal,
    FOREIGN KEY (tenant_id, granted_by) REFERENCES principal,
    FOREIGN KEY (tenant_id, parent_id) REFERENCES mandate,
    CHECK (agent_id IS NULL OR team IS NULL),
    CHECK (parent_id <> id)
) WITH (fillfactor = 70);
CREATE INDEX mandate_of_agent ON mandate (tenant_id, agent_id);
CREATE INDEX mandate_of_parent ON mandate (tenant_id, parent_id) WHERE parent_id IS NOT NULL;

-- Every version a mandate ever had.
CREATE TABLE mandate_version (
    tenant_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    not_before timestamptz,
    expires_at timestamptz,
    terms text NOT NULL,
    changed_by uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, mandate_id, version),
    FOREIGN KEY (tenant_id, mandate_id) REFERENCES mandate
);

-- How much of a window is used, by piece of time: one piece for a calendar window, many for a rolling one.
-- payee_id is the nil UUID where the window counts all payees together.
CREATE TABLE limit_usage (
    tenant_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    window_key text NOT NULL,
    payee_id uuid NOT NULL,
    bucket timestamptz NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    uses bigint NOT NULL CHECK (uses >= 0),
    PRIMARY KEY (tenant_id, mandate_id, window_key, payee_id, bucket),
    FOREIGN KEY (tenant_id, mandate_id) REFERENCES mandate
) WITH (fillfactor = 70);

-- Somebody the tenant pays, known by the account on our side; never by what an agent writes.
CREATE TABLE counterparty (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked')),
    version integer NOT NULL DEFAULT 1,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES account,
    FOREIGN KEY (tenant_id, created_by) REFERENCES principal
);

-- One row for each order of an agent, allowed or not: what was known, which rules said what. id is its event's.
CREATE TABLE decision (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    agent_id uuid NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('allow', 'needs_approval', 'step_up', 'deny')),
    -- Why not, as wire codes with a space between.
    codes text NOT NULL,
    mandate_id uuid,
    mandate_version integer,
    source_id uuid,
    target_id uuid,
    currency char(3),
    amount_minor bigint,
    hold_id uuid,
    -- Canonical JSON of the facts the rules saw, its SHA-256, each rule's result, and the windows it used.
    inputs text NOT NULL,
    inputs_hash bytea NOT NULL CHECK (length(inputs_hash) = 32),
    results text NOT NULL,
    uses text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES event DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX decision_by_agent ON decision (tenant_id, agent_id, decided_at);
CREATE INDEX decision_by_payment ON decision (tenant_id, agent_id, target_id, amount_minor, decided_at)
WHERE outcome <> 'deny';
CREATE INDEX decision_by_hold ON decision (tenant_id, hold_id) WHERE hold_id IS NOT NULL;

-- What a person must decide. It is bound to the hash of the very payment, and its funds and limits are set aside.
CREATE TABLE approval (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    decision_id uuid NOT NULL,
    maker_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (
        status IN ('pending', 'approved', 'rejected', 'expired', 'cancelled', 'superseded')
    ),
    -- The order as canonical JSON, and the SHA-256 over it, the counterparty's version and the mandates' versions.
    payload text NOT NULL,
    payload_hash bytea NOT NULL CHECK (length(payload_hash) = 32),
    needs text NOT NULL,
    hold_id uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_why text,
    executed_event_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, decision_id) REFERENCES decision,
    FOREIGN KEY (tenant_id, maker_id) REFERENCES principal
) WITH (fillfactor = 80);
CREATE INDEX approval_open ON approval (tenant_id, id) WHERE status = 'pending';
CREATE INDEX approval_due ON approval (expires_at) WHERE status = 'pending';
CREATE INDEX approval_to_execute ON approval (id) WHERE status = 'approved' AND executed_event_id IS NULL;

CREATE TABLE approval_vote (
    tenant_id uuid NOT NULL,
    approval_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    vote text NOT NULL CHECK (vote IN ('approve', 'reject')),
    stepped_up boolean NOT NULL,
    voted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, approval_id, operator_id),
    FOREIGN KEY (tenant_id, approval_id) REFERENCES approval,
    FOREIGN KEY (tenant_id, operator_id) REFERENCES principal
);

-- By what an operator proves to be there: the secret of RFC 6238, and the last time step that was used.
CREATE TABLE operator_totp (
    tenant_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    secret text NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, operator_id),
    FOREIGN KEY (tenant_id, operator_id) REFERENCES principal
);

-- What is frozen, by whom and why; it takes two operators to resume.
CREATE TABLE freeze_record (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    scope text NOT NULL CHECK (scope IN ('tenant', 'agent', 'mandate', 'account')),
    object_id uuid NOT NULL,
    reason text NOT NULL,
    frozen_by uuid NOT NULL,
    frozen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    resume_asked_by uuid,
    resume_asked_at timestamptz,
    resumed_by uuid,
    resumed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, frozen_by) REFERENCES principal,
    CHECK (resumed_by IS NULL OR resumed_by <> resume_asked_by)
);
CREATE UNIQUE INDEX freeze_in_force ON freeze_record (tenant_id, scope, object_id) WHERE resumed_at IS NULL;

-- A hold that belongs to an approval is captured and released by it alone.
ALTER TABLE hold ADD COLUMN approval_id uuid;

ALTER TABLE mandate ENABLE ROW LEVEL SECURITY;
ALTER TABLE mandate FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON mandate USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON mandate FOR SELECT TO bursar_verify USING (true);
ALTER TABLE mandate_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE mandate_version FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON mandate_version USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON mandate_version FOR SELECT TO bursar_verify USING (true);
ALTER TABLE limit_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE limit_usage FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON limit_usage USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON limit_usage FOR SELECT TO bursar_verify USING (true);
ALTER TABLE counterparty ENABLE ROW LEVEL SECURITY;
ALTER TABLE counterparty FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counterparty USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON counterparty FOR SELECT TO bursar_verify USING (true);
ALTER TABLE decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON decision USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON decision FOR SELECT TO bursar_verify USING (true);
ALTER TABLE approval ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON approval USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON approval FOR SELECT TO bursar_verify USING (true);
-- The worker looks for approvals of all tenants; it changes them as each tenant.
CREATE POLICY due ON approval FOR SELECT TO bursar_worker USING (true);
ALTER TABLE approval_vote ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval_vote FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON approval_vote USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON approval_vote FOR SELECT TO bursar_verify USING (true);
ALTER TABLE operator_totp ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_totp FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON operator_totp USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
ALTER TABLE freeze_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE freeze_record FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON freeze_record USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON freeze_record FOR SELECT TO bursar_verify USING (true);

GRANT UPDATE ON tenant TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON mandate, limit_usage, counterparty, approval, operator_totp, freeze_record TO bursar_app;
GRANT SELECT, INSERT ON mandate_version, decision, approval_vote TO bursar_app;
GRANT SELECT ON
mandate, mandate_version, limit_usage, counterparty, decision, approval, approval_vote, freeze_record
TO bursar_verify;
