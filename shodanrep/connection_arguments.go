package shodanrep

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
)

// connectionBody is what the SDK decodes a `connection` block into: the whole block, undecoded.
//
// The SDK reports an argument that it cannot decode only where the connection starts alone. With other connections beside
// it some of them fail too, and a connection that is changed while it runs goes on with the old arguments. So the plugin
// decodes the arguments itself, and a wrong one fails the queries of its own connection.
type connectionBody struct {
	Body hcl.Body `hcl:",remain"`
}

// secretArguments are the arguments whose value is in no error: the key, and addresses that may hold a password.
var secretArguments = []string{"api_key", "cache", "history_store", "api_url", "internetdb_url", "cvedb_url", "exploits_url"}

// decodeArguments decodes the arguments of a connection. The value of an argument that has the wrong type is in wrong, as
// it is written; an error is about an argument that there is not, or one without a value.
func decodeArguments(body hcl.Body) (config connectionConfig, wrong map[string]string, err error) {
	wrong = map[string]string{}
	if body == nil {
		return config, wrong, nil
	}
	attributes, diagnostics := body.JustAttributes()
	if diagnostics.HasErrors() {
		return config, wrong, errors.New(diagnostics[0].Summary + "; " + diagnostics[0].Detail)
	}
	fields := argumentFields(&config)
	inOrder := slices.SortedFunc(maps.Values(attributes), func(a, b *hcl.Attribute) int {
		return a.Range.Start.Byte - b.Range.Start.Byte
	})
	for _, attribute := range inOrder {
		name := attribute.Name
		field, known := fields[name]
		if !known {
			return config, wrong, unknownArgument(name, slices.Sorted(maps.Keys(fields)))
		}
		value, diagnostics := attribute.Expr.Value(nil)
		if diagnostics.HasErrors() {
			err := fmt.Errorf(`%s has no value: %s; write a text in quotes, as in %[1]s = "…"`, name, diagnostics[0].Summary)
			if name == "api_key" { // as in env("SHODAN_API_KEY"), which other programs of Turbot take
				err = fmt.Errorf("%w, or leave the argument out and set the environment variable %s", err, keyVariable)
			}
			return config, wrong, err
		}
		if !gohcl.DecodeExpression(attribute.Expr, nil, field).HasErrors() {
			continue
		}
		wrong[name] = "(a value that is not shown)"
		if !slices.Contains(secretArguments, name) {
			wrong[name] = fmt.Sprintf("%.100s", hclwrite.TokensForValue(value).Bytes())
		}
	}
	return config, wrong, nil
}

// argumentFields returns a pointer to each field of a connectionConfig, by the name of its argument.
func argumentFields(config *connectionConfig) map[string]any {
	fields := map[string]any{}
	value := reflect.ValueOf(config).Elem()
	for i := range value.NumField() {
		name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("hcl"), ",")
		fields[name] = value.Field(i).Addr().Interface()
	}
	return fields
}

// unknownArgument is the error for an argument that there is not. The value is not in it: it may be the key.
func unknownArgument(name string, arguments []string) error {
	if hint := suggest.DidYouMean(name, arguments); hint != "" {
		return fmt.Errorf("there is no argument %q%s", name, hint)
	}
	return fmt.Errorf("there is no argument %q: the arguments are %s", name, strings.Join(arguments, ", "))
}
