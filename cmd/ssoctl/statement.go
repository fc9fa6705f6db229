package main

import (
	"net/http"
	"net/url"
)

type statementGroup struct {
	Make   statementCommand `cmd:"" default:"withargs" help:"Make a software statement and print it. The word make can be left out."`
	Revoke revokeStatement  `cmd:"" help:"Revoke a software statement, and with it every client that registered with it."`
}

// statementCommand says what a software statement allows.
type statementCommand struct {
	ServiceProvider  []string `required:"" placeholder:"ID" help:"Service providers that the application may use."`
	ClientName       string   `default:"ssoctl" placeholder:"NAME" help:"Name of the application (${default})."`
	ClientURI        string   `name:"client-uri" placeholder:"URL" help:"Home page of the application."`
	Scope            []string `placeholder:"SCOPE" help:"Scopes. Default: api:client:v2."`
	RedirectURI      []string `name:"redirect-uri" placeholder:"URI" help:"Where a login may return to. Default: anywhere."`
	Platform         []string `placeholder:"NAME" help:"Platforms of the application."`
	GrantType        []string `placeholder:"TYPE" help:"Grant types. Default: client_credentials."`
	NoAssertIdentity bool     `help:"Clients must not say who their viewer is with an X-SSO-ID that nobody signed. For statements that are shipped inside an app: whoever has the app has the statement."`
}

// statement is the answer of POST /admin/v1/software-statements.
type statement struct {
	SoftwareStatement string `json:"softwareStatement"`
	ID                string `json:"id"`
}

func (c *statementCommand) Run(s *session) error {
	made, err := c.make(s)
	if err != nil {
		return err
	}
	s.say("statement %s; revoke it with: ssoctl statement revoke %s", made.ID, made.ID)
	return s.print(made.SoftwareStatement, made)
}

func (c *statementCommand) make(s *session) (made statement, err error) {
	in := map[string]any{"clientName": c.ClientName, "clientUri": c.ClientURI, "serviceProviders": c.ServiceProvider, "mayAssertIdentity": !c.NoAssertIdentity}
	for name, list := range map[string][]string{
		"scopes": c.Scope, "redirectUris": c.RedirectURI, "platforms": c.Platform, "grantTypes": c.GrantType,
	} {
		if len(list) > 0 {
			in[name] = list
		}
	}
	err = s.operate(http.MethodPost, "/admin/v1/software-statements", nil, in, &made)
	return made, err
}

type revokeStatement struct {
	ID string `arg:"" help:"Id of the statement, as printed when it was made."`
}

// Run implements statement revoke.
func (c *revokeStatement) Run(s *session) error {
	if err := s.operate(http.MethodDelete, "/admin/v1/software-statements/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say("statement %s is revoked", c.ID)
	return nil
}

type clientGroup struct {
	Revoke revokeClient `cmd:"" help:"Revoke a client: its access tokens are refused from now on."`
}

type revokeClient struct {
	ID string `arg:"" help:"Client id."`
}

// Run implements client revoke.
func (c *revokeClient) Run(s *session) error {
	if err := s.operate(http.MethodDelete, "/admin/v1/clients/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say("client %s is revoked", c.ID)
	return nil
}
