package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// headers are those of a call of the device's app.
func (d *device) headers(more ...[2]string) header {
	return append(header{{"Authorization", "Bearer " + d.token}, {"AP-Device-Identifier", d.id}}, more...)
}

func path(provider, operation string) string {
	return "/api/" + url.PathEscape(provider) + "/" + operation
}

// mint gets a service token by X-SSO-ID or X-SSO-LINK.
func (d *device) mint(provider, by, value string) (token string, err error) {
	var answer struct {
		ServiceToken string `json:"serviceToken"`
	}
	h := d.headers([2]string{"X-Device-Info", d.info}, [2]string{by, value})
	if err := d.call(http.MethodPost, path(provider, "serviceToken"), h, "", &answer); err != nil {
		return "", fmt.Errorf("get a service token for the %s: %w", d.name, err)
	}
	return answer.ServiceToken, nil
}

// refresh gets a new service token for an old one.
func (d *device) refresh(provider, token string) error {
	var answer struct{}
	h := d.headers([2]string{"AD-Service-Token", token})
	return d.call(http.MethodGet, path(provider, "serviceToken"), h, "", &answer)
}

// link gets a link code.
func (d *device) link(provider, token string) (code string, err error) {
	var answer struct {
		Code string `json:"code"`
	}
	h := d.headers([2]string{"AD-Service-Token", token})
	if err := d.call(http.MethodPost, path(provider, "link"), h, "", &answer); err != nil {
		return "", fmt.Errorf("get a link code: %w", err)
	}
	return answer.Code, nil
}

// expectJoined looks at a link code of the device and checks that another one
// joined by it.
func (d *device) expectJoined(provider, token, code string) error {
	var answer struct {
		Status string `json:"status"`
	}
	h := d.headers([2]string{"AD-Service-Token", token})
	if err := d.call(http.MethodGet, path(provider, "link/"+url.PathEscape(code)), h, "", &answer); err != nil {
		return fmt.Errorf("look at the link code: %w", err)
	}
	if answer.Status != "REDEEMED" {
		return fmt.Errorf("look at the link code: it is %s, want REDEEMED", answer.Status)
	}
	return nil
}

// expectList lists the devices and checks that these two are there, each in
// its role.
func (d *device) expectList(provider, token string, other *device) error {
	var answer struct {
		Devices map[string]struct {
			Type string `json:"type"`
		} `json:"devices"`
	}
	h := d.headers([2]string{"AD-Service-Token", token})
	if err := d.call(http.MethodGet, path(provider, "list"), h, "", &answer); err != nil {
		return fmt.Errorf("list the devices: %w", err)
	}
	if mine, its := answer.Devices[d.key].Type, answer.Devices[other.key].Type; mine != "regular" || its != "sso" {
		return fmt.Errorf("list the devices: the %s is %q and the %s %q, want regular and sso", d.name, mine, other.name, its)
	}
	return nil
}

// unlink removes a device and checks that it was one.
func (d *device) unlink(provider, token string, other *device) error {
	body, err := json.Marshal(map[string][]string{"devices": {other.key}})
	if err != nil {
		return err
	}
	var answer struct {
		Unlinked []string `json:"unlinkedDevices"`
	}
	h := d.headers([2]string{"AD-Service-Token", token}, [2]string{"Content-Type", "application/json"})
	if err := d.call(http.MethodPost, path(provider, "unlink"), h, string(body), &answer); err != nil {
		return fmt.Errorf("remove the %s: %w", other.name, err)
	}
	if !slices.Contains(answer.Unlinked, other.key) {
		return fmt.Errorf("remove the %s: it is not among the removed devices", other.name)
	}
	return nil
}
