-- Public addresses should not show an expired certificate.
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
    'shows certificates that have expired: ' || group_concat(certificate, ', ') filter (where julianday(ssl_expires) < julianday('now') or ssl_expired) as found,
    case
      when max(source = 'internetdb' and port is not null) then 'was looked up in InternetDB, which does not know certificates'
      else 'shows certificates that expire within 30 days: ' || group_concat(certificate, ', ') filter (where julianday(ssl_expires) < julianday('now', '+30 days'))
    end as unsure,
    'shows no expired certificate' as clear
  from (
    select
      ip,
      source,
      status,
      error,
      port,
      ssl_expires,
      ssl_expired,
      coalesce(ssl_subject_cn, 'one without a name') || ' on port ' || port || coalesce(' (' || date(ssl_expires) || ')', '') as certificate
    from
      shodan_service
    where
      ip in (select ip from addresses)
  )
  group by
    ip,
    status,
    error
)
select
  r.resource,
  case
    when r.ip is null then 'skip'
    when a.status is null or a.status = 'error' then 'error'
    when a.status = 'not_indexed' then 'info'
    when a.status <> 'indexed' then 'skip'
    when a.found is not null then 'alarm'
    when a.unsure is not null then 'info'
    else 'ok'
  end as status,
  r.what || case
    when r.ip is null then ' has no public address.'
    when a.status is null then ' has ' || r.ip || ', which has no result.'
    when a.status = 'error' then ' has ' || r.ip || ', which could not be checked: ' || a.error || '.'
    when a.status = 'not_indexed' then ' has ' || r.ip || ', which has no data. This does not mean that it is clean.'
    when a.status <> 'indexed' then ' has ' || r.ip || ', which is not looked up: ' || replace(a.status, '_', ' ') || '.'
    else ' has ' || r.ip || ', which ' || coalesce(a.found, a.unsure, a.clear) || '.'
  end as reason
from
  addresses as r
  left join answers as a on a.ip = r.ip
order by
  r.resource;
