package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/httpfront/api"
	"ssod/httpfront/strictjson"
)

const (
	apiPrefix = "/admin/v1/"
	// maxBody bounds the body of a call.
	maxBody = 64 << 10
	// deadline bounds the work of a call. A revocation is answered only when a node that
	// is cut off has stopped serving, which takes over ten seconds.
	deadline = 14 * time.Second
	// asking bounds what entities are asked for.
	asking = 10 * time.Second
)

// call is one request of an operator.
type call struct {
	*http.Request
	*Services
	server *Server
	id     cluster.RequestID
	notes  []any // more for the audit line
}

// handler serves one operation. The result is written as JSON; nil means that
// there is nothing to say (204).
type handler func(ctx context.Context, c *call) (result any, err error)

// created marks a result as new: 201.
type created struct{ result any }

// accepted marks a result as that of work that goes on: 202.
type accepted struct{ result any }

func newCall(s *Server, r *http.Request) *call {
	c := &call{Request: r, server: s}
	rand.Read(c.id[:])            // never fails since Go 1.24
	c.id[6] = c.id[6]&0x0f | 0x40 // a random UUID, RFC 9562
	c.id[8] = c.id[8]&0x3f | 0x80
	return c
}

func (c *call) trace() string { return string(api.AppendUUID(nil, c.id)) }

// note adds to the audit line.
func (c *call) note(key string, value any) { c.notes = append(c.notes, key, value) }

// adapt is the one adapter around all handlers.
func (s *Server) adapt(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := newCall(s, r)
		status := s.run(w, c, h)
		c.audit(s.log, status)
	}
}

func (s *Server) run(w http.ResponseWriter, c *call, h handler) (status int) {
	if c.Services = s.services.Load(); c.Services == nil && !c.early() {
		return writeFailure(w, c, classify(errStarting))
	}
	if c.Services != nil && c.Out && !c.ofCluster() {
		return writeFailure(w, c, classify(errOut))
	}
	c.Body = http.MaxBytesReader(w, c.Body, maxBody)
	ctx, cancel := context.WithTimeout(c.Context(), deadline)
	defer cancel()
	result, err := h(ctx, c)
	if err != nil {
		f := classify(err)
		if f.Status == http.StatusInternalServerError {
			s.log.Error("admin call failed", "error", err, "trace", c.trace())
		}
		return writeFailure(w, c, f)
	}
	if long, ok := result.(stream); ok {
		return s.send(w, c, long.Backup)
	}
	return writeResult(w, c, result)
}

// early reports whether the call is for a node that is starting.
func (c *call) early() bool { return c.URL.Path == apiPrefix+initPath }

// ofCluster reports whether the call is about nodes and placement, which a node that has
// left its cluster still knows.
func (c *call) ofCluster() bool {
	return strings.HasPrefix(c.URL.Path, apiPrefix+"cluster") || strings.HasPrefix(c.URL.Path, apiPrefix+"nodes/")
}

// who is who called, in one word or two: local, or token and its fingerprint.
func (c *call) who() string {
	if token, ok := c.Context().Value(tokenKey{}).(string); ok {
		return "token " + token
	}
	return "local"
}

// audit writes the line of a call; cmd/ssod/docs/security.md#audit-log.
func (c *call) audit(log *slog.Logger, status int) {
	line := []any{"audit", true, "who", "local"}
	if token, ok := c.Context().Value(tokenKey{}).(string); ok {
		line = []any{"audit", true, "who", "token", "token", token}
	} else if c.server.tokens != nil {
		line = []any{"audit", true, "who", "stranger"}
	}
	line = append(line, "address", c.RemoteAddr,
		"what", c.Method+" "+c.operation(), "status", status, "trace", c.trace())
	log.Info("admin call", append(line, c.notes...)...)
}

// operation is the path without what names a client, a key or a statement:
// those are notes, when they turned out to be real.
func (c *call) operation() string {
	if c.Pattern != "" {
		return c.Pattern
	}
	return apiPrefix
}

// decode reads the body strictly: one JSON object, no name twice, no unknown
// member.
func (c *call) decode(into any) error {
	body, err := io.ReadAll(c.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return badRequest("the body is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return badRequest("the body cannot be read")
	}
	v, err := strictjson.Parse(body)
	if err != nil || v.Kind() != strictjson.Object {
		return badRequest("the body is not a JSON object")
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badRequest("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// query reads the query strictly: known names, each at most once.
func (c *call) query(known ...string) (map[string]string, error) {
	parsed, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query cannot be read")
	}
	values := make(map[string]string, len(parsed))
	for name, list := range parsed {
		if !slices.Contains(known, name) {
			return nil, badRequest("unknown parameter %q", name)
		}
		if len(list) > 1 {
			return nil, badRequest("parameter %q is there twice", name)
		}
		values[name] = list[0]
	}
	return values, nil
}
