package shodanrep

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A ConnectionSummary is what a connection's arguments come to, with their defaults. The API key is not in it.
type ConnectionSummary struct {
	// KeyOrigin says where the API key is from, and is empty where there is none.
	KeyOrigin string
	// Source, Policy and Cache are the values of the arguments.
	Source, Policy, Cache string
	DataFiles             []string
	// InternetDBFile is the file that answers in place of InternetDB. It is empty if there is none.
	InternetDBFile string
	// APILookupLimit is the length of a list up to which the REST API is used.
	APILookupLimit int
	// NetworkLimit is how many addresses of a network may be looked up.
	NetworkLimit int
	// APIURL, InternetDBURL and CVEDBURL are the services' addresses.
	APIURL, InternetDBURL, CVEDBURL string
}

// SummarizeConnection reads the arguments of a connection, the text of its block's body, as the plugin does. An error
// names the argument, the value and what is allowed.
func SummarizeConnection(name, arguments string) (ConnectionSummary, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return ConnectionSummary{}, err
	}
	c := s.Lookup
	return ConnectionSummary{
		KeyOrigin: c.APIKeyOrigin, Source: string(c.Source), Policy: s.Policy.Name, Cache: c.Cache, DataFiles: c.DataFiles,
		InternetDBFile: c.InternetDBFile,
		APILookupLimit: c.APILookupLimit, NetworkLimit: s.NetworkLimit, APIURL: c.APIURL, InternetDBURL: c.InternetDBURL, CVEDBURL: c.CVEDBURL,
	}, nil
}

// InspectInternetDBFile describes the file of InternetDB of a connection, and checks that it can be used. The connection
// must have one. A compressed file that is not unpacked yet stays so.
func InspectInternetDBFile(ctx context.Context, name, arguments string) (internetdbfile.Info, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return internetdbfile.Info{}, err
	}
	file := lookup.NewInternetDBFile(s.Lookup)
	defer file.Close() // nothing was written
	return file.Inspect(ctx)
}

// InspectDataFiles opens the data files of a connection, which builds their index if it is missing, and describes them.
func InspectDataFiles(ctx context.Context, name, arguments string, logger hclog.Logger) (lookup.DataFileStats, error) {
	s, err := parseSettings(name, arguments)
	if err != nil {
		return lookup.DataFileStats{}, err
	}
	return scan.InspectDataFiles(ctx, s.Lookup, logger)
}

// parseSettings reads a connection's settings from the text of its block's body.
func parseSettings(name, arguments string) (scan.Settings, error) {
	file, diags := hclsyntax.ParseConfig([]byte(arguments), name, hcl.InitialPos)
	if diags.HasErrors() {
		return scan.Settings{}, scan.ConnectionError(name, diags)
	}
	return readSettings(&plugin.Connection{Name: name, Config: connectionBody{file.Body}})
}

// SourceFor returns the source that a list of so many addresses is looked up in, where no query names one.
// planAllows says whether the key's plan may look hosts up.
func (c ConnectionSummary) SourceFor(addresses int, planAllows bool) string {
	switch {
	case c.Source != string(lookup.Auto):
		return c.Source
	case c.KeyOrigin != "" && planAllows && addresses <= c.APILookupLimit:
		return string(lookup.Shodan)
	}
	return string(lookup.InternetDB)
}
