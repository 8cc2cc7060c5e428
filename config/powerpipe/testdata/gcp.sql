-- Resources with the addresses of the tests, rules that let them and more in and out, and resources that no control
-- must see.
insert into gcp_compute_instance (self_link, title, network_interfaces, tags, project, location) values
  ('instance/1', 'web', '[{"accessConfigs": [{"natIP": "203.0.113.1"}]}, {"accessConfigs": [{"natIP": "203.0.113.2"}, {"name": "none"}]}]', '{"Owner": "web"}', 'p', 'europe-west1-b'),
  ('instance/2', 'inner', '[{"networkIP": "10.0.0.9"}]', null, 'p', 'europe-west1-b');
insert into gcp_compute_address (self_link, title, address, address_type, project, location) values
  ('address/3', 'a3', '203.0.113.3', 'EXTERNAL', 'p', 'europe-west1'), ('address/4', 'a4', '203.0.113.4', 'EXTERNAL', 'p', 'europe-west1'), ('address/x', 'x', '10.0.0.7', 'INTERNAL', 'p', 'europe-west1');
insert into gcp_compute_global_address (self_link, title, address, address_type, project, location) values
  ('address/5', 'a5', '203.0.113.5', 'EXTERNAL', 'p', 'global'), ('address/6', 'a6', '203.0.113.6', 'EXTERNAL', 'p', 'global'), ('address/y', 'y', '10.0.0.6', 'INTERNAL', 'p', 'global');
insert into gcp_compute_forwarding_rule (self_link, title, ip_address, load_balancing_scheme, project, location) values
  ('fr/7', 'f7', '203.0.113.7', 'EXTERNAL_MANAGED', 'p', 'europe-west1'), ('fr/8', 'f8', '10.0.0.8', 'EXTERNAL', 'p', 'europe-west1'), ('fr/x', 'x', '10.0.0.5', 'INTERNAL', 'p', 'europe-west1');
insert into gcp_compute_global_forwarding_rule (self_link, title, ip_address, load_balancing_scheme, project, location) values
  ('fr/9', 'f9', '203.0.113.9', 'EXTERNAL', 'p', 'global'), ('fr/10', 'f10', '2001:db8::10', 'EXTERNAL', 'p', 'global');
insert into gcp_compute_firewall (self_link, title, direction, action, disabled, source_ranges, destination_ranges, allowed, project, location) values
  ('fw/in', 'in', 'INGRESS', 'Allow', false, '["203.0.113.1", "203.0.113.2/32", "203.0.113.3/32", "203.0.113.4", "203.0.113.5", "203.0.113.6", "203.0.113.7", "10.0.0.8", "203.0.113.9", "2001:db8::10", "198.51.100.0/24"]', null, '[{"IPProtocol": "tcp", "ports": ["443", "8000-8010"]}]', 'p', 'global'),
  ('fw/out', 'out', 'EGRESS', 'Allow', false, null, '["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6", "203.0.113.7", "10.0.0.8", "203.0.113.9", "2001:db8::10", "198.51.100.0/24"]', '[{"IPProtocol": "all"}]', 'p', 'global'),
  ('fw/tags', 'tags', 'INGRESS', 'Allow', false, null, null, '[{"IPProtocol": "tcp", "ports": ["5432"]}]', 'p', 'global'),
  ('fw/deny', 'deny', 'INGRESS', 'Deny', false, '["203.0.113.250"]', null, null, 'p', 'global'),
  ('fw/off', 'off', 'INGRESS', 'Allow', true, '["203.0.113.251", "0.0.0.0/0"]', null, '[{"IPProtocol": "all"}]', 'p', 'global'),
  ('fw/open-port', 'open-port', 'INGRESS', 'Allow', false, '["0.0.0.0/0"]', null, '[{"IPProtocol": "icmp"}, {"IPProtocol": "tcp", "ports": ["22", "4000-5000"]}]', 'p', 'global'),
  ('fw/open-web', 'open-web', 'INGRESS', 'Allow', false, '["::/0"]', null, '[{"IPProtocol": "tcp", "ports": ["443"]}]', 'p', 'global'),
  ('fw/open-all', 'open-all', 'INGRESS', 'Allow', false, '["::/0"]', null, '[{"IPProtocol": "udp"}]', 'p', 'global'),
  ('fw/open-ping', 'open-ping', 'INGRESS', 'Allow', false, '["0.0.0.0/0"]', null, '[{"IPProtocol": "icmp"}]', 'p', 'global'),
  ('fw/open-half', 'open-half', 'INGRESS', 'Allow', false, '["128.0.0.0/1"]', null, '[{"IPProtocol": "udp", "ports": ["1080"]}]', 'p', 'global');
