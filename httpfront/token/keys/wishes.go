package keys

import "ssod/httpfront/config"

// wanted is a group that the configuration asks for, and the algorithm of what
// it signs next.
type wanted struct {
	groupID
	algorithm string
}

// slow reports whether making a key of the group takes a tenth of a second of a CPU
// or more.
func (w *wanted) slow() bool { return w.algorithm == RS256 }

// wishes are the groups that a configuration asks for: those of the cluster, then
// those of one realm after another.
type wishes struct {
	all     []wanted
	byRealm map[string][]wanted
}

func wishesOf(cfg *config.Config) wishes {
	w := wishes{
		all: []wanted{
			{groupID{use: Access}, cfg.AccessToken.Algorithm},
			{groupID{use: Client}, ""},
			{groupID{use: Statement}, RS256},
		},
		byRealm: make(map[string][]wanted, len(cfg.Realms)+1),
	}
	w.byRealm[""] = w.all
	for _, realm := range cfg.Realms {
		w.byRealm[realm.ID] = []wanted{
			{groupID{Service, realm.ID}, realm.ServiceToken.Algorithm},
			{groupID{Media, realm.ID}, RS256},
			{groupID{LinkCode, realm.ID}, ""},
			{groupID{Audit, realm.ID}, ""},
		}
		w.all = append(w.all, w.byRealm[realm.ID]...)
	}
	return w
}

// of are the groups of a realm; "": those of the cluster.
func (w *wishes) of(realm string) []wanted { return w.byRealm[realm] }

// find returns what is wanted of a group.
func (w *wishes) find(of groupID) (wanted, bool) {
	for _, want := range w.byRealm[of.realm] {
		if want.groupID == of {
			return want, true
		}
	}
	return wanted{}, false
}
