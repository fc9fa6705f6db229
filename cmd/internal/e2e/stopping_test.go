package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ssod/bench/process"
	"ssod/cmd/internal/ssodtest"
)

// stops sends SIGTERM and expects a clean end. A stop that is not over after the
// drain delay and the grace ends with another status.
func (n *node) stops() {
	n.Helper()
	n.Signal(syscall.SIGTERM)
	n.ends(0)
}

// ends expects the process to end with a status.
func (n *node) ends(status int) {
	n.Helper()
	if got := n.AwaitEnd(time.Minute); got != status {
		n.Errorf("status %d, want %d:\n%s", got, status, ssodtest.Tail(n.Logged()))
	}
	n.client.CloseIdleConnections()
}

// page is a page of the admin listener.
func (n *node) page(path string) string {
	n.Helper()
	_, text := n.Page(path)
	return text
}

// A node that waits for others to join stops when it is told to.
func TestStopWhileJoining(t *testing.T) {
	t.Parallel()
	nobody, err := process.FreeAddresses(1)
	must(t, err)
	n := newNode(t, plainConfig)
	n.Secret = ssodtest.NewSecret(t, t.TempDir())
	n.Launch("--join", nobody[0])
	until(t, "it waits for a member", func() bool { return has(n.page("/readyz"), "joining") })
	n.stops()
}

// A reload that cannot read its file holds up neither the node nor its end: the file
// is a pipe here that somebody has opened and writes nothing to.
func TestStopWhileReloading(t *testing.T) {
	t.Parallel()
	n := startNode(t, plainConfig)
	pipe := n.ConfigFile() + ".pipe"
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, os.Rename(pipe, n.ConfigFile()))
	n.Signal(syscall.SIGHUP)
	var writer int
	until(t, "it reads the file", func() (reads bool) {
		var err error
		writer, err = syscall.Open(n.ConfigFile(), syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		return err == nil
	})
	defer syscall.Close(writer)
	must(t, n.mustApp("one").mint(t.Context(), newDevice("host"), "viewer"))
	n.Signal(syscall.SIGHUP) // and another one, which waits
	n.stops()
}

// Without a majority, a reload whose file needs new keys takes what it can, and the
// node stops when it is told to.
func TestStopAfterAReloadWithoutAMajority(t *testing.T) {
	t.Parallel()
	c := startTrio(t, plainConfig)
	n := c.nodes[0]
	until(t, "three nodes vote", func() bool { return has(n.page("/admin/v1/cluster"), "durability of 2 nodes") })
	c.nodes[1].Kill()
	c.nodes[2].Kill()
	changed := strings.Replace(plainConfig, "realms:\n", "accessToken: {algorithm: RS256}\nrealms:\n", 1)
	if changed == plainConfig {
		t.Fatal("the configuration is not changed")
	}
	must(t, os.WriteFile(n.ConfigFile(), []byte(changed), 0o600))
	n.Signal(syscall.SIGHUP)
	until(t, "it is reloaded", func() bool { return has(n.Logged(), "configuration reloaded") })
	if status, text := n.post("/admin/v1/reload"); status != http.StatusOK {
		t.Errorf("reload by the admin API: %d %s", status, text)
	}
	until(t, "the missing key shows", func() bool { return has(n.page("/readyz"), "keys made") })
	rotating, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.Admin+"/admin/v1/keys/rotate", nil)
	must(t, err)
	sent := make(chan struct{})
	rotating = rotating.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
	}))
	go func() { // it waits for a majority
		if answer, err := http.DefaultTransport.RoundTrip(rotating); err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-sent
	n.stops()
}

