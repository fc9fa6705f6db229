package render_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ssod/httpfront/api/apidoc/render"
)

const small = `
openapi: 3.1.0
info: {title: Small <b>, version: "7", description: "One ` + "`x<y`" + ` two.\n\n* first\n* second\n  [line](docs/errors.md#a-heading)\n\nThree"}
tags: [{name: Tag, description: About it}, {name: Empty}]
security: [{token: []}]
paths:
  /a/{someId}:
    parameters: [{$ref: '#/components/parameters/ID'}]
    post:
      tags: [Tag]
      operationId: act
      summary: Acts
      x-polling-interval-seconds: 3
      parameters:
        - {name: AP-Device-Identifier, in: header, required: true, schema: {type: string}}
        - {name: AD-Service-Token, in: header, schema: {type: string}}
        - {name: X-Needed, in: header, required: true, example: so, schema: {type: string}}
        - {name: X-Left-Out, in: header, schema: {type: string}}
        - {name: state, in: query, required: true, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}
            examples: {one: {summary: Just one, value: [{b: "2 < 3", a: 1, c: {}, d: [true, "it's"]}]}}
          text/plain:
            examples: {plain: {value: as it is}}
      responses:
        '200':
          description: Done
          headers: {X-Trace: {$ref: '#/components/headers/Trace'}, X-Same: {$ref: '#/components/headers/NoStore'}}
        '400':
          description: Wrong
          content:
            application/json:
              examples:
                nested: {summary: When nested, value: {status: BAD_REQUEST, error: {status: 400, code: nested_code, action: none}}}
                flat: {summary: When flat, value: {status: 400, code: flat_code, action: retry}}
                oauth: {summary: When oauth, value: {error: oauth_code}}
        default: {$ref: '#/components/responses/Bad'}
    get:
      tags: [Tag]
      operationId: look
      summary: Looks
      security: []
      parameters:
        - {name: X-SSO-ID, in: header, example: somebody, schema: {type: string}}
        - {name: X-SSO-LINK, in: header, schema: {type: string}}
      responses: {}
  /o/form:
    post:
      tags: [Tag]
      operationId: submit
      summary: Submits
      security: []
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {inner: {type: string, description: Has no schema of its own}}}
            example: {client_id: abc, url: 'https://a.example/b', plain: c}
      responses: {}
  /api/v2/{code}:
    get:
      tags: [Tag]
      operationId: follow
      summary: Follows
      security: []
      parameters: [{name: code, in: path, required: true, schema: {type: string}}]
      responses: {}
  /o/json:
    put:
      tags: [Tag]
      operationId: replace
      summary: Replaces
      security: []
      requestBody:
        content:
          application/json:
            example: {software_statement: a.b.c}
      responses: {}
components:
  parameters: {ID: {name: someId, in: path, required: true, schema: {type: string, pattern: '^<+$'}}}
  headers: {Trace: {description: Names it}, NoStore: {description: Is everywhere}}
  responses: {Bad: {description: Went wrong}}
  schemas:
    Thing:
      type: object
      required: [kind]
      properties:
        kind: {type: string, enum: [x, y], description: What it is}
        open: {type: string, x-extensible-enum: [p, q]}
        more: {type: object, additionalProperties: {type: [string, 'null'], format: uri}}
        either: {oneOf: [{type: integer, format: int64}, {$ref: '#/components/schemas/Thing'}]}
`

var markdown = map[string][]byte{
	"errors.md": []byte("# Errors\n\n## A heading\n\nSee [there](start.md#here), [away](../../README.md#x), [it](../openapi.yaml#act).\n\n| a | b |\n|---|---|\n| `c` | d |\n"),
	"start.md":  []byte("# Start\n\n## Here\n\n```sh\ncurl <a> \"$b\"\n```\n\n## Here\n\n[outside](https://a.example/), [same](#here-1), <b>no HTML</b>\n"),
	"README.md": []byte("# All of it\n\nText [start.md](start.md)\n"),
}

func site(t *testing.T) (public, admin render.Files) {
	t.Helper()
	public, admin, err := render.Site(render.Sources{Public: []byte(small), Admin: []byte(small), Markdown: markdown})
	if err != nil {
		t.Fatal(err)
	}
	return public, admin
}

func has(t *testing.T, files render.Files, name string, wanted ...string) {
	t.Helper()
	html := string(files[name])
	for _, want := range wanted {
		if !strings.Contains(html, want) {
			t.Errorf("%s does not have %q", name, want)
		}
	}
}

