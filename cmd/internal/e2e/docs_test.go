package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"ssod/httpfront/api/apidoc"
)

// pageOf reads a page of the documentation from a listener.
func (n *node) pageOf(address, path string) string {
	n.Helper()
	response, err := http.Get("http://" + address + path)
	must(n, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(n, err)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Security-Policy") != apidoc.Policy {
		n.Fatalf("GET %s%s: %s %v", address, path, response.Status, response.Header)
	}
	return string(body)
}

// commands are the code of a page, or of a part of it.
func commands(page string) (list []string) {
	for _, m := range regexp.MustCompile(`(?s)<pre><code>(.*?)</code></pre>`).FindAllStringSubmatch(page, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

// shell runs a script of the documentation and returns what it prints.
func (n *node) shell(ctx context.Context, script string, variables ...string) string {
	n.Helper()
	cmd := exec.CommandContext(ctx, "bash", "-eu", "-c", script)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Dir = n.Dir
	out, err := cmd.Output()
	if err != nil {
		n.Fatalf("the script: %v\n%s", err, script)
	}
	return string(out)
}

// TestTheStartPageRedeemsACode: what /docs says runs as it stands, but for the
// ports, on the built-in configuration.
func TestTheStartPageRedeemsACode(t *testing.T) {
	t.Parallel()
	n := startNode(t, "", "--config", "")
	n.prints(commands(n.pageOf(n.HTTP, "/docs")), []string{
		`^type this on the TV: [0-9]{6}$`,
		`^\{"devices":\{"cGhvbmUtMQ==":\{.*"type":"regular"\},"dHYtMQ==":\{.*"type":"sso"\}\}\}$`,
		`^\{"status":"OK","unlinkedDevices":\["dHYtMQ=="\]\}$`,
		`"code":"token_invalid"`,
	})
}

// TestTheDemosProviderLogsAViewerIn: with what the page about the entitlement API says,
// and what the start page has set before.
func TestTheDemosProviderLogsAViewerIn(t *testing.T) {
	t.Parallel()
	n := startNode(t, "", "--config", "")
	start, _, ok := strings.Cut(n.pageOf(n.HTTP, "/docs"), `<h2 id="3-`)
	_, section, found := strings.Cut(n.pageOf(n.HTTP, "/docs/entitlement"), `<h2 id="log-in-at-the-demos-provider"`)
	if !ok || !found {
		t.Fatal("a section of the pages is gone")
	}
	section, _, _ = strings.Cut(section, "<h2")
	n.prints(append(commands(start), commands(section)...), []string{
		`^https://demo\.example/done$`,
		`^\{"profiles":\{"sandbox":.*"sandbox-ada"`,
		`"authorized":true`,
	})
}

// prints runs what a page says on a node, and compares each line with a pattern.
func (n *node) prints(script, want []string) {
	n.Helper()
	ports := strings.NewReplacer("127.0.0.1:8080", n.HTTP, "127.0.0.1:8081", n.Admin)
	lines := strings.Split(strings.TrimSpace(n.shell(n.Context(), ports.Replace(strings.Join(script, "\n")))), "\n")
	if len(lines) != len(want) {
		n.Fatalf("the page printed %d lines, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, w := range want {
		if !regexp.MustCompile(w).MatchString(lines[i]) {
			n.Errorf("line %d: got %q, want a match of %q", i+1, lines[i], w)
		}
	}
}

// reader has a page with a command for each operation open, and a shell with
// variables.
type reader struct {
	*node
	pages     []string
	variables map[string]string
}

// runs runs the command of an operation, the first whose caption has a word, and
// returns a member of the answer.
func (r *reader) runs(operation, word, member string) string {
	r.Helper()
	answer := map[string]any{}
	if err := json.Unmarshal([]byte(r.shell(r.Context(), r.command(operation, word), r.environment()...)), &answer); err != nil {
		r.Fatalf("%s: %v", operation, err)
	}
	if answer[member] == nil {
		r.Fatalf("%s: the answer has no %s: %v", operation, member, answer)
	}
	return fmt.Sprint(answer[member])
}

func (r *reader) command(operation, word string) string {
	r.Helper()
	for _, page := range r.pages {
		_, section, ok := strings.Cut(page, `<section id="`+operation+`"`)
		if !ok {
			continue
		}
		section, _, _ = strings.Cut(section, "</section>")
		_, section, ok = strings.Cut(section, word+"</figcaption>")
		if found := commands(section); ok && len(found) > 0 {
			return found[0]
		}
	}
	r.Fatalf("no command of %s with %q", operation, word)
	return ""
}

func (r *reader) environment() (list []string) {
	for name, value := range r.variables {
		list = append(list, name+"="+value)
	}
	return list
}

// unthrottled is the demo's realm, for a reader who is faster than people are.
const unthrottled = `
throttle: {enabled: false}
realms:
  - id: demo
    serviceProviders: [{id: demo, domains: [demo.example]}]
    mvpds: [{id: sandbox, kind: sandbox, allowPublic: true}]
`

// TestTheCommandsOfTheReference: from a software statement to a list of devices
// with the command of each operation.
func TestTheCommandsOfTheReference(t *testing.T) {
	t.Parallel()
	n := startNode(t, unthrottled)
	r := &reader{node: n, pages: []string{n.pageOf(n.HTTP, "/docs/reference"), n.pageOf(n.Admin, "/docs/admin")}}
	const phone, tv = "fingerprint cGhvbmUtMQ==", "fingerprint dHYtMQ=="
	v := map[string]string{
		"HOST": "http://" + n.HTTP, "ADMIN": "http://" + n.Admin, "ADMIN_TOKEN": "any",
		"SERVICE_PROVIDER": "demo", "REALM": "demo", "MVPD": "sandbox", "DEVICE": phone, "SUBJECT": "7f3a2c9e-viewer",
	}
	r.variables = v
	v["STATEMENT"] = r.runs("createSoftwareStatement", "curl", "softwareStatement")
	credentials := r.shell(t.Context(), r.command("registerClient", "curl"), r.environment()...)
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	must(t, json.Unmarshal([]byte(credentials), &client))
	v["CLIENT_ID"], v["CLIENT_SECRET"] = client.ID, client.Secret
	v["TOKEN"] = r.runs("createAccessToken", "curl", "access_token")
	v["SERVICE_TOKEN"] = r.runs("createServiceToken", "X-SSO-ID", "serviceToken")
	v["CODE"] = r.runs("createLinkCode", "curl", "code")
	v["DEVICE"] = tv
	v["SERVICE_TOKEN"] = r.runs("createServiceToken", "X-SSO-LINK", "serviceToken")
	if devices := r.runs("listDevices", "curl", "devices"); !strings.Contains(devices, "cGhvbmUtMQ==") || !strings.Contains(devices, "dHYtMQ==") {
		t.Errorf("the list has %s", devices)
	}
	v["SERVICE_TOKEN"] = r.runs("refreshServiceToken", "curl", "serviceToken")
	v["AUTHENTICATION_CODE"] = r.runs("createSession", "curl", "code")
	r.runs("readSession", "curl", "device")
	r.runs("listProfiles", "curl", "profiles")
	r.runs("readConfiguration", "curl", "requestor")
	if unlinked := r.runs("unlinkDevices", "curl", "unlinkedDevices"); unlinked != "[dHYtMQ==]" {
		t.Errorf("unlinked %s", unlinked)
	}
	r.runs("eraseProfile", "curl", "profiles")
}

// TestTheDocsCanBeSwitchedOff, on the public listener.
func TestTheDocsCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	n := startNode(t, "docs: false\nrealms: [{id: demo, serviceProviders: [demo]}]\n")
	for address, want := range map[string]int{n.HTTP + "/docs": 404, n.HTTP + "/docs/tv": 404, n.HTTP + "/openapi.yaml": 200, n.Admin + "/docs": 200} {
		response, err := http.Get("http://" + address)
		must(t, err)
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("GET %s: %s, want %d", address, response.Status, want)
		}
	}
}
