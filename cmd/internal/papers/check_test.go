package papers

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestWhatIsFound plants one mistake at a time in a small repository that has none.
func TestWhatIsFound(t *testing.T) {
	const fenced = "\n```sh\n# no heading\n./api/gone.sh\n```\n"
	tests := map[string]struct{ name, text, want string }{
		"nothing wrong":         {"api/a.go", "package api // api/docs/x.md#a-b; api/openapi.yaml#make; RFC 8628, 5.1 and RFC 9110.", ""},
		"two headings alike":    {"api/a.go", "package api // api/docs/x.md#twice-1", ""},
		"code in a heading":     {"api/a.go", "package api // api/docs/x.md#post-link", ""},
		"a text, not a comment": {"api/a.go", "package api\nvar a = `gone.md`", ""},
		"generated":             {"api/a.pb.go", "package api // gone.md", ""},
		"a link":                {"README.md", "[x](api/docs/x.md#a-b) [y](#here) [z](https://x.example/gone.md)\n# Here\n", ""},
		"a directory":           {"README.md", "[x](api/docs) `api/docs/*.md` `go test ./api -run x`", ""},
		"a page by its path":    {"README.md", "`api/docs/x.md` and each `DESIGN.md`", ""},
		"ignored":               {"bin/x.md", "[x](gone.md)", ""},
		"ignored anywhere":      {"api/modules/x.md", "[x](gone.md)", ""},
		"ignored by its suffix": {"api/x.test", papersOutside, ""},

		"no page":               {"api/a.go", "package api // docs/x.md#a-b", "docs/x.md#a-b is not in the repository"},
		"no path":               {"api/a.go", "package api // x.md#a-b", "x.md#a-b is not in the repository"},
		"no anchor":             {"api/a.go", "package api // api/docs/x.md", "api/docs/x.md has no anchor"},
		"no heading":            {"api/a.go", "package api // api/docs/x.md#b-a", "no such heading"},
		"no heading in a fence": {"api/a.go", "package api // api/docs/x.md#no-heading", "no such heading"},
		"a block of comment":    {"api/a.go", "package api\n/* see\n x.md */", "x.md is not in the repository"},
		"no operation":          {"api/a.go", "package api // api/openapi.yaml#unmake", "no such heading or operation"},
		"a number of a paper":   {"api/a.go", "package api // SECURITY T19", "SECURITY T19 is no heading"},
		"a number of a design":  {"api/a.go", "package api // see DESIGN, 5", "DESIGN, 5 is no heading"},
		"a definition":          {"api/a.proto", "// x.md", "x.md is not in the repository"},
		"a script":              {"api/run", "#!/bin/sh\n# x.md", "x.md is not in the repository"},
		"a description":         {"api/b.yaml", "description: see x.md", "x.md is not in the repository"},
		"an RFC without a gap":  {"api/a.go", "package api // RFC8628", "want the form"},
		"an RFC in small":       {"api/a.go", "package api // rfc 8628", "want the form"},
		"a section by name":     {"api/a.go", "package api // RFC 8628, section 5.1", "want the form"},
		"a section by sign":     {"api/a.go", "package api // RFC 8628 §5.1", "want the form"},
		"a section by itself":   {"README.md", "RFC 8628 5.1", "want the form"},
		"a paper outside":       {"api/testdata/x.txt", papersOutside + "/x", "names"},

		"a link to nothing":       {"README.md", "[x](api/docs/y.md)", "api/docs/y.md is not in the repository"},
		"a link out of the tree":  {"README.md", "[x](../x.md)", "is not in the repository"},
		"an absolute link":        {"README.md", "[x](/api/docs/x.md)", "is not relative"},
		"a link to no heading":    {"README.md", "[x](api/docs/x.md#c)", "no such heading"},
		"a link to nothing here":  {"README.md", "[x](#c)", "no such heading"},
		"a reference":             {"README.md", "[x]\n\n[x]: api/docs/y.md", "is not in the repository"},
		"a link around code":      {"README.md", "[`x`](y.md)", "y.md is not in the repository"},
		"a path to nothing":       {"README.md", "`api/gone`", "api/gone does not exist"},
		"stars that match nobody": {"README.md", "`api/docs/*.txt`", "does not exist"},
		"a package that is gone":  {"README.md", "`go test ./api/gone -run x`", "./api/gone does not exist"},
		"a command in a fence":    {"README.md", fenced, "./api/gone.sh does not exist"},
		"a page in prose":         {"README.md", "x.md says", "x.md is not a link"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr, err := open(fstest.MapFS{
				".gitignore":       {Data: []byte("/bin/\n*.test\nmodules/\n")},
				"api/docs/x.md":    {Data: []byte("# A, b!\n## Twice\n## Twice\n## `POST link`\n" + "```\n# No heading\n```\n")},
				"api/openapi.yaml": {Data: []byte("paths:\n  /x:\n    get:\n      operationId: make\n")},
				tt.name:            {Data: []byte(tt.text)},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := tr.check()
			if tt.want == "" && len(got) > 0 {
				t.Fatalf("got %q, want nothing", got)
			}
			if tt.want != "" && !(len(got) == 1 && strings.HasPrefix(got[0], tt.name+": ") && strings.Contains(got[0], tt.want)) {
				t.Fatalf("got %q, want one that says %q of %s", got, tt.want, tt.name)
			}
		})
	}
}

func TestBinaryFilesAreNoText(t *testing.T) {
	tr, err := open(fstest.MapFS{".gitignore": {}, "x.md": {Data: []byte("[x](y.md)\x00")}, "z.md": {Data: []byte("[x](y.md)")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := tr.check(); !slices.Equal(got, []string{"z.md: y.md is not in the repository"}) {
		t.Errorf("got %q", got)
	}
}
