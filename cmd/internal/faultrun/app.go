package faultrun

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// app is a registered client of a service provider. Each call goes to a node of
// its own, unless one is set.
type app struct {
	load      *Load
	node      *Node
	realm     string // and the service provider, which has the same name
	statement string
	id        string
	secret    string
	token     string
	revoked   bool
}

// newApp goes the whole way from software statement to access token.
func newApp(l *Load, realm string) (*app, error) {
	a := &app{load: l, realm: realm}
	body, err := json.Marshal(map[string]any{"clientName": "faults", "serviceProviders": []string{realm}})
	if err != nil {
		return nil, err
	}
	var statement struct{ SoftwareStatement, ID string }
	if err := a.manage("POST", "/admin/v1/software-statements", body, http.StatusCreated, &statement); err != nil {
		return nil, err
	}
	a.statement = statement.ID
	return a, a.register(statement.SoftwareStatement)
}

// register gets client credentials and an access token.
func (a *app) register(statement string) error {
	body, err := json.Marshal(map[string]string{"software_statement": statement})
	if err != nil {
		return err
	}
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err = a.call("register", call{"POST", "/o/client/register", []string{"Content-Type", "application/json"}, body}, http.StatusCreated, &client)
	if err != nil {
		return err
	}
	a.id, a.secret = client.ID, client.Secret
	return a.grant()
}

// grant gets an access token.
func (a *app) grant() error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.id}, "client_secret": {a.secret}}
	var granted struct {
		Token string `json:"access_token"`
	}
	err := a.call("grant", call{
		"POST", "/o/client/token", []string{"Content-Type", "application/x-www-form-urlencoded"}, []byte(form.Encode()),
	}, http.StatusCreated, &granted)
	a.token = granted.Token
	a.load.secrets.mark(a.secret, a.token)
	return err
}

// at is the same client calling one node only.
func (a *app) at(n *Node) *app {
	b := *a
	b.node = n
	return &b
}

// call makes a call of the public API.
func (a *app) call(operation string, c call, status int, out any) error {
	n := a.node
	if n == nil {
		n = a.load.cluster.any()
	}
	return a.load.call(n, operation, c, status, out)
}

// manage makes a call of the admin API.
func (a *app) manage(method, path string, body []byte, status int, out any) error {
	n := a.load.cluster.any()
	if n == nil {
		return errNobody
	}
	got, err := a.load.cluster.api.send(n.Admin, call{method, path, []string{"Content-Type", "application/json"}, body})
	return want(got, err, status, out)
}

// send makes one call of the API for a device, with its token if no other
// headers are given.
func (a *app) send(operation, method, path string, d *device, status int, out any, headers ...string) error {
	if headers == nil {
		headers = []string{"AD-Service-Token", d.token}
	}
	headers = append(headers, "Authorization", "Bearer "+a.token, "AP-Device-Identifier", "fingerprint "+d.id)
	return a.call(operation, call{method: method, path: "/api/" + a.realm + path, headers: headers}, status, out)
}

// mint makes the device a member of the viewer's profile.
func (a *app) mint(d *device, viewer string) error { return a.enter("mint", d, "X-SSO-ID", viewer) }

// redeem makes the device a member of the profile that the link code is of.
func (a *app) redeem(d *device, code string) error { return a.enter("redeem", d, "X-SSO-LINK", code) }

func (a *app) enter(operation string, d *device, header, value string) error {
	var out struct{ ServiceToken string }
	if err := a.send(operation, "POST", "/serviceToken", d, http.StatusCreated, &out, header, value); err != nil {
		return err
	}
	a.load.secrets.mark(out.ServiceToken)
	return d.take(out.ServiceToken)
}

// refresh renews the device's token.
func (a *app) refresh(d *device) error {
	var out struct{ ServiceToken string }
	if err := a.send("refresh", "GET", "/serviceToken", d, http.StatusOK, &out); err != nil {
		return err
	}
	a.load.secrets.mark(out.ServiceToken)
	return d.take(out.ServiceToken)
}

// link makes a link code on the device.
func (a *app) link(d *device) (string, error) {
	var out struct{ Code string }
	err := a.send("link", "POST", "/link", d, http.StatusCreated, &out)
	a.load.secrets.mark(out.Code)
	return out.Code, err
}

// list returns the ids of the members that the device sees.
func (a *app) list(d *device) (map[string]json.RawMessage, error) {
	var out struct{ Devices map[string]json.RawMessage }
	err := a.send("list", "GET", "/list", d, http.StatusOK, &out)
	return out.Devices, err
}

// unlink lets d remove another device; it returns how many were removed.
func (a *app) unlink(d *device, id string) (int, error) {
	body, err := json.Marshal(map[string][]string{"devices": {id}})
	if err != nil {
		return 0, err
	}
	headers := []string{
		"Authorization", "Bearer " + a.token, "AP-Device-Identifier", "fingerprint " + d.id,
		"AD-Service-Token", d.token, "Content-Type", "application/json",
	}
	var out struct{ UnlinkedDevices []string }
	err = a.call("unlink", call{"POST", "/api/" + a.realm + "/unlink", headers, body}, http.StatusOK, &out)
	return len(out.UnlinkedDevices), err
}
