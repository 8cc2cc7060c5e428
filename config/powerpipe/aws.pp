# The addresses and the rules of AWS.
locals {
  # Load balancers have the public addresses of their network interfaces, which are named after them.
  aws_addresses_sql = <<-EOQ
    select
      a.resource,
      a.what || ' has ' || abbrev(a.ip) as what,
      a.ip,
      a.what || ' has no public address.' as note,
      a.tags,
      a.account_id,
      a.region,
      a.connection_name
    from (
      select arn as resource, 'Instance ' || coalesce(title, arn) as what, public_ip_address as ip, tags, account_id, region, _ctx ->> 'connection_name' as connection_name
      from aws_ec2_instance
      where instance_state <> 'terminated'
      union all
      select arn, 'Instance ' || coalesce(title, arn), ipv6_address::inet, tags, account_id, region, _ctx ->> 'connection_name'
      from aws_ec2_instance
      where instance_state <> 'terminated' and ipv6_address <> ''
      union all
      select arn, 'Elastic address ' || coalesce(title, arn), public_ip, tags, account_id, region, _ctx ->> 'connection_name'
      from aws_vpc_eip
      union all
      select l.arn, 'Load balancer ' || coalesce(l.title, l.arn), i.ip, l.tags, l.account_id, l.region, l.connection_name
      from (
        select arn, title, tags, account_id, region, _ctx ->> 'connection_name' as connection_name from aws_ec2_application_load_balancer
        union all
        select arn, title, tags, account_id, region, _ctx ->> 'connection_name' from aws_ec2_network_load_balancer
        offset 0 -- as Steampipe may drop conditions of a join with one of these tables itself
      ) as l
      left join (
        -- offset 0, so that they are listed once, and not for each load balancer
        select association_public_ip as ip, description, account_id, region from aws_ec2_network_interface where association_public_ip is not null offset 0
      ) as i on i.description = 'ELB ' || split_part(l.arn, ':loadbalancer/', 2) and i.account_id = l.account_id and i.region = l.region
    ) as a
  EOQ

  aws_rules_sql = <<-EOQ
    select
      security_group_rule_id as resource,
      format('Rule %s of %s __VERB__ %s', security_group_rule_id, group_id, abbrev(coalesce(cidr_ipv4, cidr_ipv6)::inet)) as what,
      coalesce(cidr_ipv4, cidr_ipv6)::inet as ip,
      format('Rule %s of %s names no address but %s.', security_group_rule_id, group_id, coalesce(referenced_group_id, prefix_list_id, 'something else')) as note,
      case
        when ip_protocol in ('tcp', 'udp') then int4multirange(int4range(coalesce(nullif(from_port, -1), 0)::int, coalesce(nullif(to_port, -1), 65535)::int, '[]'))
        when ip_protocol in ('icmp', 'icmpv6') then int4multirange()
        else int4multirange(int4range(0, 65535, '[]'))
      end as ports,
      account_id,
      region,
      _ctx ->> 'connection_name' as connection_name
    from
      aws_vpc_security_group_rule
    where
      type = '__DIRECTION__'
  EOQ
}

locals {
  aws_ingress_sql = replace(replace(local.aws_rules_sql, "__DIRECTION__", "ingress"), "__VERB__", "lets in")
  aws_egress_sql  = replace(replace(local.aws_rules_sql, "__DIRECTION__", "egress"), "__VERB__", "lets traffic out to")

  aws_address_dimensions_sql = "${local.aws_dimensions_sql}${local.tag_dimensions_sql}"
}

benchmark "aws_ip_reputation" {
  title         = "IP Reputation in AWS"
  description   = "The reputation of the addresses that security groups allow in and out, and of the public addresses of instances and load balancers."
  documentation = file("./docs/aws_ip_reputation.md")
  children = [
    control.aws_security_group_ingress_reputation,
    control.aws_security_group_egress_reputation,
    control.aws_security_group_open_suspicious_port,
    control.aws_public_address_reputation,
    control.aws_public_address_newly_bad,
    control.aws_public_address_suspicious_port,
    control.aws_public_address_database,
    control.aws_public_address_exploited_vulnerability,
    control.aws_public_address_expired_certificate
  ]

  tags = merge(local.common_tags, {
    service = "AWS"
    type    = "Benchmark"
  })
}

control "aws_security_group_ingress_reputation" {
  title       = "Security groups should not allow traffic from addresses with a bad reputation"
  description = "A rule should not allow traffic from an address that attacks others, or that is no longer run by the party you trust. Networks are not looked up."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.aws_ingress_sql), "__DIMENSIONS__", local.aws_dimensions_sql)

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
    service = "AWS/VPC"
  })
}

