# The addresses and the rules of GCP.
locals {
  gcp_addresses_sql = <<-EOQ
    select
      a.resource,
      a.what || ' has ' || abbrev(a.ip) as what,
      a.ip,
      a.what || ' has no public address.' as note,
      a.tags,
      a.project,
      a.location,
      a.connection_name
    from (
      select i.self_link as resource, 'Instance ' || i.title as what, (n.config ->> 'natIP')::inet as ip, i.tags, i.project, i.location, i._ctx ->> 'connection_name' as connection_name
      from gcp_compute_instance as i
      left join lateral (
        select c.config
        from jsonb_array_elements(i.network_interfaces) as e (interface), jsonb_array_elements(e.interface -> 'accessConfigs') as c (config)
        where c.config ->> 'natIP' <> ''
      ) as n on true
      union all
      select self_link, 'Static address ' || title, address, null::jsonb, project, location, _ctx ->> 'connection_name'
      from gcp_compute_address
      where address_type = 'EXTERNAL'
      union all
      select self_link, 'Static address ' || title, address, null::jsonb, project, location, _ctx ->> 'connection_name'
      from gcp_compute_global_address
      where address_type = 'EXTERNAL'
      union all
      select self_link, 'Forwarding rule ' || title, ip_address, tags, project, location, _ctx ->> 'connection_name'
      from gcp_compute_forwarding_rule
      where load_balancing_scheme like 'EXTERNAL%'
      union all
      select self_link, 'Forwarding rule ' || title, ip_address, tags, project, location, _ctx ->> 'connection_name'
      from gcp_compute_global_forwarding_rule
      where load_balancing_scheme like 'EXTERNAL%'
    ) as a
  EOQ

  # A rule without ranges is one for tags or service accounts.
  gcp_rules_sql = <<-EOQ
    select
      f.self_link as resource,
      format('Rule %s __VERB__ %s', f.title, abbrev(a.ip)) as what,
      a.ip,
      format('Rule %s names no address but tags or service accounts.', f.title) as note,
      coalesce(o.ports, int4multirange()) as ports,
      f.project,
      f.location,
      f._ctx ->> 'connection_name' as connection_name
    from
      gcp_compute_firewall as f
      left join lateral (select s.text::inet as ip from jsonb_array_elements_text(f.__SIDE___ranges) as s (text)) as a on true
      cross join lateral (
        select
          range_agg(case when p.ports is null then int4range(0, 65535, '[]') else int4range(split_part(p.ports, '-', 1)::int, split_part(p.ports, '-', -1)::int, '[]') end) as ports
        from
          jsonb_array_elements(f.allowed) as e (entry)
          left join lateral jsonb_array_elements_text(e.entry -> 'ports') as p (ports) on true
        where
          e.entry ->> 'IPProtocol' not in ('icmp', '1', '58')
      ) as o
    where
      f.direction = '__DIRECTION__'
      and f.action = 'Allow'
      and not f.disabled
  EOQ
}

locals {
  gcp_ingress_sql = replace(replace(replace(local.gcp_rules_sql, "__DIRECTION__", "INGRESS"), "__SIDE__", "source"), "__VERB__", "lets in")
  gcp_egress_sql  = replace(replace(replace(local.gcp_rules_sql, "__DIRECTION__", "EGRESS"), "__SIDE__", "destination"), "__VERB__", "lets traffic out to")

  gcp_address_dimensions_sql = "${local.gcp_dimensions_sql}${local.tag_dimensions_sql}"
}

benchmark "gcp_ip_reputation" {
  title         = "IP Reputation in GCP"
  description   = "The reputation of the addresses that firewall rules allow in and out, and of the public addresses of instances and forwarding rules."
  documentation = file("./docs/gcp_ip_reputation.md")
  children = [
    control.gcp_firewall_ingress_reputation,
    control.gcp_firewall_egress_reputation,
    control.gcp_firewall_open_suspicious_port,
    control.gcp_public_address_reputation,
    control.gcp_public_address_newly_bad,
    control.gcp_public_address_suspicious_port,
    control.gcp_public_address_database,
    control.gcp_public_address_exploited_vulnerability,
    control.gcp_public_address_expired_certificate
  ]

  tags = merge(local.common_tags, {
    service = "GCP"
    type    = "Benchmark"
  })
}

