-- Public addresses should have no suspicious port open.
-- Attach the addresses, with the columns resource, title and ip, as public_address.
with addresses as materialized (
  select
    coalesce(resource, ip) as resource,
    coalesce(title, ip) as what,
    ip
  from
    public_address
),
answers as materialized (
  select
    ip,
    status,
    error,
    'has ports open that seldom serve a good purpose: ' || open_ports as found,
    'has no suspicious port open' as clear
  from (
    select
      ip,
      status,
      error,
      (select group_concat(value, ', ') from json_each(ports) where value in (1080, 1234, 3128, 4444, 5555, 6666, 6667, 6697, 8080, 8443, 8888, 9090, 31337)) as open_ports
    from
      shodan_ip_reputation
    where
      ip in (select ip from addresses)
  )
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
    when r.ip is null then ' has no public address.'
    when a.status is null then ' has ' || r.ip || ', which has no result.'
    when a.status = 'error' then ' has ' || r.ip || ', which could not be checked: ' || a.error || '.'
    when a.status = 'not_indexed' then ' has ' || r.ip || ', which has no data. This does not mean that it is clean.'
    when a.status <> 'indexed' then ' has ' || r.ip || ', which is not looked up: ' || replace(a.status, '_', ' ') || '.'
    else ' has ' || r.ip || ', which ' || coalesce(a.found, a.clear) || '.'
  end as reason
from
  addresses as r
  left join answers as a on a.ip = r.ip
order by
  r.resource;
