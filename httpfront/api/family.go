package api

import (
	"net/http"
	"strconv"

	"ssod/httpfront/strictjson"
)

// Family is a part of the API with its own shape of errors;
// httpfront/docs/errors.md#shapes.
type Family uint8

// The families.
const (
	SSO   Family = iota // nested
	V2                  // flat
	OAuth               // {"error": code}, and a text where it is no 400
	HTML                // a page for people, made by package httpfront
)

// StatusName is the name of an HTTP status in bodies: NOT_FOUND.
func StatusName(status int) string {
	if name, ok := statusNames[status]; ok {
		return name
	}
	return statusNames[http.StatusInternalServerError]
}

var statusNames = map[int]string{
	http.StatusOK:                  "OK",
	http.StatusCreated:             "CREATED",
	http.StatusBadRequest:          "BAD_REQUEST",
	http.StatusUnauthorized:        "UNAUTHORIZED",
	http.StatusForbidden:           "FORBIDDEN",
	http.StatusNotFound:            "NOT_FOUND",
	http.StatusMethodNotAllowed:    "METHOD_NOT_ALLOWED",
	http.StatusTooManyRequests:     "TOO_MANY_REQUESTS",
	http.StatusInternalServerError: "INTERNAL_SERVER_ERROR",
	http.StatusServiceUnavailable:  "SERVICE_UNAVAILABLE",
}

// AppendBody appends the error as clients of the family read it.
func (e *Error) AppendBody(b []byte, f Family, helpURL string, r *Request) []byte {
	switch f {
	case OAuth:
		b = append(b, `{"error":`...)
		b = strictjson.AppendString(b, e.OAuthCode())
		if text := e.oauthDescription(); text != "" {
			b = append(b, `,"error_description":`...)
			b = strictjson.AppendString(b, text)
		}
	case V2:
		b = append(b, '{')
		b = e.inV2().appendFields(b, helpURL, r)
	default:
		b = append(b, `{"status":"`...)
		b = append(b, StatusName(e.Status)...)
		b = append(b, `","error":{`...)
		b = e.appendFields(b, helpURL, r)
		b = append(b, '}')
	}
	return append(b, '}')
}

func (e *Error) appendFields(b []byte, helpURL string, r *Request) []byte {
	b = append(b, `"status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, `,"code":`...)
	b = strictjson.AppendString(b, e.Code)
	b = append(b, `,"message":`...)
	b = strictjson.AppendString(b, e.Message)
	b = append(b, `,"action":`...)
	b = strictjson.AppendString(b, string(e.Action))
	if e.Details != "" {
		b = append(b, `,"details":`...)
		b = strictjson.AppendString(b, e.Details)
	}
	b = append(b, `,"helpUrl":`...)
	b = strictjson.AppendString(b, helpURL)
	b = append(b, `,"trace":"`...)
	b = r.AppendTrace(b)
	return append(b, '"')
}

// inV2 is the error as the entitlement API says it.
func (e *Error) inV2() *Error {
	if e == Internal {
		return internalV2
	}
	return e
}

// ContentType is that of the JSON of the family; httpfront/docs/errors.md#shapes.
func (f Family) ContentType() string {
	if f == V2 {
		return "application/json;charset=UTF-8"
	}
	return "application/json"
}

// OAuthCode is the code of an error below /o/.
func (e *Error) OAuthCode() string {
	if e.registration {
		return e.Code
	}
	switch e.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusTooManyRequests:
		return e.Code
	case http.StatusInternalServerError:
		return "server_error"
	case http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	default:
		return "invalid_request"
	}
}

// oauthDescription is the text for developers (RFC 6749, 5.2). A 400 has none: there
// the documented API answers with the code alone, and its clients expect that.
func (e *Error) oauthDescription() string {
	if e.Status == http.StatusBadRequest {
		return ""
	}
	return e.Message
}
