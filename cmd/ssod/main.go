package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"ssod/cmd/internal/node"
	"ssod/cmd/internal/supervisor"
	"ssod/httpfront/config"
	"ssod/persistence"
)

// Exit statuses; cmd/ssod/docs/configuration.md#exit-status.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its streams. It returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "recover":
			return recoverCluster(args[1:], stdout, stderr)
		case "restore":
			return restore(args[1:], stdout, stderr)
		}
	}
	var f flags
	line := newCommandLine(&f, stdout, stderr)
	if line.parse(args) {
		return line.exit
	}
	if f.Version && len(line.mistakes) == 0 {
		fmt.Fprintln(stdout, node.Version())
		return exitOK
	}
	c := f.node()
	cfg, err := c.Settings()
	if err := errors.Join(errors.Join(line.mistakes...), f.check(), c.CheckSecrets(), err); err != nil {
		fmt.Fprintln(stderr, err)
		if len(line.mistakes) > 0 {
			fmt.Fprintln(stderr, "ssod --help lists the flags")
		}
		return exitUsage
	}
	if f.Check {
		for _, w := range cfg.Warnings {
			fmt.Fprintf(stderr, "warning: %s\n", w)
		}
		return exitOK
	}
	return f.serve(c, stderr)
}

// lastWords is how long the end of the process waits for the log's reader.
const lastWords = time.Second

// serve runs a node until a signal or a failure ends it.
func (f *flags) serve(c node.Config, stderr io.Writer) int {
	// Without this, the end of the log's reader would end the process.
	signal.Ignore(syscall.SIGPIPE)
	sink := f.sink(stderr)
	defer sink.Close()
	defer sink.Flush(lastWords)
	c.Log, c.LogDropped = slog.New(f.handler(sink)), sink.Dropped
	slog.SetDefault(c.Log) // libraries that log for themselves do not wait either
	log.SetOutput(unquoted{c.Log})
	if f.Insecure {
		c.Log.Warn("--insecure: traffic of listeners off loopback addresses can be read on the network")
	}
	tuneMemory(c.Memory, c.Log)
	c.Signers = spareProcessors()
	c.Clock = clock()
	ending := make(chan os.Signal, 2)
	signal.Notify(ending, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(ending)
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	return statusOf(supervisor.Run(supervisor.Options{
		Start: func(ctx context.Context) (supervisor.Service, error) { return start(ctx, c) },
		End:   ending, Reload: reload, Again: node.ErrAgain, Patience: c.DrainDelay + node.Grace + lastWords, Log: c.Log,
	}))
}

// service is a node for the supervisor. If systemd has started it, it reports when it is
// ready and when it stops (sd_notify(3)).
type service struct {
	*node.Node
	log *slog.Logger
}

func (s service) Reload(ctx context.Context) error {
	_, err := s.Node.Reload(ctx)
	return err
}

func (s service) Stop(ctx context.Context) error {
	s.notify(daemon.SdNotifyStopping)
	return s.Node.Stop(ctx)
}

func (s service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd is not told", "state", state, "error", err)
	}
}

func start(ctx context.Context, c node.Config) (supervisor.Service, error) {
	n, err := node.Start(ctx, c)
	if err != nil {
		return nil, err
	}
	s := service{n, c.Log}
	s.notify(daemon.SdNotifyReady)
	return s, nil
}

// statusOf tells wrong flags and configuration from failures.
func statusOf(err error) int {
	var mistakes config.Mistakes
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, persistence.ErrOtherNode), errors.Is(err, node.ErrNoSecret), errors.As(err, &mistakes):
		return exitUsage
	}
	return exitFailed
}
