package shodantest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
)

// errDropped is the error for a dropped connection.
var errDropped = errors.New("shodantest: the connection was closed before the response")

// Transport returns an http.RoundTripper that calls the simulator in the goroutine of the request. It works inside
// testing/synctest, because it has no real I/O and the simulator takes the time from package time. Scheme and host of
// the URL do not matter.
func (s *Simulator) Transport() http.RoundTripper { return transport{s} }

type transport struct{ sim *Simulator }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := context.Cause(r.Context()); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	w := &memory{header: http.Header{}}
	aborted := w.serve(t.sim, r)
	switch {
	case r.Context().Err() != nil:
		return nil, context.Cause(r.Context())
	case w.status == 0:
		return nil, errDropped
	}
	length, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = int64(w.body.Len())
	}
	var body io.Reader = &w.body
	if aborted {
		body = io.MultiReader(body, brokenOff{})
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, ContentLength: length, Body: io.NopCloser(body), Request: r,
	}, nil
}

// memory is an http.ResponseWriter that stores the response.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *memory) Header() http.Header { return w.header }

func (w *memory) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *memory) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush implements http.Flusher.
func (w *memory) Flush() { w.WriteHeader(http.StatusOK) }

// serve runs the handler, and reports whether it aborted the response.
func (w *memory) serve(h http.Handler, r *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			aborted = true
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// brokenOff is the end of a body of an aborted response.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
