-- When an operator sent the last few wrong codes: who guesses is stopped.
ALTER TABLE operator_totp ADD COLUMN wrong_at timestamptz [] NOT NULL DEFAULT '{}';

-- What can still be paid ends when its mandate or its payee changes.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX approval_unended ON approval (tenant_id, id)
WHERE status IN ('pending', 'approved') AND executed_event_id IS NULL;

-- The security keys and passkeys of operators (WebAuthn): a public key, and how often it signed as far as is known.
CREATE TABLE operator_credential (
    tenant_id uuid NOT NULL,
    id bytea NOT NULL,
    operator_id uuid NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- By whoever runs the service, who enrolled the operator anew.
    removed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, operator_id) REFERENCES principal
);
CREATE INDEX operator_credential_in_use ON operator_credential (tenant_id, operator_id) WHERE removed_at IS NULL;

-- What an operator's security key is to sign, once: for an approval, or for the operator's own enrolment.
CREATE TABLE step_up_challenge (
    tenant_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    nonce bytea NOT NULL CHECK (length(nonce) = 32),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant_id, operator_id, subject_id),
    FOREIGN KEY (tenant_id, operator_id) REFERENCES principal
);

ALTER TABLE operator_credential ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_credential FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON operator_credential USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
ALTER TABLE step_up_challenge ENABLE ROW LEVEL SECURITY;
ALTER TABLE step_up_challenge FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON step_up_challenge USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON operator_credential, step_up_challenge TO bursar_app;
