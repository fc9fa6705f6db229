package main

import (
	"testing"

	"github.com/alecthomas/kong"

	"ssod/cmd/internal/pagetest"
)

// TestTablesOfCommands are those of the program's own help.
func TestTablesOfCommands(t *testing.T) {
	const page = "../ssod/docs/operating.md"
	app := kong.Must(&cli{}, kong.Name("ssoctl")).Model
	pagetest.Table(t, page, "commands", pagetest.Commands(app))
	pagetest.Table(t, page, "flags", pagetest.Flags(app.Flags))
}

// TestCommandsOfThePages are good ones.
func TestCommandsOfThePages(t *testing.T) {
	for _, args := range pagetest.Typed(t, "../ssod/docs/*.md", "ssoctl") {
		if _, err := kong.Must(&cli{}).Parse(args); err != nil && !pagetest.Incomplete(err) {
			t.Errorf("ssoctl %q: %v", args, err)
		}
	}
}
