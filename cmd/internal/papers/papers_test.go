// Package papers has no code: its tests follow every link in Markdown and every
// citation in comments.
//
// A comment cites a page of the repository by its path from the root and an anchor,
// an operation by the OpenAPI document and its operationId, and an RFC by its number
// and section:
//
//	httpfront/docs/sso.md#link-codes
//	httpfront/openapi.yaml#createLinkCode
//	RFC 8628, 6.1
//
// Anchors are those that GitHub gives to headings. What is not in the repository is
// cited nowhere.
package papers

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEveryCitationResolves(t *testing.T) {
	tr, err := open(os.DirFS(root(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.files) < 100 || len(tr.anchors("README.md")) == 0 {
		t.Fatalf("%d files in the tree, README.md among them or not: that is not the repository", len(tr.files))
	}
	for _, complaint := range tr.check() {
		t.Error(complaint)
	}
}

// root is the directory of go.mod, whatever the module is called.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("there is no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// tree is the text of a repository.
type tree struct {
	files map[string]string // by path; binary ones are empty
	dirs  map[string]bool
	known map[string]map[string]bool // anchors by path
}

// open reads all files but those that .gitignore lists.
func open(repository fs.FS) (*tree, error) {
	tr := &tree{files: map[string]string{}, dirs: map[string]bool{}, known: map[string]map[string]bool{}}
	ignore, err := fs.ReadFile(repository, ".gitignore")
	if err != nil {
		return nil, err
	}
	ignored := strings.Fields(string(ignore))
	err = fs.WalkDir(repository, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || isIgnored(ignored, name+"/")):
			return fs.SkipDir
		case d.IsDir():
			tr.dirs[name] = true
			return nil
		case !d.Type().IsRegular() || d.Name() == ".git" || isIgnored(ignored, name):
			return nil
		}
		text, err := fs.ReadFile(repository, name)
		if err != nil {
			return err
		}
		if !utf8.Valid(text) || slices.Contains(text, 0) {
			text = nil
		}
		tr.files[name] = string(text)
		return nil
	})
	return tr, err
}

// isIgnored knows the patterns that we use: /name/ at the root, name/ anywhere, and
// *.suffix.
func isIgnored(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if rooted, ok := strings.CutPrefix(pattern, "/"); ok {
			return name == rooted
		}
		matched, err := path.Match(strings.TrimSuffix(pattern, "/"), path.Base(name))
		return err == nil && matched
	})
}

func (tr *tree) exists(name string) bool {
	_, isFile := tr.files[name]
	return isFile || tr.dirs[name]
}

// matches reports whether a path with stars names anything.
func (tr *tree) matches(pattern string) bool {
	if tr.exists(pattern) {
		return true
	}
	for name := range tr.files {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}

// check returns what is wrong, file by file.
func (tr *tree) check() (complaints []string) {
	names := make([]string, 0, len(tr.files))
	for name := range tr.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text := tr.files[name]
		found := outside(text)
		switch {
		case strings.HasSuffix(name, ".pb.go"):
		case strings.HasSuffix(name, ".md"):
			found = append(found, tr.markdown(name, text)...)
		default:
			if comments, ok := commentsOf(name, text); ok {
				found = append(found, tr.comments(comments)...)
			}
		}
		for _, complaint := range found {
			complaints = append(complaints, name+": "+complaint)
		}
	}
	return complaints
}
