package linking_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// TestFlowsUnderFaults plays random requests against a realm whose commits and
// barriers fail in every way, each repeated until its outcome is known, and
// compares with what devices and viewers must see.
func TestFlowsUnderFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		faults := rapid.SliceOfN(rapid.SampledFrom(faulty.Faults), 0, 60)
		r, stop := open(t, faulty.Options{
			Shards:   2,
			Commits:  faulty.Script(faults.Draw(t, "commits")...),
			Barriers: faulty.Script(rapid.SliceOfN(rapid.SampledFrom([]faulty.Fault{faulty.None, faulty.Flap}), 0, 20).Draw(t, "barriers")...),
			Delay:    time.Microsecond,
		}, actors.Limits{Tick: 5 * time.Millisecond})
		defer stop()
		m := &household{r: r, alive: map[string]int64{}, numbers: map[int64]bool{}, codes: map[string]*shown{}}
		t.Repeat(map[string]func(*rapid.T){
			"mint":   m.mint,
			"link":   m.link,
			"redeem": m.redeem,
			"arrive": m.arrive, "confirm": m.confirm, "read": m.read,
			"unlink": m.unlink,
			"repeat": m.repeat,
			"wait":   m.wait,
			"":       m.check,
		})
	})
}

// household is what the devices of one viewer know.
type household struct {
	r       *realm
	alive   map[string]int64 // device: its membership
	numbers map[int64]bool   // every membership number ever given
	tokens  []*profile.Caller
	codes   map[string]*shown
	last    func(*rapid.T) // repeats the last request with its id
}

// shown is a link code that a device showed.
type shown struct {
	linking.Code
	creator string
	maker   int64 // membership of the creator
	gone    bool  // replaced, refused, or its creator was unlinked
	end     span  // when it was used or gone
	used    time.Time
	by      string
	number  int64

	guest     string // who waits for the creator's word
	confirmed bool
}

var devices = []string{"phone", "tv", "tablet"}

func (m *household) now() time.Time { return time.Now().Add(time.Duration(m.r.offset.Load())) }

// answered checks that a repeat of a request has the first answer.
func (m *household) answered(number int64, err error, again func() (int64, error)) {
	m.last = func(t *rapid.T) {
		if number2, err2 := again(); number2 != number || (err == nil) != (err2 == nil) {
			t.Fatalf("a repeated request was answered with %d, %v, and first with %d, %v", number2, err2, number, err)
		}
	}
}

func (m *household) joined(t *rapid.T, device string, number int64) {
	if old, member := m.alive[device]; member && old != number || !member && m.numbers[number] {
		t.Fatalf("%s got membership %d, had %d, number given before: %v", device, number, old, m.numbers[number])
	}
	if !m.numbers[number] {
		m.tokens = append(m.tokens, token(device, number))
	}
	m.alive[device], m.numbers[number] = number, true
}

func (m *household) mint(t *rapid.T) {
	device, request := rapid.SampledFrom(devices).Draw(t, "device"), m.r.request()
	number, err := m.r.mint(device, request)
	if err != nil {
		t.Fatal(err)
	}
	m.joined(t, device, number)
	m.answered(number, nil, func() (int64, error) { return m.r.mint(device, request) })
}

func (m *household) link(t *rapid.T) {
	if len(m.tokens) == 0 {
		return
	}
	c, request := rapid.SampledFrom(m.tokens).Draw(t, "token"), m.r.request()
	device := string(c.Device)
	code, request, err := m.r.link(c, request)
	if good := m.alive[device] == c.Membership; (err == nil) != good || err != nil && !errors.Is(err, profile.ErrNotMember) {
		t.Fatalf("link: %v with a token that is good: %v", err, good)
	}
	if err != nil {
		return
	}
	for _, other := range m.codes {
		if other.creator == device {
			other.goes(span{code.NotBefore, m.now()})
		}
	}
	if m.codes[code.Text] != nil {
		t.Fatal("a code was given twice")
	}
	m.codes[code.Text] = &shown{Code: code, creator: device, maker: c.Membership}
	m.answered(0, nil, func() (int64, error) {
		again, id, err := m.r.link(c, request)
		if err == nil && id == request && again != code {
			t.Fatalf("a repeated request was given another code: %v and first %v", again.NotBefore, code.NotBefore)
		}
		return 0, err
	})
}

