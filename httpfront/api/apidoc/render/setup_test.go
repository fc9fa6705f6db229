package render_test

import (
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"ssod/httpfront/api/apidoc/render"
)

// TestTheSetupHasAllVariables that the commands of the references have, and no other.
func TestTheSetupHasAllVariables(t *testing.T) {
	document := func(file string) []byte {
		text, err := os.ReadFile("../../../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	public, admin, err := render.Site(render.Sources{Public: document(render.PublicFile), Admin: document(render.AdminFile)})
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string][]byte{"reference": public["reference.html"], "admin": admin["admin.html"]} {
		set, used := map[string]bool{}, map[string]bool{}
		for i, code := range regexp.MustCompile(`(?s)<pre><code>(.*?)</code></pre>`).FindAllStringSubmatch(string(page), -1) {
			text := html.UnescapeString(code[1])
			if i == 0 {
				collect(set, `(?m)^([A-Z_]+)=`, text)
			} else if strings.HasPrefix(text, "curl ") {
				collect(used, `\$([A-Z_]+)`, text)
			}
		}
		for variable := range used {
			if !set[variable] {
				t.Errorf("%s: $%s is nowhere set", name, variable)
			}
		}
		for variable := range set {
			if !used[variable] {
				t.Errorf("%s: no command has $%s", name, variable)
			}
		}
	}
}

func collect(found map[string]bool, pattern, text string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
}
