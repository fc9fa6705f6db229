package mvpd

import "context"

// PartnerConnector is a [Connector] whose provider can also be asked through the framework of
// a device's maker: the framework carries a request there and brings the answer back, without
// a browser of the service. The answer is judged by [Receiver] and completed like one that a
// browser posted.
type PartnerConnector interface {
	Connector
	Receiver
	// PartnerRequest is the message of a login, and what the provider is asked for in its
	// own words.
	PartnerRequest(ctx context.Context, l Login) (message []byte, attributes []string, err error)
}
