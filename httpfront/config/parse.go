package config

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxFile bounds a configuration file: 1 MiB is about 20,000 service
// providers, and it bounds what a wrong path can make a node read.
const maxFile = 1 << 20

// Options is what a configuration depends on besides its text.
type Options struct {
	// File is the path of the file: messages name it, and relative paths in
	// the file start in its directory.
	File string
	// PublicURL is the default of publicURL: http:// and the address of the
	// public listener. Empty means http://127.0.0.1:8080.
	PublicURL string
	// CheckIssuer judges what [Load] finds in the key files of a trusted issuer; may be
	// nil.
	CheckIssuer func(TrustedIssuer) (warning string, err error)
	// CheckPlatform is the same for a platform.
	CheckPlatform func(Platform) (warning string, err error)
	// CheckSAML is the same for a TV provider of kind saml.
	CheckSAML func(MVPD) (warning string, err error)
}

//go:embed demo.yaml
var demo []byte

// Demo returns the configuration of a node that was given no file: realms to
// try the service with.
func Demo(o Options) *Config {
	o.File = ""
	c, err := Parse(demo, o)
	if err != nil {
		panic(err)
	}
	return c
}

// Load reads the configuration file o.File. Its error is [Mistakes] when the
// file can be read.
func Load(o Options) (*Config, error) {
	f, err := os.Open(o.File)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return read(data, o, (*checker).files)
}

// Parse reads a configuration. Its error is [Mistakes].
func Parse(data []byte, o Options) (*Config, error) {
	return read(data, o, nil)
}

// read decodes, fills in, checks, and then checks what else is asked for.
func read(data []byte, o Options, more func(*checker)) (*Config, error) {
	r := &report{file: o.File, lines: map[string]int{"": 1}}
	c := &Config{}
	if decode(data, c, r) {
		c.complete(o)
		check := &checker{report: r, c: c, issuerKeys: o.CheckIssuer, platformKeys: o.CheckPlatform, samlKeys: o.CheckSAML}
		check.config()
		if more != nil {
			more(check)
		}
	}
	if len(r.mistakes) > 0 {
		r.mistakes.sort()
		return nil, r.mistakes
	}
	r.warnings.sort()
	c.Warnings = r.warnings
	sum := sha256.Sum256(data)
	c.Hash = hex.EncodeToString(sum[:])
	return c.indexed(), nil
}

// decode fills c; false when the text is not one YAML mapping.
func decode(data []byte, c *Config, r *report) bool {
	if len(data) > maxFile {
		r.mistake("", "the file is larger than %d KiB", maxFile>>10)
		return false
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	err := d.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		r.mistake("", "the file is empty; it needs at least one realm")
		return false
	case err != nil:
		r.syntax(err)
		return false
	}
	if err := d.Decode(&second); err == nil {
		r.lines[""] = second.Line
		r.mistake("", "a second document; one file holds one configuration")
		return false
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return false
	}
	decoder{r}.value(doc.Content[0], reflect.ValueOf(c).Elem(), "")
	return doc.Content[0].Kind == yaml.MappingNode
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax reports what the YAML parser found, with its line.
func (r *report) syntax(err error) {
	line, text := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	r.found(line, "", "not YAML: "+text)
}

// complete fills in the defaults that depend on something else.
func (c *Config) complete(o Options) {
	c.PublicURL = strings.TrimRight(cmp.Or(c.PublicURL, o.PublicURL, "http://127.0.0.1:8080"), "/")
	for _, realm := range c.Realms {
		realm.complete(filepath.Dir(o.File))
	}
}

func (r *Realm) complete(dir string) {
	for i := range r.ServiceProviders {
		sp := &r.ServiceProviders[i]
		sp.DisplayName = cmp.Or(sp.DisplayName, sp.ID)
		resolve(dir, &sp.MetadataCertFile)
	}
	for i := range r.TrustedIssuers {
		t := &r.TrustedIssuers[i]
		resolve(dir, &t.JWKSFile, &t.PEMFile)
	}
	for i := range r.Platforms {
		p := &r.Platforms[i]
		resolve(dir, &p.JWKSFile, &p.PEMFile, &p.DecryptionKeyFile)
	}
	for i := range r.MVPDs {
		m := &r.MVPDs[i]
		m.DisplayName = cmp.Or(m.DisplayName, m.ID)
		resolve(dir, &m.ClientSecretFile, &m.CAFile, &m.AuthzTokenFile, &m.AuthzCertFile, &m.AuthzKeyFile)
		resolve(dir, m.samlFiles()...)
		m.homeBased()
	}
	for i := range r.Webhooks {
		resolve(dir, &r.Webhooks[i].SecretFile, &r.Webhooks[i].CAFile)
	}
}

// resolve makes paths of a file relative to its directory.
func resolve(dir string, paths ...*string) {
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// fromString makes a plain string in the file a service provider.
func (s *ServiceProvider) fromString(id string) { s.ID = id }
