package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"ssod/bench/loadgen"
)

// The operations of the API, one loadgen.Source each. Their tags are indexes of
// what they work on.
var (
	_ loadgen.Source = (*minter)(nil)
	_ loadgen.Source = (*refresher)(nil)
	_ loadgen.Source = (*lister)(nil)
	_ loadgen.Source = (*linker)(nil)
	_ loadgen.Source = (*redeemer)(nil)
	_ loadgen.Source = (*unlinker)(nil)
)

// minter mints for a new viewer, from a new device.
type minter struct {
	clients []client
	name    string // distinguishes the viewers of this source from all others
	// perViewer is how many devices in a row belong to the same viewer; 0
	// means 1.
	perViewer int
	limit     int // requests in total; 0 for no limit
	sent      int
	keep      bool // collect what was minted
	members   []member
}

func (m *minter) Next(buf []byte) ([]byte, int, bool) {
	if m.limit > 0 && m.sent == m.limit {
		return buf, 0, false
	}
	n := m.sent
	m.sent++
	c := m.client(n)
	r := newRequest(buf, http.MethodPost, c.provider, "serviceToken", c.bearer)
	r = r.device(deviceID(m.name, n)).header("X-Device-Info", deviceInfo)
	return r.header("X-SSO-ID", fmt.Sprintf("%s-viewer-%d", m.name, m.viewer(n))).end(""), n, true
}

func (m *minter) viewer(n int) int { return n / max(m.perViewer, 1) }

// client is the app of the n-th device: all devices of a viewer use the same,
// and so the same realm.
func (m *minter) client(n int) client { return m.clients[m.viewer(n)%len(m.clients)] }

func (m *minter) Answer(n, status int, body []byte) bool {
	if status != http.StatusCreated {
		return false
	}
	if !m.keep {
		return true
	}
	token, ok := field(body, "serviceToken")
	c := m.client(n)
	m.members = append(m.members, member{provider: c.provider, bearer: c.bearer, device: deviceID(m.name, n), service: token})
	return ok
}

// refresher refreshes the members' tokens one after the other. With chain each
// refresh sends the token that the member's last one returned, as apps do.
type refresher struct {
	members []member
	chain   bool
	sent    int
}

func (f *refresher) Next(buf []byte) ([]byte, int, bool) {
	i := f.sent % len(f.members)
	f.sent++
	m := &f.members[i]
	r := newRequest(buf, http.MethodGet, m.provider, "serviceToken", m.bearer)
	return append(r.header("AD-Service-Token", m.service), "\r\n"...), i, true
}

func (f *refresher) Answer(i, status int, body []byte) bool {
	if status != http.StatusOK {
		return false
	}
	if !f.chain {
		return true
	}
	token, ok := field(body, "serviceToken")
	if ok {
		f.members[i].service = token
	}
	return ok
}

// lister lists the devices of the members one after the other.
type lister struct {
	members []member
	sent    int
}

func (l *lister) Next(buf []byte) ([]byte, int, bool) {
	i := l.sent % len(l.members)
	l.sent++
	m := &l.members[i]
	r := newRequest(buf, http.MethodGet, m.provider, "list", m.bearer).device(m.device)
	return append(r.header("AD-Service-Token", m.service), "\r\n"...), i, true
}

func (l *lister) Answer(i, status int, body []byte) bool {
	return status == http.StatusOK && bytes.Contains(body, []byte(l.members[i].device))
}

// linker makes a link code for each member in turn and collects the codes.
type linker struct {
	members []member
	limit   int // requests in total; 0 for no limit
	sent    int
	codes   []code
}

func (l *linker) Next(buf []byte) ([]byte, int, bool) {
	if l.limit > 0 && l.sent == l.limit {
		return buf, 0, false
	}
	i := l.sent % len(l.members)
	l.sent++
	m := &l.members[i]
	r := newRequest(buf, http.MethodPost, m.provider, "link", m.bearer).device(m.device)
	return r.header("AD-Service-Token", m.service).end(""), i, true
}

func (l *linker) Answer(i, status int, body []byte) bool {
	digits, ok := field(body, "code")
	if status != http.StatusCreated || !ok {
		return false
	}
	l.codes = append(l.codes, code{host: i, digits: digits})
	return true
}

// redeemer spends the codes, each from a new device, and collects the devices.
type redeemer struct {
	members []member
	codes   []code
	name    string // distinguishes the devices of this source from all others
	sent    int
	guests  []guest
}

// home is the address of one viewer. Redemptions under way count as guesses of their
// address until they succeed, so the bench must not send all of them from one.
func home(i int) string {
	return "10." + strconv.Itoa(i>>16&255) + "." + strconv.Itoa(i>>8&255) + "." + strconv.Itoa(i&255)
}

func (d *redeemer) Next(buf []byte) ([]byte, int, bool) {
	if d.sent == len(d.codes) {
		return buf, 0, false
	}
	i := d.sent
	d.sent++
	m := &d.members[d.codes[i].host]
	r := newRequest(buf, http.MethodPost, m.provider, "serviceToken", m.bearer).device(deviceID(d.name, i))
	return r.header("X-Forwarded-For", home(i)).header("X-Device-Info", deviceInfo).header("X-SSO-LINK", d.codes[i].digits).end(""), i, true
}

func (d *redeemer) Answer(i, status int, _ []byte) bool {
	if status != http.StatusCreated {
		return false
	}
	d.guests = append(d.guests, guest{host: d.codes[i].host, device: deviceID(d.name, i)})
	return true
}

// unlinker lets each host remove its guest.
type unlinker struct {
	members []member
	guests  []guest
	sent    int
}

func (u *unlinker) Next(buf []byte) ([]byte, int, bool) {
	if u.sent == len(u.guests) {
		return buf, 0, false
	}
	i := u.sent
	u.sent++
	m := &u.members[u.guests[i].host]
	r := newRequest(buf, http.MethodPost, m.provider, "unlink", m.bearer).device(m.device)
	return r.header("AD-Service-Token", m.service).end(`{"devices":["` + u.guests[i].device + `"]}`), i, true
}

func (u *unlinker) Answer(i, status int, body []byte) bool {
	return status == http.StatusOK && bytes.Contains(body, []byte(u.guests[i].device))
}
