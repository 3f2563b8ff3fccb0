-- Collections: loans that are late and the jobs that see to them, reminders, promises to pay, and the rules of contact.

-- A version of when and how often borrowers may be reminded, for the loans of a product or, under '*', for all others.
CREATE TABLE loan_contact_rules (
    tenant_id uuid NOT NULL REFERENCES tenant,
    product text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    rules text NOT NULL,
    rules_hash bytea NOT NULL CHECK (length(rules_hash) = 32),
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, product, version),
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal
);

-- A version of what a reminder says: facts of the loan have their places in it.
CREATE TABLE loan_reminder_template (
    tenant_id uuid NOT NULL REFERENCES tenant,
    name text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    subject text NOT NULL,
    body text NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, name, version),
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal
);

-- A loan is late: from when that was found to when it was over, and the job that sees to it.
CREATE TABLE loan_collection (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loan_id uuid NOT NULL,
    job_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_as text CHECK (ended_as IN ('paid', 'paused', 'charged_off', 'written_off')),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, job_id),
    FOREIGN KEY (tenant_id, loan_id) REFERENCES loan,
    FOREIGN KEY (tenant_id, job_id) REFERENCES job,
    CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);
-- However many look for late loans at once, each has one.
CREATE UNIQUE INDEX loan_collection_open ON loan_collection (tenant_id, loan_id) WHERE ended_at IS NULL;
CREATE INDEX loan_collection_of_loan ON loan_collection (tenant_id, loan_id, id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX loan_late ON loan (tenant_id, id) WHERE status = 'active' AND bucket <> 'current';

-- A reminder as it was made: its exact words, the template they are of, and to whom they went.
CREATE TABLE loan_reminder (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loan_id uuid NOT NULL,
    collection_id uuid NOT NULL,
    template text NOT NULL,
    template_version integer NOT NULL,
    -- Of whose rules it was allowed: the product or '*', and the version; 0 are those that come with Bursar.
    rules_product text NOT NULL,
    rules_version integer NOT NULL,
    channel text NOT NULL CHECK (channel IN ('webhook', 'email')),
    -- The e-mail address, where it goes by e-mail.
    recipient text,
    subject text NOT NULL,
    body text NOT NULL,
    text_hash bytea NOT NULL CHECK (length(text_hash) = 32),
    sent_by uuid NOT NULL,
    event_id uuid NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, loan_id) REFERENCES loan,
    FOREIGN KEY (tenant_id, collection_id) REFERENCES loan_collection,
    FOREIGN KEY (tenant_id, sent_by) REFERENCES principal,
    FOREIGN KEY (tenant_id, event_id) REFERENCES event DEFERRABLE INITIALLY DEFERRED,
    CHECK ((channel = 'email') = (recipient IS NOT NULL))
);
CREATE INDEX loan_reminder_of_loan ON loan_reminder (tenant_id, loan_id, made_at);

-- How far the mail of a reminder has come. `sending` is written before the server is asked: whoever dies then leaves a
-- mail of which nobody knows, and it is not sent again.
CREATE TABLE loan_mail (
    tenant_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'unknown')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- When it is to be sent; while it is being sent, when whoever does is given up.
    due_at timestamptz NOT NULL,
    -- Why it was not sent, in our own words.
    error text,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, reminder_id),
    FOREIGN KEY (tenant_id, reminder_id) REFERENCES loan_reminder,
    CHECK ((status IN ('pending', 'sending')) = (ended_at IS NULL))
);
CREATE INDEX loan_mail_due ON loan_mail (due_at) WHERE ended_at IS NULL;

-- A borrower's word: so much by the end of a day.
CREATE TABLE loan_promise (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loan_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    -- How many facts of the loan were known then: what comes after them keeps it.
    facts integer NOT NULL,
    made_on date NOT NULL,
    due_on date NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, loan_id) REFERENCES loan,
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal,
    CHECK (due_on >= made_on)
);
CREATE INDEX loan_promise_of_loan ON loan_promise (tenant_id, loan_id, id);

-- What became of it, once; until then it is open.
CREATE TABLE loan_promise_end (
    tenant_id uuid NOT NULL,
    promise_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('kept', 'broken', 'cancelled')),
    -- What had come of it by value date.
    paid_minor bigint NOT NULL CHECK (paid_minor >= 0),
    -- NULL when the night decided it.
    ended_by uuid,
    reason text,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, promise_id),
    FOREIGN KEY (tenant_id, promise_id) REFERENCES loan_promise,
    FOREIGN KEY (tenant_id, ended_by) REFERENCES principal,
    CHECK ((status = 'cancelled') = (ended_by IS NOT NULL))
);

ALTER TABLE loan_contact_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_contact_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_contact_rules USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_contact_rules FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_reminder_template ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_reminder_template FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_reminder_template USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_reminder_template FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_collection ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_collection FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_collection USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_collection FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_reminder ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_reminder FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_reminder USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_reminder FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_mail FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_mail USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_mail FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_promise ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_promise FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_promise USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_promise FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_promise_end ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_promise_end FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_promise_end USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_promise_end FOR SELECT TO bursar_verify USING (true);
-- The worker looks for what is due of all tenants; it sees to it as each tenant.
CREATE POLICY due ON loan_collection FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON loan_mail FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON loan_promise FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON loan_promise_end FOR SELECT TO bursar_worker USING (true);

GRANT SELECT, INSERT ON
loan_contact_rules, loan_reminder_template, loan_reminder, loan_promise, loan_promise_end TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON loan_collection, loan_mail TO bursar_app;
GRANT SELECT ON
loan_contact_rules, loan_reminder_template, loan_collection, loan_reminder, loan_mail, loan_promise, loan_promise_end
TO bursar_verify;
