package actors_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster/faulty"
	"ssod/cluster/stream"
	"ssod/cluster/transport"
	"ssod/cluster/transport/transporttest"
)

// BenchmarkHop asks entities of another process over TLS, with commands that wait for a
// read barrier there and with such that do not. It prints the CPU time and the voluntary
// context switches of both processes per request; those who ask are in it.
func BenchmarkHop(b *testing.B) {
	dir := b.TempDir()
	authority, err := transporttest.NewAuthority(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"n1", "n2"} {
		if _, err := authority.Issue(name); err != nil {
			b.Fatal(err)
		}
	}
	b.Setenv(certsOfNode, dir)
	v := newView(faulty.Options{Shards: 64})
	r := start(b, v, &probe{}, func(c *actors.Config) { c.Self, c.Remote = "", secured(dir, 1) })
	other := startNode(b, "self")
	v.move(other.address, 5)
	for name, command := range map[string]proto.Message{"plain": ping, "fenced": do("read fenced")} {
		for _, callers := range []int{1, 4, 16, 64, 512} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				ourCPU, theirs := cpu(), other.spent(b)
				ours := switches(b, os.Getpid())
				askMany(b, r, callers, command)
				now := other.spent(b)
				b.ReportMetric(float64(cpu()-ourCPU+now.cpu-theirs.cpu)/float64(b.N), "both-cpu-ns/op")
				b.ReportMetric(float64(switches(b, os.Getpid())-ours+now.switches-theirs.switches)/float64(b.N), "switches/op")
			})
		}
	}
}

// secured is a transport with TLS, of node 1 or 2.
func secured(dir string, id uint32) *actors.Remote {
	t := loopback()
	name := func(id uint32) string { return fmt.Sprint("n", id) }
	file := func(suffix string) string { return filepath.Join(dir, name(id)+suffix) }
	credentials, err := transport.LoadCredentials(transport.Files{Cert: file(".pem"), Key: file(".key"), CA: filepath.Join(dir, "ca.pem")}, name(id))
	if err != nil {
		panic(err) // the test has just made them
	}
	t.Papers.Self = stream.Member{ID: id, Name: name(id)}
	t.Papers.At = func(string) (stream.Member, bool) { return stream.Member{ID: 3 - id, Name: name(3 - id)}, true }
	t.Papers.Server, t.Papers.Client = credentials.Server(), credentials.Client
	return t
}

// spent is what a process has used.
type spent struct{ cpu, switches int64 }

func (n *node) spent(b *testing.B) spent {
	b.Helper()
	pid := n.command.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("only Linux tells what another process has used")
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime
		t, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += t
	}
	return spent{ticks * 10_000_000, switches(b, pid)}
}

// switches are the voluntary context switches of a process's threads.
func switches(b *testing.B, pid int) (sum int64) {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, file := range files {
		text, _ := os.ReadFile(file) // a thread that has ended has none
		for line := range strings.Lines(string(text)) {
			if n, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
				v, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
				if err != nil {
					b.Fatal(err)
				}
				sum += v
			}
		}
	}
	return sum
}
