package xacml

import (
	"bytes"
	"encoding/xml"
	"net/netip"
	"strconv"
	"time"

	"ssod/httpfront/mvpd"
)

// Namespaces.
const (
	soapSpace      = "http://schemas.xmlsoap.org/soap/envelope/"
	samlSpace      = "urn:oasis:names:tc:SAML:2.0:assertion"
	protocolSpace  = "urn:oasis:names:tc:SAML:2.0:protocol"
	querySpace     = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:protocol"
	statementSpace = "urn:oasis:names:tc:xacml:2.0:profile:saml2.0:v2:schema:assertion"
	contextSpace   = "urn:oasis:names:tc:xacml:2.0:context:schema:os"
	policySpace    = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
)

// Ids of attributes and their types; XACML 2.0, A.2 and B.
const (
	subjectID  = "urn:oasis:names:tc:xacml:1.0:subject:subject-id"
	resourceID = "urn:oasis:names:tc:xacml:1.0:resource:resource-id"
	actionID   = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	addressID  = "urn:oasis:names:tc:xacml:1.0:subject:authn-locality:ip-address"
	own        = "urn:ssod:xacml:"

	stringType  = "http://www.w3.org/2001/XMLSchema#string"
	booleanType = "http://www.w3.org/2001/XMLSchema#boolean"
	addressType = "urn:oasis:names:tc:xacml:2.0:data-type:ipAddress"
)

// query is one question about one resource.
type query struct {
	id       string
	issued   time.Time
	url      string
	issuer   string
	question *mvpd.Question
	resource string
}

// envelope is the query as a document.
func (q *query) envelope() []byte {
	w := &writer{}
	w.WriteString(xml.Header + `<soap11:Envelope xmlns:soap11="` + soapSpace + `"><soap11:Body>` +
		`<xacml-samlp:XACMLAuthzDecisionQuery xmlns:xacml-samlp="` + querySpace + `" ID="` + q.id + `" Version="2.0" IssueInstant="` +
		q.issued.UTC().Format("2006-01-02T15:04:05.000Z") + `" Destination="`)
	w.text(q.url)
	w.WriteString(`"><saml2:Issuer xmlns:saml2="` + samlSpace + `">`)
	w.text(q.issuer)
	w.WriteString(`</saml2:Issuer><xacml-context:Request xmlns:xacml-context="` + contextSpace + `">` +
		`<xacml-context:Subject SubjectCategory="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject">`)
	w.attribute(subjectID, stringType, q.question.Subject)
	w.WriteString(`</xacml-context:Subject><xacml-context:Resource>`)
	w.attribute(resourceID, stringType, q.resource)
	w.WriteString(`</xacml-context:Resource><xacml-context:Action>`)
	w.attribute(actionID, stringType, "VIEW")
	w.WriteString(`</xacml-context:Action><xacml-context:Environment>`)
	q.environment(w)
	w.WriteString(`</xacml-context:Environment></xacml-context:Request></xacml-samlp:XACMLAuthzDecisionQuery></soap11:Body></soap11:Envelope>`)
	return w.Bytes()
}

func (q *query) environment(w *writer) {
	about := q.question
	if about.Address.IsValid() {
		w.attribute(addressID, addressType, address(about.Address))
	}
	w.attribute(own+"device-id", stringType, about.Device.ID)
	w.attribute(own+"device-type", stringType, about.Device.Type)
	w.attribute(own+"device-name", stringType, about.Device.Name)
	w.attribute(own+"service-provider", stringType, about.ServiceProvider)
	w.attribute(own+"preauthorize", booleanType, strconv.FormatBool(about.Preauthorize))
}

// address is an address as the type ipAddress has it; XACML 2.0, A.2.
func address(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.WithZone("").String() + "]"
	}
	return a.String()
}

// writer writes elements.
type writer struct{ bytes.Buffer }

// text writes a value, which may come from anybody.
func (w *writer) text(value string) {
	_ = xml.EscapeText(&w.Buffer, []byte(value)) // a buffer takes everything
}

// attribute writes an attribute of the context, unless it has no value.
func (w *writer) attribute(id, kind, value string) {
	if value == "" {
		return
	}
	w.WriteString(`<xacml-context:Attribute AttributeId="` + id + `" DataType="` + kind + `"><xacml-context:AttributeValue>`)
	w.text(value)
	w.WriteString(`</xacml-context:AttributeValue></xacml-context:Attribute>`)
}
