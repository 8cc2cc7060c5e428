# The addresses and the rules of Azure.
locals {
  azure_addresses_sql = <<-EOQ
    select
      id as resource,
      'Public address ' || title || ' has ' || abbrev(ip_address) as what,
      ip_address as ip,
      'Public address ' || title || ' has no address at the moment.' as note,
      tags,
      subscription_id,
      resource_group,
      region,
      _ctx ->> 'connection_name' as connection_name
    from
      azure_public_ip
  EOQ

  # A rule names one prefix or a list of them, each an address, a network or the name of a service.
  azure_rules_sql = <<-EOQ
    select
      g.rule ->> 'id' as resource,
      format('Rule %s of %s __VERB__ %s', g.rule ->> 'name', g.title, abbrev(a.ip)) as what,
      a.ip,
      format('Rule %s of %s names no address but %s.', g.rule ->> 'name', g.title, coalesce(p.prefix, 'application security groups')) as note,
      coalesce(o.ports, int4multirange()) as ports,
      g.subscription_id,
      g.resource_group,
      g.region,
      g.connection_name
    from (
      select
        title,
        subscription_id,
        resource_group,
        region,
        _ctx ->> 'connection_name' as connection_name,
        jsonb_array_elements(security_rules) as rule
      from
        azure_network_security_group
    ) as g
    left join lateral (
      select g.rule #>> '{properties,__SIDE__AddressPrefix}' as prefix
      where g.rule #>> '{properties,__SIDE__AddressPrefix}' <> ''
      union all
      select jsonb_array_elements_text(g.rule #> '{properties,__SIDE__AddressPrefixes}')
      where jsonb_typeof(g.rule #> '{properties,__SIDE__AddressPrefixes}') = 'array'
    ) as p on true
    cross join lateral (
      select
        case
          when p.prefix in ('*', 'Any', 'Internet') then '0.0.0.0/0'
          when p.prefix ~ '^[0-9]{1,3}([.][0-9]{1,3}){3}(/[0-9]{1,2})?$' or p.prefix ~ '^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(/[0-9]{1,3})?$' then p.prefix::inet
        end as ip
    ) as a
    cross join lateral (
      select
        range_agg(case when r.ports = '*' then int4range(0, 65535, '[]') else int4range(split_part(r.ports, '-', 1)::int, split_part(r.ports, '-', -1)::int, '[]') end) as ports
      from (
        select g.rule #>> '{properties,destinationPortRange}' as ports
        where g.rule #>> '{properties,destinationPortRange}' <> ''
        union all
        select jsonb_array_elements_text(g.rule #> '{properties,destinationPortRanges}')
        where jsonb_typeof(g.rule #> '{properties,destinationPortRanges}') = 'array'
      ) as r
      where lower(g.rule #>> '{properties,protocol}') not in ('icmp', 'icmpv6')
    ) as o
    where
      g.rule #>> '{properties,direction}' = '__DIRECTION__'
      and g.rule #>> '{properties,access}' = 'Allow'
  EOQ
}

locals {
  azure_ingress_sql = replace(replace(replace(local.azure_rules_sql, "__DIRECTION__", "Inbound"), "__SIDE__", "source"), "__VERB__", "lets in")
  azure_egress_sql  = replace(replace(replace(local.azure_rules_sql, "__DIRECTION__", "Outbound"), "__SIDE__", "destination"), "__VERB__", "lets traffic out to")

  azure_address_dimensions_sql = "${local.azure_dimensions_sql}${local.tag_dimensions_sql}"
}

benchmark "azure_ip_reputation" {
  title         = "IP Reputation in Azure"
  description   = "The reputation of the addresses that network security groups allow in and out, and of the public addresses."
  documentation = file("./docs/azure_ip_reputation.md")
  children = [
    control.azure_network_security_group_ingress_reputation,
    control.azure_network_security_group_egress_reputation,
    control.azure_network_security_group_open_suspicious_port,
    control.azure_public_address_reputation,
    control.azure_public_address_newly_bad,
    control.azure_public_address_suspicious_port,
    control.azure_public_address_database,
    control.azure_public_address_exploited_vulnerability,
    control.azure_public_address_expired_certificate
  ]

  tags = merge(local.common_tags, {
    service = "Azure"
    type    = "Benchmark"
  })
}

control "azure_network_security_group_ingress_reputation" {
  title       = "Network security groups should not allow traffic from addresses with a bad reputation"
  description = "A rule should not allow traffic from an address that attacks others, or that is no longer run by the party you trust. Networks are not looked up."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.azure_ingress_sql), "__DIMENSIONS__", local.azure_dimensions_sql)

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
    service = "Azure/Network"
  })
}

control "azure_network_security_group_egress_reputation" {
  title       = "Network security groups should not allow traffic to addresses with a bad reputation"
  description = "A rule that allows traffic to an address with a bad reputation can be used to send out stolen data, or to reach a command-and-control server. Networks are not looked up."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.azure_egress_sql), "__DIMENSIONS__", local.azure_dimensions_sql)

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
    service = "Azure/Network"
  })
}

