package main

import (
	"net/http"
	"net/url"
)

type removeCommand struct {
	Name string `arg:"" help:"Name of the node."`
}

func (c *removeCommand) Run(s *session) error {
	if err := s.operate(http.MethodDelete, "/admin/v1/nodes/"+url.PathEscape(c.Name), nil, nil, nil); err != nil {
		return err
	}
	s.say("node %s is removed; the keys are sealed again, so that it can open none: ssoctl status shows when that is done", c.Name)
	return nil
}

type readmitCommand struct {
	Name string `arg:"" help:"Name of the node that was removed."`
}

func (c *readmitCommand) Run(s *session) error {
	if err := s.operate(http.MethodPost, "/admin/v1/nodes/"+url.PathEscape(c.Name)+"/readmit", nil, nil, nil); err != nil {
		return err
	}
	s.say("the certificate of node %s is accepted again: it may join", c.Name)
	return nil
}
