-- Likewise, for webhooks: what is sent is something that happened, and the log is whole.

-- name: I51 Every webhook delivery is of an event that is there, counts the attempts in its log, and ended after a success
SELECT d.tenant_id, d.id, d.status, d.attempts
FROM webhook_delivery AS d
LEFT JOIN event AS v ON d.tenant_id = v.tenant_id AND d.event_id = v.id
CROSS JOIN LATERAL (
    SELECT count(*) AS logged, count(*) FILTER (WHERE a.status BETWEEN 200 AND 299) AS succeeded
    FROM webhook_attempt AS a
    WHERE a.tenant_id = d.tenant_id AND a.delivery_id = d.id
) AS log
WHERE (d.event_id IS NOT NULL AND v.id IS NULL) OR d.attempts <> log.logged
OR log.succeeded <> CASE d.status WHEN 'delivered' THEN 1 ELSE 0 END;
