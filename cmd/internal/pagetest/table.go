package pagetest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated tables of the pages anew")

const end = "<!-- end -->"

// Table compares the generated table of a name in a page with its rows, the first of
// which is the heading. With -update it writes them instead.
func Table(t *testing.T, page, name string, rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin := "<!-- generated: " + name + " -->\n"
	before, rest, found := strings.Cut(string(text), begin)
	is, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no generated table %q", page, name)
	}
	want := render(rows)
	if is == want {
		return
	}
	if !*update {
		t.Errorf("table %q of %s is not what the program has, run make tables (-page +program):\n%s", name, page, cmp.Diff(is, want))
		return
	}
	if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// render writes rows as a table of Markdown.
func render(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		for _, cell := range row {
			fmt.Fprintf(&b, "| %s ", strings.ReplaceAll(cell, "|", `\|`))
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}
