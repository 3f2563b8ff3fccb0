-- When an operator sent the last few wrong codes: who guesses is stopped.
ALTER TABLE operator_totp ADD COLUMN wrong_at timestamptz [] NOT NULL DEFAULT '{}';

-- What can still be paid ends when its mandate or its payee changes.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX approval_unended ON approval (tenant_id, id)
WHERE status IN ('pending', 'approved') AND executed_event_id IS NULL;
