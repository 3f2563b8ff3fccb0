-- What the loans came to each night, so that a past day is told as it was known then.

-- What was owed at the opening of the day, and the bucket. Nights of before this say nothing is owed.
ALTER TABLE loan_accrual
ADD COLUMN principal_owed_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN interest_owed_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN fees_owed_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN penalties_owed_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN bucket text NOT NULL DEFAULT 'current';

-- A report reads a day of all loans. Nights come day after day, so what it reads lies together.
-- No index here is made CONCURRENTLY: a migration is one transaction.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX loan_accrual_by_day ON loan_accrual (tenant_id, day);
