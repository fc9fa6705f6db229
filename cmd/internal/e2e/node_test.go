package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/bench/process"
)

// buildDir holds the binary under test until the tests are over.
var buildDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// atOnce is how many tests run side by side, unless the command line says
// otherwise: more than there are cores, because most of them wait for processes.
const atOnce = "3"

func run(m *testing.M) int {
	err := flag.Set("test.parallel", atOnce)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if buildDir, err = os.MkdirTemp("", "ssod-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(buildDir)
	return m.Run()
}

// The programs are built once; each function returns the path of one.
var (
	program       = sync.OnceValues(func() (string, error) { return build("ssod", "ssod/cmd/ssod") })
	ssoctlProgram = sync.OnceValues(func() (string, error) { return build("ssoctl", "ssod/cmd/ssoctl") })
	benchProgram  = sync.OnceValues(func() (string, error) { return build("ssobench", "ssod/bench") })
)

// build builds a program. In a long run it is the static one of make build, which a
// fresh machine takes a minute for: all of its memory is Go's.
func build(name, path string) (string, error) {
	binary := filepath.Join(buildDir, name)
	build := exec.Command("go", "build", "-o", binary, path)
	if long() {
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
	}
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return binary, nil
}

// long says that the volumes of a long run are wanted.
func long() bool { return os.Getenv("SSOD_LONG") != "" }

// volume is n, or more in a long run.
func volume(n, inLongRun int) int {
	if long() {
		return inLongRun
	}
	return n
}

// node is one ssod on a directory of its own, which outlives its processes.
type node struct {
	testing.TB
	dir         string
	flags       []string
	env         []string // beside that of the test
	mount       string   // options of a tmpfs for the data directory; empty for none
	http, admin string
	sampled     *sample // calls that are checked against the OpenAPI document; nil for all
	gossip      string
	secret      string       // file of the cluster's secret; empty: the node is alone
	addresses   []string     // kept over restarts; nil: each process has new ones
	front       func() *node // of a cluster: the node that the next call goes to
	process     *process.Process
	client      *http.Client
}

// newNode makes a directory with a configuration and starts nothing yet.
func newNode(t testing.TB, config string, flags ...string) *node {
	t.Helper()
	n := &node{TB: t, dir: t.TempDir(), flags: flags, client: newClient(t)}
	if err := os.WriteFile(n.configFile(), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("log of the node:\n%s", tail(n.log(), 4<<10))
		}
	})
	return n
}

// startNode starts a node that is killed at the end of the test.
func startNode(t testing.TB, config string, flags ...string) *node {
	t.Helper()
	n := newNode(t, config, flags...)
	n.start()
	return n
}

func newClient(t testing.TB) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (n *node) configFile() string { return filepath.Join(n.dir, "ssod.yaml") }
func (n *node) data() string       { return filepath.Join(n.dir, "data") }
func (n *node) logFile() string    { return filepath.Join(n.dir, "ssod.log") }

// log is what all processes of the node have logged.
func (n *node) log() string {
	raw, err := os.ReadFile(n.logFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.Error(err)
	}
	return string(raw)
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// launch starts a process and does not wait for it.
func (n *node) launch(more ...string) {
	n.Helper()
	out, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(n, err)
	defer out.Close() // the process has its own copy
	cmd := n.command(more...)
	cmd.Stdout, cmd.Stderr = out, out
	n.process, err = process.Run(cmd)
	must(n, err)
}

// command is a process of the node on new ports.
func (n *node) command(more ...string) *exec.Cmd {
	n.Helper()
	addrs := n.addresses
	if addrs == nil {
		var err error
		addrs, err = process.FreeAddresses(5)
		must(n, err)
	}
	n.http, n.admin, n.gossip = addrs[0], addrs[1], addrs[2]
	args := []string{
		"--config", n.configFile(), "--data", n.data(), "--http", addrs[0], "--admin", addrs[1],
		"--log-format", "json", "--drain-delay", "0s", "--silent-for", "3s",
	}
	if n.secret != "" {
		args = append(args, "--cluster-secret", n.secret, "--gossip", addrs[2], "--rpc", addrs[3], "--raft", addrs[4])
	}
	args = append(append(args, n.flags...), more...)
	binary, err := program()
	must(n, err)
	cmd := exec.Command(binary, args...)
	if n.mount != "" {
		cmd = inMount(n.mount, n.data(), binary, args...)
	}
	cmd.Env = append(cmd.Environ(), n.env...)
	return cmd
}

// at is the node that the next call goes to.
func (n *node) at() *node {
	if n.front != nil {
		return n.front()
	}
	return n
}

// start starts a process and returns once it is ready.
func (n *node) start(more ...string) {
	n.Helper()
	n.launch(more...)
	if err := n.ready(); err != nil {
		n.Fatalf("start: %v\n%s", err, tail(n.log(), 4<<10))
	}
}

func (n *node) ready() error {
	ctx, cancel := context.WithTimeout(n.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if status, _ := n.get(ctx, "http://"+n.admin+"/readyz"); status == http.StatusOK {
			return nil
		}
		select {
		case <-n.process.Exited():
			return errors.New("the process ended before it was ready")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// get returns the status and the body of a page; status 0 when nobody answers.
func (n *node) get(ctx context.Context, url string) (int, string) {
	return n.read(ctx, http.MethodGet, url)
}

// goroutines is what all goroutines of the node do.
func (n *node) goroutines() string {
	n.Helper()
	status, page := n.read(n.Context(), http.MethodPost, "http://"+n.admin+"/debug/pprof/goroutine?debug=2")
	if status != http.StatusOK {
		n.Fatalf("goroutines: %d", status)
	}
	return page
}

func (n *node) read(ctx context.Context, method, url string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		n.Fatal(err)
	}
	response, err := n.client.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(body)
}

// kill ends the process as a power cut would. Connections of the client die
// with it.
func (n *node) kill() {
	if n.process == nil {
		return
	}
	if err := n.process.Kill(); err != nil {
		n.Error(err)
	}
	n.process = nil
	n.client.CloseIdleConnections()
}

// outcome is how a process ended: exit status and the log it wrote.
type outcome struct {
	status int
	log    string
}

// fails starts a process that is expected to end by itself.
func (n *node) fails(more ...string) outcome {
	n.Helper()
	before := len(n.log())
	n.launch(more...)
	select {
	case <-n.process.Exited():
	case <-time.After(2 * time.Minute):
		n.kill()
		n.Fatalf("the process is still running:\n%s", n.log()[before:])
	}
	status := n.process.ExitCode()
	n.process = nil
	return outcome{status: status, log: n.log()[before:]}
}

// until polls a condition and fails the test when it does not come true.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	within(t, 2*time.Minute, what, condition)
}

// within is until with another limit.
func within(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for: %s", limit, what)
		}
		<-tick.C
	}
}

// has reports whether every word is in text, whatever the case.
func has(text string, words ...string) bool {
	lower := strings.ToLower(text)
	for _, word := range words {
		if !strings.Contains(lower, strings.ToLower(word)) {
			return false
		}
	}
	return true
}