func TestReference(t *testing.T) {
	public, admin := site(t)
	has(t, public, "reference.html",
		"<h1>Small &lt;b&gt;</h1>", "Version 7", "<code>x&lt;y</code>", "<li>first</li>",
		`<a href="/docs/errors#a-heading">line</a>`,
		`<section id="act"`, `<strong class="method">POST</strong> <code>/a/{someId}</code>`, "with an access token", "polled at most once in 3 s",
		"path, string like <code>^&lt;+$</code>, <strong>required</strong>",
		`array of <a href="#schema-Thing">Thing</a>`, "Just one",
		"<pre><code>[\n  {\n    &#34;b&#34;: &#34;2 &lt; 3&#34;,\n    &#34;a&#34;: 1,\n    &#34;c&#34;: {},\n    &#34;d&#34;: [\n      true,\n      &#34;it&#39;s&#34;\n    ]\n  }\n]</code></pre>",
		"<pre><code>as it is</code></pre>", "Names it", "Went wrong",
		`<dt><code>inner</code> <span class="quiet">string</span></dt>`, "Has no schema of its own",
		"string: x, y, <strong>required</strong>", "string: p, q and others to come", "object with values string or null uri", "integer int64 or <a",
		`<td data-label="code"><code>nested_code</code></td><td data-label="when">When nested</td><td data-label="action"><code>none</code></td>`,
		`<code>flat_code</code></td><td data-label="when">When flat</td><td data-label="action"><code>retry</code></td>`,
		`<code>oauth_code</code></td><td data-label="when">When oauth</td><td data-label="action"></td>`,
	)
	if strings.Contains(string(public["reference.html"]), "Empty") {
		t.Error("a tag without operations is there")
	}
	if strings.Contains(string(public["reference.html"]), "X-Same") {
		t.Error("a header that every answer has is repeated")
	}
	has(t, admin, "admin.html", `<section id="act"`, "$ADMIN/a/$SOME_ID", "$ADMIN_TOKEN", `href="/docs/admin" aria-current="page"`)
}

func TestCurls(t *testing.T) {
	public, _ := site(t)
	has(t, public, "reference.html", escaped(`curl -sS -X POST "$HOST/a/$SOME_ID?state=$STATE" \
  -H "Authorization: Bearer $TOKEN" \
  -H "AP-Device-Identifier: $DEVICE" \
  -H "AD-Service-Token: $SERVICE_TOKEN" \
  -H "X-Needed: so" \
  -H 'Content-Type: application/json' \
  -d '[{"b":"2 < 3","a":1,"c":{},"d":[true,"it'\''s"]}]'</code>`),
		escaped(`curl, with X-SSO-ID</figcaption><pre><code>curl -sS "$HOST/a/$SOME_ID" \
  -H "X-SSO-ID: somebody"</code>`),
		escaped(`curl, with X-SSO-LINK</figcaption><pre><code>curl -sS "$HOST/a/$SOME_ID" \
  -H "X-SSO-LINK: $CODE"</code>`),
		escaped(`curl -sS "$HOST/api/v2/$AUTHENTICATION_CODE"`),
		escaped(`curl -sS -X POST "$HOST/o/form" \
  -d client_id="$CLIENT_ID" \
  --data-urlencode url=https://a.example/b \
  -d plain=c</code>`),
		escaped(`curl -sS -X PUT "$HOST/o/json" \
  -H 'Content-Type: application/json' \
  -d "{\"software_statement\":\"$STATEMENT\"}"</code>`))
}

// escaped is text as the page has it, but for the tags in it.
func escaped(text string) string {
	return strings.NewReplacer(`"`, "&#34;", "'", "&#39;", "2 < 3", "2 &lt; 3").Replace(text)
}

func TestArticles(t *testing.T) {
	public, _ := site(t)
	has(t, public, "index.html", `<h2 id="here">Here`, `<h2 id="here-1">Here`, "curl &lt;a&gt; &#34;$b&#34;\n</code></pre>",
		`<a href="https://a.example/">outside</a>`, `<a href="#here-1">same</a>`, `<a href="/docs" aria-current="page">Start</a>`, "<title>Start - ssod</title>")
	has(t, public, "errors.html", `<a href="/docs#here">there</a>, away, <a href="/docs/reference#act">it</a>`, `<td data-label="a"><code>c</code></td>`, `<td data-label="b">d</td>`)
	has(t, public, "overview.html", "<h1>All of it</h1>", `Text <a href="/docs">Start</a>`)
	if strings.Contains(string(public["index.html"]), "<b>no HTML") {
		t.Error("HTML of a file is passed on")
	}
}

func TestSearchIndex(t *testing.T) {
	public, admin := site(t)
	for name, wanted := range map[string]struct {
		files              render.Files
		address, title, of string
	}{
		"search.json": {public, "/docs/reference#act", "Acts", "nested_code"},
		"admin.json":  {admin, "/docs/admin#act", "Acts", "act"},
	} {
		var hits []struct{ U, T, P, X string }
		if err := json.Unmarshal(wanted.files[name], &hits); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, h := range hits {
			found = found || h.U == wanted.address && h.T == wanted.title && strings.Contains(h.X, wanted.of)
		}
		if !found {
			t.Errorf("%s: nothing leads to %s", name, wanted.address)
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
		"bad method":        strings.Replace(small, "operationId: look", "operationId: [look]", 1),
	} {
		if _, _, err := render.Site(render.Sources{Public: []byte(text)}); err == nil {
			t.Errorf("%s: pages were made", name)
		}
	}
}
