-- Lending: scorecards as versioned data, and the bank statements that applications are scored on.

-- A version of a scorecard as canonical JSON, and the SHA-256 of it. What has decided something is never edited.
CREATE TABLE loan_scorecard (
    tenant_id uuid NOT NULL REFERENCES tenant,
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
    version integer NOT NULL CHECK (version > 0),
    card text NOT NULL,
    card_hash bytea NOT NULL CHECK (length(card_hash) = 32),
    drafted_by uuid NOT NULL,
    drafted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name, version),
    FOREIGN KEY (tenant_id, drafted_by) REFERENCES principal
);

-- Where a version stands; only an active one scores. Every change has its event.
CREATE TABLE loan_scorecard_stage (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'active', 'retired')),
    changed_by uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name, version),
    FOREIGN KEY (tenant_id, name, version) REFERENCES loan_scorecard,
    FOREIGN KEY (tenant_id, changed_by) REFERENCES principal
) WITH (fillfactor = 70);

-- A statement of an applicant's bank as it was handed in, by the version of the application that it brought about. The
-- latest is what a decision looks at.
CREATE TABLE loan_statement (
    tenant_id uuid NOT NULL,
    application_id uuid NOT NULL,
    application_version integer NOT NULL,
    origin text NOT NULL CHECK (origin IN ('stated', 'document', 'inferred')),
    -- Which of the application's documents it is from.
    document text,
    -- Lines or a summary, as canonical JSON of numbers, days and kinds: there is no text of anybody's in it.
    body text NOT NULL,
    body_hash bytea NOT NULL CHECK (length(body_hash) = 32),
    PRIMARY KEY (tenant_id, application_id, application_version),
    FOREIGN KEY (tenant_id, application_id, application_version) REFERENCES loan_application_event,
    CHECK ((origin = 'document') = (document IS NOT NULL))
);

ALTER TABLE loan_scorecard ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_scorecard FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_scorecard USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_scorecard FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_scorecard_stage ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_scorecard_stage FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_scorecard_stage USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_scorecard_stage FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_statement ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_statement FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_statement USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_statement FOR SELECT TO bursar_verify USING (true);

GRANT SELECT, INSERT ON loan_scorecard, loan_statement TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON loan_scorecard_stage TO bursar_app;
GRANT SELECT ON loan_scorecard, loan_scorecard_stage, loan_statement TO bursar_verify;
