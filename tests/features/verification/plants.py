"""For every invariant, ways to break it: what a bug or an intruder with the owner's rights could leave behind."""

from bursar.core.identity.model import HUMAN_ONLY

BOOK = """
    alice has 100.00 USD
    bob has 0.00 USD
    euros has 10.00 EUR
    lent opens in USD floor -50.00
    stock opens in USD debit floor none
    old has 0.00 USD
    old closed
    alice -> bob 30.00 USD as t1
    entry: alice -> bob 4.00 USD, alice -> lent 1.00 USD
    stock -> alice 5.00 USD
    alice -> bob 900.00 USD ! insufficient_funds
    reverse t1 10.00
    alice holds 20.00 USD as h1 for bob
    capture h1 5.00
    alice holds 2.00 USD as h2
    release h2
    alice holds 7.00 USD as h3
    agent: alice -> bob 1.00 USD
"""

ALICE = "(SELECT id FROM account WHERE number = 'alice')"
EUROS = "(SELECT id FROM account WHERE number = 'euros')"
AN_ENTRY = "(SELECT id FROM entry WHERE kind = 'transfer' ORDER BY id DESC LIMIT 1)"

RULES = (
    "INSERT INTO risk_rules SELECT tenant_id, 2, '{{\"version\": {0}}}', sha256('{{\"version\": {1}}}'), "
    "tenant_id, now() FROM tenant RETURNING *"
)
STANDING = "WITH r AS ({0}) INSERT INTO risk_stage SELECT tenant_id, version, 'draft', tenant_id, drafted_at FROM r"
HOLD = "(SELECT id FROM hold WHERE status = '{0}')"
AN_APPROVAL = (
    "INSERT INTO approval SELECT tenant_id, gen_random_uuid(), id, agent_id, {0}, 'a', sha256('b'), '', {1}, "
    "decided_at, decided_at FROM decision LIMIT 1"
)

# A webhook delivery of an event, its status, and how many attempts it says there were.
A_DELIVERY = (
    "INSERT INTO webhook_delivery (tenant_id, id, endpoint_id, event_id, status, attempts) "
    "SELECT tenant_id, gen_random_uuid(), tenant_id, {}, '{}', {} FROM tenant"
)
AN_ATTEMPT = (
    "INSERT INTO payment_attempt (tenant_id, id, payment_id, number, kind, provider, account_id, currency, "
    "amount_minor, status, event_id, principal_id) SELECT tenant_id, {0}, tenant_id, 1, 'charge', 'sandbox', "
    "tenant_id, 'USD', 5, 'succeeded', tenant_id, tenant_id FROM tenant"
)
AN_EFFECT = (
    "INSERT INTO payment_effect (tenant_id, provider, reference, kind, payment_id, currency, amount_minor, fee_minor, "
    "entry_id) SELECT tenant_id, 'sandbox', 'txn', 'capture', NULL, 'USD', 5, 0, {0} FROM tenant"
)
A_PAYMENT = (
    "INSERT INTO payment (tenant_id, id, provider, account_id, currency, amount_minor, capture, status, "
    "captured_minor, created_by) SELECT tenant_id, tenant_id, 'sandbox', tenant_id, 'USD', 5, 'automatic', "
    "'succeeded', {0}, tenant_id FROM tenant"
)
A_TRANSACTION = (
    "INSERT INTO sandbox_transaction SELECT tenant_id, 'txn', 'key', NULL, NULL, 'capture', 'USD', 5, 0, 5 FROM tenant"
)

