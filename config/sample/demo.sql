-- Which addresses of an alert are bad? Worst first. One is private, so it is not looked up and has no score.
select ip, status, level, score, vuln_count, suspicious_ports, tags, organization
from shodan_ip_reputation
where ip in ('192.0.2.20', '192.0.2.44', '192.0.2.77', '192.0.2.80', '192.168.1.10', '198.51.100.66', '203.0.113.10',
  '203.0.113.25', '203.0.113.200', '2001:db8:bad::10')
order by score desc nulls last, ip;

-- How bad are all the hosts of the sample together?
select level, count(*) as addresses, max(score) as worst
from shodan_ip_reputation
where source = 'dataset'
group by level
order by worst desc;

-- Which bad addresses do the security groups allow in or out? The rules are a CSV file.
select g.group_id, g.type, g.from_port, g.description, r.ip, r.level, r.score
from aws_vpc_security_group_rule as g
  join shodan_ip_reputation as r on r.ip = coalesce(g.cidr_ipv4, g.cidr_ipv6)
where r.level in ('critical', 'high')
order by r.score desc, r.ip, g.from_port;

-- Why is 203.0.113.10 bad? The points add up to its score.
select score, factor, points, detail
from shodan_reputation_factor
where ip = '203.0.113.10'
order by points desc, factor;

-- Which other hosts have its certificate?
select value as certificate, related_ip, related_port, organization, product, last_seen
from shodan_ssl_correlation
where ip = '203.0.113.10'
order by related_ip, related_port;
