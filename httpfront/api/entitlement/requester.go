package entitlement

import (
	"ssod/actors/device"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/platform"
)

// whoLogsIn describes the device that began a session to an MVPD.
func (s *Service) whoLogsIn(r *api.Request, at string, by *session.Party) mvpd.Requester {
	who := mvpd.Requester{Device: mvpd.Device{Name: visible(by.GetDeviceName()), Type: by.GetDeviceType()}, Address: r.Address.Unmap()}
	if d, ok := device.IDAt(by.GetDevice()); ok {
		who.Device.ID = s.pairwise(r, at, d.Device)
	}
	if to := by.GetSharing(); len(to) > 0 { // the first one goes before others
		who.SSO = ssoOf(to[0].GetProfile().Address().Identity[1])
	}
	return who
}

// whoAsks describes a device that asks for decisions on a login to an MVPD.
func (s *Service) whoAsks(r *api.Request, q *asking, found finding) (mvpd.Requester, error) {
	_, name, err := headers.Describe(r)
	if err != nil {
		return mvpd.Requester{}, err
	}
	who := mvpd.Requester{Address: r.Address.Unmap(), Device: mvpd.Device{
		ID: s.pairwise(r, r.Item, q.device.Device), Name: visible(name), Type: headers.AttributesOrAgent(r).GetDeviceType(),
	}}
	if found.via != nil {
		who.SSO = ssoOf(found.via.id.Namespace)
	}
	return who, nil
}

// pairwise is the id of a device at one MVPD. It differs between MVPDs, and from the one
// that apps use.
func (s *Service) pairwise(r *api.Request, at string, device []byte) string {
	return mvpd.DeviceAt(s.Tokens.LinkCodeKey(r.Realm.ID), at, device)
}

// ssoOf says where the identities of a namespace come from.
func ssoOf(namespace string) mvpd.SSO {
	if issuer, ok := platform.IssuerOf(namespace); ok {
		return mvpd.SSO{Method: platformSSO, Issuer: issuer}
	}
	if namespace == keys.NamespaceSSO {
		return mvpd.SSO{Method: serviceTokenSSO}
	}
	return mvpd.SSO{Method: serviceTokenSSO, Issuer: namespace}
}
