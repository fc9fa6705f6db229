package entitlement

import (
	"context"
	"strings"

	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
)

// configuration is what an app needs to offer the viewer a choice;
// httpfront/docs/entitlement.md#configuration. The list of MVPDs is in both places where
// the documents have it.
type configuration struct {
	Device     string    `json:"device"`
	ClientType string    `json:"clientType"`
	OS         string    `json:"os"`
	Requestor  requestor `json:"requestor"`
	MVPDs      []choice  `json:"mvpds"`
	Time       int64     `json:"time"` // epoch ms
}

type requestor struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Domains []domain `json:"domains"`
	MVPDs   []choice `json:"mvpds"`
}

type domain struct {
	Name          string `json:"name"`
	MVPDInitiated bool   `json:"mvpdInitiated"`
}

// choice is one MVPD.
type choice struct {
	ID                         string `json:"id"`
	DisplayName                string `json:"displayName"`
	LogoURL                    string `json:"logoUrl"`
	IsTempPass                 bool   `json:"isTempPass"`
	IsProxy                    bool   `json:"isProxy"`
	BoardingStatus             string `json:"boardingStatus"`
	PlatformMappingID          string `json:"platformMappingId"`
	EnablePlatformServices     bool   `json:"enablePlatformServices"`
	DisplayInPlatformPicker    bool   `json:"displayInPlatformPicker"`
	EnforcePlatformPermissions bool   `json:"enforcePlatformPermissions"`
	AuthPerAggregator          bool   `json:"authPerAggregator"`
	AuthPerBrowserSession      bool   `json:"authPerBrowserSession"`
	PassiveAuthnEnabled        bool   `json:"passiveAuthnEnabled"`
}

// Configuration serves GET /api/v2/{serviceProvider}/configuration: the MVPDs
// with an active integration.
func (s *Service) Configuration(_ context.Context, r *api.Request) (api.Response, error) {
	a, err := s.admit(r)
	if err != nil {
		return api.Response{}, err
	}
	if _, err := headers.Device(r); err != nil {
		return api.Response{}, err
	}
	device, err := headers.Attributes(r)
	if err != nil {
		return api.Response{}, err
	}
	out := &configuration{
		Device: device.GetDeviceType(), ClientType: device.GetPlatform(), OS: device.GetOs(), Time: r.Received.UnixMilli(),
		Requestor: requestor{ID: a.provider.ID, Name: a.provider.DisplayName, Domains: []domain{}, MVPDs: []choice{}},
	}
	for _, name := range a.provider.Domains {
		if !strings.Contains(name, "://") { // an app's scheme is no domain
			out.Requestor.Domains = append(out.Requestor.Domains, domain{Name: name})
		}
	}
	for p := range s.Providers.Active(r.Config, r.Realm, a.provider.ID) {
		mapping := r.Realm.MappingID(p.Config.ID)
		out.Requestor.MVPDs = append(out.Requestor.MVPDs, choice{
			PlatformMappingID: mapping, BoardingStatus: boarding(mapping), EnablePlatformServices: mapping != "", DisplayInPlatformPicker: mapping != "",
			ID: p.Config.ID, DisplayName: p.Config.DisplayName, LogoURL: p.Config.LogoURL, IsTempPass: isTemporary(p), AuthPerAggregator: a.provider.AuthPerAggregator,
		})
	}
	out.MVPDs = out.Requestor.MVPDs
	return answerJSON(r, out)
}

// boarding is the documented word for an MVPD that a partner knows.
func boarding(mapping string) string {
	if mapping == "" {
		return ""
	}
	return "SUPPORTED"
}
