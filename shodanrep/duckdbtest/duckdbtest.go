// Package duckdbtest runs SQL in DuckDB for tests.
package duckdbtest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// module is the package of npm that has DuckDB as a library for Node.
const module = "@duckdb/node-api@1.5.6-r.1"

// installTimeout is how long npm may take. It takes some seconds.
const installTimeout = time.Minute

//go:embed query.js
var script string

// The user's cache is found before a TestMain gives its tests another home, in which DuckDB would be installed each time.
var cache, cacheErr = os.UserCacheDir()

// install returns the folder that has DuckDB, in the user's cache, and installs it there the first time.
var install = sync.OnceValues(func() (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("needs the program %s", program)
		}
	}
	if cacheErr != nil {
		return "", cacheErr
	}
	dir := filepath.Join(cache, "shodanrep-tests", strings.NewReplacer("@", "", "/", "-").Replace(module))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// The folder gets its name when it is complete: several processes may install it at the same time.
	partial, err := os.MkdirTemp(filepath.Dir(dir), "partial-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "install", "--prefix", partial, "--ignore-scripts", "--no-audit", "--no-fund", module)
	npm.WaitDelay = time.Second
	if output, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm cannot install %s: %w: %s", module, err, output)
	}
	if err := os.Rename(partial, dir); err != nil {
		if _, isThere := os.Stat(dir); isThere != nil {
			return "", err
		}
	}
	return dir, nil
})

// Query runs statements and returns the rows of each. Values are those of JSON, but whole numbers of 64 bits are texts.
// Where DuckDB cannot be installed the test is skipped.
func Query(t testing.TB, statements ...string) [][]map[string]any {
	t.Helper()
	dir, err := install()
	if err != nil {
		t.Skip("DuckDB is not here: ", err)
	}
	input, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "-e", script)
	node.Dir, node.Stdin = dir, bytes.NewReader(input)
	var stderr bytes.Buffer
	node.Stderr = &stderr
	output, err := node.Output()
	if err != nil {
		t.Fatalf("DuckDB: %v: %s", err, stderr.String())
	}
	var results [][]map[string]any
	for line := range strings.Lines(string(output)) {
		var rows []map[string]any
		if err := json.Unmarshal([]byte(line), &rows); err != nil {
			t.Fatal(err)
		}
		results = append(results, rows)
	}
	return results
}
