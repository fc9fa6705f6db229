package profile

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

var start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

const (
	maxDevices = 5
	tombstone  = 8 * 24 * time.Hour
	ttl        = 15 * time.Minute
)

// viewer plays commands to one profile, as its actor would when every commit is
// applied at once. Its state passes through its encoding with every change.
type viewer struct {
	reporter
	state   *state
	now     time.Time
	commits int
	request uint64
	removed bool
}

// reporter is what a test reports to, a property too.
type reporter interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newViewer(t reporter) *viewer { return &viewer{reporter: t, state: &state{}, now: start} }

func (v *viewer) after(d time.Duration) *viewer {
	v.now = v.now.Add(d)
	return v
}

// do carries out a decision.
func do[R proto.Message](v *viewer, d decision) R {
	v.Helper()
	if d.next != nil {
		v.commits++
		v.removed = d.remove
		v.state = reload(v, d.next)
	}
	if d.soft != nil {
		d.soft(v.state)
	}
	return d.reply.(R)
}

// reload is what a restart makes of a state; expected codes do not survive it.
func reload(t reporter, s *state) *state {
	t.Helper()
	encoded, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	loaded.requests = s.requests
	return loaded
}

func (v *viewer) next() cluster.RequestID {
	v.request++
	return cluster.RequestID{byte(v.request), byte(v.request >> 8), byte(v.request >> 16)}
}

// promises collects what a command promises to others.
func (v *viewer) promises() *intent.Promises {
	return &intent.Promises{Request: v.next(), At: actors.Times{Now: v.now, Confirmed: v.now}}
}

func (v *viewer) mint(device string) *MintReply {
	v.Helper()
	return do[*MintReply](v, v.state.mint(&Mint{Device: &Device{Id: []byte(device)}, MaxDevices: maxDevices}, actors.Times{Now: v.now, Confirmed: v.now}))
}

// joined mints and returns the token that the device gets.
func (v *viewer) joined(device string) *Caller {
	v.Helper()
	r := v.mint(device)
	if r.Failure != Failure_OK {
		v.Fatalf("mint %s: %v", device, r.Failure)
	}
	return token(device, r.Membership)
}

// token is the caller that a device's token and header make.
func token(device string, membership int64) *Caller {
	did := Did([]byte(device))
	return &Caller{Did: did[:], Membership: membership, Device: []byte(device), Bind: true}
}

func external(device string) *Caller { return &Caller{Device: []byte(device), Bind: true} }

func (v *viewer) refresh(c *Caller) Failure {
	v.Helper()
	return do[*RefreshReply](v, v.state.refresh(&Refresh{Caller: c}, actors.Times{Now: v.now, Confirmed: v.now})).Failure
}

// link asks for a code as the front end does: may it, then add it.
func (v *viewer) link(c *Caller, hash string) *LinkReply {
	v.Helper()
	request := v.next()
	if may := v.mayLink(c, 10, request); may.Failure != Failure_OK {
		return may
	}
	return v.add(c, hash, request)
}

// mayLink asks whether the caller may have one of so many codes.
func (v *viewer) mayLink(c *Caller, issued int32, request cluster.RequestID) *LinkReply {
	v.Helper()
	return do[*LinkReply](v, v.state.link(wanted(c, issued), request, actors.Times{Now: v.now, Confirmed: v.now}))
}

func wanted(c *Caller, issued int32) *Link {
	return &Link{Caller: c, TtlMs: ttl.Milliseconds(), MaxPerProfile: 3, MaxIssued: issued, MaxDevices: maxDevices}
}

func (v *viewer) add(c *Caller, hash string, request cluster.RequestID) *LinkReply {
	v.Helper()
	return v.addOf(c, hash, 10, request)
}

// addOf adds one of so many codes.
func (v *viewer) addOf(c *Caller, hash string, issued int32, request cluster.RequestID) *LinkReply {
	v.Helper()
	m := wanted(c, issued)
	m.Code = &NewCode{Hash: []byte(hash), NotBeforeMs: v.now.UnixMilli(), NotAfterMs: v.now.Add(ttl).UnixMilli()}
	return do[*LinkReply](v, v.state.link(m, request, actors.Times{Now: v.now, Confirmed: v.now}))
}

func (v *viewer) redeem(device, hash string) *RedeemReply {
	v.Helper()
	return do[*RedeemReply](v, v.state.redeem(&Redeem{
		Device: &Device{Id: []byte(device)}, CodeHash: []byte(hash), MaxDevices: maxDevices,
	}, actors.Times{Now: v.now, Confirmed: v.now}))
}

// arrive redeems a code from another network, where that needs to be confirmed.
func (v *viewer) arrive(device, hash string) *RedeemReply {
	v.Helper()
	return v.redeemAs(device, hash, OtherNetwork_CONFIRM)
}

// redeemAs redeems a code from another network.
func (v *viewer) redeemAs(device, hash string, policy OtherNetwork) *RedeemReply {
	v.Helper()
	return do[*RedeemReply](v, v.state.redeem(&Redeem{
		Device: &Device{Id: []byte(device), Attributes: []byte("about " + device)}, CodeHash: []byte(hash), MaxDevices: maxDevices,
		OtherNetwork: true, Policy: policy, Guess: []byte("guess of " + device),
	}, actors.Times{Now: v.now, Confirmed: v.now}))
}

func (v *viewer) read(c *Caller, hash string) *CodeReply {
	v.Helper()
	return do[*CodeReply](v, v.state.readCode(&ReadCode{Caller: c, CodeHash: []byte(hash)}, actors.Times{Now: v.now, Confirmed: v.now}))
}

func (v *viewer) confirm(c *Caller, hash string, join bool) *CodeReply {
	v.Helper()
	return do[*CodeReply](v, v.state.confirm(&Confirm{Caller: c, CodeHash: []byte(hash), Join: join}, actors.Times{Now: v.now, Confirmed: v.now}))
}

func (v *viewer) unlink(c *Caller, spellings ...[]string) *UnlinkReply {
	v.Helper()
	m := &Unlink{Caller: c, TombstoneMs: tombstone.Milliseconds()}
	for _, spelling := range spellings {
		candidates := &Candidates{}
		for _, id := range spelling {
			candidates.Id = append(candidates.Id, []byte(id))
		}
		m.Devices = append(m.Devices, candidates)
	}
	return do[*UnlinkReply](v, v.state.unlink(m, actors.Times{Now: v.now, Confirmed: v.now}))
}

func (v *viewer) list(c *Caller) *ListReply {
	v.Helper()
	return do[*ListReply](v, v.state.list(&List{Caller: c}, actors.Times{Now: v.now, Confirmed: v.now}))
}

// names are the devices of a list, in its order.
func names(members []*Member) (names []string) {
	for _, m := range members {
		names = append(names, string(m.Device))
	}
	return names
}
