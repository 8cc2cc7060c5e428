-- Resources with the addresses of the tests, rules that let them and more in and out, and resources that no control
-- must see.
insert into aws_ec2_instance (arn, title, instance_state, public_ip_address, ipv6_address, tags, account_id, region, _ctx)
  select 'arn:instance/' || n, 'web ' || n, 'running', ('203.0.113.' || n)::inet, null, '{"Owner": "web"}'::jsonb, '1', 'eu-west-1', '{"connection_name": "aws_prod"}'::jsonb from generate_series(1, 3) as n
  union all select 'arn:instance/six', 'six', 'running', null, '2001:db8::10', null, '1', 'eu-west-1', '{"connection_name": "aws_prod"}'
  union all select 'arn:instance/gone', 'gone', 'terminated', '203.0.113.250', null, null, '1', 'eu-west-1', '{}';
insert into aws_vpc_eip (arn, title, public_ip, account_id, region) select 'arn:eip/' || n, null, ('203.0.113.' || n)::inet, '1', 'eu-west-1' from generate_series(4, 7) as n;
insert into aws_ec2_application_load_balancer (arn, title, account_id, region) values ('arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/1a', 'shop', '1', 'eu-west-1');
insert into aws_ec2_network_load_balancer (arn, title, account_id, region) values ('arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/mail/2b', 'mail', '1', 'eu-west-1');
insert into aws_ec2_network_interface (description, association_public_ip, account_id, region) values
  ('ELB app/shop/1a', '203.0.113.9', '1', 'eu-west-1'), ('ELB net/mail/2b', '10.0.0.8', '1', 'eu-west-1'), ('ELB net/mail/2b', null, '1', 'eu-west-1'),
  ('ELB app/other/3c', '203.0.113.251', '1', 'eu-west-1'), ('ELB app/shop/1a', '203.0.113.252', '2', 'eu-west-1');
insert into aws_vpc_security_group_rule (security_group_rule_id, group_id, type, ip_protocol, from_port, to_port, cidr_ipv4, cidr_ipv6, referenced_group_id, account_id, region)
  select format('sgr-%s-%s', direction, address), 'sg-1', direction, 'tcp', 443, 443, case family(address) when 4 then address::cidr end, case family(address) when 6 then address::cidr end, null, '1', 'eu-west-1'
  from unnest('{203.0.113.1,203.0.113.2,203.0.113.3,203.0.113.4,203.0.113.5,203.0.113.6,203.0.113.7,10.0.0.8,203.0.113.9,2001:db8::10,198.51.100.0/24}'::inet[]) as address, unnest('{ingress,egress}'::text[]) as direction
  union all select 'sgr-group', 'sg-1', 'ingress', 'tcp', 5432, 5432, null, null, 'sg-2', '1', 'eu-west-1'
  union all select 'sgr-open-port', 'sg-1', 'ingress', 'tcp', 4000, 5000, '0.0.0.0/0', null, null, '1', 'eu-west-1'
  union all select 'sgr-open-web', 'sg-1', 'ingress', 'tcp', 443, 443, null, '::/0', null, '1', 'eu-west-1'
  union all select 'sgr-open-all', 'sg-1', 'ingress', '-1', null, null, null, '::/0', null, '1', 'eu-west-1'
  union all select 'sgr-open-ping', 'sg-1', 'ingress', 'icmp', -1, -1, '0.0.0.0/0', null, null, '1', 'eu-west-1'
  union all select 'sgr-open-half', 'sg-1', 'ingress', 'udp', 1080, 1080, '128.0.0.0/1', null, null, '1', 'eu-west-1'
  union all select 'sgr-out', 'sg-1', 'egress', 'tcp', 6667, 6667, '0.0.0.0/0', null, null, '1', 'eu-west-1';
