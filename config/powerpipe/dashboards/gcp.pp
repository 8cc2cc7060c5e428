dashboard "gcp_public_addresses" {
  title         = "GCP Public Addresses by Reputation"
  documentation = file("./dashboards/docs/public_addresses.md")

  tags = merge(local.common_tags, {
    service = "GCP"
    type    = "Report"
  })

  container {
    card {
      width = 3
      sql   = replace(local.dashboard_addresses_sql, "__RESOURCES__", local.gcp_addresses_sql)
    }

    card {
      width = 3
      sql   = replace(local.dashboard_critical_sql, "__RESOURCES__", local.gcp_addresses_sql)
    }

    card {
      width = 3
      sql   = replace(local.dashboard_high_sql, "__RESOURCES__", local.gcp_addresses_sql)
    }

    card {
      width = 3
      sql   = replace(local.dashboard_unknown_sql, "__RESOURCES__", local.gcp_addresses_sql)
    }
  }

  container {
    chart {
      title = "Addresses by Level"
      type  = "donut"
      width = 4
      sql   = replace(local.dashboard_levels_sql, "__RESOURCES__", local.gcp_addresses_sql)

      series "addresses" {
        point "critical" {
          color = "alert"
        }

        point "low" {
          color = "ok"
        }
      }
    }

    chart {
      title = "Top Factors"
      type  = "bar"
      width = 4
      sql   = replace(local.dashboard_factors_sql, "__RESOURCES__", local.gcp_addresses_sql)
    }

    table {
      title = "Countries"
      width = 4
      sql   = replace(local.dashboard_countries_sql, "__RESOURCES__", local.gcp_addresses_sql)
    }
  }

  table {
    title = "Worst Addresses"
    sql   = replace(local.dashboard_worst_sql, "__RESOURCES__", local.gcp_addresses_sql)

    column "Why" {
      wrap = "all"
    }
  }

  table {
    title = "Certificates That Have Expired or Expire Soon"
    sql   = replace(local.dashboard_certificates_sql, "__RESOURCES__", local.gcp_addresses_sql)
  }

  table {
    title = "Addresses Without a Score"
    sql   = replace(local.dashboard_not_judged_sql, "__RESOURCES__", local.gcp_addresses_sql)
  }
}
