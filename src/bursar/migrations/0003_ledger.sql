-- The book: accounts, entries of postings, holds. Amounts are minor units; balances are on the account's normal side.
CREATE TABLE account (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    currency char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    normal_side text NOT NULL CHECK (normal_side IN ('debit', 'credit')),
    -- The least that posted - held may be: NULL no floor, 0, or minus a credit limit.
    floor_minor bigint CHECK (floor_minor <= 0),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'frozen', 'closed')),
    posted_minor bigint NOT NULL DEFAULT 0,
    held_minor bigint NOT NULL DEFAULT 0 CHECK (held_minor >= 0),
    version bigint NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number),
    UNIQUE (tenant_id, id, currency),
    CHECK (number NOT LIKE 'world:%' OR floor_minor IS NULL),
    CONSTRAINT available_above_floor CHECK (floor_minor IS NULL OR posted_minor - held_minor >= floor_minor)
) WITH (fillfactor = 70);

-- Postings that happen together. event_id is what caused them: no audit row, no commit.
CREATE TABLE entry (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('transfer', 'capture', 'reversal', 'statement')),
    event_id uuid NOT NULL,
    reverses_id uuid,
    hold_id uuid,
    description text,
    metadata jsonb NOT NULL DEFAULT '{}',
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, event_id) REFERENCES event DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, reverses_id) REFERENCES entry,
    CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL)),
    CHECK ((kind = 'capture') = (hold_id IS NOT NULL))
);
CREATE INDEX entry_reversals ON entry (tenant_id, reverses_id) WHERE reverses_id IS NOT NULL;

-- An arrow: amount from source to target, with the version and balance of both accounts after it.
CREATE TABLE posting (
    tenant_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    seq integer NOT NULL,
    source_id uuid NOT NULL,
    target_id uuid NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    source_version bigint NOT NULL,
    source_balance bigint NOT NULL,
    target_version bigint NOT NULL,
    target_balance bigint NOT NULL,
    effective_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, entry_id, seq),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry,
    FOREIGN KEY (tenant_id, source_id, currency) REFERENCES account (tenant_id, id, currency),
    FOREIGN KEY (tenant_id, target_id, currency) REFERENCES account (tenant_id, id, currency),
    CHECK (source_id <> target_id)
);
CREATE INDEX posting_by_source ON posting (tenant_id, source_id, effective_at, source_version);
CREATE INDEX posting_by_target ON posting (tenant_id, target_id, effective_at, target_version);

CREATE TABLE hold (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    target_id uuid,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'posted', 'voided', 'expired')),
    description text,
    metadata jsonb NOT NULL DEFAULT '{}',
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    entry_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id, currency) REFERENCES account (tenant_id, id, currency),
    FOREIGN KEY (tenant_id, target_id, currency) REFERENCES account (tenant_id, id, currency),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry,
    CHECK ((status = 'posted') = (entry_id IS NOT NULL)),
    CHECK ((status = 'posted') = (captured_minor > 0))
) WITH (fillfactor = 80);
CREATE INDEX hold_pending ON hold (tenant_id, account_id) WHERE status = 'pending';
CREATE INDEX hold_due ON hold (expires_at) WHERE status = 'pending' AND expires_at IS NOT NULL;
ALTER TABLE entry ADD CONSTRAINT entry_hold_fkey FOREIGN KEY (tenant_id, hold_id) REFERENCES hold
DEFERRABLE INITIALLY DEFERRED;

-- The two sides of every posting, as each account sees them: change is on the account's normal side.
CREATE VIEW line WITH (security_invoker = true) AS
SELECT
    p.tenant_id, p.source_id AS account_id, p.source_version AS version, p.source_balance AS balance_minor,
    CASE a.normal_side WHEN 'credit' THEN -p.amount_minor ELSE p.amount_minor END AS change_minor,
    'debit' AS side, p.target_id AS counterparty_id, p.amount_minor, p.currency, p.effective_at, p.entry_id, p.seq
FROM posting AS p INNER JOIN account AS a ON p.tenant_id = a.tenant_id AND p.source_id = a.id
UNION ALL
SELECT
    p.tenant_id, p.target_id, p.target_version, p.target_balance,
    CASE a.normal_side WHEN 'credit' THEN p.amount_minor ELSE -p.amount_minor END,
    'credit', p.source_id, p.amount_minor, p.currency, p.effective_at, p.entry_id, p.seq
FROM posting AS p INNER JOIN account AS a ON p.tenant_id = a.tenant_id AND p.target_id = a.id;

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON account USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON account FOR SELECT TO bursar_verify USING (true);
ALTER TABLE entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE entry FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON entry USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON entry FOR SELECT TO bursar_verify USING (true);
ALTER TABLE posting ENABLE ROW LEVEL SECURITY;
ALTER TABLE posting FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON posting USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON posting FOR SELECT TO bursar_verify USING (true);
ALTER TABLE hold ENABLE ROW LEVEL SECURITY;
ALTER TABLE hold FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON hold USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON hold FOR SELECT TO bursar_verify USING (true);
-- The worker looks for due holds of all tenants; it changes them as each tenant.
CREATE POLICY due ON hold FOR SELECT TO bursar_worker USING (true);

GRANT SELECT, INSERT, UPDATE ON account, hold TO bursar_app;
GRANT SELECT, INSERT ON entry, posting TO bursar_app;
GRANT SELECT ON line TO bursar_app;
GRANT SELECT ON account, entry, posting, hold, line TO bursar_verify;
