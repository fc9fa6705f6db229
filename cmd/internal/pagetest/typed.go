package pagetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fence  = regexp.MustCompile("(?ms)^ *```\\w*\n(.*?)^ *```")
	inline = regexp.MustCompile("`([^`\n]+)`")
)

// Typed are the arguments of each command of a program that the pages show, in blocks
// or within a line. What a shell makes of the rest of a line is left out, and so are
// dots that stand for more.
func Typed(t *testing.T, pages, program string) (commands [][]string) {
	t.Helper()
	names, err := filepath.Glob(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > 1 && strings.TrimPrefix(fields[0], "bin/") == program {
				commands = append(commands, untilShell(fields[1:]))
			}
		}
	}
	if len(commands) == 0 {
		t.Fatalf("%s: no command of %s", pages, program)
	}
	return commands
}

// lines are what somebody may type: the lines of blocks, those that go on made one, and
// code within text.
func lines(page string) (all []string) {
	for _, block := range fence.FindAllStringSubmatch(page, -1) {
		for line := range strings.SplitSeq(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
			all = append(all, strings.TrimPrefix(strings.TrimSpace(line), "$ "))
		}
	}
	for _, code := range inline.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		all = append(all, code[1])
	}
	return all
}

// Incomplete reports whether a command is only named: it lacks what it needs and has
// nothing that it does not know.
func Incomplete(err error) bool {
	return err != nil && (strings.HasPrefix(err.Error(), "missing flags") || strings.HasPrefix(err.Error(), `expected "<`))
}

// untilShell ends where the shell or a comment begins.
func untilShell(fields []string) []string {
	for i, field := range fields {
		if field == "…" || strings.ContainsAny(field[:1], "#&|>") || strings.HasPrefix(field, "2>") {
			return fields[:i]
		}
	}
	return fields
}
