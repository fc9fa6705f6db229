package entitlement

import (
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/qr"
)

// pollInterval is how often a device asks for its login, in seconds; httpfront/docs/tv.md#polling.
const pollInterval = 5

// verification is what an app shows whose viewer logs in on a second screen, in the terms of
// RFC 8628, 3.2: verification_uri_complete, verification_uri, and interval.
type verification struct {
	URL      string `json:"verificationUrl,omitempty"`
	ShortURL string `json:"verificationUrlShort,omitempty"`
	QR       string `json:"qr,omitempty"`
	Interval int    `json:"interval,omitempty"` // seconds
}

// newVerification is that of a session.
func newVerification(r *api.Request, id session.ID) (verification, error) {
	v := verification{ShortURL: enterAt(r, id.ServiceProvider), Interval: pollInterval}
	v.URL = withCode(v.ShortURL, id.Code)
	picture, err := qr.SVG(v.URL)
	v.QR = picture
	return v, err
}
