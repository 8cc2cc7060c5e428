-- The tables of the cloud plugins that the mod reads, with the names and types of all of their columns as Steampipe makes
-- them: from github.com/turbot/steampipe-plugin-aws of July 2026, steampipe-plugin-azure and steampipe-plugin-gcp of March
-- 2026. Steampipe itself adds _ctx.

create table aws_ec2_application_load_balancer (
  name text, arn text, type text, scheme text, canonical_hosted_zone_id text, vpc_id text, created_time
  timestamp with time zone, customer_owned_ipv4_pool text, dns_name text, ip_address_type text, state_code text,
  state_reason text, availability_zones jsonb, security_groups jsonb, load_balancer_attributes jsonb, tags_src jsonb,
  tags jsonb, title text, akas jsonb, partition text, region text, account_id text, _ctx jsonb
);

create table aws_ec2_instance (
  instance_id text, arn text, instance_type text, instance_state text, monitoring_state text, disable_api_termination
  boolean, ami_launch_index bigint, architecture text, boot_mode text, current_instance_boot_mode text, ipv6_address
  text, capacity_reservation_id text, capacity_reservation_specification jsonb, client_token text,
  cpu_options_core_count bigint, cpu_options_threads_per_core bigint, ebs_optimized boolean, ena_support boolean,
  hypervisor text, iam_instance_profile_arn text, iam_instance_profile_id text, image_id text,
  instance_initiated_shutdown_behavior text, instance_lifecycle text, kernel_id text, key_name text, launch_time
  timestamp with time zone, outpost_arn text, placement_affinity text, placement_availability_zone text,
  placement_group_id text, placement_group_name text, placement_host_id text, placement_host_resource_group_arn text,
  placement_partition_number bigint, placement_tenancy text, platform text, platform_details text, private_ip_address
  inet, private_dns_name text, public_dns_name text, public_ip_address inet, ram_disk_id text, root_device_name text,
  root_device_type text, source_dest_check boolean, spot_instance_request_id text, sriov_net_support text, state_code
  bigint, state_transition_reason text, state_transition_time timestamp with time zone, subnet_id text, tpm_support
  text, usage_operation text, usage_operation_update_time text, user_data text, virtualization_type text, vpc_id text,
  block_device_mappings jsonb, elastic_gpu_associations jsonb, elastic_inference_accelerator_associations jsonb,
  enclave_options jsonb, hibernation_options jsonb, state_reason jsonb, launch_template_data jsonb, licenses jsonb,
  maintenance_options jsonb, metadata_options jsonb, network_interfaces jsonb, private_dns_name_options jsonb,
  product_codes jsonb, security_groups jsonb, instance_status jsonb, tags_src jsonb, title text, tags jsonb, akas
  jsonb, partition text, region text, account_id text, _ctx jsonb
);

create table aws_ec2_network_interface (
  network_interface_id text, status text, interface_type text, description text, availability_zone text, owner_id
  text, deny_all_igw_traffic boolean, ipv6_native boolean, ipv6_address text, association_allocation_id text,
  association_carrier_ip inet, association_customer_owned_ip inet, association_id text, association_ip_owner_id text,
  association_public_dns_name text, association_public_ip inet, attached_instance_id text, attached_instance_owner_id
  text, attachment_id text, attachment_status text, attachment_time timestamp with time zone,
  delete_on_instance_termination boolean, device_index bigint, mac_address text, outpost_arn text, private_dns_name
  text, private_ip_address inet, requester_id text, requester_managed boolean, source_dest_check boolean, subnet_id
  text, vpc_id text, groups jsonb, ipv6_addresses jsonb, private_ip_addresses jsonb, connection_tracking_configuration
  jsonb, ipv6_prefixes jsonb, ipv4_prefixes jsonb, tags_src jsonb, title text, tags jsonb, akas jsonb, partition text,
  region text, account_id text, _ctx jsonb
);

create table aws_ec2_network_load_balancer (
  name text, arn text, type text, enforce_security_group_inbound_rules_on_private_link_traffic text, scheme text,
  canonical_hosted_zone_id text, created_time timestamp with time zone, customer_owned_ipv4_pool text, dns_name text,
  ip_address_type text, state_code text, state_reason text, vpc_id text, availability_zones jsonb, security_groups
  jsonb, load_balancer_attributes jsonb, tags_src jsonb, tags jsonb, title text, akas jsonb, partition text, region
  text, account_id text, _ctx jsonb
);

create table aws_vpc_eip (
  allocation_id text, arn text, public_ip inet, public_ipv4_pool text, domain text, association_id text, carrier_ip
  text, customer_owned_ip inet, customer_owned_ipv4_pool text, instance_id text, network_border_group text,
  network_interface_id text, network_interface_owner_id text, private_ip_address inet, tags_src jsonb, tags jsonb,
  title text, akas jsonb, partition text, region text, account_id text, _ctx jsonb
);

