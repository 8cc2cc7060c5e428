locals {
  # The addresses that security groups allow in or out, and your own addresses. Each address is looked up once, at most
  # 201 in parallel. All slices have about the same length, so all addresses get the same source.
  newly_bad_addresses_sql = <<-EOQ
    with resources as materialized (
      select
        coalesce(cidr_ipv4, cidr_ipv6)::inet as ip,
        format('%s of %s', type, group_id) as resource
      from
        aws_vpc_security_group_rule
      where
        masklen(coalesce(cidr_ipv4, cidr_ipv6)) = case family(coalesce(cidr_ipv4, cidr_ipv6)) when 4 then 32 else 128 end
      union
      select
        association_public_ip,
        format('interface %s', network_interface_id)
      from
        aws_ec2_network_interface
      where
        association_public_ip is not null
    ),
    slices as materialized (
      select
        array_agg(ip order by ip) as ips
      from (
        select
          ip,
          ntile(((total + 200) / 201)::int) over (order by ip) as slice
        from
          (select ip, count(*) over () as total from (select distinct ip from resources) as addresses) as counted
      ) as numbered
      group by
        slice
    ),
    looked_up as materialized (
      select
        s.ips,
        t.*
      from
        slices as s
        cross join lateral (
          select ip, level, score from shodan_ip_reputation where ip = any (s.ips) offset 0
        ) as t
    ),
    -- The past is read only after the addresses were looked up, which records them.
    changes as materialized (
      select
        c.*
      from
        (select ips from looked_up group by ips) as l
        cross join lateral (
          select ip, change, changed_at, old_level, level from shodan_reputation_change where ip = any (l.ips) offset 0
        ) as c
    ),
    bad as materialized (
      select
        t.ip,
        (array_agg(t.level order by array_position('{critical,high,medium,low,unknown}'::text[], t.level)))[1] as level,
        max(t.score) as score
      from
        looked_up as t
      where
        t.level in ('${join("', '", var.alarm_levels)}')
      group by
        t.ip
    ),
    newly as materialized (
      select
        c.ip,
        (array_agg(coalesce(c.old_level, 'not known') order by c.changed_at))[1] as was
      from
        changes as c
      where
        c.change = 'level'
        and c.level in ('${join("', '", var.alarm_levels)}')
        and coalesce(c.old_level, 'unknown') not in ('${join("', '", var.alarm_levels)}')
        and c.changed_at >= now() - interval '${var.window}'
      group by
        c.ip
    )
    select
      host(b.ip) as address,
      b.level,
      b.score,
      n.was,
      string_agg(distinct r.resource, ', ') as resources
    from
      bad as b
      join newly as n on n.ip = b.ip
      join resources as r on r.ip = b.ip
    group by
      b.ip,
      b.level,
      b.score,
      n.was
    order by
      b.ip
  EOQ
}

trigger "schedule" "newly_bad_addresses" {
  title       = "Newly bad addresses"
  description = "Reports addresses whose reputation has become bad since the last run, or that were first checked since then and are bad."

  schedule = var.schedule
  pipeline = pipeline.report_newly_bad_addresses
}

pipeline "report_newly_bad_addresses" {
  title       = "Report newly bad addresses"
  description = "Looks up the addresses, compares with the past that the plugin has recorded, and sends one message with one line per newly bad address."

  param "database" {
    type        = connection.steampipe
    description = "The Steampipe database with the tables of your cloud and of shodanrep."
    default     = var.database
  }

  param "notifier" {
    type        = notifier
    description = "The notifier for the message."
    default     = var.notifier
  }

  step "query" "newly_bad" {
    database = param.database
    sql      = local.newly_bad_addresses_sql
  }

  step "message" "tell" {
    if       = length(step.query.newly_bad.rows) > 0
    notifier = param.notifier
    subject  = "Addresses with a bad reputation"
    text     = join("\n", [for a in step.query.newly_bad.rows : "${a.address} is ${a.level} with a score of ${a.score}, and was ${a.was} before: ${a.resources}"])
  }
}
