-- What a person must decide need not be a payment: somebody asks for other terms of a mandate.
-- squawk-ignore ban-drop-not-null
ALTER TABLE approval ALTER COLUMN decision_id DROP NOT NULL;
ALTER TABLE approval ADD COLUMN kind text NOT NULL DEFAULT 'payment';
-- The mandate that is to have other terms.
ALTER TABLE approval ADD COLUMN mandate_id uuid;

-- Both are looked at while the table is locked: what waits for people is never much.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE approval ADD CONSTRAINT approval_of_its_kind CHECK (
    CASE kind
        WHEN 'payment' THEN decision_id IS NOT NULL AND mandate_id IS NULL
        WHEN 'mandate_change' THEN mandate_id IS NOT NULL AND decision_id IS NULL AND hold_id IS NULL
        ELSE false
    END
);
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE approval ADD CONSTRAINT approval_of_a_mandate FOREIGN KEY (tenant_id, mandate_id) REFERENCES mandate;

-- Nobody has more than one request for a mandate waiting.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX approval_asked_once ON approval (tenant_id, mandate_id, maker_id)
WHERE status = 'pending' AND mandate_id IS NOT NULL;
