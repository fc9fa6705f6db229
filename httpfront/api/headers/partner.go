package headers

import (
	"strconv"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/wire"
)

// maxFrameworkStatus is the longest decoded AP-Partner-Framework-Status.
const maxFrameworkStatus = 4 << 10

// PartnerMVPD is the MVPD that a partner's framework names in AP-Partner-Framework-Status
// (httpfront/docs/headers.md#ap-partner-framework-status). It is an error unless the viewer
// granted access, the id is one of the partner's and what the framework knows is current.
func PartnerMVPD(r *api.Request, partner *config.Partner) (mvpd string, err error) {
	raw, ok := Base64(r.Header(wire.PartnerFrameworkStatus), maxFrameworkStatus)
	if !ok || len(raw) == 0 || r.Repeated(wire.PartnerFrameworkStatus) {
		return "", api.ErrPartnerAccess
	}
	status, err := strictjson.Parse(raw)
	if err != nil {
		return "", api.ErrPartnerAccess
	}
	if err := granted(status); err != nil {
		return "", err
	}
	info, _ := status.Member("frameworkProviderInfo")
	id, _ := info.Member("id")
	name, _ := id.Text()
	mvpd, ok = partner.Providers[name]
	if !ok {
		return "", api.ErrPartnerProvider
	}
	if until, ok := expiration(info); !ok || !r.Received.Before(until) {
		return "", api.ErrPartnerExpired
	}
	return mvpd, nil
}

// granted checks that the viewer lets the app see the provider.
func granted(status strictjson.Value) error {
	info, _ := status.Member("frameworkPermissionInfo")
	access, _ := info.Member("accessStatus")
	switch text, _ := access.Text(); text {
	case "granted":
		return nil
	case "":
		return api.ErrPartnerAccess
	case "notDetermined":
		return api.ErrPartnerUndetermined
	}
	return api.ErrPartnerDenied
}

// expiration is the end of what the framework knows: milliseconds, documented as a text.
func expiration(info strictjson.Value) (time.Time, bool) {
	value, _ := info.Member("expirationDate")
	text, ok := value.Text()
	if !ok {
		text = string(value.Raw())
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err == nil
}
