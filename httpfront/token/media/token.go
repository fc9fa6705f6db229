package media

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Token is what a media token says.
type Token struct {
	// ID is unique; [Signer.Sign] draws it.
	ID string
	// Session distinguishes the app's viewers; it is not the viewer's name.
	Session         string
	ServiceProvider string
	Resource        string
	MVPD            string
	// ProxyMVPD is the provider behind the MVPD; as a rule none.
	ProxyMVPD string
	Issued    time.Time
	TTL       time.Duration
}

// ErrText says that a value cannot stand in XML: it is not UTF-8 or has
// control characters.
var ErrText = errors.New("value cannot stand in a media token")

// issueTime is how times are written.
const issueTime = "2006/01/02 15:04:05 GMT -0700"

// maxValue bounds one value in bytes: a resource may be a fragment of RSS.
const maxValue = 4 << 10

// element returns the element that is signed.
func (t Token) element() (string, error) {
	var b strings.Builder
	b.WriteString("<shortAuthorizationToken>")
	for _, field := range []struct{ name, value string }{
		{"sessionGUID", t.Session},
		{"requestorID", t.ServiceProvider},
		{"resourceID", t.Resource},
		{"ttl", strconv.FormatInt(t.TTL.Milliseconds(), 10)},
		{"issueTime", t.Issued.UTC().Format(issueTime)},
		{"mvpdId", t.MVPD},
		{"proxyMvpdId", t.ProxyMVPD},
		{"jti", t.ID},
	} {
		if err := appendField(&b, field.name, field.value); err != nil {
			return "", err
		}
	}
	b.WriteString("</shortAuthorizationToken>")
	return b.String(), nil
}

func appendField(b *strings.Builder, name, value string) error {
	if !Representable(value) {
		return fmt.Errorf("%s: %w", name, ErrText)
	}
	b.WriteString("<" + name + ">")
	if err := xml.EscapeText(b, []byte(value)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.WriteString("</" + name + ">")
	return nil
}

// Representable reports whether a value, for instance a resource, can stand in
// a media token as it is (XML 1.0, 2.2). A caller that checks its input gets no
// [ErrText] later.
func Representable(value string) bool {
	if len(value) > maxValue || !utf8.ValidString(value) {
		return false
	}
	for _, r := range value {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}

// serialize puts a token together.
func serialize(element string, signature []byte) string {
	b := make([]byte, 0, len(element)+2*len(signature)+64)
	b = append(b, "<signatureInfo>"...)
	b = base64.StdEncoding.AppendEncode(b, signature)
	b = append(b, "</signatureInfo>"...)
	return base64.StdEncoding.EncodeToString(append(b, element...))
}
