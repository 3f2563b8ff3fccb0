CREATE SCHEMA bursar;

ALTER SCHEMA bursar OWNER TO bursar_owner;

CREATE FUNCTION bursar.amend_rulebook() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'bursar', 'pg_catalog'
    AS $$
BEGIN
    INSERT INTO rulebook AS r (tenant_id, version) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = r.version + 1;
    RETURN NULL;
END $$;

ALTER FUNCTION bursar.amend_rulebook() OWNER TO bursar_owner;

CREATE FUNCTION bursar.stale() RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$ BEGIN RAISE EXCEPTION 'decided on facts that have changed' USING ERRCODE = 'BU001'; END $$;

ALTER FUNCTION bursar.stale() OWNER TO bursar_owner;

CREATE TABLE bursar.account (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    currency character(3) NOT NULL,
    normal_side text NOT NULL,
    floor_minor bigint,
    status text DEFAULT 'open'::text NOT NULL,
    posted_minor bigint DEFAULT 0 NOT NULL,
    held_minor bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    upstream text,
    CONSTRAINT account_check CHECK (((number !~~ 'world:%'::text) OR (floor_minor IS NULL))),
    CONSTRAINT account_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT account_floor_minor_check CHECK ((floor_minor <= 0)),
    CONSTRAINT account_held_minor_check CHECK ((held_minor >= 0)),
    CONSTRAINT account_normal_side_check CHECK ((normal_side = ANY (ARRAY['debit'::text, 'credit'::text]))),
    CONSTRAINT account_status_check CHECK ((status = ANY (ARRAY['open'::text, 'frozen'::text, 'closed'::text]))),
    CONSTRAINT account_upstream_check CHECK (((upstream IS NULL) OR ((floor_minor IS NULL) AND (normal_side = 'credit'::text) AND (number !~~ 'world:%'::text)))),
    CONSTRAINT available_above_floor CHECK (((floor_minor IS NULL) OR ((posted_minor - held_minor) >= floor_minor)))
)
WITH (fillfactor='70', autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.account FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.account OWNER TO bursar_owner;

CREATE TABLE bursar.answer (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    principal_id uuid NOT NULL,
    action text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    event_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    forgotten boolean DEFAULT false NOT NULL,
    CONSTRAINT answer_request_hash_check CHECK ((length(request_hash) = 32))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.answer FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.answer OWNER TO bursar_owner;

CREATE TABLE bursar.api_key (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    principal_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT api_key_secret_hash_check CHECK ((length(secret_hash) = 32))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.api_key FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.api_key OWNER TO bursar_owner;

CREATE TABLE bursar.approval (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    decision_id uuid,
    maker_id uuid NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    payload text NOT NULL,
    payload_hash bytea NOT NULL,
    needs text NOT NULL,
    hold_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_why text,
    executed_event_id uuid,
    kind text DEFAULT 'payment'::text NOT NULL,
    mandate_id uuid,
    CONSTRAINT approval_of_its_kind CHECK (
CASE kind
    WHEN 'payment'::text THEN ((decision_id IS NOT NULL) AND (mandate_id IS NULL))
    WHEN 'mandate_change'::text THEN ((mandate_id IS NOT NULL) AND (decision_id IS NULL) AND (hold_id IS NULL))
    ELSE false
END),
    CONSTRAINT approval_payload_hash_check CHECK ((length(payload_hash) = 32)),
    CONSTRAINT approval_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text, 'expired'::text, 'cancelled'::text, 'superseded'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY bursar.approval FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.approval OWNER TO bursar_owner;

CREATE TABLE bursar.approval_vote (
    tenant_id uuid NOT NULL,
    approval_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    vote text NOT NULL,
    stepped_up boolean NOT NULL,
    voted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT approval_vote_vote_check CHECK ((vote = ANY (ARRAY['approve'::text, 'reject'::text])))
);

ALTER TABLE ONLY bursar.approval_vote FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.approval_vote OWNER TO bursar_owner;

CREATE TABLE bursar.bank_line (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    statement_id uuid NOT NULL,
    source text NOT NULL,
    account text NOT NULL,
    identity bytea NOT NULL,
    place integer NOT NULL,
    day date NOT NULL,
    currency character(3) NOT NULL,
    change_minor bigint NOT NULL,
    reference text,
    bank_reference text,
    counterparty text,
    description text,
    CONSTRAINT bank_line_change_minor_check CHECK ((change_minor <> 0)),
    CONSTRAINT bank_line_identity_check CHECK ((length(identity) = 32))
);

ALTER TABLE ONLY bursar.bank_line FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.bank_line OWNER TO bursar_owner;

CREATE TABLE bursar.bank_statement (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    source text NOT NULL,
    account text NOT NULL,
    currency character(3) NOT NULL,
    format text NOT NULL,
    number text,
    opening_minor bigint,
    closing_minor bigint,
    lines integer NOT NULL,
    content_hash bytea NOT NULL,
    imported_by uuid NOT NULL,
    imported_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT bank_statement_account_check CHECK (((length(account) >= 1) AND (length(account) <= 64))),
    CONSTRAINT bank_statement_content_hash_check CHECK ((length(content_hash) = 32)),
    CONSTRAINT bank_statement_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'camt053'::text, 'mt940'::text]))),
    CONSTRAINT bank_statement_source_check CHECK ((source ~ '^[a-z][a-z0-9_-]{0,31}$'::text))
);

ALTER TABLE ONLY bursar.bank_statement FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.bank_statement OWNER TO bursar_owner;

CREATE TABLE bursar.case_note (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    case_id uuid NOT NULL,
    author_id uuid,
    text text NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT case_note_text_check CHECK (((length(text) >= 1) AND (length(text) <= 2000)))
);

ALTER TABLE ONLY bursar.case_note FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.case_note OWNER TO bursar_owner;

