-- Roles belong to the whole cluster, so they are made if absent and never dropped.
-- owner holds the schema and has no login; the service connects as a member of app, worker or verify and never as owner.
DO $$
DECLARE
    wanted text;
    may_act text := CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['bursar_owner', 'bursar_migrate', 'bursar_app', 'bursar_worker', 'bursar_verify'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        -- From PostgreSQL 16 on whoever made a role is its member, but may not act as it before a grant of their own.
        IF NOT pg_has_role(session_user, wanted, may_act) THEN
            EXECUTE format('GRANT %I TO %I', wanted, session_user);
        END IF;
    END LOOP;
    IF NOT pg_has_role('bursar_migrate', 'bursar_owner', 'MEMBER') THEN
        GRANT bursar_owner TO bursar_migrate;
    END IF;
    IF NOT pg_has_role('bursar_worker', 'bursar_app', 'MEMBER') THEN
        GRANT bursar_app TO bursar_worker;
    END IF;
END
$$;
