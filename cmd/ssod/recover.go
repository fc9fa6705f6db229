package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"ssod/cluster/recovery"
)

// recoverFlags are those of ssod recover. Exactly one of Report, Plan and Apply is
// given.
type recoverFlags struct {
	Report      string   `placeholder:"FILE" xor:"step" required:"" help:"Write what the node has to FILE; - is standard output. Do it for every node that is left."`
	Plan        bool     `xor:"step" required:"" help:"Make one plan of the reports, which are arguments, and print it to standard output; what may be missing is said on standard error."`
	Apply       string   `placeholder:"PLAN" xor:"step" required:"" help:"Carry the plan in this file out. Do it for every node of the plan, then start them all."`
	Data        string   `placeholder:"DIR" default:"ssod-data" help:"Data directory of the node, which must not run (${default})."`
	AcceptEmpty bool     `help:"Plan although nothing is left of some shards: they begin empty."`
	Reports     []string `arg:"" optional:"" placeholder:"REPORT" help:"Reports of all nodes that are left."`
}

const recoverHelp = `Bring a cluster back that has lost a majority of its nodes for good. All nodes are stopped. First copy the data directories that are left.

 On each node that is left:  ssod recover --report NAME.json --data DIR
 Once, with all reports:     ssod recover --plan *.json > plan.json
 On each node that is left:  ssod recover --apply plan.json --data DIR
 Then start them as before. Other nodes join anew, with empty directories.`

// recoverCluster is ssod recover. It returns the exit status.
func recoverCluster(args []string, stdout, stderr io.Writer) int {
	var f recoverFlags
	exit := -1
	parser, err := kong.New(&f, kong.Name("ssod recover"), kong.Description(recoverHelp), kong.DefaultEnvars("SSOD"),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		panic(err) // the tags of flags are wrong
	}
	_, err = parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err == nil && !f.Plan && len(f.Reports) > 0 {
		err = fmt.Errorf("unexpected argument %s", f.Reports[0])
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nssod recover --help says how to use it\n", err)
		return exitUsage
	}
	if err := f.run(stdout, stderr); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitOK
}

func (f *recoverFlags) run(stdout, stderr io.Writer) error {
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	switch {
	case f.Plan:
		return f.plan(stdout, stderr)
	case f.Apply != "":
		return f.apply(stderr, log)
	}
	r, err := recovery.Inspect(f.Data, log)
	if err != nil {
		return err
	}
	out := indented(r)
	if f.Report == "-" {
		_, err = stdout.Write(out)
		return err
	}
	return os.WriteFile(f.Report, out, 0o600)
}

func (f *recoverFlags) plan(stdout, stderr io.Writer) error {
	var reports []recovery.Report
	for _, path := range f.Reports {
		var r recovery.Report
		if err := readJSON(path, &r); err != nil {
			return err
		}
		reports = append(reports, r)
	}
	p, err := recovery.Decide(reports, f.AcceptEmpty)
	if err != nil {
		return err
	}
	fmt.Fprint(stderr, p.Summary())
	_, err = stdout.Write(indented(p))
	return err
}

func (f *recoverFlags) apply(stderr io.Writer, log *slog.Logger) error {
	var p recovery.Plan
	if err := readJSON(f.Apply, &p); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := recovery.Apply(ctx, p, f.Data, log); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s is of cluster %s now: start the node when the plan is applied on all of %s\n", f.Data, p.Recovered, strings.Join(p.Names(), ", "))
	return nil
}

func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return errors.Join(fmt.Errorf("%s is neither a report nor a plan of this version", path), err)
	}
	return nil
}

func indented(v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // numbers, strings and times
	}
	return append(b, '\n')
}
