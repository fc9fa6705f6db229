package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit statuses; cmd/ssod/docs/operating.md#ssoctl.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its streams. It returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("ssoctl"), kong.Description("Operates a node of the single sign-on service."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		panic(err) // the tags of cli are wrong
	}
	parsed, err := parser.Parse(args)
	switch {
	case exit >= 0: // --help
		return exit
	case err != nil:
		fmt.Fprintf(stderr, "ssoctl: %v; ssoctl --help lists what there is\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := newSession(ctx, &c, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "ssoctl: %v\n", err)
		return exitUsage
	}
	if err := parsed.Run(s, parser.Model); err != nil {
		fmt.Fprintf(stderr, "ssoctl: %v\n", err)
		return exitFailed
	}
	return exitOK
}
