-- What agents' keys hold of the scopes that have become for people only: to freeze an account, and to freeze at all.
-- An agent goes on stopping itself, by a scope that says so. The owner sees every tenant only while that is not forced.
ALTER TABLE api_key NO FORCE ROW LEVEL SECURITY;
ALTER TABLE principal NO FORCE ROW LEVEL SECURITY;
UPDATE api_key AS k
SET scopes = array_remove(array_replace(k.scopes, 'freezes:write', 'freezes:self'), 'accounts:freeze')
FROM principal AS p
WHERE p.tenant_id = k.tenant_id AND p.id = k.principal_id AND p.kind = 'agent'
AND k.scopes && ARRAY['freezes:write', 'accounts:freeze'];
ALTER TABLE principal FORCE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
