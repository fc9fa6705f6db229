package login

import (
	"google.golang.org/protobuf/proto"

	"ssod/actors/event"
)

// AccountOf is the viewer's account at the MVPD of a login, as others are told of it.
func AccountOf(l *Login) event.Account {
	account := &Account{}
	if proto.Unmarshal(l.GetAccount(), account) != nil {
		return event.Account{} // whoever uses the login reports it
	}
	return event.Account{MVPD: l.GetMvpd(), UserID: account.GetSubject()}
}
