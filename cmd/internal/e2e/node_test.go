package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

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
	return ssodtest.Main(m)
}

// volume is n, or more in a long run.
func volume(n, inLongRun int) int {
	if ssodtest.Long() {
		return inLongRun
	}
	return n
}

// node is an ssod and a client of it.
type node struct {
	*ssodtest.Node
	sampled *sample      // calls that are checked against the OpenAPI document; nil for all
	front   func() *node // of a cluster: the node that the next call goes to
	client  *http.Client
}

// newNode makes a directory with a configuration and starts nothing yet.
func newNode(t testing.TB, config string, flags ...string) *node {
	t.Helper()
	return &node{Node: ssodtest.New(t, t.TempDir(), config, append([]string{"--drain-delay", "0s"}, flags...)...), client: newClient(t)}
}

// startNode starts a node that is killed at the end of the test.
func startNode(t testing.TB, config string, flags ...string) *node {
	t.Helper()
	n := newNode(t, config, flags...)
	n.Start()
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

// at is the node that the next call goes to.
func (n *node) at() *node {
	if n.front != nil {
		return n.front()
	}
	return n
}

// name is that of a node of a cluster.
func (n *node) name() string { return n.Flags[slices.Index(n.Flags, "--node")+1] }

// goroutines is what all goroutines of the node do.
func (n *node) goroutines() string {
	n.Helper()
	status, page, err := n.Ask(http.MethodPost, "/debug/pprof/goroutine?debug=2", nil)
	if err != nil || status != http.StatusOK {
		n.Fatalf("goroutines: %d, %v", status, err)
	}
	return page
}

// Kill ends the process as a power cut would. Connections of the client die
// with it.
func (n *node) Kill() {
	n.Helper()
	n.Node.Kill()
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
	n.Launch(more...)
	status := n.AwaitEnd(ssodtest.ReadyWithin)
	return outcome{status, n.Said()}
}

// until polls a condition and fails the test when it does not come true.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ssodtest.Until(t, what, ssodtest.ReadyWithin, condition)
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
