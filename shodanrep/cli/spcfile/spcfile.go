// Package spcfile reads the plugin's connections from Steampipe's configuration files (.spc).
package spcfile

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
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/textfile"
)

// pluginName is the last part of the names by which a connection can refer to this plugin.
const pluginName = "shodanrep"

// steampipeArguments are the arguments of a connection block that Steampipe reads, and the plugin does not.
var steampipeArguments = []string{"plugin", "type", "connections", "import_schema", "prefix"}

// connectionName is what Steampipe allows as the name of a connection.
var connectionName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Connections returns the plugin's connections in the given files. Without files it reads [DefaultFile]; if that does
// not exist, it returns one connection without arguments. It calls warn for what is not safe about the files.
func Connections(files []string, warn func(string)) ([]embedded.Connection, error) {
	if len(files) > 0 {
		found, _, err := read(files, warn)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s: there is no connection with plugin = %q in it", strings.Join(files, ", "), pluginName)
		}
		return found, err
	}
	found, others, err := read([]string{DefaultFile()}, warn)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0 {
		if others > 0 { // a mistyped name would cost the key without a word
			warn(fmt.Sprintf("warning: %s: there is no connection with plugin = %q in it, so every argument has its default", DefaultFile(), pluginName))
		}
		return []embedded.Connection{{Name: pluginName}}, nil
	}
	return found, err
}

// DefaultFile returns the file in which Steampipe looks for this plugin's connections.
func DefaultFile() string {
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

// read reads the plugin's connections from files, and counts the connections of other plugins. It calls warn for each file
// with an API key that other users may read.
func read(files []string, warn func(string)) (ours []embedded.Connection, others int, err error) {
	var all []block
	sources := make(map[string]string)
	for _, file := range files {
		text, err := textfile.Read(file)
		if err != nil {
			return nil, 0, err
		}
		found, err := parse(text, file, sources)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, found...)
	}
	for _, warning := range readableKeys(filter(all, sources)) {
		warn(warning)
	}
	ours, err = resolve(all, sources)
	return ours, len(all) - len(ours), err
}

// A block is a connection block as it is written.
type block struct {
	embedded.Connection
	plugin     string
	aggregates []string
	aggregator bool
	hasKey     bool // the block has the API key
	position   hcl.Range
}

// parse reads the connection blocks of one file. It adds the sources of plugin blocks to sources, by their label.
func parse(text []byte, file string, sources map[string]string) ([]block, error) {
	parsed, diagnostics := hclsyntax.ParseConfig(text, file, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, diagnosticsError(diagnostics)
	}
	var found []block
	for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
		switch {
		case b.Type == "plugin" && len(b.Labels) == 1:
			sources[b.Labels[0]] = stringArgument(b.Body, "source")
		case b.Type == "connection":
			c, err := parseConnection(b, text)
			if err != nil {
				return nil, err
			}
			found = append(found, c)
		}
	}
	return found, nil
}

func parseConnection(b *hclsyntax.Block, text []byte) (block, error) {
	c := block{position: b.DefRange()}
	if len(b.Labels) != 1 || !connectionName.MatchString(b.Labels[0]) {
		return c, fmt.Errorf("%s: a connection needs one name, of lower-case letters, digits and underscores", c.position)
	}
	c.Name = b.Labels[0]
	c.plugin = stringArgument(b.Body, "plugin")
	c.hasKey = stringArgument(b.Body, "api_key") != ""
	c.aggregator = stringArgument(b.Body, "type") == "aggregator"
	if c.aggregator {
		patterns, err := stringList(b.Body, "connections")
		if err != nil {
			return c, fmt.Errorf("%s: %w", c.position, err)
		}
		c.aggregates = patterns
	}
	attributes := make([]*hclsyntax.Attribute, 0, len(b.Body.Attributes))
	for name, attribute := range b.Body.Attributes {
		if !slices.Contains(steampipeArguments, name) {
			attributes = append(attributes, attribute)
		}
	}
	slices.SortFunc(attributes, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	for _, attribute := range attributes {
		c.Config += string(attribute.SrcRange.SliceBytes(text)) + "\n"
	}
	// The plugin has no blocks: it reports them as it reports unknown arguments.
	for _, inner := range b.Body.Blocks {
		if inner.Type != "options" { // Steampipe's own
			c.Config += string(inner.Range().SliceBytes(text)) + "\n"
		}
	}
	return c, nil
}

// filter returns the connections of this plugin.
func filter(all []block, sources map[string]string) (ours []block) {
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

// resolve returns the connections of this plugin, with the members of aggregators.
func resolve(all []block, sources map[string]string) ([]embedded.Connection, error) {
	ours := filter(all, sources)
	var found []embedded.Connection
	for i, c := range ours {
		if j := slices.IndexFunc(ours, func(o block) bool { return o.Name == c.Name }); j < i {
			return nil, fmt.Errorf("%s: there is a connection %q already, at %s", c.position, c.Name, ours[j].position)
		}
		if c.aggregator {
			for _, o := range ours {
				if !o.aggregator && slices.ContainsFunc(c.aggregates, func(pattern string) bool { return matches(pattern, o.Name) }) {
					c.Members = append(c.Members, o.Name)
				}
			}
			if len(c.Members) == 0 {
				return nil, fmt.Errorf("%s: no connection matches the aggregator's argument connections", c.position)
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

// stringArgument returns a string argument, or the last part of a reference such as plugin.shodanrep.
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

// SetArgument returns the arguments of a connection with one argument set to a value.
func SetArgument(arguments, name string, value cty.Value) (string, error) {
	file, diagnostics := hclwrite.ParseConfig([]byte(arguments), "connection", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return "", diagnosticsError(diagnostics)
	}
	file.Body().SetAttributeValue(name, value)
	return string(file.Bytes()), nil
}

// invalidEscape is the summary of HCL's error about a text with a backslash, as paths of Windows have them.
const invalidEscape = "Invalid escape sequence"

// diagnosticsError returns the first error of HCL, which causes the others.
func diagnosticsError(diagnostics hcl.Diagnostics) error {
	for _, d := range diagnostics {
		if d.Severity == hcl.DiagError {
			if d.Summary == invalidEscape {
				return fmt.Errorf(`%s: %s; %s: write / or \\ for each \ of a path`, d.Subject, d.Summary, strings.TrimSuffix(d.Detail, "."))
			}
			return fmt.Errorf("%s: %s; %s", d.Subject, d.Summary, d.Detail)
		}
	}
	return diagnostics
}
