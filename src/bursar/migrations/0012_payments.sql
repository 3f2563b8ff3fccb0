-- Payments through providers: what was intended, every call to a provider, what came of it, what providers told us, and
-- the books of the sandbox's own provider.

-- What a hold was placed for, such as a refund that is under way: nobody else ends it.
ALTER TABLE hold ADD COLUMN owner_id uuid;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX hold_of_owner ON hold (tenant_id, owner_id) WHERE owner_id IS NOT NULL;
-- Built while nobody is served; the new list holds all that the old one did.
-- squawk-ignore ban-drop-constraint
ALTER TABLE entry DROP CONSTRAINT entry_kind_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE entry ADD CONSTRAINT entry_kind_check CHECK (
    kind IN ('transfer', 'capture', 'reversal', 'statement', 'payment')
);

-- Somebody who pays or is paid through a provider.
CREATE TABLE customer (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    name text NOT NULL,
    -- What the tenant's own systems call them.
    external_id text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES principal
);

-- What a provider knows of how somebody pays or is paid: a reference of the provider's, never a number of a card.
CREATE TABLE payment_method (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid,
    provider text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('card', 'bank_account', 'other')),
    reference text NOT NULL,
    label text,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customer,
    FOREIGN KEY (tenant_id, created_by) REFERENCES principal
);
CREATE INDEX payment_method_of_customer ON payment_method (tenant_id, customer_id) WHERE customer_id IS NOT NULL;

-- What somebody wants to be paid. The sums are those of its effects, and change under its lock.
CREATE TABLE payment (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    account_id uuid NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    capture text NOT NULL CHECK (capture IN ('automatic', 'manual')),
    customer_id uuid,
    method_id uuid,
    status text NOT NULL CHECK (
        status IN (
            'requires_confirmation', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'canceled',
            'failed', 'unknown'
        )
    ),
    -- How far its present attempt has come, and which that is: what is older changes nothing.
    attempt integer NOT NULL DEFAULT 0,
    rank integer NOT NULL DEFAULT 0,
    captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    -- May be more than was paid: a bank takes what it takes.
    disputed_minor bigint NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0),
    fee_minor bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
    -- The provider's id of it, once it has one.
    reference text,
    failure text,
    action_url text,
    -- What the provider says and what was asked do not agree: nothing more of it is booked until people have looked.
    quarantined boolean NOT NULL DEFAULT false,
    description text,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id, currency) REFERENCES account (tenant_id, id, currency),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customer,
    FOREIGN KEY (tenant_id, method_id) REFERENCES payment_method,
    FOREIGN KEY (tenant_id, created_by) REFERENCES principal
) WITH (fillfactor = 80);
CREATE INDEX payment_by_reference ON payment (tenant_id, provider, reference) WHERE reference IS NOT NULL;

