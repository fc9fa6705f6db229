package e2e

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// TestALostAnswerIsGivenAgain redeems a code over a connection that is closed
// before the answer can be read. The device repeats its request and gets a
// token of the membership that the first one made; another device with the
// same code is refused.
func TestALostAnswerIsGivenAgain(t *testing.T) {
	t.Parallel()
	a := startNode(t, guessConfig).mustApp("one")
	host, code := a.hostWithCode("host")
	guest := newDevice("guest")
	a.redeemWithoutAnswer(guest, code)
	until(t, "the guest is a member", func() bool {
		devices, err := a.list(t.Context(), host)
		must(t, err)
		_, there := devices[guest.id]
		return there
	})
	joinedBefore := time.Now().UnixMilli()

	must(t, a.redeem(t.Context(), guest, code))
	var claims struct {
		Membership int64 `json:"mbr"`
	}
	must(t, readClaims(guest.token, &claims))
	if claims.Membership == 0 || claims.Membership > joinedBefore {
		t.Fatalf("the repeat made membership %d, want the one from before %d", claims.Membership, joinedBefore)
	}
	must(t, a.refresh(t.Context(), guest))
	if err := a.admitted(t.Context(), code, "stranger"); !errors.Is(err, errRefused) {
		t.Fatalf("another device with the used code: got %v, want %v", err, errRefused)
	}
}

// redeemWithoutAnswer sends the request and closes the connection.
func (a *app) redeemWithoutAnswer(d *device, code string) {
	a.Helper()
	c, err := net.Dial("tcp", a.HTTP)
	must(a, err)
	_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"AP-Device-Identifier: fingerprint %s\r\nX-SSO-LINK: %s\r\nContent-Length: 0\r\n\r\n", a.path("serviceToken"), a.token, d.id, code)
	must(a, err)
	must(a, c.Close())
}