// post makes a call of the admin API without a body.
func (n *node) post(path string) (int, string) {
	n.Helper()
	request, err := http.NewRequestWithContext(n.Context(), http.MethodPost, "http://"+n.Admin+path, nil)
	must(n, err)
	response, err := n.client.Do(request)
	must(n, err)
	defer response.Body.Close()
	var answer json.RawMessage
	must(n, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, string(answer)
}

// manyRealms is a configuration of n realms.
func manyRealms(n int) string {
	var b strings.Builder
	b.WriteString("throttle: {enabled: false}\nrealms:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {id: r%d, serviceProviders: [{id: sp%d}]}\n", i, i)
	}
	return b.String()
}

// However many realms there are: a node is ready before it has made the keys that
// take long, makes one when it is needed, is stopped while it makes others, and
// afterwards goes on where it was; a rotation of all of them is answered at once,
// and a stop does not end it.
func TestManyRealms(t *testing.T) {
	t.Parallel()
	realms := volume(60, 1500)
	n := newNode(t, manyRealms(realms))
	n.Launch()
	until(t, "the process answers", func() bool { return n.page("/livez") != "" })
	n.stops() // amid the start, or soon after
	began := time.Now()
	n.Start()
	t.Logf("%d realms: ready after %v", realms, time.Since(began).Round(time.Millisecond))
	if !has(n.page("/readyz"), fmt.Sprintf("of %d: the others are made in the background", realms)) {
		t.Errorf("nothing is said of missing keys:\n%s", n.page("/readyz"))
	}
	n.wantKeySet(fmt.Sprintf("r%d", realms-1))
	status, answer := n.post("/admin/v1/keys/rotate")
	if status != http.StatusAccepted || !has(answer, `"rotation"`, fmt.Sprintf(`"keys": %d`, 3+3*realms)) {
		t.Errorf("rotation of all keys: %d %s", status, answer)
	}
	began = time.Now()
	n.stops()
	t.Logf("stopped after %v", time.Since(began).Round(time.Millisecond))
	n.Start()
	before := n.missingKeys()
	ssodtest.Until(t, "keys are made", 2*time.Minute, func() bool { return n.missingKeys() < before })
	if before == 0 || !has(n.page("/readyz"), fmt.Sprintf("of %d:", 3+4*realms)) {
		t.Errorf("the rotation does not go on: %v keys are missing\n%s", before, n.page("/readyz"))
	}
	n.stops()
}

// wantKeySet checks that a realm has its key when somebody asks for it.
func (n *node) wantKeySet(realm string) {
	n.Helper()
	url := "http://" + n.HTTP + "/.well-known/" + realm + "/jwks.json"
	until(n, "the key is published", func() bool { // on a busy machine it takes long
		request, err := http.NewRequestWithContext(n.Context(), http.MethodGet, url, nil)
		must(n, err)
		response, err := n.client.Do(request)
		must(n, err)
		defer response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" {
			return false
		}
		var set struct{ Keys []json.RawMessage }
		must(n, json.NewDecoder(response.Body).Decode(&set))
		if got := response.Header.Get("Cache-Control"); got != "max-age=300" || len(set.Keys) != 1 {
			n.Errorf("%d: %d keys with Cache-Control %q", response.StatusCode, len(set.Keys), got)
		}
		return true
	})
}

// missingKeys is what the metric says.
func (n *node) missingKeys() (missing float64) {
	n.Helper()
	for line := range strings.Lines(n.page("/metrics")) {
		if value, ok := strings.CutPrefix(line, "ssod_keys_missing "); ok {
			if _, err := fmt.Sscan(value, &missing); err != nil {
				n.Error(err)
			}
		}
	}
	return missing
}

// Two signals end a process at once that takes its time to drain.
func TestASecondSignalStopsAtOnce(t *testing.T) {
	t.Parallel()
	n := startNode(t, plainConfig, "--drain-delay", "1h")
	n.Signal(syscall.SIGTERM)
	until(t, "it drains", func() bool { return has(n.Logged(), "draining") })
	if status, _ := n.Page("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz while draining: %d", status)
	}
	n.Signal(syscall.SIGINT)
	n.ends(1)
	if !has(n.Logged(), "stopped at once") {
		t.Error("the log does not say that it was stopped at once")
	}
}
