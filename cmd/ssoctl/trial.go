package main

import (
	"net/http"
	"net/url"
)

type trialGroup struct {
	Reset resetTrial `cmd:"" help:"Let a device, a viewer or everybody have a trial of temporary access again."`
}

type resetTrial struct {
	Realm    string `required:"" placeholder:"ID" help:"Realm."`
	MVPD     string `name:"mvpd" required:"" placeholder:"ID" help:"MVPD of kind temppass."`
	Device   string `xor:"whose" required:"" placeholder:"BASE64" help:"The device, as profile show and /list name it. A viewer who was named on it keeps the trial."`
	Identity string `xor:"whose" required:"" placeholder:"JSON" help:"Or the viewer: the object that apps send in AP-TempPass-Identity, before Base64. The devices keep the trial."`
	All      bool   `xor:"whose" required:"" help:"Or all devices and viewers."`
}

// Run implements trial reset.
func (c *resetTrial) Run(s *session) error {
	query := url.Values{"realm": {c.Realm}, "mvpd": {c.MVPD}}
	switch {
	case c.All:
		query.Set("all", "true")
	case c.Device != "":
		query.Set("device", c.Device)
	default:
		query.Set("identity", c.Identity)
	}
	if err := s.operate(http.MethodDelete, "/admin/v1/trials", query, nil, nil); err != nil {
		return err
	}
	s.say("reset")
	return nil
}
