package apidoc_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"ssod/httpfront"
	"ssod/httpfront/api"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/apidoc"
)

// pages are all pages of the admin listener by address, the public ones among
// them.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, directory := range []string{"public", "admin"} {
		files, err := filepath.Glob(filepath.Join(directory, "*.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".html")
			if name == "index" {
				name = ""
			}
			found[strings.TrimSuffix(apidoc.Prefix+"/"+name, "/")] = string(get(t, apidoc.Admin, name).Body)
		}
	}
	if len(found) < 5 {
		t.Fatalf("%d pages", len(found))
	}
	return found
}

func get(t *testing.T, listener func(string) *apidoc.File, name string) api.Response {
	t.Helper()
	f := listener(name)
	if f == nil {
		t.Fatalf("no page %q", name)
	}
	return f.Answer(nil, nil)
}

func TestOnlyAdminHasTheAdminAPI(t *testing.T) {
	for _, name := range []string{"admin", "admin.json", "index", "reference.html", "nothing", "site.css", ".."} {
		if apidoc.Public(name) != nil {
			t.Errorf("the public listener has %q", name)
		}
	}
	for _, name := range []string{"", "reference", "tv", "search.json", "admin.json"} {
		get(t, apidoc.Admin, name)
	}
}

// TestThePolicyNamesWhatIsInline: nothing else runs, and nothing is loaded.
func TestThePolicyNamesWhatIsInline(t *testing.T) {
	if strings.Contains(apidoc.Policy, "unsafe") || strings.Contains(apidoc.Policy, "http") || !strings.HasPrefix(apidoc.Policy, "default-src 'none';") {
		t.Errorf("policy %q", apidoc.Policy)
	}
	for address, page := range pages(t) {
		for _, element := range []string{"style", "script"} {
			found := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(page, -1)
			if len(found) != 1 {
				t.Fatalf("%s: %d elements %s, want 1", address, len(found), element)
			}
			sum := sha256.Sum256([]byte(found[0][1]))
			if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(apidoc.Policy, want) {
				t.Errorf("%s: the policy %q does not have %q", address, apidoc.Policy, want)
			}
		}
		if found := regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed|base)[ >][^>]*|@import|url\(| (style|src|on[a-z]+)=`).FindAllString(page, -1); len(found) != 1 {
			t.Errorf("%s has %q, want one script", address, found)
		}
	}
}

var (
	ids   = regexp.MustCompile(` id="([^"]*)"`)
	links = regexp.MustCompile(` href="([^"]*)"`)
)

// anchors are the places of each page that a link can lead to.
func anchors(t *testing.T, pages map[string]string) map[string]bool {
	t.Helper()
	places := map[string]bool{"/openapi.yaml": true, "/admin/openapi.yaml": true}
	for address, page := range pages {
		places[address] = true
		for _, m := range ids.FindAllStringSubmatch(page, -1) {
			place := address + "#" + m[1]
			if places[place] {
				t.Errorf("%s is there twice", place)
			}
			places[place] = true
		}
	}
	return places
}

func TestLinksLeadSomewhere(t *testing.T) {
	pages := pages(t)
	places := anchors(t, pages)
	for address, page := range pages {
		for _, m := range links.FindAllStringSubmatch(page, -1) {
			target := html.UnescapeString(m[1])
			if strings.HasPrefix(target, "#") {
				target = address + target
			}
			if u, err := url.Parse(target); err != nil || u.Scheme != "https" && !places[target] {
				t.Errorf("%s: a link to %q", address, m[1])
			}
		}
	}
	for _, name := range []string{"search.json", "admin.json"} {
		for _, h := range index(t, name) {
			if !places[h.Address] {
				t.Errorf("%s: an entry for %q", name, h.Address)
			}
		}
	}
}

type hit struct {
	Address string `json:"u"`
	Title   string `json:"t"`
	Text    string `json:"x"`
}

