package saml

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"ssod/httpfront/mvpd"
)

// verdict is what a provider's answer says, after it was judged and until its browser comes.
type verdict struct {
	InResponseTo string           `json:"to"`
	Status       []string         `json:"status,omitempty"` // of a failure
	Subject      string           `json:"subject,omitempty"`
	Name         string           `json:"name,omitempty"` // by which logouts find the viewer
	Attributes   []mvpd.Attribute `json:"attributes,omitempty"`
	Handle       []byte           `json:"handle,omitempty"`
	Session      string           `json:"session,omitempty"`
	Issued       time.Time        `json:"issued,omitzero"`
	NotAfter     time.Time        `json:"notAfter,omitzero"`

	Once []mvpd.Once `json:"-"`
}

// verdictValue is the value of an answer that holds a verdict.
const verdictValue = "verdict"

var errAnotherLogin = errors.New("the answer belongs to another login")

// answer is the verdict for the caller to keep.
func (v *verdict) answer(state string) (mvpd.Answer, error) {
	if state == "" {
		return mvpd.Answer{}, invalid(errState)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return mvpd.Answer{}, err
	}
	a := mvpd.Answer{State: state, Nonce: strings.TrimPrefix(v.InResponseTo, requestPrefix), Values: url.Values{verdictValue: {string(encoded)}}, Once: v.Once}
	if size := len(a.Values.Encode()); size > mvpd.MaxAnswer {
		return mvpd.Answer{}, invalid(fmt.Errorf("the viewer's attributes have %d bytes, more than %d", size, mvpd.MaxAnswer))
	}
	return a, nil
}

func decodeVerdict(values url.Values) (*verdict, error) {
	v := &verdict{}
	if err := json.Unmarshal([]byte(values.Get(verdictValue)), v); err != nil {
		return nil, invalid(errors.New("no answer of the provider"))
	}
	return v, nil
}

func (v *verdict) identity() mvpd.Identity {
	return mvpd.Identity{
		Subject: v.Subject, LogoutSubject: v.Name, Attributes: v.Attributes, Handle: v.Handle,
		Session: v.Session, Issued: v.Issued, NotAfter: v.NotAfter,
	}
}

// refusal is what a failure means. Where the viewer chose it, nothing is wrong.
func (v *verdict) refusal() error {
	code := codeOf(v.Status)
	if code == mvpd.AccessDenied {
		return &mvpd.LoginError{Code: code}
	}
	return &mvpd.LoginError{Code: code, Cause: fmt.Errorf("the provider answered %s", statusText(v.Status))}
}

// statusText is a status without what all codes begin with.
func statusText(status []string) string {
	var words []string
	for _, code := range status {
		word, known := strings.CutPrefix(code, statusPrefix)
		if !known || len(word) > 40 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			word = "another status"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
