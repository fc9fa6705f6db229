package saml

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"ssod/httpfront/mvpd"
)

// userID is the attribute that is the viewer's id at the provider.
const userID = "userID"

// name is what the provider calls a viewer: NameID of SAML Core 2.0, 2.2.3.
type name struct {
	Value       string `json:"v"`
	Format      string `json:"f,omitempty"`
	Qualifier   string `json:"q,omitempty"`
	SPQualifier string `json:"s,omitempty"`
}

// nameOf reads the NameID of a subject or of a LogoutRequest, which may be encrypted.
func (o *ours) nameOf(in *etree.Element) (name, error) {
	plain, hidden := children(in, assertionNS, "NameID"), children(in, assertionNS, "EncryptedID")
	if len(plain)+len(hidden) != 1 || len(children(in, assertionNS, "BaseID")) > 0 {
		return name{}, errors.New("not exactly one NameID")
	}
	if len(plain) == 1 {
		return readName(plain[0])
	}
	opened, err := o.pairs.decrypter(o.config.AllowCBC).open(hidden[0])
	if err != nil {
		return name{}, err
	}
	return readName(opened)
}

func readName(e *etree.Element) (name, error) {
	if !is(e, assertionNS, "NameID") {
		return name{}, errors.New("not exactly one NameID")
	}
	value, err := text(e)
	if err != nil {
		return name{}, err
	}
	if strings.TrimSpace(value) == "" || len(value) > mvpd.MaxSubject {
		return name{}, fmt.Errorf("a NameID that is empty or longer than %d bytes", mvpd.MaxSubject)
	}
	return name{value, attribute(e, "Format"), attribute(e, "NameQualifier"), attribute(e, "SPNameQualifier")}, nil
}

// session is the name of a session for the index. SessionIndex alone is none: providers may
// number the sessions of each viewer (SAML Core 2.0, 2.7.2).
func (n name) session(index string) string {
	sum := sha256.Sum256([]byte(n.Value + "\x00" + index))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mapped is the viewer's id and the attributes that the configuration asks for.
func (o *ours) mapped(found attributes, n name) (subject string, told []mvpd.Attribute, err error) {
	subject = n.Value
	for _, to := range slices.Sorted(maps.Keys(o.config.Attributes)) {
		values, err := found.values(o.config.Attributes[to])
		if err != nil {
			return "", nil, err
		}
		if to == userID {
			if len(values) != 1 || values[0] == "" {
				return "", nil, fmt.Errorf("%d values of the attribute that is the viewer's id, want 1", len(values))
			}
			subject = values[0]
			continue
		}
		if len(values) == 0 {
			continue
		}
		var value any = values
		if len(values) == 1 {
			value = values[0]
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return "", nil, err
		}
		told = append(told, mvpd.Attribute{Name: to, Value: encoded})
	}
	return subject, told, nil
}

// handle is what a logout at the provider needs. Qualifiers that are long and as they
// usually are need not be kept.
type handle struct {
	name
	Session string `json:"i,omitempty"`
}

// handle encodes a handle; nil where it would be too long, and the provider cannot be told
// of a logout.
func (o *ours) handle(n name, index string) []byte {
	for _, n := range []name{n, {Value: n.Value, Format: n.Format}} {
		encoded, err := json.Marshal(handle{n, index})
		if err == nil && len(encoded) <= mvpd.MaxHandle {
			return encoded
		}
	}
	return nil
}
