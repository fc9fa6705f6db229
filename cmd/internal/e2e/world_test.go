package e2e

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"ssod/cmd/internal/e2e/examples"
)

// world is what the conformance cases speak of: the realm of STREAM1 and
// STREAM2, the realm of RIVAL1, the devices A, B and C, and the variables.
type world struct {
	*node
	stream *app        // client of STREAM1 and STREAM2
	rival  func() *app // client of RIVAL1, made when asked for
	device map[string]*device
	vars   map[string]string
	guest  string                 // marks names on a service that others use too
	secret func() ([]byte, error) // key of the service tokens of STREAM1
	rename map[string]string      // link code of the case's text -> the real one
}

// The viewer and the devices as the cases describe them.
const (
	theViewer = "d2c-user-7f3a"
	deviceA   = "living-room-tv-0001"
	deviceB   = "phone-0002"
	deviceC   = "tablet-0003"

	infoA = "eyJwcmltYXJ5SGFyZHdhcmVUeXBlIjogIlRWIiwgIm1vZGVsIjogIlFYLTU1IiwgIm1hbnVmYWN0dXJlciI6ICJTYW1zdW5nIiwgInZlbmRvciI6ICJTYW1zdW5nIiwgInZlcnNpb24iOiAiNy4xIiwgIm9zTmFtZSI6ICJMaW51eCIsICJvc0ZhbWlseSI6ICJUaXplbiIsICJvc1ZlbmRvciI6ICJUaXplbiBQcm9qZWN0IiwgIm9zVmVyc2lvbiI6ICI1LjAiLCAiY29ubmVjdGlvblR5cGUiOiAiTEFOIn0="
	infoB = "eyJwcmltYXJ5SGFyZHdhcmVUeXBlIjogIk1vYmlsZVBob25lIiwgIm1vZGVsIjogImlQaG9uZSIsICJtYW51ZmFjdHVyZXIiOiAiQXBwbGUiLCAidmVuZG9yIjogIkFwcGxlIiwgInZlcnNpb24iOiAiMTQsNSIsICJvc05hbWUiOiAiaU9TIiwgIm9zVmVyc2lvbiI6ICIxNy4yIiwgImNvbm5lY3Rpb25UeXBlIjogIldpRmkifQ=="
)

// lifetimes are the settings that a case needs shorter than an operator would
// choose them, or other than by default. Empty means the default.
type lifetimes struct {
	access, service, window, code, session, login, public, others, rule, trial, acme string
	throttle                                                                         bool
}

