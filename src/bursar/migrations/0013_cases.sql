-- Cases: what a person must look at, about which subject, who does, and what was noted on the way.

CREATE TABLE case_record (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,31}$'),
    subject_kind text NOT NULL CHECK (subject_kind ~ '^[a-z][a-z0-9_]{0,31}$'),
    subject_id text NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 200),
    state text NOT NULL CHECK (state IN ('open', 'in_progress', 'resolved', 'closed')),
    owner_id uuid,
    -- NULL when Bursar itself opened it.
    opened_by uuid,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES principal,
    FOREIGN KEY (tenant_id, opened_by) REFERENCES principal
) WITH (fillfactor = 70);
-- Of one kind a subject has one case at a time that is not settled, whoever opens it and how often.
CREATE UNIQUE INDEX case_record_unsettled ON case_record (tenant_id, kind, subject_kind, subject_id)
WHERE state IN ('open', 'in_progress');
CREATE INDEX case_record_by_state ON case_record (tenant_id, state, id);
CREATE INDEX case_record_by_owner ON case_record (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE INDEX case_record_by_subject ON case_record (tenant_id, subject_kind, subject_id, id);

CREATE TABLE case_note (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    author_id uuid,
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, case_id) REFERENCES case_record,
    FOREIGN KEY (tenant_id, author_id) REFERENCES principal
);
CREATE INDEX case_note_by_case ON case_note (tenant_id, case_id, id);

ALTER TABLE case_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_record FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON case_record USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON case_record FOR SELECT TO bursar_verify USING (true);
ALTER TABLE case_note ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_note FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON case_note USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON case_note FOR SELECT TO bursar_verify USING (true);

GRANT SELECT, INSERT, UPDATE ON case_record TO bursar_app;
GRANT SELECT, INSERT ON case_note TO bursar_app;
GRANT SELECT ON case_record, case_note TO bursar_verify;
