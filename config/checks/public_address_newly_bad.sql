-- Public addresses should not have become bad since yesterday.
-- Attach the addresses, with the columns resource, title and ip, as public_address.
with addresses as materialized (
  select
    coalesce(resource, ip) as resource,
    coalesce(title, ip) as what,
    ip
  from
    public_address
),
looked_up as materialized (
  select
    ip,
    status,
    error,
    level,
    score
  from
    shodan_ip_reputation
  where
    ip in (select ip from addresses)
),
-- The past is read only after the addresses were looked up, which records them.
past as materialized (
  select
    ip,
    max(status in ('indexed', 'not_indexed')) as is_known,
    min(case when newly_bad then changed_at end) as since,
    min(case when newly_bad then coalesce(old_level, 'not known') end) as was
  from (
    select
      *,
      change = 'level'
        and level in ('critical', 'high')
        and coalesce(old_level, 'unknown') not in ('critical', 'high')
        and julianday(changed_at) >= julianday('now', '-1 day') as newly_bad
    from
      shodan_reputation_change
    where
      ip in (select ip from looked_up)
  ) as changes
  group by
    ip
)
select
  r.resource,
  case
    when r.ip is null then 'skip'
    when a.status is null or a.status = 'error' then 'error'
    when a.status = 'not_indexed' then 'info'
    when a.status <> 'indexed' then 'skip'
    when a.level in ('critical', 'high') and p.since is not null then 'alarm'
    when p.is_known then 'ok'
    else 'info'
  end as status,
  r.what || case
    when r.ip is null then ' has no public address.'
    when a.status is null then ' has ' || r.ip || ', which has no result.'
    when a.status = 'error' then ' has ' || r.ip || ', which could not be checked: ' || a.error || '.'
    when a.status = 'not_indexed' then ' has ' || r.ip || ', which has no data. This does not mean that it is clean.'
    when a.status <> 'indexed' then ' has ' || r.ip || ', which is not looked up: ' || replace(a.status, '_', ' ') || '.'
    when a.level in ('critical', 'high') and p.since is not null then
      ' has ' || r.ip || ', which is ' || a.level || ' with a score of ' || a.score || ' since ' || date(p.since) || ', and was ' || p.was || ' before.'
    when p.is_known then
      ' has ' || r.ip || ', which is ' || a.level || ' with a score of ' || a.score || ', and has not become bad since yesterday.'
    else ' has ' || r.ip || ', which has no past: no response of a service about it was recorded.'
  end as reason
from
  addresses as r
  left join looked_up as a on a.ip = r.ip
  left join past as p on p.ip = r.ip
order by
  r.resource;
