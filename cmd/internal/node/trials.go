package node

import (
	"context"

	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/httpfront/mvpd/temppass"
)

// operatorsTrials is [admin.Trials].
type operatorsTrials struct{ n *Node }

func (o operatorsTrials) client() trial.Client { return trial.Client{Asker: o.n.runtime} }

func (o operatorsTrials) ResetDevice(ctx context.Context, request cluster.RequestID, m trial.MVPD, device []byte) error {
	return o.client().ResetDevice(ctx, request, m, device)
}

func (o operatorsTrials) ResetIdentity(ctx context.Context, request cluster.RequestID, m trial.MVPD, who temppass.Identity) error {
	names := temppass.Names{Key: o.n.ring.LinkCodeKey(m.Realm), MVPD: m.ID}
	return o.client().ResetIdentity(ctx, request, m, names.Identity(who))
}

func (o operatorsTrials) ResetAll(ctx context.Context, request cluster.RequestID, m trial.MVPD) error {
	return o.client().ResetAll(ctx, request, m)
}
