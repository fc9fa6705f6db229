package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// maxAnswer bounds an answer in bytes.
const maxAnswer = 16 << 20

// refusal is an answer other than 2xx.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("the node answered %d: %s", r.status, r.text) }

// operate calls the admin API. in is sent as JSON when it is not nil; the
// answer is decoded into out when that is not nil.
func (s *session) operate(method, path string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	target := s.admin + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(s.ctx, method, target, body)
	if err != nil {
		return err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	status, answer, err := s.send(r)
	if err != nil {
		return unreachable(s.admin, err)
	}
	if status/100 != 2 {
		return refused(status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func unreachable(admin string, err error) error {
	return fmt.Errorf("the admin API at %s cannot be reached: %w; is ssod running there?", admin, plain(err))
}

// send sends a request and reads the whole answer.
func (s *session) send(r *http.Request) (status int, body []byte, err error) {
	answer, err := s.web.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, body, err
}

// refused reads why the node refused, from any form of error.
func refused(status int, answer []byte) error {
	var said struct {
		Message string          `json:"message"`
		Error   json.RawMessage `json:"error"`
	}
	text := http.StatusText(status)
	if json.Unmarshal(answer, &said) == nil {
		switch {
		case said.Message != "":
			text = said.Message
		case len(said.Error) > 0:
			text = string(said.Error)
		}
	}
	return &refusal{status, text}
}

// plain removes what url.Error repeats of the request.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	return err
}
