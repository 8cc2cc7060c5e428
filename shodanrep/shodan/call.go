package shodan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
)

// Service is a service that a Call is for.
type Service int

// The services that take calls. InternetDB takes none: it only knows addresses.
const (
	RESTService Service = iota
	CVEDBService
	ExploitsService
)

// A Call is a request that is not about the addresses of hosts, and how its answer is read. There is one for each
// endpoint, made by a function of the endpoint's name.
type Call[T any] struct {
	// What says what is asked for, for people: "searching for port:22".
	What string
	// Service is whom to ask, and Path and Query what. The key is not part of it.
	Service Service
	Path    string
	Query   url.Values
	// Read reads an answer. It returns an error for one that is not what was asked for.
	Read func(body []byte) (T, error)
	// Credits is how many query credits an answer costs.
	Credits int
	// Volatile says that the answer is of this moment, and is not to be kept; Lasting that it is still good next week.
	Volatile, Lasting bool
}

// A Getter is the Get method of Client, CVEDB or Exploits.
type Getter func(ctx context.Context, path string, query url.Values) ([]byte, error)

// Do asks a service for what a call is about, and returns what was read of the answer, and the answer itself, cleaned,
// for who keeps answers. One that cannot be read is an *Error of the kind Unavailable.
func Do[T any](ctx context.Context, get Getter, call Call[T]) (value T, body []byte, err error) {
	query := maps.Clone(call.Query) // the client adds the key
	if query == nil {
		query = url.Values{}
	}
	if body, err = get(ctx, call.Path, query); err != nil {
		return value, nil, err
	}
	if value, err = call.Read(body); err != nil {
		name := map[Service]string{RESTService: "Shodan", CVEDBService: "CVEDB", ExploitsService: "Shodan's exploit search"}[call.Service]
		return value, nil, &Error{Service: name, Kind: Unavailable, Status: http.StatusOK, Err: err}
	}
	return value, body, nil
}

// Get asks the REST API for a path, and returns the answer, cleaned. It adds the key to the query.
func (c *Client) Get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	body, _, err := c.get(ctx, path, query)
	if err != nil {
		return nil, err
	}
	return Clean(body), nil
}

// readObject reads an answer that is a JSON object, cleaned or not, and returns an error for anything else.
func readObject[T any](body []byte) (*T, error) {
	var value T
	if err := unmarshalObject(Clean(body), &value); err != nil {
		return nil, err
	}
	return &value, nil
}

// readList reads an answer that is a JSON list, cleaned or not, and returns an error for anything else.
func readList[T any](body []byte) ([]T, error) {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '[' {
		return nil, errors.New("the response is not a list")
	}
	var list []T
	if err := json.Unmarshal(Clean(body), &list); err != nil && !isTypeError(err) {
		return nil, fmt.Errorf("the response is not complete JSON: %w", err)
	}
	return list, nil
}
