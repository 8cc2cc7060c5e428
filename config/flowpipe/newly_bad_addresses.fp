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
    bad as materialized (
      select
        t.ip,
        (array_agg(t.level order by array_position('{critical,high,medium,low,unknown}'::text[], t.level)))[1] as level,
        max(t.score) as score
      from
        slices as s
        cross join lateral (
          select ip, level, score from shodan_ip_reputation where ip = any (s.ips) offset 0
        ) as t
      where
        t.level in ('${join("', '", var.alarm_levels)}')
      group by
        t.ip
    )
    select
      host(b.ip) as address,
      b.level,
      b.score,
      string_agg(distinct r.resource, ', ') as resources
    from
      bad as b
      join resources as r on r.ip = b.ip
    group by
      b.ip,
      b.level,
      b.score
    order by
      b.ip
  EOQ
}

# Flowpipe remembers seen addresses by the primary key, and captures only new ones.
trigger "query" "newly_bad_addresses" {
  title       = "Newly bad addresses"
  description = "Reports addresses with a bad reputation that did not have it, or did not exist, in the last run."

  schedule    = var.schedule
  database    = var.database
  sql         = local.newly_bad_addresses_sql
  primary_key = "address"

  capture "insert" {
    pipeline = pipeline.tell_of_bad_addresses
    args = {
      addresses = self.inserted_rows
    }
  }
}

pipeline "tell_of_bad_addresses" {
  title       = "Report bad addresses"
  description = "Sends one message with one line per address."

  param "addresses" {
    type = list(object({
      address   = string
      level     = string
      score     = number
      resources = string
    }))
    description = "The addresses that the trigger finds."
  }

  param "notifier" {
    type        = notifier
    description = "The notifier for the message."
    default     = var.notifier
  }

  step "message" "tell" {
    notifier = param.notifier
    subject  = "Addresses with a bad reputation"
    text     = join("\n", [for a in param.addresses : "${a.address} is ${a.level} with a score of ${a.score}: ${a.resources}"])
  }
}
