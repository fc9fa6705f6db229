package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront"
	"ssod/httpfront/api/admin"
)

// TestGeneratedClients makes clients from the OpenAPI document with the generators
// that people use, in the versions of testdata/generated, and plays with each: mint,
// link, redeem, list, unlink, and a call with the token of the device that is no
// member any more. What it answers has values and fields that the document does not
// know: clients outlive the day when there are such.
func TestGeneratedClients(t *testing.T) {
	if !ssodtest.Long() {
		t.Skip("fetches and builds generators; SSOD_LONG=1 runs it")
	}
	t.Parallel()
	n := startNode(t, "throttle: {enabled: false}\nrealms: [{id: acme, serviceProviders: [tv]}]\n")
	signed, _, err := n.newStatement(t.Context(), statementRequest{ClientName: "generated", ServiceProviders: []string{"tv"}})
	must(t, err)
	g := generators{TB: t, dir: t.TempDir(), url: tomorrow(t, n.at().HTTP), statement: signed}
	must(t, os.CopyFS(g.dir, os.DirFS("testdata/generated")))
	for _, api := range apis {
		must(t, os.WriteFile(g.document(api.name), api.document, 0o600))
	}
	t.Run("Go", func(t *testing.T) { g.in(t).goClients() })
	t.Run("TypeScript", func(t *testing.T) {
		if _, err := exec.LookPath("npm"); err != nil {
			t.Skip("needs npm")
		}
		g.in(t).typeScriptClients()
	})
}

// tomorrow stands before a node and makes its answers those of a later version.
func tomorrow(t *testing.T, address string) string {
	later := strings.NewReplacer(`"code":"token_invalid"`, `"code":"code_of_tomorrow"`, `"type":"sso"`, `"type":"kind_of_tomorrow"`,
		`"trace":`, `"field":{"of":["tomorrow"]},"trace":`)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		changed := later.Replace(strings.Replace(string(body), "{", `{"fieldOfTomorrow":[1],`, 1))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		r.Header.Del("Content-Length")
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// generators make clients in a directory.
type generators struct {
	testing.TB
	dir, url, statement string
}

// in is g in a part of the test.
func (g generators) in(t *testing.T) *generators {
	g.TB = t
	return &g
}

// apis are what clients are made of. Those of the admin API compile and do not play.
var apis = []struct {
	name     string
	document []byte
}{{"api", httpfront.OpenAPI()}, {"admin", admin.OpenAPI()}}

func (g *generators) document(api string) string { return filepath.Join(g.dir, api+".yaml") }

// run runs a program in a directory below that of the generators.
func (g *generators) run(in string, env []string, program string, args ...string) string {
	g.Helper()
	var said, problems bytes.Buffer
	c := exec.CommandContext(g.Context(), program, args...)
	c.Dir, c.Stdout, c.Stderr = filepath.Join(g.dir, in), &said, &problems
	c.Env = append(c.Environ(), append([]string{"CGO_ENABLED=0", "GOWORK=off", "GOFLAGS="}, env...)...)
	if err := c.Run(); err != nil {
		g.Fatalf("%s %s: %v\n%s\n%s", program, args[0], err, ssodtest.Tail(said.String()), ssodtest.Tail(problems.String()))
	}
	return said.String()
}

// plays runs a client and reads what it has seen.
func (g *generators) plays(name, in, program string, args ...string) {
	g.Helper()
	const want = "2 kind_of_tomorrow [cGhvbmU=] code_of_tomorrow\n"
	got := g.run(in, nil, program, append(args, g.url, g.statement, name)...)
	if got = strings.ReplaceAll(got, "'", ""); got != want {
		g.Errorf("%s: saw %q, want %q", name, got, want)
	}
}

func (g *generators) goClients() {
	for _, api := range apis {
		to := filepath.Join("oapicodegen", api.name)
		must(g, os.Mkdir(filepath.Join(g.dir, to), 0o700))
		g.run("", nil, "go", "tool", "oapi-codegen", "-generate", "types,client", "-package", api.name, "-o", filepath.Join(to, "client.go"), g.document(api.name))
		g.run("", nil, "go", "tool", "ogen", "--package", api.name, "--target", "ogen/"+api.name, "--clean", g.document(api.name))
	}
	g.run("", nil, "go", "build", "./...")
	for _, name := range []string{"oapicodegen", "ogen"} {
		g.run("", nil, "go", "build", "-o", name+"/client", "./"+name)
		g.plays(name, "", "./"+name+"/client")
	}
	// Milliseconds do not fit into an int of 32 bits.
	g.run("", []string{"GOARCH=386"}, "go", "build", "-o", "oapicodegen/client386", "./oapicodegen")
	if runtime.GOARCH == "amd64" {
		g.plays("oapicodegen for 386", "", "./oapicodegen/client386")
	}
}

func (g *generators) typeScriptClients() {
	const in = "typescript"
	g.run(in, nil, "npm", "ci", "--silent", "--ignore-scripts")
	for _, api := range apis {
		g.run(in, nil, "npx", "openapi-typescript", g.document(api.name), "-o", "openapi-typescript/"+api.name+".ts")
		g.run(in, nil, "npx", "openapi-ts", "-i", g.document(api.name), "-o", "heyapi/"+api.name, "-c", "@hey-api/client-fetch")
	}
	g.run(in, nil, "npx", "tsc", "-p", ".")
	for _, name := range []string{"openapi-fetch", "heyapi"} {
		g.plays(name, in, "node", "out/play-"+name+".js")
	}
}
