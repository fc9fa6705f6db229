package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"ssod/cluster/secretfile"
)

// files checks that every file the configuration names can be read, and that the keys of
// trusted issuers can be used.
func (k *checker) files() {
	for i, r := range k.c.Realms {
		key := fmt.Sprintf("realms[%d]", i)
		for j, sp := range r.ServiceProviders {
			k.metadataCertificate(fmt.Sprintf("%s.serviceProviders[%d].metadataCertFile", key, j), sp.MetadataCertFile)
		}
		for j, t := range r.TrustedIssuers {
			at := fmt.Sprintf("%s.trustedIssuers[%d]", key, j)
			k.readable(at+".jwksFile", t.JWKSFile)
			k.readable(at+".pemFile", t.PEMFile)
			usable(k, at, t, k.issuerKeys)
		}
		for j, p := range r.Platforms {
			at := fmt.Sprintf("%s.platforms[%d]", key, j)
			k.readable(at+".jwksFile", p.JWKSFile)
			k.readable(at+".pemFile", p.PEMFile)
			k.private(at+".decryptionKeyFile", p.DecryptionKeyFile)
			usable(k, at, p, k.platformKeys)
		}
		for j, w := range r.Webhooks {
			at := fmt.Sprintf("%s.webhooks[%d]", key, j)
			k.private(at+".secretFile", w.SecretFile)
			k.readable(at+".caFile", w.CAFile)
			usable(k, at+".secretFile", w, Webhook.usable)
		}
		for j, m := range r.MVPDs {
			at := fmt.Sprintf("%s.mvpds[%d]", key, j)
			k.private(at+".clientSecretFile", m.ClientSecretFile)
			k.readable(at+".caFile", m.CAFile)
			k.credentialFiles(at, m)
			k.keysOfSAML(at, m)
		}
	}
}

// usable has keys judged when nothing else is wrong with them.
func usable[T any](k *checker, key string, t T, judge func(T) (warning string, err error)) {
	if judge == nil || slices.ContainsFunc(k.mistakes, func(m Mistake) bool { return within(m.Key, key) }) {
		return
	}
	warning, err := judge(t)
	if err != nil {
		k.mistake(key, "%v", err)
	}
	if warning != "" {
		k.warn(key, "%s", warning)
	}
}

func (k *checker) readable(key, path string) {
	if path == "" {
		return
	}
	if err := readable(path); err != nil {
		k.mistake(key, "%v", err)
	}
}

// private checks a file that must not be accessible to others.
func (k *checker) private(key, path string) {
	if path == "" {
		return
	}
	err := readable(path)
	if err == nil {
		err = secretfile.Check(path)
	}
	if err != nil {
		k.mistake(key, "%v", err)
	}
}

// readable opens nothing but regular files: opening a pipe would wait.
func readable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}
