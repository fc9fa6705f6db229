package saml

// CheckAt is Check at another time.
var CheckAt = check