CREATE TABLE bursar.case_record (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    state text NOT NULL,
    owner_id uuid,
    opened_by uuid,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT case_record_kind_check CHECK ((kind ~ '^[a-z][a-z0-9_]{0,31}$'::text)),
    CONSTRAINT case_record_state_check CHECK ((state = ANY (ARRAY['open'::text, 'in_progress'::text, 'resolved'::text, 'closed'::text]))),
    CONSTRAINT case_record_subject_id_check CHECK (((length(subject_id) >= 1) AND (length(subject_id) <= 200))),
    CONSTRAINT case_record_subject_kind_check CHECK ((subject_kind ~ '^[a-z][a-z0-9_]{0,31}$'::text)),
    CONSTRAINT case_record_version_check CHECK ((version > 0))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.case_record FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.case_record OWNER TO bursar_owner;

CREATE TABLE bursar.counterparty (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT counterparty_status_check CHECK ((status = ANY (ARRAY['active'::text, 'blocked'::text])))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.counterparty FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.counterparty OWNER TO bursar_owner;

CREATE TABLE bursar.customer (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    external_id text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY bursar.customer FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.customer OWNER TO bursar_owner;

CREATE TABLE bursar.decision (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    agent_id uuid NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    codes text NOT NULL,
    mandate_id uuid,
    mandate_version integer,
    source_id uuid,
    target_id uuid,
    currency character(3),
    amount_minor bigint,
    hold_id uuid,
    inputs text NOT NULL,
    inputs_hash bytea NOT NULL,
    results text NOT NULL,
    uses text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    shadow text,
    decided_hour timestamp with time zone GENERATED ALWAYS AS (date_bin('01:00:00'::interval, decided_at, '2000-01-01 00:00:00+00'::timestamp with time zone)) STORED,
    fingerprint uuid,
    CONSTRAINT decision_inputs_hash_check CHECK ((length(inputs_hash) = 32)),
    CONSTRAINT decision_outcome_check CHECK ((outcome = ANY (ARRAY['allow'::text, 'needs_approval'::text, 'step_up'::text, 'deny'::text])))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.decision FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.decision OWNER TO bursar_owner;

CREATE TABLE bursar.entry (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    event_id uuid NOT NULL,
    reverses_id uuid,
    hold_id uuid,
    description text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT entry_check CHECK (((kind = 'reversal'::text) = (reverses_id IS NOT NULL))),
    CONSTRAINT entry_check1 CHECK (((kind = 'capture'::text) = (hold_id IS NOT NULL))),
    CONSTRAINT entry_kind_check CHECK ((kind = ANY (ARRAY['transfer'::text, 'capture'::text, 'reversal'::text, 'statement'::text, 'payment'::text, 'loan'::text])))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.entry FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.entry OWNER TO bursar_owner;

CREATE TABLE bursar.event (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    object text,
    body text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.event FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.event OWNER TO bursar_owner;

CREATE TABLE bursar.freeze_record (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    scope text NOT NULL,
    object_id uuid NOT NULL,
    reason text NOT NULL,
    frozen_by uuid NOT NULL,
    frozen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    resume_asked_by uuid,
    resume_asked_at timestamp with time zone,
    resumed_by uuid,
    resumed_at timestamp with time zone,
    CONSTRAINT freeze_record_check CHECK (((resumed_by IS NULL) OR (resumed_by <> resume_asked_by))),
    CONSTRAINT freeze_record_scope_check CHECK ((scope = ANY (ARRAY['tenant'::text, 'agent'::text, 'mandate'::text, 'account'::text])))
);

ALTER TABLE ONLY bursar.freeze_record FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.freeze_record OWNER TO bursar_owner;

CREATE TABLE bursar.hold (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    target_id uuid,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    captured_minor bigint DEFAULT 0 NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    description text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    placed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone,
    entry_id uuid,
    approval_id uuid,
    owner_id uuid,
    CONSTRAINT hold_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT hold_check CHECK (((captured_minor >= 0) AND (captured_minor <= amount_minor))),
    CONSTRAINT hold_check1 CHECK (((status = 'posted'::text) = (entry_id IS NOT NULL))),
    CONSTRAINT hold_check2 CHECK (((status = 'posted'::text) = (captured_minor > 0))),
    CONSTRAINT hold_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'voided'::text, 'expired'::text])))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.hold FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.hold OWNER TO bursar_owner;

CREATE TABLE bursar.job (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    definition text NOT NULL,
    definition_version integer CONSTRAINT job_definition_version_not_null1 NOT NULL,
    status text NOT NULL,
    stage text NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint,
    reference text,
    purpose text,
    initiated_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    step smallint NOT NULL,
    role text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    max_attempts integer,
    run_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone,
    barred uuid[] NOT NULL,
    kept_for uuid,
    kept_until timestamp with time zone,
    holder_id uuid,
    token bigint,
    lease_until timestamp with time zone,
    approval_id uuid,
    last_error text,
    ends_as text,
    CONSTRAINT job_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT job_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT job_check CHECK (((status = 'active'::text) = (state <> 'closed'::text))),
    CONSTRAINT job_check1 CHECK (((state = 'claimed'::text) = (lease_until IS NOT NULL))),
    CONSTRAINT job_check3 CHECK (((state = 'awaiting_approval'::text) = (approval_id IS NOT NULL))),
    CONSTRAINT job_check4 CHECK (((status = ANY (ARRAY['done'::text, 'failed'::text, 'canceled'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT job_check5 CHECK (((status = 'compensating'::text) = (ends_as IS NOT NULL))),
    CONSTRAINT job_ends_as_check CHECK ((ends_as = ANY (ARRAY['failed'::text, 'canceled'::text]))),
    CONSTRAINT job_holder_check CHECK (((state = ANY (ARRAY['claimed'::text, 'awaiting_approval'::text, 'awaiting_payment'::text])) = ((holder_id IS NOT NULL) AND (token IS NOT NULL)))),
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'claimed'::text, 'awaiting_approval'::text, 'awaiting_payment'::text, 'closed'::text]))),
    CONSTRAINT job_status_check CHECK ((status = ANY (ARRAY['active'::text, 'compensating'::text, 'done'::text, 'failed'::text, 'canceled'::text]))),
    CONSTRAINT job_step_check CHECK ((step > 0)),
    CONSTRAINT job_version_check CHECK ((version > 0))
)
WITH (fillfactor='60');

ALTER TABLE ONLY bursar.job FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.job OWNER TO bursar_owner;

CREATE TABLE bursar.job_definition (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    body text NOT NULL,
    body_hash bytea NOT NULL,
    kept_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    made_by uuid,
    CONSTRAINT job_definition_body_hash_check CHECK ((length(body_hash) = 32)),
    CONSTRAINT job_definition_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.job_definition FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_definition OWNER TO bursar_owner;

CREATE TABLE bursar.job_effect (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    step smallint NOT NULL,
    share smallint NOT NULL,
    kind text NOT NULL,
    hold_id uuid,
    entry_id uuid,
    done_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    attempt_id uuid,
    CONSTRAINT job_effect_kind_check CHECK ((kind = ANY (ARRAY['reserved'::text, 'captured'::text, 'released'::text, 'reversed'::text]))),
    CONSTRAINT job_effect_names CHECK (
CASE
    WHEN (attempt_id IS NOT NULL) THEN ((hold_id IS NULL) AND (entry_id IS NULL))
    WHEN (kind = 'captured'::text) THEN ((hold_id IS NOT NULL) AND (entry_id IS NOT NULL))
    WHEN (kind = 'reversed'::text) THEN ((hold_id IS NULL) AND (entry_id IS NOT NULL))
    ELSE ((hold_id IS NOT NULL) AND (entry_id IS NULL))
END)
);

ALTER TABLE ONLY bursar.job_effect FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_effect OWNER TO bursar_owner;

CREATE TABLE bursar.job_event (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    stage text NOT NULL,
    step smallint NOT NULL,
    actor_id uuid,
    note text,
    happened_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY bursar.job_event FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_event OWNER TO bursar_owner;

CREATE TABLE bursar.job_share (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    no smallint NOT NULL,
    source_id uuid,
    target_id uuid,
    weight bigint NOT NULL,
    amount_minor bigint,
    method_id uuid,
    CONSTRAINT job_share_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT job_share_check CHECK ((source_id <> target_id)),
    CONSTRAINT job_share_check1 CHECK ((num_nonnulls(source_id, target_id, method_id) = 2)),
    CONSTRAINT job_share_weight_check CHECK ((weight > 0))
);

ALTER TABLE ONLY bursar.job_share FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_share OWNER TO bursar_owner;

CREATE TABLE bursar.job_step (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    no smallint NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    done_by uuid NOT NULL,
    token bigint NOT NULL,
    attempts integer NOT NULL,
    note text,
    done_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY bursar.job_step FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_step OWNER TO bursar_owner;

CREATE TABLE bursar.limit_usage (
    tenant_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    window_key text NOT NULL,
    payee_id uuid NOT NULL,
    bucket timestamp with time zone NOT NULL,
    amount_minor bigint NOT NULL,
    uses bigint NOT NULL,
    given_back bigint DEFAULT 0 NOT NULL,
    CONSTRAINT limit_usage_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT limit_usage_uses_check CHECK ((uses >= 0))
)
WITH (fillfactor='70', autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.limit_usage FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.limit_usage OWNER TO bursar_owner;

CREATE TABLE bursar.posting (
    tenant_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    seq integer NOT NULL,
    source_id uuid NOT NULL,
    target_id uuid NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    source_version bigint NOT NULL,
    source_balance bigint NOT NULL,
    target_version bigint NOT NULL,
    target_balance bigint NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    CONSTRAINT posting_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT posting_check CHECK ((source_id <> target_id))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.posting FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.posting OWNER TO bursar_owner;

CREATE VIEW bursar.line WITH (security_invoker='true') AS
 SELECT p.tenant_id,
    p.source_id AS account_id,
    p.source_version AS version,
    p.source_balance AS balance_minor,
        CASE a.normal_side
            WHEN 'credit'::text THEN (- p.amount_minor)
            ELSE p.amount_minor
        END AS change_minor,
    'debit'::text AS side,
    p.target_id AS counterparty_id,
    p.amount_minor,
    p.currency,
    p.effective_at,
    p.entry_id,
    p.seq
   FROM (bursar.posting p
     JOIN bursar.account a ON (((p.tenant_id = a.tenant_id) AND (p.source_id = a.id))))
UNION ALL
 SELECT p.tenant_id,
    p.target_id AS account_id,
    p.target_version AS version,
    p.target_balance AS balance_minor,
        CASE a.normal_side
            WHEN 'credit'::text THEN p.amount_minor
            ELSE (- p.amount_minor)
        END AS change_minor,
    'credit'::text AS side,
    p.source_id AS counterparty_id,
    p.amount_minor,
    p.currency,
    p.effective_at,
    p.entry_id,
    p.seq
   FROM (bursar.posting p
     JOIN bursar.account a ON (((p.tenant_id = a.tenant_id) AND (p.target_id = a.id))));

ALTER VIEW bursar.line OWNER TO bursar_owner;

CREATE TABLE bursar.loan (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    application_id uuid CONSTRAINT loan_application_id_not_null1 NOT NULL,
    product text NOT NULL,
    product_version integer CONSTRAINT loan_product_version_not_null1 NOT NULL,
    currency character(3) NOT NULL,
    principal_minor bigint NOT NULL,
    installments integer NOT NULL,
    made_by uuid NOT NULL,
    decider_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    approval_id uuid,
    awaits text,
    disbursed_on date,
    facts integer DEFAULT 0 NOT NULL,
    status text NOT NULL,
    day date,
    next_due date,
    bucket text NOT NULL,
    flows bigint[] NOT NULL,
    state text NOT NULL,
    CONSTRAINT loan_bucket_check CHECK ((bucket = ANY (ARRAY['current'::text, '1-30'::text, '31-60'::text, '61-90'::text, '90+'::text]))),
    CONSTRAINT loan_check CHECK (((approval_id IS NULL) = (awaits IS NULL))),
    CONSTRAINT loan_check1 CHECK ((((disbursed_on IS NULL) = (status = 'pending'::text)) AND ((day IS NULL) = (status = 'pending'::text)))),
    CONSTRAINT loan_facts_check CHECK ((facts >= 0)),
    CONSTRAINT loan_installments_check CHECK ((installments > 0)),
    CONSTRAINT loan_principal_minor_check CHECK ((principal_minor > 0)),
    CONSTRAINT loan_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'active'::text, 'settled'::text, 'charged_off'::text, 'written_off'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.loan FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan OWNER TO bursar_owner;

CREATE TABLE bursar.loan_accrual (
    tenant_id uuid NOT NULL,
    loan_id uuid NOT NULL,
    day date NOT NULL,
    interest_minor bigint NOT NULL,
    penalty_minor bigint NOT NULL,
    principal_owed_minor bigint DEFAULT 0 NOT NULL,
    interest_owed_minor bigint DEFAULT 0 NOT NULL,
    fees_owed_minor bigint DEFAULT 0 NOT NULL,
    penalties_owed_minor bigint DEFAULT 0 NOT NULL,
    bucket text DEFAULT 'current'::text NOT NULL,
    CONSTRAINT loan_accrual_interest_minor_check CHECK ((interest_minor >= 0)),
    CONSTRAINT loan_accrual_penalty_minor_check CHECK ((penalty_minor >= 0))
);

ALTER TABLE ONLY bursar.loan_accrual FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_accrual OWNER TO bursar_owner;

CREATE TABLE bursar.loan_application (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    product text NOT NULL,
    product_version integer NOT NULL,
    status text NOT NULL,
    email text NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    installments integer NOT NULL,
    intake text NOT NULL,
    made_by uuid NOT NULL,
    decider_id uuid NOT NULL,
    approval_id uuid,
    awaits text,
    case_id uuid,
    follows_id uuid,
    latest boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT loan_application_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT loan_application_awaits_check CHECK ((awaits = ANY (ARRAY['approved'::text, 'rejected'::text, 'review'::text, 'accepted'::text]))),
    CONSTRAINT loan_application_check CHECK (((approval_id IS NULL) = (awaits IS NULL))),
    CONSTRAINT loan_application_check1 CHECK (((expires_at IS NULL) = (status = ANY (ARRAY['rejected'::text, 'accepted'::text, 'withdrawn'::text, 'expired'::text])))),
    CONSTRAINT loan_application_email_check CHECK ((email = lower(email))),
    CONSTRAINT loan_application_installments_check CHECK ((installments > 0)),
    CONSTRAINT loan_application_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'review'::text, 'approved'::text, 'rejected'::text, 'offered'::text, 'accepted'::text, 'withdrawn'::text, 'expired'::text]))),
    CONSTRAINT loan_application_version_check CHECK ((version > 0))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.loan_application FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_application OWNER TO bursar_owner;

CREATE TABLE bursar.loan_application_event (
    tenant_id uuid NOT NULL,
    application_id uuid NOT NULL,
    version integer NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    actor_id uuid,
    body text NOT NULL,
    happened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT loan_application_event_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.loan_application_event FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_application_event OWNER TO bursar_owner;

CREATE TABLE bursar.loan_collection (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loan_id uuid NOT NULL,
    job_id uuid NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_as text,
    CONSTRAINT loan_collection_check CHECK (((ended_at IS NULL) = (ended_as IS NULL))),
    CONSTRAINT loan_collection_ended_as_check CHECK ((ended_as = ANY (ARRAY['paid'::text, 'paused'::text, 'charged_off'::text, 'written_off'::text])))
);

ALTER TABLE ONLY bursar.loan_collection FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_collection OWNER TO bursar_owner;

CREATE TABLE bursar.loan_contact_rules (
    tenant_id uuid NOT NULL,
    product text NOT NULL,
    version integer NOT NULL,
    rules text NOT NULL,
    rules_hash bytea NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT loan_contact_rules_rules_hash_check CHECK ((length(rules_hash) = 32)),
    CONSTRAINT loan_contact_rules_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.loan_contact_rules FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_contact_rules OWNER TO bursar_owner;

CREATE TABLE bursar.loan_decision (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    application_version integer NOT NULL,
    outcome text NOT NULL,
    decided_by uuid NOT NULL,
    reason text,
    inputs text NOT NULL,
    inputs_hash bytea NOT NULL,
    judgement text NOT NULL,
    event_id uuid NOT NULL,
    decided_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT loan_decision_inputs_hash_check CHECK ((length(inputs_hash) = 32)),
    CONSTRAINT loan_decision_outcome_check CHECK ((outcome = ANY (ARRAY['approved'::text, 'rejected'::text, 'review'::text])))
);

ALTER TABLE ONLY bursar.loan_decision FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_decision OWNER TO bursar_owner;

CREATE TABLE bursar.loan_fact (
    tenant_id uuid NOT NULL,
    loan_id uuid NOT NULL,
    seq integer NOT NULL,
    type text NOT NULL,
    happened_on date NOT NULL,
    body text NOT NULL,
    replaced bigint[],
    event_id uuid NOT NULL,
    entry_id uuid,
    account_id uuid,
    actor_id uuid,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT loan_fact_seq_check CHECK ((seq > 0))
);

ALTER TABLE ONLY bursar.loan_fact FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_fact OWNER TO bursar_owner;

CREATE TABLE bursar.loan_mail (
    tenant_id uuid NOT NULL,
    reminder_id uuid NOT NULL,
    status text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    error text,
    ended_at timestamp with time zone,
    CONSTRAINT loan_mail_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT loan_mail_check CHECK (((status = ANY (ARRAY['pending'::text, 'sending'::text])) = (ended_at IS NULL))),
    CONSTRAINT loan_mail_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sending'::text, 'sent'::text, 'failed'::text, 'unknown'::text])))
);

ALTER TABLE ONLY bursar.loan_mail FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_mail OWNER TO bursar_owner;

CREATE TABLE bursar.loan_offer (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    application_version integer NOT NULL,
    terms text NOT NULL,
    terms_hash bytea NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT loan_offer_terms_hash_check CHECK ((length(terms_hash) = 32))
);

ALTER TABLE ONLY bursar.loan_offer FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_offer OWNER TO bursar_owner;

CREATE TABLE bursar.loan_plan (
    tenant_id uuid NOT NULL,
    loan_id uuid NOT NULL,
    plan text NOT NULL,
    closed text NOT NULL
);

ALTER TABLE ONLY bursar.loan_plan FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_plan OWNER TO bursar_owner;

CREATE TABLE bursar.loan_product (
    tenant_id uuid NOT NULL,
    code text NOT NULL,
    version integer NOT NULL,
    terms text NOT NULL,
    terms_hash bytea NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT loan_product_code_check CHECK ((code ~ '^[a-z][a-z0-9_-]{0,31}$'::text)),
    CONSTRAINT loan_product_terms_hash_check CHECK ((length(terms_hash) = 32)),
    CONSTRAINT loan_product_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.loan_product FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_product OWNER TO bursar_owner;

CREATE TABLE bursar.loan_promise (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loan_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    facts integer NOT NULL,
    made_on date NOT NULL,
    due_on date NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT loan_promise_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT loan_promise_check CHECK ((due_on >= made_on))
);

ALTER TABLE ONLY bursar.loan_promise FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_promise OWNER TO bursar_owner;

CREATE TABLE bursar.loan_promise_end (
    tenant_id uuid NOT NULL,
    promise_id uuid NOT NULL,
    status text NOT NULL,
    paid_minor bigint NOT NULL,
    ended_by uuid,
    reason text,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT loan_promise_end_check CHECK (((status = 'cancelled'::text) = (ended_by IS NOT NULL))),
    CONSTRAINT loan_promise_end_paid_minor_check CHECK ((paid_minor >= 0)),
    CONSTRAINT loan_promise_end_status_check CHECK ((status = ANY (ARRAY['kept'::text, 'broken'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY bursar.loan_promise_end FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_promise_end OWNER TO bursar_owner;

CREATE TABLE bursar.loan_reminder (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    loan_id uuid NOT NULL,
    collection_id uuid NOT NULL,
    template text NOT NULL,
    template_version integer CONSTRAINT loan_reminder_template_version_not_null1 NOT NULL,
    rules_product text NOT NULL,
    rules_version integer NOT NULL,
    channel text NOT NULL,
    recipient text,
    subject text NOT NULL,
    body text NOT NULL,
    text_hash bytea NOT NULL,
    sent_by uuid NOT NULL,
    event_id uuid NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT loan_reminder_channel_check CHECK ((channel = ANY (ARRAY['webhook'::text, 'email'::text]))),
    CONSTRAINT loan_reminder_check CHECK (((channel = 'email'::text) = (recipient IS NOT NULL))),
    CONSTRAINT loan_reminder_text_hash_check CHECK ((length(text_hash) = 32))
);

ALTER TABLE ONLY bursar.loan_reminder FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_reminder OWNER TO bursar_owner;

CREATE TABLE bursar.loan_reminder_template (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    made_by uuid NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT loan_reminder_template_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.loan_reminder_template FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_reminder_template OWNER TO bursar_owner;

CREATE TABLE bursar.loan_scorecard (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    card text NOT NULL,
    card_hash bytea NOT NULL,
    drafted_by uuid NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    CONSTRAINT loan_scorecard_card_hash_check CHECK ((length(card_hash) = 32)),
    CONSTRAINT loan_scorecard_name_check CHECK ((name ~ '^[a-z][a-z0-9_-]{0,31}$'::text)),
    CONSTRAINT loan_scorecard_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.loan_scorecard FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_scorecard OWNER TO bursar_owner;

CREATE TABLE bursar.loan_scorecard_stage (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    changed_by uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT loan_scorecard_stage_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.loan_scorecard_stage FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_scorecard_stage OWNER TO bursar_owner;

CREATE TABLE bursar.loan_statement (
    tenant_id uuid NOT NULL,
    application_id uuid NOT NULL,
    application_version integer NOT NULL,
    origin text NOT NULL,
    document text,
    body text NOT NULL,
    body_hash bytea NOT NULL,
    CONSTRAINT loan_statement_body_hash_check CHECK ((length(body_hash) = 32)),
    CONSTRAINT loan_statement_check CHECK (((origin = 'document'::text) = (document IS NOT NULL))),
    CONSTRAINT loan_statement_origin_check CHECK ((origin = ANY (ARRAY['stated'::text, 'document'::text, 'inferred'::text])))
);

ALTER TABLE ONLY bursar.loan_statement FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_statement OWNER TO bursar_owner;

CREATE TABLE bursar.mandate (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    agent_id uuid,
    team text,
    parent_id uuid,
    status text NOT NULL,
    not_before timestamp with time zone,
    expires_at timestamp with time zone,
    terms text NOT NULL,
    granted_by uuid NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    turn uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    CONSTRAINT mandate_check CHECK (((agent_id IS NULL) OR (team IS NULL))),
    CONSTRAINT mandate_check1 CHECK ((parent_id <> id)),
    CONSTRAINT mandate_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'paused'::text, 'revoked'::text])))
)
WITH (fillfactor='70', autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.mandate FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.mandate OWNER TO bursar_owner;

CREATE TABLE bursar.mandate_version (
    tenant_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    not_before timestamp with time zone,
    expires_at timestamp with time zone,
    terms text NOT NULL,
    changed_by uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY bursar.mandate_version FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.mandate_version OWNER TO bursar_owner;

CREATE TABLE bursar.operator_credential (
    tenant_id uuid NOT NULL,
    id bytea NOT NULL,
    operator_id uuid NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    enrolled_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    removed_at timestamp with time zone
);

ALTER TABLE ONLY bursar.operator_credential FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.operator_credential OWNER TO bursar_owner;

CREATE TABLE bursar.operator_totp (
    tenant_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    secret text NOT NULL,
    last_step bigint DEFAULT 0 NOT NULL,
    enrolled_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    wrong_at timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL
);

ALTER TABLE ONLY bursar.operator_totp FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.operator_totp OWNER TO bursar_owner;

CREATE TABLE bursar.payment (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    account_id uuid NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    capture text NOT NULL,
    customer_id uuid,
    method_id uuid,
    status text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    rank integer DEFAULT 0 NOT NULL,
    captured_minor bigint DEFAULT 0 NOT NULL,
    refunded_minor bigint DEFAULT 0 NOT NULL,
    disputed_minor bigint DEFAULT 0 NOT NULL,
    fee_minor bigint DEFAULT 0 NOT NULL,
    reference text,
    failure text,
    action_url text,
    quarantined boolean DEFAULT false NOT NULL,
    description text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    in_suspense boolean DEFAULT false NOT NULL,
    CONSTRAINT payment_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payment_capture_check CHECK ((capture = ANY (ARRAY['automatic'::text, 'manual'::text]))),
    CONSTRAINT payment_check CHECK (((captured_minor >= 0) AND (captured_minor <= amount_minor))),
    CONSTRAINT payment_check1 CHECK (((refunded_minor >= 0) AND (refunded_minor <= captured_minor))),
    CONSTRAINT payment_disputed_minor_check CHECK ((disputed_minor >= 0)),
    CONSTRAINT payment_fee_minor_check CHECK ((fee_minor >= 0)),
    CONSTRAINT payment_status_check CHECK ((status = ANY (ARRAY['requires_confirmation'::text, 'requires_action'::text, 'processing'::text, 'requires_capture'::text, 'succeeded'::text, 'canceled'::text, 'failed'::text, 'unknown'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY bursar.payment FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment OWNER TO bursar_owner;

CREATE TABLE bursar.payment_attempt (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid,
    number integer NOT NULL,
    kind text NOT NULL,
    provider text NOT NULL,
    account_id uuid NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    status text NOT NULL,
    reference text,
    method text,
    final boolean DEFAULT true NOT NULL,
    failure text,
    description text,
    event_id uuid NOT NULL,
    approval_id uuid,
    principal_id uuid,
    claim_id uuid,
    request_hash bytea,
    asked integer DEFAULT 0 NOT NULL,
    ask_at timestamp with time zone,
    leased_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    target_id uuid,
    origin text,
    job_id uuid,
    job_share smallint,
    in_suspense boolean DEFAULT false NOT NULL,
    CONSTRAINT payment_attempt_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT payment_attempt_check CHECK (((kind = ANY (ARRAY['payout'::text, 'transfer'::text])) = (payment_id IS NULL))),
    CONSTRAINT payment_attempt_check1 CHECK (((amount_minor > 0) OR (kind = 'cancel'::text))),
    CONSTRAINT payment_attempt_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'payout'::text, 'transfer'::text]))),
    CONSTRAINT payment_attempt_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'pending'::text, 'unknown'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text]))),
    CONSTRAINT payment_attempt_target_check CHECK ((((kind = 'transfer'::text) = (target_id IS NOT NULL)) AND ((kind = 'transfer'::text) = (origin IS NOT NULL))))
)
WITH (fillfactor='80');

ALTER TABLE ONLY bursar.payment_attempt FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_attempt OWNER TO bursar_owner;

CREATE TABLE bursar.payment_effect (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    payment_id uuid,
    attempt_id uuid,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    about text,
    entry_id uuid,
    booked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT payment_effect_fee_minor_check CHECK ((fee_minor >= 0)),
    CONSTRAINT payment_effect_kind_check CHECK ((kind = ANY (ARRAY['capture'::text, 'refund'::text, 'refund_failed'::text, 'dispute'::text, 'dispute_review'::text, 'dispute_won'::text, 'dispute_lost'::text, 'payout'::text, 'payout_paid'::text, 'payout_failed'::text, 'adjustment'::text, 'transfer'::text])))
);

ALTER TABLE ONLY bursar.payment_effect FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_effect OWNER TO bursar_owner;

CREATE TABLE bursar.payment_inbox (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    status text NOT NULL,
    about text,
    tries integer DEFAULT 0 NOT NULL,
    try_at timestamp with time zone,
    happened_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT payment_inbox_status_check CHECK ((status = ANY (ARRAY['applied'::text, 'ignored'::text, 'parked'::text])))
);

ALTER TABLE ONLY bursar.payment_inbox FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_inbox OWNER TO bursar_owner;

CREATE TABLE bursar.payment_method (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid,
    provider text NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    label text,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT payment_method_kind_check CHECK ((kind = ANY (ARRAY['card'::text, 'bank_account'::text, 'other'::text])))
);

ALTER TABLE ONLY bursar.payment_method FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_method OWNER TO bursar_owner;

CREATE TABLE bursar.principal (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    roles text[] DEFAULT '{}'::text[] NOT NULL,
    team text,
    CONSTRAINT principal_kind_check CHECK ((kind = ANY (ARRAY['agent'::text, 'operator'::text, 'service'::text]))),
    CONSTRAINT principal_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE ONLY bursar.principal FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.principal OWNER TO bursar_owner;

CREATE TABLE bursar.provider_transaction (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    reference text,
    CONSTRAINT provider_transaction_check CHECK ((net_minor = (amount_minor - fee_minor))),
    CONSTRAINT provider_transaction_id_check CHECK (((length(id) >= 1) AND (length(id) <= 200))),
    CONSTRAINT provider_transaction_kind_check CHECK (((length(kind) >= 1) AND (length(kind) <= 64))),
    CONSTRAINT provider_transaction_provider_check CHECK ((provider ~ '^[a-z][a-z0-9_-]{0,31}$'::text))
);

ALTER TABLE ONLY bursar.provider_transaction FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.provider_transaction OWNER TO bursar_owner;

CREATE TABLE bursar.reconciliation_break (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    leg text NOT NULL,
    pairing bytea NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    currency character(3) NOT NULL,
    difference_minor bigint NOT NULL,
    account_id uuid,
    reference text,
    counterparty text,
    items text NOT NULL,
    why text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    reason text,
    entry_id uuid,
    settled_by uuid,
    case_id uuid,
    run_id uuid NOT NULL,
    found_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT reconciliation_break_check CHECK (((state = 'posted'::text) = (entry_id IS NOT NULL))),
    CONSTRAINT reconciliation_break_check1 CHECK (((state = ANY (ARRAY['accepted'::text, 'posted'::text])) = (reason IS NOT NULL))),
    CONSTRAINT reconciliation_break_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT reconciliation_break_kind_check CHECK ((kind = ANY (ARRAY['missing_in_ledger'::text, 'missing_at_provider'::text, 'missing_at_bank'::text, 'amount_differs'::text, 'date_differs'::text, 'duplicate'::text]))),
    CONSTRAINT reconciliation_break_leg_check CHECK ((leg = ANY (ARRAY['ledger_bank'::text, 'ledger_provider'::text, 'provider_bank'::text]))),
    CONSTRAINT reconciliation_break_pairing_check CHECK ((length(pairing) = 32)),
    CONSTRAINT reconciliation_break_state_check CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'posted'::text, 'cleared'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY bursar.reconciliation_break FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.reconciliation_break OWNER TO bursar_owner;

CREATE TABLE bursar.reconciliation_match (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    number integer NOT NULL,
    leg text NOT NULL,
    how text NOT NULL,
    why text NOT NULL,
    items text NOT NULL
);

ALTER TABLE ONLY bursar.reconciliation_match FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.reconciliation_match OWNER TO bursar_owner;

CREATE TABLE bursar.reconciliation_run (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    scope text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    currency character(3) NOT NULL,
    matched integer NOT NULL,
    broken integer NOT NULL,
    settled integer NOT NULL,
    cleared integer NOT NULL,
    ran_by uuid NOT NULL,
    ran_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY bursar.reconciliation_run FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.reconciliation_run OWNER TO bursar_owner;

CREATE TABLE bursar.risk_rules (
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    rules text NOT NULL,
    rules_hash bytea NOT NULL,
    drafted_by uuid NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    CONSTRAINT risk_rules_rules_hash_check CHECK ((length(rules_hash) = 32)),
    CONSTRAINT risk_rules_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY bursar.risk_rules FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.risk_rules OWNER TO bursar_owner;

CREATE TABLE bursar.risk_stage (
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    changed_by uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT risk_stage_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'shadow'::text, 'active'::text, 'retired'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.risk_stage FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.risk_stage OWNER TO bursar_owner;

CREATE TABLE bursar.rulebook (
    tenant_id uuid NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY bursar.rulebook FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.rulebook OWNER TO bursar_owner;

CREATE TABLE bursar.sandbox_event (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    step text NOT NULL,
    key text NOT NULL,
    body text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone,
    CONSTRAINT sandbox_event_step_check CHECK ((step = ANY (ARRAY['tell'::text, 'authenticate'::text, 'pay'::text, 'dispute'::text, 'fault'::text])))
);

ALTER TABLE ONLY bursar.sandbox_event FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.sandbox_event OWNER TO bursar_owner;

CREATE TABLE bursar.sandbox_payment (
    tenant_id uuid NOT NULL,
    key text NOT NULL,
    reference text NOT NULL,
    parent text,
    kind text NOT NULL,
    asked text NOT NULL,
    method text,
    standing text NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    failure text,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT sandbox_payment_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT sandbox_payment_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'payout'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY bursar.sandbox_payment FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.sandbox_payment OWNER TO bursar_owner;

CREATE TABLE bursar.sandbox_transaction (
    tenant_id uuid NOT NULL,
    reference text NOT NULL,
    parent text NOT NULL,
    key text,
    about text,
    kind text NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY bursar.sandbox_transaction FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.sandbox_transaction OWNER TO bursar_owner;

CREATE TABLE bursar.schema_migration (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE bursar.schema_migration OWNER TO bursar_owner;

CREATE TABLE bursar.statement_movement (
    tenant_id uuid NOT NULL,
    mapping text NOT NULL,
    reference text NOT NULL,
    entry_id uuid NOT NULL
);

ALTER TABLE ONLY bursar.statement_movement FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.statement_movement OWNER TO bursar_owner;

CREATE TABLE bursar.step_up_challenge (
    tenant_id uuid NOT NULL,
    operator_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    nonce bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT step_up_challenge_nonce_check CHECK ((length(nonce) = 32))
);

ALTER TABLE ONLY bursar.step_up_challenge FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.step_up_challenge OWNER TO bursar_owner;

CREATE TABLE bursar.tenant (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    CONSTRAINT tenant_status_check CHECK ((status = ANY (ARRAY['active'::text, 'frozen'::text])))
);

ALTER TABLE ONLY bursar.tenant FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.tenant OWNER TO bursar_owner;

CREATE TABLE bursar.webhook_attempt (
    tenant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    latency_ms integer NOT NULL,
    status integer,
    error text,
    answer text NOT NULL,
    CONSTRAINT webhook_attempt_check CHECK (((status IS NULL) = (error IS NOT NULL))),
    CONSTRAINT webhook_attempt_latency_ms_check CHECK ((latency_ms >= 0))
);

ALTER TABLE ONLY bursar.webhook_attempt FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_attempt OWNER TO bursar_owner;

CREATE TABLE bursar.webhook_cursor (
    tenant_id uuid NOT NULL,
    xid xid8 NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.webhook_cursor FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_cursor OWNER TO bursar_owner;

CREATE TABLE bursar.webhook_delivery (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    taken integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    replay_of uuid,
    CONSTRAINT webhook_delivery_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT webhook_delivery_check CHECK (((status = 'pending'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_delivery_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT webhook_delivery_taken_check CHECK ((taken >= 0))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.webhook_delivery FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_delivery OWNER TO bursar_owner;

CREATE TABLE bursar.webhook_endpoint (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    events text[] NOT NULL,
    status text NOT NULL,
    status_why text,
    since xid8 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_success_at timestamp with time zone,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT webhook_endpoint_failures_check CHECK ((failures >= 0)),
    CONSTRAINT webhook_endpoint_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text, 'retired'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY bursar.webhook_endpoint FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_endpoint OWNER TO bursar_owner;

CREATE TABLE bursar.webhook_secret (
    tenant_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    id uuid NOT NULL,
    secret text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone
);

ALTER TABLE ONLY bursar.webhook_secret FORCE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_secret OWNER TO bursar_owner;

ALTER TABLE ONLY bursar.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.account
    ADD CONSTRAINT account_tenant_id_id_currency_key UNIQUE (tenant_id, id, currency);

ALTER TABLE ONLY bursar.account
    ADD CONSTRAINT account_tenant_id_number_key UNIQUE (tenant_id, number);

ALTER TABLE ONLY bursar.answer
    ADD CONSTRAINT answer_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.approval_vote
    ADD CONSTRAINT approval_vote_pkey PRIMARY KEY (tenant_id, approval_id, operator_id);

ALTER TABLE ONLY bursar.bank_line
    ADD CONSTRAINT bank_line_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.bank_line
    ADD CONSTRAINT bank_line_tenant_id_source_account_identity_key UNIQUE (tenant_id, source, account, identity);

ALTER TABLE ONLY bursar.bank_statement
    ADD CONSTRAINT bank_statement_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.bank_statement
    ADD CONSTRAINT bank_statement_tenant_id_source_account_content_hash_key UNIQUE (tenant_id, source, account, content_hash);

ALTER TABLE ONLY bursar.case_note
    ADD CONSTRAINT case_note_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.case_record
    ADD CONSTRAINT case_record_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.counterparty
    ADD CONSTRAINT counterparty_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.counterparty
    ADD CONSTRAINT counterparty_tenant_id_account_id_key UNIQUE (tenant_id, account_id);

ALTER TABLE ONLY bursar.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.customer
    ADD CONSTRAINT customer_tenant_id_external_id_key UNIQUE (tenant_id, external_id);

ALTER TABLE ONLY bursar.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.entry
    ADD CONSTRAINT entry_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.freeze_record
    ADD CONSTRAINT freeze_record_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.job_definition
    ADD CONSTRAINT job_definition_pkey PRIMARY KEY (tenant_id, name, version);

ALTER TABLE ONLY bursar.job_effect
    ADD CONSTRAINT job_effect_pkey PRIMARY KEY (tenant_id, job_id, kind, share);

ALTER TABLE ONLY bursar.job_event
    ADD CONSTRAINT job_event_pkey PRIMARY KEY (tenant_id, job_id, version);

ALTER TABLE ONLY bursar.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.job_share
    ADD CONSTRAINT job_share_pkey PRIMARY KEY (tenant_id, job_id, no);

ALTER TABLE ONLY bursar.job_step
    ADD CONSTRAINT job_step_pkey PRIMARY KEY (tenant_id, job_id, no);

ALTER TABLE ONLY bursar.limit_usage
    ADD CONSTRAINT limit_usage_pkey PRIMARY KEY (tenant_id, mandate_id, window_key, payee_id, bucket);

ALTER TABLE ONLY bursar.loan_accrual
    ADD CONSTRAINT loan_accrual_pkey PRIMARY KEY (tenant_id, loan_id, day);

ALTER TABLE ONLY bursar.loan_application_event
    ADD CONSTRAINT loan_application_event_pkey PRIMARY KEY (tenant_id, application_id, version);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_collection
    ADD CONSTRAINT loan_collection_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_collection
    ADD CONSTRAINT loan_collection_tenant_id_job_id_key UNIQUE (tenant_id, job_id);

ALTER TABLE ONLY bursar.loan_contact_rules
    ADD CONSTRAINT loan_contact_rules_pkey PRIMARY KEY (tenant_id, product, version);

ALTER TABLE ONLY bursar.loan_decision
    ADD CONSTRAINT loan_decision_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_decision
    ADD CONSTRAINT loan_decision_tenant_id_application_id_application_version_key UNIQUE (tenant_id, application_id, application_version);

ALTER TABLE ONLY bursar.loan_fact
    ADD CONSTRAINT loan_fact_pkey PRIMARY KEY (tenant_id, loan_id, seq);

ALTER TABLE ONLY bursar.loan_mail
    ADD CONSTRAINT loan_mail_pkey PRIMARY KEY (tenant_id, reminder_id);

ALTER TABLE ONLY bursar.loan_offer
    ADD CONSTRAINT loan_offer_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_offer
    ADD CONSTRAINT loan_offer_tenant_id_application_id_key UNIQUE (tenant_id, application_id);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_plan
    ADD CONSTRAINT loan_plan_pkey PRIMARY KEY (tenant_id, loan_id);

ALTER TABLE ONLY bursar.loan_product
    ADD CONSTRAINT loan_product_pkey PRIMARY KEY (tenant_id, code, version);

ALTER TABLE ONLY bursar.loan_promise_end
    ADD CONSTRAINT loan_promise_end_pkey PRIMARY KEY (tenant_id, promise_id);

ALTER TABLE ONLY bursar.loan_promise
    ADD CONSTRAINT loan_promise_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_reminder
    ADD CONSTRAINT loan_reminder_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.loan_reminder_template
    ADD CONSTRAINT loan_reminder_template_pkey PRIMARY KEY (tenant_id, name, version);

ALTER TABLE ONLY bursar.loan_scorecard
    ADD CONSTRAINT loan_scorecard_pkey PRIMARY KEY (tenant_id, name, version);

ALTER TABLE ONLY bursar.loan_scorecard_stage
    ADD CONSTRAINT loan_scorecard_stage_pkey PRIMARY KEY (tenant_id, name, version);

ALTER TABLE ONLY bursar.loan_statement
    ADD CONSTRAINT loan_statement_pkey PRIMARY KEY (tenant_id, application_id, application_version);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_tenant_id_application_id_key UNIQUE (tenant_id, application_id);

ALTER TABLE ONLY bursar.mandate
    ADD CONSTRAINT mandate_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.mandate_version
    ADD CONSTRAINT mandate_version_pkey PRIMARY KEY (tenant_id, mandate_id, version);

ALTER TABLE ONLY bursar.operator_credential
    ADD CONSTRAINT operator_credential_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.operator_totp
    ADD CONSTRAINT operator_totp_pkey PRIMARY KEY (tenant_id, operator_id);

ALTER TABLE ONLY bursar.payment_attempt
    ADD CONSTRAINT payment_attempt_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.payment_effect
    ADD CONSTRAINT payment_effect_pkey PRIMARY KEY (tenant_id, provider, reference);

ALTER TABLE ONLY bursar.payment_inbox
    ADD CONSTRAINT payment_inbox_pkey PRIMARY KEY (tenant_id, provider, event_id);

ALTER TABLE ONLY bursar.payment_method
    ADD CONSTRAINT payment_method_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.posting
    ADD CONSTRAINT posting_pkey PRIMARY KEY (tenant_id, entry_id, seq);

ALTER TABLE ONLY bursar.principal
    ADD CONSTRAINT principal_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.principal
    ADD CONSTRAINT principal_tenant_id_name_key UNIQUE (tenant_id, name);

ALTER TABLE ONLY bursar.provider_transaction
    ADD CONSTRAINT provider_transaction_pkey PRIMARY KEY (tenant_id, provider, id);

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_tenant_id_fingerprint_key UNIQUE (tenant_id, fingerprint);

ALTER TABLE ONLY bursar.reconciliation_match
    ADD CONSTRAINT reconciliation_match_pkey PRIMARY KEY (tenant_id, run_id, number);

ALTER TABLE ONLY bursar.reconciliation_run
    ADD CONSTRAINT reconciliation_run_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.risk_rules
    ADD CONSTRAINT risk_rules_pkey PRIMARY KEY (tenant_id, version);

ALTER TABLE ONLY bursar.risk_stage
    ADD CONSTRAINT risk_stage_pkey PRIMARY KEY (tenant_id, version);

ALTER TABLE ONLY bursar.rulebook
    ADD CONSTRAINT rulebook_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY bursar.sandbox_event
    ADD CONSTRAINT sandbox_event_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.sandbox_payment
    ADD CONSTRAINT sandbox_payment_pkey PRIMARY KEY (tenant_id, key);

ALTER TABLE ONLY bursar.sandbox_payment
    ADD CONSTRAINT sandbox_payment_tenant_id_reference_key_key UNIQUE (tenant_id, reference, key);

ALTER TABLE ONLY bursar.sandbox_transaction
    ADD CONSTRAINT sandbox_transaction_pkey PRIMARY KEY (tenant_id, reference);

ALTER TABLE ONLY bursar.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (name);

ALTER TABLE ONLY bursar.statement_movement
    ADD CONSTRAINT statement_movement_pkey PRIMARY KEY (tenant_id, mapping, reference);

ALTER TABLE ONLY bursar.statement_movement
    ADD CONSTRAINT statement_movement_tenant_id_entry_id_key UNIQUE (tenant_id, entry_id);

ALTER TABLE ONLY bursar.step_up_challenge
    ADD CONSTRAINT step_up_challenge_pkey PRIMARY KEY (tenant_id, operator_id, subject_id);

ALTER TABLE ONLY bursar.tenant
    ADD CONSTRAINT tenant_name_key UNIQUE (name);

ALTER TABLE ONLY bursar.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY bursar.webhook_attempt
    ADD CONSTRAINT webhook_attempt_pkey PRIMARY KEY (tenant_id, delivery_id, number);

ALTER TABLE ONLY bursar.webhook_cursor
    ADD CONSTRAINT webhook_cursor_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY bursar.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY bursar.webhook_secret
    ADD CONSTRAINT webhook_secret_pkey PRIMARY KEY (tenant_id, endpoint_id, id);

CREATE UNIQUE INDEX account_by_upstream ON bursar.account USING btree (tenant_id, upstream) WHERE (upstream IS NOT NULL);

CREATE INDEX answer_kept ON bursar.answer USING btree (created_at) WHERE ((NOT forgotten) AND (status < 400));

CREATE INDEX api_key_of_principal ON bursar.api_key USING btree (tenant_id, principal_id);

CREATE UNIQUE INDEX approval_asked_once ON bursar.approval USING btree (tenant_id, mandate_id, maker_id) WHERE ((status = 'pending'::text) AND (mandate_id IS NOT NULL));

CREATE INDEX approval_due ON bursar.approval USING btree (expires_at) WHERE (status = 'pending'::text);

CREATE INDEX approval_open ON bursar.approval USING btree (tenant_id, id) WHERE (status = 'pending'::text);

CREATE INDEX approval_to_execute ON bursar.approval USING btree (id) WHERE ((status = 'approved'::text) AND (executed_event_id IS NULL));

CREATE INDEX approval_unended ON bursar.approval USING btree (tenant_id, id) WHERE ((status = ANY (ARRAY['pending'::text, 'approved'::text])) AND (executed_event_id IS NULL));

CREATE INDEX bank_line_by_day ON bursar.bank_line USING btree (tenant_id, source, account, day);

CREATE INDEX case_note_by_case ON bursar.case_note USING btree (tenant_id, case_id, id);

CREATE INDEX case_record_by_owner ON bursar.case_record USING btree (tenant_id, owner_id, id) WHERE (owner_id IS NOT NULL);

CREATE INDEX case_record_by_state ON bursar.case_record USING btree (tenant_id, state, id);

CREATE INDEX case_record_by_subject ON bursar.case_record USING btree (tenant_id, subject_kind, subject_id, id);

CREATE UNIQUE INDEX case_record_unsettled ON bursar.case_record USING btree (tenant_id, kind, subject_kind, subject_id) WHERE (state = ANY (ARRAY['open'::text, 'in_progress'::text]));

CREATE INDEX decision_asked ON bursar.decision USING btree (tenant_id, agent_id, currency, decided_hour, amount_minor) WHERE ((outcome <> 'allow'::text) OR ((action <> 'capture_hold'::text) AND (results <> '[]'::text)));

CREATE INDEX decision_by_agent ON bursar.decision USING btree (tenant_id, agent_id, decided_at);

CREATE INDEX decision_by_fingerprint ON bursar.decision USING btree (tenant_id, fingerprint, decided_at) WHERE (fingerprint IS NOT NULL);

CREATE INDEX decision_by_hold ON bursar.decision USING btree (tenant_id, hold_id) WHERE (hold_id IS NOT NULL);

CREATE INDEX decision_paid ON bursar.decision USING btree (tenant_id, agent_id, decided_at, id) INCLUDE (currency, amount_minor) WHERE ((outcome = 'allow'::text) AND (action <> 'create_hold'::text));

CREATE INDEX decision_payee ON bursar.decision USING btree (tenant_id, agent_id, target_id, decided_at) WHERE ((outcome = 'allow'::text) AND (action <> 'create_hold'::text));

CREATE INDEX decision_shadow ON bursar.decision USING btree (tenant_id, decided_at) INCLUDE (shadow, id) WHERE (shadow IS NOT NULL);

CREATE INDEX entry_reversals ON bursar.entry USING btree (tenant_id, reverses_id) WHERE (reverses_id IS NOT NULL);

CREATE INDEX event_by_actor ON bursar.event USING btree (tenant_id, actor_id, id);

CREATE INDEX event_by_object ON bursar.event USING btree (tenant_id, object, id) WHERE (object IS NOT NULL);

CREATE INDEX event_by_xid ON bursar.event USING btree (tenant_id, xid);

CREATE UNIQUE INDEX freeze_in_force ON bursar.freeze_record USING btree (tenant_id, scope, object_id) WHERE (resumed_at IS NULL);

CREATE INDEX hold_due ON bursar.hold USING btree (expires_at) WHERE ((status = 'pending'::text) AND (expires_at IS NOT NULL));

CREATE INDEX hold_of_owner ON bursar.hold USING btree (tenant_id, owner_id) WHERE (owner_id IS NOT NULL);

CREATE INDEX hold_pending_until ON bursar.hold USING btree (tenant_id, account_id, expires_at) WHERE (status = 'pending'::text);

CREATE INDEX job_awaiting ON bursar.job USING btree (changed_at) WHERE (state = ANY (ARRAY['awaiting_approval'::text, 'awaiting_payment'::text]));

CREATE INDEX job_compensating ON bursar.job USING btree (run_at) WHERE (status = 'compensating'::text);

CREATE INDEX job_deadline ON bursar.job USING btree (deadline_at) WHERE ((status = 'active'::text) AND (deadline_at IS NOT NULL));

CREATE INDEX job_leased ON bursar.job USING btree (lease_until) WHERE (state = 'claimed'::text);

CREATE INDEX job_open ON bursar.job USING btree (tenant_id, role, run_at, id) WHERE (status = 'active'::text);

CREATE INDEX loan_accrual_by_day ON bursar.loan_accrual USING btree (tenant_id, day);

CREATE INDEX loan_application_awaiting ON bursar.loan_application USING btree (tenant_id, id) WHERE (approval_id IS NOT NULL);

CREATE INDEX loan_application_by_status ON bursar.loan_application USING btree (tenant_id, status, id);

CREATE INDEX loan_application_due ON bursar.loan_application USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE UNIQUE INDEX loan_application_of_email ON bursar.loan_application USING btree (tenant_id, email) WHERE latest;

CREATE INDEX loan_awaiting ON bursar.loan USING btree (tenant_id, id) WHERE (approval_id IS NOT NULL);

CREATE INDEX loan_by_night ON bursar.loan USING btree (tenant_id, day, id) WHERE (status = 'active'::text);

CREATE INDEX loan_collection_of_loan ON bursar.loan_collection USING btree (tenant_id, loan_id, id);

CREATE UNIQUE INDEX loan_collection_open ON bursar.loan_collection USING btree (tenant_id, loan_id) WHERE (ended_at IS NULL);

CREATE INDEX loan_late ON bursar.loan USING btree (tenant_id, id) WHERE ((status = 'active'::text) AND (bucket <> 'current'::text));

CREATE INDEX loan_mail_due ON bursar.loan_mail USING btree (due_at) WHERE (ended_at IS NULL);

CREATE INDEX loan_promise_of_loan ON bursar.loan_promise USING btree (tenant_id, loan_id, id);

CREATE INDEX loan_reminder_of_loan ON bursar.loan_reminder USING btree (tenant_id, loan_id, made_at);

CREATE INDEX mandate_of_agent ON bursar.mandate USING btree (tenant_id, agent_id);

CREATE INDEX mandate_of_parent ON bursar.mandate USING btree (tenant_id, parent_id) WHERE (parent_id IS NOT NULL);

CREATE INDEX mandate_of_team ON bursar.mandate USING btree (tenant_id, team) WHERE (agent_id IS NULL);

CREATE INDEX operator_credential_in_use ON bursar.operator_credential USING btree (tenant_id, operator_id) WHERE (removed_at IS NULL);

CREATE INDEX payment_attempt_by_reference ON bursar.payment_attempt USING btree (tenant_id, provider, reference) WHERE (kind = ANY (ARRAY['refund'::text, 'payout'::text]));

CREATE UNIQUE INDEX payment_attempt_claim ON bursar.payment_attempt USING btree (tenant_id, claim_id) WHERE (claim_id IS NOT NULL);

CREATE INDEX payment_attempt_due ON bursar.payment_attempt USING btree (ask_at) WHERE (ask_at IS NOT NULL);

CREATE INDEX payment_attempt_of_job ON bursar.payment_attempt USING btree (tenant_id, job_id, job_share) WHERE (job_id IS NOT NULL);

CREATE INDEX payment_attempt_of_payment ON bursar.payment_attempt USING btree (tenant_id, payment_id, number);

CREATE INDEX payment_attempt_waiting ON bursar.payment_attempt USING btree (id) WHERE (status = 'waiting'::text);

CREATE INDEX payment_by_reference ON bursar.payment USING btree (tenant_id, provider, reference) WHERE (reference IS NOT NULL);

CREATE INDEX payment_effect_dispute ON bursar.payment_effect USING btree (tenant_id, about) WHERE (kind = 'dispute'::text);

CREATE INDEX payment_effect_disputes ON bursar.payment_effect USING btree (tenant_id, booked_at, reference) WHERE (kind = 'dispute'::text);

CREATE INDEX payment_effect_of_attempt ON bursar.payment_effect USING btree (tenant_id, attempt_id) WHERE (attempt_id IS NOT NULL);

CREATE INDEX payment_effect_of_entry ON bursar.payment_effect USING btree (tenant_id, entry_id) WHERE (entry_id IS NOT NULL);

CREATE INDEX payment_effect_of_payment ON bursar.payment_effect USING btree (tenant_id, payment_id) WHERE (payment_id IS NOT NULL);

CREATE INDEX payment_inbox_about ON bursar.payment_inbox USING btree (tenant_id, provider, about) WHERE (status = 'parked'::text);

CREATE INDEX payment_inbox_parked ON bursar.payment_inbox USING btree (try_at) WHERE (status = 'parked'::text);

CREATE INDEX payment_method_of_customer ON bursar.payment_method USING btree (tenant_id, customer_id) WHERE (customer_id IS NOT NULL);

CREATE INDEX posting_by_source ON bursar.posting USING btree (tenant_id, source_id, effective_at, source_version);

CREATE INDEX posting_by_target ON bursar.posting USING btree (tenant_id, target_id, effective_at, target_version);

CREATE INDEX provider_transaction_by_day ON bursar.provider_transaction USING btree (tenant_id, provider, currency, day);

CREATE INDEX reconciliation_break_by_pairing ON bursar.reconciliation_break USING btree (tenant_id, pairing, day);

CREATE INDEX reconciliation_break_by_run ON bursar.reconciliation_break USING btree (tenant_id, run_id, id);

CREATE INDEX reconciliation_break_by_state ON bursar.reconciliation_break USING btree (tenant_id, state, id);

CREATE UNIQUE INDEX risk_stage_active ON bursar.risk_stage USING btree (tenant_id) WHERE (status = 'active'::text);

CREATE UNIQUE INDEX risk_stage_shadow ON bursar.risk_stage USING btree (tenant_id) WHERE (status = 'shadow'::text);

CREATE INDEX sandbox_event_due ON bursar.sandbox_event USING btree (due_at) WHERE (told_at IS NULL);

CREATE INDEX sandbox_payment_of_parent ON bursar.sandbox_payment USING btree (tenant_id, parent) WHERE (parent IS NOT NULL);

CREATE INDEX sandbox_transaction_in_time ON bursar.sandbox_transaction USING btree (tenant_id, at, reference);

CREATE INDEX sandbox_transaction_of_parent ON bursar.sandbox_transaction USING btree (tenant_id, parent);

CREATE INDEX webhook_delivery_due ON bursar.webhook_delivery USING btree (tenant_id, endpoint_id, due_at) WHERE ((status = 'pending'::text) AND (event_id IS NOT NULL));

CREATE INDEX webhook_delivery_of_endpoint ON bursar.webhook_delivery USING btree (tenant_id, endpoint_id, id);

CREATE INDEX webhook_delivery_of_status ON bursar.webhook_delivery USING btree (tenant_id, status, id);

CREATE UNIQUE INDEX webhook_delivery_once ON bursar.webhook_delivery USING btree (tenant_id, endpoint_id, event_id) WHERE ((replay_of IS NULL) AND (event_id IS NOT NULL));

CREATE INDEX webhook_delivery_over ON bursar.webhook_delivery USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX webhook_delivery_test ON bursar.webhook_delivery USING btree (tenant_id, endpoint_id, due_at) WHERE ((status = 'pending'::text) AND (event_id IS NULL));

CREATE INDEX webhook_endpoint_in_use ON bursar.webhook_endpoint USING btree (tenant_id, status) WHERE (status <> 'retired'::text);

CREATE UNIQUE INDEX webhook_endpoint_url ON bursar.webhook_endpoint USING btree (tenant_id, url) WHERE (status <> 'retired'::text);

CREATE CONSTRAINT TRIGGER amends_rulebook AFTER INSERT OR UPDATE ON bursar.counterparty DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bursar.amend_rulebook();

CREATE CONSTRAINT TRIGGER amends_rulebook AFTER UPDATE ON bursar.mandate DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.turn = new.turn)) EXECUTE FUNCTION bursar.amend_rulebook();

CREATE CONSTRAINT TRIGGER amends_rulebook AFTER INSERT OR UPDATE ON bursar.risk_stage DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bursar.amend_rulebook();

ALTER TABLE ONLY bursar.account
    ADD CONSTRAINT account_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.api_key
    ADD CONSTRAINT api_key_tenant_id_principal_id_fkey FOREIGN KEY (tenant_id, principal_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.approval
    ADD CONSTRAINT approval_of_a_mandate FOREIGN KEY (tenant_id, mandate_id) REFERENCES bursar.mandate(tenant_id, id);

ALTER TABLE ONLY bursar.approval
    ADD CONSTRAINT approval_tenant_id_decision_id_fkey FOREIGN KEY (tenant_id, decision_id) REFERENCES bursar.decision(tenant_id, id);

ALTER TABLE ONLY bursar.approval
    ADD CONSTRAINT approval_tenant_id_maker_id_fkey FOREIGN KEY (tenant_id, maker_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.approval_vote
    ADD CONSTRAINT approval_vote_tenant_id_approval_id_fkey FOREIGN KEY (tenant_id, approval_id) REFERENCES bursar.approval(tenant_id, id);

ALTER TABLE ONLY bursar.approval_vote
    ADD CONSTRAINT approval_vote_tenant_id_operator_id_fkey FOREIGN KEY (tenant_id, operator_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.bank_line
    ADD CONSTRAINT bank_line_tenant_id_statement_id_fkey FOREIGN KEY (tenant_id, statement_id) REFERENCES bursar.bank_statement(tenant_id, id);

ALTER TABLE ONLY bursar.bank_statement
    ADD CONSTRAINT bank_statement_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.bank_statement
    ADD CONSTRAINT bank_statement_tenant_id_imported_by_fkey FOREIGN KEY (tenant_id, imported_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.case_note
    ADD CONSTRAINT case_note_tenant_id_author_id_fkey FOREIGN KEY (tenant_id, author_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.case_note
    ADD CONSTRAINT case_note_tenant_id_case_id_fkey FOREIGN KEY (tenant_id, case_id) REFERENCES bursar.case_record(tenant_id, id);

ALTER TABLE ONLY bursar.case_record
    ADD CONSTRAINT case_record_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.case_record
    ADD CONSTRAINT case_record_tenant_id_opened_by_fkey FOREIGN KEY (tenant_id, opened_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.case_record
    ADD CONSTRAINT case_record_tenant_id_owner_id_fkey FOREIGN KEY (tenant_id, owner_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.counterparty
    ADD CONSTRAINT counterparty_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES bursar.account(tenant_id, id);

ALTER TABLE ONLY bursar.counterparty
    ADD CONSTRAINT counterparty_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.customer
    ADD CONSTRAINT customer_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.customer
    ADD CONSTRAINT customer_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.entry
    ADD CONSTRAINT entry_hold_fkey FOREIGN KEY (tenant_id, hold_id) REFERENCES bursar.hold(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.entry
    ADD CONSTRAINT entry_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES bursar.event(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.entry
    ADD CONSTRAINT entry_tenant_id_reverses_id_fkey FOREIGN KEY (tenant_id, reverses_id) REFERENCES bursar.entry(tenant_id, id);

ALTER TABLE ONLY bursar.freeze_record
    ADD CONSTRAINT freeze_record_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.freeze_record
    ADD CONSTRAINT freeze_record_tenant_id_frozen_by_fkey FOREIGN KEY (tenant_id, frozen_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.hold
    ADD CONSTRAINT hold_tenant_id_account_id_currency_fkey FOREIGN KEY (tenant_id, account_id, currency) REFERENCES bursar.account(tenant_id, id, currency);

ALTER TABLE ONLY bursar.hold
    ADD CONSTRAINT hold_tenant_id_entry_id_fkey FOREIGN KEY (tenant_id, entry_id) REFERENCES bursar.entry(tenant_id, id);

ALTER TABLE ONLY bursar.hold
    ADD CONSTRAINT hold_tenant_id_target_id_currency_fkey FOREIGN KEY (tenant_id, target_id, currency) REFERENCES bursar.account(tenant_id, id, currency);

ALTER TABLE ONLY bursar.job_definition
    ADD CONSTRAINT job_definition_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.job_definition
    ADD CONSTRAINT job_definition_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.job_effect
    ADD CONSTRAINT job_effect_tenant_id_attempt_id_fkey FOREIGN KEY (tenant_id, attempt_id) REFERENCES bursar.payment_attempt(tenant_id, id);

ALTER TABLE ONLY bursar.job_effect
    ADD CONSTRAINT job_effect_tenant_id_entry_id_fkey FOREIGN KEY (tenant_id, entry_id) REFERENCES bursar.entry(tenant_id, id);

ALTER TABLE ONLY bursar.job_effect
    ADD CONSTRAINT job_effect_tenant_id_hold_id_fkey FOREIGN KEY (tenant_id, hold_id) REFERENCES bursar.hold(tenant_id, id);

ALTER TABLE ONLY bursar.job_effect
    ADD CONSTRAINT job_effect_tenant_id_job_id_share_fkey FOREIGN KEY (tenant_id, job_id, share) REFERENCES bursar.job_share(tenant_id, job_id, no);

ALTER TABLE ONLY bursar.job_event
    ADD CONSTRAINT job_event_tenant_id_actor_id_fkey FOREIGN KEY (tenant_id, actor_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.job_event
    ADD CONSTRAINT job_event_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES bursar.job(tenant_id, id);

ALTER TABLE ONLY bursar.job_share
    ADD CONSTRAINT job_share_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES bursar.job(tenant_id, id);

ALTER TABLE ONLY bursar.job_share
    ADD CONSTRAINT job_share_tenant_id_method_id_fkey FOREIGN KEY (tenant_id, method_id) REFERENCES bursar.payment_method(tenant_id, id);

ALTER TABLE ONLY bursar.job_share
    ADD CONSTRAINT job_share_tenant_id_source_id_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES bursar.account(tenant_id, id);

ALTER TABLE ONLY bursar.job_share
    ADD CONSTRAINT job_share_tenant_id_target_id_fkey FOREIGN KEY (tenant_id, target_id) REFERENCES bursar.account(tenant_id, id);

ALTER TABLE ONLY bursar.job_step
    ADD CONSTRAINT job_step_tenant_id_done_by_fkey FOREIGN KEY (tenant_id, done_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.job_step
    ADD CONSTRAINT job_step_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES bursar.job(tenant_id, id);

ALTER TABLE ONLY bursar.job
    ADD CONSTRAINT job_tenant_id_definition_definition_version_fkey FOREIGN KEY (tenant_id, definition, definition_version) REFERENCES bursar.job_definition(tenant_id, name, version);

ALTER TABLE ONLY bursar.job
    ADD CONSTRAINT job_tenant_id_initiated_by_fkey FOREIGN KEY (tenant_id, initiated_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.limit_usage
    ADD CONSTRAINT limit_usage_tenant_id_mandate_id_fkey FOREIGN KEY (tenant_id, mandate_id) REFERENCES bursar.mandate(tenant_id, id);

ALTER TABLE ONLY bursar.loan_accrual
    ADD CONSTRAINT loan_accrual_tenant_id_loan_id_fkey FOREIGN KEY (tenant_id, loan_id) REFERENCES bursar.loan(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application_event
    ADD CONSTRAINT loan_application_event_tenant_id_actor_id_fkey FOREIGN KEY (tenant_id, actor_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application_event
    ADD CONSTRAINT loan_application_event_tenant_id_application_id_fkey FOREIGN KEY (tenant_id, application_id) REFERENCES bursar.loan_application(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_tenant_id_approval_id_fkey FOREIGN KEY (tenant_id, approval_id) REFERENCES bursar.approval(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_tenant_id_case_id_fkey FOREIGN KEY (tenant_id, case_id) REFERENCES bursar.case_record(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_tenant_id_decider_id_fkey FOREIGN KEY (tenant_id, decider_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_tenant_id_follows_id_fkey FOREIGN KEY (tenant_id, follows_id) REFERENCES bursar.loan_application(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_application
    ADD CONSTRAINT loan_application_tenant_id_product_product_version_fkey FOREIGN KEY (tenant_id, product, product_version) REFERENCES bursar.loan_product(tenant_id, code, version);

ALTER TABLE ONLY bursar.loan_collection
    ADD CONSTRAINT loan_collection_tenant_id_job_id_fkey FOREIGN KEY (tenant_id, job_id) REFERENCES bursar.job(tenant_id, id);

ALTER TABLE ONLY bursar.loan_collection
    ADD CONSTRAINT loan_collection_tenant_id_loan_id_fkey FOREIGN KEY (tenant_id, loan_id) REFERENCES bursar.loan(tenant_id, id);

ALTER TABLE ONLY bursar.loan_contact_rules
    ADD CONSTRAINT loan_contact_rules_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.loan_contact_rules
    ADD CONSTRAINT loan_contact_rules_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_decision
    ADD CONSTRAINT loan_decision_tenant_id_application_id_application_version_fkey FOREIGN KEY (tenant_id, application_id, application_version) REFERENCES bursar.loan_application_event(tenant_id, application_id, version);

ALTER TABLE ONLY bursar.loan_decision
    ADD CONSTRAINT loan_decision_tenant_id_decided_by_fkey FOREIGN KEY (tenant_id, decided_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_decision
    ADD CONSTRAINT loan_decision_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES bursar.event(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.loan_fact
    ADD CONSTRAINT loan_fact_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES bursar.account(tenant_id, id);

ALTER TABLE ONLY bursar.loan_fact
    ADD CONSTRAINT loan_fact_tenant_id_actor_id_fkey FOREIGN KEY (tenant_id, actor_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_fact
    ADD CONSTRAINT loan_fact_tenant_id_entry_id_fkey FOREIGN KEY (tenant_id, entry_id) REFERENCES bursar.entry(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.loan_fact
    ADD CONSTRAINT loan_fact_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES bursar.event(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.loan_fact
    ADD CONSTRAINT loan_fact_tenant_id_loan_id_fkey FOREIGN KEY (tenant_id, loan_id) REFERENCES bursar.loan(tenant_id, id);

ALTER TABLE ONLY bursar.loan_mail
    ADD CONSTRAINT loan_mail_tenant_id_reminder_id_fkey FOREIGN KEY (tenant_id, reminder_id) REFERENCES bursar.loan_reminder(tenant_id, id);

ALTER TABLE ONLY bursar.loan_offer
    ADD CONSTRAINT loan_offer_tenant_id_application_id_fkey FOREIGN KEY (tenant_id, application_id) REFERENCES bursar.loan_application(tenant_id, id);

ALTER TABLE ONLY bursar.loan_offer
    ADD CONSTRAINT loan_offer_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_plan
    ADD CONSTRAINT loan_plan_tenant_id_loan_id_fkey FOREIGN KEY (tenant_id, loan_id) REFERENCES bursar.loan(tenant_id, id);

ALTER TABLE ONLY bursar.loan_product
    ADD CONSTRAINT loan_product_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.loan_product
    ADD CONSTRAINT loan_product_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_promise_end
    ADD CONSTRAINT loan_promise_end_tenant_id_ended_by_fkey FOREIGN KEY (tenant_id, ended_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_promise_end
    ADD CONSTRAINT loan_promise_end_tenant_id_promise_id_fkey FOREIGN KEY (tenant_id, promise_id) REFERENCES bursar.loan_promise(tenant_id, id);

ALTER TABLE ONLY bursar.loan_promise
    ADD CONSTRAINT loan_promise_tenant_id_loan_id_fkey FOREIGN KEY (tenant_id, loan_id) REFERENCES bursar.loan(tenant_id, id);

ALTER TABLE ONLY bursar.loan_promise
    ADD CONSTRAINT loan_promise_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_reminder_template
    ADD CONSTRAINT loan_reminder_template_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.loan_reminder_template
    ADD CONSTRAINT loan_reminder_template_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_reminder
    ADD CONSTRAINT loan_reminder_tenant_id_collection_id_fkey FOREIGN KEY (tenant_id, collection_id) REFERENCES bursar.loan_collection(tenant_id, id);

ALTER TABLE ONLY bursar.loan_reminder
    ADD CONSTRAINT loan_reminder_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES bursar.event(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.loan_reminder
    ADD CONSTRAINT loan_reminder_tenant_id_loan_id_fkey FOREIGN KEY (tenant_id, loan_id) REFERENCES bursar.loan(tenant_id, id);

ALTER TABLE ONLY bursar.loan_reminder
    ADD CONSTRAINT loan_reminder_tenant_id_sent_by_fkey FOREIGN KEY (tenant_id, sent_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_scorecard_stage
    ADD CONSTRAINT loan_scorecard_stage_tenant_id_changed_by_fkey FOREIGN KEY (tenant_id, changed_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_scorecard_stage
    ADD CONSTRAINT loan_scorecard_stage_tenant_id_name_version_fkey FOREIGN KEY (tenant_id, name, version) REFERENCES bursar.loan_scorecard(tenant_id, name, version);

ALTER TABLE ONLY bursar.loan_scorecard
    ADD CONSTRAINT loan_scorecard_tenant_id_drafted_by_fkey FOREIGN KEY (tenant_id, drafted_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan_scorecard
    ADD CONSTRAINT loan_scorecard_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.loan_statement
    ADD CONSTRAINT loan_statement_tenant_id_application_id_application_versio_fkey FOREIGN KEY (tenant_id, application_id, application_version) REFERENCES bursar.loan_application_event(tenant_id, application_id, version);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_tenant_id_application_id_fkey FOREIGN KEY (tenant_id, application_id) REFERENCES bursar.loan_offer(tenant_id, application_id);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_tenant_id_approval_id_fkey FOREIGN KEY (tenant_id, approval_id) REFERENCES bursar.approval(tenant_id, id);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_tenant_id_decider_id_fkey FOREIGN KEY (tenant_id, decider_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_tenant_id_made_by_fkey FOREIGN KEY (tenant_id, made_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.loan
    ADD CONSTRAINT loan_tenant_id_product_product_version_fkey FOREIGN KEY (tenant_id, product, product_version) REFERENCES bursar.loan_product(tenant_id, code, version);

ALTER TABLE ONLY bursar.mandate
    ADD CONSTRAINT mandate_tenant_id_agent_id_fkey FOREIGN KEY (tenant_id, agent_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.mandate
    ADD CONSTRAINT mandate_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.mandate
    ADD CONSTRAINT mandate_tenant_id_granted_by_fkey FOREIGN KEY (tenant_id, granted_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.mandate
    ADD CONSTRAINT mandate_tenant_id_parent_id_fkey FOREIGN KEY (tenant_id, parent_id) REFERENCES bursar.mandate(tenant_id, id);

ALTER TABLE ONLY bursar.mandate_version
    ADD CONSTRAINT mandate_version_tenant_id_mandate_id_fkey FOREIGN KEY (tenant_id, mandate_id) REFERENCES bursar.mandate(tenant_id, id);

ALTER TABLE ONLY bursar.operator_credential
    ADD CONSTRAINT operator_credential_tenant_id_operator_id_fkey FOREIGN KEY (tenant_id, operator_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.operator_totp
    ADD CONSTRAINT operator_totp_tenant_id_operator_id_fkey FOREIGN KEY (tenant_id, operator_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.payment_attempt
    ADD CONSTRAINT payment_attempt_target_fkey FOREIGN KEY (tenant_id, target_id, currency) REFERENCES bursar.account(tenant_id, id, currency);

ALTER TABLE ONLY bursar.payment_attempt
    ADD CONSTRAINT payment_attempt_tenant_id_account_id_currency_fkey FOREIGN KEY (tenant_id, account_id, currency) REFERENCES bursar.account(tenant_id, id, currency);

ALTER TABLE ONLY bursar.payment_attempt
    ADD CONSTRAINT payment_attempt_tenant_id_job_id_job_share_fkey FOREIGN KEY (tenant_id, job_id, job_share) REFERENCES bursar.job_share(tenant_id, job_id, no);

ALTER TABLE ONLY bursar.payment_attempt
    ADD CONSTRAINT payment_attempt_tenant_id_payment_id_fkey FOREIGN KEY (tenant_id, payment_id) REFERENCES bursar.payment(tenant_id, id);

ALTER TABLE ONLY bursar.payment_attempt
    ADD CONSTRAINT payment_attempt_tenant_id_principal_id_fkey FOREIGN KEY (tenant_id, principal_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.payment_effect
    ADD CONSTRAINT payment_effect_tenant_id_attempt_id_fkey FOREIGN KEY (tenant_id, attempt_id) REFERENCES bursar.payment_attempt(tenant_id, id);

ALTER TABLE ONLY bursar.payment_effect
    ADD CONSTRAINT payment_effect_tenant_id_entry_id_fkey FOREIGN KEY (tenant_id, entry_id) REFERENCES bursar.entry(tenant_id, id);

ALTER TABLE ONLY bursar.payment_effect
    ADD CONSTRAINT payment_effect_tenant_id_payment_id_fkey FOREIGN KEY (tenant_id, payment_id) REFERENCES bursar.payment(tenant_id, id);

ALTER TABLE ONLY bursar.payment_inbox
    ADD CONSTRAINT payment_inbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.payment_method
    ADD CONSTRAINT payment_method_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.payment_method
    ADD CONSTRAINT payment_method_tenant_id_customer_id_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES bursar.customer(tenant_id, id);

ALTER TABLE ONLY bursar.payment
    ADD CONSTRAINT payment_tenant_id_account_id_currency_fkey FOREIGN KEY (tenant_id, account_id, currency) REFERENCES bursar.account(tenant_id, id, currency);

ALTER TABLE ONLY bursar.payment
    ADD CONSTRAINT payment_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.payment
    ADD CONSTRAINT payment_tenant_id_customer_id_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES bursar.customer(tenant_id, id);

ALTER TABLE ONLY bursar.payment
    ADD CONSTRAINT payment_tenant_id_method_id_fkey FOREIGN KEY (tenant_id, method_id) REFERENCES bursar.payment_method(tenant_id, id);

ALTER TABLE ONLY bursar.principal
    ADD CONSTRAINT principal_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.provider_transaction
    ADD CONSTRAINT provider_transaction_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_tenant_id_account_id_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES bursar.account(tenant_id, id);

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_tenant_id_case_id_fkey FOREIGN KEY (tenant_id, case_id) REFERENCES bursar.case_record(tenant_id, id);

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_tenant_id_entry_id_fkey FOREIGN KEY (tenant_id, entry_id) REFERENCES bursar.entry(tenant_id, id);

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES bursar.reconciliation_run(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.reconciliation_break
    ADD CONSTRAINT reconciliation_break_tenant_id_settled_by_fkey FOREIGN KEY (tenant_id, settled_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.reconciliation_match
    ADD CONSTRAINT reconciliation_match_tenant_id_run_id_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES bursar.reconciliation_run(tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY bursar.reconciliation_run
    ADD CONSTRAINT reconciliation_run_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.reconciliation_run
    ADD CONSTRAINT reconciliation_run_tenant_id_ran_by_fkey FOREIGN KEY (tenant_id, ran_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.risk_rules
    ADD CONSTRAINT risk_rules_tenant_id_drafted_by_fkey FOREIGN KEY (tenant_id, drafted_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.risk_rules
    ADD CONSTRAINT risk_rules_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.risk_stage
    ADD CONSTRAINT risk_stage_tenant_id_changed_by_fkey FOREIGN KEY (tenant_id, changed_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.risk_stage
    ADD CONSTRAINT risk_stage_tenant_id_version_fkey FOREIGN KEY (tenant_id, version) REFERENCES bursar.risk_rules(tenant_id, version);

ALTER TABLE ONLY bursar.rulebook
    ADD CONSTRAINT rulebook_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.sandbox_event
    ADD CONSTRAINT sandbox_event_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.sandbox_payment
    ADD CONSTRAINT sandbox_payment_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.sandbox_transaction
    ADD CONSTRAINT sandbox_transaction_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.statement_movement
    ADD CONSTRAINT statement_movement_tenant_id_entry_id_fkey FOREIGN KEY (tenant_id, entry_id) REFERENCES bursar.entry(tenant_id, id);

ALTER TABLE ONLY bursar.step_up_challenge
    ADD CONSTRAINT step_up_challenge_tenant_id_operator_id_fkey FOREIGN KEY (tenant_id, operator_id) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.webhook_attempt
    ADD CONSTRAINT webhook_attempt_tenant_id_delivery_id_fkey FOREIGN KEY (tenant_id, delivery_id) REFERENCES bursar.webhook_delivery(tenant_id, id);

ALTER TABLE ONLY bursar.webhook_cursor
    ADD CONSTRAINT webhook_cursor_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.webhook_delivery
    ADD CONSTRAINT webhook_delivery_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES bursar.webhook_endpoint(tenant_id, id);

ALTER TABLE ONLY bursar.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES bursar.principal(tenant_id, id);

ALTER TABLE ONLY bursar.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES bursar.tenant(tenant_id);

ALTER TABLE ONLY bursar.webhook_secret
    ADD CONSTRAINT webhook_secret_tenant_id_endpoint_id_fkey FOREIGN KEY (tenant_id, endpoint_id) REFERENCES bursar.webhook_endpoint(tenant_id, id);

ALTER TABLE bursar.account ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.answer ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.api_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.approval ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.approval_vote ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.bank_line ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.bank_statement ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.case_note ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.case_record ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.counterparty ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.customer ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.decision ENABLE ROW LEVEL SECURITY;

CREATE POLICY due ON bursar.answer FOR SELECT TO bursar_worker USING (((NOT forgotten) AND (status < 400) AND (created_at < (now() - '7 days'::interval))));

CREATE POLICY due ON bursar.approval FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.hold FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.job FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.loan_collection FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.loan_mail FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.loan_promise FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.loan_promise_end FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.payment_attempt FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.payment_inbox FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.sandbox_event FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.webhook_delivery FOR SELECT TO bursar_worker USING (true);

CREATE POLICY due ON bursar.webhook_endpoint FOR SELECT TO bursar_worker USING (true);

ALTER TABLE bursar.entry ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.event ENABLE ROW LEVEL SECURITY;

CREATE POLICY follow ON bursar.event FOR SELECT TO bursar_worker USING (true);

CREATE POLICY follow ON bursar.webhook_cursor FOR SELECT TO bursar_worker USING (true);

CREATE POLICY forget ON bursar.answer AS RESTRICTIVE FOR UPDATE TO bursar_worker USING (((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid) AND (NOT forgotten) AND (status < 400) AND (created_at < (now() - '7 days'::interval)))) WITH CHECK ((forgotten AND (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)));

ALTER TABLE bursar.freeze_record ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.hold ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.job ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_definition ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_effect ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_share ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.job_step ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.limit_usage ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_accrual ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_application ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_application_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_collection ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_contact_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_decision ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_fact ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_mail ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_offer ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_plan ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_product ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_promise ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_promise_end ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_reminder ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_reminder_template ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_scorecard ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_scorecard_stage ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.loan_statement ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.mandate ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.mandate_version ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.operator_credential ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.operator_totp ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON bursar.account USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.answer USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.api_key USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.approval USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.approval_vote USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.bank_line USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.bank_statement USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.case_note USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.case_record USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.counterparty USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.customer USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.decision USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.entry USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.event USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.freeze_record USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.hold USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.job USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.job_definition USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.job_effect USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.job_event USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.job_share USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.job_step USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.limit_usage USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_accrual USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_application USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_application_event USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_collection USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_contact_rules USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_decision USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_fact USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_mail USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_offer USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_plan USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_product USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_promise USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_promise_end USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_reminder USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_reminder_template USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_scorecard USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_scorecard_stage USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.loan_statement USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.mandate USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.mandate_version USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.operator_credential USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.operator_totp USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.payment USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.payment_attempt USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.payment_effect USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.payment_inbox USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.payment_method USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.posting USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.principal USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.provider_transaction USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.reconciliation_break USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.reconciliation_match USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.reconciliation_run USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.risk_rules USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.risk_stage USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.rulebook USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.sandbox_event USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.sandbox_payment USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.sandbox_transaction USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.statement_movement USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.step_up_challenge USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.tenant USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.webhook_attempt USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.webhook_cursor USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.webhook_delivery USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.webhook_endpoint USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

CREATE POLICY own ON bursar.webhook_secret USING ((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid));

ALTER TABLE bursar.payment ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_effect ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_inbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.payment_method ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.posting ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.principal ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.provider_transaction ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.reconciliation_break ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.reconciliation_match ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.reconciliation_run ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.risk_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.risk_stage ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.rulebook ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.sandbox_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.sandbox_payment ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.sandbox_transaction ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.statement_movement ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.step_up_challenge ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.tenant ENABLE ROW LEVEL SECURITY;

CREATE POLICY verify ON bursar.account FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.answer FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.api_key FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.approval FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.approval_vote FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.bank_line FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.bank_statement FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.case_note FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.case_record FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.counterparty FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.customer FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.decision FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.entry FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.event FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.freeze_record FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.hold FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.job FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.job_definition FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.job_effect FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.job_event FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.job_share FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.job_step FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.limit_usage FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_accrual FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_application FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_application_event FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_collection FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_contact_rules FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_decision FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_fact FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_mail FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_offer FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_plan FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_product FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_promise FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_promise_end FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_reminder FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_reminder_template FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_scorecard FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_scorecard_stage FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.loan_statement FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.mandate FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.mandate_version FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.payment FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.payment_attempt FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.payment_effect FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.payment_inbox FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.payment_method FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.posting FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.principal FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.provider_transaction FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.reconciliation_break FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.reconciliation_match FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.reconciliation_run FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.risk_rules FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.risk_stage FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.sandbox_event FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.sandbox_payment FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.sandbox_transaction FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.statement_movement FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.tenant FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.webhook_attempt FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.webhook_cursor FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.webhook_delivery FOR SELECT TO bursar_verify USING (true);

CREATE POLICY verify ON bursar.webhook_endpoint FOR SELECT TO bursar_verify USING (true);

ALTER TABLE bursar.webhook_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_cursor ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_delivery ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_endpoint ENABLE ROW LEVEL SECURITY;

ALTER TABLE bursar.webhook_secret ENABLE ROW LEVEL SECURITY;

CREATE POLICY worker ON bursar.loan FOR SELECT TO bursar_worker USING (true);

CREATE POLICY worker ON bursar.loan_application FOR SELECT TO bursar_worker USING (true);

GRANT USAGE ON SCHEMA bursar TO bursar_app;
GRANT USAGE ON SCHEMA bursar TO bursar_worker;
GRANT USAGE ON SCHEMA bursar TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.account TO bursar_app;
GRANT SELECT ON TABLE bursar.account TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.answer TO bursar_app;
GRANT SELECT ON TABLE bursar.answer TO bursar_verify;

GRANT UPDATE(body) ON TABLE bursar.answer TO bursar_worker;

GRANT UPDATE(forgotten) ON TABLE bursar.answer TO bursar_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.api_key TO bursar_app;
GRANT SELECT ON TABLE bursar.api_key TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.approval TO bursar_app;
GRANT SELECT ON TABLE bursar.approval TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.approval_vote TO bursar_app;
GRANT SELECT ON TABLE bursar.approval_vote TO bursar_verify;

GRANT SELECT ON TABLE bursar.bank_line TO bursar_verify;
GRANT SELECT,INSERT ON TABLE bursar.bank_line TO bursar_app;

GRANT SELECT ON TABLE bursar.bank_statement TO bursar_verify;
GRANT SELECT,INSERT ON TABLE bursar.bank_statement TO bursar_app;

GRANT SELECT,INSERT ON TABLE bursar.case_note TO bursar_app;
GRANT SELECT ON TABLE bursar.case_note TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.case_record TO bursar_app;
GRANT SELECT ON TABLE bursar.case_record TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.counterparty TO bursar_app;
GRANT SELECT ON TABLE bursar.counterparty TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.customer TO bursar_app;
GRANT SELECT ON TABLE bursar.customer TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.decision TO bursar_app;
GRANT SELECT ON TABLE bursar.decision TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.entry TO bursar_app;
GRANT SELECT ON TABLE bursar.entry TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.event TO bursar_app;
GRANT SELECT ON TABLE bursar.event TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.freeze_record TO bursar_app;
GRANT SELECT ON TABLE bursar.freeze_record TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.hold TO bursar_app;
GRANT SELECT ON TABLE bursar.hold TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.job TO bursar_app;
GRANT SELECT ON TABLE bursar.job TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.job_definition TO bursar_app;
GRANT SELECT ON TABLE bursar.job_definition TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.job_effect TO bursar_app;
GRANT SELECT ON TABLE bursar.job_effect TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.job_event TO bursar_app;
GRANT SELECT ON TABLE bursar.job_event TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.job_share TO bursar_app;
GRANT SELECT ON TABLE bursar.job_share TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.job_step TO bursar_app;
GRANT SELECT ON TABLE bursar.job_step TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.limit_usage TO bursar_app;
GRANT SELECT ON TABLE bursar.limit_usage TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.posting TO bursar_app;
GRANT SELECT ON TABLE bursar.posting TO bursar_verify;

GRANT SELECT ON TABLE bursar.line TO bursar_app;
GRANT SELECT ON TABLE bursar.line TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.loan TO bursar_app;
GRANT SELECT ON TABLE bursar.loan TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_accrual TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_accrual TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.loan_application TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_application TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_application_event TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_application_event TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.loan_collection TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_collection TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_contact_rules TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_contact_rules TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_decision TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_decision TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_fact TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_fact TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.loan_mail TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_mail TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_offer TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_offer TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.loan_plan TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_plan TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_product TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_product TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_promise TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_promise TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_promise_end TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_promise_end TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_reminder TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_reminder TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_reminder_template TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_reminder_template TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_scorecard TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_scorecard TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.loan_scorecard_stage TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_scorecard_stage TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.loan_statement TO bursar_app;
GRANT SELECT ON TABLE bursar.loan_statement TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.mandate TO bursar_app;
GRANT SELECT ON TABLE bursar.mandate TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.mandate_version TO bursar_app;
GRANT SELECT ON TABLE bursar.mandate_version TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.operator_credential TO bursar_app;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.operator_totp TO bursar_app;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.payment TO bursar_app;
GRANT SELECT ON TABLE bursar.payment TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.payment_attempt TO bursar_app;
GRANT SELECT ON TABLE bursar.payment_attempt TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.payment_effect TO bursar_app;
GRANT SELECT ON TABLE bursar.payment_effect TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.payment_inbox TO bursar_app;
GRANT SELECT ON TABLE bursar.payment_inbox TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.payment_method TO bursar_app;
GRANT SELECT ON TABLE bursar.payment_method TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.principal TO bursar_app;
GRANT SELECT ON TABLE bursar.principal TO bursar_verify;

GRANT SELECT ON TABLE bursar.provider_transaction TO bursar_verify;
GRANT SELECT,INSERT ON TABLE bursar.provider_transaction TO bursar_app;

GRANT SELECT ON TABLE bursar.reconciliation_break TO bursar_verify;
GRANT SELECT,INSERT,UPDATE ON TABLE bursar.reconciliation_break TO bursar_app;

GRANT SELECT ON TABLE bursar.reconciliation_match TO bursar_verify;
GRANT SELECT,INSERT ON TABLE bursar.reconciliation_match TO bursar_app;

GRANT SELECT ON TABLE bursar.reconciliation_run TO bursar_verify;
GRANT SELECT,INSERT ON TABLE bursar.reconciliation_run TO bursar_app;

GRANT SELECT,INSERT ON TABLE bursar.risk_rules TO bursar_app;
GRANT SELECT ON TABLE bursar.risk_rules TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.risk_stage TO bursar_app;
GRANT SELECT ON TABLE bursar.risk_stage TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.rulebook TO bursar_app;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.sandbox_event TO bursar_app;
GRANT SELECT ON TABLE bursar.sandbox_event TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.sandbox_payment TO bursar_app;
GRANT SELECT ON TABLE bursar.sandbox_payment TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.sandbox_transaction TO bursar_app;
GRANT SELECT ON TABLE bursar.sandbox_transaction TO bursar_verify;

GRANT SELECT ON TABLE bursar.schema_migration TO bursar_app;
GRANT SELECT ON TABLE bursar.schema_migration TO bursar_worker;
GRANT SELECT ON TABLE bursar.schema_migration TO bursar_verify;

GRANT SELECT,INSERT ON TABLE bursar.statement_movement TO bursar_app;
GRANT SELECT ON TABLE bursar.statement_movement TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.step_up_challenge TO bursar_app;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.tenant TO bursar_app;
GRANT SELECT ON TABLE bursar.tenant TO bursar_verify;

GRANT SELECT ON TABLE bursar.webhook_attempt TO bursar_app;
GRANT INSERT,DELETE ON TABLE bursar.webhook_attempt TO bursar_worker;
GRANT SELECT ON TABLE bursar.webhook_attempt TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.webhook_cursor TO bursar_app;
GRANT SELECT ON TABLE bursar.webhook_cursor TO bursar_verify;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.webhook_delivery TO bursar_app;
GRANT SELECT ON TABLE bursar.webhook_delivery TO bursar_verify;
GRANT DELETE ON TABLE bursar.webhook_delivery TO bursar_worker;

GRANT SELECT,INSERT,UPDATE ON TABLE bursar.webhook_endpoint TO bursar_app;
GRANT SELECT ON TABLE bursar.webhook_endpoint TO bursar_verify;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE bursar.webhook_secret TO bursar_app;
