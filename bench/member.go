package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// member is one device of one viewer with the tokens to speak for it.
type member struct {
	provider string // service provider
	bearer   string // access token
	device   string // device identifier in Base64
	service  string // service token
}

// guest is a device that a member has let in with a link code.
type guest struct {
	host   int // index of the member
	device string
}

// code is a link code that a member has on its screen.
type code struct {
	host   int
	digits string
}

// client is one app instance: what a mint needs besides the viewer.
type client struct{ provider, bearer string }

// deviceInfo is the description of a television.
var deviceInfo = base64.StdEncoding.EncodeToString([]byte(`{"primaryHardwareType":"TV","model":"QX-55",` +
	`"manufacturer":"Acme","version":"7.1","osName":"Linux","osFamily":"Tizen","osVersion":"5.0","connectionType":"LAN"}`))

// deviceID is the Base64 identifier of the n-th device of a kind.
func deviceID(kind string, n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%08d-4f94-b1eb", kind, n))
}

// field returns the string value of a JSON member without parsing the rest: it
// reads answers whose form is known.
func field(body []byte, name string) (string, bool) {
	_, rest, found := bytes.Cut(body, []byte(`"`+name+`":"`))
	if !found {
		return "", false
	}
	value, _, found := bytes.Cut(rest, []byte{'"'})
	return string(value), found
}
