package httpfront

import (
	"ssod/httpfront/api"
	"ssod/httpfront/api/entitlement"
	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/api/sso"
)

// Handlers are the operations of the public API. A nil one is not served.
type Handlers struct {
	Mint, Refresh, Link, Unlink, List api.Handler // /api/{serviceProvider}/...
	ReadLink, ConfirmLink             api.Handler // /api/{serviceProvider}/link/{code}
	Register, Token                   api.Handler // /o/client/...
	JWKS                              api.Handler // /.well-known/{realm}/jwks.json
	V2                                V2          // /api/v2/...
	Sandbox                           SandboxHandlers
}

// SandboxHandlers are the pages of the built-in TV provider.
type SandboxHandlers struct {
	Login, Choose, Logout api.Handler // /sandbox/{realm}/{mvpd}/...
}

// NewSandboxHandlers returns the pages of the built-in TV provider.
func NewSandboxHandlers(p sandbox.Pages) SandboxHandlers {
	return SandboxHandlers{Login: p.Login, Choose: p.Choose, Logout: p.Logout}
}

// NewHandlers returns the operations of a node.
func NewHandlers(s *sso.Service, clients Registrar, keys KeySets) Handlers {
	return Handlers{
		Mint: s.Mint, Refresh: s.Refresh, Link: s.Link, Unlink: s.Unlink, List: s.List,
		ReadLink: s.ReadLink, ConfirmLink: s.ConfirmLink,
		Register: register(clients), Token: issueToken(clients), JWKS: jwks(keys),
	}
}

// V2 are the operations of the entitlement API;
// httpfront/docs/entitlement.md#entitlement-api.
type V2 struct {
	Configuration                             api.Handler // /api/v2/{serviceProvider}/configuration
	CreateSession, ReadSession, ResumeSession api.Handler // .../sessions, .../sessions/{code}
	AllProfiles, ProfileByMVPD, ProfileByCode api.Handler // .../profiles, .../profiles/{mvpd}, .../profiles/code/{code}
	Authorize, Preauthorize                   api.Handler // .../decisions/...
	Logout                                    api.Handler // .../logout/{mvpd}
	CreatePartnerSession, PartnerProfile      api.Handler // .../sessions/sso/{partner}, .../profiles/sso/{partner}
	Authenticate, Confirm, LoginCallback      api.Handler // /api/v2/authenticate/..., in a browser
	PostedCallback                            api.Handler // likewise, from the MVPD's site
	LogoutAgent, LogoutCallback               api.Handler // /api/v2/logout-agent/..., in a browser
	BackchannelLogout                         api.Handler // /api/v2/logout/backchannel/{realm}/{mvpd}, from an MVPD
	SAMLMetadata, SAMLAnswer, SAMLLogout      api.Handler // /saml/{realm}/{mvpd}/...
	ActivateBrands                            api.Handler // /activate, in a browser
	Activate, ActivateCode                    api.Handler // /activate/{serviceProvider}
	ActivateSession, ActivateLogin            api.Handler // /activate/{serviceProvider}/{code}
}

// NewV2 returns the operations of the entitlement API.
func NewV2(s *entitlement.Service) V2 {
	return V2{
		Configuration: s.Configuration,
		CreateSession: s.CreateSession, ReadSession: s.ReadSession, ResumeSession: s.ResumeSession,
		AllProfiles: s.AllProfiles, ProfileByMVPD: s.ProfileByMVPD, ProfileByCode: s.ProfileByCode,
		Authorize: s.Authorize, Preauthorize: s.Preauthorize, Logout: s.Logout,
		Authenticate: s.Authenticate, Confirm: s.Confirm, LoginCallback: s.LoginCallback,
		CreatePartnerSession: s.CreatePartnerSession, PartnerProfile: s.PartnerProfile,
		PostedCallback: s.PostedCallback, BackchannelLogout: s.BackchannelLogout,
		LogoutAgent: s.LogoutAgent, LogoutCallback: s.LogoutCallback,
		SAMLMetadata: s.SAMLMetadata, SAMLAnswer: s.SAMLAnswer, SAMLLogout: s.SAMLLogout,
		ActivateBrands: s.ActivateBrands, Activate: s.Activate, ActivateCode: s.ActivateCode,
		ActivateSession: s.ActivateSession, ActivateLogin: s.ActivateLogin,
	}
}
