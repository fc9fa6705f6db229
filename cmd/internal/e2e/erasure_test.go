package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// eraseMark stands in everything that a marked viewer and its devices say.
const eraseMark = "forget-me-4711"

// TestErasedViewersAreInNoFile: after an erasure, no file of any node has anything
// that a viewer or one of its devices ever said, and nobody else has lost anything.
func TestErasedViewersAreInNoFile(t *testing.T) {
	t.Parallel()
	c := startTrio(t, "publicURL: "+publicURL+"\n"+secretsConfig)
	c.balanced()
	a := c.mustApp("one")
	phone, stays := c.household(a, eraseMark), c.household(a, "somebody else")
	if found := c.files(eraseMark); len(found) < 3 {
		t.Fatalf("the mark is in %v only: the test proves nothing", found)
	}
	c.erase("/admin/v1/profile", url.Values{"realm": {"one"}, "subject": {eraseMark + " viewer"}})
	if found := c.files(eraseMark); len(found) > 0 {
		t.Errorf("the viewer was erased, and is still in %v", found)
	}
	if answer, err := a.send(t.Context(), "GET", "list", phone, nil); err != nil || answer.Status != http.StatusBadRequest {
		t.Errorf("the erased phone: %d %s %v, want 400", answer.Status, answer.Body, err)
	}
	if devices, err := a.list(t.Context(), stays); err != nil || len(devices) != 2 {
		t.Errorf("another viewer: %d devices, %v, want 2", len(devices), err)
	}
	c.erase("/admin/v1/device", url.Values{"realm": {"one"}, "device": {stays.id}})
	if found := c.files("somebody else phone"); len(found) > 0 {
		t.Errorf("the device was erased, and is still in %v", found)
	}
	if found := c.files("somebody else tv"); len(found) == 0 {
		t.Error("the other device of the household is gone too")
	}
	c.erase("/admin/v1/profile", url.Values{"realm": {"one"}, "subject": {"nobody"}})
}

// household makes a viewer with a phone and a tv, which came with a link code,
// logins and sessions, all of it marked, and returns the phone.
func (c *trio) household(a *app, mark string) (phone *device) {
	c.Helper()
	ctx := c.Context()
	info, err := json.Marshal(map[string]string{"model": mark + " model", "primaryHardwareType": "TV", "osName": "Tizen"})
	must(c, err)
	phone, tv := newDevice(mark+" phone"), newDevice(mark+" tv")
	phone.info = base64.StdEncoding.EncodeToString(info)
	tv.info = phone.info
	must(c, a.mint(ctx, phone, mark+" viewer"))
	code, err := a.link(ctx, phone)
	must(c, err)
	must(c, a.redeem(ctx, tv, code))
	_, err = a.link(ctx, phone) // one that nobody uses
	must(c, err)
	_, err = a.logIn(ctx, phone, "AcmeTV", "ada", "AD-Service-Token", phone.token, "User-Agent", mark+" agent")
	must(c, err)
	_, err = a.logIn(ctx, tv, "AcmeTV", "ada", "User-Agent", mark+" agent") // not shared
	must(c, err)
	_, err = a.begin(ctx, tv, whole("AcmeTV"), "User-Agent", mark+" agent") // under way
	must(c, err)
	for _, d := range []*device{phone, tv} { // without a login
		answer, err := a.v2(ctx, "POST", "decisions/authorize/trial", d, `{"resources":["`+mark+` film"]}`)
		must(c, want(answer, err, http.StatusOK, nil))
	}
	return phone
}

// erase asks any node to erase, until it has.
func (c *trio) erase(path string, query url.Values) {
	c.Helper()
	at := c.any()
	for {
		answer, err := exchange(c.Context(), c.client, "http://"+at.Admin, call{method: "DELETE", target: path + "?" + query.Encode(), headers: jsonBody})
		if err != nil || answer.Status/100 != 2 {
			c.Fatalf("erase: %d %s %v", answer.Status, answer.Body, err)
		}
		var erased struct {
			Job string `json:"job"`
		}
		must(c, json.Unmarshal(answer.Body, &erased))
		if erased.Job == "" {
			c.Logf("erased: %s", answer.Body)
			return
		}
		query = url.Values{"job": {erased.Job}}
	}
}

// files are those of the nodes' data directories that have the mark.
func (c *trio) files(mark string) (found []string) {
	c.Helper()
	for _, n := range c.nodes {
		must(c, filepath.WalkDir(n.Data(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return ignoreGone(err)
			}
			b, err := os.ReadFile(path)
			if bytes.Contains(b, []byte(mark)) {
				found = append(found, path)
			}
			return ignoreGone(err)
		}))
	}
	return found
}

// ignoreGone: a node that runs deletes files meanwhile.
func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
