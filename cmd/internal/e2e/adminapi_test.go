package e2e

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/fronttest/openapitest"
)

// TestTheAdminListenerAnswersAsDocumented: what a process answers, where the tests of
// package admin have doubles behind the API.
func TestTheAdminListenerAnswersAsDocumented(t *testing.T) {
	t.Parallel()
	n := startNode(t, "throttle: {enabled: false}\nrealms: [{id: acme, serviceProviders: [tv], mvpds: [{id: trial, kind: temppass, ttl: 1h}]}]\n")
	a := n.mustApp("tv")
	d := newDevice("phone")
	must(t, a.mint(t.Context(), d, "viewer"))
	_, err := a.link(t.Context(), d)
	must(t, err)
	doc, err := openapitest.Parse(admin.OpenAPI())
	must(t, err)
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/", "", 200},
		{"GET", "/livez", "", 200},
		{"GET", "/readyz", "", 200},
		{"GET", "/metrics", "", 200},
		{"GET", "/docs", "", 200},
		{"GET", "/openapi.yaml", "", 200},
		{"GET", "/admin/openapi.yaml", "", 200},
		{"POST", "/debug/pprof/", "", 200},
		{"POST", "/debug/pprof/heap", "", 200},
		{"POST", "/debug/pprof/none", "", 404},
		{"GET", "/debug/pprof/heap", "", 405},
		{"GET", "/admin/v1/cluster", "", 200},
		{"POST", "/admin/v1/cluster/init", "", 409},
		{"POST", "/admin/v1/cluster/settings", `{}`, 200},
		{"POST", "/admin/v1/cluster/settings", `{"colour":"red"}`, 400},
		{"DELETE", "/admin/v1/nodes/n9", "", 404},
		{"POST", "/admin/v1/nodes/n9/drain", "", 409},
		{"POST", "/admin/v1/nodes/n9/readmit", "", 404},
		{"GET", "/admin/v1/keys", "", 200},
		{"POST", "/admin/v1/keys/rotate?use=service&overlap=0s", "", 200},
		{"POST", "/admin/v1/keys/rotate?realm=none", "", 400},
		{"DELETE", "/admin/v1/keys/none", "", 404},
		{"POST", "/admin/v1/clock/accept", "", 200},
		{"POST", "/admin/v1/clock/reset", "", 204},
		{"POST", "/admin/v1/reload", "", 200},
		{"POST", "/admin/v1/backup", `{"recipient":"nobody"}`, 400},
		{"POST", "/admin/v1/software-statements", `{"serviceProviders":["tv"]}`, 201},
		{"POST", "/admin/v1/software-statements", `{"serviceProviders":[]}`, 400},
		{"GET", "/admin/v1/profile?realm=acme&subject=viewer", "", 200},
		{"GET", "/admin/v1/profile?realm=acme&subject=nobody", "", 404},
		{"DELETE", "/admin/v1/profile?realm=acme&subject=viewer", "", 200},
		{"DELETE", "/admin/v1/device?realm=acme&device=" + d.id, "", 200},
		{"DELETE", "/admin/v1/device?job=none", "", 404},
		{"DELETE", "/admin/v1/trials?realm=acme&mvpd=trial&all=true", "", 204},
		{"DELETE", "/admin/v1/trials?realm=acme&mvpd=none&all=true", "", 400},
		{"DELETE", "/admin/v1/clients/" + a.id, "", 204},
		{"DELETE", "/admin/v1/software-statements/" + a.statement, "", 204},
		{"DELETE", "/admin/v1/software-statements/none", "", 404},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+n.at().Admin+tt.path, bytes.NewReader([]byte(tt.body)))
		must(t, err)
		if tt.body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		response, err := n.client.Do(request)
		must(t, err)
		answer, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		if response.StatusCode != tt.status {
			t.Errorf("%s %s: answered %s %s, want %d", tt.method, tt.path, response.Status, answer, tt.status)
		}
		if err := openapitest.Check(doc, request, []byte(tt.body), response, answer); err != nil {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
		}
	}
}
