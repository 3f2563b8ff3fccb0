-- Lending: products as versioned data, applications with their whole trail, decisions and offers.

-- A version of what a loan of a product is and which rules its decisions are held against: canonical JSON, never edited.
CREATE TABLE loan_product (
    tenant_id uuid NOT NULL REFERENCES tenant,
    code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_-]{0,31}$'),
    version integer NOT NULL CHECK (version > 0),
    terms text NOT NULL,
    terms_hash bytea NOT NULL CHECK (length(terms_hash) = 32),
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, code, version),
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal
);

-- An application as it stands. Whoever changes it steps its version.
CREATE TABLE loan_application (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    product text NOT NULL,
    product_version integer NOT NULL,
    status text NOT NULL CHECK (
        status IN (
            'draft', 'submitted', 'review', 'approved', 'rejected', 'offered', 'accepted', 'withdrawn', 'expired'
        )
    ),
    -- Whom the applicant is known by: in lower case.
    email text NOT NULL CHECK (email = lower(email)),
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    installments integer NOT NULL CHECK (installments > 0),
    -- All that is known of the applicant and the wish, as canonical JSON.
    intake text NOT NULL,
    made_by uuid NOT NULL,
    -- The agent that decides it; people may, too.
    decider_id uuid NOT NULL,
    -- What it waits for: an approval, and where it will stand once that is carried out.
    approval_id uuid,
    awaits text CHECK (awaits IN ('approved', 'rejected', 'review', 'accepted')),
    -- Where people look at it.
    case_id uuid,
    -- The application that this one comes after, which is no longer the latest of its e-mail.
    follows_id uuid,
    latest boolean NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    -- When it expires unless it has come further; NULL once it is over.
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, product, product_version) REFERENCES loan_product,
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal,
    FOREIGN KEY (tenant_id, decider_id) REFERENCES principal,
    FOREIGN KEY (tenant_id, approval_id) REFERENCES approval,
    FOREIGN KEY (tenant_id, case_id) REFERENCES case_record,
    FOREIGN KEY (tenant_id, follows_id) REFERENCES loan_application,
    CHECK ((approval_id IS NULL) = (awaits IS NULL)),
    CHECK ((expires_at IS NULL) = (status IN ('rejected', 'accepted', 'withdrawn', 'expired')))
) WITH (fillfactor = 70);
-- Of one e-mail there is one application at a time, however many apply at once.
CREATE UNIQUE INDEX loan_application_of_email ON loan_application (tenant_id, email) WHERE latest;
CREATE INDEX loan_application_by_status ON loan_application (tenant_id, status, id);
CREATE INDEX loan_application_due ON loan_application (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX loan_application_awaiting ON loan_application (tenant_id, id) WHERE approval_id IS NOT NULL;

-- What happened to an application, one row for each of its versions: the whole intake and what came of it.
CREATE TABLE loan_application_event (
    tenant_id uuid NOT NULL,
    application_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    type text NOT NULL,
    status text NOT NULL,
    -- NULL when Bursar itself did it.
    actor_id uuid,
    body text NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, application_id, version),
    FOREIGN KEY (tenant_id, application_id) REFERENCES loan_application,
    FOREIGN KEY (tenant_id, actor_id) REFERENCES principal
);

-- A decision with what it was made on and what the product's rules said: enough to make it again.
CREATE TABLE loan_decision (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    -- The version of the application that it was made on.
    application_version integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('approved', 'rejected', 'review')),
    decided_by uuid NOT NULL,
    -- The words of whoever decided; no rule reads them.
    reason text,
    inputs text NOT NULL,
    inputs_hash bytea NOT NULL CHECK (length(inputs_hash) = 32),
    -- What the rules said, as canonical JSON.
    judgement text NOT NULL,
    -- The event by which authority allowed it, or asked people.
    event_id uuid NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    -- On one version there is one decision, however many decide at once.
    UNIQUE (tenant_id, application_id, application_version),
    FOREIGN KEY (tenant_id, application_id, application_version) REFERENCES loan_application_event,
    FOREIGN KEY (tenant_id, decided_by) REFERENCES principal,
    FOREIGN KEY (tenant_id, event_id) REFERENCES event DEFERRABLE INITIALLY DEFERRED
);

-- What was offered: the schedule and its cost as canonical JSON. An application has one.
CREATE TABLE loan_offer (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    -- The version of the application that it brought about.
    application_version integer NOT NULL,
    terms text NOT NULL,
    terms_hash bytea NOT NULL CHECK (length(terms_hash) = 32),
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, application_id),
    FOREIGN KEY (tenant_id, application_id) REFERENCES loan_application,
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal
);

ALTER TABLE loan_product ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_product FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_product USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_product FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_application ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_application FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_application USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_application FOR SELECT TO bursar_verify USING (true);
CREATE POLICY worker ON loan_application FOR SELECT TO bursar_worker USING (true);
ALTER TABLE loan_application_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_application_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_application_event USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_application_event FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_decision FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_decision USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_decision FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_offer ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_offer FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_offer USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_offer FOR SELECT TO bursar_verify USING (true);

GRANT SELECT, INSERT ON loan_product, loan_application_event, loan_decision, loan_offer TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON loan_application TO bursar_app;
GRANT SELECT ON loan_product, loan_application, loan_application_event, loan_decision, loan_offer TO bursar_verify;
