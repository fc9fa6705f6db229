package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"ssod/bench/process"
	"ssod/bench/target"
)

// memoryCommand measures what profiles cost in memory while they are active and
// idle: the growth of the live heap of the process by the growth of the number
// of active profiles. The first part of the profiles only fills what is
// allocated once, memtables and caches.
type memoryCommand struct {
	Ssod        string `default:"bin/ssod" placeholder:"FILE" help:"The service to start on an empty directory."`
	Connections int    `default:"64" help:"Connections."`
	Warm        int    `default:"50000" help:"Profiles before the measurement."`
	Profiles    int    `default:"100000" help:"Profiles that are measured."`
	Devices     int    `default:"3" help:"Devices of each."`
	State       int    `default:"275" help:"Bytes of the encoded state of such a profile."`
	Mark        int    `default:"1024" help:"Bytes that a profile may cost besides its state."`
	Heap        string `placeholder:"FILE" help:"Write the heap profile here, for go tool pprof."`
	Strict      bool   `help:"Exit 1 when the mark is missed."`
}

func (c *memoryCommand) Run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	starting, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	realms := target.Realms(4)
	service, err := target.Start(starting, c.Ssod, dir, realms)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Process.Kill()) }()
	b := &bench{runCommand: &runCommand{Connections: c.Connections, Clients: 4}, service: single(service.HTTP, service.Process)}
	if err := b.register(ctx, service, realms); err != nil {
		return err
	}
	before, err := c.mint(ctx, b, service, "warm", c.Warm)
	if err != nil {
		return err
	}
	after, err := c.mint(ctx, b, service, "measured", c.Profiles)
	if err != nil {
		return err
	}
	if err := c.saveHeap(ctx, service.Admin); err != nil {
		return err
	}
	return c.judge(before, after, service.Process)
}

func (c *memoryCommand) saveHeap(ctx context.Context, admin string) error {
	if c.Heap == "" {
		return nil
	}
	profile, err := page(ctx, http.MethodPost, "http://"+admin+"/debug/pprof/heap")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Heap, []byte(profile), 0o644)
}

// mint founds profiles and reads the memory when the garbage is gone.
func (c *memoryCommand) mint(ctx context.Context, b *bench, service *target.Service, name string, profiles int) (memory, error) {
	mints := &minter{clients: b.clients, name: name, perViewer: c.Devices, limit: profiles * c.Devices}
	if err := b.all(b.service, mints); err != nil {
		return memory{}, err
	}
	return readMemory(ctx, service.Admin)
}

func (c *memoryCommand) judge(before, after memory, p *process.Process) error {
	profiles := after.active - before.active
	if profiles < float64(c.Profiles)/2 {
		return fmt.Errorf("only %.0f of %d profiles are active", profiles, c.Profiles)
	}
	rss, err := p.RSS()
	if err != nil {
		return err
	}
	each := (after.heap - before.heap) / profiles
	verdict := "PASS"
	if each > float64(c.State+c.Mark) {
		verdict = "FAIL"
	}
	fmt.Printf("%.0f active profiles with %d devices: %.0f bytes of heap each, of which %d are state, mark %d beside it: %s; RSS %d MiB with %.0f profiles\n",
		profiles, c.Devices, each, c.State, c.Mark, verdict, rss>>20, after.active)
	if c.Strict && verdict == "FAIL" {
		return errMissed
	}
	return nil
}

// memory is the memory of the process by its own metrics.
type memory struct{ heap, active float64 }

func readMemory(ctx context.Context, admin string) (memory, error) {
	if _, err := page(ctx, http.MethodPost, "http://"+admin+"/debug/pprof/heap?gc=1"); err != nil {
		return memory{}, err
	}
	metrics, err := page(ctx, http.MethodGet, "http://"+admin+"/metrics")
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range strings.Lines(metrics) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		to := map[string]*float64{"go_memstats_heap_alloc_bytes": &m.heap, `ssod_actor_active{kind="profile"}`: &m.active}[series]
		if to == nil {
			continue
		}
		if *to, err = strconv.ParseFloat(value, 64); err != nil {
			return memory{}, fmt.Errorf("metric %s: %w", series, err)
		}
	}
	return m, nil
}

// metric is the sum of a metric over its labels.
func metric(ctx context.Context, admin, name string) (sum float64, err error) {
	all, err := page(ctx, http.MethodGet, "http://"+admin+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(all) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if series != name && !strings.HasPrefix(series, name+"{") {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", series, err)
		}
		sum += v
	}
	return sum, nil
}

// page returns the body of an admin page.
func page(ctx context.Context, method, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	return string(body), err
}
