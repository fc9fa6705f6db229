package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
)

func render(t *testing.T, p page.Page) page.Document {
	t.Helper()
	p.Title = "A <title>"
	d, err := page.MustParse(`<p>{{.}}</p>`).Render(p, `<script>alert("x")</script>`)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var brand = page.Brand{
	Name: "Acme & Co", LogoURL: "https://static.example/logo.svg?a=1&b=2", IconURL: "http://127.0.0.1:9000/icon.png",
	Light: "#7a1f5c", Dark: "#ffb0dd",
}

func TestThePolicyNamesWhatIsInline(t *testing.T) {
	plain, branded := render(t, page.Page{}), render(t, page.Page{Brand: brand})
	if plain.Policy != page.Policy || branded.Policy == page.Policy {
		t.Errorf("policies: %q, and with a brand %q", plain.Policy, branded.Policy)
	}
	expectHashes(t, plain)
	expectHashes(t, branded)
}

func expectHashes(t *testing.T, d page.Document) {
	t.Helper()
	html := string(d.HTML)
	for _, element := range []string{"style", "script"} {
		found := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(html, -1)
		if len(found) != 1 {
			t.Fatalf("%d elements %s, want 1", len(found), element)
		}
		sum := sha256.Sum256([]byte(found[0][1]))
		if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(d.Policy, want) {
			t.Errorf("the policy %q does not have %q", d.Policy, want)
		}
	}
}

func TestTextsAreEscaped(t *testing.T) {
	html := string(render(t, page.Page{}).HTML)
	for _, want := range []string{"<title>A &lt;title&gt;</title>", "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

func TestPagesLoadNothing(t *testing.T) {
	html := string(render(t, page.Page{}).HTML) + string(page.Problem(texts.English(), texts.Passage{Title: "Title", Text: "Text"}, "trace").HTML)
	if found := regexp.MustCompile(`(?i)(src|href|action)\s*=|@import|url\(|https?:`).FindString(html); found != "" {
		t.Errorf("a page has %q", found)
	}
}

// TestAScriptOfItsOwn runs beside ours, and no other.
func TestAScriptOfItsOwn(t *testing.T) {
	const own = "document.forms[0].submit();"
	sum := sha256.Sum256([]byte(own))
	policy := render(t, page.Page{OwnScript: own}).Policy
	if want := " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(policy, want) || strings.Count(policy, "sha256-") != 3 {
		t.Errorf("the policy %q does not have %q", policy, want)
	}
}

// TestPicturesOfABrand come from its hosts and no others, and its colours are there for light
// and dark.
func TestPicturesOfABrand(t *testing.T) {
	d := render(t, page.Page{Brand: brand, Images: []string{"https://static.example/x.png", "https://other.example:8443/y.png", ""}})
	if want := "; img-src http://127.0.0.1:9000 https://other.example:8443 https://static.example"; !strings.HasSuffix(d.Policy, want) {
		t.Errorf("the policy %q does not end with %q", d.Policy, want)
	}
	for _, want := range []string{
		`<img class="logo" src="https://static.example/logo.svg?a=1&amp;b=2" alt="Acme &amp; Co">`, `<link rel="icon" href="http://127.0.0.1:9000/icon.png">`,
		"<title>A &lt;title&gt; · Acme &amp; Co</title>", "background-color: #7a1f5c; color: #fff", "background-color: #ffb0dd; color: #0f1115",
	} {
		if !strings.Contains(string(d.HTML), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	name := render(t, page.Page{Brand: page.Brand{Name: "Acme & Co"}})
	if !strings.Contains(string(name.HTML), "<p>Acme &amp; Co</p>") || name.Policy != page.Policy {
		t.Errorf("a brand of a name only: %s %s", name.Policy, name.HTML)
	}
}

func TestProblem(t *testing.T) {
	text := texts.For([]byte("fr"))
	html := string(page.Problem(text, texts.Passage{Title: "Not now", Text: "Try again on your TV."}, "0b6c4f0e").HTML)
	for _, want := range []string{"<h1>Not now</h1>", "Try again on your TV.", "0b6c4f0e", `lang="fr"`, text.Help} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q:\n%s", want, html)
		}
	}
}

func TestRenderTellsThatATemplateDoesNotFit(t *testing.T) {
	if _, err := page.MustParse(`{{.Missing}}`).Render(page.Page{Title: "x"}, struct{}{}); err == nil {
		t.Error("a template rendered a field that is not there")
	}
}
