package apidoc_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"ssod/httpfront"
	"ssod/httpfront/apidoc"
	"ssod/httpfront/fronttest/browsertest"
	"ssod/httpfront/page"
)

func render(t *testing.T) string {
	t.Helper()
	html, err := apidoc.Render(httpfront.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

// TestEveryOperationIsThere: what another reader of OpenAPI finds in our
// document is on the page.
func TestEveryOperationIsThere(t *testing.T) {
	html := render(t)
	doc, err := openapi3.NewLoader().LoadFromData(httpfront.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for _, want := range []string{`<section id="` + operation.OperationID + `"`, "<code>" + method + " " + path + "</code>"} {
				if !strings.Contains(html, want) {
					t.Errorf("the page does not have %q", want)
				}
			}
		}
	}
	for name := range doc.Components.Schemas {
		if !strings.Contains(html, `<section id="schema-`+name+`"`) {
			t.Errorf("the page does not have the schema %s", name)
		}
	}
}

// TestLinksLeadSomewhere: also that nothing is loaded from anywhere.
func TestLinksLeadSomewhere(t *testing.T) {
	html := render(t)
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if ids[m[1]] {
			t.Errorf("the id %s is there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if target, inside := strings.CutPrefix(m[1], "#"); m[1] != "/openapi.yaml" && (!inside || !ids[target]) {
			t.Errorf("a link to %q", m[1])
		}
	}
}

const small = `
openapi: 3.1.0
info: {title: Small <b>, version: "7", description: "One ` + "`x<y`" + ` two.\n\n* first\n* second\n  line\n\nThree"}
tags: [{name: Tag}]
security: [{token: []}]
paths:
  /a/{id}:
    parameters: [{$ref: '#/components/parameters/ID'}]
    post:
      tags: [Tag]
      operationId: act
      summary: Acts
      requestBody:
        content:
          application/json:
            schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}
            examples: {one: {summary: Just one, value: [{b: "2 < 3", a: 1, c: {}, d: [true, null]}]}}
          text/plain:
            examples: {plain: {value: as it is}}
      responses:
        '200':
          description: Done
          headers: {X-Trace: {$ref: '#/components/headers/Trace'}}
        default: {$ref: '#/components/responses/Bad'}
components:
  parameters: {ID: {name: id, in: path, required: true, schema: {type: string, pattern: '^<+$'}}}
  headers: {Trace: {description: Names it}}
  responses: {Bad: {description: Went wrong}}
  schemas:
    Thing:
      type: object
      required: [kind]
      properties:
        kind: {type: string, enum: [x, y], description: What it is}
        more: {type: object, additionalProperties: {type: [string, 'null'], format: uri}}
        open: {type: string, x-extensible-enum: [a, b]}
`

func TestRender(t *testing.T) {
	page, err := apidoc.Render([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	html := string(page)
	for _, want := range []string{
		"<h1>Small &lt;b&gt;</h1>", "Version 7", "<p>One <code>x&lt;y</code> two.</p><ul><li>first</li><li>second\n  line</li></ul><p>Three</p>",
		"<code>POST /a/{id}</code>", "Needs an access token", "path, string like <code>^&lt;+$</code>, required",
		`array of <a href="#schema-Thing">Thing</a>`, "Just one",
		"<pre>[\n  {\n    &#34;b&#34;: &#34;2 &lt; 3&#34;,\n    &#34;a&#34;: 1,\n    &#34;c&#34;: {},\n    &#34;d&#34;: [\n      true,\n      null\n    ]\n  }\n]</pre>",
		"<pre>as it is</pre>", "Names it", "Went wrong", "string: x, y, required", "object with values string or null uri", "string, today one of a, b",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for name, text := range map[string]string{
		"not YAML":          "a: [",
		"paths are a list":  "paths: []",
		"dangling":          strings.Replace(small, "#/components/responses/Bad", "#/components/responses/None", 1),
		"dangling schema":   strings.Replace(small, "#/components/schemas/Thing", "#/components/schemas/None", 1),
		"reference outside": strings.Replace(small, "#/components/parameters/ID", "https://example.com/ID", 1),
	} {
		if _, err := apidoc.Render([]byte(text)); err == nil {
			t.Errorf("%s: a page was made", name)
		}
	}
}

func TestThePageInABrowser(t *testing.T) {
	b, html := browsertest.Start(t), render(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", page.ContentType)
		w.Header().Set("Content-Security-Policy", page.Policy)
		_, _ = w.Write([]byte(html))
	}))
	t.Cleanup(server.Close)
	b.Open(server.URL)
	b.Screenshot("docs-wide")
	b.Resize(320)
	if n := b.Overhang(); n > 0 {
		t.Errorf("%d pixels too wide for 320", n)
	}
	b.Screenshot("docs-narrow")
	b.Find("Tab", "GET /api/{serviceProvider}/list")
	b.Press("Enter")
	if got := b.Location(); !strings.HasSuffix(got, "#listDevices") {
		t.Errorf("the link leads to %s", got)
	}
	for _, c := range b.Complaints() {
		t.Error(c)
	}
	for _, v := range b.Violations() {
		t.Error(v)
	}
}
