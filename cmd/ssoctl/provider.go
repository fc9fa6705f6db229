package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
)

type providerGroup struct {
	Test testProvider `cmd:"" help:"Find out what is wrong with a TV provider, as the node sees it: discovery or metadata, certificates, clock, login page, a decision. Status 1 if something fails."`
}

// testProvider is cmd/ssod/docs/operating.md#is-it-the-tv-provider.
type testProvider struct {
	Realm           string `arg:"" help:"Realm of the TV provider."`
	MVPD            string `arg:"" name:"MVPD" help:"Its id."`
	Resource        string `placeholder:"ID" help:"What a decision is asked for. Default: a name that the provider will not know."`
	Subject         string `placeholder:"ID" help:"The viewer on whose behalf: a userID at the provider. Default: nobody, so a deny is a good answer."`
	ServiceProvider string `placeholder:"ID" help:"Which service provider asks. Default: the first one that may."`
}

// errProvider ends the command with status 1.
var errProvider = errors.New("something fails: viewers cannot log in or watch")

// Run implements provider test.
func (c *testProvider) Run(s *session) error {
	probe := map[string]string{}
	for name, value := range map[string]string{"resource": c.Resource, "subject": c.Subject, "serviceProvider": c.ServiceProvider} {
		if value != "" {
			probe[name] = value
		}
	}
	var raw json.RawMessage
	if err := s.operate(http.MethodPost, "/admin/v1/providers/"+url.PathEscape(c.Realm)+"/"+url.PathEscape(c.MVPD)+"/test", nil, probe, &raw); err != nil {
		return err
	}
	var report struct {
		OK    bool
		Lines []struct{ Check, Result, Detail, Advice string }
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return err
	}
	var rows [][]string
	for _, l := range report.Lines {
		rows = append(rows, []string{l.Result, l.Check, l.Detail})
		if l.Advice != "" {
			rows = append(rows, []string{"", "", "-> " + l.Advice})
		}
	}
	if err := s.table(raw, "RESULT\tCHECK\tFOUND", rows); err != nil {
		return err
	}
	if !report.OK {
		return errProvider
	}
	return nil
}
