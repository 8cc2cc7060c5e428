-- Security groups should not allow traffic from addresses with a bad reputation.
-- Attach the rules, with the columns that Steampipe gives them, as aws_vpc_security_group_rule.
with rules as materialized (
  select
    security_group_rule_id as resource,
    'Rule ' || security_group_rule_id || ' of ' || group_id as what,
    coalesce(cidr_ipv4, cidr_ipv6) as ip
  from
    aws_vpc_security_group_rule
  where
    type = 'ingress'
),
answers as materialized (
  select
    ip,
    status,
    error,
    case when level in ('critical', 'high') then 'is ' || level || ' with a score of ' || score end as found,
    'is ' || level || ' with a score of ' || score as clear
  from
    shodan_ip_reputation
  where
    ip in (select ip from rules)
)
select
  r.resource,
  case
    when r.ip is null then 'skip'
    when a.status is null or a.status = 'error' then 'error'
    when a.status = 'not_indexed' then 'info'
    when a.status <> 'indexed' then 'skip'
    when a.found is not null then 'alarm'
    else 'ok'
  end as status,
  r.what || case
    when r.ip is null then ' names no address.'
    when a.status is null then ' lets in ' || r.ip || ', which has no result.'
    when a.status = 'error' then ' lets in ' || r.ip || ', which could not be checked: ' || a.error || '.'
    when a.status = 'not_indexed' then ' lets in ' || r.ip || ', which has no data. This does not mean that it is clean.'
    when a.status <> 'indexed' then ' lets in ' || r.ip || ', which is not looked up: ' || replace(a.status, '_', ' ') || '.'
    else ' lets in ' || r.ip || ', which ' || coalesce(a.found, a.clear) || '.'
  end as reason
from
  rules as r
  left join answers as a on a.ip = r.ip
order by
  r.resource;
