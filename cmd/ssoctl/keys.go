package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

type keysGroup struct {
	List   listKeys   `cmd:"" help:"List the keys: ids, use, state and dates, never the keys."`
	Rotate rotateKeys `cmd:"" help:"Make new keys, which sign after the overlap."`
	Revoke revokeKey  `cmd:"" help:"Revoke a key: nothing it signed is accepted from now on."`
}

// key is one of GET /admin/v1/keys.
type key struct {
	ID       string     `json:"kid"`
	Use      string     `json:"use"`
	Realm    string     `json:"realm"`
	State    string     `json:"state"`
	Created  time.Time  `json:"created"`
	SignFrom time.Time  `json:"signFrom"`
	Until    *time.Time `json:"verifiesUntil"`
}

type listKeys struct{}

// Run implements keys list.
func (listKeys) Run(s *session) error {
	var raw json.RawMessage
	if err := s.operate(http.MethodGet, "/admin/v1/keys", nil, nil, &raw); err != nil {
		return err
	}
	return s.showKeys(raw)
}

func (s *session) showKeys(raw json.RawMessage) error {
	var list struct {
		Keys []key `json:"keys"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	var rows [][]string
	for _, k := range list.Keys {
		until := "-"
		if k.Until != nil {
			until = k.Until.Format(time.RFC3339)
		}
		rows = append(rows, []string{k.ID, k.Use, orDash(k.Realm), k.State, k.SignFrom.Format(time.RFC3339), until})
	}
	return s.table(raw, "KEY\tUSE\tREALM\tSTATE\tSIGNS FROM\tVERIFIES UNTIL", rows)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

type rotateKeys struct {
	Realm   string        `placeholder:"ID" help:"Only the keys of this realm."`
	Use     string        `enum:"service,media,access,client,statement,audit," default:"" placeholder:"USE" help:"Only keys of this use: service, media, access, client, statement or audit."`
	Overlap time.Duration `default:"10m" placeholder:"DURATION" help:"For how long the new keys are published before they sign, such as 10m (${default})."`
}

// Run implements keys rotate.
func (c *rotateKeys) Run(s *session) error {
	q := url.Values{"overlap": {c.Overlap.String()}}
	if c.Realm != "" {
		q.Set("realm", c.Realm)
	}
	if c.Use != "" {
		q.Set("use", c.Use)
	}
	var raw json.RawMessage
	if err := s.operate(http.MethodPost, "/admin/v1/keys/rotate", q, nil, &raw); err != nil {
		return err
	}
	var answer struct {
		Rotation struct {
			Keys int
			Done bool
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if !answer.Rotation.Done {
		s.say("%d keys get a successor; they are being made, ssoctl status shows how far that is", answer.Rotation.Keys)
	}
	return s.showKeys(raw)
}

type revokeKey struct {
	ID string `arg:"" name:"kid" help:"Id of the key."`
}

// Run implements keys revoke.
func (c *revokeKey) Run(s *session) error {
	if err := s.operate(http.MethodDelete, "/admin/v1/keys/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say("key %s is revoked", c.ID)
	return nil
}
