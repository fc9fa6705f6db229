package entitlement

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/grant"
	"ssod/actors/login"
	"ssod/cluster"
	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
)

// A use of a login's tokens goes on when the request that began it has been answered:
// what is not known of its outcome costs the login.
const (
	// useTime is how long the provider has, more than a slow one needs.
	useTime = 12 * time.Second
	// storeTime is how long its outcome is tried to be stored. Together they are less
	// than grant.Lease.
	storeTime = 10 * time.Second
)

// refreshing is a use of a login's tokens under way.
type refreshing struct {
	done   chan struct{} // nil: it has ended already
	over   bool          // the login has ended; to be read after done
	enough *time.Timer   // nobody waits for longer
}

// refresh brings the attributes of a login up to date while its viewer wants to watch,
// once per authzTTL: the provider is asked with the login's tokens, by one request of
// all in the cluster. nil when there is nothing to do.
func (s *Service) refresh(ctx context.Context, r *api.Request, q *asking, found finding) *refreshing {
	refresher, ok := q.provider.Connector.(mvpd.Refresher)
	if !ok || q.informs || !found.GetGranted() || !refresher.KeepsTokens() {
		return nil
	}
	if _, rests := s.permits.get(restKey(found), r.Received); rests {
		return nil
	}
	u := &use{
		Service: s, refresher: refresher, provider: q.provider, login: found.Login, at: r.Received, trace: string(r.AppendTrace(nil)),
		id: grant.ID{Realm: r.Realm.ID, MVPD: found.GetMvpd(), Login: found.GetId()}, lease: []byte(rand.Text()),
	}
	taken, err := s.Grants.Take(ctx, r.ID, u.id, u.lease)
	if err != nil { // the lease may have been given all the same
		s.uses.Go(func() { u.release(context.WithoutCancel(ctx)) })
		return nil
	}
	switch taken.GetOutcome() {
	case grant.Outcome_TAKEN:
		running := &refreshing{done: make(chan struct{}), enough: time.NewTimer(q.provider.Config.DecisionTimeout)}
		s.uses.Go(func() {
			defer close(running.done)
			running.over = u.carryOut(context.WithoutCancel(ctx), taken.GetSealed())
		})
		return running
	case grant.Outcome_WAIT:
		s.rest(found, r.Received, time.UnixMilli(taken.GetAgainMs()))
	case grant.Outcome_LOST:
		s.Log.Warn("a login ends: nobody knows whether its tokens were used", "mvpd", u.id.MVPD, "trace", u.trace)
		return &refreshing{over: true}
	case grant.Outcome_NONE:
		s.rest(found, r.Received, r.Received.Add(q.provider.Config.AuthzTTL))
	}
	return nil
}

// ended waits for the outcome, as long as for a decision, and reports whether the login is
// over. A nil one is not.
func (r *refreshing) ended(ctx context.Context) bool {
	if r == nil || r.done == nil {
		return r != nil && r.over
	}
	defer r.enough.Stop()
	select {
	case <-r.done:
		return r.over
	case <-r.enough.C:
	case <-ctx.Done():
	}
	return false
}

// restKey is what is remembered, among the permits, of a login whose tokens are not due.
func restKey(found finding) permitKey {
	k := permitKey{resource: "\x00tokens"} // no channel has the empty name
	copy(k.login[:], found.GetId())
	return k
}

// rest remembers that the tokens of a login are not due before a time.
func (s *Service) rest(found finding, from, until time.Time) {
	s.permits.put(restKey(found), permit{from, until})
}

// use is one use of a login's tokens.
type use struct {
	*Service
	refresher mvpd.Refresher
	provider  *mvpd.Provider
	login     *login.Login
	id        grant.ID
	lease     []byte
	at        time.Time // of the request
	trace     string
}

// carryOut uses the tokens and stores what became of them. It reports whether that was
// the end of the login.
func (u *use) carryOut(ctx context.Context, sealed []byte) (over bool) {
	tokens, err := u.unseal(u.id, sealed)
	if err != nil {
		u.log("the tokens of a login are lost, the login goes on", err)
		u.store(ctx, func(ctx context.Context, request cluster.RequestID) error { return u.Grants.Drop(ctx, request, u.id) })
		return false
	}
	asking, cancel := context.WithTimeout(ctx, useTime)
	told, err := u.refresher.Refresh(asking, tokens)
	cancel()
	switch {
	case len(told.Tokens) > 0:
		return u.put(ctx, told, err)
	case errors.Is(err, mvpd.ErrTokensUnused):
		u.log("a TV provider does not say how a viewer is now", err)
		u.release(ctx)
		return false
	}
	u.log("a login ends: its tokens are worth nothing", err)
	u.store(ctx, func(ctx context.Context, request cluster.RequestID) error {
		return u.Grants.Lose(ctx, request, u.id, u.lease)
	})
	return true
}

// release gives tokens back that were not used.
func (u *use) release(ctx context.Context) {
	m := &grant.Release{Lease: u.lease, DueMs: u.at.Add(retryTokens).UnixMilli()}
	u.store(ctx, func(ctx context.Context, request cluster.RequestID) error {
		return u.Grants.Release(ctx, request, u.id, m)
	})
}

// put stores new tokens, and what the provider says.
func (u *use) put(ctx context.Context, told mvpd.Refreshed, err error) (over bool) {
	m := &grant.Put{Lease: u.lease, Sealed: u.seal(u.id, told.Tokens), DueMs: u.at.Add(u.provider.Config.AuthzTTL).UnixMilli()}
	if err == nil {
		m.Account, err = u.account(told.Attributes)
	}
	if err != nil {
		u.log("a TV provider does not say how a viewer is now", err)
	}
	kept := true
	u.store(ctx, func(ctx context.Context, request cluster.RequestID) (err error) {
		kept, err = u.Grants.Put(ctx, request, u.id, m)
		return err
	})
	return !kept
}

// account is the login's with other attributes; nil when it is the same.
func (u *use) account(attributes []mvpd.Attribute) ([]byte, error) {
	old := &login.Account{}
	if err := proto.Unmarshal(u.login.GetAccount(), old); err != nil {
		return nil, err
	}
	encoded, err := encodeAccount(mvpd.Identity{Subject: old.GetSubject(), Handle: old.GetHandle(), Attributes: attributes})
	if err != nil || bytes.Equal(encoded, u.login.GetAccount()) {
		return nil, err
	}
	return encoded, nil
}

// store sends an outcome to the grant, again while it is not known whether it was stored.
// If it is not, the lease runs out, and the login ends.
func (u *use) store(ctx context.Context, send func(context.Context, cluster.RequestID) error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	var request cluster.RequestID
	rand.Read(request[:]) // never fails
	for {
		err := send(ctx, request)
		if err == nil {
			return
		}
		pause := time.NewTimer(storePause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			u.log("what became of the tokens of a login could not be stored", err)
			return
		}
	}
}

// storePause is between two attempts to store an outcome.
const storePause = 100 * time.Millisecond

func (u *use) log(what string, err error) {
	u.Log.Warn(what, "mvpd", u.id.MVPD, "trace", u.trace, "error", err)
}

// Close waits for the uses of tokens that are under way, which requests have begun and do
// not always wait for; otherwise they cost their logins. No request may come any more.
func (s *Service) Close(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.uses.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tokens of logins are in use: %w", ctx.Err())
	}
}
