package admin_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/apidoc"
	"ssod/httpfront/page"
)

const public = "openapi: 3.1.0\ninfo: {title: What it does, version: '1'}\n"

func TestDocs(t *testing.T) {
	f := start(t, func(o *admin.Options) { o.OpenAPI = []byte(public) })
	for path, want := range map[string]struct {
		status               int
		content, has, policy string
	}{
		"/docs":             {200, page.ContentType, "<!doctype html>", apidoc.Policy},
		"/docs/reference":   {200, page.ContentType, "curl -sS", apidoc.Policy},
		"/docs/search.json": {200, "application/json", "/docs/reference#", ""},
		"/docs/admin.json":  {200, "application/json", "/docs/admin#", ""},
		"/docs/admin":       {200, page.ContentType, "curl -sS", apidoc.Policy},
		"/docs/nothing":     {404, "text/plain; charset=utf-8", "not found", ""},
		"/openapi.yaml":     {200, "application/yaml", public, ""},
	} {
		response, err := http.Get(f.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		got := response.Header
		if err != nil || response.StatusCode != want.status || got.Get("Content-Type") != want.content ||
			got.Get("Content-Security-Policy") != want.policy || !strings.Contains(string(body), want.has) {
			t.Errorf("%s: got %d %v, %v", path, response.StatusCode, got, err)
		}
	}
}