control "gcp_firewall_ingress_reputation" {
  title       = "Firewall rules should not allow traffic from addresses with a bad reputation"
  description = "A rule should not allow traffic from an address that attacks others, or that is no longer run by the party you trust. Networks are not looked up."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.gcp_ingress_sql), "__DIMENSIONS__", local.gcp_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "alarm_levels" {
    description = "The levels that cause an alarm."
    default     = var.alarm_levels
  }

  param "alarm_score" {
    description = "The lowest score that causes an alarm."
    default     = var.alarm_score
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_firewall_egress_reputation" {
  title       = "Firewall rules should not allow traffic to addresses with a bad reputation"
  description = "A rule that allows traffic to an address with a bad reputation can be used to send out stolen data, or to reach a command-and-control server. Networks are not looked up."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.gcp_egress_sql), "__DIMENSIONS__", local.gcp_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "alarm_levels" {
    description = "The levels that cause an alarm."
    default     = var.alarm_levels
  }

  param "alarm_score" {
    description = "The lowest score that causes an alarm."
    default     = var.alarm_score
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_firewall_open_suspicious_port" {
  title       = "Firewall rules should not open suspicious ports to everyone"
  description = "The ports of proxies, IRC and well-known backdoors should not be open to 0.0.0.0/0 and ::/0. This control does not look up addresses."
  severity    = "high"
  sql         = replace(replace(local.open_rule_sql, "__RESOURCES__", local.gcp_ingress_sql), "__DIMENSIONS__", local.gcp_dimensions_sql)

  param "suspicious_ports" {
    description = "The suspicious ports, which rarely have a legitimate use."
    default     = var.suspicious_ports
  }

  param "open_to_all_masklen" {
    description = "The longest mask of a network that counts as open to everyone."
    default     = var.open_to_all_masklen
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_public_address_reputation" {
  title       = "Public addresses of instances, forwarding rules and static addresses should have a good reputation"
  description = "If one of your addresses has a bad reputation, it exposes services that it should not, or it has been compromised."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.gcp_addresses_sql), "__DIMENSIONS__", local.gcp_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "alarm_levels" {
    description = "The levels that cause an alarm."
    default     = var.alarm_levels
  }

  param "alarm_score" {
    description = "The lowest score that causes an alarm."
    default     = var.alarm_score
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_public_address_newly_bad" {
  title       = "Public addresses of instances, forwarding rules and static addresses should not have become bad"
  description = "If one of your addresses has a bad reputation and had a better one before, or was never checked before, something has just changed. The past is what the plugin has recorded (history_store)."
  severity    = "critical"
  sql         = replace(replace(local.newly_bad_sql, "__RESOURCES__", local.gcp_addresses_sql), "__DIMENSIONS__", local.gcp_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "alarm_levels" {
    description = "The levels that cause an alarm."
    default     = var.alarm_levels
  }

  param "newly_bad_days" {
    description = "The number of days during which an address counts as newly bad."
    default     = var.newly_bad_days
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_public_address_suspicious_port" {
  title       = "Public addresses of instances, forwarding rules and static addresses should have no suspicious port open"
  description = "If one of your addresses has an open port of a proxy, IRC or a well-known backdoor, this is a mistake, or the sign of an intruder."
  severity    = "medium"
  sql         = replace(replace(local.suspicious_port_sql, "__RESOURCES__", local.gcp_addresses_sql), "__DIMENSIONS__", local.gcp_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "suspicious_ports" {
    description = "The suspicious ports, which rarely have a legitimate use."
    default     = var.suspicious_ports
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_public_address_database" {
  title       = "Public addresses of instances, forwarding rules and static addresses should not expose a database"
  description = "A database should rarely be reachable from the whole internet."
  severity    = "critical"
  sql         = replace(replace(local.database_sql, "__RESOURCES__", local.gcp_addresses_sql), "__DIMENSIONS__", local.gcp_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "database_ports" {
    description = "The ports of databases."
    default     = var.database_ports
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_public_address_exploited_vulnerability" {
  title       = "Public addresses of instances, forwarding rules and static addresses should have no vulnerability that is known to be exploited"
  description = "Attackers currently exploit the vulnerabilities in the catalog of known exploited vulnerabilities (KEV). Shodan infers most vulnerabilities from a version."
  severity    = "critical"
  sql         = replace(replace(local.vulnerability_sql, "__RESOURCES__", local.gcp_addresses_sql), "__DIMENSIONS__", local.gcp_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "verified_vulnerabilities_only" {
    description = "True if only verified vulnerabilities cause an alarm."
    default     = var.verified_vulnerabilities_only
  }

  param "alarm_epss" {
    description = "The lowest EPSS score of a vulnerability that causes an alarm."
    default     = var.alarm_epss
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}

control "gcp_public_address_expired_certificate" {
  title       = "Public addresses of instances, forwarding rules and static addresses should not show an expired certificate"
  description = "An expired certificate breaks connections, and is often the sign of a neglected service. InternetDB has no certificates."
  severity    = "low"
  sql         = replace(replace(local.certificate_sql, "__RESOURCES__", local.gcp_addresses_sql), "__DIMENSIONS__", local.gcp_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "certificate_days" {
    description = "The number of days before its expiry when a certificate gets the status info."
    default     = var.certificate_days
  }

  tags = merge(local.common_tags, {
    service = "GCP/Compute"
  })
}