func index(t *testing.T, name string) (hits []hit) {
	t.Helper()
	if err := json.Unmarshal(get(t, apidoc.Admin, name).Body, &hits); err != nil {
		t.Fatal(err)
	}
	return hits
}

// TestEveryOperationIsThere: what another reader of OpenAPI finds in our
// documents is on the pages, with a command, and in the index of the search.
func TestEveryOperationIsThere(t *testing.T) {
	for name, of := range map[string]struct {
		document []byte
		index    string
	}{
		"reference": {httpfront.OpenAPI(), "search.json"},
		"admin":     {admin.OpenAPI(), "admin.json"},
	} {
		doc, err := openapi3.NewLoader().LoadFromData(of.document)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, h := range index(t, of.index) {
			found[h.Address] = true
		}
		page := string(get(t, apidoc.Admin, name).Body)
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				checkOperation(t, page, method, path, operation.OperationID)
				if !found["/docs/"+name+"#"+operation.OperationID] {
					t.Errorf("%s is not found", operation.OperationID)
				}
			}
		}
		for schema := range doc.Components.Schemas {
			if !strings.Contains(page, `<section id="schema-`+schema+`"`) {
				t.Errorf("the page does not have the schema %s", schema)
			}
		}
	}
}

func checkOperation(t *testing.T, page, method, path, id string) {
	t.Helper()
	_, section, ok := strings.Cut(page, `<section id="`+id+`"`)
	section, _, _ = strings.Cut(section, "</section>")
	if !ok || !strings.Contains(section, `<strong class="method">`+method+"</strong> <code>"+path+"</code>") {
		t.Errorf("the page does not have %s %s", method, path)
	}
	if !strings.Contains(section, "<pre><code>curl -sS ") {
		t.Errorf("%s has no curl", id)
	}
}

// TestPagesAreSmall: uncompressed they fit what a proxy keeps in memory.
func TestPagesAreSmall(t *testing.T) {
	for address, page := range pages(t) {
		if len(page) > 1<<20 {
			t.Errorf("%s has %d bytes", address, len(page))
		}
	}
}

func TestAnswer(t *testing.T) {
	f := apidoc.Public("reference")
	plain := f.Answer(nil, nil)
	if plain.Status != 200 || plain.ContentType != "text/html; charset=utf-8" || plain.CacheControl != "public, max-age=300" ||
		field(plain, "Content-Security-Policy") != apidoc.Policy || field(plain, "Vary") != "Accept-Encoding" || field(plain, "Content-Encoding") != "" {
		t.Errorf("got %d %+v", plain.Status, plain.Fields)
	}
	zipped := f.Answer([]byte("br, gzip;q=0.8"), nil)
	if field(zipped, "Content-Encoding") != "gzip" || !bytes.Equal(unzip(t, zipped.Body), plain.Body) {
		t.Errorf("compressed: %+v", zipped.Fields)
	}
	if len(zipped.Body) > len(plain.Body)/4 {
		t.Errorf("%d bytes of %d", len(zipped.Body), len(plain.Body))
	}
	if refused := f.Answer([]byte("br, gzip;q=0"), nil); field(refused, "Content-Encoding") != "" {
		t.Error("compressed for a client that does not want it")
	}
	again := f.Answer([]byte("gzip"), []byte(`"x", `+field(zipped, "ETag")))
	if again.Status != 304 || len(again.Body) != 0 || field(again, "ETag") != field(plain, "ETag") {
		t.Errorf("asked again: %d with %d bytes", again.Status, len(again.Body))
	}
	if other := f.Answer(nil, []byte(`W/"other"`)); other.Status != 200 {
		t.Errorf("another version: %d", other.Status)
	}
	if data := get(t, apidoc.Public, "search.json"); data.ContentType != "application/json" || field(data, "Content-Security-Policy") != "" {
		t.Errorf("the index: %+v", data)
	}
}

func field(r api.Response, name string) string {
	for _, f := range r.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func unzip(t *testing.T, body []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
