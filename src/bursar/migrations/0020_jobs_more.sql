-- Jobs whose holds are their own, and whose shares may go through a provider.

-- What jobs hold already belongs to them, too. The owner sees every tenant only while that is not forced.
ALTER TABLE hold NO FORCE ROW LEVEL SECURITY;
ALTER TABLE job_effect NO FORCE ROW LEVEL SECURITY;
UPDATE hold AS h SET owner_id = e.job_id
FROM job_effect AS e
WHERE h.tenant_id = e.tenant_id AND h.id = e.hold_id AND e.kind = 'reserved' AND h.status = 'pending';
ALTER TABLE job_effect FORCE ROW LEVEL SECURITY;
ALTER TABLE hold FORCE ROW LEVEL SECURITY;

-- For which share of which job a provider is called; without a principal Bursar itself asks, to give something back.
ALTER TABLE payment_attempt ADD COLUMN job_id uuid;
ALTER TABLE payment_attempt ADD COLUMN job_share smallint;
-- squawk-ignore ban-drop-not-null
ALTER TABLE payment_attempt ALTER COLUMN principal_id DROP NOT NULL;
-- Constraints and indexes are made while nobody is served, here and below.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE payment_attempt ADD FOREIGN KEY (tenant_id, job_id, job_share) REFERENCES job_share;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX payment_attempt_of_job ON payment_attempt (tenant_id, job_id, job_share) WHERE job_id IS NOT NULL;

-- A share is paid from an account to an account, by a payment method to an account, or from an account to a destination.
-- squawk-ignore ban-drop-not-null
ALTER TABLE job_share ALTER COLUMN source_id DROP NOT NULL;
-- squawk-ignore ban-drop-not-null
ALTER TABLE job_share ALTER COLUMN target_id DROP NOT NULL;
ALTER TABLE job_share ADD COLUMN method_id uuid;
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE job_share ADD FOREIGN KEY (tenant_id, method_id) REFERENCES payment_method;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE job_share ADD CHECK (num_nonnulls(source_id, target_id, method_id) = 2);

-- What a provider did for a share is named by the call; what it did to the ledger is with the payment.
ALTER TABLE job_effect ADD COLUMN attempt_id uuid;
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE job_effect ADD FOREIGN KEY (tenant_id, attempt_id) REFERENCES payment_attempt;
-- squawk-ignore ban-drop-constraint
ALTER TABLE job_effect DROP CONSTRAINT job_effect_check;
-- squawk-ignore ban-drop-constraint
ALTER TABLE job_effect DROP CONSTRAINT job_effect_check1;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE job_effect ADD CONSTRAINT job_effect_names CHECK (
    CASE
        WHEN attempt_id IS NOT NULL THEN hold_id IS NULL AND entry_id IS NULL
        WHEN kind = 'captured' THEN hold_id IS NOT NULL AND entry_id IS NOT NULL
        WHEN kind = 'reversed' THEN hold_id IS NULL AND entry_id IS NOT NULL
        ELSE hold_id IS NOT NULL AND entry_id IS NULL
    END
);

-- A step may wait for what a provider says.
-- squawk-ignore ban-drop-constraint
ALTER TABLE job DROP CONSTRAINT job_state_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE job ADD CONSTRAINT job_state_check CHECK (
    state IN ('ready', 'claimed', 'awaiting_approval', 'awaiting_payment', 'closed')
);
-- squawk-ignore ban-drop-constraint
ALTER TABLE job DROP CONSTRAINT job_check2;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE job ADD CONSTRAINT job_holder_check CHECK (
    (state IN ('claimed', 'awaiting_approval', 'awaiting_payment')) = (holder_id IS NOT NULL AND token IS NOT NULL)
);
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX job_awaiting;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX job_awaiting ON job (changed_at) WHERE state IN ('awaiting_approval', 'awaiting_payment');
