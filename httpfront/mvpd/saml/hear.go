package saml

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	"ssod/httpfront/mvpd"
)

// maxState bounds a RelayState of the provider in bytes, which should have 80 at most.
const maxState = 1 << 10

// Hear judges what a browser brings from the provider to the logout endpoint, over
// HTTP-Redirect (query, as it was sent) or HTTP-POST (form). What does not count is a
// [*mvpd.LoginError] with the code invalid_request.
func (c *Connector) Hear(ctx context.Context, query string, form url.Values) (Word, error) {
	o, err := c.ready(ctx)
	if err != nil {
		return Word{}, err
	}
	m, err := carried(query, form)
	if err != nil {
		return Word{}, invalid(err)
	}
	w, err := o.hear(m)
	if errors.Is(err, errSignature) && c.source.hurry(ctx) { // its keys may have changed
		if o, err = c.ready(ctx); err != nil {
			return Word{}, err
		}
		w, err = o.hear(m)
	}
	if err != nil {
		return Word{}, invalid(err)
	}
	return w, nil
}

// carrier is a message with what its binding says of it.
type carrier struct {
	root    *etree.Element
	request bool
	state   string
	// signed, method and signature are those of HTTP-Redirect; signed is "" for
	// HTTP-POST.
	signed, method, signature string
}

// carried reads the message of either binding.
func carried(query string, form url.Values) (carrier, error) {
	if form == nil {
		return redirected(query)
	}
	m := carrier{request: form.Has(requestParameter)}
	parameter := responseParameter
	if m.request {
		parameter = requestParameter
	}
	if m.request && form.Has(responseParameter) {
		return m, errors.New("a request and a response at once")
	}
	var err error
	m.root, m.state, err = posted(form, parameter)
	return m, err
}

// redirected reads a message of HTTP-Redirect. What is signed are the parameters as they
// were escaped by the sender; SAML Bindings 2.0, 3.4.4.1.
func redirected(query string) (carrier, error) {
	raw := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if _, again := raw[name]; again {
			return carrier{}, errors.New("a parameter that is there twice")
		}
		raw[name] = value
	}
	_, isRequest := raw[requestParameter]
	_, isResponse := raw[responseParameter]
	if isRequest == isResponse {
		return carrier{}, errors.New("neither a request nor a response, or both")
	}
	parameter := responseParameter
	if isRequest {
		parameter = requestParameter
	}
	m := carrier{request: isRequest, signed: parameter + "=" + raw[parameter]}
	if state, ok := raw[stateParameter]; ok {
		m.signed += "&" + stateParameter + "=" + state
	}
	m.signed += "&" + methodParameter + "=" + raw[methodParameter]
	var packed string
	for name, to := range map[string]*string{parameter: &packed, stateParameter: &m.state, methodParameter: &m.method, signParameter: &m.signature} {
		value, err := url.QueryUnescape(raw[name])
		if err != nil {
			return carrier{}, fmt.Errorf("parameter %s is not escaped well", name)
		}
		*to = value
	}
	data, err := inflate(packed)
	if err != nil {
		return carrier{}, err
	}
	m.root, err = readXML(data, message)
	return m, err
}

// hear judges a message. An answer that does not count has a problem and no effect.
func (o *ours) hear(m carrier) (Word, error) {
	if len(m.state) > maxState {
		return Word{}, fmt.Errorf("a RelayState of more than %d bytes", maxState)
	}
	if m.request {
		return o.hearRequest(m)
	}
	return Word{State: m.state, Problem: o.checkLogoutResponse(m)}, nil
}

// authentic returns the message as far as it was signed.
func (o *ours) authentic(m carrier, tag string) (*etree.Element, error) {
	if !is(m.root, protocolNS, tag) {
		return nil, fmt.Errorf("no %s", tag)
	}
	root := m.root
	switch own := count(root, signatureNS, "Signature"); {
	case m.signed != "":
		if m.signature == "" {
			return nil, errors.New("nothing is signed")
		}
		if err := verifyText(m.signed, m.method, m.signature, o.description.keys); err != nil {
			return nil, err
		}
	case own == 0:
		return nil, errors.New("nothing is signed")
	case own != 1 || len(children(root, signatureNS, "Signature")) != 1:
		return nil, errors.New("a signature where none belongs")
	default:
		var err error
		if root, err = verify(root, o.description.keys, message); err != nil {
			return nil, err
		}
	}
	if err := o.checkMessage(root, o.logoutURL()); err != nil {
		return nil, err
	}
	return root, o.checkIssuer(root, true)
}

// hearRequest judges a LogoutRequest; SAML Core 2.0, 3.7.1.
func (o *ours) hearRequest(m carrier) (Word, error) {
	root, err := o.authentic(m, "LogoutRequest")
	if err != nil {
		return Word{}, err
	}
	issued, err := o.issued(root)
	if err != nil {
		return Word{}, err
	}
	until, err := instant(root, "NotOnOrAfter")
	if err == nil && !until.IsZero() && !o.now().Before(until.Add(skew)) {
		err = errors.New("a LogoutRequest that has expired")
	}
	if err != nil {
		return Word{}, err
	}
	who, err := o.nameOf(root)
	if err != nil {
		return Word{}, err
	}
	end := mvpd.End{Issued: issued, Once: mvpd.Once{ID: "logout " + attribute(root, "ID"), Until: issued.Add(maxAge + 2*skew)}}
	for _, e := range children(root, protocolNS, "SessionIndex") {
		index, err := token(e)
		if err != nil {
			return Word{}, err
		}
		end.Sessions = append(end.Sessions, who.session(index))
	}
	if n := len(end.Sessions); n == 0 || n > mvpd.MaxSessions { // all of them, then
		end.Sessions, end.Subject = nil, who.Value
	}
	return Word{Request: true, End: end, State: m.state, id: attribute(root, "ID")}, nil
}

// checkLogoutResponse says what is wrong with the answer to a logout that began here.
func (o *ours) checkLogoutResponse(m carrier) error {
	root, err := o.authentic(m, "LogoutResponse")
	if err != nil {
		return err
	}
	if !same(attribute(root, "InResponseTo"), logoutID(m.state)) {
		return errors.New("the answer to another logout")
	}
	status, err := statusOf(root)
	if err != nil {
		return err
	}
	if status[0] != statusSuccess {
		return fmt.Errorf("the provider answered %s", statusText(status))
	}
	return nil
}
