-- Functions that take the addresses of a subquery and look them up in parallel. They work in Steampipe's database, and
-- in any PostgreSQL from version 14 on that has the plugin's tables:
--
--   select * from shodan_reputation(array(select public_ip_address from aws_ec2_instance));
--   select * from shodan_services(array(select public_ip from aws_vpc_eip));
--
-- Install them with: psql -f config/functions.sql
-- The user needs the right to create functions in the schema. Run the command again after an update of the plugin.
--
-- Each address is looked up once, at most 201 addresses at a time, because longer lists cost Steampipe more time than
-- they save. A longer list is split into slices of about the same length, each of more than 100 addresses: the length
-- of a list decides its source (api_lookup_limit, 100), and one call must have one source. NULLs are left out. A
-- network, or a text that is not an address, has a row that says so, and is not looked up. Every address returns a row.
-- If the table returns none, the function adds one with status error.
--
-- The functions use the tables that the search path finds. To select another connection of the plugin for one session:
--   set shodanrep.schema = 'shodanrep_work';
-- To select it permanently:
--   alter function shodan_table(text) set search_path = shodanrep_work;

begin;

-- shodan_inet reads an address or a network, and returns null for any other text. Like the table, it removes an IPv6
-- zone, which names an interface of one machine.
create or replace function shodan_inet(given text) returns inet
language plpgsql immutable strict as $$
begin
  return regexp_replace(btrim(given, E' \t\r\n'), '^([0-9a-fA-F.]*:[0-9a-fA-F:.]*)%[^%/]+$', '\1')::inet;
exception when invalid_text_representation then
  return null;
end $$;

-- shodan_addresses reads a list. It returns one row per different address or other text, with its first position in the
-- list and, for other texts, what is wrong with it. Only rows without a status can be looked up.
create or replace function shodan_addresses(addresses text[])
returns table (given text, ip inet, status text, error text, place bigint)
language sql immutable
begin atomic
  select
    min(a.given),
    a.ip,
    case when a.ip is null then 'error' when masklen(a.ip) < a.longest then 'not_a_host' end,
    case when a.ip is null then to_json(min(a.given))::text || ' is not an IP address: write it like 198.51.100.7 or 2001:db8::7' end,
    min(a.place)
  from (
    select t.given, t.place, i.ip, case family(i.ip) when 4 then 32 else 128 end as longest
    from unnest(addresses) with ordinality as t (given, place), lateral (select shodan_inet(t.given) offset 0) as i (ip)
    where t.given is not null
  ) as a
  group by a.ip, a.longest, case when a.ip is null then a.given end;
end;

-- shodan_table finds a table of the plugin, and returns its quoted name with the schema. The plugin shodan also has a
-- table shodan_service, which has no column status.
create or replace function shodan_table(sought text) returns text
language plpgsql stable as $$
declare
  chosen text := nullif(current_setting('shodanrep.schema', true), '');
  found text;
begin
  select format('%I.%I', s.name, c.relname) into found
  from unnest(case when chosen is null then current_schemas(false) else array[chosen::name] end) with ordinality as s (name, place)
    join pg_catalog.pg_namespace as n on n.nspname = s.name
    join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = sought
    join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attname = 'status' and not a.attisdropped
  order by s.place
  limit 1;
  if found is null then
    raise undefined_table using
      message = format('there is no table %s of the plugin in %s', sought,
        case when chosen is null then 'the search path ' || current_setting('search_path') else 'the schema ' || quote_ident(chosen) end),
      hint = 'Say in which schema, which is the name of the connection: set shodanrep.schema = ''shodanrep''.';
  end if;
  return found;
end $$;

-- The functions themselves. They name every column, because Steampipe recreates its tables at each start, so nothing
-- can depend on the tables.
do $install$
declare
  here constant text := quote_ident(current_schema());
  reputation constant text := 'ip inet, title text, source text, status text, error text, score bigint, level text, policy text, factors jsonb, '
    'confidence double precision, listed text, list_reason text, organization text, asn text, isp text, country text, country_code text, city text, '
    'latitude double precision, longitude double precision, os text, hosting_type text, is_honeypot boolean, ports jsonb, port_count bigint, '
    'suspicious_ports jsonb, hostnames jsonb, domains jsonb, vulns jsonb, vuln_count bigint, verified_vuln_count bigint, kev_count bigint, '
    'max_cvss double precision, max_epss double precision, tags jsonb, cpes jsonb, services jsonb, first_seen timestamp with time zone, '
    'last_update timestamp with time zone, checked_at timestamp with time zone';
  service constant text := 'ip inet, source text, status text, error text, port bigint, transport text, product text, version text, info text, devicetype text, module text, '
    'banner text, data text, cpes jsonb, vulns jsonb, hostnames jsonb, domains jsonb, tags jsonb, hash bigint, "timestamp" timestamp with time zone, '
    'ssl_subject jsonb, ssl_issuer jsonb, ssl_subject_cn text, ssl_expires timestamp with time zone, ssl_expired boolean, ssl_serial text, '
    'ssl_fingerprint_sha1 text, ssl_fingerprint_sha256 text, ssl_versions jsonb, ssl_jarm text, ssl_ja3s text, http_title text, http_server text, '
    'http_status bigint, http_favicon_hash bigint, link text, uptime bigint, cloud_provider text, cloud_region text, raw jsonb, title text, '
    'cassandra jsonb, coap jsonb, db2 jsonb, dns jsonb, docker jsonb, elastic jsonb, etcd jsonb, ethernet_ip jsonb, ftp jsonb, hive jsonb, '
    'http jsonb, influxdb jsonb, isakmp jsonb, lantronix jsonb, minecraft jsonb, monero jsonb, mongodb jsonb, mqtt jsonb, netbios jsonb, '
    'ntp jsonb, opts jsonb, redis jsonb, rip jsonb, rsync jsonb, smb jsonb, snmp jsonb, ssh jsonb, ssl jsonb, vertx jsonb';
  -- The level of a row that was not looked up is unknown; a service has no level.
  looks_up constant text := $looks_up$
