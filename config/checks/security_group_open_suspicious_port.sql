-- Security groups should not open suspicious ports to everyone. This check does not look up addresses.
-- Attach the rules, with the columns that Steampipe gives them, as aws_vpc_security_group_rule.
with ports (port) as (
  values (1080), (1234), (3128), (4444), (5555), (6666), (6667), (6697), (8080), (8443), (8888), (9090), (31337)
),
rules as materialized (
  select
    security_group_rule_id as resource,
    'Rule ' || security_group_rule_id || ' of ' || group_id as what,
    coalesce(cidr_ipv4, cidr_ipv6) as ip,
    case when ip_protocol in ('tcp', 'udp') then coalesce(nullif(from_port, -1), 0) when ip_protocol in ('icmp', 'icmpv6') then 1 else 0 end as from_port,
    case when ip_protocol in ('tcp', 'udp') then coalesce(nullif(to_port, -1), 65535) when ip_protocol in ('icmp', 'icmpv6') then 0 else 65535 end as to_port
  from
    aws_vpc_security_group_rule
  where
    type = 'ingress'
),
opened as materialized (
  select
    r.*,
    (select group_concat(port, ', ') from ports where port between r.from_port and r.to_port) as found
  from
    rules as r
)
select
  resource,
  case
    when ip is null then 'skip'
    when ipmasklen(ip) = 0 and found is not null then 'alarm'
    when ipmasklen(ip) is null then 'error'
    else 'ok'
  end as status,
  what || case
    when ip is null then ' names no address.'
    when ipmasklen(ip) is null then ' names ' || ip || ', which is no address.'
    when ipmasklen(ip) > 0 then ' lets in ' || ip || ', which is not everyone.'
    when found is not null then ' lets in everyone on ports that seldom serve a good purpose: ' || found || '.'
    else ' lets in everyone, on no suspicious port.'
  end as reason
from
  opened
order by
  resource;
