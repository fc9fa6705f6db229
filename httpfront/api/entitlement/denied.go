package entitlement

import (
	"slices"

	"ssod/actors/event"
	"ssod/httpfront/api"
)

// tellDenied passes on how many resources were denied, by the code of the error.
func (s *Service) tellDenied(r *api.Request, q *asking, decisions []decision) {
	if s.Denials == nil || !r.Realm.Tells(string(event.DecisionDenied)) {
		return
	}
	var denials []event.Denial
	for i := range decisions {
		code := decisions[i].code
		if code == "" {
			continue
		}
		at := slices.IndexFunc(denials, func(d event.Denial) bool { return d.Code == code })
		if at < 0 {
			at = len(denials)
			denials = append(denials, event.Denial{ServiceProvider: q.app.provider.ID, MVPD: q.provider.Config.ID, Call: q.call(), Code: code})
		}
		denials[at].Count++
	}
	if len(denials) > 0 {
		s.Denials.Denied(r.Realm.ID, denials)
	}
}
