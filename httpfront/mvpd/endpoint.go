package mvpd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Visited is an answer that [Report.Visit] got.
type Visited struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// Visit asks an endpoint and adds lines on how its host is reached, the first time: its
// certificate, and its clock. If there is no answer, the line says why, and ok is false.
func (r *Report) Visit(client *http.Client, q *http.Request, check string) (v Visited, ok bool) {
	began := time.Now()
	answer, err := client.Do(q)
	if err != nil {
		r.unreached(check, q.URL, err)
		return v, false
	}
	defer answer.Body.Close()
	v = Visited{Status: answer.StatusCode, Header: answer.Header}
	v.Body, err = io.ReadAll(answer.Body)
	v.Took = time.Since(began)
	if err != nil {
		r.unreached(check, q.URL, err)
		return v, false
	}
	if r.hosts[q.URL.Host] {
		return v, true
	}
	if r.hosts == nil {
		r.hosts = map[string]bool{}
	}
	r.hosts[q.URL.Host] = true
	r.secured(q.URL, answer.TLS)
	r.clock(q.URL, answer.Header)
	return v, true
}

// secured judges the certificate that a host has shown.
func (r *Report) secured(u *url.URL, state *tls.ConnectionState) {
	if state == nil {
		r.OK("tls", "%s is plain http on this machine", u.Host)
		return
	}
	first := slices.MinFunc(state.PeerCertificates, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	r.Certificate("tls", u.Host, first.NotBefore, first.NotAfter, Fail)
}

// Differences of clocks: tokens and assertions have times, and what is issued in the
// future or has expired is refused.
const (
	warnDifference = 5 * time.Second
	failDifference = time.Minute
)

// clock compares the clock of a host with ours, by the Date of an answer: to a second.
func (r *Report) clock(u *url.URL, h http.Header) {
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		r.OK("clock", "%s does not say its time", u.Host)
		return
	}
	const advice = "synchronise the clocks (NTP): ours with ssoctl status, theirs with its operator"
	ahead := theirs.Sub(r.Now).Round(time.Second)
	switch off := ahead.Abs(); {
	case off > failDifference:
		r.Fail("clock", advice, "the clock of %s is %v %s ours: what it issues is refused", u.Host, off, direction(ahead))
	case off > warnDifference:
		r.Warn("clock", advice, "the clock of %s is %v %s ours", u.Host, off, direction(ahead))
	default:
		r.OK("clock", "the clock of %s agrees with ours", u.Host)
	}
}

func direction(ahead time.Duration) string {
	if ahead < 0 {
		return "behind"
	}
	return "ahead of"
}

// unreached says why there is no answer.
func (r *Report) unreached(check string, u *url.URL, err error) {
	var expired x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var dns *net.DNSError
	switch {
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		r.Certificate("tls", u.Host, expired.Cert.NotBefore, expired.Cert.NotAfter, Fail)
		if !r.Failed() { // by the clock that it was compared with it is good
			r.Fail("tls", "compare the clocks", "the certificate of %s is refused: %s", u.Host, expired.Detail)
		}
	case errors.As(err, &authority):
		r.Fail("tls", "if its authority is private, name it in caFile", "the certificate of %s is signed by an authority that is not trusted", u.Host)
	case errors.As(err, &name):
		r.Fail("tls", "check the host name in the URL, or have the certificate renewed with it", "the certificate of %s is for another host", u.Host)
	case errors.As(err, &dns):
		r.Fail(check, "check the host name in the configuration, and DNS on this node", "%s is not found", u.Hostname())
	default:
		r.Fail(check, "check that it runs, and that a firewall lets this node through", "%s does not answer: %v", u.Host, plainly(err))
	}
}

// plainly is an error without the request, whose query may be long.
func plainly(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// Answered is a text about an answer.
func (v *Visited) Answered() string {
	return fmt.Sprintf("answered %d after %d ms", v.Status, v.Took.Milliseconds())
}