control "azure_network_security_group_open_suspicious_port" {
  title       = "Network security groups should not open suspicious ports to everyone"
  description = "The ports of proxies, IRC and well-known backdoors should not be open to 0.0.0.0/0 and ::/0. This control does not look up addresses."
  severity    = "high"
  sql         = replace(replace(local.open_rule_sql, "__RESOURCES__", local.azure_ingress_sql), "__DIMENSIONS__", local.azure_dimensions_sql)

  param "suspicious_ports" {
    description = "The suspicious ports, which rarely have a legitimate use."
    default     = var.suspicious_ports
  }

  param "open_to_all_masklen" {
    description = "The longest mask of a network that counts as open to everyone."
    default     = var.open_to_all_masklen
  }

  tags = merge(local.common_tags, {
    service = "Azure/Network"
  })
}

control "azure_public_address_reputation" {
  title       = "Public IP addresses should have a good reputation"
  description = "If one of your addresses has a bad reputation, it exposes services that it should not, or it has been compromised."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.azure_addresses_sql), "__DIMENSIONS__", local.azure_address_dimensions_sql)

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
    service = "Azure/Network"
  })
}

control "azure_public_address_newly_bad" {
  title       = "Public IP addresses should not have become bad"
  description = "If one of your addresses has a bad reputation and had a better one before, or was never checked before, something has just changed. The past is what the plugin has recorded (history_store)."
  severity    = "critical"
  sql         = replace(replace(local.newly_bad_sql, "__RESOURCES__", local.azure_addresses_sql), "__DIMENSIONS__", local.azure_address_dimensions_sql)

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
    service = "Azure/Network"
  })
}

control "azure_public_address_suspicious_port" {
  title       = "Public IP addresses should have no suspicious port open"
  description = "If one of your addresses has an open port of a proxy, IRC or a well-known backdoor, this is a mistake, or the sign of an intruder."
  severity    = "medium"
  sql         = replace(replace(local.suspicious_port_sql, "__RESOURCES__", local.azure_addresses_sql), "__DIMENSIONS__", local.azure_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "suspicious_ports" {
    description = "The suspicious ports, which rarely have a legitimate use."
    default     = var.suspicious_ports
  }

  tags = merge(local.common_tags, {
    service = "Azure/Network"
  })
}

control "azure_public_address_database" {
  title       = "Public IP addresses should not expose a database"
  description = "A database should rarely be reachable from the whole internet."
  severity    = "critical"
  sql         = replace(replace(local.database_sql, "__RESOURCES__", local.azure_addresses_sql), "__DIMENSIONS__", local.azure_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "database_ports" {
    description = "The ports of databases."
    default     = var.database_ports
  }

  tags = merge(local.common_tags, {
    service = "Azure/Network"
  })
}

control "azure_public_address_exploited_vulnerability" {
  title       = "Public IP addresses should have no vulnerability that is known to be exploited"
  description = "Attackers currently exploit the vulnerabilities in the catalog of known exploited vulnerabilities (KEV). Shodan infers most vulnerabilities from a version."
  severity    = "critical"
  sql         = replace(replace(local.vulnerability_sql, "__RESOURCES__", local.azure_addresses_sql), "__DIMENSIONS__", local.azure_address_dimensions_sql)

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
    service = "Azure/Network"
  })
}

control "azure_public_address_expired_certificate" {
  title       = "Public IP addresses should not show an expired certificate"
  description = "An expired certificate breaks connections, and is often the sign of a neglected service. InternetDB has no certificates."
  severity    = "low"
  sql         = replace(replace(local.certificate_sql, "__RESOURCES__", local.azure_addresses_sql), "__DIMENSIONS__", local.azure_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "certificate_days" {
    description = "The number of days before its expiry when a certificate gets the status info."
    default     = var.certificate_days
  }

  tags = merge(local.common_tags, {
    service = "Azure/Network"
  })
}
