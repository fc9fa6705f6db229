package faultrun

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// operatorPace is how often the operator approves an app and revokes it.
const operatorPace = 500 * time.Millisecond

// operate is what an operator does while viewers come: apps are approved and
// revoked, by client or by statement.
func (l *Load) operate(ctx context.Context) {
	pace := time.NewTicker(operatorPace)
	defer pace.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		a, err := newApp(l, l.apps[i%2].realm)
		if err != nil {
			continue
		}
		if err := a.revoke(i%4 < 2); err == nil {
			l.Ledger.enterApp(a)
		}
	}
}

// revoke ends the app's client, or its statement and with it all its clients.
func (a *app) revoke(client bool) error {
	path := "/admin/v1/software-statements/" + a.statement
	if client {
		path = "/admin/v1/clients/" + a.credentials.ClientID
	}
	n := a.load.cluster.any()
	if n == nil {
		return errNobody
	}
	return n.order("DELETE", path, nil, nil)
}

// refused returns nil when a call of the app is refused because it was revoked.
func (a *app) refused() error {
	d := newDevice("revoked")
	d.token = "x.y.z"
	err := a.stranger(d)
	if errors.Is(err, errAnswer) || errors.Is(err, errRefused) {
		return fmt.Errorf("a revoked client is served: %w", err)
	}
	return err
}
