package ssodtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ReadyWithin bounds a start.
const ReadyWithin = 2 * time.Minute

// admin speaks to admin listeners. A node that is paused answers nobody.
var admin = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}

// Ask makes a call of the admin listener, with a body in JSON unless it is nil.
func (n *Node) Ask(method, path string, in any) (status int, body string, err error) {
	text, err := json.Marshal(in)
	if err != nil {
		return 0, "", err
	}
	request, err := http.NewRequest(method, "http://"+n.Admin+path, nil)
	if err != nil {
		return 0, "", err
	}
	if in != nil {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := admin.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(raw), err
}

// Page is a page of the admin listener; status 0 when nobody answers.
func (n *Node) Page(path string) (status int, body string) {
	status, body, err := n.Ask(http.MethodGet, path, nil)
	if err != nil {
		return 0, ""
	}
	return status, body
}

// StatusError is an answer of the admin API other than 2xx.
type StatusError struct {
	Call, Body string
	Status     int
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("%s: %d %s", e.Call, e.Status, e.Body) }

// Order makes a call of the admin API that must succeed, and reads its answer into out
// unless that is nil.
func (n *Node) Order(method, path string, in, out any) error {
	status, body, err := n.Ask(method, path, in)
	switch {
	case err != nil:
		return err
	case status/100 != 2:
		return &StatusError{method + " " + path, body, status}
	case out == nil:
		return nil
	}
	return json.Unmarshal([]byte(body), out)
}

// Condition is one of the things that readiness depends on.
type Condition struct {
	Condition, Detail string
	OK, Advice        bool
}

// conditions are what the node says of itself; why it says nothing, if it does not.
func (n *Node) conditions() (ready bool, all []Condition, why string) {
	status, body, err := n.Ask(http.MethodGet, "/readyz", nil)
	if err != nil {
		return false, nil, err.Error()
	}
	var page struct{ Conditions []Condition }
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		return status == http.StatusOK, nil, http.StatusText(status)
	}
	return status == http.StatusOK, page.Conditions, http.StatusText(status)
}

// Ready reports whether the node says that it may receive requests.
func (n *Node) Ready() bool { return n.Unready() == "" }

// Unready says why the node may not receive requests; empty: it may.
func (n *Node) Unready() string {
	ready, all, why := n.conditions()
	if ready {
		return ""
	}
	for _, c := range all {
		if !c.OK && !c.Advice {
			return c.Condition + ": " + c.Detail
		}
	}
	return why
}

// Condition is what the node says of one thing that its readiness depends on.
func (n *Node) Condition(name string) (ok bool, detail string) {
	_, all, _ := n.conditions()
	for _, c := range all {
		if c.Condition == name {
			return c.OK, c.Detail
		}
	}
	return false, ""
}

// AwaitReady waits until the process may receive requests.
func (n *Node) AwaitReady() {
	n.Helper()
	Until(n, "the node is ready", ReadyWithin, func() bool {
		if n.Ended() {
			n.Fatalf("the process ended before it was ready:\n%s", Tail(n.Logged()))
		}
		return n.Ready()
	})
}

// Ctl runs ssoctl at the node and returns what it says.
func (n *Node) Ctl(args ...string) (said string, err error) {
	n.Helper()
	out, err := SSOCTL.Command(n, append([]string{"--admin", n.Admin}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
