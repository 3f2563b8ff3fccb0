"""Likewise for the schema, the roles and the server."""

APPEND_ONLY = ("entry", "posting", "event", "answer")
ROLES = ("bursar_app", "bursar_worker", "bursar_verify")

PLANTS: list[tuple[str, str]] = [
    ("I27", "ALTER TABLE entry DISABLE ROW LEVEL SECURITY"),
    ("I27", "ALTER TABLE hold NO FORCE ROW LEVEL SECURITY"),
    ("I27", "DROP POLICY own ON posting; DROP POLICY verify ON posting"),
    ("I27", "CREATE TABLE forgotten (tenant_id uuid PRIMARY KEY)"),
    ("I28", "ALTER POLICY own ON event USING (true)"),
    ("I28", "CREATE POLICY wide ON event FOR SELECT TO bursar_app USING (true)"),
    ("I28", "CREATE POLICY wide ON event FOR INSERT WITH CHECK (true)"),
    ("I28", "DROP POLICY verify ON event; CREATE POLICY verify ON event TO bursar_verify USING (true)"),
    ("I29", "CREATE TABLE loose (tenant_id uuid)"),
    ("I29", "CREATE TABLE loose (tenant_id uuid, id uuid, PRIMARY KEY (id, tenant_id))"),
    ("I30", "ALTER TABLE hold ADD UNIQUE (id); ALTER TABLE entry ADD FOREIGN KEY (hold_id) REFERENCES hold (id)"),
    ("I30", "CREATE TABLE crossed (tenant_id uuid, id uuid, FOREIGN KEY (id, tenant_id) REFERENCES entry)"),
    *(("I31", f"GRANT {what} ON {table} TO bursar_app")
      for table in APPEND_ONLY for what in ("UPDATE", "DELETE", "TRUNCATE")),
    *(("I31", f"GRANT {what} ON {table} TO bursar_app")
      for table in ("account", "hold") for what in ("DELETE", "TRUNCATE")),
    *(("I31", f"GRANT DELETE ON entry TO {role}") for role in ("bursar_worker", "bursar_verify", "PUBLIC")),
    ("I31", "GRANT UPDATE (description) ON entry TO bursar_app"),
    *(("I32", f"GRANT {what} ON account TO bursar_verify") for what in ("INSERT", "UPDATE", "DELETE", "TRUNCATE")),
    *(("I33", f"ALTER ROLE bursar_app {power}")
      for power in ("SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION")),
    *(("I33", f"GRANT bursar_owner TO {role}") for role in ROLES),
    ("I33", "ALTER TABLE entry OWNER TO bursar_app"),
    ("I33", "GRANT CREATE ON SCHEMA bursar TO bursar_app"),
    *(("I34", f"ALTER TABLE entry ADD COLUMN fee {kind}") for kind in ("numeric", "real", "double precision", "money")),
    ("I34", "ALTER TABLE entry ADD COLUMN fee_minor integer"),
    ("I35", "ALTER TABLE entry ADD CONSTRAINT hopeful CHECK (description <> '') NOT VALID"),
    ("I35", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'entry_reversals'::regclass"),
    ("I35", "ALTER TABLE entry DISABLE TRIGGER ALL"),
    ("I36", "ALTER VIEW line RESET (security_invoker)"),
    ("I36", "CREATE FUNCTION sesame() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"),
    ("I37", "SET LOCAL synchronous_commit = off"),
    ("I37", "SET LOCAL synchronous_commit = local"),
    ("I37", "SET LOCAL zero_damaged_pages = on"),
    ("I37", "SET LOCAL ignore_checksum_failure = on"),
    ("I37", "ALTER ROLE bursar_worker SET synchronous_commit = off"),
    ("I37", "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$"),
]  # fmt: skip
