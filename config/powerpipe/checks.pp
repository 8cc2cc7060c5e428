# The SQL that the controls of all clouds share, with placeholders:
#
#   __RESOURCES__   a query of the cloud: resource, what (the beginning of the reason), ip, note (the reason if there is
#                   no ip), and the dimensions
#   __ANSWERS__     a query of the plugin: ip, status, error, and the possible ends of the reason: found (an alarm),
#                   unsure (info) and clear
#   __DIMENSIONS__  the dimensions, each after a comma
#
# Each address is looked up once, at most 201 in parallel. A plain join would look up one address at a time, and the form
# ip = any(array(select …)) would return no rows. All slices have about the same length, so that a short slice does not
# use the REST API (api_lookup_limit, 100) while the others use InternetDB. An address without a result is never ok.
locals {
  check_sql = <<-EOQ
    with resources as materialized (
      __RESOURCES__
    ),
    subjects as materialized (
      select
        *,
        case
          when ip is null then note
          when ip <<= any (($1)::text[]::inet[]) then what || ', which is on the allow list.'
          when masklen(ip) < case family(ip) when 4 then 32 else 128 end then what || ', a network, whose addresses are not looked up.'
        end as skipped
      from
        resources
    ),
    slices as materialized (
      select
        array_agg(ip order by ip) as ips
      from (
        select
          ip,
          ntile(((total + 200) / 201)::int) over (order by ip) as slice
        from
          (select ip, count(*) over () as total from (select distinct ip from subjects where skipped is null) as addresses) as counted
      ) as numbered
      group by
        slice
    ),
    answers as materialized (
      -- Where connections are aggregated, the one that knows the address, and the worst that it says.
      select distinct on (ip)
        *
      from (
        __ANSWERS__
      ) as all_answers
      order by
        ip,
        status = 'indexed' desc,
        found is null,
        unsure is null
    )
    select
      r.resource,
      case
        when r.skipped is not null then 'skip'
        when a.status is null or a.status = 'error' then 'error'
        when a.status = 'not_indexed' then 'info'
        when a.status <> 'indexed' then 'skip'
        when a.found is not null then 'alarm'
        when a.unsure is not null then 'info'
        else 'ok'
      end as status,
      case
        when r.skipped is not null then r.skipped
        when a.status is null then r.what || ', which has no result.'
        when a.status = 'error' then r.what || ', which could not be checked: ' || coalesce(a.error, 'no reason is known') || '.'
        when a.status = 'not_indexed' then r.what || ', which has no data. This does not mean that it is clean.'
        when a.status = 'reserved' then r.what || ', which cannot be on the internet.'
        when a.status <> 'indexed' then r.what || ', which was not checked: ' || a.status || '.'
        else r.what || ', which ' || coalesce(a.found, a.unsure, a.clear) || '.'
      end as reason,
      abbrev(r.ip) as ip
      __DIMENSIONS__
    from
      subjects as r
      left join answers as a on a.ip = r.ip
    order by
      r.resource,
      r.ip;
  EOQ
}

