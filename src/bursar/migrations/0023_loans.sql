-- Lending: loans with their dated facts, and what each night did.

-- What moves for a loan: the money itself, and beside it what the borrower owes.
-- Built while nobody is served; the new list holds all that the old one did.
-- squawk-ignore ban-drop-constraint
ALTER TABLE entry DROP CONSTRAINT entry_kind_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE entry ADD CONSTRAINT entry_kind_check CHECK (
    kind IN ('transfer', 'capture', 'reversal', 'statement', 'payment', 'loan')
);

-- A loan: what was agreed, and what its facts have come to by the opening of `day`. The latter can be made anew from the
-- facts at any time. Until it is paid out, it has no day.
CREATE TABLE loan (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    product text NOT NULL,
    product_version integer NOT NULL,
    currency char(3) NOT NULL,
    principal_minor bigint NOT NULL CHECK (principal_minor > 0),
    installments integer NOT NULL CHECK (installments > 0),
    -- Whoever took the application in, and whoever decided it: the agents that see the loan.
    made_by uuid NOT NULL,
    decider_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    -- A movement of money that people are asked to approve, as canonical JSON.
    approval_id uuid,
    awaits text,
    disbursed_on date,
    -- How many facts there are.
    facts integer NOT NULL DEFAULT 0 CHECK (facts >= 0),
    status text NOT NULL CHECK (status IN ('pending', 'active', 'settled', 'charged_off', 'written_off')),
    day date,
    next_due date,
    bucket text NOT NULL CHECK (bucket IN ('current', '1-30', '31-60', '61-90', '90+')),
    -- What went along each arrow between two accounts since the loan began, in the order of the arrows.
    flows bigint [] NOT NULL,
    -- What changes from night to night: what is due and unpaid, and the next installment.
    state text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    -- An offer is accepted once, however many accept it.
    UNIQUE (tenant_id, application_id),
    FOREIGN KEY (tenant_id, application_id) REFERENCES loan_offer (tenant_id, application_id),
    FOREIGN KEY (tenant_id, product, product_version) REFERENCES loan_product,
    FOREIGN KEY (tenant_id, approval_id) REFERENCES approval,
    FOREIGN KEY (tenant_id, made_by) REFERENCES principal,
    FOREIGN KEY (tenant_id, decider_id) REFERENCES principal,
    CHECK ((approval_id IS NULL) = (awaits IS NULL)),
    CHECK ((disbursed_on IS NULL) = (status = 'pending') AND (day IS NULL) = (status = 'pending'))
) WITH (fillfactor = 70);
CREATE INDEX loan_by_night ON loan (tenant_id, day, id) WHERE status = 'active';
CREATE INDEX loan_awaiting ON loan (tenant_id, id) WHERE approval_id IS NOT NULL;

-- The rest of a loan's state, which few nights change: what is still to come, and what was due and is paid.
CREATE TABLE loan_plan (
    tenant_id uuid NOT NULL,
    loan_id uuid NOT NULL,
    plan text NOT NULL,
    closed text NOT NULL,
    PRIMARY KEY (tenant_id, loan_id),
    FOREIGN KEY (tenant_id, loan_id) REFERENCES loan
);

-- What happened to a loan: dated facts, in the order in which they became known. Its state is made from them.
CREATE TABLE loan_fact (
    tenant_id uuid NOT NULL,
    loan_id uuid NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    type text NOT NULL,
    -- The day from which it counts, which may lie before the day on which it became known.
    happened_on date NOT NULL,
    -- What else it says, as canonical JSON.
    body text NOT NULL,
    -- The flows before it, where it lies in the past and the state was made anew from its day.
    replaced bigint [],
    -- The event that allowed it, and the entry by which money came or went.
    event_id uuid NOT NULL,
    entry_id uuid,
    account_id uuid,
    actor_id uuid,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, loan_id, seq),
    FOREIGN KEY (tenant_id, loan_id) REFERENCES loan,
    FOREIGN KEY (tenant_id, event_id) REFERENCES event DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, account_id) REFERENCES account,
    FOREIGN KEY (tenant_id, actor_id) REFERENCES principal
);

-- A night of a loan: what one day earned and charged. However many schedulers there are, a loan has a day once.
CREATE TABLE loan_accrual (
    tenant_id uuid NOT NULL,
    loan_id uuid NOT NULL,
    day date NOT NULL,
    interest_minor bigint NOT NULL CHECK (interest_minor >= 0),
    penalty_minor bigint NOT NULL CHECK (penalty_minor >= 0),
    PRIMARY KEY (tenant_id, loan_id, day),
    FOREIGN KEY (tenant_id, loan_id) REFERENCES loan
);

ALTER TABLE loan ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan FOR SELECT TO bursar_verify USING (true);
CREATE POLICY worker ON loan FOR SELECT TO bursar_worker USING (true);
ALTER TABLE loan_plan ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_plan FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_plan USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_plan FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_fact FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_fact USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_fact FOR SELECT TO bursar_verify USING (true);
ALTER TABLE loan_accrual ENABLE ROW LEVEL SECURITY;
ALTER TABLE loan_accrual FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON loan_accrual USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON loan_accrual FOR SELECT TO bursar_verify USING (true);

GRANT SELECT, INSERT ON loan_fact, loan_accrual TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON loan, loan_plan TO bursar_app;
GRANT SELECT ON loan, loan_plan, loan_fact, loan_accrual TO bursar_verify;
