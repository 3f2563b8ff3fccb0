"""The statements of the portfolio: all loans of a tenant at once, never one by one.

Every loan has a night for each day: they are read day by day, never all of them.
"""

from datetime import date
from typing import NamedTuple

from bursar.features.lending.delinquency import Bucket
from bursar.kernel.db import Tx


class Outstanding(NamedTuple):
    """What is owed on the loans of a product in a currency and a bucket, in minor units."""

    product: str
    currency: str
    bucket: Bucket
    loans: int
    principal: int
    interest: int
    fees: int
    penalties: int


class Vintage(NamedTuple):
    """What became of the loans that were paid out in a month, by the opening of a day; of principal, in minor units.

    `over_30` and `over_90` is what of `outstanding` is owed by those more than so many days past due. Before the
    first month is over, a loan is 0 months on book.
    """

    product: str
    currency: str
    month: date
    months_on_book: int
    day: date
    loans: int
    disbursed: int
    outstanding: int
    over_30: int
    over_90: int
    charged_off: int


class CashFlow(NamedTuple):
    """What falls due in a month, what of it is unpaid, and the money that moved, in minor units."""

    product: str
    currency: str
    month: date
    due_principal: int
    due_interest: int
    due_fees: int
    due_penalties: int
    unpaid: int
    disbursed: int
    received: int
    returned: int


async def list_outstanding(tx: Tx, day: date | None) -> list[Outstanding]:
    """What is owed now, or was at the opening of a past day as it was known then.

    A loan without that night is told as it stands if it has not come there yet; else nothing was owed.
    """
    return await tx.rows(
        Outstanding,
        """WITH standing AS (
               SELECT product, currency, bucket, flows[1] + flows[2] + flows[8] - flows[12] - flows[19] AS principal,
                      flows[3] - flows[11] - flows[15] - flows[18] AS interest,
                      flows[4] - flows[10] - flows[14] - flows[17] AS fees,
                      flows[5] - flows[9] - flows[13] - flows[16] AS penalties
               FROM loan WHERE tenant_id = $1 AND status = 'active' AND ($2::date IS NULL OR day < $2)
               UNION ALL
               SELECT l.product, l.currency, n.bucket, n.principal_owed_minor, n.interest_owed_minor, n.fees_owed_minor,
                      n.penalties_owed_minor
               FROM loan_accrual n JOIN loan l ON l.tenant_id = n.tenant_id AND l.id = n.loan_id
               WHERE n.tenant_id = $1 AND n.day = $2
           )
           SELECT product, currency, bucket, count(*)::int, sum(principal)::bigint, sum(interest)::bigint,
                  sum(fees)::bigint, sum(penalties)::bigint
           FROM standing WHERE principal + interest + fees + penalties > 0
           GROUP BY product, currency, bucket
           ORDER BY product, currency, array_position(ARRAY['current', '1-30', '31-60', '61-90', '90+'], bucket)""",
        tx.tenant,
        day,
    )


async def list_vintages(tx: Tx, until: date, *, now: bool) -> list[Vintage]:
    """By the month in which loans were paid out, how they stood at each end of a month, and on a day or `now`."""
    return await tx.rows(
        Vintage,
        """WITH lent AS (
               SELECT l.id, l.product, l.currency, date_trunc('month', l.disbursed_on)::date AS month,
                      l.principal_minor, l.bucket, l.flows[19] AS lost, f.lost_on, l.status = 'active' AS is_active,
                      l.day AS came_to,
                      l.flows[1] + l.flows[2] + l.flows[8] - l.flows[12] - l.flows[19] AS principal
               FROM loan l LEFT JOIN (
                   SELECT loan_id, min(happened_on) AS lost_on FROM loan_fact
                   WHERE tenant_id = $1 AND type IN ('chargedoff', 'writtenoff') GROUP BY loan_id
               ) f ON f.loan_id = l.id
               WHERE l.tenant_id = $1 AND l.disbursed_on <= $2
           ), seen AS (
               SELECT m.month, ages.age, least((m.month + (ages.age + 1) * interval '1 month')::date, $2) AS day
               FROM (SELECT DISTINCT month FROM lent) m
               CROSS JOIN LATERAL generate_series(0, 1200) ages (age)
               WHERE ages.age = 0 OR (m.month + ages.age * interval '1 month')::date < $2
           ), nights AS MATERIALIZED (
               SELECT n.loan_id, n.day, n.principal_owed_minor, n.bucket
               FROM (SELECT DISTINCT day FROM seen) d
               CROSS JOIN LATERAL (
                   SELECT * FROM loan_accrual WHERE tenant_id = $1 AND day = d.day OFFSET 0
               ) n
           ), stood AS (
               SELECT l.*, s.age, s.day,
                      CASE WHEN s.is_now OR (l.is_active AND l.came_to < s.day) THEN l.principal
                           ELSE n.principal_owed_minor END AS owed,
                      CASE WHEN s.is_now OR (l.is_active AND l.came_to < s.day) THEN l.bucket ELSE n.bucket END AS late
               FROM lent l JOIN (SELECT seen.*, $3 AND seen.day = $2 AS is_now FROM seen) s ON s.month = l.month
               LEFT JOIN nights n ON n.loan_id = l.id AND n.day = s.day
           )
           SELECT product, currency, month, age, day, count(*)::int, sum(principal_minor)::bigint,
                  coalesce(sum(owed), 0)::bigint,
                  coalesce(sum(owed) FILTER (WHERE late IN ('31-60', '61-90', '90+')), 0)::bigint,
                  coalesce(sum(owed) FILTER (WHERE late = '90+'), 0)::bigint,
                  coalesce(sum(lost) FILTER (WHERE lost_on <= day), 0)::bigint
           FROM stood GROUP BY product, currency, month, age, day ORDER BY product, currency, month, age""",
        tx.tenant,
        until,
        now,
    )