# A local cannot use another one of the same block.
locals {
  # $2 the levels, $3 the score
  reputation_sql = replace(local.check_sql, "__ANSWERS__", <<-EOQ
    select
      t.ip,
      t.status,
      t.error,
      case when t.level = any (($2)::text[]) or (($3)::float > 0 and t.score >= ($3)::float) then v.verdict end as found,
      null as unsure,
      v.verdict as clear
    from
      slices as s
      cross join lateral (
        select ip, status, error, level, score, factors from shodan_ip_reputation where ip = any (s.ips) offset 0
      ) as t
      cross join lateral (
        select 'is ' || t.level || ' with a score of ' || t.score || coalesce(': ' || string_agg(e.factor ->> 'detail', '; '), '') as verdict
        from jsonb_array_elements(t.factors) as e (factor)
      ) as v
  EOQ
  )

  # $2 the levels, $3 the days. The past is read only after the addresses were looked up, which records them.
  newly_bad_sql = replace(local.check_sql, "__ANSWERS__", <<-EOQ
    with looked_up as materialized (
      select
        s.ips,
        t.*
      from
        slices as s
        cross join lateral (
          select ip, status, error, level, score from shodan_ip_reputation where ip = any (s.ips) offset 0
        ) as t
    ),
    past as materialized (
      select
        c.ip,
        bool_or(c.status in ('indexed', 'not_indexed')) as known,
        min(c.changed_at) filter (where c.newly_bad) as since,
        (array_agg(c.old_level order by c.changed_at) filter (where c.newly_bad))[1] as was
      from (
        select
          a.*,
          a.change = 'level' and a.level = any (($2)::text[]) and (a.old_level is null or not a.old_level = any (($2)::text[]))
            and a.changed_at >= now() - make_interval(days => ($3)::int) as newly_bad
        from
          (select ips from looked_up group by ips) as l
          cross join lateral (
            select ip, status, change, changed_at, old_level, level from shodan_reputation_change where ip = any (l.ips) offset 0
          ) as a
      ) as c
      group by
        c.ip
    )
    select
      l.ip,
      l.status,
      l.error,
      case when l.level = any (($2)::text[]) then 'is ' || l.level || ' with a score of ' || l.score || ' since '
        || to_char(p.since at time zone 'UTC', 'YYYY-MM-DD') || ', and was ' || coalesce(p.was, 'not known') || ' before' end as found,
      case when not coalesce(p.known, false) then 'has no past: no response of a service about it was recorded' end as unsure,
      'is ' || l.level || ' with a score of ' || l.score || ', and has not become bad in the last ' || ($3)::int || ' days' as clear
    from
      looked_up as l
      left join past as p on p.ip = l.ip
  EOQ
  )

  # $2 the ports
  suspicious_port_sql = replace(local.check_sql, "__ANSWERS__", <<-EOQ
    select
      t.ip,
      t.status,
      t.error,
      'has ports open that seldom serve a good purpose: ' || p.found as found,
      null as unsure,
      'has no suspicious port open' as clear
    from
      slices as s
      cross join lateral (
        select ip, status, error, ports from shodan_ip_reputation where ip = any (s.ips) offset 0
      ) as t
      cross join lateral (
        select string_agg(e.port, ', ' order by e.port::int) as found
        from jsonb_array_elements_text(t.ports) as e (port)
        where e.port::int = any (($2)::int[])
      ) as p
  EOQ
  )

  # $2 the ports
  database_sql = replace(local.check_sql, "__ANSWERS__", <<-EOQ
    select
      t.ip,
      t.status,
      t.error,
      case
        when p.found is not null then 'has ports of databases open: ' || p.found
        when t.tags ? 'database' then 'is tagged as a database'
      end as found,
      null as unsure,
      'has no port of a database open' as clear
    from
      slices as s
      cross join lateral (
        select ip, status, error, ports, tags from shodan_ip_reputation where ip = any (s.ips) offset 0
      ) as t
      cross join lateral (
        select string_agg(e.port, ', ' order by e.port::int) as found
        from jsonb_array_elements_text(t.ports) as e (port)
        where e.port::int = any (($2)::int[])
      ) as p
  EOQ
  )

  # $2 true if only verified vulnerabilities count, $3 the EPSS
  vulnerability_sql = replace(local.check_sql, "__ANSWERS__", <<-EOQ
    select
      v.ip,
      v.status,
      v.error,
      'has vulnerabilities known or likely to be exploited: ' || string_agg(distinct v.cve_id, ', ') filter (where v.exploited and v.counts) as found,
      coalesce(
        'has vulnerabilities known or likely to be exploited, inferred from a version and not verified: ' || string_agg(distinct v.cve_id, ', ') filter (where v.exploited),
        'has vulnerabilities whose exploitation status is unknown: ' || string_agg(distinct v.cve_id, ', ') filter (where v.exploited is null)
      ) as unsure,
      case when count(v.cve_id) > 0 then 'has no vulnerability that is known to be exploited' else 'has no known vulnerability' end as clear
    from (
      select
        t.*,
        case when t.cve_id is not null then t.kev or (($3)::float > 0 and t.epss >= ($3)::float) else false end as exploited,
        not ($2)::bool or coalesce(t.verified, false) as counts
      from
        slices as s
        cross join lateral (
          select ip, status, error, cve_id, verified, kev, epss from shodan_vulnerability where ip = any (s.ips) offset 0
        ) as t
    ) as v
    group by
      v.ip,
      v.status,
      v.error
  EOQ
  )

  # $2 the days
  certificate_sql = replace(local.check_sql, "__ANSWERS__", <<-EOQ
    select
      c.ip,
      c.status,
      c.error,
      'shows certificates that have expired: ' || string_agg(c.certificate, ', ' order by c.port) filter (where c.expired) as found,
      case
        when bool_or(c.source = 'internetdb' and c.port is not null) then 'was looked up in InternetDB, which does not know certificates'
        else 'shows certificates that expire within ' || ($2)::int || ' days: ' || string_agg(c.certificate, ', ' order by c.port) filter (where c.ssl_expires < now() + make_interval(days => ($2)::int))
      end as unsure,
      case when count(c.ssl_expires) > 0 then 'shows certificates that are valid' else 'shows no certificate' end as clear
    from (
      select
        t.*,
        t.ssl_expires < now() or t.ssl_expired as expired,
        coalesce(t.ssl_subject_cn, 'one without a name') || ' on port ' || t.port || coalesce(' (' || t.ssl_expires::date || ')', '') as certificate
      from
        slices as s
        cross join lateral (
          select ip, source, status, error, port, ssl_expires, ssl_expired, ssl_subject_cn from shodan_service where ip = any (s.ips) offset 0
        ) as t
    ) as c
    group by
      c.ip,
      c.status,
      c.error
  EOQ
  )

  # The rules that are open to everyone. This needs no lookup, but also the ports of the resources, an int4multirange.
  # $1 the ports, $2 the length of the mask
  open_rule_sql = <<-EOQ
    with rules as materialized (
      __RESOURCES__
    )
    select
      r.resource,
      case
        when r.ip is null then 'skip'
        when masklen(r.ip) <= ($2)::int and p.found is not null then 'alarm'
        else 'ok'
      end as status,
      case
        when r.ip is null then r.note
        when masklen(r.ip) > ($2)::int then r.what || ', which is not everyone.'
        when p.found is not null then r.what || ', which is everyone, on ports that seldom serve a good purpose: ' || p.found || '.'
        else r.what || ', which is everyone, on no suspicious port.'
      end as reason,
      abbrev(r.ip) as ip
      __DIMENSIONS__
    from
      rules as r
      cross join lateral (
        select string_agg(e.port::text, ', ' order by e.port) as found from unnest(($1)::int[]) as e (port) where e.port <@ r.ports
      ) as p
    order by
      r.resource,
      r.ip;
  EOQ
}
