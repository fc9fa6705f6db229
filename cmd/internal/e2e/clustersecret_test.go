package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"ssod/bench/process"
	"ssod/cmd/internal/ssodtest"
)

// TestTheSecretOpensACluster: a node alone has no port for others; with a secret it
// becomes one of three and keeps what it has; neighbours on the machine who have no
// secret, or another one, get nothing; and the secret is changed under load. All of it
// is without certificates, so that nothing else keeps anybody out.
func TestTheSecretOpensACluster(t *testing.T) {
	t.Parallel()
	c := newTrio(t, crashConfig)
	c.authority = nil
	host := newDevice("host")
	c.before = func(n *node) {
		if len(c.nodes) == 0 {
			n.wasAlone(host)
		}
		n.Secret = filepath.Join(n.Dir, "cluster.secret") // a copy of its own
		n.keepSecret(1)
	}
	for range 3 {
		c.add()
	}
	c.balanced()
	a := c.mustApp("one")
	until(t, "what the node had when it was alone", func() bool { return a.refresh(t.Context(), host) == nil })
	t.Run("strangers", func(t *testing.T) { c.refusesStrangers(t) })
	t.Run("another secret", func(t *testing.T) { c.changesSecret(t, a) })
	n := c.nodes[0]
	c.kill(n)
	n.Secret = ""
	n.refuses(2, []string{n.Data(), "belongs to a cluster of several nodes", "--cluster-secret"})
}

// wasAlone runs the node alone for a while, with a viewer.
func (n *node) wasAlone(host *device) {
	n.Helper()
	n.Secret = ""
	n.Start()
	want := []string{"tcp " + port(n.HTTP), "tcp " + port(n.Admin)}
	slices.Sort(want)
	if got := n.listens(); !slices.Equal(got, want) {
		n.Errorf("a node alone listens at %q, want %q", got, want)
	}
	must(n, n.mustApp("one").mint(n.Context(), host, "viewer"))
	n.stop()
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// keepSecret writes down a secret of keys that have numbers.
func (n *node) keepSecret(keys ...byte) {
	n.Helper()
	writeSecret(n, n.Secret, keys...)
}

func writeSecret(t testing.TB, file string, keys ...byte) {
	t.Helper()
	var text []byte
	for _, k := range keys {
		text = append(text, keyLine(k)+"\n"...)
	}
	must(t, os.WriteFile(file, text, 0o600))
}

func keyLine(k byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{k}, 32))
}

// stranger is a process of somebody else on this machine, who wants to be a member.
type stranger struct {
	*process.Process
	testing.TB
	dir, admin string
}

// newStranger starts a process of the user nobody, where a test may do that, else of
// this one. No key: it has no secret.
func newStranger(t *testing.T, join string, key byte) *stranger {
	t.Helper()
	dir, err := os.MkdirTemp("", "ssod-stranger-") // not below a directory of this user
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	binary, err := ssodtest.SSOD()
	must(t, err)
	must(t, os.Link(binary, filepath.Join(dir, "ssod")))
	at, err := process.FreeAddresses(5)
	must(t, err)
	args := []string{
		"--data", filepath.Join(dir, "data"), "--node", "stranger", "--http", at[0], "--admin", at[1],
		"--shards", "16", "--join", join, "--log-level", "debug",
	}
	if key != 0 {
		secret := filepath.Join(dir, "secret")
		writeSecret(t, secret, key)
		args = append(args, "--cluster-secret", secret, "--gossip", at[2], "--rpc", at[3], "--raft", at[4])
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	defer log.Close() // the process has its own copy
	cmd := exec.Command(filepath.Join(dir, "ssod"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if os.Geteuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if d.Name() == "ssod" { // the one that all tests run
				return err
			}
			return errors.Join(err, os.Chown(path, nobody, nobody))
		}))
	}
	s := &stranger{TB: t, dir: dir, admin: at[1]}
	s.Process, err = process.Run(cmd)
	must(t, err)
	t.Cleanup(func() { must(t, s.Kill()) })
	return s
}

func (s *stranger) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	must(s, err)
	return string(text)
}

// refusesStrangers lets neighbours join who have no secret, and another one: they
// are no members and have no sealing key, and those they asked say why.
func (c *trio) refusesStrangers(t *testing.T) {
	before := fmt.Sprint(c.view())
	none := newStranger(t, c.nodes[0].Gossip, 0)
	<-none.Exited()
	if code := none.ExitCode(); code != 2 || !has(none.log(), "--join needs --cluster-secret") {
		t.Errorf("without a secret: status %d\n%s", code, none.log())
	}
	none.hasNothing(c)

	c.refuses(t, 99).hasNothing(c)
	if after := fmt.Sprint(c.view()); after != before {
		t.Errorf("the cluster is %s, was %s", after, before)
	}
	for _, n := range c.nodes {
		if has(n.Logged(), keyLine(1)) || has(n.Logged(), keyLine(99)) {
			t.Errorf("a secret is in the log of %s", n.Dir)
		}
	}
}

