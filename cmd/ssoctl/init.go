package main

import "net/http"

type initCommand struct{}

func (c *initCommand) Run(s *session) error {
	if err := s.operate(http.MethodPost, "/admin/v1/cluster/init", nil, nil, nil); err != nil {
		return err
	}
	s.say("the node founds a cluster; those that are to join it do so by themselves: ssoctl status shows them")
	return nil
}
