package sso

import (
	"bytes"
	"context"
	"net/http"

	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/wire"
)

// maxUnlink is how many devices one call can name;
// httpfront/docs/limits.md#sizes-and-counts.
const maxUnlink = 100

// unlink removes devices from the caller's profile; httpfront/docs/sso.md#unlink-devices.
func (s *Service) unlink(ctx context.Context, r *api.Request, c client) (api.Response, error) {
	h, device, err := s.holderWithDevice(r, api.ErrUnlinkTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	spellings, err := unlinkBody(r)
	if err != nil {
		return api.Response{}, err
	}
	m := &profile.Unlink{
		Caller:      h.caller(r.Realm, device),
		TombstoneMs: (r.Realm.ServiceToken.TTL + r.Realm.ServiceToken.RefreshWindow).Milliseconds(),
	}
	for _, spelling := range spellings {
		m.Devices = append(m.Devices, candidates(spelling))
	}
	removed, err := s.Links.Unlink(ctx, r.ID, h.id, m)
	if err != nil {
		return api.Response{}, err
	}
	s.audit(r, c, "unlink", h.id, len(removed))
	return api.Response{Status: http.StatusOK, Body: appendUnlinked(r.Buffer, spellings, removed)}, nil
}

// unlinkBody returns the devices that the body names, each spelling once.
func unlinkBody(r *api.Request) ([]string, error) {
	body, err := jsonBody(r)
	if err != nil {
		return nil, err
	}
	devices, _ := body.Member("devices")
	switch devices.Kind() {
	case strictjson.Absent, strictjson.Null:
		return nil, api.ErrDevicesEmpty
	}
	spellings, ok := devices.Texts()
	if !ok || len(spellings) > maxUnlink {
		return nil, api.ErrBody
	}
	if len(spellings) == 0 {
		return nil, api.ErrDevicesEmpty
	}
	return distinct(spellings)
}

// jsonBody is the body, which must be a JSON object and say so.
func jsonBody(r *api.Request) (strictjson.Value, error) {
	switch contentType := r.Header(wire.ContentType); {
	case len(contentType) == 0:
		return strictjson.Value{}, api.ErrHeaderMissing
	case r.Repeated(wire.ContentType) || !api.IsJSON(contentType):
		return strictjson.Value{}, api.ErrContentType
	}
	return parseBody(r.Body)
}

// parseBody reads the body as one JSON object.
func parseBody(body []byte) (strictjson.Value, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return strictjson.Value{}, api.ErrBodyNull
	}
	v, err := strictjson.Parse(body)
	switch {
	case err != nil:
		return v, api.ErrBody
	case v.Kind() == strictjson.Null:
		return v, api.ErrBodyNull
	case v.Kind() != strictjson.Object:
		return v, api.ErrBody
	}
	return v, nil
}

func distinct(spellings []string) ([]string, error) {
	seen := make(map[string]bool, len(spellings))
	once := spellings[:0]
	for _, s := range spellings {
		if s == "" {
			return nil, api.ErrBody
		}
		if !seen[s] {
			seen[s] = true
			once = append(once, s)
		}
	}
	return once, nil
}

// candidates are the devices that a spelling can mean, in the order in which
// they are tried: the canonical id, the decoded id, the whole header value.
func candidates(spelling string) *profile.Candidates {
	c := &profile.Candidates{}
	if id, ok := headers.Base64([]byte(spelling), headers.MaxDevice); ok && len(id) > 0 && headers.CanonicalDevice(id) == spelling {
		c.Id = append(c.Id, id)
	}
	if len(spelling) <= headers.MaxDevice {
		c.Id = append(c.Id, []byte(spelling))
	}
	if id, ok := headers.ParseDevice([]byte(spelling)); ok {
		c.Id = append(c.Id, id)
	}
	return c
}
