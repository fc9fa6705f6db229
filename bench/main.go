package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type cli struct {
	Run         runCommand         `cmd:"" default:"withargs" help:"Drive the service and print rates next to the floor's."`
	Entitlement entitlementCommand `cmd:"" help:"Drive profiles and decisions and print rates compared with list and bare signatures."`
	Cluster     clusterCommand     `cmd:"" help:"What three nodes cost compared with one."`
	Marks       marksCommand       `cmd:"" help:"Whether a cluster pays: every mark compared with an older build."`
	Cold        coldCommand        `cmd:"" help:"What profiles cost that lie on disk, and requests right after a start."`
	Crowd       crowdCommand       `cmd:"" help:"One realm, many connections: how many requests are refused, and the memory they take."`
	Providers   providersCommand   `cmd:"" help:"What a TV provider in trouble costs the viewers of another one."`
	Floor       floorCommand       `cmd:"" help:"Serve the floor, the yardstick of a run."`
	Start       startCommand       `cmd:"" help:"Time from the start of a process to ready."`
	Memory      memoryCommand      `cmd:"" help:"Memory per active profile."`
}

// errMissed ends a strict run in which a mark was not reached.
var errMissed = errors.New("a pass mark was missed or could not be measured")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed := kong.Parse(&cli{}, kong.Name("ssobench"),
		kong.Description("Load generator and report writer of the single sign-on service."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "ssobench:", err)
		os.Exit(1)
	}
}
