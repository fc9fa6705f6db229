package config

import (
	"net/url"
	"strings"
)

// samlFiles are the paths of the files of a TV provider of kind saml.
func (m *MVPD) samlFiles() []*string {
	return []*string{&m.MetadataFile, &m.MetadataCertFile, &m.KeyFile, &m.CertFile, &m.NextKeyFile, &m.NextCertFile}
}

// saml checks a provider that is reached over SAML 2.0. What concerns several keys comes last:
// it hides what else is wrong with the provider.
func (k *checker) saml(key string, m MVPD) {
	k.text(key+".keyFile", m.KeyFile)
	k.text(key+".certFile", m.CertFile)
	if m.EntityID != "" {
		k.entityID(key+".entityId", m.EntityID)
	}
	if m.ProviderEntityID != "" {
		k.entityID(key+".providerEntityId", m.ProviderEntityID)
	}
	k.attributes(key, m)
	if m.AllowCBC {
		k.warn(key+".allowCBC", "accepts encryption that does not notice changes, which has let attackers read what was encrypted: ask the provider for AES-GCM")
	}
	if (m.NextKeyFile == "") != (m.NextCertFile == "") {
		k.mistake(key, "has one of nextKeyFile and nextCertFile, which go together")
	}
	k.samlMetadata(key, m)
}

func (k *checker) samlMetadata(key string, m MVPD) {
	if (m.MetadataFile == "") == (m.MetadataURL == "") {
		k.mistake(key, "must have exactly one of metadataFile and metadataURL")
	}
	if m.MetadataURL == "" {
		return
	}
	k.address(key+".metadataURL", m.MetadataURL)
	u, err := url.Parse(m.MetadataURL)
	if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) && m.MetadataCertFile == "" {
		k.mistake(key+".metadataURL", "must be https, or the metadata be signed (metadataCertFile): whoever is on the way could change the answer")
	}
}

// maxEntityID is the longest entity id in characters; SAML Metadata 2.0, 2.2.1.
const maxEntityID = 1024

func (k *checker) entityID(key, id string) {
	u, err := url.Parse(id)
	if err != nil || u.Scheme == "" || len(id) > maxEntityID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		k.mistake(key, "is not a URI of at most %d characters", maxEntityID)
	}
}

// keysOfSAML checks that the files of a provider can be read, and what is in them.
func (k *checker) keysOfSAML(key string, m MVPD) {
	k.private(key+".keyFile", m.KeyFile)
	k.private(key+".nextKeyFile", m.NextKeyFile)
	k.readable(key+".certFile", m.CertFile)
	k.readable(key+".nextCertFile", m.NextCertFile)
	k.readable(key+".metadataFile", m.MetadataFile)
	k.readable(key+".metadataCertFile", m.MetadataCertFile)
	if m.Kind == "saml" {
		usable(k, key, m, k.samlKeys)
	}
}

// onlySAML reports keys of kind saml that another kind has.
func (k *checker) onlySAML(key string, m MVPD) {
	set := map[string]bool{
		"metadataFile": m.MetadataFile != "", "metadataURL": m.MetadataURL != "", "metadataCertFile": m.MetadataCertFile != "",
		"keyFile": m.KeyFile != "", "certFile": m.CertFile != "", "nextKeyFile": m.NextKeyFile != "", "nextCertFile": m.NextCertFile != "",
		"entityId": m.EntityID != "", "providerEntityId": m.ProviderEntityID != "", "allowCBC": m.AllowCBC,
	}
	for name, is := range set {
		k.only(key+"."+name, m.Kind, is, "saml")
	}
}
