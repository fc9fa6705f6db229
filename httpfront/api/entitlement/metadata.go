package entitlement

import (
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors/login"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
)

// mvpdAttribute says in a profile that was found by single sign-on where the viewer logged
// in; httpfront/docs/entitlement.md#user-metadata.
const mvpdAttribute = "mvpd"

// tell prepares the attributes of findings for an app: those of single sign-on name their
// MVPD, and what the MVPD wants encrypted is.
func (s *Service) tell(r *api.Request, a app, found []finding) error {
	for i := range found {
		if err := s.tellOne(r, a, &found[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) tellOne(r *api.Request, a app, f *finding) error {
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, f.GetMvpd())
	if err != nil {
		return err
	}
	names := f.kind == serviceTokenSSO || f.kind == platformSSO
	if !names && len(p.Config.Encrypted) == 0 {
		return nil
	}
	account := &login.Account{}
	if err := proto.Unmarshal(f.GetAccount(), account); err != nil {
		return err
	}
	if names && !slices.ContainsFunc(account.Attributes, func(a *login.Attribute) bool { return a.GetName() == mvpdAttribute }) {
		if err := add(account, mvpdAttribute, f.GetMvpd()); err != nil {
			return err
		}
	}
	for _, attribute := range account.Attributes {
		if slices.Contains(p.Config.Encrypted, attribute.GetName()) && !attribute.GetEncrypted() {
			if err := s.encrypt(r, a, attribute); err != nil {
				return err
			}
		}
	}
	f.told, err = proto.Marshal(account)
	return err
}

// encrypt makes the value of an attribute a text that only the service provider can read.
func (s *Service) encrypt(r *api.Request, a app, attribute *login.Attribute) error {
	sealed, err := s.sealer.Seal(a.provider.MetadataCertFile, attribute.GetValue())
	if err != nil {
		s.Log.Error("user metadata cannot be encrypted", "service_provider", a.provider.ID, "trace", string(r.AppendTrace(nil)), "error", err)
		return fmt.Errorf("%w: %w", api.ErrMetadataCertificate, err)
	}
	attribute.Value, err = json.Marshal(sealed)
	attribute.Encrypted = true
	return err
}

// account is the encoded login.Account as an app is told.
func (f *finding) account() []byte {
	if f.told != nil {
		return f.told
	}
	return f.GetAccount()
}

// normal is the value of an attribute in its documented form, where MVPDs have several:
// hba_status is a truth value.
func normal(name string, value json.RawMessage) json.RawMessage {
	if name != config.HBAStatus {
		return value
	}
	switch string(value) {
	case `true`, `"true"`, `1`, `"1"`:
		return json.RawMessage(`true`)
	case `false`, `"false"`, `0`, `"0"`:
		return json.RawMessage(`false`)
	}
	return value
}
