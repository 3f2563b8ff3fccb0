-- Definitions of jobs that people make: who made a version; nobody, where it comes with Bursar.
ALTER TABLE job_definition ADD COLUMN made_by uuid;
-- Made while nobody is served.
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE job_definition ADD FOREIGN KEY (tenant_id, made_by) REFERENCES principal;

-- What people have decided about a payout whose provider contradicts what was asked, as they do about payments.
-- True: everything that happens to it goes to suspense.
ALTER TABLE payment_attempt ADD COLUMN in_suspense boolean NOT NULL DEFAULT false;
