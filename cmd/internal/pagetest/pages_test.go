package pagetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

// pages are the README and the pages for operators, benchmark engineers and
// contributors, by their paths from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"README.md", "cmd/ssod/docs/*.md", "bench/docs/*.md", ".github/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || names == nil {
			t.Fatalf("%s: no page (%v)", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimPrefix(name, root+"/")] = string(text)
		}
	}
	return all
}

// TestTheReadmeIsShort: what a newcomer reads first fits one sitting, the rest has
// pages of its own.
func TestTheReadmeIsShort(t *testing.T) {
	const most = 9000
	if size := len(pages(t)["README.md"]); size > most {
		t.Errorf("README.md has %d bytes, want at most %d: what is for one kind of reader belongs on a page of theirs", size, most)
	}
}

var (
	// namedTest is a test as a table names it: its name and its package.
	namedTest = regexp.MustCompile("`(Test\\w+)` \\(`([\\w/]+)`\\)")
	// runTest is a command that runs tests of packages.
	runTest  = regexp.MustCompile(`go test ((?:\./[a-z/]+ )+)-run '?([^'\s` + "`" + `]+)'?`)
	declared = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// TestTestsOfThePagesExist: whoever doubts a promise finds the test that shows it.
func TestTestsOfThePagesExist(t *testing.T) {
	found := 0
	for name, text := range pages(t) {
		for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
			found++
			expectTest(t, name, m[2], "^"+m[1]+"$")
		}
		for _, m := range runTest.FindAllStringSubmatch(text, -1) {
			found++
			for dir := range strings.FieldsSeq(m[1]) {
				expectTest(t, name, dir, strings.ReplaceAll(m[2], `\|`, "|"))
			}
		}
	}
	if found == 0 {
		t.Error("the pages name no test at all")
	}
}

// expectTest fails unless a package has a test that -run selects.
func expectTest(t *testing.T, page, dir, run string) {
	t.Helper()
	run, _, _ = strings.Cut(run, "/") // what follows selects subtests
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	selected := regexp.MustCompile(run)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllSubmatch(text, -1) {
			if selected.Match(m[1]) {
				return
			}
		}
	}
	t.Errorf("%s names tests %q of %s: there is none", page, run, dir)
}

var (
	madeTarget = regexp.MustCompile(`^(?:[A-Z]+=\S+ )*make ([a-z][a-z-]*)`)
	target     = regexp.MustCompile(`(?m)^([a-z-]+):.*##`)
)

// TestTargetsOfThePagesExist in the Makefile.
func TestTargetsOfThePagesExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, m := range target.FindAllSubmatch(makefile, -1) {
		has[string(m[1])] = true
	}
	found := 0
	for name, text := range pages(t) {
		for _, line := range lines(text) {
			m := madeTarget.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			if found++; !has[m[1]] {
				t.Errorf("%s shows make %s: the Makefile has no such target", name, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("the pages show no target at all")
	}
}
