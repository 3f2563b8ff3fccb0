-- Ends a statement that was decided on facts which no longer hold, with all that it has written.
CREATE FUNCTION stale() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog
    AS $$ BEGIN RAISE EXCEPTION 'decided on facts that have changed' USING ERRCODE = 'BU001'; END $$;

-- Of the holds that wait on an account, a transfer looks at those whose time is over, and no others.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX hold_pending_until ON hold (tenant_id, account_id, expires_at) WHERE status = 'pending';
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX hold_pending;
