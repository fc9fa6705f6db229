package httpfront

import (
	"ssod/httpfront/api"
	"ssod/httpfront/api/entitlement"
)

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
	LogoutAgent, LogoutCallback               api.Handler // /api/v2/logout-agent/..., in a browser
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
		LogoutAgent: s.LogoutAgent, LogoutCallback: s.LogoutCallback,
	}
}

// v2Routes are the resources of the entitlement API.
type v2Routes struct {
	configuration, sessions, session       *resource
	profiles, profileByMVPD, profileByCode *resource
	authorize, preauthorize, logout        *resource
	partnerSessions, partnerProfile        *resource
	authenticate, loginCallback            *resource
	logoutAgent, logoutCallback            *resource
}

func newV2Routes(h V2, op func(string, api.Handler) *operation) *v2Routes {
	// The API has no code for a body that is too large, only for what it would
	// have said.
	call := func(name string, handler api.Handler, tooLarge error) *operation {
		o := op(name, handler)
		if o != nil {
			o.tooLarge = tooLarge
		}
		return o
	}
	get := func(name string, handler api.Handler) *resource {
		return newResource(api.V2, call(name, handler, nil), nil)
	}
	post := func(name string, handler api.Handler, tooLarge error) *resource {
		return newResource(api.V2, nil, call(name, handler, tooLarge))
	}
	page := func(name string, handler api.Handler) *resource {
		return newResource(api.HTML, op(name, handler), nil)
	}
	return &v2Routes{
		configuration: get("configuration", h.Configuration),
		sessions:      post("createSession", h.CreateSession, api.ErrForm),
		session: newResource(api.V2,
			call("readSession", h.ReadSession, nil), call("resumeSession", h.ResumeSession, api.ErrForm)),
		profiles:        get("profiles", h.AllProfiles),
		profileByMVPD:   get("profileByMvpd", h.ProfileByMVPD),
		profileByCode:   get("profileByCode", h.ProfileByCode),
		authorize:       post("authorize", h.Authorize, api.ErrResourcesBody),
		preauthorize:    post("preauthorize", h.Preauthorize, api.ErrResourcesBody),
		logout:          get("logout", h.Logout),
		partnerSessions: post("createPartnerSession", h.CreatePartnerSession, api.ErrForm),
		partnerProfile:  post("partnerProfile", h.PartnerProfile, api.ErrSAMLResponse),
		authenticate:    newResource(api.HTML, op("authenticate", h.Authenticate), op("confirm", h.Confirm)),
		loginCallback:   page("loginCallback", h.LoginCallback),
		logoutAgent:     page("logoutAgent", h.LogoutAgent),
		logoutCallback:  page("logoutCallback", h.LogoutCallback),
	}
}

// callback is the word that stands for a code or an id where a browser comes
// back from an MVPD. Codes are shorter and ids have a dot.
const callback = "callback"

// find finds the resource of a path below /api/v2/.
func (rs *v2Routes) find(p *path) found {
	switch {
	case p.is(2, "authenticate"):
		return rs.findLogin(p)
	case p.is(2, "logout-agent"):
		return rs.findLogout(p)
	case p.n < 4 || reserved[string(p.segments[2])]:
		return found{family: api.V2}
	}
	f := found{family: api.V2, parameter: p.segments[2]}
	switch {
	case p.n == 4 && p.is(3, "configuration"):
		f.resource = rs.configuration
	case p.n == 4 && p.is(3, "sessions"):
		f.resource = rs.sessions
	case p.n == 4 && p.is(3, "profiles"):
		f.resource = rs.profiles
	case p.n == 5 && p.is(3, "sessions"):
		f.resource, f.item = rs.session, p.segments[4]
	case p.n == 5 && p.is(3, "profiles"):
		f.resource, f.item = rs.profileByMVPD, p.segments[4]
	case p.n == 5 && p.is(3, "logout"):
		f.resource, f.item = rs.logout, p.segments[4]
	case p.n == 6:
		return rs.findDeep(p, f)
	}
	return f
}

// findDeep finds the resources of four segments below /api/v2/.
func (rs *v2Routes) findDeep(p *path, f found) found {
	switch {
	case p.is(3, "profiles") && p.is(4, "code"):
		f.resource, f.item = rs.profileByCode, p.segments[5]
	case p.is(3, "sessions") && p.is(4, "sso"):
		f.resource, f.item = rs.partnerSessions, p.segments[5]
	case p.is(3, "profiles") && p.is(4, "sso"):
		f.resource, f.item = rs.partnerProfile, p.segments[5]
	case p.is(3, "decisions") && p.is(4, "authorize"):
		f.resource, f.item = rs.authorize, p.segments[5]
	case p.is(3, "decisions") && p.is(4, "preauthorize"):
		f.resource, f.item = rs.preauthorize, p.segments[5]
	}
	return f
}

func (rs *v2Routes) findLogin(p *path) found {
	switch {
	case p.n == 4 && p.is(3, callback):
		return found{resource: rs.loginCallback, family: api.HTML}
	case p.n == 5:
		return found{resource: rs.authenticate, parameter: p.segments[3], item: p.segments[4], family: api.HTML}
	}
	return found{family: api.HTML}
}

func (rs *v2Routes) findLogout(p *path) found {
	switch {
	case p.n == 4 && p.is(3, callback):
		return found{resource: rs.logoutCallback, family: api.HTML}
	case p.n == 4:
		return found{resource: rs.logoutAgent, item: p.segments[3], family: api.HTML}
	}
	return found{family: api.HTML}
}
