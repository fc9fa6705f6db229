package xacml

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// skew is how far the decision point's clock may be off;
// httpfront/docs/limits.md#lifetimes.
const skew = time.Minute

// result is what an answer says of one resource.
type result struct {
	unknown     bool   // the viewer
	decision    string // of the context: Permit, Deny, NotApplicable, Indeterminate
	obligations []obligation
	// notAfter is the end of the assertion; zero: it names none.
	notAfter time.Time
}

// read reads the answer to a query.
func (c *Client) read(document []byte, q *query) (result, error) {
	root, err := parse(document)
	if err != nil {
		return result{}, err
	}
	response, err := unwrap(root)
	if err != nil {
		return result{}, err
	}
	if response.attribute("InResponseTo") != q.id || response.attribute("Version") != "2.0" {
		return result{}, errors.New("it is of another query, or another version")
	}
	codes, err := statusOf(response)
	switch {
	case err != nil:
		return result{}, err
	case codes[0] != statusSpace+"Success":
		return refusal(codes)
	}
	assertion, err := response.one(samlSpace, "Assertion")
	if err != nil {
		return result{}, err
	}
	until, err := c.conditions(assertion)
	if err != nil {
		return result{}, err
	}
	r, err := statement(assertion, q.resource)
	r.notAfter = until
	return r, err
}

// unwrap takes the response out of its envelope. A header that must be understood is
// not, since there is none to expect.
func unwrap(root *element) (*element, error) {
	if root.name.Space != soapSpace || root.name.Local != "Envelope" {
		return nil, errors.New("it is no SOAP envelope")
	}
	for _, header := range root.all(soapSpace, "Header") {
		for _, entry := range header.children {
			if entry.attributeIn(soapSpace, "mustUnderstand") == "1" {
				return nil, errors.New("a header of it must be understood")
			}
		}
	}
	body, err := root.one(soapSpace, "Body")
	if err != nil {
		return nil, err
	}
	if len(body.all(soapSpace, "Fault")) > 0 {
		return nil, errors.New("it is a SOAP fault")
	}
	if len(body.children) != 1 {
		return nil, errors.New("the body does not have one element")
	}
	return body.one(protocolSpace, "Response")
}

const statusSpace = "urn:oasis:names:tc:SAML:2.0:status:"

// statusOf are the status codes of a response, the outer one first; SAML 2.0 core, 3.2.2.2.
func statusOf(response *element) ([]string, error) {
	at, err := response.path(protocolSpace, "Status", "StatusCode")
	if err != nil {
		return nil, err
	}
	codes := []string{at.attribute("Value")}
	for _, inner := range at.all(protocolSpace, "StatusCode") {
		codes = append(codes, inner.attribute("Value"))
	}
	return codes, nil
}

// refusal is what a response without an assertion says.
func refusal(codes []string) (result, error) {
	for _, code := range codes[1:] {
		if code == statusSpace+"UnknownPrincipal" {
			return result{unknown: true}, nil
		}
	}
	var words []string
	for _, code := range codes {
		words = append(words, strconv.Quote(clip(code)))
	}
	return result{}, fmt.Errorf("its status is %s", strings.Join(words, ", "))
}

// clip shortens what is quoted in errors.
func clip(text string) string { return text[:min(len(text), 80)] }

// conditions returns when an assertion ends. It must be good now.
func (c *Client) conditions(assertion *element) (time.Time, error) {
	all := assertion.all(samlSpace, "Conditions")
	if len(all) == 0 {
		return time.Time{}, nil
	}
	if len(all) > 1 {
		return time.Time{}, errors.New("it has several conditions")
	}
	from, err := instant(all[0].attribute("NotBefore"))
	if err != nil {
		return time.Time{}, err
	}
	until, err := instant(all[0].attribute("NotOnOrAfter"))
	now := c.Now()
	switch {
	case err != nil:
		return time.Time{}, err
	case now.Before(from.Add(-skew)):
		return time.Time{}, errors.New("it is not good yet")
	case !until.IsZero() && !now.Before(until.Add(skew)):
		return time.Time{}, errors.New("it is good no more")
	}
	return until, nil
}

func instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, errors.New("it has a time that is none")
	}
	return t, nil
}

const typesSpace = "http://www.w3.org/2001/XMLSchema-instance"

// statement reads the decision of an assertion.
func statement(assertion *element, resource string) (result, error) {
	var found []*element
	for _, e := range assertion.children {
		if isStatement(e) {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return result{}, fmt.Errorf("the assertion has %d decisions, want one", len(found))
	}
	at, err := found[0].path(contextSpace, "Response", "Result")
	if err != nil {
		return result{}, err
	}
	if of := at.attribute("ResourceId"); of != "" && of != resource {
		return result{}, errors.New("it is about another resource")
	}
	decision, err := at.one(contextSpace, "Decision")
	if err != nil {
		return result{}, err
	}
	r := result{decision: decision.text}
	r.obligations, err = obligations(at, r.decision)
	return r, err
}

// isStatement reports whether an element has a decision: by its name, in the namespace of
// 2005, of the second version, or of a draft of it; or by its type.
func isStatement(e *element) bool {
	const name = "XACMLAuthzDecisionStatement"
	if e.name.Local == "Statement" && e.name.Space == samlSpace {
		_, local, prefixed := strings.Cut(e.attributeIn(typesSpace, "type"), ":")
		return prefixed && local == name+"Type"
	}
	space := e.name.Space
	return e.name.Local == name &&
		(space == statementSpace || strings.HasPrefix(space, statementSpace+":") || space == "urn:oasis:xacml:2.0:saml:assertion:schema:os")
}
