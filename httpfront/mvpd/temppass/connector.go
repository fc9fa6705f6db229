package temppass

import (
	"context"
	"errors"
	"net/url"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// Kind is the kind of temporary access in the configuration.
const Kind = "temppass"

// errNoLogin says that there is nothing to log in at.
var errNoLogin = errors.New("temporary access needs no login")

// Connector is a provider without logins.
type Connector struct{}

// Make makes the connector.
func Make(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) {
	return Connector{}, nil
}

// Begin implements [mvpd.Connector]: a browser has no business here.
func (Connector) Begin(context.Context, mvpd.Login) (mvpd.Step, error) {
	return mvpd.Step{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: errNoLogin}
}

// Complete implements [mvpd.Connector]. No login begins, so none completes.
func (Connector) Complete(context.Context, mvpd.Login, url.Values) (mvpd.Identity, error) {
	return mvpd.Identity{}, &mvpd.LoginError{Code: mvpd.InvalidRequest, Cause: errNoLogin}
}

// Decide implements [mvpd.Connector]. Trials decide, not providers.
func (Connector) Decide(context.Context, mvpd.Question) ([]mvpd.Decision, error) {
	return nil, errNoLogin
}

// Logout implements [mvpd.Connector]: there is no place to log out.
func (Connector) Logout(context.Context, mvpd.Logout) (mvpd.Step, error) {
	return mvpd.Step{}, nil
}

// Test implements [mvpd.Tester]: there is nobody whom a test could reach.
func (Connector) Test(_ context.Context, r *mvpd.Report, _ mvpd.Login) {
	r.OK("trial", "temporary access asks no provider: this service counts the trials itself")
}