create table aws_vpc_security_group_rule (
  security_group_rule_id text, group_id text, is_egress boolean, type text, group_owner_id text, description text,
  ip_protocol text, from_port bigint, to_port bigint, cidr_ipv4 cidr, cidr_ipv6 cidr, referenced_group_id text,
  referenced_peering_status text, referenced_user_id text, referenced_vpc_id text,
  referenced_vpc_peering_connection_id text, prefix_list_id text, title text, akas jsonb, partition text, region text,
  account_id text, _ctx jsonb
);

create table azure_network_security_group (
  name text, id text, etag text, type text, provisioning_state text, resource_guid text, default_security_rules jsonb,
  diagnostic_settings jsonb, flow_logs jsonb, network_interfaces jsonb, security_rules jsonb, subnets jsonb, title
  text, tags jsonb, akas jsonb, region text, resource_group text, cloud_environment text, subscription_id text, _ctx
  jsonb
);

create table azure_public_ip (
  name text, id text, etag text, type text, provisioning_state text, ddos_custom_policy_id text,
  ddos_settings_protected_ip boolean, ddos_settings_protection_coverage text, dns_settings_domain_name_label text,
  dns_settings_fqdn text, dns_settings_reverse_fqdn text, idle_timeout_in_minutes bigint, ip_address inet,
  ip_configuration_id text, public_ip_address_version text, public_ip_allocation_method text, public_ip_prefix_id
  text, resource_guid text, sku_name text, ip_tags jsonb, nat_gateway jsonb, service_public_ip_address jsonb,
  ip_configuration jsonb, linked_public_ip_address jsonb, zones jsonb, title text, tags jsonb, akas jsonb, region
  text, resource_group text, cloud_environment text, subscription_id text, _ctx jsonb
);

create table gcp_compute_address (
  name text, id bigint, address inet, address_type text, ip_version text, description text, creation_timestamp
  timestamp with time zone, kind text, network text, network_tier text, prefix_length bigint, purpose text, self_link
  text, status text, subnetwork text, users jsonb, title text, akas jsonb, location text, project text, _ctx jsonb
);

create table gcp_compute_firewall (
  name text, id bigint, direction text, kind text, disabled boolean, description text, creation_timestamp
  timestamp with time zone, action text, log_config_enable boolean, log_config_metadata text, network text, priority
  bigint, self_link text, allowed jsonb, denied jsonb, destination_ranges jsonb, source_ranges jsonb,
  source_service_accounts jsonb, source_tags jsonb, target_service_accounts jsonb, target_tags jsonb, title text, akas
  jsonb, location text, project text, _ctx jsonb
);

create table gcp_compute_forwarding_rule (
  name text, id bigint, description text, ip_address inet, allow_global_access boolean, kind text, region text,
  self_link text, creation_timestamp timestamp with time zone, all_ports boolean, backend_service text, fingerprint
  text, ip_protocol text, ip_version text, is_mirroring_collector boolean, load_balancing_scheme text, network text,
  network_tier text, port_range text, service_label text, service_name text, subnetwork text, target text,
  metadata_filters jsonb, ports jsonb, labels jsonb, tags jsonb, title text, akas jsonb, location text, project text,
  _ctx jsonb
);

create table gcp_compute_global_address (
  name text, id bigint, address inet, address_type text, ip_version text, description text, creation_timestamp
  timestamp with time zone, kind text, network text, network_tier text, prefix_length bigint, purpose text, self_link
  text, status text, subnetwork text, users jsonb, title text, akas jsonb, location text, project text, _ctx jsonb
);

create table gcp_compute_global_forwarding_rule (
  name text, id bigint, description text, ip_address inet, allow_global_access boolean, kind text, self_link text,
  creation_timestamp timestamp with time zone, all_ports boolean, backend_service text, fingerprint text, ip_protocol
  text, ip_version text, is_mirroring_collector boolean, load_balancing_scheme text, network text, network_tier text,
  port_range text, service_label text, service_name text, subnetwork text, target text, metadata_filters jsonb, ports
  jsonb, labels jsonb, tags jsonb, title text, akas jsonb, location text, project text, _ctx jsonb
);

create table gcp_compute_instance (
  name text, id bigint, machine_type_name text, status text, can_ip_forward boolean, cpu_platform text,
  creation_timestamp timestamp with time zone, deletion_protection boolean, description text, fingerprint text,
  hostname text, kind text, label_fingerprint text, last_start_timestamp timestamp with time zone, last_stop_timestamp
  timestamp with time zone, last_suspended_timestamp timestamp with time zone, machine_type text, min_cpu_platform
  text, private_ipv6_google_access text, self_link text, start_restricted boolean, status_message text, zone text,
  zone_name text, confidential_instance_config jsonb, disks jsonb, display_device jsonb, guest_accelerators jsonb,
  labels jsonb, metadata jsonb, network_interfaces jsonb, reservation_affinity jsonb, resource_policies jsonb,
  scheduling jsonb, service_accounts jsonb, shielded_instance_config jsonb, shielded_instance_integrity_policy jsonb,
  network_tags jsonb, iam_policy jsonb, title text, tags jsonb, akas jsonb, location text, project text, _ctx jsonb
);
