-- What happened: one row for every action, allowed or refused, in the transaction of its effect. Append-only by grant.
CREATE TABLE event (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    object text,
    -- The exact canonical JSON (RFC 8785) that is hashed when the log is sealed; never re-serialised.
    body text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX event_by_actor ON event (tenant_id, actor_id, id);
CREATE INDEX event_by_object ON event (tenant_id, object, id) WHERE object IS NOT NULL;

ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON event USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON event FOR SELECT TO bursar_verify USING (true);
GRANT SELECT, INSERT ON event TO bursar_app;
GRANT SELECT ON event TO bursar_verify;
