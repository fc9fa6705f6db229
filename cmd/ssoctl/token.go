package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

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

// Run implements token.
func (c *tokenCommand) Run(s *session) error {
	public, err := s.publicURL()
	if err != nil {
		return err
	}
	made, err := c.make(s)
	if err != nil {
		return err
	}
	quiet := &app{session: s, public: public, show: func(exchange) {}}
	got, err := quiet.register(made)
	if err != nil {
		return err
	}
	s.say("client %s of statement %s; the token expires in %v", got.ClientID, got.Statement, time.Duration(got.ExpiresIn)*time.Second)
	return s.print(got.AccessToken, got)
}

// register makes the app a client of the statement and gets a token.
func (a *app) register(made statement) (credentials, error) {
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	body, err := json.Marshal(map[string]string{"software_statement": made.SoftwareStatement})
	if err != nil {
		return credentials{}, err
	}
	err = a.call(http.MethodPost, "/o/client/register", header{{"Content-Type", "application/json"}}, string(body), &client)
	if err != nil {
		return credentials{}, err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client.ID}, "client_secret": {client.Secret}}
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	err = a.call(http.MethodPost, "/o/client/token", header{{"Content-Type", "application/x-www-form-urlencoded"}}, form.Encode(), &token)
	return credentials{made.ID, client.ID, client.Secret, token.AccessToken, token.ExpiresIn}, err
}
