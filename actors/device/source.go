package device

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/actors/upstream"
)

// enter promises to enter a login in the index of those that its MVPD can end.
func enter(r *Regular, self *intent.Place, p *intent.Promises) {
	l := r.GetLogin()
	e := &upstream.Entry{
		Login: l.GetId(), Mvpd: l.GetMvpd(), Device: self,
		BegunMs: l.GetSource().GetBegunMs(), IssuedMs: l.GetSource().GetIssuedMs(), NotAfterMs: l.GetNotAfterMs(),
	}
	for _, to := range r.GetShared() {
		e.Copies = append(e.Copies, to.GetProfile())
	}
	for _, at := range upstream.Of(l) {
		p.Add(at, &upstream.Enter{Login: e})
	}
}

// remove promises to remove a login from the index.
func remove(l *login.Login, p *intent.Promises) {
	for _, at := range upstream.Of(l) {
		p.Add(at, &upstream.Remove{Login: l.GetId()})
	}
}

// copiesStay reports whether profiles keep their copies of a login that the device drops
// for another one: a profile that is given the new login drops those that this replaces.
func copiesStay(old, made *Regular) bool {
	replaces := old.GetLogin().GetMvpd() == made.GetLogin().GetMvpd()
	return slices.ContainsFunc(old.GetShared(), func(of *login.Sharing) bool {
		return !replaces || !slices.ContainsFunc(made.GetShared(), func(to *login.Sharing) bool {
			return proto.Equal(to.GetProfile(), of.GetProfile())
		})
	})
}
