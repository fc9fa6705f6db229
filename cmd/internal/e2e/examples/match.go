package examples

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Answer is what a server said.
type Answer struct {
	Status  int
	Headers http.Header
	Body    []byte
}

// Match returns every difference between the answer and what is expected, each
// with its path; none means the case passed. vars are the variables that
// <equalsVar:x> may name.
func (e Expect) Match(a Answer, vars map[string]string) []string {
	m := &matching{vars: vars}
	if a.Status != e.Status {
		m.differ("status", "got %d, want %d", a.Status, e.Status)
	}
	for name, want := range e.Headers {
		m.header(name, want, a.Headers)
	}
	if e.Body != nil {
		m.document(e.Body, a.Body)
	}
	return m.differences
}

// Field returns the text of a field of a JSON body, by a path such as
// $.serviceToken.
func Field(body []byte, path string) (string, error) {
	root, err := decode(body)
	if err != nil {
		return "", err
	}
	got, ok := lookup(root, strings.TrimPrefix(path, "$."))
	if !ok {
		return "", fmt.Errorf("the answer has no field %s", path)
	}
	return text(got), nil
}

// matching is one comparison in progress.
type matching struct {
	vars        map[string]string
	root        any // the body
	differences []string
}

func (m *matching) differ(path, format string, args ...any) {
	m.differences = append(m.differences, path+": "+fmt.Sprintf(format, args...))
}

func (m *matching) header(name, want string, headers http.Header) {
	values, present := headers[http.CanonicalHeaderKey(name)]
	if want == "<absent>" {
		if present {
			m.differ(name, "got %q, want it absent", values)
		}
		return
	}
	if !present {
		m.differ(name, "missing, want %s", want)
		return
	}
	m.value(name, want, strings.Join(values, ", "))
}

func (m *matching) document(want any, body []byte) {
	got, err := decode(body)
	if err != nil {
		m.differ("$", "not JSON: %v", err)
		return
	}
	m.root = got
	m.value("$", want, got)
}

// value compares one value of the document with what is expected there.
func (m *matching) value(path string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			m.differ(path, "got %s, want an object", text(got))
			return
		}
		m.object(path, want, object)
	case []any:
		m.array(path, want, got)
	case string:
		m.word(path, want, got)
	default:
		if text(want) != text(got) {
			m.differ(path, "got %s, want %s", text(got), text(want))
		}
	}
}

func (m *matching) array(path string, want []any, got any) {
	array, ok := got.([]any)
	if !ok || len(array) != len(want) {
		m.differ(path, "got %s, want an array of %d", text(got), len(want))
		return
	}
	for i := range want {
		m.value(fmt.Sprintf("%s[%d]", path, i), want[i], array[i])
	}
}

func (m *matching) object(path string, want, got map[string]any) {
	for name, expected := range want {
		if strings.HasPrefix(name, "$") {
			m.directive(path, name, expected, got)
			continue
		}
		value, present := got[name]
		switch {
		case expected == "<absent>" && present:
			m.differ(path+"."+name, "got %s, want it absent", text(value))
		case expected == "<absent>":
		case !present:
			m.differ(path+"."+name, "missing, want %s", text(expected))
		default:
			m.value(path+"."+name, expected, value)
		}
	}
}

// directive handles a key of an expected object that starts with $.
func (m *matching) directive(path, name string, expected any, got map[string]any) {
	switch name {
	case "$exactKeys":
		m.exactKeys(path, words(expected), got)
	case "$hasKeys":
		for _, key := range words(expected) {
			if _, ok := got[key]; !ok {
				m.differ(path+"."+key, "missing")
			}
		}
	case "$jwt":
		m.jwt(path, expected, got)
	case "$check":
		condition, _ := expected.(string)
		if err := check(condition, got); err != nil {
			m.differ(path, "%s: %v", condition, err)
		}
	default:
		m.differ(path, "unknown directive %s", name)
	}
}

func (m *matching) exactKeys(path string, want []string, got map[string]any) {
	for key := range got {
		if !slices.Contains(want, key) {
			m.differ(path+"."+key, "not allowed, only %q", want)
		}
	}
	for _, key := range want {
		if _, ok := got[key]; !ok {
			m.differ(path+"."+key, "missing")
		}
	}
}

func (m *matching) jwt(path string, expected any, got map[string]any) {
	want, _ := expected.(map[string]any)
	field, _ := want["field"].(string)
	token, _ := got[field].(string)
	header, payload, err := claims(token)
	if err != nil {
		m.differ(path+"."+field, "%v", err)
		return
	}
	for part, decoded := range map[string]any{"header": header, "payload": payload} {
		if w, ok := want[part]; ok {
			m.value(path+"."+field+"("+part+")", w, decoded)
		}
	}
}

// words are the strings of an expected list.
func words(list any) []string {
	all, _ := list.([]any)
	out := make([]string, len(all))
	for i, word := range all {
		out[i] = text(word)
	}
	return out
}

// decode reads JSON and keeps numbers as they are written.
func decode(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var out any
	if err := decoder.Decode(&out); err != nil {
		return nil, err
	}
	return out, nil
}

// text is a value as a person reads it: a string without quotes, all else as
// JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	out, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(out)
}

// lookup follows a dotted path through objects.
func lookup(root any, path string) (any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := root.(map[string]any)
		if !ok {
			return nil, false
		}
		if root, ok = object[name]; !ok {
			return nil, false
		}
	}
	return root, true
}
