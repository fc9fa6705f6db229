package saml

import "github.com/beevik/etree"

// CheckAt is Check at another time.
var CheckAt = check

// ReadXML reads a message.
func ReadXML(data []byte) (*etree.Element, error) { return readXML(data, message) }
