//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// duckDBPackage is DuckDB for Node.js, with its library.
const duckDBPackage = "@duckdb/node-api@1.5.6-r.1"

// duckDBScript scores the hosts of a file of banners by the baseline's rule. It prints the levels, each with its number of
// hosts.
const duckDBScript = `
import { DuckDBInstance } from '@duckdb/node-api';
const db = await DuckDBInstance.create(':memory:');
const connection = await db.connect();
const result = await connection.runAndReadAll(` + "`" + `
with banner as (
  select ip_str, port, tags, json_keys(vulns) as cves
  from read_json('${process.argv[2]}', format = 'newline_delimited', maximum_object_size = 67108864,
    columns = {ip_str: 'VARCHAR', port: 'INTEGER', tags: 'VARCHAR[]', vulns: 'JSON'})
), host as (
  select ip_str, list_distinct(list(port)) as ports, list_distinct(flatten(list(tags))) as tags, list_distinct(flatten(list(cves))) as cves
  from banner group by ip_str
), scored as (
  select
    case when len(cves) > 10 then 40 when len(cves) > 5 then 25 when len(cves) > 0 then 10 else 0 end
    + case when list_has_any(ports, [4444, 5555, 6666, 8888, 9090, 1234, 31337, 6667, 6697, 8080, 8443, 3128, 1080]) then 15 else 0 end
    + case when list_has_any(tags, ['self-signed', 'cloud', 'vpn', 'proxy', 'tor']) then 10 else 0 end
    + case when len(ports) > 20 then 15 else 0 end as score
  from host
)
select case when score >= 50 then 'critical' when score >= 35 then 'high' when score >= 15 then 'medium' else 'low' end as level, count(*) as hosts
from scored group by level` + "`" + `);
console.log(JSON.stringify(result.getRowsJson()));
`

// A duckDB is an installed DuckDB.
type duckDB struct{ node, script string }

// installDuckDB installs DuckDB in a folder of its own. It needs the registry of npm.
func installDuckDB(b *bench) (*duckDB, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	dir := b.path(".duckdb")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	install := exec.Command(npm, "install", "--prefix", dir, "--no-audit", "--no-fund", "--silent", duckDBPackage)
	if text, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm install %s: %w: %s", duckDBPackage, err, text)
	}
	d := &duckDB{node, filepath.Join(dir, "score.mjs")}
	return d, os.WriteFile(d.script, []byte(duckDBScript), 0o600)
}

// score scores the hosts of a file. The rows are how many hosts have each level.
func (d *duckDB) score(path string) (r result, err error) {
	cmd := exec.Command(d.node, d.script, path)
	cmd.Stderr = os.Stderr
	begun := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("DuckDB: %w", err)
	}
	r.wall, r.cpu = time.Since(begun), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if err := json.Unmarshal(out, &r.rows); err != nil {
		return r, fmt.Errorf("DuckDB: %w", err)
	}
	return r, nil
}

// levelsOf returns the rows of a result by level.
func levelsOf(r result) map[string]string {
	levels := map[string]string{}
	for _, row := range r.rows {
		levels[row[0]] = row[1]
	}
	return levels
}