-- One call to a provider: a charge, capture, cancel, refund or payout. Its id is the key of the call.
CREATE TABLE payment_attempt (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    -- A payout has no payment.
    payment_id uuid,
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('charge', 'capture', 'cancel', 'refund', 'payout')),
    provider text NOT NULL,
    account_id uuid NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    -- waiting: for a person's approval. pending: may be sent, or has been. unknown: was sent, and we must ask.
    status text NOT NULL CHECK (status IN ('waiting', 'pending', 'unknown', 'succeeded', 'failed', 'canceled')),
    -- The provider's id of the refund or payout, or of the payment; and of how it is paid.
    reference text,
    method text,
    final boolean NOT NULL DEFAULT true,
    failure text,
    description text,
    -- The event that allowed it, and whose instruction it is under which key.
    event_id uuid NOT NULL,
    approval_id uuid,
    principal_id uuid NOT NULL,
    claim_id uuid,
    request_hash bytea,
    -- How often the provider was asked, when it is to be asked next, and who may send until when.
    asked integer NOT NULL DEFAULT 0,
    ask_at timestamptz,
    leased_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment,
    FOREIGN KEY (tenant_id, account_id, currency) REFERENCES account (tenant_id, id, currency),
    FOREIGN KEY (tenant_id, principal_id) REFERENCES principal,
    CHECK ((kind = 'payout') = (payment_id IS NULL)),
    CHECK (amount_minor > 0 OR kind = 'cancel')
) WITH (fillfactor = 80);
CREATE INDEX payment_attempt_of_payment ON payment_attempt (tenant_id, payment_id, number);
CREATE INDEX payment_attempt_waiting ON payment_attempt (id) WHERE status = 'waiting';
CREATE UNIQUE INDEX payment_attempt_claim ON payment_attempt (tenant_id, claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX payment_attempt_due ON payment_attempt (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX payment_attempt_by_reference ON payment_attempt (tenant_id, provider, reference)
WHERE kind IN ('refund', 'payout');

-- What happened at a provider, booked once: the entry and this row commit together.
CREATE TABLE payment_effect (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL CHECK (
        kind IN (
            'capture', 'refund', 'refund_failed', 'dispute', 'dispute_review', 'dispute_won', 'dispute_lost', 'payout',
            'payout_paid', 'payout_failed', 'adjustment'
        )
    ),
    payment_id uuid,
    attempt_id uuid,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
    -- The provider's id of the refund, dispute or payout.
    about text,
    -- None for what moves nothing.
    entry_id uuid,
    booked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, provider, reference),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payment,
    FOREIGN KEY (tenant_id, attempt_id) REFERENCES payment_attempt,
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry
);
CREATE INDEX payment_effect_of_payment ON payment_effect (tenant_id, payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX payment_effect_of_attempt ON payment_effect (tenant_id, attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX payment_effect_of_entry ON payment_effect (tenant_id, entry_id) WHERE entry_id IS NOT NULL;

-- What providers told us, once each, as the bytes that were signed.
CREATE TABLE payment_inbox (
    tenant_id uuid NOT NULL REFERENCES tenant,
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    -- parked: came before what it builds on, or is about nothing we know yet.
    status text NOT NULL CHECK (status IN ('applied', 'ignored', 'parked')),
    -- What it is about, in the provider's words, to find it again.
    about text,
    tries integer NOT NULL DEFAULT 0,
    try_at timestamptz,
    happened_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, provider, event_id)
);
CREATE INDEX payment_inbox_parked ON payment_inbox (try_at) WHERE status = 'parked';
CREATE INDEX payment_inbox_about ON payment_inbox (tenant_id, provider, about) WHERE status = 'parked';

-- The sandbox's provider: what it was asked, by key, as it answered; its books; what it has yet to tell.
CREATE TABLE sandbox_payment (
    tenant_id uuid NOT NULL REFERENCES tenant,
    key text NOT NULL,
    reference text NOT NULL,
    -- The key of the charge, for a capture, cancel or refund.
    parent text,
    kind text NOT NULL CHECK (kind IN ('charge', 'capture', 'cancel', 'refund', 'payout')),
    -- The request's hash: the same key with another request is refused.
    asked text NOT NULL,
    method text,
    standing text NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    failure text,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, key),
    UNIQUE (tenant_id, reference, key)
) WITH (fillfactor = 80);
CREATE INDEX sandbox_payment_of_parent ON sandbox_payment (tenant_id, parent) WHERE parent IS NOT NULL;

CREATE TABLE sandbox_transaction (
    tenant_id uuid NOT NULL REFERENCES tenant,
    reference text NOT NULL,
    -- The charge, or the payout.
    parent text NOT NULL,
    key text,
    about text,
    kind text NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    -- By how much the balance changed.
    net_minor bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, reference)
);
CREATE INDEX sandbox_transaction_of_parent ON sandbox_transaction (tenant_id, parent);
CREATE INDEX sandbox_transaction_in_time ON sandbox_transaction (tenant_id, at, reference);

CREATE TABLE sandbox_event (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id text NOT NULL,
    -- What becomes of it when it is due: told, or something happens first (a customer has proved who they are).
    step text NOT NULL CHECK (step IN ('tell', 'authenticate', 'pay', 'dispute', 'fault')),
    key text NOT NULL,
    body text NOT NULL,
    due_at timestamptz NOT NULL,
    told_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sandbox_event_due ON sandbox_event (due_at) WHERE told_at IS NULL;

ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
ALTER TABLE customer FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON customer USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON customer FOR SELECT TO bursar_verify USING (true);
ALTER TABLE payment_method ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_method FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payment_method USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON payment_method FOR SELECT TO bursar_verify USING (true);
ALTER TABLE payment ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payment USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON payment FOR SELECT TO bursar_verify USING (true);
ALTER TABLE payment_attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payment_attempt USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON payment_attempt FOR SELECT TO bursar_verify USING (true);
ALTER TABLE payment_effect ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_effect FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payment_effect USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON payment_effect FOR SELECT TO bursar_verify USING (true);
ALTER TABLE payment_inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON payment_inbox USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON payment_inbox FOR SELECT TO bursar_verify USING (true);
ALTER TABLE sandbox_payment ENABLE ROW LEVEL SECURITY;
ALTER TABLE sandbox_payment FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sandbox_payment USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON sandbox_payment FOR SELECT TO bursar_verify USING (true);
ALTER TABLE sandbox_transaction ENABLE ROW LEVEL SECURITY;
ALTER TABLE sandbox_transaction FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sandbox_transaction USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON sandbox_transaction FOR SELECT TO bursar_verify USING (true);
ALTER TABLE sandbox_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE sandbox_event FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sandbox_event USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON sandbox_event FOR SELECT TO bursar_verify USING (true);
-- The worker looks for what is due in all tenants; it does it as each tenant.
CREATE POLICY due ON payment_attempt FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON payment_inbox FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON sandbox_event FOR SELECT TO bursar_worker USING (true);

GRANT SELECT, INSERT ON customer, payment_method, payment_effect, sandbox_transaction TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON payment, payment_attempt, payment_inbox, sandbox_payment, sandbox_event TO bursar_app;
GRANT SELECT ON customer, payment_method, payment, payment_attempt, payment_effect, payment_inbox,
sandbox_payment, sandbox_transaction, sandbox_event TO bursar_verify;