PLANTS: list[tuple[str, str]] = [
    ("I01", "UPDATE account SET posted_minor = posted_minor + 1 WHERE number = 'alice'"),
    ("I02", "UPDATE account SET posted_minor = posted_minor + 1 WHERE number = 'alice'"),
    ("I02", f"DELETE FROM posting WHERE entry_id = {AN_ENTRY}"),
    ("I02", "INSERT INTO account SELECT tenant_id, tenant_id, 'new', 'new', 'USD', 'credit', 0, 'open', 5 FROM tenant"),
    ("I03", "UPDATE account SET version = version + 1 WHERE number = 'alice'"),
    ("I03", f"DELETE FROM posting WHERE source_id = {ALICE} AND source_version = 2"),
    ("I03", f"UPDATE posting SET source_version = 90 WHERE source_id = {ALICE} AND source_version = 2"),
    ("I03", f"UPDATE posting SET source_version = 1 WHERE source_id = {ALICE} AND source_version = 2"),
    ("I04", f"UPDATE posting SET source_balance = source_balance + 1 WHERE entry_id = {AN_ENTRY}"),
    ("I04", f"UPDATE posting SET target_balance = target_balance - 1 WHERE entry_id = {AN_ENTRY}"),
    ("I05", f"UPDATE posting SET source_balance = -1 WHERE source_id = {ALICE} AND source_version = 2"),
    ("I06", "UPDATE account SET held_minor = posted_minor + 1 WHERE number = 'alice'"),
    ("I06", "UPDATE account SET posted_minor = -5001 WHERE number = 'lent'"),
    ("I07", "UPDATE account SET held_minor = held_minor + 1 WHERE number = 'alice'"),
    ("I07", "UPDATE hold SET amount_minor = amount_minor + 1 WHERE status = 'pending'"),
    ("I07", "UPDATE hold SET status = 'voided' WHERE status = 'pending'"),
    ("I08", f"DELETE FROM posting WHERE entry_id = {AN_ENTRY}"),
    ("I08", "DELETE FROM posting WHERE (entry_id, 1) IN (SELECT entry_id, seq FROM posting) AND seq = 0"),
    ("I08", f"UPDATE posting SET seq = 7 WHERE entry_id = {AN_ENTRY}"),
    ("I09", f"UPDATE posting SET currency = 'EUR' WHERE entry_id = {AN_ENTRY}"),
    ("I09", f"UPDATE posting SET target_id = {EUROS} WHERE entry_id = {AN_ENTRY}"),
    ("I10", f"UPDATE posting SET target_id = source_id WHERE entry_id = {AN_ENTRY}"),
    ("I10", f"UPDATE posting SET amount_minor = -1 WHERE entry_id = {AN_ENTRY}"),
    ("I10", f"UPDATE posting SET amount_minor = 0 WHERE entry_id = {AN_ENTRY}"),
    ("I11", f"UPDATE posting SET effective_at = effective_at - interval '1 day' WHERE entry_id = {AN_ENTRY}"),
    ("I11", "UPDATE posting SET effective_at = '2999-01-01'; UPDATE entry SET effective_at = '2999-01-01'"),
    ("I12", "UPDATE hold SET captured_minor = 4 WHERE status = 'posted'"),
    ("I12", f"UPDATE hold SET entry_id = {AN_ENTRY} WHERE status = 'posted'"),
    ("I12", "UPDATE hold SET entry_id = NULL, status = 'voided', captured_minor = 0 WHERE status = 'posted'"),
    ("I12", "UPDATE entry SET hold_id = NULL, kind = 'transfer' WHERE kind = 'capture'"),
    ("I12", "UPDATE entry SET hold_id = (SELECT id FROM hold WHERE status = 'pending') WHERE kind = 'capture'"),
    ("I12", "UPDATE hold SET target_id = (SELECT id FROM account WHERE number = 'lent') WHERE status = 'posted'"),
    ("I12", "UPDATE hold SET status = 'posted', captured_minor = 1 WHERE status = 'pending'"),
    ("I13", "UPDATE hold SET captured_minor = amount_minor + 1 WHERE status = 'posted'"),
    ("I13", "UPDATE hold SET captured_minor = 1 WHERE status = 'pending'"),
    ("I13", "UPDATE hold SET amount_minor = -1 WHERE status = 'pending'"),
    ("I14", "UPDATE hold SET currency = 'EUR' WHERE status = 'pending'"),
    ("I14", "UPDATE hold SET account_id = (SELECT id FROM account WHERE number = 'stock') WHERE status = 'pending'"),
    ("I14", "UPDATE hold SET target_id = account_id WHERE status = 'pending'"),
    ("I15", "UPDATE posting SET amount_minor = 3001 WHERE entry_id = (SELECT id FROM entry WHERE kind = 'reversal')"),
    ("I15", f"UPDATE posting SET target_id = (SELECT id FROM account WHERE number = 'lent') WHERE target_id = {ALICE} "
            "AND entry_id = (SELECT id FROM entry WHERE kind = 'reversal')"),
    ("I16", "UPDATE entry SET kind = 'transfer' WHERE kind = 'reversal'"),
    ("I16", "UPDATE entry SET reverses_id = NULL WHERE kind = 'reversal'"),
    ("I16", "UPDATE entry SET reverses_id = id WHERE kind = 'reversal'"),
    ("I17", "UPDATE account SET status = 'closed' WHERE number = 'alice'"),
    ("I17", "UPDATE account SET held_minor = 1 WHERE number = 'old'"),
    ("I18", "UPDATE account SET floor_minor = 0 WHERE number = 'world:funding:EUR'"),
    ("I19", "DELETE FROM entry"),
    ("I19", f"UPDATE posting SET source_id = gen_random_uuid() WHERE entry_id = {AN_ENTRY}"),
    ("I19", f"UPDATE posting SET target_id = gen_random_uuid() WHERE entry_id = {AN_ENTRY}"),
    ("I19", f"UPDATE posting SET tenant_id = gen_random_uuid() WHERE entry_id = {AN_ENTRY}"),
    ("I19", "UPDATE entry SET reverses_id = gen_random_uuid() WHERE kind = 'reversal'"),
    ("I19", "UPDATE hold SET account_id = gen_random_uuid() WHERE status = 'pending'"),
    ("I19", "UPDATE hold SET target_id = gen_random_uuid() WHERE status = 'pending'"),
    ("I19", "UPDATE event SET actor_id = gen_random_uuid() WHERE actor_id IS NOT NULL"),
    ("I19", "UPDATE api_key SET principal_id = gen_random_uuid()"),
    ("I19", "UPDATE account SET tenant_id = gen_random_uuid() WHERE number = 'old'"),
    ("I19", "UPDATE principal SET tenant_id = gen_random_uuid() WHERE kind = 'agent'"),
    ("I19", "DELETE FROM tenant"),
    ("I20", f"DELETE FROM event WHERE id = (SELECT event_id FROM entry WHERE id = {AN_ENTRY})"),
    ("I20", f"UPDATE entry SET xid = '1' WHERE id = {AN_ENTRY}"),
    ("I20", f"UPDATE entry SET event_id = gen_random_uuid() WHERE id = {AN_ENTRY}"),
    ("I21", "UPDATE event SET object = 'tr_0' WHERE type = 'transfer.posted'"),
    ("I21", """UPDATE event SET body = replace(body, '"decision":"allow"', '"decision":"deny"')"""),
    ("I22", "UPDATE event SET type = 'other' WHERE type = 'transfer.posted'"),
    ("I22", "UPDATE event SET action = 'other' WHERE type = 'transfer.posted'"),
    ("I22", "UPDATE event SET object = NULL WHERE type = 'transfer.posted'"),
    ("I22", "UPDATE event SET object = 'tr_0' WHERE object IS NULL"),
    ("I22", "UPDATE event SET actor_id = NULL WHERE type = 'transfer.posted'"),
    ("I22", "UPDATE event SET actor_id = (SELECT id FROM principal WHERE kind = 'agent') WHERE type = 'hold.placed'"),
    ("I23", "UPDATE answer SET principal_id = (SELECT id FROM principal WHERE name = 'operator')"),
    ("I23", "UPDATE answer SET action = 'close_account'"),
    ("I23", "UPDATE answer SET event_id = gen_random_uuid()"),
    ("I24", "UPDATE answer SET event_id = (SELECT event_id FROM answer LIMIT 1)"),
    ("I25", "UPDATE answer SET id = gen_random_uuid()"),
    ("I25", "UPDATE answer SET key = key || 'x'"),
    ("I25", "UPDATE answer SET action = 'close_account'"),
    ("I26", f"UPDATE entry SET kind = 'statement' WHERE id = {AN_ENTRY}"),
    ("I26", f"INSERT INTO statement_movement SELECT tenant_id, 'bank', '1', id FROM entry WHERE id = {AN_ENTRY}"),
    ("I26", "INSERT INTO statement_movement SELECT tenant_id, 'bank', '1', gen_random_uuid() FROM tenant"),
    ("I27", "INSERT INTO api_key SELECT tenant_id, id + n, principal_id, secret_hash, scopes "
            "FROM api_key, generate_series(1, 2) AS n"),
    *(("I28", f"UPDATE api_key SET scopes = ARRAY['{scope}']") for scope in sorted(HUMAN_ONLY)),
    ("I40", "DELETE FROM decision"),
    ("I40", "UPDATE decision SET outcome = 'deny'"),
    ("I41", "/* waits for a hold that is gone */ " + AN_APPROVAL.format("'pending'", HOLD.format("voided"))),
    ("I41", "/* is ended and holds on */ " + AN_APPROVAL.format("'rejected'", HOLD.format("pending"))),
    ("I42", "UPDATE decision SET inputs = inputs || ' '"),
    ("I42", AN_APPROVAL.format("'rejected'", "NULL")),
    ("I43", "UPDATE mandate SET terms = replace(terms, 'any', 'any_known')"),
    ("I43", "UPDATE mandate SET status = 'paused'"),
    ("I43", "DELETE FROM mandate_version"),
    ("I43", "UPDATE mandate SET version = version - 1"),
    ("I44", "/* stands nowhere */ " + RULES.format(2, 2)),
    ("I44", "/* of another hash */ " + STANDING.format(RULES.format(2, 3))),
    ("I44", "/* of another number */ " + STANDING.format(RULES.format(3, 3))),
    ("I44", "UPDATE decision SET shadow = '0 none 7 allow'"),
    ("I44", "UPDATE decision SET shadow = '7 allow 0 none'"),
    ("I60", f"{AN_ATTEMPT.format('tenant_id')}; {AN_EFFECT.format('NULL')}"),
    ("I61", A_TRANSACTION),
    ("I62", A_PAYMENT.format(1)),
    ("I63", f"UPDATE entry SET kind = 'payment' WHERE id = {AN_ENTRY}"),
    ("I63", AN_EFFECT.format(AN_ENTRY)),
    ("I64", "UPDATE hold SET owner_id = id WHERE status = 'pending'; "
            + AN_ATTEMPT.format("(SELECT id FROM hold WHERE status = 'pending' LIMIT 1)")),
    ("I65", "UPDATE account SET floor_minor = NULL, upstream = number "
            "WHERE id = (SELECT target_id FROM posting LIMIT 1) AND normal_side = 'credit'"),
    ("I45", "DELETE FROM event WHERE id IN (SELECT id FROM decision)"),
    ("I45", "UPDATE decision SET agent_id = (SELECT id FROM principal WHERE kind = 'operator' LIMIT 1)"),
    ("I51", "/* of nothing */ " + A_DELIVERY.format("gen_random_uuid()", "pending", 0)),
    ("I51", "/* of attempts that nobody logged */ " + A_DELIVERY.format("NULL", "failed", 1)),
    ("I51", "/* without a success */ " + A_DELIVERY.format("NULL", "delivered", 0)),
]  # fmt: skip
