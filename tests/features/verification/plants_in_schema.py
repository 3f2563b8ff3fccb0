"""Likewise for the schema, the roles and the server."""

APPEND_ONLY = (
    "entry", "posting", "event", "answer", "statement_movement", "decision", "mandate_version", "approval_vote",
    "risk_rules", "case_note", "job_definition", "job_step", "job_effect", "job_event", "webhook_attempt",
    "loan_product", "loan_application_event", "loan_decision", "loan_offer", "loan_scorecard", "loan_statement",
    "bank_statement", "bank_line", "provider_transaction", "reconciliation_run", "reconciliation_match",
)  # fmt: skip
ROLES = ("bursar_app", "bursar_worker", "bursar_verify")

PLANTS: list[tuple[str, str]] = [
    ("I29", "ALTER TABLE entry DISABLE ROW LEVEL SECURITY"),
    ("I29", "ALTER TABLE hold NO FORCE ROW LEVEL SECURITY"),
    ("I29", "DROP POLICY own ON posting; DROP POLICY verify ON posting"),
    ("I29", "CREATE TABLE forgotten (tenant_id uuid PRIMARY KEY)"),
    ("I30", "ALTER POLICY own ON event USING (true)"),
    ("I30", "CREATE POLICY wide ON event FOR SELECT TO bursar_app USING (true)"),
    ("I30", "CREATE POLICY wide ON event FOR INSERT WITH CHECK (true)"),
    ("I30", "DROP POLICY verify ON event; CREATE POLICY verify ON event TO bursar_verify USING (true)"),
    ("I31", "CREATE TABLE loose (tenant_id uuid)"),
    ("I31", "CREATE TABLE loose (tenant_id uuid, id uuid, PRIMARY KEY (id, tenant_id))"),
    ("I32", "ALTER TABLE hold ADD UNIQUE (id); ALTER TABLE entry ADD FOREIGN KEY (hold_id) REFERENCES hold (id)"),
    ("I32", "CREATE TABLE crossed (tenant_id uuid, id uuid, FOREIGN KEY (id, tenant_id) REFERENCES entry)"),
    *(("I33", f"GRANT {what} ON {table} TO bursar_app")
      for table in APPEND_ONLY for what in ("UPDATE", "DELETE", "TRUNCATE")),
    *(("I33", f"GRANT {what} ON {table} TO bursar_app")
      for table in ("account", "hold") for what in ("DELETE", "TRUNCATE")),
    *(("I33", f"GRANT DELETE ON entry TO {role}") for role in ("bursar_worker", "bursar_verify", "PUBLIC")),
    ("I33", "GRANT UPDATE (description) ON entry TO bursar_app"),
    *(("I33", f"GRANT UPDATE ({column}) ON answer TO {role}")
      for column, role in (("request_hash", "bursar_worker"), ("body", "bursar_app"), ("forgotten", "bursar_app"))),
    *(("I34", f"GRANT {what} ON account TO bursar_verify") for what in ("INSERT", "UPDATE", "DELETE", "TRUNCATE")),
    *(("I35", f"ALTER ROLE bursar_app {power}")
      for power in ("SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION")),
    *(("I35", f"GRANT bursar_owner TO {role}") for role in ROLES),
    ("I35", "ALTER TABLE entry OWNER TO bursar_app"),
    ("I35", "GRANT CREATE ON SCHEMA bursar TO bursar_app"),
    *(("I36", f"ALTER TABLE entry ADD COLUMN fee {kind}") for kind in ("numeric", "real", "double precision", "money")),
    ("I36", "ALTER TABLE entry ADD COLUMN fee_minor integer"),
    ("I37", "ALTER TABLE entry ADD CONSTRAINT hopeful CHECK (description <> '') NOT VALID"),
    ("I37", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'entry_reversals'::regclass"),
    ("I37", "ALTER TABLE entry DISABLE TRIGGER ALL"),
    ("I38", "ALTER VIEW line RESET (security_invoker)"),
    ("I38", "CREATE FUNCTION sesame() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"),
    ("I39", "SET LOCAL synchronous_commit = off"),
    ("I39", "SET LOCAL synchronous_commit = local"),
    ("I39", "SET LOCAL zero_damaged_pages = on"),
    ("I39", "SET LOCAL ignore_checksum_failure = on"),
    ("I39", "ALTER ROLE bursar_worker SET synchronous_commit = off"),
    ("I39", "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$"),
]  # fmt: skip
