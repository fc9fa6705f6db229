package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"ssod/cmd/internal/e2e/examples"
	"ssod/cmd/internal/ssodtest"
)

// soon is within which time a revocation holds on every node that is there. It is
// judged in long runs, on a machine of their own.
const soon = time.Second

// TestARevokedClientIsRefusedOnEveryNode revokes clients and statements through
// one node after the other. When the answer is there no node accepts their
// tokens.
func TestARevokedClientIsRefusedOnEveryNode(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.balanced()
	var took []time.Duration
	for i := range volume(20, 500) {
		a := c.mustApp("one")
		for _, door := range c.spread(a) {
			until(t, "a fresh token is accepted", func() bool { return door.accepts(t.Context()) })
		}
		began := time.Now()
		operator := c.nodes[i%len(c.nodes)]
		if i%2 == 0 {
			must(t, operator.remove(t.Context(), "/admin/v1/clients/"+a.id))
		} else {
			must(t, operator.remove(t.Context(), "/admin/v1/software-statements/"+a.statement))
		}
		for k, door := range c.spread(a) {
			if err := c.patient(t.Context(), fact{"a revoked client", door.isRevoked()}); err != nil {
				t.Errorf("n%d, after n%d had answered: %v", k+1, i%len(c.nodes)+1, err)
			}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	half, most := took[len(took)/2], took[len(took)-1]
	t.Logf("revocations=%d refused on every node after p50=%v max=%v", len(took), half, most)
	if ssodtest.Long() && half > soon {
		t.Errorf("half of the revocations took more than %v", half)
	}
}

// verdict is what a node makes of the app's access token: 401 for a missing
// service token means that it was accepted.
func (a *app) verdict(ctx context.Context) (status int, code string) {
	answer, err := a.send(ctx, "GET", "list", newDevice("any"), nil)
	if err != nil {
		return 0, ""
	}
	code, err = examples.Field(answer.Body, "$.error.code")
	if err != nil {
		code = ""
	}
	return answer.Status, code
}

func (a *app) accepts(ctx context.Context) bool {
	status, code := a.verdict(ctx)
	return status == http.StatusUnauthorized && code == "header_missing"
}

// lease is for how long a node serves that has no contact to the others.
const lease = 10 * time.Second

// TestACutOffNodeAcceptsNoTokens pauses two of three nodes: the third does not
// know any more what was revoked, and after ten seconds it refuses every token.
// Then it pauses one and revokes a client: when that is answered, the paused node
// must not accept the token in any moment after it wakes.
func TestACutOffNodeAcceptsNoTokens(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.balanced()
	a := c.mustApp("one")
	lonely := c.nodes[2]
	door := a.through(lonely)
	for _, n := range c.nodes[:2] {
		n.pause(t)
	}
	paused, accepted := time.Now(), time.Duration(0)
	until(t, "the node that is left refuses tokens", func() bool {
		asked := time.Since(paused)
		status, code := door.verdict(t.Context())
		if status == http.StatusUnauthorized && code == "header_missing" {
			accepted = max(accepted, asked) // it was asked then, however late the answer came
		}
		return status == http.StatusServiceUnavailable
	})
	t.Logf("a node that is cut off accepted tokens for %v", accepted)
	if accepted == 0 || accepted > lease+soon {
		t.Errorf("it accepted tokens for %v, want %v at most, and not none", accepted, lease)
	}
	for _, n := range c.nodes[:2] {
		n.wake(t)
	}
	for _, d := range c.spread(a) {
		until(t, "every node accepts tokens again", func() bool { return d.accepts(t.Context()) })
	}
	c.revokedInSleep(a, lonely)
}

// revokedInSleep pauses a node and revokes the app's client meanwhile.
func (c *trio) revokedInSleep(a *app, sleeper *node) {
	c.Helper()
	sleeper.pause(c)
	awake := c.nodes[0]
	began := time.Now()
	until(c, "the revocation is answered", func() bool {
		return awake.remove(c.Context(), "/admin/v1/clients/"+a.id) == nil
	})
	took := time.Since(began)
	sleeper.wake(c)
	door, accepted := a.through(sleeper), 0
	answers := map[string]int{}
	until(c, "the node that woke knows of the revocation", func() bool {
		status, code := door.verdict(c.Context())
		answers[fmt.Sprint(status, " ", code)]++
		if status == http.StatusUnauthorized && code == "header_missing" {
			accepted++
		}
		return code == "invalid_access_token_client_application"
	})
	c.Logf("a revocation past a paused node was answered after %v; when it woke it accepted the token %d times, answers %v", took, accepted, answers)
	if accepted > 0 {
		c.Errorf("a node that woke accepted a revoked token %d times", accepted)
	}
}

// pause stops the process where it stands, as a virtual machine that is moved.
func (n *node) pause(t testing.TB) {
	t.Helper()
	n.Signal(syscall.SIGSTOP)
}

func (n *node) wake(t testing.TB) {
	t.Helper()
	n.Signal(syscall.SIGCONT)
}
