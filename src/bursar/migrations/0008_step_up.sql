-- When an operator sent the last few wrong codes: who guesses is stopped.
ALTER TABLE operator_totp ADD COLUMN wrong_at timestamptz [] NOT NULL DEFAULT '{}';
