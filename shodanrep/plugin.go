// Package shodanrep is the plugin: what SQL sees. Its tables look addresses up through package lookup and score them
// through package reputation.
package shodanrep

import (
	"context"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
)

// Plugin returns the Steampipe plugin with all its tables.
func Plugin(context.Context) *plugin.Plugin {
	return &plugin.Plugin{
		Name:     "steampipe-plugin-shodanrep",
		TableMap: map[string]*plugin.Table{},
	}
}
