package saml

import (
	"context"
	"slices"

	"ssod/httpfront/mvpd"
)

// PartnerRequest implements [mvpd.PartnerConnector]: the AuthnRequest as it would be posted.
func (c *Connector) PartnerRequest(ctx context.Context, l mvpd.Login) (message []byte, attributes []string, err error) {
	o, err := c.ready(ctx)
	if err != nil {
		return nil, nil, err
	}
	to, ok := o.sso[postBinding]
	if !ok {
		to = o.sso[redirectBinding]
	}
	signed, err := o.pairs[0].sign(o.authnRequest(l, to.requests))
	if err != nil {
		return nil, nil, err
	}
	for _, source := range c.config.Attributes {
		attributes = append(attributes, source)
	}
	attributes = append(attributes, "NameID")
	slices.Sort(attributes)
	message, err = writeXML(signed)
	return message, slices.Compact(attributes), err
}
