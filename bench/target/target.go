// Package target is the service that a bench measures: one ssod process with a
// configuration made for it, or one that already runs, and the credentials to
// call it with.
package target

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ssod/bench/process"
)

// Service is a running node.
type Service struct {
	HTTP, Admin string // addresses
	// Process is nil when the node was started by somebody else.
	Process *process.Process
	gossip  string // address; empty outside of a cluster
}

// Realm is one tenant of the bench's configuration.
type Realm struct {
	ID, ServiceProvider string
	// LinkCode is its settings of link codes in YAML; empty: the default.
	LinkCode string
	// MVPDs is its TV providers, a list in YAML; empty: the sandbox.
	MVPDs string
}

// Realms names n tenants.
func Realms(n int) []Realm {
	realms := make([]Realm, n)
	for i := range realms {
		realms[i] = Realm{ID: fmt.Sprintf("bench-%d", i+1), ServiceProvider: fmt.Sprintf("stream-%d", i+1)}
	}
	return realms
}

// config is a configuration with these realms and no throttle: everything else
// has its default, because that is what is measured.
func config(realms []Realm) string {
	var b strings.Builder
	b.WriteString("throttle: {enabled: false}\nrealms:\n")
	for _, r := range realms {
		fmt.Fprintf(&b, "  - id: %s\n    serviceProviders: [{id: %s, domains: [bench.example]}]\n", r.ID, r.ServiceProvider)
		fmt.Fprintf(&b, "    mvpds: %s\n", cmp.Or(r.MVPDs, "[{id: sandbox, kind: sandbox}]"))
		if r.LinkCode != "" {
			fmt.Fprintf(&b, "    linkCode: %s\n", r.LinkCode)
		}
	}
	return b.String()
}

// Start runs program on the directory dir, which may hold data of an earlier
// run, with more flags than a bench needs, and returns once it is ready. Its log
// goes to dir/ssod.log.
func Start(ctx context.Context, program, dir string, realms []Realm, flags ...string) (*Service, error) {
	file := filepath.Join(dir, "ssod.yaml")
	if err := os.WriteFile(file, []byte(config(realms)), 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "ssod.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own copy
	addrs, err := process.FreeAddresses(5)
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--config", file, "--data", filepath.Join(dir, "data"),
		"--http", addrs[0], "--admin", addrs[1],
		"--drain-delay", "0s", "--log-level", "warn", "--log-format", "json",
	}, flags...)
	peers := []string{"--gossip", addrs[2], "--rpc", addrs[3], "--raft", addrs[4]}
	if args, err = suited(ctx, program, args, peers); err != nil {
		return nil, err
	}
	p, err := process.Start(log, program, args...)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	s := &Service{HTTP: addrs[0], Admin: addrs[1], Process: p, gossip: addrs[2]}
	if err := s.waitReady(ctx); err != nil {
		_ = p.Kill() // the reason is in err
		return nil, fmt.Errorf("start %s: %w; see %s", program, err, log.Name())
	}
	return s, nil
}

const readyPoll = 5 * time.Millisecond

// waitReady polls /readyz until it answers 200.
func (s *Service) waitReady(ctx context.Context) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		if s.ready(ctx) {
			return nil
		}
		select {
		case <-s.Process.Exited():
			return fmt.Errorf("it ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("it was not ready in time: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (s *Service) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // so that the connection is kept
	return response.StatusCode == http.StatusOK
}
