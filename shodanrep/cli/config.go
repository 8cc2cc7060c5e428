package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// pluginName is the last part of the names by which a connection can say that it is one of this plugin.
const pluginName = "shodanrep"

// steampipeArguments are the arguments of a connection that are Steampipe's, not the plugin's.
var steampipeArguments = []string{"plugin", "type", "connections", "import_schema", "prefix"}

// connectionName is what Steampipe allows.
var connectionName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// connections returns the connections of the given configuration files; without any, those of Steampipe's own file for
// this plugin; without that, one that has no arguments. Warn is told what is not safe about the files.
func connections(files []string, warn func(string)) ([]embedded.Connection, error) {
	if len(files) > 0 {
		found, err := readConfig(files, warn)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s: there is no connection with plugin = %q in it", strings.Join(files, ", "), pluginName)
		}
		return found, err
	}
	found, err := readConfig([]string{steampipeConfig()}, warn)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0 {
		return []embedded.Connection{{Name: pluginName}}, nil
	}
	return found, err
}

// steampipeConfig returns where Steampipe looks for this plugin's configuration.
func steampipeConfig() string {
	dir := os.Getenv("STEAMPIPE_INSTALL_DIR")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".steampipe")
	}
	return filepath.Join(dir, "config", pluginName+".spc")
}

// readConfig reads the connections of this plugin from .spc files. Warn is told which of them has an API key that other
// users may read.
func readConfig(files []string, warn func(string)) ([]embedded.Connection, error) {
	var all []spcConnection
	sources := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found, err := parseConfig(text, file, sources)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	for _, warning := range readableKeys(ownConnections(all, sources)) {
		warn(warning)
	}
	return resolve(all, sources)
}

// spcConnection is a connection block as it is written.
type spcConnection struct {
	embedded.Connection
	plugin     string
	aggregates []string
	aggregator bool
	hasKey     bool // the API key stands in the file
	where      hcl.Range
}

// parseConfig reads the connection blocks of one file. It adds to sources what plugin blocks say, by their label.
func parseConfig(text []byte, file string, sources map[string]string) ([]spcConnection, error) {
	parsed, diagnostics := hclsyntax.ParseConfig(text, file, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, diagnosticsError(diagnostics)
	}
	var found []spcConnection
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		switch {
		case block.Type == "plugin" && len(block.Labels) == 1:
			sources[block.Labels[0]] = stringArgument(block.Body, "source")
		case block.Type == "connection":
			c, err := parseConnection(block, text)
			if err != nil {
				return nil, err
			}
			found = append(found, c)
		}
	}
	return found, nil
}

func parseConnection(block *hclsyntax.Block, text []byte) (spcConnection, error) {
	c := spcConnection{where: block.DefRange()}
	if len(block.Labels) != 1 || !connectionName.MatchString(block.Labels[0]) {
		return c, fmt.Errorf("%s: a connection needs one name, of lower-case letters, digits and underscores", c.where)
	}
	c.Name = block.Labels[0]
	c.plugin = stringArgument(block.Body, "plugin")
	c.hasKey = stringArgument(block.Body, "api_key") != ""
	c.aggregator = stringArgument(block.Body, "type") == "aggregator"
	if c.aggregator {
		patterns, err := stringList(block.Body, "connections")
		if err != nil {
			return c, fmt.Errorf("%s: %w", c.where, err)
		}
		c.aggregates = patterns
	}
	attributes := make([]*hclsyntax.Attribute, 0, len(block.Body.Attributes))
	for name, attribute := range block.Body.Attributes {
		if !slices.Contains(steampipeArguments, name) {
			attributes = append(attributes, attribute)
		}
	}
	slices.SortFunc(attributes, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	for _, attribute := range attributes {
		c.Config += string(attribute.SrcRange.SliceBytes(text)) + "\n"
	}
	// The plugin has no arguments that are blocks: it refuses them as it does other unknown arguments.
	for _, inner := range block.Body.Blocks {
		if inner.Type != "options" { // Steampipe's own
			c.Config += string(inner.Range().SliceBytes(text)) + "\n"
		}
	}
	return c, nil
}

// ownConnections returns the connections of this plugin.
func ownConnections(all []spcConnection, sources map[string]string) (ours []spcConnection) {
	for _, c := range all {
		if source, named := sources[c.plugin]; named && source != "" {
			c.plugin = source
		}
		if name, _, _ := strings.Cut(c.plugin, "@"); path.Base(name) == pluginName {
			ours = append(ours, c)
		}
	}
	return ours
}

// resolve leaves the connections of this plugin, and finds the members of aggregators among them.
func resolve(all []spcConnection, sources map[string]string) ([]embedded.Connection, error) {
	ours := ownConnections(all, sources)
	var found []embedded.Connection
	for i, c := range ours {
		if j := slices.IndexFunc(ours, func(o spcConnection) bool { return o.Name == c.Name }); j < i {
			return nil, fmt.Errorf("%s: there is a connection %q already, at %s", c.where, c.Name, ours[j].where)
		}
		if c.aggregator {
			for _, o := range ours {
				if !o.aggregator && slices.ContainsFunc(c.aggregates, func(pattern string) bool { return matches(pattern, o.Name) }) {
					c.Members = append(c.Members, o.Name)
				}
			}
			if len(c.Members) == 0 {
				return nil, fmt.Errorf("%s: no connection fits the aggregator's connections", c.where)
			}
			c.Config = ""
		}
		found = append(found, c.Connection)
	}
	return found, nil
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// stringArgument returns an argument that is a string, or a reference such as plugin.shodanrep by its last part.
func stringArgument(body *hclsyntax.Body, name string) string {
	attribute := body.Attributes[name]
	if attribute == nil {
		return ""
	}
	if traversal, ok := attribute.Expr.(*hclsyntax.ScopeTraversalExpr); ok {
		if step, ok := traversal.Traversal[len(traversal.Traversal)-1].(hcl.TraverseAttr); ok {
			return step.Name
		}
	}
	value, diagnostics := attribute.Expr.Value(nil)
	if diagnostics.HasErrors() || value.IsNull() || !value.IsKnown() || value.Type() != cty.String {
		return ""
	}
	return value.AsString()
}

func stringList(body *hclsyntax.Body, name string) ([]string, error) {
	problem := fmt.Errorf("an aggregator needs %s, a list of names or patterns such as [\"work_*\"]", name)
	attribute := body.Attributes[name]
	if attribute == nil {
		return nil, problem
	}
	value, diagnostics := attribute.Expr.Value(nil)
	if diagnostics.HasErrors() || value.IsNull() || !value.IsWhollyKnown() || !value.CanIterateElements() {
		return nil, problem
	}
	var list []string
	for _, element := range value.AsValueSlice() {
		if element.IsNull() || element.Type() != cty.String {
			return nil, problem
		}
		list = append(list, element.AsString())
	}
	return list, nil
}

// diagnosticsError returns the first of HCL's errors, which is the cause of the others.
func diagnosticsError(diagnostics hcl.Diagnostics) error {
	for _, d := range diagnostics {
		if d.Severity == hcl.DiagError {
			return fmt.Errorf("%s: %s; %s", d.Subject, d.Summary, d.Detail)
		}
	}
	return diagnostics
}
