package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ssod/bench/loadgen"
)

// entitlementCommand compares the calls for logins at TV providers with list, and
// authorize, which signs a media token with RSA, with bare signatures.
type entitlementCommand struct {
	Ssod        string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start on an empty directory."`
	Connections int           `default:"64" help:"Connections, each with one request on it."`
	Realms      int           `default:"4" help:"Realms of the service that is started."`
	Clients     int           `default:"4" help:"Clients per realm, each with its own access token."`
	Members     int           `default:"1000" help:"Viewers with one device each, all logged in at a TV provider."`
	Rounds      int           `default:"5" help:"Slices per operation; the report has their medians."`
	Slice       time.Duration `default:"1200ms" help:"Measured time per slice."`
	Warm        time.Duration `default:"200ms" help:"Unmeasured time before each slice."`
	Beside      float64       `default:"200" help:"Lists per second whose latency is measured during authorize."`
	Only        []string      `placeholder:"ROW,..." help:"Measure these rows only; what they are compared with comes along."`
	JSON        string        `placeholder:"FILE" help:"Also write the report here."`
	Strict      bool          `help:"Exit 1 when a mark is missed."`
}

// The rows of this report, beside list.
const (
	profiles        = "profiles"
	preauthorize    = "preauthorize"
	floorSignature  = "floor RS256"
	authorize       = "authorize"
	listAlone       = "few lists"
	listBeside      = "few lists beside authorize"
	authorizeBeside = "authorize beside few lists"
)

// newEntitlementRows is every row with its pass mark.
func newEntitlementRows() []*row {
	return []*row{
		{name: list},
		{name: profiles, floor: list, ratio: 0.7},
		{name: preauthorize, floor: list, ratio: 0.7},
		{name: floorSignature},
		{name: authorize, floor: floorSignature, ratio: 0.8},
		{name: listAlone},
		{name: authorizeBeside, floor: floorSignature, needs: []string{listBeside}},
		{name: listBeside, slower: listAlone, times: 2, needs: []string{listAlone, authorizeBeside}},
	}
}

func (c *entitlementCommand) Run(ctx context.Context) (err error) {
	b := &bench{rows: newEntitlementRows(), runCommand: &runCommand{
		Ssod: c.Ssod, Connections: c.Connections, Realms: c.Realms, Clients: c.Clients, Members: c.Members,
		Rounds: c.Rounds, Slice: c.Slice, Warm: c.Warm, Only: c.Only, JSON: c.JSON, Strict: c.Strict,
	}}
	if err := b.checkOnly(); err != nil {
		return err
	}
	var stops []func() error
	defer func() {
		for _, stop := range stops {
			err = errors.Join(err, stop())
		}
	}()
	service, realms, err := b.startService(ctx, &stops)
	if err != nil {
		return err
	}
	b.service = single(service.HTTP, service.Process)
	if err := b.found(ctx, service, realms); err != nil {
		return err
	}
	if err := logAllIn(ctx, service.HTTP, b.members); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	for n := range c.Rounds {
		if err := c.round(ctx, b); err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
	}
	return b.publish(b.report())
}

// round measures one slice of everything.
func (c *entitlementCommand) round(ctx context.Context, b *bench) error {
	for _, measure := range []struct {
		name string
		do   func() (sample, error)
	}{
		{list, func() (sample, error) { return b.closed(b.service, &lister{members: b.members}) }},
		{profiles, func() (sample, error) { return b.closed(b.service, &profileFinder{members: b.members}) }},
		{preauthorize, func() (sample, error) { return b.closed(b.service, &decider{members: b.members, call: "preauthorize"}) }},
		{floorSignature, func() (sample, error) { return signatures(c.Slice) }},
		{authorize, func() (sample, error) { return b.closed(b.service, &decider{members: b.members, call: "authorize"}) }},
		{listAlone, func() (sample, error) { return c.fewLists(b) }},
		{listBeside, func() (sample, error) { return c.beside(b) }},
	} {
		row := b.row(measure.name)
		if !b.wanted(row) {
			continue
		}
		got, err := measure.do()
		if err == nil && got.Requests == 0 {
			err = errNothing
		}
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		row.samples = append(row.samples, got)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// fewLists lists at a low steady rate.
func (c *entitlementCommand) fewLists(b *bench) (sample, error) {
	w := loadgen.Window{Warm: c.Warm, Measure: c.Slice}
	return b.measure(b.service, w, func(l *loadgen.Loop, w loadgen.Window) (loadgen.Result, error) {
		return l.Open(&lister{members: b.members}, poisson(c.Beside), w)
	})
}

// beside lists while as many authorize as the service manages.
func (c *entitlementCommand) beside(b *bench) (sample, error) {
	type outcome struct {
		sample
		err error
	}
	crowd := make(chan outcome, 1)
	go func() {
		got, err := b.closed(b.service, &decider{members: b.members, call: "authorize"})
		crowd <- outcome{got, err}
	}()
	lists, err := c.fewLists(b)
	others := <-crowd
	row := b.row(authorizeBeside)
	row.samples = append(row.samples, others.sample)
	return lists, errors.Join(err, others.err)
}
