package faultrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// route is the transport of an app: it carries each call to one of the nodes that
// clients use, or to the node that is set, and notes for the load how it ended and
// which secrets the answer has.
type route struct {
	load    *Load
	node    *Node
	foreign bool // 401 is what is to be answered
}

func (r route) RoundTrip(request *http.Request) (*http.Response, error) {
	n, began := r.node, time.Now()
	if n == nil {
		n = r.load.cluster.any()
	}
	if n == nil {
		r.load.note(sample{at: began, fate: nowhere}, nil)
		return nil, errNobody
	}
	request.URL.Host = n.HTTP
	response, err := r.load.cluster.api.RoundTrip(request)
	s := sample{at: began, took: time.Since(began), node: n}
	if err != nil {
		s.fate = unanswered
		r.load.note(s, nil)
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	if response.StatusCode == http.StatusServiceUnavailable {
		s.fate, s.doubt = unavailable, bytes.Contains(body, []byte(unknownOutcome))
	}
	r.load.note(s, r.judge(request, response.StatusCode, body))
	return response, err
}

// judge returns an error for an answer that no fault explains.
func (r route) judge(request *http.Request, status int, body []byte) error {
	if status >= http.StatusBadRequest {
		r.load.secrets.keep(body)
	} else if err := r.load.secrets.take(body); err != nil {
		return fmt.Errorf("%s %s: %w: %w", request.Method, request.URL.Path, errAnswer, err)
	}
	switch {
	case status == expected(request) && !r.foreign, status == http.StatusServiceUnavailable,
		status == http.StatusBadRequest && bytes.Contains(body, []byte(`"token_invalid"`)),
		status == http.StatusUnauthorized && r.foreign:
		return nil
	}
	return fmt.Errorf("%s %s at %s: %w: %d %s", request.Method, request.URL.Path, request.URL.Host, errAnswer, status, body)
}

// expected is the status of success: what is made is answered 201.
func expected(request *http.Request) int {
	path := request.URL.Path
	if request.Method == http.MethodPost && !strings.HasSuffix(path, "/unlink") {
		return http.StatusCreated
	}
	return http.StatusOK
}

// take marks the secrets that an answer has.
func (s *secrets) take(body []byte) error {
	var given struct {
		ServiceToken, Code string
		AccessToken        string `json:"access_token"`
		ClientSecret       string `json:"client_secret"`
	}
	err := json.Unmarshal(body, &given)
	s.mark(given.ServiceToken, given.Code, given.AccessToken, given.ClientSecret)
	return err
}
