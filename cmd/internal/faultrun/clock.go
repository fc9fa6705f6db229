package faultrun

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func (n *Node) clockFile() string { return filepath.Join(n.Dir, "clock") }

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
		ok, _ := n.Condition(name)
		return ok
	})
}

// AwaitAdvice waits until a condition does not hold and says some words.
func (n *Node) AwaitAdvice(name, words string) {
	n.cluster.Helper()
	n.cluster.until(n.Name+": "+name+" says "+words, readyWithin, func() bool {
		ok, detail := n.Condition(name)
		return !ok && strings.Contains(detail, words)
	})
}

// Operate runs ssoctl at the node, which must succeed, and returns what it says.
func (n *Node) Operate(args ...string) (said string) {
	n.cluster.Helper()
	said, err := n.Ctl(args...)
	if err != nil {
		n.cluster.Errorf("ssoctl %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return said
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
