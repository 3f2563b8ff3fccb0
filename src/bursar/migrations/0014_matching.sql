-- Three ways compared: the ledger, the lines of bank statements, the provider's balance transactions; what was found,
-- and what people did about it.

CREATE TABLE bank_statement (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    source text NOT NULL CHECK (source ~ '^[a-z][a-z0-9_-]{0,31}$'),
    account text NOT NULL CHECK (length(account) BETWEEN 1 AND 64),
    currency char(3) NOT NULL,
    format text NOT NULL CHECK (format IN ('csv', 'camt053', 'mt940')),
    number text,
    opening_minor bigint,
    closing_minor bigint,
    lines integer NOT NULL,
    content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
    imported_by uuid NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, source, account, content_hash),
    FOREIGN KEY (tenant_id, imported_by) REFERENCES principal
);

-- A line is known by what the bank says of it, in whichever file it comes.
CREATE TABLE bank_line (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    statement_id uuid NOT NULL,
    source text NOT NULL,
    account text NOT NULL,
    identity bytea NOT NULL CHECK (length(identity) = 32),
    place integer NOT NULL,
    day date NOT NULL,
    currency char(3) NOT NULL,
    change_minor bigint NOT NULL CHECK (change_minor <> 0),
    reference text,
    bank_reference text,
    counterparty text,
    description text,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, source, account, identity),
    FOREIGN KEY (tenant_id, statement_id) REFERENCES bank_statement
);
CREATE INDEX bank_line_by_day ON bank_line (tenant_id, source, account, day);

CREATE TABLE provider_transaction (
    tenant_id uuid NOT NULL REFERENCES tenant,
    provider text NOT NULL CHECK (provider ~ '^[a-z][a-z0-9_-]{0,31}$'),
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    day date NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    net_minor bigint NOT NULL CHECK (net_minor = amount_minor - fee_minor),
    reference text,
    PRIMARY KEY (tenant_id, provider, id)
);
CREATE INDEX provider_transaction_by_day ON provider_transaction (tenant_id, provider, currency, day);

CREATE TABLE reconciliation_run (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    -- What was compared, and by which rules, as canonical JSON.
    scope text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    currency char(3) NOT NULL,
    matched integer NOT NULL,
    broken integer NOT NULL,
    settled integer NOT NULL,
    cleared integer NOT NULL,
    ran_by uuid NOT NULL,
    ran_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, ran_by) REFERENCES principal
);

CREATE TABLE reconciliation_match (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    number integer NOT NULL,
    leg text NOT NULL,
    how text NOT NULL,
    why text NOT NULL,
    -- The ids of the items of both sides, as canonical JSON.
    items text NOT NULL,
    PRIMARY KEY (tenant_id, run_id, number),
    FOREIGN KEY (tenant_id, run_id) REFERENCES reconciliation_run DEFERRABLE INITIALLY DEFERRED
);

-- The same items that differ in the same way are one break, however many runs find it.
CREATE TABLE reconciliation_break (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    leg text NOT NULL CHECK (leg IN ('ledger_bank', 'ledger_provider', 'provider_bank')),
    -- The digest of which account, source and provider were compared.
    pairing bytea NOT NULL CHECK (length(pairing) = 32),
    kind text NOT NULL CHECK (kind IN (
        'missing_in_ledger', 'missing_at_provider', 'missing_at_bank', 'amount_differs', 'date_differs', 'duplicate'
    )),
    day date NOT NULL,
    currency char(3) NOT NULL,
    -- What the ledger side lacks; above zero when the other side has more.
    difference_minor bigint NOT NULL,
    -- The ledger's account on this leg, if it has one, and what a posting to it repeats of the other side.
    account_id uuid,
    reference text,
    counterparty text,
    items text NOT NULL,
    why text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'posted', 'cleared')),
    reason text,
    entry_id uuid,
    settled_by uuid,
    case_id uuid,
    run_id uuid NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, fingerprint),
    FOREIGN KEY (tenant_id, run_id) REFERENCES reconciliation_run DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, account_id) REFERENCES account,
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry,
    FOREIGN KEY (tenant_id, case_id) REFERENCES case_record,
    FOREIGN KEY (tenant_id, settled_by) REFERENCES principal,
    CHECK ((state = 'posted') = (entry_id IS NOT NULL)),
    CHECK ((state IN ('accepted', 'posted')) = (reason IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX reconciliation_break_by_state ON reconciliation_break (tenant_id, state, id);
CREATE INDEX reconciliation_break_by_pairing ON reconciliation_break (tenant_id, pairing, day);
CREATE INDEX reconciliation_break_by_run ON reconciliation_break (tenant_id, run_id, id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'bank_statement', 'bank_line', 'provider_transaction', 'reconciliation_run', 'reconciliation_match',
        'reconciliation_break'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own ON %I USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
            name
        );
        EXECUTE format('CREATE POLICY verify ON %I FOR SELECT TO bursar_verify USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO bursar_verify', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO bursar_app', name);
    END LOOP;
END
$$;
GRANT UPDATE ON reconciliation_break TO bursar_app;
