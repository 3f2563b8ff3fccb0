-- Jobs: several agents do one payment in steps, each of which is done once, by somebody who may do it.

-- A version of what a job's steps are, as canonical JSON, and the SHA-256 of it. What jobs go by is never edited.
CREATE TABLE job_definition (
    tenant_id uuid NOT NULL REFERENCES tenant,
    name text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    body text NOT NULL,
    body_hash bytea NOT NULL CHECK (length(body_hash) = 32),
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, name, version)
);

-- A job and the step it is at. Whoever changes it steps its version.
CREATE TABLE job (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    definition text NOT NULL,
    definition_version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'compensating', 'done', 'failed', 'canceled')),
    -- What has been reached, in the words of the definition: of a claim, say, the claim's state.
    stage text NOT NULL,
    currency char(3) NOT NULL,
    -- NULL until it is priced.
    amount_minor bigint CHECK (amount_minor > 0),
    reference text,
    -- The words of whoever initiated it; no rule reads them.
    purpose text,
    initiated_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- The step: its number in the definition, its role, and where it stands.
    step smallint NOT NULL CHECK (step > 0),
    role text NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'claimed', 'awaiting_approval', 'closed')),
    attempts integer NOT NULL CHECK (attempts >= 0),
    max_attempts integer,
    run_at timestamptz NOT NULL,
    deadline_at timestamptz,
    -- Who may not do this step, for what they did before.
    barred uuid [] NOT NULL,
    -- To whom it was handed over, and until when nobody else may take it.
    kept_for uuid,
    kept_until timestamptz,
    holder_id uuid,
    -- The version of the claim: it grows with every claim, so that an earlier holder's is known to be stale.
    token bigint,
    lease_until timestamptz,
    approval_id uuid,
    -- Why it was tried again, or is being undone.
    last_error text,
    -- What it will have become once all is undone.
    ends_as text CHECK (ends_as IN ('failed', 'canceled')),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, definition, definition_version) REFERENCES job_definition,
    FOREIGN KEY (tenant_id, initiated_by) REFERENCES principal,
    CHECK ((status = 'active') = (state <> 'closed')),
    CHECK ((state = 'claimed') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('claimed', 'awaiting_approval')) = (holder_id IS NOT NULL AND token IS NOT NULL)),
    CHECK ((state = 'awaiting_approval') = (approval_id IS NOT NULL)),
    CHECK ((status IN ('done', 'failed', 'canceled')) = (ended_at IS NOT NULL)),
    CHECK ((status = 'compensating') = (ends_as IS NOT NULL))
) WITH (fillfactor = 60);
CREATE INDEX job_open ON job (tenant_id, role, run_at, id) WHERE status = 'active';
CREATE INDEX job_leased ON job (lease_until) WHERE state = 'claimed';
CREATE INDEX job_deadline ON job (deadline_at) WHERE status = 'active' AND deadline_at IS NOT NULL;
CREATE INDEX job_compensating ON job (run_at) WHERE status = 'compensating';
CREATE INDEX job_awaiting ON job (changed_at) WHERE state = 'awaiting_approval';

-- Who pays whom how much of it: the amounts of a priced job's shares sum to its own.
CREATE TABLE job_share (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    no smallint NOT NULL,
    source_id uuid NOT NULL,
    target_id uuid NOT NULL,
    weight bigint NOT NULL CHECK (weight > 0),
    amount_minor bigint CHECK (amount_minor > 0),
    PRIMARY KEY (tenant_id, job_id, no),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job,
    FOREIGN KEY (tenant_id, source_id) REFERENCES account,
    FOREIGN KEY (tenant_id, target_id) REFERENCES account,
    CHECK (source_id <> target_id)
);

-- A step that is done. There is one row for each, ever.
CREATE TABLE job_step (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    no smallint NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    done_by uuid NOT NULL,
    token bigint NOT NULL,
    attempts integer NOT NULL,
    -- The words of whoever did it.
    note text,
    done_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, job_id, no),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job,
    FOREIGN KEY (tenant_id, done_by) REFERENCES principal
);

-- What a step did to money, and what was done to take it back. Its name is the job, the step, the share and the kind, so
-- that no second request, under whatever key, can do it again.
CREATE TABLE job_effect (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    step smallint NOT NULL,
    share smallint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reserved', 'captured', 'released', 'reversed')),
    hold_id uuid,
    entry_id uuid,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, job_id, kind, share),
    FOREIGN KEY (tenant_id, job_id, share) REFERENCES job_share,
    FOREIGN KEY (tenant_id, hold_id) REFERENCES hold,
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry,
    CHECK ((kind IN ('captured', 'reversed')) = (entry_id IS NOT NULL)),
    CHECK ((kind = 'reversed') = (hold_id IS NULL))
);

-- What happened to a job: one row for each of its versions.
CREATE TABLE job_event (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    stage text NOT NULL,
    step smallint NOT NULL,
    actor_id uuid,
    note text,
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, job_id, version),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job,
    FOREIGN KEY (tenant_id, actor_id) REFERENCES principal
);

ALTER TABLE job_definition ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_definition FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job_definition USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON job_definition FOR SELECT TO bursar_verify USING (true);
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE job FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON job FOR SELECT TO bursar_verify USING (true);
-- The worker looks for what is due of all tenants; it changes it as each tenant.
CREATE POLICY due ON job FOR SELECT TO bursar_worker USING (true);
ALTER TABLE job_share ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_share FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job_share USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON job_share FOR SELECT TO bursar_verify USING (true);
ALTER TABLE job_step ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_step FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job_step USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON job_step FOR SELECT TO bursar_verify USING (true);
ALTER TABLE job_effect ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_effect FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job_effect USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON job_effect FOR SELECT TO bursar_verify USING (true);
ALTER TABLE job_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON job_event USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON job_event FOR SELECT TO bursar_verify USING (true);

GRANT SELECT, INSERT ON job_definition, job_step, job_effect, job_event TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON job, job_share TO bursar_app;
GRANT SELECT ON job_definition, job, job_share, job_step, job_effect, job_event TO bursar_verify;
