package config

import (
	"fmt"
	"slices"

	"ssod/httpfront/usermeta"
)

// HBAStatus is the attribute that says whether a viewer logged in at home;
// httpfront/docs/entitlement.md#user-metadata.
const HBAStatus = "hba_status"

// homeBased makes the claim of hba the source of its attribute.
func (m *MVPD) homeBased() {
	if m.HBA == "" || !slices.Contains(decided, m.Kind) {
		return
	}
	if m.Attributes == nil {
		m.Attributes = make(map[string]string)
	}
	if _, given := m.Attributes[HBAStatus]; !given {
		m.Attributes[HBAStatus] = m.HBA
	}
}

// metadata checks what the service makes of attributes.
func (k *checker) metadata(key string, r *Realm, m MVPD) {
	k.only(key+".hba", m.Kind, m.HBA != "", decided...)
	if m.HBA != "" && slices.Contains(decided, m.Kind) {
		k.text(key+".hba", m.HBA)
		if m.Attributes[HBAStatus] != m.HBA {
			k.mistake(key+".hba", "and attributes.%s name two sources", HBAStatus)
		}
	}
	for i, name := range m.Encrypted {
		at := fmt.Sprintf("%s.encrypted[%d]", key, i)
		k.id(at, name)
		if name == "userID" {
			k.mistake(at, "userID is never encrypted: apps go by it")
		}
	}
	if len(m.Encrypted) == 0 {
		return
	}
	for _, sp := range r.ServiceProviders {
		if sp.MetadataCertFile == "" && !slices.Contains(m.DisabledFor, sp.ID) {
			k.warn(key+".encrypted", "service provider %s has no metadataCertFile: its queries for profiles with these attributes are answered 500", sp.ID)
		}
	}
}

// metadataCertificate checks a certificate that attributes are encrypted to.
func (k *checker) metadataCertificate(key, path string) {
	if path == "" {
		return
	}
	usable(k, key, path, usermeta.Check)
}
