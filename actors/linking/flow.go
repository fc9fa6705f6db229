package linking

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/profile"
)

// Kinds registers profiles and link directories, with the flows of this package, with
// a runtime.
func Kinds(p profile.Config, d linkdirectory.Config) []actors.Kind {
	profiles, directories := profile.Kind(p), linkdirectory.Kind(d)
	f := flows{linkdirectory.NewClient(nil, d.Keys)}
	profiles.Flow, directories.Flow = f.ofProfiles, f.ofDirectories
	return []actors.Kind{profiles, directories}
}

// flows are those of a node. The directory opens the names of profiles.
type flows struct{ directory *linkdirectory.Client }

func (f flows) ofProfiles(command proto.Message) actors.FlowFunc {
	if _, ok := command.(*Link); ok {
		return link
	}
	return nil
}

func (f flows) ofDirectories(command proto.Message) actors.FlowFunc {
	if _, ok := command.(*Redeem); ok {
		return f.redeem
	}
	return nil
}

// link makes a code for the flow's profile. That is asked twice: whether it may have one
// at all, and to add it when the directory has reserved it.
func link(f *actors.Flow) (proto.Message, error) {
	m := f.Command().(*Link)
	asked, err := turn[*profile.LinkReply](f, profile.StepLink, m.GetLink())
	switch {
	case err != nil:
		return nil, err
	case asked.GetFailure() != profile.Failure_OK, asked.GetCode() != nil: // or a first answer
		return retire(f, nil, asked), nil
	}
	directory := linkdirectory.Address(f.Identity()[0])
	reserved, err := ask[*linkdirectory.ReserveReply](f, directory, linkdirectory.StepReserve, m.GetReserve())
	switch {
	case errors.Is(err, actors.ErrUnknown): // of the reservation: no code was added
		return nil, fmt.Errorf("%w: %w", actors.ErrUnavailable, err)
	case err != nil:
		return nil, err
	case reserved.GetFailure() != linkdirectory.Failure_OK:
		return &LinkReply{Directory: reserved.GetFailure()}, nil
	}
	added, err := turn[*profile.LinkReply](f, profile.StepLink, withCode(m.GetLink(), reserved))
	if err != nil {
		return nil, err
	}
	return retire(f, reserved, added), nil
}

// withCode is the command that adds a reserved code.
func withCode(m *profile.Link, r *linkdirectory.ReserveReply) *profile.Link {
	return &profile.Link{
		Caller: m.GetCaller(), Attributes: m.GetAttributes(), TtlMs: m.GetTtlMs(),
		MaxPerProfile: m.GetMaxPerProfile(), MaxIssued: m.GetMaxIssued(), MaxDevices: m.GetMaxDevices(),
		Code: &profile.NewCode{
			Hash: r.GetCodeHash(), NotBeforeMs: r.GetNotBeforeMs(), NotAfterMs: r.GetNotAfterMs(),
			Attempt: r.GetAttempt(), Length: r.GetLength(), Alphanumeric: r.GetAlphanumeric(),
		},
	}
}

// retire gives up what the profile's answer freed: the codes that the new one
// replaced, or the new one itself. A first answer, of a request that was carried out
// before, may name another code than the one that was reserved this time.
func retire(f *actors.Flow, reserved *linkdirectory.ReserveReply, r *profile.LinkReply) *LinkReply {
	freed := r.GetFreed()
	if reserved != nil && r.GetCode() != nil && r.GetCode().GetAttempt() != reserved.GetAttempt() {
		freed = append(freed[:len(freed):len(freed)], reserved.GetCodeHash())
	}
	if len(freed) > 0 {
		f.Tell(linkdirectory.Address(f.Identity()[0]), linkdirectory.StepRetire, &linkdirectory.Retire{CodeHash: freed})
	}
	return &LinkReply{Profile: r}
}

// redeem lets a device join the profile that a code belongs to. The directory finds
// it and charges a guess, and the profile decides.
func (fs flows) redeem(f *actors.Flow) (proto.Message, error) {
	m := f.Command().(*Redeem)
	found, err := turn[*linkdirectory.ResolveReply](f, linkdirectory.StepResolve, m.GetGuess())
	switch {
	case err != nil:
		return nil, err
	case found.GetFailure() != linkdirectory.Failure_OK:
		return &RedeemReply{Directory: found}, nil
	}
	id := profile.ID{Realm: f.Identity()[0]}
	if id.Namespace, id.Subject, err = fs.directory.Owner(id.Realm, found.GetOwner()); err != nil {
		return nil, err
	}
	reply, err := ask[*profile.RedeemReply](f, id.Address(), profile.StepRedeem, joining(m, found))
	f.Tell(linkdirectory.Address(id.Realm), linkdirectory.StepSettle, &linkdirectory.Settle{
		CodeHash: m.GetGuess().GetCodeHash(), Verdict: verdict(reply, err),
	})
	unknown := errors.Is(err, actors.ErrUnknown) // Ask has retried already
	if err != nil && !unknown {
		return nil, err
	}
	return &RedeemReply{Namespace: id.Namespace, Subject: id.Subject, Profile: reply, Unknown: unknown}, nil
}

// joining is the command to the profile that was found.
func joining(m *Redeem, found *linkdirectory.ResolveReply) *profile.Redeem {
	r := m.GetRedeem()
	return &profile.Redeem{
		Device: r.GetDevice(), MaxDevices: r.GetMaxDevices(), Policy: r.GetPolicy(),
		CodeHash: m.GetGuess().GetCodeHash(), Guess: m.GetGuess().Guesser(), OtherNetwork: found.GetOtherNetwork(),
	}
}

// verdict says what a redemption costs whose code was found: only one that is answered
// token_invalid is a failed guess, unless it lost a race.
func verdict(r *profile.RedeemReply, err error) linkdirectory.Verdict {
	switch {
	case err != nil:
		return linkdirectory.Verdict_REFUNDED
	case r.GetFailure() == profile.Failure_OK:
		return linkdirectory.Verdict_REDEEMED
	case r.GetFailure() == profile.Failure_CODE_UNUSABLE:
		return linkdirectory.Verdict_FAILED
	default:
		return linkdirectory.Verdict_REFUNDED
	}
}

// turn has the flow's entity handle a command and expects an answer of type R.
func turn[R proto.Message](f *actors.Flow, step uint32, command proto.Message) (R, error) {
	reply, err := f.Turn(step, command)
	return actors.As[R](reply, err)
}

// ask asks another entity and expects an answer of type R.
func ask[R proto.Message](f *actors.Flow, to actors.Address, step uint32, command proto.Message) (R, error) {
	reply, err := f.Ask(to, step, command)
	if err != nil {
		err = fmt.Errorf("ask %s for %s: %w", to.Kind, command.ProtoReflect().Descriptor().Name(), err)
	}
	return actors.As[R](reply, err)
}
