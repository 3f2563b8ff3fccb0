-- Jobs whose holds are their own.

-- What jobs hold already belongs to them, too. The owner sees every tenant only while that is not forced.
ALTER TABLE hold NO FORCE ROW LEVEL SECURITY;
ALTER TABLE job_effect NO FORCE ROW LEVEL SECURITY;
UPDATE hold AS h SET owner_id = e.job_id
FROM job_effect AS e
WHERE h.tenant_id = e.tenant_id AND h.id = e.hold_id AND e.kind = 'reserved' AND h.status = 'pending';
ALTER TABLE job_effect FORCE ROW LEVEL SECURITY;
ALTER TABLE hold FORCE ROW LEVEL SECURITY;
