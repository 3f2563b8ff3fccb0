-- What a statement costs is guessed from what was counted last. Counted while it has a handful of rows, a table looks as if
-- any index did, and statements keep reading all of it until it is counted again; a table that was never counted is
-- taken for one of some size, and that guess is good. So the first count waits until there is something to count.
ALTER TABLE account SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE answer SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE api_key SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE counterparty SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE decision SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE entry SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE event SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE hold SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE limit_usage SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE mandate SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE posting SET (autovacuum_analyze_threshold = 1000);
ALTER TABLE principal SET (autovacuum_analyze_threshold = 1000);

-- Mandates of teams, and those of every agent, are found without reading those of single agents.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX mandate_of_team ON mandate (tenant_id, team) WHERE agent_id IS NULL;
