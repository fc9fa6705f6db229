package main

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"ssod/cmd/internal/pagetest"
	"ssod/httpfront/config"
)

const configurationPage = "docs/configuration.md"

// TestTablesOfFlags are those of the programs' own help.
func TestTablesOfFlags(t *testing.T) {
	pagetest.Table(t, configurationPage, "flags", pagetest.Flags(newCommandLine(&flags{}, io.Discard, io.Discard).parser.Model.Flags))
	for name, f := range map[string]any{"recover": &recoverFlags{}, "restore": &restoreFlags{}} {
		pagetest.Table(t, configurationPage, name, pagetest.Flags(kong.Must(f, kong.Name(name)).Model.Flags))
	}
}

// keyRow is a row of a table of keys: key, default, meaning.
var keyRow = regexp.MustCompile("(?m)^\\| `([A-Za-z.\\[\\]]+)` \\| ([^|\n]*) \\| .*\\|$")

// TestKeysOfTheFile compares the documented keys and defaults with those that the file
// may have: a key that only one of them knows is a mistake.
func TestKeysOfTheFile(t *testing.T) {
	page, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range keyRow.FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = row[2]
	}
	keys := map[string]string{}
	addKeys(keys, "", reflect.TypeFor[config.Config]())
	for key, value := range keys {
		if value == "" { // the page says in words what its absence means
			keys[key] = documented[key]
		}
	}
	if diff := cmp.Diff(documented, keys); diff != "" {
		t.Errorf("the page (-) and the program (+) differ:\n%s", diff)
	}
}

// addKeys adds the keys below a struct, each with its default as the page writes it.
func addKeys(keys map[string]string, prefix string, in reflect.Type) {
	for i := range in.NumField() {
		field := in.Field(i)
		name := field.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		kind, key := field.Type, prefix+name
		if kind.Kind() == reflect.Slice {
			kind, key = kind.Elem(), key+"[]"
		}
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if kind.PkgPath() == in.PkgPath() && kind.Kind() == reflect.Struct {
			addKeys(keys, key+".", kind)
			continue
		}
		keys[strings.TrimSuffix(key, "[]")] = defaultOf(field)
	}
}

func defaultOf(field reflect.StructField) string {
	value, given := field.Tag.Lookup("default")
	switch {
	case given:
		return "`" + strings.ReplaceAll(value, ",", ", ") + "`"
	case field.Type.Kind() == reflect.Bool:
		return "`false`"
	case field.Type.Kind() == reflect.Int && field.Type != reflect.TypeFor[time.Duration]():
		return "`0`"
	}
	return ""
}

// example is a file of the page and what --check prints about it.
var example = regexp.MustCompile("(?s)```yaml mistakes\n(.*?)```\n.*?```\n(.*?)```")

// TestMistakesOfThePage are what a file with mistakes brings about.
func TestMistakesOfThePage(t *testing.T) {
	page, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	found := example.FindSubmatch(page)
	if found == nil {
		t.Fatal("the page has no file with mistakes")
	}
	_, err = config.Parse(found[1], config.Options{File: "ssod.yaml"})
	if err == nil {
		t.Fatal("the file has no mistakes")
	}
	if diff := cmp.Diff(string(found[2]), err.Error()+"\n"); diff != "" {
		t.Errorf("the page (-) and the program (+) differ:\n%s", diff)
	}
}

// TestMessagesOfThePage are in the programs as the page quotes them: between the dots
// that stand for what differs.
func TestMessagesOfThePage(t *testing.T) {
	page, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "\n| message | what to do |\n")
	if !found {
		t.Fatal("the page has no table of messages")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	sources := sourceText(t, ".", "../../httpfront/config", "../../cluster/secretfile")
	for row := range strings.Lines(table) {
		for _, quoted := range quotedText.FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			for piece := range strings.SplitSeq(quoted[1], "…") {
				if piece = strings.TrimSpace(piece); !strings.Contains(sources, piece) {
					t.Errorf("the page quotes %q: no message has that", piece)
				}
			}
		}
	}
}

var quotedText = regexp.MustCompile("`([^`]+)`")

// sourceText is the code in directories, tests left out.
func sourceText(t *testing.T, dirs ...string) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// TestCommandsOfThePages have flags that there are.
func TestCommandsOfThePages(t *testing.T) {
	for _, args := range pagetest.Typed(t, "docs/*.md", "ssod") {
		var err error
		switch args[0] {
		case "recover":
			_, err = kong.Must(&recoverFlags{}).Parse(args[1:])
		case "restore":
			_, err = kong.Must(&restoreFlags{}).Parse(args[1:])
		default:
			_, err = newCommandLine(&flags{}, io.Discard, io.Discard).parser.Parse(args)
		}
		if err != nil && !pagetest.Incomplete(err) {
			t.Errorf("ssod %q: %v", args, err)
		}
	}
}
