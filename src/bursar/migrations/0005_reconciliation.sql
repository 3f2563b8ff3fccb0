-- Which movement of a bank's statement each entry books: a bank's reference is booked once, whoever imports it again.
CREATE TABLE statement_movement (
    tenant_id uuid NOT NULL,
    mapping text NOT NULL,
    reference text NOT NULL,
    entry_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, mapping, reference),
    UNIQUE (tenant_id, entry_id),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES entry
);

ALTER TABLE statement_movement ENABLE ROW LEVEL SECURITY;
ALTER TABLE statement_movement FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON statement_movement USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON statement_movement FOR SELECT TO bursar_verify USING (true);
GRANT SELECT, INSERT ON statement_movement TO bursar_app;
GRANT SELECT ON statement_movement TO bursar_verify;
