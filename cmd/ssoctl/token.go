package main

import "time"

// tokenCommand gets an access token the way an app does.
type tokenCommand struct {
	statementCommand
}

// credentials are what a client of the API has.
type credentials struct {
	Statement    string `json:"statement"` // id
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	AccessToken  string `json:"accessToken"`
	ExpiresIn    int64  `json:"expiresIn"` // seconds
}

func (c *tokenCommand) Run(s *session) error {
	public, err := s.publicURL()
	if err != nil {
		return err
	}
	made, err := c.make(s)
	if err != nil {
		return err
	}
	quiet, err := s.app(public, "", "", func(exchange) {})
	if err != nil {
		return err
	}
	_, got, err := register(s.ctx, quiet, made)
	if err != nil {
		return err
	}
	s.say("client %s of statement %s; the token expires in %v", got.ClientID, got.Statement, time.Duration(got.ExpiresIn)*time.Second)
	return s.print(got.AccessToken, got)
}
