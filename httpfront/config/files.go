package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// files checks that every file the configuration names can be read. What is
// in it is judged by whoever uses it.
func (k *checker) files() {
	for i, r := range k.c.Realms {
		key := fmt.Sprintf("realms[%d]", i)
		for j, t := range r.TrustedIssuers {
			at := fmt.Sprintf("%s.trustedIssuers[%d]", key, j)
			k.readable(at+".jwksFile", t.JWKSFile)
			k.readable(at+".pemFile", t.PEMFile)
		}
		for j, p := range r.Platforms {
			at := fmt.Sprintf("%s.platforms[%d]", key, j)
			k.readable(at+".jwksFile", p.JWKSFile)
			k.readable(at+".pemFile", p.PEMFile)
			k.readable(at+".decryptionKeyFile", p.DecryptionKeyFile)
		}
		for j, m := range r.MVPDs {
			k.readable(fmt.Sprintf("%s.mvpds[%d].clientSecretFile", key, j), m.ClientSecretFile)
		}
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
