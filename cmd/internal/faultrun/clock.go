package faultrun

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// environment is that of the node's processes; nil: that of the test.
func (n *Node) environment() []string {
	if !n.cluster.clocks {
		return nil
	}
	return append(os.Environ(), "SHIFTED_CLOCK_FILE="+n.clockFile())
}

func (n *Node) clockFile() string { return filepath.Join(n.dir, "clock") }

// SetClock sets the node's clock: what it is ahead of the right time from now on,
// for this process and those to come.
func (n *Node) SetClock(ahead time.Duration) {
	n.cluster.Helper()
	next := n.clockFile() + ".next"
	n.cluster.must(os.WriteFile(next, []byte(ahead.String()), 0o600))
	n.cluster.must(os.Rename(next, n.clockFile()))
}

// AwaitHolds waits until a condition holds.
func (n *Node) AwaitHolds(name string) {
	n.cluster.Helper()
	n.cluster.until(n.Name+": "+name+" holds", readyWithin, func() bool {
		ok, _ := n.condition(name)
		return ok
	})
}

// AwaitAdvice waits until a condition does not hold and says some words.
func (n *Node) AwaitAdvice(name, words string) {
	n.cluster.Helper()
	n.cluster.until(n.Name+": "+name+" says "+words, readyWithin, func() bool {
		ok, detail := n.condition(name)
		return !ok && strings.Contains(detail, words)
	})
}

// Operate runs ssoctl at the node and returns what it says.
func (n *Node) Operate(args ...string) (said string) {
	n.cluster.Helper()
	program, err := ssoctl()
	n.cluster.must(err)
	out, err := exec.Command(program, append([]string{"--admin", n.Admin}, args...)...).CombinedOutput()
	if err != nil {
		n.cluster.Errorf("ssoctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// hourglass is a viewer whose link codes live briefly.
type hourglass struct {
	*app
	host *device
}

func newHourglass(l *Load) *hourglass {
	l.cluster.Helper()
	a, err := newApp(l, "brief")
	l.cluster.must(err)
	return &hourglass{a, newDevice("hourglass/host")}
}

// MustRun expects that a link code admits a device and that another one expires.
func (h *hourglass) MustRun() {
	c := h.load.cluster
	c.Helper()
	c.must(patiently(h.grant))
	c.must(patiently(func() error { return h.mint(h.host, "hourglass") }))
	var code string
	link := func() (err error) {
		code, err = h.link(h.host)
		return err
	}
	c.until("a fresh code admits a device", readyWithin, func() bool {
		return link() == nil && h.redeem(newDevice("hourglass/guest"), code) == nil
	})
	c.must(patiently(link))
	<-time.After(briefTTL + time.Second)
	if err := patiently(func() error { return h.redeem(newDevice("hourglass/late"), code) }); !errors.Is(err, errRefused) {
		c.Errorf("a link code that is over: %v", err)
	}
}
