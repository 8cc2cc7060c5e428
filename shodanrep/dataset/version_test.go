package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// schemas are the schemas so far, by their version. A schema that has changed needs a version of its own, or an index
// that is there already would be taken for one of it.
var schemas = map[int]string{2: "4414b8d6ff99a23e", 3: "4e607dc3b0303b56", 4: "cf4f13d513156e63", 5: "1df52205aaef0586", 6: "689a36242c7a4fe6", 7: "239df95f98fe40d4",
	8: "02de37ea3c5437cd", 9: "b098f461fb9fe2f4", 10: "169b5f14189e8cd6"}

func TestTheSchemaIsThatOfItsVersion(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(fmt.Appendf(nil, "%spragma user_version = %d;\n", schema, schemaVersion))
	if got := hex.EncodeToString(sum[:8]); got != schemas[schemaVersion] {
		t.Errorf("the schema of version %d was %s and is %s: raise schemaVersion, and add it here", schemaVersion, schemas[schemaVersion], got)
	}
}

func TestAnIndexOfAnotherVersionIsNeitherReadNorTakenFromOthers(t *testing.T) {
	t.Parallel()
	dir, index := t.TempDir(), t.TempDir()
	data := write(t, in(dir, "a.json"), line("192.0.2.1", 22, "2026-01-02T00:00:00", "ssh", map[string]any{"fingerprint": "16:27:ac"}))
	write(t, in(index, "dataset-v1.sqlite"), "the index of an older build")
	write(t, in(index, "dataset-v1.sqlite-wal"), "")
	write(t, in(index, "cache.sqlite"), "something else")
	write(t, in(index, "dataset-v1.sqlite.damaged"), "")
	write(t, in(index, indexName+".damaged"), "")
	write(t, in(index, indexName+".damaged-wal"), "")
	long := time.Now().Add(-maxUnused - time.Hour)
	for _, name := range []string{"dataset-v1.sqlite", "cache.sqlite", indexName + ".damaged-wal"} {
		if err := os.Chtimes(in(index, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	exists := func(name string) bool {
		_, err := os.Stat(in(index, name))
		return err == nil
	}
	d := open(t, index, data)
	found, err := d.Related(t.Context(), shodan.SSHHostKey, "16:27:AC", netip.Addr{}, 100)
	if err != nil || len(found) != 1 {
		t.Errorf("by what an older index has no column for: %d, %v", len(found), err)
	}
	if !exists("dataset-v1.sqlite") {
		t.Error("an index that another build used a moment ago is gone")
	}
	for _, name := range []string{"dataset-v1.sqlite.damaged", indexName + ".damaged", indexName + ".damaged-wal"} {
		if !exists(name) {
			t.Errorf("%s is gone, which was set aside a moment ago", name)
		}
	}
	if err := os.Chtimes(in(index, indexName+".damaged"), long, long); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(in(index, "dataset-v1.sqlite-wal"), long, long); err != nil {
		t.Fatal(err)
	}
	again := open(t, index, data)
	if exists("dataset-v1.sqlite") || exists("dataset-v1.sqlite-wal") || !exists("cache.sqlite") {
		t.Error("an index that no build has used for a month is still there, or more than that is gone")
	}
	if exists(indexName+".damaged") || exists(indexName+".damaged-wal") || !exists("dataset-v1.sqlite.damaged") {
		t.Error("a damaged index that was set aside a month ago is still there, or a newer one is gone")
	}
	if again.Stats().ReadTime != 0 || !exists(indexName) {
		t.Error("this build's own index was made anew")
	}
}
