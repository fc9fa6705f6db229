package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"ssod/cmd/internal/node"
	"ssod/httpfront/config"
	"ssod/persistence"
)

// Exit statuses; operations.md 2.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its streams. It returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	var f flags
	line := newCommandLine(&f, stdout, stderr)
	if line.parse(args) {
		return line.exit
	}
	if f.Version && len(line.mistakes) == 0 {
		fmt.Fprintln(stdout, node.Version())
		return exitOK
	}
	secrets, err := f.check()
	log := f.logger()
	c := f.node(secrets, log)
	cfg, configErr := c.Settings()
	if err := errors.Join(errors.Join(line.mistakes...), err, configErr); err != nil {
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
	if f.Insecure {
		log.Warn("--insecure: listeners off loopback addresses are not protected")
	}
	return serve(c, log)
}

// serve runs a node until a signal or a failure ends it.
func serve(c node.Config, log *slog.Logger) int {
	tuneMemory()
	c.Signers = spareProcessors()
	ending := make(chan os.Signal, 2)
	signal.Notify(ending, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(ending)
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)

	n, err := start(c, ending)
	if err != nil {
		log.Error("cannot start", "error", err)
		return statusOf(err)
	}
	for {
		select {
		case <-reload:
			if _, err := n.Reload(context.Background()); err != nil {
				log.Error("configuration not reloaded", "error", err)
			}
		case err := <-n.Failed():
			log.Error("the node failed, stopping at once; what was not answered is unknown", "error", err)
			return exitFailed
		case s := <-ending:
			log.Info("stopping", "signal", s.String())
			return stop(n, ending, log)
		}
	}
}

// start starts the node; a signal ends the attempt, which may wait for others.
func start(c node.Config, ending chan os.Signal) (*node.Node, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case s := <-ending:
			cancel()
			ending <- s // it also ends a node that was just started
		case <-started:
		}
	}()
	return node.Start(ctx, c)
}

// stop drains the node; a second signal or a failing store ends that at once,
// which loses nothing that was acknowledged.
func stop(n *node.Node, ending <-chan os.Signal, log *slog.Logger) int {
	stopped := make(chan error, 1)
	go func() { stopped <- n.Stop(context.Background()) }()
	select {
	case err := <-stopped:
		if err != nil {
			log.Error("not stopped cleanly", "error", err)
			return exitFailed
		}
		return exitOK
	case err := <-n.Failed():
		log.Error("the node failed while stopping", "error", err)
	case s := <-ending:
		log.Warn("stopped at once", "signal", s.String())
	}
	return exitFailed
}

// statusOf tells wrong flags and configuration from failures.
func statusOf(err error) int {
	var mistakes config.Mistakes
	if errors.Is(err, persistence.ErrOtherNode) || errors.As(err, &mistakes) {
		return exitUsage
	}
	return exitFailed
}
