package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ssod/bench/process"
)

// openings are the calls to the kernel that open a file or a connection, or run
// a program.
const openings = "trace=open,openat,openat2,creat,connect,execve,execveat"

// opening is such a call in a trace, with its number of the descriptor left out;
// one that another thread interrupts is completed on a later line.
var opening = regexp.MustCompile(`^\d+ +(open|openat|openat2|creat|connect|execve|execveat)\((?:\d+, )?(.*?)(?:, O_.*|\) += .*| <unfinished.*)?$`)

// opens runs work and returns what the node's process opened meanwhile.
func (n *node) opens(work func()) map[string]bool {
	n.Helper()
	trace := filepath.Join(n.TempDir(), "trace")
	cmd := exec.Command(installed(n, "strace", "strace"), "-f", "-qq", "-e", openings, "-e", "signal=none", "-o", trace, "-p", strconv.Itoa(n.Process.ID()))
	var said strings.Builder
	cmd.Stderr = &said
	tracer, err := process.Run(cmd)
	must(n, err)
	until(n, "strace watches the node", func() bool {
		select {
		case <-tracer.Exited():
			n.Skipf("not proved: strace may not watch processes here: %s", said.String())
		default:
		}
		return n.tracedBy(tracer.ID())
	})
	work()
	_ = tracer.Stop(10 * time.Second) // it ends by the signal, which is not an error here
	raw, err := os.ReadFile(trace)
	must(n, err)
	found := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		if call := opening.FindStringSubmatch(strings.TrimSpace(line)); call != nil {
			found[call[1]+" "+call[2]] = true
		}
	}
	return found
}

// tracedBy reports whether all threads of the node are watched by a process.
func (n *node) tracedBy(tracer int) bool {
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(n.Process.ID()) + "/task/*/status")
	must(n, err)
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err == nil && !strings.Contains(string(status), "TracerPid:\t"+strconv.Itoa(tracer)+"\n") {
			return false
		}
	}
	return len(tasks) > 0
}
