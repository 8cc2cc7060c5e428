package reputation

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// An ASN is an autonomous system.
type ASN struct{ Number, Name string }

//go:embed data/*.csv
var asnFiles embed.FS

// asnLists returns the built-in lists of autonomous systems, by kind. They are in the folder data, with the source and
// the date of each line.
var asnLists = sync.OnceValue(func() map[string][]ASN {
	lists := map[string][]ASN{}
	files, err := asnFiles.ReadDir("data")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		text, err := asnFiles.ReadFile("data/" + file.Name())
		if err == nil {
			err = readASNs(text, lists)
		}
		if err != nil {
			panic(fmt.Sprintf("the built-in list %s is wrong: %v", file.Name(), err))
		}
	}
	return lists
})

// readASNs reads a list with the columns asn, name, kind, source and date.
func readASNs(text []byte, lists map[string][]ASN) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	records, err := r.ReadAll()
	if err != nil {
		return err
	}
	if len(records) == 0 || strings.Join(records[0], ",") != "asn,name,kind,source,date" {
		return fmt.Errorf("the first line is not asn,name,kind,source,date")
	}
	for _, record := range records[1:] {
		if !asnForm.MatchString(record[0]) || record[1] == "" || !slices.Contains(hostingTypes, record[2]) {
			return fmt.Errorf("%v: it needs an ASN such as AS64496, a name and a type of hosting", record)
		}
		lists[record[2]] = append(lists[record[2]], ASN{record[0], record[1]})
	}
	return nil
}

// ASNLists returns the kinds of the built-in lists of autonomous systems, sorted.
func ASNLists() []string { return slices.Sorted(maps.Keys(asnLists())) }