async def list_cash_flows(tx: Tx) -> list[CashFlow]:
    """By month, what was due, is due and will be, and the money that came and went; as it is known now."""
    return await tx.rows(
        CashFlow,
        """WITH flow AS (
               SELECT l.product, l.currency, r.due AS on_day, r.principal, r.interest, r.fee, r.penalty, r.unpaid,
                      0::bigint AS disbursed, 0::bigint AS received, 0::bigint AS returned
               FROM loan l JOIN loan_plan p ON p.tenant_id = l.tenant_id AND p.loan_id = l.id
               CROSS JOIN LATERAL (
                   SELECT (d ->> 0)::date AS due, (d -> 1 ->> 3)::bigint AS principal,
                          (d -> 1 ->> 2)::bigint AS interest, (d -> 1 ->> 1)::bigint AS fee,
                          (d -> 1 ->> 0)::bigint AS penalty,
                          (d -> 2 ->> 0)::bigint + (d -> 2 ->> 1)::bigint + (d -> 2 ->> 2)::bigint
                          + (d -> 2 ->> 3)::bigint AS unpaid
                   FROM jsonb_array_elements(p.closed::jsonb || (l.state::jsonb -> 'open')) d
                   UNION ALL
                   SELECT (i ->> 2)::date, (i ->> 3)::bigint, (i ->> 4)::bigint, (i ->> 5)::bigint, 0,
                          (i ->> 3)::bigint + (i ->> 4)::bigint + (i ->> 5)::bigint
                   FROM jsonb_array_elements(p.plan::jsonb) i
               ) r
               WHERE l.tenant_id = $1
               UNION ALL
               SELECT product, currency, disbursed_on, 0, 0, 0, 0, 0, flows[1], 0, 0
               FROM loan WHERE tenant_id = $1 AND disbursed_on IS NOT NULL
               UNION ALL
               SELECT l.product, l.currency, f.happened_on, 0, 0, 0, 0, 0, 0,
                      CASE WHEN f.type <> 'returned' THEN (f.body::jsonb ->> 'minor')::bigint ELSE 0 END,
                      CASE WHEN f.type = 'returned' THEN (f.body::jsonb ->> 'minor')::bigint ELSE 0 END
               FROM loan l JOIN loan_fact f ON f.tenant_id = l.tenant_id AND f.loan_id = l.id
               WHERE l.tenant_id = $1 AND f.type IN ('repaid', 'prepaid', 'returned') AND NOT EXISTS (
                   SELECT FROM loan_fact r WHERE r.tenant_id = $1 AND r.loan_id = f.loan_id AND r.type = 'reversed'
                     AND (r.body::jsonb ->> 'repayment')::int = f.seq
               )
           )
           SELECT product, currency, date_trunc('month', on_day)::date, sum(principal)::bigint, sum(interest)::bigint,
                  sum(fee)::bigint, sum(penalty)::bigint, sum(unpaid)::bigint, sum(disbursed)::bigint,
                  sum(received)::bigint, sum(returned)::bigint
           FROM flow GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        tx.tenant,
    )
