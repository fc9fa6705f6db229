package api

import (
	"bytes"
	"strings"
)

// AcceptsJSON reports whether an Accept header lets us answer with JSON: it is
// absent or blank, or names application/json, application/* or */* with a
// quality above zero; httpfront/docs/headers.md#accept.
func AcceptsJSON(accept []byte) bool {
	return len(accept) == 0 || anyRange(accept, func(mediaType string) bool {
		return mediaType == "application/json" || mediaType == "application/*" || mediaType == "*/*"
	})
}

// NamesJSON reports whether an Accept header names application/json itself.
func NamesJSON(accept []byte) bool {
	return anyRange(accept, func(mediaType string) bool { return mediaType == "application/json" })
}

// AcceptsGzip reports whether an Accept-Encoding header names gzip.
func AcceptsGzip(acceptEncoding []byte) bool {
	return anyRange(acceptEncoding, func(coding string) bool { return coding == "gzip" })
}

// IsJSON reports whether a Content-Type is JSON, with whatever parameters.
func IsJSON(contentType []byte) bool { return isA(contentType, "application/json") }

func isA(contentType []byte, want string) bool {
	mediaType, _, _ := bytes.Cut(contentType, []byte{';'})
	return strings.EqualFold(string(bytes.TrimSpace(mediaType)), want)
}

func anyRange(accept []byte, ok func(mediaType string) bool) bool {
	if string(accept) == "application/json" { // nearly always
		return ok("application/json")
	}
	for item := range strings.SplitSeq(string(accept), ",") {
		mediaType, parameters, _ := strings.Cut(item, ";")
		if ok(strings.ToLower(strings.TrimSpace(mediaType))) && !refused(parameters) {
			return true
		}
	}
	return false
}

// refused reports whether the parameters of a media range say q=0.
func refused(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") && strings.Trim(value, "0.") == "" {
			return true
		}
	}
	return false
}
