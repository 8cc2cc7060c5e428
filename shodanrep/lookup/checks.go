package lookup

import (
	"fmt"
	"slices"
)

// CheckKey returns an error if there is no API key. The error names what needs one, such as a table.
func (e *Engine) CheckKey(what string) error {
	if e.rest == nil {
		return fmt.Errorf("%s needs an API key: set api_key in the connection, or SHODAN_API_KEY, to the key shown at https://account.shodan.io", what)
	}
	return nil
}

// CheckSource returns an error if a source cannot be used. It says what is missing.
func (e *Engine) CheckSource(source Source) error {
	switch {
	case !slices.Contains([]Source{"", Auto, Dataset, Shodan, InternetDB}, source):
		return fmt.Errorf("%q is no source: use dataset, shodan or internetdb, or leave source out to let the plugin choose", source)
	case source == Shodan && e.rest == nil:
		return fmt.Errorf(`source "shodan" needs an API key: set api_key in the connection, or SHODAN_API_KEY, or use source "internetdb", which needs none`)
	case source == Dataset && e.dataset == nil:
		return fmt.Errorf(`source "dataset" needs files: set data_files in the connection to what "shodan download" wrote`)
	}
	return nil
}

// CheckSearch returns an error if nothing can be searched. It says what is needed.
func (e *Engine) CheckSearch(source Source) error {
	if err := e.CheckSource(source); err != nil {
		return err
	}
	if source == InternetDB {
		return fmt.Errorf(`InternetDB cannot be searched: leave source out, or use source "shodan" or "dataset"`)
	}
	if e.rest == nil && e.dataset == nil {
		return fmt.Errorf(`finding related hosts needs an API key whose plan allows searches, or a dataset: set api_key (or SHODAN_API_KEY), or data_files to what "shodan download" wrote`)
	}
	return nil
}

// CheckBanners returns an error if addresses can be looked up in InternetDB only. It says what is needed.
func (e *Engine) CheckBanners(source Source) error {
	if err := e.CheckSource(source); err != nil {
		return err
	}
	if source == "" || source == Auto {
		source = e.cfg.Source
	}
	if source == InternetDB || e.rest == nil && e.dataset == nil {
		return fmt.Errorf(`InternetDB has no banners, so this needs an API key or a dataset: set api_key (or SHODAN_API_KEY), or data_files to what "shodan download" wrote, and leave source out`)
	}
	return nil
}
