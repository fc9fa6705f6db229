package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// degradeCommand shows and changes the rules of degradation;
// cmd/ssod/docs/operating.md#a-tv-provider-in-trouble.
type degradeCommand struct {
	ServiceProvider string        `arg:"" optional:"" name:"SP" help:"Id of the service provider. Without: list the rules."`
	MVPD            string        `arg:"" optional:"" name:"MVPD" help:"Id of the TV provider."`
	Rule            string        `arg:"" optional:"" name:"RULE" help:"AuthNAll (nobody has to log in), AuthZAll (whoever is logged in watches everything), AuthZNone (nobody watches), or off: from now on the configuration file's rule counts again, if it has one."`
	For             time.Duration `placeholder:"DURATION" help:"How long the rule lasts, 1s to 24h, such as 10m; required."`
}

// off ends a rule.
const off = "off"

// A rule lasts from shortest to longest.
const shortest, longest = time.Second, 24 * time.Hour

// Validate makes a mistake in the arguments one in the command line.
func (c *degradeCommand) Validate() error {
	switch {
	case c.For != 0 && (c.For < shortest || c.For > longest):
		return fmt.Errorf("a rule lasts from 1s to 24h, not %v", c.For)
	case c.ServiceProvider == "" && c.For == 0, c.Rule == off && c.For == 0, c.Rule != "" && c.Rule != off && c.For != 0:
		return nil
	case c.Rule == "":
		return errors.New("want SP MVPD RULE --for DURATION, or SP MVPD off, or nothing at all")
	case c.Rule == off:
		return errors.New("off holds at once, until another rule is set: it takes no --for")
	}
	return errors.New("say how long the rule lasts: --for DURATION, 1s to 24h, such as --for 10m")
}

// ruleView is a rule as the admin API tells of it.
type ruleView struct {
	ServiceProvider string     `json:"serviceProvider"`
	MVPD            string     `json:"mvpd"`
	Rule            string     `json:"rule"`
	Source          string     `json:"source"`
	ID              string     `json:"id,omitempty"`
	Set             *time.Time `json:"set,omitempty"`
	Until           *time.Time `json:"until,omitempty"`
	By              string     `json:"by,omitempty"`
	Overridden      bool       `json:"overridden,omitempty"`
}

// Run implements degrade.
func (c *degradeCommand) Run(s *session) error {
	path := "/admin/v1/degradation"
	if c.ServiceProvider != "" {
		path += "/" + url.PathEscape(c.ServiceProvider) + "/" + url.PathEscape(c.MVPD)
	}
	method, body := http.MethodGet, any(nil)
	switch c.Rule {
	case "":
	case off:
		method = http.MethodDelete
	default:
		method, body = http.MethodPut, map[string]string{"rule": c.Rule, "for": c.For.String()}
	}
	var now struct {
		Rules []ruleView `json:"rules"`
	}
	if err := s.operate(method, path, nil, body, &now); err != nil {
		return err
	}
	if len(now.Rules) == 0 && !s.json {
		s.say("no rule of degradation counts%s", c.where())
		return nil
	}
	var rows [][]string
	for _, r := range now.Rules {
		rows = append(rows, r.row())
	}
	return s.table(now, "SERVICE PROVIDER\tMVPD\tRULE\tUNTIL\tSET BY\tSOURCE", rows)
}

// where names the pair of which the command is about.
func (c *degradeCommand) where() string {
	if c.ServiceProvider == "" {
		return ""
	}
	return " for " + c.ServiceProvider + " at " + c.MVPD
}

func (r *ruleView) row() []string {
	until, source := "-", r.Source
	if r.Until != nil {
		until = r.Until.Format(time.RFC3339) + " (" + time.Until(*r.Until).Round(time.Second).String() + ")"
	}
	if r.Overridden {
		source += ", overridden"
	}
	return []string{r.ServiceProvider, r.MVPD, r.Rule, until, orDash(r.By), source}
}
