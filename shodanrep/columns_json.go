package shodanrep

import (
	"reflect"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// jsonTypes are the types of the columns of JSON whose values have a fixed shape. A name means the same in all tables.
var jsonTypes = func() map[string]reflect.Type {
	types := map[string]reflect.Type{
		"ports":            reflect.TypeFor[[]int](),
		"suspicious_ports": reflect.TypeFor[[]int](),
		"factors":          reflect.TypeFor[[]reputation.Factor](),
		"services":         reflect.TypeFor[[]serviceSummary](),
		"cloud":            reflect.TypeFor[cloudSummary](),
		"notifiers":        reflect.TypeFor[[]shodan.Notifier](),
		"usage_limits":     reflect.TypeFor[map[string]*int64](),
		"ssl_subject":      reflect.TypeFor[map[string]shodan.Text](),
		"ssl_issuer":       reflect.TypeFor[map[string]shodan.Text](),
	}
	for _, name := range []string{
		"alias", "arch", "author", "bid", "changes", "cpes", "cve", "domains", "hostnames", "msb", "networks", "osvdb",
		"platform", "reference_urls", "ssl_versions", "tags", "vulns",
	} {
		types[name] = reflect.TypeFor[[]string]()
	}
	return types
}()

// JSONType returns the type that the JSON in a column of a table comes from, or nil if its values have no fixed shape.
func JSONType(column string) reflect.Type { return jsonTypes[column] }
