package profile

import (
	"cmp"
	"context"
	"time"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// Steps number the asks that one request sends to a profile. Together with the
// request id they make a repeated ask find its first answer.
const (
	stepOnly   = 0 // of a request with one ask
	StepRedeem = 1 // after the directory resolved the code
	StepLink   = 2 // before and after the directory reserved the code
	// A request of the entitlement API may ask two profiles, each one thing of
	// these.
	stepLogins     = 0
	stepSee        = 0
	stepInvalidate = 3
)

// Client asks profiles, wherever they live. Its methods fail with the errors
// of this package, or with those of [actors.Asker].
type Client struct {
	Asker actors.Asker
}

// Mint makes the device a member, or touches the member it is, and returns the
// number of its membership. Fails with ErrTooManyDevices.
func (c Client) Mint(ctx context.Context, request cluster.RequestID, id ID, m *Mint) (membership int64, err error) {
	reply, err := actors.Ask[*MintReply](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply.GetMembership(), cmp.Or(err, asError(reply.GetFailure(), 0))
}

// Joined is what redeeming a code made of a device.
type Joined struct {
	Membership int64
	// Origin is when the chain of its tokens began, if the code was its own.
	Origin time.Time
}

// Joined reads the answer to Redeem. The error is ErrCode, ErrRaceLost,
// ErrTooManyDevices or a *PendingError.
func (r *RedeemReply) Joined() (Joined, error) {
	if r.GetFailure() == Failure_PENDING_CODE {
		return Joined{}, &PendingError{Asked: r.GetAsked()}
	}
	j := Joined{Membership: r.GetMembership()}
	if r.GetOriginMs() != 0 {
		j.Origin = time.UnixMilli(r.GetOriginMs()).UTC()
	}
	return j, asError(r.GetFailure(), 0)
}

// Refresh says whether the caller's token may be renewed: nil, ErrNotMember or
// ErrWrongDevice.
func (c Client) Refresh(ctx context.Context, request cluster.RequestID, id ID, caller *Caller) error {
	reply, err := actors.Ask[*RefreshReply](ctx, c.Asker, id.Address(), request, stepOnly, &Refresh{Caller: caller})
	return cmp.Or(err, asError(reply.GetFailure(), 0))
}

// Err is why there is no link code: ErrNotMember, ErrWrongDevice, ErrTooManyDevices
// or a *TooManyCodesError.
func (r *LinkReply) Err() error { return asError(r.GetFailure(), r.GetRetryAfterMs()) }

// ReadCode says what became of a link code that the caller created. Fails with
// ErrNotMember, ErrWrongDevice or ErrCode.
func (c Client) ReadCode(ctx context.Context, request cluster.RequestID, id ID, m *ReadCode) (*CodeReply, error) {
	reply, err := actors.Ask[*CodeReply](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply, cmp.Or(err, asError(reply.GetFailure(), 0))
}

// Confirm lets the device that waits join by a link code that the caller
// created, or ends the code; the directory may retire what is freed, and is to
// charge the guess. It fails as ReadCode does.
func (c Client) Confirm(ctx context.Context, request cluster.RequestID, id ID, m *Confirm) (*CodeReply, error) {
	reply, err := actors.Ask[*CodeReply](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply, cmp.Or(err, asError(reply.GetFailure(), 0))
}

// Unlink removes devices. It returns which entries of m.Devices named a device
// that was removed, and the hashes of link codes that were cancelled with
// them. Fails with ErrNotMember or ErrWrongDevice.
func (c Client) Unlink(ctx context.Context, request cluster.RequestID, id ID, m *Unlink) (removed []int32, freed [][]byte, err error) {
	reply, err := actors.Ask[*UnlinkReply](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply.GetRemoved(), reply.GetFreed(), cmp.Or(err, asError(reply.GetFailure(), 0))
}

// List returns the members in the order in which they joined. Fails with
// ErrNotMember or ErrWrongDevice.
func (c Client) List(ctx context.Context, request cluster.RequestID, id ID, caller *Caller) ([]*Member, error) {
	reply, err := actors.Ask[*ListReply](ctx, c.Asker, id.Address(), request, stepOnly, &List{Caller: caller})
	return reply.GetMembers(), cmp.Or(err, asError(reply.GetFailure(), 0))
}

// Show returns what is stored of a profile, secrets left out; false when
// nothing is.
func (c Client) Show(ctx context.Context, request cluster.RequestID, id ID) (*State, bool, error) {
	reply, err := actors.Ask[*ShowReply](ctx, c.Asker, id.Address(), request, stepOnly, &Show{})
	return reply.GetState(), reply.GetExists(), err
}

// Erase removes the members of a profile, or only the one that is a device, and its
// logins and link codes. It returns how many members it had and the hashes of its
// link codes. What is left goes with an [intent.Forget].
func (c Client) Erase(ctx context.Context, request cluster.RequestID, id ID, device []byte) (members int, freed [][]byte, err error) {
	reply, err := actors.Ask[*EraseReply](ctx, c.Asker, id.Address(), request, stepOnly, &Erase{Device: device})
	_ = intent.Run(ctx, c.Asker, id.Address(), reply.GetOpen()) // the profile sees to the rest
	return int(reply.GetMembers()), reply.GetFreed(), err
}

// Logins returns the logins that the caller finds through the profile; some may
// have expired or be void. Fails with ErrNotMember or ErrWrongDevice.
func (c Client) Logins(ctx context.Context, request cluster.RequestID, id ID, caller *Caller) ([]*login.Login, error) {
	reply, err := actors.Ask[*LoginsReply](ctx, c.Asker, id.Address(), request, stepLogins, &Logins{Caller: caller})
	return reply.GetLogins(), cmp.Or(err, asError(reply.GetFailure(), 0))
}

// See tells a profile that the caller was there, which moves its lastSeen if it
// is a member.
func (c Client) See(ctx context.Context, request cluster.RequestID, id ID, caller *Caller) error {
	_, err := actors.Ask[*SeeReply](ctx, c.Asker, id.Address(), request, stepSee, &See{Caller: caller})
	return err
}

// Invalidate marks a login void, here and wherever else it is kept.
func (c Client) Invalidate(ctx context.Context, request cluster.RequestID, id ID, l *login.Login) error {
	m := &login.End{Mvpd: l.GetMvpd(), Login: l.GetId(), How: login.How_INVALIDATED}
	reply, err := actors.Ask[*login.EndReply](ctx, c.Asker, id.Address(), request, stepInvalidate, m)
	_ = intent.Run(ctx, c.Asker, id.Address(), reply.GetOpen()) // the profile sees to the rest
	return err
}
