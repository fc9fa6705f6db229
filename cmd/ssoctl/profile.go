package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type profileGroup struct {
	Show   showProfile   `cmd:"" help:"Show what is stored for a viewer, secrets left out."`
	Delete deleteProfile `cmd:"" help:"Erase what is stored for a viewer; the tokens of its devices are void."`
}

// viewer names a profile.
type viewer struct {
	Realm     string `required:"" placeholder:"ID" help:"Realm."`
	Subject   string `required:"" placeholder:"TEXT" help:"Who it is: the value of X-SSO-ID, or sub of the external token."`
	Namespace string `default:"sso" placeholder:"TEXT" help:"sso, or the issuer of an external token (${default})."`
}

func (v *viewer) query() url.Values {
	return url.Values{"realm": {v.Realm}, "subject": {v.Subject}, "namespace": {v.Namespace}}
}

type showProfile struct{ viewer }

// Run implements profile show.
func (c *showProfile) Run(s *session) error {
	var raw json.RawMessage
	if err := s.operate(http.MethodGet, "/admin/v1/profile", c.query(), nil, &raw); err != nil {
		return err
	}
	var p struct {
		Devices []struct {
			Device     string            `json:"device"`
			Type       string            `json:"type"`
			Membership int64             `json:"membership"`
			LastSeen   time.Time         `json:"lastSeen"`
			Attributes map[string]string `json:"attributes"`
		} `json:"devices"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	var rows [][]string
	for _, d := range p.Devices {
		rows = append(rows, []string{d.Device, d.Type, strconv.FormatInt(d.Membership, 10), d.LastSeen.Format(time.RFC3339), orDash(d.Attributes["model"])})
	}
	return s.table(raw, "DEVICE\tTYPE\tMEMBERSHIP\tLAST SEEN\tMODEL", rows)
}

type deleteProfile struct {
	Realm     string `required:"" placeholder:"ID" help:"Realm."`
	Subject   string `xor:"whose" required:"" placeholder:"TEXT" help:"Whose profile: the value of X-SSO-ID, or sub of the external token. What its member devices have goes too."`
	Namespace string `default:"sso" placeholder:"TEXT" help:"sso, or the issuer of an external token (${default})."`
	Device    string `xor:"whose" required:"" placeholder:"BASE64" help:"Or only what one device has, as profile show and /list name it."`
}

// Run implements profile delete.
func (c *deleteProfile) Run(s *session) error {
	path, query := "/admin/v1/profile", url.Values{"realm": {c.Realm}, "subject": {c.Subject}, "namespace": {c.Namespace}}
	if c.Device != "" {
		path, query = "/admin/v1/device", url.Values{"realm": {c.Realm}, "device": {c.Device}}
	}
	var erased struct {
		Job      string `json:"job,omitempty"`
		Profiles int    `json:"profiles"`
		Devices  int    `json:"devices"`
		Logins   int    `json:"logins"`
		Sessions int    `json:"sessions"`
		Trials   int    `json:"trials"`
	}
	if err := s.operate(http.MethodDelete, path, query, nil, &erased); err != nil {
		return err
	}
	for erased.Job != "" { // each call waits a while
		job := erased.Job
		erased.Job = ""
		if err := s.operate(http.MethodDelete, path, url.Values{"job": {job}}, nil, &erased); err != nil {
			return err
		}
	}
	s.say("erased from every file of every node: %s, %s, %s", counted(erased.Devices, "device"), counted(erased.Logins, "login"), counted(erased.Sessions, "session"))
	if s.json {
		return s.printJSON(erased)
	}
	return nil
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

type reloadCommand struct{}

func (reloadCommand) Run(s *session) error {
	var done struct {
		Hash     string   `json:"hash"`
		Warnings []string `json:"warnings"`
	}
	if err := s.operate(http.MethodPost, "/admin/v1/reload", nil, nil, &done); err != nil {
		return err
	}
	for _, w := range done.Warnings {
		s.say("warning: %s", w)
	}
	s.say("the configuration is in use")
	if s.json {
		return s.printJSON(done)
	}
	return nil
}
