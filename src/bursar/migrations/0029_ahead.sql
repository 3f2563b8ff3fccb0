-- Ends a statement that was decided on facts which no longer hold, with all that it has written.
CREATE FUNCTION stale() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog
    AS $$ BEGIN RAISE EXCEPTION 'decided on facts that have changed' USING ERRCODE = 'BU001'; END $$;
