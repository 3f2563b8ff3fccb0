-- Accounts whose money lives in another service: what moves between two of them is a call to it, and is booked after.

-- The number that the account has there. Our own balance of it is what was moved through here, so it has no floor.
ALTER TABLE account ADD COLUMN upstream text;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE account ADD CONSTRAINT account_upstream_check CHECK (
    upstream IS NULL OR (floor_minor IS NULL AND normal_side = 'credit' AND number NOT LIKE 'world:%')
);
-- One account there is one account here: what is frozen here cannot move under another number.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX account_by_upstream ON account (tenant_id, upstream) WHERE upstream IS NOT NULL;

-- A transfer between two of them is a call without a payment: to which account, and what the source is called there (what
-- the target is called there is its method).
ALTER TABLE payment_attempt ADD COLUMN target_id uuid;
ALTER TABLE payment_attempt ADD COLUMN origin text;
-- Built while nobody is served; the new lists hold all that the old ones did.
-- squawk-ignore ban-drop-constraint
ALTER TABLE payment_attempt DROP CONSTRAINT payment_attempt_kind_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_kind_check CHECK (
    kind IN ('charge', 'capture', 'cancel', 'refund', 'payout', 'transfer')
);
-- squawk-ignore ban-drop-constraint
ALTER TABLE payment_attempt DROP CONSTRAINT payment_attempt_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_check CHECK (
    (kind IN ('payout', 'transfer')) = (payment_id IS NULL)
);
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_target_check CHECK (
    (kind = 'transfer') = (target_id IS NOT NULL) AND (kind = 'transfer') = (origin IS NOT NULL)
);
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_target_fkey
FOREIGN KEY (tenant_id, target_id, currency) REFERENCES account (tenant_id, id, currency);
-- squawk-ignore ban-drop-constraint
ALTER TABLE payment_effect DROP CONSTRAINT payment_effect_kind_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE payment_effect ADD CONSTRAINT payment_effect_kind_check CHECK (
    kind IN (
        'capture', 'refund', 'refund_failed', 'dispute', 'dispute_review', 'dispute_won', 'dispute_lost', 'payout',
        'payout_paid', 'payout_failed', 'adjustment', 'transfer'
    )
);
