package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"ssod/httpfront/page"
)

func render(t *testing.T) string {
	t.Helper()
	html, err := page.MustParse(`<p>{{.}}</p>`).Render("A <title>", `<script>alert("x")</script>`)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func TestThePolicyNamesWhatIsInline(t *testing.T) {
	html := render(t)
	for _, element := range []string{"style", "script"} {
		found := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(html, -1)
		if len(found) != 1 {
			t.Fatalf("%d elements %s, want 1", len(found), element)
		}
		sum := sha256.Sum256([]byte(found[0][1]))
		if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(page.Policy, want) {
			t.Errorf("the policy %q does not have %q", page.Policy, want)
		}
	}
}

func TestTextsAreEscaped(t *testing.T) {
	html := render(t)
	for _, want := range []string{"<title>A &lt;title&gt;</title>", "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

func TestPagesLoadNothing(t *testing.T) {
	html := render(t) + string(page.Problem("Title", "Text", "trace"))
	if found := regexp.MustCompile(`(?i)(src|href|action)\s*=|@import|url\(|https?:`).FindString(html); found != "" {
		t.Errorf("a page has %q", found)
	}
}

func TestProblem(t *testing.T) {
	html := string(page.Problem("Not now", "Try again on your TV.", "0b6c4f0e"))
	for _, want := range []string{"<h1>Not now</h1>", "Try again on your TV.", "0b6c4f0e", `lang="en"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q:\n%s", want, html)
		}
	}
}

func TestRenderTellsThatATemplateDoesNotFit(t *testing.T) {
	if _, err := page.MustParse(`{{.Missing}}`).Render("x", struct{}{}); err == nil {
		t.Error("a template rendered a field that is not there")
	}
}
