package once

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"ssod/actors"
	"ssod/cluster"
)

// ErrTaken: the id was claimed before.
var ErrTaken = errors.New("the id was used before")

// KindName is the name of the kind in addresses and keys.
const KindName = "once"

// ID names an id of a TV provider. Ids of different use must differ in it.
type ID struct {
	Realm, MVPD string
	Text        string // as the provider wrote it
}

// Address is where the id's actor is asked.
func (id ID) Address() actors.Address {
	digest := sha256.Sum256([]byte(id.Text))
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.Realm, id.MVPD, string(digest[:])}}
}

// Client claims ids, wherever they live.
type Client struct {
	Asker actors.Asker
}

// Claim takes an id until a time, at most [Longest] from now. It fails with [ErrTaken], or
// with the errors of [actors.Asker]: a [actors.LevelError] below format level 2.
func (c Client) Claim(ctx context.Context, request cluster.RequestID, id ID, until time.Time) error {
	reply, err := actors.Ask[*ClaimReply](ctx, c.Asker, id.Address(), request, 0, &Claim{UntilMs: until.UnixMilli()})
	if err == nil && reply.GetTaken() {
		return ErrTaken
	}
	return err
}
