package wire

// Name is a request header that the service reads. Lines with other names are
// checked and forgotten.
type Name uint8

// The headers of the API, and those that frame a message.
const (
	None Name = iota
	Accept
	AcceptEncoding
	AcceptLanguage
	AccessControlRequestMethod
	Authorization
	Connection
	ContentLength
	ContentType
	Cookie
	DeviceIdentifier // AP-Device-Identifier
	DeviceInfo       // X-Device-Info
	Expect
	ForwardedFor // X-Forwarded-For
	Host
	IfNoneMatch
	Origin
	PartnerFrameworkStatus // AP-Partner-Framework-Status
	RokuToken              // X-Roku-Reserved-Roku-Connect-Token
	SecFetchSite
	ServiceToken     // AD-Service-Token
	SSOID            // X-SSO-ID
	SSOLink          // X-SSO-LINK
	SubjectToken     // Adobe-Subject-Token
	TempPassIdentity // AP-TempPass-Identity
	TransferEncoding
	UserAgent
	VisitorIdentifier // AP-Visitor-Identifier
	names
)

var spelling = [names]string{
	Accept:                     "accept",
	AcceptEncoding:             "accept-encoding",
	AcceptLanguage:             "accept-language",
	AccessControlRequestMethod: "access-control-request-method",
	Authorization:              "authorization",
	Connection:                 "connection",
	ContentLength:              "content-length",
	ContentType:                "content-type",
	Cookie:                     "cookie",
	DeviceIdentifier:           "ap-device-identifier",
	DeviceInfo:                 "x-device-info",
	Expect:                     "expect",
	ForwardedFor:               "x-forwarded-for",
	Host:                       "host",
	IfNoneMatch:                "if-none-match",
	Origin:                     "origin",
	PartnerFrameworkStatus:     "ap-partner-framework-status",
	RokuToken:                  "x-roku-reserved-roku-connect-token",
	SecFetchSite:               "sec-fetch-site",
	ServiceToken:               "ad-service-token",
	SSOID:                      "x-sso-id",
	SSOLink:                    "x-sso-link",
	SubjectToken:               "adobe-subject-token",
	TempPassIdentity:           "ap-temppass-identity",
	TransferEncoding:           "transfer-encoding",
	UserAgent:                  "user-agent",
	VisitorIdentifier:          "ap-visitor-identifier",
}

// separator is what stands between the lines of a header that is a list. Proxies
// that speak HTTP/2 with browsers get a cookie for each line, and not all of them
// put the pieces together again (RFC 9113, 8.2.3). All other headers have one
// value, and a second line is a second opinion.
var separator = [names]string{
	Accept:         ", ",
	AcceptEncoding: ", ",
	AcceptLanguage: ", ",
	Connection:     ", ",
	Cookie:         "; ",
	Expect:         ", ",
	ForwardedFor:   ", ",
	IfNoneMatch:    ", ",
}

// byLength finds the names of one length, so that most lines are told apart
// without comparing a character.
var byLength = func() (t [40][]Name) {
	for n := None + 1; n < names; n++ {
		t[len(spelling[n])] = append(t[len(spelling[n])], n)
	}
	return t
}()

// nameOf returns the header that s spells in any case, or None.
func nameOf(s []byte) Name {
	if len(s) >= len(byLength) {
		return None
	}
	for _, n := range byLength[len(s)] {
		if equalFold(s, spelling[n]) {
			return n
		}
	}
	return None
}

// equalFold compares s with a string of lower-case ASCII.
func equalFold(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
