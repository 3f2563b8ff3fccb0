-- Webhooks out: where events are sent, how far each tenant's events were followed, and what became of every delivery.

-- The follower reads a tenant's events by transaction, below the oldest one that is still open: whatever commits late
-- lies above it. Events of one batch share their key here, which the index keeps once.
-- No index here is made CONCURRENTLY: a migration is one transaction.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX event_by_xid ON event (tenant_id, xid);

CREATE TABLE webhook_endpoint (
    tenant_id uuid NOT NULL REFERENCES tenant,
    id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    -- Types of events; empty: all.
    events text [] NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'disabled', 'retired')),
    -- Why it is not active.
    status_why text,
    -- It is sent what transactions from this one on wrote.
    since xid8 NOT NULL,
    -- Attempts that failed since one succeeded.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    last_success_at timestamptz,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES principal
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX webhook_endpoint_url ON webhook_endpoint (tenant_id, url) WHERE status <> 'retired';
CREATE INDEX webhook_endpoint_in_use ON webhook_endpoint (tenant_id, status) WHERE status <> 'retired';

-- What messages are signed with: at most two at a time, the newer without an end.
CREATE TABLE webhook_secret (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    id uuid NOT NULL,
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, endpoint_id, id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoint
);

-- Every event of a transaction before this one has its deliveries.
CREATE TABLE webhook_cursor (
    tenant_id uuid PRIMARY KEY REFERENCES tenant,
    xid xid8 NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE webhook_delivery (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    -- Absent: a test.
    event_id uuid,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- How often a worker took it: only the last one may say what came of it.
    taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    -- When it is to be taken next; while a worker has it, when that worker is given up.
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    replay_of uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoint,
    CHECK ((status = 'pending') = (ended_at IS NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (tenant_id, endpoint_id, event_id)
WHERE replay_of IS NULL AND event_id IS NOT NULL;
CREATE INDEX webhook_delivery_due ON webhook_delivery (tenant_id, endpoint_id, due_at)
WHERE status = 'pending' AND event_id IS NOT NULL;
-- A test is sent to an endpoint that is disabled, too.
CREATE INDEX webhook_delivery_test ON webhook_delivery (tenant_id, endpoint_id, due_at)
WHERE status = 'pending' AND event_id IS NULL;
CREATE INDEX webhook_delivery_of_endpoint ON webhook_delivery (tenant_id, endpoint_id, id);
CREATE INDEX webhook_delivery_of_status ON webhook_delivery (tenant_id, status, id);

CREATE TABLE webhook_attempt (
    tenant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamptz NOT NULL,
    latency_ms integer NOT NULL CHECK (latency_ms >= 0),
    -- The status of the answer, or why there was none.
    status integer,
    error text,
    -- The first bytes of the answer's body, as text.
    answer text NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, number),
    FOREIGN KEY (tenant_id, delivery_id) REFERENCES webhook_delivery,
    CHECK ((status IS NULL) = (error IS NOT NULL))
);

ALTER TABLE webhook_endpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON webhook_endpoint USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON webhook_endpoint FOR SELECT TO bursar_verify USING (true);
ALTER TABLE webhook_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secret FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON webhook_secret USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
ALTER TABLE webhook_cursor ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_cursor FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON webhook_cursor USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON webhook_cursor FOR SELECT TO bursar_verify USING (true);
ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON webhook_delivery USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON webhook_delivery FOR SELECT TO bursar_verify USING (true);
ALTER TABLE webhook_attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON webhook_attempt USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY verify ON webhook_attempt FOR SELECT TO bursar_verify USING (true);
-- The worker looks for what is to be followed and sent of all tenants; it follows and sends as each tenant.
CREATE POLICY follow ON event FOR SELECT TO bursar_worker USING (true);
CREATE POLICY follow ON webhook_cursor FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON webhook_endpoint FOR SELECT TO bursar_worker USING (true);
CREATE POLICY due ON webhook_delivery FOR SELECT TO bursar_worker USING (true);

GRANT SELECT, INSERT, UPDATE ON webhook_endpoint, webhook_cursor, webhook_delivery TO bursar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_secret TO bursar_app;
GRANT SELECT ON webhook_attempt TO bursar_app;
GRANT INSERT ON webhook_attempt TO bursar_worker;
GRANT SELECT ON webhook_endpoint, webhook_cursor, webhook_delivery, webhook_attempt TO bursar_verify;
