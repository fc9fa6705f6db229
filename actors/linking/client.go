package linking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/profile"
	"ssod/cluster"
)

// Client asks profiles and link directories, wherever they live. Its methods fail
// with the errors of both packages, or with those of [actors.Asker].
type Client struct {
	profiles  profile.Client
	directory *linkdirectory.Client
}

// NewClient returns a client that derives codes under the realms' keys.
func NewClient(asker actors.Asker, keys linkdirectory.Keys) Client {
	return Client{profile.Client{Asker: asker}, linkdirectory.NewClient(asker, keys)}
}

// Wanted is a request for a link code, and what the realm allows.
type Wanted struct {
	Caller     *profile.Caller
	Attributes []byte // of the calling device, if it may join by an external token
	Code       linkdirectory.Wanted
	// MaxPerProfile is how many codes of a profile can be redeemed at a time,
	// MaxIssued how many it is given within a lifetime, and MaxDevices how many
	// members it may have.
	MaxPerProfile, MaxIssued, MaxDevices int
}

// Code is a link code that can be redeemed.
type Code struct {
	Text                string
	NotBefore, NotAfter time.Time
}

// LogValue keeps the code out of logs.
func (Code) LogValue() slog.Value { return slog.StringValue("link code") }

// Link makes a link code for a profile. Fails with profile.ErrNotMember,
// profile.ErrWrongDevice, profile.ErrTooManyDevices, a *profile.TooManyCodesError or
// linkdirectory.ErrFull.
//
// After actors.ErrUnavailable or actors.ErrOverloaded a request must not be repeated
// under its id: what it may have reserved is given up in the background, and that could
// hit the code of the repetition. After actors.ErrUnknown it may.
func (c Client) Link(ctx context.Context, request cluster.RequestID, id profile.ID, w Wanted) (Code, error) {
	reply, err := actors.Ask[*LinkReply](ctx, c.profiles.Asker, id.Address(), request, profile.StepLink, &Link{
		Link: &profile.Link{
			Caller: w.Caller, Attributes: w.Attributes, TtlMs: w.Code.TTL.Milliseconds(),
			MaxPerProfile: int32(w.MaxPerProfile), MaxIssued: int32(w.MaxIssued), MaxDevices: int32(w.MaxDevices),
		},
		Reserve: c.directory.Reserve(id.Realm, id.Namespace, id.Subject, w.Code),
	})
	if errors.Is(err, actors.ErrUnavailable) || errors.Is(err, actors.ErrOverloaded) {
		c.directory.Abandon(request, id.Realm) // a code may be reserved, and will not be added
	}
	if err != nil {
		return Code{}, err
	}
	if err := errors.Join(reply.GetDirectory().Err(), reply.GetProfile().Err()); err != nil {
		return Code{}, err
	}
	code := reply.GetProfile().GetCode()
	return Code{
		Text:      c.directory.Text(id.Realm, request, code.GetAttempt(), code.GetLength(), code.GetAlphanumeric()),
		NotBefore: time.UnixMilli(code.GetNotBeforeMs()), NotAfter: time.UnixMilli(code.GetNotAfterMs()),
	}, nil
}

// Joined is the profile that a device joined by a link code.
type Joined struct {
	Profile profile.ID
	profile.Joined
}

// Redeem makes a device a member of the profile that a link code belongs to. Fails
// with profile.ErrCode, profile.ErrRaceLost, profile.ErrTooManyDevices, a
// *profile.PendingError, which comes with the profile, linkdirectory.ErrCode, a
// *linkdirectory.GuessingError or a *linkdirectory.ClosedError.
func (c Client) Redeem(ctx context.Context, request cluster.RequestID, realm string, g linkdirectory.Guess, join *profile.Redeem) (Joined, error) {
	reply, err := actors.Ask[*RedeemReply](ctx, c.profiles.Asker, linkdirectory.Address(realm), request, linkdirectory.StepResolve, &Redeem{
		Guess: c.directory.Resolve(realm, g), Redeem: join,
	})
	switch {
	case err != nil:
		return Joined{}, err
	case reply.GetUnknown():
		return Joined{}, fmt.Errorf("redeem: %w", actors.ErrUnknown)
	case reply.GetDirectory() != nil:
		return Joined{}, reply.GetDirectory().Err()
	}
	joined, err := reply.GetProfile().Joined()
	return Joined{profile.ID{Realm: realm, Namespace: reply.GetNamespace(), Subject: reply.GetSubject()}, joined}, err
}

// ReadCode says what became of a link code that the caller created. Its own profile
// answers, never the directory, and to ask is no guess. Fails with
// profile.ErrNotMember, profile.ErrWrongDevice or profile.ErrCode.
func (c Client) ReadCode(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller, typed string) (*profile.CodeReply, error) {
	return c.profiles.ReadCode(ctx, request, id, &profile.ReadCode{Caller: caller, CodeHash: c.directory.Hash(id.Realm, typed)})
}

// Confirm lets the device that waits join by a link code that the caller created, or
// ends the code, and then the guess was a wrong one. It fails as ReadCode does.
func (c Client) Confirm(ctx context.Context, request cluster.RequestID, id profile.ID, caller *profile.Caller, typed string, join bool) (*profile.CodeReply, error) {
	reply, err := c.profiles.Confirm(ctx, request, id, &profile.Confirm{Caller: caller, CodeHash: c.directory.Hash(id.Realm, typed), Join: join})
	if err != nil {
		return nil, err
	}
	c.directory.Retire(request, id.Realm, reply.GetFreed()...)
	if len(reply.GetGuess()) > 0 {
		c.directory.Charge(request, id.Realm, reply.GetGuess())
	}
	return reply, nil
}

// Unlink removes devices and gives up their link codes. It returns which entries of
// m.Devices named a device that was removed. Fails with profile.ErrNotMember or
// profile.ErrWrongDevice.
func (c Client) Unlink(ctx context.Context, request cluster.RequestID, id profile.ID, m *profile.Unlink) (removed []int32, err error) {
	removed, freed, err := c.profiles.Unlink(ctx, request, id, m)
	c.directory.Retire(request, id.Realm, freed...)
	return removed, err
}

// Erase removes the members of a profile, or only the one that is a device, with its
// logins and link codes, and returns how many members it had.
func (c Client) Erase(ctx context.Context, request cluster.RequestID, id profile.ID, device []byte) (members int, err error) {
	members, freed, err := c.profiles.Erase(ctx, request, id, device)
	c.directory.Retire(request, id.Realm, freed...)
	return members, err
}
