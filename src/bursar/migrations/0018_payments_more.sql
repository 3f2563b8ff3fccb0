-- What people have decided about a payment whose provider contradicts what was asked, and more of what is read of payments.

-- True: the provider's word on it stands, and everything that happens to it goes to suspense.
ALTER TABLE payment ADD COLUMN in_suspense boolean NOT NULL DEFAULT false;

-- Disputes are listed by how they began, newest first.
-- No index here is made CONCURRENTLY: a migration is one transaction.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX payment_effect_disputes ON payment_effect (tenant_id, booked_at, reference) WHERE kind = 'dispute';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX payment_effect_dispute ON payment_effect (tenant_id, about) WHERE kind = 'dispute';

-- Deliveries that are over are kept for a time; the events that they told of stay.
GRANT DELETE ON webhook_delivery, webhook_attempt TO bursar_worker;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX webhook_delivery_over ON webhook_delivery (ended_at) WHERE ended_at IS NOT NULL;
