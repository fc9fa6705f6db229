package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ssod/cmd/internal/scripttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ssod": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) { scripttest.Run(t, "testdata/script") }
