package examples

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Case is one conformance case.
type Case struct {
	ID string `json:"id"`
	// Class is core for the SSO Service, companion for what it is no use without, and
	// beyond for the rest.
	Class string `json:"class"`
	Title string `json:"title"`
	// Source is documented, ours or both, as rules are marked in
	// httpfront/docs/README.md#documented-or-ours.
	Source  string            `json:"source"`
	Given   []string          `json:"given"`
	Request Request           `json:"request"`
	Expect  Expect            `json:"expect"`
	Capture map[string]string `json:"capture"`
}

// Request is the call of a case. At most one of JSON, Form and Raw is set.
type Request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	JSON    json.RawMessage   `json:"json,omitempty"`
	Form    map[string]string `json:"form"`
	Raw     *string           `json:"raw"`
	Repeat  *Repeat           `json:"repeat"`
}

// Repeat sends the request more than once: at the times of AtSeconds with the
// answers of Statuses, or Times within WithinMS, of which the first FirstCount
// give FirstExpectStatus and the others the expected status of the case.
type Repeat struct {
	AtSeconds         []float64 `json:"atSeconds"`
	Statuses          []int     `json:"statuses"`
	Times             int       `json:"times"`
	WithinMS          int       `json:"withinMs"`
	FirstExpectStatus int       `json:"firstExpectStatus"`
	FirstCount        int       `json:"firstCount"`
}

// Expect is what the answer of a case must be.
type Expect struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

// Load reads a file of cases. Unknown fields and repeated ids are mistakes.
func Load(file string) ([]Case, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	var cases []Case
	if err := decoder.Decode(&cases); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.ID] {
			return nil, fmt.Errorf("read %s: two cases %s", file, c.ID)
		}
		seen[c.ID] = true
	}
	return cases, nil
}

// With returns the case in other words: names has the old and the new ones in
// turn. None may need escapes in JSON.
func (c Case) With(names ...string) (Case, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return Case{}, err
	}
	decoder := json.NewDecoder(strings.NewReader(strings.NewReplacer(names...).Replace(string(raw))))
	decoder.UseNumber()
	var out Case
	return out, decoder.Decode(&out)
}

// Body is what the request sends, nil for nothing.
func (r Request) Body() []byte {
	switch {
	case r.JSON != nil:
		return r.JSON
	case r.Raw != nil:
		return []byte(*r.Raw)
	case r.Form != nil:
		return []byte(encode(r.Form))
	}
	return nil
}

// Target is the path with the query.
func (r Request) Target() string {
	if len(r.Query) == 0 {
		return r.Path
	}
	return r.Path + "?" + encode(r.Query)
}

func encode(pairs map[string]string) string {
	values := url.Values{}
	for name, value := range pairs {
		values.Set(name, value)
	}
	return values.Encode()
}
