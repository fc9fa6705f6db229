package e2e

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ssod/bench/process"
	"ssod/cmd/internal/ssodtest"
)

// basePort is one from which the script's ports are free: five each from there,
// from 100 and from 200 higher. They lie above those of [process.FreeAddresses],
// which other tests use meanwhile, and below those of outgoing connections.
func basePort(t *testing.T) int {
	t.Helper()
	for range 50 {
		if base := 30_000 + rand.IntN(2_500); allFree(base) {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

func allFree(base int) bool {
	for _, offset := range []int{0, 100, 200} {
		for i := range 5 {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+offset+i))
			if err != nil {
				return false
			}
			_ = l.Close()
		}
	}
	return true
}

// linkProgram puts a program that is built once where a test wants it.
func linkProgram(t *testing.T, program func() (string, error), at string) {
	t.Helper()
	binary, err := program()
	must(t, err)
	must(t, os.Symlink(binary, at))
}

// users are the processes whose command line names a directory.
func users(t *testing.T, dir string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, file := range lines {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// make cluster, with the certificates of make certs: three nodes start, the whole
// story plays on the third one, one dies and the others go on, and a signal leaves
// neither a process nor anything outside its directory behind. All of it is on IPv6
// where this machine has that, since the other clusters are on IPv4.
func TestMakeCluster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bin, data, certs := filepath.Join(dir, "bin"), filepath.Join(dir, "data"), filepath.Join(dir, "certs")
	must(t, os.Mkdir(bin, 0o700))
	linkProgram(t, ssodtest.SSOD, filepath.Join(bin, "ssod"))
	linkProgram(t, ssodtest.SSOCTL, filepath.Join(bin, "ssoctl"))
	out, err := exec.Command("go", "run", "ssod/cmd/internal/devcerts", "-dir", certs, "n1", "n2", "n3").CombinedOutput()
	if err != nil {
		t.Fatalf("certificates: %v\n%s", err, out)
	}
	host, port := loopbackHost(), basePort(t)
	script, err := filepath.Abs("../../ssod/deploy/cluster.sh")
	must(t, err)
	said, err := os.Create(filepath.Join(dir, "said"))
	must(t, err)
	defer said.Close()
	cmd := exec.Command("bash", script, data)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, said
	cmd.Env = append(os.Environ(), fmt.Sprint("PORT=", port), "BIN="+bin, "CERTS="+certs, "HOST="+host)
	cluster, err := process.Run(cmd)
	must(t, err)
	t.Cleanup(func() { _ = cluster.Stop(20 * time.Second) })
	output := func() string {
		text, err := os.ReadFile(said.Name())
		must(t, err)
		return string(text)
	}
	patiently(t, "the cluster is there", output, func() bool { return has(output(), "Ctrl-C stops the cluster") })

	ssoctl := func(node int, args ...string) (string, error) {
		args = append([]string{"--admin", fmt.Sprintf("%s:%d", host, port+1+100*(node-1))}, args...)
		out, err := exec.Command(filepath.Join(bin, "ssoctl"), args...).CombinedOutput()
		return string(out), err
	}
	if text, err := ssoctl(3, "demo"); err != nil {
		t.Fatalf("demo on the third node: %v\n%s", err, text)
	}
	killed := strings.Fields(output()[strings.Index(output(), "kill -9 "):])[2]
	pid, err := strconv.Atoi(killed)
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	patiently(t, "the others have taken over", output, func() bool {
		text, err := ssoctl(2, "status")
		return err == nil && has(text, "unreachable") && !has(text, "NOT READY")
	})
	if text, err := ssoctl(2, "demo"); err != nil {
		t.Fatalf("demo without the first node: %v\n%s", err, text)
	}
	_ = cluster.Stop(30 * time.Second) // with the status of a signal
	if left := users(t, data); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	entries, err := fs.ReadDir(os.DirFS(dir), ".")
	must(t, err)
	if len(entries) != 4 { // bin, certs, data, said
		t.Errorf("something else was left: %v", entries)
	}
}

// loopbackHost is the IPv6 address of this machine for itself, else the IPv4 one.
func loopbackHost() string {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return "127.0.0.1"
	}
	_ = l.Close()
	return "[::1]"
}

// patiently is until for what takes longer, and shows what was said when it does
// not come.
func patiently(t *testing.T, what string, said func() string, condition func() bool) {
	t.Helper()
	const limit = 4 * time.Minute // longer than the script waits
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for: %s\n%s", limit, what, said())
		}
		<-tick.C
	}
}
