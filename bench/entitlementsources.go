package main

import (
	"bytes"
	"net/http"

	"ssod/bench/loadgen"
)

var (
	_ loadgen.Source = (*profileFinder)(nil)
	_ loadgen.Source = (*decider)(nil)
)

// profileFinder asks for the logins of the members one after the other.
type profileFinder struct {
	members []member
	sent    int
}

func (p *profileFinder) Next(buf []byte) ([]byte, int, bool) {
	i := p.sent % len(p.members)
	p.sent++
	m := &p.members[i]
	r := newRequest(buf, http.MethodGet, "v2/"+m.provider, "profiles", m.bearer).device(m.device)
	return append(r.header("AD-Service-Token", m.service), "\r\n"...), i, true
}

func (p *profileFinder) Answer(_, status int, body []byte) bool {
	return status == http.StatusOK && bytes.Contains(body, []byte(`"type":"regular"`))
}

// decider asks for a decision about one resource, which is permitted.
type decider struct {
	members []member
	call    string // authorize or preauthorize
	sent    int
}

func (d *decider) Next(buf []byte) ([]byte, int, bool) {
	i := d.sent % len(d.members)
	d.sent++
	m := &d.members[i]
	r := newRequest(buf, http.MethodPost, "v2/"+m.provider, "decisions/"+d.call+"/sandbox", m.bearer).device(m.device)
	return r.header("AD-Service-Token", m.service).end(`{"resources":["channel-1"]}`), i, true
}

func (d *decider) Answer(_, status int, body []byte) bool {
	return status == http.StatusOK && bytes.Contains(body, []byte(`"authorized":true`)) &&
		bytes.Contains(body, []byte(`"serializedToken":"`)) == (d.call == "authorize")
}
