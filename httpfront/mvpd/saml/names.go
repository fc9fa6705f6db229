package saml

// Namespaces.
const (
	assertionNS = "urn:oasis:names:tc:SAML:2.0:assertion"
	protocolNS  = "urn:oasis:names:tc:SAML:2.0:protocol"
	metadataNS  = "urn:oasis:names:tc:SAML:2.0:metadata"
	signatureNS = "http://www.w3.org/2000/09/xmldsig#"
	encryptNS   = "http://www.w3.org/2001/04/xmlenc#"
	encrypt11NS = "http://www.w3.org/2009/xmlenc11#"
	xmlNS       = "http://www.w3.org/XML/1998/namespace"
	xmlnsNS     = "http://www.w3.org/2000/xmlns/"
)

// Bindings; SAML Bindings 2.0, 3.4 and 3.5.
const (
	redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	postBinding     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// Names of SAML Core 2.0: formats of names (8.3), status codes (3.2.2.2), and the
// confirmation of a browser (Profiles, 3.3).
const (
	persistentFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	entityFormat     = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	bearer           = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

	statusPrefix  = "urn:oasis:names:tc:SAML:2.0:status:"
	statusSuccess = statusPrefix + "Success"
)

// version is the only version of SAML that is spoken.
const version = "2.0"