// worldConfig is the configuration of the cases.
func worldConfig(l lifetimes) string {
	setting := func(key, value string) string {
		if value == "" {
			return ""
		}
		return key + ": " + value
	}
	return setting("publicURL", l.public) + fmt.Sprintf(`
throttle: {enabled: %v}
accessToken: {%s}
realms:
  - id: programmer
    serviceProviders:
      - {id: STREAM1, domains: [stream.example, "*.apps.stream.example"]}
      - {id: STREAM2, domains: [stream.example]}
    serviceToken: {%s}
    linkCode: {%s}
    session: {%s}
    trustedIssuers: [{issuer: %q, audience: Adobe, jwksFile: issuer.json}]
    platforms: [{name: box, issuer: %q, audience: adobe, algorithms: [HS256], jwksFile: platform.json}]
    mvpds:
      - {id: AcmeTV, %s, logoUrl: "https://static.stream.example/acme.png"%s}
      - {id: NordCable, kind: sandbox, logoutEndpoint: false}
      - {id: OldCable, kind: sandbox, disabledFor: [STREAM1, STREAM2]}
%s    %s
  - id: rival
    serviceProviders: [RIVAL1]
`, l.throttle, setting("ttl", l.access), join(setting("ttl", l.service), setting("refreshWindow", l.window)), join(setting("ttl", l.code), setting("otherNetwork", l.others)),
		setting("ttl", l.session), issuer, platformIssuer, cmp.Or(l.acme, "kind: sandbox"), prefixed(", ", setting("authnTTL", l.login)), enclosed("      - {id: TempPass_10min, kind: temppass, ttl: ", l.trial, "}\n"),
		setting("degradation", enclosed("[{serviceProvider: STREAM1, mvpd: AcmeTV, rule: ", l.rule, "}]")))
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func enclosed(before, s, behind string) string {
	if s == "" {
		return ""
	}
	return before + s + behind
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// newWorld starts a node on a directory that holds the keys of its realms and
// nothing else: those of empty are copied, because making them takes longer
// than most cases.
func newWorld(t testing.TB, empty fs.FS, l lifetimes) *world {
	t.Helper()
	n := newNode(t, worldConfig(l))
	writeIssuerKeys(t, n.Dir)
	writePlatformKey(t, n.Dir)
	must(t, os.CopyFS(n.Data(), empty))
	must(t, os.Chmod(n.Data(), 0o700))
	must(t, os.Chmod(filepath.Join(n.Data(), "sealing.key"), 0o600)) // a copy is everybody's to read
	n.Start()
	w := worldOn(n, "")
	w.secret = func() ([]byte, error) {
		n.Kill()
		defer n.Start()
		return n.realmSecret("programmer")
	}
	return w
}

// worldOn is a world on a service that runs. A guest's viewers and devices have
// names of their own, so that the service has never heard of them.
func worldOn(n *node, guest string) *world {
	n.Helper()
	w := &world{node: n, guest: guest, vars: map[string]string{}, rename: map[string]string{}}
	w.device = map[string]*device{"A": newDevice(w.own(deviceA)), "B": newDevice(w.own(deviceB)), "C": newDevice(w.own(deviceC))}
	w.device["A"].info, w.device["B"].info = infoA, infoB
	for _, d := range w.device {
		d.address = homeOf(guest)
	}
	w.stream = n.mustApp("STREAM1", "STREAM2")
	var rival *app
	w.rival = func() *app {
		if rival == nil {
			rival = n.mustApp("RIVAL1")
		}
		return rival
	}
	return w
}

// own is what a name of the cases is called in this world.
func (w *world) own(name string) string { return name + w.guest }

// inOwnWords is a case with the names of this world.
func (w *world) inOwnWords(c examples.Case) examples.Case {
	w.Helper()
	names := []string{theViewer, w.own(theViewer)}
	for _, device := range []string{deviceA, deviceB, deviceC} {
		names = append(names, newDevice(device).id, newDevice(w.own(device)).id, device, w.own(device))
	}
	c, err := c.With(names...)
	must(w, err)
	return c
}

// emptyWorld is the data directory of a node that was started once and stopped.
func emptyWorld(t testing.TB) fs.FS {
	t.Helper()
	n := newNode(t, worldConfig(lifetimes{}))
	writeIssuerKeys(t, n.Dir)
	writePlatformKey(t, n.Dir)
	n.Start()
	n.stop()
	return os.DirFS(n.Data())
}

// value is the content of a variable: what a step of the case has set, else
// what the fixture of that name makes.
func (w *world) value(name string) (string, error) {
	if v, ok := w.vars[name]; ok {
		return v, nil
	}
	fixture, ok := fixtures()[name]
	if !ok {
		return "", fmt.Errorf("no step and no fixture sets %s", name)
	}
	v, err := fixture(w)
	w.vars[name] = v
	return v, err
}

// variables are those that are set, for <equalsVar:x>.
func (w *world) variables() map[string]string { return maps.Clone(w.vars) }

// send sends the request of a case, from the network of the devices unless the
// case says otherwise.
func (w *world) send(r examples.Request) (examples.Answer, error) {
	if _, elsewhere := r.Headers["X-Forwarded-For"]; !elsewhere {
		r.Headers = maps.Clone(r.Headers)
		if r.Headers == nil {
			r.Headers = map[string]string{}
		}
		r.Headers["X-Forwarded-For"] = homeOf(w.guest)
	}
	return w.do(w.Context(), call{method: r.Method, target: r.Target(), headers: r.Headers, body: r.Body()})
}
