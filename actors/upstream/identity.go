package upstream

import (
	"crypto/sha256"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
)

// KindName is the name of the kind in addresses and keys.
const KindName = "upstream"

// By is what an entity stands for.
type By string

// What an entity stands for.
const (
	Subject By = "sub"
	Session By = "sid"
)

// ID names a subject or a session at a TV provider.
type ID struct {
	Realm, MVPD string
	By          By
	Digest      []byte // of its name
}

// Digest is that of a subject's or a session's name: 128 bits, so that a provider's names
// need not be in addresses.
func Digest(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:16]
}

// Address is where the actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.Realm, id.MVPD, string(id.By), string(id.Digest)}}
}

// byOf is what the entity at an address stands for.
func byOf(a actors.Address) By { return By(a.Identity[2]) }

// Of are the places of the entities that a login is entered in; none for a login whose
// provider does not end logins, or which was made below format level 2.
func Of(l *login.Login) (places []*intent.Place) {
	s := l.GetSource()
	for _, of := range []struct {
		by     By
		digest []byte
	}{{Subject, s.GetSubject()}, {Session, s.GetSession()}} {
		if len(of.digest) > 0 {
			places = append(places, intent.At(ID{s.GetRealm(), l.GetMvpd(), of.by, of.digest}.Address()))
		}
	}
	return places
}
