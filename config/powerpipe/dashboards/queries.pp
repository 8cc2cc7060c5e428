# The queries of the dashboards, with a placeholder for the addresses of a cloud as in checks.pp. Each panel looks up the
# addresses itself; after the first panel they are in the plugin's cache.
locals {
  dashboard_slices_sql = <<-EOQ
    with resources as materialized (
      __RESOURCES__
    ),
    slices as materialized (
      select
        array_agg(ip order by ip) as ips
      from (
        select
          ip,
          ntile(((total + 200) / 201)::int) over (order by ip) as slice
        from
          (select ip, count(*) over () as total from (select distinct ip from resources where ip is not null) as addresses) as counted
      ) as numbered
      group by
        slice
    )
  EOQ
}

locals {
  dashboard_sql = <<-EOQ
    ${local.dashboard_slices_sql},
    addresses as materialized (
      select distinct on (t.ip)
        t.*
      from
        slices as s
        cross join lateral (
          select ip, status, error, level, score, factors, country, organization from shodan_ip_reputation where ip = any (s.ips) offset 0
        ) as t
      order by
        t.ip,
        t.status = 'indexed' desc,
        t.score desc nulls last
    )
  EOQ
}

locals {
  dashboard_addresses_sql = <<-EOQ
    ${local.dashboard_sql}
    select 'Public addresses' as label, count(distinct ip) as value from resources
  EOQ

  dashboard_critical_sql = <<-EOQ
    ${local.dashboard_sql}
    select 'Critical' as label, count(*) as value, case when count(*) > 0 then 'alert' else 'ok' end as type from addresses where level = 'critical'
  EOQ

  dashboard_high_sql = <<-EOQ
    ${local.dashboard_sql}
    select 'High' as label, count(*) as value, case when count(*) > 0 then 'alert' else 'ok' end as type from addresses where level = 'high'
  EOQ

  # An address without a row has no score either.
  dashboard_unknown_sql = <<-EOQ
    ${local.dashboard_sql}
    select
      'Not judged' as label,
      count(distinct r.ip) as value,
      'info' as type
    from
      resources as r
      left join addresses as a on a.ip = r.ip
    where
      r.ip is not null
      and a.status is distinct from 'indexed'
  EOQ

  dashboard_levels_sql = <<-EOQ
    ${local.dashboard_sql}
    select
      coalesce(a.level, 'unknown') as level,
      count(distinct r.ip) as addresses
    from
      resources as r
      left join addresses as a on a.ip = r.ip
    where
      r.ip is not null
    group by
      1
    order by
      array_position('{critical,high,medium,low,unknown}'::text[], coalesce(a.level, 'unknown'))
  EOQ

  dashboard_factors_sql = <<-EOQ
    ${local.dashboard_sql}
    select
      e.factor ->> 'factor' as factor,
      count(*) as addresses
    from
      addresses as a
      cross join lateral jsonb_array_elements(a.factors) as e (factor)
    group by
      1
    order by
      2 desc,
      1
    limit 10
  EOQ

  dashboard_countries_sql = <<-EOQ
    ${local.dashboard_sql}
    select
      coalesce(country, 'not known') as "Country",
      count(*) as "Addresses",
      max(score) as "Worst score"
    from
      addresses
    where
      status = 'indexed'
    group by
      1
    order by
      3 desc,
      2 desc,
      1
  EOQ

  dashboard_worst_sql = <<-EOQ
    ${local.dashboard_sql}
    select
      host(a.ip) as "Address",
      a.level as "Level",
      a.score as "Score",
      (select string_agg(e.factor ->> 'detail', '; ') from jsonb_array_elements(a.factors) as e (factor)) as "Why",
      a.organization as "Organization",
      (select string_agg(distinct r.resource, ', ') from resources as r where r.ip = a.ip) as "Resources"
    from
      addresses as a
    where
      a.status = 'indexed'
    order by
      a.score desc,
      a.ip
    limit 20
  EOQ

  dashboard_not_judged_sql = <<-EOQ
    ${local.dashboard_sql}
    select
      host(r.ip) as "Address",
      coalesce(a.status, 'no response') as "Status",
      a.error as "Error",
      string_agg(distinct r.resource, ', ') as "Resources"
    from
      resources as r
      left join addresses as a on a.ip = r.ip
    where
      r.ip is not null
      and a.status is distinct from 'indexed'
    group by
      1,
      2,
      3
    order by
      2,
      1
  EOQ

  dashboard_certificates_sql = <<-EOQ
    ${local.dashboard_slices_sql}
    select
      host(t.ip) as "Address",
      t.port as "Port",
      t.ssl_subject_cn as "Name",
      t.ssl_expires::date as "Expires",
      (select string_agg(distinct r.resource, ', ') from resources as r where r.ip = t.ip) as "Resources"
    from
      slices as s
      cross join lateral (
        select ip, port, ssl_subject_cn, ssl_expires from shodan_service where ip = any (s.ips) offset 0
      ) as t
    where
      t.ssl_expires < now() + make_interval(days => ${var.certificate_days})
    order by
      t.ssl_expires,
      t.ip,
      t.port
  EOQ
}