#variable_conflict use_column
declare
  slice inet[];
begin
  for ip, title, status, error in
    select a.ip, a.given, a.status, a.error from %1$s.shodan_addresses(addresses::text[]) as a where a.status is not null order by a.place
  loop
    %4$s
    return next;
  end loop;
  for slice in
    select array_agg(n.ip order by n.place)
    from (
      select c.ip, c.place, ntile(((total + 200) / 201)::int) over (order by c.place) as slice
      from (select a.ip, a.place, count(*) over () as total from %1$s.shodan_addresses(addresses::text[]) as a where a.status is null) as c
    ) as n
    group by n.slice
    order by n.slice
  loop
    -- The values must be known when the scan begins, so the query runs with execute. The slice is materialized, so that
    -- it is looked up once, with any join.
    return query execute 'with t as materialized (select %5$s from ' || %1$s.shodan_table(%2$L)
      || ' where ip = any ($1)) select %3$s from unnest($1) as a (ip) left join t on t.ip = a.ip' using slice;
  end loop;
end $looks_up$;
  -- The value of a column if the table has no row, which means that t.ip is null. The text is between quotes.
  instead constant jsonb := jsonb_build_object(
    'ip', 'a.ip',
    'title', 'coalesce(t.title, host(a.ip))',
    'status', $$case when t.ip is null then ''error'' else t.status end$$,
    'error', $$case when t.ip is null then ''the table returned no row: run the query again'' else t.error end$$,
    'level', $$case when t.ip is null then ''unknown'' else t.level end$$);
  passes_on constant text := 'select * from %s.%I(addresses::text[])';
  f record;
begin
  for f in
    select
      v.name, v.argument, v.columns, v.language, format('%I.%I(%s)', current_schema(), v.name, v.argument) as signature,
      case v.language
        when 'sql' then format(passes_on, here, v.name)
        else format(looks_up, here, v.source, n.values, case v.name when 'shodan_reputation' then 'level := ''unknown'';' end, n.names)
      end as body
    from (values
      ('shodan_reputation', 'text[]', reputation, 'plpgsql', 'shodan_ip_reputation'),
      ('shodan_reputation', 'inet[]', reputation, 'sql', null),
      ('shodan_reputation', 'cidr[]', reputation, 'sql', null),
      ('shodan_services', 'inet[]', service, 'plpgsql', 'shodan_service')
    ) as v (name, argument, columns, language, source)
      cross join lateral (
        select string_agg(c.name, ', ' order by c.place) as names, string_agg(coalesce(instead ->> c.name, 't.' || c.name), ', ' order by c.place) as values
        from (
          select split_part(btrim(l.text), ' ', 1) as name, l.place from unnest(string_to_array(v.columns, ',')) with ordinality as l (text, place)
        ) as c
      ) as n
  loop
    -- PostgreSQL cannot replace a function of an older version that has other columns.
    if pg_get_function_result(to_regprocedure(f.signature)) <> format('TABLE(%s)', f.columns) then
      execute format('drop function %s', f.signature);
    end if;
    execute format('create or replace function %s(addresses %s) returns table (%s) language %s volatile cost 1000 rows 200 as %L',
      f.name, f.argument, f.columns, f.language, f.body);
  end loop;
end $install$;

comment on function shodan_reputation(text[]) is 'The rows of shodan_ip_reputation for a list of addresses, looked up side by side.';
comment on function shodan_reputation(inet[]) is 'The rows of shodan_ip_reputation for a list of addresses, looked up side by side.';
comment on function shodan_reputation(cidr[]) is 'The rows of shodan_ip_reputation for a list of networks of one address each, looked up side by side.';
comment on function shodan_services(inet[]) is 'The rows of shodan_service for a list of addresses, looked up side by side.';

commit;
