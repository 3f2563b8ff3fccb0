-- What agents' requests are decided by, other than what is used of their limits: a batch that was decided ahead of its
-- transaction is written if this number still stands. Mandates, counterparties and risk rules raise it themselves, so
-- that no road can forget to.
CREATE TABLE rulebook (
    tenant_id uuid PRIMARY KEY REFERENCES tenant (tenant_id),
    version bigint NOT NULL
) WITH (fillfactor = 50);
ALTER TABLE rulebook ENABLE ROW LEVEL SECURITY;
ALTER TABLE rulebook FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON rulebook USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON rulebook TO bursar_app;

CREATE FUNCTION amend_rulebook() RETURNS trigger LANGUAGE plpgsql
    SET search_path = bursar, pg_catalog
    AS $$
BEGIN
    INSERT INTO rulebook AS r (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = r.version + 1;
    RETURN NULL;
END $$;

-- Who decided last under a mandate: of two who decided on the same use of its limits, the second finds another's.
ALTER TABLE mandate ADD COLUMN turn uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';

-- How often some of this was given back: who counts on what was used finds that it is less.
ALTER TABLE limit_usage ADD COLUMN given_back bigint NOT NULL DEFAULT 0;

-- At the end of a transaction, so that the rulebook is locked after everything else wherever it is.
-- A mandate is a draft, which counts for nothing, before it is anything else.
CREATE CONSTRAINT TRIGGER amends_rulebook AFTER UPDATE ON mandate
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.turn = NEW.turn) EXECUTE FUNCTION amend_rulebook();
CREATE CONSTRAINT TRIGGER amends_rulebook AFTER INSERT OR UPDATE ON counterparty
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION amend_rulebook();
CREATE CONSTRAINT TRIGGER amends_rulebook AFTER INSERT OR UPDATE ON risk_stage
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION amend_rulebook();
