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

// Service is a service that takes Calls.
type Service int

// The services that take Calls. InternetDB takes none: it has only requests for addresses.
const (
	RESTService Service = iota
	CVEDBService
	ExploitsService
)

// A Call is a request to an endpoint, other than those for hosts, and the function that reads its response. There is
// one function per endpoint that makes its Calls.
type Call[T any] struct {
	// What describes the request for people: "searching for port:22".
	What string
	// Service, Path and Query are the request, without the API key.
	Service Service
	Path    string
	Query   url.Values
	// Read reads a response. It returns an error if the response is not what was requested.
	Read func(body []byte) (T, error)
	// Credits is how many query credits a response costs.
	Credits int
	// Volatile responses are not cached. Lasting responses are valid for a week.
	Volatile, Lasting bool
	// IsPartial reports whether a response lacks what it says that there is. Such a response is not cached. Nil is never.
	IsPartial func(T) bool
}

// A Getter is the Get method of Client, CVEDB or Exploits.
type Getter func(ctx context.Context, path string, query url.Values) ([]byte, error)

// Do sends a call and returns the value that was read and, for a cache, the cleaned response. If the response cannot be
// read, the error is an *Error of the kind Unavailable.
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

// readObject reads a response that is a JSON object, cleaned or not. It returns an error for anything else.
func readObject[T any](body []byte) (*T, error) {
	var value T
	if err := unmarshalObject(Clean(body), &value); err != nil {
		return nil, err
	}
	return &value, nil
}

// readList reads a response that is a JSON list, cleaned or not. It returns an error for anything else.
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