// unproved is what a node says of somebody whose gossip is under another key.
const unproved = "refused a sender that does not have the secret of this cluster"

// refuses waits until a stranger who holds a key was refused and says that it waits.
func (c *trio) refuses(t *testing.T, key byte) *stranger {
	t.Helper()
	said := len(c.nodes[0].Logged())
	s := newStranger(t, c.nodes[0].Gossip, key)
	asked, client := c.nodes[0], newClient(t)
	until(t, "the node that was asked names the refusal", func() bool { return has(asked.Logged()[said:], unproved) })
	until(t, "the stranger knows that it is none of them", func() bool {
		a, err := exchange(t.Context(), client, "http://"+s.admin, call{method: http.MethodGet, target: "/readyz"})
		return err == nil && a.Status == http.StatusServiceUnavailable && has(string(a.Body), "it has another cluster secret than this node")
	})
	return s
}

// hasNothing checks that nothing of a cluster is in the stranger's directory.
func (s *stranger) hasNothing(c *trio) {
	s.Helper()
	sealing, err := os.ReadFile(filepath.Join(c.nodes[0].Data(), "sealing.key"))
	must(s, err)
	must(s, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "ssod" {
			return err
		}
		text, err := os.ReadFile(path)
		if d.Name() == "sealing.key" || bytes.Contains(text, bytes.TrimSpace(sealing)) {
			s.Errorf("the stranger has %s", path)
		}
		return err
	}))
}

// changesSecret changes the secret in the three steps of
// cmd/ssod/docs/security.md#changing-secrets, while viewers use all nodes: no request
// fails. Afterwards the old secret opens nothing.
func (c *trio) changesSecret(t *testing.T, a *app) {
	for _, n := range c.nodes {
		n.Signal(syscall.SIGHUP) // nothing is new
		n.reloaded(1)
	}
	terms := c.terms()
	requests, failures := c.during(t, a, func(more func()) {
		for i, keys := range [][]byte{{1, 2}, {2, 1}, {2}} {
			for _, n := range c.nodes {
				n.keepSecret(keys...)
				n.Signal(syscall.SIGHUP)
				n.reloaded(i + 2)
				more()
			}
		}
	})
	elections := c.terms() - terms
	t.Logf("failed requests: %d of %d; elections %d", len(failures), requests, elections)
	if len(failures) > 0 && (elections == 0 || slices.ContainsFunc(failures, answered)) {
		t.Errorf("%d of %d requests failed: %v", len(failures), requests, failures[0])
	}
	c.kill(c.nodes[2])
	c.start(c.nodes[2]) // it knows the new secret only, and so do those who let it in
	c.promised()
	c.through(c.nodes[2])
	for i := range 20 { // most of them are decided elsewhere
		name := fmt.Sprint("through the node that came back ", i)
		until(t, "an answer", func() bool { return a.mint(t.Context(), newDevice(name), name) == nil })
	}
	c.through(nil)
	c.refuses(t, 1).hasNothing(c)
}

// reloaded waits until the node has read its secret for the nth time.
func (n *node) reloaded(times int) {
	n.Helper()
	until(n, "the secret is read again", func() bool { return strings.Count(n.Logged(), "cluster secret reloaded") == times })
}

// during lets viewers use all nodes while work runs, and returns how many requests
// they sent and what went wrong. Work can wait for more requests.
func (c *trio) during(t *testing.T, a *app, work func(more func())) (requests int64, failures []error) {
	var sent atomic.Int64
	var mu sync.Mutex
	ctx, stop := context.WithCancel(t.Context())
	var viewers sync.WaitGroup
	for i := range viewersAtOnce {
		viewers.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				d := newDevice(fmt.Sprint("during ", i, " ", k))
				for _, request := range []func() error{
					func() error { return a.mint(t.Context(), d, fmt.Sprint("viewer ", i, " ", k)) },
					func() error { return a.refresh(t.Context(), d) },
					func() error { _, err := a.list(t.Context(), d); return err },
				} {
					sent.Add(1)
					if err := request(); err != nil {
						mu.Lock()
						failures = append(failures, err)
						mu.Unlock()
						break
					}
				}
			}
		})
	}
	work(func() {
		enough := sent.Load() + 100
		until(t, "more requests", func() bool { return sent.Load() >= enough })
	})
	stop()
	viewers.Wait()
	return sent.Load(), failures
}
