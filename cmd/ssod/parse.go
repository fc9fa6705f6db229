package main

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// commandLine reads flags from arguments and environment variables. The parser stops at
// the first mistake, so a mistake is noted, left out, and the rest read again: its default
// hides no other mistake.
type commandLine struct {
	parser   *kong.Kong
	mistakes []error
	exit     int // status that the parser wants the program to end with; -1 for none
}

func newCommandLine(f *flags, stdout, stderr io.Writer) *commandLine {
	c := &commandLine{exit: -1}
	var err error
	c.parser, err = kong.New(f,
		kong.Name("ssod"),
		kong.Description("One node of the single sign-on service. Every flag is also an environment variable: SSOD_ and its name in upper case, with _ for -. "+
			"ssod restore makes a new cluster of a backup, ssod recover one of what is left of a lost majority; each has its own --help."),
		kong.DefaultEnvars("SSOD"),
		kong.Vars{"gossip": defaultGossip, "rpc": defaultRPC, "raft": defaultRaft}, kong.Writers(stdout, stderr), kong.Exit(func(code int) { c.exit = code }))
	if err != nil {
		panic(err) // the tags of flags are wrong
	}
	return c
}

// parse fills the flags. It reports whether the program ends, as after --help.
func (c *commandLine) parse(args []string) (done bool) {
	c.dropVariables()
	for {
		_, err := c.parser.Parse(args)
		if c.exit >= 0 || err == nil {
			return c.exit >= 0
		}
		c.mistakes = append(c.mistakes, err)
		rest := unread(args, err)
		if rest == 0 {
			return false
		}
		args = slices.Delete(slices.Clone(args), len(args)-rest, len(args)-rest+width(args[len(args)-rest:]))
	}
}

// dropVariables removes environment variables that do not parse.
func (c *commandLine) dropVariables() {
	for _, flag := range c.parser.Model.Flags {
		if err := flag.Reset(); err != nil {
			c.mistakes = append(c.mistakes, err)
			flag.Tag.Envs = nil
		}
	}
}

// unread is how many arguments were left when one of them was wrong.
func unread(args []string, err error) int {
	failed, ok := errors.AsType[*kong.ParseError](err)
	if !ok || failed.Context == nil || len(failed.Context.Path) == 0 {
		return 0
	}
	path := failed.Context.Path
	return min(len(path[len(path)-1].Remainder()), len(args))
}

// width is the number of arguments of the first: the value of a flag may be the next one.
func width(args []string) int {
	if len(args) < 2 || !strings.HasPrefix(args[0], "-") || strings.Contains(args[0], "=") || strings.HasPrefix(args[1], "-") {
		return 1
	}
	return 2
}