func (m *household) redeem(t *rapid.T) {
	if len(m.codes) == 0 {
		return
	}
	c := m.codes[rapid.SampledFrom(slices.Sorted(maps.Keys(m.codes))).Draw(t, "code")]
	device, request := rapid.SampledFrom(devices).Draw(t, "device"), m.r.request()
	begun := m.now()
	number, err := m.r.redeem(c.Text, device, request)
	fresh := c.by == "" && !c.gone
	repeat := c.by == device && m.alive[device] == c.number
	// Real time passes while the test runs, so near an instant both are right.
	inTime, late := begun.Before(c.NotAfter), !m.now().Before(c.NotAfter)
	if repeat {
		inTime, late = begun.Sub(c.used) < time.Minute-time.Second, m.now().Sub(c.used) >= time.Minute
	}
	switch {
	case err == nil && (late || !fresh && !repeat):
		t.Fatalf("code redeemed: fresh %v, repeat %v, in time %v", fresh, repeat, inTime)
	case err != nil && inTime && (fresh || repeat):
		t.Fatalf("code not redeemed: %v; fresh %v, repeat %v", err, fresh, repeat)
	case err != nil:
		return
	}
	m.joined(t, device, number)
	if fresh {
		c.by, c.used, c.number = device, m.now(), number
		c.end = span{begun, c.used}
	}
	m.answered(number, nil, func() (int64, error) { return m.r.redeem(c.Text, device, request) })
}

func (m *household) unlink(t *rapid.T) {
	if len(m.tokens) == 0 {
		return
	}
	c := rapid.SampledFrom(m.tokens).Draw(t, "token")
	target, request := rapid.SampledFrom(devices).Draw(t, "target"), m.r.request()
	removed, err := m.r.unlink(c, target, request)
	good := m.alive[string(c.Device)] == c.Membership
	if (err == nil) != good {
		t.Fatalf("unlink: %v with a token that is good: %v", err, good)
	}
	if _, member := m.alive[target]; removed != (good && member) {
		t.Fatalf("unlink of %s: removed %v, member %v", target, removed, member)
	}
	if !removed {
		return
	}
	delete(m.alive, target)
	for _, code := range m.codes {
		if code.creator == target {
			code.goes(span{code.NotBefore, m.now()}) // and its creator is no member any more
		}
	}
	m.answered(0, nil, func() (int64, error) {
		if removed, err := m.r.unlink(c, target, request); err == nil && !removed {
			t.Fatal("a repeated unlink has another answer")
		}
		return 0, nil
	})
}

// repeat asks the last request again, as a client does whose answer was lost.
func (m *household) repeat(t *rapid.T) {
	if m.last != nil {
		m.last(t)
	}
}

func (m *household) wait(t *rapid.T) {
	m.r.wait(rapid.SampledFrom([]time.Duration{time.Second, 30 * time.Second, 2 * time.Minute, codeLife, 2 * time.Hour}).Draw(t, "time"))
	m.last = nil // outcomes are kept for a minute
}

// check: tokens are good exactly while their membership is alive, and a live
// code leads to its profile.
func (m *household) check(t *rapid.T) {
	for _, c := range m.tokens {
		good := m.alive[string(c.Device)] == c.Membership
		if err := m.r.refresh(c); (err == nil) != good || err != nil && !errors.Is(err, profile.ErrNotMember) {
			t.Fatalf("refresh of %s, membership %d: %v, want good %v", c.Device, c.Membership, err, good)
		}
	}
	for _, c := range m.codes {
		if c.gone || c.by != "" || !m.now().Before(c.NotAfter) {
			continue
		}
		if err := m.leads(c, m.r.request()); err != nil {
			t.Fatalf("a live code does not lead to its profile: %v", err)
		}
	}
}

func (m *household) leads(c *shown, request cluster.RequestID) error {
	directory := linkdirectory.NewClient(m.r.runtime, realmKeys{})
	guess := directory.Resolve(viewer.Realm, m.r.guess(c.Text, "observer"))
	to := linkdirectory.Address(viewer.Realm)
	reply, err := sure(m.r, func(ctx context.Context) (proto.Message, error) {
		return m.r.runtime.Ask(ctx, to, request, linkdirectory.StepResolve, guess)
	})
	if err == nil {
		err = reply.(*linkdirectory.ResolveReply).Err()
	}
	if err != nil {
		return err
	}
	m.r.runtime.Tell(to, request, linkdirectory.StepSettle, &linkdirectory.Settle{CodeHash: guess.CodeHash, Verdict: linkdirectory.Verdict_REFUNDED})
	if _, subject, err := directory.Owner(viewer.Realm, reply.(*linkdirectory.ResolveReply).Owner); subject != viewer.Subject {
		return fmt.Errorf("it leads elsewhere, %v", err)
	}
	return nil
}
