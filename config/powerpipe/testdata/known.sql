-- What is known of the addresses of the tests. Of 203.0.113.7 there is no row at all, as if one were lost.
insert into shodanrep.shodan_ip_reputation (ip, source, status, error, level, score, factors, ports, tags) values
  ('203.0.113.1', 'shodan', 'indexed', null, 'critical', 80, '[{"factor": "vulnerabilities", "detail": "13 known vulnerabilities"}, {"factor": "tags", "detail": "tagged cloud"}]', '[22, 443, 6667, 8080]', '["cloud"]'),
  ('203.0.113.2', 'shodan', 'indexed', null, 'high', 40, '[{"factor": "vulnerabilities", "detail": "12 known vulnerabilities"}]', '[443]', '[]'),
  ('203.0.113.3', 'shodan', 'indexed', null, 'medium', 20, '[{"factor": "tags", "detail": "tagged vpn"}]', '[443]', '["vpn"]'),
  ('203.0.113.4', 'shodan', 'indexed', null, 'low', 0, '[]', '[]', '[]'),
  ('203.0.113.5', 'shodan', 'not_indexed', null, 'unknown', null, null, null, null),
  ('203.0.113.6', 'shodan', 'error', 'the service is away', 'unknown', null, null, null, null),
  ('10.0.0.8', null, 'reserved', null, 'unknown', null, null, null, null),
  ('203.0.113.9', 'internetdb', 'indexed', null, 'low', 0, '[]', '[27017]', '[]'),
  ('2001:db8::10', 'shodan', 'indexed', null, 'low', 0, '[]', '[443]', '["database"]');
insert into shodanrep.shodan_vulnerability (ip, source, status, error, cve_id, verified, is_inferred, epss, kev) values
  ('203.0.113.1', 'shodan', 'indexed', null, 'CVE-2021-44228', false, true, 0.97, true),
  ('203.0.113.1', 'shodan', 'indexed', null, 'CVE-2021-41773', true, false, 0.95, true),
  ('203.0.113.2', 'shodan', 'indexed', null, 'CVE-2019-0211', false, true, 0.6, true),
  ('203.0.113.3', 'shodan', 'indexed', null, 'CVE-2016-20012', false, true, 0.1, false),
  ('203.0.113.4', 'shodan', 'indexed', null, null, null, null, null, null),
  ('203.0.113.5', 'shodan', 'not_indexed', null, null, null, null, null, null),
  ('203.0.113.6', 'shodan', 'error', 'the service is away', null, null, null, null, null),
  ('10.0.0.8', null, 'reserved', null, null, null, null, null, null),
  ('203.0.113.9', 'internetdb', 'indexed', null, 'CVE-2020-0001', null, null, null, null),
  ('2001:db8::10', 'shodan', 'indexed', null, null, null, null, null, null);
insert into shodanrep.shodan_service (ip, source, status, error, port, ssl_expires, ssl_expired, ssl_subject_cn) values
  ('203.0.113.1', 'shodan', 'indexed', null, 22, null, null, null),
  ('203.0.113.1', 'shodan', 'indexed', null, 443, now() - interval '2 days', false, 'old.example.com'),
  ('203.0.113.2', 'shodan', 'indexed', null, 443, now() + interval '10 days', false, 'soon.example.com'),
  ('203.0.113.3', 'shodan', 'indexed', null, 443, now() + interval '300 days', false, 'new.example.com'),
  ('203.0.113.4', 'shodan', 'indexed', null, null, null, null, null),
  ('203.0.113.5', 'shodan', 'not_indexed', null, null, null, null, null),
  ('203.0.113.6', 'shodan', 'error', 'the service is away', null, null, null, null),
  ('10.0.0.8', null, 'reserved', null, null, null, null, null),
  ('203.0.113.9', 'internetdb', 'indexed', null, 27017, null, null, null),
  ('2001:db8::10', 'shodan', 'indexed', null, 443, null, true, null);
update shodanrep.shodan_ip_reputation set country = 'Exampleland', organization = 'Example Networks' where ip <= '203.0.113.2' and status = 'indexed';
-- 203.0.113.1 is bad since today, 203.0.113.2 since three days, 203.0.113.3 was first checked today, and 203.0.113.4 was bad before.
insert into shodanrep.shodan_reputation_change (ip, source, status, change, changed_at, old_level, level) values
  ('203.0.113.1', 'shodan', 'indexed', 'level', now() - interval '2 hours', 'low', 'critical'),
  ('203.0.113.1', 'shodan', 'indexed', 'port_opened', now() - interval '2 hours', 'low', 'critical'),
  ('203.0.113.2', 'shodan', 'indexed', 'level', now() - interval '3 days', null, 'high'),
  ('203.0.113.2', 'shodan', 'indexed', 'tag_added', now() - interval '2 hours', 'high', 'high'),
  ('203.0.113.3', 'shodan', 'indexed', 'level', now() - interval '2 hours', null, 'medium'),
  ('203.0.113.4', 'shodan', 'indexed', 'level', now() - interval '2 hours', 'critical', 'low'),
  ('203.0.113.5', 'shodan', 'not_indexed', 'not_indexed', now() - interval '2 hours', null, 'unknown'),
  ('203.0.113.9', null, 'not_checked', null, null, null, 'unknown'),
  ('2001:db8::10', null, 'not_checked', null, null, null, 'unknown');
