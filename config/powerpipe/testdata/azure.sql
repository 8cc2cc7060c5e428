-- Resources with the addresses of the tests, rules that let them and more in and out, and resources that no control
-- must see.
insert into azure_public_ip (id, title, ip_address, tags, subscription_id, resource_group, region)
  select 'id/' || coalesce(host(address), 'none'), 'ip', address, '{"Owner": "web"}', 's', 'g', 'westeurope'
  from unnest('{203.0.113.1,203.0.113.2,203.0.113.3,203.0.113.4,203.0.113.5,203.0.113.6,203.0.113.7,10.0.0.8,203.0.113.9,2001:db8::10,NULL}'::inet[]) as address;
insert into azure_network_security_group (id, title, subscription_id, resource_group, region, security_rules) values ('nsg', 'nsg', 's', 'g', 'westeurope', '[
  {"id": "one", "name": "one", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "203.0.113.1", "destinationPortRange": "443"}},
  {"id": "list", "name": "list", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefixes": ["203.0.113.2/32", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6", "203.0.113.7", "10.0.0.8", "203.0.113.9", "2001:db8::10/128", "198.51.100.0/24"], "destinationPortRanges": ["443", "8000-8010"]}},
  {"id": "out", "name": "out", "properties": {"direction": "Outbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*", "destinationAddressPrefix": "", "destinationAddressPrefixes": ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6", "203.0.113.7", "10.0.0.8", "203.0.113.9", "2001:db8::10", "198.51.100.0/24"], "destinationPortRange": "443"}},
  {"id": "tag", "name": "tag", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "AzureCloud.eastus", "destinationPortRange": "443"}},
  {"id": "group", "name": "group", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceApplicationSecurityGroups": [{"id": "asg"}], "sourceAddressPrefixes": null, "destinationPortRange": "443"}},
  {"id": "deny", "name": "deny", "properties": {"direction": "Inbound", "access": "Deny", "protocol": "*", "sourceAddressPrefix": "203.0.113.250", "destinationPortRange": "*"}},
  {"id": "open-port", "name": "open-port", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "Internet", "destinationPortRanges": ["22", "4000-5000"]}},
  {"id": "open-web", "name": "open-web", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "0.0.0.0/0", "destinationPortRange": "443"}},
  {"id": "open-all", "name": "open-all", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "*", "sourceAddressPrefix": "*", "destinationPortRange": "*"}},
  {"id": "open-ping", "name": "open-ping", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Icmp", "sourceAddressPrefix": "*", "destinationPortRange": "*"}},
  {"id": "open-half", "name": "open-half", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Udp", "sourceAddressPrefix": "128.0.0.0/1", "destinationPortRange": "1080"}}
]'), ('empty', 'empty', 's', 'g', 'westeurope', null);
