package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type drainCommand struct {
	Name   string `arg:"" help:"Name of the node."`
	NoWait bool   `help:"Return before the node has left."`
}

// drainView is what a drained node still has.
type drainView struct {
	Copies   int  `json:"copies"`
	Leads    int  `json:"leads"`
	MetaVote bool `json:"metaVote"`
}

func (d *drainView) String() string {
	text := fmt.Sprintf("copies of %d shards and the lead of %d", d.Copies, d.Leads)
	if d.MetaVote {
		text += ", and a vote in the meta group"
	}
	return text
}

func (c *drainCommand) Run(s *session) error {
	var n nodeView
	if err := s.operate(http.MethodPost, "/admin/v1/nodes/"+url.PathEscape(c.Name)+"/drain", nil, nil, &n); err != nil {
		return err
	}
	if !c.NoWait {
		if err := s.awaitLeft(&n); err != nil {
			return err
		}
	}
	if n.State != stateLeft {
		s.say("node %s is drained: ssoctl status tells how far it is", c.Name)
	} else {
		s.say("node %s has left: stop it when you like; ssoctl undrain %s takes it back", c.Name, c.Name)
	}
	if s.json {
		return s.printJSON(n)
	}
	return nil
}

// stateLeft is the state of a drained node that holds nothing any more.
const stateLeft = "left"

// awaitLeft waits until a drained node has left, and shows the progress.
func (s *session) awaitLeft(n *nodeView) error {
	told := ""
	var silent time.Time
	for n.State != stateLeft {
		if n.Drain == nil {
			return fmt.Errorf("node %s is not drained any more: somebody has taken it back, or removed it", n.Name)
		}
		if text := n.Drain.String(); text != told {
			s.say("node %s still has %s", n.Name, text)
			told = text
		}
		if err := s.pause(progressPace); err != nil {
			return err
		}
		err := s.look(n)
		refused, ok := errors.AsType[*refusal](err)
		switch {
		case err == nil:
			silent = time.Time{}
		case ok && refused.status != http.StatusServiceUnavailable:
			return err
		case silent.IsZero(): // the node that is asked may be the one that starts again
			silent = time.Now()
		case time.Since(silent) > s.web.Timeout:
			return err
		}
	}
	return nil
}

// look reads the state of a node.
func (s *session) look(n *nodeView) error {
	var v view
	if err := s.operate(http.MethodGet, "/admin/v1/cluster", nil, nil, &v); err != nil {
		return err
	}
	name := n.Name
	*n = nodeView{Name: name}
	for _, one := range v.Nodes {
		if one.Name == name {
			*n = one
		}
	}
	return nil
}

type undrainCommand struct {
	Name string `arg:"" help:"Name of the node."`
}

func (c *undrainCommand) Run(s *session) error {
	if err := s.operate(http.MethodPost, "/admin/v1/nodes/"+url.PathEscape(c.Name)+"/undrain", nil, nil, nil); err != nil {
		return err
	}
	s.say("node %s takes part again: ssoctl status tells when its copies are back", c.Name)
	return nil
}
