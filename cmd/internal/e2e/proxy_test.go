package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ssod/bench/process"
	"ssod/cmd/internal/ssodtest"
)

// proxyKind is a proxy and how it is told to pass everything on that it does not
// refuse.
type proxyKind struct {
	name, program string
	args          []string // {dir} is the directory, {file} the configuration
	config        string   // {listen} and {node} are addresses; {dir}
	// attempt finds in a line of the log each try to pass a request on,
	// answered those that were answered.
	attempt, answered *regexp.Regexp
}

// The proxies keep connections to the node, so that what is left over on one
// would be read before the next request. Their time-outs are short, because many
// cases leave them waiting for the rest, and long enough that on a busy machine they
// do not give a client up that is about to send.
var proxies = []proxyKind{
	nginx("nginx that streams bodies", "off"),
	nginx("nginx that buffers bodies", "on"),
	haproxy("haproxy", ""),
	haproxy("haproxy that accepts invalid requests", "option accept-invalid-http-request"),
}

func nginx(name, buffering string) proxyKind {
	return proxyKind{
		name: name, program: "nginx", args: []string{"-p", "{dir}", "-e", "{dir}/error.log", "-c", "{file}"},
		config: `
daemon off;
master_process off;
pid {dir}/pid;
events { worker_connections 256; }
http {
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  log_format tries '$status to [$upstream_addr] got [$upstream_status] $request';
  access_log {dir}/proxy.log tries;
  client_header_timeout 2s;
  client_body_timeout 2s;
  keepalive_timeout 2s;
  lingering_close off;
  upstream node { server {node}; keepalive 4; }
  server {
    listen {listen};
    ignore_invalid_headers off;
    underscores_in_headers on;
    merge_slashes off;
    location / {
      proxy_pass http://node;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering ` + buffering + `;
    }
  }
}`,
		attempt:  regexp.MustCompile(`to \[.*?:\d+.*?\] got`),
		answered: regexp.MustCompile(`got \[\d+\]`),
	}
}

func haproxy(name, option string) proxyKind {
	return proxyKind{
		name: name, program: "haproxy", args: []string{"-db", "-f", "{file}"},
		config: `
global
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%ST to [%s] flags %tsc %{+Q}r"
  timeout connect 5s
  timeout server 5s
  timeout client 2s
  timeout http-request 2s
  timeout http-keep-alive 2s
  retries 0
  http-reuse always
frontend clients
  bind {listen}
  ` + option + `
  default_backend nodes
backend nodes
  server node {node}
`,
		attempt:  regexp.MustCompile(`to \[node\]`),
		answered: regexp.MustCompile(`^[2345]\d\d to \[node\] flags --`),
	}
}

// proxy is a running one.
type proxy struct {
	testing.TB
	proxyKind
	dir, address string
}

// startProxy starts a proxy before a node, and ends it with the test.
func startProxy(t testing.TB, kind proxyKind, node string) *proxy {
	t.Helper()
	program := installed(t, kind.program, "nginx-light haproxy")
	addresses, err := process.FreeAddresses(1)
	must(t, err)
	p := &proxy{TB: t, proxyKind: kind, dir: t.TempDir(), address: addresses[0]}
	file := filepath.Join(p.dir, "proxy.conf")
	fill := strings.NewReplacer("{dir}", p.dir, "{file}", file, "{listen}", p.address, "{node}", node)
	must(t, os.WriteFile(file, []byte(fill.Replace(kind.config)), 0o600))
	args := make([]string, len(kind.args))
	for i, arg := range kind.args {
		args[i] = fill.Replace(arg)
	}
	p.run(exec.Command(program, args...))
	return p
}

// installed is the path of a program of the machine; without it the test cannot
// be done.
func installed(t testing.TB, program, packages string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("not proved: %s is not installed (apt-get install %s)", program, packages)
	return ""
}

// run starts the program and waits until it takes connections.
func (p *proxy) run(cmd *exec.Cmd) {
	p.Helper()
	out, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(p, err)
	defer out.Close() // the process has its own copy
	cmd.Stdout, cmd.Stderr = out, out
	running, err := process.Run(cmd)
	must(p, err)
	p.Cleanup(func() {
		if err := running.Kill(); err != nil {
			p.Error(err)
		}
		if p.Failed() {
			p.Logf("log of %s:\n%s", p.name, ssodtest.Tail(p.log()))
		}
	})
	until(p, p.name+" takes connections", func() bool {
		select {
		case <-running.Exited():
			p.Fatalf("%s ended:\n%s", p.name, p.log())
		default:
		}
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			return false
		}
		must(p, c.Close())
		return true
	})
}

func (p *proxy) logFile() string { return filepath.Join(p.dir, "proxy.log") }

func (p *proxy) log() string {
	p.Helper()
	raw, err := os.ReadFile(p.logFile())
	must(p, err)
	return string(raw)
}

// passed counts what the proxy logged after the first so many bytes: requests it
// tried to pass on to the node, and those of them that the node answered.
func (p *proxy) passed(after int) passed {
	p.Helper()
	var n passed
	for line := range strings.Lines(p.log()[after:]) {
		if p.attempt.MatchString(line) {
			n.tried++
		}
		if p.answered.MatchString(line) {
			n.answered++
		}
	}
	return n
}

// passed counts requests that a proxy passed on.
type passed struct{ tried, answered int }

func (n passed) String() string {
	return fmt.Sprintf("%d, of which %d were answered", n.tried, n.answered)
}
