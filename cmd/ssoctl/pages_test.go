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
