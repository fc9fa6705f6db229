package device

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/event"
	"ssod/actors/login"
)

// facts are what others are told when a command leaves the device with other logins: those
// that were made and those that have ended, but not one that a new one at the same MVPD
// replaces, nor one that has expired.
func facts(before, next *State, self actors.Address, command proto.Message, now time.Time) []event.Fact {
	if _, expires := command.(*Expire); expires || len(self.Identity) != 3 {
		return nil
	}
	var all []event.Fact
	for _, r := range before.GetLogins() {
		l := r.GetLogin()
		if l.Standing(now) == login.Good && next.at(l.GetMvpd()).GetLogin().Standing(now) != login.Good {
			all = append(all, fact(event.LoginEnded, r, self, reason(command)))
		}
	}
	for _, r := range next.GetLogins() {
		if before.find(r.GetLogin().GetId()) == nil {
			all = append(all, fact(event.LoginCompleted, r, self, ""))
		}
	}
	return all
}

// reason says why logins have ended.
func reason(command proto.Message) string {
	if m, ok := command.(*login.End); ok && (m.GetProvider() || m.GetHow() == login.How_INVALIDATED) {
		return event.ByProvider
	}
	return event.ByApp
}

func fact(t event.Type, r *Regular, self actors.Address, reason string) event.Fact {
	l := r.GetLogin()
	f := event.Fact{
		Type: t, ServiceProvider: self.Identity[0], Device: []byte(self.Identity[2]), MVPD: l.GetMvpd(),
		Accounts: []event.Account{login.AccountOf(l)}, Login: l.GetId(), Reason: reason,
		NotAfter: time.UnixMilli(l.GetNotAfterMs()).UTC(),
	}
	for _, to := range r.GetShared() {
		// The profile that an app named before one that was made for the device.
		if id := to.GetProfile().Address().Identity; len(id) == 3 && f.SSOID == "" {
			f.SSOID, f.Issuer = id[2], issuer(id[1])
		}
	}
	return f
}

// issuer is that of a profile's namespace: none if an app asserted the id.
func issuer(namespace string) string {
	if namespace == "sso" { // profile.NamespaceSSO; package profile imports this one
		return ""
	}
	return namespace
}
