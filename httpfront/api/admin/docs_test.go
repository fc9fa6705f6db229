package admin_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/page"
)

const public = "openapi: 3.1.0\ninfo: {title: What it does, version: '1'}\n"

func TestDocs(t *testing.T) {
	f := start(t, func(o *admin.Options) { o.OpenAPI = []byte(public) })
	for path, want := range map[string]struct{ content, has, policy string }{
		"/docs":         {page.ContentType, "<h1>What it does</h1>", page.Policy},
		"/openapi.yaml": {"application/yaml", public, ""},
	} {
		response, err := http.Get(f.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		got := response.Header
		if err != nil || response.StatusCode != 200 || got.Get("Content-Type") != want.content ||
			got.Get("Content-Security-Policy") != want.policy || !strings.Contains(string(body), want.has) {
			t.Errorf("%s: got %d %v %q, %v", path, response.StatusCode, got, body, err)
		}
	}
}

func TestStartRefusesADocumentThatIsNone(t *testing.T) {
	o := admin.Options{Address: "127.0.0.1:0", OpenAPI: []byte("paths: []"), Log: slog.New(slog.DiscardHandler)}
	if _, err := admin.Start(o); err == nil {
		t.Error("a server was started")
	}
}