control "aws_security_group_egress_reputation" {
  title       = "Security groups should not allow traffic to addresses with a bad reputation"
  description = "A rule that allows traffic to an address with a bad reputation can be used to send out stolen data, or to reach a command-and-control server. Networks are not looked up."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.aws_egress_sql), "__DIMENSIONS__", local.aws_dimensions_sql)

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
    service = "AWS/VPC"
  })
}

control "aws_security_group_open_suspicious_port" {
  title       = "Security groups should not open suspicious ports to everyone"
  description = "The ports of proxies, IRC and well-known backdoors should not be open to 0.0.0.0/0 and ::/0. This control does not look up addresses."
  severity    = "high"
  sql         = replace(replace(local.open_rule_sql, "__RESOURCES__", local.aws_ingress_sql), "__DIMENSIONS__", local.aws_dimensions_sql)

  param "suspicious_ports" {
    description = "The suspicious ports, which rarely have a legitimate use."
    default     = var.suspicious_ports
  }

  param "open_to_all_masklen" {
    description = "The longest mask of a network that counts as open to everyone."
    default     = var.open_to_all_masklen
  }

  tags = merge(local.common_tags, {
    service = "AWS/VPC"
  })
}

control "aws_public_address_reputation" {
  title       = "Public addresses of instances, load balancers and elastic addresses should have a good reputation"
  description = "If one of your addresses has a bad reputation, it exposes services that it should not, or it has been compromised."
  severity    = "high"
  sql         = replace(replace(local.reputation_sql, "__RESOURCES__", local.aws_addresses_sql), "__DIMENSIONS__", local.aws_address_dimensions_sql)

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
    service = "AWS/EC2"
  })
}

control "aws_public_address_newly_bad" {
  title       = "Public addresses of instances, load balancers and elastic addresses should not have become bad"
  description = "If one of your addresses has a bad reputation and had a better one before, or was never checked before, something has just changed. The past is what the plugin has recorded (history_store)."
  severity    = "critical"
  sql         = replace(replace(local.newly_bad_sql, "__RESOURCES__", local.aws_addresses_sql), "__DIMENSIONS__", local.aws_address_dimensions_sql)

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
    service = "AWS/EC2"
  })
}

control "aws_public_address_suspicious_port" {
  title       = "Public addresses of instances, load balancers and elastic addresses should have no suspicious port open"
  description = "If one of your addresses has an open port of a proxy, IRC or a well-known backdoor, this is a mistake, or the sign of an intruder."
  severity    = "medium"
  sql         = replace(replace(local.suspicious_port_sql, "__RESOURCES__", local.aws_addresses_sql), "__DIMENSIONS__", local.aws_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "suspicious_ports" {
    description = "The suspicious ports, which rarely have a legitimate use."
    default     = var.suspicious_ports
  }

  tags = merge(local.common_tags, {
    service = "AWS/EC2"
  })
}

control "aws_public_address_database" {
  title       = "Public addresses of instances, load balancers and elastic addresses should not expose a database"
  description = "A database should rarely be reachable from the whole internet."
  severity    = "critical"
  sql         = replace(replace(local.database_sql, "__RESOURCES__", local.aws_addresses_sql), "__DIMENSIONS__", local.aws_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "database_ports" {
    description = "The ports of databases."
    default     = var.database_ports
  }

  tags = merge(local.common_tags, {
    service = "AWS/EC2"
  })
}

control "aws_public_address_exploited_vulnerability" {
  title       = "Public addresses of instances, load balancers and elastic addresses should have no vulnerability that is known to be exploited"
  description = "Attackers currently exploit the vulnerabilities in the catalog of known exploited vulnerabilities (KEV). Shodan infers most vulnerabilities from a version."
  severity    = "critical"
  sql         = replace(replace(local.vulnerability_sql, "__RESOURCES__", local.aws_addresses_sql), "__DIMENSIONS__", local.aws_address_dimensions_sql)

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
    service = "AWS/EC2"
  })
}

control "aws_public_address_expired_certificate" {
  title       = "Public addresses of instances, load balancers and elastic addresses should not show an expired certificate"
  description = "An expired certificate breaks connections, and is often the sign of a neglected service. InternetDB has no certificates."
  severity    = "low"
  sql         = replace(replace(local.certificate_sql, "__RESOURCES__", local.aws_addresses_sql), "__DIMENSIONS__", local.aws_address_dimensions_sql)

  param "allowed_addresses" {
    description = "The addresses and networks that are not looked up."
    default     = var.allowed_addresses
  }

  param "certificate_days" {
    description = "The number of days before its expiry when a certificate gets the status info."
    default     = var.certificate_days
  }

  tags = merge(local.common_tags, {
    service = "AWS/EC2"
  })
}
